//! A Go module's files without the go command: its archive from a module proxy, verified against
//! the pinned `h1:` hash.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kuberay_conformance_pins::Module;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::download::{Schemes, download};
use super::error::file;
use super::pull::hexadecimal;
use super::{ArtifactError, ArtifactKey, Store};
use crate::output;
use crate::progress::Progress;

/// The proxy that the go command asks, too, where nothing else is set.
const DEFAULT_PROXY: &str = "https://proxy.golang.org";
/// What a module's files may hold together, in bytes; the limit of the go command.
const LARGEST: u64 = 500 << 20;

/// The folder of a module's files, the same as the go command's module cache holds.
///
/// # Errors
/// When it can't be downloaded, is not what is pinned, or is no module's archive.
pub(super) async fn module(
    store: &Store,
    module: &Module,
    progress: &dyn Progress,
) -> Result<PathBuf, ArtifactError> {
    let (folder, key) = folder_and_key(module);
    store
        .get(&folder, &key, |target| async move {
            let name = format!("{}@{}", module.module, module.version);
            progress.update(&name, "downloading its files");
            let url = address(module);
            let archive = tempfile::NamedTempFile::new_in(store.root())
                .map_err(file("making", store.root()))?;
            // A private proxy may speak plain HTTP: the pinned hash proves what comes.
            download(&url, archive.path(), Schemes::OfProxies, LARGEST).await?;
            unpack_verified(archive.path(), &name, &module.sum, &target)
        })
        .await
}

/// The address of a module's archive in the proxy that `GOPROXY` names.
pub(super) fn address(module: &Module) -> String {
    url(&proxy(std::env::var("GOPROXY").ok().as_deref()), module)
}

/// Where a module's files lie below the store's folder.
pub(super) fn place(module: &Module) -> PathBuf {
    let (folder, key) = folder_and_key(module);
    Path::new(&folder).join(key)
}

fn folder_and_key(module: &Module) -> (String, String) {
    let key = ArtifactKey::default()
        .with(&module.module)
        .with(&module.version);
    let key = key.with(&module.sum).short();
    let name = module.module.rsplit('/').next().unwrap_or_default();
    (format!("modules/{name}"), key)
}

/// The first address in a list as `GOPROXY` holds it; the default where it has none.
fn proxy(list: Option<&str>) -> String {
    let mut entries = list.unwrap_or_default().split([',', '|']).map(str::trim);
    let first = entries.find(|entry| entry.contains("://"));
    first
        .unwrap_or(DEFAULT_PROXY)
        .trim_end_matches('/')
        .to_owned()
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
fn unpack_verified(
    archive: &Path,
    name: &str,
    expected: &str,
    target: &Path,
) -> Result<(), ArtifactError> {
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
        let mut entry = zip
            .by_index(index)
            .map_err(|error| unusable(name, &error))?;
        let stored = entry.name().map_err(|error| unusable(name, &error))?;
        let within = path_within(&stored, name)?.to_owned();
        let path = target.join(&within);
        let mut unpacked = output::create_file(target, &within).map_err(file("making", &path))?;
        std::io::copy(&mut entry, &mut unpacked).map_err(file("unpacking", &path))?;
        unpacked.flush().map_err(file("writing", &path))?;
    }
    Ok(())
}

/// The hash `h1:` of the go command (`Hash1` of golang.org/x/mod/sumdb/dirhash): over one line for
/// each file, in the order of their names.
fn hash(zip: &mut ZipArchive<File>, name: &str) -> Result<String, ArtifactError> {
    let names = zip.file_names().map(|path| path.map(Cow::into_owned));
    let names: Result<Vec<String>, _> = names.collect();
    let mut names = names.map_err(|error| unusable(name, &error))?;
    names.sort();
    let (mut all, mut left) = (Sha256::new(), LARGEST);
    for path in names {
        if path.contains('\n') {
            return Err(unusable(
                name,
                &format!("a file's name has two lines: {path:?}"),
            ));
        }
        let entry = zip.by_name(&path).map_err(|error| unusable(name, &error))?;
        let mut one = Sha256::new();
        let read = std::io::copy(&mut entry.take(left + 1), &mut one)
            .map_err(|error| unusable(name, &error))?;
        left = left
            .checked_sub(read)
            .ok_or_else(|| unusable(name, &"its files are larger than a module's may be"))?;
        all.update(format!("{}  {path}\n", hexadecimal(&one.finalize())));
    }
    Ok(format!("h1:{}", BASE64_STANDARD.encode(all.finalize())))
}

/// The path of a file below its module's folder; every file of a module's archive lies in
/// `MODULE@VERSION/`.
fn path_within<'a>(entry: &'a str, name: &str) -> Result<&'a str, ArtifactError> {
    let below = entry
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('/'));
    below
        .filter(|path| output::parts(path).is_ok())
        .ok_or_else(|| unusable(name, &format!("{entry:?} is no file of it")))
}

fn unusable(name: &str, problem: &dyn std::fmt::Display) -> ArtifactError {
    ArtifactError::Answer {
        doing: format!("reading the archive of the Go module {name}"),
        answer: problem.to_string(),
    }
}

#[cfg(test)]
#[path = "module_zip/tests.rs"]
mod tests;
