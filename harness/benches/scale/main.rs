//! How much an API server, an operator and the harness take at once: N `RayCluster`s created as
//! fast as the API server takes them, and N cases of one scenario through the engine.
//!
//! `cargo bench --bench scale`. Words after `--` are a release of the operator (the newest pinned
//! one when absent), numbers of clusters and cases, and beginnings of the names of parts. Each
//! measurement is a process of its own, with an etcd, an API server and an operator of its own, so
//! that peaks of memory are its alone. docs/benchmarks.md has the results.

mod cases;
mod clusters;
#[path = "../processes.rs"]
mod processes;
mod usage;

use std::process::{Command, ExitCode, Stdio};

use kuberay_conformance::artifact::Pins;
use kuberay_conformance::process::supervisor;
use semver::Version;

/// The first argument of a process that makes one measurement.
const ONE: &str = "one-measurement";
const NUMBERS: [usize; 3] = [50, 200, 1000];

type Failed = Box<dyn std::error::Error>;

/// What is measured, and the flags that its operator gets after the target's own.
const PARTS: [(&str, &[&str]); 4] = [
    ("clusters-target", &[]),
    // What the program itself and the chart of 1.6 take where nobody says otherwise.
    ("clusters-default", &["--qps=100", "--burst=200"]),
    // What a user can do about it.
    ("clusters-concurrent", &["--reconcile-concurrency=8"]),
    (CASES, &[]),
];
const CASES: &str = "cases";

fn main() -> ExitCode {
    if let Some(code) = supervisor() {
        return code;
    }
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let done = match words.split_first() {
        Some((first, rest)) if first == ONE => one(rest),
        _ => all(&words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what the words select, one after the other.
fn all(words: &[String]) -> Result<(), Failed> {
    let (mut release, mut numbers, mut names) = (None, Vec::new(), Vec::new());
    for word in words {
        if let Ok(number) = word.parse::<usize>() {
            numbers.push(number);
        } else if let Ok(version) = word.parse::<Version>() {
            release = Some(version);
        } else {
            names.push(word);
        }
    }
    if numbers.is_empty() {
        numbers.extend(NUMBERS);
    }
    let release = match release {
        Some(release) => release,
        None => Pins::embedded()
            .operators
            .matrix
            .into_iter()
            .max()
            .ok_or("no release is pinned")?,
    };
    let mut selected = PARTS.map(|(part, _)| part).to_vec();
    selected.retain(|part| {
        names.is_empty() || names.iter().any(|name| part.starts_with(name.as_str()))
    });
    if selected.is_empty() {
        return Err(format!(
            "no part begins with {names:?}; there are {:?}",
            PARTS.map(|(part, _)| part)
        )
        .into());
    }
    println!("KubeRay {release}");
    for (is_cases, head) in [(false, clusters::HEAD), (true, cases::HEAD)] {
        let of_this_kind: Vec<_> = selected
            .iter()
            .filter(|part| (**part == CASES) == is_cases)
            .collect();
        if of_this_kind.is_empty() {
            continue;
        }
        let columns = head.matches('|').count() - 1;
        println!("\n{head}\n|{}", "---|".repeat(columns));
        for part in of_this_kind {
            for number in &numbers {
                start(part, &release, *number)?;
            }
        }
    }
    Ok(())
}

/// Makes one measurement in a process of its own, which prints its row.
fn start(part: &str, release: &Version, number: usize) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let cache = processes::cache_of_its_own(folder.path())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([ONE, part, &release.to_string(), &number.to_string()]);
    command.arg(folder.path());
    command
        .env("KUBERAY_CONFORMANCE_CACHE", &cache)
        .stdin(Stdio::null());
    let status = command.status()?;
    if !status.success() {
        return Err(format!("{part} with {number} ended with {status}").into());
    }
    Ok(())
}

fn one(words: &[String]) -> Result<(), Failed> {
    let [part, release, number, folder] = words else {
        return Err(format!("{ONE} needs a part, a release, a number and a folder").into());
    };
    let (release, number): (Version, usize) = (release.parse()?, number.parse()?);
    let (_, flags) = PARTS
        .iter()
        .find(|(name, _)| name == part)
        .ok_or("no such part")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let row = runtime.block_on(async {
        match part.as_str() {
            CASES => cases::measure(&release, number, folder.as_ref()).await,
            _ => clusters::measure(part, flags, &release, number).await,
        }
    })?;
    println!("{row}");
    Ok(())
}
