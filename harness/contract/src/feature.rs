//! What a dated feature of the contract is, and which of them a prediction used.

use std::cell::RefCell;
use std::collections::BTreeSet;

use semver::Version;

use super::EffectiveSettings;
use super::classes::plain;

/// One thing that an operator does to the containers of Ray Pods, with the releases that do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureEntry {
    /// Which one.
    pub feature: Feature,
    /// Its name in reports, in kebab case.
    pub name: &'static str,
    /// The rule that it belongs to, such as `C02`.
    pub rule: &'static str,
    /// The first release that does it.
    pub since: Version,
    /// The first release that no longer does it.
    pub until: Option<Version>,
    /// Source file or issue of KubeRay that says so.
    pub source: &'static str,
    /// What it does, in one sentence.
    pub says: &'static str,
}

impl FeatureEntry {
    /// Whether a release does it; a candidate such as 1.7.0-rc.1 counts as its release.
    pub fn covers(&self, release: &Version) -> bool {
        let release = plain(release);
        self.since <= release && self.until.as_ref().is_none_or(|until| release < *until)
    }
}

pub use super::features::Feature;

impl Feature {
    /// What the table says about it.
    pub fn entry(self) -> &'static FeatureEntry {
        // The table is made from the same list as the enumeration, in the same order.
        &super::features::FEATURES[self as usize]
    }
}

/// Every feature, in the order of the table.
pub fn features() -> &'static [FeatureEntry] {
    &super::features::FEATURES
}

/// What a prediction is made for, and the features that it has used so far.
pub(super) struct Context<'a> {
    release: &'a Version,
    pub settings: &'a EffectiveSettings,
    used: RefCell<BTreeSet<Feature>>,
}

impl<'a> Context<'a> {
    pub fn new(release: &'a Version, settings: &'a EffectiveSettings) -> Self {
        Self {
            release,
            settings,
            used: RefCell::default(),
        }
    }

    /// Whether the release has a feature; asked only where the feature would do something, so that it counts as used.
    pub fn uses(&self, feature: Feature) -> bool {
        let has = feature.entry().covers(self.release);
        if has {
            self.used.borrow_mut().insert(feature);
        }
        has
    }

    /// The same where nothing is done yet.
    pub fn has(&self, feature: Feature) -> bool {
        feature.entry().covers(self.release)
    }

    /// Whether the operator has a feature gate on.
    pub fn gate(&self, name: &str) -> bool {
        self.settings.has_gate(self.release, name)
    }

    /// What was used since the last call.
    pub fn take(&self) -> BTreeSet<Feature> {
        self.used.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_its_own_entry() {
        let mut names = BTreeSet::new();
        for entry in features() {
            assert_eq!(entry.feature.entry(), entry);
            assert!(names.insert(entry.name), "{} comes twice", entry.name);
            assert!(
                entry.source.contains(".go") || entry.source.contains('#'),
                "no source: {}",
                entry.name
            );
            assert!(
                entry.rule.starts_with('C') && entry.rule.len() == 3,
                "no rule: {}",
                entry.name
            );
            assert!(entry.says.ends_with('.'), "no sentence: {}", entry.name);
            assert!(
                entry
                    .until
                    .as_ref()
                    .is_none_or(|until| entry.since < *until),
                "no release: {}",
                entry.name
            );
        }
    }

    #[test]
    fn the_bounds_of_features_are_those_of_classes() {
        let bounds: BTreeSet<_> = super::super::CLASSES
            .iter()
            .map(|class| class.since.clone())
            .collect();
        for entry in features() {
            for bound in std::iter::once(&entry.since).chain(&entry.until) {
                assert!(
                    bounds.contains(bound),
                    "{} changes at {bound}, which starts no class",
                    entry.name
                );
            }
        }
        for class in &bounds {
            let changes = features()
                .iter()
                .any(|entry| entry.since == *class || entry.until.as_ref() == Some(class));
            assert!(changes, "nothing changes at {class}");
        }
    }
}
