//! What one operator made of the objects of a case, without what varies from run to run.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Pod, PodSpec};
use kuberay_contract::{Stage, flags_are_ordered, sorted_args, sorted_command};
use semver::Version;
use serde_json::Value;

use crate::check::{Observation, operator_refusals};

/// Which Pod of a case it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodId {
    /// The RayCluster that it belongs to; empty for the Pod of a Job.
    pub cluster: String,
    /// `head`, `worker`, `submitter` or `redis-cleanup`.
    pub role: String,
    /// Its group; empty for the Pod of a Job.
    pub group: String,
    /// Whether it was made after the steps of a scenario.
    pub after_steps: bool,
}

/// A refusal of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// Who refuses it.
    pub stage: Stage,
    /// The reason.
    pub message: String,
}

/// What one operator made of the objects of a case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Refusals, sorted.
    pub refusals: Vec<Refused>,
    /// Specs of Pods.
    pub pods: BTreeMap<PodId, Value>,
}

/// Reads what an operator made. `parents` are the objects that were sent, as the API server holds
/// them now; the release says whether the order of flags is promised.
pub fn observe(observation: &Observation, parents: &[Value], release: &Version) -> Observed {
    let replacements = Replacements::of(observation, parents);
    let mut observed = Observed::default();
    for pod in &observation.pods {
        let label = |name: &str| pod.metadata.labels.as_ref()?.get(name).cloned();
        let Some(role) = label("ray.io/node-type") else {
            continue;
        };
        if role != "head" && role != "worker" {
            continue;
        }
        let id = PodId {
            cluster: replacements.text(&label("ray.io/cluster").unwrap_or_default()),
            role,
            group: label("ray.io/group").unwrap_or_default(),
            after_steps: is_after(observation, pod),
        };
        if let Some(spec) = &pod.spec {
            observed.pods.insert(id, replacements.spec(spec, release));
        }
    }
    for job in &observation.jobs {
        let kind = job.metadata.owner_references.iter().flatten();
        let role = kind
            .map(|owner| owner.kind.as_str())
            .find_map(|kind| match kind {
                "RayJob" => Some("submitter"),
                "RayCluster" => Some("redis-cleanup"),
                _ => None,
            });
        let template = job.spec.as_ref().and_then(|job| job.template.spec.as_ref());
        if let (Some(role), Some(spec)) = (role, template) {
            let id = PodId {
                cluster: String::new(),
                role: role.into(),
                group: String::new(),
                after_steps: false,
            };
            observed.pods.insert(id, replacements.spec(spec, release));
        }
    }
    let groups = group_names(observation, parents);
    let refused = |stage| {
        let (replacements, groups) = (&replacements, &groups);
        move |message: String| Refused {
            stage,
            message: without_groups(&replacements.text(&message), groups),
        }
    };
    let by_api = observation.rejections.iter();
    let by_api = by_api.map(|one| format!("{}: {}", one.object, one.message));
    let by_operator = operator_refusals(observation).into_iter();
    // Other warnings report what happens, such as a Pod that exists already, and do not refuse the
    // object.
    let by_operator = by_operator.filter(|message| message.contains("Invalid"));
    observed.refusals = by_api
        .map(refused(Stage::ApiServer))
        .chain(by_operator.map(refused(Stage::Operator)))
        .collect();
    observed.refusals.sort();
    observed.refusals.dedup();
    observed
}

/// Names of groups, which messages hold. The operator calls that of the head `Head`.
fn group_names(observation: &Observation, parents: &[Value]) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["Head".to_owned(), "headgroup".to_owned()]);
    for object in observation.ray_clusters.iter().chain(parents) {
        for spec in ["/spec", "/spec/rayClusterSpec", "/spec/rayClusterConfig"] {
            let groups = object.pointer(&format!("{spec}/workerGroupSpecs"));
            let groups = groups.and_then(Value::as_array).into_iter().flatten();
            names.extend(groups.filter_map(|one| one["groupName"].as_str().map(str::to_owned)));
        }
    }
    names
}

/// A message in which each group is `<group>`: the same check refuses all of them.
fn without_groups(message: &str, groups: &BTreeSet<String>) -> String {
    let words = message.split(' ').map(|word| {
        if groups.contains(word) {
            "<group>"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn is_after(observation: &Observation, pod: &Pod) -> bool {
    let uid = pod.metadata.uid.as_ref();
    let before = observation.before_steps.as_ref();
    before.is_some_and(|before| uid.is_none_or(|uid| !before.contains(uid)))
}

/// Texts that an API server or an operator draws at random, each with what stands for it. A text is
/// replaced only where its origin is known: it is a name, a uid or a job id of an object of this
/// case.
struct Replacements(Vec<(String, String)>);

impl Replacements {
    fn of(observation: &Observation, parents: &[Value]) -> Self {
        let mut list = Vec::new();
        let mut add = |from: &str, to: String| {
            if !from.is_empty() {
                list.push((from.to_owned(), to));
            }
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for cluster in &observation.ray_clusters {
            let metadata = &cluster["metadata"];
            add(&text(&metadata["uid"]), "<uid of the RayCluster>".into());
            let owned = metadata["ownerReferences"]
                .as_array()
                .is_some_and(|owners| !owners.is_empty());
            // The name ends in five random characters, also where a service's name keeps only its
            // end.
            if let Some((_, random)) = text(&metadata["name"])
                .rsplit_once('-')
                .filter(|(_, random)| owned && random.len() == 5)
            {
                add(&format!("-{random}"), "-<generated>".into());
            }
        }
        for pod in &observation.pods {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            // Each case has one of its own, which the DNS name of a service holds.
            add(&format!(".{namespace}.svc"), ".<namespace>.svc".into());
        }
        for parent in parents {
            let kind = text(&parent["kind"]);
            add(
                &text(&parent["metadata"]["uid"]),
                format!("<uid of the {kind}>"),
            );
            if parent["spec"]["jobId"].as_str().is_none_or(str::is_empty) {
                add(&text(&parent["status"]["jobId"]), "<job id>".into());
            }
        }
        // A job id may hold what another text holds.
        list.sort();
        list.dedup();
        list.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        Self(list)
    }

    fn text(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    fn spec(&self, spec: &PodSpec, release: &Version) -> Value {
        let mut spec = serde_json::to_value(spec).unwrap_or_default();
        self.apply(&mut spec);
        if !flags_are_ordered(release) {
            let containers = spec["containers"].as_array_mut();
            containers.into_iter().flatten().for_each(sort_flags);
        }
        spec
    }

    fn apply(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.apply(item)),
            _ => {}
        }
    }
}

/// Sorts the flags of the generated command, which come in random order up to KubeRay 1.2.
fn sort_flags(container: &mut Value) {
    if let Some([Value::String(text)]) = container["args"].as_array_mut().map(Vec::as_mut_slice)
        && let Some(sorted) = sorted_args(text)
    {
        *text = sorted;
    }
    let variables = container["env"].as_array_mut().into_iter().flatten();
    for variable in variables.filter(|one| one["name"] == "KUBERAY_GEN_RAY_START_CMD") {
        if let Some(sorted) = variable["value"].as_str().and_then(sorted_command) {
            variable["value"] = sorted.into();
        }
    }
}
