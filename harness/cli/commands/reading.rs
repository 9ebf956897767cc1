//! Reads a user's cluster, for the commands that only read.

use std::path::Path;

use super::live::block_with;
use crate::exit::CliError;
use crate::live::{self, Bundle, Scope};
use crate::report::{Outcome, Progress, StatusLevel};

/// The cluster and the part of it that the arguments of a command name.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClusterScope<'a> {
    /// A context; the current one when absent.
    pub(super) context: Option<&'a str>,
    /// The kubeconfig; that of kubectl when absent.
    pub(super) kubeconfig: Option<&'a Path>,
    /// A namespace; that of the context when absent.
    pub(super) namespace: Option<&'a str>,
    /// Whether every namespace is meant.
    pub(super) all_namespaces: bool,
}

impl ClusterScope<'_> {
    /// Connects to the cluster. The scope names no object.
    pub(super) async fn connect(self) -> Result<(kube::Client, Scope), CliError> {
        let connection = live::connect(self.context, self.kubeconfig).await?;
        let namespace = self.namespace.map(str::to_owned);
        let namespace = namespace.unwrap_or(connection.namespace);
        let scope = Scope {
            namespace: Some(namespace).filter(|_| !self.all_namespaces),
            object: None,
        };
        Ok((connection.client, scope))
    }
}

/// Reads a cluster, and ends at the first Ctrl-C; `task` names the work in progress, `what` in the
/// error.
pub(super) fn read(
    task: &str,
    what: &str,
    work: impl AsyncFnOnce(&dyn Progress) -> Result<Bundle, CliError>,
) -> Result<Bundle, CliError> {
    block_with(StatusLevel::default(), async |progress, cancel| {
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                Err(CliError::Environment(format!("{what} was interrupted; nothing was changed")))
            }
            bundle = work(&*progress) => {
                progress.finish(task, Outcome::Passed, "read the cluster");
                bundle
            }
        }
    })
}
