use super::*;
use assert_matches::assert_matches;

#[test]
fn an_error_names_the_holder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let _first = FileLock::try_hold(&path, "make etcd").unwrap();
    let error = FileLock::try_hold(&path, "make etcd")
        .unwrap_err()
        .to_string();
    let expected = format!(
        "is held by process {} (make etcd, since ",
        std::process::id()
    );
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn shared_holders_exclude_an_exclusive_one_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let take = |mode| FileLock::try_take(&path, mode);
    let first = take(LockMode::Shared).unwrap();
    let second = take(LockMode::Shared).unwrap();
    drop(first);
    assert_matches!(take(LockMode::Exclusive), Err(LockError::Held { .. }));
    drop(second);
    let _alone = take(LockMode::Exclusive).unwrap();
    assert_matches!(take(LockMode::Shared), Err(LockError::Held { .. }));
}

#[test]
fn a_probe_finds_the_holder_and_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    assert_matches!(FileLock::probe(&path), Ok(Probe::Absent));
    assert!(!path.exists());
    let lock = FileLock::try_hold(&path, "run").unwrap();
    assert_matches!(FileLock::probe(&path), Ok(Probe::Held(holder)) if holder.doing == "run");
    drop(lock);
    let one = FileLock::probe(&path).unwrap();
    let other = FileLock::probe(&path).unwrap();
    assert_matches!((one, other), (Probe::Free(_), Probe::Free(_)));
}

#[tokio::test]
async fn waiting_ends_when_its_future_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = FileLock::try_hold(&path, "first").unwrap();
    let waiting = FileLock::hold(&path, "second", |_, _| true);
    assert!(tokio::time::timeout(INTERVAL * 3, waiting).await.is_err());
    drop(first);
    // A wait that went on in the background would get the lock now.
    tokio::time::sleep(INTERVAL * 3).await;
    FileLock::try_hold(&path, "third").unwrap();
}

#[tokio::test]
async fn waiting_ends_when_it_is_no_longer_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let _first = FileLock::try_hold(&path, "first").unwrap();
    let mut asked = 0;
    let error = FileLock::hold(&path, "second", |holder, _| {
        assert_eq!(holder.doing, "first");
        asked += 1;
        asked < 3
    })
    .await
    .unwrap_err();
    assert!(matches!(error, LockError::Held { .. }), "{error}");
    assert_eq!(asked, 3, "every look at the lock asks whether to go on");
}
