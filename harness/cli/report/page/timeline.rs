//! When cases ran, on which slot of the scheduler, and when they reached their milestones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::super::{CaseResult, RunResult, view};

/// The cases of one scheduler.
#[derive(Debug, Serialize)]
pub(super) struct Scheduler {
    title: String,
    slots: Vec<Slot>,
}

/// Cases that ran one after the other.
#[derive(Debug, Serialize)]
struct Slot {
    number: usize,
    bars: Vec<Bar>,
}

/// A case; positions are hundredths of the whole time.
#[derive(Debug, Serialize)]
struct Bar {
    case: usize,
    left: f64,
    width: f64,
    /// Seconds since the first case was applied.
    at: f64,
    /// Seconds to the last verdict.
    seconds: f64,
    /// Name, position within the bar, seconds since the objects were applied.
    marks: Vec<(String, f64, f64)>,
}

/// The timeline.
#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    seconds: f64,
    schedulers: Vec<Scheduler>,
    /// Cases that have no time, such as those that were skipped.
    without: usize,
}

struct Span {
    place: usize,
    from: f64,
    to: f64,
}

/// Makes the timeline; none where no case has a time.
pub(super) fn timeline(run: &RunResult) -> Option<Timeline> {
    let spans: Vec<Span> = run
        .cases
        .iter()
        .enumerate()
        .filter_map(|(place, case)| span(place, case))
        .collect();
    let begin = spans.iter().map(|span| span.from).reduce(f64::min)?;
    let end = spans.iter().map(|span| span.to).fold(begin, f64::max);
    let whole = (end - begin).max(0.001);
    let without = run.cases.len() - spans.len();
    let mut by_scheduler: Vec<(String, Vec<Span>)> = Vec::new();
    for span in spans {
        let title = scheduler(&run.cases[span.place]);
        match by_scheduler.iter_mut().find(|(known, _)| *known == title) {
            Some((_, spans)) => spans.push(span),
            None => by_scheduler.push((title, vec![span])),
        }
    }
    let schedulers = by_scheduler.into_iter().map(|(title, mut spans)| {
        spans.sort_by(|one, other| one.from.total_cmp(&other.from));
        let mut slots: BTreeMap<usize, Vec<Bar>> = BTreeMap::new();
        // Results of before slots were recorded get the first that is free.
        let mut free_from: Vec<f64> = Vec::new();
        for span in spans {
            let case = &run.cases[span.place];
            let slot = case.slot.unwrap_or_else(|| {
                let free = free_from.iter().position(|free| *free <= span.from);
                let slot = free.unwrap_or(free_from.len());
                free_from.resize(free_from.len().max(slot + 1), 0.0);
                free_from[slot] = span.to;
                slot
            });
            slots
                .entry(slot)
                .or_default()
                .push(bar(case, &span, begin, whole));
        }
        Scheduler {
            title,
            slots: slots
                .into_iter()
                .map(|(number, bars)| Slot { number, bars })
                .collect(),
        }
    });
    Some(Timeline {
        seconds: whole,
        schedulers: schedulers.collect(),
        without,
    })
}

fn scheduler(case: &CaseResult) -> String {
    format!("{}, KubeRay {}", view::target(case.target), case.operator)
}

fn span(place: usize, case: &CaseResult) -> Option<Span> {
    let applied: Timestamp = case
        .applied
        .as_ref()
        .filter(|_| !case.resumed)?
        .parse()
        .ok()?;
    let from = applied.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
    let ends = case.checks.iter().map(|check| check.seconds);
    let verdict = ends.filter(|end| end.is_finite()).fold(0.0, f64::max);
    Some(Span {
        place,
        from,
        to: from + verdict,
    })
}

fn bar(case: &CaseResult, span: &Span, begin: f64, whole: f64) -> Bar {
    let share = |seconds: f64, of: f64| (seconds / of * 1e4).round() / 1e2;
    let seconds = span.to - span.from;
    let mut marks: Vec<(String, f64, f64)> = case
        .milestones
        .iter()
        .map(|(name, at)| {
            (
                name.clone(),
                share(*at, seconds.max(0.001)).clamp(0.0, 100.0),
                *at,
            )
        })
        .collect();
    marks.sort_by(|one, other| one.2.total_cmp(&other.2));
    Bar {
        case: span.place,
        left: share(span.from - begin, whole),
        width: share(seconds, whole).max(0.15),
        at: span.from - begin,
        seconds,
        marks,
    }
}

#[cfg(test)]
mod tests {
    use assertables::assert_in_delta;

    use super::*;
    use crate::report::example;

    #[test]
    fn cases_side_by_side_have_slots_of_their_own() {
        let mut run = example::run();
        let case = |applied: &str, seconds: f64| {
            let mut case = run.cases[0].clone();
            case.applied = Some(applied.into());
            case.milestones = [("running".to_owned(), 1.0)].into();
            case.checks[0].seconds = seconds;
            case
        };
        run.cases = vec![
            case("2026-11-02T10:00:00Z", 4.0),
            case("2026-11-02T10:00:01Z", 9.0),
            case("2026-11-02T10:00:05Z", 2.0),
        ];
        let timeline = timeline(&run).unwrap();
        assert_in_delta!(timeline.seconds, 10.0, 1e-6);
        let slots = &timeline.schedulers[0].slots;
        let of = |slot: &Slot| slot.bars.iter().map(|bar| bar.case).collect::<Vec<_>>();
        assert_eq!(
            slots.iter().map(of).collect::<Vec<_>>(),
            [vec![0, 2], vec![1]]
        );
        let first = &slots[0].bars[0];
        assert_in_delta!(first.left, 0.0, 1e-6);
        assert_in_delta!(first.width, 40.0, 1e-6);
        assert_eq!(first.marks, [("running".to_owned(), 25.0, 1.0)]);
    }

    #[test]
    fn without_times_there_is_no_timeline() {
        assert!(timeline(&example::run()).is_none());
    }
}
