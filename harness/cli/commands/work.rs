//! Work of commands that takes long: the runtime, progress and Ctrl-C, and the result that is
//! printed at its end.

use std::io::IsTerminal as _;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{colour, environment_variable};
use crate::console;
use crate::exit::CliError;
use crate::expect::pending_allowed;
use crate::interrupt;
use crate::provider::TargetError;
use crate::report::{self, Progress, Redacted, Redactor, RunResult, StatusLevel, Strictness};
use crate::runner::RunError;

/// Does work as [`block_with`] does, with the progress that is reported by default.
pub(super) fn block(
    work: impl AsyncFnOnce(Arc<dyn Progress>, CancellationToken) -> Result<u8, RunError>,
) -> Result<u8, CliError> {
    block_with(StatusLevel::default(), async |progress, cancel| {
        Ok(work(progress, cancel).await?)
    })
}

/// Does work that takes long, with progress on standard error and a token that the first Ctrl-C
/// cancels.
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
        let progress: Arc<dyn Progress> = Arc::new(Redacted::new(progress, Redactor::of_process()));
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
            () = cancel.cancelled() => Err(TargetError::Interrupted.into()),
            done = work(progress) => done,
        }
    })
}

/// Prints what a run found, and gives it to GitHub Actions inside of it.
///
/// # Errors
/// When the job's summary can't be written; all that is printed is printed before.
pub(super) fn show(result: &RunResult) -> Result<(), CliError> {
    let text = report::render_text(result, colour());
    let text = text.trim_end();
    // Inside GitHub Actions a container's log must not be able to give the runner commands.
    if environment_variable("GITHUB_ACTIONS").is_some() {
        console::line(&report::github::without_commands(text));
    } else {
        console::line(text);
    }
    for line in report::github::annotations(result, &environment_variable) {
        console::line(&line);
    }
    Ok(report::github::write_summary(
        result,
        &environment_variable,
    )?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_run_fails_for_every_reason() {
        let expected = Strictness {
            provisional: true,
            flaky: true,
            no_capacity: true,
            unavailable: true,
        };
        assert_eq!(strictness(true), expected);
    }
}
