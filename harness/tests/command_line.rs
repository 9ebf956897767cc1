//! The program without a cluster: what it prints, where it ends with which code, and that bad use
//! says what to do.

#![allow(missing_docs, reason = "a test")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use assertables::{assert_contains, assert_not_contains, assert_starts_with};
use rstest::rstest;

#[allow(dead_code, reason = "shared with tests that use more of it")]
#[path = "support/all.rs"]
mod support;

#[path = "command_line/check.rs"]
mod check;
#[path = "command_line/doctor.rs"]
mod doctor;
#[path = "command_line/foreign.rs"]
mod foreign;
#[path = "command_line/rehearse.rs"]
mod rehearse;

#[path = "command_line/integrations.rs"]
mod integrations;
#[path = "command_line/interrupted.rs"]
mod interrupted;
#[path = "command_line/offline.rs"]
mod offline;
#[path = "command_line/samples.rs"]
mod samples;

/// The program in the repository, with pipes.
fn program(arguments: &[&str]) -> Command {
    let mut program = support::program();
    program
        .current_dir(support::scenarios().parent().unwrap())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[rstest]
#[case::no_such_name(&["plan", "sample", "nosuchname"], "no scenario's name contains `nosuchname`")]
#[case::no_such_name_of_a_run(&["run", "nosuchname"], "no scenario's name contains `nosuchname`")]
#[case::no_such_rule(&["plan", "--rule", "C99"], "a rule is one of C01 to C")]
#[case::no_such_folder(&["plan", "--scenarios", "nowhere"], "with --scenarios DIR")]
#[case::no_such_file(&["explain", "nowhere.yaml"], "cannot read nowhere.yaml")]
#[case::no_such_flag(&["run", "--targets", "kind"], "--target")]
#[case::a_pair_elsewhere(&["run", "--pair", "all"], "add `--target kind`")]
fn bad_use_is_told_with_what_to_do(#[case] arguments: &[&str], #[case] expected: &str) {
    let output = run(arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(expected), "{said}");
    assert_eq!(text(&output.stdout), "");
}

#[rstest]
#[case::operator(&["plan", "--operator", "9.9.9"], "KubeRay 9.9.9 is not pinned")]
#[case::ray(&["plan", "--target", "kind", "--pair", "1.6.2/9.9.9"], "Ray 9.9.9 is not pinned")]
fn a_plan_says_what_no_run_can_have(#[case] arguments: &[&str], #[case] expected: &str) {
    let output = run(arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(expected), "{said}");
    assert_not_contains!(
        text(&run(&arguments[..arguments.len() - 2]).stderr),
        "not pinned"
    );
}

#[test]
fn a_reader_that_has_seen_enough_stops_nothing() {
    let mut child = program(&["plan", "--operator", "all"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr).as_str(), "");
}

#[rstest]
#[case("ENABLE_LOGIN_SHEL=true", true)]
#[case("ENABLE_LOGIN_SHELL=true", false)]
fn a_setting_of_the_operator_that_changes_nothing_is_told(
    #[case] setting: &str,
    #[case] told: bool,
) {
    let manifest = support::scenarios().join("before-ray-start/raycluster.yaml");
    let mut child = program(&["explain", "-", "--operator-env", setting])
        .spawn()
        .unwrap();
    let manifest = std::fs::read(manifest).unwrap();
    child.stdin.take().unwrap().write_all(&manifest).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(
        said.contains("ENABLE_LOGIN_SHEL has no effect"),
        told,
        "{said}"
    );
}

/// Results of one case with an outcome, in a folder of its own.
fn results_of(folder: &Path, outcome: &str) -> String {
    std::fs::create_dir_all(folder).unwrap();
    earlier_run(folder);
    let path = folder.join("results.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(
        r#""outcome":"passed""#,
        &format!(r#""outcome":"{outcome}""#),
    );
    std::fs::write(&path, text).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[rstest]
#[case("passed", "passed", 0, "0 newly failing, 0 fixed")]
#[case("passed", "failed", 1, "1 newly failing, 0 fixed")]
#[case("failed", "passed", 0, "0 newly failing, 1 fixed")]
#[case("passed", "error", 1, "kind::1.6.2::2.52.0::a: PASS → ERROR")]
fn a_comparison_of_runs_exits_1_where_a_case_is_newly_failing(
    #[case] old: &str,
    #[case] new: &str,
    #[case] code: i32,
    #[case] expected: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let old = results_of(&folder.path().join("old"), old);
    let new = results_of(&folder.path().join("new"), new);
    let page = folder.path().join("compared.html");
    let html = page.to_str().unwrap();
    let output = run(&["report", "compare", &old, &new, "--html", html]);
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains(expected),
        "{}",
        text(&output.stdout)
    );
    assert_contains!(std::fs::read_to_string(page).unwrap(), "id=\"compared\"");
    let file = format!("{new}/results.json");
    let output = run(&["report", "compare", &old, &file, "--format", "markdown"]);
    assert_starts_with!(text(&output.stdout), "# KubeRay conformance: ");
}

#[test]
fn a_comparison_without_results_exits_3_and_without_arguments_2() {
    let folder = tempfile::tempdir().unwrap();
    let old = results_of(&folder.path().join("old"), "passed");
    let none = folder.path().join("none");
    let output = run(&["report", "compare", &old, none.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert_contains!(text(&output.stderr), "reading the results");
    assert_eq!(run(&["report", "compare", &old]).status.code(), Some(2));
}

/// An API server that takes a connection and then says nothing: a run waits for it as long as this
/// lives. Connections after the first are closed at once.
struct Silent {
    address: std::net::SocketAddr,
    first: std::sync::mpsc::Receiver<std::net::TcpStream>,
}

impl Silent {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, first) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut connections = listener.incoming().flatten();
            let _ = sender.send(connections.next().unwrap());
            connections.for_each(drop);
        });
        Self { address, first }
    }

    /// A run in the cluster of this API server.
    fn run(&self, folder: &Path, output: &Path) -> Command {
        let kubeconfig = kubeconfig(folder, "kind-silent", self.address);
        run_in(&kubeconfig, "kind-silent", output)
    }

    /// Returns once the run waits for an answer.
    fn until_asked(&self) -> std::net::TcpStream {
        self.first.recv_timeout(support::running::PATIENCE).unwrap()
    }
}

const CASE: &str = "kind::1.6.2::2.52.0::a";

/// What a run left in which everything passed, and a file that is not ours.
fn earlier_run(output: &Path) {
    let case = serde_json::json!({"id": CASE, "scenario": "a", "file": "a/scenario.yaml", "rules": ["C01"], "layers": [],
        "level": "core", "target": "kind", "operator": "1.6.2", "ray": "2.52.0", "outcome": "passed", "reason": null,
        "durationSeconds": 1.0, "checks": [], "evidence": "evidence/kind/1.6.2/2.52.0/a", "steps": [],
        "operatorSettings": {}, "namespace": null});
    let results = serde_json::json!({"version": "kuberay-conformance.results/v1", "runId": "first",
        "started": "2026-11-02T10:15:00Z", "durationSeconds": 1.0, "harness": env!("CARGO_PKG_VERSION"), "phases": [],
        "environment": {"kubernetes": "", "engine": "", "images": []}, "planned": [CASE], "cases": [case],
        "interrupted": null});
    let evidence = output.join("evidence/kind/1.6.2/2.52.0/a");
    std::fs::create_dir_all(&evidence).unwrap();
    std::fs::write(evidence.join("operator.log"), "of the first run").unwrap();
    std::fs::write(output.join("evidence/notes.txt"), "not ours").unwrap();
    std::fs::write(output.join("results.json"), results.to_string()).unwrap();
    for report in ["junit.xml", "summary.md", "index.html"] {
        std::fs::write(output.join(report), "of the first run").unwrap();
    }
}

fn merged(output: &Path, into: &Path) -> Output {
    let mut merge = program(&["report", "merge"]);
    merge
        .arg(output)
        .arg("--output")
        .arg(into)
        .output()
        .unwrap()
}

/// The texts of all reports.
fn reports(output: &Path) -> [String; 4] {
    ["results.json", "junit.xml", "summary.md", "index.html"]
        .map(|report| std::fs::read_to_string(output.join(report)).unwrap())
}

#[test]
fn results_of_an_earlier_run_do_not_survive_one_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (output, into) = (folder.path().join("output"), folder.path().join("merged"));
    earlier_run(&output);
    assert_eq!(
        merged(&output, &into).status.code(),
        Some(0),
        "before, everything has passed"
    );
    let server = Silent::start();
    let mut run = server.run(folder.path(), &output).spawn().unwrap();
    let _connection = server.until_asked();
    run.kill().unwrap();
    run.wait().unwrap();
    for report in reports(&output) {
        assert!(
            report.contains("it had not ended when this was written"),
            "{report}"
        );
        assert!(!report.contains(CASE), "{report}");
    }
    assert!(
        !output.join("evidence/kind").exists(),
        "evidence of the first run"
    );
    assert!(
        output.join("evidence/notes.txt").exists(),
        "what is not ours stays"
    );
    let merged = merged(&output, &into);
    let said = text(&merged.stdout) + &text(&merged.stderr);
    assert_eq!(merged.status.code(), Some(3), "{said}");
    assert!(said.contains("did not complete"), "{said}");
    assert!(!said.contains(CASE), "{said}");
    assert!(
        !into.join("evidence/kind").exists(),
        "evidence of the first merge"
    );
}

#[test]
fn results_of_an_earlier_run_do_not_survive_one_that_meets_no_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    earlier_run(&output);
    // Nobody listens there any more.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let kubeconfig = kubeconfig(folder.path(), "kind-gone", address);
    let ended = run_in(&kubeconfig, "kind-gone", &output).output().unwrap();
    assert_eq!(ended.status.code(), Some(3), "{}", text(&ended.stderr));
    for report in reports(&output) {
        assert_contains!(report, "does not answer");
        assert_not_contains!(report, CASE);
    }
}

#[test]
fn a_second_run_with_the_same_output_is_refused_and_told_which_process_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let server = Silent::start();
    let mut first = server.run(folder.path(), &output).spawn().unwrap();
    let connection = server.until_asked();
    let before = std::fs::read_dir(&output)
        .map(Iterator::count)
        .unwrap_or_default();
    let second = server.run(folder.path(), &output).output().unwrap();
    let said = text(&second.stderr);
    assert_eq!(second.status.code(), Some(2), "{said}");
    let expected = format!("is in use by process {} (run, since ", first.id());
    assert!(said.contains(&expected), "{said}");
    assert!(said.contains("--output"), "{said}");
    assert_eq!(
        std::fs::read_dir(&output).unwrap().count(),
        before,
        "nothing was changed"
    );
    let other = folder.path().join("other");
    earlier_run(&other);
    let merge = merged(&other, &output);
    let said = text(&merge.stderr);
    assert_eq!(merge.status.code(), Some(2), "{said}");
    assert!(said.contains(&expected), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
    drop(connection);
    // A lock ends with its process, whatever ends that.
    let third = server.run(folder.path(), &output).output().unwrap();
    assert_eq!(third.status.code(), Some(3), "{}", text(&third.stderr));
}

/// What an API server says of its cluster.
#[derive(Clone)]
struct Cluster {
    context: &'static str,
    kubernetes: &'static str,
    uid: &'static str,
    setting: &'static str,
}

impl Cluster {
    /// The answer to a request; what a run asks beside its cluster and operator is refused, so that
    /// no case can begin.
    fn answer(&self, request: &str) -> Option<serde_json::Value> {
        use serde_json::json;
        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
        let rules = json!({"status": {"incomplete": false, "nonResourceRules": [],
            "resourceRules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}});
        let image = "quay.io/kuberay/operator:v1.6.2";
        let container = json!({"name": "operator", "image": image,
            "env": [{"name": "ENABLE_LOGIN_SHELL", "value": self.setting}]});
        let deployment = json!({"metadata": {"namespace": "ray", "name": "operator", "generation": 1},
            "spec": {"replicas": 1, "selector": {}, "template": {"spec": {"containers": [container]}}},
            "status": {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1}});
        Some(match path {
            "/version" => {
                json!({"major": "1", "minor": "34", "gitVersion": self.kubernetes, "gitCommit": "",
                "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""})
            }
            "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews" => rules,
            "/apis/apps/v1/deployments" => json!({"metadata": {}, "items": [deployment]}),
            "/api/v1/namespaces/ray/pods" => json!({"metadata": {}, "items": []}),
            "/api/v1/namespaces/kube-system" => {
                json!({"metadata": {"name": "kube-system", "uid": self.uid}})
            }
            _ => return None,
        })
    }

    /// Lets the API server of a cluster, which may change, answer on a port.
    fn serve(now: &Arc<Mutex<Self>>) -> std::net::SocketAddr {
        use std::io::{BufRead as _, BufReader, Read as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, now) = (listener.local_addr().unwrap(), Arc::clone(now));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let now = Arc::clone(&now);
                std::thread::spawn(move || -> std::io::Result<()> {
                    let (mut reader, mut writer) =
                        (BufReader::new(connection.try_clone()?), connection);
                    loop {
                        let (mut request, mut length) = (String::new(), 0);
                        if reader.read_line(&mut request)? == 0 {
                            return Ok(());
                        }
                        loop {
                            let mut header = String::new();
                            reader.read_line(&mut header)?;
                            let header = header.trim().to_ascii_lowercase();
                            if let Some(number) = header.strip_prefix("content-length:") {
                                length = number.trim().parse().unwrap();
                            }
                            if header.is_empty() {
                                break;
                            }
                        }
                        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink())?;
                        let (status, body) = match now.lock().unwrap().clone().answer(&request) {
                            Some(body) => ("200 OK", body.to_string()),
                            None => ("500 Internal Server Error", String::from("{}")),
                        };
                        let length = body.len();
                        let head = "content-type: application/json";
                        write!(
                            writer,
                            "HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}"
                        )?;
                    }
                });
            }
        });
        address
    }
}

/// Whatever is another cluster, or the same one after a change.
#[rstest]
#[case::the_same(&|_: &mut Cluster| (), None)]
#[case::upgraded(&|cluster: &mut Cluster| cluster.kubernetes = "v1.99.0", Some("v1.99.0"))]
#[case::made_again(&|cluster: &mut Cluster| cluster.uid = "uid-2", Some("uid-2"))]
#[case::another_context(&|cluster: &mut Cluster| cluster.context = "kind-other", Some("kind-other"))]
#[case::another_setting(&|cluster: &mut Cluster| cluster.setting = "true", Some("ENABLE_LOGIN_SHELL=true"))]
fn a_run_of_another_cluster_is_not_picked_up(
    #[case] change: &dyn Fn(&mut Cluster),
    #[case] told: Option<&str>,
) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let now = Arc::new(Mutex::new(Cluster {
        context: "kind-one",
        kubernetes: "v1.34.4",
        uid: "uid-1",
        setting: "false",
    }));
    let address = Cluster::serve(&now);
    let run = |arguments: &[&str]| {
        let context = now.lock().unwrap().context;
        let kubeconfig = kubeconfig(folder.path(), context, address);
        run_in(&kubeconfig, context, &output)
            .args(arguments)
            .output()
            .unwrap()
    };
    // It gets as far as its journal, and not to its first case.
    let first = run(&[]);
    assert_eq!(first.status.code(), Some(3), "{}", text(&first.stderr));
    let journal = std::fs::read_to_string(output.join("journal.jsonl")).unwrap();
    change(&mut now.lock().unwrap());
    let second = run(&["--resume"]);
    let said = text(&second.stderr);
    let Some(told) = told else {
        assert_eq!(second.status.code(), Some(3), "{said}");
        return;
    };
    assert_eq!(second.status.code(), Some(2), "{said}");
    let before = "belongs to another run (it ran in the cluster of the context kind-one";
    assert!(said.contains(before), "{said}");
    assert!(said.contains(told), "{said}");
    assert_eq!(
        std::fs::read_to_string(output.join("journal.jsonl")).unwrap(),
        journal
    );
}

/// A kubeconfig with one context.
fn kubeconfig(folder: &Path, context: &str, address: std::net::SocketAddr) -> std::path::PathBuf {
    let path = folder.join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- {{name: {context}, cluster: {{server: 'http://{address}'}}}}\n\
         contexts:\n- {{name: {context}, context: {{cluster: {context}, user: me}}}}\nusers:\n- {{name: me, user: {{}}}}\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// A run in the cluster of a context.
fn run_in(kubeconfig: &Path, context: &str, output: &Path) -> Command {
    let mut run = program(&["run", "--context", context, "--kubeconfig"]);
    run.arg(kubeconfig).arg("--output").arg(output);
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        run.env_remove(proxy);
    }
    run
}

/// Commands that print without a cluster, each with its exit code. `SCENARIOS` stands for a folder
/// with one scenario, `RESULTS` for results of a run.
const PRINTING: &[(&str, i32)] = &[
    ("--help", 0),
    ("run --help", 0),
    ("--version", 0),
    ("scenario lint --scenarios SCENARIOS", 0),
    ("plan --scenarios SCENARIOS --target kind", 0),
    (
        "plan --scenarios SCENARIOS --target kind --pair all --shard 1/2",
        0,
    ),
    ("plan --scenarios SCENARIOS --rule C23", 2),
    ("explain SCENARIOS/before-ray-start/raycluster.yaml", 0),
    (
        "explain SCENARIOS/before-ray-start/raycluster.yaml --format json",
        0,
    ),
    ("schema scenario", 0),
    ("schema results", 0),
    ("schema explain", 0),
    ("schema check", 0),
    ("check SCENARIOS/before-ray-start/raycluster.yaml", 0),
    ("check --explain errexit", 0),
    ("docs --scenarios SCENARIOS", 0),
    ("report compare RESULTS RESULTS", 0),
    ("docs pairs --scenarios SCENARIOS --results RESULTS", 0),
    ("docs durations --scenarios SCENARIOS --results RESULTS", 0),
    ("scenario list --scenarios SCENARIOS", 0),
    ("snapshot review --scenarios SCENARIOS", 0),
    ("snapshot accept --scenarios SCENARIOS", 0),
    ("snapshot reject --scenarios SCENARIOS", 0),
];

/// The commands, with a folder that lives as long as they are run.
fn printing() -> (tempfile::TempDir, Vec<(Vec<String>, i32)>) {
    let folder = tempfile::tempdir().unwrap();
    let scenarios = folder.path().join("scenarios");
    let scenario = scenarios.join("before-ray-start");
    std::fs::create_dir_all(&scenario).unwrap();
    for file in std::fs::read_dir(support::scenarios().join("before-ray-start")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), scenario.join(file.file_name())).unwrap();
    }
    let path = scenarios.display().to_string();
    let results = failed_results(folder.path());
    let words = |command: &str| {
        command
            .split(' ')
            .map(|word| {
                word.replace("SCENARIOS", &path)
                    .replace("RESULTS", &results)
            })
            .collect()
    };
    let commands = PRINTING
        .iter()
        .map(|(command, code)| (words(command), *code));
    let commands = commands.collect();
    (folder, commands)
}

/// A command whose output goes to `output`.
fn to(arguments: &[String], output: impl Into<Stdio>) -> Output {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    program(&arguments).stdout(output).output().unwrap()
}

#[test]
fn an_output_that_can_not_be_written_ends_every_command_with_3() {
    let (_folder, commands) = printing();
    for (arguments, _) in commands {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = to(&arguments, full);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
        assert!(
            said.contains("failed to write to standard output"),
            "{arguments:?}: {said}"
        );
        assert!(said.contains("help: free space"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_reader_that_went_leaves_every_exit_code_as_it_is() {
    let (_folder, commands) = printing();
    for (arguments, code) in commands {
        let whole = to(&arguments, Stdio::piped());
        assert_eq!(
            whole.status.code(),
            Some(code),
            "{arguments:?}: {}",
            text(&whole.stderr)
        );
        assert_ne!(text(&whole.stdout), "", "{arguments:?}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = to(&arguments, writer);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert_eq!(text(&output.stderr), text(&whole.stderr), "{arguments:?}");
    }
}

/// Results of a run in which one case failed.
fn failed_results(folder: &std::path::Path) -> String {
    let path = folder.join("results.json");
    let check = serde_json::json!({
        "name": "pod head", "location": {"line": 14, "column": 7}, "outcome": "failed", "message": "args differ",
        "expected": null, "found": null, "diff": null, "seconds": 1.0,
    });
    let case = serde_json::json!({
        "id": "envtest::1.6.2::sample", "scenario": "sample", "file": "scenarios/sample/scenario.yaml",
        "rules": ["C01"], "layers": [], "level": "core", "target": "envtest", "operator": "1.6.2", "ray": "2.52.0",
        "outcome": "failed", "reason": "pod head: args differ", "durationSeconds": 1.0, "checks": [check],
        "evidence": null, "steps": [], "operatorSettings": {}, "namespace": null,
    });
    let run = serde_json::json!({
        "version": "kuberay-conformance.results/v1", "runId": "r1", "started": "2026-11-28T01:00:00Z",
        "durationSeconds": 1.0, "harness": env!("CARGO_PKG_VERSION"), "phases": [],
        "environment": {"kubernetes": "v1.34.4", "engine": "none", "images": []},
        "planned": ["envtest::1.6.2::sample"], "cases": [case], "interrupted": null,
    });
    std::fs::write(&path, run.to_string()).unwrap();
    path.display().to_string()
}

#[test]
fn a_merged_report_that_can_not_be_printed_ends_with_3_and_an_unread_one_with_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let results = failed_results(folder.path());
    let merge = |output: &str| {
        let output = folder.path().join(output).display().to_string();
        program(&["report", "merge", &results, "--output", &output])
    };
    let whole = merge("whole").output().unwrap();
    assert_eq!(whole.status.code(), Some(1), "{}", text(&whole.stderr));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let unread = merge("unread").stdout(writer).output().unwrap();
    assert_eq!(unread.status.code(), Some(1));
    assert_eq!(text(&unread.stderr).as_str(), "");
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let lost = merge("lost").stdout(full).output().unwrap();
    assert_eq!(lost.status.code(), Some(3), "{}", text(&lost.stderr));
    assert!(
        folder.path().join("lost/results.json").is_file(),
        "the files are written all the same"
    );
}

#[rstest]
#[case("bash", "complete -F")]
#[case("zsh", "#compdef kuberay-conformance")]
#[case("fish", "complete -c kuberay-conformance")]
fn completions_are_printed(#[case] shell: &str, #[case] expected: &str) {
    let output = run(&["completions", shell]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains(expected),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn every_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["man", folder.path().join("man1").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for page in ["", "-run", "-scenario-init", "-check"] {
        let path = folder
            .path()
            .join(format!("man1/kuberay-conformance{page}.1"));
        let page = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
}

#[test]
fn scenarios_are_found_without_a_folder_and_in_a_single_one() {
    let empty = tempfile::tempdir().unwrap();
    let in_empty = |arguments: &[&str]| {
        let mut program = program(arguments);
        program.current_dir(empty.path()).output().unwrap()
    };
    let listed = text(&in_empty(&["scenario", "list"]).stdout);
    assert!(listed.lines().count() > 100, "{listed}");
    assert!(
        listed.contains("kind: the check `ray` needs a kubelet"),
        "{listed}"
    );
    let one = support::scenarios().join("before-ray-start");
    let listed =
        text(&in_empty(&["scenario", "list", "--scenarios", one.to_str().unwrap()]).stdout);
    assert_eq!(listed.lines().count(), 1, "{listed}");
    let linted = in_empty(&["scenario", "lint"]);
    assert!(
        text(&linted.stdout).ends_with("well-formed in the built-in scenarios\n"),
        "{}",
        text(&linted.stdout)
    );
}

/// `ci/bench` puts them over the scenarios of the same names.
#[test]
fn the_scenarios_of_the_benchmark_are_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    let peers = support::scenarios().join("../harness/benches/peers");
    for entry in std::fs::read_dir(peers).unwrap() {
        let (from, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        let to = folder.path().join(&name);
        std::fs::create_dir(&to).unwrap();
        for file in std::fs::read_dir(support::scenarios().join(&name)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        std::fs::copy(from.join("ours.yaml"), to.join("scenario.yaml")).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let output = program(&["scenario", "lint", "--scenarios", path])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn each_scenario_that_runs_elsewhere_is_one_line_that_says_how_to_run_it() {
    let output = program(&[
        "run",
        "before-ray-start",
        "--target",
        "envtest",
        "--operator",
        "1.6.2",
    ])
    .output()
    .unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    let [summary, reasons @ ..] = &error.lines().collect::<Vec<_>>()[..] else {
        panic!("nothing was said")
    };
    assert_eq!(*summary, "error: no case is left to run");
    let named = ["::before-ray-start: ", "::state-before-ray-start: "];
    assert_eq!(reasons.len(), named.len(), "{error}");
    for (reason, name) in reasons.iter().zip(named) {
        assert!(reason.contains(name), "{error}");
        assert!(reason.contains("(add `--target kind`)"), "{error}");
    }
}

#[rstest]
#[case::a_file(&["scenario", "list", "--scenarios", "file"], "file is a file")]
#[case::an_empty_folder(&["run", "--scenarios", "empty"], "empty contains no scenario")]
#[case::a_template(&["scenario", "init", "x", "template.yaml"], "this is an unrendered template")]
#[case::no_ray(&["scenario", "init", "x", "pod.yaml"], "hold no RayCluster, RayJob or RayService")]
#[case::a_bad_name(&["scenario", "init", "../x", "pod.yaml"], "is no name of a scenario")]
#[case::a_schedule(&["scenario", "init", "x", "cron.yaml"], "only on its schedule")]
#[case::suspended(&["scenario", "init", "x", "suspended.yaml"], "is suspended, so it has no Pods")]
fn what_a_newcomer_does_wrong_is_one_sentence(#[case] arguments: &[&str], #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let spec = "spec: {suspend: true, headGroupSpec: {rayStartParams: {}}}";
    let files = [
        ("file", "x".to_owned()),
        (
            "template.yaml",
            "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata:\n  name: {{ .Release.Name }}\n"
                .to_owned(),
        ),
        (
            "pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n".to_owned(),
        ),
        (
            "cron.yaml",
            "apiVersion: ray.io/v1\nkind: RayCronJob\nmetadata: {name: a}\nspec: {}\n".to_owned(),
        ),
        (
            "suspended.yaml",
            format!("apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {{name: a}}\n{spec}\n"),
        ),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output = program(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("help: "), "{said}");
    assert!(
        !folder.path().join("scenarios").exists(),
        "nothing is left behind"
    );
}

#[test]
fn a_file_as_output_folder_is_one_sentence() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = run(&[
        "run",
        "default-command",
        "--operator",
        "1.6.2",
        "--output",
        file.path().to_str().unwrap(),
    ]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("is no folder: name a folder for the reports with --output"),
        "{said}"
    );
}
