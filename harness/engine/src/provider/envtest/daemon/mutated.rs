//! Files of the daemon that keeps API servers, with faults in them.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;

#[test]
fn files_of_the_daemon() {
    let releases = ReleaseSpec::new(Version::new(1, 6, 2), Version::new(2, 52, 0));
    let spec = EnvtestSpec::default();
    let wanted = serde_json::to_vec(&Wanted::of(&releases, &spec)).unwrap();
    let record = DaemonRecord {
        daemon: ProcessIdentity::current().clone(),
        since: "2026-01-01T00:00:00Z".into(),
        environment: Environment::default(),
        releases: Vec::new(),
    };
    let record = serde_json::to_vec(&record).unwrap();
    try_texts(vec![wanted, record], |text| {
        if let Ok(wanted) = serde_json::from_slice::<Wanted>(&text) {
            let number = wanted.operators.len();
            prop_assert_eq!(wanted.specs().is_ok(), number > 0);
        }
        if let Ok(record) = serde_json::from_slice::<DaemonRecord>(&text) {
            record.daemon.liveness();
            prop_assert!(record.releases.is_empty());
        }
        Ok(())
    });
}
