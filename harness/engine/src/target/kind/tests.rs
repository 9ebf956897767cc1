//! The process that removes a cluster. Other processes are this program again, stopped while they
//! hold a lock or use the cluster.

use assert_matches::assert_matches;
use tempfile::TempDir;

use super::*;
use crate::container::EngineKind;
use crate::process::ProcessIdentity;
use crate::process::other::{Other, role};
use crate::progress::Silent;

/// A cluster of which nothing was made that an engine would have to remove.
fn cluster(folder: &Path) -> KindCluster {
    let engine = Engine {
        kind: EngineKind::Podman,
        version: "0".into(),
        environment: Vec::new(),
        storage: folder.into(),
    };
    KindCluster::new(engine, "a", folder, Arc::new(Silent)).unwrap()
}

/// Writes down that it is complete.
fn complete(folder: &Path, kept: bool) -> KindCluster {
    let cluster = cluster(folder);
    std::fs::create_dir_all(&cluster.folder).unwrap();
    let mut state = ClusterRecord::new("a", EngineKind::Podman);
    state.kept = kept;
    state.complete = Some(Complete {
        key: String::new(),
        kubernetes: "v1".into(),
        since: String::new(),
    });
    cluster.file().save(&state).unwrap();
    cluster
}

const SELF: &str = "target::kind::tests::a_cluster_is_left_to_the_process_that_brings_it_up";

/// Another process that holds the cluster's lock, or uses the cluster (`use`), and is stopped.
fn stopped(folder: &Path, role: &str) -> Other {
    let mut other = Other::start(SELF, role, folder, None);
    other.until("it holds it");
    other.stop();
    other
}

/// What this program does as the other process: takes what it is told, says so and keeps it until
/// it is killed.
async fn be_the_other(role: &str, folder: &Path) {
    let cluster = cluster(folder);
    let _held = match role {
        "use" => (None, Some(Lease::take(&cluster.folder, "run").unwrap())),
        doing => (
            Some(cluster.lock(doing, Patience::Fail).await.unwrap()),
            None,
        ),
    };
    println!("it holds it");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_cluster_is_left_to_the_process_that_brings_it_up() {
    if let Some((role, folder)) = role() {
        return be_the_other(&role, &folder).await;
    }
    let folder = TempDir::new().unwrap();
    let cluster = complete(folder.path(), false);
    for doing in [UP, UPGRADE] {
        let other = stopped(folder.path(), doing);
        let Left::ToOthers(users) = cluster.leave().await.unwrap() else {
            panic!("it was not left to who does {doing}")
        };
        assert_eq!(users[0].pid(), Some(other.id()));
        assert_eq!(&*users[0].doing, doing);
        other.kill();
    }
    assert_matches!(cluster.leave().await.unwrap(), Left::Removed);
    assert_eq!(cluster.status().await.unwrap(), Status::Down);
}

#[tokio::test]
async fn a_cluster_is_left_to_who_uses_it_and_goes_with_the_last() {
    let folder = TempDir::new().unwrap();
    let cluster = complete(folder.path(), false);
    let other = stopped(folder.path(), "use");
    let left = cluster.leave().await.unwrap();
    assert_matches!(left, Left::ToOthers(users) if users[0].pid() == Some(other.id()));
    other.kill();
    assert_matches!(cluster.leave().await.unwrap(), Left::Removed);
}

/// A process that only attaches does not take the cluster down, so the run must wait for it.
#[tokio::test]
async fn a_run_that_ends_waits_for_who_only_attaches() {
    let folder = TempDir::new().unwrap();
    let cluster = complete(folder.path(), false);
    let other = stopped(folder.path(), "attach");
    let mut leaving = std::pin::pin!(cluster.leave());
    let a_while = Duration::from_millis(600);
    assert!(
        tokio::time::timeout(a_while, &mut leaving).await.is_err(),
        "it did not wait"
    );
    other.kill();
    assert_matches!(leaving.await.unwrap(), Left::Removed);
}

/// It stopped between the lock and writing who it is: what is read then is of the one before, which
/// may be this process.
#[tokio::test]
async fn what_a_former_holder_has_written_is_nobody_that_brings_the_cluster_up() {
    let folder = TempDir::new().unwrap();
    let cluster = complete(folder.path(), false);
    let other = stopped(folder.path(), "attach");
    let lock = cluster.folder.join("lock");
    let this = ProcessIdentity::current();
    let ended = ProcessIdentity {
        pid: u32::MAX,
        ..this.clone()
    };
    // Whether it runs can't be seen from here.
    let elsewhere = ProcessIdentity {
        namespace: "pid:[1]".into(),
        ..this.clone()
    };
    for process in [this.clone(), ended, elsewhere] {
        let former = Holder {
            process: Some(Box::new(process)),
            since: "before".into(),
            doing: UP.into(),
        };
        std::fs::write(&lock, serde_json::to_vec(&former).unwrap()).unwrap();
        let a_while = Duration::from_millis(600);
        assert!(
            tokio::time::timeout(a_while, cluster.leave())
                .await
                .is_err(),
            "{former} is believed"
        );
    }
    other.kill();
}

#[tokio::test]
async fn what_somebody_brought_up_to_stay_does() {
    let folder = TempDir::new().unwrap();
    let cluster = complete(folder.path(), true);
    assert_matches!(cluster.leave().await.unwrap(), Left::Kept);
    assert!(cluster.load().unwrap().is_some());
}

#[tokio::test]
async fn what_is_noted_of_a_cluster_goes_with_it() {
    let folder = TempDir::new().unwrap();
    let cluster = complete(folder.path(), false);
    let note = KindCluster::note(folder.path(), "a");
    std::fs::write(&note, "{}").unwrap();
    cluster.down(Patience::Fail).await.unwrap();
    assert!(!note.exists());
}
