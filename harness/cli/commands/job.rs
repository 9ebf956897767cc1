//! `job submit`, `job collect` and `job image`: the harness as a Job in a cluster.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{files, work};
use crate::args::{Collect, ImageOf, JobCluster, Run, Submit};
use crate::exit::{self, CliError, ENVIRONMENT, PASSED};
use crate::plan::{Division, Durations, Shard};
use crate::provider::{self, KindSpec, TargetError};
use crate::report::{
    AllReports, Progress, RunResult, RunVerdict, StatusLevel, Strictness, run_verdict,
};
use crate::runner::{self, CollectOptions, RunError, SubmitOptions};
use crate::target::Existing;

/// The number that Kubernetes gives a Pod of an Indexed Job, from 0.
const INDEX: &str = "SHARD";
/// How long `job collect --wait` waits where it is not told.
const WAITS: Duration = Duration::from_hours(6);

/// What a Pod of a Job runs; `None` where this is none.
pub(super) fn division(arguments: &Run) -> Result<Option<Division>, CliError> {
    let (Some(_), Some(count)) = (&arguments.as_job.job, arguments.as_job.shards) else {
        return files::division(&arguments.selection.part);
    };
    let index = super::environment_variable(INDEX).and_then(|text| text.parse::<u16>().ok());
    let Some(index) = index.filter(|index| *index < count) else {
        let last = count - 1;
        return Err(CliError::bad_use(format!(
            "--job is for a Pod of a Job, whose number from 0 to {last} is in the variable {INDEX}"
        )));
    };
    Ok(Some(Division {
        shard: Shard {
            index: index + 1,
            count,
        },
        durations: Durations::embedded(),
    }))
}

/// Returns the exit code of a Pod of a Job. Kubernetes makes a Pod again that fails, so one fails
/// only where another may find out more: the environment failed, or no case has a verdict. A
/// scenario that failed is a result, which `job collect` judges.
pub(super) fn exit_code_of_pod(result: &RunResult) -> u8 {
    match run_verdict(result, Strictness::default()) {
        RunVerdict::Unproven => ENVIRONMENT,
        RunVerdict::Passed | RunVerdict::Failed => PASSED,
    }
}

/// Says who judges what a Pod of a Job finds.
pub(super) fn judged_by(job: &str) -> String {
    format!(
        "this Pod only collects results: failed scenarios do not fail it; \
         `kuberay-conformance job collect --job {job}` judges all shards"
    )
}

pub(super) fn submit(arguments: &Submit) -> Result<u8, CliError> {
    let source = arguments.artifacts.install()?;
    let root = arguments.scenarios.root()?;
    files::load(&root)?;
    if !runner::is_job_name(&arguments.job) {
        return Err(
            CliError::bad_use(format!("`{}` can't be a Job's name", arguments.job))
                .with_help("use lower-case letters, digits and inner hyphens, at most 40"),
        );
    }
    work::block_until_cancelled(async |progress| {
        let (client, image) = match (&arguments.image, arguments.place.existing.spec()) {
            (Some(image), _) => (client(&arguments.place, &progress).await?, image.clone()),
            (None, None) => {
                let spec = KindSpec {
                    source,
                    ..kind(&arguments.place)
                };
                let program = own_program()?;
                provider::push_harness(&spec, &program, &root.path, Arc::clone(&progress)).await?
            }
            (None, Some(_)) => {
                return Err(RunError::Job(
                    "the cluster's nodes need the harness's image: build it with `kuberay-conformance job image`, push it to a \
                     registry that they can pull from, and name it with --image".into(),
                ));
            }
        };
        let options = SubmitOptions {
            job: arguments.job.clone(),
            shards: arguments.shards,
            parallel: arguments
                .parallel
                .unwrap_or(arguments.shards)
                .min(arguments.shards),
            image,
            arguments: arguments.run_arguments(),
        };
        let submitted = runner::submit(&client, &options).await?;
        let (job, again) = (
            &submitted.job,
            if submitted.again {
                " again, to go on where it ended"
            } else {
                ""
            },
        );
        print_lines!(
            "the Job {job} is submitted{again}: {} shards, {} at once\n\
             look at it:      kubectl --namespace {} get pods --selector kuberay-conformance/job={job}\n\
             its results:     kuberay-conformance job collect --job {job} --wait{}",
            options.shards,
            options.parallel,
            runner::NAMESPACE,
            arguments.place.flags()
        );
        Ok(PASSED)
    })
}

pub(super) fn collect(arguments: &Collect) -> Result<u8, CliError> {
    work::block_with(StatusLevel::default(), async |progress, cancel| {
        let options = CollectOptions {
            job: arguments.job.clone(),
            output: arguments.output.clone(),
            wait: arguments.wait.then(|| arguments.timeout.unwrap_or(WAITS)),
            remove: arguments.remove,
        };
        let collected = async {
            let client = client(&arguments.place, &progress).await?;
            runner::collect(&client, &options, &AllReports, &*progress).await
        };
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(TargetError::Interrupted.into()),
            collected = collected => collected,
        }?;
        work::show(&result)?;
        Ok(exit::of_run(&result, work::strictness(arguments.strict)))
    })
}

pub(super) fn image(arguments: &ImageOf) -> Result<u8, CliError> {
    let source = arguments.artifacts.install()?;
    let root = arguments.scenarios.root()?;
    files::load(&root)?;
    work::block_until_cancelled(async |progress| {
        let spec = KindSpec {
            engine: arguments.engine.map(Into::into),
            source,
            ..KindSpec::default()
        };
        let image = provider::harness_image(&spec, &own_program()?, &root.path, progress).await?;
        print_lines!("{}", image.local_name);
        if let Some(archive) = &image.archive {
            print_lines!("archive: {}", archive.display());
        }
        Ok(PASSED)
    })
}

fn own_program() -> Result<PathBuf, TargetError> {
    std::env::current_exe().map_err(|source| TargetError::File {
        doing: "looking for this program's own file",
        path: PathBuf::from("/proc/self/exe"),
        source,
    })
}

fn kind(place: &JobCluster) -> KindSpec {
    KindSpec {
        engine: place.engine.engine.map(Into::into),
        cluster: place.engine.cluster.clone(),
        ..KindSpec::default()
    }
}

/// A client for the cluster that is named, else for that of the harness.
async fn client(
    place: &JobCluster,
    progress: &Arc<dyn Progress>,
) -> Result<kube::Client, RunError> {
    if let Some(existing) = place.existing.spec() {
        return Ok(Existing::connect(&existing.context).await?.client);
    }
    Ok(provider::kind_client(&kind(place), Arc::clone(progress)).await?)
}

#[cfg(test)]
#[path = "job/tests.rs"]
mod tests;
