//! Live progress on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::{Stderr, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::text::{Paint, clean, one_line};
use super::{Outcome, Progress};
use crate::visible;

/// A plain line that only repeats the one before it is written again after this time, so that a long task is seen to
/// live.
const REMIND: Duration = Duration::from_secs(30);

/// How often a live line is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// The form of progress that suits standard error: live lines on a terminal, plain lines elsewhere and in CI.
pub fn progress(stderr_is_terminal: bool, ci: bool) -> Arc<dyn Progress> {
    if stderr_is_terminal && !ci {
        let colour = use_colour(true, &|name| std::env::var(name).ok());
        Arc::new(Live::new(MultiProgress::new(), colour))
    } else {
        Arc::new(Plain::new(std::io::stderr()))
    }
}

/// Whether to write colours: only on a terminal, and not when `NO_COLOR` is set (<https://no-color.org>) or the terminal
/// calls itself `dumb`. `env` looks an environment variable up.
pub fn use_colour(is_terminal: bool, env: &dyn Fn(&str) -> Option<String>) -> bool {
    let refused = env("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env("TERM").is_some_and(|value| value == "dumb");
    is_terminal && !refused && !dumb
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Progress is for people only: a panic elsewhere is no reason to panic here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One live line for each running task; a finished one leaves a line above them.
pub struct Live {
    lines: MultiProgress,
    paint: Paint,
    tasks: Mutex<HashMap<String, ProgressBar>>,
}

impl Live {
    /// Draws with `lines`, in colours or not.
    pub fn new(lines: MultiProgress, colour: bool) -> Self {
        Self {
            lines,
            paint: Paint::new(colour),
            tasks: Mutex::default(),
        }
    }

    fn print(&self, text: &str) {
        // Nothing can be done about a terminal that is gone.
        _ = self.lines.println(text);
    }

    fn start(&self, task: &str) -> ProgressBar {
        let line = self.lines.add(ProgressBar::new_spinner());
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {elapsed:>4} {prefix}: {wide_msg}")
        {
            line.set_style(style);
        }
        line.set_prefix(self.paint.bold(&one_line(task)));
        line.enable_steady_tick(TICK);
        line
    }
}

impl Progress for Live {
    fn update(&self, task: &str, message: &str) {
        let mut tasks = lock(&self.tasks);
        let line = tasks.entry(task.into()).or_insert_with(|| self.start(task));
        line.set_message(one_line(message));
    }

    fn finish(&self, task: &str, outcome: Outcome, message: &str) {
        let finished = lock(&self.tasks).remove(task);
        let elapsed = finished
            .as_ref()
            .map_or(Duration::ZERO, ProgressBar::elapsed);
        if let Some(line) = finished {
            line.finish_and_clear();
            self.lines.remove(&line);
        }
        let word = self.paint.outcome(outcome, 5);
        let (seconds, task) = (elapsed.as_secs_f64(), one_line(task));
        self.print(format!("{word} {seconds:>7.1}s  {task}{}", after(message)).trim_end());
    }

    fn line(&self, text: &str) {
        self.print(&visible::marked(&clean(text)));
    }
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

/// Lines that begin with the seconds since the start, such as `[  12.3s] cluster: creating node`.
pub struct Plain<W: Write + Send = Stderr> {
    start: Instant,
    state: Mutex<PlainState<W>>,
}

struct PlainState<W> {
    writer: W,
    tasks: HashMap<String, PlainTask>,
}

struct PlainTask {
    began: Instant,
    written: Instant,
    message: String,
}

impl<W: Write + Send> Plain<W> {
    /// Writes to `writer`; the time counts from now.
    pub fn new(writer: W) -> Self {
        Self {
            start: Instant::now(),
            state: Mutex::new(PlainState {
                writer,
                tasks: HashMap::new(),
            }),
        }
    }

    fn update_at(&self, now: Instant, task: &str, message: &str) {
        let mut state = lock(&self.state);
        let message = one_line(message);
        let known = state.tasks.get(task);
        if known.is_some_and(|known| {
            known.message == message && now.duration_since(known.written) < REMIND
        }) {
            return;
        }
        let began = known.map_or(now, |known| known.began);
        self.write(
            &mut state.writer,
            now,
            &format!("{}{}", one_line(task), after(&message)),
        );
        let entry = PlainTask {
            began,
            written: now,
            message,
        };
        state.tasks.insert(task.into(), entry);
    }

    fn finish_at(&self, now: Instant, task: &str, outcome: Outcome, message: &str) {
        let mut state = lock(&self.state);
        let began = state.tasks.remove(task).map_or(now, |known| known.began);
        let seconds = now.duration_since(began).as_secs_f64();
        let line = format!(
            "{}: {} in {seconds:.1}s{}",
            one_line(task),
            outcome.word(),
            after(message)
        );
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
    fn update(&self, task: &str, message: &str) {
        self.update_at(Instant::now(), task, message);
    }

    fn finish(&self, task: &str, outcome: Outcome, message: &str) {
        self.finish_at(Instant::now(), task, outcome, message);
    }

    fn line(&self, text: &str) {
        let mut state = lock(&self.state);
        self.write(
            &mut state.writer,
            Instant::now(),
            &visible::marked(&clean(text)),
        );
    }
}

#[cfg(test)]
mod tests;
