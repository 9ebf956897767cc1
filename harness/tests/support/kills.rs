//! `kill -9` at random moments of a run, and what its reports may claim then.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use kuberay_conformance::report::{Outcome, RunResult, read_results};
use kuberay_conformance::runner::JournalEntry;
use rustix::process::Signal;

use super::processes::signal;
use super::running::Running;
use super::sandbox::text;

/// How long programs may take to end after the run that started them.
const ENDED_WITHIN: Duration = Duration::from_secs(20);

/// Moments of a run, as parts of its duration; the same seed gives the same ones.
pub struct Moments {
    seed: u64,
    left: usize,
}

impl Moments {
    /// As many as `KUBERAY_CONFORMANCE_KILLS` says, from the seed in `KUBERAY_CONFORMANCE_SEED`.
    /// Prints the seed.
    pub fn new(number: usize) -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let left = variable("KUBERAY_CONFORMANCE_KILLS").map(|text| text.parse().unwrap());
        let seed = variable("KUBERAY_CONFORMANCE_SEED").map(|text| text.parse().unwrap());
        let now = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let seed = seed.unwrap_or_else(now);
        println!("seed {seed}: KUBERAY_CONFORMANCE_SEED={seed} shows the same again");
        Self {
            seed,
            left: left.unwrap_or(number),
        }
    }
}

impl Iterator for Moments {
    type Item = f64;

    /// `SplitMix64` of Steele, Lea and Flood.
    fn next(&mut self) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap();
        Some(f64::from(part) / f64::from(u32::MAX))
    }
}

/// Starts a run and kills it after a while; returns whether it had not ended by then, and all that
/// it said.
pub fn killed(command: Command, after: Duration) -> (bool, String) {
    let mut running = Running::start(command);
    let began = Instant::now();
    while began.elapsed() < after {
        if running.child.try_wait().unwrap().is_some() {
            return (false, running.end().1);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(running.id(), Signal::KILL);
    let (status, said) = running.end();
    (status.code().is_none(), said)
}

/// Waits until no process has this text in its command line.
pub fn processes_end(of: &str) {
    let began = Instant::now();
    loop {
        let left = processes(of);
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < ENDED_WITHIN, "still there: {left:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn processes(of: &str) -> Vec<String> {
    let lines = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = lines.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(of)).collect()
}

/// Cases that a folder's journal shows to have ended well.
fn journalled(output: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(output.join("journal.jsonl")).unwrap_or_default();
    // The first line is about the run, and a kill may have torn the last.
    let entries = text
        .lines()
        .skip(1)
        .filter_map(|line| serde_json::from_str::<JournalEntry>(line).ok());
    let good = entries.filter(|entry| entry.result.outcome.is_good());
    good.map(|entry| entry.result.id).collect()
}

/// Sees that no report of a killed run says more than its journal, and that `merge` does not take
/// it for a whole run unless it is one.
pub fn claims_no_more_than_happened(output: &Path, merge: impl FnOnce() -> Output) {
    let happened = journalled(output);
    if let Ok(text) = std::fs::read_to_string(output.join("junit.xml")) {
        let all = text.matches("<testcase ").count();
        let others = ["<failure", "<error", "<skipped"];
        let others: usize = others.iter().map(|one| text.matches(one).count()).sum();
        assert!(
            all.saturating_sub(others) <= happened.len(),
            "{happened:?}: {text}"
        );
    }
    if let Ok(text) = std::fs::read_to_string(output.join("summary.md")) {
        let passed = text.split_once(" passed").map(|(before, _)| before);
        let number = passed.and_then(|before| before.rsplit([' ', '*', '\n']).next());
        let number: usize = number.and_then(|text| text.parse().ok()).unwrap_or(0);
        assert!(number <= happened.len(), "{happened:?}: {text}");
    }
    let path = output.join("results.json");
    if !path.exists() {
        return;
    }
    let results: RunResult = read_results(&path).unwrap();
    for case in &results.cases {
        assert!(
            !case.outcome.is_good() || happened.contains(&case.id),
            "{} is {:?}, and its journal does not know it",
            case.id,
            case.outcome
        );
    }
    let merged = merge();
    let is_whole = results.interrupted.is_none()
        && results.planned.iter().all(|id| happened.contains(id))
        && results
            .cases
            .iter()
            .all(|case| case.outcome != Outcome::Error);
    assert_eq!(
        merged.status.code(),
        Some(if is_whole { 0 } else { 3 }),
        "{}",
        text(&merged)
    );
}
