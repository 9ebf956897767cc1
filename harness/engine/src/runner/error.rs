//! The reasons why a run can't begin or can't finish.

use std::path::PathBuf;

use super::JournalError;
use crate::artifact::ArtifactError;
use crate::expect::ExpectError;
use crate::operator::OperatorError;
use crate::output::OutputError;
use crate::provider::TargetError;
use crate::reports::ReportError;
use crate::scenario::Diagnostics;
use crate::target::{ClusterError, ContextError};

/// A reason why a run could not begin or could not finish.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Scenario files are malformed.
    #[error("{0}")]
    Scenarios(#[from] Diagnostics),
    /// Snapshots lie beside scenarios that no check looks at.
    #[error("no check refers to {}; remove what is not needed, or add the field to a `pod` check", list(.0))]
    Unreferenced(Vec<PathBuf>),
    /// Snapshots can't be read.
    #[error(transparent)]
    Expect(#[from] ExpectError),
    /// Nothing is left to run.
    #[error("no case is left to run{}", reasons(.0))]
    NoCases(Vec<String>),
    /// A target can't be provided.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The journal of an earlier run can't be used, or this run can't write one.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A Job can't be submitted or collected.
    #[error("{0}")]
    Job(String),
    /// Results of a Job can't be kept or read.
    #[error(transparent)]
    Results(#[from] super::ResultsError),
    /// Results can't be merged.
    #[error(transparent)]
    Merge(#[from] crate::merge::MergeError),
    /// No case can run on the cluster.
    #[error(transparent)]
    Start(#[from] super::StartError),
    /// An object of a case could not be sent or read.
    #[error(transparent)]
    Case(#[from] super::CaseError),
    /// The output folder can't be used.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A report could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl RunError {
    /// Whether arguments or scenario files are to blame, not the environment.
    pub fn is_bad_use(&self) -> bool {
        if let Self::Target(error) = self {
            return error.is_bad_use();
        }
        if let Self::Expect(error) = self {
            return !error.is_of_the_system();
        }
        matches!(
            self,
            Self::Scenarios(_)
                | Self::Unreferenced(_)
                | Self::NoCases(_)
                | Self::Output(OutputError::InUse { .. } | OutputError::NoFolder { .. })
                | Self::Journal(JournalError::OtherRun { .. } | JournalError::Entry { .. })
        )
    }
}

/// Converts the errors of a target's parts, which the provider reports as its own.
macro_rules! of_target {
    ($($error:ty),*) => {
        $(impl From<$error> for RunError {
            fn from(error: $error) -> Self {
                Self::Target(error.into())
            }
        })*
    };
}

of_target!(ArtifactError, ClusterError, ContextError, OperatorError);

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

/// As many reasons as fit on a screen; a single one stands in the same line.
fn reasons(reasons: &[String]) -> String {
    const SHOWN: usize = 8;
    if let [one] = reasons {
        return format!(": {one}");
    }
    let mut text: String = reasons
        .iter()
        .take(SHOWN)
        .map(|reason| format!("\n  - {reason}"))
        .collect();
    if let Some(more) = reasons.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!(
            "\n  - and {more} more; `kuberay-conformance plan` lists all"
        ));
    }
    text
}
