//! A rehearsal of 200 objects: generated RayClusters, RayJobs and RayServices, with planted cases.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kuberay_conformance::scenario::diff::{Kind, Objects};
use serde_json::{Value, json};

use crate::rehearse::{cluster, document, verdicts};
use crate::support::{program, turn};

/// Objects of a fleet.
const NUMBER: usize = 200;
/// The limit for a program that was built with optimisation, on two cores without other work.
const LIMIT: Duration = Duration::from_mins(2);

fn rehearse(from: &str, to: &str, folder: &Path, objects: &[Value]) -> (Value, Duration) {
    let path = folder.join("objects.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    std::fs::write(&path, list.to_string()).unwrap();
    let mut command: Command = program();
    command.args([
        "rehearse",
        "--format",
        "json",
        "--from",
        from,
        "--to",
        to,
        "--objects",
    ]);
    let began = Instant::now();
    let output = command.arg(&path).output().unwrap();
    (document(&output), began.elapsed())
}

#[test]
#[ignore = "needs envtest, takes minutes"]
fn two_hundred_ray_clusters_are_upgraded_in_two_minutes() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut objects: Vec<Value> = (0..NUMBER)
        .map(|index| cluster(&format!("c-{index}")))
        .collect();
    objects[7]["spec"]["workerGroupSpecs"][0]["minReplicas"] = json!(6);
    let (report, took) = rehearse("1.5.2", "1.6.2", folder.path(), &objects);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{NUMBER} RayClusters: {:.1} s, load {load}",
        took.as_secs_f64()
    );
    let step = &report["steps"][0];
    assert_eq!(step["model"], Value::Null, "{:#}", step["model"]);
    for (name, verdict) in verdicts(step) {
        let expected = if name == "c-7" { "refused" } else { "cosmetic" };
        assert_eq!(verdict, expected, "{name}");
    }
    if !cfg!(debug_assertions) {
        assert!(took < LIMIT, "{took:?}");
    }
}

#[test]
#[ignore = "needs envtest, takes minutes"]
fn the_model_and_two_operators_agree_on_generated_objects() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = ("1.5.2".parse().unwrap(), "1.6.2".parse().unwrap());
    let generated = Objects::new(1, &from, &to);
    let mut objects = Vec::new();
    for number in 0..40 {
        for kind in Kind::ALL {
            let name = format!("g{number}-{}", kind.word().to_lowercase());
            let plan = generated.object(kind, number).plan();
            objects.push(plan.manifest(&name, "generated"));
        }
    }
    let (report, took) = rehearse("1.5.2", "1.6.2", folder.path(), &objects);
    let step = &report["steps"][0];
    println!(
        "{} objects: {:.1} s, {}",
        objects.len(),
        took.as_secs_f64(),
        step["totals"]
    );
    assert_eq!(step["model"], Value::Null, "{:#}", step["model"]);
    assert_eq!(step["totals"]["objects"], objects.len());
}
