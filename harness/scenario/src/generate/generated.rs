//! One generated object, which can be made smaller.

use std::fmt::Debug;

use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use semver::Version;

use super::ClusterPlan;
use super::strategy;

/// Generates RayClusters; the same seed, release and number give the same ones.
#[derive(Debug, Clone)]
pub struct Generator {
    seed: u64,
    strategy: BoxedStrategy<ClusterPlan>,
}

impl Generator {
    /// RayClusters that a release accepts, each with up to `workers` worker groups.
    pub fn new(seed: u64, release: &Version, workers: usize) -> Self {
        Self {
            seed,
            strategy: strategy::plan(release, workers),
        }
    }

    /// The RayCluster of a number.
    pub fn generated(&self, number: u64) -> GeneratedCase {
        GeneratedCase::of(self.seed, number, &self.strategy)
    }
}

/// A plan of an object, with the way to smaller ones.
pub struct GeneratedCase<P = ClusterPlan> {
    tree: Box<dyn ValueTree<Value = P>>,
}

impl<P: Clone + PartialEq + Debug + 'static> GeneratedCase<P> {
    /// The same seed and number give the same plan of a strategy, which must not filter.
    pub(super) fn of(seed: u64, number: u64, strategy: &BoxedStrategy<P>) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&number.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let tree = strategy.new_tree(&mut runner);
        // Only a filter could refuse, and there is none.
        let tree = tree
            .unwrap_or_else(|reason| unreachable!("a strategy without filters refused: {reason}"));
        Self {
            tree: Box::new(tree),
        }
    }

    /// The plan as it is now.
    pub fn plan(&self) -> P {
        self.tree.current()
    }

    /// Starts to look for the smallest object that still shows a fault.
    pub fn shrink(self) -> Shrinking<P> {
        let smallest = self.plan();
        Shrinking {
            tree: self.tree,
            smallest,
            tried: 0,
        }
    }
}

/// The search for the smallest object that still shows a fault. The caller tests each candidate, so
/// that the test may need a cluster.
pub struct Shrinking<P = ClusterPlan> {
    tree: Box<dyn ValueTree<Value = P>>,
    smallest: P,
    tried: usize,
}

impl<P: Clone + PartialEq + Debug + 'static> Shrinking<P> {
    /// The next candidate that is not the smallest itself; none at the end.
    pub fn candidate(&mut self) -> Option<P> {
        while self.tree.simplify() {
            self.tried += 1;
            let plan = self.tree.current();
            if plan != self.smallest {
                return Some(plan);
            }
        }
        None
    }

    /// The answer for the last candidate, and the candidate that follows from it; none at the end.
    pub fn answer(&mut self, faulty: bool) -> Option<P> {
        if faulty {
            self.smallest = self.tree.current();
            return self.candidate();
        }
        if !self.tree.complicate() {
            return None;
        }
        self.tried += 1;
        let plan = self.tree.current();
        // Going back to the smallest one needs no answer: it is faulty.
        if plan == self.smallest {
            return self.candidate();
        }
        Some(plan)
    }

    /// The smallest object that was faulty so far.
    pub fn smallest(&self) -> &P {
        &self.smallest
    }

    /// How many candidates there were.
    pub fn tried(&self) -> usize {
        self.tried
    }
}
