//! A kind cluster as somebody else's: its kubeconfig, and one for the account of
//! `fixtures/rbac/run.yaml`.

use std::path::{Path, PathBuf};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use kuberay_conformance::artifact::fixture;
use kuberay_conformance::operator::Sender;
use serde_json::{Value, json};

use crate::support::program;

/// Namespace and name of the account of `fixtures/rbac/run.yaml`.
pub const ACCOUNT: &str = "kuberay-conformance";

/// The administrator's kubeconfig of a cluster that is up.
pub fn kubeconfig(cluster: &str) -> PathBuf {
    let status = program()
        .args([
            "cluster",
            "status",
            "--target",
            "kind",
            "--cluster",
            cluster,
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&status.stdout).into_owned();
    let path = text
        .lines()
        .find_map(|line| line.strip_prefix("kubeconfig: "));
    path.unwrap_or_else(|| panic!("no cluster {cluster} is up: {text}"))
        .into()
}

/// A client for it.
pub async fn client(kubeconfig: &Path) -> Client {
    let read = Kubeconfig::read_from(kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
        .await
        .unwrap();
    config.proxy_url = None;
    Client::try_from(config).unwrap()
}

/// The objects of a manifest of `fixtures/`.
pub fn objects(manifest: &str) -> Vec<Value> {
    let text = fixture(manifest).unwrap();
    text.split("\n---\n")
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect()
}

/// Applies the account with its permissions, and writes a kubeconfig whose context `name` is that
/// account.
pub async fn account(client: &Client, admin: &Path, name: &str, into: &Path) -> PathBuf {
    let sender = Sender::new(client.clone());
    for object in objects("rbac/run.yaml") {
        sender.apply(&object).await.unwrap();
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), ACCOUNT);
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(3600),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let answer = accounts
        .create_token_request(ACCOUNT, &PostParams::default(), &request)
        .await
        .unwrap();
    let token = answer.status.unwrap().token;
    let text = std::fs::read_to_string(admin).unwrap();
    let mut config: Value = serde_saphyr::from_str(&text).unwrap();
    let cluster = config["clusters"][0]["name"].clone();
    config["users"] = json!([{"name": "run", "user": {"token": token}}]);
    config["contexts"] = json!([{"name": name, "context": {"cluster": cluster, "user": "run"}}]);
    config["current-context"] = json!(name);
    let path = into.join(format!("{name}.kubeconfig"));
    std::fs::write(&path, serde_saphyr::to_string(&config).unwrap()).unwrap();
    path
}
