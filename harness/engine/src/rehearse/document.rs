//! The document that `rehearse --format json` writes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::explain::check::Impact;
use crate::live::bundle::UnreadKind;

/// What the document calls its own form; it changes when a field changes its meaning or goes, not
/// when one is added.
pub const VERSION: &str = "kuberay-conformance.rehearsal/v1";

/// What an upgrade did to Ray objects, away from their cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("$id" = "urn:kuberay-conformance:rehearsal:v1"))]
pub struct RehearsalReport {
    /// `kuberay-conformance.rehearsal/v1`.
    pub version: String,
    /// Where the objects come from: `cluster`, `bundle` or `files`.
    pub origin: String,
    /// The operator's release before the upgrade.
    pub from: String,
    /// The release of each step.
    pub to: Vec<String>,
    /// Settings of the operator before the upgrade, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Settings of the operator after the upgrade, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target_settings: BTreeMap<String, String>,
    /// Whether the custom resource definitions stayed those from before.
    pub kept_crds: bool,
    /// What each step did.
    pub steps: Vec<StepReport>,
    /// Objects that were not rehearsed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What stood in for parts of the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What could not be read of the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<UnreadKind>,
    /// Whether objects still changed when the rehearsal stopped waiting.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsettled: bool,
    /// How long it took.
    pub seconds: f64,
}

/// One upgrade.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// The release before.
    pub from: String,
    /// The release after.
    pub to: String,
    /// The total.
    pub totals: RehearsalTotals,
    /// What concerns the operator itself and needs review, such as a gate that it does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operator: Vec<String>,
    /// Custom resource definitions that are new with the release; `kubectl replace` does not
    /// create them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_crds: Vec<String>,
    /// The objects, those that need review first.
    pub objects: Vec<RehearsedObject>,
    /// Where the model disagrees with the operators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<ModelFinding>,
}

/// Numbers of objects; one may be in several classes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RehearsalTotals {
    /// All objects.
    pub objects: usize,
    /// The new definitions or the new operator refuse them.
    pub refused: usize,
    /// They lose fields.
    pub dropped: usize,
    /// Pods of theirs are deleted or created at once.
    pub at_once: usize,
    /// Their Pods do something else when they are recreated.
    pub changed: usize,
    /// The text of their Pods changes when they are recreated, and they do the same as before.
    pub cosmetic: usize,
    /// Nothing changes.
    pub unchanged: usize,
    /// Pods before the upgrade.
    pub pods: usize,
    /// Pods that were deleted at once.
    pub pods_deleted: usize,
}

/// What is to be done about an object, the most urgent first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectVerdict {
    /// The new definitions or the new operator refuse it.
    Refused,
    /// It loses fields.
    Dropped,
    /// Pods are deleted or created at once.
    AtOnce,
    /// Pods do something else when they are recreated.
    Changed,
    /// The text of Pods changes; they do the same.
    Cosmetic,
    /// Nothing changes.
    #[default]
    Unchanged,
}

impl ObjectVerdict {
    /// Whether somebody has to look at it.
    pub fn needs_review(self) -> bool {
        self < Self::Cosmetic
    }
}

/// What an upgrade does to an object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RehearsedObject {
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The most urgent class that it is in.
    pub verdict: ObjectVerdict,
    /// Why it is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<RehearsedRefusal>,
    /// Fields that it loses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Pods and RayClusters that were deleted or created at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_once: Vec<AtOnce>,
    /// What changes when its Pods are recreated, the largest impact first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<PodChange>,
    /// Traps that the release brings for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traps: Vec<RehearsedTrap>,
    /// What else is to be known about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl RehearsedObject {
    /// Whether somebody has to look at it before the upgrade.
    pub fn needs_review(&self) -> bool {
        self.verdict.needs_review() || !self.traps.is_empty()
    }

    /// The largest impact of its changes.
    pub fn impact(&self) -> Impact {
        let impacts = self.changes.iter().map(|change| change.impact);
        impacts.max().unwrap_or(Impact::None)
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RehearsedRefusal {
    /// `the API server` or `the operator`.
    pub by: String,
    /// What it says.
    pub message: String,
}

/// Something that was deleted or created at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtOnce {
    /// What it is, such as `Pod of the worker group cpu` or `RayCluster`.
    pub what: String,
    /// Whether it was deleted; else it was created.
    pub deleted: bool,
    /// How many.
    pub count: usize,
    /// What the operator says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A change of Pods when they are recreated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodChange {
    /// What it can do.
    pub impact: Impact,
    /// What changes, such as `flag --memory`.
    pub subject: String,
    /// The rule of the contract, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The dated features that explain it; none where the contract does not know it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<DatedFeature>,
    /// What was there; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What comes; absent where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A dated feature of the contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatedFeature {
    /// Its name.
    pub name: String,
    /// Whether the release after the upgrade has it.
    pub comes: bool,
    /// The release that brings it, or the first one without it.
    pub at: String,
    /// What it does.
    pub says: String,
    /// Source file or issue of KubeRay.
    pub source: String,
}

/// A trap that a release brings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RehearsedTrap {
    /// Its id.
    pub id: String,
    /// What happens.
    pub message: String,
    /// What to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A disagreement between the model and a real operator. The operator is right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelFinding {
    /// Kind, namespace and name of the object.
    pub object: String,
    /// The release of the operator.
    pub release: String,
    /// The Pod, such as `head`; empty where it is about the object.
    pub pod: String,
    /// What differs.
    pub difference: String,
}

/// An object that was not rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Kind, namespace and name.
    pub object: String,
    /// Why.
    pub why: String,
}

impl RehearsalReport {
    /// Whether somebody has to look at something before the upgrade; what was not rehearsed is
    /// such a thing.
    pub fn needs_review(&self) -> bool {
        let step = |step: &StepReport| {
            !step.operator.is_empty() || step.objects.iter().any(RehearsedObject::needs_review)
        };
        self.unsettled || !self.left_out.is_empty() || self.steps.iter().any(step)
    }

    /// The kind of Ray objects that could not be read, so that the report is no verdict.
    pub fn unread(&self) -> Option<&UnreadKind> {
        const NEEDED: [&str; 3] = ["RayClusters", "RayJobs", "RayServices"];
        let mut missing = self.missing.iter();
        missing.find(|unread| NEEDED.contains(&unread.what.as_str()))
    }
}

impl RehearsalTotals {
    /// Counts objects.
    pub fn of(objects: &[RehearsedObject]) -> Self {
        let count =
            |is: &dyn Fn(&RehearsedObject) -> bool| objects.iter().filter(|one| is(one)).count();
        Self {
            objects: objects.len(),
            refused: count(&|one| !one.refusals.is_empty()),
            dropped: count(&|one| !one.dropped.is_empty()),
            at_once: count(&|one| !one.at_once.is_empty()),
            changed: count(&|one| one.impact() >= Impact::Review),
            cosmetic: count(&|one| one.verdict == ObjectVerdict::Cosmetic),
            unchanged: count(&|one| one.verdict == ObjectVerdict::Unchanged),
            pods: 0,
            pods_deleted: 0,
        }
    }
}

/// Returns the JSON schema of the document, as committed in `docs/schema/rehearsal.schema.json`.
pub fn schema() -> Value {
    kuberay_manifest::schema_of::<RehearsalReport>()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_schema_is_current() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path = root.join("docs/schema/rehearsal.schema.json");
        let schema = format!("{:#}\n", schema());
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == schema,
            "docs/schema/rehearsal.schema.json is old; UPDATE_SCHEMAS=1 cargo test rewrites it"
        );
    }
}
