//! A real API server behind a proxy with faults: the run ends within its limit, exits 3, names the
//! cause, writes its reports and leaves nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use kuberay_conformance::report::{Outcome, RunResult};
use rstest::rstest;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::ends::waits;
use crate::support::cluster::client;
use crate::support::copies::{copy_scenario, replaced};
use crate::support::own_cache::own_cache;
use crate::support::processes::signal;
use crate::support::proxy::{self, Fault, Proxy, Rule};
use crate::support::running::Running;
use crate::support::sandbox::text;
use crate::support::{exclusive, program, scenarios};

/// The context of a proxy's kubeconfig.
const CONTEXT: &str = "proxied";
/// The run's own limit, and what it may take beyond.
const LIMIT: Duration = Duration::from_secs(15);
const BEYOND: Duration = Duration::from_secs(5);
/// Bytes per second of an answer that is throttled.
pub const SLOW: usize = 20;
/// How long the operator may take to follow what the run has deleted.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// API servers that are up, as runs find them by their kubeconfig.
pub struct ProxiedEnvtest {
    folder: tempfile::TempDir,
    kubeconfig: PathBuf,
    upstream: Client,
    runtime: Runtime,
}

/// The kinds of objects that a run must not leave.
fn kinds() -> [ApiResource; 5] {
    [
        ("ray.io", "v1", "RayCronJob", "raycronjobs"),
        ("ray.io", "v1", "RayService", "rayservices"),
        ("ray.io", "v1", "RayJob", "rayjobs"),
        ("ray.io", "v1", "RayCluster", "rayclusters"),
        ("", "v1", "Pod", "pods"),
    ]
    .map(|(group, version, kind, plural)| ApiResource {
        group: group.into(),
        version: version.into(),
        api_version: [group, version].join("/").trim_start_matches('/').into(),
        kind: kind.into(),
        plural: plural.into(),
    })
}

/// A run that has ended.
pub struct Ended {
    pub code: Option<i32>,
    pub took: Duration,
    pub said: String,
    output: PathBuf,
    _files: TempDir,
}

/// Does a run behind a proxy.
fn ended(mut run: Command, rule: Rule, proxy: &Proxy, files: TempDir) -> Ended {
    let output = files.path().join("output");
    run.arg("--output").arg(&output);
    let started = Instant::now();
    let ended = run.output().unwrap();
    let took = started.elapsed();
    let said = format!("{rule:?}: {took:?}: {}", text(&ended));
    println!("{said}");
    assert!(proxy.selected() > 0, "no request got the fault: {said}");
    Ended {
        code: ended.status.code(),
        took,
        said,
        output,
        _files: files,
    }
}

impl Ended {
    /// Sees that a run of at most fifteen seconds ended in time, with this code of its verdict.
    pub fn has_its_verdict(&self, code: i32) {
        assert!(self.took < LIMIT + BEYOND, "{}", self.said);
        assert_eq!(self.code, Some(code), "{}", self.said);
    }

    pub fn results(&self) -> RunResult {
        let results = std::fs::read(self.output.join("results.json")).unwrap();
        serde_json::from_slice(&results).unwrap()
    }

    pub fn every_report_says(&self, cause: &str) {
        let said = &self.said;
        for report in ["results.json", "junit.xml", "summary.md", "index.html"] {
            let text = std::fs::read_to_string(self.output.join(report));
            let text = text.unwrap_or_else(|error| panic!("{report}: {error}: {said}"));
            let plain = text.replace("&apos;", "'").replace("&#x27;", "'");
            assert!(
                plain.contains(cause),
                "`{cause}` is not in {report}: {plain}\n{said}"
            );
        }
    }
}

impl Drop for ProxiedEnvtest {
    fn drop(&mut self) {
        let _ = self.command(&["cluster", "down"]).output();
    }
}

impl ProxiedEnvtest {
    pub fn up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = own_cache(folder.path());
        let runtime = Runtime::new().unwrap();
        // Of nothing yet; clients are made inside of a runtime.
        let nowhere = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        let upstream = runtime.block_on(async { Client::try_from(nowhere).unwrap() });
        let mut envtest = Self {
            folder,
            kubeconfig: PathBuf::new(),
            upstream,
            runtime,
        };
        let up = envtest.command(&["cluster", "up"]).output().unwrap();
        assert!(up.status.success(), "{}", text(&up));
        let note = cache.join("envtest-daemon/note.json");
        let note: Value = serde_json::from_slice(&std::fs::read(note).unwrap()).unwrap();
        envtest.kubeconfig = note["releases"][0]["kubeconfig"].as_str().unwrap().into();
        envtest.upstream = envtest.runtime.block_on(client(&envtest.kubeconfig));
        envtest
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).args(["--target", "envtest"]);
        command.env("KUBERAY_CONFORMANCE_CACHE", own_cache(self.folder.path()));
        command
    }

    /// Runs a case through a proxy with a fault; `cause` is what the reports say.
    pub fn run(&self, rule: Rule, cause: &str) {
        let arguments = ["default-command", "--timeout", "15s"];
        self.ends_in_time(&self.meets(rule, &arguments, &scenarios()), cause);
    }

    /// Runs cases whose API server has a fault.
    pub fn meets(&self, rule: Rule, arguments: &[&str], scenarios: &Path) -> Ended {
        let files = tempfile::tempdir().unwrap();
        let proxy = self.proxy(rule, files.path());
        // The next run reads where its API server is.
        std::fs::copy(&proxy.kubeconfig, &self.kubeconfig).unwrap();
        let mut run = self.command(&["run"]);
        run.args(arguments).arg("--scenarios").arg(scenarios);
        ended(run, rule, &proxy, files)
    }

    /// As [`ProxiedEnvtest::meets`], as a run on a cluster that exists.
    pub fn meets_existing(&self, rule: Rule) -> Ended {
        let files = tempfile::tempdir().unwrap();
        let proxy = self.proxy(rule, files.path());
        let mut run = program();
        run.args(["run", "exit-ends-the-container", "--timeout", "15s"])
            .args(["--context", CONTEXT, "--kubeconfig"])
            .arg(&proxy.kubeconfig)
            .arg("--scenarios")
            .arg(scenarios());
        ended(run, rule, &proxy, files)
    }

    /// Removes what runs could not.
    pub fn clear(&self) {
        self.runtime.block_on(async {
            for resource in kinds() {
                let api: Api<DynamicObject> = Api::all_with(self.upstream.clone(), &resource);
                for object in api.list(&ListParams::default()).await.unwrap() {
                    let of = object.namespace().unwrap();
                    let api: Api<DynamicObject> =
                        Api::namespaced_with(self.upstream.clone(), &of, &resource);
                    let now = DeleteParams::default().grace_period(0);
                    let _ = api.delete(&object.name_any(), &now).await;
                }
            }
        });
        self.nothing_is_left("what runs could not remove");
    }

    /// A proxy with a fault in front of the API server.
    pub fn proxy(&self, rule: Rule, folder: &Path) -> Proxy {
        let start = proxy::start(self.upstream.clone(), rule, CONTEXT, folder);
        self.runtime.block_on(start)
    }

    /// Sees that a run of at most fifteen seconds ended as one must whose cases get no verdict.
    pub fn ends_in_time(&self, ended: &Ended, cause: &str) {
        let said = &ended.said;
        assert!(ended.took < LIMIT + BEYOND, "{said}");
        assert_eq!(ended.code, Some(3), "{said}");
        ended.every_report_says(cause);
        let judged = |outcome| matches!(outcome, Outcome::Passed | Outcome::Failed);
        let cases = ended.results().cases;
        assert!(cases.iter().all(|case| !judged(case.outcome)), "{said}");
        self.nothing_is_left(said);
    }

    fn nothing_is_left(&self, said: &str) {
        let began = Instant::now();
        loop {
            let left = self.runtime.block_on(self.left());
            if left.is_empty() {
                return;
            }
            assert!(began.elapsed() < GONE_WITHIN, "{left:?} are left: {said}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Objects of KubeRay and Pods that are there. Namespaces never end where no controller runs.
    async fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for resource in kinds() {
            let api: Api<DynamicObject> = Api::all_with(self.upstream.clone(), &resource);
            let there = api.list_metadata(&ListParams::default()).await.unwrap();
            let names = there.items.into_iter().filter_map(|one| one.metadata.name);
            left.extend(names.map(|name| format!("{} {name}", resource.kind)));
        }
        left
    }
}

#[test]
#[ignore = "needs envtest"]
fn a_run_behind_each_fault_ends_with_its_limit_and_names_the_cause() {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    for (verb, resource, fault, cause) in [
        ("create", "namespaces", Fault::Stall, "time limit"),
        ("watch", "pods", Fault::Cut, "the watch of pods breaks"),
        ("watch", "rayclusters", Fault::Throttle(SLOW), "time limit"),
        (
            "create",
            "namespaces",
            Fault::Corrupt,
            "making the namespace",
        ),
    ] {
        let rule = Rule {
            verb,
            resource,
            fault,
        };
        envtest.run(rule, cause);
    }
}

/// The case waits for what never comes, and its own limit is shorter than the run's.
#[test]
#[ignore = "needs envtest"]
fn a_watch_that_breaks_is_no_verdict_at_a_cases_own_limit() {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    let folder = tempfile::tempdir().unwrap();
    waits(folder.path(), "waits", "8s");
    for resource in ["pods", "events"] {
        let rule = Rule {
            verb: "watch",
            resource,
            fault: Fault::CutLater(Duration::from_secs(4)),
        };
        let arguments = ["waits", "--timeout", "2m"];
        let ended = envtest.meets(rule, &arguments, &folder.path().join("scenarios"));
        let said = &ended.said;
        assert_eq!(ended.code, Some(3), "{said}");
        ended.every_report_says(&format!("the watch of {resource} breaks"));
        for case in ended.results().cases {
            assert_eq!(case.outcome, Outcome::Error, "{}: {said}", case.id);
        }
        envtest.nothing_is_left(said);
    }
}

/// The Pods are there, and their watch stays open without a word, from the start or later. A check
/// that waits for a Pod does not fail, and one that waits for time does not pass.
#[rstest]
#[case::from_the_start(0, "gave no first list within 30 s")]
#[case::later(6, "the watch of pods is silent: it has not shown")]
#[ignore = "needs envtest"]
fn a_silent_watch_is_no_verdict_at_a_cases_own_limit(#[case] seconds: u64, #[case] cause: &str) {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    let folder = tempfile::tempdir().unwrap();
    waits(folder.path(), "waits", "8s");
    waits(folder.path(), "absent", "20s");
    let file = folder.path().join("scenarios/absent/scenario.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let absent = "absent: {role: worker, for: 8s, after: {role: head}}";
    let text = replaced(&text, "pod: {role: worker, snapshot: [args]}", absent);
    std::fs::write(&file, text).unwrap();
    let rule = Rule {
        verb: "watch",
        resource: "pods",
        fault: Fault::Silent(Duration::from_secs(seconds)),
    };
    let scenarios = folder.path().join("scenarios");
    let changes = envtest.runtime.spawn(change_pods(envtest.upstream.clone()));
    let ended = envtest.meets(rule, &["--all", "--timeout", "2m"], &scenarios);
    changes.abort();
    let said = &ended.said;
    assert_eq!(ended.code, Some(3), "{said}");
    ended.every_report_says(cause);
    let cases = ended.results().cases;
    assert_eq!(cases.len(), 2, "{said}");
    for case in cases {
        assert_eq!(case.outcome, Outcome::Error, "{}: {said}", case.id);
    }
    envtest.nothing_is_left(said);
}

/// Patches every Pod twice a second, so that the watch has events to send.
async fn change_pods(client: Client) {
    let all: Api<Pod> = Api::all(client.clone());
    for number in 0.. {
        for pod in all.list(&ListParams::default()).await.unwrap() {
            let own: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap());
            let change = json!({"metadata": {"annotations": {"number": number.to_string()}}});
            // It may be gone by now.
            let _ = own
                .patch(
                    &pod.name_any(),
                    &PatchParams::default(),
                    &Patch::Merge(change),
                )
                .await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Installing into a cluster that exists is limited, too, and so is what comes after it.
#[rstest]
#[case::limit(None)]
#[case::ctrl_c(Some(Signal::INT))]
#[ignore = "needs envtest"]
fn installing_an_operator_ends_with_the_run(#[case] sent: Option<Signal>) {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    let files = tempfile::tempdir().unwrap();
    let rule = Rule {
        verb: "get",
        resource: "customresourcedefinitions",
        fault: Fault::Stall,
    };
    let proxy = envtest.proxy(rule, files.path());
    let mut run = program();
    run.args(["run", "exit-ends-the-container", "--context", CONTEXT])
        .args(["--install-operator", "--operator-image", "none/none:1"])
        .args(["--operator", "1.6.2", "--kubeconfig"])
        .arg(&proxy.kubeconfig)
        .arg("--scenarios")
        .arg(scenarios())
        .arg("--output")
        .arg(files.path().join("output"));
    if sent.is_none() {
        run.args(["--timeout", "15s"]);
    }
    let began = Instant::now();
    let (code, took, said) = ended_after(run, &proxy, sent, began);
    println!("{took:?}: {said}");
    assert_eq!(code, Some(3), "{said}");
    let most = if sent.is_some() {
        BEYOND
    } else {
        LIMIT + BEYOND
    };
    assert!(took < most, "{took:?}: {said}");
}

#[test]
#[ignore = "needs envtest"]
fn collecting_the_results_of_a_job_ends_with_the_first_ctrl_c() {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    let files = tempfile::tempdir().unwrap();
    let rule = Rule {
        verb: "list",
        resource: "configmaps",
        fault: Fault::Stall,
    };
    let proxy = envtest.proxy(rule, files.path());
    let mut collect = program();
    collect
        .args(["job", "collect", "--job", "none", "--context", CONTEXT])
        .arg("--kubeconfig")
        .arg(&proxy.kubeconfig)
        .arg("--output")
        .arg(files.path().join("output"));
    let (code, took, said) = ended_after(collect, &proxy, Some(Signal::INT), Instant::now());
    println!("{took:?}: {said}");
    assert_eq!(code, Some(3), "{said}");
    assert!(took < BEYOND, "{took:?}: {said}");
    let results = std::fs::read_to_string(files.path().join("output/results.json")).unwrap();
    assert!(results.contains("were not all collected"), "{results}");
}

/// Starts a command, sends it a signal once a request has got its fault, and returns how it ended,
/// how long that took since the signal or else since `began`, and all that it said.
fn ended_after(
    command: Command,
    proxy: &Proxy,
    sent: Option<Signal>,
    mut began: Instant,
) -> (Option<i32>, Duration, String) {
    let mut running = Running::start(command);
    if let Some(sent) = sent {
        while proxy.selected() == 0 {
            let ended = running.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "no request got the fault: {}",
                running.end().1
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        began = Instant::now();
        signal(running.id(), sent);
    }
    let (status, said) = running.end();
    assert!(proxy.selected() > 0, "no request got the fault: {said}");
    (status.code(), began.elapsed(), said)
}

#[test]
#[ignore = "needs envtest"]
fn a_run_on_shared_api_servers_leaves_no_object_of_any_kind() {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    let folder = tempfile::tempdir().unwrap();
    let with_cron_job = |file: &str, text: String| match file {
        "raycluster.yaml" => {
            let cron_job = scenarios().join("raycronjob/raycronjob.yaml");
            format!(
                "{text}\n---\n{}",
                std::fs::read_to_string(cron_job).unwrap()
            )
        }
        _ => text,
    };
    copy_scenario("default-command", "cron-job", folder.path(), with_cron_job);
    let mut run = envtest.command(&["run", "--timeout", "2m"]);
    run.arg("--scenarios").arg(folder.path());
    run.arg("--output").arg(folder.path().join("output"));
    let ended = run.output().unwrap();
    let said = text(&ended);
    assert_eq!(ended.status.code(), Some(0), "{said}");
    envtest.nothing_is_left(&said);
}
