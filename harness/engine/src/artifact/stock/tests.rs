//! Artifacts of a store that another process uses, that pins need, and that nobody needs.

use tempfile::TempDir;

use super::*;
use crate::process::other::{Other, role};
use crate::process::stop_point;

const SELF: &str = "artifact::stock::tests::what_a_running_process_uses_stays";
const WEEK: Duration = Duration::from_hours(7 * 24);

/// A store with an artifact that was made and marked by hand.
fn store(marks: &[(&str, Option<&str>)]) -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path()).unwrap();
    let parent = folder.path().join("programs/thing");
    for (key, mark) in marks {
        std::fs::create_dir_all(parent.join(key)).unwrap();
        std::fs::write(parent.join(key).join("program"), "12345").unwrap();
        if let Some(mark) = mark {
            std::fs::write(store::mark(&parent, key), mark).unwrap();
        }
    }
    (folder, store)
}

fn keys(artifacts: &[Stored]) -> Vec<(&str, Need)> {
    let mut keys: Vec<_> = artifacts
        .iter()
        .map(|artifact| (&*artifact.key, artifact.need))
        .collect();
    keys.sort_by_key(|(key, _)| *key);
    keys
}

#[test]
fn what_pins_need_stays_unless_it_was_not_used_for_long() {
    let (a, b, c) = ("aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc");
    let (folder, store) = store(&[
        (a, Some(recipes::fingerprint())),
        (b, Some("other")),
        (c, None),
    ]);
    std::fs::create_dir_all(folder.path().join("programs/thing/.dddddddddddd")).unwrap();
    std::fs::create_dir_all(folder.path().join("clusters/eeeeeeeeeeee")).unwrap();
    let all = store.stock().unwrap();
    let expected = [
        (a, Need::Pinned),
        (b, Need::Outdated),
        (c, Need::Unknown),
        ("dddddddddddd", Need::Unfinished),
    ];
    assert_eq!(keys(&all), expected);
    assert_eq!(all[0].bytes, 5);

    let rule = Prune {
        dry_run: true,
        ..Prune::default()
    };
    assert_eq!(store.prune(rule).unwrap().len(), 2);
    assert_eq!(store.stock().unwrap().len(), 4, "nothing was removed");

    let freed = store.prune(Prune::default()).unwrap();
    assert_eq!(keys(&freed), [expected[1], expected[3]]);
    assert_eq!(keys(&store.stock().unwrap()), [expected[0], expected[2]]);

    let long = Prune {
        unused_for: Some(WEEK),
        dry_run: false,
    };
    assert_eq!(store.prune(long).unwrap().len(), 0);
    let all = Prune {
        unused_for: Some(Duration::ZERO),
        dry_run: false,
    };
    assert_eq!(store.prune(all).unwrap().len(), 2);
    assert!(folder.path().join("clusters/eeeeeeeeeeee").is_dir());
}

/// The other process has got an artifact from its store; this one frees all that it may.
#[tokio::test]
async fn what_a_running_process_uses_stays() {
    if let Some((_, folder)) = role() {
        let store = Store::at(folder).unwrap();
        let get = store.get("programs/thing", "aaaaaaaaaaaa", async |folder: PathBuf| {
            std::fs::write(folder.join("program"), "x").unwrap();
            Ok(())
        });
        get.await.unwrap();
        stop_point("artifact-used");
        println!("it is done");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut other = Other::start(SELF, "use", folder.path(), Some("artifact-used"));
    other.until_stopped();
    let store = Store::at(folder.path()).unwrap();
    let all = Prune {
        unused_for: Some(Duration::ZERO),
        dry_run: false,
    };
    assert_eq!(
        keys(&store.stock().unwrap()),
        [("aaaaaaaaaaaa", Need::Used)]
    );
    assert!(store.prune(all).unwrap().is_empty());
    other.go_on();
    other.until("it is done");
    drop(other);
    let freed = store.prune(all).unwrap();
    assert_eq!(keys(&freed), [("aaaaaaaaaaaa", Need::Pinned)]);
    assert!(store.stock().unwrap().is_empty());
}
