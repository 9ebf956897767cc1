//! Programs of envtest that end too early, and runs that do: each is reported, and nothing is left.
//!
//! They start API servers of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kuberay_conformance::report::RunResult;
use rstest::rstest;
use rustix::process::Signal;

use crate::support::copies::replaced;
use crate::support::own_cache::own_cache;
use crate::support::processes::{children, signal};
use crate::support::running::{PATIENCE, Running};
use crate::support::{exclusive, program, scenarios};

/// Waits for a worker that the manifest does not ask for.
const SCENARIO: &str = "\
apiVersion: kuberay-conformance/v1beta1
kind: Scenario
metadata: {name: waits}
spec:
  description: It waits for a worker that never comes.
  rules: [C01]
  manifests: [raycluster.yaml]
  timeout: LIMIT
  checks:
    - pod: {role: worker, snapshot: [args]}
";

/// A run under way, and a cache folder of its own that shares only the programs.
struct Run {
    running: Running,
    cache: PathBuf,
}

/// Writes a scenario that waits for what never comes, with this name and this limit, below
/// `scenarios` in a folder.
pub fn waits(folder: &Path, name: &str, limit: &str) {
    let scenario = folder.join("scenarios").join(name);
    std::fs::create_dir_all(&scenario).unwrap();
    let text = SCENARIO.replace("name: waits", &format!("name: {name}"));
    let text = text.replace("LIMIT", limit);
    std::fs::write(scenario.join("scenario.yaml"), text).unwrap();
    let manifest = scenarios().join("default-command/raycluster.yaml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    // The group is there, so that its Pod may come, and it has none.
    let manifest = replaced(&manifest, "      replicas: 1\n", "      replicas: 0\n");
    std::fs::write(scenario.join("raycluster.yaml"), manifest).unwrap();
}

fn command(folder: &Path) -> Command {
    waits(folder, "waits", "10m");
    let mut command = program();
    command.args([
        "run",
        "--target",
        "envtest",
        "--operator",
        "1.6.2",
        "--scenarios",
    ]);
    command
        .arg(folder.join("scenarios"))
        .arg("--output")
        .arg(folder.join("output"));
    command.env("KUBERAY_CONFORMANCE_CACHE", own_cache(folder));
    command
}

impl Run {
    /// Returns when the case waits for what never comes.
    fn start(folder: &Path) -> Self {
        let mut running = Running::start(command(folder));
        running.until("0/1 checks");
        Self {
            running,
            cache: folder.join("cache"),
        }
    }

    fn id(&self) -> u32 {
        self.running.id()
    }

    /// Its exit code, and all that it said.
    fn end(self) -> (Option<i32>, String) {
        let (status, said) = self.running.end();
        (status.code(), said)
    }

    /// Folders of API servers that are there.
    fn folders(&self) -> Vec<PathBuf> {
        folders(&self.cache)
    }
}

fn folders(cache: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cache.join("envtest")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Waits until processes are gone, but not forever.
fn gone(ids: &[u32]) {
    let started = Instant::now();
    let lives = |id: &u32| {
        std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    while ids.iter().any(lives) {
        assert!(started.elapsed() < PATIENCE, "still there: {ids:?}");
        std::thread::yield_now();
    }
}

#[rstest]
#[case("etcd", "etcd (process ")]
#[case("kube-apiserver", "kube-apiserver of 1.6.2 (process ")]
#[case("manager", "operator 1.6.2 (process ")]
#[ignore = "needs envtest"]
fn a_program_that_ends_in_the_middle_of_a_run_ends_it_with_the_cause(
    #[case] killed: &str,
    #[case] named: &str,
) {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let run = Run::start(folder.path());
    let programs = children(run.id());
    let mut names: Vec<_> = programs.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["etcd", "kube-apiserver", "manager"]);
    let (id, _) = programs.iter().find(|(_, name)| name == killed).unwrap();
    signal(*id, Signal::KILL);
    let cache = run.cache.clone();
    let (code, text) = run.end();
    assert_eq!(code, Some(3), "{text}");
    assert!(
        text.contains(&format!("{named}{id}) ended with signal: 9 (SIGKILL)")),
        "{text}"
    );
    gone(&programs.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    assert_eq!(folders(&cache), Vec::<PathBuf>::new());
}

#[test]
#[ignore = "needs envtest"]
fn nothing_outlives_a_run_that_is_killed_and_the_next_removes_its_folder() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let run = Run::start(folder.path());
    let programs: Vec<u32> = children(run.id()).into_iter().map(|(id, _)| id).collect();
    assert_eq!(programs.len(), 3);
    let left = run.folders();
    signal(run.id(), Signal::KILL);
    let (code, _) = run.end();
    assert_eq!(code, None, "it was killed");
    gone(&programs);
    assert_eq!(
        folders(&folder.path().join("cache")),
        left,
        "nobody was there to remove it"
    );

    let next = Run::start(folder.path());
    let now = next.folders();
    assert_eq!(now.len(), 1);
    assert_ne!(now, left);
    let told = next.running.said.join("\n");
    assert!(told.contains(left[0].to_str().unwrap()), "{told}");
    assert!(told.contains("killed"), "{told}");
}

/// The first runs when the time is over, and the second waits for its turn.
#[test]
#[ignore = "needs envtest"]
fn cases_without_a_verdict_when_the_runs_time_is_over_are_interrupted_and_the_run_exits_3() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    // How long the programs take to start depends on the machine.
    let mut limits = [10, 20, 40, 80, 160].into_iter();
    let said = loop {
        let limit = format!("{}s", limits.next().expect("a case begins in time"));
        let mut command = command(folder.path());
        waits(folder.path(), "waits-too", "10m");
        let ended = command
            .args(["--jobs", "1", "--timeout", &limit])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert_eq!(ended.status.code(), Some(3), "{said}");
        if said.contains("0/1 checks") {
            break said;
        }
    };
    let result: RunResult =
        serde_json::from_slice(&std::fs::read(output.join("results.json")).unwrap()).unwrap();
    let words: Vec<_> = result
        .cases
        .iter()
        .map(|case| case.outcome.word())
        .collect();
    assert_eq!(words, ["ERROR", "SKIP"], "{said}");
    let why = "time limit of ";
    assert!(
        result.interrupted.is_some_and(|told| told.contains(why)),
        "{said}"
    );
    for report in ["junit.xml", "summary.md", "index.html"] {
        let text = std::fs::read_to_string(output.join(report)).unwrap();
        assert!(text.contains(why), "{report}: {text}");
    }
    assert!(said.contains(why), "{said}");

    let merged = folder.path().join("merged");
    let mut merge = program();
    let merge = merge
        .args(["report", "merge"])
        .arg(&output)
        .arg("--output")
        .arg(&merged);
    let ended = merge.output().unwrap();
    assert_eq!(
        ended.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    let result: RunResult =
        serde_json::from_slice(&std::fs::read(merged.join("results.json")).unwrap()).unwrap();
    assert_eq!(result.missing, result.planned);
    assert_eq!(result.missing.len(), 2);
}

#[rstest]
#[case::ctrl_c(Signal::INT)]
#[case::a_request_to_terminate(Signal::TERM)]
#[case::the_terminal_has_gone(Signal::HUP)]
#[ignore = "needs envtest"]
fn an_interrupted_run_leaves_nothing(#[case] sent: Signal) {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let run = Run::start(folder.path());
    let programs: Vec<u32> = children(run.id()).into_iter().map(|(id, _)| id).collect();
    let cache = run.cache.clone();
    signal(run.id(), sent);
    let (code, text) = run.end();
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("the run was interrupted"), "{text}");
    gone(&programs);
    assert_eq!(folders(&cache), Vec::<PathBuf>::new());
}

/// Nothing is limited by cases that can't begin.
#[test]
#[ignore = "needs envtest"]
fn the_runs_time_limit_holds_while_an_api_server_does_not_start() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    command.args(["--timeout", "5s"]);
    let began = Instant::now();
    let run = Running::start(command);
    let stopped = loop {
        let programs = children(run.id());
        let found = programs.iter().find(|(_, name)| name == "kube-apiserver");
        if let Some((id, _)) = found {
            break *id;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "no API server starts: {programs:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    };
    signal(stopped, Signal::STOP);
    let (status, said) = run.end();
    let took = began.elapsed();
    // One that reports no end would be left, stopped as it is.
    gone(&[stopped]);
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("time limit of 5s"), "{said}");
    assert!(took < Duration::from_secs(10), "{took:?}: {said}");
    assert_eq!(
        folders(&folder.path().join("cache")),
        Vec::<PathBuf>::new(),
        "{said}"
    );
}

/// What can't be written is no reason to claim it.
#[test]
#[ignore = "needs envtest"]
fn evidence_that_can_not_be_written_ends_the_run_with_3_and_is_not_claimed() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let mut command = command(folder.path());
    waits(folder.path(), "waits", "8s");
    let mut running = Running::start({
        command.args(["--evidence", "always"]);
        command
    });
    running.until("0/1 checks");
    std::fs::write(output.join("evidence"), "no folder").unwrap();
    let (status, said) = running.end();
    assert_eq!(status.code(), Some(3), "{said}");
    let results = std::fs::read(output.join("results.json")).unwrap();
    let results: RunResult = serde_json::from_slice(&results).unwrap();
    assert_eq!(results.cases[0].evidence, None, "{said}");
    assert_eq!(results.cases[0].outcome.word(), "FAIL", "{said}");
    for report in ["results.json", "junit.xml", "summary.md", "index.html"] {
        let text = std::fs::read_to_string(output.join(report)).unwrap();
        for cause in ["evidence of ", "not a directory"] {
            assert!(text.contains(cause), "`{cause}` is not in {report}: {text}");
        }
    }
}
