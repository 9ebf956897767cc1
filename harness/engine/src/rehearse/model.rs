//! Holds what real operators made against the model, and asks the model what an upgrade brings.

use std::path::Path;

use kube::ResourceExt as _;
use kuberay_manifest::{Severity, Source};
use semver::Version;
use serde_json::{Value, json};

use super::document::{ModelFinding, RehearsedTrap};
use super::prepare::{key_of, shown};
use crate::check::Observation;
use crate::contract::{
    Difference, EffectiveSettings, FieldValidation, PodContract, PodRole, UNKNOWN_UID, differences,
    predict,
};
use crate::explain::check::{Options, check, trap};

/// Differences of one object that are reported.
const SHOWN: usize = 4;

/// Where the model says something else than an operator did. `object` is what was created, `live`
/// what the API server holds of it.
pub(super) fn disagreements(
    object: &Value,
    live: Option<&Value>,
    seen: &Observation,
    release: &Version,
    settings: &EffectiveSettings,
) -> Vec<ModelFinding> {
    let found = |pod: &str, difference: String| ModelFinding {
        object: shown(&key_of(object)),
        release: release.to_string(),
        pod: pod.into(),
        difference,
    };
    let Some((known, uid)) = known(object, live, seen) else {
        return Vec::new();
    };
    if seen.pods.is_empty() && seen.jobs.is_empty() {
        return Vec::new();
    }
    let predicted = match predict(release, settings, &known) {
        Ok(pods) => pods,
        Err(error) => return vec![found("", format!("the model can't predict it: {error}"))],
    };
    let predicted: Vec<PodContract> = predicted
        .into_iter()
        .map(|contract| contract.with(UNKNOWN_UID, &uid))
        .collect();
    let part = |contract: &PodContract| (contract.role, contract.group.clone());
    let mut all = Vec::new();
    for (place, contract) in predicted.iter().enumerate() {
        let is_like = |other: &&PodContract| part(other) == part(contract);
        if predicted[..place].iter().any(|other| is_like(&other)) {
            continue;
        }
        let Some(spec) = spec_of(contract, seen) else {
            continue;
        };
        // Groups of one name share their Pods: which of them a Pod was created for, nothing tells.
        let of_each = predicted.iter().filter(is_like);
        let of_each = of_each.map(|contract| differences(contract, &spec));
        let differs: Vec<Difference> = of_each.min_by_key(Vec::len).unwrap_or_default();
        let name = match contract.role {
            PodRole::Head => "head".to_owned(),
            PodRole::Worker => format!("worker {}", contract.group),
            PodRole::Submitter => "submitter".to_owned(),
        };
        all.extend(differs.iter().map(|one| found(&name, one.to_string())));
    }
    all.truncate(SHOWN);
    all
}

/// The object with the spec that the API server holds, where it holds the object.
fn with_spec_of(object: &Value, live: Option<&Value>) -> Value {
    let mut object = object.clone();
    if let Some(spec) = live
        .map(|live| &live["spec"])
        .filter(|spec| spec.is_object())
    {
        object["spec"] = spec.clone();
    }
    object
}

/// The object with what only the API server and the operator know: uid, RayCluster, job id. Its
/// spec is the one that the API server holds, without the fields that the definitions do not know,
/// because the operator sees no other.
fn known(object: &Value, live: Option<&Value>, seen: &Observation) -> Option<(Value, String)> {
    let mut known = with_spec_of(object, live);
    let newest = seen.ray_clusters.iter().max_by_key(|one| {
        one["metadata"]["creationTimestamp"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    });
    let cluster = newest.map(|one| &one["metadata"]);
    let uid = cluster
        .and_then(|meta| meta["uid"].as_str())
        .unwrap_or_default();
    known["metadata"]["uid"] = match object["kind"].as_str()? {
        "RayCluster" => json!(uid),
        "RayJob" | "RayService" => live?["metadata"]["uid"].clone(),
        _ => return None,
    };
    let status = live.map(|live| live["status"].clone());
    known["status"] = status.filter(Value::is_object).unwrap_or_else(|| json!({}));
    if let Some(name) = cluster.map(|meta| meta["name"].clone()) {
        known["status"]["pendingServiceStatus"] = json!({"rayClusterName": name});
        known["status"]["rayClusterName"] = name;
    }
    Some((known, uid.to_owned()))
}

/// The spec of a Pod, or that of the Pods of a submitter's Job.
fn spec_of(contract: &PodContract, seen: &Observation) -> Option<Value> {
    if contract.role == PodRole::Submitter {
        let mut jobs = seen.jobs.iter();
        let job = jobs.find(|job| {
            let mut owners = job.owner_references().iter();
            owners.any(|owner| owner.kind == "RayJob")
        })?;
        return serde_json::to_value(job.spec.as_ref()?.template.spec.as_ref()?).ok();
    }
    let role = if contract.role == PodRole::Head {
        "head"
    } else {
        "worker"
    };
    let newest = seen.pods.iter().rev().find(|pod| {
        let labels = pod.labels();
        labels.get("ray.io/node-type").is_some_and(|of| of == role)
            && (role == "head" || labels.get("ray.io/group") == Some(&contract.group))
    })?;
    serde_json::to_value(newest.spec.as_ref()?).ok()
}

/// The model's prediction of an upgrade: the traps that it brings, and the refusal by the release
/// after it.
pub(super) struct Outlook {
    pub traps: Vec<RehearsedTrap>,
    pub refused: Option<String>,
}

/// Returns the reason why the operator of a release makes no Pods of an object, or not all of them;
/// the operator itself may report nothing.
pub(super) fn refused_today(
    object: &Value,
    live: Option<&Value>,
    release: &Version,
    settings: &EffectiveSettings,
) -> Option<String> {
    let stored = with_spec_of(object, live);
    let by_operator = ["refused-by-operator", "refused-at-pod-creation"];
    asked(&stored, [release, release], settings, &by_operator).refused
}

/// Asks `check --from … --to …` about the object as its owner writes it, which the new definitions
/// may refuse, and as the API server holds it, which the new operator may refuse.
pub(super) fn outlook(
    object: &Value,
    live: Option<&Value>,
    releases: [&Version; 2],
    settings: &EffectiveSettings,
) -> Outlook {
    let stored = with_spec_of(object, live);
    let by_server = ["refused-by-api-server"];
    let by_operator = ["refused-by-operator", "refused-at-pod-creation"];
    if stored == *object {
        let all = [&by_server[..], &by_operator].concat();
        return asked(object, releases, settings, &all);
    }
    let mut outlook = asked(object, releases, settings, &by_server);
    let of_stored = asked(&stored, releases, settings, &by_operator);
    outlook.refused = outlook.refused.or(of_stored.refused);
    outlook
}

/// The answer of `check`; of refusals the one with the first of these ids, which are in the order of
/// their stages.
fn asked(
    object: &Value,
    [from, to]: [&Version; 2],
    settings: &EffectiveSettings,
    refusals: &[&str],
) -> Outlook {
    let mut outlook = Outlook {
        traps: Vec::new(),
        refused: None,
    };
    let sources = [Source::new(Path::new("object"), &object.to_string())];
    let options = Options {
        settings: settings.clone(),
        validation: FieldValidation::Ignore,
        upgrade: from != to,
        ..Options::new(if from == to {
            vec![to.clone()]
        } else {
            vec![from.clone(), to.clone()]
        })
    };
    let Ok(report) = check(&sources, &options) else {
        return outlook;
    };
    outlook.refused = refusals.iter().find_map(|id| {
        let refusal = report.findings.iter().find(|finding| finding.id == *id)?;
        Some(refusal.message.clone())
    });
    for finding in report.findings {
        if trap(&finding.id).is_some() && finding.severity <= Severity::Warning {
            outlook.traps.push(RehearsedTrap {
                id: finding.id,
                message: finding.message,
                help: finding.help,
            });
        }
    }
    outlook.traps.sort();
    outlook.traps.dedup();
    outlook
}
