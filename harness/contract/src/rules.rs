//! The rules of the command contract: each in a sentence, with the releases that it holds for and
//! the layers it has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A layer of a rule; each is proven by itself.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// What the operator writes; an API server and the operator show it.
    Spec,
    /// What the container then does, where the shell, the kubelet or Ray decide.
    Runtime,
}

impl Layer {
    /// The layer as reports write it.
    pub fn word(self) -> &'static str {
        match self {
            Layer::Spec => "spec",
            Layer::Runtime => "runtime",
        }
    }
}

/// A rule of the command contract.
///
/// ```
/// use kuberay_contract::{Layer, rule_of};
///
/// let rule = rule_of("C09").unwrap();
/// assert_eq!(rule.id, "C09");
/// assert!(rule.layers.contains(&Layer::Spec));
/// assert!(rule_of("C99").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `C` and its number, such as `C01`.
    pub id: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What holds, in one sentence.
    pub sentence: &'static str,
    /// The first release that it holds for, as a full version.
    pub since: &'static str,
    /// The first release that it no longer holds for, where there is one.
    pub until: Option<&'static str>,
    /// What differs between releases, where something does.
    pub differs: Option<&'static str>,
    /// Its layers; it is proven when each of them is.
    pub layers: &'static [Layer],
}

const SPEC: &[Layer] = &[Layer::Spec];
const BOTH: &[Layer] = &[Layer::Spec, Layer::Runtime];

/// A rule that holds for every release.
const fn rule(
    id: &'static str,
    title: &'static str,
    layers: &'static [Layer],
    sentence: &'static str,
    differs: Option<&'static str>,
) -> Rule {
    Rule {
        id,
        title,
        sentence,
        since: "1.0.0",
        until: None,
        differs,
        layers,
    }
}

const fn since(since: &'static str, rule: Rule) -> Rule {
    Rule { since, ..rule }
}

/// Every rule, in order. An entry here is all that a new rule needs.
pub static RULES: &[Rule] = &[
    rule(
        "C01",
        "The generated command",
        SPEC,
        "Without a command of the user, a Ray container gets a shell as `command` and exactly one element of `args`: \
         `ulimit -n 65536; ray start`, then every flag with one space before and one after it.",
        Some(
            "Before 1.1 `--dashboard-agent-listen-port` is absent; before 1.3 the flags are in random order; from 1.4 \
             on the shell is no login shell.",
        ),
    ),
    rule(
        "C02",
        "Joining command and args",
        BOTH,
        "All elements of the user's `command`, then of `args`, are put before the generated command, each with one \
         space before and one after it and no quoting, joined to it by ` && `.",
        None,
    ),
    rule(
        "C03",
        "A user command that fails",
        BOTH,
        "The ` && ` binds the user's command to `ulimit` alone, so that `ray start` follows a command that fails.",
        None,
    ),
    rule(
        "C04",
        "Syntax that the joint breaks",
        BOTH,
        "A final `;`, `&`, newline or comment of the user's text is kept and so meets ` && `.",
        None,
    ),
    rule(
        "C05",
        "Argument boundaries are lost",
        BOTH,
        "The elements become text of one shell line: quotes, variables, globs and the boundaries between elements mean \
         what that shell makes of them.",
        None,
    ),
    rule(
        "C06",
        "`ray start` in the user's text",
        BOTH,
        "Where the joined text holds `ray start`, with one space, the user's `command` and `args` stay as they are and \
         nothing is generated into them.",
        None,
    ),
    since(
        "1.1.0",
        rule(
            "C07",
            "The overwrite annotation",
            BOTH,
            "With `ray.io/overwrite-container-cmd: \"true\"`, in any letter case, on the RayCluster (or its RayJob or \
             RayService) or on a Pod template, the user's `command` and `args` stay as they are.",
            Some("1.0 ignores the annotation."),
        ),
    ),
    since(
        "1.1.0",
        rule(
            "C08",
            "KUBERAY_GEN_RAY_START_CMD",
            BOTH,
            "The generated `ray start` command, without `ulimit`, is in this environment variable of every Ray \
             container, whether it is used or not; the operator's own variables follow those of the user.",
            Some("1.0 has no such variable."),
        ),
    ),
    rule(
        "C09",
        "The flags of the shell",
        SPEC,
        "The generated command, wait-gcs-ready, the autoscaler and the submitter run in the same kind of shell: \
         `/bin/bash -c --`, or `-cl` when the operator has `ENABLE_LOGIN_SHELL=true`.",
        Some(
            "Before 1.4 it is `-lc` and the setting is ignored; the autoscaler has no shell before 1.2, the submitter \
             none before 1.3.",
        ),
    ),
    rule(
        "C10",
        "PATH and profile",
        BOTH,
        "Whether the files of a login shell (`/etc/profile`, `~/.bash_profile`) set PATH before the user's command \
         follows from the shell's flags.",
        Some("Before 1.4 they always do."),
    ),
    rule(
        "C11",
        "The limit of open files",
        BOTH,
        "`ulimit -n 65536; ` stands between the user's command and `ray start`, so a higher limit of the user is \
         lowered, and a limit that can't be raised stops nothing unless the user's text says `set -e`.",
        Some("From 1.7 on `ulimit -n ${RAY_START_ULIMIT_OPEN_FILES:-65536}`."),
    ),
    rule(
        "C12",
        "Boolean parameters",
        SPEC,
        "`\"true\"` in rayStartParams becomes a bare flag and `\"false\"` none, in any letter case, but for `log-color` \
         and `include-dashboard`, which keep their value; `block` is always on.",
        Some(
            "1.0 honours `block: \"false\"` and then appends ` && sleep infinity`; from 1.7 on `include-log-monitor` \
             keeps its value, too.",
        ),
    ),
    rule(
        "C13",
        "Flags from resources",
        SPEC,
        "`--num-cpus` is the CPU limit, rounded up, `--memory` the memory limit in bytes, `--num-gpus` the limit of a \
         resource whose name ends in `gpu`; what rayStartParams say wins.",
        Some(
            "From 1.3 on a CPU request serves where there is no limit, and TPUs and Neuron cores become \
             `--resources`; from 1.4 on NVIDIA's MIG resources are GPUs; from 1.5 on a group's own `resources` and \
             `labels` are used.",
        ),
    ),
    rule(
        "C14",
        "Values of rayStartParams",
        BOTH,
        "Values go into the shell line as they are, without quoting or checking.",
        None,
    ),
    rule(
        "C15",
        "wait-gcs-ready",
        BOTH,
        "Workers get an init container, the last, that waits for the head's `ray health-check` with the image and \
         environment of the Ray container, unless the operator has `ENABLE_INIT_CONTAINER_INJECTION=false`.",
        None,
    ),
    rule(
        "C16",
        "Probes",
        BOTH,
        "Ray containers without probes of their own get readiness and liveness probes that ask the Ray processes.",
        Some(
            "1.0 adds them only with GCS fault tolerance; before 1.6 their ports are fixed; from 1.6 on they are HTTP \
             probes where `rayVersion` is 2.53 or later; they can be switched off from 1.1 on.",
        ),
    ),
    rule(
        "C17",
        "Lifecycle hooks",
        BOTH,
        "The `lifecycle` of the Ray container is passed on as it is; that of the head also to the Job that cleans up Redis.",
        None,
    ),
    rule(
        "C18",
        "The autoscaler's container",
        BOTH,
        "With `enableInTreeAutoscaling` the head Pod gets a container that runs `ray kuberay-autoscaler`, and the head \
         `--no-monitor`.",
        Some("It runs through a shell from 1.2 on."),
    ),
    rule(
        "C19",
        "The RayJob's submitter",
        BOTH,
        "The entrypoint of a RayJob is the end of the submitter's `ray job submit` command.",
        Some(
            "Up to 1.2 it is split into arguments; from 1.3 on it is text of the submitter's shell line.",
        ),
    ),
    rule(
        "C20",
        "The Ray container is the first",
        SPEC,
        "Ray runs in the first container, whatever its name; other containers are passed on as they are.",
        None,
    ),
    rule(
        "C21",
        "The kubelet's variables",
        BOTH,
        "`$(NAME)` and `$$` are passed on as they are, for the kubelet to expand before any shell sees them.",
        None,
    ),
    rule(
        "C22",
        "Upgrades",
        BOTH,
        "A Pod that exists keeps its command when the operator or the RayCluster changes; one that is made again gets \
         what the operator that then runs makes of the RayCluster.",
        Some(
            "From 1.6 on `upgradeStrategy: Recreate` makes Pods again when the RayCluster changes.",
        ),
    ),
    since(
        "1.3.0",
        rule(
            "C23",
            "The order of flags",
            SPEC,
            "The same specification gives the same flags in the same order, sorted by key.",
            Some("Before 1.3 the order is random for every Pod."),
        ),
    ),
    rule(
        "C24",
        "Refusals",
        SPEC,
        "An object that breaks its custom resource definition is refused by the API server, and one that breaks the \
         operator's own checks is stored but gets an event and no Pods.",
        Some(
            "Definitions differ from release to release; the operator checks RayJobs from 1.1 on, RayClusters and \
             RayServices from 1.3 on, and names from 1.4 on.",
        ),
    ),
    rule(
        "C25",
        "The operator's configuration",
        SPEC,
        "Environment and configuration file of the operator change every Pod that it makes: defaultContainerEnvs add \
         variables, sidecars add containers, CLUSTER_DOMAIN ends addresses, ENABLE_INIT_CONTAINER_INJECTION=false \
         leaves out wait-gcs-ready, and defaultPodAnnotations can switch off every generated command.",
        Some(
            "The configuration file exists from 1.1 on, defaultContainerEnvs from 1.5 on, defaultPodAnnotations from \
             1.7 on; ENABLE_PROBES_INJECTION from 1.1 on, ENABLE_LOGIN_SHELL from 1.4 on.",
        ),
    ),
    since(
        "1.7.0",
        rule(
            "C26",
            "Containers behind feature gates",
            SPEC,
            "Where a gate of the operator is on, tlsOptions add the init container wait-for-tls-ip-san before all \
             others and RAY_TLS_* variables, historyServerOptions add the container collector, and the submitter \
             beside the head can be restarted without submitting twice.",
            Some("Before 1.7 there are no such gates."),
        ),
    ),
    since(
        "1.5.1",
        rule(
            "C27",
            "Authentication",
            SPEC,
            "With `authOptions.mode: token` the Ray container, wait-gcs-ready, the autoscaler and the submitter get \
             RAY_AUTH_MODE and RAY_AUTH_TOKEN, the token from a Secret; without a rayVersion of 2.52 or later there \
             are no Pods.",
            Some(
                "Before 1.6 they are added even where the user has them; from 1.6 on a Secret and Kubernetes' own \
                 tokens can be chosen.",
            ),
        ),
    ),
    since(
        "1.6.0",
        rule(
            "C28",
            "RayCronJob",
            SPEC,
            "With the gate RayCronJob a RayCronJob makes RayJobs of its jobTemplate, whose containers get the commands \
             of any RayJob; annotations of the RayCronJob do not reach them.",
            Some("Before 1.7 the RayJob has a random name."),
        ),
    ),
    rule(
        "C29",
        "Ray's own options",
        BOTH,
        "Every parameter becomes an option of `ray start`, known to that Ray or not; Ray ends with an error at an \
         option that its release does not have, at a value of another type, and at JSON that it can't read.",
        Some("Which options there are depends on the release of Ray, not on KubeRay's."),
    ),
    rule(
        "C30",
        "Number of workers",
        SPEC,
        "A worker group gets as many Pods as its replicas times numOfHosts.",
        Some("1.0 does not know numOfHosts, and before 1.4 a numOfHosts of 0 counts as 1."),
    ),
];

/// The ids of all rules in words, such as `C01 to C29`.
///
/// ```
/// assert!(kuberay_contract::rule_range().starts_with("C01 to C"));
/// ```
pub fn rule_range() -> String {
    let ends = RULES.first().zip(RULES.last());
    ends.map_or_else(String::new, |(first, last)| {
        format!("{} to {}", first.id, last.id)
    })
}

/// The rule with this id.
pub fn rule_of(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CLASSES;

    #[test]
    fn rules_are_numbered_dated_and_have_an_object_layer() {
        assert!(RULES.is_sorted_by(|one, next| one.id < next.id));
        for rule in RULES {
            assert!(rule.id.len() == 3, "{}", rule.id);
            assert!(rule.id.starts_with('C'), "{}", rule.id);
            assert_eq!(rule_of(rule.id), Some(rule));
            assert_eq!(rule.layers[0], Layer::Spec, "{}", rule.id);
            assert!(rule.sentence.ends_with('.'), "{}", rule.id);
            assert!(!rule.title.ends_with('.'), "{}", rule.id);
            assert!(
                rule.differs.is_none_or(|text| text.ends_with('.')),
                "{}",
                rule.id
            );
            for bound in std::iter::once(rule.since).chain(rule.until) {
                assert!(
                    CLASSES.iter().any(|class| class.name == bound),
                    "{} {bound}",
                    rule.id
                );
            }
        }
    }
}
