//! `ValidateRayClusterSpec`.

use semver::Version;

use super::settings::{AUTOSCALER_V2, ray_env, scales};
use super::{gated, options};
use crate::admission::checks::{Checks, OperatorCheck};
use crate::admission::metadata::{label_value, qualified_name};
use crate::admission::view::View;
use crate::classes::plain;
use crate::ray_version::{generic, older};

/// Checks the specification of a RayCluster; `root` is the object that holds annotations and kind.
pub(super) fn spec(checks: &Checks, spec: &View, root: &View, prefix: &str) {
    let head = spec.get("headGroupSpec");
    if head.find(&["template", "spec", "containers"]).len() == 0 {
        let at = head.find(&["template", "spec", "containers"]);
        let message = format!("{prefix}headGroupSpec should have at least one container");
        checks.refuse(OperatorCheck::Containers, &at, message);
        return;
    }
    group(checks, "Head", &head, prefix);
    for worker in spec.get("workerGroupSpecs").items() {
        worker_group(checks, spec, &worker, prefix);
    }
    fault_tolerance(checks, spec, root, prefix);
    suspended_groups(checks, spec, prefix);
    options::autoscaler(checks, spec, prefix);
    options::authentication(checks, spec, prefix);
    for (option, gate) in [
        ("networkPolicy", "RayClusterNetworkPolicy"),
        ("tlsOptions", "RayClusterMTLS"),
    ] {
        let at = spec.get(option);
        if at.exists() {
            let message =
                format!("{prefix}spec.{option} requires the {gate} feature gate to be enabled");
            checks.refuse_without(gate, OperatorCheck::GatedOptions, &at, message);
        }
    }
    gated::check(checks, spec, prefix);
    upgrade(checks, spec, root);
}

fn upgrade(checks: &Checks, spec: &View, root: &View) {
    let kind = match root.get("kind").text() {
        "RayCluster" => root
            .find(&["metadata", "labels", "ray.io/originated-from-crd"])
            .text(),
        kind => kind,
    };
    let at = spec.find(&["upgradeStrategy", "type"]);
    if at.exists() && matches!(kind, "RayJob" | "RayService") {
        let message = format!("upgradeStrategy cannot be set when RayCluster is created by {kind}");
        checks.refuse(OperatorCheck::UpgradeOfChild, &at, message);
    }
}

fn group(checks: &Checks, name: &str, group: &View, prefix: &str) {
    let params = group.get("rayStartParams");
    let given = ["num-cpus", "num-gpus", "memory", "resources"]
        .iter()
        .find(|param| !params.get(param).text().is_empty());
    let resources = group.get("resources");
    if given.is_some() && resources.len() > 0 {
        let message = format!(
            "{prefix}resource fields should not be set in both rayStartParams and Resources for {name} group; \
             please use only one"
        );
        checks.refuse(OperatorCheck::ResourcesTwice, &resources, message);
    }
    let labels = params.get("labels");
    if labels.exists() {
        let message = format!(
            "{prefix}rayStartParams['labels'] is not supported for {name} group; please use the top-level Labels \
             field instead"
        );
        checks.refuse(OperatorCheck::LabelsInParams, &labels, message);
    }
    for (key, value) in group.get("labels").entries() {
        if let Some(problem) = qualified_name(key) {
            let message =
                format!("{prefix}invalid label key for {name} group: '{key}', error: {problem}");
            checks.refuse(OperatorCheck::GroupLabelSyntax, &value, message);
        }
        if let Some(problem) = label_value(value.text()) {
            let message = format!(
                "{prefix}invalid label value for key '{key}' in {name} group: '{}', error: {problem}",
                value.text()
            );
            checks.refuse(OperatorCheck::GroupLabelSyntax, &value, message);
        }
    }
}

fn worker_group(checks: &Checks, spec: &View, worker: &View, prefix: &str) {
    let containers = worker.find(&["template", "spec", "containers"]);
    if containers.len() == 0 {
        let message = format!("{prefix}workerGroupSpec should have at least one container");
        checks.refuse(OperatorCheck::Containers, &containers, message);
        return;
    }
    let name = worker.get("groupName").text();
    let bound = |field: &str| (worker.get(field), worker.get(field).number());
    let [(least_at, least), (most_at, most)] = [bound("minReplicas"), bound("maxReplicas")];
    if !scales(spec) && (least.is_none() || most.is_none()) {
        let message = format!(
            "{prefix}worker group {name} must set both minReplicas and maxReplicas when autoscaling is disabled"
        );
        checks.refuse(
            OperatorCheck::ReplicaBounds,
            if least.is_none() { &least_at } else { &most_at },
            message,
        );
    }
    for (at, number, field) in [
        (&least_at, least, "minReplicas"),
        (&most_at, most, "maxReplicas"),
    ] {
        if let Some(number) = number.filter(|number| *number < 0) {
            let message = format!("{prefix}worker group {name} has negative {field} {number}");
            checks.refuse(OperatorCheck::ReplicaBounds, at, message);
        }
    }
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        let message = format!(
            "{prefix}worker group {name} has minReplicas {least} greater than maxReplicas {most}"
        );
        checks.refuse(OperatorCheck::ReplicaBounds, &least_at, message);
    }
    group(checks, name, worker, prefix);
    idle_timeout(checks, spec, worker, prefix);
    priority(checks, spec, worker, prefix);
}

fn has_v2(spec: &View) -> bool {
    let variable = ray_env(&spec.get("headGroupSpec")).named(AUTOSCALER_V2);
    spec.find(&["autoscalerOptions", "version"]).text() == "v2"
        || variable.is_some_and(|variable| matches!(variable.get("value").text(), "1" | "true"))
}

fn idle_timeout(checks: &Checks, spec: &View, worker: &View, prefix: &str) {
    let at = worker.get("idleTimeoutSeconds");
    let name = worker.get("groupName").text();
    match at.number() {
        Some(number) if number < 0 => {
            let message = format!(
                "{prefix}worker group {name}: idleTimeoutSeconds must be non-negative, got {number}"
            );
            checks.refuse(OperatorCheck::GroupIdleTimeout, &at, message);
        }
        Some(_) if !has_v2(spec) => {
            let message = format!(
                "{prefix}worker group {name}: idleTimeoutSeconds is set, but autoscaler v2 is not enabled. Please \
                 set .spec.autoscalerOptions.version to 'v2'"
            );
            checks.refuse(OperatorCheck::GroupIdleTimeout, &at, message);
        }
        _ => {}
    }
}

fn priority(checks: &Checks, spec: &View, worker: &View, prefix: &str) {
    let at = worker.get("priority");
    let Some(priority) = at.number().filter(|priority| *priority != 0) else {
        return;
    };
    let name = worker.get("groupName").text();
    let version = spec.get("rayVersion").text();
    let reason = match generic(version) {
        _ if version.is_empty() => {
            "priority is set, but RayVersion was not specified. Ray version 2.56.0 or later is required".into()
        }
        None => format!("priority is set, but RayVersion format is invalid: {version}"),
        Some(numbers) if older(&numbers, [2, 56, 0]) => {
            format!("priority is set, but minimum Ray version is 2.56.0, got {version}")
        }
        Some(_) if !has_v2(spec) => format!(
            "priority is set to {priority}, but autoscaler v2 is not enabled. Priority is only supported with \
             autoscaler v2 enabled"
        ),
        Some(_) => return,
    };
    checks.refuse(
        OperatorCheck::GroupPriority,
        &at,
        format!("{prefix}worker group {name}: {reason}"),
    );
}

fn fault_tolerance(checks: &Checks, spec: &View, root: &View, prefix: &str) {
    let head = spec.get("headGroupSpec");
    let env = ray_env(&head);
    let options = spec.get("gcsFaultToleranceOptions");
    let annotations = root.find(&["metadata", "annotations"]);
    let annotation = annotations.get("ray.io/ft-enabled");
    if !annotation.text().is_empty() && options.exists() {
        let message = format!(
            "{prefix}ray.io/ft-enabled annotation and GcsFaultToleranceOptions are both set. Please use only \
             GcsFaultToleranceOptions to configure GCS fault tolerance"
        );
        checks.refuse(OperatorCheck::FaultToleranceTwice, &annotation, message);
    }
    let params = head.get("rayStartParams");
    if options.exists() {
        let field = |at: Option<View>, what: &str, instead: &str| {
            if let Some(at) = at.filter(View::exists) {
                let message = format!(
                    "{prefix}cannot set {what} when GcsFaultToleranceOptions is enabled - use \
                     GcsFaultToleranceOptions.{instead} instead"
                );
                checks.refuse(OperatorCheck::RedisOutsideOptions, &at, message);
            }
        };
        let given = |at: View<'_>| (!at.text().is_empty()).then_some(at.path.clone());
        if given(params.get("redis-password")).is_some() {
            field(
                Some(params.get("redis-password")),
                "`redis-password` in rayStartParams",
                "RedisPassword",
            );
        }
        field(
            env.named("REDIS_PASSWORD"),
            "`REDIS_PASSWORD` env var in head Pod",
            "RedisPassword",
        );
        field(
            env.named("RAY_REDIS_ADDRESS"),
            "`RAY_REDIS_ADDRESS` env var in head Pod",
            "RedisAddress",
        );
        let storage = annotations.get("ray.io/external-storage-namespace");
        if !storage.text().is_empty() {
            let what = "`ray.io/external-storage-namespace` annotation";
            field(Some(storage), what, "ExternalStorageNamespace");
        }
        backend(checks, spec, &options, prefix);
    } else if annotation.text().to_lowercase() != "true"
        && let Some(at) = env.named("RAY_REDIS_ADDRESS")
    {
        let message = format!(
            "{prefix}RAY_REDIS_ADDRESS is set which implicitly enables GCS fault tolerance, but \
             GcsFaultToleranceOptions is not set. Please set GcsFaultToleranceOptions to enable GCS fault tolerance"
        );
        checks.refuse(OperatorCheck::RedisWithoutFaultTolerance, &at, message);
    }
    let parameter = Some(params.get("redis-username")).filter(|at| !at.text().is_empty());
    if let Some(at) = parameter.or_else(|| env.named("REDIS_USERNAME")) {
        let message = format!(
            "{prefix}cannot set redis username in rayStartParams or environment variables - use \
             GcsFaultToleranceOptions.RedisUsername instead"
        );
        checks.refuse(OperatorCheck::RedisUsername, &at, message);
    }
}

fn backend(checks: &Checks, spec: &View, options: &View, prefix: &str) {
    let backend = options.get("backend");
    if backend.text() == "rocksdb" {
        let message = format!(
            "{prefix}the embedded RocksDB GCS fault tolerance backend (GcsFaultToleranceOptions.Backend: 'rocksdb') \
             requires the GCSFaultToleranceEmbeddedStorage feature gate to be enabled"
        );
        let gate = "GCSFaultToleranceEmbeddedStorage";
        checks.refuse_without(gate, OperatorCheck::GcsBackend, &backend, message);
        gated::embedded_storage(checks, spec, options, prefix);
    } else if options.get("storage").exists() {
        let message = format!(
            "{prefix}cannot set GcsFaultToleranceOptions.Storage when backend is 'redis' - it only applies to the \
             'rocksdb' backend"
        );
        checks.refuse(OperatorCheck::GcsBackend, &options.get("storage"), message);
    }
}

fn suspended_groups(checks: &Checks, spec: &View, prefix: &str) {
    for worker in spec.get("workerGroupSpecs").items() {
        let at = worker.get("suspend");
        if !at.is_true() {
            continue;
        }
        let name = worker.get("groupName").text();
        let names = plain(checks.release) >= Version::new(1, 4, 0);
        let message = if names {
            format!(
                "{prefix}worker group {name} can be suspended only when the RayJobDeletionPolicy feature gate is \
                 enabled"
            )
        } else {
            "suspending worker groups is currently available when the RayJobDeletionPolicy feature gate is enabled"
                .into()
        };
        let gate = "RayJobDeletionPolicy";
        checks.refuse_without(gate, OperatorCheck::SuspendedGroupGate, &at, message);
        if scales(spec) {
            let message = if names {
                format!("{prefix}worker group {name} cannot be suspended with Autoscaler enabled")
            } else {
                "suspending worker groups is not currently supported with Autoscaler enabled".into()
            };
            checks.refuse(OperatorCheck::SuspendedGroupScaled, &at, message);
        }
    }
}
