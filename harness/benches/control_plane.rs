//! What envtest costs: whole runs, one scenario, exploration; time, CPU and memory of each program.
//!
//! `cargo bench --profile dev --bench control_plane` (most of the time is that of programs that are
//! not ours). Words after `--` select parts by their names. It has a folder of its own for what
//! runs, and shares only programs with the cache.

#[path = "processes.rs"]
mod processes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::Pins;

/// How often processes are looked at; the last look is what is told.
const INTERVAL: Duration = Duration::from_millis(50);
/// Cases of one exploration for each release.
const CASES: usize = 1000;
/// One scenario that every release has.
const ONE: &str = "default-command";

type Failed = Box<dyn std::error::Error>;

/// What the processes of one kind have used.
#[derive(Default)]
struct Use {
    /// CPU seconds by process.
    cpu: BTreeMap<u32, f64>,
    /// The largest sum of resident memory that was seen, in MiB.
    memory: u64,
}

/// What one part took.
struct Took {
    seconds: f64,
    uses: BTreeMap<String, Use>,
    output: String,
}

struct Bench {
    cache: PathBuf,
    output: PathBuf,
    selected: Vec<String>,
}

fn main() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let cache = processes::cache_of_its_own(folder.path())?;
    // cargo itself adds `--bench`.
    let selected = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let output = folder.path().join("output");
    let bench = Bench {
        cache,
        output,
        selected,
    };
    println!("| what | wall s | harness | operators | API servers | etcd | |");
    println!("|---|---|---|---|---|---|---|");
    bench.runs()?;
    bench.jobs()?;
    bench.explorations()?;
    bench.crds()
}

impl Bench {
    fn runs(&self) -> Result<(), Failed> {
        let run = ["run", "--target", "envtest"];
        self.part(
            "matrix: all scenarios, all releases",
            &[&run[..], &["--operator", "all"]].concat(),
        )?;
        self.part("newest: all scenarios, one release", &run)?;
        self.part(
            "one: one scenario, one release",
            &[&run[..], &[ONE]].concat(),
        )?;
        if self.is_selected("daemon") {
            self.take(&["cluster", "up", "--target", "envtest"])?;
            let attached = self.part(
                "daemon: one scenario, attached",
                &[&run[..], &[ONE]].concat(),
            );
            self.take(&["cluster", "down", "--target", "envtest"])?;
            attached?;
        }
        Ok(())
    }

    fn jobs(&self) -> Result<(), Failed> {
        for jobs in ["2", "4", "8", "16", "32", "64"] {
            let run = ["run", "--target", "envtest", "--jobs", jobs];
            self.part(&format!("jobs: {jobs} at once, one release"), &run)?;
        }
        Ok(())
    }

    /// What stored CRDs save: one scenario without them, and again with those that it has stored.
    fn crds(&self) -> Result<(), Failed> {
        if self.is_selected("crds") {
            let stored = self.cache.join("stored-crds");
            if stored.exists() {
                std::fs::remove_file(stored)?;
            }
        }
        for crds in ["created anew", "stored"] {
            let run = ["run", "--target", "envtest", ONE];
            self.part(&format!("crds: {crds}, one scenario"), &run)?;
        }
        Ok(())
    }

    fn explorations(&self) -> Result<(), Failed> {
        let cases = CASES.to_string();
        let fuzz = ["fuzz", "--seed", "1", "--cases", &cases];
        for release in Pins::embedded().operators.matrix {
            let release = release.to_string();
            let arguments = [&fuzz[..], &["--operator", &release]].concat();
            self.part(&format!("fuzz: {release}"), &arguments)?;
        }
        for jobs in ["1", "4", "8", "16", "24", "48"] {
            let arguments = [&fuzz[..], &["--jobs", jobs]].concat();
            self.part(
                &format!("fuzz-jobs: newest release, {jobs} at once"),
                &arguments,
            )?;
        }
        self.part(
            "fuzz-all: all releases side by side",
            &[&fuzz[..], &["--operator", "all"]].concat(),
        )
    }

    fn is_selected(&self, name: &str) -> bool {
        self.selected.is_empty()
            || self
                .selected
                .iter()
                .any(|word| name.starts_with(word.as_str()))
    }

    /// Measures one use of the program and prints its row.
    fn part(&self, name: &str, arguments: &[&str]) -> Result<(), Failed> {
        if !self.is_selected(name) {
            return Ok(());
        }
        let took = self.take(arguments)?;
        let used = |kind: &str| {
            took.uses.get(kind).map_or_else(
                || "-".to_owned(),
                |one| format!("{:.1} s, {} MiB", one.cpu.values().sum::<f64>(), one.memory),
            )
        };
        let [harness, operators, servers, etcd] =
            ["kuberay-conformance", "manager", "kube-apiserver", "etcd"].map(used);
        println!(
            "| {name} | {:.1} | {harness} | {operators} | {servers} | {etcd} | {} |",
            took.seconds,
            told(&took.output).join("; ")
        );
        Ok(())
    }

    /// Runs the program to its end, and looks at it and at what it has started meanwhile.
    fn take(&self, arguments: &[&str]) -> Result<Took, Failed> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kuberay-conformance"));
        command
            .args(arguments)
            .env("KUBERAY_CONFORMANCE_CACHE", &self.cache);
        if arguments[0] == "run" {
            command.arg("--output").arg(&self.output);
        }
        let text = tempfile::NamedTempFile::new()?;
        command
            .stdin(Stdio::null())
            .stdout(text.reopen()?)
            .stderr(text.reopen()?);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        let started = Instant::now();
        let mut child = command.spawn()?;
        let mut uses = BTreeMap::new();
        let status = loop {
            look(child.id(), &mut uses);
            if let Some(status) = child.try_wait()? {
                break status;
            }
            std::thread::sleep(INTERVAL);
        };
        let seconds = started.elapsed().as_secs_f64();
        let output = std::fs::read_to_string(text.path())?;
        if !status.success() {
            return Err(format!("{arguments:?} ended with {status}:\n{output}").into());
        }
        Ok(Took {
            seconds,
            uses,
            output,
        })
    }
}

/// What the program says of itself: the line of totals of a run, the rates of an exploration.
fn told(output: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in output.lines() {
        if line.contains(" a minute, seed ") {
            let release = line
                .split(':')
                .next()
                .unwrap_or_default()
                .trim_start_matches("KubeRay ");
            let number = |before: &str| -> Option<f64> {
                line.split(before)
                    .next()?
                    .rsplit([' ', ','])
                    .next()?
                    .parse()
                    .ok()
            };
            if let Some(rate) = number(" a minute") {
                lines.push(format!("{release}: {:.0} cases a second", rate / 60.0));
            }
        } else if line.contains(" passed, ") {
            lines.push(line.trim().to_owned());
        }
    }
    lines
}

/// Adds what a process and its children have used by now.
fn look(parent: u32, uses: &mut BTreeMap<String, Use>) {
    let mut memory: BTreeMap<String, u64> = BTreeMap::new();
    for (id, seen) in processes::with_children(parent) {
        uses.entry(seen.kind.clone())
            .or_default()
            .cpu
            .insert(id, seen.cpu);
        *memory.entry(seen.kind).or_default() += seen.memory;
    }
    for (kind, sum) in memory {
        let one = uses.entry(kind).or_default();
        one.memory = one.memory.max(sum);
    }
}
