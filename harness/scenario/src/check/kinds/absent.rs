//! A Pod, or a container in a Pod, that must not exist during a time after another Pod was made.

use k8s_openapi::api::core::v1::Pod;
use kuberay_contract::Layer;
use kuberay_manifest::yaml::Node;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pod_title;
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Expectations, Finding, Observation, Verdict, duration, pods};
use crate::problems::{Problems, WATCH_LONGER};
use crate::{DurationText, PodOf, Role};

/// No Pod of a role (and group, and with a container) exists during a time after another Pod was
/// made. For the submitter and the clean-up of Redis, no Job of the operator may exist either: where
/// nothing runs Jobs, it gets no Pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbsentCheck {
    /// The Pod that must not exist, from the start of the case until `for` has passed.
    pub role: Role,
    /// Name of the worker group. Default: any group.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// Name of a container or init container, where only Pods that have it must not exist. Default:
    /// any Pod.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub container: Option<String>,
    /// How long the Pod must not appear, such as `10s`.
    #[serde(rename = "for")]
    pub duration: DurationText,
    /// The `for` time starts when the harness first sees this Pod. Choose a Pod that the operator
    /// creates later than it would create the absent one, such as a Pod of a `RayCluster` that comes
    /// later in the manifest.
    pub after: PodOf,
}

impl CheckKind for AbsentCheck {
    fn kind() -> Kind {
        Kind {
            // The Job itself must not exist, so it does not matter how often it would make a Pod.
            knows_pods_of_jobs: true,
            lint,
            ..Kind::new("absent", Layer::Spec)
        }
    }

    fn detail(&self) -> String {
        let container = self.container.as_ref();
        let container = container.map_or_else(String::new, |name| format!(" with {name}"));
        format!(
            "{}{container} for {} after {}",
            pod_title(self.role, self.group.as_ref()),
            self.duration,
            pod_title(self.after.role, self.after.group.as_ref())
        )
    }

    fn unwanted(&self) -> Option<Role> {
        Some(self.role)
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation)
    }
}

/// What must not exist can't be what it is waited for.
fn lint(problems: &mut Problems<'_>, body: &Node) {
    problems.watched(body.get("for"), WATCH_LONGER);
    let Some(after) = body.get("after") else {
        return;
    };
    problems.no_pod_of_a_job("absent", after.get("role"));
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let group = text(body, "group");
    if body.get("container").is_none()
        && text(body, "role") == text(after, "role")
        && (group.is_none() || group == text(after, "group"))
    {
        let message = "this check never passes: it waits for an object that must not exist";
        problems.error(
            after,
            message,
            "name another role or group, such as that of a RayCluster applied later",
        );
    }
}

fn evaluate(check: &AbsentCheck, observation: &Observation) -> Verdict {
    let group = check.group.as_deref();
    let mut who = pods::who(check.role, group);
    if let Some(container) = &check.container {
        who.push_str(&format!(" with a container {container}"));
    }
    let milestone = pods::who(check.after.role, check.after.group.as_deref());
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: Some(format!(
            "no {who} for {} after a {milestone} was created",
            check.duration
        )),
        found,
        ..Finding::default()
    };
    let length = match duration::parse("for", &check.duration) {
        Ok(length) => length,
        Err(message) => return Verdict::Never(finding(message, None)),
    };
    if let Some(job) = pods::job(observation, check.role) {
        let name = job.metadata.name.as_deref().unwrap_or_default();
        let message = format!("the operator created the Job {name} of a {who}");
        return Verdict::Never(finding(message, None));
    }
    let has_container = |pod: &&Pod| {
        let wanted = check.container.as_ref();
        wanted.is_none_or(|name| pods::container(pod, name).is_some())
    };
    let found = pods::all(observation, check.role, group);
    if let Some(pod) = found.into_iter().find(has_container) {
        let message = format!("the operator created the {who} {}", pods::name(pod));
        let args = pods::ray_container(pod).and_then(|container| container.args.clone());
        return Verdict::Never(finding(
            message,
            Some(format!("{:?}", args.unwrap_or_default())),
        ));
    }
    let awaited = pods::all(observation, check.after.role, check.after.group.as_deref());
    let Some(seen) = awaited
        .into_iter()
        .map(|pod| pods::first_seen(observation, pod))
        .min()
    else {
        let absent = pods::absent(observation, check.after.role, check.after.group.as_deref());
        return Verdict::NotYet(finding(format!("waits for its milestone: {absent}"), None));
    };
    let watched = observation.now.duration_since(seen);
    if watched < length {
        let left = (length - watched).as_secs_f64();
        let message = format!("no {who} so far; watches for {left:.1} s more");
        return Verdict::NotYet(finding(message, None));
    }
    let message = format!(
        "no {who} was created for {} after the {milestone}",
        check.duration
    );
    Verdict::Pass(finding(message, None))
}
