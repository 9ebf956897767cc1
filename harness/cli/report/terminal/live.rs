//! Live lines on a terminal: a total, and as many tasks as fit.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::super::text::{Paint, clean, one_line};
use super::{StatusLevel, Tally, after, lock};
use crate::report::{Outcome, Progress};
use crate::visible;

/// How often a live line is drawn anew.
const TICK: Duration = Duration::from_millis(200);
/// Lines of a terminal whose size is not known.
const USUAL_ROWS: usize = 24;
/// Lines that stay for results above the live ones.
const LEFT_FREE: usize = 4;

/// One live line for each running task as far as they fit, and one with the total; a finished task
/// leaves a line above.
pub struct Live {
    lines: MultiProgress,
    paint: Paint,
    level: StatusLevel,
    pub(super) state: Mutex<LiveState>,
}

#[derive(Default)]
pub(super) struct LiveState {
    /// Tasks in the order in which they began.
    pub(super) tasks: Vec<Task>,
    tally: Tally,
    total: Option<ProgressBar>,
}

pub(super) struct Task {
    name: String,
    shown: String,
    message: String,
    began: Instant,
    line: Option<ProgressBar>,
}

impl Task {
    fn draw(&self) {
        if let Some(line) = &self.line {
            line.set_message(format!("{}{}", self.shown, after(&self.message)));
        }
    }
}

impl Live {
    /// Draws with `lines`, in colours or not.
    pub fn new(lines: MultiProgress, colour: bool, level: StatusLevel) -> Self {
        Self {
            lines,
            paint: Paint::new(colour),
            level,
            state: Mutex::default(),
        }
    }

    fn print(&self, text: &str) {
        // Nothing can be done about a terminal that is gone.
        _ = self.lines.println(text);
    }

    fn bar(&self, above: Option<&ProgressBar>, template: &str) -> ProgressBar {
        let bar = ProgressBar::new_spinner();
        let line = match above {
            Some(total) => self.lines.insert_before(total, bar),
            None => self.lines.add(bar),
        };
        // The message is cut where the line ends.
        if let Ok(style) = ProgressStyle::with_template(template) {
            line.set_style(style);
        }
        line.enable_steady_tick(TICK);
        line
    }

    /// Gives a line to each task that fits.
    fn fill(&self, state: &mut LiveState) {
        let mut free = rows().saturating_sub(LEFT_FREE).max(1);
        let total = state.total.clone();
        for task in &mut state.tasks {
            if free == 0 {
                break;
            }
            free -= 1;
            if task.line.is_none() {
                let line = self.bar(total.as_ref(), "{spinner} {elapsed:>4} {wide_msg}");
                task.line = Some(line.with_elapsed(task.began.elapsed()));
                task.draw();
            }
        }
        if let Some(total) = &total {
            let running = state
                .tasks
                .iter()
                .filter(|task| state.tally.ids.short(&task.name).is_some());
            total.set_message(format!(
                "{}, {} running",
                state.tally.sentence(),
                running.count()
            ));
        }
    }
}

fn rows() -> usize {
    rustix::termios::tcgetwinsize(std::io::stderr())
        .map_or(USUAL_ROWS, |size| usize::from(size.ws_row))
}

impl Progress for Live {
    fn cases(&self, ids: &[String]) {
        let mut state = lock(&self.state);
        state.tally = Tally::of(ids);
        if self.level > StatusLevel::Quiet {
            state.total = Some(self.bar(None, "  {elapsed:>4} {wide_msg}"));
            self.fill(&mut state);
        }
    }

    fn update(&self, task: &str, message: &str) {
        if self.level == StatusLevel::Quiet {
            return;
        }
        let mut state = lock(&self.state);
        let message = one_line(message);
        if let Some(known) = state.tasks.iter_mut().find(|known| known.name == task) {
            known.message = message;
            known.draw();
            return;
        }
        let shown = state.tally.ids.short(task).unwrap_or(task);
        let shown = self.paint.bold(&one_line(shown));
        state.tasks.push(Task {
            name: task.into(),
            shown,
            message,
            began: Instant::now(),
            line: None,
        });
        self.fill(&mut state);
    }

    fn finish(&self, task: &str, outcome: Outcome, message: &str) {
        let mut state = lock(&self.state);
        let at = state.tasks.iter().position(|known| known.name == task);
        let finished = at.map(|at| state.tasks.remove(at));
        let elapsed = finished
            .as_ref()
            .map_or(Duration::ZERO, |task| task.began.elapsed());
        if let Some(line) = finished.and_then(|task| task.line) {
            line.finish_and_clear();
            self.lines.remove(&line);
        }
        let short = state.tally.ids.short(task).map(str::to_owned);
        if short.is_some() {
            state.tally.end(outcome);
        }
        self.fill(&mut state);
        drop(state);
        let shown = match &short {
            Some(_) => self.level.shows(outcome),
            None => self.level > StatusLevel::Quiet,
        };
        if shown {
            let word = self.paint.outcome(outcome, 5);
            let (seconds, task) = (
                elapsed.as_secs_f64(),
                one_line(short.as_deref().unwrap_or(task)),
            );
            let message = match outcome {
                Outcome::Passed if short.is_some() => "",
                _ => message,
            };
            self.print(format!("{word} {seconds:>7.1}s  {task}{}", after(message)).trim_end());
        }
    }

    fn line(&self, text: &str) {
        self.print(&visible::marked(&clean(text)));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(total) = lock(&self.state).total.take() {
            total.finish_and_clear();
        }
    }
}
