use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use super::*;
use crate::process::other::{Other, role};
use crate::results::Outcome;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Progress for Lines {
    fn update(&self, _task: &str, _message: &str) {}
    fn finish(&self, _task: &str, _outcome: Outcome, _message: &str) {}
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.into());
    }
}

#[tokio::test]
async fn what_a_killed_process_left_goes_and_what_is_used_stays() {
    let state = tempfile::tempdir().unwrap();
    let lines = Lines::default();
    let used = Folder::make(state.path(), &lines).await.unwrap();
    assert_eq!(
        used.path().metadata().unwrap().permissions().mode() & 0o777,
        0o700
    );
    let left = state.path().join("envtest/1-0");
    std::fs::create_dir_all(left.join("etcd")).unwrap();
    std::fs::write(left.join(OWNER), "").unwrap();
    let second = Folder::make(state.path(), &lines).await.unwrap();
    assert!(used.path().exists());
    assert!(second.path().exists());
    assert!(!left.exists());
    let told = lines.0.lock().unwrap().join("\n");
    assert!(told.contains("envtest/1-0"), "{told}");
    assert!(told.contains("killed"), "{told}");
    let path = second.path().to_owned();
    drop(second);
    assert!(!path.exists());
}

const SELF: &str =
    "target::envtest::folder::tests::a_folder_that_its_owner_removes_is_not_taken_for_left_behind";

/// What this program does as the other process.
async fn be_the_other(role: &str, state: &Path) {
    let lines = Lines::default();
    let folder = Folder::make(state, &lines).await.unwrap();
    if role == "own" {
        std::fs::create_dir_all(folder.path().join("etcd/member")).unwrap();
    }
    drop(folder);
    println!("it is done");
}

#[tokio::test]
async fn a_folder_that_its_owner_removes_is_not_taken_for_left_behind() {
    if let Some((role, state)) = role() {
        return be_the_other(&role, &state).await;
    }
    let state = tempfile::tempdir().unwrap();
    let mut other = Other::start(SELF, "own", state.path(), Some("folder-emptied"));
    other.until_stopped();
    let lines = Lines::default();
    let own = Folder::make(state.path(), &lines).await.unwrap();
    assert_eq!(*lines.0.lock().unwrap(), Vec::<String>::new());
    other.go_on();
    other.until("it is done");
    let left = std::fs::read_dir(state.path().join("envtest")).unwrap();
    let left: Vec<_> = left
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(left, [own.path()]);
}

/// The other has found what a killed process left when it goes.
#[tokio::test]
async fn what_is_gone_before_it_is_removed_is_no_error() {
    let state = tempfile::tempdir().unwrap();
    let left = state.path().join("envtest/1-0");
    std::fs::create_dir_all(&left).unwrap();
    let mut other = Other::start(SELF, "remove", state.path(), Some("leftover-found"));
    other.until_stopped();
    std::fs::remove_dir_all(&left).unwrap();
    other.go_on();
    other.until("it is done");
}
