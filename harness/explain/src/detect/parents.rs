//! Traps of a RayJob or RayService whose head runs, and whose job or applications never do.

use kuberay_contract::Feature;
use kuberay_manifest::Cursor;
use semver::Version;

use super::{Group, has, job, ports, warn};
use crate::document::Warning;
use crate::warning as trap;

/// The traps that concern the head of a RayJob or RayService.
pub(super) fn of_head(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    match group.object.get("kind").map_or("", |kind| kind.text()) {
        "RayJob" => mode(group, found),
        "RayService" => {
            dashboard(group, container, found);
            if let Some(config) = group.object.find(&["spec", "serveConfigV2"]) {
                job::of_applications(group.source, &config, found);
            }
        }
        _ => {}
    }
}

/// A submission mode that the release does not know, so that nothing submits the job, and one
/// without a submitter.
fn mode(group: &Group, found: &mut Vec<Warning>) {
    let Some(mode) = group.object.find(&["spec", "submissionMode"]) else {
        return;
    };
    let release = group.release;
    let known = match mode.text() {
        "" | "K8sJobMode" => true,
        "HTTPMode" => *release >= Version::new(1, 1, 0),
        // It was renamed.
        "UserMode" => *release >= Version::new(1, 2, 2) && *release < Version::new(1, 3, 0),
        "InteractiveMode" => *release >= Version::new(1, 3, 0),
        "SidecarMode" => has(Feature::SubmitterSidecar, release),
        _ => false,
    };
    // Before 1.1 the field does not exist, and the API server says so.
    if !known && *release >= Version::new(1, 1, 0) {
        found.push(warn(trap::SUBMISSION_MODE_UNKNOWN, &mode, mode.text()));
    }
    if known && mode.text() == "HTTPMode" {
        job::of_request(group.source, &group.object, found);
    }
}

/// The operator asks the head's Service for the dashboard by name before it deploys applications or
/// looks at the mode of a job.
fn dashboard(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    let ports = container.items("ports");
    let given = ports::of_head_service(group);
    let mut all = ports.iter().chain(&given);
    if let Some(at) = container.get("ports")
        && !ports.is_empty()
        && !all.any(|port| ports::is_dashboard(port))
    {
        found.push(warn(trap::NO_DASHBOARD_PORT, &at, ""));
    }
}
