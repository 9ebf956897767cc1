//! A case whose environment failed is tried again, and that it passed only then is told, and fails
//! where that is asked for.
//!
//! On the cluster that is up.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use kube::api::{DeleteParams, DynamicObject, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, Config};
use kuberay_conformance::artifact::Store;
use kuberay_conformance::provider::CLUSTER;
use kuberay_conformance::report::{Outcome, RunResult};
use kuberay_conformance::target::KindCluster;
use rstest::rstest;
use serde_json::json;

use crate::support::{exclusive, program, scenarios};

const SCENARIO: &str = "exit-ends-the-container";
const POLICY: &str = "kuberay-conformance-no-namespaces";

/// How long an API server may take to act on a new policy.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(30);

/// An API server that refuses the namespaces of cases, as one with a full quota or a broken webhook
/// would.
struct Refusal {
    client: Client,
}

impl Refusal {
    fn api(client: &Client, kind: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
        Api::all_with(client.clone(), &ApiResource::from_gvk(&kind))
    }

    async fn begin() -> Self {
        let store = Store::open().unwrap();
        let kubeconfig = KindCluster::folder(store.root(), CLUSTER).join("kubeconfig");
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .unwrap();
        // The cluster is on this machine.
        config.proxy_url = None;
        let refusal = Self {
            client: Client::try_from(config).unwrap(),
        };
        // One of a test that was killed.
        refusal.end().await;
        let objects = [
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": POLICY},
            "spec": {
                "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                    "operations": ["CREATE"], "resources": ["namespaces"]}]},
                "validations": [{"expression": "!object.metadata.name.startsWith('kc-')",
                    "message": "no namespaces for now"}],
            }}),
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": POLICY},
                "spec": {"policyName": POLICY, "validationActions": ["Deny"]}}),
        ];
        for object in objects {
            let object: DynamicObject = serde_json::from_value(object).unwrap();
            let kind = object.types.as_ref().unwrap().kind.clone();
            let api = Self::api(&refusal.client, &kind);
            api.create(&PostParams::default(), &object).await.unwrap();
        }
        refusal.until_in_force().await;
        refusal
    }

    async fn until_in_force(&self) {
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.clone());
        let probe = serde_json::from_value(json!({"metadata": {"name": "kc-probe"}})).unwrap();
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let began = Instant::now();
        while namespaces.create(&dry, &probe).await.is_ok() {
            assert!(
                began.elapsed() < IN_FORCE_WITHIN,
                "the policy is not acted on"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn end(&self) {
        for kind in [
            "ValidatingAdmissionPolicyBinding",
            "ValidatingAdmissionPolicy",
        ] {
            let deleted = Self::api(&self.client, kind)
                .delete(POLICY, &DeleteParams::default())
                .await;
            let was_gone = matches!(&deleted, Err(kube::Error::Api(status)) if status.code == 404);
            assert!(deleted.is_ok() || was_gone, "{kind}: {deleted:?}");
        }
    }
}

#[rstest]
#[case::told(&[], None, 0)]
#[case::strict(&["--strict"], None, 1)]
#[case::in_ci(&[], Some("true"), 1)]
#[ignore = "needs kind"]
fn what_passes_only_when_tried_again_is_told(
    #[case] arguments: &[&str],
    #[case] ci: Option<&str>,
    #[case] expected: i32,
) {
    let _exclusive = exclusive();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refusal = runtime.block_on(Refusal::begin());
    let output = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env_remove("CI");
    if let Some(ci) = ci {
        command.env("CI", ci);
    }
    command
        .args(["run", SCENARIO, "--target", "kind", "--keep", "--scenarios"])
        .arg(scenarios())
        .arg("--output")
        .arg(output.path())
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("the environment failed, so it is tried again") {
            runtime.block_on(refusal.end());
        }
        said.push_str(&line);
        said.push('\n');
    }
    let printed = child.wait_with_output().unwrap();
    let text = format!("{}{said}", String::from_utf8_lossy(&printed.stdout));
    runtime.block_on(refusal.end());
    assert_eq!(printed.status.code(), Some(expected), "{text}");
    let results = std::fs::read_to_string(output.path().join("results.json")).unwrap();
    let result: RunResult = serde_json::from_str(&results).unwrap();
    let case = &result.cases[0];
    assert_eq!(case.outcome, Outcome::Flaky, "{text}");
    let reason = case.reason.as_deref().unwrap_or_default();
    assert!(reason.contains("no namespaces for now"), "{reason}");
    assert!(text.contains("FLAKY"), "{text}");
    assert!(text.contains("1 passed (1 flaky), 0 failed"), "{text}");
}
