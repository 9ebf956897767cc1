//! What commands print: the only place of the program that writes to standard output.
//!
//! A reader that closes its end has seen enough: the rest is dropped, and the exit code stays that
//! of the verdict. Any other failure, such as a full disk, loses results: it is reported, and the
//! process exits with 3. A standard output that is closed from the start is not such a failure:
//! Rust's runtime opens `/dev/null` in its place before `main`.

#![expect(clippy::disallowed_methods, reason = "the one place that prints")]

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exit::{BAD_USE, ENVIRONMENT, PASSED};
use crate::visible;

static STATE: Mutex<OutputState> = Mutex::new(OutputState::Open);

/// What became of standard output.
enum OutputState {
    Open,
    /// The reader has closed its end.
    Ended,
    Failed(io::Error),
}

fn state() -> MutexGuard<'static, OutputState> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints a text to standard output as it is, without colours where that is no terminal.
pub(super) fn text(text: &str) {
    let mut state = state();
    if matches!(*state, OutputState::Open) {
        let mut output = anstream::stdout();
        if let Err(error) = output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush())
        {
            *state = closed(error);
        }
    }
}

/// Prints a line to standard output.
pub(super) fn line(line: &str) {
    text(&format!("{line}\n"));
}

/// Prints a line to standard error. There is no place to report a failure to.
pub(super) fn problem(line: &str) {
    let _ = anstream::stderr().write_all(format!("{line}\n").as_bytes());
}

fn closed(error: io::Error) -> OutputState {
    match error.kind() {
        ErrorKind::BrokenPipe => OutputState::Ended,
        _ => OutputState::Failed(error),
    }
}

pub(super) fn is_terminal() -> bool {
    anstream::stdout().is_terminal()
}

/// Whether nothing that is printed arrives any more.
pub(super) fn has_ended() -> bool {
    !matches!(*state(), OutputState::Open)
}

/// Standard output for code that writes by itself; it hears of failures, too.
pub(super) struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        text(&String::from_utf8_lossy(bytes));
        self.flush().map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if has_ended() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }
}

/// The exit code of the process: that of the command, unless what it printed was lost.
pub(super) fn finish(code: u8) -> u8 {
    match &*state() {
        OutputState::Failed(error) => {
            let help = "free space where it is redirected to, or redirect it elsewhere";
            problem(&format!(
                "error: failed to write to standard output: {error}\n  help: {help}"
            ));
            ENVIRONMENT
        }
        OutputState::Open | OutputState::Ended => code,
    }
}

/// Prints what clap has to say: what was asked for, or what is wrong with the command line.
pub(super) fn help(asked: &clap::Error) -> u8 {
    if asked.use_stderr() {
        // It quotes what was typed, or what a script has put there.
        let shown = asked.render().to_string();
        problem(&visible::lines(shown.trim_end()));
        return BAD_USE;
    }
    text(&asked.render().ansi().to_string());
    PASSED
}
