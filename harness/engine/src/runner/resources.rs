//! An amount of CPU, memory and Pods.

use serde::{Deserialize, Serialize};

/// An amount of CPU and memory, in whole millicores and bytes so that sums are exact, and of Pods,
/// of which a node takes only so many (110 where nobody says otherwise).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resources {
    millicores: u64,
    bytes: u64,
    pods: u64,
}

impl Resources {
    /// `cpu` in cores, `memory` in bytes, and no Pods; what is below zero counts as zero.
    pub fn new(cpu: f64, memory: f64) -> Self {
        Self {
            millicores: whole(cpu * 1000.0),
            bytes: whole(memory),
            pods: 0,
        }
    }

    /// Resources of this CPU (cores) and memory (bytes) for any number of Pods.
    pub fn without_pod_limit(cpu: f64, memory: f64) -> Self {
        Self::new(cpu, memory).with_pods(u64::MAX)
    }

    /// The same for so many Pods.
    #[must_use]
    pub fn with_pods(self, pods: u64) -> Self {
        Self { pods, ..self }
    }

    /// Of CPU, in thousandths of a core.
    pub fn millicores(self) -> u64 {
        self.millicores
    }

    /// Of memory, in bytes.
    pub fn bytes(self) -> u64 {
        self.bytes
    }

    /// The number of Pods.
    pub fn pods(self) -> u64 {
        self.pods
    }

    /// As much as can be.
    pub fn unlimited() -> Self {
        Self {
            millicores: u64::MAX,
            bytes: u64::MAX,
            pods: u64::MAX,
        }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            millicores: self.millicores.saturating_add(other.millicores),
            bytes: self.bytes.saturating_add(other.bytes),
            pods: self.pods.saturating_add(other.pods),
        }
    }

    /// Returns the difference; 0 where it would be negative.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            millicores: self.millicores.saturating_sub(other.millicores),
            bytes: self.bytes.saturating_sub(other.bytes),
            pods: self.pods.saturating_sub(other.pods),
        }
    }

    /// One part of so many.
    #[must_use]
    pub fn divided_by(self, parts: u32) -> Self {
        let parts = u64::from(parts.max(1));
        Self {
            millicores: self.millicores / parts,
            bytes: self.bytes / parts,
            pods: self.pods / parts,
        }
    }

    /// Of each the smaller.
    #[must_use]
    pub fn at_most(self, other: Self) -> Self {
        Self {
            millicores: self.millicores.min(other.millicores),
            bytes: self.bytes.min(other.bytes),
            pods: self.pods.min(other.pods),
        }
    }

    /// Whether all of it fits into `free`.
    pub fn fit_into(self, free: Self) -> bool {
        self.millicores <= free.millicores && self.bytes <= free.bytes && self.pods <= free.pods
    }
}

impl std::fmt::Display for Resources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = self.bytes / 1024 / 1024;
        match self.pods {
            0 => write!(f, "{}m CPU, {mib} MiB", self.millicores),
            pods => write!(f, "{}m CPU, {mib} MiB for {pods} Pods", self.millicores),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate, which is meant"
)]
/// Rounds to a whole number; what is below zero counts as zero.
pub(super) fn whole(number: f64) -> u64 {
    number.round() as u64
}
