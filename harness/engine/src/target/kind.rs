//! kind clusters: up, down, attach, status.

mod making;
mod sharing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kuberay_manifest::Severity;
use tokio::sync::watch;

use super::error::ClusterError;
use super::handle::{ClusterHandle, EarlyCluster, Status};
use super::kind_config::{AUDIT_LOG, Extras, kind_config};
use super::lock::{Holder, Lease, Lock, Patience};
use super::node_facts::NodeFacts;
use super::preflight;
use super::registry;
use super::remove::{KIND_LABEL, Removed, Remover};
use super::state::{ClusterRecord, Complete, StateFile};
pub use super::unpacked::Unpack;
use super::{authority, node, push, ready};
use crate::artifact::Image;
use crate::container::Engine;
use crate::container::Host;
use crate::progress::Progress;
use crate::results::{Outcome, Phase};

/// Raised when a cluster that an older harness made can't be used any more.
const FORM: &str = "1";

const TASK: &str = "cluster";

/// The task that the lock of a cluster names while a process creates the cluster.
pub(crate) const UP: &str = "up";
/// The task that the lock names while the operator in the cluster is replaced.
pub(crate) const UPGRADE: &str = "operator upgrades";

/// The file that [`KindCluster::note`] names.
const NOTE: &str = "target.json";

/// The folder of the audit log in the cluster's own.
const AUDIT: &str = "audit";

/// Longest wait for the answer of an API server that is up.
const ANSWER: Duration = Duration::from_secs(10);

/// Clusters made with kind, each known by its name.
pub struct KindCluster {
    engine: Engine,
    name: String,
    folder: PathBuf,
    progress: Arc<dyn Progress>,
}

/// The parts and options of a cluster.
#[derive(Debug, Clone)]
pub struct UpOptions<'a> {
    /// The kind program.
    pub kind: &'a Path,
    /// The nodes' image.
    pub node_image: &'a Image,
    /// The image of the local registry; `None` for a cluster without one.
    pub registry_image: Option<&'a Image>,
    /// The folder where the registry keeps what is pushed, also when the cluster is gone.
    pub registry_data: &'a Path,
    /// The images that nodes find unpacked; `None` where each node unpacks the images that it
    /// starts. Needs a registry.
    pub unpacked: Option<Unpack<'a>>,
    /// Nodes beside the control plane.
    pub workers: u32,
    /// As many serve as well, in a cluster that is up already.
    pub least_workers: u32,
    /// Whether the API server writes an audit log, below the cluster's folder: see
    /// [`KindCluster::audit_log`].
    pub audit: bool,
    /// Whether nodes ask the public registries for what the local one lacks.
    pub upstream: bool,
    /// The behaviour while another process works on the cluster.
    pub patience: Patience,
    /// Longest time until the nodes are Ready.
    pub deadline: Duration,
    /// A program whose `main` calls [`registry_helper`](super::registry_helper); `None` is this
    /// program itself.
    pub helper: Option<&'a Path>,
    /// The purpose of the cluster, shown to other processes that would change it.
    pub purpose: &'a str,
    /// Whether it stays when nobody uses it any more, until it is taken down.
    pub keep: bool,
}

/// The fate of a cluster that a run no longer uses.
#[derive(Debug)]
pub(crate) enum Left {
    /// No other process used it, so it is removed.
    Removed,
    /// It stays until `cluster down`.
    Kept,
    /// Others use it, bring it up or remove it: it is theirs.
    ToOthers(Vec<Holder>),
}

impl KindCluster {
    /// A cluster by its name; nothing is made yet. `state` is the harness's folder, in which the
    /// cluster gets its own.
    ///
    /// # Errors
    /// When the name can't be one.
    pub fn new(
        engine: Engine,
        name: &str,
        state: &Path,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, ClusterError> {
        let is_good = (1..=40).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if !is_good {
            return Err(ClusterError::Name(name.into()));
        }
        Ok(Self {
            engine,
            name: name.into(),
            folder: Self::folder(state, name),
            progress,
        })
    }

    /// The folder of a cluster below the harness's own, `state`.
    #[must_use]
    pub fn folder(state: &Path, name: &str) -> PathBuf {
        state.join("clusters").join(name)
    }

    /// Where the kubeconfig is when the cluster is up.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Where the API server of a cluster that was made with an audit log writes it; `state` is the
    /// harness's folder.
    #[must_use]
    pub fn audit_log(state: &Path, name: &str) -> PathBuf {
        Self::folder(state, name).join(AUDIT).join(AUDIT_LOG)
    }

    /// Brings the cluster up, or uses the one that is up when it is made of the same.
    ///
    /// # Errors
    /// When the machine can't run it, another process works on it or uses one that is made of
    /// something else, or a step fails. What was made by then stays for a look at it; the next
    /// `cluster up` or `cluster down` removes it.
    pub async fn up(&self, options: &UpOptions<'_>) -> Result<ClusterHandle, ClusterError> {
        let nothing = async |_: EarlyCluster| Ok::<_, ClusterError>(());
        let (handle, ()) = self.up_with(options, nothing).await?;
        Ok(handle)
    }

    /// As [`up`](Self::up), and does `work` as soon as the API server answers, while the nodes may
    /// still become ready.
    ///
    /// # Errors
    /// As [`up`](Self::up), and those of `work`, after which the cluster is up.
    pub async fn up_with<T, E: From<ClusterError>>(
        &self,
        options: &UpOptions<'_>,
        work: impl AsyncFnOnce(EarlyCluster) -> Result<T, E>,
    ) -> Result<(ClusterHandle, T), E> {
        let lock = self.lock(UP, options.patience).await?;
        self.up_holding(&lock, options, work).await
    }

    /// As [`up_with`](Self::up_with), by a process that holds the cluster's lock.
    ///
    /// # Errors
    /// As [`up_with`](Self::up_with).
    pub(crate) async fn up_holding<T, E: From<ClusterError>>(
        &self,
        _lock: &Lock,
        options: &UpOptions<'_>,
        work: impl AsyncFnOnce(EarlyCluster) -> Result<T, E>,
    ) -> Result<(ClusterHandle, T), E> {
        let facts = node::facts(&self.engine, &options.node_image.local_name).await?;
        let host = Host::read(&self.folder, &self.engine.storage);
        self.preflight(&host, &facts)?;
        let digest = &options.node_image.record.digest;
        let audit = self.folder.join(AUDIT);
        // Where its images come from, and whom its nodes trust, makes a cluster no other one.
        let plain = Extras {
            audit: options.audit.then_some(audit.as_path()),
            ..Extras::default()
        };
        let made_of = |workers: u32| {
            let config = kind_config(&facts, &host, workers, plain);
            push::hash(&[FORM, &options.node_image.local_name, digest, &config])
        };
        let key = made_of(options.workers);

        let mut state = self
            .load()?
            .unwrap_or_else(|| ClusterRecord::new(&self.name, self.engine.kind));
        // What somebody brought up to stay does; what was left half-made is as good as not there.
        state.kept = options.keep || (state.kept && state.complete.is_some());
        let mut phases = Phases::start();
        // One with more nodes than are wanted serves as well.
        let larger = u32::try_from(state.nodes().len())
            .unwrap_or(u32::MAX)
            .saturating_sub(1);
        let serves =
            |found: &str| (options.least_workers..=larger).any(|workers| made_of(workers) == found);
        if let Some(complete) = state
            .complete
            .clone()
            .filter(|complete| serves(&complete.key))
            && self.is_usable(&state).await
        {
            self.file().save(&state)?;
            let start = self.plan_registry(&mut state, options)?;
            self.feed(&state, start.as_ref(), options).await?;
            phases.end("cluster reuse");
            let (_, ready) = watch::channel(true);
            let done = work(self.early(&state, ready).await?).await?;
            phases.end("operator");
            let handle = self.handle(
                &state,
                complete.kubernetes,
                true,
                phases.ended,
                options.purpose,
            )?;
            return Ok((handle, done));
        }
        self.clear(&mut state).await?;
        let start = self.plan(&mut state, &host, options).await?;
        let shared = self.share(&mut state, start.as_ref(), options).await;
        let joins = options.workers > 0;
        let authority = joins
            .then(|| authority::write(&self.folder, &self.node_names(0)[0]))
            .transpose()?;
        let extras = Extras {
            unpacked: shared.as_ref().map(|shared| shared.folder.as_path()),
            authority: authority.as_deref(),
            ..plain
        };
        let config = kind_config(&facts, &host, options.workers, extras);
        phases.end("cluster preparation");

        // The registry starts while kind waits for the control plane.
        let registry = async {
            match &start {
                Some((start, socket, helper)) => {
                    registry::ensure(&self.engine, start, socket, helper).await
                }
                None => Ok(()),
            }
        };
        let image = shared.as_ref().map(|shared| shared.node_image.as_str());
        let image = image.unwrap_or(&options.node_image.local_name);
        tokio::try_join!(self.create(&state, &config, image, options), registry)?;
        self.feed(&state, start.as_ref(), options).await?;
        phases.end("cluster start");
        let (tell, ready) = watch::channel(false);
        let early = self.early(&state, ready).await?;
        let client = early.client.clone();
        let ready =
            async { Ok::<_, E>(self.ready(&client, &state, &facts, options, &tell).await?) };
        // Where the work fails, the cluster is up all the same.
        let (kubernetes, done) = tokio::try_join!(ready, async { Ok(work(early).await) })?;
        phases.end("nodes and operator");
        let since = format!("{:.0}", jiff::Timestamp::now());
        state.complete = Some(Complete {
            key,
            kubernetes: kubernetes.clone(),
            since,
        });
        self.file().save(&state)?;
        self.progress.finish(
            TASK,
            Outcome::Passed,
            &format!("{} is up, Kubernetes {kubernetes}", self.name),
        );
        let done = done?;
        let handle = self.handle(&state, kubernetes, false, phases.ended, options.purpose)?;
        Ok((handle, done))
    }

    async fn early(
        &self,
        state: &ClusterRecord,
        ready: watch::Receiver<bool>,
    ) -> Result<EarlyCluster, ClusterError> {
        Ok(EarlyCluster {
            ready,
            client: ready::client(&self.kubeconfig()).await?,
            name: self.name.clone(),
            engine: self.engine.clone(),
            registry: state.registry.clone(),
        })
    }

    /// Uses the cluster that is up, as it is.
    ///
    /// # Errors
    /// When none is up.
    pub async fn attach(&self, purpose: &str) -> Result<ClusterHandle, ClusterError> {
        let lock = self.lock("attach", Patience::default()).await?;
        self.attach_holding(&lock, purpose).await
    }

    /// As [`attach`](Self::attach), by a process that holds the cluster's lock.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    pub(crate) async fn attach_holding(
        &self,
        _lock: &Lock,
        purpose: &str,
    ) -> Result<ClusterHandle, ClusterError> {
        let not_up = |why: &str| ClusterError::NotUp {
            name: self.name.clone(),
            why: why.into(),
        };
        let state = self.load()?.ok_or_else(|| not_up("it was not created"))?;
        let complete = state
            .complete
            .clone()
            .ok_or_else(|| not_up("its start did not end well"))?;
        if !self.is_usable(&state).await {
            return Err(not_up(
                "its nodes don't run or its API server does not answer",
            ));
        }
        self.handle(&state, complete.kubernetes, true, Vec::new(), purpose)
    }

    /// Removes exactly what was made, whatever stopped its making.
    ///
    /// # Errors
    /// When another process uses the cluster, or the engine refuses; a second call goes on where
    /// the first stopped.
    pub async fn down(&self, patience: Patience) -> Result<Removed, ClusterError> {
        let _lock = self.lock("down", patience).await?;
        let Some(state) = self.load()? else {
            return Ok(Removed::default());
        };
        self.refuse_while_used("it stays up")?;
        self.remove(state).await
    }

    /// Ends a run's use of the cluster, to be called when the run has given its handle up: removes
    /// it, unless it is to stay. A cluster that another process uses or brings up is that process's
    /// to remove.
    ///
    /// # Errors
    /// When the engine refuses; [`down`](Self::down) goes on where this stopped.
    pub(crate) async fn leave(&self) -> Result<Left, ClusterError> {
        let progress = self.progress.as_ref();
        let brings_up = |holder: &Holder| [UP, UPGRADE].contains(&&*holder.doing);
        let _lock = match Lock::take_unless(&self.folder, "leave", brings_up, progress).await? {
            Ok(lock) => lock,
            Err(holder) => return Ok(Left::ToOthers(vec![holder])),
        };
        let Some(state) = self.load()? else {
            return Ok(Left::Removed);
        };
        let users = self.users()?;
        if state.kept {
            return Ok(Left::Kept);
        }
        if !users.is_empty() {
            return Ok(Left::ToOthers(users));
        }
        self.remove(state).await?;
        Ok(Left::Removed)
    }

    async fn remove(&self, mut state: ClusterRecord) -> Result<Removed, ClusterError> {
        self.progress
            .update(TASK, &format!("removing {}", self.name));
        state.complete = None;
        self.file().save(&state)?;
        let removed = self.remover().all(&mut state).await?;
        self.progress
            .finish(TASK, Outcome::Passed, &format!("{} is removed", self.name));
        Ok(removed)
    }

    /// Looks at what is there, without waiting for anything.
    ///
    /// # Errors
    /// When the state file or the engine can't be read.
    pub async fn status(&self) -> Result<Status, ClusterError> {
        let Some(state) = self.load()? else {
            return Ok(Status::Down);
        };
        let incomplete = |why: &str| Ok(Status::Incomplete { why: why.into() });
        let Some(complete) = state.complete.clone() else {
            return incomplete("its creation or removal is running or was interrupted");
        };
        if !self.is_usable(&state).await {
            return incomplete("its nodes don't run or its API server does not answer");
        }
        let nodes = state.nodes();
        Ok(Status::Up {
            kubernetes: complete.kubernetes,
            since: complete.since,
            nodes,
            kubeconfig: self.kubeconfig(),
            registry_port: state.registry.map(|registry| registry.port),
            users: Lease::users(&self.folder)?,
        })
    }

    fn remover(&self) -> Remover<'_> {
        Remover {
            engine: &self.engine,
            file: self.file(),
            kubeconfig: self.kubeconfig(),
            note: self.folder.join(NOTE),
        }
    }

    fn file(&self) -> StateFile {
        StateFile::new(&self.folder)
    }

    /// Takes the right to change the cluster; others wait meanwhile.
    ///
    /// # Errors
    /// When another process has it for longer than this one is patient.
    pub(crate) async fn lock(&self, doing: &str, patience: Patience) -> Result<Lock, ClusterError> {
        Lock::take(
            &self.folder,
            &self.name,
            doing,
            patience,
            self.progress.as_ref(),
        )
        .await
    }

    fn load(&self) -> Result<Option<ClusterRecord>, ClusterError> {
        let state = self.file().load()?;
        match state {
            Some(state) if state.engine != self.engine.kind => Err(ClusterError::OtherEngine {
                name: self.name.clone(),
                made: state.engine.program(),
                now: self.engine.kind.program(),
            }),
            state => Ok(state),
        }
    }

    fn preflight(&self, host: &Host, facts: &NodeFacts) -> Result<(), ClusterError> {
        let has_runc = preflight::has_runc();
        let (errors, warnings): (Vec<_>, Vec<_>) =
            preflight::findings(host, self.engine.kind, has_runc, facts)
                .into_iter()
                .partition(|finding| finding.severity == Severity::Error);
        for warning in warnings {
            self.progress.line(&warning.to_string());
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(ClusterError::Preflight(errors))
        }
    }

    /// Whether all nodes run, the API server answers and the nodes are Ready.
    async fn is_usable(&self, state: &ClusterRecord) -> bool {
        let nodes = state.nodes();
        let running = node::containers(&self.engine, &format!("{KIND_LABEL}={}", self.name), true)
            .await
            .unwrap_or_default();
        if nodes.is_empty() || !nodes.iter().all(|node| running.contains(node)) {
            return false;
        }
        let Ok(client) = ready::client(&self.kubeconfig()).await else {
            return false;
        };
        ready::answers(&client, ANSWER).await
            && ready::nodes(
                &client,
                nodes.len(),
                ANSWER,
                "the nodes are not Ready",
                ready::is_ready,
            )
            .await
            .is_ok()
    }

    /// The processes that use the cluster; with this one, where it does.
    ///
    /// # Errors
    /// When their marks can't be read.
    pub(crate) fn users(&self) -> Result<Vec<Holder>, ClusterError> {
        Lease::users(&self.folder)
    }

    /// Returns the file in which the process that brings the cluster up may record its content; the
    /// file is removed with the cluster.
    pub(crate) fn note(state: &Path, name: &str) -> PathBuf {
        Self::folder(state, name).join(NOTE)
    }

    fn refuse_while_used(&self, consequence: &'static str) -> Result<(), ClusterError> {
        let users = self.users()?;
        if users.is_empty() {
            return Ok(());
        }
        Err(ClusterError::InUse {
            name: self.name.clone(),
            users,
            consequence,
        })
    }

    fn handle(
        &self,
        state: &ClusterRecord,
        kubernetes: String,
        reused: bool,
        phases: Vec<Phase>,
        purpose: &str,
    ) -> Result<ClusterHandle, ClusterError> {
        Ok(ClusterHandle {
            name: self.name.clone(),
            kubeconfig: self.kubeconfig(),
            nodes: state.nodes(),
            kubernetes,
            reused,
            phases,
            engine: self.engine.clone(),
            network: self.name.clone(),
            registry: state.registry.clone(),
            _lease: Lease::take(&self.folder, purpose)?,
        })
    }
}

struct Phases {
    since: Instant,
    ended: Vec<Phase>,
}

impl Phases {
    fn start() -> Self {
        Self {
            since: Instant::now(),
            ended: Vec::new(),
        }
    }

    fn end(&mut self, name: &str) {
        let seconds = self.since.elapsed().as_secs_f64();
        self.ended.push(Phase {
            name: name.into(),
            seconds,
        });
        self.since = Instant::now();
    }
}

#[cfg(test)]
mod tests;
