//! The document that `rehearse --format json` writes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::explain::check::Impact;
use crate::live::bundle::UnreadKind;

/// The value of `version` in the document. It changes when a field is removed or changes its
/// meaning, not when one is added.
pub const VERSION: &str = "kuberay-conformance.rehearsal/v1";

/// The effects of an upgrade on Ray objects, rehearsed away from their cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("$id" = "urn:kuberay-conformance:rehearsal:v1"))]
pub struct RehearsalReport {
    /// `kuberay-conformance.rehearsal/v1`.
    pub version: String,
    /// The origin of the objects: `cluster`, `bundle` or `files`.
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
    /// `true` if the custom resource definitions stayed those from before.
    pub kept_crds: bool,
    /// The steps, with the effects of each.
    pub steps: Vec<StepReport>,
    /// Objects that were not rehearsed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// The stand-ins for parts of the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The kinds that could not be read from the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadKind>,
    /// `true` if objects still changed when the rehearsal stopped waiting.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsettled: bool,
    /// Its duration, in seconds.
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
    /// The problems of the operator itself that need review, such as a gate that it does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operator: Vec<String>,
    /// Custom resource definitions that are new with the release; `kubectl replace` does not
    /// create them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_crds: Vec<String>,
    /// The objects, those that need review first.
    pub objects: Vec<RehearsedObject>,
    /// The disagreements between the model and the operators.
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

/// The effect of an upgrade on an object as a class, the most urgent first.
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
    /// Returns whether it needs review.
    pub fn needs_review(self) -> bool {
        self < Self::Cosmetic
    }
}

/// The effects of an upgrade on an object.
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
    /// The refusals, each with its message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<RehearsedRefusal>,
    /// Fields that it loses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Pods and RayClusters that were deleted or created at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_once: Vec<AtOnce>,
    /// The changes when its Pods are recreated, the largest impact first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<PodChange>,
    /// Traps that the release brings for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traps: Vec<RehearsedTrap>,
    /// Further notes about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl RehearsedObject {
    /// Returns whether it needs review before the upgrade.
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
    /// Its message.
    pub message: String,
}

/// Something that was deleted or created at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtOnce {
    /// Its description, such as `Pod of the worker group cpu` or `RayCluster`.
    pub what: String,
    /// `true` if it was deleted, `false` if it was created.
    pub deleted: bool,
    /// Their number.
    pub count: usize,
    /// The operator's message about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A change of Pods when they are recreated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodChange {
    /// The largest effect that it can have on a user's command.
    pub impact: Impact,
    /// The part that changes, such as `flag --memory`.
    pub subject: String,
    /// The rule of the contract, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The dated features that explain it; none where the contract does not know it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<DatedFeature>,
    /// The value before; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value after; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A dated feature of the contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatedFeature {
    /// Its name.
    pub name: String,
    /// `true` where the release after the upgrade has it, `false` where the release before has it.
    pub comes: bool,
    /// The release that brings it, or the first one without it.
    pub at: String,
    /// Its description, in a sentence.
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
    /// The effect, in a sentence.
    pub message: String,
    /// The text to write instead.
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
    /// The difference.
    pub difference: String,
}

/// An object that was not rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Kind, namespace and name.
    pub object: String,
    /// The reason.
    pub why: String,
}

impl RehearsalReport {
    /// Returns whether something needs review before the upgrade, including objects that were not
    /// rehearsed.
    pub fn needs_review(&self) -> bool {
        let step = |step: &StepReport| {
            !step.operator.is_empty() || step.objects.iter().any(RehearsedObject::needs_review)
        };
        self.unsettled || !self.left_out.is_empty() || self.steps.iter().any(step)
    }

    /// Returns the first kind of Ray objects that could not be read; the report is then no verdict.
    pub fn unread_ray_objects(&self) -> Option<&UnreadKind> {
        const NEEDED: [&str; 3] = ["RayClusters", "RayJobs", "RayServices"];
        let mut unread = self.unread.iter();
        unread.find(|one| NEEDED.contains(&one.what.as_str()))
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
