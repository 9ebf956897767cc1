//! The two operators of a comparison, each with its own API server.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use kube::Client;
use semver::Version;

use super::DiffOptions;
use super::side::Resolved;
use crate::compare::DiffSide;
use crate::observe::Watches;
use crate::operator::Sender;
use crate::progress::Progress;
use crate::provider::{Envtest, TargetError};
use crate::runner::RunError;

/// One of the two operators, on its API server.
pub(super) struct Side {
    name: String,
    pub release: Version,
    pub envtest: Envtest,
    pub samples: PathBuf,
    digest: String,
    pub client: Client,
    pub sender: Sender,
    pub watches: Arc<Watches>,
}

/// Both operators.
pub(super) struct Sides {
    pub base: Side,
    pub head: Side,
    pub namespaces: AtomicUsize,
}

impl Side {
    async fn start(resolved: Resolved, progress: &Arc<dyn Progress>) -> Result<Self, RunError> {
        let (releases, spec) = (&resolved.releases, &resolved.spec);
        let envtest = Envtest::start(releases, spec, Arc::clone(progress)).await?;
        let Some(up) = envtest.releases().first() else {
            return Err(TargetError::Daemon("no API server started".into()).into());
        };
        let client = crate::target::client(&up.kubeconfig).await?;
        Ok(Self {
            name: resolved.name,
            release: resolved.release,
            samples: up.samples().to_owned(),
            digest: up.operator_digest().to_owned(),
            sender: Sender::new(client.clone()),
            watches: Watches::start(client.clone()),
            client,
            envtest,
        })
    }

    pub fn described(&self) -> DiffSide {
        DiffSide {
            name: self.name.clone(),
            release: self.release.to_string(),
            digest: self.digest.clone(),
        }
    }
}

impl Sides {
    /// Builds both programs, one after the other, and starts both API servers.
    pub async fn start(
        options: &DiffOptions,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        let base = options.base.resolve(options, progress).await?;
        let head = options.head.resolve(options, progress).await?;
        let (base, head) =
            tokio::try_join!(Side::start(base, progress), Side::start(head, progress))?;
        Ok(Self {
            base,
            head,
            namespaces: AtomicUsize::new(0),
        })
    }

    /// Ends both.
    pub async fn stop(self) {
        tokio::join!(self.base.envtest.stop(), self.head.envtest.stop());
    }
}
