//! Which Pods an operator is expected to make, so that it is known when to look no longer.

use std::collections::BTreeMap;

use kuberay_contract::{EffectiveSettings, PodRole, predict};
use semver::Version;
use serde_json::Value;

use super::observed::Observed;

/// Pods by role and group.
type Counts = BTreeMap<(&'static str, String), usize>;

/// The Pods that the contract expects of objects; none where it can't say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedPods(Option<Counts>);

/// Predicts which Pods a release makes of objects. A submitter comes only where Ray Pods are marked
/// as ready.
pub fn expected_pods(
    release: &Version,
    settings: &BTreeMap<String, String>,
    objects: &[Value],
    mark_ready: bool,
) -> ExpectedPods {
    let settings = EffectiveSettings {
        env: settings.clone(),
        ..EffectiveSettings::default()
    };
    let mut counts = Counts::new();
    for object in objects {
        let Ok(pods) = predict(release, &settings, object) else {
            return ExpectedPods(None);
        };
        for pod in pods {
            let role = match pod.role {
                PodRole::Head => "head",
                PodRole::Worker => "worker",
                PodRole::Submitter => "submitter",
            };
            let comes = match pod.role {
                PodRole::Submitter => mark_ready,
                _ => replicas(object, &pod.group) > 0,
            };
            if comes {
                let group = if role == "submitter" {
                    String::new()
                } else {
                    pod.group
                };
                *counts.entry((role, group)).or_default() += 1;
            }
        }
    }
    ExpectedPods(Some(counts).filter(|counts| !counts.is_empty()))
}

impl ExpectedPods {
    /// Whether every expected Pod is there; `None` where it is not known which to expect.
    pub fn are_in(&self, observed: &Observed) -> Option<bool> {
        let expected = self.0.as_ref()?;
        let count = |role: &str, group: &String| {
            let ids = observed.pods.keys();
            ids.filter(|id| id.role == role && id.group == *group)
                .count()
        };
        Some(
            expected
                .iter()
                .all(|((role, group), wanted)| count(role, group) >= *wanted),
        )
    }
}

/// Returns how many Pods a group is to have; 1 for the head.
pub fn replicas(object: &Value, group: &str) -> u64 {
    let specs = ["/spec", "/spec/rayClusterSpec", "/spec/rayClusterConfig"];
    let groups = specs.iter().filter_map(|spec| {
        object
            .pointer(&format!("{spec}/workerGroupSpecs"))?
            .as_array()
    });
    let own = groups.flatten().find(|own| own["groupName"] == group);
    own.map_or(1, |own| {
        let least = own["minReplicas"].as_u64().unwrap_or(0);
        own["replicas"]
            .as_u64()
            .map_or(least, |replicas| replicas.max(least))
    })
}
