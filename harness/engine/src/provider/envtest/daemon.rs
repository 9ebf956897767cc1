//! API servers that stay up: a process of ours keeps them in the background, others attach to
//! them.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use semver::Version;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{Envtest, EnvtestPrograms, EnvtestRelease};
use crate::artifact::{SourcePolicy, Store, Supply};
use crate::process::{
    FileLock, FirstEnd, LockError, OWN_PROGRAM, Probe, ProcessIdentity, last_lines, replace_file,
    stop_point,
};
use crate::progress::Progress;
use crate::provider::state::{EnvtestState, TargetState, TargetUp};
use crate::provider::{EnvtestSpec, OperatorProgram, ReleaseSpec, TargetError};
use crate::results::{Environment, Outcome};
use crate::target::{ClusterError, Holder, Lease, Lock, Patience, end_process};

/// The command of the process that keeps API servers.
pub const DAEMON: &str = "envtest-daemon";
/// The name of that process in lists of processes.
const CALLED: &str = "kuberay-conformance";
/// Longest time for which other processes may probe a daemon's lock, before a new daemon takes the
/// holder for another daemon.
const LOOKED_AT: Duration = Duration::from_secs(10);
/// Interval between two looks whether it has come up or has ended.
const INTERVAL: Duration = Duration::from_millis(100);

/// The record of the daemon for other processes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DaemonRecord {
    daemon: ProcessIdentity,
    since: String,
    environment: Environment,
    releases: Vec<EnvtestRelease>,
}

/// The releases and programs that the daemon brings up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    operators: Vec<Version>,
    ray: Version,
    source: SourcePolicy,
    operator_binary: Option<PathBuf>,
    crds: Option<PathBuf>,
}

impl Wanted {
    fn of(releases: &ReleaseSpec, spec: &EnvtestSpec) -> Self {
        let program = spec.operator.clone();
        Self {
            operators: releases.operators.clone(),
            ray: releases.ray.clone(),
            source: spec.source,
            operator_binary: program.as_ref().map(|own| own.program.clone()),
            crds: program.and_then(|own| own.crds),
        }
    }

    fn specs(self) -> Result<(ReleaseSpec, EnvtestSpec), TargetError> {
        let first = self.operators.first().cloned();
        let first =
            first.ok_or_else(|| TargetError::Daemon("the request names no release".into()))?;
        let releases = ReleaseSpec {
            operators: self.operators,
            ..ReleaseSpec::new(first, self.ray)
        };
        let operator = self.operator_binary.map(|program| OperatorProgram {
            program,
            crds: self.crds,
        });
        let source = self.source;
        let spec = EnvtestSpec {
            source,
            operator,
            ..EnvtestSpec::default()
        };
        Ok((releases, spec))
    }
}

/// The daemon's files.
struct DaemonFiles(PathBuf);

impl DaemonFiles {
    fn open() -> Result<Self, TargetError> {
        let folder = Store::open()?.root().join("envtest-daemon");
        std::fs::create_dir_all(&folder).map_err(file("making", &folder))?;
        Ok(Self(folder))
    }

    /// The file that the daemon has locked as long as it lives.
    fn daemon(&self) -> PathBuf {
        self.0.join("daemon")
    }

    /// Takes the right to bring API servers up, to take them down, or to begin to use them.
    async fn lock(&self, doing: &str, progress: &dyn Progress) -> Result<Lock, TargetError> {
        let lock = Lock::take(&self.0, "API servers", doing, Patience::default(), progress).await;
        lock.map_err(|error| match error {
            ClusterError::Locked { holder, .. } => TargetError::Daemon(format!(
                "the API servers are locked by {holder}; wait for it"
            )),
            error => error.into(),
        })
    }

    fn record_file(&self) -> PathBuf {
        self.0.join("note.json")
    }

    /// Returns the file with the request of `cluster up` to the daemon.
    fn wanted(&self) -> PathBuf {
        self.0.join("wanted.json")
    }

    fn log(&self) -> PathBuf {
        self.0.join("daemon.log")
    }

    /// The daemon's record, where one lives and has everything up.
    fn living(&self) -> Option<DaemonRecord> {
        let probe = FileLock::probe(&self.daemon()).ok()?;
        if !matches!(probe, Probe::Held(_)) {
            stop_point("daemon-probed");
            return None;
        }
        let text = std::fs::read(self.record_file()).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TargetError + use<> {
    let path = path.to_owned();
    move |source| TargetError::File {
        doing,
        path,
        source,
    }
}

/// Keeps the API servers that `cluster up` asks for up until it is asked to end; what `cluster
/// up` starts in the background.
///
/// # Errors
/// When another daemon lives, when they don't come up, or when a program of them ends.
pub async fn keep(
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<(), TargetError> {
    let files = DaemonFiles::open()?;
    let wanted = std::fs::read(files.wanted()).map_err(file("reading", &files.wanted()))?;
    let wanted: Wanted = serde_json::from_slice(&wanted)
        .map_err(|error| file("reading", &files.wanted())(std::io::Error::other(error)))?;
    let (releases, spec) = wanted.specs()?;
    let mut told = false;
    // A process that examines whether a daemon lives shares the lock for a moment.
    let waits = |_: &Holder, waited| {
        if waited < LOOKED_AT && !std::mem::replace(&mut told, true) {
            progress.line("another process is checking the API servers; waiting for it");
        }
        waited < LOOKED_AT
    };
    let _lock = match FileLock::hold(&files.daemon(), "keep API servers up", waits).await {
        Err(LockError::Held { .. }) => {
            return Err(TargetError::Daemon(
                "a daemon already keeps API servers running".into(),
            ));
        }
        lock => lock?,
    };
    stop_point("daemon-locked");
    let _ = std::fs::remove_file(files.record_file());
    let up = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TargetError::Interrupted),
        up = Envtest::start(&releases, &spec, progress) => up?,
    };
    let record = DaemonRecord {
        daemon: ProcessIdentity::current().clone(),
        since: format!("{:.0}", jiff::Timestamp::now()),
        environment: up.environment().clone(),
        releases: up
            .releases()
            .iter()
            .map(EnvtestRelease::that_stays)
            .collect(),
    };
    let text = serde_json::to_vec_pretty(&record).unwrap_or_default();
    replace_file(&files.record_file(), &text, 0o600)
        .map_err(file("writing", &files.record_file()))?;
    let first_end = up.first_end().clone();
    let cause = tokio::select! {
        cause = first_end.ended() => Some(cause),
        () = cancel.cancelled() => None,
    };
    let _ = std::fs::remove_file(files.record_file());
    up.stop().await;
    cause.map_or(Ok(()), |cause| Err(TargetError::Broken(cause)))
}

/// API servers that another process keeps up, and the mark that they are used.
pub(super) struct Daemon {
    record: DaemonRecord,
    first_end: FirstEnd,
    _lease: Lease,
}

impl Daemon {
    /// Attaches to those that are up where they are made of the same, and have all releases.
    pub(super) async fn attach(
        programs: &EnvtestPrograms,
        purpose: &str,
        progress: &dyn Progress,
    ) -> Result<Option<Self>, TargetError> {
        let files = DaemonFiles::open()?;
        if files.living().is_none() {
            return Ok(None);
        }
        // A process that takes them down sees the mark, or has taken them down before.
        let lock = files.lock("attach", progress).await?;
        let Some(record) = files
            .living()
            .filter(|record| programs.is_met_by(&record.environment, &record.releases))
        else {
            return Ok(None);
        };
        stop_point("api-servers-found");
        let lease = Lease::take(&files.0, purpose)?;
        drop(lock);
        let first_end = FirstEnd::default();
        tokio::spawn({
            let (first_end, log, daemon) = (first_end.clone(), files.log(), record.daemon.clone());
            async move {
                while files.living().is_some() {
                    tokio::time::sleep(INTERVAL).await;
                }
                let lines = last_lines(&log, 12).join("\n  | ");
                first_end.report(format!(
                    "{daemon}, which kept the API servers running, has ended\n  | {lines}"
                ));
            }
        });
        Ok(Some(Self {
            record,
            first_end,
            _lease: lease,
        }))
    }

    pub(super) fn releases(&self) -> &[EnvtestRelease] {
        &self.record.releases
    }

    pub(super) fn first_end(&self) -> &FirstEnd {
        &self.first_end
    }
}

/// Brings API servers up and leaves them up.
///
/// # Errors
/// When other API servers are up and used, or these don't come up; the error holds the last
/// lines of the log.
pub async fn up(
    releases: &ReleaseSpec,
    spec: &EnvtestSpec,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<TargetUp, TargetError> {
    // What must be built is built here, where it can be seen.
    let programs = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TargetError::Interrupted),
        programs = EnvtestPrograms::new(releases, spec, &releases.operators, Arc::clone(&progress)) => programs?,
    };
    let files = DaemonFiles::open()?;
    let _lock = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TargetError::Interrupted),
        lock = files.lock("up", &*progress) => lock?,
    };
    if let Some(record) = files.living() {
        if programs.is_met_by(&record.environment, &record.releases) {
            return up_as(&files, record, true);
        }
        end(&files).await?;
    }
    let wanted = serde_json::to_vec_pretty(&Wanted::of(releases, spec)).unwrap_or_default();
    std::fs::write(files.wanted(), wanted).map_err(file("writing", &files.wanted()))?;
    let log = File::create(files.log()).map_err(file("making", &files.log()))?;
    let second = log.try_clone().map_err(file("making", &files.log()))?;
    let mut daemon = Command::new(OWN_PROGRAM);
    daemon.arg0(CALLED).arg(DAEMON).arg(&files.0);
    daemon.envs(Supply::of_process().environment());
    daemon
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(second)
        .process_group(0);
    let mut daemon = daemon
        .spawn()
        .map_err(file("starting", Path::new(OWN_PROGRAM)))?;
    let task = "API servers";
    progress.update(task, "coming up");
    loop {
        if let Some(record) = files.living() {
            progress.finish(task, Outcome::Passed, "they are up");
            return up_as(&files, record, false);
        }
        let ended = daemon
            .try_wait()
            .map_err(file("waiting for", Path::new(OWN_PROGRAM)))?;
        if let Some(status) = ended {
            let lines = last_lines(&files.log(), 20).join("\n  | ");
            return Err(TargetError::Daemon(format!(
                "the process that should keep the API servers up ended with {status}\n  | {lines}"
            )));
        }
        if cancel.is_cancelled() {
            let _ = daemon.kill();
            let _ = daemon.wait();
            return Err(TargetError::Interrupted);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Ends the process that keeps API servers up, and with it all of them; returns whether there was
/// one.
///
/// # Errors
/// When another process uses them.
pub async fn down(progress: &dyn Progress) -> Result<bool, TargetError> {
    let files = DaemonFiles::open()?;
    let _lock = files.lock("down", progress).await?;
    end(&files).await
}

/// Ends the daemon, to be called by the holder of the lock; returns whether there was one.
async fn end(files: &DaemonFiles) -> Result<bool, TargetError> {
    let users = Lease::users(&files.0)?;
    if !users.is_empty() {
        let users: Vec<_> = users.iter().map(Holder::to_string).collect();
        return Err(TargetError::Daemon(format!(
            "the API servers are used by {}; they stay up",
            users.join(" and ")
        )));
    }
    stop_point("api-servers-unused");
    let folder = files.0.display().to_string();
    let ended = end_process(CALLED, &[DAEMON, &folder]).await;
    let _ = std::fs::remove_file(files.record_file());
    Ok(!ended.is_empty())
}

/// Returns the envtest that is up; `None` where none is.
///
/// # Errors
/// When the harness's folder can't be read.
pub(in crate::provider) fn state() -> Result<Option<EnvtestState>, TargetError> {
    let files = DaemonFiles::open()?;
    let record = files.living();
    record.map(|record| state_of(&files, record)).transpose()
}

fn up_as(files: &DaemonFiles, record: DaemonRecord, was_up: bool) -> Result<TargetUp, TargetError> {
    let state = TargetState::Envtest(state_of(files, record)?);
    Ok(TargetUp { state, was_up })
}

fn state_of(files: &DaemonFiles, record: DaemonRecord) -> Result<EnvtestState, TargetError> {
    let users = Lease::users(&files.0)?;
    let releases = record.releases.into_iter();
    Ok(EnvtestState {
        kubernetes: record.environment.kubernetes,
        since: record.since,
        daemon: record.daemon.to_string(),
        releases: releases.map(|up| (up.release, up.kubeconfig)).collect(),
        users: users.iter().map(Holder::to_string).collect(),
    })
}

#[cfg(test)]
mod mutated;
