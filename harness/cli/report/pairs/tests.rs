use assertables::assert_contains;
use rstest::rstest;

use std::path::Path;

use super::*;
use crate::artifact::Pins;
use crate::report::example;
use crate::scenario::load_all;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn scenarios() -> Vec<Arc<Scenario>> {
    load_all(&root().join("scenarios")).unwrap()
}

fn pair(text: &str) -> Pair {
    text.parse().unwrap()
}

/// A run in which `before-ray-start` passed on a pair, with these checks.
fn run(pair: &Pair, checks: &[(&str, &str, Option<&str>)]) -> RunResult {
    let mut run = example::run();
    let mut case = run.cases.swap_remove(0);
    case.id = format!("kind::{}::{}::before-ray-start", pair.operator, pair.ray);
    case.outcome = Outcome::Passed;
    let example = case.checks.swap_remove(0);
    case.checks = checks
        .iter()
        .map(|(name, message, found)| CheckResult {
            source: None,
            name: (*name).into(),
            message: (*message).into(),
            found: found.map(str::to_owned),
            ..example.clone()
        })
        .collect();
    run.cases = vec![case];
    run
}

#[test]
fn what_is_alike_stands_once_and_what_differs_twice() {
    let (new, old) = (pair("1.6.2/2.52.0"), pair("1.0.0/2.7.0"));
    let ray = (
        "ray 1 node",
        "Ray lists the head alive and no other node",
        None,
    );
    let runs = [
        run(&new, &[("pod head command", "", Some("- \"-c\"")), ray]),
        run(&old, &[("pod head command", "", Some("- \"-lc\"")), ray]),
    ];
    let page = render_pairs(&scenarios(), &[new, old], &runs);
    assert!(
        page.contains(
            "| [`before-ray-start`](#before-ray-start) | seen | seen | `pod head command` |"
        ),
        "{page}"
    );
    for row in [
        "| `pod head command` | 1.6.2/2.52.0 | `- \"-c\"` |\n|  | 1.0.0/2.7.0 | `- \"-lc\"` |\n",
        "| `ray 1 node` | all of these | Ray lists the head alive and no other node |\n",
    ] {
        assert!(page.contains(row), "{row} in {page}");
    }
    assert!(
        page.contains(
            "| [`ready-before-ray`](#ready-before-ray) | needs a KubeRay operator &gt;=1.0.0, &lt;1.1.0 | not run |"
        ),
        "{page}"
    );
}

#[test]
fn a_line_that_only_may_come_is_no_difference() {
    let (new, old) = (pair("1.6.2/2.52.0"), pair("1.0.0/2.7.0"));
    let logs = |pair: &Pair, found| {
        let mut run = run(pair, &[("logs head", "", Some(found))]);
        run.cases[0].checks[0].expected =
            Some("may (repeat): INFO: waiting\nmust: Connected".into());
        run
    };
    let runs = [
        logs(&new, "    1 | INFO: waiting\n    2 | Connected"),
        logs(&old, "    7 | Connected"),
    ];
    let page = render_pairs(&scenarios(), &[new, old], &runs);
    assert!(
        page.contains("| `logs head` | all of these | `Connected` |"),
        "{page}"
    );
}

#[test]
fn a_failure_is_told_and_a_later_run_counts() {
    let pair = pair("1.6.2/2.52.0");
    let passed = run(&pair, &[]);
    let mut failed = passed.clone();
    failed.cases[0].outcome = Outcome::Failed;
    failed.cases[0].reason = Some("ray 1 node: no answer".into());
    let page = |runs: &[RunResult]| render_pairs(&scenarios(), std::slice::from_ref(&pair), runs);
    assert_contains!(
        page(&[passed.clone(), failed.clone()]),
        "| **FAIL**: ray 1 node: no answer |"
    );
    assert_contains!(
        page(&[failed, passed]),
        "| [`before-ray-start`](#before-ray-start) | seen |"
    );
}

#[rstest]
#[case(
    "   12 | 2026-11-25 02:29:03,034\tINFO scripts.py:736 -- Local node IP: 10.244.0.5",
    "INFO Local node IP: <pod-ip>"
)]
#[case(
    "2026-11-25 19:29:27,380 - INFO - Adding 1 node(s)",
    "INFO - Adding 1 node(s)"
)]
#[case("    1 | 123 456", "123 456")]
#[case(
    "container ray-head of Pod a-head-x9k2z exited 3 instead of 0",
    "container ray-head of Pod exited 3 instead of 0"
)]
#[case(
    "no container of the head Pod restarted for 10s",
    "no container of the head Pod restarted for 10s"
)]
#[case(
    "`ready` was reached 29.2 s before `rayReady`",
    "`ready` was reached before `rayReady`"
)]
#[case("{'memory': 2147483648.0, 'CPU': 1.0}", "{'CPU': 1.0, 'memory': …}")]
fn what_differs_from_run_to_run_is_left_out(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(steady(text), expected);
}

/// The page comes from a run on kind, which a unit test does not have. The page must have every
/// scenario on every pair, and nothing else.
#[test]
fn the_committed_page_has_a_row_for_every_scenario() {
    let committed =
        std::fs::read_to_string(root().join("docs/reference/pairs.md")).unwrap_or_default();
    let pairs = Pins::embedded().pairs;
    // A page of a run in which all cases passed.
    let scenarios = scenarios();
    let kind =
        |scenario: &&Arc<Scenario>| scenario.file.spec.placement().target == TargetKind::Kind;
    let mut expected = example::run();
    let template = expected.cases.swap_remove(0);
    expected.cases = pairs
        .iter()
        .flat_map(|pair| {
            let cases = scenarios.iter().filter(kind).map(|scenario| CaseResult {
                id: TestCase::of(scenario, TargetKind::Kind, pair).id(),
                outcome: Outcome::Passed,
                checks: Vec::new(),
                ..template.clone()
            });
            cases.collect::<Vec<_>>()
        })
        .collect();
    let complete = render_pairs(&scenarios, &pairs, &[expected]);
    let rows = |page: &str| -> BTreeSet<String> {
        let rows = page.lines().filter(|line| line.starts_with("| [`"));
        // What pairs differ in, the last column, only a run tells.
        let daemon = rows.filter_map(|row| {
            row.trim_end_matches(" |")
                .rsplit_once(" | ")
                .map(|(row, _)| row.to_owned())
        });
        daemon.collect()
    };
    let (found, wanted) = (rows(&committed), rows(&complete));
    let missing: Vec<_> = wanted.difference(&found).collect();
    let others: Vec<_> = found.difference(&wanted).collect();
    assert!(
        missing.is_empty(),
        "docs/reference/pairs.md is not of these scenarios and pairs; run them (`kuberay-conformance run --target kind --pair all`), \
         then write it anew with `kuberay-conformance docs pairs > docs/reference/pairs.md` and commit it\nmissing: {missing:#?}\n\
         not expected: {others:#?}"
    );
    assert!(
        others.is_empty(),
        "docs/reference/pairs.md is not of these scenarios and pairs; run them (`kuberay-conformance run --target kind --pair all`), \
         then write it anew with `kuberay-conformance docs pairs > docs/reference/pairs.md` and commit it\nmissing: {missing:#?}\n\
         not expected: {others:#?}"
    );
    for pair in &pairs {
        assert!(committed.contains(&title(pair)), "{pair}");
    }
}

#[test]
fn the_namespace_of_a_case_is_no_difference() {
    let check = CheckResult {
        source: None,
        name: "logs worker".into(),
        found: Some("worker of a-svc.kc-1125-192823-2f97-37-a.svc.cluster.local:6379".into()),
        ..example::run().cases[0].checks[0].clone()
    };
    assert_eq!(
        seen(&check, Some("kc-1125-192823-2f97-37-a")),
        "`worker of a-svc.<namespace>.svc.cluster.local:6379`"
    );
}
