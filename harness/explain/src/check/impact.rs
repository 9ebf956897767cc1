//! The effects of an upgrade on the commands of an object: each dated feature of the contract has
//! an impact.

use kuberay_contract::Feature;
use kuberay_manifest::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The effect that a change can have on a user's command, the smallest first.
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
    /// Commands that rely on the change behave differently; the object alone does not show it.
    Review,
    /// Something that the object asks for no longer happens.
    Breaks,
}

impl Impact {
    /// Returns the largest effect on a user's command of a feature that comes or goes with a
    /// release.
    ///
    /// ```
    /// use kuberay_contract::Feature;
    /// use kuberay_explain::check::Impact;
    ///
    /// assert_eq!(Impact::of(Feature::FlagsSorted), Impact::Cosmetic);
    /// ```
    pub fn of(feature: Feature) -> Self {
        impact_of(feature)
    }

    /// Returns the word for people and programs: `none`, `cosmetic`, `review` or `breaks`.
    ///
    /// ```
    /// use kuberay_explain::check::Impact;
    ///
    /// assert_eq!(Impact::Breaks.word(), "breaks");
    /// ```
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cosmetic => "cosmetic",
            Self::Review => "review",
            Self::Breaks => "breaks",
        }
    }

    /// Returns the severity that `--fail-on` compares: `breaks` is an error, `review` a warning,
    /// `cosmetic` a note; `None` for `none`.
    ///
    /// ```
    /// use kuberay_explain::check::Impact;
    /// use kuberay_manifest::Severity;
    ///
    /// assert_eq!(Impact::Review.severity(), Some(Severity::Warning));
    /// ```
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
        | F::ProbesWaitOneSecond
        | F::ProbesWaitLonger
        | F::ProbesTryOnce
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
        | F::ProbesOnRequest
        | F::Probes
        | F::ServeProbe
        | F::ProbePortsFixed
        | F::ProbePortsGiven
        | F::ProbesOverHttp
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
