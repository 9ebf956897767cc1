//! The release and settings of a prediction, and the dated features that it used.

use std::cell::RefCell;
use std::collections::BTreeSet;

use semver::Version;

use super::{EffectiveSettings, Feature};

/// The release and settings of a prediction, and the features that it has used so far.
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

    /// Returns whether the release has a feature, which then counts as used; for callers where the
    /// feature changes something.
    pub fn uses(&self, feature: Feature) -> bool {
        let has = feature.entry().covers(self.release);
        if has {
            self.used.borrow_mut().insert(feature);
        }
        has
    }

    /// Returns whether the release has a feature, which does not count as used.
    pub fn has(&self, feature: Feature) -> bool {
        feature.entry().covers(self.release)
    }

    /// Returns whether the operator has a feature gate on.
    pub fn gate(&self, name: &str) -> bool {
        self.settings.has_gate(self.release, name)
    }

    /// Returns the features that were used since the last call.
    pub fn take(&self) -> BTreeSet<Feature> {
        self.used.take()
    }
}
