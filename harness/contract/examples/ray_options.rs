//! Writes `data/ray-options.txt` from the wheels of Ray's releases, which it downloads with pip.
//!
//! ```text
//! cargo run -p kuberay-contract --example ray_options -- 2.7.0 2.9.0 2.38.0 …
//! ```
//!
//! Without arguments it reads the releases that the table names already.

#[path = "../tests/ray_options/generate.rs"]
mod generate;

use std::path::Path;

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/ray-options.txt");
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    if names.is_empty() {
        let table = std::fs::read_to_string(&path).expect("read data/ray-options.txt");
        let wheels = table.lines().filter_map(|line| line.strip_prefix("wheel "));
        names = wheels
            .filter_map(|line| line.split(' ').next().map(Into::into))
            .collect();
    }
    names.sort_by_key(|name| {
        name.parse::<semver::Version>()
            .expect("a release such as 2.52.0")
    });
    let releases: Vec<generate::Release> = names.iter().map(|name| generate::read(name)).collect();
    let table = generate::table(&releases);
    std::fs::write(&path, &table).expect("write data/ray-options.txt");
    println!("{} releases, {} bytes", releases.len(), table.len());
}
