//! N cases of one scenario at once, through the engine.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::Pins;
use kuberay_conformance::plan::{Pair, TestCase};
use kuberay_conformance::provider::{Envtest, EnvtestSpec, ReleaseSpec};
use kuberay_conformance::report::{CaseResult, Outcome, Redactor, Silent};
use kuberay_conformance::runner::{
    EngineOptions, EvidencePolicy, FileJournal, JournalHead, RunEngine, RunJournal, new_run_id,
};
use kuberay_conformance::scenario::{TargetKind, load_all};
use semver::Version;
use tokio_util::sync::CancellationToken;

use super::Failed;
use super::usage::{OWN, Usage, as_f64};

pub const HEAD: &str = "| what | cases | wall s | cases a second | not passed | longest case s | harness | harness CPU for each ms | \
                        API server | etcd | operator | requests for each |";

/// The scenario that is copied: a head and a worker, and a look at both.
const COPIED: &str = "default-command";
/// How long the cases may take in all.
const WITHIN: Duration = Duration::from_mins(15);

pub async fn measure(release: &Version, number: usize, folder: &Path) -> Result<String, Failed> {
    let scenarios = folder.join("scenarios");
    // One more, which shows that all is ready and is not counted.
    for index in 0..=number {
        copy(&scenarios, &format!("copy-{index}"))?;
    }
    let ray = Pins::embedded().defaults.ray;
    let pair = Pair {
        operator: release.clone(),
        ray: ray.clone(),
    };
    let cases: Vec<TestCase> = load_all(&scenarios)?
        .iter()
        .map(|scenario| TestCase::of(scenario, TargetKind::Envtest, &pair))
        .collect();
    let releases = ReleaseSpec::new(release.clone(), ray.clone());
    let spec = EnvtestSpec::default();
    let envtest = Envtest::find_or_start(&releases, &spec, Arc::new(Silent), "bench").await?;
    let measured = tokio::select! {
        row = on(&envtest, &cases, &ray, folder) => row,
        cause = envtest.first_end().ended() => Err(cause.into()),
        () = tokio::time::sleep(WITHIN) => Err(format!("not every case has ended within {WITHIN:?}").into()),
    };
    envtest.stop().await;
    measured
}

async fn on(
    envtest: &Envtest,
    cases: &[TestCase],
    ray: &Version,
    folder: &Path,
) -> Result<String, Failed> {
    let up = envtest.releases().first().ok_or("no API server is up")?;
    let output = folder.join("output");
    let head = JournalHead::new(None, cases.iter().map(TestCase::id).collect());
    let journal = Arc::new(FileJournal::new(&output));
    let journal = RunJournal::begin(journal, &head, false, output.clone()).await?;
    let (first, rest) = cases.split_first().ok_or("no cases")?;
    let engine_options = EngineOptions {
        run: new_run_id(),
        output,
        evidence: EvidencePolicy::OnFailure,
        jobs: Some(rest.len()),
        overlap: false,
        journal: Some(Arc::new(journal)),
        redactor: Redactor::default(),
        ends: None,
        write_pending: false,
        record_verified: false,
    };
    let target = up.target(ray).await?;
    let cancel = CancellationToken::new();
    let engine = RunEngine::new(target, engine_options, Arc::new(Silent), cancel).await?;
    let config = kube::config::Kubeconfig::read_from(&up.kubeconfig)?;
    let config =
        kube::Config::from_custom_kubeconfig(config, &kube::config::KubeConfigOptions::default())
            .await?;
    let client = kube::Client::try_from(config)?;
    passed(&engine.run_case(first).await)?;
    Usage::when_quiet(&client).await?;
    let before = Usage::from_here(&client).await?;

    let began = Instant::now();
    let results = engine.run(rest).await;
    let wall = began.elapsed().as_secs_f64();
    let after = Usage::when_quiet(&client).await?;
    engine.finish().await;

    let failed: Vec<&CaseResult> = results
        .iter()
        .filter(|result| result.outcome != Outcome::Passed)
        .collect();
    if let Some(result) = failed.first() {
        let reason = result.reason.as_deref().unwrap_or_default();
        eprintln!(
            "{} of {} did not pass, such as {}: {reason}",
            failed.len(),
            rest.len(),
            result.id
        );
    }
    let longest = results
        .iter()
        .map(|result| result.duration_seconds)
        .fold(0.0, f64::max);
    let number = rest.len();
    Ok(format!(
        "| cases | {number} | {wall:.1} | {:.1} | {} | {longest:.1} | {} | {:.2} | {} | {} | {} | {} |",
        as_f64(number) / wall,
        failed.len(),
        after.told(&before, OWN),
        after.cpu(&before, OWN) * 1000.0 / as_f64(number),
        after.told(&before, "kube-apiserver"),
        after.told(&before, "etcd"),
        after.told(&before, "manager"),
        after.requests(&before, number),
    ))
}

fn passed(result: &CaseResult) -> Result<(), Failed> {
    if result.outcome == Outcome::Passed {
        return Ok(());
    }
    let reason = result.reason.as_deref().unwrap_or_default();
    Err(format!("the first case did not pass, so that nothing is measured: {reason}").into())
}

/// Copies the scenario's folder; a scenario is named as its folder is.
fn copy(scenarios: &Path, name: &str) -> Result<(), Failed> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(COPIED);
    let to = scenarios.join(name);
    std::fs::create_dir_all(&to)?;
    for entry in std::fs::read_dir(&from)? {
        let entry = entry?;
        if entry.file_name() == "scenario.yaml" {
            let text = std::fs::read_to_string(entry.path())?;
            let named = text.replacen(&format!("name: {COPIED}"), &format!("name: {name}"), 1);
            std::fs::write(to.join("scenario.yaml"), named)?;
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
