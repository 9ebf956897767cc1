use std::convert::Infallible;
use std::path::Path;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;

use super::*;
use crate::plan::{self, Filter, Pair};
use crate::progress::Silent;
use crate::provider::{Capabilities, Health, Images};
use crate::redact::Redactor;
use crate::results::Environment;
use crate::runner::{Journal, JournalEntry, JournalError, JournalHead, RunJournal, new_run_id};
use crate::scenario::{TargetKind, load_all};

/// An operator that never comes.
struct NeverThere;

impl Upgrade for NeverThere {
    fn begin(&self) -> BoxFuture<'_, Result<(), String>> {
        std::future::pending().boxed()
    }

    fn end(&self) -> BoxFuture<'_, Result<(), String>> {
        std::future::pending().boxed()
    }

    fn upgrade(&self) -> BoxFuture<'_, Result<(), String>> {
        std::future::pending().boxed()
    }
}

/// A journal on a disk that is full.
#[derive(Debug)]
struct Full;

impl Journal for Full {
    fn begin<'a>(
        &'a self,
        _: &'a JournalHead,
        _: bool,
    ) -> BoxFuture<'a, Result<Vec<JournalEntry>, JournalError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn note<'a>(
        &'a self,
        _: &'a JournalEntry,
        _: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        async {
            Err(JournalError::Access {
                doing: "writing",
                journal: "journal.jsonl".into(),
                source: "No space left on device".into(),
            })
        }
        .boxed()
    }
}

/// A case of a scenario in this folder.
fn case(folder: &Path) -> TestCase {
    let scenario = folder.join("scenarios/a");
    std::fs::create_dir_all(&scenario).unwrap();
    let text = "apiVersion: kuberay-conformance/v1beta1\nkind: Scenario\nmetadata: {name: a}\nspec:\n  \
                description: A demonstration.\n  manifests: [a.yaml]\n  timeout: 1m\n  checks:\n    \
                - state: {role: head, ready: true}\n";
    std::fs::write(scenario.join("scenario.yaml"), text).unwrap();
    let manifest = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: a}\n";
    std::fs::write(scenario.join("a.yaml"), manifest).unwrap();
    let scenarios = load_all(&folder.join("scenarios")).unwrap();
    let (operator, ray) = (Version::new(1, 6, 2), Version::new(2, 52, 0));
    let pairs = Pair::crossed(&[operator], &[ray]);
    let all = plan::cases(&scenarios, &[(TargetKind::Kind, pairs)], &Filter::default());
    all.cases[0].clone()
}

/// An engine on an API server that answers nothing of use.
async fn engine(
    output: &Path,
    journal: Option<Arc<RunJournal>>,
    ends: Option<Instant>,
) -> RunEngine {
    let service = tower::service_fn(|_: Request<Body>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let image = ImageRecord {
        name: "operator".into(),
        origin: crate::results::Origin::Built,
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
            operator: image.clone(),
            rays: BTreeMap::from([(Version::new(2, 52, 0), image)]),
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
        evidence: EvidencePolicy::OnFailure,
        jobs: Some(1),
        overlap: false,
        journal,
        redactor: Redactor::default(),
        ends,
        write_pending: false,
        record_verified: false,
    };
    let cancel = CancellationToken::new();
    RunEngine::new(target, options, Arc::new(Silent), cancel)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_case_whose_older_operator_does_not_come_ends_with_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let ends = Instant::now() + Duration::from_millis(200);
    let engine = engine(folder.path(), None, Some(ends)).await;
    let case = case(folder.path());
    let ran = engine.run_upgrade(&case, &NeverThere);
    let result = tokio::time::timeout(Duration::from_secs(10), ran).await;
    let result = result.expect("it ends with the run");
    assert!(result.interrupted, "{:?}", result.reason);
    assert_eq!(result.outcome, Outcome::Skipped, "{:?}", result.reason);
}

#[tokio::test]
async fn a_result_that_the_journal_does_not_take_is_a_problem_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let case = case(folder.path());
    let head = JournalHead::new(None, vec![case.id()]);
    let output = folder.path().to_path_buf();
    let journal = RunJournal::begin(Arc::new(Full), &head, false, output).await;
    let journal = Arc::new(journal.unwrap());
    let engine = engine(folder.path(), Some(journal), None).await;
    engine.ended(&case, &blank(&case)).await;
    let unkept = engine.unkept();
    assert_eq!(unkept.len(), 1, "{unkept:?}");
    let expected = "is not noted, so --resume would run it again: writing the journal \
                    journal.jsonl: No space left on device";
    assert!(unkept[0].contains(expected), "{unkept:?}");
}
