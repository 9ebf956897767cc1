//! Generated objects of each kind, from the same RayClusters that differential fuzzing uses.

use semver::Version;
use serde_json::{Value, json};

use crate::generate::{ClusterPlan, GeneratedCase, Generator, Shrinking};

/// Worker groups of one object at most.
const WORKERS: usize = 3;
/// The longest name of a RayJob or RayService that every release takes.
const LONGEST_OF_PARENTS: usize = 47;
/// Entrypoints of generated RayJobs.
const ENTRYPOINTS: [&str; 6] = [
    "python -c 'print(1)'",
    "echo a && echo b",
    "python script.py --name \"a b\"; exit 3",
    "bash -c \"echo $HOME\"",
    "echo 'single' \"double\" `id`",
    "sleep 1 &",
];

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `RayCluster`.
    RayCluster,
    /// `RayJob`, submitted by a Job of its own.
    RayJob,
    /// `RayService`.
    RayService,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::RayCluster, Self::RayJob, Self::RayService];

    /// Returns the kind as manifests write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::RayCluster => "RayCluster",
            Self::RayJob => "RayJob",
            Self::RayService => "RayService",
        }
    }
}

/// Generates objects; the same seed, releases and number give the same object.
#[derive(Debug, Clone)]
pub struct DiffGenerator {
    base: Generator,
    head: Generator,
}

/// A generated object, which can be made smaller.
pub struct DiffObject {
    kind: Kind,
    number: u64,
    case: GeneratedCase,
}

/// What an object is made of, but for its name.
#[derive(Debug, Clone, PartialEq)]
pub struct DiffPlan {
    /// Its kind.
    pub kind: Kind,
    number: u64,
    plan: ClusterPlan,
}

/// The way to the smallest object that shows a difference.
pub struct DiffShrinking {
    kind: Kind,
    number: u64,
    shrinking: Shrinking,
}

impl DiffGenerator {
    /// Objects within what both releases know. Every second one is made for the head, which may
    /// know more.
    pub fn new(seed: u64, base: &Version, head: &Version) -> Self {
        Self {
            base: Generator::new(seed, base, WORKERS),
            head: Generator::new(seed, head, WORKERS),
        }
    }

    /// The object of a kind and a number.
    pub fn object(&self, kind: Kind, number: u64) -> DiffObject {
        let generator = if number.is_multiple_of(2) {
            &self.base
        } else {
            &self.head
        };
        // Each kind has RayClusters of its own.
        let offset = 1_000_000 * (kind as u64);
        DiffObject {
            kind,
            number,
            case: generator.generated(offset + number),
        }
    }
}

impl DiffObject {
    /// The object as it was generated.
    pub fn plan(&self) -> DiffPlan {
        DiffPlan {
            kind: self.kind,
            number: self.number,
            plan: self.case.plan(),
        }
    }

    /// Starts to look for the smallest object that still shows a difference.
    pub fn shrink(self) -> DiffShrinking {
        DiffShrinking {
            kind: self.kind,
            number: self.number,
            shrinking: self.case.shrink(),
        }
    }
}

impl DiffShrinking {
    fn plan(&self, plan: ClusterPlan) -> DiffPlan {
        DiffPlan {
            kind: self.kind,
            number: self.number,
            plan,
        }
    }

    /// The next candidate; none at the end.
    pub fn candidate(&mut self) -> Option<DiffPlan> {
        let plan = self.shrinking.candidate()?;
        Some(self.plan(plan))
    }

    /// Takes whether the last candidate shows the difference, and returns the next one; none at the
    /// end.
    pub fn answer(&mut self, shows: bool) -> Option<DiffPlan> {
        let plan = self.shrinking.answer(shows)?;
        Some(self.plan(plan))
    }

    /// The smallest object so far.
    pub fn smallest(&self) -> DiffPlan {
        self.plan(self.shrinking.smallest().clone())
    }

    /// How many candidates there were.
    pub fn tried(&self) -> usize {
        self.shrinking.tried()
    }
}

impl DiffPlan {
    /// The object, under a name that begins with `unique`, which must begin with a letter.
    pub fn manifest(&self, unique: &str, namespace: &str) -> Value {
        if self.kind == Kind::RayCluster {
            return self.plan.manifest(unique, namespace);
        }
        let mut plan = self.plan.clone();
        plan.longest_name = LONGEST_OF_PARENTS;
        // Its owner writes these labels, and a head service of one name can't be shared by two
        // RayClusters.
        plan.labels.clear();
        plan.named_service = false;
        let mut object = plan.manifest(unique, namespace);
        let spec = object["spec"].take();
        let at = usize::try_from(self.number % ENTRYPOINTS.len() as u64).unwrap_or_default();
        object["kind"] = json!(self.kind.word());
        object["spec"] = match self.kind {
            Kind::RayJob => json!({"entrypoint": ENTRYPOINTS[at], "rayClusterSpec": spec}),
            _ => json!({"serveConfigV2": "applications: []\n", "rayClusterConfig": spec}),
        };
        object
    }
}
