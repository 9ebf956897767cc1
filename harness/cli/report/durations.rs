//! `fixtures/durations.yaml`: how long cases of kind took.

use super::{CaseResult, Outcome, RunResult};
use crate::plan::Durations;
use crate::scenario::TargetKind;
use crate::visible::is_unseen;

const INTRODUCTION: &str = "\
# Seconds that each case of kind took, by which `run --shard` divides a plan. Written from a run's results:
#   kuberay-conformance docs durations --results output/results.json > fixtures/durations.yaml
";

/// How long cases took that passed on kind; of several runs the later one counts where both have a
/// case.
///
/// What failed may have waited for its deadline, and no id has a character that can't be seen.
/// Cases of envtest are not divided by their own time.
pub fn durations(runs: &[RunResult]) -> Durations {
    let cases = runs.iter().flat_map(|run| &run.cases);
    let is_timed =
        |case: &CaseResult| case.target == TargetKind::Kind && case.outcome == Outcome::Passed;
    let timed = cases.filter(|case| is_timed(case) && !case.id.contains(is_unseen));
    timed
        .map(|case| (case.id.clone(), case.duration_seconds))
        .collect()
}

/// The whole file.
pub fn render_durations(runs: &[RunResult]) -> String {
    format!("{INTRODUCTION}{}", durations(runs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn what_passed_on_kind_is_written_and_the_later_run_counts() {
        let first = example::run();
        let mut second = example::run();
        second.cases.truncate(2);
        second.cases[0].duration_seconds = 7.04;
        second.cases[1].outcome = Outcome::Passed;
        second.cases[1].target = TargetKind::Envtest;
        let id = "kind::1.6.2::2.52.0::before-ray-start";
        assert_eq!(
            render_durations(std::slice::from_ref(&first)),
            format!("{INTRODUCTION}{id}: 22.4\n")
        );
        assert_eq!(
            render_durations(&[first, second]),
            format!("{INTRODUCTION}{id}: 7.0\n")
        );
    }
}
