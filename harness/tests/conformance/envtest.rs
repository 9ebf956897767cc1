//! What the trials of envtest share: the API servers that the first of them starts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use kuberay_conformance::plan::TestCase;
use kuberay_conformance::provider::{
    Envtest, EnvtestRelease, EnvtestSpec, ReleaseSpec, TargetError, TargetSpec,
};
use kuberay_conformance::report::{CaseResult, Progress, Silent};
use kuberay_conformance::runner::{EngineOptions, RunEngine, Unavailable};
use semver::Version;
use tokio::runtime::Runtime;
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

pub struct Stand {
    runtime: Arc<Runtime>,
    output: PathBuf,
    releases: Vec<Version>,
    ray: Version,
    started: OnceLock<Result<Started, String>>,
}

struct Started {
    unavailable: Unavailable,
    engines: BTreeMap<Version, RunEngine>,
    cancel: CancellationToken,
    envtest: RwLock<Option<Envtest>>,
}

impl Stand {
    pub fn new(
        runtime: Arc<Runtime>,
        output: PathBuf,
        releases: Vec<Version>,
        ray: Version,
    ) -> Self {
        Self {
            runtime,
            output,
            releases,
            ray,
            started: OnceLock::new(),
        }
    }

    /// The case's result; without API servers, why there are none.
    pub fn run(&self, case: &TestCase) -> Result<CaseResult, String> {
        let started = self
            .started
            .get_or_init(|| self.runtime.block_on(self.start()));
        let started = started.as_ref().map_err(Clone::clone)?;
        self.runtime.block_on(self.run_at(started, case))
    }

    async fn run_at(&self, started: &Started, case: &TestCase) -> Result<CaseResult, String> {
        if let Some(skipped) = started.unavailable.skip(case) {
            return Ok(skipped);
        }
        let envtest = started.envtest.read().await;
        let envtest = envtest.as_ref().ok_or("the API servers are down")?;
        let settings = case.operator_settings();
        let work = async |up: &EnvtestRelease| {
            if let Some(engine) = started
                .engines
                .get(&case.operator)
                .filter(|_| settings.is_default())
            {
                return Ok(engine.run_case(case).await);
            }
            let engine = self.engine(up, started.cancel.clone()).await?;
            Ok(engine.run_case(case).await)
        };
        let done = envtest.with_settings(&case.operator, settings, work).await;
        done.map_err(|error: TargetError| error.to_string())?
    }

    async fn start(&self) -> Result<Started, String> {
        let told = |error: &dyn std::error::Error| error.to_string();
        let latest = self.releases.last().ok_or("there is no release")?;
        let mut releases = ReleaseSpec::new(latest.clone(), self.ray.clone());
        releases.operators.clone_from(&self.releases);
        let spec = EnvtestSpec::default();
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let unavailable =
            Unavailable::of(&releases, &[TargetSpec::Envtest(spec.clone())], &progress).await;
        let unavailable = unavailable.map_err(|error| told(&error))?;
        releases
            .operators
            .retain(|release| !unavailable.contains(release));
        let envtest = Envtest::find_or_start(&releases, &spec, Arc::new(Silent), "cargo test")
            .await
            .map_err(|error| told(&error))?;
        // What breaks ends all trials, with the cause in each of them.
        let cancel = CancellationToken::new();
        tokio::spawn({
            let (first_end, cancel) = (envtest.first_end().clone(), cancel.clone());
            async move {
                eprintln!("{}", first_end.ended().await);
                cancel.cancel();
            }
        });
        let mut engines = BTreeMap::new();
        for up in envtest.releases() {
            let engine = self.engine(up, cancel.clone()).await?;
            engines.insert(up.release.clone(), engine);
        }
        Ok(Started {
            unavailable,
            engines,
            cancel,
            envtest: RwLock::new(Some(envtest)),
        })
    }

    /// An engine for a release, which runs as many cases at once as the target allows.
    async fn engine(
        &self,
        up: &EnvtestRelease,
        cancel: CancellationToken,
    ) -> Result<RunEngine, String> {
        let target = up.target(&self.ray).await;
        let target = target.map_err(|error| error.to_string())?;
        let options = EngineOptions {
            jobs: None,
            ..super::engine_options(self.output.clone())
        };
        let engine = RunEngine::new(target, options, Arc::new(Silent), cancel);
        engine.await.map_err(|error| error.to_string())
    }

    pub fn clean_up(&self) {
        if let Some(Ok(started)) = self.started.get() {
            self.runtime.block_on(async {
                if let Some(envtest) = started.envtest.write().await.take() {
                    envtest.stop().await;
                }
            });
        }
    }
}
