//! `explain` and `check` over all scenarios and over the operator's own samples.

mod load;
mod samples;
mod traps;

use kuberay_contract::served;
use kuberay_explain::{ExplainedRefusal, FieldValidation, MissingPods, explain_with};
use kuberay_manifest::{Source, yaml};
use semver::Version;

use load::{RELEASES, Scenario, scenarios};

/// RayJobs that never begin, of which only the operator's log tells; their scenarios show the state
/// that remains.
const NEVER_BEGIN: [&str; 2] = ["job-without-cluster", "selector-with-another-key"];

/// Real API servers and operators have taken these manifests, except where a scenario says that
/// they are refused.
#[test]
fn manifests_are_refused_where_their_scenario_says_so_and_nowhere_else() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        for release in RELEASES {
            let release: Version = release.parse().unwrap();
            if !scenario.operator.matches(&release) {
                continue;
            }
            let refusals = refusals(&scenario, &release);
            let never_begins = NEVER_BEGIN.contains(&scenario.name.as_str());
            // The API server writes the field before what it says of it.
            let said: Vec<String> = refusals
                .iter()
                .map(|one| format!("{}: {}", one.path, one.message))
                .collect();
            let expected = scenario.rejected.iter().all(|message| {
                let mut parts = message.split(", ");
                parts.all(|part| said.iter().any(|one| one.contains(part)))
            });
            // A submitter that does not come is all that is missing of some.
            let unexpected = refusals.iter().any(|one| {
                let is_expected = scenario.lacks_submitter && one.missing == MissingPods::Submitter;
                scenario.rejected.is_empty() && !is_expected
            });
            if !expected || unexpected != never_begins {
                wrong.push(format!("{} {release}: {said:?}", scenario.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Their only check is that no submitter comes, which holds for other reasons, too.
#[test]
fn jobs_that_are_never_submitted_are_refused_their_submitter() {
    const JOBS: [&str; 5] = [
        "entrypoint-that-can-not-be-split",
        "job-metadata-old-ray",
        "job-metadata-unreadable-version",
        "job-without-dashboard-port",
        "object-store-memory-above-the-request",
    ];
    let mut scenarios = scenarios();
    scenarios.retain(|one| JOBS.contains(&one.name.as_str()));
    assert_eq!(scenarios.len(), JOBS.len());
    for scenario in scenarios {
        let releases = RELEASES.map(|release| release.parse::<Version>().unwrap());
        for release in releases {
            if scenario.operator.matches(&release) {
                let refusals = refusals(&scenario, &release);
                let mut missing = refusals.iter().map(|one| one.missing);
                assert!(
                    missing.any(|one| one == MissingPods::Submitter),
                    "{} {release}: {refusals:?}",
                    scenario.name
                );
            }
        }
    }
}

/// What a release refuses of the manifests of a scenario.
fn refusals(scenario: &Scenario, release: &Version) -> Vec<ExplainedRefusal> {
    let mut refusals = Vec::new();
    for manifest in &scenario.manifests {
        let file = scenario.folder.join(manifest);
        let text = std::fs::read_to_string(&file).unwrap();
        let documents = yaml::parse(&Source::new(&file, &text)).unwrap();
        let mut served_here = documents
            .iter()
            .map(|document| served(release, &document.to_json()) == kuberay_contract::Served::Yes);
        if !served_here.any(|is_served| is_served) {
            continue;
        }
        let explanation = explain_with(
            &file,
            &text,
            std::slice::from_ref(release),
            &scenario.settings,
            FieldValidation::Strict,
        );
        refusals.extend(explanation.unwrap().refusals);
    }
    refusals
}
