use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;
use crate::results::CaseResult;
use crate::scenario::results::example;

pub(super) fn head() -> JournalHead {
    JournalHead::new(None, vec!["a".into(), "b".into()])
}

pub(super) fn entry(id: &str) -> JournalEntry {
    JournalEntry {
        digest: "sha256:0".into(),
        result: CaseResult {
            id: id.into(),
            ..example::run().cases[0].clone()
        },
    }
}

async fn noted(output: &Path, resume: bool, ids: &[&str]) -> Vec<JournalEntry> {
    let journal = FileJournal::new(output);
    let before = journal.begin(&head(), resume).await.unwrap();
    for id in ids {
        journal.note(&entry(id), None).await.unwrap();
    }
    before
}

fn ids(entries: &[JournalEntry]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry.result.id.as_str())
        .collect()
}

#[tokio::test]
async fn what_was_noted_is_picked_up_and_a_new_run_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("made/when/absent");
    assert_eq!(
        noted(&output, true, &["a"]).await,
        [],
        "there was nothing to pick up"
    );
    assert_eq!(noted(&output, true, &["b"]).await, [entry("a")]);
    assert_eq!(ids(&noted(&output, true, &[]).await), ["a", "b"]);
    assert_eq!(noted(&output, false, &[]).await, []);
    assert_eq!(noted(&output, true, &[]).await, []);
}

/// `kill -9` at any moment leaves some first part of the file.
#[tokio::test]
async fn a_torn_last_line_is_dropped_wherever_it_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path();
    let path = output.join("journal.jsonl");
    noted(output, false, &["a", "b"]).await;
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = (1..=whole.len())
        .filter(|end| whole[end - 1] == b'\n')
        .collect();
    assert_eq!(ends.len(), 3, "a head and two cases");
    let step = 37;
    for end in (0..whole.len())
        .step_by(step)
        .chain(ends.iter().flat_map(|end| [end - 1, *end]))
    {
        fs::write(&path, &whole[..end]).unwrap();
        let there = ends.iter().skip(1).filter(|line| **line <= end).count();
        assert_eq!(
            ids(&noted(output, true, &["b"]).await),
            ["a", "b"][..there],
            "torn at {end}"
        );
        let again = noted(output, true, &[]).await;
        assert_eq!(
            ids(&again),
            [&["a", "b"][..there], &["b"]].concat(),
            "torn at {end}"
        );
    }
}

#[tokio::test]
async fn what_can_not_be_picked_up_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let refused = async |change: &dyn Fn(String) -> String| {
        noted(folder.path(), false, &["a", "b"]).await;
        let changed = change(fs::read_to_string(&path).unwrap());
        fs::write(&path, &changed).unwrap();
        let error = FileJournal::new(folder.path())
            .begin(&head(), true)
            .await
            .unwrap_err();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            changed,
            "it is not ours to change"
        );
        error.to_string()
    };
    let text = refused(&|text| text.replacen("journal/v2", "journal/v9", 1)).await;
    assert!(
        text.contains(
            "journal.jsonl belongs to another run (its form is kuberay-conformance.journal/v9"
        ),
        "{text}"
    );
    let text = refused(&|text| text.replacen(r#"["a","b"]"#, r#"["a"]"#, 1)).await;
    assert!(text.contains("it did not have b"), "{text}");
    let text = refused(&|text| text.replacen(r#"{"digest""#, "{digest", 1)).await;
    assert!(text.starts_with("entry 2 of "), "{text}");
    assert!(text.contains("run without --resume"), "{text}");
    let text = refused(&|_| "nothing of ours\n".into()).await;
    assert!(text.starts_with("entry 1 of "), "{text}");
}

#[tokio::test]
async fn a_folder_that_can_not_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = FileJournal::new(&file)
        .begin(&head(), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("beginning the journal "), "{error}");
    assert!(error.contains("file/journal.jsonl"), "{error}");
}

/// A folder that was used before, or by somebody else, may hold anything under the journal's name.
#[rstest::rstest]
#[case::link(false)]
#[case::hard_link(true)]
#[tokio::test]
async fn a_link_in_the_journals_place_is_replaced_and_its_target_stays(#[case] is_hard: bool) {
    let folder = tempfile::tempdir().unwrap();
    let (target, output) = (folder.path().join("target"), folder.path().join("output"));
    fs::create_dir(&output).unwrap();
    fs::write(&target, "not ours\n").unwrap();
    let journal = output.join("journal.jsonl");
    let link = if is_hard {
        fs::hard_link
    } else {
        std::os::unix::fs::symlink
    };
    link(&target, &journal).unwrap();
    assert_eq!(noted(&output, false, &["a"]).await, []);
    assert_eq!(fs::read_to_string(&target).unwrap(), "not ours\n");
    assert!(journal.symlink_metadata().unwrap().is_file());
    assert_eq!(ids(&noted(&output, true, &[]).await), ["a"]);
}

/// What is no file would be written, or never read to its end.
#[rstest::rstest]
#[case::link(false)]
#[case::pipe(true)]
#[tokio::test]
async fn what_is_no_file_is_not_picked_up(#[case] is_pipe: bool) {
    let folder = tempfile::tempdir().unwrap();
    let (target, output) = (folder.path().join("target"), folder.path().join("output"));
    let journal = output.join("journal.jsonl");
    noted(&output, false, &["a"]).await;
    fs::rename(&journal, &target).unwrap();
    let before = fs::read_to_string(&target).unwrap();
    if is_pipe {
        let made = std::process::Command::new("mkfifo")
            .arg(&journal)
            .status()
            .unwrap();
        assert!(made.success());
    } else {
        std::os::unix::fs::symlink(&target, &journal).unwrap();
    }
    let (sender, error) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let journal = FileJournal::new(&output);
        let begun = runtime.block_on(async { journal.begin(&head(), true).await });
        sender.send(begun.unwrap_err().to_string())
    });
    let error = error.recv_timeout(std::time::Duration::from_mins(1));
    let error = error.expect("it does not wait for somebody to write into a pipe");
    assert!(error.contains("is no regular file"), "{error}");
    assert_eq!(fs::read_to_string(&target).unwrap(), before);
}

/// Read whole it would take all memory.
#[tokio::test]
async fn a_journal_larger_than_any_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("journal.jsonl")).unwrap();
    file.set_len(1 << 40).unwrap();
    let journal = FileJournal::new(folder.path());
    let error = journal.begin(&head(), true).await.unwrap_err();
    assert!(error.to_string().contains("larger than"), "{error}");
}

/// Says in the environment of a process of this test where its journal is.
const OUTPUT: &str = "KUBERAY_CONFORMANCE_TEST_OUTPUT";

/// A full disk takes a part of a line; then there is room again. The limit for the size of files is
/// one of a process, so that the test runs itself in another one.
#[tokio::test]
async fn a_line_of_which_a_part_could_be_written_is_taken_back() {
    if let Some(output) = std::env::var_os(OUTPUT) {
        return note_with_too_little_room_once(Path::new(&output)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let module = module_path!().split_once("::").unwrap().1;
    let own = format!("{module}::a_line_of_which_a_part_could_be_written_is_taken_back");
    let mut child = std::process::Command::new("sh");
    child
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .args([&own])
        .env(OUTPUT, folder.path());
    let ended = child.output().unwrap();
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    assert_eq!(ids(&noted(folder.path(), true, &[]).await), ["a", "b"]);
}

async fn note_with_too_little_room_once(output: &Path) {
    let limit = |current: Option<u64>| {
        let maximum = getrlimit(Resource::Fsize).maximum;
        setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
    };
    let journal = FileJournal::new(output);
    journal.begin(&head(), false).await.unwrap();
    journal.note(&entry("a"), None).await.unwrap();
    let length = fs::metadata(output.join("journal.jsonl")).unwrap().len();
    limit(Some(length + 100));
    let error = journal.note(&entry("b"), None).await.unwrap_err();
    assert!(error.to_string().contains("File too large"), "{error}");
    limit(getrlimit(Resource::Fsize).maximum);
    let after = fs::metadata(output.join("journal.jsonl")).unwrap().len();
    assert_eq!(after, length, "a part of a line is left");
    journal.note(&entry("b"), None).await.unwrap();
}

/// A system that lost power may keep the end of a line and not its middle.
#[rstest::rstest]
#[case::of_nothing("\0\0\0\0\n")]
#[case::of_the_end_of_a_line("\0\0\"seconds\":1.0}]}\n")]
#[tokio::test]
async fn a_last_line_that_is_torn_in_its_middle_is_dropped(#[case] torn: &str) {
    let folder = tempfile::tempdir().unwrap();
    noted(folder.path(), false, &["a"]).await;
    let path = folder.path().join("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap() + torn;
    fs::write(&path, text).unwrap();
    assert_eq!(ids(&noted(folder.path(), true, &["b"]).await), ["a"]);
    assert_eq!(ids(&noted(folder.path(), true, &[]).await), ["a", "b"]);
}
