//! The command line: arguments become calls of the engine, and results become text and an exit
//! code.

mod artifacts;
mod check;
mod cluster;
mod compare;
mod completions;
mod config;
mod diff;
mod docs;
mod doctor;
mod explain;
mod files;
mod from_cluster;
mod fuzz;
mod init;
mod input;
mod job;
mod kubernetes;
mod live;
mod merge;
mod programme;
mod reading;
mod rehearse;
mod review;
mod secrets;
mod settings;
mod supply;
mod work;

use std::process::ExitCode;

use clap::{Args as _, FromArgMatches as _, Parser as _};

use crate::args::{
    Arguments, ArtifactsCommand, Cluster, Command, Doctor, Job, ReportCommand, Scenarios,
    SnapshotCommand,
};
use crate::console;
use crate::exit::CliError;
use crate::report::Redactor;

/// Runs the command that the process was started with, and says how it ended.
pub fn main() -> ExitCode {
    if let Some(code) = crate::process::supervisor() {
        return code;
    }
    if let Some(code) = crate::target::registry_helper() {
        return code;
    }
    ended(Arguments::try_parse())
}

/// Runs `doctor` with the arguments of the process, as the plugin `kubectl ray doctor`.
pub fn doctor_plugin() -> ExitCode {
    let plugin = clap::Command::new("kubectl-ray-doctor")
        .bin_name("kubectl ray doctor")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Find what is wrong with the Ray Pods of a cluster; only reads")
        .max_term_width(100);
    let matches = Doctor::augment_args(plugin).try_get_matches();
    let doctor = matches.and_then(|matches| Doctor::from_arg_matches(&matches));
    ended(doctor.map(|doctor| Arguments {
        command: Command::Doctor(Box::new(doctor)),
    }))
}

fn ended(arguments: Result<Arguments, clap::Error>) -> ExitCode {
    let code = match arguments {
        Ok(arguments) => command(arguments).unwrap_or_else(|error| report(&error)),
        Err(other) => console::help(&other),
    };
    ExitCode::from(console::finish(code))
}

fn command(arguments: Arguments) -> Result<u8, CliError> {
    start_log();
    match arguments.command {
        Command::Run(run) => live::run(&run),
        Command::Plan(selection) => files::plan(&selection),
        Command::Explain(options) => explain::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Rehearse(options) => rehearse::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Diff(options) => diff::run(&options),
        Command::Scenario(Scenarios::List(folder)) => files::list(&folder),
        Command::Scenario(Scenarios::Lint(folder)) => files::lint(&folder),
        Command::Scenario(Scenarios::Init(init)) => init::run(&init),
        Command::Cluster(Cluster::Up(stack)) => cluster::up(&stack),
        Command::Cluster(Cluster::Down(place)) => cluster::down(&place),
        Command::Cluster(Cluster::Status(place)) => cluster::status(&place),
        Command::Snapshot(SnapshotCommand::Review(snapshots)) => files::review(&snapshots),
        Command::Snapshot(SnapshotCommand::Accept(snapshots)) => files::accept(&snapshots),
        Command::Snapshot(SnapshotCommand::Reject(snapshots)) => files::reject(&snapshots),
        Command::Report(ReportCommand::Merge(options)) => merge::run(&options),
        Command::Report(ReportCommand::Compare(options)) => compare::run(&options),
        Command::Report(ReportCommand::Publish(options)) => programme::publish(&options),
        Command::Report(ReportCommand::Verify(options)) => programme::verify(&options),
        Command::Job(Job::Submit(submit)) => job::submit(&submit),
        Command::Job(Job::Collect(collect)) => job::collect(&collect),
        Command::Job(Job::Image(image)) => job::image(&image),
        Command::Artifacts(ArtifactsCommand::List(list)) => artifacts::list(&list),
        Command::Artifacts(ArtifactsCommand::Prune(prune)) => artifacts::prune(&prune),
        Command::Artifacts(ArtifactsCommand::Lock(lock)) => artifacts::lock(&lock),
        Command::Docs(options) => docs::run(&options),
        Command::Schema { of } => docs::schema(of),
        Command::Completions { shell } => Ok(completions::print(shell)),
        Command::Man { folder } => completions::man(&folder),
        Command::Daemon { .. } => cluster::keep(),
    }
}

/// Prints why a command failed, and returns its exit code.
fn report(error: &CliError) -> u8 {
    match error {
        CliError::Files(problems) => problems.iter().for_each(files::show),
        error => error
            .messages()
            .iter()
            .for_each(|message| print_problem!("{message}")),
    }
    error.exit_code()
}

/// Starts the log of the harness's own work, which `KUBERAY_CONFORMANCE_LOG=debug` turns on.
fn start_log() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("KUBERAY_CONFORMANCE_LOG").unwrap_or_default();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| RedactedStderr)
        .init();
}

/// Standard error without secrets; each write is a whole line.
struct RedactedStderr;

impl std::io::Write for RedactedStderr {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let masked = masked(&String::from_utf8_lossy(line));
        std::io::Write::write_all(&mut std::io::stderr(), masked.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::Write::flush(&mut std::io::stderr())
    }
}

/// A line of the log without what a run of this process knows to be secret.
fn masked(line: &str) -> String {
    Redactor::of_process().redact_text(line).0
}

/// What no text about manifests considers; it follows the line that counts the findings.
const OUT_OF_SCOPE: &str =
    "not considered: mutating webhooks, quotas and admission policies of a cluster\n";

fn environment_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether what is written to standard output may be coloured.
fn colour() -> bool {
    crate::report::use_colour(console::is_terminal(), &environment_variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The API server quotes a value without its name, and kube and hyper log what it answers.
    #[test]
    fn the_log_masks_what_a_run_has_learned() {
        let object =
            serde_json::json!({"kind": "Secret", "stringData": {"word": "c4n4ry-V4lue-log"}});
        Redactor::of_process().learn(&object);
        let line = masked("DEBUG hyper: answer: the value c4n4ry-V4lue-log is not valid");
        assert!(!line.contains("c4n4ry"), "{line}");
        assert!(line.contains("is not valid"), "{line}");
    }
}
