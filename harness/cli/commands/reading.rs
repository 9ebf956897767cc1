//! Reads a user's cluster, for the commands that only read.

use std::path::Path;

use super::work::block_with;
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
        Ok((connection.client, self.scope(connection.namespace)))
    }

    /// Returns the part of the cluster; `of_context` is the namespace of the context.
    fn scope(self, of_context: String) -> Scope {
        let namespace = self.namespace.map_or(of_context, str::to_owned);
        Scope {
            namespace: Some(namespace).filter(|_| !self.all_namespaces),
            object: None,
        }
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
                match &bundle {
                    Ok(_) => progress.finish(task, Outcome::Passed, "read the cluster"),
                    Err(_) => progress.finish(task, Outcome::Error, "failed to read the cluster"),
                }
                bundle
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::of_the_context(None, false, Some("of-context"))]
    #[case::named(Some("team"), false, Some("team"))]
    #[case::all(None, true, None)]
    fn a_scope_is_a_namespace_or_all(
        #[case] namespace: Option<&str>,
        #[case] all_namespaces: bool,
        #[case] expected: Option<&str>,
    ) {
        let scope = ClusterScope {
            context: None,
            kubeconfig: None,
            namespace,
            all_namespaces,
        };
        let scope = scope.scope("of-context".into());
        assert_eq!(scope.namespace.as_deref(), expected);
        assert_eq!(scope.object, None);
    }
}
