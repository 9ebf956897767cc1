//! `job collect`: what a Job's Pods kept becomes one report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::watcher;
use kube::{Api, Client};

use crate::merge::{self, MergeError, MergeSource, Merged};
use crate::output::{self, OutputError, OutputLock};
use crate::progress::Progress;
use crate::provider::TargetError;
use crate::reports::Reports;
use crate::results::RunResult;
use crate::runner::RunError;
use crate::runner::job_results::{JobResults, NAMESPACE, OF_JOB};

/// The folder with a folder for each shard.
const SHARDS: &str = "shards";

/// The Job whose reports are collected, and the folder for them.
#[derive(Debug, Clone)]
pub struct CollectOptions {
    /// The Job.
    pub job: String,
    /// Where the reports go; those of each shard go to `shards/N` below it.
    pub output: PathBuf,
    /// Wait until the Job has ended, and at most so long.
    pub wait: Option<Duration>,
    /// Remove the Job and what it kept, once all is written.
    pub remove: bool,
}

/// Writes the reports of every shard, and one of all; returns the latter. The caller may drop the
/// future: the reports then say that not all was collected, and another call continues.
///
/// # Errors
/// When there is nothing of such a Job, when the API server refuses, and when files can't be
/// written.
pub async fn collect(
    client: &Client,
    options: &CollectOptions,
    reports: &dyn Reports,
    progress: &dyn Progress,
) -> Result<RunResult, RunError> {
    let _lock = OutputLock::take(&options.output, "collect")?;
    let reason = format!(
        "the results of the Job {} were not all collected",
        options.job
    );
    let before = output::cases_of_before(&options.output);
    reports.write(
        &RunResult::unfinished("", None, Vec::new(), reason),
        &options.output,
    )?;
    clear(&options.output, &before, reports.names())?;
    if let Some(limit) = options.wait {
        until_ended(client, &options.job, limit, progress).await?;
    }
    let results = JobResults::new(client.clone(), &options.job);
    let mut shards = results.shards().await?;
    if shards.is_empty() {
        return Err(RunError::Job(format!(
            "the Job {} has stored no results in the namespace {NAMESPACE}: check its name and its Pods with \
             `kubectl --namespace {NAMESPACE} get jobs,pods`",
            options.job
        )));
    }
    let mut cases = results.cases(None).await?;
    progress.line(&format!(
        "{} results of {} shards of the Job {}",
        cases.len(),
        shards.len(),
        options.job
    ));
    cases.retain(|kept| shards.contains_key(&kept.shard));
    for shard in shards.keys() {
        let made = output::create_folder(&options.output, &format!("{SHARDS}/{shard}"));
        made.map_err(|source| OutputError::Access {
            doing: "making the folder of a shard in",
            path: options.output.clone(),
            source,
        })?;
    }
    let folder = |shard: u16| options.output.join(SHARDS).join(shard.to_string());
    for note in results.write_evidence(&mut cases, folder).await? {
        progress.line(&format!("warning: {note}"));
    }
    for kept in cases {
        let Some(run) = shards.get_mut(&kept.shard) else {
            continue;
        };
        match run.cases.iter_mut().find(|case| case.id == kept.result.id) {
            Some(case) if case.resumed => {}
            Some(case) => *case = kept.result,
            None => run.cases.push(kept.result),
        }
    }
    let merged = merged(shards, folder, reports)?;
    for note in &merged.notes {
        progress.line(note);
    }
    for note in merge::write_merged(&merged, &options.output, reports)? {
        progress.line(&format!("warning: {note}"));
    }
    if options.remove {
        remove(client, &options.job).await?;
    }
    Ok(merged.run)
}

/// Removes what was collected into a folder before: evidence of these cases, and the report of each
/// shard. Other files stay.
fn clear(folder: &Path, before: &BTreeSet<String>, names: &[&str]) -> Result<(), RunError> {
    let failed = |source| {
        RunError::Output(OutputError::Access {
            doing: "removing what was collected before from",
            path: folder.into(),
            source,
        })
    };
    output::clear_evidence(folder, before.iter().map(String::as_str)).map_err(failed)?;
    let Ok(shards) = output::folder_without_links(folder, SHARDS) else {
        return Ok(());
    };
    for entry in std::fs::read_dir(&shards).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(name) = name.to_str().filter(|name| name.parse::<u16>().is_ok()) else {
            continue;
        };
        let Ok(shard) = output::folder_without_links(&shards, name) else {
            continue;
        };
        let before = output::cases_of_before(&shard);
        output::clear_evidence(&shard, before.iter().map(String::as_str)).map_err(failed)?;
        for report in names {
            output::remove(&shard, report).map_err(failed)?;
        }
    }
    Ok(())
}

/// Writes the report of each shard, and merges them.
fn merged(
    shards: BTreeMap<u16, RunResult>,
    folder: impl Fn(u16) -> PathBuf,
    reports: &dyn Reports,
) -> Result<Merged, RunError> {
    let mut sources = Vec::new();
    for (shard, mut run) in shards {
        let place: BTreeMap<&String, usize> = run.planned.iter().zip(0..).collect();
        run.cases
            .sort_by_cached_key(|case| place.get(&case.id).copied().unwrap_or(usize::MAX));
        let folder = folder(shard);
        reports.write(&run, &folder)?;
        sources.push(MergeSource {
            path: folder.join("results.json"),
            run,
        });
    }
    let merged: Result<Merged, MergeError> = merge::merge(&sources);
    Ok(merged?)
}

fn jobs(client: &Client) -> Api<Job> {
    Api::namespaced(client.clone(), NAMESPACE)
}

fn api(doing: &'static str) -> impl FnOnce(kube::Error) -> RunError {
    move |source| {
        let source = Box::new(source);
        TargetError::Api { doing, source }.into()
    }
}

/// Waits for the Job's last condition, and tells of every Pod that ends meanwhile.
async fn until_ended(
    client: &Client,
    job: &str,
    limit: Duration,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    let began = Instant::now();
    let mut events = watcher::watch_object(jobs(client), job).boxed();
    let mut last = String::new();
    let watch = async {
        while let Some(event) = events.next().await {
            match event {
                Ok(Some(job)) => {
                    let status = job.status.unwrap_or_default();
                    let conditions = status.conditions.iter().flatten();
                    let mut ended = conditions.filter(|condition| condition.status == "True");
                    if ended.any(|condition| {
                        condition.type_ == "Complete" || condition.type_ == "Failed"
                    }) {
                        return Ok(());
                    }
                    let count = |number: Option<i32>| number.unwrap_or(0);
                    let text = format!(
                        "{} shards ended, {} run, {} Pods failed",
                        count(status.succeeded),
                        count(status.active),
                        count(status.failed)
                    );
                    if text != last {
                        progress.update("Job", &text);
                        last = text;
                    }
                }
                Ok(None) => {
                    return Err(RunError::Job(format!(
                        "there is no Job {job} in the namespace {NAMESPACE}; `job submit` makes one"
                    )));
                }
                Err(error) => {
                    tracing::debug!(%error, "the watch on the Job broke; it starts again");
                }
            }
        }
        Ok(())
    };
    if let Ok(done) = tokio::time::timeout(limit, watch).await {
        return done;
    }
    let seconds = began.elapsed().as_secs();
    progress.line(&format!(
        "warning: the Job {job} has not ended after {seconds} s; collecting its results so far"
    ));
    Ok(())
}

/// Removes the Job, its Pods and what they kept. The account and its permissions stay for the next.
async fn remove(client: &Client, job: &str) -> Result<(), RunError> {
    let doing = "removing the Job and its results";
    match jobs(client).delete(job, &DeleteParams::background()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        done => {
            done.map_err(api(doing))?;
        }
    }
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let own = ListParams::default().labels(&format!("{OF_JOB}={job}"));
    maps.delete_collection(&DeleteParams::default(), &own)
        .await
        .map_err(api(doing))?;
    Ok(())
}

#[cfg(test)]
#[path = "collect/tests.rs"]
mod tests;
