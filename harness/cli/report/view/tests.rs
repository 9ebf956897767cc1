//! Tests of the words that reports share.

use assertables::assert_not_contains;

use super::*;
use crate::report::example;

/// Two checks lack three snapshots; what their messages quote does not count.
#[test]
fn new_snapshots_are_counted_from_data_and_not_from_messages() {
    let mut run = example::run();
    run.shard = None;
    run.cases.truncate(1);
    let check = |new_snapshots, message: &str| {
        let mut check = run.cases[0].checks[0].clone();
        check.outcome = Outcome::New;
        check.message = message.into();
        check.new_snapshots = new_snapshots;
        check
    };
    let quoted = "no snapshot a.snap for args; the log says `no snapshot no snapshot `";
    run.cases[0].checks = vec![check(1, quoted), check(2, "two fields are not recorded")];
    let told = remarks(&run);
    assert!(told[0].starts_with("3 snapshots are new; "), "{told:?}");
}

#[test]
fn a_difference_from_a_snapshot_leads_to_the_review() {
    let mut run = example::run();
    run.shard = None;
    assert!(
        remarks(&run)
            .concat()
            .contains("is a difference meant? next: "),
        "a Pod of the example differs from its snapshot"
    );
    for check in run.cases.iter_mut().flat_map(|case| &mut case.checks) {
        check.diff = None;
    }
    assert_not_contains!(remarks(&run).concat(), "difference meant");
}
