//! A generated object of any kind and its manifest.

use kuberay_contract::FieldValidation;
use semver::Version;
use serde_json::{Map, Value, json};

use super::edits::Edit;
use super::generated::GeneratedCase;
use super::plan::longest_name;
use super::settings::kinds;
use super::{ClusterPlan, objects};
use crate::OperatorSettings;

/// The longest name of a RayJob or RayService.
pub(super) const LONGEST_OF_PARENTS: usize = 47;
/// The longest name of a RayCronJob.
const LONGEST_OF_CRON_JOBS: usize = 36;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// `RayCluster`.
    RayCluster,
    /// `RayJob`.
    RayJob,
    /// `RayService`.
    RayService,
    /// `RayCronJob`.
    RayCronJob,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::RayCluster,
        Self::RayJob,
        Self::RayService,
        Self::RayCronJob,
    ];

    /// Returns the kind as manifests write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::RayCluster => "RayCluster",
            Self::RayJob => "RayJob",
            Self::RayService => "RayService",
            Self::RayCronJob => "RayCronJob",
        }
    }

    pub(super) fn letter(self) -> char {
        match self {
            Self::RayCluster => 'C',
            Self::RayJob => 'J',
            Self::RayService => 'S',
            Self::RayCronJob => 'X',
        }
    }

    /// Where the specification of the RayCluster is.
    pub(super) fn cluster_path(self) -> &'static str {
        match self {
            Self::RayCluster => "/spec",
            Self::RayJob => "/spec/rayClusterSpec",
            Self::RayService => "/spec/rayClusterConfig",
            Self::RayCronJob => "/spec/jobTemplate/rayClusterSpec",
        }
    }

    /// Where the specification of the RayJob is.
    pub(super) fn job_path(self) -> &'static str {
        match self {
            Self::RayCronJob => "/spec/jobTemplate",
            _ => "/spec",
        }
    }
}

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

/// Generates objects of all kinds; the same seed, release, settings and number give the same ones.
#[derive(Debug, Clone)]
pub struct ObjectGenerator {
    seed: u64,
    release: Version,
    workers: usize,
    kinds: Vec<ObjectKind>,
    edits: Vec<Edit>,
}

/// The edits and the kinds begin anew after so many numbers, a multiple of `CYCLE`.
pub const NUMBERS: u64 = 1_000_000;
/// Of so many objects each [`EDITED`] have an edit.
const CYCLE: u64 = 4;
const EDITED: u64 = 2;

impl ObjectGenerator {
    /// Objects for a release with these settings of its operator, each with up to `workers` worker
    /// groups. Every second one has an edit, taken from the table one after the other; RayClusters
    /// are as frequent as the other kinds together.
    pub fn new(seed: u64, release: &Version, workers: usize, settings: &OperatorSettings) -> Self {
        let kinds = kinds(release, settings);
        let gated = !settings.feature_gates.is_empty();
        Self {
            seed,
            release: release.clone(),
            workers,
            edits: Edit::all(release, &kinds, gated),
            kinds,
        }
    }

    /// The object of a number.
    pub fn generated(&self, number: u64) -> GeneratedCase<ObjectPlan> {
        let (round, place) = (number % NUMBERS / CYCLE, number % CYCLE);
        let at = |index: u64, length: usize| {
            usize::try_from(index % length.max(1) as u64).unwrap_or_default()
        };
        if place < EDITED && !self.edits.is_empty() {
            let edit = self.edits[at(round * EDITED + place, self.edits.len())];
            let strategy = objects::object(&self.release, self.workers, edit.kind, vec![edit]);
            return GeneratedCase::of(self.seed, number, &strategy);
        }
        let index = round * (CYCLE - EDITED) + place - EDITED;
        let kind = if index.is_multiple_of(2) {
            self.kinds.first().copied()
        } else {
            self.kinds.get(at(index / 2, self.kinds.len())).copied()
        };
        let kind = kind.unwrap_or(ObjectKind::RayCluster);
        let strategy = objects::object(&self.release, self.workers, kind, Vec::new());
        GeneratedCase::of(self.seed, number, &strategy)
    }
}
