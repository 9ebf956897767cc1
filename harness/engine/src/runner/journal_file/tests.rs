use std::fs;

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
            "journal.jsonl is of another run (its form is kuberay-conformance.journal/v9"
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
