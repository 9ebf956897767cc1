//! What real operators made: Pods that were captured, and the snapshots of this repository's scenarios.

use super::*;

/// Pods as they were read from clusters, with the release that made them.
const CAPTURED: [(&str, &str); 5] = [
    ("1.6.2", include_str!("../../check/testdata/overwrite.pods.json")),
    ("1.6.2", include_str!("../../check/testdata/solution1.pods.json")),
    ("1.6.2", include_str!("../../check/testdata/timing1-postStart.pods.json")),
    ("1.0.0", include_str!("../../check/testdata/v1.0.0-solution1.pods.json")),
    ("1.0.0", include_str!("../../check/testdata/v1.0.0-timing1-postStart.pods.json")),
];

#[test]
fn captured() {
    for (version, text) in CAPTURED {
        let pods: Value = serde_json::from_str(text).unwrap();
        println!("{version} {}", &pods.to_string()[..600.min(pods.to_string().len())]);
    }
}
