//! Cells run side by side as far as the nodes have room.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::ListParams;
use kube::{Api, Client};
use semver::Version;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::apply::apply;
use super::capacity::{self, Capacity, Permit, Rank, Resources, can_be_placed};
use super::cell::{Judge, Judged, dashboard_for_evidence};
use super::evidence::{self, Subject};
use super::names::{evidence_folder, namespace_name};
use super::node_images::digest_on;
use super::outcome::{blank, fail, sentences, summarise};
use super::secrets::Secrets;
use super::snapshots::CellSnapshots;
use super::stimulus::Actor;
use super::subjects::{
    CellError, EngineOptions, EvidencePolicy, Operator, SYNCED_WITHIN, StartError, Subjects, Upgrade,
};
use super::{cleanup, demand, namespace, pods};
use crate::artifact::UNPINNED;
use crate::expect::Verified;
use crate::observe::{NamespaceView, Watches};
use crate::operator::{Presence, Sender};
use crate::output;
use crate::plan::{Cell, Durations};
use crate::progress::Progress;
use crate::redact::Redacted;
use crate::results::{CellResult, ImageRecord, Outcome};
use crate::scenario::{apply_changes, later_objects, manifests};

const CLEANED_WITHIN: Duration = Duration::from_mins(2);
/// How long a fault of the environment is given to pass.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Runs cells against one operator.
pub struct Engine {
    client: Client,
    sender: Sender,
    watches: Arc<Watches>,
    subjects: Subjects,
    options: EngineOptions,
    capacity: Arc<Capacity>,
    largest_node: Option<(f64, f64)>,
    /// What each node that accepts Pods has left for cells; none where the lane has no nodes.
    left: Option<Vec<Resources>>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
    removals: Mutex<JoinSet<Result<(), String>>>,
    started: AtomicUsize,
    durations: Durations,
}

/// A cell's objects, ready to be sent.
struct Prepared {
    namespace: String,
    objects: Vec<Value>,
    /// What the stimulus applies.
    later: Vec<Value>,
    changes: Vec<String>,
    ray_image: ImageRecord,
}

impl Engine {
    /// Removes what killed runs have left, looks at the nodes once, and is then ready to run cells.
    ///
    /// # Errors
    /// When namespaces, nodes and Pods can't be listed, or other processes' permits not be looked at.
    pub async fn new(
        client: Client,
        subjects: Subjects,
        options: EngineOptions,
        progress: Arc<dyn Progress>,
        cancel: CancellationToken,
    ) -> Result<Self, StartError> {
        let watches = Watches::start(client.clone());
        let (mut room, mut largest_node, mut left) = (Resources::unlimited(), None, None);
        let mut durations = Durations::default();
        if subjects.operator.has_nodes() {
            let of_cells = cleanup::remove_orphans(&client, &watches, &*progress).await?;
            let all = ListParams::default();
            let nodes = Api::<Node>::all(client.clone()).list(&all).await?.items;
            let pods = Api::<Pod>::all(client.clone()).list(&all).await?.items;
            room = capacity::free(&nodes, &pods, &of_cells);
            room = room.divided_by(options.room_share);
            largest_node = capacity::largest(&nodes);
            left = Some(capacity::free_of_each(&nodes, &pods, &of_cells));
            durations = Durations::embedded();
            tracing::info!(%room, "room for cells");
        }
        let mut capacity = Capacity::new(room, options.jobs)
            .overlapping(options.overlap)
            .on(left.clone());
        if let Some(folder) = &subjects.permits {
            capacity = capacity.shared(folder.clone())?;
        }
        Ok(Self {
            sender: Sender::new(client.clone()),
            watches,
            client,
            subjects,
            capacity: Arc::new(capacity),
            progress: Arc::new(Redacted::new(progress, options.redactor.clone())),
            options,
            largest_node,
            left,
            cancel,
            removals: Mutex::default(),
            started: AtomicUsize::new(0),
            durations,
        })
    }

    /// Runs cells side by side; the results are in the order of the cells.
    pub async fn run(&self, cells: &[Cell]) -> Vec<CellResult> {
        let order = self.order(cells);
        let done = futures::future::join_all(order.iter().map(|index| self.run_cell(&cells[*index]))).await;
        let mut results: Vec<_> = order.into_iter().zip(done).collect();
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// The first to ask begins before others have asked, so that they ask in the order of their ranks.
    fn order(&self, cells: &[Cell]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..cells.len()).collect();
        if self.subjects.operator.has_nodes() {
            order.sort_by_cached_key(|index| {
                let cell = &cells[*index];
                // Of manifests that can't be read the cell itself tells.
                let objects = manifests(&cell.scenario, Some(&self.subjects.samples)).unwrap_or_default();
                Reverse(self.rank(cell, demand(&objects)))
            });
        }
        order
    }

    fn rank(&self, cell: &Cell, wanted: Resources) -> Rank {
        if !self.subjects.operator.has_nodes() {
            return Rank::default();
        }
        Rank {
            millicores: wanted.millicores(),
            takes: self.durations.of(&cell.id()),
        }
    }

    /// Runs one cell: waits for room, applies, judges, keeps evidence, and begins to clean up. Where the environment
    /// failed before any check did, it is tried once more; that it passed only then is told.
    pub async fn run_cell(&self, cell: &Cell) -> CellResult {
        let id = cell.id();
        self.clear_evidence(cell);
        let (mut result, error) = self.attempt(cell, None).await;
        let broke = match &error {
            Some(error) => error.may_pass(),
            None => result.outcome == Outcome::Error,
        };
        let over = self.options.ends.is_some_and(|end| Instant::now() >= end);
        if broke && !result.interrupted && !over && !self.cancel.is_cancelled() {
            let first = result.reason.take().unwrap_or_default();
            self.progress
                .line(&format!("{id}: the environment failed, so it is tried again: {first}"));
            tokio::select! {
                () = tokio::time::sleep(AGAIN_AFTER) => {}
                () = self.cancel.cancelled() => {}
            }
            (result, _) = self.attempt(cell, None).await;
            match result.outcome {
                Outcome::Passed => {
                    result.outcome = Outcome::Flaky;
                    result.reason = Some(format!("passed when tried again; at first {first}"));
                }
                _ => {
                    result.reason = result
                        .reason
                        .map(|reason| format!("{reason} (and before that: {first})"));
                }
            }
        }
        self.ended(cell, &result).await;
        result
    }

    /// Results of cells that passed before, and the cells that are to be run.
    pub(super) async fn take_over(&self, cells: &[Cell]) -> (Vec<CellResult>, Vec<Cell>) {
        let Some(journal) = &self.options.journal else {
            return (Vec::new(), cells.into());
        };
        let mut images = BTreeMap::new();
        for cell in cells {
            if !images.contains_key(&cell.ray) {
                images.insert(cell.ray.clone(), self.images(&cell.ray).await);
            }
        }
        journal.take_over(cells, |cell| images[&cell.ray].clone(), &*self.progress)
    }

    /// The images on which the results of cells with this release of Ray depend, with the digests that the nodes tell
    /// where nothing else does.
    async fn images(&self, ray: &Version) -> Vec<ImageRecord> {
        let mut images = self.subjects.images(ray);
        if self.subjects.operator.has_nodes() && images.iter().any(|image| image.digest == UNPINNED) {
            // Without an answer they stay unknown.
            let nodes = Api::<Node>::all(self.client.clone()).list(&ListParams::default()).await;
            let nodes = nodes.map(|list| list.items).unwrap_or_default();
            for image in images.iter_mut().filter(|image| image.digest == UNPINNED) {
                if let Some(digest) = digest_on(&nodes, &image.name) {
                    image.digest = digest;
                }
            }
        }
        images
    }

    /// Runs a cell that begins with an older release of the operator, which runs now.
    pub(super) async fn run_upgrade(&self, cell: &Cell, upgrade: &dyn Upgrade) -> CellResult {
        self.clear_evidence(cell);
        let (result, _) = self.attempt(cell, Some(upgrade)).await;
        self.ended(cell, &result).await;
        result
    }

    /// Removes what an earlier run, or an earlier part of this one, has kept of the cell.
    fn clear_evidence(&self, cell: &Cell) {
        let id = cell.id();
        if let Err(error) = output::clear_evidence(&self.options.output, [id.as_str()]) {
            let folder = self.options.output.display();
            self.progress.line(&format!(
                "warning: {id}: its earlier evidence in {folder} can't be removed: {error}"
            ));
        }
    }

    async fn ended(&self, cell: &Cell, result: &CellResult) {
        if let Some(journal) = &self.options.journal {
            let images = self.images(&cell.ray).await;
            journal.note(cell, &images, result, &*self.progress).await;
        }
        let message = result.reason.clone().unwrap_or_else(|| "all checks passed".into());
        self.progress.finish(&result.id, result.outcome, &message);
    }

    async fn attempt(&self, cell: &Cell, upgrade: Option<&dyn Upgrade>) -> (CellResult, Option<CellError>) {
        self.progress.update(&cell.id(), "waiting for its turn");
        let mut result = CellResult {
            kubernetes: self.subjects.kubernetes.clone(),
            images: self
                .subjects
                .images(&cell.ray)
                .iter()
                .map(ImageRecord::reference)
                .collect(),
            ..blank(cell)
        };
        let began = self.begin(cell).await;
        let started = Instant::now();
        let done = match began {
            Ok((prepared, permit)) => self.apply_and_judge(cell, prepared, permit, upgrade, &mut result).await,
            Err(error) => Err(error),
        };
        let error = done.err();
        if let Some(error) = &error {
            fail(&mut result, error);
        }
        result.duration_seconds = started.elapsed().as_secs_f64();
        // Errors quote the API server, which quotes what it was sent.
        self.options.redactor.redact_cell(&mut result);
        (result, error)
    }

    /// Waits until everything that the cells made is gone, but not forever; returns what is left.
    pub async fn finish(&self) -> Vec<String> {
        let mut removals = self.removals.lock().await;
        let mut problems = Vec::new();
        let all = async {
            while let Some(removal) = removals.join_next().await {
                match removal {
                    Ok(Ok(())) => {}
                    Ok(Err(problem)) => problems.push(problem),
                    Err(error) => problems.push(format!("a clean-up broke off: {error}")),
                }
            }
        };
        if tokio::time::timeout(CLEANED_WITHIN, all).await.is_err() {
            let seconds = CLEANED_WITHIN.as_secs();
            problems.push(format!("not all namespaces were gone after {seconds} s"));
        }
        problems
    }

    async fn begin(&self, cell: &Cell) -> Result<(Prepared, Permit), CellError> {
        let prepared = self.prepare(cell)?;
        let pods = pods(&prepared.objects);
        let wanted = demand(&prepared.objects);
        self.is_enough_for(wanted, &pods)?;
        let rank = self.rank(cell, wanted);
        let over = async {
            match self.options.ends {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(CellError::Interrupted),
            () = over => Err(CellError::NoTime),
            permit = self.capacity.acquire(pods, rank) => Ok((prepared, permit?)),
        }
    }

    /// Pods of which one waits for ever for another's end are not sent. Of one that no node can hold, the check tells more.
    fn is_enough_for(&self, wanted: Resources, pods: &[Resources]) -> Result<(), CellError> {
        let there = self.capacity.total();
        let holds = |(cpu, memory)| pods.iter().all(|pod| pod.fit_into(Resources::room(cpu, memory)));
        if !self.largest_node.is_some_and(holds) {
            return Ok(());
        }
        if !wanted.fit_into(there) {
            return Err(CellError::Room { wanted, there });
        }
        match &self.left {
            Some(left) if !can_be_placed(pods, left) => {
                let left = left.clone();
                Err(CellError::Scattered { wanted, left })
            }
            _ => Ok(()),
        }
    }

    fn prepare(&self, cell: &Cell) -> Result<Prepared, CellError> {
        let wanted = cell.scenario.file.spec.nodes;
        let nodes = self.left.as_ref().and_then(|left| u32::try_from(left.len()).ok());
        if let Some(there) = nodes.filter(|there| *there < wanted) {
            return Err(CellError::Nodes { wanted, there });
        }
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let namespace = namespace_name(&self.options.run, number, cell.scenario.name());
        let ray_image = self.subjects.rays.get(&cell.ray).cloned();
        let ray_image = ray_image.ok_or_else(|| CellError::NoRay(cell.ray.clone()))?;
        let mut objects = manifests(&cell.scenario, Some(&self.subjects.samples))?;
        let changes = &cell.scenario.file.spec.changes;
        let ray = cell.ray.to_string();
        let mut later = later_objects(&cell.scenario)?;
        apply_changes(&mut later, changes, &namespace, &ray_image.name, &ray);
        let changes = apply_changes(&mut objects, changes, &namespace, &ray_image.name, &ray);
        // Before anything is sent, and of every step: what the API server answers may be told at once.
        let settings = json!(cell.scenario.file.spec.operator_settings.env);
        for object in objects.iter().chain(&later).chain([&settings]) {
            self.options.redactor.learn(object);
        }
        Ok(Prepared {
            namespace,
            objects,
            later,
            changes,
            ray_image,
        })
    }

    async fn apply_and_judge(
        &self,
        cell: &Cell,
        prepared: Prepared,
        mut permit: Permit,
        upgrade: Option<&dyn Upgrade>,
        result: &mut CellResult,
    ) -> Result<(), CellError> {
        let id = cell.id();
        let since = crate::observe::now();
        self.progress
            .update(&id, &format!("applying to the namespace {}", prepared.namespace));
        namespace::create(&self.client, &prepared.namespace, &self.options.run).await?;
        result.namespace = Some(prepared.namespace.clone());
        let mut view = NamespaceView::start(&self.watches, &prepared.namespace);
        let judged = self
            .judge(cell, &prepared, upgrade, (&mut view, &mut permit), since)
            .await;
        let done = judged.map(|(judged, evidence)| {
            (result.outcome, result.reason) = summarise(&judged.checks);
            result.interrupted = judged.cut_short && result.outcome == Outcome::Error;
            let since = |at: Timestamp| at.duration_since(judged.applied).as_secs_f64().max(0.0);
            let reached = &judged.observation.barriers;
            result.milestones = reached
                .iter()
                .map(|(barrier, at)| (barrier.word().into(), since(*at)))
                .collect();
            result.applied = Some(format!("{:.3}", judged.applied));
            result.checks = judged.checks;
            result.evidence = evidence;
        });
        self.remove(prepared.namespace, view, permit).await;
        done
    }

    async fn judge(
        &self,
        cell: &Cell,
        prepared: &Prepared,
        upgrade: Option<&dyn Upgrade>,
        (view, permit): (&mut NamespaceView, &mut Permit),
        since: Timestamp,
    ) -> Result<(Judged, Option<String>), CellError> {
        let synced = async {
            while !view.synced() {
                view.changed().await;
            }
        };
        let ready = async {
            // Beside a control plane no controller puts anything into a namespace.
            if self.subjects.operator.has_nodes() {
                namespace::until_ready(&self.client, &prepared.namespace).await?;
            }
            Ok::<_, CellError>(())
        };
        let (ready, synced) = tokio::join!(ready, tokio::time::timeout(SYNCED_WITHIN, synced),);
        ready?;
        if synced.is_err() {
            return Err(CellError::Watch(prepared.namespace.clone()));
        }
        let (applied, applied_at) = (Instant::now(), crate::observe::now());
        let rejections = apply(&self.sender, &prepared.objects).await?;
        let expectations = self.expectations(cell, prepared);
        let id = cell.id();
        let secrets = Secrets::new(&self.client, &prepared.namespace, &self.options.redactor);
        let judge = Judge {
            id: &id,
            scenario: &cell.scenario,
            expectations: &expectations,
            rejections: &rejections,
            largest_node: self.largest_node,
            applied,
            applied_at,
            run_ends: self.options.ends,
            progress: &*self.progress,
            cancel: &self.cancel,
            secrets: &secrets,
        };
        let stimulus = &cell.scenario.file.spec.stimulus;
        let mut actor = Actor::new(
            stimulus,
            &prepared.later,
            self.client.clone(),
            &self.sender,
            &prepared.namespace,
            upgrade,
        );
        let presence = match &self.subjects.operator {
            Operator::Installed(installed) if upgrade.is_none() => Some(Presence::new(&self.client, installed)),
            // It is replaced meanwhile, or whoever keeps it up hears of its end.
            Operator::Installed(_) | Operator::Beside { .. } => None,
        };
        let mut judged = judge.run(view, &mut actor, presence, permit).await;
        for problem in expectations.problems() {
            self.progress.line(&format!("warning: {id}: {problem}"));
        }
        // Those that were sent are known; an operator makes others, and so may the user's Pods. Checks quote logs.
        let passed = judged.checks.iter().all(|check| check.outcome == Outcome::Passed);
        if (!passed || !judged.observation.logs.is_empty())
            && let Err(error) = secrets.learn().await
        {
            self.progress.line(&format!(
                "warning: {id}: the namespace's Secrets can't be read, so they are masked by form alone: {error}"
            ));
        }
        if passed && self.options.record_verified {
            self.record(&expectations);
        }
        if passed && self.options.evidence == EvidencePolicy::OnFailure {
            return Ok((judged, None));
        }
        self.progress.update(&id, "keeping evidence");
        if judged.observation.dashboard.is_none() && self.subjects.operator.has_nodes() {
            judged.observation.dashboard = dashboard_for_evidence(view, &judged.observation).await;
        }
        let subject = Subject {
            client: &self.client,
            operator: &self.subjects.operator,
            namespace: &prepared.namespace,
            view,
            observation: &judged.observation,
            objects: &prepared.objects,
            changes: &prepared.changes,
            stimulus: &sentences(cell),
            rejections: &judged.observation.rejections,
            since,
            redactor: &self.options.redactor,
        };
        let (output, folder) = (&self.options.output, evidence_folder(cell));
        let made = std::fs::create_dir_all(output)
            .and_then(|()| output::remove(output, &folder))
            .and_then(|()| output::create_folder(output, &folder));
        let problems = match &made {
            Ok(path) => evidence::gather(&subject, path).await,
            Err(error) => vec![format!("{folder} can't be made in {}: {error}", output.display())],
        };
        for problem in problems {
            self.progress.line(&format!("warning: {id}: evidence: {problem}"));
        }
        Ok((judged, made.is_ok().then_some(folder)))
    }

    fn expectations(&self, cell: &Cell, prepared: &Prepared) -> CellSnapshots {
        let verified = Verified {
            ray: cell.ray.clone(),
            images: [&self.subjects.operator_image, &prepared.ray_image]
                .into_iter()
                .filter(|record| !record.digest.is_empty())
                .map(ImageRecord::reference)
                .collect(),
            write_pending: self.options.write_pending,
        };
        CellSnapshots::new(cell, &prepared.namespace, &verified, &self.options.redactor)
    }

    fn record(&self, expectations: &CellSnapshots) {
        let (changed, problems) = expectations.record_verified();
        for path in changed {
            self.progress.line(&format!("verified: {}", path.display()));
        }
        for problem in problems {
            self.progress.line(&format!("warning: {problem}"));
        }
    }

    async fn remove(&self, namespace: String, view: NamespaceView, mut permit: Permit) {
        if let Operator::Beside { stays, .. } = self.subjects.operator {
            // A namespace never ends there, and nothing in it takes room; all goes with the control plane.
            if stays {
                let removal = cleanup::remove_ray_objects(self.client.clone(), namespace);
                self.removals.lock().await.spawn(removal);
            }
            return;
        }
        permit.rest();
        let removal = cleanup::remove(self.client.clone(), namespace, view, permit);
        self.removals.lock().await.spawn(removal);
    }
}
