//! The command line: arguments become calls of the engine, and results become text and an exit code.

mod explain;
mod files;
mod fuzz;
mod job;
mod live;
mod merge;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{self, Arguments, Command, Report};
use crate::console;
use crate::exit::{BAD_USE, ENVIRONMENT, FAILED, PASSED};
use crate::interrupt;
pub use explain::Explain;
pub use fuzz::Fuzz;

/// Runs the command that the process was started with, and says how it ended.
pub fn main() -> ExitCode {
    if let Some(code) = crate::process::supervisor() {
        return code;
    }
    if let Some(code) = crate::target::registry_helper() {
        return code;
    }
    let code = match Arguments::try_parse() {
        Ok(arguments) => command(arguments),
        Err(other) => console::help(&other),
    };
    ExitCode::from(console::finish(code))
}

fn command(arguments: Arguments) -> u8 {
    start_log();
    match arguments.command {
        Command::Lint(folder) => files::lint(&folder),
        Command::Plan(selection) => files::plan(&selection),
        Command::Review(snapshots) => files::review(&snapshots),
        Command::Accept(snapshots) => files::accept(&snapshots),
        Command::Reject(snapshots) => files::reject(&snapshots),
        Command::Docs(folder) => files::docs(&folder),
        Command::Schema { of } => files::schema(of),
        Command::Report(Report::Merge(options)) => merge::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Run(run) => live::run(&run),
        Command::Submit(submit) => job::submit(&submit),
        Command::Collect(collect) => job::collect(&collect),
        Command::Image(image) => job::image(&image),
        Command::Up(stack) => live::up(&stack),
        Command::Down(place) => live::down(&place),
        Command::Status(place) => live::status(&place),
        Command::Keep { .. } => live::keep(),
    }
}

/// Diagnostics for whoever looks for a fault in the harness itself: `KUBERAY_CONFORMANCE_LOG=debug`.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("KUBERAY_CONFORMANCE_LOG").unwrap_or_default();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| RedactedStderr)
        .init();
}

/// Standard error without secrets; each write is a whole line.
struct RedactedStderr;

impl std::io::Write for RedactedStderr {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let (masked, _) = crate::report::Redactor::default().redact_text(&String::from_utf8_lossy(line));
        std::io::Write::write_all(&mut std::io::stderr(), masked.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::Write::flush(&mut std::io::stderr())
    }
}

fn environment_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether what is written to standard output may be coloured.
fn colour() -> bool {
    crate::report::use_colour(console::is_terminal(), &environment_variable)
}
