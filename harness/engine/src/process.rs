//! External programs: argument lists in, output out, and errors that say what was being done.

mod identity;
mod lock;
#[cfg(test)]
#[path = "process/tests/other.rs"]
pub(crate) mod other;
mod replace;
mod stop_point;
mod supervised;

pub use identity::{Liveness, ProcessIdentity};
pub(crate) use lock::{FileLock, LockMode, Probe};
pub use lock::{Holder, LockError};
pub use replace::{UNFINISHED, replace_file};
pub(crate) use stop_point::stop_point;
pub(crate) use supervised::last_lines;
pub use supervised::{FirstEnd, OWN_PROGRAM, Start, Supervised, supervisor};

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

/// The limit for a program that only looks: versions, lists, labels. An engine answers late while
/// it stores a large image.
pub const INSPECTION: Duration = Duration::from_mins(5);
/// The limit for a program that starts, changes or removes containers, networks and files of this
/// machine.
pub const CHANGE: Duration = Duration::from_mins(10);
/// The limit for a program that downloads, or that copies images.
pub const TRANSFER: Duration = Duration::from_mins(30);
/// The limit for a program that compiles, or that builds images.
pub const BUILD: Duration = Duration::from_hours(1);

/// How long a program that is asked to end may take for that.
const GRACE: Duration = Duration::from_secs(5);

/// Why an external program did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error(
        "{doing}: `{program}` could not be started ({source}); is it installed and on the PATH?"
    )]
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
    /// It did not end in time.
    #[error("{doing}: `{command}` was ended, because it ran for more than {}{}", minutes(*.limit), tail(.output, .log.as_ref()))]
    Late {
        /// What was being done.
        doing: String,
        /// Program and arguments.
        command: String,
        /// How long it might take.
        limit: Duration,
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

fn minutes(limit: Duration) -> String {
    match limit.as_secs() {
        0 => format!("{} ms", limit.as_millis()),
        seconds if seconds > 60 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
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

/// Makes a command whose process ends when its handle is dropped (a cancelled run leaves no program
/// behind) and that reads no standard input.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A program's name, what it was doing, and its whole command, for errors.
struct Description {
    doing: String,
    program: String,
    command: String,
}

impl Description {
    fn of(command: &Command, doing: &str) -> Self {
        let command = command.as_std();
        let parts = std::iter::once(command.get_program()).chain(command.get_args());
        let parts: Vec<_> = parts
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        Self {
            doing: doing.into(),
            program: parts[0].clone(),
            command: parts.join(" "),
        }
    }

    fn start(self, source: std::io::Error) -> ProcessError {
        ProcessError::Start {
            doing: self.doing,
            program: self.program,
            source,
        }
    }
}

/// Runs to the end, however that is, and returns what was written. The program ends when the future
/// is dropped.
///
/// # Errors
/// Fails when it can't be started and when it does not end within `limit`; it is ended then.
pub async fn run(command: Command, doing: &str, limit: Duration) -> Result<Output, ProcessError> {
    with_input(command, &[], doing, limit).await
}

/// As [`run`], for a program that reads `input` from its standard input.
///
/// # Errors
/// As [`run`]. A program may end without reading all of its input.
pub async fn with_input(
    mut command: Command,
    input: &[u8],
    doing: &str,
    limit: Duration,
) -> Result<Output, ProcessError> {
    let described = Description::of(&command, doing);
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let spawned = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(source) => return Err(described.start(source)),
    };
    let pipes = (child.stdout.take(), child.stderr.take());
    let stdin = child.stdin.take();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A program that ends early closes its input.
            let _ = stdin.write_all(input).await;
        }
        Ok(())
    };
    let ended = async {
        let (status, (), (), ()) = tokio::try_join!(
            child.wait(),
            write,
            read(pipes.0, &mut stdout),
            read(pipes.1, &mut stderr)
        )?;
        Ok::<_, std::io::Error>(status)
    };
    match tokio::time::timeout(limit, ended).await {
        Ok(Ok(status)) => Ok(Output {
            status,
            stdout,
            stderr,
        }),
        Ok(Err(source)) => Err(described.start(source)),
        Err(_) => {
            end(&mut child).await;
            Err(ProcessError::Late {
                doing: described.doing,
                command: described.command,
                limit,
                output: written(&stdout, &stderr),
                log: None,
            })
        }
    }
}

/// Runs to the end and returns what was written to standard output. The program ends when the
/// future is dropped.
///
/// # Errors
/// Fails when it can't be started, does not end within `limit` or ends with a failure; the error
/// holds the last lines of its standard error.
pub async fn output(
    command: Command,
    doing: &str,
    limit: Duration,
) -> Result<String, ProcessError> {
    let described = Description::of(&command, doing);
    let output = run(command, doing, limit).await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(ProcessError::Failed {
        doing: described.doing,
        command: described.command,
        status: output.status,
        output: written(&output.stdout, &output.stderr),
        log: None,
    })
}

/// Runs to the end with standard output and error appended to a file. The program ends when the
/// future is dropped.
///
/// # Errors
/// Fails when it can't be started, does not end within `limit` or ends with a failure; the error
/// names the file and holds its last lines.
pub async fn logged(
    mut command: Command,
    doing: &str,
    log: &Path,
    limit: Duration,
) -> Result<(), ProcessError> {
    let failed = |source| ProcessError::Log {
        doing: doing.into(),
        log: log.into(),
        source,
    };
    let file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(failed)?;
    let second = file.try_clone().map_err(failed)?;
    let described = Description::of(&command, doing);
    let mut child = match command.stdout(file).stderr(second).spawn() {
        Ok(child) => child,
        Err(source) => return Err(described.start(source)),
    };
    let ended = tokio::time::timeout(limit, child.wait()).await;
    let status = match ended {
        Ok(Ok(status)) if status.success() => return Ok(()),
        Ok(Ok(status)) => Some(status),
        Ok(Err(source)) => return Err(described.start(source)),
        Err(_) => {
            end(&mut child).await;
            None
        }
    };
    let Description { doing, command, .. } = described;
    let output = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    let log = Some(log.into());
    Err(match status {
        Some(status) => ProcessError::Failed {
            doing,
            command,
            status,
            output,
            log,
        },
        None => ProcessError::Late {
            doing,
            command,
            limit,
            output,
            log,
        },
    })
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> std::io::Result<()> {
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(into).await?;
    }
    Ok(())
}

/// What tells most about a failure: standard error, or standard output where that is empty.
fn written(stdout: &[u8], stderr: &[u8]) -> String {
    let told = if stderr.trim_ascii().is_empty() {
        stdout
    } else {
        stderr
    };
    String::from_utf8_lossy(told).into_owned()
}

/// Asks a program to end, and kills it where it does not.
async fn end(child: &mut Child) {
    let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(id) = id {
        let _ = kill_process(id, Signal::TERM);
        if tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
            return;
        }
    }
    let _ = child.kill().await;
}

#[cfg(test)]
mod tests;
