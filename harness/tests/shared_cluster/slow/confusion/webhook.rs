//! A webhook that rewrites the Pods of one namespace, as kuberay#558 reports. Its server runs in a
//! Pod of a namespace of its own.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kuberay_conformance::operator::Sender;
use serde_json::{Value, json};

use crate::support::tls;

/// How long the server may take to start.
const WITHIN: Duration = Duration::from_mins(2);

/// A webhook that is there.
pub struct Webhook(Vec<Value>);

impl Webhook {
    /// Removes the webhook, then its server.
    pub async fn remove(self, sender: &Sender) {
        for object in self.0.iter().rev() {
            sender.delete(object).await.unwrap();
        }
    }
}

/// Starts a server with an image that has Python, and registers it for a namespace's Pods.
pub async fn plant(sender: &Sender, image: &str, place: &str, namespace: &str) -> Webhook {
    let signed = tls::signed(&format!("rewrites.{place}.svc"));
    let (certificate, key) = signed.pem();
    let meta = json!({"name": "rewrites", "namespace": place, "labels": {"app": "rewrites"}});
    let server = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {
            "certificate": certificate, "key": key, "server.py": include_str!("webhook.py")}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {
            "selector": {"app": "rewrites"}, "ports": [{"port": 443, "targetPort": 8443}]}}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {
            "containers": [{"name": "server", "image": image,
                "command": ["python", "/server/server.py"],
                "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1},
                "volumeMounts": [{"name": "server", "mountPath": "/server"}]}],
            "volumes": [{"name": "server", "secret": {"secretName": "rewrites"}}]}}),
    ];
    for object in &server {
        sender.apply(object).await.unwrap();
    }
    await_ready(sender, &server[3]).await;
    let registered = json!({"apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration", "metadata": {"name": place},
        "webhooks": [{"name": "rewrites.example.com", "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"caBundle": BASE64_STANDARD.encode(&signed.authority),
                "service": {"name": "rewrites", "namespace": place}},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
                "operations": ["CREATE"]}]}]});
    sender.apply(&registered).await.unwrap();
    let [place, ..] = server;
    Webhook(vec![place, registered])
}

async fn await_ready(sender: &Sender, pod: &Value) {
    let began = Instant::now();
    loop {
        let found = sender.get(pod).await.unwrap().unwrap();
        let conditions = found["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten();
        let mut ready = conditions.filter(|one| one["type"] == "Ready");
        if ready.any(|one| one["status"] == "True") {
            return;
        }
        assert!(began.elapsed() < WITHIN, "no webhook: {}", found["status"]);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
