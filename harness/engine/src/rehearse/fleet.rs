//! What is rehearsed: Ray objects, the operator's release and settings, out of a bundle or out of
//! files.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::{Map, Value};

use super::document::LeftOut;
use super::prepare::{key_of, shown};
use super::{ObjectKey, RehearseError};
use crate::live::Bundle;
use crate::live::bundle::{OperatorDeployment, UnreadKind};
use crate::live::doctor::{flag, release_on, view::texts};
use crate::operator::release_of;
use crate::scenario::{OperatorSettings, is_of_the_linker};

/// Kinds that the operator makes Pods of.
pub(super) const KINDS: [&str; 4] = ["RayCluster", "RayJob", "RayService", "RayCronJob"];

/// Variables of the operator's environment that a process beside an API server has of its own.
const NOT_OURS: [&str; 4] = ["HOME", "PATH", "KUBECONFIG", "POD_NAMESPACE"];
/// Keys of the configuration that say how the operator's process runs, and shape no Pod.
const OF_THE_PROCESS: [&str; 14] = [
    "apiVersion",
    "kind",
    "metadata",
    "metricsAddr",
    "probeAddr",
    "enableLeaderElection",
    "leaderElectionNamespace",
    "reconcileConcurrency",
    "watchNamespace",
    "logFile",
    "logFileEncoder",
    "logStdoutEncoder",
    "qps",
    "burst",
];

/// Ray objects with the operator that works on them.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// `cluster`, `bundle` or `files`.
    pub origin: String,
    /// The operator's release, where something names it.
    pub from: Option<Version>,
    /// The operator's settings.
    pub settings: OperatorSettings,
    /// Ray objects that users write.
    pub objects: Vec<Value>,
    /// Other objects, such as a `ConfigMap` or a `ServiceAccount`.
    pub others: Vec<Value>,
    /// Objects that are not rehearsed.
    pub left_out: Vec<LeftOut>,
    /// Notes about the rehearsal.
    pub notes: Vec<String>,
    /// The kinds that could not be read.
    pub unread: Vec<UnreadKind>,
}

impl Fleet {
    /// Takes the objects of a bundle of `doctor`.
    pub fn of_bundle(bundle: &Bundle, origin: &str) -> Self {
        let mut fleet = Self {
            origin: origin.into(),
            unread: bundle.unread.clone(),
            ..Self::default()
        };
        let operators: Vec<Running> = bundle.operators.iter().map(Running::of).collect();
        let working = operators.iter().find(|one| !one.is_off);
        if let Some(operator) = working.or(operators.first()) {
            fleet.from.clone_from(&operator.release);
            fleet.settings = operator.settings.clone();
            fleet.notes.extend(operator.notes.iter().cloned());
        }
        if fleet.from.is_none() {
            fleet.from = bundle.pods.iter().filter_map(release_on).max();
        }
        for object in &bundle.objects {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            let others = operators.iter().filter(|one| !one.is_off);
            let mut watching = others.filter(|one| one.watches(namespace)).peekable();
            if working.is_some() && watching.peek().is_none() {
                fleet.leave_out(object, "no operator watches its namespace");
            } else if watching.peek().is_some() && watching.all(|one| one.release != fleet.from) {
                fleet.leave_out(object, "an operator of another release works on it");
            } else {
                fleet.add(object.clone());
            }
        }
        fleet.without_owned();
        fleet
    }

    /// Takes the objects of manifests.
    pub fn of_files(objects: Vec<Value>) -> Self {
        let mut fleet = Self {
            origin: "files".into(),
            ..Self::default()
        };
        for object in objects {
            fleet.add(object);
        }
        fleet.without_owned();
        fleet
    }

    fn leave_out(&mut self, object: &Value, why: &str) {
        self.left_out.push(LeftOut {
            object: shown(&key_of(object)),
            why: why.into(),
        });
    }

    fn add(&mut self, mut object: Value) {
        if !object["metadata"].is_object() {
            return;
        }
        if object["metadata"]["namespace"]
            .as_str()
            .is_none_or(str::is_empty)
        {
            object["metadata"]["namespace"] = "default".into();
        }
        let kind = object["kind"].as_str().unwrap_or_default();
        let api = object["apiVersion"].as_str().unwrap_or_default();
        if !KINDS.contains(&kind) || !api.starts_with("ray.io/") {
            let is_pod = kind == "Pod" || api.starts_with("apiextensions.k8s.io/");
            if !is_pod && object["kind"].is_string() {
                self.others.push(object);
            }
            return;
        }
        if object["metadata"]["name"]
            .as_str()
            .is_none_or(str::is_empty)
        {
            self.leave_out(&object, "it has no name");
            return;
        }
        if !object["metadata"]["deletionTimestamp"].is_null() {
            self.leave_out(&object, "it is being deleted");
            return;
        }
        self.objects.push(object);
    }

    /// Leaves out what the operator makes of other objects, and the second of two of one name.
    fn without_owned(&mut self) {
        let present: BTreeSet<ObjectKey> = self.objects.iter().map(key_of).collect();
        let mut seen = BTreeSet::new();
        self.objects.retain(|object| {
            let owners = object["metadata"]["ownerReferences"].as_array();
            let namespace = &object["metadata"]["namespace"];
            let is_owned = owners.into_iter().flatten().any(|owner| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let owner = ObjectKey {
                    kind: text(&owner["kind"]),
                    namespace: text(namespace),
                    name: text(&owner["name"]),
                };
                present.contains(&owner)
            });
            !is_owned && seen.insert(key_of(object))
        });
        self.objects.sort_by_key(key_of);
    }

    /// Fails where there is nothing to rehearse.
    ///
    /// # Errors
    /// When there is no Ray object, or nothing names the operator's release.
    pub(super) fn check(&self) -> Result<Version, RehearseError> {
        if self.objects.is_empty() {
            return Err(RehearseError::NoObjects);
        }
        self.from.clone().ok_or(RehearseError::NoRelease)
    }
}

/// An operator of a cluster.
struct Running {
    release: Option<Version>,
    settings: OperatorSettings,
    watched: Vec<String>,
    is_off: bool,
    notes: Vec<String>,
}

impl Running {
    fn of(operator: &OperatorDeployment) -> Self {
        let spec = &operator.deployment["spec"];
        let container = &spec["template"]["spec"]["containers"][0];
        let mut words = texts(&container["command"]);
        words.extend(texts(&container["args"]));
        let mut notes = Vec::new();
        let mut env = BTreeMap::new();
        for variable in container["env"].as_array().into_iter().flatten() {
            let name = variable["name"].as_str().unwrap_or_default();
            match variable["value"].as_str() {
                Some(_) if is_of_the_linker(name) => notes.push(format!(
                    "the operator's variable {name} selects libraries for its process and was left out"
                )),
                Some(_) if NOT_OURS.contains(&name) || name.starts_with("KUBERNETES_") => {}
                Some(value) => _ = env.insert(name.to_owned(), value.to_owned()),
                None if variable["valueFrom"].is_null() || NOT_OURS.contains(&name) => {}
                None => notes.push(format!(
                    "the operator's variable {name} comes from another object and was left out"
                )),
            }
        }
        let file = operator.configuration.as_ref().and_then(Value::as_object);
        let mut configuration: Map<String, Value> = file.cloned().unwrap_or_default();
        let watched = flag(&words, "watch-namespace").map(str::to_owned);
        let in_file = configuration.get("watchNamespace").and_then(Value::as_str);
        let watched = watched.or_else(|| in_file.map(str::to_owned));
        let mut gates = BTreeMap::new();
        for part in flag(&words, "feature-gates").unwrap_or("").split(',') {
            if let Some((name, value)) = part.split_once('=') {
                gates.insert(name.trim().to_owned(), value.trim() == "true");
            }
        }
        let scheduler = ["batchScheduler", "enableBatchScheduler"];
        let has_scheduler = scheduler.iter().any(|key| configuration.contains_key(*key));
        // A switch of Go's needs no value.
        let has_flag = words.iter().any(|word| {
            let name = word.trim_start_matches('-').split('=').next();
            name.is_some_and(|name| ["batch-scheduler", "enable-batch-scheduler"].contains(&name))
        });
        if has_scheduler || has_flag {
            notes.push("the batch scheduler of the operator was not rehearsed".into());
        }
        let left = OF_THE_PROCESS.iter().chain(&scheduler);
        left.for_each(|key| _ = configuration.remove(*key));
        Self {
            release: release_of(container["image"].as_str().unwrap_or_default()),
            settings: OperatorSettings {
                env,
                args: Vec::new(),
                feature_gates: gates,
                configuration,
            },
            watched: watched
                .iter()
                .flat_map(|list| list.split(','))
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            is_off: spec["replicas"] == 0,
            notes,
        }
    }

    fn watches(&self, namespace: &str) -> bool {
        self.watched.is_empty() || self.watched.iter().any(|name| name == namespace)
    }
}
