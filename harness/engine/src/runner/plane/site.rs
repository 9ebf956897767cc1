//! A release with its API server and its operator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::progress::Progress;
use crate::results::{ImageRecord, Origin};
use crate::runner::{Engine, EngineOptions, Operator, RunError, Subjects};
use crate::scenario::OperatorSettings;

/// A release with its API server and its operator, as those see it who run cases against it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    /// The operator's release.
    pub release: Version,
    /// How the operator is set up, where that differs from its release's defaults.
    #[serde(default)]
    pub settings: OperatorSettings,
    /// Release of its API server; empty where an older release of the harness keeps it up.
    #[serde(default)]
    pub(super) kubernetes: String,
    /// Where its API server is.
    pub kubeconfig: PathBuf,
    pub(super) operator: ImageRecord,
    pub(super) operator_log: PathBuf,
    pub(super) crds: PathBuf,
    pub(super) samples: PathBuf,
    /// Whether it goes on after those who use it: then each removes what it made.
    #[serde(default)]
    pub(super) stays: bool,
}

impl Site {
    /// The file with its operator's output.
    #[must_use]
    pub fn operator_log(&self) -> &Path {
        &self.operator_log
    }

    /// The digest of its operator's program.
    #[must_use]
    pub(crate) fn operator_digest(&self) -> &str {
        &self.operator.digest
    }

    /// The folder of the release's own samples.
    #[must_use]
    pub fn samples(&self) -> &Path {
        &self.samples
    }

    /// The same, for those who use it while another process keeps it up.
    pub(in crate::runner) fn that_stays(&self) -> Self {
        Self {
            stays: true,
            ..self.clone()
        }
    }

    /// An engine that runs cases against it. No container starts, so that of Ray only the release matters.
    ///
    /// # Errors
    /// When its API server can't be reached.
    pub async fn engine(
        &self,
        ray: &Version,
        options: EngineOptions,
        progress: Arc<dyn Progress>,
        cancel: CancellationToken,
    ) -> Result<Engine, RunError> {
        let client = crate::target::client(&self.kubeconfig).await?;
        let subjects = Subjects {
            kubernetes: self.kubernetes.clone(),
            operator: Operator::Beside {
                log: self.operator_log.clone(),
                stays: self.stays,
            },
            operator_image: self.operator.clone(),
            samples: self.samples.clone(),
            rays: BTreeMap::from([(ray.clone(), named(ray))]),
            permits: None,
        };
        Ok(Engine::new(client, subjects, options, progress, cancel).await?)
    }
}

/// Ray's image, of which nothing but the name is used.
pub(super) fn named(ray: &Version) -> ImageRecord {
    let pins = crate::artifact::Pins::embedded();
    ImageRecord {
        name: format!("{}:{ray}", pins.ray.image),
        origin: Origin::Pulled,
        source: "named only: no container starts".into(),
        digest: String::new(),
        pinned: false,
    }
}
