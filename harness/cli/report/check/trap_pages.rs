//! The page of each trap: what happens, why, an example with the output of `check`, and what to
//! write instead.

use std::collections::BTreeSet;
use std::path::Path;

use semver::Version;
use similar::TextDiff;

use super::frame::Look;
use super::text::check_text;
use crate::artifact::Pins;
use crate::contract::{CLASSES, rule_of};
use crate::explain::check::{CheckFinding, CheckReport, IDS, check};
use crate::explain::{TRAPS, Trap, TrapExample};
use crate::manifest::Source;
use crate::report::markdown_text::cell;

/// The file name that examples have in pages.
const FILE: &str = "raycluster.yaml";

/// Returns what `check` reports on the manifest of an example, of its trap only.
fn report(example: &TrapExample, release: Version) -> (CheckReport, [Source; 1]) {
    let sources = [Source::new(Path::new(FILE), &example.bad)];
    let options = example.options(vec![release]);
    let mut report = check(&sources, &options).unwrap_or_else(|error| CheckReport {
        findings: vec![CheckFinding {
            message: error.to_string(),
            ..CheckFinding::default()
        }],
        ..CheckReport::default()
    });
    report.notes.clear();
    (report, sources)
}

/// Returns the page of a trap in Markdown, as committed in `docs/reference/traps/`.
pub fn trap_page(trap: &Trap) -> String {
    let severity = trap.severity.word();
    let mut text = format!(
        "# {}\n\n{severity}, rule [{}](../contract.md)\n\n",
        trap.id, trap.rule
    );
    text.push_str(&format!("## What happens\n\n{}\n\n", trap.text));
    let example = trap.example();
    text.push_str("## Why\n\n");
    if let Some(example) = &example {
        text.push_str(&format!("{}\n\n", example.why));
    }
    if let Some(rule) = rule_of(trap.rule) {
        text.push_str(&format!(
            "Rule {}, {}: {}\n\n",
            rule.id, rule.title, rule.sentence
        ));
    }
    if let Some(example) = &example {
        text.push_str(&shown(example));
    }
    text.push_str(&format!("## Fix\n\n{}\n\n", trap.help));
    if let Some(example) = &example {
        let diff = TextDiff::from_lines(&example.bad, &example.good);
        let diff = diff.unified_diff().context_radius(2).to_string();
        let lines = diff
            .lines()
            .filter(|line| !line.starts_with("@@"))
            .collect::<Vec<_>>()
            .join("\n");
        text.push_str(&format!("```diff\n{lines}\n```\n\n"));
        text.push_str(&format!("## Releases\n\n{}\n\n", releases(example)));
    }
    text.push_str(
        "To accept it on one object, write the annotation `kuberay-conformance.io/ignore: ",
    );
    text.push_str(&format!("{}`.\n", trap.id));
    if !trap.scenarios.is_empty() {
        text.push_str("\n## Proven by\n\n");
    }
    for name in trap.scenarios {
        text.push_str(&format!(
            "- [`{name}`](../../../scenarios/{name}/scenario.yaml)\n"
        ));
    }
    let issues = example.map(|example| example.issues).unwrap_or_default();
    text.push_str("\n## Issues\n\n");
    if issues.is_empty() {
        text.push_str("No public issue is known.\n");
    }
    for issue in issues {
        let (repository, number) = issue.split_once('#').unwrap_or((&issue, ""));
        text.push_str(&format!(
            "- [{issue}](https://github.com/{repository}/issues/{number})\n"
        ));
    }
    text
}

fn shown(example: &TrapExample) -> String {
    let release = &example.operator;
    let (report, sources) = report(example, release.clone());
    let output = check_text(&report, &sources, Look::default());
    format!(
        "## Example\n\n```yaml\n{}```\n\n```console\n$ kuberay-conformance check {FILE} --operator {release}\n{output}```\n\n",
        example.bad
    )
}

/// The releases on which the example falls into the trap, as ranges between the releases of the
/// matrix and the first ones of their classes.
fn releases(example: &TrapExample) -> String {
    let has = |release: &Version| {
        let (report, _) = report(example, release.clone());
        let mut found = report.findings.iter();
        found.any(|finding| finding.id == example.trap)
    };
    let matrix = &Pins::embedded().operators.matrix;
    let known: BTreeSet<&Version> = CLASSES
        .iter()
        .map(|class| &class.since)
        .chain(matrix)
        .collect();
    let known: Vec<(&Version, bool)> = known
        .into_iter()
        .map(|release| (release, has(release)))
        .collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < known.len() {
        let len = known[at..]
            .iter()
            .take_while(|(_, has)| *has == known[at].1)
            .count();
        if known[at].1 {
            let from = (at > 0).then(|| format!("from KubeRay {}", known[at].0));
            let until = known
                .get(at + len)
                .map(|(release, _)| format!("before KubeRay {release}"));
            ranges.push(match (from, until) {
                (None, None) => "every release that is known".into(),
                (from, until) => [from, until]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" and "),
            });
        }
        at += len;
    }
    let ranges = ranges.join("; ");
    let mut letters = ranges.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    format!(
        "{}{}.",
        first.map(String::from).unwrap_or_default(),
        letters.as_str()
    )
}

/// Returns the page that lists every trap, as committed in `docs/reference/traps/README.md`.
pub fn trap_index() -> String {
    let mut text = String::from(
        "# Traps\n\n<!-- Written by `UPDATE_DOCS=1 cargo test -p kuberay-conformance --lib`. -->\n\n`kuberay-conformance check` reports these. `check --explain ID` prints a page.\n\n\
         | id | severity | rule | what happens |\n|---|---|---|---|\n",
    );
    for trap in TRAPS {
        let severity = trap.severity.word();
        text.push_str(&format!(
            "| [`{0}`]({0}.md) | {severity} | {1} | {2} |\n",
            trap.id,
            trap.rule,
            cell(trap.text)
        ));
    }
    text.push_str("\nOther findings:\n\n| id | severity | what it means |\n|---|---|---|\n");
    for other in IDS {
        text.push_str(&format!(
            "| `{}` | {} | {} |\n",
            other.id(),
            other.severity().word(),
            cell(other.says())
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_as_committed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/traps");
        let mut pages: Vec<(String, String)> = TRAPS
            .iter()
            .map(|trap| (format!("{}.md", trap.id), trap_page(trap)))
            .collect();
        pages.push(("README.md".into(), trap_index()));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).unwrap();
            for (name, text) in &pages {
                std::fs::write(folder.join(name), text).unwrap();
            }
        }
        for (name, text) in &pages {
            let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            assert!(
                committed == *text,
                "docs/reference/traps/{name} is outdated; write it with UPDATE_DOCS=1"
            );
        }
        let files = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(
            files,
            pages.len(),
            "docs/reference/traps holds other pages; write it with UPDATE_DOCS=1"
        );
    }
}
