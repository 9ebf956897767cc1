//! The object that each number stands for.

use semver::Version;

use super::edits::Edit;
use super::generated::GeneratedCase;
use super::object::ObjectPlan;
use super::object_kind::ObjectKind;
use super::objects;
use super::settings::kinds;
use crate::OperatorSettings;

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
