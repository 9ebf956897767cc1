//! `ValidateRayJobSpec`, and what leaves a RayJob without its submitter.

use semver::Version;

use super::{cluster, deletion, prefix};
use crate::admission::checks::{Checks, OperatorCheck};
use crate::admission::view::View;
use crate::classes::plain;
use crate::{Quantity, go, ray_version};

/// Checks the specification of a RayJob; `root` is the object that holds its annotations.
pub(super) fn spec(checks: &Checks, spec: &View, root: &View) {
    let prefix = &prefix(checks, "RayJob spec", &Version::new(1, 5, 0));
    let suspend = spec.get("suspend");
    let selector = spec.get("clusterSelector");
    let selects = selector.len() > 0;
    if suspend.is_true() && !spec.get("shutdownAfterJobFinishes").is_true() {
        let message = format!(
            "{prefix}a RayJob with shutdownAfterJobFinishes set to false is not allowed to be suspended"
        );
        checks.refuse(OperatorCheck::SuspendedJobStays, &suspend, message);
    }
    deletion::check(checks, spec, prefix);
    if suspend.is_true() && selects {
        let message =
            format!("{prefix}the ClusterSelector mode doesn't support the suspend operation");
        checks.refuse(OperatorCheck::SuspendedJobSelects, &suspend, message);
    }
    let own = spec.get("rayClusterSpec");
    if !own.exists() && !selects {
        let message = format!("{prefix}one of RayClusterSpec or ClusterSelector must be set");
        checks.refuse(OperatorCheck::JobWithoutCluster, &own, message);
        let message = "Both ClusterSelector and RayClusterSpec are undefined";
        checks.refuse(OperatorCheck::ClusterOfJob, &own, message);
    }
    modes(checks, spec, prefix);
    if own.exists() {
        let kubernetes = own.find(&["authOptions", "enableK8sTokenAuth"]);
        if kubernetes.is_true() {
            let message =
                format!("{prefix}K8s token auth mode is currently not supported for RayJob");
            checks.refuse(OperatorCheck::KubernetesTokenOfChild, &kubernetes, message);
        }
        cluster::spec(checks, &own, root, prefix);
    }
    let runtime = spec.get("runtimeEnvYAML");
    if let Some(problem) = go::yaml_map_problem(runtime.text()) {
        let message = format!("failed to unmarshal RuntimeEnvYAML: {problem}");
        checks.refuse(OperatorCheck::RuntimeEnv, &runtime, message);
    }
    numbers(checks, spec, prefix);
    submitter(checks, spec, root);
}

fn modes(checks: &Checks, spec: &View, prefix: &str) {
    let mode = spec.get("submissionMode");
    let selector = spec.get("clusterSelector");
    let backoff = spec.get("backoffLimit");
    let retries = backoff.number().is_some_and(|limit| limit > 0);
    if selector.len() > 0 {
        let name = selector.get("ray.io/cluster");
        if name.text().is_empty() {
            let message = "cluster name in ClusterSelector should not be empty";
            checks.refuse(OperatorCheck::SelectorWithoutName, &selector, message);
            let message = if name.exists() {
                "we have choosed the cluster selector mode, failed to find the cluster named "
            } else {
                "failed to get cluster name in ClusterSelector map, the default key is ray.io/cluster"
            };
            checks.refuse(OperatorCheck::SelectorKey, &selector, message);
        }
        if mode.text() == "SidecarMode" {
            let message = "ClusterSelector is not supported in SidecarMode";
            checks.refuse(OperatorCheck::SidecarSelects, &selector, message);
        }
        if retries {
            let message = format!("{prefix}BackoffLimit is incompatible with ClusterSelector mode");
            checks.refuse(OperatorCheck::BackoffWithSelector, &backoff, message);
        }
    }
    if mode.text() == "InteractiveMode" && retries {
        let message = format!("{prefix}BackoffLimit is incompatible with InteractiveMode");
        checks.refuse(OperatorCheck::BackoffInteractive, &backoff, message);
    }
    if mode.text() != "SidecarMode" {
        return;
    }
    for (field, name) in [
        ("submitterPodTemplate", "SubmitterPodTemplate"),
        ("submitterConfig", "SubmitterConfig"),
    ] {
        let at = spec.get(field);
        if at.exists() {
            let message = format!("Currently, SidecarMode doesn't support {name}");
            checks.refuse(OperatorCheck::SidecarTemplate, &at, message);
        }
    }
    let restart = spec.find(&[
        "rayClusterSpec",
        "headGroupSpec",
        "template",
        "spec",
        "restartPolicy",
    ]);
    if !matches!(restart.text(), "" | "Never") {
        let message = "restartPolicy for head Pod should be Never or unset when using SidecarMode";
        checks.refuse(OperatorCheck::SidecarRestarts, &restart, message);
    }
}

fn numbers(checks: &Checks, spec: &View, prefix: &str) {
    let fields = [
        (OperatorCheck::JobDeadline, "activeDeadlineSeconds", 1),
        (
            OperatorCheck::JobPreRunningDeadline,
            "preRunningDeadlineSeconds",
            1,
        ),
        (OperatorCheck::JobBackoff, "backoffLimit", 0),
    ];
    for (check, field, least) in fields {
        let at = spec.get(field);
        if at.number().is_some_and(|number| number < least) {
            checks.refuse(
                check,
                &at,
                format!("{prefix}{field} must be a positive integer"),
            );
        }
    }
}

/// The RayCluster runs, but no job is submitted to it.
fn submitter(checks: &Checks, spec: &View, root: &View) {
    let own = spec.get("rayClusterSpec");
    let mode = spec.get("submissionMode").text();
    let by_job = matches!(mode, "" | "K8sJobMode") || plain(checks.release) < Version::new(1, 1, 0);
    // From 1.5 on the command is built even where it is not used (`configureSubmitterContainer`).
    let always = plain(checks.release) >= Version::new(1, 5, 0);
    let sidecar = always && mode == "SidecarMode";
    let template = spec.get("submitterPodTemplate");
    let containers = template.find(&["spec", "containers"]);
    if by_job && template.exists() && containers.len() == 0 {
        let message = "the operator takes the first container for the submitter without looking whether there is one, \
                       and panics";
        checks.refuse_submitter(OperatorCheck::SubmitterContainer, &containers, message);
    }
    let container = containers.items().into_iter().next();
    let has_command = by_job && container.is_some_and(|one| one.get("command").len() > 0);
    let builds = !has_command || always;
    if spec.get("metadata").len() > 0 && builds && (by_job || sidecar) {
        metadata(checks, spec, sidecar);
    }
    if by_job && builds {
        words(checks, spec);
    }
    let head = own.get("headGroupSpec");
    object_store(checks, &head);
    let ray = head.find(&["template", "spec", "containers"]).items();
    let ports = ray.first().map(|ray| ray.get("ports"));
    // The head's Service has these, too.
    let given = head.find(&["headService", "spec", "ports"]);
    let known = root.find(&["status", "dashboardURL"]);
    if let Some(ports) = ports.filter(|ports| ports.len() > 0 && ports.named("dashboard").is_none())
        && given.named("dashboard").is_none()
        && known.text().is_empty()
        && spec.get("clusterSelector").len() == 0
        && (by_job || mode == "HTTPMode")
    {
        let message = "dashboard port is not found: the head's Service has the ports of this list only, and none is \
                       called dashboard";
        checks.refuse_submitter(OperatorCheck::DashboardPort, &ports, message);
    }
}

/// Checks what keeps the RayCluster `unhealthy`, so that the RayJob waits for it
/// (`ValidateHeadRayStartParams` in common/pod.go).
fn object_store(checks: &Checks, head: &View) {
    let at = head.find(&["rayStartParams", "object-store-memory"]);
    if !at.exists() {
        return;
    }
    let refuse =
        |message: String| checks.refuse_submitter(OperatorCheck::ObjectStoreMemory, &at, message);
    let Ok(bytes) = at.text().parse::<i64>() else {
        refuse(format!(
            "Cannot parse object-store-memory {} as an integer",
            at.text()
        ));
        return;
    };
    let containers = head.find(&["template", "spec", "containers"]).items();
    let named = containers
        .iter()
        .filter(|container| container.get("name").text() == "ray-head");
    for container in named {
        let variable = container
            .get("env")
            .named("RAY_OBJECT_STORE_ALLOW_SLOW_STORAGE");
        let request = container.find(&["resources", "requests", "memory"]);
        let request = match request.number() {
            Some(number) => Some(number),
            None if request.exists() => Quantity::int64(request.text()),
            None => Some(0),
        };
        if variable.is_none()
            && let Some(request) = request
            && bytes > request
        {
            refuse(format!(
                "RayStartParams: object store memory exceeds head node container's memory request, \
                 object-store-memory:{bytes}, memory request:{request}"
            ));
        }
    }
}

/// Checks the parts of the submitter's command that the operator parses itself.
fn words(checks: &Checks, spec: &View) {
    let runtime = spec.get("runtimeEnvYAML");
    if let Err(problem) = go::yaml::to_json(runtime.text()) {
        checks.refuse_submitter(OperatorCheck::SubmitterRuntimeEnv, &runtime, problem);
    }
    let entrypoint = spec.get("entrypoint");
    if let Err(problem) = go::shlex::split(entrypoint.text()) {
        checks.refuse_submitter(OperatorCheck::EntrypointWords, &entrypoint, problem);
    }
}

fn metadata(checks: &Checks, spec: &View, sidecar: bool) {
    let own = spec.get("rayClusterSpec");
    let at = spec.get("metadata");
    let selected = spec.find(&["clusterSelector", "ray.io/cluster"]);
    // Without a name the operator stops before this.
    if !own.exists() && !selected.text().is_empty() {
        let message = "the operator reads spec.rayClusterSpec.rayVersion without looking whether there is a \
                       rayClusterSpec, and panics";
        checks.refuse_submitter(OperatorCheck::MetadataWithSelector, &at, message);
    }
    if !own.exists() {
        return;
    }
    let version = own.get("rayVersion");
    let Some(problem) = ray_version::too_old_for_metadata(version.text()) else {
        return;
    };
    let refuse = |check: OperatorCheck| {
        // Beside the head the command is built before the RayCluster is made.
        if sidecar {
            checks.refuse(check, &version, problem.clone());
        } else {
            checks.refuse_submitter(check, &version, problem.clone());
        }
    };
    refuse(OperatorCheck::MetadataVersion);
    if !version.text().is_empty() {
        refuse(OperatorCheck::MetadataOldRay);
    }
}
