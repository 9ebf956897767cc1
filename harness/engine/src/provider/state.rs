//! The state of targets that stay up.

use std::path::PathBuf;

use futures::future::LocalBoxFuture;
use semver::Version;

use crate::progress::Progress;

/// A target that stays up, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetState {
    /// API servers with etcd and an operator each, kept up by a process in the background.
    Envtest(EnvtestState),
    /// A kind cluster.
    Kind(KindState),
    /// A kind cluster that can't be used.
    IncompleteKind {
        /// Its name.
        cluster: String,
        /// The missing part.
        why: String,
    },
    /// A cluster that exists.
    Existing(ExistingState),
}

/// API servers with an operator each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvtestState {
    /// Release of Kubernetes.
    pub kubernetes: String,
    /// When they were complete, RFC 3339.
    pub since: String,
    /// The process that keeps them up.
    pub daemon: String,
    /// Each release of the operator with the kubeconfig of its API server.
    pub releases: Vec<(Version, PathBuf)>,
    /// Processes that use them now.
    pub users: Vec<String>,
}

/// A kind cluster that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindState {
    /// Its name.
    pub cluster: String,
    /// Release of Kubernetes.
    pub kubernetes: String,
    /// When it was complete, RFC 3339.
    pub since: String,
    /// The container engine and its release.
    pub engine: String,
    /// Its nodes.
    pub nodes: Vec<String>,
    /// The releases of the operator and of Ray in it; absent where `cluster up` was cut short.
    pub releases: Option<(Version, Version)>,
    /// Its kubeconfig.
    pub kubeconfig: PathBuf,
    /// Processes that use it now.
    pub users: Vec<String>,
}

/// A cluster that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingState {
    /// Its context.
    pub context: String,
    /// Release of Kubernetes.
    pub kubernetes: String,
    /// The address of its API server.
    pub server: String,
    /// Its operator, or why none is known.
    pub operator: Result<OperatorState, String>,
    /// The permissions that a run lacks there; absent where it has all it needs.
    pub forbidden: Option<String>,
    /// Number of namespaces of cases in it.
    pub namespaces: usize,
}

/// An operator in a cluster that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorState {
    /// Its release.
    pub release: Version,
    /// Its namespace.
    pub namespace: String,
    /// Its Deployment.
    pub deployment: String,
    /// Its image.
    pub image: String,
}

/// A target that `cluster up` was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetUp {
    /// Its present state.
    pub state: TargetState,
    /// Whether an envtest was up before. `cluster up` completes a kind cluster that is up, so this
    /// is false for kind.
    pub was_up: bool,
}

/// The parts of a target that were taken down, one short text each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetDown {
    /// The API servers and operators of envtest.
    Envtest,
    /// Containers and networks of a kind cluster.
    Kind(Vec<String>),
    /// Objects of runs that have ended, in a cluster that exists.
    Existing {
        /// Its context.
        context: String,
        /// The objects that were removed or could not be removed, one sentence each.
        removed: Vec<String>,
    },
}

/// The namespaces that runs make in a cluster that exists, as the runner knows them.
pub(crate) trait CaseNamespaces: Sync {
    /// Counts those of all runs.
    fn count<'a>(
        &'a self,
        client: &'a kube::Client,
    ) -> LocalBoxFuture<'a, Result<usize, kube::Error>>;

    /// Removes those of ended runs; returns one sentence for each.
    fn remove_left<'a>(
        &'a self,
        client: &'a kube::Client,
        progress: &'a dyn Progress,
    ) -> LocalBoxFuture<'a, Result<Vec<String>, kube::Error>>;
}
