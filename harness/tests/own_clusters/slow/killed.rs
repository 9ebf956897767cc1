//! Runs on kind that are killed at random moments: `cluster down` removes what they made, the next
//! run works, and no report claims more than happened.

use std::time::Instant;

use crate::lifecycle::{down, leftovers, run};
use crate::support::kills::{Moments, claims_no_more_than_happened, killed};
use crate::support::place::text;
use crate::support::{program, turn};

const MOMENTS: usize = 10;

#[test]
#[ignore = "needs kind, takes half an hour"]
fn a_run_that_is_killed_at_any_moment_leaves_what_down_removes_and_claims_nothing() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let first = run(&folder.path().join("first")).output().unwrap();
    let whole = began.elapsed();
    assert_eq!(first.status.code(), Some(0), "{}", text(&first));
    for (number, moment) in Moments::new(MOMENTS).enumerate() {
        let output = folder.path().join(format!("output-{number}"));
        let after = whole.mul_f64(moment);
        println!("{number}: killed after {after:?} of {whole:?}");
        let (_, said) = killed(run(&output), after);
        claims_no_more_than_happened(&output, || {
            let mut merge = program();
            merge.args(["report", "merge"]).arg(&output);
            merge.arg("--output").arg(output.join("merged"));
            merge.output().unwrap()
        });
        // Every other time the next run meets what is left.
        if number % 2 == 0 {
            down();
            let left = leftovers();
            assert!(left.is_empty(), "{left:?} are left: {said}");
        }
        let next = run(&output).output().unwrap();
        assert_eq!(next.status.code(), Some(0), "{said}\n{}", text(&next));
        down();
        let left = leftovers();
        assert!(left.is_empty(), "{left:?} are left: {}", text(&next));
    }
}
