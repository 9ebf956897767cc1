//! Cases that begin with an older release of the operator: each alone on the cluster, because all
//! share the operator.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use semver::Version;

use super::target::forget;
use super::{KindProvider, KindTarget};
use crate::plan::TestCase;
use crate::process::ProcessIdentity;
use crate::provider::{Batch, CaseRunner, KindSpec, ReleaseSpec, RunEnd, TargetError, Upgrade};
use crate::target::{Patience, UPGRADE};

/// A cluster whose operator may be replaced, because nobody else uses it.
pub(super) struct Upgrades<'a> {
    pub(super) provider: &'a KindProvider,
    pub(super) up: &'a KindTarget,
    pub(super) spec: &'a KindSpec,
    pub(super) releases: &'a ReleaseSpec,
    pub(super) end: &'a RunEnd,
    pub(super) runner: &'a dyn CaseRunner,
}

impl Upgrades<'_> {
    /// Runs the cases one after the other; the operator is the run's own in the end, unless the run
    /// ends before: then the cluster has no note of what runs there, so that its next user installs
    /// its own.
    pub(super) async fn run(&self, cases: &[TestCase]) -> Result<(), TargetError> {
        // A process that comes meanwhile waits for the run's own operator.
        let cluster = &self.provider.cluster;
        let lock =
            async { Ok::<_, TargetError>(cluster.lock(UPGRADE, Patience::default()).await?) };
        let lock = self.end.limit(lock).await?;
        self.refuse_while_used()?;
        // What runs there is not what the note says until the end.
        forget(self.provider)?;
        for case in cases {
            if self.end.is_over() {
                return Err(self.end.cut_off());
            }
            self.case(case).await?;
        }
        self.end.limit(self.install(self.up.operator())).await?;
        self.up.note_again(self.provider)?;
        drop(lock);
        Ok(())
    }

    async fn case(&self, case: &TestCase) -> Result<(), TargetError> {
        let Some(from) = &case.scenario.upgrade_from else {
            return Ok(());
        };
        let upgrade = FromTo {
            upgrades: self,
            from,
            to: &case.operator,
        };
        let batch = Batch {
            target: self.up.target(),
            cases: vec![case.clone()],
            cancel: &self.end.cancel,
            upgrade: Some(&upgrade),
        };
        // The operator that made them must still run, for the finalizers of what it made.
        self.runner.run(batch).await?.await;
        Ok(())
    }

    async fn install(&self, release: &Version) -> Result<(), TargetError> {
        let cluster = self.up.cluster();
        let client = cluster.client().await?;
        let specs = (self.spec, self.releases);
        self.provider
            .install(cluster, &client, specs, release)
            .await
    }

    fn refuse_while_used(&self) -> Result<(), TargetError> {
        let mut users = self.provider.cluster.users()?;
        users.retain(|user| user.process.as_deref() != Some(ProcessIdentity::current()));
        if users.is_empty() {
            return Ok(());
        }
        Err(TargetError::OtherReleases {
            cluster: self.spec.cluster.clone(),
            users,
            releases: format!("KubeRay {}", self.up.operator()),
        })
    }
}

/// The releases of one case.
struct FromTo<'a> {
    upgrades: &'a Upgrades<'a>,
    from: &'a Version,
    to: &'a Version,
}

impl Upgrade for FromTo<'_> {
    fn begin(&self) -> BoxFuture<'_, Result<(), String>> {
        async {
            let installed = self.upgrades.install(self.from).await;
            installed.map_err(|error| {
                let from = self.from;
                format!("KubeRay {from}, with which the case begins, can't be had: {error}")
            })
        }
        .boxed()
    }

    fn end(&self) -> BoxFuture<'_, Result<(), String>> {
        let what = "nothing can be applied between two operators of a cluster; use envtest";
        async { Err(what.to_owned()) }.boxed()
    }

    fn upgrade(&self) -> BoxFuture<'_, Result<(), String>> {
        async {
            let installed = self.upgrades.install(self.to).await;
            installed.map_err(|error| error.to_string())
        }
        .boxed()
    }
}
