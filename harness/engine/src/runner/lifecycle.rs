//! A cluster that stays: `cluster up`, `cluster down` and `status`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::ListParams;
use tokio_util::sync::CancellationToken;

use super::availability::available_releases;
use super::{RunError, cleanup};
use crate::artifact::Store;
use crate::operator::{self, Installed, remove_own};
use crate::process::stop_point;
use crate::progress::Progress;
use crate::provider::{
    CLUSTER, ExistingSpec, KindProvider, KindSpec, Phases, ReleaseSpec, TargetError, TargetSpec,
    bring_up, daemon, noted_releases,
};
use crate::target::{Existing, KindCluster, Patience, Status};

/// Brings targets up with the operator and Ray's image, and leaves them up; returns a text for
/// people.
///
/// # Errors
/// When a step fails; what was made by then stays, for the next `cluster up` or `cluster down`.
pub async fn up(
    releases: &ReleaseSpec,
    targets: &[TargetSpec],
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<String, RunError> {
    let releases = &tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TargetError::Interrupted.into()),
        available = available_releases(releases, targets, &progress) => available?,
    };
    let mut texts = Vec::new();
    for target in targets {
        let progress = Arc::clone(&progress);
        texts.push(match target {
            TargetSpec::Envtest(spec) => {
                daemon::up(releases, spec, progress, cancel.clone()).await?
            }
            TargetSpec::Kind(spec) => up_kind(releases, spec, progress, &cancel).await?,
            TargetSpec::Existing(_) => continue,
        });
    }
    Ok(texts.join("\n"))
}

async fn up_kind(
    releases: &ReleaseSpec,
    spec: &KindSpec,
    progress: Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<String, RunError> {
    let spec = KindSpec {
        keep: true,
        ..spec.clone()
    };
    let spec = &spec;
    let work = async {
        let provider = KindProvider::ready_to_bring_up(spec, Arc::clone(&progress)).await?;
        let mut phases = Phases::start();
        let up = bring_up(&provider, spec, releases, &mut phases).await?;
        let cluster = up.cluster();
        Ok(format!(
            "{} is up: Kubernetes {}, KubeRay {}, Ray {}, on {}\n\
             look at it:    kubectl --kubeconfig {} get pods -A\n\
             take it down:  kuberay-conformance cluster down{}",
            cluster.name,
            cluster.kubernetes,
            up.operator(),
            up.ray(),
            provider.engine(),
            cluster.kubeconfig.display(),
            if cluster.name == CLUSTER {
                String::new()
            } else {
                format!(" --cluster {}", cluster.name)
            },
        ))
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(TargetError::Interrupted.into()),
        done = work => done,
    }
}

/// Takes down exactly what was made; returns a text for people.
///
/// # Errors
/// When another process uses the cluster, or the engine refuses.
pub async fn down(targets: &[TargetSpec], progress: Arc<dyn Progress>) -> Result<String, RunError> {
    let mut texts = Vec::new();
    for target in targets {
        let progress = Arc::clone(&progress);
        match target {
            TargetSpec::Envtest(_) => texts.extend(daemon::down(&*progress).await?),
            TargetSpec::Kind(spec) if concerns(spec, targets) => {
                texts.extend(down_kind(spec, progress).await?);
            }
            TargetSpec::Kind(_) => {}
            TargetSpec::Existing(spec) => texts.push(down_existing(spec, &*progress).await?),
        }
    }
    Ok(lines_or("nothing was up", &texts))
}

/// Whether there is a kind cluster to look at: asking a container engine that may not be there is
/// not needed to say that nothing is up of a cluster that was never made, unless it alone was asked
/// about.
fn concerns(spec: &KindSpec, targets: &[TargetSpec]) -> bool {
    let was_made = || {
        Store::open().is_ok_and(|store| KindCluster::folder(store.root(), &spec.cluster).is_dir())
    };
    targets.len() == 1 || was_made()
}

fn lines_or(nothing: &str, texts: &[String]) -> String {
    if texts.is_empty() {
        nothing.into()
    } else {
        texts.join("\n")
    }
}

async fn down_kind(
    spec: &KindSpec,
    progress: Arc<dyn Progress>,
) -> Result<Option<String>, RunError> {
    let provider = KindProvider::new(spec, progress).await?;
    let removed = provider.cluster.down(Patience::default()).await?;
    stop_point("cluster-removed");
    if removed.removed.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!("removed {}", removed.removed.join(", "))))
}

/// Says what is up.
///
/// # Errors
/// When the state file or the engine can't be read.
pub async fn status(
    targets: &[TargetSpec],
    progress: Arc<dyn Progress>,
) -> Result<String, RunError> {
    let mut texts = Vec::new();
    for target in targets {
        match target {
            TargetSpec::Envtest(_) => texts.extend(daemon::status()?),
            TargetSpec::Kind(spec) if concerns(spec, targets) => {
                texts.extend(status_kind(spec, Arc::clone(&progress)).await?);
            }
            TargetSpec::Kind(_) => {}
            TargetSpec::Existing(spec) => texts.push(status_existing(spec).await?),
        }
    }
    Ok(lines_or("nothing is up", &texts))
}

async fn status_kind(
    spec: &KindSpec,
    progress: Arc<dyn Progress>,
) -> Result<Option<String>, RunError> {
    let provider = KindProvider::new(spec, progress).await?;
    Ok(match provider.cluster.status().await? {
        Status::Down => None,
        Status::Incomplete { why } => Some(format!("{} can't be used: {why}", spec.cluster)),
        Status::Up {
            kubernetes,
            since,
            nodes,
            kubeconfig,
            users,
            ..
        } => {
            let mut text = format!(
                "{} is up since {since}: Kubernetes {kubernetes}, on {}, nodes {}",
                spec.cluster,
                provider.engine(),
                nodes.join(", ")
            );
            match noted_releases(&spec.cluster) {
                Some((operator, ray)) => text.push_str(&format!("\nKubeRay {operator}, Ray {ray}")),
                None => {
                    text.push_str("\nwhat runs in it is not known; `cluster up` makes it complete");
                }
            }
            text.push_str(&format!("\nkubeconfig: {}", kubeconfig.display()));
            for user in users {
                text.push_str(&format!("\nused by {user}"));
            }
            Some(text)
        }
    })
}

/// Removes from the cluster of a context what ended runs of this machine left there: namespaces of
/// cases, and the operator that a run installed. Returns a text for people.
///
/// # Errors
/// When the context can't be used, or the API server refuses.
async fn down_existing(spec: &ExistingSpec, progress: &dyn Progress) -> Result<String, RunError> {
    let cluster = Existing::connect(&spec.context).await?;
    let left = cleanup::remove_left(&cluster.client, progress).await;
    let mut told = left.map_err(|source| TargetError::Api {
        doing: "looking for namespaces that runs have left",
        source: Box::new(source),
    })?;
    told.extend(remove_own(&cluster.client).await?);
    if told.is_empty() {
        told.push(format!(
            "nothing of this machine's is left in {}",
            cluster.context
        ));
    }
    Ok(told.join("\n"))
}

/// Says which operator is in the cluster of a context, and which namespaces of cases. Returns a
/// text for people.
///
/// # Errors
/// When the context can't be used, or the API server refuses.
async fn status_existing(spec: &ExistingSpec) -> Result<String, RunError> {
    let cluster = Existing::connect(&spec.context).await?;
    let mut text = format!(
        "{}: Kubernetes {} at {}",
        cluster.context, cluster.kubernetes, cluster.server
    );
    match operator::discover(&cluster.client, spec.operator_deployment.as_ref(), None).await {
        Ok(found) => {
            let Installed {
                release,
                namespace,
                deployment,
                ..
            } = &found.installed;
            text.push_str(&format!(
                "\noperator: {namespace}/{deployment}, KubeRay {release} ({})",
                found.image
            ));
        }
        Err(why) => text.push_str(&format!("\noperator: {why}")),
    }
    match cluster.check_permissions().await {
        Ok(()) => text.push_str("\npermissions: all that a run needs"),
        Err(why) => text.push_str(&format!("\npermissions: {why}")),
    }
    let ours = ListParams::default().labels(&cleanup::of_cases());
    let namespaces = Api::<Namespace>::all(cluster.client)
        .list_metadata(&ours)
        .await;
    let count = namespaces.map_or(0, |list| list.items.len());
    text.push_str(&format!("\nnamespaces of scenarios: {count}"));
    Ok(text)
}
