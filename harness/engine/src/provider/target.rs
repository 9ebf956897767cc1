//! The target of cases, whichever provider it comes from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::Client;
use semver::Version;

use crate::operator::{Installed, OperatorHealth, log_about, log_since};
use crate::results::{Environment, ImageRecord};

/// A target of cases: an API server with one release of the operator, and the images that its nodes
/// can get.
#[derive(Clone)]
pub struct Target {
    /// Its API server.
    pub client: Client,
    /// Its environment, for reports.
    pub environment: Environment,
    /// The form in which the operator runs, and its log.
    pub health: Health,
    /// The images on which results depend.
    pub images: Images,
    /// The folder `config/samples` of the operator's release.
    pub samples: PathBuf,
    /// Its capabilities.
    pub capabilities: Capabilities,
}

/// The images of a target.
#[derive(Debug, Clone)]
pub struct Images {
    /// The operator's image, or its program.
    pub operator: ImageRecord,
    /// Images of Ray by release.
    pub rays: BTreeMap<Version, ImageRecord>,
}

impl Images {
    /// Returns the images on which the results of cases with a release of Ray depend.
    pub(crate) fn of(&self, ray: &Version) -> Vec<ImageRecord> {
        let ray = self.rays.get(ray);
        std::iter::once(&self.operator)
            .chain(ray)
            .cloned()
            .collect()
    }
}

/// The differences between targets that matter to the runner.
#[derive(Debug, Clone)]
pub struct Capabilities {
    /// Whether nodes start containers. Then their capacity limits what runs at once, and
    /// controllers of Kubernetes fill and empty namespaces.
    pub kubelet: bool,
    /// The folder by which processes that use the same nodes share their capacity.
    pub allocations: Option<PathBuf>,
    /// Of the capacity of the nodes, use one part of so many.
    pub capacity_share: u32,
    /// Default number of cases that run at once; one for each processor of this machine when
    /// absent.
    pub jobs: Option<usize>,
    /// The objects to remove after each case.
    pub clean_up: CaseCleanUp,
}

/// The objects to remove after a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseCleanUp {
    /// Its namespace with all that is in it.
    Namespace,
    /// The Ray objects in its namespace, because no controller empties a namespace.
    RayObjects,
    /// Nothing: all of it goes with the target.
    Nothing,
}

/// The form in which the operator runs, which decides how its health and its log are read.
#[derive(Debug, Clone)]
pub enum Health {
    /// It is a Deployment in the cluster.
    Deployment(Installed),
    /// It is a process; its provider breaks the run off when it ends.
    Process {
        /// The file with its log.
        log: PathBuf,
    },
}

impl Health {
    /// Returns its log since a moment, or about a namespace, for evidence.
    pub(crate) async fn log(&self, client: &Client, namespace: &str, since: Timestamp) -> String {
        match self {
            Self::Deployment(installed) => log_since(client, installed, since).await,
            Self::Process { log } => log_about(log, namespace),
        }
    }

    /// Returns what each case looks at; none where its provider does.
    pub(crate) fn of_case<'a>(&'a self, client: &'a Client) -> Option<OperatorHealth<'a>> {
        match self {
            Self::Deployment(installed) => Some(OperatorHealth::new(client, installed)),
            Self::Process { .. } => None,
        }
    }
}

/// Replaces the operator by another release during a case.
pub trait Upgrade: Send + Sync {
    /// Makes sure that the release runs that the case begins with.
    fn begin(&self) -> BoxFuture<'_, Result<(), String>>;

    /// Ends the older one, where something is to happen while neither runs.
    fn end(&self) -> BoxFuture<'_, Result<(), String>>;

    /// Puts the case's own release in its place; when it ends, the operator is available.
    fn upgrade(&self) -> BoxFuture<'_, Result<(), String>>;
}
