//! One test for each public report of KubeRay that `doctor` is to explain, each with a healthy
//! counterpart.

use assertables::assert_not_contains;
use serde_json::{Value, json};

use super::*;
use crate::contract::EffectiveSettings;
use crate::live::bundle::{Bundle, Webhook, Writer};
use crate::live::doctor::PodOrigin;

const NO_RAY: &str = "/bin/bash: line 1: ray: command not found\n";

/// An image whose `ray` is only in the PATH that it sets itself; the login shell of 1.3 resets it.
#[test]
fn kuberay_3247_a_login_shell_resets_path() {
    let mut broken = bundle(cluster(), "1.3.2");
    assert_eq!(broken.ends("head", 127, NO_RAY).first(), "ray-not-in-path");
    let finding = &broken.report().objects[0].findings[0];
    assert!(
        finding
            .message
            .contains("login shell: it reads /etc/profile"),
        "{finding:?}"
    );
    assert!(
        finding.help.contains("Upgrade to KubeRay 1.4"),
        "{finding:?}"
    );
    assert!(bundle(cluster(), "1.3.2").causes().is_empty());
}

/// An image whose profile sets PATH; the shell of 1.4 reads none.
#[test]
fn kuberay_3856_without_a_login_shell_no_profile_sets_path() {
    let mut broken = bundle(cluster(), "1.4.2");
    assert_eq!(broken.ends("head", 127, NO_RAY).first(), "ray-not-in-path");
    let finding = &broken.report().objects[0].findings[0];
    assert!(
        finding.help.contains("ENABLE_LOGIN_SHELL=true"),
        "{finding:?}"
    );
    // With the setting on the message is the other one.
    let login = EffectiveSettings {
        env: [("ENABLE_LOGIN_SHELL".to_owned(), "true".to_owned())].into(),
        ..EffectiveSettings::default()
    };
    let mut login_shell = bundle(cluster(), "1.4.2");
    login_shell.operators[0].deployment["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "ENABLE_LOGIN_SHELL", "value": "true"}]);
    login_shell.pods = pods_of(&cluster(), "1.4.2", &login);
    assert!(login_shell.causes().is_empty());
    login_shell.ends("head", 127, NO_RAY);
    let message = &login_shell.report().objects[0].findings[0].message;
    assert!(message.contains("login shell: it reads"), "{message}");
}

/// `bash -c &&`: the option wants a script and gets none, and Ray starts all the same.
#[test]
fn kuberay_2767_a_shell_without_its_script() {
    let mut cluster = cluster();
    head_of(&mut cluster)["command"] = json!(["bash", "-c"]);
    assert_eq!(bundle(cluster, "1.6.2").first(), "shell-without-script");
    let mut whole = super::cluster();
    head_of(&mut whole)["command"] = json!(["bash -c 'echo a' || exit 1"]);
    assert!(bundle(whole, "1.6.2").causes().is_empty());
}

fn with_resources(value: &str) -> Value {
    let mut cluster = cluster();
    cluster["spec"]["headGroupSpec"]["rayStartParams"] = json!({"resources": value});
    cluster
}

/// JSON without quotes in rayStartParams.
#[test]
fn kuberay_1984_json_that_the_shell_splits() {
    let log = "Usage: ray start [OPTIONS]\nError: Got unexpected extra argument (2})\n";
    let mut broken = bundle(with_resources(r#"{"a": 1, "b": 2}"#), "1.1.1");
    assert_eq!(broken.ends("head", 2, log).first(), "shell-in-parameter");
    let patch = broken.report().objects[0].findings[0]
        .patch
        .clone()
        .unwrap();
    assert_eq!(patch.operations[0]["value"], r#"'{"a": 1, "b": 2}'"#);
    let quoted = bundle(with_resources(r#"'{"a": 1, "b": 2}'"#), "1.1.1");
    assert!(quoted.causes().is_empty(), "{:?}", quoted.causes());
}

/// `$KUBERAY_GEN_RAY_START_CMD` without eval.
#[test]
fn kuberay_3756_the_generated_command_without_eval() {
    let owned = |text: &str| {
        let mut cluster = with_resources(r#"'{"a": 1, "b": 2}'"#);
        cluster["metadata"]["annotations"] = json!({"ray.io/overwrite-container-cmd": "true"});
        head_of(&mut cluster)["command"] = json!(["/bin/bash", "-c", text]);
        cluster["spec"]["workerGroupSpecs"] = json!([]);
        cluster
    };
    let log = "Error: Got unexpected extra argument (\"b\":)\n";
    let mut broken = bundle(owned("$KUBERAY_GEN_RAY_START_CMD"), "1.6.2");
    assert_eq!(broken.ends("head", 2, log).first(), "gen-cmd-unquoted");
    let patch = broken.report().objects[0].findings[0]
        .patch
        .clone()
        .unwrap();
    assert_eq!(
        patch.operations[0]["value"],
        r#"eval "$KUBERAY_GEN_RAY_START_CMD""#
    );
    let with_eval = bundle(owned(r#"eval "$KUBERAY_GEN_RAY_START_CMD""#), "1.6.2");
    assert!(with_eval.causes().is_empty(), "{:?}", with_eval.causes());
}

/// The second command of an entrypoint runs in the submitter.
#[test]
fn kuberay_3802_the_second_command_runs_in_the_submitter() {
    let log = "/bin/bash: line 1: python: command not found\n";
    let mut broken = job("cd /app && python train.py");
    submitter_ends(&mut broken, 127, log);
    assert_eq!(broken.first(), "entrypoint-runs-here");
    let patch = broken.report().objects[0].findings[0]
        .patch
        .clone()
        .unwrap();
    assert_eq!(patch.kind, "RayJob");
    assert_eq!(
        patch.operations[0]["value"],
        "bash -c 'cd /app && python train.py'"
    );
    let quoted = job("bash -c 'cd /app && python train.py'");
    assert!(quoted.causes().is_empty(), "{:?}", quoted.causes());
}

/// The same with `;`, whose job succeeds while the rest fails in the submitter.
#[test]
fn kuberay_3929_a_semicolon_ends_the_job_early() {
    let mut broken = job("echo a; python /app/b.py");
    submitter_ends(
        &mut broken,
        2,
        "python: can't open file '/app/b.py': [Errno 2] No such file\n",
    );
    assert_eq!(broken.first(), "entrypoint-runs-here");
    assert!(job("python /app/b.py").causes().is_empty());
}

fn changed(cluster: &mut Value) {
    cluster["metadata"]["generation"] = 2.into();
    cluster["status"]["observedGeneration"] = 2.into();
}

fn writes_later(bundle: &mut Bundle, fields: &[&str]) {
    bundle.writers.push(Writer {
        kind: "RayCluster".into(),
        namespace: "team".into(),
        name: "demo".into(),
        manager: "helm".into(),
        time: Some("2026-11-28T11:45:00Z".parse().unwrap()),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    });
}

/// A changed command that no Pod takes over.
#[test]
fn kuberay_2534_a_change_of_the_spec_recreates_nothing() {
    let mut stale = healthy();
    let mut cluster = cluster_with("echo new || exit 1");
    changed(&mut cluster);
    stale.objects = vec![cluster];
    writes_later(&mut stale, &["spec.headGroupSpec.template"]);
    assert_eq!(stale.first(), "stale-pod");
    let report = stale.report();
    let head = &report.objects[0].pods[0];
    assert_eq!(head.origin, PodOrigin::OlderSpec);
    assert_eq!(
        head.when_recreated,
        ["args of ray-head: the object has changed"]
    );
    // A change of the number of workers makes no Pod stale.
    let mut scaled = healthy();
    changed(&mut scaled.objects[0]);
    writes_later(&mut scaled, &["spec.workerGroupSpecs.replicas"]);
    assert!(scaled.causes().is_empty());
}

/// The object is corrected, and the Pod keeps the command that fails.
#[test]
fn a_pod_that_fails_by_a_text_that_is_corrected_is_stale() {
    let mut stale = bundle(cluster_with("echo preparing;"), "1.6.2");
    let log = "/bin/bash: -c: line 1: syntax error near unexpected token `&&'\n";
    assert_eq!(stale.ends("head", 2, log).first(), "trailing-semicolon");
    let mut cluster = cluster_with("echo preparing");
    changed(&mut cluster);
    stale.objects = vec![cluster];
    writes_later(&mut stale, &["spec.headGroupSpec.template"]);
    assert_eq!(stale.causes(), ["stale-pod", "syntax-error"]);
    // The new text has the fault, too.
    let mut cluster = cluster_with("echo prepared;");
    changed(&mut cluster);
    stale.objects = vec![cluster];
    assert_eq!(stale.first(), "trailing-semicolon");
}

/// A changed image that no Pod takes over.
#[test]
fn kuberay_4140_a_new_image_recreates_nothing() {
    let mut stale = healthy();
    changed(&mut stale.objects[0]);
    head_of(&mut stale.objects[0])["image"] = "rayproject/ray:2.53.0".into();
    writes_later(&mut stale, &["spec.headGroupSpec.template"]);
    assert_eq!(stale.first(), "stale-pod");
    let finding = &stale.report().objects[0].findings[0];
    assert!(
        finding.proof[0].text.contains("rayproject/ray:2.53.0"),
        "{finding:?}"
    );
    assert_eq!(
        finding.patch.as_ref().unwrap().operations[0]["path"],
        "/spec/upgradeStrategy"
    );
    assert!(healthy().causes().is_empty());
}

/// Refused by the operator: an event, no status, no Pods; later the event is gone, too.
#[test]
fn kuberay_4974_a_refusal_without_a_status() {
    let mut refused = healthy();
    refused.pods.clear();
    let cluster = &mut refused.objects[0];
    cluster["spec"]["headGroupSpec"]["rayStartParams"] = json!({"labels": "a=b"});
    cluster.as_object_mut().unwrap().remove("status");
    let mut told = refused.clone();
    told.event(
        "uid-demo",
        "InvalidRayClusterSpec",
        "rayStartParams['labels'] is not supported",
    );
    assert_eq!(told.first(), "refused-by-operator");
    // Without the event the contract still says why.
    assert_eq!(refused.first(), "refused-by-operator");
    // An old event about a RayCluster that runs is no problem.
    let mut mended = healthy();
    mended.event("uid-demo", "InvalidRayClusterSpec", "it was refused once");
    assert!(mended.causes().is_empty(), "{:?}", mended.causes());
}

/// A Pod template that the API server refuses; releases before 1.3 write no event, only their log.
#[test]
fn kuberay_2250_an_invalid_label_is_only_in_the_operator_s_log() {
    let mut refused = bundle(cluster(), "1.2.2");
    refused.pods.clear();
    refused.logs.push(crate::live::bundle::ContainerLog {
        namespace: "ray-system".into(),
        pod: "kuberay-operator-x".into(),
        text: concat!(
            r#"{"level":"error","msg":"Reconciler error","RayCluster":{"name":"demo","namespace":"team"},"#,
            r#""error":"Pod \"demo-head\" is invalid: metadata.labels: Invalid value: \"a b\""}"#,
            "\n"
        )
        .into(),
        ..Default::default()
    });
    assert_eq!(refused.first(), "refused-at-pod-creation");
    // A line about another RayCluster proves nothing.
    let mut other = refused.clone();
    other.logs[0].text = other.logs[0].text.replace("demo", "other");
    assert_not_contains!(other.causes(), &"refused-at-pod-creation".to_owned());
}

/// A sidecar in the first place gets Ray's command.
#[test]
fn kuberay_1379_ray_is_not_the_first_container() {
    let mut cluster = cluster();
    let sidecar = json!({"name": "logger", "image": "fluent-bit:1.9"});
    let containers = &mut cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"];
    containers.as_array_mut().unwrap().insert(0, sidecar);
    let mut broken = bundle(cluster.clone(), "1.6.2");
    assert_eq!(broken.ends("head", 127, NO_RAY).first(), "ray-not-first");
    // Its image has no shell: the container does not even start.
    let mut shell = bundle(cluster.clone(), "1.6.2");
    let ended = json!({"terminated": {"exitCode": 128, "reason": "StartError",
        "message": "exec: \"/bin/bash\": stat /bin/bash: no such file or directory"}});
    shell.state("head", "logger", ended);
    assert_eq!(shell.first(), "ray-not-first");
    let patch = broken.report().objects[0].findings[0]
        .patch
        .clone()
        .unwrap();
    let list = "/spec/headGroupSpec/template/spec/containers";
    assert_eq!(
        patch.operations,
        [json!({"op": "move", "from": format!("{list}/1"), "path": format!("{list}/0")})]
    );
    let containers = &mut cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"];
    containers.as_array_mut().unwrap().reverse();
    assert!(bundle(cluster, "1.6.2").causes().is_empty());
}

/// The memory of wait-gcs-ready is too small for the image.
#[test]
fn kuberay_2735_wait_gcs_ready_runs_out_of_memory() {
    let mut broken = healthy();
    broken.waits();
    let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
    broken.state("worker", "wait-gcs-ready", ended);
    assert_eq!(broken.first(), "wait-gcs-ready-out-of-memory");
    // One that waits for a head that has just begun to be ready is awaited.
    let mut waiting = healthy();
    waiting.waits();
    waiting.pod("head")["status"]["conditions"][1]["lastTransitionTime"] = LATELY.into();
    assert!(waiting.causes().is_empty(), "{:?}", waiting.causes());
}

/// A webhook rewrites Pods, so that they never are what the operator made.
#[test]
fn kuberay_558_a_webhook_rewrites_pods() {
    let mut rewritten = healthy();
    rewritten.pod("head")["spec"]["containers"][0]["args"] = json!(["sleep infinity"]);
    rewritten.webhooks = vec![Webhook {
        configuration: "policies".into(),
        name: "mutate.example.com".into(),
    }];
    // Its Pods are well so far: a warning.
    assert_eq!(rewritten.causes(), ["changed-by-another-writer"]);
    assert!(!rewritten.report().has_problems());
    rewritten.ends("head", 0, "");
    assert_eq!(rewritten.first(), "changed-by-another-writer");
    let report = rewritten.report();
    let head = &report.objects[0].pods[0];
    assert_eq!(head.origin, PodOrigin::AnotherWriter);
    assert!(
        head.writers[0].contains("mutate.example.com"),
        "{:?}",
        head.writers
    );
    // A sidecar that a webhook adds changes nothing of the operator's.
    let mut mesh = healthy();
    let containers = mesh.pod("head")["spec"]["containers"]
        .as_array_mut()
        .unwrap();
    containers.push(json!({"name": "istio-proxy", "image": "istio"}));
    let statuses = mesh.pod("head")["status"]["containerStatuses"]
        .as_array_mut()
        .unwrap();
    statuses.push(json!({"name": "istio-proxy", "ready": true, "state": {"running": {}}}));
    assert!(mesh.causes().is_empty(), "{:?}", mesh.causes());
}
