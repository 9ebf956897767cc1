//! What must not happen during a time after a milestone.

use k8s_openapi::api::core::v1::Pod;
use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pod_title;
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Expectations, Finding, Milestone, Observation, Verdict, duration, pods};
use crate::problems::WATCH_LONGER;
use crate::{DurationText, PodOf, Role};

/// What must not happen: exactly one of `restarts` and `ready`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["restarts"]}, {"required": ["ready"]}]))]
pub struct NeverCheck {
    /// How long it is watched, such as `10s`.
    #[serde(rename = "for")]
    pub duration: DurationText,
    /// Watching starts when this was reached.
    pub after: Milestone,
    /// No container of this Pod restarts and the Pod is not replaced.
    #[serde(default)]
    pub restarts: Option<PodOf>,
    /// This Pod is not ready, and not replaced.
    #[serde(default)]
    pub ready: Option<PodOf>,
}

impl CheckKind for NeverCheck {
    fn kind() -> Kind {
        Kind {
            needs_kubelet: true,
            lint: |problems, body| problems.watched(body.get("for"), WATCH_LONGER),
            ..Kind::new("never", Layer::Runtime)
        }
    }

    fn detail(&self) -> String {
        let (what, pod) = match &self.restarts {
            Some(pod) => ("restarts of", Some(pod)),
            None => ("ready", self.ready.as_ref()),
        };
        let pod = pod
            .map(|pod| pod_title(pod.role, pod.group.as_ref()))
            .unwrap_or_default();
        format!(
            "{what} {pod} for {} after {}",
            self.duration,
            self.after.word()
        )
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation)
    }

    fn awaited(&self) -> Vec<Milestone> {
        vec![self.after]
    }

    fn unwanted(&self) -> Option<Role> {
        let pod = self.restarts.as_ref().or(self.ready.as_ref());
        pod.map(|pod| pod.role)
    }

    fn watches_after(&self) -> Option<Milestone> {
        Some(self.after)
    }
}

/// What is watched for.
#[derive(Clone, Copy)]
enum Watched {
    Restart,
    Readiness,
}

impl Watched {
    /// What must not happen, with `who` in its place.
    fn words(self, who: &str) -> String {
        match self {
            Watched::Restart => format!("no restart of the {who}"),
            Watched::Readiness => format!("the {who} not ready"),
        }
    }

    /// The Pod to which it has happened, as a sentence and the state it is in.
    fn happened(self, pod: &Pod) -> Option<(String, String)> {
        match self {
            Watched::Restart => restarted(pod),
            Watched::Readiness => ready(pod),
        }
    }
}

fn evaluate(check: &NeverCheck, observation: &Observation) -> Verdict {
    let (watched, of) = match (&check.restarts, &check.ready) {
        (Some(of), None) => (Watched::Restart, of),
        (None, Some(of)) => (Watched::Readiness, of),
        _ => {
            let message = "`never` names exactly one of `restarts` and `ready`".to_owned();
            return Verdict::Never(Finding {
                message,
                ..Finding::default()
            });
        }
    };
    let PodOf { role, group } = of;
    let group = group.as_deref();
    let who = pods::who(*role, group);
    let milestone = check.after.word();
    let words = watched.words(&who);
    let expected = format!("{words} for {} after `{milestone}`", check.duration);
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: Some(expected.clone()),
        found,
        ..Finding::default()
    };
    let length = match duration::parse("for", &check.duration) {
        Ok(length) => length,
        Err(message) => return Verdict::Never(finding(message, None)),
    };
    let pods = pods::all(observation, *role, group);
    if let Some((message, found)) = pods.iter().find_map(|pod| watched.happened(pod)) {
        return Verdict::Never(finding(message, Some(found)));
    }
    let Some(reached) = observation.milestones.get(&check.after) else {
        let seen = pods.first().map_or_else(
            || pods::absent(observation, *role, group),
            |pod| {
                let container = pods::container_name(pod, None).unwrap_or_default();
                pods::situation(observation, pod, container)
            },
        );
        return Verdict::NotYet(finding(
            format!("waits for the milestone `{milestone}`; {seen}"),
            None,
        ));
    };
    if pods.is_empty() {
        let message = format!("the {who} was deleted after `{milestone}` was reached");
        return Verdict::Never(finding(message, None));
    }
    // All Pods of the observation in which the milestone was reached had been seen by then.
    let newer = pods
        .iter()
        .find(|pod| pods::first_seen(observation, pod) > *reached);
    if let Some(newer) = newer {
        let message = format!(
            "the {who} was replaced by {} after `{milestone}` was reached",
            pods::name(newer)
        );
        return Verdict::Never(finding(message, None));
    }
    let past = observation.now.duration_since(*reached);
    if past < length {
        let left = (length - past).as_secs_f64();
        return Verdict::NotYet(finding(
            format!("{words} so far; watches for {left:.1} s more"),
            None,
        ));
    }
    Verdict::Pass(finding(expected.clone(), None))
}

/// The first container of a Pod that has restarted.
fn restarted(pod: &Pod) -> Option<(String, String)> {
    let status = pods::statuses(pod).find(|status| status.restart_count > 0)?;
    let message = format!(
        "container {} of Pod {} restarted",
        status.name,
        pods::name(pod)
    );
    Some((message, pods::state_words(Some(status))))
}

/// A Pod that is ready, since when.
fn ready(pod: &Pod) -> Option<(String, String)> {
    let since = pods::condition(pod, "Ready")?;
    let since = since
        .last_transition_time
        .as_ref()
        .map(|time| time.0.to_string());
    pods::is_ready(pod).then(|| {
        let found = format!(
            "Ready since {}",
            since.unwrap_or_else(|| "an unknown time".into())
        );
        (format!("Pod {} is ready", pods::name(pod)), found)
    })
}
