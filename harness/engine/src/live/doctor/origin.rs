//! Compares Pods with what releases of the operator create: which release, which spec, or which
//! other writer.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::{Value, json};

use super::document::{PodOrigin, PodReport};
use super::facts::release_on;
use super::passed_on;
use super::subject::Cluster;
use super::view::{PodView, text, time};
use crate::contract::{
    self, Difference, EffectiveSettings, PodContract, PodRole, differences, features,
};
use crate::live::bundle::{Bundle, Writer};

/// The operators that may have created a Pod: the present one, and every release.
pub(super) struct Candidates<'a> {
    /// The present operator's release.
    pub release: &'a Version,
    /// Its settings.
    pub settings: &'a EffectiveSettings,
    /// All releases, newest first.
    pub all: &'a [Version],
}

/// A Pod compared with the Pod that its operator should have created.
pub(super) struct Compared {
    pub report: PodReport,
    /// The differences from the expected Pod; empty where there are none.
    pub differences: Vec<Difference>,
}

impl Compared {
    /// Whether something that runs is another than expected: a container, its image, its command or
    /// its environment.
    pub fn changes_what_runs(&self) -> bool {
        let what = ["containers", "image", "command", "args", "env"];
        self.differences.iter().any(|one| what.contains(&one.what))
    }

    /// Whether the command of Ray's container is another one than expected.
    pub fn changes_the_command(&self, pod: &PodView) -> bool {
        let ray = text(&pod.first()["name"]);
        let mut differences = self.differences.iter();
        differences.any(|one| one.container == ray && ["args", "command"].contains(&one.what))
    }
}

/// Compares a Pod of a RayCluster.
pub(super) fn of_pod(
    bundle: &Bundle,
    cluster: &Cluster,
    pod: &PodView,
    candidates: &Candidates,
) -> Compared {
    let role = if pod.is_head() { "head" } else { "worker" };
    let mut report = PodReport {
        name: pod.name().into(),
        role: role.into(),
        group: pod.group().into(),
        ready: pod.is_well() && !pod.is_going(),
        ..PodReport::default()
    };
    let mut compared = |origin, differences: Vec<Difference>| {
        report.origin = origin;
        report.differences = differences.iter().map(shown).collect();
        Compared {
            report: std::mem::take(&mut report),
            differences,
        }
    };
    let expected = |release: &Version, settings: &EffectiveSettings| {
        let settings = EffectiveSettings {
            // The model names the operator's version in a variable; an operator may call itself
            // otherwise.
            version: settings.version.clone().or_else(|| version_on(pod)),
            ..settings.clone()
        };
        let pods = contract::predict(release, &settings, cluster.value).unwrap_or_default();
        let of_pod = pods.into_iter().filter(|one| is_for(one, pod));
        // Groups of one name share their Pods: which of them a Pod was created for, nothing tells.
        let differences = of_pod
            .zip(cluster.templates(pod))
            .map(|(contract, template)| compare(&contract, pod, template));
        differences.min_by_key(Vec::len)
    };
    let Some(differs) = expected(candidates.release, candidates.settings) else {
        return compared(PodOrigin::NotCompared, Vec::new());
    };
    if differs.is_empty() {
        return compared(PodOrigin::Expected, differs);
    }
    // Others: the release that the Pod names first, then each with the settings of today and with
    // none.
    let named = release_on(pod.value);
    let plain = EffectiveSettings::default();
    let login = EffectiveSettings {
        env: [("ENABLE_LOGIN_SHELL".to_owned(), "true".to_owned())].into(),
        ..EffectiveSettings::default()
    };
    let mut tried = vec![candidates.settings];
    tried.extend(
        [&plain, &login]
            .into_iter()
            .filter(|one| *one != candidates.settings),
    );
    let is_fit = |release: &Version| {
        tried
            .iter()
            .any(|settings| expected(release, settings).is_some_and(|differs| differs.is_empty()))
    };
    // Releases of a class create the same, so one of them answers for all.
    let mut classes: BTreeMap<&str, bool> = BTreeMap::new();
    let mut fitting: Vec<&Version> = Vec::new();
    for release in candidates.all {
        if named.as_ref().is_some_and(|named| named != release) {
            continue;
        }
        let class = contract::class_of(release).name;
        if *classes.entry(class).or_insert_with(|| is_fit(release)) {
            fitting.push(release);
        }
    }
    let older = fitting.iter().any(|release| *release != candidates.release);
    if older {
        let mut found = compared(PodOrigin::OlderOperator, differs);
        found.report.releases = fitting.iter().map(ToString::to_string).collect();
        found.report.when_recreated = reasons(
            &found.differences,
            fitting.first().copied(),
            candidates.release,
        );
        return found;
    }
    let changed = spec_changed(bundle, cluster);
    let after = changed.zip(pod.created());
    let spec_is_newer = after.is_some_and(|(changed, created)| changed > created);
    let strangers = strangers(bundle, pod);
    let other_release = named
        .as_ref()
        .is_some_and(|named| named != candidates.release);
    let origin = if spec_is_newer && (strangers.is_empty() || other_release) {
        PodOrigin::OlderSpec
    } else {
        PodOrigin::AnotherWriter
    };
    let mut found = compared(origin, differs);
    found.report.writers = match origin {
        PodOrigin::AnotherWriter => evidence(bundle, &strangers),
        _ => Vec::new(),
    };
    if origin == PodOrigin::OlderSpec {
        found.report.when_recreated = found
            .differences
            .iter()
            .map(|one| format!("{}: the object has changed", place(one)))
            .collect();
    }
    found
}

/// The version that a Pod says that its operator has.
fn version_on(pod: &PodView) -> Option<String> {
    release_on(pod.value).map(|release| format!("v{release}"))
}

fn is_for(contract: &PodContract, pod: &PodView) -> bool {
    match contract.role {
        PodRole::Head => pod.is_head(),
        PodRole::Worker => pod.is_worker() && contract.group == pod.group(),
        PodRole::Submitter => false,
    }
}

/// What differs. Containers that are not the operator's, such as a sidecar of a webhook, are left
/// out, so that they hide
/// nothing else.
fn compare(contract: &PodContract, pod: &PodView, template: &Value) -> Vec<Difference> {
    let mut spec = json!({});
    for (field, expected) in [
        ("initContainers", &contract.init_containers),
        ("containers", &contract.containers),
    ] {
        let mut seen = pod.value["spec"][field]
            .as_array()
            .cloned()
            .unwrap_or_default();
        seen.retain(|container| {
            let name = container["name"].as_str();
            expected.iter().any(|one| name == Some(one.name.as_str()))
        });
        spec[field] = seen.into();
    }
    let mut found = differences(contract, &spec);
    found.extend(passed_on::differences(template, &pod.value["spec"]));
    found
}

/// When somebody but the operator and the autoscaler last wrote the spec of a RayCluster.
fn spec_changed(bundle: &Bundle, cluster: &Cluster) -> Option<jiff::Timestamp> {
    let meta = &cluster.value["metadata"];
    // The API server counts changes of the spec; the first one is its creation.
    if meta["generation"].as_i64().is_some_and(|count| count <= 1) {
        return None;
    }
    let writers = bundle.writers.iter().filter(|writer| {
        writer.kind == "RayCluster"
            && writer.name == text(&meta["name"])
            && writer.namespace == text(&meta["namespace"])
    });
    let written = writers
        .filter(|writer| !scales_only(writer))
        .filter_map(|writer| writer.time)
        .max();
    written.or_else(|| time(&meta["creationTimestamp"]))
}

/// Whether a writer owns numbers of replicas alone, as the autoscaler does.
fn scales_only(writer: &Writer) -> bool {
    writer.fields.iter().all(|field| {
        let last = field.rsplit('.').next().unwrap_or_default();
        ["replicas", "workersToDelete", "scaleStrategy", "suspend"].contains(&last)
    })
}

/// Writers of a Pod's containers that are neither the operator nor a part of Kubernetes.
fn strangers<'a>(bundle: &'a Bundle, pod: &PodView) -> Vec<&'a Writer> {
    const KNOWN: [&str; 7] = [
        "manager",
        "kuberay-operator",
        "ray-operator",
        "operator",
        "kubelet",
        "kube-scheduler",
        "kube-controller-manager",
    ];
    let writers = bundle.writers.iter().filter(|writer| {
        writer.kind == "Pod" && writer.name == pod.name() && writer.namespace == pod.namespace()
    });
    // The first writer creates the Pod: it is the operator, whatever it calls itself.
    let mut writers: Vec<&Writer> = writers.collect();
    writers.sort_by_key(|writer| writer.time);
    let creator = writers.first().map(|writer| writer.manager.clone());
    writers
        .into_iter()
        .filter(|writer| {
            !KNOWN.contains(&writer.manager.as_str())
                && Some(&writer.manager) != creator.as_ref()
                && writer
                    .fields
                    .iter()
                    .any(|field| field.contains("ontainers"))
        })
        .collect()
}

/// Returns the writers that may have changed a Pod.
fn evidence(bundle: &Bundle, strangers: &[&Writer]) -> Vec<String> {
    let writers = strangers.iter().map(|writer| {
        let fields: Vec<&str> = writer.fields.iter().take(3).map(String::as_str).collect();
        format!(
            "{} wrote {} (managedFields)",
            writer.manager,
            fields.join(", ")
        )
    });
    let webhooks = bundle.webhooks.iter().map(|webhook| {
        format!(
            "the webhook {} of {} may change Pods when they are created",
            webhook.name, webhook.configuration
        )
    });
    writers.chain(webhooks).take(8).collect()
}

/// Returns the reason why another release creates a different Pod.
fn reasons(differences: &[Difference], from: Option<&Version>, to: &Version) -> Vec<String> {
    let Some(from) = from else { return Vec::new() };
    let mut lines: Vec<String> = differences.iter().map(place).collect();
    lines.dedup();
    let changes = features()
        .iter()
        .filter(|entry| entry.covers(from) != entry.covers(to));
    let why: Vec<&str> = changes.map(|entry| entry.name).take(6).collect();
    let because = format!("KubeRay {to} instead of {from} ({})", why.join(", "));
    lines
        .iter()
        .map(|line| format!("{line}: {because}"))
        .collect()
}

fn place(one: &Difference) -> String {
    if one.container.is_empty() {
        one.what.to_owned()
    } else {
        format!("{} of {}", one.what, one.container)
    }
}

fn shown(one: &Difference) -> String {
    format!(
        "{}: expected {}, found {}",
        place(one),
        one.expected,
        one.found
    )
}
