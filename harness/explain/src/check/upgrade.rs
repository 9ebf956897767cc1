//! The changes for an object from one release to another: the dated features that come and go, with
//! their impact.

use std::collections::BTreeMap;

use kuberay_contract::{Feature, features};
use kuberay_manifest::Severity;

use super::document::{CheckFinding, FeatureChange, ObjectUpgrade};
use super::impact::Impact;
use super::label;
use crate::document::{Container, Object};

/// The impact of a feature on containers that have it.
fn impact_on(feature: Feature, containers: &[Container]) -> Impact {
    // The limit of open files changes only where the variable is set.
    let mut variables = containers.iter().flat_map(|container| &container.env);
    if feature == Feature::UlimitFromEnv
        && variables.any(|variable| variable.name == "RAY_START_ULIMIT_OPEN_FILES")
    {
        return Impact::Review;
    }
    Impact::of(feature)
}

/// Returns the changes for an object from one release to another; `findings` are the traps that the
/// upgrade brings.
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
