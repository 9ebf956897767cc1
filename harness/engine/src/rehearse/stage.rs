//! The steps of a rehearsal: create the objects, replace definitions and operator, recreate Pods.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, ResourceExt as _};
use semver::Version;
use serde_json::{Value, json};

use super::document::{LeftOut, ModelFinding, ObjectReport, StepReport, Totals};
use super::log::Log;
use super::plane::{Answer, Plane, Release};
use super::prepare::{
    idle, key_of, lost, shown, stand_ins, stripped, unknown_fields, with_one_replica,
};
use super::world::{Moment, World};
use super::{Key, Options, RehearseError, TASK, api, compare, is_annotated, model};
use crate::compare::observe;
use crate::contract;
use crate::progress::Progress;
use crate::scenario::OperatorSettings;

/// Requests of the harness itself at once.
const AT_ONCE: usize = 16;
/// How long nothing may change before an operator is taken to have nothing to do.
const QUIET: Duration = Duration::from_millis(2500);
/// The same where RayJobs or RayServices are among the objects: their operators look every few
/// seconds.
const QUIET_OF_PARENTS: Duration = Duration::from_secs(7);
/// How long nothing may change while an object is awaited that the operator says nothing about.
const PATIENT: Duration = Duration::from_secs(20);
/// How long the operators may take for all objects, and for each of them. Releases up to 1.4 send
/// at most about 20 requests a second.
const WITHIN: Duration = Duration::from_mins(2);
const WITHIN_EACH: Duration = Duration::from_secs(4);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// An object of the rehearsal.
struct Actor {
    key: Key,
    /// As it was created.
    object: Value,
    /// Why no Pods are expected.
    idle: Option<&'static str>,
    annotated: bool,
    /// Fields that the present definitions do not know.
    unknown: Vec<String>,
    /// Why it was refused before the upgrade.
    refused: Vec<String>,
}

/// A rehearsal that runs.
pub(super) struct Stage<'a> {
    plane: Plane,
    world: World,
    options: &'a Options,
    progress: &'a dyn Progress,
    actors: Vec<Actor>,
    quiet: Duration,
    notes: Vec<String>,
    left_out: Vec<LeftOut>,
}

/// What the API server holds of the objects.
type Stored = BTreeMap<Key, Value>;

impl<'a> Stage<'a> {
    pub fn new(plane: Plane, options: &'a Options, progress: &'a dyn Progress) -> Self {
        let world = World::watch(plane.client());
        let has_parents = options
            .fleet
            .objects
            .iter()
            .any(|one| one["kind"] != "RayCluster");
        Self {
            plane,
            world,
            options,
            progress,
            actors: Vec::new(),
            quiet: if has_parents { QUIET_OF_PARENTS } else { QUIET },
            notes: Vec::new(),
            left_out: Vec::new(),
        }
    }

    fn say(&self, text: &str) {
        self.progress.update(TASK, text);
    }

    /// Ends the programs; returns notes, and objects that could not be rehearsed.
    pub async fn stop(self) -> (Vec<String>, Vec<LeftOut>) {
        drop(self.world);
        self.plane.stop().await;
        (self.notes, self.left_out)
    }

    /// Plays all steps.
    pub async fn run(
        &mut self,
        first: &Release,
        releases: &[Release],
    ) -> Result<Vec<StepReport>, RehearseError> {
        let settings = self.options.fleet.settings.clone();
        let mut notes = Vec::new();
        let (settings, gates) = with_known_gates(&settings, &first.version);
        notes.extend(gates);
        self.create().await?;
        self.say(&format!(
            "KubeRay {} works on {} objects",
            first.version,
            self.actors.len()
        ));
        let log = self.plane.operate(first, &settings).await?;
        self.settle(log).await?;
        self.promote().await?;
        self.notes.extend(notes);
        let mut before = self.world.now();
        let (mut from, mut used) = (first, settings);
        let mut steps = Vec::new();
        for to in releases {
            let (step, after, settings) = self.step(from, to, &used, before).await?;
            steps.push(step);
            (before, from, used) = (after, to, settings);
        }
        Ok(steps)
    }

    /// Creates the objects with what they refer to.
    async fn create(&mut self) -> Result<(), RehearseError> {
        let fleet = &self.options.fleet;
        self.say("creating the objects");
        let all = fleet.objects.iter().chain(&fleet.others);
        let namespaces: BTreeSet<String> = all.map(|one| key_of(one).namespace).collect();
        for name in namespaces.iter().filter(|name| !name.is_empty()) {
            let namespace: Result<Namespace, _> =
                serde_json::from_value(json!({"metadata": {"name": name}}));
            let Ok(namespace) = namespace else { continue };
            let all: Api<Namespace> = Api::all(self.plane.client().clone());
            match all.create(&PostParams::default(), &namespace).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => return Err(api("creating the namespace", name)(error)),
                Ok(_) => {}
            }
        }
        for object in &fleet.others {
            if let Err(error) = self.plane.sender.apply(&stripped(object)).await {
                self.left_out.push(LeftOut {
                    object: shown(&key_of(object)),
                    why: error.to_string(),
                });
            }
        }
        let stand_ins = stand_ins(&fleet.objects, &fleet.others);
        for object in &stand_ins {
            self.plane.sender.apply(object).await?;
        }
        let (mut resized, mut actors) = (0, Vec::new());
        for object in &fleet.objects {
            let mut created = stripped(object);
            resized += usize::from(with_one_replica(&mut created));
            actors.push(Actor {
                key: key_of(object),
                idle: idle(object),
                annotated: is_annotated(object),
                object: created,
                unknown: Vec::new(),
                refused: Vec::new(),
            });
        }
        let plane = &self.plane;
        let one = |mut actor: Actor| async move {
            // First as kubectl does, which names the fields that are not known.
            if let Answer::Refused(message) = plane.create(&actor.object, true, true).await? {
                actor.unknown = unknown_fields(&message);
            }
            // What has ended is not started again.
            let is_trial = actor.idle.is_some() && actor.key.kind == "RayJob";
            if let Answer::Refused(message) = plane.create(&actor.object, is_trial, false).await? {
                actor.refused.push(message);
            }
            Ok::<_, RehearseError>(actor)
        };
        let created: Vec<_> = futures::stream::iter(actors)
            .map(one)
            .buffered(AT_ONCE)
            .collect()
            .await;
        self.actors = created.into_iter().collect::<Result<_, _>>()?;
        self.note_stand_ins(&stand_ins, resized);
        Ok(())
    }

    fn note_stand_ins(&mut self, stand_ins: &[Value], resized: usize) {
        self.notes.push(
            "no container ran: the harness wrote of every Pod that it runs and is ready, as a \
             kubelet would"
                .into(),
        );
        if resized > 0 {
            self.notes.push(format!(
                "{resized} objects had their worker groups set to one replica: Pods of a group are \
                 alike"
            ));
        }
        for object in stand_ins {
            self.notes.push(format!(
                "{} was not there; an empty one stood in",
                shown(&key_of(object))
            ));
        }
        self.notes.push(
            "webhooks, quotas, LimitRanges and NetworkPolicies of the cluster did not take part"
                .into(),
        );
    }

    /// Waits until the operator has looked at every object, and nothing changes any more.
    async fn settle(&mut self, log: PathBuf) -> Result<(), RehearseError> {
        let mut awaited: BTreeSet<(String, String)> = self
            .actors
            .iter()
            .filter(|one| one.refused.is_empty() && one.idle.is_none())
            .map(|one| (one.key.namespace.clone(), one.key.name.clone()))
            .collect();
        let count = u32::try_from(self.actors.len()).unwrap_or(u32::MAX);
        self.settle_on(
            &mut Log::new(log),
            &mut awaited,
            WITHIN + WITHIN_EACH * count,
        )
        .await
    }

    async fn settle_on(
        &mut self,
        log: &mut Log,
        awaited: &mut BTreeSet<(String, String)>,
        within: Duration,
    ) -> Result<(), RehearseError> {
        let started = Instant::now();
        loop {
            if !awaited.is_empty() {
                log.strike(awaited);
            }
            let quiet = self.world.quiet_for().min(started.elapsed());
            let enough = if awaited.is_empty() {
                self.quiet
            } else {
                PATIENT
            };
            if quiet >= enough {
                return Ok(());
            }
            if started.elapsed() >= within {
                self.notes.push(format!(
                    "objects still changed after {} s; the report shows them as they were then",
                    within.as_secs()
                ));
                return Ok(());
            }
            tokio::select! {
                cause = self.plane.ended() => return Err(RehearseError::Ended(cause)),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Waits until nothing changes any more.
    async fn settle_quietly(&mut self) -> Result<(), RehearseError> {
        let count = u32::try_from(self.actors.len()).unwrap_or(u32::MAX);
        let mut log = Log::new(PathBuf::new());
        self.settle_on(&mut log, &mut BTreeSet::new(), WITHIN + WITHIN_EACH * count)
            .await
    }

    /// Writes of each RayService that its RayCluster serves, which no dashboard does here.
    async fn promote(&mut self) -> Result<(), RehearseError> {
        let stored = self.plane.list(&BTreeSet::from(["RayService"])).await?;
        let mut promoted = 0;
        for (_, service) in &stored {
            let pending = &service["status"]["pendingServiceStatus"]["rayClusterName"];
            if pending.as_str().is_none_or(str::is_empty) {
                continue;
            }
            let status = json!({"activeServiceStatus": {"rayClusterName": pending},
                "pendingServiceStatus": {"rayClusterName": ""}});
            self.plane.set_status(service, &status).await?;
            promoted += 1;
        }
        if promoted > 0 {
            self.notes.push(format!(
                "the harness wrote of {promoted} RayServices that their RayCluster serves"
            ));
            self.settle_quietly().await?;
        }
        Ok(())
    }

    /// One upgrade.
    async fn step(
        &mut self,
        from: &Release,
        to: &Release,
        used: &OperatorSettings,
        before: Moment,
    ) -> Result<(StepReport, Moment, OperatorSettings), RehearseError> {
        let mut step = StepReport {
            from: from.version.to_string(),
            to: to.version.to_string(),
            ..StepReport::default()
        };
        let wanted = self
            .options
            .target
            .as_ref()
            .unwrap_or(&self.options.fleet.settings);
        let (settings, gates) = with_known_gates(wanted, &to.version);
        step.operator = gates;
        let stored = self.stored().await?;
        if !self.options.keep_crds {
            self.say(&format!(
                "replacing the definitions by those of KubeRay {}",
                to.version
            ));
            step.new_crds = self.plane.replace_crds(to).await?;
            self.settle_quietly().await?;
        }
        self.say(&format!("KubeRay {} takes over", to.version));
        let log = self.plane.operate(to, &settings).await?;
        self.settle(log).await?;
        let taken_over = self.world.now();
        let now_stored = self.stored().await?;
        let mut reports = Vec::new();
        for index in 0..self.actors.len() {
            let report = self
                .at_once(index, &before, &taken_over, &stored, &now_stored)
                .await?;
            reports.push(report);
        }
        self.say("recreating every Pod");
        self.recreate(&taken_over).await?;
        self.settle_quietly().await?;
        let after = self.world.now();
        let last_stored = self.stored().await?;
        self.say("comparing");
        let releases = [&from.version, &to.version];
        let known = before.events();
        let contracts = [used.of_contract()?, settings.of_contract()?];
        for (actor, report) in self.actors.iter_mut().zip(&mut reports) {
            let (old, new) = (before.of(&actor.key), after.of(&actor.key));
            let parent = |stored: &Stored| stored.get(&actor.key).cloned();
            let parents = [parent(&stored), parent(&last_stored)];
            let refused = [
                compare::refusals(&old, &BTreeSet::new()),
                compare::refusals(&new, &known),
            ];
            report.refusals.extend(compare::new_refusals(
                &refused[0],
                &refused[1],
                "the operator",
            ));
            if !refused[0].is_empty() && !refused[1].is_empty() {
                report
                    .notes
                    .push(format!("the operator refuses it today: {}", refused[0][0]));
            }
            let sides = [
                observe(&old, parents[0].as_slice(), releases[0]),
                observe(&new, parents[1].as_slice(), releases[1]),
            ];
            if report.refusals.is_empty() && refused[1].is_empty() {
                report.changes = compare::changes(&sides[0], &sides[1], releases, actor.annotated);
            }
            let outlook = model::outlook(&actor.object, releases, &contracts[1]);
            if actor.idle.is_none() {
                report.traps = outlook.traps;
                step.model.extend(disagreement(
                    actor,
                    outlook.refused,
                    report,
                    &refused[1],
                    releases[1],
                ));
                for (side, ((seen, parent), contract)) in [&old, &new]
                    .into_iter()
                    .zip(&parents)
                    .zip(&contracts)
                    .enumerate()
                {
                    let parent = parent.as_ref();
                    step.model.extend(model::disagreements(
                        &actor.object,
                        parent,
                        seen,
                        releases[side],
                        contract,
                    ));
                }
            }
            report.verdict = compare::verdict(report);
            step.totals.pods += old.pods.len();
        }
        step.model.sort();
        step.model.dedup();
        let (pods, deleted) = (before.pods(), reports.iter().flat_map(|one| &one.at_once));
        let deleted = deleted.filter(|one| one.deleted && one.what.starts_with("Pod"));
        let deleted = deleted.map(|one| one.count).sum();
        reports.sort_by(|one, other| {
            let key = |one: &ObjectReport| {
                let place = (one.namespace.clone(), one.kind.clone(), one.name.clone());
                (one.verdict, std::cmp::Reverse(one.impact()), place)
            };
            key(one).cmp(&key(other))
        });
        step.totals = Totals {
            pods,
            pods_deleted: deleted,
            ..Totals::of(&reports)
        };
        step.objects = reports;
        Ok((step, after, settings))
    }

    async fn stored(&self) -> Result<Stored, RehearseError> {
        let kinds = self
            .actors
            .iter()
            .map(|one| one.key.kind.as_str())
            .collect();
        Ok(self.plane.list(&kinds).await?.into_iter().collect())
    }

    /// What happened to an object without anybody touching it, and what happens when it is applied
    /// again.
    async fn at_once(
        &mut self,
        index: usize,
        before: &Moment,
        now: &Moment,
        stored: &Stored,
        now_stored: &Stored,
    ) -> Result<ObjectReport, RehearseError> {
        let actor = &self.actors[index];
        let mut report = ObjectReport {
            kind: actor.key.kind.clone(),
            namespace: actor.key.namespace.clone(),
            name: actor.key.name.clone(),
            ..ObjectReport::default()
        };
        let mut unknown = Vec::new();
        if let Answer::Refused(message) = self.plane.create(&actor.object, true, true).await? {
            unknown = unknown_fields(&message);
        }
        let mut refused = Vec::new();
        if let Answer::Refused(message) = self.plane.create(&actor.object, true, false).await? {
            refused.push(message);
        }
        report.refusals = compare::new_refusals(&actor.refused, &refused, "the API server");
        if !actor.refused.is_empty() && !refused.is_empty() {
            report.notes.push(format!(
                "the API server refuses it today: {}",
                actor.refused[0]
            ));
        }
        let is_new = |field: &&String| !actor.unknown.contains(field);
        report.dropped = unknown.iter().filter(is_new).cloned().collect();
        if let (Some(old), Some(new)) = (stored.get(&actor.key), now_stored.get(&actor.key)) {
            let mut gone = Vec::new();
            lost(&old["spec"], &new["spec"], "spec", &mut gone);
            gone.retain(|path| !report.dropped.contains(path));
            report.dropped.extend(gone);
        }
        for field in &actor.unknown {
            report.notes.push(if unknown.contains(field) {
                format!("{field} is dropped today, and after the upgrade")
            } else {
                format!("{field} is dropped today, and counts once the object is applied again")
            });
        }
        if let Some(why) = actor.idle {
            report.notes.push(why.into());
        }
        report.at_once = compare::at_once(&before.of(&actor.key), &now.of(&actor.key));
        let actor = &mut self.actors[index];
        (actor.unknown, actor.refused) = (unknown, refused);
        Ok(report)
    }

    /// Deletes every Pod, so that the operator creates it again; a RayJob is created again as a
    /// whole, because its submitter is not created twice.
    async fn recreate(&mut self, now: &Moment) -> Result<(), RehearseError> {
        let jobs = self
            .actors
            .iter()
            .filter(|one| one.key.kind == "RayJob" && one.idle.is_none());
        let jobs: Vec<(Key, Value)> = jobs
            .map(|one| (one.key.clone(), one.object.clone()))
            .collect();
        for (key, object) in &jobs {
            let seen = now.of(key);
            let owned = seen.jobs.iter().filter_map(|job| {
                let name = job.metadata.name.as_ref()?;
                Some(json!({"apiVersion": "batch/v1", "kind": "Job",
                    "metadata": {"name": name, "namespace": key.namespace}}))
            });
            let clusters = seen.ray_clusters.iter().map(|cluster| {
                json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
                    "metadata": {"name": cluster["metadata"]["name"], "namespace": key.namespace}})
            });
            for one in [object.clone()].into_iter().chain(owned).chain(clusters) {
                self.plane.sender.release(&one).await?;
                self.plane.sender.delete(&one).await?;
            }
        }
        let client = self.plane.client();
        let pods = now.objects.values().flat_map(|one| &one.pods);
        let deleted = futures::stream::iter(pods).map(|pod| async move {
            let namespace = pod.namespace().unwrap_or_default();
            let all: Api<Pod> = Api::namespaced(client.clone(), &namespace);
            match all.delete(&pod.name_any(), &DeleteParams::default()).await {
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                Err(error) => Err(api("deleting the Pod", &pod.name_any())(error)),
                Ok(_) => Ok(()),
            }
        });
        let deleted: Vec<Result<(), RehearseError>> =
            deleted.buffer_unordered(AT_ONCE).collect().await;
        deleted.into_iter().collect::<Result<(), _>>()?;
        for (_, object) in &jobs {
            self.plane.create(object, false, false).await?;
        }
        Ok(())
    }
}

/// Whether the model expects a refusal that did not come, or misses one that did.
fn disagreement(
    actor: &Actor,
    expected: Option<String>,
    report: &ObjectReport,
    by_operator: &[String],
    release: &Version,
) -> Option<ModelFinding> {
    let seen = report.refusals.iter().map(|one| &one.message);
    let seen = seen.chain(&actor.refused).chain(by_operator).next();
    let difference = match (&expected, seen) {
        (Some(expected), None) => format!("the model expects a refusal, and none came: {expected}"),
        (None, Some(seen)) if !report.refusals.is_empty() => {
            format!("the model does not know this refusal: {seen}")
        }
        _ => return None,
    };
    Some(ModelFinding {
        object: shown(&actor.key),
        release: release.to_string(),
        pod: String::new(),
        difference,
    })
}

/// The settings without gates that a release does not know, with a line for each of those.
fn with_known_gates(
    settings: &OperatorSettings,
    release: &Version,
) -> (OperatorSettings, Vec<String>) {
    let mut known = settings.clone();
    let mut lines = Vec::new();
    known.feature_gates.retain(|name, _| {
        let is_known = contract::gate(name).is_some_and(|gate| gate.default_in(release).is_some());
        if !is_known {
            lines.push(format!(
                "KubeRay {release} does not know the feature gate {name} and ends at once with it; \
                 it was left out"
            ));
        }
        is_known
    });
    (known, lines)
}
