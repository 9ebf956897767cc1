//! The rules of the command contract: each in a sentence, with the releases that it holds for and
//! the layers it has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A layer of a rule; each is proven by itself.
///
/// ```
/// use kuberay_contract::Layer;
///
/// assert_eq!(Layer::Spec.word(), "spec");
/// assert!(Layer::Spec < Layer::Runtime);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The objects that the operator writes; an API server and the operator show them.
    Spec,
    /// The behaviour of the container, which the shell, the kubelet or Ray decide.
    Runtime,
}

impl Layer {
    /// Returns the layer as reports write it: `spec` or `runtime`.
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
    /// Topic of the rule, in a few words.
    pub title: &'static str,
    /// The rule, in a few sentences.
    pub sentence: &'static str,
    /// The first release that it holds for, as a full version.
    pub since: &'static str,
    /// The first release that it no longer holds for, where there is one.
    pub until: Option<&'static str>,
    /// Differences between the releases that it holds for, where there are any.
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

/// Every rule, in the order of the ids. An entry here is all that a new rule needs.
///
/// ```
/// use kuberay_contract::RULES;
///
/// assert_eq!(RULES[0].id, "C01");
/// assert!(RULES.is_sorted_by_key(|rule| rule.id));
/// ```
pub static RULES: &[Rule] = &[
    rule(
        "C01",
        "The generated command",
        SPEC,
        "Without a command of the user, a Ray container gets a shell as `command` and exactly one element of `args`: \
         `ulimit -n 65536; ray start`, then every flag with one space before and one after it.",
        Some(
            "Before 1.1, `--dashboard-agent-listen-port` is absent. Before 1.3, the flags are in \
             random order. From 1.4 on, the shell is not a login shell.",
        ),
    ),
    rule(
        "C02",
        "Joining command and args",
        BOTH,
        "All elements of the user's `command`, then of `args`, precede the generated command, \
         joined to it by ` && `. Each element has one space before and one after it and no \
         quoting.",
        None,
    ),
    rule(
        "C03",
        "A user command that fails",
        BOTH,
        "The ` && ` binds the user's command only to `ulimit`, so `ray start` runs even if the \
         command fails.",
        None,
    ),
    rule(
        "C04",
        "Syntax that the joint breaks",
        BOTH,
        "The operator keeps a final `;`, `&`, newline or comment of the user's text directly \
         before its ` && `.",
        None,
    ),
    rule(
        "C05",
        "Argument boundaries are lost",
        BOTH,
        "The elements become text of one shell line. The shell interprets quotes, variables, globs \
         and the boundaries between elements.",
        None,
    ),
    rule(
        "C06",
        "`ray start` in the user's text",
        BOTH,
        "If the joined text contains `ray start`, with one space, the user's `command` and `args` \
         stay unchanged, and the operator generates nothing.",
        None,
    ),
    since(
        "1.1.0",
        rule(
            "C07",
            "The overwrite annotation",
            BOTH,
            "With `ray.io/overwrite-container-cmd: \"true\"`, in any letter case, the user's \
             `command` and `args` stay unchanged. The annotation works on the RayCluster (or its \
             RayJob or RayService) and on a Pod template.",
            Some("1.0 ignores the annotation."),
        ),
    ),
    since(
        "1.1.0",
        rule(
            "C08",
            "KUBERAY_GEN_RAY_START_CMD",
            BOTH,
            "Every Ray container has the generated `ray start` command, without `ulimit`, in this \
             environment variable. The operator's own variables follow those of the user.",
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
            "Before 1.4 the flags are `-lc`, and the setting has no effect. The autoscaler has no \
             shell before 1.2, and the submitter none before 1.3.",
        ),
    ),
    rule(
        "C10",
        "PATH and profile",
        BOTH,
        "The shell's flags decide whether the files of a login shell (`/etc/profile`, \
         `~/.bash_profile`) set PATH before the user's command.",
        Some("Before 1.4 they always do."),
    ),
    rule(
        "C11",
        "The limit of open files",
        BOTH,
        "`ulimit -n 65536; ` runs between the user's command and `ray start`. It lowers a higher \
         limit of the user. If it can't raise the limit, Ray still starts, unless the user's text \
         contains `set -e`.",
        Some("From 1.7 on `ulimit -n ${RAY_START_ULIMIT_OPEN_FILES:-65536}`."),
    ),
    rule(
        "C12",
        "Boolean parameters",
        SPEC,
        "`\"true\"` in rayStartParams becomes a bare flag and `\"false\"` none, in any letter \
         case. `log-color` and `include-dashboard` keep their value, and `block` is always on.",
        Some(
            "1.0 honours `block: \"false\"` and then appends ` && sleep infinity`. From 1.7 on, \
             `include-log-monitor` also keeps its value.",
        ),
    ),
    rule(
        "C13",
        "Flags from resources",
        SPEC,
        "`--num-cpus` is the CPU limit, rounded up. `--memory` is the memory limit in bytes. \
         `--num-gpus` is the limit of a resource whose name ends in `gpu`. Values of \
         rayStartParams override them.",
        Some(
            "From 1.3 on, a CPU request counts if there is no limit, and TPUs and Neuron cores \
             become `--resources`. From 1.4 on, NVIDIA's MIG resources are GPUs. From 1.5 on, a \
             group has its own `resources` and `labels`.",
        ),
    ),
    rule(
        "C14",
        "Values of rayStartParams",
        BOTH,
        "The operator writes values into the shell line unchanged, without quotes or checks.",
        None,
    ),
    rule(
        "C15",
        "wait-gcs-ready",
        BOTH,
        "The last init container of a worker waits for the head with `ray health-check`. It has \
         the image and environment of the Ray container. `ENABLE_INIT_CONTAINER_INJECTION=false` \
         on the operator leaves it out.",
        None,
    ),
    rule(
        "C16",
        "Probes",
        BOTH,
        "Ray containers without probes get readiness and liveness probes that query the Ray \
         processes.",
        Some(
            "1.0 adds them only with GCS fault tolerance. From 1.1 on, a setting of the operator \
             switches them off. Before 1.6 their ports are fixed. From 1.6 on they are HTTP probes \
             if `rayVersion` is 2.53 or later.",
        ),
    ),
    rule(
        "C17",
        "Lifecycle hooks",
        BOTH,
        "The operator passes on the `lifecycle` of the Ray container unchanged. The Job that \
         cleans up Redis also gets that of the head.",
        None,
    ),
    rule(
        "C18",
        "The autoscaler's container",
        BOTH,
        "With `enableInTreeAutoscaling`, the head Pod gets a container that runs `ray \
         kuberay-autoscaler`, and the head starts with `--no-monitor`.",
        Some("It runs through a shell from 1.2 on."),
    ),
    rule(
        "C19",
        "The RayJob's submitter",
        BOTH,
        "The entrypoint of a RayJob is the end of the submitter's `ray job submit` command.",
        Some(
            "Up to 1.2, it is split into arguments. From 1.3 on, it is text of the submitter's \
             shell line.",
        ),
    ),
    rule(
        "C20",
        "The Ray container is the first",
        SPEC,
        "Ray runs in the first container, regardless of its name. The operator passes on other \
         containers unchanged.",
        None,
    ),
    rule(
        "C21",
        "The kubelet's variables",
        BOTH,
        "The operator passes on `$(NAME)` and `$$` unchanged. The kubelet expands them before any \
         shell reads them.",
        None,
    ),
    rule(
        "C22",
        "Upgrades",
        BOTH,
        "An existing Pod keeps its command when the operator or the RayCluster changes. A \
         recreated Pod gets the command that the current operator generates from the RayCluster.",
        Some(
            "From 1.6 on, `upgradeStrategy: Recreate` recreates Pods when the RayCluster changes.",
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
        "The API server refuses an object that violates its custom resource definition. The \
         operator refuses an object that fails its own checks: the object is stored, but gets an \
         event and no Pods.",
        Some(
            "Definitions differ between releases. The operator checks RayJobs from 1.1 on, \
             RayClusters and RayServices from 1.3 on, and names from 1.4 on.",
        ),
    ),
    rule(
        "C25",
        "The operator's configuration",
        SPEC,
        "The environment and the configuration file of the operator change every Pod that it \
         creates. defaultContainerEnvs add variables, sidecars add containers, and CLUSTER_DOMAIN \
         ends addresses. ENABLE_INIT_CONTAINER_INJECTION=false leaves out wait-gcs-ready. \
         defaultPodAnnotations can switch off every generated command.",
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
            "With its gate, tlsOptions add RAY_TLS_* variables and the init container \
             wait-for-tls-ip-san before all others. With its gate, historyServerOptions add the \
             container collector. With its gate, the submitter beside the head can restart without \
             submitting twice.",
            Some("Before 1.7 there are no such gates."),
        ),
    ),
    since(
        "1.5.1",
        rule(
            "C27",
            "Authentication",
            SPEC,
            "With `authOptions.mode: token`, the Ray container, wait-gcs-ready, the autoscaler and \
             the submitter get RAY_AUTH_MODE and RAY_AUTH_TOKEN. The token comes from a Secret. \
             Without a rayVersion of 2.52 or later there are no Pods.",
            Some(
                "Before 1.6 the operator adds them even if the user sets them. From 1.6 on, the \
                 user can choose a Secret or Kubernetes tokens.",
            ),
        ),
    ),
    since(
        "1.6.0",
        rule(
            "C28",
            "RayCronJob",
            SPEC,
            "With the gate RayCronJob, a RayCronJob creates RayJobs from its jobTemplate. Their \
             containers get the commands of any RayJob. Annotations of the RayCronJob do not reach \
             them.",
            Some("Before 1.7 the RayJob has a random name."),
        ),
    ),
    rule(
        "C29",
        "Ray's own options",
        BOTH,
        "Every parameter becomes an option of `ray start`. Ray ends with an error at an option \
         that its release does not have, a value of another type, or JSON that it can't parse.",
        Some("The options depend on the release of Ray, not on that of KubeRay."),
    ),
    rule(
        "C30",
        "Number of workers",
        SPEC,
        "A worker group gets as many Pods as its replicas times numOfHosts.",
        Some("1.0 does not support numOfHosts. Before 1.4, a numOfHosts of 0 counts as 1."),
    ),
];

/// Returns the ids of all rules in words, such as `C01 to C29`.
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

/// Returns the rule with this id; `None` where there is none.
///
/// ```
/// use kuberay_contract::rule_of;
///
/// assert_eq!(rule_of("C03").unwrap().title, "A user command that fails");
/// assert!(rule_of("C99").is_none());
/// ```
pub fn rule_of(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CLASSES;

    #[test]
    fn rules_are_numbered_dated_and_have_an_object_layer() {
        let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
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
