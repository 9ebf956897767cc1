//! Checks that no cluster can meet, because the manifests have nothing that they look for: told
//! before any wait.

use std::collections::BTreeSet;

use kuberay_manifest::{Diagnostic, Diagnostics};
use serde_json::Value;

use super::load::read_file;
use super::{Manifest, Role, Scenario, later_objects, manifests, objects_between};

/// Finds checks that wait for a Pod which none of the scenario's objects leads to. Nothing is said
/// of a scenario with a sample of the operator's, whose objects are known only with a release, and
/// of manifests that can't be read.
pub fn unreachable_checks(scenario: &Scenario) -> Vec<Diagnostic> {
    let spec = &scenario.file.spec;
    let is_sample = |manifest: &Manifest| matches!(manifest, Manifest::Sample(_));
    if spec.manifests.iter().any(is_sample) {
        return Vec::new();
    }
    let all = || {
        let mut objects = manifests(scenario, None)?;
        objects.extend(objects_between(scenario)?);
        objects.extend(later_objects(scenario)?);
        Ok::<_, Diagnostics>(objects)
    };
    let Ok(objects) = all() else {
        return Vec::new();
    };
    let Ok(source) = read_file(&scenario.dir, &scenario.path) else {
        return Vec::new();
    };
    let objects: Vec<&Value> = objects.iter().collect();
    let made = ExpectedPods::of(&objects);
    let mut problems = Vec::new();
    for (check, location) in spec.checks.iter().zip(&scenario.check_locations) {
        let problem = match (check.pod(), check.unwanted()) {
            (Some((role, group)), _) => made.lacks(role, group, scenario),
            (None, Some(Role::Submitter)) => never_submits(scenario),
            (None, _) => None,
        };
        if let Some((message, help)) = problem {
            let place = source.rest_of_line(*location);
            problems.push(source.error(&place, message).with_help(help));
        }
    }
    problems
}

/// What the objects lead to.
struct ExpectedPods {
    kinds: BTreeSet<String>,
    groups: BTreeSet<String>,
    /// Whether a RayJob has a submitter in a Pod of its own.
    has_submitter: bool,
}

impl ExpectedPods {
    fn of(objects: &[&Value]) -> Self {
        let kinds = objects.iter().filter_map(|object| object["kind"].as_str());
        let clusters = objects.iter().filter_map(|object| cluster(object));
        let groups = clusters.filter_map(|spec| spec["workerGroupSpecs"].as_array());
        let names = groups
            .flatten()
            .map(|group| group["groupName"].as_str().unwrap_or_default());
        let submits = |object: &&&Value| {
            let job = match object["kind"].as_str() {
                Some("RayJob") => &object["spec"],
                Some("RayCronJob") => &object["spec"]["jobTemplate"],
                _ => return false,
            };
            matches!(job["submissionMode"].as_str(), None | Some("K8sJobMode"))
        };
        Self {
            kinds: kinds.map(Into::into).collect(),
            groups: names.map(Into::into).collect(),
            has_submitter: objects.iter().any(|object| submits(&object)),
        }
    }

    /// Why no Pod of this role and group comes, and what to do.
    fn lacks(
        &self,
        role: Role,
        group: Option<&str>,
        scenario: &Scenario,
    ) -> Option<(String, String)> {
        let is_rays = |kind: &String| {
            ["RayCluster", "RayJob", "RayService", "RayCronJob"].contains(&kind.as_str())
        };
        if !self.kinds.iter().any(is_rays) {
            // Whatever makes Pods of Ray here is not KubeRay's own kind.
            return None;
        }
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        match (role, group) {
            (Role::Worker, Some(group)) if !self.groups.contains(group) => Some((
                format!("no group `{group}`; groups: {}", or_none(&groups)),
                "name a group of the manifests".into(),
            )),
            (Role::Worker, None) if self.groups.is_empty() => Some((
                "the manifests have no worker group, so there is no worker Pod".into(),
                "add one to `workerGroupSpecs`, or remove the check".into(),
            )),
            (Role::Submitter, _) if !self.has_submitter => {
                let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
                Some((
                    format!(
                        "there is no submitter: only a RayJob in the mode K8sJobMode has one, and the manifests contain {}",
                        or_none(&kinds)
                    ),
                    "add a RayJob, or remove the check".into(),
                ))
            }
            (Role::Submitter, _) => never_ready(scenario),
            _ => None,
        }
    }
}

/// Why the RayCluster of a RayJob is never ready, and what to do.
fn never_ready(scenario: &Scenario) -> Option<(String, String)> {
    let spec = &scenario.file.spec;
    (!spec.needs_kubelet() && !spec.steps.mark_ready).then(|| {
        (
            "the operator creates the submitter of a RayJob once the RayCluster is ready, but no kubelet makes Pods ready here"
                .into(),
            "add `steps: {markReady: true}`".into(),
        )
    })
}

/// Why no submitter would come whatever the RayJob says, so that its absence proves nothing.
///
/// The operator of 1.0 asks the dashboard for the job before it submits it
/// (`controllers/ray/rayjob_controller.go` of 1.0.0).
fn never_submits(scenario: &Scenario) -> Option<(String, String)> {
    let asks_first = || {
        let first = semver::Version::new(1, 0, 0);
        let in_vain = !scenario.file.spec.needs_kubelet() && scenario.operator.matches(&first);
        in_vain.then(|| {
            (
                "this check can't fail on KubeRay 1.0, which submits a job once the dashboard answers, and no Ray runs here"
                    .into(),
                "begin with `operator: \">=1.1.0\"`".into(),
            )
        })
    };
    never_ready(scenario).or_else(asks_first)
}

fn or_none(names: &[&str]) -> String {
    if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    }
}

/// The spec of the RayCluster that an object is or makes.
fn cluster(object: &Value) -> Option<&Value> {
    let spec = &object["spec"];
    match object["kind"].as_str()? {
        "RayCluster" => Some(spec),
        "RayJob" => Some(&spec["rayClusterSpec"]),
        "RayService" => Some(&spec["rayClusterConfig"]),
        "RayCronJob" => Some(&spec["jobTemplate"]["rayClusterSpec"]),
        _ => None,
    }
}
