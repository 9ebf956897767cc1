use std::collections::BTreeSet;

use kuberay_contract::{
    self as contract, EffectiveSettings, PodContract, Reach, Refusal, differences,
};
use semver::Version;
use serde_json::json;

use super::*;
use crate as scenario;

const RELEASES: [&str; 8] = [
    "1.0.0", "1.1.1", "1.2.2", "1.3.2", "1.4.2", "1.5.1", "1.6.2", "1.7.0",
];

fn pods(version: &Version, plan: &ClusterPlan) -> Vec<PodContract> {
    contract::predict(
        version,
        &EffectiveSettings::default(),
        &plan.manifest("c", "n"),
    )
    .unwrap()
}

/// What the contract says of the objects with the first numbers, with every set of settings.
fn coverage_of(release: &Version) -> (Coverage, [usize; 3]) {
    let mut coverage = Coverage::default();
    let [mut all, mut refused, mut unreadable] = [0; 3];
    for (place, own) in settings(release).iter().enumerate() {
        let generator = ObjectGenerator::new(1, release, 1, own);
        // About as many as 2000 cases have.
        let objects = if place == 0 { 320 } else { 60 };
        let own = own.of_contract().unwrap();
        for number in 0..objects {
            let plan = generator.generated(NUMBERS * place as u64 + number).plan();
            let object = plan.manifest("c", "n");
            all += 1;
            let Ok(forecast) = contract::forecast(release, &own, plan.validation, &object) else {
                unreadable += 1;
                continue;
            };
            coverage.add(&forecast.pods);
            let refuses = |one: &&Refusal| one.clients.refuses(plan.validation);
            let refusals: Vec<&Refusal> = forecast.refusals.iter().filter(refuses).collect();
            coverage.add_refusals(refusals.iter().copied());
            refused += usize::from(refusals.iter().any(|one| one.reach == Reach::Object));
        }
    }
    (coverage, [all, refused, unreadable])
}

#[test]
fn every_feature_check_and_stage_of_every_release_is_reached() {
    for release in RELEASES {
        let release: Version = release.parse().unwrap();
        let (coverage, [all, refused, unreadable]) = coverage_of(&release);
        let features = coverage.features_missed(&release);
        let features: Vec<&str> = features.iter().map(|entry| entry.name).collect();
        let checks = coverage.checks_missed(&release);
        let checks: Vec<&str> = checks.iter().map(|entry| entry.name).collect();
        assert!(features.is_empty(), "{release}: {features:?}");
        assert!(checks.is_empty(), "{release}: {checks:?}");
        assert_eq!(coverage.stages_missed(), [], "{release}");
        assert_eq!(unreadable, 0, "{release}");
        assert!(refused * 5 >= all, "{release}: {refused} of {all} refused");
    }
}

#[test]
fn a_seed_gives_the_same_plans_again() {
    let release = "1.6.2".parse().unwrap();
    let plans = |seed| {
        let generator = Generator::new(seed, &release, 3);
        (0..20)
            .map(|number| generator.generated(number).plan())
            .collect::<Vec<_>>()
    };
    assert_eq!(plans(7), plans(7));
    assert_ne!(plans(7), plans(8));
    let mut names = BTreeSet::new();
    for plan in plans(7) {
        let object = plan.manifest("c12", "n");
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        assert!(name.starts_with("c12"), "{name}");
        assert!(name.len() <= 53, "{name}");
        assert!(!name.ends_with('-'), "{name}");
        names.insert(name.len());
    }
    assert!(names.len() > 3, "names of few lengths: {names:?}");
}

#[test]
fn what_the_model_says_does_not_differ_from_itself() {
    for release in ["1.2.2", "1.6.2"] {
        let release: Version = release.parse().unwrap();
        let generator = Generator::new(3, &release, 2);
        for number in 0..100 {
            for pod in pods(&release, &generator.generated(number).plan()) {
                assert_eq!(differences(&pod, &pod.spec()), []);
            }
        }
    }
}

/// An operator with a fault: it loses the second of two spaces in front of `&&`.
fn is_faulty(release: &Version, plan: &ClusterPlan) -> bool {
    pods(release, plan).iter().any(|pod| {
        let mut spec = pod.spec();
        let args = &mut spec["containers"][0]["args"][0];
        if let Some(text) = args.as_str() {
            *args = json!(text.replace("  && ulimit", " && ulimit"));
        }
        !differences(pod, &spec).is_empty()
    })
}

#[test]
fn a_fault_is_found_and_made_small() {
    let release: Version = "1.6.2".parse().unwrap();
    let generator = Generator::new(5, &release, 4);
    let found = (0..50)
        .map(|number| generator.generated(number))
        .find(|generated| is_faulty(&release, &generated.plan()));
    let mut shrinking = found.expect("the fault is not found").shrink();
    let before = shrinking.smallest().manifest("c", "n").to_string().len();
    let mut candidate = shrinking.candidate();
    while let Some(plan) = candidate {
        candidate = shrinking.answer(is_faulty(&release, &plan));
    }
    let smallest = shrinking.smallest();
    assert!(is_faulty(&release, smallest));
    assert!(smallest.workers.len() <= 1, "{smallest:?}");
    assert!(smallest.annotations.is_empty(), "{smallest:?}");
    assert!(smallest.options.is_empty(), "{smallest:?}");
    let after = smallest.manifest("c", "n").to_string().len();
    assert!(
        after < before,
        "{before} -> {after} in {} steps",
        shrinking.tried()
    );
    assert!(
        after < 500,
        "{before} -> {after} in {} steps",
        shrinking.tried()
    );
}

#[test]
fn what_was_found_becomes_a_scenario() {
    let release: Version = "1.6.2".parse().unwrap();
    let plan = Generator::new(5, &release, 2).generated(1).plan();
    let pod = pods(&release, &plan).remove(0);
    let differences = differences(&pod, &json!({"containers": [{"name": "ray"}]}));
    let object = plan.manifest("c", "n");
    let shown = Shown {
        release: &release,
        settings: &crate::OperatorSettings::default(),
        object: &object,
        role: pod.role,
        group: &pod.group,
        differences: &differences,
    };
    let saved = save("found-1", &shown);
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join(&saved.name);
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in &saved.files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let scenario = scenario::load(&folder).unwrap_or_else(|errors| panic!("{errors}"));
    let objects = scenario::manifests(&scenario, None).unwrap_or_else(|errors| panic!("{errors}"));
    let mut expected = plan.manifest("c", "n");
    expected["metadata"]["name"] = json!("found-1");
    expected["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    assert_eq!(objects, [expected]);
}
