//! External programs: argument lists in, output out, and errors that say what was being done.

mod guarded;
mod identity;
mod lock;
#[cfg(test)]
#[path = "tests/other.rs"]
pub(crate) mod other;
mod stop_point;

pub(crate) use guarded::last_lines;
pub use guarded::{Alarm, Guarded, OWN_PROGRAM, Start, guarded_helper};
pub use identity::{Liveness, ProcessIdentity};
pub(crate) use lock::{FileLock, LockMode, Probe};
pub use lock::{Holder, LockError};
pub(crate) use stop_point::stop_point;

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

/// Why an external program did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("{doing}: `{program}` could not be started ({source}); is it installed and on the PATH?")]
    Start {
        /// What was being done.
        doing: String,
        /// The program.
        program: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// It ended with a failure.
    #[error("{doing}: `{command}` failed with {status}{}", tail(.output, .log.as_ref()))]
    Failed {
        /// What was being done.
        doing: String,
        /// Program and arguments.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The last lines that it wrote.
        output: String,
        /// Where all of its output is, when it went to a file.
        log: Option<PathBuf>,
    },
    /// Its output file could not be made.
    #[error("{doing}: the log {log} could not be written: {source}", log = .log.display())]
    Log {
        /// What was being done.
        doing: String,
        /// The file.
        log: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

fn tail(output: &str, log: Option<&PathBuf>) -> String {
    let mut text = String::new();
    let lines: Vec<&str> = output.trim_end().lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(15)) {
        text.push_str("\n  | ");
        text.push_str(line);
    }
    if let Some(log) = log {
        text.push_str(&format!("\n  all of its output: {}", log.display()));
    }
    text
}

/// Makes a command whose process ends when its handle is dropped (a cancelled run leaves no program behind) and that
/// reads no standard input.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn display(command: &Command) -> String {
    let command = command.as_std();
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs to the end and returns what was written to standard output.
///
/// # Errors
/// When it can't be started or ends with a failure; the error holds the last lines of its standard error.
pub async fn output(mut command: Command, doing: &str) -> Result<String, ProcessError> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let shown = display(&command);
    let output = command.output().await.map_err(|source| ProcessError::Start {
        doing: doing.into(),
        program,
        source,
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut written = String::from_utf8_lossy(&output.stderr).into_owned();
    if written.trim().is_empty() {
        written = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    Err(ProcessError::Failed {
        doing: doing.into(),
        command: shown,
        status: output.status,
        output: written,
        log: None,
    })
}

/// Runs to the end with standard output and error appended to a file.
///
/// # Errors
/// When it can't be started or ends with a failure; the error names the file and holds its last lines.
pub async fn logged(mut command: Command, doing: &str, log: &std::path::Path) -> Result<(), ProcessError> {
    let failed = |source| ProcessError::Log {
        doing: doing.into(),
        log: log.into(),
        source,
    };
    let file = File::options().create(true).append(true).open(log).map_err(failed)?;
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let shown = display(&command);
    let second = file.try_clone().map_err(failed)?;
    let status = command
        .stdout(file)
        .stderr(second)
        .status()
        .await
        .map_err(|source| ProcessError::Start {
            doing: doing.into(),
            program,
            source,
        })?;
    if status.success() {
        return Ok(());
    }
    let written = std::fs::read_to_string(log).unwrap_or_default();
    Err(ProcessError::Failed {
        doing: doing.into(),
        command: shown,
        status,
        output: written,
        log: Some(log.into()),
    })
}
