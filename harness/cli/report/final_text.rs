//! What a run prints at its end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::rules::text_summaries;
use super::text::{Paint, clean, headline, one_line};
use super::{
    CaseResult, CheckResult, Origin, Outcome, RunResult, RunVerdict, Strictness, Totals,
    proves_nothing, run_verdict, view,
};

/// Cases that are skipped for one reason are named up to this number, else counted.
const FEW: usize = 3;

/// Every failure in full, then what else did not pass, then rules, images and totals. Cases that
/// passed are counted; progress names them as they end.
///
/// Lines that come from a cluster are marked with `│`.
pub fn render_text(run: &RunResult, colour: bool) -> String {
    let paint = Paint::new(colour);
    let mut text = String::new();
    for case in run.cases.iter().filter(|case| case.outcome.is_bad()) {
        failure(&mut text, case, paint);
        text.push('\n');
    }
    let others = run
        .cases
        .iter()
        .filter(|case| !case.outcome.is_bad() && case.outcome != Outcome::Passed);
    let mut skipped: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for case in others {
        match (case.outcome, case.reason.as_deref()) {
            (Outcome::Skipped, Some(reason)) => skipped.entry(reason).or_default().push(case),
            _ => _ = writeln!(text, "{}", case_line(case, paint)),
        }
    }
    for (reason, cases) in skipped {
        match cases.as_slice() {
            few if few.len() <= FEW => {
                for case in few {
                    _ = writeln!(text, "{}", case_line(case, paint));
                }
            }
            many => {
                let word = paint.outcome(Outcome::Skipped, 5);
                _ = writeln!(text, "{word} {} cases: {}", many.len(), one_line(reason));
            }
        }
    }
    if let Some(reason) = &run.interrupted {
        _ = writeln!(text, "{}", paint.red("the run did not complete:"));
        lines(&mut text, "  ", reason);
    }
    if let Some(reason) = without_verdict(run) {
        _ = writeln!(text, "{}", paint.red(&reason));
    }
    for line in text_summaries(run) {
        _ = writeln!(text, "{}", one_line(&line));
    }
    if let Some(line) = images(run) {
        _ = writeln!(text, "{line}");
    }
    for remark in view::remarks(run) {
        _ = writeln!(text, "{remark}");
    }
    let totals = Totals::of(run);
    let line = format!("{totals} in {:.1}s", run.duration_seconds);
    let good = run_verdict(run, Strictness::default()) == RunVerdict::Passed;
    _ = writeln!(
        text,
        "{}",
        if good {
            paint.green(&line)
        } else {
            paint.red(&line)
        }
    );
    text
}

/// Where images came from, and where their digests are.
fn images(run: &RunResult) -> Option<String> {
    let all = &run.environment.images;
    let count = |origin| {
        (
            all.iter().filter(|image| image.origin == origin).count(),
            view::origin(origin),
        )
    };
    let kinds = [Origin::Built, Origin::Pulled, Origin::Existing].map(count);
    let kinds: Vec<_> = kinds.iter().filter(|(count, _)| *count > 0).collect();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let loose = all.iter().filter(|image| !image.pinned).count();
    let loose = if loose == 0 {
        String::new()
    } else {
        format!(", {loose} of them unpinned")
    };
    (!all.is_empty()).then(|| {
        format!(
            "images and programs: {}{loose} (digests in summary.md)",
            kinds.join(", ")
        )
    })
}

fn case_line(case: &CaseResult, paint: Paint) -> String {
    let word = paint.outcome(case.outcome, 5);
    let mut line = format!(
        "{word} {:>7.1}s  {}",
        case.duration_seconds,
        one_line(&case.id)
    );
    if case.is_provisional_failure() {
        line.push_str(" (provisional)");
    }
    if case.resumed {
        line.push_str(" (before)");
    }
    if matches!(
        case.outcome,
        Outcome::Skipped | Outcome::Flaky | Outcome::New
    ) && let Some(reason) = &case.reason
    {
        _ = write!(line, ": {}", one_line(reason));
    }
    line
}

fn failure(text: &mut String, case: &CaseResult, paint: Paint) {
    let word = paint.outcome(case.outcome, 0);
    _ = writeln!(text, "{word} {}", paint.bold(&one_line(&case.id)));
    if let Some(reason) = case.own_reason() {
        lines(text, "  ", reason);
    }
    for check in case.bad_checks() {
        check_in_full(text, case, check, paint);
    }
    let not_judged = case.not_judged();
    if !not_judged.is_empty() {
        _ = writeln!(text, "  not judged: {}", one_line(&not_judged.join(", ")));
    }
    if let Some(evidence) = &case.evidence {
        _ = writeln!(
            text,
            "  evidence, in the output folder: {}",
            one_line(evidence)
        );
    }
}

fn check_in_full(text: &mut String, case: &CaseResult, check: &CheckResult, paint: Paint) {
    let place = one_line(&check.place(&case.file));
    let name = one_line(&check.name);
    _ = writeln!(
        text,
        "  {} at {place}, after {:.1}s",
        paint.bold(&name),
        check.seconds
    );
    lines(text, "    ", &check.message);
    for (title, block) in check.blocks() {
        _ = writeln!(text, "    {title}:");
        let is_diff = check.diff.is_some();
        for line in clean(block).lines() {
            let line = match line.as_bytes().first() {
                Some(b'-') if is_diff => paint.red(line),
                Some(b'+') if is_diff => paint.green(line),
                _ => line.into(),
            };
            _ = writeln!(text, "    {} {line}", paint.dim("│"));
        }
    }
}

/// A message; what follows its first line is marked, for it may come from a log.
fn lines(text: &mut String, indent: &str, message: &str) {
    let (first, rest) = headline(message);
    _ = writeln!(text, "{indent}{first}");
    for line in rest.iter().flat_map(|rest| rest.lines()) {
        _ = writeln!(text, "{indent}│ {line}");
    }
}

/// Says that a run proves nothing, where it reached its end and no case has a verdict.
pub(super) fn without_verdict(run: &RunResult) -> Option<String> {
    let totals = Totals::of(run);
    proves_nothing(run)
        .then(|| format!("no case has a verdict, so the run proves nothing: {totals}"))
}
