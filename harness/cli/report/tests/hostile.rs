//! Results of others, in which every text tries to act on a terminal, on a page or on GitHub's
//! runner.

use serde_json::Value;

use super::{example, github, render_markdown, render_text};
use crate::report::{MergeSource, RunResult, compare, junit, merge, render_durations};
use crate::visible::is_unseen;

const HOSTILE: &str =
    "\u{1b}[31mred\u{1b}]0;title\u{7}\n::error::x\r##[error]y\n# head <b>\u{202e}\u{200b}\u{9b}31m";

/// The example with what is hostile in every text that may hold it, another one in each so that no
/// two are equal.
fn hostile() -> RunResult {
    hostile_but("nowhere")
}

/// As [`hostile`], but for texts whose place has this in it.
fn hostile_but(spared: &str) -> RunResult {
    let mut document = serde_json::to_value(example::run()).unwrap();
    let mut texts = Vec::new();
    pointers(&document, "", &mut texts);
    let mut changed = 0;
    texts.retain(|pointer| !pointer.contains(spared));
    for (number, pointer) in texts.iter().enumerate() {
        let mut tried = document.clone();
        let text = tried.pointer_mut(pointer).unwrap();
        *text = format!("{}{HOSTILE}{number}", text.as_str().unwrap()).into();
        if pointer != "/version" && serde_json::from_value::<RunResult>(tried.clone()).is_ok() {
            document = tried;
            changed += 1;
        }
    }
    assert!(changed > 100, "only {changed} texts were changed");
    serde_json::from_value(document).unwrap()
}

fn pointers(value: &Value, path: &str, into: &mut Vec<String>) {
    match value {
        Value::String(_) => into.push(path.into()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{path}/{index}"), into);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                pointers(item, &format!("{path}/{name}"), into);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Checks that nothing of a text acts on a terminal, and that no line of it is a command of
/// GitHub's runner.
fn assert_harmless(what: &str, text: &str) {
    for line in text.lines() {
        let acts = line.chars().find(|c| is_unseen(*c) && *c != '\t');
        assert_eq!(acts, None, "{what}: {line:?}");
        let line = line.trim_start();
        assert!(!line.starts_with("::error::x"), "{what}: {line:?}");
        assert!(!line.starts_with("##[error]"), "{what}: {line:?}");
    }
}

#[test]
fn nothing_of_results_acts_on_a_terminal() {
    let mut run = hostile();
    assert_harmless("the end of a run", &render_text(&run, false));
    // A rule that the contract does not have is left out.
    let known = render_text(&hostile_but("/rules/"), false);
    assert!(known.contains("rules on "), "{known}");
    assert_harmless("the rules of a run", &known);
    run.interrupted = Some(HOSTILE.into());
    run.selected_rules = run.cases[0].rules.clone();
    assert_harmless("the end of an interrupted run", &render_text(&run, false));
    let (mut old, mut new) = (run.clone(), run.clone());
    old.cases.truncate(1);
    new.cases
        .retain(|case| case.operator != run.cases[0].operator);
    new.cases.truncate(1);
    for (older, newer) in [
        (&run, &old),
        (&old, &run),
        (&old, &new),
        (&run, &example::run()),
    ] {
        let comparison = compare(older, newer);
        assert_harmless("a comparison", &comparison.text(false));
        assert_harmless("a comparison for a pull request", &comparison.markdown());
    }
    assert_harmless("durations", &render_durations(&[run]));
}

#[test]
fn nothing_of_results_acts_on_a_page() {
    let mut run = hostile();
    run.interrupted = Some(HOSTILE.into());
    let summary = render_markdown(&run);
    let acts = |text: &str| text.chars().find(|c| is_unseen(*c) && !"\n\t".contains(*c));
    assert_eq!(acts(&summary), None, "the summary: {summary}");
    let blocks = |line: &str| line.starts_with("# head") || line.contains("<b>");
    let mut fence = None;
    for line in summary.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks == open && line.len() == ticks => fence = None,
            None if ticks >= 3 => fence = Some(ticks),
            // What is in a block, or in a span of code, is text.
            Some(_) => {}
            None => assert!(
                !blocks(&line.replace('`', "")) || line.contains('`'),
                "{line:?}"
            ),
        }
    }
    let junit = junit::render(&run).unwrap();
    assert_eq!(acts(&junit), None, "JUnit: {junit}");
}

#[test]
fn nothing_of_results_is_a_command_for_github() {
    let mut run = hostile();
    run.interrupted = Some(HOSTILE.into());
    let set = |name: &str| (name == "GITHUB_ACTIONS").then(|| "true".to_owned());
    let annotations = github::annotations(&run, &set);
    assert!(annotations.len() > 3, "{annotations:?}");
    for line in annotations {
        assert!(
            line.starts_with("::error ") || line.starts_with("::warning "),
            "{line:?}"
        );
        let acts = line.chars().find(|c| is_unseen(*c));
        assert_eq!(acts, None, "{line:?}");
    }
}

#[test]
fn what_merging_says_of_results_is_harmless() {
    let source = |run: &RunResult, path: &str| MergeSource {
        path: path.into(),
        run: run.clone(),
    };
    let mut run = hostile();
    run.planned = run.cases.iter().map(|case| case.id.clone()).collect();
    let mut other = run.clone();
    for case in &mut other.cases {
        case.outcome = crate::report::Outcome::Passed;
    }
    let merged = merge(&[source(&run, "a"), source(&other, "b")]).unwrap();
    assert!(!merged.notes.is_empty(), "two verdicts on one case");
    for note in &merged.notes {
        assert_harmless("a note", &crate::visible::marked(note));
    }
    assert_harmless("a merged report", &render_text(&merged.run, false));
    other.planned.pop();
    let refused = merge(&[source(&run, "a"), source(&other, "b")]).unwrap_err();
    assert_harmless("a refusal", &crate::visible::marked(&refused.to_string()));
}
