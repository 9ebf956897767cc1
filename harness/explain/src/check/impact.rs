//! What an upgrade can do to the commands of an object: each dated feature of the contract has an impact.

use std::collections::BTreeMap;

use kuberay_contract::{Feature, features};
use kuberay_manifest::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{FeatureChange, Finding, Upgrade};
use super::label;
use crate::document::{Container, Object};

/// What a change can do to a user's command.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Nothing changes.
    None,
    /// The Pod's text changes; commands behave as before.
    Cosmetic,
    /// Commands that rely on what changes behave differently; the object alone does not show it.
    Review,
    /// What the object asks for no longer happens.
    Breaks,
}

impl Impact {
    /// Returns the word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cosmetic => "cosmetic",
            Self::Review => "review",
            Self::Breaks => "breaks",
        }
    }

    /// Returns the severity that `--fail-on` compares: `breaks` is an error, `review` a warning, `cosmetic` a note.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::None => None,
            Self::Cosmetic => Some(Severity::Note),
            Self::Review => Some(Severity::Warning),
            Self::Breaks => Some(Severity::Error),
        }
    }
}

/// The impact of each feature that comes or goes with a release. Features that every release has never change; they
/// are `Review`, so that a release without one is looked at.
fn impact_of(feature: Feature) -> Impact {
    use Feature::*;
    match feature {
        // Another text that does the same.
        FlagsInRandomOrder
        | FlagsSorted
        | UlimitFixed
        | UlimitFromEnv
        | GenRayStartCmd
        | MetricsExportPort
        | AgentPortForServices
        | AgentPort
        | EnvClusterName
        | EnvClusterNamespace
        | EnvInstance
        | EnvServePin
        | EnvUsage
        | EnvExtraTags
        | EnvRedisAlways
        | WaitGcsReadyTabs
        | WaitGcsReadyOldPage
        | WaitGcsReadyNewPage
        | AutoscalerGenCmd
        | SubmitterBash
        | SubmitterShell
        | SubmitterEnv
        | SubmitterJobEnv
        | SubmitterWaitsWithWget
        | SubmitterWaitsWithPython
        | SubmitterAlwaysWaits => Impact::Cosmetic,

        // What was written has an effect, or another one than before.
        OverwriteOnCluster | OverwriteOnTemplate | SleepWithoutBlock | AutoscalerOverride => {
            Impact::Breaks
        }

        GeneratedCommand
        | UserCommandFirst
        | RayStartInText
        | LoginShell
        | PlainShell
        | LoginShellOnRequest
        | BlockDefault
        | BlockForced
        | SwitchOn
        | SwitchOff
        | BooleanValueKept
        | LogMonitorAsSwitch
        | LogMonitorKept
        | DashboardHost
        | WorkerAddress
        | NoMonitor
        | CpusFromLimits
        | CpusFromRequests
        | MemoryFromLimits
        | AnyGpuFromLimits
        | FirstGpuFromLimits
        | MigFromLimits
        | AcceleratorFromLimits
        | UnreadableResources
        | GroupResources
        | GroupLabels
        | HeadServiceShortened
        | HeadServiceWhole
        | HeadServiceNamed
        | ClusterDomain
        | ClusterNameLong
        | ClusterNameShort
        | ParentAnnotations
        | EnvDefaults
        | EnvHeadAddress
        | EnvPort
        | EnvService
        | EnvAddress
        | EnvStorageFromPod
        | EnvReconnect
        | EnvStorageOfHead
        | EnvRedisFromParams
        | FaultToleranceOptions
        | EmbeddedStorage
        | TokenAuth
        | TokenAuthTwice
        | TokenAuthOnce
        | KubernetesAuth
        | WaitGcsReady
        | InitEnv
        | AutoscalerDirect
        | AutoscalerInShell
        | AutoscalerUserEnv
        | AutoscalerV2
        | AutoscalerV1
        | SubmitterArgv
        | SubmitterScript
        | SubmitterFollowsKnownJob
        | SubmitterAlwaysFollows
        | SubmitterUserCommand
        | SubmitterSidecar
        | FirstContainer => Impact::Review,
    }
}

/// What the step from one release to another changes for an object; `findings` are the traps that it brings.
pub(super) fn of_object(
    object: &Object,
    before: &[Container],
    after: &[Container],
    findings: &[Finding],
) -> Upgrade {
    let mut changes = changed(before, after, true);
    changes.extend(changed(after, before, false));
    changes.sort_by(|one, other| {
        (other.impact, &one.rule, one.comes).cmp(&(one.impact, &other.rule, other.comes))
    });
    let traps: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity <= Severity::Warning)
        .map(|finding| finding.id.clone())
        .collect();
    let largest = changes
        .iter()
        .map(|change| change.impact)
        .max()
        .unwrap_or(Impact::None);
    Upgrade {
        object: object.clone(),
        impact: if traps.is_empty() {
            largest
        } else {
            Impact::Breaks
        },
        features: changes,
        traps,
    }
}

/// The features that containers on one release use and on another do not, since they are dated.
fn changed(without: &[Container], with: &[Container], comes: bool) -> Vec<FeatureChange> {
    let release = |containers: &[Container]| containers.first().map(|one| one.operator.clone());
    let Some(other) = release(without) else {
        return Vec::new();
    };
    let mut by_feature: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for container in with {
        for feature in &container.features {
            let names = by_feature.entry(feature).or_default();
            let name = label(container);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let dated = features().iter().filter(|entry| !entry.covers(&other));
    dated
        .filter_map(|entry| {
            let containers = by_feature.get(entry.name)?.clone();
            let at = if comes {
                Some(&entry.since)
            } else {
                entry.until.as_ref()
            };
            Some(FeatureChange {
                feature: entry.name.into(),
                rule: entry.rule.into(),
                comes,
                at: at.unwrap_or(&entry.since).clone(),
                impact: impact_of(entry.feature),
                says: entry.says.into(),
                source: entry.source.into(),
                containers,
            })
        })
        .collect()
}
