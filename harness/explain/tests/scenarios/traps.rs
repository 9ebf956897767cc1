//! Measures the traps: which ones each scenario's manifests hold, and which ones `check` reports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kuberay_contract::FieldValidation;
use kuberay_explain::TRAPS;
use kuberay_explain::check::{Options, check};
use kuberay_manifest::{Source, yaml};
use semver::{Version, VersionReq};

use crate::load::{RELEASES, Scenario, scenarios};

/// The releases for which a trap is expected, by scenario and trap.
type Expected = BTreeMap<String, BTreeMap<String, VersionReq>>;

fn expected() -> Expected {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/expected.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let document = &yaml::parse(&Source::new(&path, &text)).unwrap()[0];
    let texts: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_value(document.to_json()).unwrap();
    let requirement = |(trap, text): (String, String)| (trap, text.parse().unwrap());
    let scenario = |(name, traps): (String, BTreeMap<String, String>)| {
        (name, traps.into_iter().map(requirement).collect())
    };
    texts.into_iter().map(scenario).collect()
}

/// The traps that `check` reports for a scenario, each with its releases, as a client that asks for
/// no validation meets them.
fn reported(scenario: &Scenario, releases: &[Version]) -> BTreeMap<String, BTreeSet<Version>> {
    let texts = scenario.manifests.iter().map(|name| {
        let text = std::fs::read_to_string(scenario.folder.join(name)).unwrap();
        (name, text)
    });
    let texts: Vec<(&String, String)> = texts.collect();
    let sources: Vec<Source> = texts
        .iter()
        .map(|(name, text)| Source::new(Path::new(name), text))
        .collect();
    let options = Options {
        settings: scenario.settings.clone(),
        validation: FieldValidation::Ignore,
        select: TRAPS.iter().map(|trap| trap.id.to_owned()).collect(),
        ..Options::new(releases.to_vec())
    };
    let mut all: BTreeMap<String, BTreeSet<Version>> = BTreeMap::new();
    for finding in check(&sources, &options).unwrap().findings {
        all.entry(finding.id).or_default().extend(finding.operators);
    }
    all
}

/// How often a trap was expected and reported, on one release of one scenario each.
#[derive(Default)]
struct Count {
    scenarios: BTreeSet<String>,
    hits: usize,
    misses: usize,
    false_alarms: usize,
}

#[test]
fn traps_are_reported_where_scenarios_hold_them_and_nowhere_else() {
    let expected = expected();
    let scenarios = scenarios();
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut runs = 0;
    for name in expected.keys() {
        assert!(
            scenarios.iter().any(|one| one.name == *name),
            "no scenario {name}"
        );
    }
    let none = BTreeMap::new();
    for scenario in &scenarios {
        let traps = expected.get(&scenario.name).unwrap_or(&none);
        let releases = RELEASES.map(|release| release.parse::<Version>().unwrap());
        let releases: Vec<Version> = releases
            .into_iter()
            .filter(|release| scenario.operator.matches(release))
            .collect();
        runs += releases.len();
        let found = reported(scenario, &releases);
        for trap in TRAPS {
            let count = counts.entry(trap.id).or_default();
            for release in &releases {
                let due = traps.get(trap.id).is_some_and(|on| on.matches(release));
                let told = found.get(trap.id).is_some_and(|on| on.contains(release));
                match (due, told) {
                    (true, true) => count.hits += 1,
                    (true, false) => count.misses += 1,
                    (false, true) => count.false_alarms += 1,
                    (false, false) => continue,
                }
                count.scenarios.insert(scenario.name.clone());
                if due != told {
                    let what = if due { "missed" } else { "a false alarm" };
                    wrong.push(format!("{} {release}: {} {what}", scenario.name, trap.id));
                }
            }
        }
        for trap in traps.keys() {
            assert!(TRAPS.iter().any(|one| one.id == trap), "no trap {trap}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    compare_page(&page(&counts, scenarios.len(), runs));
}

fn page(counts: &BTreeMap<&str, Count>, scenarios: usize, runs: usize) -> String {
    let mut text = format!(
        "# Trap detection results\n\n<!-- Written by `UPDATE_DOCS=1 cargo test --test scenarios`. -->\n\n`check` reads the manifests of all {scenarios} scenarios for each of {} releases of \
         KubeRay that a scenario\nruns on, {runs} runs in all. \
         [expected.yaml](../../harness/explain/tests/scenarios/expected.yaml) lists the\nexpected traps. \
         A hit is an expected trap that `check` reports, a miss an expected trap that it\ndoes not report, and a \
         false alarm any other trap that it reports. A test writes this page, and fails\non a miss or a false alarm. \
         Traps without a scenario have only their examples and unit tests.\n\n\
         | trap | severity | scenarios | hits | misses | false alarms |\n|---|---|---|---|---|---|\n",
        RELEASES.len()
    );
    let mut sums = [0; 3];
    for trap in TRAPS {
        let severity = trap.severity.word();
        let none = Count::default();
        let count = counts.get(trap.id).unwrap_or(&none);
        let numbers = [count.hits, count.misses, count.false_alarms];
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number;
        }
        text += &format!(
            "| [`{0}`](traps/{0}.md) | {severity} | {1} | {2} | {3} | {4} |\n",
            trap.id,
            count.scenarios.len(),
            numbers[0],
            numbers[1],
            numbers[2]
        );
    }
    let [hits, misses, alarms] = sums;
    text + &format!("| all | | | {hits} | {misses} | {alarms} |\n")
}

fn compare_page(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/traps-measured.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/traps-measured.md is outdated; write it with UPDATE_DOCS=1:\n{page}"
    );
}
