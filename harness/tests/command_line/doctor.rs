//! `doctor` on bundles: the same answers without a cluster.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use assertables::assert_contains;
use rstest::rstest;
use serde_json::{Value, json};

use super::{program, text};

/// Runs the program; the API server is on this machine, and no proxy is the way to it.
fn run(arguments: &[&str]) -> std::process::Output {
    let mut program = program(arguments);
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        program.env_remove(proxy);
    }
    program.output().unwrap()
}

/// A RayCluster whose head can't pull its image, beside one that is well.
fn bundle() -> Value {
    let cluster = |name: &str| {
        json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
            "metadata": {"name": name, "namespace": "team", "uid": name,
                "creationTimestamp": "2026-11-28T11:30:00Z"},
            "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
                {"name": "ray-head", "image": "rayproject/ray:nope"}]}}}},
            "status": {"state": ""}})
    };
    let pod = |name: &str, ready: bool, state: Value| {
        json!({"kind": "Pod", "metadata": {"name": format!("{name}-head"), "namespace": "team",
                "uid": format!("{name}-head"), "creationTimestamp": "2026-11-28T11:30:00Z",
                "labels": {"ray.io/cluster": name, "ray.io/node-type": "head", "ray.io/group": "headgroup"}},
            "spec": {"containers": [{"name": "ray-head", "image": "rayproject/ray:nope"}]},
            "status": {"phase": "Pending", "containerStatuses": [
                {"name": "ray-head", "ready": ready, "restartCount": 0, "state": state}]}})
    };
    let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}});
    json!({"version": "kuberay-conformance.bundle/v1", "takenAt": "2026-11-28T12:00:00Z",
        "objects": [cluster("broken"), cluster("well")],
        "pods": [pod("broken", false, waiting), pod("well", true, json!({"running": {}}))]})
}

fn saved(folder: &Path, bundle: &Value) -> String {
    let path = folder.join("bundle.json");
    fs::write(&path, bundle.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[rstest]
#[case::all(&[], 1, "broken", "image-not-found")]
#[case::one(&["raycluster/broken"], 1, "broken", "image-not-found")]
#[case::verbose(&["--verbose"], 1, "broken", "status: ImagePullBackOff: manifest unknown")]
#[case::well(&["raycluster/well"], 0, "0 broken", "1 healthy")]
#[case::junit(&["--format", "junit"], 1, "<failure", "image-not-found")]
fn a_bundle_is_diagnosed(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] first: &str,
    #[case] second: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), &bundle());
    let output = run(&[&["doctor", "--bundle", path.as_str()], arguments].concat());
    let said = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{said}{}",
        text(&output.stderr)
    );
    assert!(said.contains(first), "{said}");
    assert!(said.contains(second), "{said}");
}

#[test]
fn the_plugin_of_kubectl_is_the_same_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), &bundle());
    let plugin = Command::new(env!("CARGO_BIN_EXE_kubectl-ray-doctor"))
        .args(["--bundle", &path])
        .output()
        .unwrap();
    assert_eq!(plugin.stdout, run(&["doctor", "--bundle", &path]).stdout);
    assert_eq!(plugin.status.code(), Some(1));
}

#[rstest]
#[case::version(&["--version"], 0, concat!("kubectl-ray-doctor ", env!("CARGO_PKG_VERSION")))]
#[case::help(&["--help"], 0, "Usage: kubectl ray doctor [OPTIONS]")]
#[case::wrong(&["--nonsense"], 2, "Usage: kubectl ray doctor")]
fn the_plugin_of_kubectl_has_a_name_of_its_own(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] expected: &str,
) {
    let plugin = Command::new(env!("CARGO_BIN_EXE_kubectl-ray-doctor"))
        .args(arguments)
        .output()
        .unwrap();
    let said = format!("{}{}", text(&plugin.stdout), text(&plugin.stderr));
    assert!(said.contains(expected), "{said}");
    assert_eq!(plugin.status.code(), Some(code), "{said}");
}

#[rstest]
#[case::no_file(&["doctor", "--bundle", "nowhere.json"], 2, "failed to read the bundle nowhere.json")]
#[case::kind(&["doctor", "pod/x"], 2, "raycluster, rayjob, rayservice or raycronjob")]
#[case::both(&["doctor", "-A", "-n", "x"], 2, "cannot be used with")]
#[case::no_kubeconfig(&["doctor", "--kubeconfig", "nowhere"], 3, "reading the kubeconfig nowhere")]
fn what_cannot_be_read_says_what_to_do(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] expected: &str,
) {
    let output = run(arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(expected), "{said}");
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn an_object_that_is_not_there_is_bad_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), &bundle());
    let output = run(&["doctor", "--bundle", &path, "rayjob/none"]);
    assert_eq!(output.status.code(), Some(2));
    assert_contains!(text(&output.stderr), "failed to find rayjob/none");
}

/// An API server that knows these paths; it answers everything else with 403.
fn api_server(answers: Vec<(&'static str, Value)>) -> std::net::SocketAddr {
    use std::io::{BufRead as _, BufReader, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers = std::sync::Arc::new(answers);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = std::sync::Arc::clone(&answers);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut stream = stream;
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    let mut header = String::new();
                    while reader.read_line(&mut header).unwrap_or(0) > 0 && header.trim() != "" {
                        header.clear();
                    }
                    assert!(line.starts_with("GET "), "doctor sent {line}");
                    let path = line.split(' ').nth(1).unwrap_or_default();
                    let path = path.split('?').next().unwrap();
                    let found = answers.iter().find(|(known, _)| *known == path);
                    let (code, body) = match found {
                        Some((_, body)) => ("200 OK", body.clone()),
                        None => (
                            "403 Forbidden",
                            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                                "reason": "Forbidden", "message": "no", "code": 403, "metadata": {}}),
                        ),
                    };
                    let body = body.to_string();
                    let answer = format!(
                        "HTTP/1.1 {code}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

const CANARY: &str = "c4n4ry-V4lue-42";

/// What a cluster with a secret in every corner answers.
fn with_canary() -> Vec<(&'static str, Value)> {
    let list =
        |items: Value| json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items});
    let mut bundle = bundle();
    let mut clusters = bundle["objects"].take();
    clusters[0]["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": CANARY});
    clusters[0]["metadata"]["managedFields"] = json!([{"manager": CANARY}]);
    clusters[0]["spec"]["headGroupSpec"]["rayStartParams"] = json!({"redis-password": CANARY});
    let mut pods = bundle["pods"].take();
    pods[0]["spec"]["containers"][0]["env"] = json!([{"name": "API_TOKEN", "value": CANARY}]);
    pods[0]["status"]["containerStatuses"][0]["state"]["waiting"]["message"] =
        format!("manifest unknown, with {CANARY}").into();
    let event = json!({"involvedObject": {"uid": "broken-head"}, "metadata": {"name": "e", "namespace": "team"},
        "type": "Warning", "reason": "Failed", "message": format!("pull with {CANARY}")});
    vec![
        ("/apis/ray.io/v1/rayclusters", list(clusters)),
        ("/api/v1/pods", list(pods)),
        ("/api/v1/events", list(json!([event]))),
    ]
}

#[test]
fn a_saved_bundle_gives_the_same_answers_and_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let address = api_server(with_canary());
    let kubeconfig = super::kubeconfig(folder.path(), "kind-doctor", address);
    let kubeconfig = kubeconfig.to_str().unwrap();
    let path = folder.path().join("bundle.json");
    let file = path.to_str().unwrap();
    for format in ["json", "text"] {
        let live = run(&[
            "doctor",
            "-A",
            "--context",
            "kind-doctor",
            "--kubeconfig",
            kubeconfig,
            "--save-bundle",
            file,
            "--format",
            format,
        ]);
        let (said, errors) = (text(&live.stdout), text(&live.stderr));
        assert_eq!(live.status.code(), Some(1), "{said}{errors}");
        assert!(said.contains("image-not-found"), "{said}");
        assert!(said.contains("no (403 Forbidden)"), "{said}");
        let again = run(&["doctor", "--bundle", file, "--format", format]);
        assert_eq!(text(&again.stdout), said);
        let saved = fs::read_to_string(&path).unwrap();
        for (what, text) in [("output", &said), ("errors", &errors), ("bundle", &saved)] {
            assert!(!text.contains(CANARY), "the {what} holds a secret: {text}");
        }
        assert_contains!(saved, "[redacted]");
    }
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_cluster_that_refuses_pods_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut answers = with_canary();
    answers.remove(1);
    let kubeconfig = super::kubeconfig(folder.path(), "kind-doctor", api_server(answers));
    let kubeconfig = kubeconfig.to_str().unwrap();
    let output = run(&[
        "doctor",
        "-A",
        "--context",
        "kind-doctor",
        "--kubeconfig",
        kubeconfig,
    ]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("failed to read Pods"), "{said}");
    assert!(said.contains("docs/guide/doctor.md"), "{said}");
}
