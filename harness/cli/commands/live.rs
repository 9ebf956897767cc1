//! `run`: the scenarios on the targets that the arguments name.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use semver::Version;

use super::work::{block_with, show, strictness};
use super::{files, job, kubernetes};
use crate::args::{
    EngineArguments, OperatorSource, OwnRay, OwnTarget, ReleaseArguments, Run, Targets,
};
use crate::artifact::RaySource;
use crate::exit::{self, CliError, PASSED};
use crate::provider::{EnvtestSpec, ExistingSpec, KindSpec, TargetSpec};
use crate::report::{self, AllReports, RunResult, StatusLevel};
use crate::runner::{self, RunSpec};
use crate::scenario::TargetKind;

pub(super) fn run(arguments: &Run) -> Result<u8, CliError> {
    let began = Instant::now();
    let releases = kubernetes::releases(arguments)?;
    if releases.len() > 1 {
        return on_each(arguments, began, &releases);
    }
    let command = command_line(std::env::args().skip(1));
    let output = &arguments.output;
    let (code, _) = run_on(arguments, began, releases.first(), output, command)?;
    Ok(code)
}

/// Runs on one release of Kubernetes after the other, each with reports in a folder of its own, and
/// says at the end which cases do not end alike.
fn on_each(arguments: &Run, began: Instant, releases: &[Version]) -> Result<u8, CliError> {
    let (mut code, mut runs) = (PASSED, Vec::new());
    for release in releases {
        print_lines!("Kubernetes {release}:");
        let output = arguments.output.join(format!("kubernetes-{release}"));
        let own = [
            ("--kubernetes", release.to_string()),
            ("--output", output.display().to_string()),
        ];
        let command = command_line(kubernetes::with_options(std::env::args().skip(1), &own));
        let (ended, result) = run_on(arguments, began, Some(release), &output, command)?;
        code = code.max(ended);
        let interrupted = result.interrupted.is_some();
        runs.push((release.clone(), result));
        if interrupted {
            // What stopped this one would stop the next.
            break;
        }
    }
    for line in kubernetes::differences(&runs) {
        print_lines!("{line}");
    }
    Ok(code)
}

/// Runs on a release of Kubernetes, with reports in a folder that name the command. Returns the
/// exit code and what the run found.
fn run_on(
    arguments: &Run,
    began: Instant,
    kubernetes: Option<&Version>,
    output: &Path,
    command: String,
) -> Result<(u8, RunResult), CliError> {
    arguments.source.artifacts.install()?;
    let selection = &arguments.selection;
    let root = selection.folder.root()?;
    files::names_something(selection, &files::load(&root)?)?;
    let targets = targets(arguments, kubernetes)?;
    let kinds: Vec<TargetKind> = targets.iter().map(TargetSpec::kind).collect();
    let spec = RunSpec {
        releases: files::releases(&selection.releases, &kinds)?,
        targets,
        scenarios: root.path,
        built_in: root.built_in,
        filter: selection.filter(),
        division: job::division(arguments)?,
        // A Pod that takes the place of another goes on where that was.
        resume: arguments.resume || arguments.as_job.job.is_some(),
        output: output.to_owned(),
        evidence: arguments.evidence.into(),
        jobs: arguments.jobs.map(usize::from),
        timeout: Some(arguments.timeout),
        began,
        command: Some(command),
    };
    let level = if arguments.quiet {
        StatusLevel::Quiet
    } else {
        arguments.status_level.into()
    };
    block_with(level, async |progress, cancel| {
        if let Some(job) = &arguments.as_job.job {
            let result =
                runner::run_shard(&spec, job, Arc::new(AllReports), progress, cancel).await?;
            let shown = show(&result);
            print_lines!("{}", job::judged_by(job));
            shown?;
            return Ok((job::exit_code_of_pod(&result), result));
        }
        let result = runner::run(&spec, Arc::new(AllReports), progress, cancel).await?;
        show(&result)?;
        let code = exit::of_run(&result, strictness(arguments.strict));
        Ok((code, result))
    })
}

/// The command line of this process, quoted for a shell.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    let words = std::iter::once(env!("CARGO_PKG_NAME").to_owned()).chain(arguments);
    words
        .map(|word| report::shell_word(&word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns the targets of a run: those that the harness brings up, or the cluster of `--context`
/// alone.
///
/// # Errors
/// When an option does not apply to a cluster that exists.
fn targets(arguments: &Run, kubernetes: Option<&Version>) -> Result<Vec<TargetSpec>, CliError> {
    let source = &arguments.source;
    let Some(existing) = arguments.in_existing.spec(&arguments.existing) else {
        let targets = arguments.selection.targets();
        let ray = own_ray(&arguments.own_ray, &arguments.selection.releases, &targets)?;
        let kind = KindSpec {
            nodes: arguments.size.nodes,
            keep: arguments.keep,
            ray,
            ..kind(&arguments.engine, source)
        };
        let envtest = EnvtestSpec {
            kubernetes: kubernetes.cloned(),
            ..source.envtest()
        };
        return Ok(targets.specs(&envtest, &kind));
    };
    let mut problem = None;
    if arguments
        .selection
        .targets
        .as_ref()
        .is_some_and(|targets| targets.0 != [OwnTarget::Kind])
    {
        problem = Some("envtest needs no cluster: leave --context out for it");
    }
    if arguments.selection.upgrades {
        problem =
            Some("--upgrades replaces the operator, which is not done in a cluster that exists");
    }
    if !arguments.selection.releases.pairs.is_empty() {
        problem = Some(
            "a cluster that exists has one operator: leave --pair out, and name Ray's release with --ray",
        );
    }
    if arguments.size.nodes.is_some() {
        problem = Some("--nodes applies only to a cluster that the harness creates");
    }
    if arguments.own_ray.ray_wheel.is_some() {
        problem = Some(
            "--ray-wheel applies only to a cluster that the harness creates; name an image with --ray-image",
        );
    }
    match problem {
        Some(problem) => Err(CliError::bad_use(problem)),
        None => Ok(vec![TargetSpec::Existing(ExistingSpec {
            source: source.artifacts.source(),
            operator: source.custom_operator(),
            ray_image: arguments.own_ray.ray_image.clone(),
            keep: arguments.keep,
            ..existing
        })]),
    }
}

/// Where Ray's image on kind comes from.
///
/// # Errors
/// When no container of Ray would run, or nothing says which release a Ray of the user's own is
/// compared with.
pub(super) fn own_ray(
    own: &OwnRay,
    releases: &ReleaseArguments,
    targets: &Targets,
) -> Result<RaySource, CliError> {
    let source = own.source();
    if source == RaySource::Release {
        return Ok(source);
    }
    if !targets.0.contains(&OwnTarget::Kind) {
        return Err(CliError::bad_use(
            "--ray-image and --ray-wheel are for --target kind: no container runs on envtest",
        ));
    }
    if releases.ray.is_none() {
        return Err(CliError::bad_use(
            "--ray-image and --ray-wheel need --ray: the release that this Ray is compared with",
        ));
    }
    Ok(source)
}

/// The kind cluster of the arguments.
pub(super) fn kind(engine: &EngineArguments, source: &OperatorSource) -> KindSpec {
    KindSpec {
        source: source.artifacts.source(),
        engine: engine.engine.map(Into::into),
        cluster: engine.cluster.clone(),
        operator: source.custom_operator(),
        ..KindSpec::default()
    }
}
