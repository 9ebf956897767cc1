use std::time::{Duration, SystemTime};

use super::*;
use crate::process::other::{Other, role};
use crate::results::{ImageRecord, Origin};

fn image(name: &str, digest: &str) -> Image {
    Image {
        public_name: name.into(),
        local_name: format!("localhost/{name}"),
        archive: None,
        record: ImageRecord {
            name: name.into(),
            origin: Origin::Built,
            source: "module".into(),
            digest: digest.into(),
            pinned: true,
        },
    }
}

#[test]
fn another_node_or_ray_is_unpacked_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path()).unwrap();
    let [node, other] =
        ["sha256:1", "sha256:2"].map(|digest| image("docker.io/kindest/node:v1", digest));
    let [ray, newer] =
        ["sha256:3", "sha256:4"].map(|digest| image("docker.io/rayproject/ray:1", digest));
    let key = |node, images: &[&Image]| {
        Unpack {
            store: &store,
            images,
        }
        .key(node)
    };
    let keys = [
        key(&node, &[&ray]),
        key(&other, &[&ray]),
        key(&node, &[&newer]),
        key(&node, &[]),
    ];
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
    assert_eq!(keys[0], key(&node, &[&ray]));
}

#[test]
fn the_oldest_that_no_cluster_mounts_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path()).unwrap();
    let unpack = Unpack {
        store: &store,
        images: &[],
    };
    for (age, key) in ["e", "d", "c", "b", "a"].iter().enumerate() {
        let path = unpack.folder(key);
        std::fs::create_dir_all(&path).unwrap();
        let then = SystemTime::now() - Duration::from_secs(60 * (10 - u64::try_from(age).unwrap()));
        std::fs::File::open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
    }
    let cluster = folder.path().join("clusters/one");
    std::fs::create_dir_all(&cluster).unwrap();
    std::fs::write(
        cluster.join("kind.yaml"),
        unpack.folder("e").display().to_string(),
    )
    .unwrap();
    std::fs::write(cluster.join("state.json"), "{}").unwrap();
    unpack.keep_few("d").unwrap();
    let left: Vec<&str> = ["a", "b", "c", "d", "e"]
        .into_iter()
        .filter(|key| unpack.folder(key).exists())
        .collect();
    assert_eq!(
        left,
        ["a", "b", "d", "e"],
        "`d` is used again, `e` is mounted, `c` was the oldest of the others"
    );
    assert!(
        std::fs::read_dir(folder.path().join(NAME)).unwrap().count() == 4,
        "nothing is half removed"
    );
}

const SELF: &str = "target::unpacked::tests::what_another_process_is_about_to_mount_stays";

/// Its configuration does not name yet what it is about to mount.
#[tokio::test]
async fn what_another_process_is_about_to_mount_stays() {
    if let Some((key, folder)) = role() {
        let store = Store::at(folder).unwrap();
        let unpack = Unpack {
            store: &store,
            images: &[],
        };
        let _wanted = unpack.want(&key).await.unwrap();
        println!("it wants it");
        std::future::pending::<()>().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path()).unwrap();
    let unpack = Unpack {
        store: &store,
        images: &[],
    };
    for (age, key) in ["d", "c", "b", "a"].iter().enumerate() {
        let path = unpack.folder(key);
        std::fs::create_dir_all(&path).unwrap();
        let then = SystemTime::now() - Duration::from_secs(60 * (10 - u64::try_from(age).unwrap()));
        File::open(&path).unwrap().set_modified(then).unwrap();
    }
    let mut other = Other::start(SELF, "d", folder.path(), None);
    other.until("it wants it");
    other.stop();
    unpack.keep_few("a").unwrap();
    assert!(unpack.folder("d").exists(), "the oldest is wanted");
    other.kill();
    unpack.keep_few("a").unwrap();
    assert!(!unpack.folder("d").exists(), "nobody wants it any more");
}
