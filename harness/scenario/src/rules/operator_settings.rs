//! Settings that an operator of the scenario's releases refuses, ignores, or gets from the harness.

use kuberay_contract::{
    CLASSES, CONFIGURATION_KEYS, CONFIGURATION_SINCE, GATES, GATES_SINCE, gate,
};
use kuberay_manifest::yaml::{Node, Yaml};
use semver::{Version, VersionReq};

use super::placement::needs_kubelet;
use crate::OperatorSettings;
use crate::problems::Problems;
use crate::range::includes;
use crate::settings::is_of_the_linker;
use crate::shape::nearest;

/// Flags that the harness sets, or that `operatorSettings` has a key for.
const OWN_FLAGS: [&str; 9] = [
    "burst",
    "config",
    "enable-leader-election",
    "feature-gates",
    "health-probe-bind-address",
    "kubeconfig",
    "metrics-addr",
    "qps",
    "watch-namespace",
];
/// Keys of the configuration file that the harness sets.
const OWN_KEYS: [&str; 8] = [
    "burst",
    "enableLeaderElection",
    "leaderElectionNamespace",
    "metricsAddr",
    "probeAddr",
    "qps",
    "useKubernetesProxy",
    "watchNamespace",
];

/// Finds what is wrong with `operatorSettings`.
pub(super) fn check(problems: &mut Problems<'_>, spec: &Node) {
    let Some(settings) = spec.get("operatorSettings") else {
        return;
    };
    if let Some(needs) = needs_kubelet(spec) {
        let message = format!("`operatorSettings` is for envtest, and `{needs}` needs a kubelet");
        problems.error(settings, message, "leave one of the two out");
    }
    for (name, value) in entries(settings.get("env")) {
        if is_of_the_linker(name) {
            let message = format!("`{name}` selects what the dynamic linker loads into a process");
            problems.error(value, message, "leave it out");
        }
    }
    let releases = releases(spec);
    for (name, value) in entries(settings.get("featureGates")) {
        a_gate(problems, name, value, &releases);
    }
    if let Some(configuration) = settings.get("configuration") {
        let help = "narrow `operator` to \">=1.1\"";
        since(
            problems,
            configuration,
            &CONFIGURATION_SINCE,
            &releases,
            help,
        );
        for (key, value) in entries(Some(configuration)) {
            a_key(problems, key, value);
        }
        let read: Result<OperatorSettings, _> = serde_json::from_value(settings.to_json());
        if let Some(error) = read.ok().and_then(|read| read.of_contract().err()) {
            let node = configuration.get(error.key).unwrap_or(configuration);
            problems.error(node, error.to_string(), "write it as the operator reads it");
        }
    }
    arguments(problems, settings);
}

fn entries(node: Option<&Node>) -> impl Iterator<Item = (&str, &Node)> {
    let entries = match node.map(|node| &node.value) {
        Some(Yaml::Map(entries)) => &entries[..],
        _ => &[],
    };
    entries
        .iter()
        .map(|(key, value)| (key.name.as_str(), value))
}

/// The releases in range that start a class, and so every release at which settings change.
fn releases(spec: &Node) -> Vec<&'static Version> {
    let range = spec.get("operator").and_then(Node::text).unwrap_or("*");
    let Ok(range) = VersionReq::parse(range) else {
        return Vec::new();
    };
    let classes = CLASSES.iter().map(|class| &class.since);
    classes.filter(|since| includes(&range, since)).collect()
}

fn since(
    problems: &mut Problems<'_>,
    node: &Node,
    since: &Version,
    releases: &[&Version],
    help: &str,
) {
    if let Some(older) = releases.iter().find(|release| **release < since) {
        let message = format!("KubeRay {older} is in range and has no such setting");
        problems.error(node, message, help);
    }
}

fn a_gate(problems: &mut Problems<'_>, name: &str, value: &Node, releases: &[&Version]) {
    let Some(gate) = gate(name) else {
        let known: Vec<&str> = GATES.iter().map(|gate| gate.name).collect();
        let message = format!("no release of the operator has the feature gate `{name}`");
        let meant = nearest(name, &known).map(|meant| format!("did you mean `{meant}`? "));
        let all = format!("the gates are {}", known.join(", "));
        problems.error(value, message, &(meant.unwrap_or_default() + &all));
        return;
    };
    let lacks =
        |release: &&&Version| gate.default_in(release).is_none() || **release < &GATES_SINCE;
    if let Some(release) = releases.iter().find(lacks) {
        let message = format!(
            "KubeRay {release} is in range and has no feature gate `{name}`, so that it would end at once"
        );
        let until = gate.until.as_ref();
        let until = until.map_or_else(String::new, |until| format!(", <{until}"));
        let help = format!("narrow `operator` to \">={}{until}\"", gate.since);
        problems.error(value, message, &help);
    }
}

fn a_key(problems: &mut Problems<'_>, key: &str, value: &Node) {
    if OWN_KEYS.contains(&key) {
        problems.error(
            value,
            format!("the harness sets `{key}` itself"),
            "leave it out",
        );
    } else if !CONFIGURATION_KEYS.contains(&key) {
        let message = format!("no release of the operator reads `{key}` of its configuration file");
        let meant = nearest(key, &CONFIGURATION_KEYS);
        let help = meant.map_or_else(
            || format!("the keys are {}", CONFIGURATION_KEYS.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        );
        problems.error(value, message, &help);
    }
}

fn arguments(problems: &mut Problems<'_>, settings: &Node) {
    let Some(arguments) = settings.get("args") else {
        return;
    };
    if settings.get("configuration").is_some() && !arguments.items().is_empty() {
        let message = "an operator with a configuration file ignores its arguments";
        problems.error(arguments, message, "write them as keys of `configuration`");
    }
    for argument in arguments.items() {
        let flag = argument.text().unwrap_or_default().trim_start_matches('-');
        let name = flag.split_once('=').map_or(flag, |(name, _)| name);
        if OWN_FLAGS.contains(&name) {
            let help = match name {
                "feature-gates" => "write `featureGates` instead",
                "config" => "write `configuration` instead",
                _ => "leave it out",
            };
            problems.error(
                argument,
                format!("the harness sets `--{name}` itself"),
                help,
            );
        }
    }
}
