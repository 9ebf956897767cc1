//! The page of each trap: what happens, why, an example with the output of `check`, and what to
//! write instead.

use std::path::Path;

use include_dir::{Dir, include_dir};
use kuberay_contract::{CLASSES, FieldValidation, rule_of};
use kuberay_manifest::Source;
use semver::Version;
use similar::TextDiff;

use super::{CheckFinding, CheckReport, IDS, Look, Options, check};
use crate::warning::{TRAPS, Trap};

static EXAMPLES: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/examples");

/// The file name that examples have in pages.
const FILE: &str = "raycluster.yaml";

/// A manifest that falls into a trap, and the same without it.
struct Example {
    /// Why the trap exists, from the comment at the top.
    why: String,
    /// The release that it is checked for.
    operator: Option<Version>,
    /// Issues that report it.
    issues: Vec<String>,
    /// The manifest.
    bad: String,
    /// The manifest as it should be.
    good: String,
}

impl Example {
    fn of(trap: &Trap) -> Option<Self> {
        let text = EXAMPLES
            .get_file(format!("{}.yaml", trap.id))?
            .contents_utf8()?;
        let (bad, good) = text.split_once("---\n")?;
        let comments = bad.lines().take_while(|line| line.starts_with('#'));
        let header: Vec<&str> = comments
            .map(|line| line.trim_start_matches('#').trim())
            .collect();
        let value = |key: &str| {
            header
                .iter()
                .find_map(|line| line.strip_prefix(key))
                .unwrap_or_default()
                .trim()
        };
        let words = |text: &str| {
            text.split([',', ' '])
                .filter(|word| !word.is_empty())
                .map(Into::into)
                .collect()
        };
        let why: Vec<&str> = header
            .iter()
            .filter(|line| !line.starts_with("operator:") && !line.starts_with("issues:"))
            .copied()
            .collect();
        let body = |text: &str| {
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .map(|line| format!("{line}\n"))
                .collect()
        };
        Some(Self {
            why: why.join(" "),
            operator: value("operator:").parse().ok(),
            issues: words(value("issues:")),
            bad: body(bad),
            good: body(good),
        })
    }

    /// What `check` reports on a manifest of the example, of this trap only.
    fn report(trap: &Trap, text: &str, releases: Vec<Version>) -> (CheckReport, [Source; 1]) {
        let sources = [Source::new(Path::new(FILE), text)];
        let mut options = Options::new(releases);
        options.select = vec![trap.id.into()];
        // Of what kubectl refuses, the trap is what another client meets.
        options.validation = FieldValidation::Ignore;
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
}

/// Returns the page of a trap in Markdown, as committed in `docs/reference/traps/`.
pub fn page(trap: &Trap) -> String {
    let severity = trap.severity.word();
    let mut text = format!(
        "# {}\n\n{severity}, rule [{}](../contract.md)\n\n",
        trap.id, trap.rule
    );
    text.push_str(&format!("## What happens\n\n{}\n\n", trap.text));
    let example = Example::of(trap);
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
        text.push_str(&shown(trap, example));
    }
    text.push_str(&format!("## Fix\n\n{}\n\n", trap.advice));
    if let Some(example) = &example {
        let diff = TextDiff::from_lines(&example.bad, &example.good);
        let diff = diff.unified_diff().context_radius(2).to_string();
        let lines = diff
            .lines()
            .filter(|line| !line.starts_with("@@"))
            .collect::<Vec<_>>()
            .join("\n");
        text.push_str(&format!("```diff\n{lines}\n```\n\n"));
        text.push_str(&format!("## Releases\n\n{}\n\n", releases(trap, example)));
    }
    text.push_str(
        "To accept it on one object, write the annotation `kuberay-conformance.io/ignore: ",
    );
    text.push_str(&format!("{}`.\n\n## Proven by\n\n", trap.id));
    for name in trap.scenarios {
        text.push_str(&format!(
            "- [`{name}`](../../../scenarios/{name}/scenario.yaml)\n"
        ));
    }
    let issues = example.map(|example| example.issues).unwrap_or_default();
    if !issues.is_empty() {
        text.push_str("\n## Issues\n\n");
        for issue in issues {
            let (repository, number) = issue.split_once('#').unwrap_or((&issue, ""));
            text.push_str(&format!(
                "- [{issue}](https://github.com/{repository}/issues/{number})\n"
            ));
        }
    }
    text
}

fn shown(trap: &Trap, example: &Example) -> String {
    let release = example.operator.clone().unwrap_or_else(newest);
    let (report, sources) = Example::report(trap, &example.bad, vec![release.clone()]);
    let output = report.text(&sources, Look::default());
    format!(
        "## Example\n\n```yaml\n{}```\n\n```console\n$ kuberay-conformance check {FILE} --operator {release}\n{output}```\n\n",
        example.bad
    )
}

fn newest() -> Version {
    CLASSES
        .last()
        .map_or(Version::new(1, 0, 0), |class| class.since.clone())
}

/// The releases on which the example falls into the trap, by the classes of releases that behave
/// alike.
fn releases(trap: &Trap, example: &Example) -> String {
    let has = |release: &Version| {
        let (report, _) = Example::report(trap, &example.bad, vec![release.clone()]);
        report.findings.iter().any(|finding| finding.id == trap.id)
    };
    let classes: Vec<(&Version, bool)> = CLASSES
        .iter()
        .map(|class| (&class.since, has(&class.since)))
        .collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < classes.len() {
        let len = classes[at..]
            .iter()
            .take_while(|(_, has)| *has == classes[at].1)
            .count();
        if classes[at].1 {
            let from = (at > 0).then(|| format!("from KubeRay {}", classes[at].0));
            let until = classes
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
pub fn index() -> String {
    let mut text = String::from(
        "# Traps\n\n<!-- Written by `UPDATE_DOCS=1 cargo test -p kuberay-explain --lib`. -->\n\n`kuberay-conformance check` reports these. `check --explain ID` prints a page.\n\n\
         | id | severity | rule | what happens |\n|---|---|---|---|\n",
    );
    for trap in TRAPS {
        let severity = trap.severity.word();
        let cell = trap.text.replace('|', "\\|");
        text.push_str(&format!(
            "| [`{0}`]({0}.md) | {severity} | {1} | {cell} |\n",
            trap.id, trap.rule
        ));
    }
    text.push_str("\nOther findings:\n\n| id | severity | what it means |\n|---|---|---|\n");
    for other in IDS {
        text.push_str(&format!(
            "| `{}` | {} | {} |\n",
            other.id(),
            other.severity().word(),
            other.says()
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trap_has_an_example_that_falls_into_it_and_a_fix_that_does_not() {
        for trap in TRAPS {
            let example = Example::of(trap).unwrap_or_else(|| {
                panic!("{0}: write src/examples/{0}.yaml: comments, a manifest, `---`, and the same fixed", trap.id)
            });
            assert!(
                example.why.ends_with('.'),
                "{}: the comment must say why",
                trap.id
            );
            let release = example.operator.clone().unwrap_or_else(newest);
            let ids = |text: &str| -> Vec<String> {
                let (report, _) = Example::report(trap, text, vec![release.clone()]);
                report
                    .findings
                    .into_iter()
                    .map(|finding| finding.id)
                    .collect()
            };
            assert_eq!(ids(&example.bad), [trap.id], "the example of {}", trap.id);
            assert_eq!(ids(&example.good), [""; 0], "the fix of {}", trap.id);
        }
    }

    #[test]
    fn every_example_is_of_a_trap() {
        for file in EXAMPLES.files() {
            let id = file.path().file_stem().unwrap().to_str().unwrap();
            assert!(TRAPS.iter().any(|trap| trap.id == id), "{id} is no trap");
        }
    }

    #[test]
    fn the_pages_are_as_committed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/traps");
        let mut pages: Vec<(String, String)> = TRAPS
            .iter()
            .map(|trap| (format!("{}.md", trap.id), page(trap)))
            .collect();
        pages.push(("README.md".into(), index()));
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
