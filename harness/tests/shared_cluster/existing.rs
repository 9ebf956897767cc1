//! A cluster that exists: the documented permissions suffice, one less is named, and a context that
//! does not look like one for tests is refused.
//!
//! The kind cluster that is up plays it, so they need one (`kuberay-conformance cluster up`).

use std::path::Path;
use std::process::Output;

use assertables::assert_contains;
use kuberay_conformance::operator::Sender;
use kuberay_conformance::provider::CLUSTER;
use kuberay_conformance::report::{Outcome, RunResult};
use serde_json::{Value, json};

use crate::support::cluster::{account, client, kubeconfig, objects};
use crate::support::copies::{copy_scenario, replaced};
use crate::support::sandbox::text;
use crate::support::{exclusive, newest, program};

const CONTEXT: &str = "kind-run";

fn run(kubeconfig: &Path, context: &str, output: &Path, arguments: &[&str]) -> Output {
    let mut command = program();
    command
        .args(["run", "--context", context, "--kubeconfig"])
        .arg(kubeconfig);
    command.arg("--output").arg(output).args(arguments);
    command.output().unwrap()
}

fn result(output: &Path) -> RunResult {
    let text = std::fs::read_to_string(output.join("results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Does the work while no other test uses the cluster.
fn alone(work: impl Future<Output = ()>) {
    let _exclusive = exclusive();
    tokio::runtime::Runtime::new().unwrap().block_on(work);
}

/// The dashboard, a log, a crash, a job, the operator's own sample; and one that fails, because
/// evidence needs more.
#[test]
#[ignore = "needs kind"]
fn a_run_with_only_the_documented_permissions_passes() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let admin = kubeconfig(CLUSTER);
        let own = account(&client(&admin).await, &admin, CONTEXT, folder.path()).await;
        let good = folder.path().join("good");
        let names = ["solution-2", "exit-ends", "sample-head-command"];
        let output = run(&own, CONTEXT, &good, &names);
        assert!(output.status.success(), "{}", text(&output));
        let result_of_good = result(&good);
        assert_eq!(
            result_of_good
                .cases
                .iter()
                .filter(|case| case.outcome == Outcome::Passed)
                .count(),
            3
        );
        assert!(
            result_of_good.environment.engine.contains(CONTEXT),
            "the report names the context"
        );
        assert!(
            text(&output).contains(&format!(
                "uses the operator default/kuberay-operator: KubeRay {}",
                newest()
            )),
            "{}",
            text(&output)
        );

        let wrong = folder.path().join("scenarios");
        copy_scenario(
            "exit-ends-the-container",
            "wrong-exit",
            &wrong,
            |file, text| match file {
                "scenario.yaml" => replaced(&text, "exitCode: 3", "exitCode: 4"),
                _ => text,
            },
        );
        let bad = folder.path().join("bad");
        let output = run(
            &own,
            CONTEXT,
            &bad,
            &["--scenarios", wrong.to_str().unwrap()],
        );
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        // A line of progress may quote a warning of Kubernetes' own: only a line that is one
        // counts.
        assert!(
            !text(&output).contains("] warning: "),
            "evidence is whole: {}",
            text(&output)
        );
        let evidence = result(&bad).cases[0].evidence.clone().expect("evidence");
        assert!(bad.join(&evidence).join("pods").is_dir());
        assert!(!bad.join(&evidence).join("problems.txt").exists());
        let log = std::fs::read_to_string(bad.join(&evidence).join("operator.log")).unwrap();
        assert!(log.contains("wrong-exit"), "{log}");
        assert!(!log.contains("could not be"), "{log}");
    });
}

#[test]
#[ignore = "needs kind"]
fn one_permission_less_fails_and_is_named() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let admin = kubeconfig(CLUSTER);
        let client = client(&admin).await;
        let own = account(&client, &admin, CONTEXT, folder.path()).await;
        let role = objects("rbac/run.yaml")
            .into_iter()
            .find(|object| object["kind"] == "ClusterRole")
            .unwrap();
        let sender = Sender::new(client);
        let rules = role["rules"].as_array().unwrap().clone();
        let mut tried = 0;
        for (number, rule) in rules.iter().enumerate() {
            // One verb of each rule is enough: all are read and asked alike.
            let verbs = rule["verbs"].as_array().unwrap();
            let (lost, left) = verbs.split_last().unwrap();
            let mut less = rules.clone();
            less[number]["verbs"] = json!(left);
            if left.is_empty() {
                less.remove(number);
            }
            let mut changed: Value = role.clone();
            changed["rules"] = json!(less);
            sender.apply(&changed).await.unwrap();
            let resource = rule["resources"].as_array().unwrap()[0].as_str().unwrap();
            let expected = format!("may not {} {resource}", lost.as_str().unwrap());
            // The API server's authoriser sees a changed role a moment later.
            let mut said = String::new();
            for attempt in 0..20 {
                let less = folder.path().join(format!("less-{number}-{attempt}"));
                let output = run(&own, CONTEXT, &less, &["exit-ends"]);
                said = text(&output);
                if said.contains(&expected) {
                    assert_eq!(output.status.code(), Some(3), "{said}");
                    let result = result(&less);
                    assert_eq!(result.cases, [], "nothing was run");
                    let reason = result.interrupted.unwrap_or_default();
                    assert!(reason.contains(&expected), "{expected}, but: {reason}");
                    break;
                }
            }
            assert!(said.contains(&expected), "{expected}, but: {said}");
            tried += 1;
        }
        sender.apply(&role).await.unwrap();
        assert_eq!(tried, rules.len());
    });
}

#[test]
#[ignore = "needs kind"]
fn a_context_that_does_not_look_like_one_for_tests_is_refused() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let admin = kubeconfig(CLUSTER);
        let own = account(&client(&admin).await, &admin, "prod-1", folder.path()).await;
        let output = run(&own, "prod-1", folder.path(), &["exit-ends"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(
            text(&output).contains("the context `prod-1` is refused: `prod` in its name"),
            "{}",
            text(&output)
        );
        let output = run(
            &own,
            "prod-1",
            folder.path(),
            &["--allow-context", "prod-2", "exit-ends"],
        );
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        let output = run(
            &own,
            "prod-1",
            folder.path(),
            &["--allow-context", "prod-1", "exit-ends"],
        );
        assert!(output.status.success(), "{}", text(&output));
    });
}

#[test]
#[ignore = "needs kind"]
fn another_release_than_asked_for_is_told_before_anything_is_made() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let admin = kubeconfig(CLUSTER);
        let context = format!("kind-{CLUSTER}");
        let output = run(
            &admin,
            &context,
            folder.path(),
            &["--operator", "1.5.1", "exit-ends"],
        );
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        let told = format!(
            "is KubeRay {0} (its image is quay.io/kuberay/operator:v{0})",
            newest()
        );
        assert!(text(&output).contains(&told), "{}", text(&output));
        let output = run(
            &admin,
            &context,
            folder.path(),
            &["--install-operator", "exit-ends"],
        );
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert_contains!(
            text(&output),
            "an operator runs in the namespace default already"
        );
    });
}
