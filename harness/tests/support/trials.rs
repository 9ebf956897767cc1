//! Trials of programs that list their tests themselves.

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// A trial that is ignored, with the reason, unless the command line asks for ignored ones: what
/// `#[ignore = "…"]` is to a test.
pub fn ignored<R>(
    name: impl Into<String>,
    reason: &'static str,
    arguments: &Arguments,
    runner: R,
) -> Trial
where
    R: FnOnce() -> Result<Completion, Failed> + Send + 'static,
{
    if arguments.ignored || arguments.include_ignored {
        // The flag alone shows no reason.
        Trial::ignorable_test(name, runner).with_ignored_flag(true)
    } else {
        Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason)))
    }
}
