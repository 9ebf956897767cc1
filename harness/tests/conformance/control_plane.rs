//! What the trials of the lane `control-plane` share: the control planes that the first of them starts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use kuberay_conformance::plan::Cell;
use kuberay_conformance::report::{CellResult, Silent};
use kuberay_conformance::run::{Engine, JOBS, Options, Planes, planes_are_at_hand};
use semver::Version;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub struct Stand {
    runtime: Arc<Runtime>,
    output: PathBuf,
    releases: Vec<Version>,
    ray: Version,
    is_required: bool,
    started: OnceLock<Result<Started, String>>,
}

struct Started {
    engines: BTreeMap<Version, Engine>,
    planes: Mutex<Option<Planes>>,
}

impl Stand {
    pub fn new(
        runtime: Arc<Runtime>,
        output: PathBuf,
        releases: Vec<Version>,
        ray: Version,
        is_required: bool,
    ) -> Self {
        Self {
            runtime,
            output,
            releases,
            ray,
            is_required,
            started: OnceLock::new(),
        }
    }

    /// The cell's result; without control planes, why there are none.
    pub fn run(&self, cell: &Cell) -> Result<CellResult, String> {
        let started = self.started.get_or_init(|| self.runtime.block_on(self.start()));
        let started = started.as_ref().map_err(Clone::clone)?;
        let engine = started.engines.get(&cell.operator);
        let engine = engine.ok_or_else(|| format!("no control plane of {} was started", cell.operator))?;
        Ok(self.runtime.block_on(engine.run_cell(cell)))
    }

    async fn start(&self) -> Result<Started, String> {
        let told = |error: &dyn std::error::Error| error.to_string();
        let latest = self.releases.last().ok_or("there is no release")?;
        let mut options = Options::new(latest.clone(), self.ray.clone());
        options.operators.clone_from(&self.releases);
        if !self.is_required && !planes_are_at_hand(&options, Arc::new(Silent)).await {
            return Err(
                "its programs are not in the cache; `kuberay-conformance run --lane control-plane --operator all` \
                 makes them"
                    .into(),
            );
        }
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
            engines.insert(site.release.clone(), engine.await.map_err(|error| told(&error))?);
        }
        Ok(Started {
            engines,
            planes: Mutex::new(Some(planes)),
        })
    }

    pub fn clean_up(&self) {
        if let Some(Ok(started)) = self.started.get()
            && let Some(planes) = started.planes.lock().ok().and_then(|mut planes| planes.take())
        {
            self.runtime.block_on(planes.stop());
        }
    }

    /// Why no trial ran.
    pub fn why(&self) -> Option<&str> {
        self.started.get()?.as_ref().err().map(String::as_str)
    }
}
