//! What the trials of envtest share: the control planes that the first of them starts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use kuberay_conformance::plan::TestCase;
use kuberay_conformance::report::{CaseResult, Progress, Silent};

use kuberay_conformance::runner::{Engine, JOBS, Options, Planes, RunError, Site, Unavailable};
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
    engines: BTreeMap<Version, Engine>,
    cancel: CancellationToken,
    planes: RwLock<Option<Planes>>,
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

    /// The case's result; without control planes, why there are none.
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
        let planes = started.planes.read().await;
        let planes = planes.as_ref().ok_or("the control planes are down")?;
        let settings = case.operator_settings();
        let work = async |site: &Site| {
            if let Some(engine) = started
                .engines
                .get(&case.operator)
                .filter(|_| settings.is_default())
            {
                return Ok(engine.run_case(case).await);
            }
            let options = super::engine_options(self.output.clone());
            let engine = site.engine(&self.ray, options, Arc::new(Silent), started.cancel.clone());
            Ok(engine.await?.run_case(case).await)
        };
        let done = planes.with_settings(&case.operator, settings, work).await;
        done.and_then(|done| done)
            .map_err(|error: RunError| error.to_string())
    }

    async fn start(&self) -> Result<Started, String> {
        let told = |error: &dyn std::error::Error| error.to_string();
        let latest = self.releases.last().ok_or("there is no release")?;
        let mut options = Options::new(latest.clone(), self.ray.clone());
        options.operators.clone_from(&self.releases);
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let unavailable = Unavailable::of(&options, &progress).await;
        let unavailable = unavailable.map_err(|error| told(&error))?;
        options
            .operators
            .retain(|release| !unavailable.contains(release));
        let planes = Planes::find_or_start(&options, Arc::new(Silent), "cargo test")
            .await
            .map_err(|error| told(&error))?;
        // What breaks ends all trials, with the cause in each of them.
        let cancel = CancellationToken::new();
        tokio::spawn({
            let (alarm, cancel) = (planes.alarm().clone(), cancel.clone());
            async move {
                eprintln!("{}", alarm.rung().await);
                cancel.cancel();
            }
        });
        let mut engines = BTreeMap::new();
        for site in planes.sites() {
            let mut options = super::engine_options(self.output.clone());
            options.jobs = JOBS;
            let engine = site.engine(&self.ray, options, Arc::new(Silent), cancel.clone());
            engines.insert(
                site.release.clone(),
                engine.await.map_err(|error| told(&error))?,
            );
        }
        Ok(Started {
            unavailable,
            engines,
            cancel,
            planes: RwLock::new(Some(planes)),
        })
    }

    pub fn clean_up(&self) {
        if let Some(Ok(started)) = self.started.get() {
            self.runtime.block_on(async {
                if let Some(planes) = started.planes.write().await.take() {
                    planes.stop().await;
                }
            });
        }
    }
}
