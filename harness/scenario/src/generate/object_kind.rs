//! The kinds of generated objects, and where each holds the RayCluster and the RayJob.

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
