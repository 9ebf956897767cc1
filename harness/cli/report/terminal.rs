//! Live progress on a terminal, plain lines elsewhere.

mod live;
mod plain;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::MultiProgress;

pub use live::Live;
pub use plain::Plain;

use super::ids::Ids;
use super::text::one_line;
use super::{Outcome, Progress};

/// Which results are printed as cases end. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum StatusLevel {
    /// None, and no progress of other work.
    Quiet,
    /// None.
    None,
    /// Cases that did not pass.
    Fail,
    /// Every case.
    #[default]
    Pass,
    /// Every case, and each change in what a case waits for.
    All,
}

impl StatusLevel {
    fn shows(self, outcome: Outcome) -> bool {
        let least = match outcome {
            Outcome::Passed | Outcome::Skipped => Self::Pass,
            Outcome::Failed | Outcome::Error | Outcome::Flaky | Outcome::New => Self::Fail,
        };
        self >= least
    }
}

/// The form of progress that suits standard error: live lines on a terminal, plain lines elsewhere
/// and in CI.
pub fn progress(stderr_is_terminal: bool, ci: bool, level: StatusLevel) -> Arc<dyn Progress> {
    if stderr_is_terminal && !ci {
        let colour = use_colour(true, &|name| std::env::var(name).ok());
        Arc::new(Live::new(MultiProgress::new(), colour, level))
    } else {
        Arc::new(Plain::new(std::io::stderr(), level))
    }
}

/// Whether to write colours: only on a terminal, and not when `NO_COLOR` is set
/// (<https://no-color.org>) or the terminal calls itself `dumb`. `env` looks an environment
/// variable up.
pub fn use_colour(is_terminal: bool, env: &dyn Fn(&str) -> Option<String>) -> bool {
    let refused = env("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env("TERM").is_some_and(|value| value == "dumb");
    is_terminal && !refused && !dumb
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Progress is for people only: a panic elsewhere is no reason to panic here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `: message`, or nothing where there is none.
fn after(message: &str) -> String {
    let message = one_line(message);
    if message.is_empty() {
        message
    } else {
        format!(": {message}")
    }
}

/// The cases of a run and how many of them have ended.
#[derive(Debug, Default)]
struct Tally {
    ids: Ids,
    ended: HashMap<&'static str, usize>,
}

impl Tally {
    fn of(ids: &[String]) -> Self {
        Self {
            ids: Ids::new(ids),
            ended: HashMap::new(),
        }
    }

    /// Counts the end of a case.
    fn end(&mut self, outcome: Outcome) {
        *self.ended.entry(outcome.word()).or_default() += 1;
    }

    fn done(&self) -> usize {
        self.ended.values().sum()
    }

    /// Such as `12/85 done, 1 FAIL`.
    fn sentence(&self) -> String {
        let mut text = format!("{}/{} done", self.done(), self.ids.len());
        for outcome in [
            Outcome::Failed,
            Outcome::Error,
            Outcome::New,
            Outcome::Flaky,
        ] {
            if let Some(count) = self.ended.get(outcome.word()) {
                text.push_str(&format!(", {count} {}", outcome.word()));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
