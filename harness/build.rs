//! A file that is added to `fixtures/` becomes part of the program, too: cargo itself sees only those that were there.

fn main() {
    println!("cargo::rerun-if-changed=fixtures");
}
