//! What the trials of kind share: the cluster that the first of them attaches to.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use kuberay_conformance::plan::TestCase;
use kuberay_conformance::provider::{KindSpec, KindTarget};
use kuberay_conformance::report::{CaseResult, Silent};
use kuberay_conformance::runner::{EngineOptions, RunEngine, default_jobs};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub struct Stand {
    runtime: Arc<Runtime>,
    output: PathBuf,
    attached: OnceLock<Result<Attached, String>>,
}

struct Attached {
    engine: RunEngine,
    /// Nobody takes the cluster down while this is held.
    _up: KindTarget,
}

impl Stand {
    pub fn new(runtime: Arc<Runtime>, output: PathBuf) -> Self {
        Self {
            runtime,
            output,
            attached: OnceLock::new(),
        }
    }

    /// The case's result; without a cluster, why there is none.
    pub fn run(&self, case: &TestCase) -> Result<CaseResult, String> {
        let attached = self
            .attached
            .get_or_init(|| self.runtime.block_on(self.attach()));
        let attached = attached.as_ref().map_err(Clone::clone)?;
        Ok(self.runtime.block_on(attached.engine.run_case(case)))
    }

    async fn attach(&self) -> Result<Attached, String> {
        let up = KindTarget::attach(&KindSpec::default(), Arc::new(Silent), "cargo test")
            .await
            .map_err(|error| error.to_string())?;
        let options = EngineOptions {
            jobs: Some(default_jobs()),
            ..super::engine_options(self.output.clone())
        };
        let cancel = CancellationToken::new();
        let engine = RunEngine::new(up.target(), options, Arc::new(Silent), cancel);
        let engine = engine.await.map_err(|error| error.to_string())?;
        Ok(Attached { engine, _up: up })
    }

    pub fn clean_up(&self) {
        if let Some(Ok(attached)) = self.attached.get() {
            for problem in self.runtime.block_on(attached.engine.finish()) {
                eprintln!("warning: {problem}");
            }
        }
    }
}
