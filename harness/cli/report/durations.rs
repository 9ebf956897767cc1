//! `fixtures/durations.yaml`: how long cells of the lane `kind` took.

use super::{Outcome, RunResult};
use crate::plan::Durations;
use crate::scenario::Lane;

const INTRODUCTION: &str = "\
# Seconds that each cell of the lane kind took, by which `run --shard` divides a plan. Written from a run's results:
#   kuberay-conformance docs durations --results output/results.json > fixtures/durations.yaml
";

/// How long cells took that passed in the lane `kind`; of several runs the later one counts where both have a cell.
///
/// What failed may have waited for its deadline. Cells of the lane `control-plane` are not divided by their own time.
pub fn durations(runs: &[RunResult]) -> Durations {
    let cells = runs.iter().flat_map(|run| &run.cells);
    let timed = cells.filter(|cell| cell.lane == Lane::Kind && cell.outcome == Outcome::Passed);
    timed.map(|cell| (cell.id.clone(), cell.duration_seconds)).collect()
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
        second.cells.truncate(2);
        second.cells[0].duration_seconds = 7.04;
        second.cells[1].outcome = Outcome::Passed;
        second.cells[1].lane = Lane::ControlPlane;
        let id = "kind::1.6.2::2.52.0::before-ray-start";
        assert_eq!(
            render_durations(std::slice::from_ref(&first)),
            format!("{INTRODUCTION}{id}: 22.4\n")
        );
        assert_eq!(render_durations(&[first, second]), format!("{INTRODUCTION}{id}: 7.0\n"));
    }
}
