use std::path::Path;

use assertables::{assert_not_contains, assert_starts_with};
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;
use crate::progress::Silent;
use crate::reports::OnlyResults;
use crate::results::{CaseResult, Outcome};
use crate::runner::job_results::pack::{pack, pack_folder};
use crate::scenario::results::example;

const JOB: &str = "j";
const CASE: &str = "kind::1.6.2::2.52.0::a";

/// A client of an API server that has these `ConfigMaps`.
fn client(maps: Vec<Value>) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let query = request
            .uri()
            .query()
            .unwrap_or_default()
            .replace("%3D", "=")
            .replace("%2F", "/");
        let holds = |map: &&Value| {
            let holds = map["metadata"]["labels"]["kuberay-conformance/holds"]
                .as_str()
                .unwrap();
            query.contains(&format!("kuberay-conformance/holds={holds}"))
        };
        let items: Vec<&Value> = maps.iter().filter(holds).collect();
        let list =
            json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {}, "items": items});
        let body = Body::from(serde_json::to_vec(&list).unwrap());
        std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(body)))
    });
    Client::new(service, "default")
}

fn map(holds: &str, key: &str, bytes: Vec<u8>, part: usize) -> Value {
    use base64::Engine as _;
    let labels = json!({"kuberay-conformance/job": JOB, "kuberay-conformance/shard": "1",
        "kuberay-conformance/holds": holds, "kuberay-conformance/part": part.to_string()});
    let annotations = json!({"kuberay-conformance/case": CASE, "kuberay-conformance/made-of": ""});
    let data = base64::prelude::BASE64_STANDARD.encode(bytes);
    json!({"metadata": {"name": holds, "labels": labels, "annotations": annotations}, "binaryData": {key: data}})
}

/// What one shard kept of one case, with its evidence in this folder.
fn kept(evidence: &str, archive: Vec<u8>) -> Vec<Value> {
    let mut run = example::run();
    let case = CaseResult {
        id: CASE.into(),
        outcome: Outcome::Failed,
        evidence: Some(evidence.into()),
        ..run.cases[1].clone()
    };
    run.cases.clear();
    run.planned = vec![CASE.into()];
    run.shard = Some("1/1".parse().unwrap());
    vec![
        map("shard", "result.json.gz", pack(&run).unwrap(), 0),
        map("case", "result.json.gz", pack(&case).unwrap(), 0),
        map("evidence", "evidence.tar.gz", archive, 0),
    ]
}

/// A packed folder with one file.
fn archive() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    std::fs::write(folder.path().join("logs/head.log"), "123\n").unwrap();
    pack_folder(folder.path()).unwrap()
}

async fn collected(maps: Vec<Value>, output: &Path) -> Result<RunResult, RunError> {
    let options = CollectOptions {
        job: JOB.into(),
        output: output.into(),
        wait: None,
        remove: false,
    };
    collect(&client(maps), &options, &OnlyResults, &Silent).await
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(
                files(&path)
                    .into_iter()
                    .map(|below| format!("{name}/{below}")),
            );
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_a_shard_kept_becomes_a_report_with_its_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let run = collected(kept("evidence/kind/a", archive()), folder.path())
        .await
        .unwrap();
    assert_eq!(run.cases.len(), 1);
    assert_eq!(run.cases[0].outcome, Outcome::Failed);
    let files = files(folder.path());
    for expected in [
        "evidence/kind/a/logs/head.log",
        "shards/1/evidence/kind/a/logs/head.log",
        "results.json",
    ] {
        assert!(
            files.iter().any(|file| file == expected),
            "{expected} in {files:?}"
        );
    }
}

/// An account that may write `ConfigMaps` in the Job's namespace can write any path into a result.
#[rstest::rstest]
#[case::absolute("ABSOLUTE")]
#[case::up("../../../escaped")]
#[case::up_within("evidence/../../../../escaped")]
#[case::in_the_place_of_a_report("junit.xml")]
#[tokio::test]
async fn evidence_is_written_below_the_output_folder_only(#[case] evidence: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let evidence = evidence.replace("ABSOLUTE", folder.path().join("escaped").to_str().unwrap());
    let run = collected(kept(&evidence, archive()), &output)
        .await
        .unwrap();
    assert_eq!(run.cases.len(), 1);
    assert_eq!(run.cases[0].outcome, Outcome::Failed);
    assert_eq!(run.cases[0].evidence, None);
    let all = files(folder.path());
    for file in &all {
        assert_starts_with!(file, "output/");
        assert_not_contains!(file, "head.log");
    }
}
