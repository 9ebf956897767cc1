//! Cases run side by side as far as the nodes have room.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::ListParams;
use semver::Version;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::apply::apply;
use super::capacity::{self, Allocation, Capacity, Priority, can_be_placed};
use super::case::{Judge, Judged, dashboard_for_evidence};
use super::engine_options::{CaseError, EngineOptions, EvidencePolicy, SYNCED_WITHIN, StartError};
use super::evidence::{self, Subject};
use super::names::{evidence_folder, namespace_name};
use super::node_images::digest_on;
use super::outcome::{blank, fail, sentences, summarise, unrecorded};
use super::resources::Resources;
use super::secrets::Secrets;
use super::slots::{Slot, Slots};
use super::snapshots::CaseSnapshots;
use super::steps::StepRunner;
use super::{cleanup, default_jobs, namespace, pods, total_requests};
use crate::artifact::UNPINNED;
use crate::expect::Verified;
use crate::observe::{NamespaceView, Watches};
use crate::operator::Sender;
use crate::output;
use crate::plan::{Durations, TestCase};
use crate::progress::Progress;
use crate::provider::{AFTER_THE_LIMIT, AT_LEAST, CaseCleanUp, Target, Upgrade, long_over, until};
use crate::redact::Redacted;
use crate::results::{CaseResult, ImageRecord, Outcome};
use crate::scenario::{apply_changes, later_objects, manifests, objects_between};

const CLEANED_WITHIN: Duration = Duration::from_mins(2);
/// The time that a fault of the environment has to pass.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The work that may run beside a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// As many others as there is room for.
    Others,
    /// No other case.
    Nobody,
}

/// Runs cases against one operator.
pub struct RunEngine {
    target: Target,
    sender: Sender,
    watches: Arc<Watches>,
    options: EngineOptions,
    capacity: Arc<Capacity>,
    largest_node: Option<(f64, f64)>,
    /// The free capacity of each node that accepts Pods; `None` where the target has no nodes.
    left: Option<Vec<Resources>>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
    removals: Mutex<JoinSet<Result<(), String>>>,
    started: AtomicUsize,
    slots: Slots,
    durations: Durations,
    /// The results that could not be written.
    unkept: std::sync::Mutex<Vec<String>>,
}

/// A case's objects, ready to be sent.
struct Prepared {
    namespace: String,
    objects: Vec<Value>,
    /// The objects that the steps apply.
    later: Vec<Value>,
    /// The objects to apply between two operators.
    between: Vec<Value>,
    changes: Vec<String>,
    ray_image: ImageRecord,
}

impl RunEngine {
    /// Removes what killed runs have left, looks at the nodes once, and is then ready to run cases.
    ///
    /// # Errors
    /// When namespaces, nodes and Pods can't be listed, or other processes' allocations not be
    /// looked at.
    pub async fn new(
        target: Target,
        options: EngineOptions,
        progress: Arc<dyn Progress>,
        cancel: CancellationToken,
    ) -> Result<Self, StartError> {
        let (client, capabilities) = (target.client.clone(), &target.capabilities);
        let watches = Watches::start(client.clone());
        let (mut free, mut largest_node, mut left) = (Resources::unlimited(), None, None);
        let mut durations = Durations::default();
        if capabilities.kubelet {
            let of_cases = cleanup::remove_orphans(&client, &watches, &*progress).await?;
            let all = ListParams::default();
            let nodes = Api::<Node>::all(client.clone()).list(&all).await?.items;
            let pods = Api::<Pod>::all(client.clone()).list(&all).await?.items;
            free = capacity::free(&nodes, &pods, &of_cases);
            free = free.divided_by(capabilities.capacity_share);
            largest_node = capacity::largest(&nodes);
            left = Some(capacity::free_of_each(&nodes, &pods, &of_cases));
            durations = Durations::embedded();
            tracing::info!(%free, "capacity for cases");
        }
        let jobs = options.jobs.or(capabilities.jobs);
        let jobs = jobs.unwrap_or_else(default_jobs);
        let mut capacity = Capacity::new(free, jobs)
            .overlapping(options.overlap)
            .on(left.clone());
        if capabilities.kubelet && capabilities.jobs.is_none() {
            // The nodes share the processors of this machine.
            capacity = capacity.starting(jobs.max(default_jobs()));
        }
        if let Some(folder) = &capabilities.allocations {
            capacity = capacity.shared(folder.clone())?;
        }
        Ok(Self {
            sender: Sender::new(client),
            watches,
            target,
            capacity: Arc::new(capacity),
            progress: Arc::new(Redacted::new(progress, options.redactor.clone())),
            options,
            largest_node,
            left,
            cancel,
            removals: Mutex::default(),
            started: AtomicUsize::new(0),
            slots: Slots::default(),
            durations,
            unkept: std::sync::Mutex::default(),
        })
    }

    /// Runs cases side by side; the results are in the order of the cases.
    pub async fn run(&self, cases: &[TestCase]) -> Vec<CaseResult> {
        let order = self.order(cases);
        let done =
            futures::future::join_all(order.iter().map(|index| self.run_case(&cases[*index])))
                .await;
        let mut results: Vec<_> = order.into_iter().zip(done).collect();
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// The first to ask begins before others have asked, so that they ask in the order of their
    /// ranks.
    fn order(&self, cases: &[TestCase]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..cases.len()).collect();
        if self.target.capabilities.kubelet {
            order.sort_by_cached_key(|index| {
                let case = &cases[*index];
                // Of manifests that can't be read the case itself tells.
                let objects =
                    manifests(&case.scenario, Some(&self.target.samples)).unwrap_or_default();
                Reverse(self.priority(case, total_requests(&objects)))
            });
        }
        order
    }

    fn priority(&self, case: &TestCase, wanted: Resources) -> Priority {
        if !self.target.capabilities.kubelet {
            return Priority::default();
        }
        Priority {
            millicores: wanted.millicores(),
            takes: self.durations.of_case(case),
        }
    }

    /// Runs one case: waits for capacity, applies, judges, keeps evidence, and begins to clean up.
    /// Where the environment failed before any check did, it is tried once more; that it passed
    /// only then is told.
    pub async fn run_case(&self, case: &TestCase) -> CaseResult {
        let id = case.id();
        self.clear_evidence(case);
        let (mut result, error) = self.attempt(case, None, Beside::Others).await;
        let broke = match &error {
            Some(error) => error.may_pass(),
            None => result.outcome == Outcome::Error,
        };
        let over = self.options.ends.is_some_and(|end| Instant::now() >= end);
        if broke && !result.interrupted && !over && !self.cancel.is_cancelled() {
            let first = result.reason.take().unwrap_or_default();
            self.progress.line(&format!(
                "{id}: the environment failed, so it is tried again: {first}"
            ));
            tokio::select! {
                () = tokio::time::sleep(AGAIN_AFTER) => {}
                () = self.cancel.cancelled() => {}
            }
            // The cases beside it may have kept the machine busy.
            (result, _) = self.attempt(case, None, Beside::Nobody).await;
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
        self.ended(case, &result).await;
        result
    }

    /// Results of cases that passed before, and the cases that are to be run.
    pub(super) async fn take_over(&self, cases: &[TestCase]) -> (Vec<CaseResult>, Vec<TestCase>) {
        let Some(journal) = &self.options.journal else {
            return (Vec::new(), cases.into());
        };
        let mut images = BTreeMap::new();
        for case in cases {
            if !images.contains_key(&case.ray) {
                images.insert(case.ray.clone(), self.images(&case.ray).await);
            }
        }
        journal.take_over(cases, |case| images[&case.ray].clone(), &*self.progress)
    }

    /// The images on which the results of cases with this release of Ray depend, with the digests
    /// that the nodes tell where nothing else does.
    async fn images(&self, ray: &Version) -> Vec<ImageRecord> {
        let mut images = self.target.images.of(ray);
        if self.target.capabilities.kubelet && images.iter().any(|image| image.digest == UNPINNED) {
            // Without an answer they stay unknown.
            let api = Api::<Node>::all(self.target.client.clone());
            let all = ListParams::default();
            let nodes = tokio::select! {
                biased;
                nodes = api.list(&all) => nodes.map(|list| list.items).unwrap_or_default(),
                () = self.long_over() => Vec::new(),
            };
            for image in images.iter_mut().filter(|image| image.digest == UNPINNED) {
                if let Some(digest) = digest_on(&nodes, &image.name) {
                    image.digest = digest;
                }
            }
        }
        images
    }

    /// Runs a case that begins with an older release of the operator.
    pub(super) async fn run_upgrade(&self, case: &TestCase, upgrade: &dyn Upgrade) -> CaseResult {
        let begun = async { upgrade.begin().await.map_err(CaseError::Upgrade) };
        if let Err(error) = self.while_running(begun).await {
            let mut result = blank(case);
            fail(&mut result, &error);
            return result;
        }
        self.clear_evidence(case);
        let (result, _) = self.attempt(case, Some(upgrade), Beside::Others).await;
        self.ended(case, &result).await;
        result
    }

    /// Removes what an earlier run, or an earlier part of this one, has kept of the case.
    fn clear_evidence(&self, case: &TestCase) {
        let id = case.id();
        if let Err(error) = output::clear_evidence(&self.options.output, [id.as_str()]) {
            let folder = self.options.output.display();
            self.progress.line(&format!(
                "warning: {id}: its earlier evidence in {folder} can't be removed: {error}"
            ));
        }
    }

    async fn ended(&self, case: &TestCase, result: &CaseResult) {
        if let Some(journal) = &self.options.journal {
            let images = self.images(&case.ray).await;
            let noted = tokio::select! {
                biased;
                noted = journal.note(case, &images, result) => noted,
                () = self.long_over() => Err(format!(
                    "{} is not noted: the journal could not be written before the run ended", case.id()
                )),
            };
            if let Err(problem) = noted {
                self.not_kept(problem);
            }
        }
        let message = result.reason.as_deref().unwrap_or_default();
        self.progress.finish(&result.id, result.outcome, message);
    }

    /// Returns the results of cases that could not be written, one sentence each.
    pub fn unkept(&self) -> Vec<String> {
        let unkept = self.unkept.lock();
        unkept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn not_kept(&self, what: String) {
        self.progress.line(&format!("warning: {what}"));
        let unkept = self.unkept.lock();
        unkept.unwrap_or_else(PoisonError::into_inner).push(what);
    }

    async fn attempt(
        &self,
        case: &TestCase,
        upgrade: Option<&dyn Upgrade>,
        beside: Beside,
    ) -> (CaseResult, Option<CaseError>) {
        self.progress.update(&case.id(), "waiting for capacity");
        let mut result = CaseResult {
            kubernetes: self.target.environment.kubernetes.clone(),
            images: self
                .target
                .images
                .of(&case.ray)
                .iter()
                .map(ImageRecord::reference)
                .collect(),
            ..blank(case)
        };
        let began = self.begin(case, beside).await;
        let started = Instant::now();
        let slot = began.is_ok().then(|| self.slots.take());
        result.slot = slot.as_ref().map(Slot::number);
        let done = match began {
            Ok((prepared, allocation)) => {
                self.apply_and_judge(case, prepared, allocation, upgrade, &mut result)
                    .await
            }
            Err(error) => Err(error),
        };
        let error = done.err();
        if let Some(error) = &error {
            fail(&mut result, error);
        }
        result.duration_seconds = started.elapsed().as_secs_f64();
        // Errors quote the API server, which quotes what it was sent.
        self.options.redactor.redact_case(&mut result);
        (result, error)
    }

    /// Waits until everything that the cases made is gone, but not forever; returns what is left.
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
        let began = Instant::now();
        let own = began + CLEANED_WITHIN;
        let limit = self.options.ends.map_or(own, |end| {
            own.min((end + AFTER_THE_LIMIT).max(began + AT_LEAST))
        });
        if tokio::time::timeout_at(limit, all).await.is_err() {
            let seconds = began.elapsed().as_secs_f64();
            problems.push(format!(
                "objects of cases still existed after {seconds:.1} s; `kuberay-conformance cluster down` removes them"
            ));
        }
        problems
    }

    async fn begin(
        &self,
        case: &TestCase,
        beside: Beside,
    ) -> Result<(Prepared, Allocation), CaseError> {
        let prepared = self.prepare(case)?;
        let pods = pods(&prepared.objects);
        let wanted = total_requests(&prepared.objects);
        self.is_enough_for(wanted, &pods)?;
        let priority = self.priority(case, wanted);
        let acquired = async {
            Ok(match beside {
                Beside::Others => self.capacity.acquire(pods, priority).await?,
                Beside::Nobody => self.capacity.acquire_all(pods, priority).await?,
            })
        };
        Ok((prepared, self.while_running(acquired).await?))
    }

    async fn long_over(&self) {
        long_over(&self.cancel, self.options.ends).await;
    }

    /// Ends work where the run ends.
    async fn while_running<T>(
        &self,
        work: impl Future<Output = Result<T, CaseError>>,
    ) -> Result<T, CaseError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(CaseError::Interrupted),
            () = until(self.options.ends) => Err(CaseError::NoTime(Vec::new())),
            done = work => done,
        }
    }

    /// Pods of which one waits for ever for another's end are not sent. Of one that no node can
    /// hold, the check tells more.
    fn is_enough_for(&self, wanted: Resources, pods: &[Resources]) -> Result<(), CaseError> {
        let there = self.capacity.total();
        let holds = |(cpu, memory)| {
            pods.iter()
                .all(|pod| pod.fit_into(Resources::without_pod_limit(cpu, memory)))
        };
        if !self.largest_node.is_some_and(holds) {
            return Ok(());
        }
        if !wanted.fit_into(there) {
            return Err(CaseError::Capacity { wanted, there });
        }
        match &self.left {
            Some(left) if !can_be_placed(pods, left) => {
                let left = left.clone();
                Err(CaseError::Scattered { wanted, left })
            }
            _ => Ok(()),
        }
    }

    fn prepare(&self, case: &TestCase) -> Result<Prepared, CaseError> {
        let wanted = case.scenario.file.spec.nodes;
        let nodes = self
            .left
            .as_ref()
            .and_then(|left| u32::try_from(left.len()).ok());
        if let Some(there) = nodes.filter(|there| *there < wanted) {
            return Err(CaseError::Nodes { wanted, there });
        }
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let namespace = namespace_name(&self.options.run, number, case.scenario.name());
        let ray_image = self.target.images.rays.get(&case.ray).cloned();
        let ray_image = ray_image.ok_or_else(|| CaseError::NoRay(case.ray.clone()))?;
        let mut objects = manifests(&case.scenario, Some(&self.target.samples))?;
        let changes = &case.scenario.file.spec.changes;
        let ray = case.ray.to_string();
        let mut later = later_objects(&case.scenario)?;
        let mut between = objects_between(&case.scenario)?;
        for objects in [&mut later, &mut between] {
            apply_changes(objects, changes, &namespace, &ray_image.name, &ray);
        }
        let changes = apply_changes(&mut objects, changes, &namespace, &ray_image.name, &ray);
        // Before anything is sent, and of every step: what the API server answers may be told at
        // once.
        let settings = json!(case.scenario.file.spec.operator_settings);
        let sent = objects.iter().chain(&later).chain(&between);
        for object in sent.chain([&settings]) {
            self.options.redactor.learn(object);
        }
        Ok(Prepared {
            namespace,
            objects,
            later,
            between,
            changes,
            ray_image,
        })
    }

    async fn apply_and_judge(
        &self,
        case: &TestCase,
        prepared: Prepared,
        mut allocation: Allocation,
        upgrade: Option<&dyn Upgrade>,
        result: &mut CaseResult,
    ) -> Result<(), CaseError> {
        let id = case.id();
        let since = crate::observe::now();
        self.progress.update(
            &id,
            &format!("applying to the namespace {}", prepared.namespace),
        );
        let created =
            namespace::create(&self.target.client, &prepared.namespace, &self.options.run);
        let created = self.while_running(created).await;
        let mut view = NamespaceView::start(&self.watches, &prepared.namespace);
        if let Err(error) = created {
            // Whether a request without an answer made it is not known.
            if !error.is_an_answer() {
                self.remove(prepared.namespace, view, allocation).await;
            }
            return Err(error);
        }
        result.namespace = Some(prepared.namespace.clone());
        let judged = self
            .judge(
                case,
                &prepared,
                upgrade,
                (&mut view, &mut allocation),
                since,
            )
            .await;
        let done = judged.map(|(judged, evidence)| {
            (result.outcome, result.reason) = summarise(&judged.checks);
            result.interrupted = judged.cut_short && result.outcome == Outcome::Error;
            let since = |at: Timestamp| at.duration_since(judged.applied).as_secs_f64().max(0.0);
            let reached = &judged.observation.milestones;
            result.milestones = reached
                .iter()
                .map(|(milestone, at)| (milestone.word().into(), since(*at)))
                .collect();
            result.applied = Some(format!("{:.3}", judged.applied));
            result.checks = judged.checks;
            result.evidence = evidence;
        });
        self.remove(prepared.namespace, view, allocation).await;
        done
    }

    async fn judge(
        &self,
        case: &TestCase,
        prepared: &Prepared,
        upgrade: Option<&dyn Upgrade>,
        (view, allocation): (&mut NamespaceView, &mut Allocation),
        since: Timestamp,
    ) -> Result<(Judged, Option<String>), CaseError> {
        let synced = async {
            while !view.synced() {
                view.changed().await;
            }
        };
        let ready = async {
            // Beside an API server no controller puts anything into a namespace.
            if self.target.capabilities.kubelet {
                namespace::until_ready(&self.target.client, &prepared.namespace).await?;
            }
            Ok::<_, CaseError>(())
        };
        let both = async {
            let (ready, synced) = tokio::join!(ready, tokio::time::timeout(SYNCED_WITHIN, synced));
            ready.map(|()| synced)
        };
        let synced = self
            .while_running(both)
            .await
            .map_err(|error| match error {
                CaseError::NoTime(_) => CaseError::NoTime(view.broken_watches()),
                error => error,
            })?;
        if synced.is_err() {
            return Err(CaseError::Watch {
                namespace: prepared.namespace.clone(),
                broken: view.broken_watches(),
            });
        }
        let (applied, applied_at) = (Instant::now(), crate::observe::now());
        let applied_all = apply(&self.sender, &prepared.objects);
        let rejections = self.while_running(applied_all).await?;
        let expectations = self.expectations(case, prepared);
        let id = case.id();
        let secrets = Secrets::new(
            &self.target.client,
            &prepared.namespace,
            &self.options.redactor,
        );
        let judge = Judge {
            id: &id,
            scenario: &case.scenario,
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
        let steps = &case.scenario.file.spec.steps;
        let mut step_runner = StepRunner::new(
            steps,
            [&prepared.between, &prepared.later],
            self.target.client.clone(),
            &self.sender,
            &prepared.namespace,
            upgrade,
        );
        let health = self.target.health.of_case(&self.target.client);
        // An upgrade replaces the operator meanwhile.
        let health = health.filter(|_| upgrade.is_none());
        let mut judged = judge.run(view, &mut step_runner, health, allocation).await;
        let problems = expectations.problems();
        for problem in &problems {
            self.progress.line(&format!("warning: {id}: {problem}"));
        }
        unrecorded(&mut judged.checks, &problems);
        // Those that were sent are known; an operator makes others, and so may the user's Pods.
        // Checks quote logs.
        let passed = judged
            .checks
            .iter()
            .all(|check| check.outcome == Outcome::Passed);
        if (!passed || !judged.observation.logs.is_empty())
            && let Err(error) = self.learn(&secrets).await
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
        if judged.observation.dashboard.is_none() && self.target.capabilities.kubelet {
            judged.observation.dashboard = dashboard_for_evidence(view, &judged.observation).await;
        }
        let subject = Subject {
            client: &self.target.client,
            operator: &self.target.health,
            namespace: &prepared.namespace,
            view,
            observation: &judged.observation,
            objects: &prepared.objects,
            changes: &prepared.changes,
            steps: &sentences(case),
            rejections: &judged.observation.rejections,
            since,
            redactor: &self.options.redactor,
        };
        let evidence = self.keep_evidence(case, &subject).await;
        Ok((judged, evidence))
    }

    /// Keeps evidence of a case; returns its folder below the output folder, where all of it could
    /// be written.
    async fn keep_evidence(&self, case: &TestCase, subject: &Subject<'_>) -> Option<String> {
        let (id, folder) = (case.id(), evidence_folder(case));
        let output = &self.options.output;
        let made = std::fs::create_dir_all(output)
            .and_then(|()| output::remove(output, &folder))
            .and_then(|()| output::create_folder(output, &folder));
        let path = match made {
            Ok(path) => path,
            Err(error) => {
                let output = output.display();
                self.not_kept(format!(
                    "the evidence of {id}: failed to create {folder} in {output}: {error}"
                ));
                return None;
            }
        };
        let gathered = evidence::gather(subject, &path, self.long_over()).await;
        for problem in &gathered.problems {
            self.progress
                .line(&format!("warning: {id}: evidence: {problem}"));
        }
        for problem in &gathered.unwritten {
            self.not_kept(format!("the evidence of {id}: {problem}"));
        }
        gathered.unwritten.is_empty().then_some(folder)
    }

    async fn learn(&self, secrets: &Secrets<'_>) -> Result<(), String> {
        tokio::select! {
            biased;
            learned = secrets.learn() => learned.map_err(|error| error.to_string()),
            () = self.long_over() => Err("the API server does not answer".into()),
        }
    }

    fn expectations(&self, case: &TestCase, prepared: &Prepared) -> CaseSnapshots {
        let verified = Verified {
            ray: self.target.capabilities.kubelet.then(|| case.ray.clone()),
            images: [&self.target.images.operator, &prepared.ray_image]
                .into_iter()
                .filter(|record| !record.digest.is_empty())
                .map(ImageRecord::reference)
                .collect(),
            write_pending: self.options.write_pending,
        };
        CaseSnapshots::new(case, &prepared.namespace, &verified, &self.options.redactor)
    }

    fn record(&self, expectations: &CaseSnapshots) {
        let (changed, problems) = expectations.record_verified();
        for path in changed {
            self.progress.line(&format!("verified: {}", path.display()));
        }
        for problem in problems {
            self.progress.line(&format!("warning: {problem}"));
        }
    }

    async fn remove(&self, namespace: String, view: NamespaceView, mut allocation: Allocation) {
        let client = self.target.client.clone();
        let mut removals = self.removals.lock().await;
        match self.target.capabilities.clean_up {
            CaseCleanUp::Namespace => {
                allocation.overlap();
                removals.spawn(cleanup::remove(client, namespace, view, allocation));
            }
            CaseCleanUp::RayObjects => {
                removals.spawn(cleanup::remove_ray_objects(client, namespace));
            }
            CaseCleanUp::Nothing => {}
        }
    }
}

#[cfg(test)]
#[path = "engine/tests.rs"]
mod tests;
