//! Rebuilds the crate when a file is added to `fixtures/`, and puts the scenarios into release
//! builds.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=../../fixtures");
    println!("cargo::rerun-if-env-changed=KUBERAY_CONFORMANCE_EMBED");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let archive = Path::new(&out).join("scenarios.tar.gz");
    // A debug build reads the scenarios of the source tree, so that a new scenario needs no
    // rebuild.
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if !release && env::var_os("KUBERAY_CONFORMANCE_EMBED").is_none() {
        return fs::write(archive, []);
    }
    let root = Path::new("../../scenarios");
    println!("cargo::rerun-if-changed={}", root.display());
    let file = fs::File::create(archive)?;
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
        file,
        flate2::Compression::best(),
    ));
    tar.mode(tar::HeaderMode::Deterministic);
    let mut folders: Vec<_> = fs::read_dir(root)?.collect::<Result<_, _>>()?;
    folders.sort_by_key(fs::DirEntry::file_name);
    for folder in folders.iter().filter(|entry| entry.path().is_dir()) {
        let mut files: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        // A pending snapshot is of somebody's own run.
        let kept = |file: &&fs::DirEntry| !file.file_name().to_string_lossy().ends_with(".new");
        for file in files.iter().filter(kept) {
            let name = Path::new(&folder.file_name()).join(file.file_name());
            tar.append_path_with_name(file.path(), name)?;
        }
    }
    tar.into_inner()?.finish()?;
    Ok(())
}
