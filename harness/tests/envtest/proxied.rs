//! A real API server behind a proxy with faults: the run ends within its limit, exits 3, names the
//! cause, writes its reports and leaves nothing.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};
use kuberay_conformance::report::{Outcome, RunResult};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::cluster::client;
use crate::support::own_cache::own_cache;
use crate::support::place::text;
use crate::support::proxy::{self, Fault, Rule};
use crate::support::{program, scenarios, turn};

/// The run's own limit, and what it may take beyond.
const LIMIT: Duration = Duration::from_secs(15);
const BEYOND: Duration = Duration::from_secs(5);
/// Bytes per second of an answer that is throttled.
pub const SLOW: usize = 20;
/// How long the operator may take to follow what the run has deleted.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// Control planes that are up, as runs find them by their kubeconfig.
pub struct Plane {
    folder: tempfile::TempDir,
    kubeconfig: PathBuf,
    upstream: Client,
    runtime: Runtime,
}

impl Drop for Plane {
    fn drop(&mut self) {
        let _ = self.command(&["cluster", "down"]).output();
    }
}

impl Plane {
    pub fn up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = own_cache(folder.path());
        let runtime = Runtime::new().unwrap();
        // Of nothing yet; clients are made inside of a runtime.
        let nowhere = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        let upstream = runtime.block_on(async { Client::try_from(nowhere).unwrap() });
        let mut plane = Self {
            folder,
            kubeconfig: PathBuf::new(),
            upstream,
            runtime,
        };
        let up = plane.command(&["cluster", "up"]).output().unwrap();
        assert!(up.status.success(), "{}", text(&up));
        let note = cache.join("daemon-control-planes/note.json");
        let note: Value = serde_json::from_slice(&std::fs::read(note).unwrap()).unwrap();
        plane.kubeconfig = note["releases"][0]["kubeconfig"].as_str().unwrap().into();
        plane.upstream = plane.runtime.block_on(client(&plane.kubeconfig));
        plane
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).args(["--target", "envtest"]);
        command.env("KUBERAY_CONFORMANCE_CACHE", own_cache(self.folder.path()));
        command
    }

    /// Runs a case through a proxy with a fault; `cause` is what the reports say.
    pub fn run(&self, rule: Rule, cause: &str) {
        let files = tempfile::tempdir().unwrap();
        let start = proxy::start(self.upstream.clone(), rule, "proxied", files.path());
        let proxy = self.runtime.block_on(start);
        // The next run reads where its API server is.
        std::fs::copy(&proxy.kubeconfig, &self.kubeconfig).unwrap();
        let output = files.path().join("output");
        let mut run = self.command(&["run", "default-command", "--timeout", "15s"]);
        run.arg("--scenarios").arg(scenarios());
        run.arg("--output").arg(&output);
        let started = Instant::now();
        let ended = run.output().unwrap();
        let took = started.elapsed();
        let said = format!("{rule:?}: {took:?}: {}", text(&ended));
        println!("{said}");
        assert!(proxy.selected() > 0, "no request got the fault: {said}");
        assert!(took < LIMIT + BEYOND, "{said}");
        assert_eq!(ended.status.code(), Some(3), "{said}");
        for report in ["results.json", "junit.xml", "summary.md", "index.html"] {
            let report = std::fs::read_to_string(output.join(report));
            let report = report.unwrap_or_else(|error| panic!("{error}: {said}"));
            let plain = report.replace("&apos;", "'").replace("&#x27;", "'");
            assert!(
                plain.contains(cause),
                "`{cause}` is not in {report}\n{said}"
            );
        }
        let results = std::fs::read(output.join("results.json")).unwrap();
        let results: RunResult = serde_json::from_slice(&results).unwrap();
        let judged = |outcome| matches!(outcome, Outcome::Passed | Outcome::Failed);
        assert!(
            results.cases.iter().all(|case| !judged(case.outcome)),
            "{said}"
        );
        self.nothing_is_left(&said);
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

    /// RayClusters and Pods that are there. Namespaces never end where no controller runs.
    async fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (group, version, kind, plural) in [
            ("ray.io", "v1", "RayCluster", "rayclusters"),
            ("", "v1", "Pod", "pods"),
        ] {
            let api_version = [group, version].join("/");
            let resource = ApiResource {
                group: group.into(),
                version: version.into(),
                api_version: api_version.trim_start_matches('/').into(),
                kind: kind.into(),
                plural: plural.into(),
            };
            let api: Api<DynamicObject> = Api::all_with(self.upstream.clone(), &resource);
            let there = api.list_metadata(&ListParams::default()).await.unwrap();
            let names = there.items.into_iter().filter_map(|one| one.metadata.name);
            left.extend(names.map(|name| format!("{kind} {name}")));
        }
        left
    }
}

#[test]
#[ignore = "needs envtest"]
fn a_run_behind_each_fault_ends_with_its_limit_and_names_the_cause() {
    let _turn = turn();
    let plane = Plane::up();
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
        plane.run(rule, cause);
    }
}
