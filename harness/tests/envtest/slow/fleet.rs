//! A fleet of 200 objects: the operator's samples, the repository's scenarios, classes of public
//! reports and generated objects, with planted cases of every class of a rehearsal. All are found,
//! and none is invented.

use std::collections::BTreeMap;
use std::path::Path;

use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::manifest;
use kuberay_conformance::plan::includes;
use kuberay_conformance::report::Silent;
use kuberay_conformance::scenario::diff::{DiffGenerator, Kind};
use kuberay_conformance::scenario::{OperatorSettings, Scenario, load_all, manifests};
use semver::Version;
use serde_json::{Value, json};

use crate::rehearse::cluster;
use crate::slow::rehearse::rehearse;
use crate::support::{exclusive, scenarios};

const FROM: &str = "1.4.2";
const TO: &str = "1.6.2";
/// KubeRay's objects of the fleet.
const NUMBER: usize = 200;
const KINDS: [&str; 4] = ["RayCluster", "RayJob", "RayService", "RayCronJob"];

/// Objects in namespaces of their own, and what is expected of some of them.
#[derive(Default)]
struct Fleet {
    objects: Vec<Value>,
    expected: BTreeMap<String, &'static str>,
    count: usize,
}

impl Fleet {
    /// Adds objects in a namespace; a verdict where one of the urgent ones is expected.
    fn add(&mut self, namespace: &str, objects: Vec<Value>, verdict: Option<&'static str>) {
        let of_kuberay = |one: &Value| {
            KINDS
                .iter()
                .any(|kind| one["kind"] == *kind && one["apiVersion"] == "ray.io/v1")
        };
        let added = objects.iter().filter(|one| of_kuberay(one)).count();
        if added == 0 || self.count + added > NUMBER {
            return;
        }
        self.count += added;
        self.objects.extend(objects.into_iter().map(|mut one| {
            one["metadata"]["namespace"] = namespace.into();
            one
        }));
        if let Some(verdict) = verdict {
            self.expected.insert(namespace.into(), verdict);
        }
    }
}

fn job(name: &str) -> Value {
    json!({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": name},
        "spec": {"entrypoint": "python a.py", "rayClusterSpec": cluster("x")["spec"].take()}})
}

/// One object of each class, and others of the same class by another way.
fn planted(fleet: &mut Fleet) {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut one = cluster("planted");
        change(&mut one["spec"]);
        vec![one]
    };
    let of_job = |change: &dyn Fn(&mut Value)| {
        let mut one = job("planted");
        change(&mut one["spec"]);
        vec![one]
    };
    // The definitions of 1.6 refuse what those of 1.4 do not know.
    let neither = json!({"deletionRules": [{"policy": "DeleteSelf", "condition": {}}]});
    let rules = |spec: &mut Value| spec["deletionStrategy"] = neither.clone();
    fleet.add("planted-crd", of_job(&rules), Some("refused"));
    let bounds = |spec: &mut Value| spec["workerGroupSpecs"][0]["minReplicas"] = json!(6);
    fleet.add("planted-operator", with(&bounds), Some("refused"));
    let labels = |spec: &mut Value| {
        spec["headGroupSpec"]["rayStartParams"] = json!({"labels": "a=b"});
    };
    fleet.add("planted-labels", with(&labels), Some("refused"));
    // The definitions of 1.6 lack a field that those of 1.4 have.
    let policy = |spec: &mut Value| spec["deletionPolicy"] = "DeleteNone".into();
    fleet.add("planted-dropped", of_job(&policy), Some("dropped"));
    // The operator of 1.6 does not count Pods without the labels of a replica.
    let hosts = |spec: &mut Value| spec["workerGroupSpecs"][0]["numOfHosts"] = json!(2);
    fleet.add("planted-at-once", with(&hosts), Some("at-once"));
    let suspended = |spec: &mut Value| spec["suspend"] = true.into();
    fleet.add("planted-unchanged", with(&suspended), Some("unchanged"));
    fleet.add("planted-cosmetic", with(&|_| {}), Some("cosmetic"));
    // With Ray 2.53 probes are HTTP requests from 1.6 on.
    let newer_ray = |spec: &mut Value| spec["rayVersion"] = "2.53.0".into();
    fleet.add("planted-changed", with(&newer_ray), Some("changed"));
}

/// Shapes of public reports, whose Pods an upgrade leaves as they are.
fn reports(fleet: &mut Fleet) {
    type Change = fn(&mut Value);
    let head = |spec: &mut Value, container: Value| {
        let containers = &mut spec["headGroupSpec"]["template"]["spec"]["containers"];
        for (field, value) in container.as_object().unwrap() {
            containers[0][field] = value.clone();
        }
    };
    let changes: [(&str, Value, Change); 9] = [
        ("no-limits", json!({"resources": {}}), |spec| {
            spec["enableInTreeAutoscaling"] = true.into();
        }),
        ("whole-numbers", json!({}), |spec| {
            spec["headGroupSpec"]["rayStartParams"] = json!({"num-cpus": "500m"});
        }),
        (
            "accelerators",
            json!({"resources": {"limits": {"cpu": "2", "memory": "8Gi", "habana.ai/gaudi": "2",
                "huawei.com/Ascend910": "8"}}}),
            |_| {},
        ),
        ("no-monitor", json!({}), |spec| {
            spec["headGroupSpec"]["rayStartParams"] = json!({"no-monitor": "true"});
        }),
        (
            "last-operator",
            json!({"args": ["pip install x &&"]}),
            |_| {},
        ),
        ("sleeps", json!({"command": ["sleep", "infinity"]}), |_| {}),
        (
            "address-of-the-pod",
            json!({"env": [{"name": "POD_IP",
                "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]}),
            |spec| {
                spec["headGroupSpec"]["rayStartParams"] = json!({"node-ip-address": "$(POD_IP)"});
            },
        ),
        ("fault-tolerance", json!({}), |spec| {
            spec["gcsFaultToleranceOptions"] = json!({"redisAddress": "redis:6379"});
        }),
        (
            "script",
            json!({"command": ["/bin/bash -c \"cp a b && ./b &\""]}),
            |_| {},
        ),
    ];
    for (name, container, change) in changes {
        let mut one = cluster(name);
        head(&mut one["spec"], container);
        change(&mut one["spec"]);
        fleet.add(&format!("report-{name}"), vec![one], None);
    }
    let entrypoints = [
        ("two-commands", "echo one ; python two.py 'a (b)'"),
        ("lines", "python a.py \\\n  --re \"\\d+\" --n 1"),
        ("variable", "python a.py --gpus=$NUMBER"),
    ];
    for (name, entrypoint) in entrypoints {
        let mut one = job(name);
        one["spec"]["entrypoint"] = entrypoint.into();
        fleet.add(&format!("report-{name}"), vec![one], None);
    }
}

/// Scenarios say by their range whether a release refuses their objects.
fn of_scenario(fleet: &mut Fleet, scenario: &Scenario, [from, to]: [&Version; 2]) {
    let spec = &scenario.file.spec;
    let is_plain =
        spec.operator_settings == OperatorSettings::default() && spec.upgrade_from.is_none();
    let Ok(objects) = manifests(scenario, None) else {
        return;
    };
    if !is_plain {
        return;
    }
    let name = &scenario.file.metadata.name;
    let checks = serde_json::to_value(&spec.checks).unwrap();
    let refuses = !checks[0]["rejected"].is_null();
    let newly = includes(&scenario.operator, to) && !includes(&scenario.operator, from);
    let verdict = (refuses && newly).then_some("refused");
    fleet.add(&format!("scenario-{name}"), objects, verdict);
}

/// The samples in the operator's module.
fn samples(fleet: &mut Fleet, folder: &Path) {
    let mut files: Vec<_> = std::fs::read_dir(folder.join("config/samples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|one| one == "yaml"))
        .collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(mut objects) = manifest::objects(&manifest::Source::new(&path, &text)) else {
            continue;
        };
        objects.retain(|one| {
            let kind = one["kind"].as_str().unwrap_or_default();
            KINDS.contains(&kind) || ["ConfigMap", "Secret", "ServiceAccount"].contains(&kind)
        });
        let name = path.file_stem().unwrap().to_string_lossy();
        let name = name.replace(['.', '_'], "-");
        fleet.add(&format!("sample-{name}"), objects, None);
    }
}

fn generated(fleet: &mut Fleet, [from, to]: [&Version; 2]) {
    let generated = DiffGenerator::new(7, from, to);
    for number in 0..NUMBER as u64 {
        let kind = Kind::ALL[usize::try_from(number % 3).unwrap()];
        let plan = generated.object(kind, number).plan();
        let place = format!("generated-{number}");
        fleet.add(&place, vec![plan.manifest("generated", &place)], None);
    }
}

/// Objects whose class is another one than their origin says. The operator of 1.6 does not count
/// Pods of groups with several hosts, as in `planted-at-once`; the definitions of 1.4 drop the
/// field that 1.6 refuses.
const KNOWN: &[(&str, &str)] = &[
    ("sample-ray-cluster-tpu-v4-multihost", "at-once"),
    ("sample-ray-cluster-tpu-v6e-16-multihost", "at-once"),
    ("sample-ray-cluster-tpu-v6e-256-multihost", "at-once"),
    ("sample-ray-job-tpu-v6e-16-multihost", "at-once"),
    ("sample-ray-job-tpu-v6e-256-multihost", "at-once"),
    // The definitions of 1.6 lack the field that the operator of 1.4 refuses.
    ("scenario-refused-deletion-policy", "dropped"),
    ("scenario-refused-group-label", "cosmetic"),
    ("scenario-refused-kubernetes-token", "cosmetic"),
    ("scenario-refused-resources-twice", "cosmetic"),
];

#[test]
#[ignore = "needs envtest, takes minutes"]
fn every_planted_case_of_a_fleet_is_found_and_none_is_invented() {
    let _exclusive = exclusive();
    let (from, to): (Version, Version) = (FROM.parse().unwrap(), TO.parse().unwrap());
    let releases = [&from, &to];
    let programs = Programs::new(
        Store::open().unwrap(),
        SourcePolicy::Auto,
        std::sync::Arc::new(Silent),
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let module = runtime.block_on(programs.operator_module(&from)).unwrap();
    let mut fleet = Fleet::default();
    planted(&mut fleet);
    reports(&mut fleet);
    samples(&mut fleet, &module);
    for scenario in load_all(&scenarios()).unwrap() {
        of_scenario(&mut fleet, &scenario, releases);
    }
    generated(&mut fleet, releases);
    assert_eq!(fleet.count, NUMBER);

    let folder = tempfile::tempdir().unwrap();
    let (report, took) = rehearse(FROM, TO, folder.path(), &fleet.objects);
    let step = &report["steps"][0];
    println!(
        "{} objects: {:.1} s, {}",
        fleet.count,
        took.as_secs_f64(),
        step["totals"]
    );
    assert_eq!(step["model"], Value::Null, "{:#}", step["model"]);
    let objects = step["objects"].as_array().unwrap();
    assert_eq!(objects.len(), NUMBER, "{:#}", report["leftOut"]);
    let known: BTreeMap<&str, &str> = KNOWN.iter().copied().collect();
    let mut wrong = Vec::new();
    for object in objects {
        let place = object["namespace"].as_str().unwrap();
        let verdict = object["verdict"].as_str().unwrap();
        let expected = known.get(place).or_else(|| fleet.expected.get(place));
        let is_urgent = ["refused", "dropped", "at-once"].contains(&verdict);
        let is_right = expected.map_or(!is_urgent, |expected| *expected == verdict);
        if !is_right {
            wrong.push(format!("{place} is {verdict}: {object:#}"));
        }
        // A change that counts has a date in the contract, or follows from a refusal that ends.
        let notes = object["notes"].to_string();
        if notes.contains("refuses it today") || notes.contains("makes no Pods of it") {
            continue;
        }
        for change in object["changes"].as_array().into_iter().flatten() {
            let counts = ["review", "breaks"]
                .iter()
                .any(|one| change["impact"] == *one);
            if counts && change["features"].is_null() {
                wrong.push(format!("{place} changes unexplained: {change:#}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Who refuses and what is lost is told.
    let object = |place: &str| {
        let mut objects = objects.iter();
        objects.find(|one| one["namespace"] == place).unwrap()
    };
    let by = |place: &str| object(place)["refusals"][0]["by"].clone();
    assert_eq!(by("planted-crd"), "the API server");
    assert_eq!(by("planted-operator"), "the operator");
    let dropped = &object("planted-dropped")["dropped"];
    assert_eq!(*dropped, json!(["spec.deletionPolicy"]));
    let at_once = &object("planted-at-once")["atOnce"];
    assert_eq!(at_once[0]["count"], 2, "{at_once:#}");
}
