//! What real operators made: Pods that were captured, and the snapshots of this repository's scenarios.

use std::path::Path;

use super::*;
use crate::expect::SnapshotFile;
use crate::scenario::{self, Manifest};

const SCRIPT: &str = "(/home/ray/samples/ray_cluster_resources.sh&)";

fn captured(text: &str) -> Vec<Value> {
    let pods: Vec<Value> = serde_json::from_str(text).unwrap();
    let spec = |pod: Value| json!({"initContainers": pod["initContainers"], "containers": [pod["container"]]});
    pods.into_iter().map(spec).collect()
}

/// The two Pods of the operator's own sample ray-cluster.overwrite-command.yaml, as its module writes it.
#[test]
fn captured_pods_of_an_overwritten_command() {
    let container = |name: &str, memory: &str, word: &str| {
        json!({
            "name": name,
            "resources": {"limits": {"cpu": "1", "memory": memory}},
            "command": ["/bin/bash", "-c", "--"],
            "args": [format!("ulimit -n 65536; echo {word}; $KUBERAY_GEN_RAY_START_CMD")],
        })
    };
    let object = cluster(|cluster| {
        cluster["metadata"] = json!({
            "name": "raycluster-overwrite-cmd",
            "annotations": {"ray.io/overwrite-container-cmd": "true"},
        });
        let spec = &mut cluster["spec"];
        spec["headGroupSpec"]["template"]["spec"]["containers"] = json!([container("ray-head", "5Gi", "head")]);
        let group = &mut spec["workerGroupSpecs"][0];
        group["groupName"] = json!("small-group");
        group["template"]["spec"]["containers"] = json!([container("ray-worker", "1Gi", "worker")]);
    });
    let mut seen = captured(include_str!("../../check/testdata/overwrite.pods.json"));
    // Of an init container only command and args were kept.
    seen[1]["initContainers"] = json!([]);
    for (mut contract, spec) in pods("1.6.2", &object).into_iter().zip(&seen) {
        if contract.role == PodRole::Worker {
            let wait = contract.init_containers.pop().unwrap();
            let captured: Vec<Value> =
                serde_json::from_str(include_str!("../../check/testdata/overwrite.pods.json")).unwrap();
            assert_eq!(json!(args(&wait)), captured[1]["initContainers"][0]["args"]);
        }
        assert_eq!(differences(&contract, spec), []);
    }
}

#[test]
fn captured_heads_of_1_6_and_1_0() {
    let cases = [
        (
            "1.6.2",
            "raycluster-head-command",
            "5Gi",
            include_str!("../../check/testdata/solution1.pods.json"),
        ),
        (
            "1.0.0",
            "raycluster-mini",
            "2Gi",
            include_str!("../../check/testdata/v1.0.0-solution1.pods.json"),
        ),
    ];
    for (version, name, memory, text) in cases {
        let resources = json!({"limits": {"cpu": "1", "memory": memory}});
        let mut object = head_with(&json!({"command": [SCRIPT], "resources": resources}), json!({}));
        object["metadata"]["name"] = json!(name);
        let mut seen = captured(text).remove(0);
        assert_eq!(differences(&pods(version, &object)[0], &seen), []);
        seen["containers"][0]["env"].as_array_mut().unwrap().pop();
        assert_eq!(differences(&pods(version, &object)[0], &seen)[0].what, "env");
        seen["containers"][0]["command"] = json!(["/bin/bash", "-x", "--"]);
        assert_eq!(differences(&pods(version, &object)[0], &seen)[0].what, "command");
    }
}

/// Every snapshot of a command or of arguments, against the model of every release that it was verified on.
#[test]
fn the_snapshots_of_scenarios() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut compared = 0;
    for scenario in scenario::load_all(&root).unwrap() {
        let files = scenario.file.spec.manifests.iter();
        if files.clone().any(|manifest| matches!(manifest, Manifest::Sample(_))) {
            continue;
        }
        let objects = scenario::manifests(&scenario, None).unwrap();
        let Some(object) = objects.iter().find(|object| object["kind"] == "RayCluster") else {
            continue;
        };
        for entry in std::fs::read_dir(&scenario.dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some((subject, _)) = name.strip_suffix(".snap").and_then(|name| name.split_once('@')) else {
                continue;
            };
            let Some((role @ ("head" | "worker"), what @ ("args" | "command"))) = subject.split_once('.') else {
                continue;
            };
            let snapshot = SnapshotFile::read(&path).unwrap();
            let expected: Vec<String> = serde_saphyr::from_str(&snapshot.body).unwrap_or_default();
            for version in &snapshot.header.operator {
                let pods = predict(version, &OperatorSettings::default(), object).unwrap();
                let container = &pods[usize::from(role == "worker")].containers[0];
                let same = match what {
                    "command" => container.command == expected,
                    _ => {
                        container.args.len() == expected.len()
                            && container
                                .args
                                .iter()
                                .zip(&expected)
                                .all(|(text, seen)| text.matches(seen))
                    }
                };
                assert!(same, "{name} on {version}: {container:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "no snapshot was compared");
}
