//! The steps of a rehearsal: create the objects, replace definitions and operator, recreate Pods.

mod staged_object;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use semver::Version;
use serde_json::Value;

use self::staged_object::StagedObject;
use super::document::{
    LeftOut, ModelFinding, RehearsalReport, RehearsalTotals, RehearsedObject, StepReport,
};
use super::prepare::shown;
use super::upgrade_server::{Release, UpgradeServer};
use super::world::{Moment, World};
use super::{ObjectKey, RehearseError, RehearseOptions, TASK, compare, model};
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
/// A rehearsal that runs.
pub(super) struct Stage<'a> {
    server: UpgradeServer,
    world: World,
    options: &'a RehearseOptions,
    progress: &'a dyn Progress,
    objects: Vec<StagedObject>,
    quiet: Duration,
    notes: Vec<String>,
    left_out: Vec<LeftOut>,
    unsettled: bool,
}

/// What the API server holds of the objects.
type Stored = BTreeMap<ObjectKey, Value>;

impl<'a> Stage<'a> {
    pub fn new(
        server: UpgradeServer,
        options: &'a RehearseOptions,
        progress: &'a dyn Progress,
    ) -> Self {
        let world = World::watch(server.client());
        let has_parents = options
            .fleet
            .objects
            .iter()
            .any(|one| one["kind"] != "RayCluster");
        Self {
            server,
            world,
            options,
            progress,
            objects: Vec::new(),
            quiet: if has_parents { QUIET_OF_PARENTS } else { QUIET },
            notes: Vec::new(),
            left_out: Vec::new(),
            unsettled: false,
        }
    }

    fn say(&self, text: &str) {
        self.progress.update(TASK, text);
    }

    /// Ends the programs, and adds to a report what stands beside its steps.
    pub async fn stop(self, report: &mut RehearsalReport) {
        drop(self.world);
        self.server.stop().await;
        report.notes.extend(self.notes);
        report.left_out.extend(self.left_out);
        report.unsettled = self.unsettled;
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
            self.objects.len()
        ));
        let log = self.server.operate(first, &settings).await?;
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
            step.new_crds = self.server.replace_crds(to).await?;
            self.settle_quietly().await?;
        }
        self.say(&format!("KubeRay {} takes over", to.version));
        let log = self.server.operate(to, &settings).await?;
        self.settle(log).await?;
        let taken_over = self.world.now();
        let now_stored = self.stored().await?;
        let trials = self.trials().await?;
        let mut reports = Vec::new();
        for (staged, trial) in self.objects.iter_mut().zip(trials) {
            let moments = [before.of(&staged.key), taken_over.of(&staged.key)];
            let held = [stored.get(&staged.key), now_stored.get(&staged.key)];
            reports.push(staged.at_once(trial, &moments, held));
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
        for (staged, report) in self.objects.iter_mut().zip(&mut reports) {
            let (old, new) = (before.of(&staged.key), after.of(&staged.key));
            let parent = |stored: &Stored| stored.get(&staged.key).cloned();
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
            let side = |seen, index: usize| {
                let observed = observe(seen, parents[index].as_slice(), releases[index]);
                compare::of_one(observed, &staged.key.name)
            };
            let sides = [side(&old, 0), side(&new, 1)];
            if report.refusals.is_empty() && refused[1].is_empty() {
                report.changes = compare::changes(&sides[0], &sides[1], releases, staged.annotated);
            }
            let outlook =
                model::outlook(&staged.object, parents[1].as_ref(), releases, &contracts[1]);
            if staged.idle.is_none() {
                report.traps = outlook.traps;
                if refused[0].is_empty()
                    && let Some(reason) = model::refused_today(
                        &staged.object,
                        parents[0].as_ref(),
                        releases[0],
                        &contracts[0],
                    )
                {
                    report.notes.push(format!(
                        "KubeRay {} makes no Pods of it, or not all: {reason}",
                        releases[0]
                    ));
                }
                step.model.extend(disagreement(
                    staged,
                    outlook.refused.as_deref(),
                    report,
                    &goes_on(&refused, !new.pods.is_empty()),
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
                        &staged.object,
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
            let key = |one: &RehearsedObject| {
                let place = (one.namespace.clone(), one.kind.clone(), one.name.clone());
                (one.verdict, std::cmp::Reverse(one.impact()), place)
            };
            key(one).cmp(&key(other))
        });
        step.totals = RehearsalTotals {
            pods,
            pods_deleted: deleted,
            ..RehearsalTotals::of(&reports)
        };
        step.objects = reports;
        Ok((step, after, settings))
    }

    async fn stored(&self) -> Result<Stored, RehearseError> {
        let kinds = self
            .objects
            .iter()
            .map(|one| one.key.kind.as_str())
            .collect();
        Ok(self.server.list(&kinds).await?.into_iter().collect())
    }
}

/// The refusals of the new operator; where it says nothing and makes no Pods either, those of the
/// old one, which go on without being told again.
fn goes_on(refused: &[Vec<String>; 2], pods: bool) -> Vec<String> {
    match refused {
        [old, new] if new.is_empty() && !pods => old.clone(),
        [_, new] => new.clone(),
    }
}

/// Whether the model expects a refusal that did not come, or misses one that did.
fn disagreement(
    staged: &StagedObject,
    expected: Option<&str>,
    report: &RehearsedObject,
    by_operator: &[String],
    release: &Version,
) -> Option<ModelFinding> {
    let seen = report.refusals.iter().map(|one| &one.message);
    let seen = seen.chain(&staged.refused).chain(by_operator).next();
    let difference = match (expected, seen) {
        (Some(expected), None) => {
            format!("the model expects a refusal, but there was none: {expected}")
        }
        (None, Some(seen)) if !report.refusals.is_empty() => {
            format!("the model does not predict this refusal: {seen}")
        }
        _ => return None,
    };
    Some(ModelFinding {
        object: shown(&staged.key),
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
                "KubeRay {release} does not support the feature gate {name} and would exit; \
                 it was left out"
            ));
        }
        is_known
    });
    (known, lines)
}
