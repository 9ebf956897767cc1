//! `report compare`: what two runs show differently.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::markdown_text::{code, escape, table};
use super::text::{Paint, one_line};
use super::{CaseResult, Outcome, RunResult, Totals, view};

/// A case counts as slower from this many seconds more on, and this many times as long.
const SLOWER: (f64, f64) = (5.0, 1.5);
/// Cases that a list of the text shows.
const LISTED: usize = 50;

/// What two runs show differently.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunComparison {
    /// The older run.
    pub old: Compared,
    /// The newer run.
    pub new: Compared,
    /// Whether cases are matched by scenario, because the runs are of different releases.
    pub by_scenario: bool,
    /// Cases that fail in the newer run alone.
    pub newly_failing: Vec<CaseDifference>,
    /// Cases that failed and pass.
    pub fixed: Vec<CaseDifference>,
    /// Cases that pass in both, and take longer.
    pub slower: Vec<CaseDifference>,
    /// Cases of the newer run alone that do not fail.
    pub added: Vec<CaseDifference>,
    /// Cases of the older run alone.
    pub gone: Vec<CaseDifference>,
    /// Cases that had a verdict and have none.
    pub without_verdict: Vec<CaseDifference>,
    /// Cases that fail in both.
    pub still_failing: usize,
    /// Cases of both with a verdict in the newer run.
    pub judged_in_both: usize,
}

/// A run of the two.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// Its id.
    pub run_id: String,
    /// When it began.
    pub started: String,
    /// Its pairs of releases.
    pub releases: Vec<String>,
    /// How its cases ended.
    pub totals: String,
    /// Whether it did not complete.
    pub interrupted: bool,
}

/// A case that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseDifference {
    /// Its id in the newer run, else in the older one.
    pub id: String,
    /// Its scenario.
    pub scenario: String,
    /// How it ended in the older run: a word of [`Outcome::word`].
    pub before: Option<&'static str>,
    /// How it ended in the newer run.
    pub after: Option<&'static str>,
    /// Its seconds in both, where it has some.
    pub seconds: (Option<f64>, Option<f64>),
    /// Why it does not pass, on one line.
    pub reason: Option<String>,
    /// Whether its failure does not fail the run.
    pub provisional: bool,
    /// Its place in the newer run.
    pub place: Option<usize>,
}

/// Compares two runs. Cases are matched by their ids; by target and scenario where the runs have no
/// id in common and each is of one pair of releases.
pub fn compare(old: &RunResult, new: &RunResult) -> RunComparison {
    let by_id: HashMap<&str, &CaseResult> = index(old, |case| case.id.as_str());
    let in_common = new
        .cases
        .iter()
        .any(|case| by_id.contains_key(case.id.as_str()));
    let by_scenario = !in_common && releases(old).len() == 1 && releases(new).len() == 1;
    let key = |case: &CaseResult| {
        if by_scenario {
            format!("{:?} {}", case.target, case.scenario)
        } else {
            case.id.clone()
        }
    };
    let before: HashMap<String, &CaseResult> = index(old, key);
    let after: HashMap<String, &CaseResult> = index(new, key);
    let mut comparison = RunComparison {
        old: compared(old),
        new: compared(new),
        by_scenario,
        newly_failing: Vec::new(),
        fixed: Vec::new(),
        slower: Vec::new(),
        added: Vec::new(),
        gone: Vec::new(),
        without_verdict: Vec::new(),
        still_failing: 0,
        judged_in_both: 0,
    };
    for (place, case) in new.cases.iter().enumerate() {
        let old = before.get(&key(case)).copied();
        comparison.add(old, case, place);
    }
    let gone = old
        .cases
        .iter()
        .filter(|case| !after.contains_key(&key(case)));
    comparison.gone = gone.map(|case| difference(Some(case), None)).collect();
    comparison
}

fn index<'a, K: std::hash::Hash + Eq>(
    run: &'a RunResult,
    key: impl Fn(&'a CaseResult) -> K,
) -> HashMap<K, &'a CaseResult> {
    run.cases.iter().map(|case| (key(case), case)).collect()
}

/// The pairs of releases of a run, in its order.
fn releases(run: &RunResult) -> Vec<String> {
    let mut releases: Vec<String> = Vec::new();
    for case in &run.cases {
        let pair = match view::ray(case) {
            "" => case.operator.clone(),
            ray => format!("{}/{ray}", case.operator),
        };
        if !releases.contains(&pair) {
            releases.push(pair);
        }
    }
    releases
}

fn compared(run: &RunResult) -> Compared {
    Compared {
        run_id: run.run_id.clone(),
        started: run.started.clone(),
        releases: releases(run),
        totals: Totals::of(run).to_string(),
        interrupted: run.interrupted.is_some(),
    }
}

fn difference(old: Option<&CaseResult>, new: Option<(usize, &CaseResult)>) -> CaseDifference {
    let case = new.map(|(_, case)| case).or(old);
    let seconds =
        |case: &CaseResult| (case.duration_seconds > 0.0).then_some(case.duration_seconds);
    CaseDifference {
        id: case.map(|case| case.id.clone()).unwrap_or_default(),
        scenario: case.map(|case| case.scenario.clone()).unwrap_or_default(),
        before: old.map(|case| case.outcome.word()),
        after: new.map(|(_, case)| case.outcome.word()),
        seconds: (
            old.and_then(seconds),
            new.and_then(|(_, case)| seconds(case)),
        ),
        reason: new
            .and_then(|(_, case)| case.reason.as_deref())
            .map(one_line),
        provisional: new.is_some_and(|(_, case)| case.is_provisional_failure()),
        place: new.map(|(place, _)| place),
    }
}

impl RunComparison {
    fn add(&mut self, old: Option<&CaseResult>, case: &CaseResult, place: usize) {
        let different = difference(old, Some((place, case)));
        let (before, after) = (old.map(|old| old.outcome), case.outcome);
        self.judged_in_both += usize::from(before.is_some() && after.is_verdict());
        let list = match before {
            Some(before) if after.is_bad() && before.is_bad() => {
                self.still_failing += 1;
                return;
            }
            _ if after.is_bad() => &mut self.newly_failing,
            None => &mut self.added,
            Some(before) if before.is_bad() && after.is_good() => &mut self.fixed,
            Some(before)
                if (before.is_good() || before.is_bad())
                    && matches!(after, Outcome::Skipped | Outcome::New) =>
            {
                &mut self.without_verdict
            }
            Some(before) if before.is_good() && after.is_good() && is_slower(old, case) => {
                &mut self.slower
            }
            Some(_) => return,
        };
        list.push(different);
    }

    /// Returns whether a case fails in the newer run alone, other than of a provisional scenario.
    pub fn is_worse(&self) -> bool {
        self.newly_failing.iter().any(|case| !case.provisional)
    }

    /// Why the newer run shows nothing about the older one, where that is so: it was cut short, or
    /// no case of both has a verdict in it.
    pub fn says_nothing(&self) -> Option<&'static str> {
        if self.new.interrupted {
            Some("the newer run did not complete")
        } else if self.judged_in_both == 0 {
            Some("no case of the older run has a verdict in the newer one")
        } else {
            None
        }
    }

    /// The lists with their titles, the worst first.
    fn lists(&self) -> [(&'static str, &[CaseDifference]); 6] {
        [
            ("newly failing", &self.newly_failing),
            ("without verdict now", &self.without_verdict),
            ("fixed", &self.fixed),
            ("slower", &self.slower),
            ("new", &self.added),
            ("gone", &self.gone),
        ]
    }

    /// One line: how many cases are in which list.
    pub fn summary(&self) -> String {
        let lists = self.lists();
        let counts = lists
            .iter()
            .filter(|(title, list)| !list.is_empty() || matches!(*title, "newly failing" | "fixed"))
            .map(|(title, list)| format!("{} {title}", list.len()));
        let mut summary: Vec<String> = counts.collect();
        if self.still_failing > 0 {
            summary.push(format!("{} still failing", self.still_failing));
        }
        summary.join(", ")
    }

    /// What limits the comparison, one sentence each.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.by_scenario {
            remarks.push(format!(
                "the runs are of different releases ({} and {}), so cases are matched by scenario",
                self.old.releases.join(", "),
                self.new.releases.join(", ")
            ));
        }
        for (name, run) in [("older", &self.old), ("newer", &self.new)] {
            if run.interrupted {
                remarks.push(format!("the {name} run did not complete"));
            }
        }
        remarks
    }

    /// The comparison as text for a terminal.
    pub fn text(&self, colour: bool) -> String {
        let paint = Paint::new(colour);
        let mut text = format!("{}\n", paint.bold(&self.summary()));
        for (name, run) in [("old", &self.old), ("new", &self.new)] {
            _ = writeln!(
                text,
                "{name}: run {} of {}: {}",
                one_line(&run.run_id),
                one_line(&run.started),
                run.totals
            );
        }
        for remark in self.remarks() {
            _ = writeln!(text, "note: {}", one_line(&remark));
        }
        for (title, list) in self.lists() {
            if list.is_empty() {
                continue;
            }
            _ = writeln!(
                text,
                "\n{}",
                paint.bold(&format!("{title} ({})", list.len()))
            );
            for case in list.iter().take(LISTED) {
                _ = writeln!(text, "  {}{}", one_line(&case.id), case.change());
                if let Some(reason) = case.reason.as_ref().filter(|_| title == "newly failing") {
                    _ = writeln!(text, "    {reason}");
                }
            }
            if list.len() > LISTED {
                _ = writeln!(text, "  and {} more", list.len() - LISTED);
            }
        }
        text
    }

    /// The comparison as Markdown, for a pull request.
    pub fn markdown(&self) -> String {
        let mut text = format!("# KubeRay conformance: {}\n\n", self.summary());
        table(
            &mut text,
            "| | Run | Began | Releases | Cases |\n|---|---|---|---|---|",
            [("old", &self.old), ("new", &self.new)]
                .into_iter()
                .map(|(name, run)| {
                    vec![
                        name.into(),
                        code(&run.run_id),
                        escape(&run.started),
                        escape(&run.releases.join(", ")),
                        escape(&run.totals),
                    ]
                }),
        );
        for remark in self.remarks() {
            _ = writeln!(text, "{}.\n", escape(&remark));
        }
        for (title, list) in self.lists() {
            if list.is_empty() {
                continue;
            }
            let open = if title == "newly failing" {
                " open"
            } else {
                ""
            };
            _ = writeln!(
                text,
                "<details{open}><summary>{title} ({})</summary>\n",
                list.len()
            );
            table(
                &mut text,
                "| Case | Old | New | Why |\n|---|---|---|---|",
                list.iter().map(|case| {
                    let side = |word: Option<&str>, seconds: Option<f64>| {
                        let seconds = seconds.map(|seconds| format!(" {seconds:.1} s"));
                        let word = word.unwrap_or("–").to_owned();
                        word + &seconds.unwrap_or_default()
                    };
                    let mut reason = case.reason.as_deref().map(escape).unwrap_or_default();
                    if case.provisional {
                        reason = format!("(provisional) {reason}");
                    }
                    vec![
                        code(&case.id),
                        side(case.before, case.seconds.0),
                        side(case.after, case.seconds.1),
                        reason,
                    ]
                }),
            );
            text.push_str("</details>\n\n");
        }
        text
    }
}

impl CaseDifference {
    /// `: PASS → FAIL`, with the seconds of both where both passed.
    fn change(&self) -> String {
        let provisional = if self.provisional {
            " (provisional)"
        } else {
            ""
        };
        match (self.before, self.after, self.seconds) {
            (Some("PASS" | "FLAKY"), Some("PASS" | "FLAKY"), (Some(old), Some(new))) => {
                format!(": {old:.1} s → {new:.1} s")
            }
            (Some(before), Some(after), _) => format!(": {before} → {after}{provisional}"),
            (None, Some(word), _) => format!(": {word}{provisional}"),
            (Some(word), None, _) => format!(": was {word}"),
            (None, None, _) => String::new(),
        }
    }
}

fn is_slower(old: Option<&CaseResult>, new: &CaseResult) -> bool {
    let (more, times) = SLOWER;
    old.is_some_and(|old| {
        let (before, after) = (old.duration_seconds, new.duration_seconds);
        !old.resumed
            && !new.resumed
            && before > 0.0
            && after - before >= more
            && after >= before * times
    })
}

#[cfg(test)]
#[path = "compare/tests.rs"]
mod tests;
