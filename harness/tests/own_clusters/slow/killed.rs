//! Runs on kind that are killed at random moments: `cluster down` removes what they made, the next
//! run works, and no report claims more than happened.

use std::time::Instant;

use crate::lifecycle::{down, leftovers, run};
use crate::support::kills::{Moments, claims_no_more_than_happened, killed};
use crate::support::sandbox::text;
use crate::support::{exclusive, program};

const MOMENTS: usize = 10;

#[test]
#[ignore = "needs kind, takes half an hour"]
fn a_run_that_is_killed_at_any_moment_leaves_what_down_removes_and_claims_nothing() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    // The first makes what later ones find in the cache.
    let [_, whole] = ["first", "second"].map(|output| {
        let began = Instant::now();
        let ran = run(&folder.path().join(output)).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
        began.elapsed()
    });
    for (number, moment) in Moments::new(MOMENTS).enumerate() {
        let output = folder.path().join(format!("output-{number}"));
        // One run is not as long as another.
        let after = whole.mul_f64(moment * 0.8);
        println!("{number}: killed after {after:?} of {whole:?}");
        let (was_killed, said) = killed(run(&output), after);
        assert!(
            was_killed,
            "it had ended before {after:?} of {whole:?}: {said}"
        );
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
