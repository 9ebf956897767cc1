//! Tests of `shared`.

use super::{Resources, Shared, Used};

#[test]
fn what_another_has_counts_until_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (
        Shared::new(folder.path().into()).expect("a folder"),
        Shared::new(folder.path().into()).expect("a folder"),
    );
    let half = Resources::new(0.5, 10.0).with_pods(3);
    let lock = one.lock().expect("the file").expect("the lock");
    assert!(
        other.lock().expect("the file").is_none(),
        "only one has the lock"
    );
    let reservation = one.note(&lock, half).expect("a reservation");
    drop(lock);
    let lock = other.lock().expect("the file").expect("the lock");
    let running = Used {
        amount: half,
        cases: 1,
        starting: 3,
    };
    assert_eq!(other.used(&lock).expect("the reservations"), running);
    reservation.stop_counting();
    let overlapping = Used {
        amount: half,
        ..Used::default()
    };
    assert_eq!(other.used(&lock).expect("the reservations"), overlapping);
    drop(reservation);
    let none = Used::default();
    assert_eq!(other.used(&lock).expect("the reservations"), none);
    // A process that was killed leaves its file, but not its lock.
    std::fs::write(folder.path().join("1-0-0"), "{}").expect("a file");
    assert_eq!(other.used(&lock).expect("the reservations"), none);
    assert!(!folder.path().join("1-0-0").exists());
}
