//! Commands that need a cluster.

use std::io::IsTerminal as _;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{colour, environment_variable, files, job};
use crate::args::{Mirrors, Place, Run, Stack, Targets};
use crate::artifact::Pins;
use crate::console;
use crate::exit::{CliError, ENVIRONMENT, PASSED};
use crate::expect::pending_allowed;
use crate::interrupt;
use crate::report::{
    self, AllReports, Progress, Redacted, Redactor, RunResult, StatusLevel, Strictness,
};
use crate::runner::{self, Options, ROOMY, RunError};
use crate::scenario::TargetKind;

/// Nodes that a cluster has after `cluster up`, unless it is told how many; one that it makes has [`ROOMY`].
const NODES_OF_UP: u32 = 2;

pub(super) fn run(arguments: &Run) -> Result<u8, CliError> {
    arguments.source.mirrors.install()?;
    let selection = &arguments.selection;
    let root = selection.folder.root()?;
    files::names_something(selection, &files::load(&root)?)?;
    let targets = targets(arguments)?;
    let stack = Stack {
        targets,
        releases: selection.releases.clone(),
        source: arguments.source.clone(),
        engine: arguments.engine.clone(),
        size: arguments.size,
        audit: false,
    };
    let stack = stack_options(&stack)?;
    let division = job::division(arguments)?;
    let options = Options {
        existing: arguments.in_existing.options(&arguments.existing),
        scenarios: root.path,
        built_in: root.built_in,
        filter: selection.filter(),
        division,
        // A Pod that takes the place of another goes on where that was.
        resume: arguments.resume || arguments.as_job.job.is_some(),
        output: arguments.output.clone(),
        keep: arguments.keep,
        strict: arguments.strict,
        evidence: arguments.evidence.into(),
        jobs: arguments.jobs.map(usize::from),
        timeout: Some(arguments.timeout),
        command: Some(command_line(std::env::args().skip(1))),
        ..stack
    };
    let level = if arguments.quiet {
        StatusLevel::Quiet
    } else {
        arguments.status_level.into()
    };
    block_with(level, async |progress, cancel| {
        if let Some(job) = &arguments.as_job.job {
            let result =
                runner::run_shard(&options, job, Arc::new(AllReports), progress, cancel).await?;
            show(&result);
            // A Pod is made again when it fails; a scenario that failed is what it was to find out.
            return Ok(if result.interrupted.is_some() {
                ENVIRONMENT
            } else {
                PASSED
            });
        }
        let result = runner::run(&options, Arc::new(AllReports), progress, cancel).await?;
        show(&result);
        Ok(report::exit_code(&result, strictness(options.strict)))
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

/// The targets of a run: in a cluster that exists there is a kubelet, and what needs none is better run without it.
fn targets(arguments: &Run) -> Result<Targets, CliError> {
    if arguments.existing.context.is_none() {
        return Ok(arguments.selection.targets());
    }
    let mut problem = None;
    if arguments
        .selection
        .targets
        .as_ref()
        .is_some_and(|targets| targets.0 != [TargetKind::Kind])
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
        problem = Some(
            "--nodes is for a cluster that is made; one that exists has the nodes that it has",
        );
    }
    match problem {
        Some(problem) => Err(CliError::bad_use(problem)),
        None => Ok(Targets(vec![TargetKind::Kind])),
    }
}

/// What fails a run, with and without `--strict`.
pub(super) fn strictness(strict: bool) -> Strictness {
    Strictness {
        provisional: strict,
        flaky: strict || !pending_allowed(environment_variable("CI").as_deref()),
        no_capacity: strict,
        unavailable: strict,
    }
}

pub(super) fn up(stack: &Stack) -> Result<u8, CliError> {
    stack.source.mirrors.install()?;
    let mut options = stack_options(stack)?;
    // What will run on it is not known; our own scenarios need so many.
    if options.nodes.is_none() {
        (options.nodes, options.roomy) = (Some(NODES_OF_UP), Some(ROOMY));
    }
    options.audit = stack.audit;
    block(async |progress, cancel| {
        print_lines!("{}", runner::up(&options, progress, cancel).await?);
        Ok(PASSED)
    })
}

/// Keeps control planes up in the background of `cluster up`.
pub(super) fn keep() -> Result<u8, CliError> {
    // Those of `cluster up`, which the environment holds.
    Mirrors::default().install()?;
    block(async |progress, cancel| {
        runner::daemon::keep(progress, cancel).await?;
        Ok(PASSED)
    })
}

pub(super) fn down(place: &Place) -> Result<u8, CliError> {
    let options = place_options(place);
    block_until_cancelled(async |progress| {
        print_lines!("{}", runner::down(&options, progress).await?);
        Ok(PASSED)
    })
}

pub(super) fn status(place: &Place) -> Result<u8, CliError> {
    let options = place_options(place);
    block_until_cancelled(async |progress| {
        print_lines!("{}", runner::status(&options, progress).await?);
        Ok(PASSED)
    })
}

/// Options with the default releases.
pub(super) fn defaults() -> Options {
    let pins = Pins::embedded();
    Options::new(pins.defaults.operator, pins.defaults.ray)
}

fn place_options(place: &Place) -> Options {
    Options {
        existing: place.existing.options(),
        targets: place.targets.0.clone(),
        engine: place.engine.engine.map(Into::into),
        cluster: place.engine.cluster.clone(),
        ..defaults()
    }
}

fn stack_options(stack: &Stack) -> Result<Options, CliError> {
    let mut options = files::releases(&stack.releases, &stack.targets)?;
    options.engine = stack.engine.engine.map(Into::into);
    options.cluster.clone_from(&stack.engine.cluster);
    options.nodes = stack.size.nodes;
    options.source = stack.source.artifacts.into();
    options
        .operator_image
        .clone_from(&stack.source.operator_image);
    options
        .operator_binary
        .clone_from(&stack.source.operator_binary);
    options.crds.clone_from(&stack.source.crds);
    options.manifests = stack.source.manifests();
    Ok(options)
}

pub(super) fn block(
    work: impl AsyncFnOnce(Arc<dyn Progress>, CancellationToken) -> Result<u8, RunError>,
) -> Result<u8, CliError> {
    block_with(StatusLevel::default(), async |progress, cancel| {
        Ok(work(progress, cancel).await?)
    })
}

/// Does work that takes long, with progress on standard error and a token that the first Ctrl-C cancels.
pub(super) fn block_with<T>(
    level: StatusLevel,
    work: impl AsyncFnOnce(Arc<dyn Progress>, CancellationToken) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| CliError::Environment(format!("failed to start the runtime: {error}")))?;
    runtime.block_on(async {
        let in_ci = environment_variable("CI").is_some();
        let progress = report::progress(std::io::stderr().is_terminal(), in_ci, level);
        // It knows no cluster's Secrets yet; a run learns them.
        let progress: Arc<dyn Progress> = Arc::new(Redacted::new(progress, Redactor::default()));
        let cancel = interrupt::token();
        work(progress, cancel).await
    })
}

/// As [`block`], for work that the first Ctrl-C may end wherever it is, because it can be repeated.
pub(super) fn block_until_cancelled(
    work: impl AsyncFnOnce(Arc<dyn Progress>) -> Result<u8, RunError>,
) -> Result<u8, CliError> {
    block(async move |progress, cancel| {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(RunError::Interrupted),
            done = work(progress) => done,
        }
    })
}

/// Prints what a run found, and gives it to GitHub Actions inside of it.
pub(super) fn show(result: &RunResult) {
    let text = report::render_text(result, colour());
    let text = text.trim_end();
    // Inside GitHub Actions a container's log must not be able to give the runner commands.
    if environment_variable("GITHUB_ACTIONS").is_some() {
        console::line(&report::github::without_commands(text));
    } else {
        console::line(text);
    }
    match report::github::publish(result, &environment_variable) {
        Ok(annotations) => annotations.iter().for_each(|line| console::line(line)),
        Err(error) => print_problem!("warning: {error}"),
    }
}
