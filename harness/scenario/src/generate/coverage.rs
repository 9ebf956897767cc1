//! Which features of the contract an exploration has reached.

use std::collections::BTreeMap;

use kuberay_contract::{Feature, FeatureEntry, PodContract, features};
use semver::Version;

/// How many containers each feature has shaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Feature, usize>);

impl Coverage {
    /// Counts the features of Pods.
    pub fn add(&mut self, pods: &[PodContract]) {
        for container in pods.iter().flat_map(PodContract::all) {
            for feature in &container.features {
                *self.0.entry(*feature).or_default() += 1;
            }
        }
    }

    /// How many containers a feature has shaped.
    pub fn count(&self, feature: Feature) -> usize {
        self.0.get(&feature).copied().unwrap_or_default()
    }

    /// The features of a release that shaped no container; those that RayClusters on a plain operator can't reach are
    /// not among them.
    pub fn never_reached(&self, release: &Version) -> Vec<&'static FeatureEntry> {
        let missed = |entry: &&FeatureEntry| {
            entry.covers(release)
                && self.count(entry.feature) == 0
                && out_of_reach(entry.feature).is_none()
        };
        features().iter().filter(missed).collect()
    }
}

/// Why RayClusters on an operator without settings of its own can't show a feature; none where they can.
pub fn out_of_reach(feature: Feature) -> Option<&'static str> {
    match feature {
        Feature::LoginShellOnRequest => Some("needs a setting of the operator"),
        Feature::ClusterNameLong | Feature::ClusterNameShort | Feature::ParentAnnotations => {
            Some("needs a RayJob or RayService")
        }
        Feature::EmbeddedStorage | Feature::KubernetesAuth => {
            Some("needs a feature gate or a newer Ray")
        }
        feature => match feature.entry().rule {
            "C19" => Some("needs a RayJob"),
            "C25" | "C26" | "C28" => Some("needs a setting of the operator"),
            _ => None,
        },
    }
}
