//! A Go module's files without the go command: its archive from a module proxy, verified against the pinned `h1:` hash.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kuberay_conformance_pins::Module;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::error::file;
use super::pull::{self, hexadecimal};
use super::{ArtifactError, Key, Store};
use crate::report::Progress;

/// The proxy that the go command asks, too, where nothing else is set.
const DEFAULT_PROXY: &str = "https://proxy.golang.org";
/// What a module's files may hold together, in bytes; the limit of the go command.
const LARGEST: u64 = 500 << 20;

/// The folder of a module's files, the same as the go command's module cache holds.
///
/// # Errors
/// When it can't be downloaded, is not what is pinned, or is no module's archive.
pub(super) async fn module(store: &Store, module: &Module, progress: &dyn Progress) -> Result<PathBuf, ArtifactError> {
    let (folder, key) = folder_and_key(module);
    store
        .get(&folder, &key, |target| async move {
            let name = format!("{}@{}", module.module, module.version);
            progress.update(&name, "downloading its files");
            let url = url(&proxy(std::env::var("GOPROXY").ok().as_deref()), module);
            let archive = tempfile::NamedTempFile::new_in(store.root()).map_err(file("making", store.root()))?;
            // A private proxy may speak plain HTTP: the pinned hash proves what comes.
            pull::download_by(&url, archive.path(), "=https,http,file").await?;
            unpack_verified(archive.path(), &name, &module.sum, &target)
        })
        .await
}

/// Where a module's files lie below the store's folder.
pub(super) fn place(module: &Module) -> PathBuf {
    let (folder, key) = folder_and_key(module);
    Path::new(&folder).join(key)
}

fn folder_and_key(module: &Module) -> (String, String) {
    let key = Key::default().with(&module.module).with(&module.version);
    let key = key.with(&module.sum).short();
    let name = module.module.rsplit('/').next().unwrap_or_default();
    (format!("modules/{name}"), key)
}

/// The first address in a list as `GOPROXY` holds it; the default where it has none.
fn proxy(list: Option<&str>) -> String {
    let mut entries = list.unwrap_or_default().split([',', '|']).map(str::trim);
    let first = entries.find(|entry| entry.contains("://"));
    first.unwrap_or(DEFAULT_PROXY).trim_end_matches('/').to_owned()
}

/// Where a proxy has a module's archive. A capital letter is written as `!` and the small one.
fn url(proxy: &str, module: &Module) -> String {
    let escaped = |text: &str| {
        text.chars().fold(String::new(), |mut text, letter| {
            if letter.is_ascii_uppercase() {
                text.push('!');
            }
            text.push(letter.to_ascii_lowercase());
            text
        })
    };
    format!(
        "{proxy}/{}/@v/{}.zip",
        escaped(&module.module),
        escaped(&module.version)
    )
}

/// Unpacks an archive whose hash is the expected one; of another, nothing is written.
fn unpack_verified(archive: &Path, name: &str, expected: &str, target: &Path) -> Result<(), ArtifactError> {
    let opened = File::open(archive).map_err(file("opening", archive))?;
    let mut zip = ZipArchive::new(opened).map_err(|error| unusable(name, &error))?;
    let found = hash(&mut zip, name)?;
    if found != expected {
        return Err(ArtifactError::Checksum {
            what: name.into(),
            expected: expected.into(),
            found,
        });
    }
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(|error| unusable(name, &error))?;
        let stored = entry.name().map_err(|error| unusable(name, &error))?;
        let path = target.join(path_within(&stored, name)?);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(file("making", parent))?;
        }
        let mut unpacked = File::create_new(&path).map_err(file("making", &path))?;
        std::io::copy(&mut entry, &mut unpacked).map_err(file("unpacking", &path))?;
        unpacked.flush().map_err(file("writing", &path))?;
    }
    Ok(())
}

/// The hash `h1:` of the go command (`Hash1` of golang.org/x/mod/sumdb/dirhash): over one line for each file, in the
/// order of their names.
fn hash(zip: &mut ZipArchive<File>, name: &str) -> Result<String, ArtifactError> {
    let names = zip.file_names().map(|path| path.map(Cow::into_owned));
    let names: Result<Vec<String>, _> = names.collect();
    let mut names = names.map_err(|error| unusable(name, &error))?;
    names.sort();
    let (mut all, mut left) = (Sha256::new(), LARGEST);
    for path in names {
        if path.contains('\n') {
            return Err(unusable(name, &format!("a file's name has two lines: {path:?}")));
        }
        let entry = zip.by_name(&path).map_err(|error| unusable(name, &error))?;
        let mut one = Sha256::new();
        let read = std::io::copy(&mut entry.take(left + 1), &mut one).map_err(|error| unusable(name, &error))?;
        left = left
            .checked_sub(read)
            .ok_or_else(|| unusable(name, &"its files are larger than a module's may be"))?;
        all.update(format!("{}  {path}\n", hexadecimal(&one.finalize())));
    }
    Ok(format!("h1:{}", BASE64_STANDARD.encode(all.finalize())))
}

/// The path of a file below its module's folder; every file of a module's archive lies in `MODULE@VERSION/`.
fn path_within(entry: &str, name: &str) -> Result<PathBuf, ArtifactError> {
    let below = entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('/'));
    let is_plain = |path: &str| {
        let mut parts = Path::new(path).components();
        !path.is_empty() && !path.ends_with('/') && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    below
        .filter(|path| is_plain(path))
        .map(PathBuf::from)
        .ok_or_else(|| unusable(name, &format!("{entry:?} is no file of it")))
}

fn unusable(name: &str, problem: &dyn std::fmt::Display) -> ArtifactError {
    ArtifactError::Answer {
        doing: format!("reading the archive of the Go module {name}"),
        answer: problem.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const NAME: &str = "example.com/m@v1.0.0";

    fn archive(files: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let archive = tempfile::NamedTempFile::new().unwrap();
        let mut writer = ZipWriter::new(archive.reopen().unwrap());
        for (name, text) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        archive
    }

    fn hash_of(archive: &tempfile::NamedTempFile) -> String {
        hash(&mut ZipArchive::new(archive.reopen().unwrap()).unwrap(), NAME).unwrap()
    }

    fn unpack(archive: &tempfile::NamedTempFile) -> (tempfile::TempDir, Result<(), ArtifactError>) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::fs::create_dir(&target).unwrap();
        let done = unpack_verified(archive.path(), NAME, &hash_of(archive), &target);
        (folder, done)
    }

    #[rstest]
    #[case::unset(None, DEFAULT_PROXY)]
    #[case::none(Some("direct"), DEFAULT_PROXY)]
    #[case::first(Some("https://one.example/a/,https://two.example|direct"), "https://one.example/a")]
    #[case::after_direct(Some("direct|https://two.example"), "https://two.example")]
    fn the_first_address_is_asked(#[case] list: Option<&str>, #[case] expected: &str) {
        assert_eq!(proxy(list), expected);
    }

    #[test]
    fn capital_letters_are_escaped() {
        let module = Module {
            module: "github.com/BurntSushi/toml".into(),
            version: "v1.0.0-RC1".into(),
            sum: String::new(),
            package: ".".into(),
        };
        let expected = "https://p.example/github.com/!burnt!sushi/toml/@v/v1.0.0-!r!c1.zip";
        assert_eq!(url("https://p.example", &module), expected);
    }

    #[test]
    fn the_hash_is_that_of_the_sorted_lines_whatever_the_order_in_the_archive() {
        // What `sha256sum` says of both files, and of the two lines that it prints.
        let one = archive(&[("example.com/m@v1.0.0/b", "b\n"), ("example.com/m@v1.0.0/a", "a\n")]);
        let other = archive(&[("example.com/m@v1.0.0/a", "a\n"), ("example.com/m@v1.0.0/b", "b\n")]);
        assert_eq!(hash_of(&one), "h1:jF28zfL9yMBobbLL3UQ/w5LcUsqYH4ro7Qu+7zi7Y28=");
        assert_eq!(hash_of(&one), hash_of(&other));
        let changed = archive(&[("example.com/m@v1.0.0/a", "a\n"), ("example.com/m@v1.0.0/b", "c\n")]);
        assert_ne!(hash_of(&one), hash_of(&changed));
    }

    #[test]
    fn files_get_their_places_below_the_modules_folder() {
        let (folder, done) = unpack(&archive(&[("example.com/m@v1.0.0/config/crd/a.yaml", "kind: A\n")]));
        done.unwrap();
        let text = std::fs::read_to_string(folder.path().join("target/config/crd/a.yaml")).unwrap();
        assert_eq!(text, "kind: A\n");
    }

    #[test]
    fn of_another_archive_nothing_is_written() {
        let (archive, folder) = (
            archive(&[("example.com/m@v1.0.0/a", "a")]),
            tempfile::tempdir().unwrap(),
        );
        let error = unpack_verified(archive.path(), NAME, "h1:other", folder.path()).unwrap_err();
        assert!(matches!(&error, ArtifactError::Checksum { found, .. } if found.starts_with("h1:")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[rstest]
    #[case::up("example.com/m@v1.0.0/../../out")]
    #[case::absolute("/tmp/out")]
    #[case::absolute_below("example.com/m@v1.0.0//tmp/out")]
    #[case::another_module("example.com/n@v1.0.0/out")]
    #[case::longer_version("example.com/m@v1.0.01/out")]
    #[case::folder("example.com/m@v1.0.0/out/")]
    fn a_file_outside_the_module_is_refused(#[case] entry: &str) {
        let (folder, done) = unpack(&archive(&[(entry, "x")]));
        let error = done.unwrap_err().to_string();
        assert!(error.contains("no file of it"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_archive_is_told_with_the_modules_name() {
        let archive = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(archive.path(), "<html>").unwrap();
        let error = unpack_verified(archive.path(), NAME, "h1:", Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains(NAME), "{error}");
    }

    /// Needs a module proxy and Go: `cargo test --lib module_zip -- --ignored`.
    #[tokio::test]
    #[ignore = "downloads the newest operator's module, also through the go command"]
    async fn the_files_are_those_that_the_go_command_unpacks() {
        let (folder, pins) = (tempfile::tempdir().unwrap(), super::super::Pins::embedded());
        let store = Store::at(folder.path()).unwrap();
        let pin = pins.operator(&pins.defaults.operator).unwrap();
        let ours = module(&store, &pin, &crate::report::Silent).await.unwrap();
        let theirs = super::super::go::Go::find().await.unwrap().module(&pin).await.unwrap();
        let mut compare = crate::process::command("diff");
        compare.arg("--recursive").arg(&theirs).arg(&ours);
        let differences = crate::process::output(compare, "comparing the module's files").await;
        assert_eq!(differences.unwrap(), "");
        assert!(ours.join("config/crd/bases").is_dir());
    }
}
