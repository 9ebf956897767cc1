//! A generated object of any kind and its manifest.

use kuberay_contract::FieldValidation;
use serde_json::{Map, Value, json};

use super::edits::Edit;
use super::object_kind::ObjectKind;
use super::plan::{ClusterPlan, longest_name};

/// The longest name of a RayJob or RayService.
const LONGEST_OF_PARENTS: usize = 47;
/// The longest name of a RayCronJob.
const LONGEST_OF_CRON_JOBS: usize = 36;

/// An object but for its name.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPlan {
    /// Its kind.
    pub kind: ObjectKind,
    /// The RayCluster that it is or makes.
    pub cluster: ClusterPlan,
    /// Fields of a RayJob beside the RayCluster; empty for other kinds.
    pub job: Map<String, Value>,
    /// What makes the object special.
    pub edits: Vec<Edit>,
    /// What the client asks the API server to do about unknown fields.
    pub validation: FieldValidation,
}

impl ObjectPlan {
    /// The object, under a name that begins with `unique`, which must begin with a letter.
    pub fn manifest(&self, unique: &str, namespace: &str) -> Value {
        let mut object = self.plain(unique, namespace);
        for edit in &self.edits {
            edit.apply(&mut object);
        }
        object
    }

    fn plain(&self, unique: &str, namespace: &str) -> Value {
        if self.kind == ObjectKind::RayCluster {
            return self.cluster.manifest(unique, namespace);
        }
        let mut plan = self.cluster.clone();
        plan.longest_name = match self.kind {
            ObjectKind::RayCronJob => LONGEST_OF_CRON_JOBS,
            // Its RayCluster's name is longer by 17 characters up to 1.3.
            _ if plan.longest_name == longest_name(false) => LONGEST_OF_PARENTS - 1,
            _ => LONGEST_OF_PARENTS,
        };
        // Its owner writes these labels, and a head service of one name can't be shared by two
        // RayClusters.
        plan.labels.clear();
        plan.named_service = false;
        let mut object = plan.manifest(unique, namespace);
        let spec = object["spec"].take();
        let job = || {
            let mut job = self.job.clone();
            job.insert("rayClusterSpec".into(), spec.clone());
            job
        };
        object["kind"] = json!(self.kind.word());
        object["spec"] = match self.kind {
            ObjectKind::RayJob => json!(job()),
            ObjectKind::RayCronJob => json!({"schedule": "@every 1s", "jobTemplate": job()}),
            _ => json!({"serveConfigV2": "applications: []\n", "rayClusterConfig": spec}),
        };
        object
    }
}
