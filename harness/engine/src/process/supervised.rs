//! Long-lived programs that never outlive this process, not even when it is killed, and that tell
//! when they end.
//!
//! A program is started through this program itself: as its helper it asks the system to be killed
//! when its parent ends (`PR_SET_PDEATHSIG`), and then becomes the other program, which keeps that.
//! The system takes the *thread* that started a child for its parent, so that all are started by
//! one thread that lives as long as this process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{ProcessError, command};

/// The first argument of a process that is such a helper.
const HELPER: &str = "run-supervised";

/// This program, also when its file has been replaced since it was started.
pub const OWN_PROGRAM: &str = "/proc/self/exe";

/// How many lines of its log tell why a program ended.
const TOLD_LINES: usize = 8;

/// To be called first by `main`: when this process was started by [`Supervised::start`], becomes
/// the program that was asked for and returns only where that fails; else returns `None`.
#[must_use]
pub fn supervisor() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != HELPER {
        return None;
    }
    let parent = arguments
        .next()
        .and_then(|pid| pid.to_str()?.parse::<i32>().ok());
    let Some((parent, program)) = parent.zip(arguments.next()) else {
        eprintln!("{HELPER}: the parent's id and a program are needed");
        return Some(ExitCode::FAILURE);
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        eprintln!("{HELPER}: this system can't bind a program to the life of its parent: {error}");
        return Some(ExitCode::FAILURE);
    }
    // The parent may have ended before it was asked for.
    if getppid().map(Pid::as_raw_pid) != Some(parent) {
        return Some(ExitCode::FAILURE);
    }
    let error = std::process::Command::new(&program).args(arguments).exec();
    eprintln!("{} could not be started: {error}", program.display());
    Some(ExitCode::FAILURE)
}

/// The first end of several programs that should run on; clones share it.
#[derive(Debug, Clone)]
pub struct FirstEnd(Arc<watch::Sender<Option<String>>>);

impl Default for FirstEnd {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl FirstEnd {
    /// Which program ended and how, with the last lines that it wrote.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Waits for the first end, and returns its cause.
    pub async fn ended(&self) -> String {
        let mut receiver = self.0.subscribe();
        let cause = receiver
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|cause| cause.clone());
        match cause {
            Some(cause) => cause,
            None => std::future::pending().await,
        }
    }

    /// Reports an end. Only the first one counts.
    pub(crate) fn report(&self, cause: String) {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(cause);
            }
            first
        });
    }
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// What it is called in messages, such as `kube-apiserver of 1.6.2`.
    pub name: String,
    /// The program's file.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its whole environment; nothing of our own is handed on, so that a variable of the user's
    /// can't change results.
    pub env: BTreeMap<String, String>,
    /// Where its output goes; an existing file is replaced.
    pub log: &'a Path,
    /// A program whose `main` calls [`supervisor`]; [`OWN_PROGRAM`] where this process is one.
    pub helper: &'a Path,
}

/// A program that runs until this is stopped or dropped.
#[derive(Debug)]
pub struct Supervised {
    name: String,
    log: PathBuf,
    id: u32,
    stop: CancellationToken,
    ended: watch::Receiver<Option<ExitStatus>>,
    task: JoinHandle<()>,
}

impl Supervised {
    /// Starts a program, and reports to `first_end` when it ends by itself. Must be called within
    /// a tokio runtime.
    ///
    /// # Errors
    /// When it can't be started or its log can't be made.
    pub fn start(start: Start<'_>, first_end: &FirstEnd) -> Result<Self, ProcessError> {
        let doing = format!("starting {}", start.name);
        let failed = |source| ProcessError::Log {
            doing: doing.clone(),
            log: start.log.into(),
            source,
        };
        let file = File::create(start.log).map_err(failed)?;
        let second = file.try_clone().map_err(failed)?;
        let mut helper = command(start.helper);
        helper.arg(HELPER).arg(std::process::id().to_string());
        helper.arg(start.program).args(&start.arguments);
        helper
            .env_clear()
            .envs(&start.env)
            .stdout(file)
            .stderr(second);
        // A group of its own: Ctrl-C in the terminal is for us, who still need it for evidence.
        helper.process_group(0);
        let mut child = spawn(helper).map_err(|source| ProcessError::Start {
            doing,
            program: start.program.display().to_string(),
            source,
        })?;
        let id = child.id().unwrap_or_default();
        let stop = CancellationToken::new();
        let (tell, ended) = watch::channel(None);
        let task = tokio::spawn({
            let (stop, first_end) = (stop.clone(), first_end.clone());
            let (name, log) = (start.name.clone(), start.log.to_owned());
            async move {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {
                        let _ = child.kill().await;
                    }
                    status = child.wait() => {
                        let Ok(status) = status else { return };
                        first_end.report(told(&name, id, status, &log));
                        tell.send_replace(Some(status));
                    }
                }
            }
        });
        Ok(Self {
            name: start.name,
            log: start.log.into(),
            id,
            stop,
            ended,
            task,
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The file with its output.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Waits for its end, should it come by itself; returns how it ended, with its last lines.
    pub async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        let status = ended
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|status| *status);
        match status {
            Some(status) => told(&self.name, self.id, status, &self.log),
            None => std::future::pending().await,
        }
    }

    /// Kills it and waits until it is gone.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop.cancel();
        // A task that is not run any more would not kill: with it the handle goes, which does.
        self.task.abort();
    }
}

/// Starts a child on the thread that lives as long as this process.
fn spawn(mut command: Command) -> std::io::Result<Child> {
    type Work = Box<dyn FnOnce() + Send>;
    static DAEMON: OnceLock<Sender<Work>> = OnceLock::new();
    let daemon = DAEMON.get_or_init(|| {
        let (sender, receiver) = channel::<Work>();
        std::thread::spawn(move || receiver.into_iter().for_each(|work| work()));
        sender
    });
    let runtime = tokio::runtime::Handle::current();
    let (answer, answered) = channel();
    let work = move || {
        let _inside = runtime.enter();
        let _ = answer.send(command.spawn());
    };
    let gone = |_| std::io::Error::other("the thread that starts programs has ended");
    daemon
        .send(Box::new(work))
        .map_err(|error| gone(error.to_string()))?;
    answered.recv().map_err(|error| gone(error.to_string()))?
}

fn told(name: &str, id: u32, status: ExitStatus, log: &Path) -> String {
    let mut text = format!("{name} (process {id}) ended with {status}");
    for line in last_lines(log, TOLD_LINES) {
        text.push_str("\n  | ");
        text.push_str(&line);
    }
    text
}

/// The last lines of a log that may be large.
pub(crate) fn last_lines(log: &Path, count: usize) -> Vec<String> {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let cut = |line: &&str| line.chars().take(400).collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(cut)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start<'a>(script: &str, log: &'a Path, helper: &'a Path) -> Start<'a> {
        Start {
            name: "a program".into(),
            program: Path::new("/bin/sh"),
            arguments: vec!["-c".into(), script.into()],
            env: BTreeMap::from([("GIVEN".into(), "yes".into())]),
            log,
            helper,
        }
    }

    /// Stands in for our own program, which a unit test is not: drops the helper's two arguments.
    fn helper(folder: &Path) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("helper");
        std::fs::write(&path, "#!/bin/sh\nshift 2\nexec \"$@\"\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn an_end_is_reported_with_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let (log, helper) = (folder.path().join("log"), helper(folder.path()));
        let first_end = FirstEnd::default();
        let program = Supervised::start(
            start("echo one; echo \"two $GIVEN $HOME\"; exit 7", &log, &helper),
            &first_end,
        )
        .unwrap();
        let cause = first_end.ended().await;
        assert!(cause.contains("a program (process "), "{cause}");
        assert!(cause.contains("exit status: 7"), "{cause}");
        assert!(cause.ends_with("| one\n  | two yes "), "{cause}");
        assert_eq!(program.ended().await, cause);
    }

    #[tokio::test]
    async fn a_stop_is_not_reported() {
        let folder = tempfile::tempdir().unwrap();
        let (log, helper) = (folder.path().join("log"), helper(folder.path()));
        let first_end = FirstEnd::default();
        let program = Supervised::start(start("exec sleep 60", &log, &helper), &first_end).unwrap();
        let id = program.id();
        program.stop().await;
        assert!(!Path::new("/proc").join(id.to_string()).exists());
        assert_eq!(first_end.cause(), None);
    }
}
