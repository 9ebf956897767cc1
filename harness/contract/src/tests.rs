//! The model against texts that real operators made, and against the operators' own sources where
//! nothing was seen yet.

mod commands;
mod env;
mod parents;
mod probes;

use semver::Version;
use serde_json::{Value, json};

use super::*;

/// `diff --accept-as` leaves open what only a person can say of a new release.
#[test]
fn nothing_is_left_to_do() {
    let sources = [
        ("classes.rs", include_str!("classes.rs")),
        ("features.rs", include_str!("features.rs")),
    ];
    let left = sources.iter().flat_map(|(file, text)| {
        let lines = text.lines().enumerate();
        let open = lines.filter(|(_, line)| line.contains("TODO"));
        open.map(move |(index, line)| format!("{file}:{}: {}", index + 1, line.trim()))
    });
    let left: Vec<String> = left.collect();
    assert!(left.is_empty(), "left to do:\n{}", left.join("\n"));
}

fn release(text: &str) -> Version {
    text.parse().unwrap()
}

/// A RayCluster `c` in namespace `n` with one head container, changed by `change`.
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

/// The cluster's head with these parts of its container and these parameters.
fn head_with(container: &Value, params: Value) -> Value {
    cluster(|cluster| {
        let head = &mut cluster["spec"]["headGroupSpec"];
        head["rayStartParams"] = params;
        for (key, value) in container.as_object().unwrap() {
            head["template"]["spec"]["containers"][0][key] = value.clone();
        }
    })
}

fn pods(version: &str, object: &Value) -> Vec<PodContract> {
    predict(&release(version), &EffectiveSettings::default(), object).unwrap()
}

fn ray(version: &str, object: &Value) -> ContainerContract {
    pods(version, object).remove(0).containers.remove(0)
}

fn worker(version: &str, object: &Value) -> PodContract {
    pods(version, object).remove(1)
}

fn args(container: &ContainerContract) -> Vec<String> {
    container.args.iter().map(ToString::to_string).collect()
}

fn value(container: &ContainerContract, name: &str) -> Option<String> {
    container
        .variable(name)
        .map(|variable| match &variable.value {
            EnvValue::Text(text) => text.to_string(),
            EnvValue::From(from) => from.to_string(),
        })
}

fn names(container: &ContainerContract) -> Vec<&str> {
    container
        .env
        .iter()
        .map(|variable| variable.name.as_str())
        .collect()
}

const RELEASES: [&str; 8] = [
    "1.0.0", "1.1.1", "1.2.2", "1.3.2", "1.4.2", "1.5.1", "1.6.2", "1.7.0",
];
