//! An API server that stalls or cuts requests: the run ends within its limit, exits 3, names the cause and leaves nothing.

use std::time::{Duration, Instant};

use http::Method;
use kuberay_conformance::provider::CLUSTER;
use kuberay_conformance::report::RunResult;
use rstest::rstest;

use crate::support::cluster::{client, kubeconfig};
use crate::support::place::text;
use crate::support::proxy::{self, Fault, Rule};
use crate::support::{program, scenarios, turn};

const CONTEXT: &str = "kind-stalled";
/// The run's own limit, and what it may take beyond.
const LIMIT: Duration = Duration::from_secs(15);
const BEYOND: Duration = Duration::from_secs(15);

#[rstest]
#[case::the_first_request(Method::GET, "/version", Fault::Stall)]
#[case::the_operator(Method::GET, "/deployments", Fault::Stall)]
#[case::a_namespace(Method::POST, "/api/v1/namespaces", Fault::Stall)]
#[case::an_object(Method::POST, "/rayclusters", Fault::Stall)]
#[case::a_connection_that_is_cut(Method::GET, "/version", Fault::Cut)]
#[ignore = "needs kind"]
fn a_run_ends_with_its_limit(
    #[case] method: Method,
    #[case] path: &'static str,
    #[case] fault: Fault,
) {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let rule = Rule {
        method,
        path,
        fault,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let through = runtime.block_on(async {
        let upstream = client(&kubeconfig(CLUSTER)).await;
        proxy::start(upstream, rule, CONTEXT, folder.path()).await
    });
    let output = folder.path().join("output");
    let mut run = program();
    run.args(["run", "exit-ends", "--context", CONTEXT, "--timeout", "15s"])
        .arg("--kubeconfig")
        .arg(&through)
        .arg("--scenarios")
        .arg(scenarios())
        .arg("--output")
        .arg(&output);
    let started = Instant::now();
    let ended = run.output().unwrap();
    let took = started.elapsed();
    let said = text(&ended);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(took < LIMIT + BEYOND, "{took:?}: {said}");
    let results = std::fs::read_to_string(output.join("results.json"));
    let results = results.unwrap_or_else(|error| panic!("{error}: {said}"));
    let results: RunResult = serde_json::from_str(&results).unwrap();
    let cause = results.interrupted.expect("it says why it has no verdict");
    let expected = match fault {
        Fault::Stall => "time limit",
        Fault::Cut => "does not answer",
    };
    assert!(cause.contains(expected), "{cause}");
    assert!(results.cases.iter().all(|case| !case.outcome.is_good()));
}
