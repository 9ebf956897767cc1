//! An API server that stalls, cuts, throttles or corrupts requests: the run ends within its limit,
//! exits 3, names the cause and leaves nothing.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::ListParams;
use kuberay_conformance::provider::CLUSTER;
use kuberay_conformance::report::RunResult;
use rstest::rstest;

use crate::support::cluster::{client, kubeconfig};
use crate::support::proxy::{self, Fault, Rule};
use crate::support::sandbox::text;
use crate::support::{exclusive, program, scenarios};

const CONTEXT: &str = "kind-stalled";
/// The run's own limit, and what it may take beyond.
const LIMIT: Duration = Duration::from_secs(15);
const BEYOND: Duration = Duration::from_secs(5);

#[rstest]
#[case::the_first_request("get", "/version", Fault::Stall, "time limit")]
#[case::the_operator("list", "deployments", Fault::Stall, "time limit")]
#[case::a_namespace("create", "namespaces", Fault::Stall, "time limit")]
#[case::an_object("create", "rayclusters", Fault::Stall, "time limit")]
#[case::a_connection_that_is_cut("get", "/version", Fault::Cut, "does not answer")]
#[case::a_watch_that_is_cut("watch", "pods", Fault::Cut, "the watch of pods breaks")]
#[case::a_slow_answer("list", "nodes", Fault::Throttle(20), "time limit")]
#[case::an_answer_that_is_corrupt("create", "namespaces", Fault::Corrupt, "making the namespace")]
#[ignore = "needs kind"]
fn a_run_ends_with_its_limit(
    #[case] verb: &'static str,
    #[case] resource: &'static str,
    #[case] fault: Fault,
    #[case] cause: &str,
) {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let rule = Rule {
        verb,
        resource,
        fault,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (upstream, proxy) = runtime.block_on(async {
        let upstream = client(&kubeconfig(CLUSTER)).await;
        let proxy = proxy::start(upstream.clone(), rule, CONTEXT, folder.path()).await;
        (upstream, proxy)
    });
    let output = folder.path().join("output");
    let mut run = program();
    run.args(["run", "exit-ends", "--context", CONTEXT, "--timeout", "15s"])
        .arg("--kubeconfig")
        .arg(&proxy.kubeconfig)
        .arg("--scenarios")
        .arg(scenarios())
        .arg("--output")
        .arg(&output);
    let started = Instant::now();
    let ended = run.output().unwrap();
    let took = started.elapsed();
    let said = text(&ended);
    assert!(proxy.selected() > 0, "no request got the fault: {said}");
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(took < LIMIT + BEYOND, "{took:?}: {said}");
    let results = std::fs::read_to_string(output.join("results.json"));
    let results = results.unwrap_or_else(|error| panic!("{error}: {said}"));
    assert!(results.contains(cause), "{results}");
    let results: RunResult = serde_json::from_str(&results).unwrap();
    for case in &results.cases {
        assert!(!case.outcome.is_good(), "{case:?}");
    }
    runtime.block_on(async {
        let ours = ListParams::default().labels("kuberay-conformance/run");
        let namespaces: Api<Namespace> = Api::all(upstream);
        // Kubernetes removes what is in them first.
        for _ in 0..60 {
            if namespaces.list(&ours).await.unwrap().items.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("namespaces are left: {said}");
    });
}
