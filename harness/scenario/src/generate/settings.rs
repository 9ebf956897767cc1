//! The operator settings under which generated objects are compared.

use kuberay_contract::{CONFIGURATION_SINCE, GATES};
use semver::Version;
use serde_json::{Value, json};

use super::object_kind::ObjectKind;
use crate::OperatorSettings;

/// Gates with which an operator ends on the envtest target: they need kinds of other projects, or
/// Kubernetes 1.35.
const NEEDS_OTHERS: [&str; 4] = [
    "KubernetesWAS",
    "RayClusterMTLS",
    "RayServiceIncrementalUpgrade",
    "SidecarSubmitterRestart",
];

/// The settings for a release: its defaults, then variables, the configuration file, every feature
/// gate the other way round, and all of these together with arguments.
pub fn settings(release: &Version) -> Vec<OperatorSettings> {
    let base = Version::new(release.major, release.minor, release.patch);
    let with = |parts: &[&Value]| {
        let mut all = serde_json::Map::new();
        for part in parts {
            all.extend(
                part.as_object()
                    .into_iter()
                    .flatten()
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
        }
        serde_json::from_value(Value::Object(all)).unwrap_or_default()
    };
    let env = json!({"env": {
        "ENABLE_LOGIN_SHELL": "True",
        "ENABLE_INIT_CONTAINER_INJECTION": "false",
        "CLUSTER_DOMAIN": "example.org",
    }});
    let configuration = json!({"configuration": {
        "defaultContainerEnvs": [
            {"name": "TEAM", "value": "platform"},
            {"name": "RAY_PORT", "value": "7000"},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ],
        "defaultPodAnnotations": {"ray.io/overwrite-container-cmd": "true", "team": "a"},
        "headSidecarContainers": [{"name": "head-log", "image": "log", "args": ["-F", "a b"]}],
        "workerSidecarContainers": [{"name": "log", "image": "log", "command": ["sleep"]}],
    }});
    let gates = GATES.iter().filter_map(|gate| {
        let on = gate
            .default_in(&base)
            .filter(|_| !NEEDS_OTHERS.contains(&gate.name))?;
        Some((gate.name, !on))
    });
    let gates: serde_json::Map<_, _> = gates
        .map(|(name, on)| (name.to_owned(), Value::from(on)))
        .collect();
    let has_gates = !gates.is_empty();
    let gates = json!({"featureGates": gates, "args": ["--reconcile-concurrency=2"]});
    let mut all = vec![OperatorSettings::default(), with(&[&env])];
    if base >= CONFIGURATION_SINCE {
        all.push(with(&[&configuration]));
    }
    if has_gates {
        all.push(with(&[&gates]));
        all.push(with(&[&env, &configuration, &gates]));
    }
    all
}

/// The kinds of objects on which an operator of a release works with these settings.
pub(super) fn kinds(release: &Version, settings: &OperatorSettings) -> Vec<ObjectKind> {
    let has = settings
        .of_contract()
        .is_ok_and(|settings| settings.has_gate(release, "RayCronJob"));
    let mut kinds = ObjectKind::ALL.to_vec();
    if !has {
        kinds.retain(|kind| *kind != ObjectKind::RayCronJob);
    }
    kinds
}
