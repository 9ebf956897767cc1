//! `docs/reference/pairs.md`: what each scenario of kind showed on each pair of releases.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::markdown_text::{code, escape, table};
use super::{CaseResult, CheckResult, Outcome, RunResult};
use crate::plan::{self, Filter, Pair, Plan, TestCase};
use crate::scenario::{Scenario, TargetKind};

const INTRODUCTION: &str = "\
# Results on each pair of releases

<!-- Written by `kuberay-conformance docs pairs`. -->

This page lists the results of the kind target's scenarios on each pair of KubeRay and Ray releases
in `fixtures/versions.yaml`. These commands generate it from the results of a run:

```sh
kuberay-conformance run --target kind --pair all --output output/pairs
kuberay-conformance run --target kind --upgrades upgrade --output output/upgrade
kuberay-conformance docs pairs --results output/pairs/results.json --results output/upgrade/results.json > docs/reference/pairs.md
```

The first table shows on which pairs each scenario passed, and in which checks the pairs differ.
An upgrade from one pair to another causes these differences. The sections below list the results,
check by check.
";

/// Values with more lines than this are named by their snapshot alone.
const SHOWN_LINES: usize = 9;

/// The whole page. Of several runs the later one counts where both have a case.
pub fn render_pairs(scenarios: &[Arc<Scenario>], pairs: &[Pair], runs: &[RunResult]) -> String {
    let of_target =
        |scenario: &&Arc<Scenario>| scenario.file.spec.placement().target == TargetKind::Kind;
    let with_upgrades = Filter {
        upgrades: true,
        ..Filter::default()
    };
    let page = Page {
        pairs,
        runs,
        plan: plan::cases(
            scenarios,
            &[(TargetKind::Kind, pairs.into())],
            &with_upgrades,
        ),
    };
    let mut scenarios: Vec<_> = scenarios.iter().filter(of_target).collect();
    scenarios.sort_by_key(|scenario| scenario.name());
    let mut text = String::from(INTRODUCTION);
    page.environment(&mut text);
    page.overview(&mut text, &scenarios);
    for scenario in scenarios {
        page.section(&mut text, scenario);
    }
    text
}

struct Page<'a> {
    pairs: &'a [Pair],
    runs: &'a [RunResult],
    plan: Plan,
}

impl Page<'_> {
    fn result(&self, scenario: &Arc<Scenario>, pair: &Pair) -> Option<&CaseResult> {
        let id = id(scenario, pair);
        self.runs
            .iter()
            .rev()
            .find_map(|run| run.cases.iter().find(|case| case.id == id))
    }

    /// How the scenario stands on a pair, for the first table.
    fn daemon(&self, scenario: &Arc<Scenario>, pair: &Pair) -> String {
        let id = id(scenario, pair);
        if let Some(skipped) = self.plan.skipped.iter().find(|skipped| skipped.name == id) {
            return escape(&skipped.reason.replace("the scenario needs", "needs"));
        }
        let Some(result) = self.result(scenario, pair) else {
            return "not run".into();
        };
        match &result.reason {
            _ if result.outcome == Outcome::Passed => "seen".into(),
            Some(reason) => format!("**{}**: {}", result.outcome.word(), escape(reason)),
            None => format!("**{}**", result.outcome.word()),
        }
    }

    fn environment(&self, text: &mut String) {
        let systems: BTreeSet<_> = self
            .runs
            .iter()
            .map(|run| {
                format!(
                    "Kubernetes {}, {}",
                    run.environment.kubernetes, run.environment.engine
                )
            })
            .collect();
        for system in systems {
            _ = writeln!(text, "\nSeen on {}.", escape(&system));
        }
    }

    fn overview(&self, text: &mut String, scenarios: &[&Arc<Scenario>]) {
        let titles: Vec<_> = self.pairs.iter().map(title).collect();
        let head = format!(
            "\n## Scenarios\n\n| scenario | {} | pairs differ in |\n|---|{}---|",
            titles.join(" | "),
            "---|".repeat(titles.len())
        );
        let rows = scenarios.iter().map(|scenario| {
            let name = scenario.name();
            let mut row = vec![format!("[`{name}`](#{name})")];
            row.extend(self.pairs.iter().map(|pair| self.daemon(scenario, pair)));
            let differing = self
                .checks(scenario)
                .into_iter()
                .filter(|(_, seen)| seen.len() > 1);
            let differing: Vec<_> = differing.map(|(check, _)| code(&check)).collect();
            row.push(differing.join(", "));
            row
        });
        table(text, &head, rows);
    }

    fn section(&self, text: &mut String, scenario: &Arc<Scenario>) {
        let spec = &scenario.file.spec;
        let name = scenario.name();
        _ = writeln!(
            text,
            "### {name}\n\n{}\n\nRules: {}. Scenario: [`scenarios/{name}`](../../scenarios/{name}/scenario.yaml).\n",
            escape(spec.description.trim()),
            spec.rules.join(", "),
        );
        let checks = self.checks(scenario);
        if checks.is_empty() {
            text.push_str("Not seen on any of these pairs.\n\n");
            return;
        }
        let all = self
            .pairs
            .iter()
            .filter(|pair| self.passed(scenario, pair).is_some())
            .count();
        let rows = checks.into_iter().flat_map(|(check, seen)| {
            seen.into_iter()
                .enumerate()
                .map(move |(index, (what, pairs))| {
                    let name = if index == 0 {
                        code(&check)
                    } else {
                        String::new()
                    };
                    let on = if pairs.len() == all && all > 1 {
                        "all of these".to_owned()
                    } else {
                        pairs
                            .iter()
                            .map(ToString::to_string)
                            .collect::<Vec<_>>()
                            .join(", ")
                    };
                    vec![name, on, what]
                })
        });
        table(text, "| check | on | seen |\n|---|---|---|", rows);
    }

    fn passed(&self, scenario: &Arc<Scenario>, pair: &Pair) -> Option<&CaseResult> {
        self.result(scenario, pair)
            .filter(|result| result.outcome == Outcome::Passed)
    }

    /// Each check with the different things that were seen, and the pairs on which each was.
    fn checks(&self, scenario: &Arc<Scenario>) -> Vec<OutcomesOfCheck<'_>> {
        let mut checks: Vec<OutcomesOfCheck<'_>> = Vec::new();
        for pair in self.pairs {
            let Some(result) = self.passed(scenario, pair) else {
                continue;
            };
            for (index, check) in result.checks.iter().enumerate() {
                if checks.len() <= index {
                    checks.push((check.name.clone(), Vec::new()));
                }
                let what = seen(check, result.namespace.as_deref());
                let known = &mut checks[index].1;
                match known.iter_mut().find(|(other, _)| *other == what) {
                    Some((_, pairs)) => pairs.push(pair),
                    None => known.push((what, vec![pair])),
                }
            }
        }
        checks
    }
}

/// A check's name, what was seen, and on which pairs.
type OutcomesOfCheck<'a> = (String, Vec<(String, Vec<&'a Pair>)>);

fn id(scenario: &Arc<Scenario>, pair: &Pair) -> String {
    TestCase::of(scenario, TargetKind::Kind, pair).id()
}

fn title(pair: &Pair) -> String {
    format!("KubeRay {}, Ray {}", pair.operator, pair.ray)
}

/// What a check saw, without what differs from run to run (names, addresses, times, sizes).
fn seen(check: &CheckResult, namespace: Option<&str>) -> String {
    let steady = |text: &str| match namespace {
        Some(namespace) => steady(&text.replace(namespace, "<namespace>")),
        None => steady(text),
    };
    let found: Vec<String> = check
        .found
        .iter()
        .flat_map(|found| found.lines())
        .map(steady)
        .collect();
    let kind = check.name.split(' ').next().unwrap_or_default();
    match kind {
        "pod" if found.len() <= SHOWN_LINES => found
            .iter()
            .map(|line| code(line))
            .collect::<Vec<_>>()
            .join("<br>"),
        "logs" if !found.is_empty() => {
            // A line that only may come does so in one run and not in another, on one and the same
            // pair.
            let may = check.expected.iter().flat_map(|expected| expected.lines());
            let may: Vec<&str> = may
                .filter(|line| line.starts_with("may"))
                .filter_map(|line| Some(line.split_once(": ")?.1))
                .collect();
            let sure = found
                .iter()
                .filter(|line| !may.iter().any(|text| line.contains(text)));
            let mut lines: Vec<String> = sure.map(|line| code(line)).collect();
            lines.dedup();
            lines.join("<br>")
        }
        _ => escape(&steady(&check.message)),
    }
}

/// A text without what differs from run to run.
fn steady(text: &str) -> String {
    static PLACES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            // The number of a line in an excerpt, and what Ray's log puts before a message.
            (r"^ *\d+ \| ", ""),
            (
                r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d+\s+(\w+) [\w.]+:\d+ -- ",
                "$1 ",
            ),
            // Python's own way to put a time before a message.
            (r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d+ - ", ""),
            // A Pod's name; the last part differs.
            (r"\bPod [a-z0-9-]+-[a-z0-9]+\b", "Pod"),
            (r"\b10\.\d+\.\d+\.\d+\b", "<pod-ip>"),
            (r"'(memory|object_store_memory)': [\d.]+", "'$1': …"),
            (r"was reached [\d.]+ s before", "was reached before"),
            (r"^(head|worker)( \S+)? Pod: ", ""),
        ]
        .map(|(pattern, instead)| (Regex::new(pattern).expect("a regular expression"), instead))
        .into()
    });
    let text = PLACES
        .iter()
        .fold(text.to_owned(), |text, (pattern, instead)| {
            pattern.replace_all(&text, *instead).into_owned()
        });
    // Python prints a dictionary in the order in which it came to be.
    match text
        .strip_prefix("{'")
        .and_then(|rest| rest.strip_suffix('}'))
    {
        Some(entries) => {
            let mut entries: Vec<&str> = entries.split(", '").collect();
            entries.sort_unstable();
            format!("{{'{}}}", entries.join(", '"))
        }
        None => text,
    }
}

#[cfg(test)]
#[path = "pairs/tests.rs"]
mod tests;
