//! What of a scenario decides where it runs.

use kuberay_manifest::yaml::{Node, Yaml};

use crate::check;

/// What of a scenario needs a kubelet, as a word of the file; such a scenario runs on kind.
pub(super) fn needs_kubelet(spec: &Node) -> Option<String> {
    let checks = spec.get("checks").map_or(&[][..], Node::items);
    let kinds = checks.iter().filter_map(|check| match &check.value {
        Yaml::Map(entries) => entries.first().map(|(kind, _)| kind.name.clone()),
        _ => None,
    });
    let known = check::kinds();
    let needs = |kind: &String| {
        known
            .iter()
            .any(|known| known.needs_kubelet && known.key == *kind)
    };
    kinds.into_iter().find(needs).or_else(|| {
        let upgrades = spec.get("upgradeFrom").filter(|_| !marks_ready(spec));
        upgrades.map(|_| "upgradeFrom".into())
    })
}

/// Whether the runner makes Pods ready, in a target without a kubelet.
pub(super) fn marks_ready(spec: &Node) -> bool {
    let ready = spec.get("steps").and_then(|steps| steps.get("markReady"));
    ready.is_some_and(|ready| ready.value == Yaml::Bool(true))
}
