//! Cases whose containers write long and strange logs, against an API server that the test plays.

#![allow(missing_docs, reason = "an integration test has no public interface")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use assertables::assert_ends_with;
use futures::Stream;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::Client;
use kube::client::Body;
use kuberay_conformance::plan::{self, Filter, Pair};
use kuberay_conformance::provider::{Capabilities, CaseCleanUp, Health, Images, Target};
use kuberay_conformance::report::{
    CaseResult, Environment, ImageRecord, Origin, Outcome, Redactor, Silent,
};
use kuberay_conformance::runner::{EngineOptions, EvidencePolicy, RunEngine, new_run_id};
use kuberay_conformance::scenario::{TargetKind, load_all};
use semver::Version;
use serde_json::{Value, json};
use tokio::sync::watch;

/// What the container writes: its log, piece by piece.
type Log = Arc<dyn Fn() -> BoxStream<'static, Bytes> + Send + Sync>;

/// Serves one head Pod in the namespace that the case makes.
struct Server {
    namespace: watch::Sender<Option<String>>,
    log: Log,
    /// Whether the watch of Pods breaks once it has shown one.
    breaks: bool,
    is_broken: AtomicBool,
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

fn streamed(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Answer {
    let frames = pieces.map(|piece| Ok(Frame::data(piece)));
    Response::new(StreamBody::new(frames).boxed_unsync())
}

fn answer(code: u16, value: &Value) -> Answer {
    let body = Full::new(Bytes::from(value.to_string())).boxed_unsync();
    Response::builder().status(code).body(body).unwrap()
}

fn failure(code: u16, reason: &str) -> Answer {
    let status = json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code,
        "reason": reason, "message": reason});
    answer(code, &status)
}

fn pod(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": "head", "uid": namespace, "resourceVersion": "2",
            "creationTimestamp": "2026-11-28T01:00:00Z", "labels": {"ray.io/node-type": "head"}},
        "spec": {"nodeName": "node", "containers": [{"name": "ray-head", "image": "ray"}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "ray-head", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                "containerID": "containerd://1", "state": {"running": {"startedAt": "2026-11-28T01:00:00Z"}}}]}})
}

impl Server {
    async fn answer(self: Arc<Self>, request: Request<Body>) -> Answer {
        let (parts, sent) = request.into_parts();
        let (path, query) = (
            parts.uri.path().to_owned(),
            parts.uri.query().unwrap_or_default().to_owned(),
        );
        let kind = path.rsplit('/').next().unwrap_or_default();
        if parts.method == Method::POST {
            let sent = sent.collect().await.unwrap().to_bytes();
            let object: Value = serde_json::from_slice(&sent).unwrap();
            if kind == "namespaces" {
                let name = object["metadata"]["name"].as_str().unwrap().to_owned();
                self.namespace.send_replace(Some(name));
            }
            return answer(201, &object);
        }
        if kind == "log" {
            if query.contains("previous=true") {
                return failure(400, "BadRequest");
            }
            let log = (self.log)();
            return if query.contains("follow=true") {
                streamed(log.chain(stream::pending()))
            } else {
                streamed(log)
            };
        }
        if !query.contains("watch=true") {
            let namespace = self.namespace.borrow().clone();
            let of = namespace.filter(|name| path.ends_with(&format!("/{name}/pods")));
            let items: Vec<Value> = of.iter().map(|name| pod(name)).collect();
            return answer(
                200,
                &json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "2"}, "items": items}),
            );
        }
        if query.contains("sendInitialEvents") {
            return failure(422, "Invalid");
        }
        if kind != "pods" {
            return streamed(stream::pending());
        }
        // One Pod in each namespace; a case that the environment failed is tried again in another.
        let mut namespace = self.namespace.subscribe();
        namespace.mark_changed();
        let events = stream::unfold(namespace, |mut namespace| async {
            loop {
                namespace.changed().await.ok()?;
                let name = namespace.borrow_and_update().clone();
                if let Some(name) = name {
                    let event = json!({"type": "ADDED", "object": pod(&name)});
                    return Some((Bytes::from(format!("{event}\n")), namespace));
                }
            }
        });
        if !self.breaks {
            return streamed(events.chain(stream::pending()));
        }
        if self.is_broken.swap(true, Ordering::Relaxed) {
            return failure(500, "InternalError");
        }
        streamed(events.take(1))
    }
}

/// The result of a case with these checks whose head writes this log, and whose evidence goes to
/// `output`.
async fn run(checks: &str, timeout: &str, log: Log, output: &Path) -> CaseResult {
    let server = Server {
        namespace: watch::Sender::new(None),
        log,
        breaks: false,
        is_broken: AtomicBool::new(false),
    };
    run_on(server, checks, timeout, output).await
}

/// As [`run`], on this API server.
async fn run_on(server: Server, checks: &str, timeout: &str, output: &Path) -> CaseResult {
    let server = Arc::new(server);
    let service = tower::service_fn(
        move |request| -> BoxFuture<'static, Result<_, Infallible>> {
            let server = Arc::clone(&server);
            Box::pin(async move { Ok(server.answer(request).await) })
        },
    );
    let scenarios = tempfile::tempdir().unwrap();
    let folder = scenarios.path().join("a-log");
    std::fs::create_dir(&folder).unwrap();
    let scenario = format!(
        "apiVersion: kuberay-conformance/v1beta1\nkind: Scenario\nmetadata: {{name: a-log}}\nspec:\n  \
         description: A container writes.\n  timeout: {timeout}\n  manifests: [raycluster.yaml]\n  \
         checks:\n{checks}"
    );
    std::fs::write(folder.join("scenario.yaml"), scenario).unwrap();
    let manifest = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: a}\n";
    std::fs::write(folder.join("raycluster.yaml"), manifest).unwrap();
    let scenarios = load_all(scenarios.path()).unwrap();
    let (operator, ray) = (Version::new(1, 6, 2), Version::new(2, 52, 0));
    let pairs = Pair::crossed(std::slice::from_ref(&operator), std::slice::from_ref(&ray));
    let cases = plan::cases(&scenarios, &[(TargetKind::Kind, pairs)], &Filter::default()).cases;
    let image = |name: &str| ImageRecord {
        name: name.into(),
        origin: Origin::Built,
        source: "the test".into(),
        digest: "sha256:0".into(),
        pinned: true,
    };
    let target = Target {
        client: Client::new(service, "default"),
        environment: Environment::default(),
        health: Health::Process {
            log: output.join("operator.log"),
        },
        images: Images {
            operator: image("operator"),
            rays: BTreeMap::from([(ray, image("ray"))]),
        },
        samples: output.into(),
        capabilities: Capabilities {
            kubelet: false,
            allocations: None,
            capacity_share: 1,
            jobs: None,
            clean_up: CaseCleanUp::Nothing,
        },
    };
    let options = EngineOptions {
        run: new_run_id(),
        output: output.into(),
        evidence: EvidencePolicy::Always,
        jobs: Some(1),
        overlap: false,
        journal: None,
        redactor: Redactor::default(),
        ends: None,
        write_pending: false,
        record_verified: false,
    };
    let cancel = tokio_util::sync::CancellationToken::new();
    let engine = RunEngine::new(target, options, Arc::new(Silent), cancel)
        .await
        .unwrap();
    engine.run_case(&cases[0]).await
}

fn text(text: &'static [u8]) -> Log {
    Arc::new(move || stream::iter([Bytes::from_static(text)]).boxed())
}

/// The log of the head among the evidence.
fn log_in_evidence(result: &CaseResult, output: &Path) -> Vec<u8> {
    let folder = output.join(result.evidence.as_ref().unwrap());
    std::fs::read(folder.join("logs/head/ray-head.log")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_writes_what_is_expected_passes() {
    let output = tempfile::tempdir().unwrap();
    let checks = "    - logs: {role: head, after: [running], lines: [{must: Ray runtime started}, {not: Traceback}]}\n";
    let result = run(
        checks,
        "30s",
        text(b"hello\nRay runtime started.\n"),
        output.path(),
    )
    .await;
    assert_eq!(result.outcome, Outcome::Passed, "{:?}", result.reason);
    assert_eq!(
        log_in_evidence(&result, output.path()),
        b"hello\nRay runtime started.\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_bytes_that_are_not_utf_8_is_judged_and_kept_as_evidence() {
    let output = tempfile::tempdir().unwrap();
    let checks = "    - logs: {role: head, after: [running], lines: [{must: Ray runtime started}, {not: Traceback}]}\n";
    let result = run(
        checks,
        "20s",
        text(b"a \xff byte\nRay runtime started.\n"),
        output.path(),
    )
    .await;
    assert_eq!(result.outcome, Outcome::Passed, "{:?}", result.reason);
    let kept = log_in_evidence(&result, output.path());
    assert_eq!(
        String::from_utf8_lossy(&kept),
        "a \u{fffd} byte\nRay runtime started.\n"
    );
}

/// So many lines of 100 bytes, the number in each.
fn numbered(lines: usize) -> Log {
    Arc::new(move || {
        let piece = |of: usize| {
            let text: String = (of * 1000..(of + 1) * 1000)
                .map(|number| {
                    format!("2026-11-28 01:00:00,000\tINFO worker.py:1696 -- line {number:>48}\n")
                })
                .collect();
            Bytes::from(text)
        };
        stream::iter((0..lines / 1000).map(piece)).boxed()
    })
}

/// Nobody sees what happens while a watch is broken: neither that something is missing nor that
/// something does not happen.
#[rstest::rstest]
#[case::missing("    - state: {role: head, exitCode: 1}\n")]
#[case::not_happened("    - never: {for: 3s, after: running, restarts: {role: head}}\n")]
#[tokio::test(flavor = "multi_thread")]
async fn no_case_has_a_verdict_while_the_watch_of_pods_is_broken(#[case] checks: &str) {
    let output = tempfile::tempdir().unwrap();
    let server = Server {
        namespace: watch::Sender::new(None),
        log: text(b"hello\n"),
        breaks: true,
        is_broken: AtomicBool::new(false),
    };
    let result = run_on(server, checks, "6s", output.path()).await;
    let reason = result.reason.unwrap_or_default();
    assert_eq!(result.outcome, Outcome::Error, "{reason}");
    assert!(reason.contains("the watch of pods breaks"), "{reason}");
}

/// The check first holds in the look that is made at the case's limit.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_holds_at_the_limit_passes() {
    let output = tempfile::tempdir().unwrap();
    let checks = "    - never: {for: 4600ms, after: running, restarts: {role: head}}\n";
    let result = run(checks, "5s", text(b"hello\n"), output.path()).await;
    assert_eq!(result.outcome, Outcome::Passed, "{:?}", result.reason);
}

/// Says in the environment of a process of a test that it is one.
const ALONE: &str = "KUBERAY_CONFORMANCE_TEST_ALONE";

/// Runs a test of this program in a process of its own, where no other test needs memory; returns
/// whether this is that process.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(ALONE, "");
    let ended = child.output().unwrap();
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    println!("{said}");
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    false
}

/// The most memory that this process has held so far, in MB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024 / 1_000_000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_with_a_log_of_36_mb_ends_at_its_limit_with_its_cause_and_in_bounded_memory() {
    if !is_alone(
        "a_case_with_a_log_of_36_mb_ends_at_its_limit_with_its_cause_and_in_bounded_memory",
    ) {
        return;
    }
    let output = tempfile::tempdir().unwrap();
    let before = memory();
    let checks = "    - logs:\n        role: head\n        lines: [{must: '/a line of [0-9]+ words/'}, {must: 'node:<pod-ip>'}]\n";
    let result = run(checks, "5s", numbered(360_000), output.path()).await;
    let grown = memory() - before;
    let check = &result.checks[0];
    println!(
        "ended after {:.1} s with {grown} MB more: {}",
        check.seconds, check.message
    );
    assert_eq!(check.outcome, Outcome::Failed, "{}", check.message);
    assert!(
        check
            .message
            .starts_with("waits for a line with \"/a line of [0-9]+ words/\""),
        "{}",
        check.message
    );
    assert!(
        check
            .message
            .contains("given up at the scenario's limit of 5s"),
        "{}",
        check.message
    );
    assert!(
        check.seconds <= 10.0,
        "it ended {:.1} s after it began",
        check.seconds
    );
    assert!(grown <= 150, "{grown} MB");
    let kept = log_in_evidence(&result, output.path());
    let kept = String::from_utf8(kept).unwrap();
    assert!(kept.len() < 9 << 20, "{} bytes are kept", kept.len());
    assert!(kept.contains("of 360000 lines ("), "what is cut is said");
    assert!(
        kept.contains(") are left out: of a log, its first 1.0 MiB"),
        "what is cut is said"
    );
    assert_ends_with!(kept.trim_end(), "359999");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_too_long_to_be_judged_whole_leaves_its_case_without_a_verdict() {
    let output = tempfile::tempdir().unwrap();
    let log: Log = Arc::new(|| {
        let long = "x".repeat(3 << 19);
        stream::iter([Bytes::from(format!(
            "Ray runtime started.\n{long} Traceback\n"
        ))])
        .boxed()
    });
    let checks = "    - logs: {role: head, after: [running], lines: [{must: Ray runtime started}, {not: Traceback}]}\n";
    let result = run(checks, "30s", log, output.path()).await;
    assert_eq!(result.outcome, Outcome::Error, "{:?}", result.reason);
    let words = "line 2 is longer than 1.0 MiB, and the 512.0 KiB after that are not checked";
    assert!(
        result.checks[0].message.contains(words),
        "{}",
        result.checks[0].message
    );
    let kept = String::from_utf8(log_in_evidence(&result, output.path())).unwrap();
    assert!(
        kept.ends_with("x[512.0 KiB more of this line are left out]\n"),
        "what is cut is said"
    );
}
