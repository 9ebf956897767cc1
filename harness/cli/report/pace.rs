//! Where the time of cases went: what is Ray's own start, and what is not.

use jiff::Timestamp;

use super::CaseResult;

/// A part of cases' time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimePart {
    pub(super) name: &'static str,
    /// Of each case, added up.
    pub(super) cases: f64,
    /// By the clock, in which cases run side by side: how long at least one case was in this part,
    /// and none in one above.
    pub(super) clock: f64,
}

/// From when to when, in seconds since some moment.
type Span = (f64, f64);

/// The parts of cases in which containers ran: Ray's own start (from the head's running container
/// to the dashboard's first answer that says what is expected), then what is before it, then what
/// is after it. None where no case tells.
pub(super) fn parts(cases: &[CaseResult]) -> Vec<TimePart> {
    let spans: Vec<[Span; 3]> = cases
        .iter()
        .filter(|case| !case.resumed)
        .filter_map(spans)
        .collect();
    if spans.is_empty() {
        return Vec::new();
    }
    let mut covered: Vec<Span> = Vec::new();
    let mut before = 0.0;
    let names = [
        "Ray's own start",
        "before it: Pods are created, images arrive",
        "after it, or without Ray: what checks wait for",
    ];
    names
        .into_iter()
        .enumerate()
        .map(|(index, name)| {
            let own = spans.iter().map(|spans| spans[index]);
            covered.extend(own.clone());
            let all = covered_seconds(&covered);
            let clock = (all - std::mem::replace(&mut before, all)).max(0.0);
            let cases = own.map(|(from, to)| to - from).sum();
            TimePart { name, cases, clock }
        })
        .collect()
}

/// Ray's start, what is before and what is after it, of a case whose head's container ran.
fn spans(case: &CaseResult) -> Option<[Span; 3]> {
    let applied: Timestamp = case.applied.as_ref()?.parse().ok()?;
    let began = applied.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
    let running = began + case.milestones.get("running")?;
    let last = case
        .checks
        .iter()
        .map(|check| check.seconds)
        .fold(0.0, f64::max);
    let ended = (began + last).max(running);
    let up = case
        .milestones
        .get("rayReady")
        .map_or(running, |up| began + up);
    let up = up.clamp(running, ended);
    Some([(running, up), (began, running), (up, ended)])
}

/// How long at least one of them lasts.
fn covered_seconds(spans: &[Span]) -> f64 {
    let mut spans = spans.to_vec();
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut seconds, mut until) = (0.0, f64::NEG_INFINITY);
    for (from, to) in spans {
        seconds += (to - from.max(until)).max(0.0);
        until = until.max(to);
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn case(applied: &str, running: f64, up: Option<f64>, last: f64) -> CaseResult {
        let mut case = example::run().cases[0].clone();
        case.applied = Some(applied.into());
        case.milestones = up
            .map(|up| ("rayReady".into(), up))
            .into_iter()
            .chain([("running".into(), running)])
            .collect();
        case.checks[0].seconds = last;
        case
    }

    fn seconds(cases: &[CaseResult]) -> Vec<(f64, f64)> {
        let rounded = |seconds: f64| (seconds * 1e3).round() / 1e3;
        let parts = parts(cases);
        parts
            .iter()
            .map(|part| (rounded(part.cases), rounded(part.clock)))
            .collect()
    }

    #[test]
    fn ray_starts_side_by_side_count_once_by_the_clock() {
        let cases = [
            // Starts from 5 to 15, and ends at 25.
            case("2026-11-02T10:00:00Z", 5.0, Some(15.0), 25.0),
            // Starts from 11 to 21, and ends at 22.
            case("2026-11-02T10:00:06Z", 5.0, Some(15.0), 16.0),
        ];
        // One of both starts from 5 to 21; only before 5 and after 21 neither does.
        assert_eq!(seconds(&cases), [(20.0, 16.0), (10.0, 5.0), (11.0, 4.0)]);
    }

    #[test]
    fn a_case_without_ray_has_no_start_of_it() {
        assert_eq!(
            seconds(&[case("2026-11-02T10:00:00Z", 5.0, None, 9.0)]),
            [(0.0, 0.0), (5.0, 5.0), (4.0, 4.0)]
        );
    }

    #[test]
    fn cases_that_tell_nothing_are_left_out() {
        assert_eq!(parts(&example::run().cases), []);
    }
}
