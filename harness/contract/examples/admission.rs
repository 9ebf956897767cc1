//! Writes the admission tables from the custom resource definitions of releases.
//!
//! ```text
//! cargo run -p kuberay-contract --example admission -- 1.6.2=DIR 1.7.0=DIR …
//! ```
//!
//! DIR holds `ray.io_rayclusters.yaml` and the other definitions of the release, as in
//! `ray-operator/config/crd/bases` of its source.

#[path = "../tests/admission/generate.rs"]
mod generate;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut releases: Vec<(String, &Path)> = arguments
        .iter()
        .map(|argument| argument.split_once('=').expect("write RELEASE=DIR"))
        .map(|(release, folder)| (release.to_owned(), Path::new(folder)))
        .collect();
    releases.sort_by_key(|(release, _)| {
        release
            .parse::<semver::Version>()
            .expect("a release such as 1.6.2")
    });
    let tables = generate::tables(&releases);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    std::fs::write(data.join("admission.json"), &tables.releases).expect("write admission.json");
    std::fs::write(data.join("admission.nodes"), &tables.nodes).expect("write admission.nodes");
    println!(
        "{} releases, {} nodes, {} + {} bytes",
        releases.len(),
        tables.nodes.lines().count(),
        tables.releases.len(),
        tables.nodes.len()
    );
}
