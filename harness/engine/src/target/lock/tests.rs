//! Tests of `lock`.

use super::*;
use crate::process::other::{Other, role};
use crate::progress::Silent;
use assert_matches::assert_matches;

#[test]
fn a_lock_ends_with_its_holder_and_not_with_a_program_that_is_being_started() {
    let folder = tempfile::tempdir().unwrap();
    let take = || FileLock::try_hold(&folder.path().join("lock"), "up");
    let first = take().unwrap();
    // What a fork has until it becomes another program.
    let _inherited = first.file().try_clone().unwrap();
    assert_matches!(take(), Err(LockError::Held { .. }));
    drop(first);
    take().unwrap();
}

#[tokio::test]
async fn the_second_is_told_who_holds_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let first = Lock::take(folder.path(), "a", "up", Patience::Fail, &Silent)
        .await
        .unwrap();
    let error = Lock::take(folder.path(), "a", "down", Patience::Fail, &Silent)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("process {} (up, since ", std::process::id())),
        "{error}"
    );
    drop(first);
    Lock::take(folder.path(), "a", "down", Patience::Fail, &Silent)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_second_gets_the_lock_when_the_first_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let first = Lock::take(folder.path(), "a", "up", Patience::Fail, &Silent)
        .await
        .unwrap();
    let path = folder.path().to_owned();
    let second =
        tokio::spawn(
            async move { Lock::take(&path, "a", "up", Patience::default(), &Silent).await },
        );
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop(first);
    second.await.unwrap().unwrap();
}

#[test]
fn users_are_seen_while_they_live() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Lease::users(folder.path()).unwrap(), []);
    let first = Lease::take(folder.path(), "run").unwrap();
    let second = Lease::take(folder.path(), "test").unwrap();
    assert_eq!(Lease::users(folder.path()).unwrap().len(), 2);
    drop(first);
    let users = Lease::users(folder.path()).unwrap();
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].doing.as_str(), "test");
    drop(second);
    std::fs::write(folder.path().join("users/left-by-a-killed-process"), "").unwrap();
    assert_eq!(Lease::users(folder.path()).unwrap(), []);
}

#[test]
fn a_lock_names_its_holder_beyond_its_pid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let _held = FileLock::try_hold(&path, "up").unwrap();
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let process = &record["process"];
    assert_eq!(process["pid"], std::process::id());
    assert!(
        process["started"].as_u64().is_some_and(|ticks| ticks > 0),
        "{record}"
    );
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap();
    assert_eq!(process["namespace"], namespace.to_string_lossy().as_ref());
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert_eq!(process["boot"], boot.trim());
}

const SELF: &str = "target::lock::tests::a_mark_that_is_being_made_is_not_removed_as_left_behind";

/// What this program does as the other process.
fn be_the_other(role: &str, folder: &Path) {
    if role == "use" {
        let _lease = Lease::take(folder, "run").unwrap();
        println!("it uses it");
        std::thread::park();
    } else {
        println!("{:?}", Lease::users(folder).unwrap());
    }
}

/// The other has made the file of its mark and has not locked it yet when this process looks for
/// users.
#[test]
fn a_mark_that_is_being_made_is_not_removed_as_left_behind() {
    if let Some((role, folder)) = role() {
        return be_the_other(&role, &folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut other = Other::start(SELF, "use", folder.path(), Some("lock-opened"));
    other.until_stopped();
    assert_eq!(Lease::users(folder.path()).unwrap(), []);
    other.go_on();
    other.until("it uses it");
    let users = Lease::users(folder.path()).unwrap();
    assert_eq!(
        users.iter().map(Holder::pid).collect::<Vec<_>>(),
        [Some(other.id())]
    );
}

/// The other looks at what an ended process left when this process does, too.
#[test]
fn who_looks_for_users_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("users")).unwrap();
    std::fs::write(folder.path().join("users/left-by-a-killed-process"), "").unwrap();
    let mut other = Other::start(SELF, "look", folder.path(), Some("mark-probed"));
    other.until_stopped();
    assert_eq!(Lease::users(folder.path()).unwrap(), []);
    other.go_on();
    other.until("[]");
}
