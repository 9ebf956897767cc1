//! `rehearse` where it is used wrongly: nothing starts, and the message says what to do.

use std::fs;

use rstest::rstest;

use super::{program, text};

const CLUSTER: &str = "{apiVersion: ray.io/v1, kind: RayCluster, metadata: {name: a}, spec: {}}\n";

#[rstest]
#[case::no_target(CLUSTER, &["--from", "1.5.2"], "--to <VERSION>")]
#[case::no_release(CLUSTER, &["--to", "1.6.2"], "--from <VERSION>")]
#[case::unknown(CLUSTER, &["--from", "1.5.2", "--to", "9.9.9"], "9.9.9")]
#[case::backwards(CLUSTER, &["--from", "1.6.2", "--to", "1.5.2"], "1.5.2 is older than 1.6.2")]
#[case::nothing("kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n",
    &["--from", "1.5.2", "--to", "1.6.2"], "no Ray object")]
#[case::malformed("kind: RayCluster\n", &["--from", "1.5.2", "--to", "1.6.2"], "lacks `apiVersion`")]
fn bad_use_is_told_before_anything_starts(
    #[case] manifest: &str,
    #[case] arguments: &[&str],
    #[case] expected: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("objects.yaml");
    fs::write(&path, manifest).unwrap();
    let mut all = vec!["rehearse", "--objects", path.to_str().unwrap()];
    all.extend(arguments);
    let output = program(&all).output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_bundle_without_an_operator_needs_the_release() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.json");
    let bundle = serde_json::json!({"version": "kuberay-conformance.bundle/v1", "objects": [
        {"apiVersion": "ray.io/v1", "kind": "RayCluster",
            "metadata": {"name": "a", "namespace": "n"}, "spec": {}}]});
    fs::write(&path, bundle.to_string()).unwrap();
    let output = program(&[
        "rehearse",
        "--to",
        "1.6.2",
        "--bundle",
        path.to_str().unwrap(),
    ])
    .output()
    .unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("set it with --from"), "{error}");
    assert!(error.contains("such as --from 1.5.2"), "{error}");
}

#[rstest]
#[case::rehearse(&["rehearse", "--from", "1.5.2", "--to", "1.6.2", "--objects", "objects.yaml"])]
#[case::diff(&["diff", "1.5.2", "1.6.2"])]
#[case::image(&["job", "image"])]
#[case::submit(&["job", "submit"])]
fn mirrors_of_the_environment_and_of_the_file_count(#[case] arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("objects.yaml"), CLUSTER).unwrap();
    let run = |variable: Option<&str>| {
        let mut command = program(arguments);
        command.current_dir(folder.path());
        command.env_remove("KUBERAY_CONFORMANCE_MIRRORS");
        command.envs(variable.map(|value| ("KUBERAY_CONFORMANCE_MIRRORS", value)));
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    // What names no mirror shows that it is read, without a registry.
    let (code, error) = run(Some("docker.io"));
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("`docker.io` names no mirror"), "{error}");
    let file = "[mirrors]\n\"docker.io\" = \"https://mirror.example.com\"\n";
    fs::write(folder.path().join("kuberay-conformance.toml"), file).unwrap();
    let (code, error) = run(None);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("has a scheme"), "{error}");
}
