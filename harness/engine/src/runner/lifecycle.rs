//! A cluster that stays: `cluster up`, `cluster down` and `status`.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::daemon;
use super::existing;
use super::phases::Phases;
use super::session::{Session, forget, noted_releases};
use super::setup::Setup;
use super::{CLUSTER, Options, RunError};
use crate::artifact::Store;
use crate::process::stop_point;
use crate::progress::Progress;
use crate::scenario::TargetKind;
use crate::target::{Holder, KindCluster, Patience, Status, UP};

/// Brings the kind cluster up with everything that cases need, and notes which releases are in it.
pub(super) async fn bring_up(
    setup: &Setup,
    options: &Options,
    phases: &mut Phases,
) -> Result<Session, RunError> {
    // Before anything long begins, and again when nobody else can change the answer any more.
    refuse_other_releases(setup, options)?;
    stop_point("releases-compared");
    let artifacts = setup.artifacts(options, phases).await?;
    let lock = setup.cluster.lock(UP, Patience::default()).await?;
    if refuse_other_releases(setup, options)?.is_empty() {
        forget(setup)?;
    }
    let stack = setup.up(&lock, options, artifacts, phases).await?;
    Session::new(setup, options, stack)
}

/// Another operator would take the place of the one that others work with. Returns who works with the same.
fn refuse_other_releases(setup: &Setup, options: &Options) -> Result<Vec<Holder>, RunError> {
    let users = setup.cluster.users()?;
    let Some((operator, ray)) = noted_releases(&options.cluster) else {
        return Ok(users);
    };
    let same =
        operator == *options.operator()? && ray == options.ray && options.operator_image.is_none();
    if users.is_empty() || same {
        return Ok(users);
    }
    Err(RunError::OtherReleases {
        cluster: options.cluster.clone(),
        users,
        releases: format!("KubeRay {operator} and Ray {ray}"),
    })
}

/// Brings the cluster up with the operator and Ray's image, and leaves it up; returns a text for people.
///
/// # Errors
/// When a step fails; what was made by then stays, for the next `cluster up` or `cluster down`.
pub async fn up(
    options: &Options,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<String, RunError> {
    let options = &tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(RunError::Interrupted),
        available = options.with_available_releases(&progress) => available?,
    };
    let mut texts = Vec::new();
    if options.targets.contains(&TargetKind::Envtest) {
        texts.push(daemon::up(options, Arc::clone(&progress), cancel.clone()).await?);
    }
    if options.targets.contains(&TargetKind::Kind) {
        texts.push(up_kind(options, progress, cancel).await?);
    }
    Ok(texts.join("\n"))
}

async fn up_kind(
    options: &Options,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<String, RunError> {
    let options = Options {
        keep: true,
        ..options.clone()
    };
    let options = &options;
    let work = async {
        let setup = Setup::ready_to_bring_up(options, Arc::clone(&progress)).await?;
        let mut phases = Phases::start();
        let session = bring_up(&setup, options, &mut phases).await?;
        let cluster = session.cluster();
        Ok(format!(
            "{} is up: Kubernetes {}, KubeRay {}, Ray {}, on {}\n\
             look at it:    kubectl --kubeconfig {} get pods -A\n\
             take it down:  kuberay-conformance cluster down{}",
            cluster.name,
            cluster.kubernetes,
            session.operator(),
            session.ray(),
            setup.engine(),
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
        () = cancel.cancelled() => Err(RunError::Interrupted),
        done = work => done,
    }
}

/// Takes down exactly what was made; returns a text for people.
///
/// # Errors
/// When another process uses the cluster, or the engine refuses.
pub async fn down(options: &Options, progress: Arc<dyn Progress>) -> Result<String, RunError> {
    if let Some(text) = existing::down(options, &*progress).await? {
        return Ok(text);
    }
    let mut texts = Vec::new();
    if options.targets.contains(&TargetKind::Envtest) {
        texts.extend(daemon::down(&*progress).await?);
    }
    if concerns_kind(options) {
        texts.extend(down_kind(options, progress).await?);
    }
    Ok(lines_or("nothing was up", &texts))
}

/// Whether there is a kind cluster to look at: asking a container engine that may not be there is not needed to say that
/// nothing is up of a cluster that was never made, unless it alone was asked about.
fn concerns_kind(options: &Options) -> bool {
    let was_made = || {
        Store::open()
            .is_ok_and(|store| KindCluster::folder(store.root(), &options.cluster).is_dir())
    };
    options.targets.contains(&TargetKind::Kind) && (options.targets.len() == 1 || was_made())
}

fn lines_or(nothing: &str, texts: &[String]) -> String {
    if texts.is_empty() {
        nothing.into()
    } else {
        texts.join("\n")
    }
}

async fn down_kind(
    options: &Options,
    progress: Arc<dyn Progress>,
) -> Result<Option<String>, RunError> {
    let setup = Setup::new(options, progress).await?;
    let removed = setup.cluster.down(Patience::default()).await?;
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
pub async fn status(options: &Options, progress: Arc<dyn Progress>) -> Result<String, RunError> {
    if let Some(text) = existing::status(options).await? {
        return Ok(text);
    }
    let mut texts = Vec::new();
    if options.targets.contains(&TargetKind::Envtest) {
        texts.extend(daemon::status()?);
    }
    if concerns_kind(options) {
        texts.extend(status_kind(options, progress).await?);
    }
    Ok(lines_or("nothing is up", &texts))
}

async fn status_kind(
    options: &Options,
    progress: Arc<dyn Progress>,
) -> Result<Option<String>, RunError> {
    let setup = Setup::new(options, progress).await?;
    Ok(match setup.cluster.status().await? {
        Status::Down => None,
        Status::Incomplete { why } => Some(format!("{} can't be used: {why}", options.cluster)),
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
                options.cluster,
                setup.engine(),
                nodes.join(", ")
            );
            match noted_releases(&options.cluster) {
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
