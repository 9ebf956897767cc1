//! The reports of a run, as the engine sees them: it says when they are written, and renderers
//! above it say how.

use std::path::{Path, PathBuf};

use crate::results::{RESULTS_VERSION, RunResult};
use crate::scenario::files::read_regular;
use crate::visible;

/// Writes the reports of a run.
pub trait Reports: Send + Sync {
    /// Returns the names of the files that [`write`](Self::write) writes.
    fn names(&self) -> &[&'static str];

    /// Writes every report into a folder, which is created when absent.
    ///
    /// # Errors
    /// Fails when a file cannot be written.
    fn write(&self, run: &RunResult, folder: &Path) -> Result<(), ReportError>;
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or folder can't be written.
    #[error("writing the report {path} failed: {source}; is the folder writable, and is there free space?", path = .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The results of a run can't be read.
    #[error("reading the results {path} failed: {source}; write them with `kuberay-conformance run`", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The result can't be expressed in the report's form, which is a fault of this program.
    #[error("making the report {name} failed: {source}; results.json may still hold the results")]
    Render {
        /// The report's file name.
        name: &'static str,
        /// What the library says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ReportError {
    /// Returns the error of a renderer.
    pub fn render(
        name: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Render {
            name,
            source: source.into(),
        }
    }
}

/// The name of the file with the results of a run.
pub(crate) const RESULTS: &str = "results.json";
/// No `results.json` is larger, in bytes: a case takes some kilobytes.
const LARGEST: u64 = 128 << 20;

/// Returns the file with the results of a run: the path itself, or `results.json` in it where it is
/// a folder.
pub fn results_file(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(RESULTS)
    } else {
        path.into()
    }
}

/// Reads `results.json` of a run.
///
/// # Errors
/// Fails when there is none, it is of another version, or it is larger than any.
pub fn read_results(path: &Path) -> Result<RunResult, ReportError> {
    Ok(read_results_and_bytes(path)?.0)
}

/// As [`read_results`], with the bytes of the file.
///
/// # Errors
/// As [`read_results`].
pub fn read_results_and_bytes(path: &Path) -> Result<(RunResult, Vec<u8>), ReportError> {
    let read = || {
        let text = read_regular(path, LARGEST)?;
        let run: RunResult = serde_json::from_slice(&text)?;
        if run.version == RESULTS_VERSION {
            check(&run).map_err(std::io::Error::other)?;
            return Ok((run, text));
        }
        Err(std::io::Error::other(format!(
            "it is of the version {}, not {RESULTS_VERSION}",
            run.version
        )))
    };
    read().map_err(|source| ReportError::Read {
        path: path.into(),
        source,
    })
}

/// What no run can have written.
#[derive(Debug, PartialEq, thiserror::Error)]
enum ResultsFault {
    #[error("it contains the time {0:e}")]
    Time(f64),
    #[error("its case {} contains the time {time:e}", visible::line(case))]
    TimeOfCase { case: String, time: f64 },
    #[error(
        "its case {} passed, and its check {} did not",
        visible::line(case),
        visible::line(check)
    )]
    Contradiction { case: String, check: String },
}

/// Looks for a case that passed with a check that did not hold, and for times that are none.
fn check(run: &RunResult) -> Result<(), ResultsFault> {
    // Some thirty years, in seconds.
    let is_no_time = |seconds: &f64| !seconds.is_finite() || seconds.abs() >= 1e9;
    let phases = run.phases.iter().map(|phase| phase.seconds);
    if let Some(time) = phases.chain([run.duration_seconds]).find(is_no_time) {
        return Err(ResultsFault::Time(time));
    }
    for case in &run.cases {
        let name = || case.id.chars().take(200).collect();
        let checks = case.checks.iter().map(|check| check.seconds);
        let milestones = case.milestones.values().copied();
        let mut times = checks.chain(milestones).chain([case.duration_seconds]);
        if let Some(time) = times.find(is_no_time) {
            return Err(ResultsFault::TimeOfCase { case: name(), time });
        }
        let failed = case.checks.iter().find(|check| check.outcome.is_bad());
        if let Some(check) = failed.filter(|_| case.outcome.is_good()) {
            return Err(ResultsFault::Contradiction {
                case: name(),
                check: check.name.clone(),
            });
        }
    }
    Ok(())
}

/// Writes `results.json` alone; the tests of this crate have no renderers.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnlyResults;

#[cfg(test)]
impl Reports for OnlyResults {
    fn names(&self) -> &[&'static str] {
        &["results.json"]
    }

    fn write(&self, run: &RunResult, folder: &Path) -> Result<(), ReportError> {
        let path = folder.join("results.json");
        let write = || {
            std::fs::create_dir_all(folder)?;
            std::fs::write(&path, serde_json::to_vec(run)?)
        };
        write().map_err(|source| ReportError::Write {
            path: path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use assert_matches::assert_matches;

    use super::*;
    use crate::results::{Outcome, example};

    #[test]
    fn results_are_read_and_merged() {
        use proptest::prelude::*;

        use crate::merge::{merge, read_sources};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        let mut run = crate::results::example::run();
        run.planned = run.cases.iter().map(|case| case.id.clone()).collect();
        crate::mutated::try_texts(vec![serde_json::to_vec(&run).unwrap()], |text| {
            std::fs::write(&path, &text).unwrap();
            let Ok((sources, _)) = read_sources(&[folder.path().to_owned()]) else {
                return Ok(());
            };
            match merge(&sources) {
                Ok(merged) => prop_assert!(merged.run.cases.len() <= text.len()),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
            Ok(())
        });
    }

    /// Read whole they would take all memory.
    #[test]
    fn results_larger_than_any_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        std::fs::File::create(&path)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        let error = read_results(&path).unwrap_err();
        assert!(error.to_string().contains("more than 128 MiB"), "{error}");
    }

    #[test]
    fn results_that_no_run_writes_are_refused() {
        assert_eq!(check(&example::run()), Ok(()));
        let mut endless = example::run();
        endless.cases[0].duration_seconds = 1.7e308;
        assert_matches!(check(&endless), Err(ResultsFault::TimeOfCase { .. }));
        let mut before = example::run();
        before.cases[0].milestones = [("ready".to_owned(), -1e308)].into();
        assert_matches!(check(&before), Err(ResultsFault::TimeOfCase { .. }));
        let mut contradicting = example::run();
        contradicting.cases[0].outcome = Outcome::Passed;
        contradicting.cases[0].checks[0].outcome = Outcome::Failed;
        let problem = check(&contradicting).unwrap_err().to_string();
        assert!(problem.contains("passed, and its check"), "{problem}");
    }
}
