//! The contract against what real operators made: Pods that were captured, and the snapshots of
//! this repository's scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kuberay_contract::{
    AddedProbes, CLASSES, ContainerContract, EffectiveSettings, PodContract, PodRole, differences,
    predict,
};
use semver::Version;
use serde_json::{Value, json};

use crate::expect::{SnapshotFile, SnapshotName};
use crate::{self as scenario, Manifest, PodCreated, PodField, Role, Subject};

const SCRIPT: &str = "(/home/ray/samples/ray_cluster_resources.sh&)";

/// A RayCluster with one container in its head and one in its workers, changed by `change`.
fn cluster(change: impl FnOnce(&mut Value)) -> Value {
    let mut cluster = json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": "c", "namespace": "n"},
        "spec": {
            "headGroupSpec": {
                "rayStartParams": {},
                "template": {"spec": {"containers": [{"name": "ray-head", "image": "ray"}]}},
            },
            "workerGroupSpecs": [{
                "groupName": "w",
                "rayStartParams": {},
                "template": {"spec": {"containers": [{"name": "ray-worker", "image": "ray"}]}},
            }],
        },
    });
    change(&mut cluster);
    cluster
}

fn pods(version: &str, object: &Value) -> Vec<PodContract> {
    let release: Version = version.parse().unwrap();
    predict(&release, &EffectiveSettings::default(), object).unwrap()
}

fn args(container: &ContainerContract) -> Vec<String> {
    container.args.iter().map(ToString::to_string).collect()
}

fn captured(text: &str) -> Vec<Value> {
    let pods: Vec<Value> = serde_json::from_str(text).unwrap();
    let spec = |pod: Value| json!({"initContainers": pod["initContainers"], "containers": [pod["container"]]});
    pods.into_iter().map(spec).collect()
}

/// The two Pods of the operator's own sample ray-cluster.overwrite-command.yaml, as its module
/// writes it.
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
        spec["headGroupSpec"]["template"]["spec"]["containers"] =
            json!([container("ray-head", "5Gi", "head")]);
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
                serde_json::from_str(include_str!("../../check/testdata/overwrite.pods.json"))
                    .unwrap();
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
        let object = cluster(|cluster| {
            cluster["metadata"]["name"] = json!(name);
            let container =
                &mut cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0];
            container["command"] = json!([SCRIPT]);
            container["resources"] = resources;
        });
        let mut seen = captured(text).remove(0);
        assert_eq!(differences(&pods(version, &object)[0], &seen), []);
        seen["containers"][0]["env"].as_array_mut().unwrap().pop();
        assert_eq!(
            differences(&pods(version, &object)[0], &seen)[0].what,
            "env"
        );
        seen["containers"][0]["command"] = json!(["/bin/bash", "-x", "--"]);
        assert_eq!(
            differences(&pods(version, &object)[0], &seen)[0].what,
            "command"
        );
    }
}

/// Every snapshot of a command, of arguments, of variables and of names of containers, against the
/// model of every release that it was verified on.
#[test]
fn the_snapshots_of_scenarios() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut compared = BTreeMap::<String, usize>::new();
    let mut with_snapshots = BTreeSet::<String>::new();
    for scenario in scenario::load_all(&root).unwrap() {
        let spec = &scenario.file.spec;
        let mut files = spec.manifests.iter();
        if files.any(|manifest| matches!(manifest, Manifest::Sample(_))) {
            continue;
        }
        let is_rays = |object: &&Value| object["apiVersion"] == "ray.io/v1";
        let objects = scenario::manifests(&scenario, None).unwrap();
        let mut later = scenario::later_objects(&scenario).unwrap();
        later.extend(scenario::objects_between(&scenario).unwrap());
        let Some(object) = objects.iter().find(is_rays) else {
            continue;
        };
        let settings = EffectiveSettings {
            // As the snapshots write them.
            namespace: "<namespace>".into(),
            version: Some("v<operator>".into()),
            ..spec.operator_settings.of_contract().unwrap()
        };
        for subject in crate::expect::subjects(&scenario) {
            // The model has nothing to say about volumes and resources.
            let fields = [
                PodField::Command,
                PodField::Args,
                PodField::Env,
                PodField::Containers,
                PodField::Probes,
            ];
            if fields.contains(&subject.field) && subject.role != Role::RedisCleanup {
                with_snapshots.extend(spec.rules.iter().cloned());
            }
            let object = match subject.created {
                Some(PodCreated::After) => later.iter().find(is_rays).unwrap_or(object),
                // Where there are several objects, a RayJob makes it.
                _ if subject.role == Role::Submitter => objects
                    .iter()
                    .find(|object| object["kind"] == "RayJob")
                    .unwrap_or(object),
                _ => object,
            };
            for class in &CLASSES {
                let path = scenario
                    .dir
                    .join(SnapshotName::new(&subject, class).to_string());
                let Some(snapshot) = SnapshotFile::read_if_there(&path).unwrap() else {
                    continue;
                };
                for version in &snapshot.header.operator {
                    let pods = predict(version, &settings, object).unwrap();
                    let pods: Vec<_> = pods
                        .into_iter()
                        .map(|pod| pod.with("xxxxx", "<generated>"))
                        .collect();
                    if compare(&subject, &snapshot.body, &pods, &path) {
                        for rule in &spec.rules {
                            *compared.entry(rule.clone()).or_default() += 1;
                        }
                    }
                }
            }
        }
    }
    let all: usize = compared.values().sum();
    assert!(all > 2000, "only {all} snapshots were compared");
    let left: Vec<&String> = with_snapshots
        .iter()
        .filter(|rule| !compared.contains_key(*rule))
        .collect();
    assert!(left.is_empty(), "no snapshot was compared for {left:?}");
}

/// The probes that the operator adds are those of the snapshot. What the snapshot has beside them
/// stands in the Pod template.
fn compare_probes(container: &ContainerContract, body: &str, path: &Path) {
    let snapshot: Value = serde_saphyr::from_str(body).unwrap();
    for (field, added) in container.added_probes.by_field() {
        let seen = &snapshot[field];
        // The operator's probes ask these paths, on every release.
        let text = seen.to_string();
        let is_the_operators = text.contains("_healthz |") || text.contains("\"/api/healthz\"");
        let added = added.unwrap_or(&Value::Null);
        if is_the_operators || !added.is_null() {
            assert_eq!(added, seen, "{field} of {}", path.display());
        }
    }
}

/// Whether a snapshot was comparable; it must then be as the model says.
fn compare(subject: &Subject, body: &str, pods: &[PodContract], path: &Path) -> bool {
    let role = match subject.role {
        Role::Head => PodRole::Head,
        Role::Worker => PodRole::Worker,
        Role::Submitter => PodRole::Submitter,
        Role::RedisCleanup => return false,
    };
    let is_it = |pod: &&PodContract| {
        pod.role == role
            && subject
                .group
                .as_ref()
                .is_none_or(|group| pod.group == *group)
    };
    let pod = pods
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no Pod for {}", path.display()));
    let container = match &subject.container {
        None => pod.containers.first(),
        Some(name) => pod.all().find(|container| container.name == *name),
    };
    let Some(container) = container else {
        panic!("no container for {}", path.display());
    };
    if subject.field == PodField::Probes {
        compare_probes(container, body, path);
        return true;
    }
    let expected: Vec<Value> = serde_saphyr::from_str(body).unwrap_or_default();
    let texts: Vec<String> = expected
        .iter()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect();
    let same = match subject.field {
        PodField::Command => container.command == texts,
        PodField::Args => {
            let pairs = container.args.iter().zip(&texts);
            container.args.len() == texts.len()
                && pairs.clone().all(|(text, seen)| text.matches(seen))
        }
        PodField::Containers => {
            let names = pod.containers.iter().map(|container| &container.name);
            names.eq(&texts)
        }
        PodField::Env => {
            let command = &container.command;
            let args: Vec<String> = args(container);
            let seen =
                json!({"name": container.name, "command": command, "args": args, "env": expected});
            let alone = PodContract {
                init_containers: Vec::new(),
                containers: vec![ContainerContract {
                    added_probes: AddedProbes::default(),
                    ..container.clone()
                }],
                ..pod.clone()
            };
            let found = differences(&alone, &json!({"containers": [seen]}));
            assert!(found.is_empty(), "{}: {}", path.display(), found[0]);
            true
        }
        _ => return false,
    };
    assert!(same, "{}: {container:?}\nis not\n{body}", path.display());
    true
}
