//! Rebuilds the crate when a file is added to `fixtures/`: cargo itself only watches those that were there.

fn main() {
    println!("cargo::rerun-if-changed=../../fixtures");
}
