//! The facts about an operator from its Deployment: release, settings, and the namespaces that it
//! works on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::Version;
use serde_json::Value;

use super::document::{OperatorReport, Proof, ProofKind};
use super::symptoms::PATIENCE;
use super::view::{text, texts, time};
use crate::contract::EffectiveSettings;
use crate::contract::admission::known_fields;
use crate::live::bundle::{Bundle, Crd, OperatorDeployment};
use crate::operator::release_of;

/// An operator.
#[derive(Debug, Clone)]
pub(in crate::live) struct Facts {
    pub report: OperatorReport,
    pub release: Option<Version>,
    pub settings: EffectiveSettings,
    /// Whether it was scaled to nothing.
    pub is_off: bool,
}

impl Facts {
    pub fn of(operator: &OperatorDeployment) -> Self {
        let deployment = &operator.deployment;
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let image = text(&container["image"]);
        let release = release_of(image);
        let mut env = BTreeMap::new();
        for variable in container["env"].as_array().into_iter().flatten() {
            if let Some(value) = variable["value"].as_str() {
                env.insert(text(&variable["name"]).to_owned(), value.to_owned());
            }
        }
        let mut words = texts(&container["command"]);
        words.extend(texts(&container["args"]));
        let configuration = operator.configuration.as_ref();
        let of_file = |field: &str| configuration.map(|file| text(&file[field]));
        let watches = flag(&words, "watch-namespace")
            .or_else(|| of_file("watchNamespace").filter(|value| !value.is_empty()));
        let watches = watches.map(|list| list.split(',').map(|name| name.trim().to_owned()));
        let gates = flag(&words, "feature-gates");
        let settings = EffectiveSettings {
            env: env.clone(),
            feature_gates: gates.map(parse_gates).unwrap_or_default(),
            ..EffectiveSettings::default()
        };
        let settings = match configuration.and_then(Value::as_object) {
            // A file that the operator can't read ends it; its settings are then those without it.
            Some(file) => settings
                .clone()
                .with_configuration(file)
                .unwrap_or(settings),
            None => settings,
        };
        let known = |name: &&String| {
            EffectiveSettings::KNOWN.contains(&name.as_str()) || *name == "ENABLE_PROBES_INJECTION"
        };
        let shown = env.iter().filter(|(name, _)| known(name));
        let meta = &deployment["metadata"];
        let available = deployment["status"]["availableReplicas"].as_i64();
        Self {
            report: OperatorReport {
                namespace: text(&meta["namespace"]).into(),
                name: text(&meta["name"]).into(),
                image: image.into(),
                release: release.as_ref().map(ToString::to_string),
                available: available.unwrap_or_default() > 0,
                watches: watches
                    .map(|names| names.filter(|name| !name.is_empty()).collect())
                    .unwrap_or_default(),
                settings: shown
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
                feature_gates: gates.map(str::to_owned),
            },
            release,
            settings,
            is_off: deployment["spec"]["replicas"] == 0,
        }
    }

    /// Whether it works on a namespace.
    pub fn watches(&self, namespace: &str) -> bool {
        let watched = &self.report.watches;
        watched.is_empty() || watched.iter().any(|name| name == namespace)
    }

    /// Whether it may work in a moment, or works already: it came just now and nothing of it has
    /// failed yet, or it runs and has not been ready for a short time, as on a busy machine.
    pub fn is_awaited(&self, operator: &OperatorDeployment, now: Timestamp) -> bool {
        let runs = |pod: &Value| {
            let status = &pod["status"]["containerStatuses"][0]["state"]["running"];
            let conditions = pod["status"]["conditions"].as_array();
            let mut ready = conditions.into_iter().flatten();
            let since = ready.find(|condition| condition["type"] == "Ready");
            let since = since.and_then(|ready| time(&ready["lastTransitionTime"]));
            status.is_object() && since.is_some_and(|since| now.duration_since(since) < PATIENCE)
        };
        self.is_starting(operator, now) || (!self.is_off && operator.pods.iter().any(runs))
    }

    fn is_starting(&self, operator: &OperatorDeployment, now: Timestamp) -> bool {
        let is_new = |object: &Value| {
            let created = time(&object["metadata"]["creationTimestamp"]);
            created.is_some_and(|created| now.duration_since(created) < PATIENCE)
        };
        let is_well = |status: &Value| {
            let waits = text(&status["state"]["waiting"]["reason"]);
            let ended = status["state"]["terminated"].is_object();
            ["", "ContainerCreating", "PodInitializing"].contains(&waits)
                && !ended
                && status["restartCount"].as_i64().unwrap_or_default() == 0
        };
        let statuses = operator.pods.iter();
        let mut statuses = statuses.flat_map(|pod| {
            let statuses = pod["status"]["containerStatuses"].as_array();
            statuses.into_iter().flatten()
        });
        let came = if operator.pods.is_empty() {
            is_new(&operator.deployment)
        } else {
            operator.pods.iter().all(is_new)
        };
        !self.is_off && came && statuses.all(is_well)
    }

    /// Returns the reason why it does not work, in the words of its Pods.
    pub fn complaint(&self, operator: &OperatorDeployment) -> Proof {
        let states = operator.pods.iter().flat_map(|pod| {
            let statuses = pod["status"]["containerStatuses"].as_array();
            statuses
                .into_iter()
                .flatten()
                .map(|status| &status["state"])
        });
        let mut reasons = states.filter_map(|state| {
            let waiting = text(&state["waiting"]["reason"]);
            let ended = text(&state["terminated"]["reason"]);
            [waiting, ended]
                .into_iter()
                .find(|reason| !reason.is_empty())
        });
        let of = format!("Deployment {}/{}", self.report.namespace, self.report.name);
        let why = if self.is_off {
            "has 0 replicas".to_owned()
        } else {
            let reason = reasons.next().map(|reason| format!(" ({reason})"));
            format!("has no available replica{}", reason.unwrap_or_default())
        };
        Proof {
            kind: ProofKind::Status,
            text: format!("{of} {why}"),
        }
    }
}

/// Whether an operator that works on a namespace is awaited.
pub(super) fn is_awaited(namespace: &str, facts: &[Facts], bundle: &Bundle) -> bool {
    let operators = facts.iter().zip(&bundle.operators);
    let mut working = operators.filter(|(one, _)| one.watches(namespace));
    working
        .any(|(one, operator)| !one.report.available && one.is_awaited(operator, bundle.taken_at))
}

/// The gates of `--feature-gates`, such as `RayCronJob=true,RayMultiHostIndexing=false`.
fn parse_gates(list: &str) -> BTreeMap<String, bool> {
    let gates = list.split(',').filter_map(|gate| {
        let (name, value) = gate.trim().split_once('=')?;
        Some((name.trim().to_owned(), value.trim().parse().ok()?))
    });
    gates.collect()
}

/// The value of a flag of Go's: `--name=value` or `--name value`.
pub(crate) fn flag<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let bare = word.trim_start_matches('-');
        let value = match bare.split_once('=') {
            Some((flag, value)) if flag == name => value,
            None if bare == name => words.next()?,
            _ => continue,
        };
        return Some(value).filter(|value| !value.is_empty());
    }
    None
}

/// The fields that a release's definition of a kind has and this one lacks.
pub(super) fn lacking(crd: &Crd, release: &Version) -> Vec<String> {
    if crd.fields.is_empty() {
        return Vec::new();
    }
    let known = known_fields(release, &crd.kind);
    let lacks = known
        .into_iter()
        .filter(|field| !crd.fields.contains(field));
    lacks.filter(|field| field.starts_with("spec.")).collect()
}

/// The release of the operator that works on a namespace, by its image, else by what its Pods
/// carry.
pub(super) fn release_for(bundle: &Bundle, facts: &[Facts], namespace: &str) -> Option<Version> {
    let mut working = facts
        .iter()
        .filter(|one| !one.is_off && one.watches(namespace));
    let named = working.find_map(|one| one.release.clone());
    named.or_else(|| bundle.pods.iter().filter_map(release_on).max())
}

/// The release that created a Pod, where the Pod names it.
pub(crate) fn release_on(pod: &Value) -> Option<Version> {
    let meta = &pod["metadata"];
    let written = [&meta["annotations"], &meta["labels"]]
        .into_iter()
        .map(|map| text(&map["ray.io/kuberay-version"]))
        .find(|version| !version.is_empty());
    let parse = |text: &str| Version::parse(text.trim_start_matches('v')).ok();
    if let Some(version) = written.and_then(parse) {
        return Some(version);
    }
    let env = pod["spec"]["containers"][0]["env"].as_array()?;
    let tags = env
        .iter()
        .find(|variable| variable["name"] == "RAY_USAGE_STATS_EXTRA_TAGS")?;
    let (_, rest) = text(&tags["value"]).split_once("kuberay_version=")?;
    parse(rest.split(';').next()?)
}
