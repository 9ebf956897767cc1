//! How long rehearsals take, and whether the model agrees with two operators on generated objects.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kuberay_conformance::scenario::diff::{DiffGenerator, Kind};
use rstest::rstest;
use serde_json::{Value, json};

use crate::rehearse::{cluster, document, verdicts};
use crate::support::{exclusive, is_optimised, newest, program};

/// The limit for a program that was built with optimisation, on two cores without other work.
const LIMIT: Duration = Duration::from_mins(2);

/// The report on objects, and how long it took.
pub fn rehearse(from: &str, to: &str, folder: &Path, objects: &[Value]) -> (Value, Duration) {
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

/// Prints how long it takes (docs/benchmarks.md).
#[rstest]
#[case::two_hundred_in_two_minutes(200, Some(LIMIT))]
#[case::a_thousand(1000, None)]
#[ignore = "needs envtest, takes minutes"]
fn ray_clusters_are_upgraded_to_the_newest_release(
    #[case] number: usize,
    #[case] limit: Option<Duration>,
) {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let mut objects: Vec<Value> = (0..number)
        .map(|index| cluster(&format!("c-{index}")))
        .collect();
    objects[7]["spec"]["workerGroupSpecs"][0]["minReplicas"] = json!(6);
    let (report, took) = rehearse("1.5.2", newest(), folder.path(), &objects);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{number} RayClusters from 1.5.2 to {}: {:.1} s, load {load}",
        newest(),
        took.as_secs_f64()
    );
    let step = &report["steps"][0];
    assert_eq!(step["model"], Value::Null, "{:#}", step["model"]);
    let verdicts = verdicts(step);
    assert_eq!(verdicts.len(), number);
    for (name, verdict) in verdicts {
        let expected = if name == "c-7" { "refused" } else { "cosmetic" };
        assert_eq!(verdict, expected, "{name}");
    }
    if is_optimised() {
        assert!(limit.is_none_or(|limit| took < limit), "{took:?}");
    }
}

#[test]
#[ignore = "needs envtest, takes minutes"]
fn the_model_and_two_operators_agree_on_generated_objects() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = ("1.5.2".parse().unwrap(), "1.6.2".parse().unwrap());
    let generated = DiffGenerator::new(1, &from, &to);
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
