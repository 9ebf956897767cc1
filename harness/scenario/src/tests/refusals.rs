//! Each refusal of the operator and each state without Pods that the contract knows, against the
//! scenarios that show it.

use std::collections::BTreeSet;
use std::sync::Arc;

use kuberay_contract::admission::{CheckEntry, OperatorCheck, checks};
use kuberay_contract::{
    CLASSES, EffectiveSettings, FieldValidation, Reach, Refusal, Stage, admit_with,
    forecast_without_pods,
};
use semver::Version;
use serde_json::Value;

use super::own_scenarios;
use crate::generate::{NUMBERS, ObjectGenerator, SUBMITS_SINCE, settings};
use crate::{Manifest, Scenario, load_all, manifests};

/// The first release that reports a refusal as an event; before, only its log does.
const EVENTS_SINCE: Version = Version::new(1, 3, 0);

/// Checks that the API server always makes before the operator, with the field.
const OF_THE_API_SERVER: [(OperatorCheck, &str); 2] = [
    (
        OperatorCheck::JobPreRunningDeadline,
        "spec.preRunningDeadlineSeconds",
    ),
    (
        OperatorCheck::ServiceDeletionDelay,
        "spec.rayClusterDeletionDelaySeconds",
    ),
];

/// Checks that only the operator's log reports, in the releases that make them. A scenario shows the
/// state that remains: a RayJob without a submitter, or its status.
const OF_THE_LOG: [OperatorCheck; 2] = [OperatorCheck::ClusterOfJob, OperatorCheck::SelectorKey];

/// A scenario with its objects.
struct Case {
    scenario: Arc<Scenario>,
    settings: EffectiveSettings,
    objects: Vec<Value>,
    checks: Vec<Value>,
}

fn cases() -> Vec<Case> {
    let own = |scenario: &Arc<Scenario>| {
        let mut files = scenario.file.spec.manifests.iter();
        files.all(|manifest| matches!(manifest, Manifest::File(_)))
    };
    let scenarios = load_all(&own_scenarios()).unwrap();
    let cases = scenarios.into_iter().filter(own).map(|scenario| {
        let spec = &scenario.file.spec;
        let as_json = |check| serde_json::to_value(check).unwrap();
        let mut objects = manifests(&scenario, None).unwrap();
        objects.retain(|object| {
            let version = object["apiVersion"].as_str();
            version.is_some_and(|version| version.starts_with("ray.io/"))
        });
        Case {
            settings: spec.operator_settings.of_contract().unwrap(),
            checks: spec.checks.iter().map(as_json).collect(),
            objects,
            scenario,
        }
    });
    cases.collect()
}

impl Case {
    fn refusals(&self, release: &Version) -> Vec<Refusal> {
        let mut objects = self.objects.iter();
        if !self.scenario.operator.matches(release) {
            objects = [].iter();
        }
        let of_object = |object| admit_with(release, &self.settings, object).refusals;
        objects.flat_map(of_object).collect()
    }

    fn expects(&self, by: &str, says: impl Fn(&str) -> bool) -> bool {
        let mut rejected = self.checks.iter().map(|check| &check["rejected"]);
        rejected.any(|one| one["by"] == by && one["message"].as_str().is_some_and(&says))
    }

    fn expects_no_submitter(&self) -> bool {
        let mut absent = self.checks.iter().map(|check| &check["absent"]);
        absent.any(|one| one["role"] == "submitter")
    }

    fn expects_no_cluster(&self) -> bool {
        let mut status = self.checks.iter().map(|check| &check["status"]);
        status.any(|one| one["value"] == "FailedToGetOrCreateRayCluster")
    }

    /// Whether the scenario expects what a check of a release does.
    fn shows(&self, release: &Version, check: OperatorCheck) -> bool {
        let field = OF_THE_API_SERVER.iter().find(|(one, _)| *one == check);
        self.refusals(release)
            .iter()
            .any(|refusal| match (field, refusal.reach) {
                (Some((_, field)), _) => {
                    refusal.stage == Stage::ApiServer
                        && refusal.path == *field
                        && self.expects("api", |message| message.starts_with(field))
                }
                _ if refusal.check != Some(check) => false,
                (None, Reach::Submitter) => self.expects_no_submitter(),
                (None, _) if OF_THE_LOG.contains(&check) => {
                    self.expects_no_submitter() || self.expects_no_cluster()
                }
                (None, _) => self.expects("operator", |message| refusal.message.contains(message)),
            })
    }
}

/// Checks without which no job is submitted, or the RayJob does not begin.
const OF_THE_SUBMITTER: [OperatorCheck; 6] = [
    OperatorCheck::ObjectStoreMemory,
    OperatorCheck::DashboardPort,
    OperatorCheck::MetadataVersion,
    OperatorCheck::MetadataOldRay,
    OperatorCheck::EntrypointWords,
    OperatorCheck::SelectorKey,
];

/// The first release that makes a check and reports it.
fn first(check: &CheckEntry) -> &'static Version {
    let mut releases = CLASSES.iter().map(|class| &class.since);
    let reports = |release: &Version| {
        let is_reported_later = check.until.is_none() || check.until > Some(EVENTS_SINCE);
        let is_shown_later = OF_THE_SUBMITTER.contains(&check.check);
        check.covers(release)
            && (!is_reported_later || *release >= EVENTS_SINCE)
            && (!is_shown_later || *release >= SUBMITS_SINCE)
    };
    releases.find(|release| reports(release)).unwrap()
}

#[test]
fn every_refusal_of_the_operator_is_shown_from_its_first_release_on() {
    let cases = cases();
    let shown = |check: &CheckEntry| {
        let release = first(check);
        cases.iter().any(|case| case.shows(release, check.check))
    };
    let left: Vec<&str> = checks()
        .iter()
        .filter(|check| !shown(check))
        .map(|check| check.name)
        .collect();
    let expected = [
        // It ends the operator's process, which other cases share.
        "metadata-with-selector",
        // Only 1.0 makes it, after a dashboard has answered.
        "submitter-runtime-env",
        // It ends the operator's process, too.
        "submitter-container",
    ];
    assert_eq!(left, expected, "no scenario expects these");
}

/// Why an object of a release has no Pods: its kind and the field.
fn without_pods(release: &Version, settings: &EffectiveSettings, object: &Value) -> Option<String> {
    let forecast = forecast_without_pods(release, settings, FieldValidation::Ignore, object);
    let field = forecast.ok()?.wait_reason?.path;
    Some(format!("{} {field}", object["kind"].as_str()?))
}

#[test]
fn every_state_without_pods_is_shown() {
    let mut shown = BTreeSet::new();
    for case in cases() {
        for class in &CLASSES {
            let operator = &case.scenario.operator;
            let objects = case
                .objects
                .iter()
                .filter(|_| operator.matches(&class.since));
            shown.extend(
                objects.filter_map(|object| without_pods(&class.since, &case.settings, object)),
            );
        }
    }
    let mut known = BTreeSet::new();
    for release in ["1.6.0", "1.7.0"].map(|release| release.parse().unwrap()) {
        for (index, own) in settings(&release).iter().enumerate() {
            let generator = ObjectGenerator::new(1, &release, 1, own);
            let own = own.of_contract().unwrap();
            let first = NUMBERS * index as u64;
            let objects = (first..first + 700).map(|number| {
                let plan = generator.generated(number).plan();
                plan.manifest("c", "n")
            });
            known.extend(objects.filter_map(|object| without_pods(&release, &own, &object)));
        }
    }
    known.insert("RayCronJob kind".to_owned());
    assert_eq!(shown, known);
}
