//! Plain lines for logs and CI.

use std::collections::HashMap;
use std::io::{Stderr, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::super::text::{clean, one_line};
use super::{StatusLevel, Tally, after, lock};
use crate::report::{Outcome, Progress};
use crate::visible;

/// A task that prints nothing prints a line again after this time, so that it is seen to live.
const REMIND: Duration = Duration::from_secs(30);

/// Lines that begin with the seconds since the start, such as `[  12.3s] cluster: creating node`.
pub struct Plain<W: Write + Send = Stderr> {
    pub(super) start: Instant,
    level: StatusLevel,
    pub(super) state: Mutex<PlainState<W>>,
}

pub(super) struct PlainState<W> {
    pub(super) writer: W,
    tally: Tally,
    tasks: HashMap<String, Task>,
}

struct Task {
    began: Instant,
    written: Instant,
    message: String,
}

/// Whether a message says the same as the one before it, or differs from it in whole numbers alone;
/// versions and names are no numbers.
fn counts_on(before: &str, after: &str) -> bool {
    let words = |text: &str| {
        let number = |word: &str| {
            let digits = word.trim_end_matches(',');
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let words = text
            .split(' ')
            .map(|word| if number(word) { "0" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    before == after || words(before) == words(after)
}

impl<W: Write + Send> Plain<W> {
    /// Writes to `writer`; the time counts from now.
    pub fn new(writer: W, level: StatusLevel) -> Self {
        Self {
            start: Instant::now(),
            level,
            state: Mutex::new(PlainState {
                writer,
                tally: Tally::default(),
                tasks: HashMap::new(),
            }),
        }
    }

    pub(super) fn update_at(&self, now: Instant, task: &str, message: &str) {
        if self.level == StatusLevel::Quiet {
            return;
        }
        let mut state = lock(&self.state);
        let message = one_line(message);
        let known = state.tasks.get(task);
        let short = state.tally.ids.short(task);
        // What a case waits for is of interest where it takes long.
        let only_reminds = short.is_some() && self.level < StatusLevel::All;
        let is_due = match known {
            None => !only_reminds,
            Some(known) if only_reminds || counts_on(&known.message, &message) => {
                now.duration_since(known.written) >= REMIND
            }
            Some(_) => true,
        };
        let (began, written) = known.map_or((now, now), |known| (known.began, known.written));
        let line = format!("{}{}", one_line(short.unwrap_or(task)), after(&message));
        if is_due {
            self.write(&mut state.writer, now, &line);
        }
        let entry = Task {
            began,
            written: if is_due { now } else { written },
            message,
        };
        state.tasks.insert(task.into(), entry);
    }

    pub(super) fn finish_at(&self, now: Instant, task: &str, outcome: Outcome, message: &str) {
        let mut state = lock(&self.state);
        let began = state.tasks.remove(task).map_or(now, |known| known.began);
        let seconds = now.duration_since(began).as_secs_f64();
        let word = outcome.word();
        let short = state.tally.ids.short(task).map(one_line);
        let line = if let Some(short) = short {
            state.tally.end(outcome);
            if !self.level.shows(outcome) {
                return;
            }
            let count = format!("{}/{}", state.tally.done(), state.tally.ids.len());
            let message = match outcome {
                Outcome::Passed => String::new(),
                _ => after(message),
            };
            format!("{word:<5} {count} {short} in {seconds:.1}s{message}")
        } else if self.level == StatusLevel::Quiet {
            return;
        } else {
            format!(
                "{}: {word} in {seconds:.1}s{}",
                one_line(task),
                after(message)
            )
        };
        self.write(&mut state.writer, now, &line);
    }

    fn write(&self, writer: &mut W, now: Instant, text: &str) {
        let seconds = now.duration_since(self.start).as_secs_f64();
        // Nothing can be done about a reader that is gone; the work itself goes on.
        _ = writeln!(writer, "[{seconds:>6.1}s] {text}");
        _ = writer.flush();
    }
}

impl<W: Write + Send> Progress for Plain<W> {
    fn cases(&self, ids: &[String]) {
        lock(&self.state).tally = Tally::of(ids);
    }

    fn update(&self, task: &str, message: &str) {
        self.update_at(Instant::now(), task, message);
    }

    fn finish(&self, task: &str, outcome: Outcome, message: &str) {
        self.finish_at(Instant::now(), task, outcome, message);
    }

    fn line(&self, text: &str) {
        let mut state = lock(&self.state);
        let text = visible::marked(&clean(text));
        self.write(&mut state.writer, Instant::now(), &text);
    }
}
