//! `summary.md`, which is also the summary of a GitHub job.

use std::fmt::Write as _;

use super::final_text::without_verdict;
use super::markdown_text::{code, escape, fenced, table};
use super::rules::{RuleOutcome, summaries};
use super::text::headline;
use super::{CaseResult, RunResult, Totals, command_of, pace, page, rule_results, view};

/// The run as Markdown: totals, rules × releases, failures, cases, rules, images, phases. All but
/// the matrix is folded, so that the page of a GitHub job begins with what counts.
pub fn render_markdown(run: &RunResult) -> String {
    let mut text = format!("# KubeRay conformance: {}\n\n", Totals::of(run));
    if let Some(reason) = &run.interrupted {
        message(&mut text, "**The run did not complete:** ", reason);
    }
    if let Some(reason) = without_verdict(run) {
        message(&mut text, "**Nothing was judged:** ", &reason);
    }
    _ = writeln!(
        text,
        "Run {} began {} and took {:.1} s. Kubernetes {}, {}, harness {}.\n",
        code(&run.run_id),
        escape(&run.started),
        run.duration_seconds,
        escape(&view::kubernetes(&run.environment.kubernetes)),
        escape(&run.environment.engine),
        escape(&run.harness),
    );
    if let Some(command) = command_of(run) {
        _ = writeln!(text, "Repeat it with {}.\n", code(&command));
    }
    for remark in view::remarks(run) {
        _ = writeln!(text, "{}.\n", escape(&remark));
    }
    matrix(&mut text, run);
    failures(&mut text, run);
    folded(&mut text, &format!("Cases ({})", run.cases.len()), |text| {
        cases(text, run);
        conditions(text, run);
    });
    folded(&mut text, "Rules of the contract", |text| rules(text, run));
    if !run.environment.images.is_empty() {
        folded(&mut text, "Images", |text| images(text, run));
    }
    if !run.phases.is_empty() {
        folded(&mut text, "Phases", |text| phases(text, run));
    }
    text
}

/// A part that is shown when its title is chosen.
fn folded(text: &mut String, title: &str, part: impl FnOnce(&mut String)) {
    _ = writeln!(text, "<details><summary>{}</summary>\n", escape(title));
    part(text);
    text.push_str("</details>\n\n");
}

/// Rules × releases.
fn matrix(text: &mut String, run: &RunResult) {
    let matrix = page::matrix::matrix(run);
    if matrix.rows.is_empty() {
        return;
    }
    let columns = matrix.columns.iter().map(|column| {
        let ray = column.with_ray.then(|| format!(" / {}", column.ray));
        escape(&format!("{}{}", column.operator, ray.unwrap_or_default()))
    });
    let columns: Vec<String> = columns.collect();
    let head = format!(
        "| Rule | {} |\n|---|{}",
        columns.join(" | "),
        "---|".repeat(columns.len())
    );
    table(
        text,
        &head,
        matrix.rows.iter().map(|row| {
            let title = format!("{} {}", row.id, row.title);
            let cells = row.cells.iter().map(|cell| match (cell.case, cell.word) {
                (None, _) => "–".to_owned(),
                (_, word @ ("failed" | "new")) => format!("**{word} {}**", cell.count),
                (_, word) => format!("{word} {}", cell.count).trim_end().to_owned(),
            });
            std::iter::once(escape(title.trim())).chain(cells).collect()
        }),
    );
}

fn cases(text: &mut String, run: &RunResult) {
    table(
        text,
        "| Result | Scenario | Level | Rules | Target | KubeRay | Ray | Seconds |\n|---|---|---|---|---|---|---|--:|",
        run.cases.iter().map(|case| {
            let mut result = case.outcome.word().to_owned();
            if case.resumed {
                result.push_str(" (before)");
            }
            if let Some(reason) = case.reason.as_ref().filter(|_| !case.outcome.is_bad()) {
                _ = write!(result, ": {}", escape(reason));
            }
            vec![
                result,
                code(&case.scenario),
                view::level(case.level).into(),
                escape(&case.rules.join(", ")),
                view::target(case.target).into(),
                escape(&case.operator),
                escape(view::ray(case)),
                format!("{:.1}", case.duration_seconds),
            ]
        }),
    );
}

/// What was not as on a cluster of a user.
fn conditions(text: &mut String, run: &RunResult) {
    let mut any = false;
    for case in &run.cases {
        let settings = case.operator_settings.iter();
        let settings =
            settings.map(|(name, value)| format!("the operator ran with {name}={value}"));
        for sentence in settings.chain(case.steps.iter().cloned()) {
            _ = writeln!(text, "- {}: {}", code(&case.id), escape(&sentence));
            any = true;
        }
    }
    if any {
        text.push('\n');
    }
}

fn failures(text: &mut String, run: &RunResult) {
    let mut failed = run
        .cases
        .iter()
        .filter(|case| case.outcome.is_bad())
        .peekable();
    if failed.peek().is_some() {
        text.push_str("## Failures\n\n");
    }
    for case in failed {
        let note = if case.is_provisional_failure() {
            " (provisional)"
        } else {
            ""
        };
        let title = format!("{} {}{note}", case.outcome.word(), case.id);
        folded(text, &title, |text| failure(text, run, case));
    }
}

fn failure(text: &mut String, run: &RunResult, case: &CaseResult) {
    if let Some(reason) = case.own_reason() {
        message(text, "", reason);
    }
    for check in case.bad_checks() {
        let (name, place) = (code(&check.name), code(&check.place(&case.file)));
        let title = format!(
            "**Check {name}** at {place}, after {:.1} s: ",
            check.seconds
        );
        message(text, &title, &check.message);
        for (title, block) in check.blocks() {
            let language = if check.diff.is_some() { "diff" } else { "text" };
            _ = writeln!(text, "{title}:\n");
            fenced(text, language, block);
        }
    }
    let not_judged = case.not_judged();
    if !not_judged.is_empty() {
        _ = writeln!(text, "Not judged: {}.\n", escape(&not_judged.join(", ")));
    }
    if let Some(evidence) = &case.evidence {
        _ = writeln!(text, "Evidence, in the output folder: {}\n", code(evidence));
    }
    _ = writeln!(text, "Repeat it with {}.\n", code(&page::repeat(run, case)));
}

fn rules(text: &mut String, run: &RunResult) {
    let results = rule_results(run);
    for line in summaries(&results) {
        _ = writeln!(text, "{}.\n", escape(&line));
    }
    table(
        text,
        "| Rule | About | KubeRay | Ray | Result | Layer | Scenarios | Passed | Failed | Skipped | Errors |\n\
         |---|---|---|---|---|---|---|--:|--:|--:|--:|",
        results
            .iter()
            .filter(|rule| rule.outcome != RuleOutcome::NotRun)
            .flat_map(|rule| {
                rule.layers.iter().map(|layer| {
                    let scenarios: Vec<String> =
                        layer.scenarios.iter().map(|name| code(name)).collect();
                    vec![
                        escape(&rule.rule),
                        escape(&rule.title),
                        escape(&rule.operator),
                        escape(&rule.ray),
                        rule.verdict(),
                        layer.layer.word().into(),
                        scenarios.join(", "),
                        layer.totals.passed.to_string(),
                        layer.totals.failed.to_string(),
                        layer.totals.skipped.to_string(),
                        layer.totals.errors.to_string(),
                    ]
                })
            }),
    );
}

fn images(text: &mut String, run: &RunResult) {
    table(
        text,
        "| Image | Origin | Made of | Pinned | Digest |\n|---|---|---|---|---|",
        run.environment.images.iter().map(|image| {
            vec![
                code(&image.name),
                view::origin(image.origin).into(),
                escape(&image.source),
                if image.pinned { "yes" } else { "no" }.into(),
                code(&image.digest),
            ]
        }),
    );
}

fn phases(text: &mut String, run: &RunResult) {
    table(
        text,
        "| Phase | Seconds |\n|---|--:|",
        run.phases
            .iter()
            .map(|phase| vec![escape(&phase.name), format!("{:.1}", phase.seconds)]),
    );
    let parts = pace::parts(&run.cases);
    if parts.is_empty() {
        return;
    }
    text.push_str(
        "How the cases' time divides: added up over all cases, and by the clock (time in which at least one case was in this \
         part and none in a part above).\n\n",
    );
    table(
        text,
        "| Part of cases | Seconds, added up | by the clock |\n|---|--:|--:|",
        parts.iter().map(|part| {
            vec![
                part.name.into(),
                format!("{:.1}", part.cases),
                format!("{:.1}", part.clock),
            ]
        }),
    );
}

/// A message after its title; what follows its first line is a block, for it may come from a log.
fn message(text: &mut String, title: &str, message: &str) {
    let (first, rest) = headline(message);
    _ = writeln!(text, "{title}{}\n", escape(&first));
    if let Some(rest) = rest {
        fenced(text, "text", &rest);
    }
}
