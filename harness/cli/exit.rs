//! The exit codes of the command line, and the errors that lead to them.

use crate::report::{
    MergeError, Redactor, ReportError, RunResult, RunVerdict, Strictness, run_verdict,
};
use crate::runner::RunError;
use crate::scenario::Diagnostic;

/// Everything passed.
pub(crate) const PASSED: u8 = 0;
/// A scenario failed, or pending snapshots could not be accepted.
pub(crate) const FAILED: u8 = 1;
/// Bad use, or a bad scenario file.
pub(crate) const BAD_USE: u8 = 2;
/// The environment failed.
pub(crate) const ENVIRONMENT: u8 = 3;

/// A second Ctrl-C ended the process at once; shells use this code.
pub(crate) const INTERRUPTED: u8 = 130;

/// Returns the exit code that a run deserves. `strictness` says what counts beside plain failures.
pub(crate) fn of_run(run: &RunResult, strictness: Strictness) -> u8 {
    match run_verdict(run, strictness) {
        RunVerdict::Passed => PASSED,
        RunVerdict::Failed => FAILED,
        RunVerdict::Unproven => ENVIRONMENT,
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Arguments or files that the command cannot use.
    #[error("{message}")]
    BadUse {
        /// What is wrong.
        message: String,
        /// What to do next.
        help: Option<String>,
    },
    /// Problems in files, each with its location.
    #[error("{} problems in files", .0.len())]
    Files(Vec<Diagnostic>),
    /// A run, or work on a target, failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The system, its files or its network failed.
    #[error("{0}")]
    Environment(String),
}

impl CliError {
    /// Returns an error of use without a help line.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "messages and errors come as values"
    )]
    pub(crate) fn bad_use(message: impl ToString) -> Self {
        Self::BadUse {
            message: message.to_string(),
            help: None,
        }
    }

    /// Adds what to do next.
    pub(crate) fn with_help(self, next: impl Into<String>) -> Self {
        match self {
            Self::BadUse { message, .. } => Self::BadUse {
                message,
                help: Some(next.into()),
            },
            other => other,
        }
    }

    /// Returns the exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::BadUse { .. } | Self::Files(_) => BAD_USE,
            Self::Run(error) if error.is_bad_use() => BAD_USE,
            Self::Run(_) | Self::Environment(_) => ENVIRONMENT,
        }
    }

    /// Returns the messages for standard error, without secrets: the error, and what to do next
    /// where that is known.
    pub(crate) fn messages(&self) -> Vec<String> {
        let help = match self {
            Self::BadUse { help, .. } => help.as_ref(),
            _ => None,
        };
        let messages = std::iter::once(format!("error: {self}"))
            .chain(help.map(|help| format!("help: {help}")));
        messages
            .map(|text| Redactor::of_process().redact_text(&text).0)
            .collect()
    }
}

impl From<MergeError> for CliError {
    fn from(error: MergeError) -> Self {
        Self::bad_use(error)
    }
}

impl From<ReportError> for CliError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Read { .. } => Self::bad_use(error),
            ReportError::Write { .. } | ReportError::Render { .. } => {
                Self::Environment(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rstest::rstest;

    use super::*;
    use crate::provider::TargetError;

    #[rstest]
    #[case(CliError::bad_use("no such rule"), BAD_USE, "error: no such rule")]
    #[case(
        CliError::bad_use("no such rule").with_help("write C01"),
        BAD_USE,
        "error: no such rule|help: write C01"
    )]
    #[case(CliError::Files(Vec::new()), BAD_USE, "error: 0 problems in files")]
    #[case(
        CliError::Run(TargetError::OneRelease(2).into()),
        BAD_USE,
        "error: a kind cluster has one release"
    )]
    #[case(
        CliError::Run(TargetError::Interrupted.into()),
        ENVIRONMENT,
        "error: the run was interrupted"
    )]
    #[case(CliError::Environment("the disk is full".into()), ENVIRONMENT, "error: the disk is full")]
    #[case(
        CliError::bad_use("password=c4n4ry-V4lue"),
        BAD_USE,
        "error: password=[redacted]"
    )]
    fn an_error_knows_its_exit_code_and_its_messages(
        #[case] error: CliError,
        #[case] code: u8,
        #[case] text: &str,
    ) {
        assert_eq!(error.exit_code(), code);
        let messages = error.messages().join("|");
        assert!(messages.starts_with(text), "{messages}");
    }

    #[test]
    fn results_that_cannot_be_read_are_bad_use_and_reports_that_cannot_be_written_are_not() {
        let source = || std::io::Error::other("gone");
        let path = PathBuf::from("results.json");
        let read = ReportError::Read {
            path: path.clone(),
            source: source(),
        };
        assert_eq!(CliError::from(read).exit_code(), BAD_USE);
        let write = ReportError::Write {
            path,
            source: source(),
        };
        assert_eq!(CliError::from(write).exit_code(), ENVIRONMENT);
    }
}
