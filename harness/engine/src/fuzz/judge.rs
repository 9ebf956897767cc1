//! What the contract expects of an object, against what an operator was seen to make of it.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::Value;

use super::Surprise;
use crate::check::{Observation, operator_refusals};
use crate::compare::replicas;
use crate::contract::admission::OperatorCheck;
use crate::contract::{
    self, EffectiveSettings, Feature, FieldValidation, Forecast, ModelError, PodContract, PodRole,
    Reach, Refusal, Stage,
};
use crate::generate::SUBMITS_SINCE;

/// Which Pod of an object it is: its role and its group.
pub(super) type PodKey = (PodRole, String);

/// What is expected of an object.
#[derive(Debug)]
pub(super) struct Expected {
    /// The refusals that meet the client that sends it.
    pub refusals: Vec<Refusal>,
    /// Whether nobody refuses it and it has no Pods.
    pub is_held: bool,
    /// The Pods that come.
    pub pods: Vec<PodContract>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct SeenOutcome {
    /// Specs of Pods, and of the Job that submits.
    pub pods: BTreeMap<PodKey, Value>,
    /// What the operator says against the object.
    pub refusals: Vec<String>,
}

/// How far the answer of an operator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Something expected is not there yet.
    Waits,
    /// All that is expected is there; what is not expected still has time to appear.
    MustStay,
    /// Something is there that is not expected.
    Contradicts,
    /// Nothing else is awaited.
    Done,
}

impl Expected {
    /// Asks the contract.
    pub fn of(
        release: &Version,
        settings: &EffectiveSettings,
        validation: FieldValidation,
        object: &Value,
    ) -> Result<Self, ModelError> {
        let forecast = contract::forecast(release, settings, validation, object)?;
        let Forecast {
            mut refusals,
            wait_reason,
            mut pods,
        } = forecast;
        refusals.retain(|refusal| refusal.clients.refuses(validation));
        pods.retain(|pod| pod.role != PodRole::Worker || replicas(object, &pod.group) > 0);
        if *release < SUBMITS_SINCE {
            // Neither the submitter nor why there is none can be seen.
            refusals.retain(|refusal| refusal.reach != Reach::Submitter);
            pods.retain(|pod| pod.role != PodRole::Submitter);
        }
        Ok(Self {
            refusals,
            is_held: wait_reason.is_some(),
            pods,
        })
    }

    /// Refusals by the client and the API server; with one of them nothing else happens.
    pub fn of_api(&self) -> Vec<&Refusal> {
        self.at(|refusal| refusal.stage <= Stage::ApiServer)
    }

    /// Refusals that show as an event or in a status.
    fn shown(&self) -> Vec<&Refusal> {
        self.at(|refusal| match refusal.stage {
            Stage::Client | Stage::ApiServer => false,
            Stage::Operator => !is_silent(refusal),
            Stage::PodCreation => true,
        })
    }

    /// Whether the operator refuses something, or the API server what the operator makes.
    pub fn is_refused_later(&self) -> bool {
        !self.shown().is_empty()
    }

    /// Whether the operator refuses the whole object.
    pub fn is_refused_by_operator(&self) -> bool {
        let by_operator = |one: &Refusal| one.stage == Stage::Operator && !is_silent(one);
        self.refusals.iter().any(by_operator)
    }

    fn at(&self, is: impl Fn(&Refusal) -> bool) -> Vec<&Refusal> {
        self.refusals.iter().filter(|one| is(one)).collect()
    }

    /// Whether the operator is to get as far as the submitter of a RayJob.
    pub fn reaches_submitter(&self) -> bool {
        let submits = self.pods.iter().any(|pod| pod.role == PodRole::Submitter);
        submits
            || self
                .refusals
                .iter()
                .any(|one| one.reach == Reach::Submitter)
    }

    /// How many cases the object is: its containers that run Ray or submit, or the object itself.
    pub fn cases(&self) -> usize {
        self.pods.len().max(1)
    }

    /// How far the answer is.
    pub fn phase(&self, seen: &SeenOutcome) -> Phase {
        let shown = self.shown();
        let extra = seen.pods.keys().any(|key| self.pod(key).is_none());
        let refused = seen.refusals.iter().any(|text| is_verdict(text));
        let confirmed = shown.iter().any(|one| seen.confirms(one));
        if extra || refused && !confirmed {
            return Phase::Contradicts;
        }
        let come = self
            .pods
            .iter()
            .all(|pod| seen.pods.contains_key(&key(pod)));
        // Behind a refusal of the whole object nothing else is tried.
        let refused = self.is_refused_by_operator();
        let silent = !refused && (self.is_held || self.refusals.iter().any(is_silent));
        match (come && (shown.is_empty() || confirmed), silent) {
            (false, _) => Phase::Waits,
            (true, true) => Phase::MustStay,
            (true, false) => Phase::Done,
        }
    }

    fn pod(&self, wanted: &PodKey) -> Option<&PodContract> {
        self.pods.iter().find(|pod| key(pod) == *wanted)
    }

    /// Expected refusals that were seen, or whose Pods stayed away.
    pub fn confirmed(&self, seen: &SeenOutcome) -> Vec<&Refusal> {
        let whole = |one: &Refusal| one.reach == Reach::Object && !is_silent(one);
        let hidden = self.refusals.iter().any(whole);
        self.at(|one| {
            if is_silent(one) {
                !hidden
            } else {
                one.stage > Stage::ApiServer && seen.confirms(one)
            }
        })
    }

    /// What went otherwise once the answer is complete, or as complete as it gets; `log` returns
    /// the last error in the operator's log.
    pub fn surprise(&self, seen: &SeenOutcome, log: impl Fn() -> String) -> Option<Surprise> {
        let differs = self.pods.iter().find_map(|pod| {
            let differences = contract::differences(pod, seen.pods.get(&key(pod))?);
            (!differences.is_empty()).then(|| Surprise::Differs {
                role: pod.role,
                group: pod.group.clone(),
                differences,
            })
        });
        if differs.is_some() {
            return differs;
        }
        let shown = self.shown();
        let verdict = seen.refusals.iter().find(|text| is_verdict(text));
        if !shown.iter().any(|one| seen.confirms(one)) {
            match (shown.first(), verdict) {
                (Some(first), None) => {
                    return Some(Surprise::Accepted {
                        stage: first.stage,
                        reason: reason(first),
                        log: log(),
                    });
                }
                (Some(_), Some(found)) => {
                    return Some(Surprise::OtherReason {
                        expected: shown.into_iter().map(reason).collect(),
                        found: found.clone(),
                    });
                }
                (None, Some(found)) => {
                    return Some(Surprise::Refused {
                        stage: stage_of(found),
                        message: found.clone(),
                    });
                }
                (None, None) => {}
            }
        }
        let names = |keys: Vec<PodKey>| keys.iter().map(name).collect::<Vec<_>>();
        let extra: Vec<PodKey> = seen.pods.keys().cloned().collect();
        let extra: Vec<PodKey> = extra
            .into_iter()
            .filter(|key| self.pod(key).is_none())
            .collect();
        if !extra.is_empty() {
            return Some(Surprise::Extra(names(extra)));
        }
        let missing = self.pods.iter().map(key);
        let missing: Vec<PodKey> = missing.filter(|key| !seen.pods.contains_key(key)).collect();
        (!missing.is_empty()).then(|| Surprise::Missing {
            groups: names(missing),
            log: log(),
        })
    }

    /// What went otherwise at the API server: `refused` is the stage and the text of its refusal.
    pub fn surprise_of_api(&self, refused: Option<(Stage, &str)>) -> Option<Surprise> {
        let expected = self.of_api();
        match (expected.first(), refused) {
            (None, None) => None,
            (None, Some((stage, message))) => Some(Surprise::Refused {
                stage,
                message: message.into(),
            }),
            (Some(first), None) => Some(Surprise::Accepted {
                stage: first.stage,
                reason: reason(first),
                log: String::new(),
            }),
            (Some(first), Some((stage, message))) => {
                let same = first.stage == stage && expected.iter().any(|one| says(one, message));
                (!same).then(|| Surprise::OtherReason {
                    expected: expected.into_iter().map(reason).collect(),
                    found: format!("{}: {message}", stage.word()),
                })
            }
        }
    }
}

impl SeenOutcome {
    /// Reads what an operator made. `cluster` names the RayCluster whose Pods count, `job` the
    /// RayJob whose Job counts; all count where they are unknown.
    pub fn of(observation: &Observation, cluster: Option<&str>, job: Option<&str>) -> Self {
        let mut seen = Self {
            refusals: operator_refusals(observation),
            ..Self::default()
        };
        for pod in &observation.pods {
            let label = |name: &str| pod.metadata.labels.as_ref()?.get(name).cloned();
            let role = match label("ray.io/node-type").as_deref() {
                Some("head") => PodRole::Head,
                Some("worker") => PodRole::Worker,
                _ => continue,
            };
            if cluster.is_some_and(|name| label("ray.io/cluster").as_deref() != Some(name)) {
                continue;
            }
            let group = label("ray.io/group").unwrap_or_default();
            let spec = serde_json::to_value(&pod.spec).unwrap_or_default();
            seen.pods.entry((role, group)).or_insert(spec);
        }
        for own in &observation.jobs {
            let owners = own.metadata.owner_references.iter().flatten();
            let mut owners = owners.filter(|owner| owner.kind == "RayJob");
            if !owners.any(|owner| job.is_none_or(|name| owner.name == name)) {
                continue;
            }
            let template = own.spec.as_ref().map(|spec| &spec.template.spec);
            let spec = serde_json::to_value(template).unwrap_or_default();
            let key = (PodRole::Submitter, String::new());
            seen.pods.entry(key).or_insert(spec);
        }
        seen
    }

    /// The same for one of several RayJobs.
    pub fn of_job(observation: &Observation, job: &Value) -> Self {
        let cluster = job["status"]["rayClusterName"].as_str();
        let name = job["metadata"]["name"].as_str();
        Self::of(observation, cluster.or(Some("")), name)
    }

    fn confirms(&self, refusal: &Refusal) -> bool {
        self.refusals.iter().any(|text| says(refusal, text))
    }
}

/// A child that is not named as the contract says.
pub(super) fn misnamed(
    release: &Version,
    object: &Value,
    observation: &Observation,
) -> Option<Surprise> {
    let has = |feature: Feature| feature.entry().covers(release);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&object["metadata"]["name"]);
    let is_random = |rest: &str| {
        rest.len() == 5
            && rest
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_date = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    let (child, start, is_end): (_, _, &dyn Fn(&str) -> bool) = match object["kind"].as_str()? {
        "RayJob" | "RayService" if has(Feature::ClusterNameShort) => (
            observation.ray_clusters.first()?,
            format!("{name}-"),
            &is_random,
        ),
        "RayJob" | "RayService" => {
            let start = format!("{name}-raycluster-");
            (observation.ray_clusters.first()?, start, &is_random)
        }
        "RayCronJob" if has(Feature::CronJobDatedName) => {
            (observation.ray_jobs.first()?, format!("{name}-"), &is_date)
        }
        "RayCronJob" => (
            observation.ray_jobs.first()?,
            format!("{name}-"),
            &is_random,
        ),
        _ => return None,
    };
    let found = text(&child["metadata"]["name"]);
    let is_named = found.strip_prefix(&start).is_some_and(is_end);
    (!is_named).then(|| Surprise::Misnamed {
        expected: format!("{start}xxxxx"),
        found,
    })
}

/// A refusal of which nothing shows but the Pods that stay away: the operator tries again and
/// again.
fn is_silent(refusal: &Refusal) -> bool {
    let only_logged = matches!(
        refusal.check,
        Some(
            OperatorCheck::MetadataVersion
                | OperatorCheck::MetadataOldRay
                | OperatorCheck::SelectorKey
                | OperatorCheck::ClusterOfJob
        )
    );
    refusal.stage == Stage::Operator && (only_logged || refusal.reach != Reach::Object)
}

fn key(pod: &PodContract) -> PodKey {
    (pod.role, pod.group.clone())
}

fn name((role, group): &PodKey) -> String {
    match role {
        PodRole::Submitter => "submitter".into(),
        _ => group.clone(),
    }
}

fn reason(refusal: &Refusal) -> String {
    format!(
        "{}: {}: {}",
        refusal.stage.word(),
        refusal.path,
        refusal.message
    )
}

/// Whether a text of the operator is a verdict on the object; others report what happens, such as a
/// Pod that exists already.
fn is_verdict(text: &str) -> bool {
    // Of an object-store-memory that is no number the operator reports this up to 1.1, and makes
    // the Pods (`calculateStatus` in `controllers/ray/raycluster_controller.go` of 1.1.1).
    let is_remark = text.starts_with("RayConfigError: ");
    !is_remark && text.to_lowercase().contains("invalid")
}

fn stage_of(text: &str) -> Stage {
    if text.starts_with("Invalid") || text.starts_with("ValidationFailed") {
        Stage::Operator
    } else {
        Stage::PodCreation
    }
}

/// Whether a text gives the reason of a refusal, by its message or by the path of the field.
fn says(refusal: &Refusal, text: &str) -> bool {
    let message = refusal.message.as_str();
    let message = message.strip_prefix("Service: ").unwrap_or(message);
    // Which entry of a map it is about, in parentheses at the end, the API server tells in the
    // path.
    let without_entry = message
        .strip_suffix(')')
        .and_then(|message| message.rsplit_once(" ("))
        .map_or(message, |(message, _)| message);
    if text.contains(message) || text.contains(without_entry) {
        return true;
    }
    let path = refusal.path.replace("[\"", ".").replace("\"]", "");
    match refusal.stage {
        Stage::Client | Stage::ApiServer => text.contains(&format!("{path}:")),
        // The words of the parser of YAML are its own.
        Stage::Operator => {
            refusal.check == Some(OperatorCheck::RuntimeEnv)
                && text.contains("failed to unmarshal RuntimeEnvYAML")
        }
        // The API server names the field of the Pod.
        Stage::PodCreation => path
            .split_once("emplate.")
            .is_some_and(|(_, path)| text.contains(&format!("{path}:"))),
    }
}
