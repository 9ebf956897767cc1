//! The harness as a Job in the cluster: a Pod that is killed half-way is picked up, the report is
//! complete and says the same as a run from outside, and evidence comes with it.
//!
//! They need a kind cluster (`kuberay-conformance cluster up`).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client, ResourceExt};
use kuberay_conformance::provider::CLUSTER;
use kuberay_conformance::report::{Outcome, RunResult};
use kuberay_conformance::runner::NAMESPACE;

use crate::support::cluster::{client, kubeconfig};
use crate::support::copies::{copy_scenario, replaced, run};
use crate::support::sandbox::text;
use crate::support::{exclusive, program};

const JOB: &str = "half-way";
const WITHIN: Duration = Duration::from_mins(4);

/// Heads that end at once, so that a shard has many cases in a short time, and one that does not
/// pass.
const QUICK: [&str; 6] = [
    "exit-ends-the-container",
    "exec-replaces-the-shell",
    "errexit-and-the-limit",
    "trailing-semicolon",
    "trailing-ampersand",
    "trailing-newline",
];

/// By scenario: ids of a Job's cases begin with `existing::`, those of a run from outside with
/// `kind::`.
fn outcomes(run: &RunResult) -> BTreeMap<String, Outcome> {
    run.cases
        .iter()
        .map(|case| (case.scenario.clone(), case.outcome))
        .collect()
}

/// How many cases each shard has kept by now.
async fn kept(client: &Client) -> BTreeMap<String, usize> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let own = format!("kuberay-conformance/job={JOB},kuberay-conformance/holds=case");
    let list = maps
        .list_metadata(&ListParams::default().labels(&own))
        .await
        .unwrap();
    let mut counts = BTreeMap::new();
    for map in list.items {
        *counts
            .entry(map.labels()["kuberay-conformance/shard"].clone())
            .or_default() += 1;
    }
    counts
}

/// Kills the Pod of a shard that has kept something but has not ended; returns the shard.
async fn kill_half_way(client: &Client) -> String {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let began = Instant::now();
    loop {
        assert!(
            began.elapsed() < WITHIN,
            "no shard has kept anything: {:?}",
            kept(client).await
        );
        let counts = kept(client).await;
        // Each of the two has three cases or four.
        if let Some((shard, _)) = counts.iter().find(|(_, count)| (1..=2).contains(*count)) {
            let index = shard.parse::<u16>().unwrap() - 1;
            let own = format!(
                "kuberay-conformance/job={JOB},batch.kubernetes.io/job-completion-index={index}"
            );
            let list = pods
                .list(&ListParams::default().labels(&own))
                .await
                .unwrap();
            let name = list.items[0].name_any();
            let at_once = DeleteParams::default().grace_period(0);
            pods.delete(&name, &at_once).await.unwrap();
            return shard.clone();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn collect(output: &Path, arguments: &[&str]) -> (Output, RunResult) {
    let mut command = program();
    command
        .args(["job", "collect", "--job", JOB, "--output"])
        .arg(output)
        .args(arguments);
    let done = command.output().unwrap();
    let results = std::fs::read_to_string(output.join("results.json"));
    let results = results.unwrap_or_else(|error| panic!("{error}: {}", text(&done)));
    (done, serde_json::from_str(&results).unwrap())
}

#[test]
#[ignore = "needs kind"]
fn a_pod_that_is_killed_half_way_is_picked_up_and_the_report_is_whole() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let scenarios = folder.path().join("scenarios");
    for name in QUICK {
        copy_scenario(name, name, &scenarios, |_, text| text);
    }
    copy_scenario(
        "exit-ends-the-container",
        "wrong-exit",
        &scenarios,
        |file, text| match file {
            "scenario.yaml" => replaced(&text, "exitCode: 3", "exitCode: 4"),
            _ => text,
        },
    );
    let mut submit = program();
    submit
        .args([
            "job",
            "submit",
            "--job",
            JOB,
            "--shards",
            "2",
            "--jobs",
            "1",
            "--scenarios",
        ])
        .arg(&scenarios);
    let submitted = submit.output().unwrap();
    assert!(submitted.status.success(), "{}", text(&submitted));

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (client, shard) = runtime.block_on(async {
        let client = client(&kubeconfig(CLUSTER)).await;
        let shard = kill_half_way(&client).await;
        (client, shard)
    });
    // What is there by now is a report, too, and says what it lacks.
    let (early, partial) = collect(&folder.path().join("early"), &[]);
    assert_eq!(early.status.code(), Some(3), "{}", text(&early));
    assert!(!partial.missing.is_empty(), "{}", text(&early));
    assert!(text(&early).contains("are missing"), "{}", text(&early));

    let whole = folder.path().join("whole");
    let (done, result) = collect(&whole, &["--wait", "--timeout", "5m", "--remove"]);
    assert_eq!(
        done.status.code(),
        Some(1),
        "one scenario fails: {}",
        text(&done)
    );
    assert_eq!(result.missing.len(), 0, "{}", text(&done));
    assert_eq!(result.interrupted.as_deref(), None, "{}", text(&done));
    let outside = run(&scenarios, &[]);
    assert_eq!(
        outcomes(&result),
        outcomes(&outside.result),
        "the Job says what a run from outside says"
    );
    let failed: Vec<_> = result
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Failed)
        .collect();
    assert_eq!(failed.len(), 1);
    let evidence = whole.join(failed[0].evidence.as_ref().expect("evidence"));
    assert!(
        evidence.join("events.txt").is_file(),
        "evidence comes along"
    );

    let resumed =
        std::fs::read_to_string(whole.join(format!("shards/{shard}/results.json"))).unwrap();
    let resumed: RunResult = serde_json::from_str(&resumed).unwrap();
    let taken_over = resumed.cases.iter().filter(|case| case.resumed).count();
    assert!(taken_over >= 1, "what had passed was not run again");
    assert!(taken_over < resumed.cases.len(), "and the rest was");
    assert!(
        runtime.block_on(kept(&client)).is_empty(),
        "--remove leaves nothing"
    );
}
