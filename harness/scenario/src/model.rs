//! The types that a scenario file is read into; the JSON schema is generated from them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kuberay_contract::Layer;
use kuberay_manifest::Location;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, DurationText, OperatorSettings};

/// How long all checks of a scenario may take together when it does not say.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_mins(3);

/// What cases run against.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// etcd and kube-apiserver with the operator beside them; no kubelet, so no container ever
    /// starts.
    Envtest,
    /// A kind cluster: a real kubelet, a real Ray.
    Kind,
    /// A cluster that exists, with its own nodes and, unless the run installs one, its own
    /// operator.
    Existing,
}

impl TargetKind {
    /// Whether containers start there, so that Ray runs.
    pub fn has_kubelet(self) -> bool {
        self != Self::Envtest
    }
}

/// How much weight a scenario has in a conformance report.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Every release in range must pass it.
    #[default]
    Core,
    /// Documented, but not what every user meets.
    Extended,
    /// Derived from sources, not yet seen on a real operator; a failure does not fail the run.
    Provisional,
}

impl std::fmt::Display for TargetKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            TargetKind::Envtest => "envtest",
            TargetKind::Kind => "kind",
            TargetKind::Existing => "existing",
        })
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Level::Core => "core",
            Level::Extended => "extended",
            Level::Provisional => "provisional",
        })
    }
}

/// A scenario file, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("$id" = "urn:kuberay-conformance:scenario:v1beta1"))]
pub struct ScenarioFile {
    /// Always `kuberay-conformance/v1beta1`.
    #[schemars(extend("const" = "kuberay-conformance/v1beta1"))]
    pub api_version: String,
    /// Always `Scenario`.
    #[schemars(extend("const" = "Scenario"))]
    pub kind: String,
    /// The scenario's name.
    pub metadata: Metadata,
    /// What is applied and what is checked.
    pub spec: Spec,
}

/// The form of a scenario's name, as a regular expression.
const NAME: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";

/// Returns whether a text may name a scenario, as its schema says.
pub fn is_name(text: &str) -> bool {
    regex::Regex::new(NAME).is_ok_and(|form| form.is_match(text))
}

/// Identifies the scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Equal to the folder's name; lower-case letters, digits and dashes.
    #[schemars(extend(
        "pattern" = NAME,
        "patternErrorMessage" = "a name has only lower-case letters, digits and dashes, such as `before-ray-start`"
    ))]
    pub name: String,
}

/// One of the contract's rules.
fn rule_schema() -> serde_json::Value {
    let ids: Vec<&str> = kuberay_contract::RULES.iter().map(|rule| rule.id).collect();
    serde_json::json!({"type": "string", "enum": ids})
}

/// What a scenario applies and what it then expects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// One or two sentences: what is proved.
    #[schemars(length(min = 1))]
    pub description: String,
    /// Rules of the contract that it proves, such as `C01`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true, "items" = rule_schema()))]
    pub rules: Vec<String>,
    /// Its weight; `core` when absent.
    #[serde(default)]
    pub level: Level,
    /// Public issues that it would have caught, as URLs or `owner/repo#number`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true, "items" = {
        "type": "string",
        "pattern": "^(https?://[^ ]+|[A-Za-z0-9._-]+/[A-Za-z0-9._-]+#[0-9]+)$",
        "patternErrorMessage": "an issue is a URL or `owner/repo#number`"
    }))]
    pub issues: Vec<String>,
    /// How many Kubernetes nodes that accept Pods it needs; 1 when absent, more only exist on kind.
    #[serde(default = "one_node")]
    #[schemars(range(min = 1, max = 8))]
    pub nodes: u32,
    /// Releases of the operator that it applies to, a semver range; all when absent.
    #[serde(default = "any_version")]
    pub operator: String,
    /// Releases of Ray that it applies to, a semver range; all when absent.
    #[serde(default = "any_version")]
    pub ray: String,
    /// Files beside the scenario, or samples of the operator's release, applied in this order.
    #[schemars(length(min = 1))]
    pub manifests: Vec<Manifest>,
    /// The only changes made to the manifests before they are sent; `namespace` is always set.
    #[serde(default)]
    pub changes: Changes,
    /// What the harness does once the objects are there; reports and evidence say so.
    #[serde(default)]
    pub steps: Steps,
    /// An older release of the operator, such as `1.3.2`, that the case begins with; once the
    /// `RayCluster` is ready, the case's own release takes its place, and then the steps follow.
    /// Runs with `--upgrades`; without `markReady` on kind, alone.
    #[serde(default)]
    #[schemars(extend(
        "pattern" = "^[0-9]+\\.[0-9]+\\.[0-9]+$",
        "patternErrorMessage" = "a release is three numbers, such as `1.3.2`"
    ))]
    pub upgrade_from: Option<String>,
    /// How the operator is set up where that differs from its release's defaults; it then runs as a
    /// process of its own.
    #[serde(default)]
    pub operator_settings: OperatorSettings,
    /// Wall-clock limit for all checks together, such as `90s` or `5m`; 3 minutes when absent.
    #[serde(default)]
    pub timeout: Option<DurationText>,
    /// What must hold; all are evaluated at every change until each has its verdict.
    #[schemars(length(min = 1))]
    pub checks: Vec<Check>,
}

fn any_version() -> String {
    "*".into()
}

fn one_node() -> u32 {
    1
}

/// One source of objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Manifest {
    /// A file beside the scenario.
    File(String),
    /// A file of the operator release's own `config/samples`.
    Sample(Sample),
}

/// A sample manifest that the operator's release carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// File name below `config/samples`.
    pub sample: String,
}

/// The closed list of changes that may be made to manifests before they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Changes {
    /// Set the image of every Ray container to that of the case's Ray release.
    #[serde(default)]
    pub image: bool,
    /// Set `rayVersion` to the case's Ray release.
    #[serde(default)]
    pub ray_version: bool,
    /// Replace `resources.requests` of every Ray container, such as `{cpu: 100m}`.
    #[serde(default)]
    #[schemars(extend("additionalProperties" = {
        "type": "string",
        "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
        "patternErrorMessage": "a request is a Kubernetes quantity, such as `500m` or `2Gi`"
    }))]
    pub requests: BTreeMap<String, String>,
}

/// What the runner does during a case: first `markReady`, then `apply`, then `delete`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Steps {
    /// Set the status of every Ray Pod to Running and Ready, as a kubelet does. No
    /// container runs all the same; it serves to see what the operator does next, such as to make
    /// the submitter of a `RayJob`.
    #[serde(default)]
    pub mark_ready: bool,
    /// A file beside the scenario with objects in a later form, applied on the server's side once
    /// the operator says that the `RayCluster` is ready, because it then has seen every Pod. In
    /// envtest that needs `markReady`.
    #[serde(default)]
    pub apply: Option<String>,
    /// A file beside the scenario with objects in a later form, applied after the operator of
    /// `upgradeFrom` has ended and before the case's own starts, so that neither sees the change
    /// happen. Needs envtest.
    #[serde(default)]
    pub apply_between: Option<String>,
    /// What is deleted then; with `apply`, once the operator has made a Pod after it, which shows
    /// that it knows what was applied.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub delete: Vec<Deletion>,
}

/// Something that a step deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Deletion {
    /// The head Pod.
    Head,
    /// The worker Pod that is there longest.
    Worker,
    /// Every `RayCluster`.
    RayCluster,
}

impl Steps {
    /// Whether something is applied or deleted.
    pub fn acts(&self) -> bool {
        self.apply.is_some() || !self.delete.is_empty()
    }

    /// What is done, one sentence each, for reports and evidence.
    pub fn sentences(&self) -> Vec<String> {
        let ready =
            "the harness, not a kubelet, marked the Ray Pods as running and ready in their status";
        let mut sentences: Vec<String> = self
            .mark_ready
            .then(|| ready.to_owned())
            .into_iter()
            .collect();
        if let Some(file) = &self.apply_between {
            sentences.push(format!(
                "while neither operator ran, the harness applied {file}"
            ));
        }
        if self.acts() {
            let apply = self.apply.iter().map(|file| format!("applied {file}"));
            let delete = self.delete.iter().map(|what| match what {
                Deletion::Head => "deleted the head Pod".to_owned(),
                Deletion::Worker => "deleted one worker Pod".to_owned(),
                Deletion::RayCluster => "deleted the RayCluster".to_owned(),
            });
            let done: Vec<String> = apply.chain(delete).collect();
            sentences.push(format!(
                "once the RayCluster was ready, the harness {}",
                done.join(" and ")
            ));
        }
        sentences
    }
}

/// A scenario as read from its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The folder, which also holds its manifests and snapshots.
    pub dir: std::path::PathBuf,
    /// The scenario file's path.
    pub path: std::path::PathBuf,
    /// What the file says.
    pub file: ScenarioFile,
    /// Where each entry of `spec.checks` begins, in order.
    pub check_locations: Vec<Location>,
    /// The lines of each entry of `spec.checks`, as far as reports show them.
    pub check_texts: Vec<String>,
    /// `spec.operator`, parsed.
    pub operator: semver::VersionReq,
    /// `spec.ray`, parsed.
    pub ray: semver::VersionReq,
    /// `spec.upgradeFrom`, parsed.
    pub upgrade_from: Option<semver::Version>,
    /// `spec.timeout`, parsed.
    pub timeout: Duration,
}

/// Where the cases of a scenario run, and why there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The cheapest target that meets the requirements of the scenario.
    pub target: TargetKind,
    /// The requirement that decides, such as `the check ray needs a kubelet`.
    pub reason: String,
}

impl Spec {
    /// Returns the cheapest target that meets the requirements of the scenario's checks and steps.
    pub fn placement(&self) -> Placement {
        let kubelet = self.checks.iter().find(|check| check.needs_kubelet());
        let reason = if let Some(check) = kubelet {
            format!("the check `{}` needs a kubelet", check.kind())
        } else if self.upgrade_from.is_some() && !self.steps.mark_ready {
            "`upgradeFrom` waits for a RayCluster that is ready, and so for a kubelet or `markReady`".into()
        } else if self.nodes > 1 {
            format!("it needs {} nodes", self.nodes)
        } else {
            let reason = if self.operator_settings.is_default() {
                "no check needs a kubelet"
            } else {
                "`operatorSettings` needs an operator that the run may replace, and no check needs a kubelet"
            };
            return Placement {
                target: TargetKind::Envtest,
                reason: reason.into(),
            };
        };
        Placement {
            target: TargetKind::Kind,
            reason,
        }
    }

    /// Returns whether a check or a step needs containers that start.
    pub fn needs_kubelet(&self) -> bool {
        self.placement().target.has_kubelet()
    }

    /// Returns the requirement that a target does not meet; none where cases can run there.
    pub fn unmet(&self, target: TargetKind) -> Option<String> {
        let placement = self.placement();
        if !target.has_kubelet() {
            return (placement.target != target).then_some(placement.reason);
        }
        let needs = if self.steps.mark_ready {
            "`markReady` needs a target without a kubelet"
        } else if self.steps.apply_between.is_some() {
            "`applyBetween` needs a target where the operator is a process"
        } else if !self.operator_settings.is_default() {
            "`operatorSettings` needs an operator that the run may replace"
        } else {
            return None;
        };
        Some(needs.into())
    }
}

impl Scenario {
    /// `metadata.name`.
    pub fn name(&self) -> &str {
        &self.file.metadata.name
    }

    /// The layers of its rules that it proves when all of its checks pass.
    pub fn layers(&self) -> BTreeSet<Layer> {
        self.file.spec.checks.iter().map(Check::layer).collect()
    }
}
