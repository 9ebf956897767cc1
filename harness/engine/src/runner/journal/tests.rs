use rstest::rstest;

use super::*;
use crate::plan::Pair;
use crate::progress::Silent;
use crate::results::Origin;
use crate::scenario::results::example;
use crate::scenario::{TargetKind, load_all};

/// A copy of a scenario in a folder, as a case.
fn case(folder: &Path) -> TestCase {
    let (own, name) = (
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios"),
        "default-command",
    );
    std::fs::create_dir_all(folder.join(name)).unwrap();
    for entry in std::fs::read_dir(own.join(name)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.join(name).join(path.file_name().unwrap())).unwrap();
    }
    let pair: Pair = "1.6.2/2.52.0".parse().unwrap();
    TestCase::of(&load_all(folder).unwrap()[0], TargetKind::Envtest, &pair)
}

fn image(digest: &str) -> ImageRecord {
    ImageRecord {
        name: "operator".into(),
        origin: Origin::Built,
        source: String::new(),
        digest: digest.into(),
        pinned: true,
    }
}

/// Keeps nothing but what it is given, and may refuse to.
#[derive(Debug)]
struct Remembered(Vec<JournalEntry>);

impl Journal for Remembered {
    fn begin<'a>(
        &'a self,
        _: &'a JournalHead,
        _: bool,
    ) -> BoxFuture<'a, Result<Vec<JournalEntry>, JournalError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn note<'a>(
        &'a self,
        _: &'a JournalEntry,
        _: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async {
            Err(JournalError::Access {
                doing: "writing",
                journal: "a test's".into(),
                source: "the disk is full".into(),
            })
        })
    }
}

fn entry(case: &TestCase, outcome: Outcome) -> JournalEntry {
    let result = CaseResult {
        id: case.id(),
        outcome,
        ..example::run().cases[0].clone()
    };
    JournalEntry {
        digest: case_digest(case, &[image("sha256:a")]).unwrap(),
        result,
    }
}

/// Whether a case is taken over from these entries, on this operator.
async fn is_taken(case: &TestCase, entries: Vec<JournalEntry>, operator: &str) -> bool {
    let head = JournalHead::new(None, Vec::new());
    let journal = RunJournal::begin(Arc::new(Remembered(entries)), &head, true, "".into());
    let (results, rest) = journal.await.unwrap().take_over(
        std::slice::from_ref(case),
        |_| vec![image(operator)],
        &Silent,
    );
    assert_eq!(results.len() + rest.len(), 1);
    let resumed: Vec<bool> = results.iter().map(|result| result.resumed).collect();
    assert_eq!(resumed, vec![true; 1 - rest.len()]);
    rest.is_empty()
}

#[rstest]
#[case::passed(&[Outcome::Passed], true)]
#[case::failed(&[Outcome::Failed], false)]
#[case::error(&[Outcome::Error], false)]
#[case::skipped(&[Outcome::Skipped], false)]
#[case::flaky(&[Outcome::Flaky], false)]
#[case::failed_and_then_passed(&[Outcome::Failed, Outcome::Passed], true)]
#[case::passed_and_then_failed(&[Outcome::Passed, Outcome::Failed], false)]
#[case::not_at_all(&[], false)]
#[tokio::test]
async fn what_passed_last_is_taken_over(#[case] outcomes: &[Outcome], #[case] expected: bool) {
    let folder = tempfile::tempdir().unwrap();
    let case = case(folder.path());
    let entries = outcomes
        .iter()
        .map(|outcome| entry(&case, *outcome))
        .collect();
    assert_eq!(is_taken(&case, entries, "sha256:a").await, expected);
}

#[tokio::test]
async fn what_has_changed_is_not_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let case = case(folder.path());
    let entries = vec![entry(&case, Outcome::Passed)];
    assert!(
        !is_taken(&case, entries.clone(), "sha256:b").await,
        "another operator"
    );
    // A pending snapshot is what a run wrote.
    let snapshot = case.scenario.dir.join("head.args@ge-1.1.0.snap");
    std::fs::write(snapshot.with_extension("snap.new"), "found").unwrap();
    assert!(is_taken(&case, entries.clone(), "sha256:a").await);
    let before = std::fs::read_to_string(&snapshot).unwrap();
    std::fs::write(&snapshot, before.clone() + " ").unwrap();
    assert!(
        !is_taken(&case, entries.clone(), "sha256:a").await,
        "a snapshot"
    );
    std::fs::write(&snapshot, before).unwrap();
    assert!(is_taken(&case, entries.clone(), "sha256:a").await);
    std::fs::write(case.scenario.dir.join("more.yaml"), "").unwrap();
    assert!(!is_taken(&case, entries, "sha256:a").await, "a file more");
}

/// Of two images without a digest nobody knows whether they are one.
#[tokio::test]
async fn what_ran_with_an_unknown_image_is_not_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let case = case(folder.path());
    let entry = JournalEntry {
        digest: case_digest(&case, &[image("unpinned")]).unwrap(),
        ..entry(&case, Outcome::Passed)
    };
    assert!(!is_taken(&case, vec![entry], "unpinned").await);
}

/// Keeps every note in memory.
#[derive(Debug, Default)]
struct RecordedEntries(std::sync::Mutex<Vec<JournalEntry>>);

impl Journal for RecordedEntries {
    fn begin<'a>(
        &'a self,
        _: &'a JournalHead,
        _: bool,
    ) -> BoxFuture<'a, Result<Vec<JournalEntry>, JournalError>> {
        Box::pin(async { Ok(self.0.lock().unwrap().clone()) })
    }

    fn note<'a>(
        &'a self,
        entry: &'a JournalEntry,
        _: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        self.0.lock().unwrap().push(entry.clone());
        Box::pin(async { Ok(()) })
    }
}

/// The cluster of a target: Kubernetes, and the image of its nodes or the program of its API
/// server.
type MadeOf = Option<(TargetKind, &'static str, &'static str)>;

const PLANES: MadeOf = Some((TargetKind::Envtest, "v1.34.4", "sha256:1"));

#[rstest]
#[case::the_same(None, PLANES, true)]
#[case::the_same_existing_one(Some("one"), None, true)]
#[case::another_existing_one(Some("other"), None, false)]
#[case::other_kubernetes(None, Some((TargetKind::Envtest, "v1.99.0", "sha256:1")), false)]
#[case::other_nodes(None, Some((TargetKind::Envtest, "v1.34.4", "sha256:2")), false)]
#[case::another_target_is_other(None, Some((TargetKind::Kind, "v1.34.4", "sha256:1")), false)]
#[tokio::test]
async fn what_passed_in_another_cluster_is_not_taken_over(
    #[case] cluster: Option<&str>,
    #[case] made_of: MadeOf,
    #[case] expected: bool,
) {
    let folder = tempfile::tempdir().unwrap();
    let case = case(folder.path());
    let kept = Arc::new(RecordedEntries::default());
    let begin = async |cluster: Option<&str>, made_of: MadeOf| {
        let head = JournalHead::new(None, Vec::new()).in_cluster(cluster.map(str::to_owned));
        let journal = RunJournal::begin(
            Arc::clone(&kept) as Arc<dyn Journal>,
            &head,
            true,
            "".into(),
        );
        let journal = journal.await.unwrap();
        if let Some((target, kubernetes, digest)) = made_of {
            let environment = Environment {
                kubernetes: kubernetes.into(),
                images: vec![image(digest)],
                ..Environment::default()
            };
            journal.runs_on(target, &environment);
        }
        journal
    };
    let images = [image("sha256:a")];
    let (first_cluster, first_made_of) = match cluster {
        Some(_) => (Some("one"), None),
        None => (None, PLANES),
    };
    let first = begin(first_cluster, first_made_of).await;
    first
        .note(&case, &images, &entry(&case, Outcome::Passed).result)
        .await
        .unwrap();
    let second = begin(cluster, made_of).await;
    let (results, _) = second.take_over(std::slice::from_ref(&case), |_| images.to_vec(), &Silent);
    assert_eq!(results.len(), usize::from(expected));
}

#[tokio::test]
async fn a_note_that_can_not_be_written_is_an_error_with_the_case_and_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let case = case(folder.path());
    let head = JournalHead::new(None, Vec::new());
    let journal = RunJournal::begin(Arc::new(Remembered(Vec::new())), &head, false, "".into());
    let result = entry(&case, Outcome::Passed).result;
    let noted = journal.await.unwrap().note(&case, &[], &result).await;
    assert_eq!(
        noted.unwrap_err(),
        "envtest::1.6.2::default-command is not noted, so --resume would run it again: writing \
         the journal a test's: the disk is full"
    );
}

#[rstest]
#[case(&|_: &mut JournalHead| (), None)]
#[case(&|head: &mut JournalHead| head.version = "v9".into(), Some("its form is v9, not kuberay-conformance.journal/v2"))]
#[case(&|head: &mut JournalHead| head.harness = "9.9.9".into(), Some("harness 9.9.9, not "))]
#[case(&|head: &mut JournalHead| head.shard = Some("1/3".parse().unwrap()), Some("shard 1/3, not no shard"))]
#[case(&|head: &mut JournalHead| head.cluster = Some("c".into()), Some("it ran in c, not in its own cluster"))]
#[case(&|head: &mut JournalHead| head.planned.push("c".into()), Some("it had c, which is not planned now"))]
#[case(&|head: &mut JournalHead| head.planned = vec!["a".into()], Some("it did not have b"))]
#[case(&|head: &mut JournalHead| head.planned.reverse(), Some("its cases are in another order"))]
fn a_journal_of_another_run_does_not_fit(
    #[case] change: &dyn Fn(&mut JournalHead),
    #[case] expected: Option<&str>,
) {
    let head = JournalHead::new(None, vec!["a".into(), "b".into()]);
    let mut found = head.clone();
    change(&mut found);
    let error = head
        .fits(&found, "the journal")
        .err()
        .map(|error| error.to_string());
    assert_eq!(error.is_some(), expected.is_some(), "{error:?}");
    if let (Some(error), Some(expected)) = (error, expected) {
        let expected = format!("the journal belongs to another run ({expected}");
        assert!(error.starts_with(&expected), "{error}");
        assert!(
            error.contains("run without --resume, which begins anew"),
            "{error}"
        );
    }
}
