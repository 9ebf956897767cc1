//! An operator that the user brings: a chart or a kustomization of their own in place of the
//! release's manifests.

use std::sync::Arc;

use semver::Version;

use super::{CustomOperator, KindSpec, ReleaseSpec, TargetError};
use crate::artifact::{Programs, Store};
use crate::operator::{Manifests, OWN_NAMESPACE, Rendered, Renderers};
use crate::progress::Progress;

/// Programs that render the manifests.
pub(super) async fn renderers(
    programs: &Programs,
    manifests: &Manifests,
) -> Result<Renderers, TargetError> {
    let store = Store::open()?;
    Ok(match manifests {
        Manifests::Chart { .. } => Renderers {
            store,
            // Helm needs no kubectl.
            kubectl: "kubectl".into(),
            helm: Some(programs.helm().await?),
        },
        _ => Renderers {
            store,
            kubectl: programs.kubectl().await?,
            helm: None,
        },
    })
}

/// The manifests that are wanted: the user's own, else those of the release.
pub(super) async fn manifests(
    operator: &CustomOperator,
    releases: &ReleaseSpec,
    programs: &Programs,
    release: &Version,
) -> Result<Manifests, TargetError> {
    match &operator.manifests {
        // A release that an upgrade begins with is its own.
        Some(own) if releases.operators.contains(release) => Ok(own.clone()),
        _ => Ok(Manifests::Release(programs.operator_module(release).await?)),
    }
}

/// The manifests, rendered, and their release: what `--operator` names, else what their image
/// tells.
pub(super) async fn rendered(
    operator: &CustomOperator,
    releases: &ReleaseSpec,
    programs: &Programs,
) -> Result<(Rendered, Version), TargetError> {
    let manifests = manifests(operator, releases, programs, releases.operator()?).await?;
    let rendered = Rendered::of(
        &manifests,
        &renderers(programs, &manifests).await?,
        OWN_NAMESPACE,
    )
    .await?;
    let found = rendered.release().filter(|_| operator.manifests.is_some());
    let asked = releases.asked.is_some() || operator.manifests.is_none();
    match (asked, found) {
        (true, Some(found)) if found != *releases.operator()? => {
            Err(TargetError::CustomManifestsRelease {
                origin: manifests.origin(),
                found,
                asked: releases.operator()?.clone(),
            })
        }
        (true, _) => Ok((rendered, releases.operator()?.clone())),
        (false, Some(found)) => Ok((rendered, found)),
        (false, None) => Err(TargetError::CustomManifestsUnknown(manifests.origin())),
    }
}

/// Returns the release of the operator that the user brings for a kind cluster; none where it is
/// the release's own.
pub(super) async fn release(
    spec: &KindSpec,
    releases: &ReleaseSpec,
    progress: &Arc<dyn Progress>,
) -> Result<Option<Version>, TargetError> {
    if spec.operator.manifests.is_none() {
        return Ok(None);
    }
    let programs = Programs::new(Store::open()?, spec.source, Arc::clone(progress));
    let (_, release) = rendered(&spec.operator, releases, &programs).await?;
    Ok(Some(release))
}
