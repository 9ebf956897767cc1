//! The operator's own validation: `controllers/ray/utils/validation.go`, before 1.3
//! `rayjob_controller.go`.

mod cluster;
mod cron;
mod deletion;
mod gated;
mod job;
mod options;
mod service;
mod settings;

use semver::Version;
use serde_json::Value;

use super::checks::{Checks, OperatorCheck};
use super::metadata::label_1035;
use super::view::View;
use crate::classes::plain;

/// Finds what the operator of a release refuses about an object that the API server has stored.
pub(super) fn check(checks: &Checks, object: &Value) {
    let root = View::root(object);
    match root.get("kind").text() {
        "RayCluster" => {
            name(
                checks,
                &root,
                OperatorCheck::ClusterName,
                "RayCluster",
                53,
                "",
            );
            cluster::spec(checks, &root.get("spec"), &root, "");
        }
        "RayJob" => {
            let prefix = prefix(checks, "RayJob metadata", &Version::new(1, 5, 0));
            name(checks, &root, OperatorCheck::JobName, "RayJob", 47, &prefix);
            job::spec(checks, &root.get("spec"), &root);
        }
        "RayService" => service::check(checks, &root),
        "RayCronJob" => cron::check(checks, &root),
        _ => {}
    }
}

/// The words before the message of a check, from a release on.
fn prefix(checks: &Checks, of: &str, since: &Version) -> String {
    if plain(checks.release) >= *since {
        format!("The {of} is invalid: ")
    } else {
        String::new()
    }
}

/// A name that Kubernetes completes has five characters more.
fn name(
    checks: &Checks,
    root: &View,
    check: OperatorCheck,
    kind: &str,
    longest: usize,
    prefix: &str,
) {
    let metadata = root.get("metadata");
    let mut at = metadata.get("name");
    let mut name = at.text().to_owned();
    if name.is_empty() {
        at = metadata.get("generateName");
        name = format!("{}xxxxx", at.text());
    }
    name_of(checks, check, &at, &name, kind, longest, prefix);
}

/// Refuses a name that is too long or no label.
fn name_of(
    checks: &Checks,
    check: OperatorCheck,
    at: &View,
    name: &str,
    kind: &str,
    longest: usize,
    prefix: &str,
) {
    if name.len() > longest {
        let message = format!("{prefix}{kind} name should be no more than {longest} characters");
        checks.refuse(check, at, message);
    } else if let Some(problem) = label_1035(name) {
        let message = format!("{prefix}{kind} name should be a valid DNS1035 label: [{problem}]");
        checks.refuse(check, at, message);
    }
}
