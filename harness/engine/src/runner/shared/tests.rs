//! Tests of `shared`.

use super::{Resources, Shared};

#[test]
fn what_another_has_counts_until_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (
        Shared::new(folder.path().into()).expect("a folder"),
        Shared::new(folder.path().into()).expect("a folder"),
    );
    let half = Resources::new(0.5, 10.0);
    let turn = one.turn().expect("the file").expect("the turn");
    assert!(
        other.turn().expect("the file").is_none(),
        "only one has the turn"
    );
    let reservation = one.note(&turn, half).expect("a reservation");
    drop(turn);
    let turn = other.turn().expect("the file").expect("the turn");
    assert_eq!(other.used(&turn).expect("the reservations"), (half, 1));
    reservation.rest();
    assert_eq!(other.used(&turn).expect("the reservations"), (half, 0));
    drop(reservation);
    assert_eq!(
        other.used(&turn).expect("the reservations"),
        (Resources::default(), 0)
    );
    // A process that was killed leaves its file, but not its lock.
    std::fs::write(folder.path().join("1-0-0"), "{}").expect("a file");
    assert_eq!(other.used(&turn).expect("the reservations").1, 0);
    assert!(!folder.path().join("1-0-0").exists());
}
