//! Cases that begin with an older release of the operator: each alone on the cluster, because all share the operator.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use semver::Version;

use super::outcome::{blank, fail};
use super::session::forget;
use super::setup::Setup;
use super::{CaseError, Engine, Options, RunError, Session, Upgrade};
use crate::plan::TestCase;
use crate::process::ProcessIdentity;
use crate::progress::Progress;
use crate::results::CaseResult;
use crate::target::{Patience, UPGRADE};

/// A cluster whose operator may be replaced, because nobody else uses it.
pub(super) struct Upgrades<'a> {
    pub(super) setup: &'a Setup,
    pub(super) session: &'a Session,
    pub(super) options: &'a Options,
    pub(super) progress: &'a dyn Progress,
}

impl Upgrades<'_> {
    /// Runs the cases one after the other; the operator is the run's own in the end.
    pub(super) async fn run(
        &self,
        engine: &Engine,
        cases: &[TestCase],
    ) -> Result<Vec<CaseResult>, RunError> {
        // Whoever comes meanwhile waits for the run's own operator.
        let lock = self
            .setup
            .cluster
            .lock(UPGRADE, Patience::default())
            .await?;
        self.refuse_while_used()?;
        // What runs there is not what the note says until the end.
        forget(self.setup)?;
        let mut results = Vec::new();
        for case in cases {
            results.push(self.case(engine, case).await);
            // The operator that made them must still run, for the finalizers of what it made.
            for problem in engine.finish().await {
                self.progress.line(&format!("warning: {problem}"));
            }
        }
        self.install(self.session.operator()).await?;
        self.session.note_again(self.setup)?;
        drop(lock);
        Ok(results)
    }

    async fn case(&self, engine: &Engine, case: &TestCase) -> CaseResult {
        let Some(from) = &case.scenario.upgrade_from else {
            return engine.run_case(case).await;
        };
        if let Err(error) = self.install(from).await {
            let mut result = blank(case);
            let why = format!("KubeRay {from}, with which the case begins, can't be had: {error}");
            fail(&mut result, &CaseError::Upgrade(why));
            return result;
        }
        let to = To {
            upgrades: self,
            release: &case.operator,
        };
        engine.run_upgrade(case, &to).await
    }

    async fn install(&self, release: &Version) -> Result<(), RunError> {
        let cluster = self.session.cluster();
        let client = cluster.client().await?;
        self.setup
            .install(cluster, &client, release, self.options)
            .await
    }

    fn refuse_while_used(&self) -> Result<(), RunError> {
        let mut users = self.setup.cluster.users()?;
        users.retain(|user| user.process.as_deref() != Some(ProcessIdentity::current()));
        if users.is_empty() {
            return Ok(());
        }
        Err(RunError::OtherReleases {
            cluster: self.options.cluster.clone(),
            users,
            releases: format!("KubeRay {}", self.session.operator()),
        })
    }
}

struct To<'a> {
    upgrades: &'a Upgrades<'a>,
    release: &'a Version,
}

impl Upgrade for To<'_> {
    fn end(&self) -> BoxFuture<'_, Result<(), String>> {
        let what = "nothing can be applied between two operators of a cluster; use envtest";
        async { Err(what.to_owned()) }.boxed()
    }

    fn upgrade(&self) -> BoxFuture<'_, Result<(), String>> {
        async {
            let installed = self.upgrades.install(self.release).await;
            installed.map_err(|error| error.to_string())
        }
        .boxed()
    }
}
