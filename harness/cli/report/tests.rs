use std::path::Path;

use assertables::{assert_contains, assert_not_contains};
use rstest::rstest;
use serde_json::Value;

use super::{
    CaseResult, Outcome, RunResult, Strictness, Totals, example, github, render_markdown,
    render_text, results_schema, write_all,
};
use crate::exit;
use crate::scenario::Level;

mod documents;
mod hostile;
mod mutated;
mod release;
mod workflows;

fn only(keep: impl Fn(Outcome, Level) -> bool) -> RunResult {
    let mut run = example::run();
    run.cases.retain(|case| keep(case.outcome, case.level));
    run
}

fn written(run: &RunResult, file: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("made/when/absent");
    write_all(run, &output).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(&output)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["index.html", "junit.xml", "results.json", "summary.md"],
        "no temporary file stays"
    );
    std::fs::read_to_string(output.join(file)).unwrap()
}

#[test]
fn text_of_a_mixed_run() {
    insta::assert_snapshot!(render_text(&example::run(), false));
}

#[test]
fn text_is_quiet_when_all_passed() {
    insta::assert_snapshot!(render_text(
        &only(|outcome, _| outcome == Outcome::Passed),
        false
    ));
}

#[test]
fn text_of_an_interrupted_run() {
    let mut run = only(|outcome, _| outcome == Outcome::Passed);
    run.interrupted = Some("Ctrl-C".into());
    insta::assert_snapshot!(render_text(&run, false));
}

#[test]
fn every_report_tells_of_shards_and_of_what_passed_before() {
    let mut run = only(|outcome, _| outcome == Outcome::Passed);
    let files = ["junit.xml", "summary.md", "index.html"];
    let texts = |run: &RunResult| {
        files
            .map(|file| written(run, file))
            .into_iter()
            .chain([render_text(run, false)])
    };
    for text in texts(&run) {
        assert!(!text.contains("shard"), "{text}");
        assert!(!text.contains("resumed"), "{text}");
        assert!(!text.contains("(before)"), "{text}");
    }
    run.shard = Some("2/3".parse().unwrap());
    run.cases[0].resumed = true;
    let expected = [
        [
            r#"name="shard" value="2/3""#,
            r#"name="resumed" value="true""#,
        ],
        ["shard 2/3", "PASS (before)"],
        ["shard 2&#x2f;3", "PASS</span> (before)"],
        ["shard 2/3", "1 case passed before"],
    ];
    for (text, parts) in texts(&run).zip(expected) {
        for part in parts {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }
}

#[test]
fn colour_only_adds_colour_codes() {
    let run = example::run();
    let coloured = render_text(&run, true);
    assert_contains!(coloured, "\x1b[31m");
    assert_eq!(super::text::clean(&coloured), render_text(&run, false));
}

#[test]
fn markdown_of_a_mixed_run() {
    insta::assert_snapshot!(render_markdown(&example::run()));
}

#[rstest]
#[case::heading("# 2 passed", "\\# 2 passed")]
#[case::deep_heading("###### 2 passed", "\\###### 2 passed")]
#[case::item("- 2 passed", "\\- 2 passed")]
#[case::item_with_plus("+ 2 passed", "\\+ 2 passed")]
#[case::numbered("1. passed", "1\\. passed")]
#[case::numbered_with_bracket("12) passed", "12\\) passed")]
#[case::line("-----", "\\-----")]
#[case::underline("=====", "\\=====")]
#[case::quote("> passed", "&gt; passed")]
#[case::fence("~~~", "\\~\\~\\~")]
#[case::indented_code("     passed", "passed")]
#[case::behind_spaces("  # passed", "\\# passed")]
#[case::a_number("12 passed", "12 passed")]
#[case::a_release("1.6.2 passed", "1.6.2 passed")]
#[case::a_flag("--block passed", "--block passed")]
#[case::a_letter("ä# passed", "ä# passed")]
fn a_reason_is_plain_text_in_the_summary_whatever_it_begins_with(
    #[case] reason: &str,
    #[case] expected: &str,
) {
    let mut run = only(|outcome, _| outcome == Outcome::Error);
    run.cases[0].reason = Some(reason.into());
    let text = render_markdown(&run);
    let section = text.split("## Failures").nth(1).unwrap();
    assert!(section.lines().any(|line| line == expected), "{section}");
}

#[test]
fn junit_of_a_mixed_run() {
    let mut run = example::run();
    run.interrupted = Some("Ctrl-C".into());
    insta::assert_snapshot!(written(&run, "junit.xml"));
}

#[test]
fn junit_is_valid_whatever_a_cluster_writes() {
    let mut run = example::run();
    let nasty: String = (0..0x300)
        .chain(0xfff0..0x1_0010)
        .filter_map(char::from_u32)
        .collect();
    let case = &mut run.cases[1];
    case.reason = Some(nasty.clone());
    case.checks[0].message.clone_from(&nasty);
    case.checks[0].diff = Some(format!("{nasty}]]>\x1b[31m"));
    let xml = written(&run, "junit.xml");
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(xml.chars().find(|&c| !allowed(c)), None);
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!(report.tests, 6);
    assert_eq!(report.failures, 2);
    assert_eq!(report.errors, 1);
    assert_eq!(report.skipped, 1);
}

#[test]
fn results_are_read_back_as_they_were() {
    let run = example::run();
    let read: RunResult = serde_json::from_str(&written(&run, "results.json")).unwrap();
    assert_eq!(read, run);
}

#[test]
fn html_is_escaped_and_stands_alone() {
    let html = written(&example::run(), "index.html");
    assert!(html.contains("&lt;b&gt;::add-path::"), "{html}");
    for absent in [
        "<link", "<img", "src=", "url(", "@import", "http:", "https:", "<b>", "\x1b", "\0",
    ] {
        assert!(!html.contains(absent), "{absent} in the page");
    }
    assert_eq!(html.matches("<script").count(), 1);
    let links = html.split("href=\"").skip(1);
    for link in links.filter(|link| !link.starts_with('#')) {
        let link = link.split('"').next().unwrap().replace("&#x2f;", "/");
        // Evidence beside the page; the page is not below the folder of the scenarios.
        assert!(link.starts_with("evidence/kind-1.6.2-"), "{link}");
    }
    for text in [
        "2 passed (1 flaky), 2 failed (1 provisional), 1 skipped, 1 error",
        "sha256:0f3a",
        "C14",
    ] {
        assert!(html.contains(text), "{text} is missing");
    }
}

#[test]
fn no_control_character_reaches_the_page() {
    let mut run = example::run();
    let case = &mut run.cases[0];
    case.operator = "1.6.2\u{1b}[31m\0".into();
    case.operator_settings
        .insert("NAME\u{1b}[31m\0".into(), "value\u{1b}[31m\0".into());
    let html = written(&run, "index.html");
    let found = html.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(found, None, "{html}");
}

#[test]
fn html_of_a_run_without_anything() {
    let mut run = only(|_, _| false);
    run.phases.clear();
    run.environment = super::Environment::default();
    assert_contains!(written(&run, "index.html"), "0 passed, 0 failed, 0 skipped");
}

#[test]
fn a_report_that_cannot_be_written_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = write_all(&example::run(), &folder.path().join("file"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("/file failed"), "{error}");
}

#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/results.schema.json");
    let schema = results_schema().unwrap();
    if std::env::var_os("UPDATE_SCHEMAS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema,
        "docs/schema/results.schema.json is old; UPDATE_SCHEMAS=1 cargo test rewrites it"
    );
}

#[test]
fn an_example_fits_the_schema_and_a_changed_one_does_not() {
    let schema: Value = serde_json::from_str(&results_schema().unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut results: Value =
        serde_json::from_str(&written(&example::run(), "results.json")).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&results)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
    results["cases"][0]["outcome"] = "perhaps".into();
    assert!(!validator.is_valid(&results));
    results["cases"][0]["outcome"] = "passed".into();
    results["version"] = "something/else".into();
    assert!(!validator.is_valid(&results));
}

#[rstest]
#[case::all_pass(&|outcome, _| outcome == Outcome::Passed, false, 0)]
#[case::skipped_too(&|outcome, _| matches!(outcome, Outcome::Passed | Outcome::Skipped), false, 0)]
#[case::one_failed(&|outcome, _| outcome != Outcome::Error, false, 1)]
#[case::provisional(&|outcome, level| outcome == Outcome::Passed || level == Level::Provisional, false, 0)]
#[case::provisional_strict(&|outcome, level| outcome == Outcome::Passed || level == Level::Provisional, true, 1)]
#[case::flaky(&|outcome, _| matches!(outcome, Outcome::Passed | Outcome::Flaky), false, 0)]
#[case::flaky_strict(&|outcome, _| matches!(outcome, Outcome::Passed | Outcome::Flaky), true, 1)]
#[case::environment(&|_, _| true, false, 3)]
fn exit_codes(
    #[case] keep: &dyn Fn(Outcome, Level) -> bool,
    #[case] strict: bool,
    #[case] expected: u8,
) {
    let strictness = Strictness {
        provisional: strict,
        flaky: strict,
        no_capacity: strict,
        unavailable: strict,
    };
    assert_eq!(exit::of_run(&only(keep), strictness), expected);
}

#[test]
fn a_run_with_new_snapshots_exits_1_and_every_report_says_new() {
    let mut run = only(|outcome, _| outcome == Outcome::Passed);
    assert_eq!(exit::of_run(&run, Strictness::default()), 0);
    run.cases[0].outcome = Outcome::New;
    run.cases[0].checks[0].outcome = Outcome::New;
    run.cases[0].reason = Some("1 check has new snapshots".into());
    assert_eq!(exit::of_run(&run, Strictness::default()), 1);
    assert_contains!(render_text(&run, false), "NEW");
    for file in ["junit.xml", "summary.md", "index.html"] {
        assert!(written(&run, file).to_lowercase().contains("new"), "{file}");
    }
}

/// Marks the skipped case, and says what a strict run counts then.
type Marks = fn(&mut CaseResult) -> Strictness;

#[rstest]
#[case::too_small(
    |case: &mut CaseResult| {
        case.no_capacity = true;
        Strictness { no_capacity: true, ..Strictness::default() }
    },
    "1 skipped (1 for lack of capacity)"
)]
#[case::not_available(
    |case: &mut CaseResult| {
        case.unavailable = true;
        Strictness { unavailable: true, ..Strictness::default() }
    },
    "1 skipped (1 of a release that is not available)"
)]
fn a_case_that_could_not_run_fails_a_strict_run(#[case] marks: Marks, #[case] expected: &str) {
    let mut run = only(|outcome, _| matches!(outcome, Outcome::Passed | Outcome::Skipped));
    let skipped = run
        .cases
        .iter_mut()
        .find(|case| case.outcome == Outcome::Skipped)
        .unwrap();
    let strict = marks(skipped);
    assert_eq!(exit::of_run(&run, Strictness::default()), 0);
    assert_eq!(exit::of_run(&run, strict), 3);
    assert_contains!(Totals::of(&run).to_string(), expected);
}

/// A run whose cases were all skipped, for lack of capacity or for another reason.
fn skipped(no_capacity: bool) -> RunResult {
    let mut run = only(|outcome, _| outcome == Outcome::Skipped);
    run.cases[0].no_capacity = no_capacity;
    run.planned = run.cases.iter().map(|case| case.id.clone()).collect();
    run
}

#[rstest]
fn a_run_whose_cases_were_all_skipped_exits_3_and_every_report_says_so(
    #[values(false, true)] no_capacity: bool,
) {
    let run = skipped(no_capacity);
    assert_eq!(exit::of_run(&run, Strictness::default()), 3);
    let text = "no case has a verdict, so the run proves nothing: 0 passed, 0 failed, 1 skipped";
    for file in ["junit.xml", "summary.md", "index.html"] {
        assert!(written(&run, file).contains(text), "{file}");
    }
    assert_contains!(render_text(&run, false), text);
    let lines = github::annotations(&run, &|name| {
        (name == "GITHUB_ACTIONS").then(|| "true".to_owned())
    });
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("::error title=Nothing was judged::")),
        "{lines:?}"
    );
    let junit = quick_junit::Report::deserialize_from_str(&written(&run, "junit.xml")).unwrap();
    assert_eq!(junit.tests, 2);
    assert_eq!(junit.errors, 1);
}

#[test]
fn a_shard_that_was_planned_empty_exits_0_but_one_whose_cases_were_all_skipped_does_not() {
    let mut run = skipped(false);
    run.shard = Some("4/4".parse().unwrap());
    assert_eq!(exit::of_run(&run, Strictness::default()), 3);
    // What the ranges leave out is told by every shard.
    run.planned = vec!["kind::1.6.2::2.52.0::of-another-shard".into()];
    assert_eq!(exit::of_run(&run, Strictness::default()), 0);
    assert_not_contains!(render_text(&run, false), "proves nothing");
    run.shard = None;
    assert_eq!(
        exit::of_run(&run, Strictness::default()),
        3,
        "without a shard nothing is planned empty"
    );
}

#[test]
fn an_interrupted_run_did_not_pass() {
    let mut run = only(|outcome, _| outcome == Outcome::Passed);
    run.interrupted = Some("Ctrl-C".into());
    assert_eq!(exit::of_run(&run, Strictness::default()), 3);
}

#[test]
fn annotations_of_a_mixed_run() {
    let mut run = example::run();
    run.interrupted = Some("Ctrl-C".into());
    let env = |name: &str| (name == "GITHUB_ACTIONS").then(|| "true".to_owned());
    let lines = github::annotations(&run, &env);
    for line in &lines {
        assert_not_contains!(line, ['\n', '\r']);
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn elsewhere_nothing_is_published() {
    assert_eq!(github::annotations(&example::run(), &|_| None), [""; 0]);
    github::write_summary(&example::run(), &|_| None).unwrap();
}

#[test]
fn the_step_summary_is_appended_and_stays_within_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary");
    std::fs::write(&path, "before\n").unwrap();
    let env =
        |name: &str| (name == "GITHUB_STEP_SUMMARY").then(|| path.to_str().unwrap().to_owned());
    let mut run = example::run();
    github::write_summary(&run, &env).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        format!("before\n{}", render_markdown(&run))
    );

    run.cases[1].checks[0].diff = Some("+ a line\n".repeat(200_000));
    github::write_summary(&run, &env).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.len() <= 1024 * 1024, "{}", text.len());
    assert!(text.len() > 1024 * 1000, "{}", text.len());
    assert_contains!(text, "This summary was cut");
    let count = |part| text.matches(part).count();
    assert_eq!(
        count("<details>"),
        count("</details>"),
        "what is folded ends"
    );
}

#[test]
fn a_log_cannot_give_commands_to_the_runner() {
    let text = github::without_commands("::add-path::/x\n");
    let lines: Vec<&str> = text.lines().collect();
    let token = lines[0].strip_prefix("::stop-commands::").unwrap();
    assert_eq!(lines[1..], ["::add-path::/x", &format!("::{token}::")]);
    assert_ne!(
        text,
        github::without_commands("::add-path::/x\n"),
        "the token is not to be guessed"
    );
}
