//! The contract against real operators: their own samples, and RayClusters that nobody wrote.
//!
//! It needs the programs of the envtest and takes minutes.

use crate::support::{newest, program, turn};

/// Ray containers of random RayClusters for each release.
const CASES: &str = "200";

/// What `explain` says of the samples of every release and of fresh random RayClusters is what the release's operator
/// makes of them. The seed is drawn here and printed: the same one shows the same again.
#[test]
#[ignore = "needs envtest, takes minutes"]
fn operators_do_what_the_contract_says() {
    let _turn = turn();
    let output = program()
        .args(["fuzz", "--operator", "all", "--samples", "--cases", CASES])
        .output()
        .expect("the harness runs");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    println!("{out}");
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    assert!(out.contains("seed "), "the seed is not printed: {out}");
    assert!(
        out.contains(&format!("KubeRay {}: ", newest())),
        "the newest release is missing: {out}"
    );
}
