//! The duration of each part of a run.

use std::time::Instant;

use crate::results::Phase;

/// Parts of a run that ended, in order.
#[derive(Debug)]
pub(crate) struct Phases {
    began: Instant,
    since: Instant,
    ended: Vec<Phase>,
    /// The subject of the present parts, where a run does the same work several times.
    of: Option<String>,
}

impl Phases {
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        Self {
            began: now,
            since: now,
            ended: Vec::new(),
            of: None,
        }
    }

    /// From now on, parts are of this.
    pub(crate) fn of(&mut self, what: Option<String>) {
        self.of = what;
    }

    /// Ends the phase that began with the last end, and records its duration.
    pub(crate) fn end(&mut self, name: &str) {
        let seconds = self.since.elapsed().as_secs_f64();
        self.ended.push(Phase {
            name: match &self.of {
                Some(what) => format!("{name} of {what}"),
                None => name.into(),
            },
            seconds,
        });
        self.since = Instant::now();
    }

    /// Takes over parts that were timed elsewhere; they took the time since the last end.
    pub(crate) fn add(&mut self, phases: &[Phase]) {
        self.ended.extend_from_slice(phases);
        self.since = Instant::now();
    }

    /// Since the start, in seconds.
    pub(crate) fn total(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    pub(crate) fn into_ended(self) -> Vec<Phase> {
        self.ended
    }
}
