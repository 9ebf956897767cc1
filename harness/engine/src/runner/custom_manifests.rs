//! An operator that the user brings: a chart or a kustomization of their own in place of the release's manifests.

use std::sync::Arc;

use semver::Version;

use super::existing::There;
use super::{Options, RunError};
use crate::artifact::{Programs, Store};
use crate::operator::{Manifests, OWN_NAMESPACE, Rendered, Renderers};
use crate::progress::Progress;

/// Programs that render the manifests.
pub(super) async fn renderers(
    programs: &Programs,
    manifests: &Manifests,
) -> Result<Renderers, RunError> {
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
    options: &Options,
    programs: &Programs,
    release: &Version,
) -> Result<Manifests, RunError> {
    match &options.manifests {
        // A release that an upgrade begins with is its own.
        Some(own) if options.operators.contains(release) => Ok(own.clone()),
        _ => Ok(Manifests::Release(programs.operator_module(release).await?)),
    }
}

/// The manifests, rendered, and their release: what `--operator` names, else what their image tells.
pub(super) async fn rendered(
    options: &Options,
    programs: &Programs,
) -> Result<(Rendered, Version), RunError> {
    let manifests = manifests(options, programs, options.operator()?).await?;
    let rendered = Rendered::of(
        &manifests,
        &renderers(programs, &manifests).await?,
        OWN_NAMESPACE,
    )
    .await?;
    let told = rendered.release().filter(|_| options.manifests.is_some());
    let asked = options.operator_asked.is_some() || options.manifests.is_none();
    match (asked, told) {
        (true, Some(told)) if told != *options.operator()? => {
            Err(RunError::CustomManifestsRelease {
                origin: manifests.origin(),
                told,
                asked: options.operator()?.clone(),
            })
        }
        (true, _) => Ok((rendered, options.operator()?.clone())),
        (false, Some(told)) => Ok((rendered, told)),
        (false, None) => Err(RunError::CustomManifestsUnknown(manifests.origin())),
    }
}

impl Options {
    /// The same with the release that is met: in an existing cluster its operator's, else that of manifests that the user
    /// brings, else what was asked for.
    pub(super) async fn with_release(
        &self,
        there: Option<&There>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        let release = match there {
            Some(there) => Some(there.release().clone()),
            None if self.manifests.is_some() => {
                let programs = Programs::new(Store::open()?, self.source, Arc::clone(progress));
                Some(rendered(self, &programs).await?.1)
            }
            None => None,
        };
        Ok(Self {
            operators: release.map_or_else(|| self.operators.clone(), |release| vec![release]),
            ..self.clone()
        })
    }
}
