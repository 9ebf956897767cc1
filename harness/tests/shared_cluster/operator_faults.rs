//! An operator that can't start or goes is the environment's fault, and is named in time; nobody
//! replaces it under a run.
//!
//! They run the program itself on the cluster that is up, so they need one (`kuberay-conformance
//! cluster up`).

use std::path::Path;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use kube::Api;
use kube::api::{Patch, PatchParams};
use kuberay_conformance::provider::CLUSTER;
use serde_json::json;

use crate::faults::{RAY_ANSWERS, copy_to_check};
use crate::support::cluster::{client, kubeconfig};
use crate::support::copies::{replaced, run_of};
use crate::support::running::Running;
use crate::support::sandbox;
use crate::support::{exclusive, newest};

/// One image does not exist; the other does, and is not for an operator.
#[test]
#[ignore = "needs kind"]
fn an_operator_that_cannot_start_ends_the_run_with_the_cause() {
    let _exclusive = exclusive();
    let absent = "quay.io/kuberay/operator:v0.0.0-none";
    // What a node finds first of the second depends on whether it was built here, with a user by
    // name, or pulled.
    let images: [(&str, &[&str]); 2] = [
        (absent, &["ImagePullBackOff"]),
        (
            "rayproject/ray:2.52.0",
            &["runAsNonRoot", "/manager", "exit code"],
        ),
    ];
    let said = images.map(|(image, causes)| (causes, run_with_operator(image)));
    // What the next test needs.
    let restored = crate::support::program()
        .args(["cluster", "up"])
        .output()
        .unwrap();
    assert!(
        said[0].1.1.contains(&format!("of image {absent}")),
        "{}",
        said[0].1.1
    );
    for (causes, (code, text)) in said {
        assert_eq!(code, Some(3), "{text}");
        let told = text
            .lines()
            .find(|line| line.contains(&format!("the operator {} can't start: ", newest())));
        let told = told.unwrap_or_else(|| panic!("no cause is told: {text}"));
        assert!(causes.iter().any(|cause| told.contains(cause)), "{told}");
        assert!(
            !text.contains("was not available within"),
            "it waited for its limit: {text}"
        );
    }
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
}

fn run_with_operator(image: &str) -> (Option<i32>, String) {
    let output = tempfile::tempdir().unwrap();
    let output = run_of(
        &crate::support::scenarios(),
        output.path(),
        &["--operator-image", image],
    )
    .output()
    .unwrap();
    (output.status.code(), sandbox::text(&output))
}

/// Ray is what the case waits for; that it can't be known any more is the environment's fault, and
/// no failure.
#[test]
#[ignore = "needs kind"]
fn an_operator_that_goes_while_a_case_waits_is_named() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    copy_to_check(
        "before-ray-start",
        "waits",
        folder.path(),
        RAY_ANSWERS,
        |file, text| match file {
            "raycluster.yaml" => replaced(
                &text,
                "command: [\"echo 123\"]",
                "command: [\"trap exit TERM; sleep 300 & wait;\"]",
            ),
            _ => text,
        },
    );
    let output = folder.path().join("output");
    let mut run = Running::start(run_of(folder.path(), &output, &[]));
    run.until("applying to the namespace");
    others_are_told_why_not(folder.path(), run.id());
    scale_operator(0);
    let back = Back;
    let (status, text) = run.end();
    drop(back);
    let restored = crate::support::program()
        .args(["cluster", "up"])
        .output()
        .unwrap();
    assert!(restored.status.success(), "{}", sandbox::text(&restored));
    assert_eq!(status.code(), Some(3), "{text}");
    assert!(
        text.contains("the operator default/kuberay-operator has not been running for"),
        "{text}"
    );
    assert!(text.contains("it has no Pod"), "{text}");
    assert!(
        !text.contains("given up at"),
        "it waited for its limit: {text}"
    );
}

/// While a case runs, no other process replaces the operator, and a process that asks changes
/// nothing.
fn others_are_told_why_not(folder: &Path, holder: u32) {
    let before = operator();
    let repository = crate::support::scenarios();
    let upgrade = [
        "run",
        "--target",
        "kind",
        "--keep",
        "--upgrades",
        "upgrade",
        "--scenarios",
        repository.to_str().unwrap(),
    ];
    let pair = format!("runs KubeRay {} and Ray 2.52.0 for", newest());
    let alone = format!("runs KubeRay {} for", newest());
    let cases: [(&[&str], &str); 3] = [
        (
            &["cluster", "up", "--target", "kind", "--operator", "1.5.1"],
            &pair,
        ),
        (
            &["cluster", "up", "--target", "kind", "--ray", "2.7.0"],
            &pair,
        ),
        (&upgrade, &alone),
    ];
    for (arguments, runs) in cases {
        let mut other = crate::support::program();
        other.args(arguments);
        if arguments[0] == "run" {
            other.arg("--output").arg(folder.join("output-of-another"));
        }
        let other = other.output().unwrap();
        let said = sandbox::text(&other);
        assert_eq!(other.status.code(), Some(3), "{arguments:?}: {said}");
        assert!(
            said.contains(&format!("the cluster {CLUSTER} {runs}")),
            "{arguments:?}: {said}"
        );
        assert!(
            said.contains(&format!("for process {holder} (")),
            "{arguments:?}: {said}"
        );
        assert!(
            said.contains("use another cluster: --cluster NAME"),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(operator(), before, "the operator is the same");
}

/// What its Deployment asks for, and how often that was changed.
fn operator() -> (DeploymentSpec, Option<i64>) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let api: Api<Deployment> = Api::namespaced(client(&kubeconfig(CLUSTER)).await, "default");
        let found = api.get("kuberay-operator").await.unwrap();
        (found.spec, found.metadata.generation)
    })
}

/// Whatever a test finds, the next one has an operator.
struct Back;

impl Drop for Back {
    fn drop(&mut self) {
        scale_operator(1);
    }
}

fn scale_operator(replicas: i32) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let api: Api<Deployment> = Api::namespaced(client(&kubeconfig(CLUSTER)).await, "default");
        let patch = json!({"spec": {"replicas": replicas}});
        let patch = Patch::Merge(&patch);
        api.patch_scale("kuberay-operator", &PatchParams::default(), &patch)
            .await
            .unwrap();
    });
}
