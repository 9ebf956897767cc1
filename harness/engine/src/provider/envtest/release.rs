//! A release with its API server and its operator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use semver::Version;
use serde::{Deserialize, Serialize};

use super::JOBS;
use crate::provider::{Capabilities, CaseCleanUp, Health, Images, Target, TargetError};
use crate::results::{Environment, ImageRecord, Origin};
use crate::scenario::OperatorSettings;

/// A release that is up: its API server, and its operator beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvtestRelease {
    /// The operator's release.
    pub release: Version,
    /// Settings of the operator that differ from its release's defaults.
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
    /// `true` if it stays up after the runs that use it; each run then removes what it made.
    #[serde(default)]
    pub(super) stays: bool,
}

impl EnvtestRelease {
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
    pub(super) fn that_stays(&self) -> Self {
        Self {
            stays: true,
            ..self.clone()
        }
    }

    /// Returns it as the target of cases with a release of Ray, of which only the name matters,
    /// because no container starts.
    ///
    /// # Errors
    /// Fails when its API server can't be reached.
    pub async fn target(&self, ray: &Version) -> Result<Target, TargetError> {
        Ok(Target {
            client: crate::target::client(&self.kubeconfig).await?,
            environment: Environment {
                kubernetes: self.kubernetes.clone(),
                ..Environment::default()
            },
            health: Health::Process {
                log: self.operator_log.clone(),
            },
            images: Images {
                operator: self.operator.clone(),
                rays: BTreeMap::from([(ray.clone(), named(ray))]),
            },
            samples: self.samples.clone(),
            capabilities: Capabilities {
                kubelet: false,
                allocations: None,
                capacity_share: 1,
                jobs: Some(JOBS),
                clean_up: if self.stays {
                    CaseCleanUp::RayObjects
                } else {
                    CaseCleanUp::Nothing
                },
            },
        })
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
