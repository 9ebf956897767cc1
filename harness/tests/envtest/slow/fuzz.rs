//! The contract against real operators: their own samples, and generated objects.
//!
//! It needs the programs of the envtest and takes minutes.

use crate::support::{exclusive, newest, program};

/// Generated objects of each release.
const CASES: &str = "2000";
/// Those of the matrix and the patch releases before them.
const RELEASES: &str = "1.0.0..1.7.0";

/// What `explain` says of the samples of every release and of fresh random objects is what the
/// release's operator makes of them. The seed is drawn here and printed: the same one shows the
/// same again.
#[test]
#[ignore = "needs envtest, takes minutes"]
fn operators_do_what_the_contract_says() {
    let _exclusive = exclusive();
    let output = program()
        .args([
            "fuzz",
            "--operator",
            RELEASES,
            "--samples",
            "--cases",
            CASES,
        ])
        .output()
        .expect("the harness runs");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    println!("{out}");
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    assert!(!out.contains("never reached"), "{out}");
    for line in out.lines().filter(|line| line.starts_with("KubeRay ")) {
        let numbers: Vec<u32> = line
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let [_, objects, refused, ..] = numbers[..] else {
            panic!("{line}")
        };
        assert!(
            refused * 5 >= objects,
            "fewer than 20 % are refused: {line}"
        );
    }
    assert!(out.contains("seed "), "the seed is not printed: {out}");
    assert!(
        out.contains(&format!("KubeRay {}: ", newest())),
        "the newest release is missing: {out}"
    );
}
