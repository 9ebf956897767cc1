//! Runs in parts: shards whose reports become one, and runs that are ended and picked up.
//!
//! They use API servers.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use kuberay_conformance::report::{CaseResult, Outcome, RunResult};
use kuberay_conformance::runner::JournalEntry;
use rustix::process::Signal;

use crate::support::copies::replaced;
use crate::support::exclusive;
use crate::support::processes::signal;
use crate::support::running::{PATIENCE, Running};
use crate::support::sandbox::{Sandbox, ended, text};

const RELEASES: &str = "1.3.2,1.5.1,1.6.2";

/// Four scenarios: two pass, one is not for every release, and one fails on some.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new("envtest");
    sandbox.scenario("command-and-args-joined", "joined", |_, text| text);
    sandbox.scenario("default-command", "plain", |_, text| text);
    sandbox.scenario("default-command", "newer", |file, text| match file {
        "scenario.yaml" => replaced(&text, r#"operator: ">=1.0.0""#, r#"operator: ">=1.4.0""#),
        _ => text,
    });
    sandbox.scenario("default-command", "wrong", |file, text| match file {
        "head.command@ge-1.4.0.snap" => replaced(&text, "/bin/bash", "/bin/other"),
        _ => text,
    });
    sandbox
}

/// A result without what differs from run to run: ids, times, namespaces, and the last part of
/// names of Pods.
fn steady(mut run: RunResult) -> RunResult {
    run.run_id.clear();
    run.started.clear();
    run.duration_seconds = 0.0;
    run.command = None;
    run.phases.clear();
    run.environment
        .images
        .sort_by(|one, other| one.name.cmp(&other.name));
    for case in &mut run.cases {
        case.duration_seconds = 0.0;
        case.applied = None;
        case.slot = None;
        case.milestones.clear();
        let namespace = case.namespace.take();
        let texts = case.checks.iter_mut().flat_map(|check| {
            check.seconds = 0.0;
            let quotes = [&mut check.expected, &mut check.found, &mut check.diff];
            std::iter::once(&mut check.message).chain(quotes.into_iter().flatten())
        });
        for text in texts.chain(case.reason.iter_mut()) {
            if let Some(namespace) = &namespace {
                *text = text.replace(namespace, "NAMESPACE");
            }
            *text = without_pod_names(text);
        }
    }
    run
}

/// `head Pod plain-head-x7k2p: …` without the five letters that Kubernetes gives it.
fn without_pod_names(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches(':');
        match bare.rsplit_once('-') {
            Some((name, last))
                if last.len() == 5 && (name.contains("-head") || name.contains("-worker")) =>
            {
                word.replace(bare, name)
            }
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
#[ignore = "needs envtest"]
fn the_merged_report_of_three_shards_is_that_of_one_run_and_says_what_is_missing() {
    let _exclusive = exclusive();
    let sandbox = sandbox();
    let whole = sandbox.run("whole", &["--operator", RELEASES]);
    assert_eq!(whole.status.code(), Some(1), "{}", text(&whole));
    let whole = sandbox.results("whole");
    assert_eq!(
        ended(&whole).join("\n").matches("FAIL").count(),
        2,
        "1.5.1 and 1.6.2: {:?}",
        ended(&whole)
    );
    assert_eq!(whole.planned.len(), 11, "one is left out");
    assert_eq!(whole.cases.len(), 12, "one is left out");
    for shard in 1..=3 {
        let which = format!("{shard}/3");
        let ran = sandbox.run(
            &format!("part-{shard}"),
            &["--operator", RELEASES, "--shard", &which],
        );
        assert!(
            text(&ran).contains(&format!("shard {which} of a plan of 11 cases")),
            "{}",
            text(&ran)
        );
        let part = sandbox.results(&format!("part-{shard}"));
        let releases: Vec<&String> = part.planned.iter().collect();
        assert_eq!(releases.len(), 11, "each shard knows the whole plan");
        let judged = part
            .cases
            .iter()
            .filter(|case| case.outcome != Outcome::Skipped);
        assert!(
            (3..=4).contains(&judged.count()),
            "a release: {:?}",
            ended(&part)
        );
    }

    let merged = sandbox.merge(&["part-1", "part-2/results.json", "part-3"], "merged");
    assert_eq!(merged.status.code(), Some(1), "{}", text(&merged));
    let result = sandbox.results("merged");
    assert_eq!(ended(&result), ended(&whole));
    let (one, other) = (steady(result.clone()), steady(whole));
    for (one, other) in one.cases.iter().zip(&other.cases) {
        assert_eq!(one, other);
    }
    assert_eq!(one, other);
    let failed: Vec<&CaseResult> = result
        .cases
        .iter()
        .filter(|case| case.evidence.is_some())
        .collect();
    assert_eq!(failed.len(), 2);
    for case in failed {
        let evidence = sandbox.path("merged").join(case.evidence.as_ref().unwrap());
        assert!(
            std::fs::read_dir(&evidence).unwrap().count() > 0,
            "{}",
            evidence.display()
        );
    }

    let merged = sandbox.merge(&["part-1", "part-3"], "two");
    let said = text(&merged);
    assert_eq!(merged.status.code(), Some(3), "{said}");
    assert!(
        said.contains("4 of 11 planned cases are missing; there are no results of shard 2/3"),
        "{said}"
    );
    let two = sandbox.results("two");
    assert_eq!(two.missing.len(), 4);
    assert!(
        two.missing
            .iter()
            .all(|id| id.starts_with("envtest::1.5.1::")),
        "{:?}",
        two.missing
    );

    a_killed_shard_is_missing(&sandbox);
    results_of_other_plans_are_refused(&sandbox);
}

fn a_killed_shard_is_missing(sandbox: &Sandbox) {
    let command = sandbox.command("killed", &["--operator", RELEASES, "--shard", "2/3"]);
    let mut running = Running::start(command);
    running.until("applying to the namespace");
    signal(running.id(), Signal::KILL);
    assert_eq!(running.end().0.code(), None, "it was killed");
    let merged = sandbox.merge(&["part-1", "killed", "part-3"], "without");
    let said = text(&merged);
    assert_eq!(merged.status.code(), Some(3), "{said}");
    assert!(
        said.contains("shard 2/3 did not complete: it had not ended when this was written"),
        "{said}"
    );
    assert!(said.contains("4 of 11 planned cases are missing"), "{said}");
}

fn results_of_other_plans_are_refused(sandbox: &Sandbox) {
    let other = sandbox.run(
        "other",
        &["--operator", RELEASES, "--shard", "2/3", "plain"],
    );
    assert_eq!(other.status.code(), Some(0), "{}", text(&other));
    let merged = sandbox.merge(&["part-1", "other"], "refused");
    let said = text(&merged);
    assert_eq!(merged.status.code(), Some(2), "{said}");
    assert!(said.contains("are results of different plans"), "{said}");
    assert!(!sandbox.path("refused").exists());
}

#[test]
#[ignore = "needs envtest"]
fn a_run_of_one_scenario_of_a_rule_calls_the_rule_partial() {
    let _exclusive = exclusive();
    let sandbox = sandbox();
    let ran = sandbox.run(
        "output",
        &["--operator", "1.3.2,1.6.2", "--rule", "C01", "plain"],
    );
    let said = text(&ran);
    assert_eq!(ran.status.code(), Some(0), "{said}");
    // `newer` is not for 1.3.2.
    for (release, share) in [("1.3.2", "C01 1 of 2"), ("1.6.2", "C01 1 of 3")] {
        let line = format!("rules on {release}/2.52.0: 0 proven, 1 partial ({share})");
        assert!(said.contains(&line), "{line} is missing in {said}");
    }
}

/// A matrix of machines must not fail because it is larger than the plan.
#[test]
#[ignore = "needs envtest"]
fn a_shard_without_cases_is_no_failure() {
    let sandbox = sandbox();
    let ran = sandbox.run("empty", &["--operator", RELEASES, "--shard", "4/4"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
    assert!(
        text(&ran).contains("shard 4/4: 0 of 11 cases"),
        "{}",
        text(&ran)
    );
    let result = sandbox.results("empty");
    assert_eq!(result.planned.len(), 11);
    assert_eq!(result.interrupted, None);
}

#[test]
#[ignore = "needs envtest"]
fn evidence_of_an_earlier_run_does_not_survive_the_next_one() {
    let _exclusive = exclusive();
    let sandbox = sandbox();
    let arguments = ["--operator", "1.6.2", "plain", "wrong"];
    let first = sandbox.run("output", &arguments);
    assert_eq!(first.status.code(), Some(1), "{}", text(&first));
    let evidence = |name: &str| {
        let cases = sandbox.results("output").cases;
        let case = cases
            .into_iter()
            .find(|case| case.scenario == name)
            .unwrap();
        case.evidence
            .map(|folder| sandbox.path("output").join(folder))
    };
    let before = evidence("wrong").unwrap();
    std::fs::write(before.join("of-the-first-run"), "").unwrap();
    std::fs::write(sandbox.path("output/evidence/notes.txt"), "not ours").unwrap();
    let second = sandbox.run("output", &arguments);
    assert_eq!(second.status.code(), Some(1), "{}", text(&second));
    assert_eq!(evidence("wrong").as_ref(), Some(&before));
    assert!(before.is_dir());
    assert!(!before.join("of-the-first-run").exists());

    // Of a case that the next run does not have nothing stays, either.
    let third = sandbox.run("output", &arguments[..3]);
    assert_eq!(third.status.code(), Some(0), "{}", text(&third));
    assert!(!before.exists());
    assert!(
        sandbox.path("output/evidence/notes.txt").is_file(),
        "what is not ours stays"
    );
}

/// Adds a scenario that waits for a worker that its manifest does not ask for, or one that finds
/// what it waits for.
fn scenario_that_waits(sandbox: &Sandbox, finds: bool) {
    sandbox.scenario("default-command", "waits", |file, text| {
        let text = match (file, finds) {
            ("raycluster.yaml", false) => replaced(&text, "replicas: 1", "replicas: 0"),
            _ => text,
        };
        if file == "scenario.yaml" {
            replaced(&text, "timeout: 1m", "timeout: 10m")
        } else {
            text
        }
    });
}

fn journal(sandbox: &Sandbox, output: &str) -> Vec<JournalEntry> {
    let text =
        std::fs::read_to_string(sandbox.path(output).join("journal.jsonl")).unwrap_or_default();
    let lines = text.lines().skip(1);
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[test]
#[ignore = "needs envtest"]
fn a_run_that_was_killed_is_picked_up_and_what_passed_does_not_run_again() {
    let _exclusive = exclusive();
    let sandbox = sandbox();
    std::fs::remove_dir_all(sandbox.path("scenarios/newer")).unwrap();
    scenario_that_waits(&sandbox, false);
    let arguments = ["--operator", "1.6.2"];
    let running = Running::start(sandbox.command("output", &arguments));
    let started = Instant::now();
    while journal(&sandbox, "output").len() < 3 {
        assert!(
            started.elapsed() < PATIENCE,
            "three cases end: {:?}",
            journal(&sandbox, "output")
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    signal(running.id(), Signal::KILL);
    assert_eq!(running.end().0.code(), None, "it was killed");
    let told = sandbox.results("output").interrupted.unwrap();
    assert!(
        told.contains("it had not ended when this was written"),
        "{told}"
    );
    let before: BTreeMap<String, CaseResult> = journal(&sandbox, "output")
        .into_iter()
        .map(|entry| (entry.result.scenario.clone(), entry.result))
        .collect();
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        ["joined", "plain", "wrong"]
    );
    assert_eq!(before["wrong"].outcome, Outcome::Failed);

    // One is changed since it passed, the others are as they were.
    let changed = sandbox.path("scenarios/joined/scenario.yaml");
    let text_before = std::fs::read_to_string(&changed).unwrap();
    std::fs::write(&changed, text_before + "# changed\n").unwrap();
    scenario_that_waits(&sandbox, true);
    let other = sandbox.run("output", &["--operator", "1.6.2", "--resume", "plain"]);
    assert_eq!(other.status.code(), Some(2), "{}", text(&other));
    assert!(
        text(&other).contains("run without --resume, which begins anew"),
        "{}",
        text(&other)
    );

    let resumed = sandbox.run("output", &[&arguments[..], &["--resume"]].concat());
    let said = text(&resumed);
    assert_eq!(
        resumed.status.code(),
        Some(1),
        "`wrong` still fails: {said}"
    );
    assert!(
        said.contains("1 case passed before, in a run that this one picked up"),
        "{said}"
    );
    let result = sandbox.results("output");
    assert_eq!(result.interrupted, None);
    let words: Vec<(&str, &str, bool)> = result
        .cases
        .iter()
        .map(|case| (case.scenario.as_str(), case.outcome.word(), case.resumed))
        .collect();
    assert_eq!(
        words,
        [
            ("joined", "PASS", false),
            ("plain", "PASS", true),
            ("waits", "PASS", false),
            ("wrong", "FAIL", false)
        ]
    );
    // A case that runs has a namespace of its run's own, and is told of.
    for case in &result.cases {
        let applied = said.contains(&format!("] {}: applying to the namespace", case.scenario));
        let is_new = before
            .get(&case.scenario)
            .is_none_or(|before| before.namespace != case.namespace);
        assert_eq!(applied, !case.resumed, "{}: {said}", case.id);
        assert_eq!(is_new, !case.resumed, "{}: {said}", case.id);
    }
    let plain = result
        .cases
        .iter()
        .find(|case| case.scenario == "plain")
        .unwrap();
    let as_it_was = CaseResult {
        resumed: false,
        ..plain.clone()
    };
    assert_eq!(as_it_was, before["plain"]);
    let noted = journal(&sandbox, "output")
        .into_iter()
        .map(|entry| entry.result.scenario);
    let noted: Vec<String> = noted.collect();
    let times = |name: &str| noted.iter().filter(|one| *one == name).count();
    assert_eq!(times("plain"), 1);
    assert_eq!(times("joined"), 2);
    assert_eq!(times("waits"), 1);
    assert_eq!(times("wrong"), 2);

    // Once all has passed, nothing is started any more.
    std::fs::remove_dir_all(sandbox.path("scenarios/wrong")).unwrap();
    let all = sandbox.run("all", &arguments);
    assert_eq!(all.status.code(), Some(0), "{}", text(&all));
    let again = sandbox.run("all", &[&arguments[..], &["--resume"]].concat());
    let said = text(&again);
    assert_eq!(again.status.code(), Some(0), "{said}");
    assert!(!said.contains("API server"), "{said}");
    let resumed: Vec<bool> = sandbox
        .results("all")
        .cases
        .iter()
        .map(|case| case.resumed)
        .collect();
    assert_eq!(resumed, [true; 3], "{said}");
    assert!(Path::new(&sandbox.path("all/junit.xml")).is_file());
}
