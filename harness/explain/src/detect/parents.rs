//! Traps of a RayJob or RayService whose head runs, and whose job or applications never do.

use kuberay_contract::Feature;
use kuberay_manifest::Cursor;
use kuberay_manifest::yaml::Yaml;
use semver::Version;

use super::{Group, has, job, ports, warn};
use crate::document::Warning;
use crate::warning as trap;

/// The traps that concern the head of a RayJob or RayService.
pub(super) fn of_head(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    match group.object.get("kind").map_or("", |kind| kind.text()) {
        "RayJob" => {
            mode(group.release, group.source, &group.object, found);
            if asks_without_submitter(group) {
                dashboard(group, container, found);
            }
        }
        "RayService" => {
            dashboard(group, container, found);
            serve(group, container, found);
            if let Some(config) = group.object.find(&["spec", "serveConfigV2"]) {
                job::of_applications(group.source, &config, found);
            }
        }
        _ => {}
    }
}

/// The traps of a RayJob that has no Pods of its own, since it selects a RayCluster.
pub(crate) fn of_job(release: &Version, source: &str, job: &Cursor) -> Vec<Warning> {
    let mut found = Vec::new();
    mode(release, source, job, &mut found);
    found
}

/// A submission mode that the release does not know, so that nothing submits the job, and one
/// without a submitter.
fn mode(release: &Version, source: &str, object: &Cursor, found: &mut Vec<Warning>) {
    let Some(mode) = object.find(&["spec", "submissionMode"]) else {
        return;
    };
    let known = knows(release, mode.text());
    // Before 1.1 the field does not exist, and the API server says so.
    if !known && *release >= Version::new(1, 1, 0) {
        found.push(warn(trap::SUBMISSION_MODE_UNKNOWN, &mode, mode.text()));
    }
    if known && mode.text() == "HTTPMode" {
        job::of_request(source, object, found);
    }
}

/// Returns whether a release knows a submission mode.
fn knows(release: &Version, mode: &str) -> bool {
    match mode {
        "" | "K8sJobMode" => true,
        "HTTPMode" => *release >= Version::new(1, 1, 0),
        // It was renamed.
        "UserMode" => *release >= Version::new(1, 2, 2) && *release < Version::new(1, 3, 0),
        "InteractiveMode" => *release >= Version::new(1, 3, 0),
        "SidecarMode" => has(Feature::SubmitterSidecar, release),
        _ => false,
    }
}

/// Returns whether the operator needs the dashboard for a mode without a submitter.
/// `OperatorCheck::DashboardPort` covers `K8sJobMode` and `HTTPMode`.
fn asks_without_submitter(group: &Group) -> bool {
    let mode = group.object.find(&["spec", "submissionMode"]);
    let mode = mode.as_ref().map_or("", |mode| mode.text());
    let known = group.object.find(&["status", "dashboardURL"]);
    known.is_none_or(|url| url.text().is_empty())
        && knows(group.release, mode)
        && !matches!(mode, "" | "K8sJobMode" | "HTTPMode")
}

/// The operator asks the head's Service for the dashboard by name before it deploys applications or
/// looks at the mode of a job.
fn dashboard(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    let given = ports::of_head_service(group);
    if let Some(at) = ports::list_without(container, ports::is_dashboard)
        && !given.iter().any(ports::is_dashboard)
    {
        found.push(warn(trap::NO_DASHBOARD_PORT, &at, ""));
    }
}

/// The operator makes the Service of the applications from the head's ports of this name, unless
/// the user gives one (`BuildServeService` in common/service.go).
fn serve(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    let own = group.object.find(&["spec", "serveService"]);
    if own.is_some_and(|own| own.node.value != Yaml::Null) {
        return;
    }
    let serves = |port: &Cursor| {
        let name = port.get("name");
        let name = name.as_ref().map_or("", |name| name.text());
        let prefixed = *group.release >= Version::new(1, 6, 0) && name.starts_with("serve-");
        name == "serve" || prefixed
    };
    if let Some(at) = ports::list_without(container, serves) {
        found.push(warn(trap::NO_SERVE_PORT, &at, ""));
    }
}
