//! The traps of `explain` against the scenarios that show them.

use std::path::Path;

use semver::Version;

use super::forget_pinned;
use crate::artifact::Pins;
use crate::contract::{EffectiveSettings, Layer};
use crate::explain::{Explanation, FieldValidation, TRAPS, Trap, check, explain};
use crate::manifest::Source;
use crate::scenario::{Manifest, Scenario, TargetKind, load_all};

/// The releases that a scenario runs on and on which `explain` warns with a trap of one of its
/// manifests.
fn warned(trap: &Trap, scenario: &Scenario) -> Vec<Version> {
    let matrix = Pins::embedded().operators.matrix;
    let runs = matrix
        .iter()
        .filter(|release| scenario.operator.matches(release));
    let settings = scenario.file.spec.operator_settings.of_contract();
    let settings = settings.unwrap();
    let warns = |release: &Version| {
        scenario.file.spec.manifests.iter().any(|manifest| {
            let Manifest::File(file) = manifest else {
                return false;
            };
            let text = std::fs::read_to_string(scenario.dir.join(file)).unwrap();
            let options = check::Options {
                settings: settings.clone(),
                // Of what kubectl refuses, the trap is what another client meets.
                validation: FieldValidation::Ignore,
                ..check::Options::new(vec![release.clone()])
            };
            let report = check::check(&[Source::new(Path::new(file), &text)], &options).unwrap();
            report.findings.iter().any(|one| one.id == trap.id)
        })
    };
    runs.filter(|release| warns(release)).cloned().collect()
}

#[test]
fn every_trap_is_shown_by_scenarios_that_prove_its_rule_and_that_explain_warns_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenarios = load_all(&root).unwrap();
    // Limits alone end the operator of other cases, too. A text that is not analysed does nothing by
    // itself; what a RayService, a RayJob or a worker lacks without a port shows in no Pod.
    let unproven: Vec<&str> = TRAPS
        .iter()
        .filter(|trap| trap.scenarios.is_empty())
        .map(|trap| trap.id)
        .collect();
    assert_eq!(
        unproven,
        [
            "not-analysed",
            "no-dashboard-port",
            "no-serve-port",
            "no-gcs-port",
            "limits-end-the-operator"
        ]
    );
    for trap in TRAPS {
        for name in trap.scenarios {
            let scenario = scenarios.iter().find(|scenario| scenario.name() == *name);
            let scenario = scenario.unwrap_or_else(|| panic!("{}: no scenario {name}", trap.id));
            let spec = &scenario.file.spec;
            assert!(
                spec.rules.iter().any(|rule| rule == trap.rule),
                "{name} does not prove {}",
                trap.rule
            );
            let layer = match spec.placement().target {
                TargetKind::Kind | TargetKind::Existing => Layer::Runtime,
                TargetKind::Envtest => Layer::Spec,
            };
            assert!(
                scenario.layers().contains(&layer),
                "{name} proves no {} layer",
                layer.word()
            );
            assert!(
                !warned(trap, scenario).is_empty(),
                "{}: explain warns of it on no release that {name} runs on",
                trap.id
            );
        }
    }
}

#[test]
fn a_scenario_without_a_trap_brings_no_warning_of_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenario = crate::scenario::load(&root.join("default-command")).unwrap();
    for trap in TRAPS {
        assert_eq!(warned(trap, &scenario), [], "{}", trap.id);
    }
}

#[test]
fn a_release_is_unverified_until_it_is_pinned() {
    let manifest = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: a}\nspec: {headGroupSpec: {rayStartParams: {}, \
                    template: {spec: {containers: [{name: r, image: r}]}}}}\n";
    let releases = ["1.6.2", "1.6.9", "9.9.9"].map(|release| release.parse().unwrap());
    let mut explanation = explain(
        Path::new("a.yaml"),
        manifest,
        &releases,
        &EffectiveSettings::default(),
    )
    .unwrap();
    let unverified = |explanation: &Explanation| {
        let unverified = explanation
            .operators
            .iter()
            .map(|operator| operator.unverified.is_some());
        unverified.collect::<Vec<_>>()
    };
    let mut pins = Pins::embedded();
    forget_pinned(&mut explanation.operators, &pins);
    assert_eq!(unverified(&explanation), [false, true, true]);
    let pin = pins.operators.releases.values().next().unwrap().clone();
    pins.operators
        .releases
        .insert("1.6.9".parse().unwrap(), pin);
    forget_pinned(&mut explanation.operators, &pins);
    assert_eq!(unverified(&explanation), [false, false, true]);
}
