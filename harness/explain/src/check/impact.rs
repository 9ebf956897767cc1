//! What an upgrade can do to the commands of an object: each dated feature of the contract has an
//! impact.

use std::collections::BTreeMap;

use kuberay_contract::{Feature, features};
use kuberay_manifest::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{CheckFinding, FeatureChange, ObjectUpgrade};
use super::label;
use crate::document::{Container, Object};

/// What a change can do to a user's command.
///
/// ```
/// use kuberay_contract::Feature;
/// use kuberay_explain::check::Impact;
///
/// assert_eq!(Impact::of(Feature::PlainShell), Impact::Review);
/// assert!(Impact::Cosmetic < Impact::Breaks);
/// assert_eq!(Impact::None.severity(), None);
/// ```
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
    /// Returns what a feature that comes or goes with a release can do to a user's command.
    pub fn of(feature: Feature) -> Self {
        impact_of(feature)
    }

    /// Returns the word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cosmetic => "cosmetic",
            Self::Review => "review",
            Self::Breaks => "breaks",
        }
    }

    /// Returns the severity that `--fail-on` compares: `breaks` is an error, `review` a warning,
    /// `cosmetic` a note.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::None => None,
            Self::Cosmetic => Some(Severity::Note),
            Self::Review => Some(Severity::Warning),
            Self::Breaks => Some(Severity::Error),
        }
    }
}

/// The impact of each feature that comes or goes with a release. Features that every release has
/// never change; they are `Review`, so that a release without one is looked at.
fn impact_of(feature: Feature) -> Impact {
    use Feature as F;
    match feature {
        // Another text that does the same.
        F::FlagsInRandomOrder
        | F::FlagsSorted
        | F::UlimitFixed
        | F::UlimitFromEnv
        | F::GenRayStartCmd
        | F::MetricsExportPort
        | F::AgentPortForServices
        | F::AgentPort
        | F::EnvClusterName
        | F::EnvClusterNamespace
        | F::EnvInstance
        | F::EnvServePin
        | F::CronJobRandomName
        | F::CronJobDatedName
        | F::EnvUsage
        | F::EnvExtraTags
        | F::EnvRedisAlways
        | F::WaitGcsReadyTabs
        | F::WaitGcsReadyOldPage
        | F::WaitGcsReadyNewPage
        | F::AutoscalerGenCmd
        | F::SubmitterBash
        | F::SubmitterShell
        | F::SubmitterEnv
        | F::SubmitterJobEnv
        | F::SubmitterWaitsWithWget
        | F::SubmitterWaitsWithPython
        | F::SubmitterAlwaysWaits => Impact::Cosmetic,

        // What was written has an effect, or another one than before.
        F::OverwriteOnCluster
        | F::OverwriteOnTemplate
        | F::SleepWithoutBlock
        | F::AutoscalerOverride => Impact::Breaks,

        F::GeneratedCommand
        | F::UserCommandFirst
        | F::RayStartInText
        | F::LoginShell
        | F::PlainShell
        | F::LoginShellOnRequest
        | F::BlockDefault
        | F::BlockForced
        | F::SwitchOn
        | F::SwitchOff
        | F::BooleanValueKept
        | F::LogMonitorAsSwitch
        | F::LogMonitorKept
        | F::DashboardHost
        | F::WorkerAddress
        | F::NoMonitor
        | F::CpusFromLimits
        | F::CpusFromRequests
        | F::MemoryFromLimits
        | F::AnyGpuFromLimits
        | F::FirstGpuFromLimits
        | F::MigFromLimits
        | F::AcceleratorFromLimits
        | F::UnreadableResources
        | F::GroupResources
        | F::GroupLabels
        | F::HeadServiceShortened
        | F::HeadServiceWhole
        | F::HeadServiceNamed
        | F::ClusterDomain
        | F::ClusterNameLong
        | F::ClusterNameShort
        | F::ParentAnnotations
        | F::EnvDefaults
        | F::EnvHeadAddress
        | F::EnvPort
        | F::EnvService
        | F::EnvAddress
        | F::EnvStorageFromPod
        | F::EnvReconnect
        | F::EnvStorageOfHead
        | F::EnvRedisFromParams
        | F::FaultToleranceOptions
        | F::EmbeddedStorage
        | F::TokenAuth
        | F::TokenAuthTwice
        | F::TokenAuthOnce
        | F::KubernetesAuth
        | F::WaitGcsReady
        | F::InitEnv
        | F::HeadProbesAsOfWorkers
        | F::HeadProbesLonger
        | F::AutoscalerDirect
        | F::AutoscalerInShell
        | F::AutoscalerUserEnv
        | F::AutoscalerV2
        | F::AutoscalerV1
        | F::SubmitterArgv
        | F::SubmitterScript
        | F::SubmitterFollowsKnownJob
        | F::SubmitterAlwaysFollows
        | F::SubmitterUserCommand
        | F::SubmitterSidecar
        | F::OperatorSidecars
        | F::OverwriteByDefault
        | F::WaitGcsReadySwitchedOff
        | F::WaitForTls
        | F::TlsEnv
        | F::Collector
        | F::SubmitterRestarts
        | F::CronJob
        | F::FirstContainer => Impact::Review,
    }
}

/// The impact of a feature on containers that have it.
fn impact_on(feature: Feature, containers: &[Container]) -> Impact {
    // The limit of open files changes only where the variable is set.
    let mut variables = containers.iter().flat_map(|container| &container.env);
    if feature == Feature::UlimitFromEnv
        && variables.any(|variable| variable.name == "RAY_START_ULIMIT_OPEN_FILES")
    {
        return Impact::Review;
    }
    impact_of(feature)
}

/// What the step from one release to another changes for an object; `findings` are the traps that
/// it brings.
pub(super) fn of_object(
    object: &Object,
    before: &[Container],
    after: &[Container],
    findings: &[CheckFinding],
) -> ObjectUpgrade {
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
    ObjectUpgrade {
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
                impact: impact_on(entry.feature, with),
                says: entry.says.into(),
                source: entry.source.into(),
                containers,
            })
        })
        .collect()
}
