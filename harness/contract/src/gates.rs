//! The operator's feature gates and the keys of its configuration file, with the releases that know
//! them.
//!
//! Sources: `pkg/features/features.go` and `apis/config/v1alpha1/configuration_types.go` at the tag
//! of each release.

use semver::Version;

use super::classes::plain;

/// The first release with `--config`, the operator's configuration file (main.go of 1.1.0).
///
/// ```
/// assert_eq!(kuberay_contract::CONFIGURATION_SINCE.to_string(), "1.1.0");
/// ```
pub const CONFIGURATION_SINCE: Version = Version::new(1, 1, 0);
/// The first release with `--feature-gates` (main.go of 1.2.0).
///
/// ```
/// assert_eq!(kuberay_contract::GATES_SINCE.to_string(), "1.2.0");
/// ```
pub const GATES_SINCE: Version = Version::new(1, 2, 0);

/// A feature gate of the operator.
///
/// ```
/// use kuberay_contract::gate;
///
/// let gate = gate("RayCronJob").unwrap();
/// assert_eq!(gate.default_in(&semver::Version::new(1, 6, 2)), Some(false));
/// assert_eq!(gate.default_in(&semver::Version::new(1, 5, 2)), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Its name, as `--feature-gates` takes it.
    pub name: &'static str,
    /// The first release that knows it.
    pub since: Version,
    /// The first release that has it on by default.
    pub on_since: Option<Version>,
    /// The first release that no longer knows it.
    pub until: Option<Version>,
}

impl Gate {
    /// Returns whether a release has the gate on by default; `None` where it does not know it.
    pub fn default_in(&self, release: &Version) -> Option<bool> {
        let release = plain(release);
        let knows =
            self.since <= release && self.until.as_ref().is_none_or(|until| release < *until);
        knows.then(|| self.on_since.as_ref().is_some_and(|on| *on <= release))
    }
}

const fn new(name: &'static str, minor: u64, on: Option<u64>) -> Gate {
    Gate {
        name,
        since: Version::new(1, minor, 0),
        on_since: match on {
            Some(minor) => Some(Version::new(1, minor, 0)),
            None => None,
        },
        until: None,
    }
}

/// Every gate of any release, in alphabetical order.
///
/// ```
/// use kuberay_contract::GATES;
///
/// assert!(GATES.iter().any(|gate| gate.name == "RayCronJob"));
/// ```
pub static GATES: [Gate; 12] = [
    Gate {
        name: "AsyncJobInfoQuery",
        since: Version::new(1, 6, 0),
        on_since: None,
        until: Some(Version::new(1, 7, 0)),
    },
    new("GCSFaultToleranceEmbeddedStorage", 7, None),
    new("KubernetesWAS", 7, None),
    new("RayClusterHistoryServer", 7, None),
    new("RayClusterMTLS", 7, None),
    new("RayClusterNetworkPolicy", 7, None),
    new("RayClusterStatusConditions", 2, Some(3)),
    new("RayCronJob", 6, None),
    new("RayJobDeletionPolicy", 3, Some(6)),
    new("RayMultiHostIndexing", 5, Some(6)),
    new("RayServiceIncrementalUpgrade", 5, Some(7)),
    new("SidecarSubmitterRestart", 7, None),
];

/// Returns the gate of this name; `None` where no release knows it.
///
/// ```
/// use kuberay_contract::gate;
///
/// assert_eq!(gate("RayCronJob").unwrap().name, "RayCronJob");
/// assert!(gate("RayCornJob").is_none());
/// ```
pub fn gate(name: &str) -> Option<&'static Gate> {
    GATES.iter().find(|gate| gate.name == name)
}

/// Every key of the configuration file of any release, in alphabetical order; a release ignores
/// those that it does not know.
///
/// ```
/// use kuberay_contract::CONFIGURATION_KEYS;
///
/// assert!(CONFIGURATION_KEYS.contains(&"reconcileConcurrency"));
/// ```
pub static CONFIGURATION_KEYS: [&str; 22] = [
    "batchScheduler",
    "burst",
    "defaultContainerEnvs",
    "defaultPodAnnotations",
    "defaultPodLabels",
    "deleteRayJobAfterJobFinishes",
    "enableBatchScheduler",
    "enableLeaderElection",
    "enableMetrics",
    "forcedClusterUpgrade",
    "headSidecarContainers",
    "leaderElectionNamespace",
    "logFile",
    "logFileEncoder",
    "logStdoutEncoder",
    "metricsAddr",
    "probeAddr",
    "qps",
    "reconcileConcurrency",
    "useKubernetesProxy",
    "watchNamespace",
    "workerSidecarContainers",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_has_a_default_in_the_releases_that_know_it() {
        let of = |name: &str, release: &str| {
            gate(name).and_then(|gate| gate.default_in(&release.parse().unwrap()))
        };
        assert_eq!(of("RayCronJob", "1.5.2"), None);
        assert_eq!(of("RayCronJob", "1.6.0"), Some(false));
        assert_eq!(of("RayJobDeletionPolicy", "1.5.2"), Some(false));
        assert_eq!(of("RayJobDeletionPolicy", "1.6.0"), Some(true));
        assert_eq!(of("AsyncJobInfoQuery", "1.6.2"), Some(false));
        assert_eq!(of("AsyncJobInfoQuery", "1.7.0-rc.0"), None);
        assert_eq!(of("NoSuchGate", "1.7.0"), None);
    }

    #[test]
    fn gates_are_sorted_and_dated_by_classes() {
        let names = GATES.each_ref().map(|gate| gate.name);
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        for gate in &GATES {
            let bounds = [&gate.on_since, &gate.until].map(Option::as_ref);
            for bound in bounds.into_iter().flatten().chain([&gate.since]) {
                let starts = crate::CLASSES.iter().any(|class| class.since == *bound);
                assert!(starts, "{} {bound}", gate.name);
            }
        }
    }
}
