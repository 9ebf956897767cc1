//! The committed table of Ray's options against the wheels that it names.

mod generate;

use std::path::Path;

use assertables::assert_gt;

/// Downloads about 70 MB for each wheel, one after the other.
#[test]
#[ignore = "needs python3 with pip and the network, and downloads every wheel of the table"]
fn the_table_comes_from_the_wheels() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/ray-options.txt");
    let committed = std::fs::read_to_string(path).unwrap();
    let wheels = committed
        .lines()
        .filter_map(|line| line.strip_prefix("wheel "));
    let releases: Vec<generate::Release> = wheels
        .map(|line| generate::read(line.split(' ').next().unwrap()))
        .collect();
    assert_gt!(releases.len(), 20);
    let made = generate::table(&releases);
    assert!(made == committed, "the wheels make another table:\n{made}");
}
