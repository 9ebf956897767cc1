//! A cluster that exists: what runs left there, and its operator.

use crate::operator::{self, Installed, remove_own};
use crate::progress::Progress;
use crate::provider::state::{CaseNamespaces, ExistingState, OperatorState, TargetDown};
use crate::provider::{ExistingSpec, TargetError};
use crate::target::Existing;

/// Removes from the cluster of a context what ended runs of this machine left there: namespaces of
/// cases, and the operator that a run installed.
pub(in crate::provider) async fn down(
    spec: &ExistingSpec,
    namespaces: &dyn CaseNamespaces,
    progress: &dyn Progress,
) -> Result<TargetDown, TargetError> {
    let cluster = Existing::connect(&spec.context).await?;
    let left = namespaces.remove_left(&cluster.client, progress).await;
    let mut removed = left.map_err(|source| TargetError::Api {
        doing: "looking for namespaces that runs have left",
        source: Box::new(source),
    })?;
    removed.extend(remove_own(&cluster.client).await?);
    Ok(TargetDown::Existing {
        context: cluster.context,
        removed,
    })
}

/// Returns which operator is in the cluster of a context, what a run may do there, and how many
/// namespaces of cases there are.
pub(in crate::provider) async fn state(
    spec: &ExistingSpec,
    namespaces: &dyn CaseNamespaces,
) -> Result<ExistingState, TargetError> {
    let cluster = Existing::connect(&spec.context).await?;
    let deployment = spec.operator_deployment.as_ref();
    let found = operator::discover(&cluster.client, deployment, None).await;
    let operator = found.map_err(|why| why.to_string()).map(|found| {
        let Installed {
            release,
            namespace,
            deployment,
            ..
        } = found.installed;
        OperatorState {
            release,
            namespace,
            deployment,
            image: found.image,
        }
    });
    let permissions = cluster.check_permissions().await;
    let count = namespaces.count(&cluster.client).await;
    Ok(ExistingState {
        operator,
        forbidden: permissions.err().map(|why| why.to_string()),
        namespaces: count.map_err(|source| TargetError::Api {
            doing: "counting the namespaces of cases",
            source: Box::new(source),
        })?,
        context: cluster.context,
        kubernetes: cluster.kubernetes,
        server: cluster.server,
    })
}
