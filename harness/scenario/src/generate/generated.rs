//! One RayCluster of an exploration, which can be made smaller.

use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use semver::Version;

use super::Plan;
use super::strategy;

/// Thinks up RayClusters; the same seed, release and number give the same ones.
#[derive(Debug, Clone)]
pub struct Generator {
    seed: u64,
    strategy: BoxedStrategy<Plan>,
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
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&number.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let tree = self.strategy.new_tree(&mut runner);
        // Only a filter could refuse, and there is none.
        let tree = tree
            .unwrap_or_else(|reason| unreachable!("a strategy without filters refused: {reason}"));
        GeneratedCase {
            tree: Box::new(tree),
        }
    }
}

/// A RayCluster, with the way to smaller ones.
pub struct GeneratedCase {
    tree: Box<dyn ValueTree<Value = Plan>>,
}

impl GeneratedCase {
    /// The RayCluster as it is now.
    pub fn plan(&self) -> Plan {
        self.tree.current()
    }

    /// Starts to look for the smallest RayCluster that still shows a fault.
    pub fn shrink(self) -> Shrinking {
        let smallest = self.plan();
        Shrinking {
            tree: self.tree,
            smallest,
            tried: 0,
        }
    }
}

/// The way from a faulty RayCluster to the smallest one that is still faulty; whoever asks says of each candidate
/// whether it is, so that the answer may come from a cluster.
pub struct Shrinking {
    tree: Box<dyn ValueTree<Value = Plan>>,
    smallest: Plan,
    tried: usize,
}

impl Shrinking {
    /// The next candidate that is not the smallest itself; none at the end.
    pub fn candidate(&mut self) -> Option<Plan> {
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
    pub fn answer(&mut self, faulty: bool) -> Option<Plan> {
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

    /// The smallest RayCluster that was faulty so far.
    pub fn smallest(&self) -> &Plan {
        &self.smallest
    }

    /// How many candidates there were.
    pub fn tried(&self) -> usize {
        self.tried
    }
}
