//! What a prediction is made for, and which dated features it used.

use std::cell::RefCell;
use std::collections::BTreeSet;

use semver::Version;

use super::{EffectiveSettings, Feature};

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

    /// Whether the release has a feature; asked only where the feature would do something, so that
    /// it counts as used.
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
