//! A snapshot's file: insta's form, byte for byte as insta itself would write it.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use semver::Version;
use serde::Deserialize;

use super::{ExpectError, body};
use crate::files;

/// What a snapshot's header says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The scenario file, from the folder above its own.
    pub source: String,
    /// What the snapshot is of, such as `head.args`.
    pub expression: String,
    /// Releases of the operator on which the body was seen, sorted.
    pub operator: Vec<Version>,
    /// Releases of Ray on which it was seen, sorted; empty where it was seen only where no Ray
    /// runs.
    pub ray: Vec<Version>,
    /// Images with which it was seen, as `name@sha256:…`, sorted.
    pub images: Vec<String>,
}

impl Header {
    /// Adds what another header was verified on; true when that changed anything.
    pub fn merge(&mut self, other: &Header) -> bool {
        let before = self.clone();
        union(&mut self.operator, &other.operator);
        union(&mut self.ray, &other.ray);
        union(&mut self.images, &other.images);
        *self != before
    }
}

fn union<T: Ord + Clone>(into: &mut Vec<T>, from: &[T]) {
    into.extend_from_slice(from);
    into.sort();
    into.dedup();
}

/// A snapshot, or a pending one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFile {
    /// Its header.
    pub header: Header,
    /// Its body, without the line end at the end of the file.
    pub body: String,
}

/// The keys of insta's header that matter here; it may hold others.
#[derive(Deserialize)]
struct RawHeader {
    #[serde(default)]
    source: String,
    #[serde(default)]
    expression: String,
    #[serde(default)]
    info: RawInfo,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawInfo {
    operator: Vec<Version>,
    ray: Vec<Version>,
    images: Vec<String>,
}

impl SnapshotFile {
    /// Reads the file.
    ///
    /// # Errors
    /// When it can't be read or is not in insta's form.
    pub fn read(path: &Path) -> Result<Self, ExpectError> {
        let folder = path
            .parent()
            .filter(|folder| *folder != "")
            .unwrap_or(Path::new("."));
        let bytes =
            files::read(folder, path).map_err(|error| ExpectError::read(path)(error.into()))?;
        let malformed = |reason: String| ExpectError::Malformed {
            path: path.into(),
            reason,
        };
        let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        Self::parse(&text).map_err(malformed)
    }

    /// Reads the file unless there is none.
    ///
    /// # Errors
    /// As [`SnapshotFile::read`].
    pub fn read_if_there(path: &Path) -> Result<Option<Self>, ExpectError> {
        match Self::read(path) {
            Err(ExpectError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        // A body holds no line end but the newlines between its lines, so a checkout with CRLF
        // loses nothing.
        let text = text.replace("\r\n", "\n");
        let (header, body) = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or("it has no header between two lines of `---`")?;
        let raw: RawHeader =
            serde_saphyr::from_str(header).map_err(|error| format!("its header: {error}"))?;
        let mut parsed = Header {
            source: raw.source,
            expression: raw.expression,
            ..Header::default()
        };
        union(&mut parsed.operator, &raw.info.operator);
        union(&mut parsed.ray, &raw.info.ray);
        union(&mut parsed.images, &raw.info.images);
        let body = body.trim_end();
        body::check(body)?;
        Ok(SnapshotFile {
            header: parsed,
            body: body.to_owned(),
        })
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let Header {
            source,
            expression,
            operator,
            ray,
            images,
        } = &self.header;
        let mut text = format!(
            "---\nsource: {}\nexpression: {}\ninfo:\n",
            scalar(source),
            scalar(expression)
        );
        write_list(&mut text, "operator", operator);
        if !ray.is_empty() {
            write_list(&mut text, "ray", ray);
        }
        write_list(&mut text, "images", images);
        _ = writeln!(text, "---\n{}", self.body);
        text
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When the folder can't be written to.
    pub fn write(&self, path: &Path) -> Result<(), ExpectError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let write = || {
            let mut file = tempfile::Builder::new()
                .prefix(".snapshot-")
                .permissions(fs::Permissions::from_mode(0o666))
                .tempfile_in(folder)?;
            file.write_all(self.to_text().as_bytes())?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(ExpectError::write(path, "written"))
    }
}

fn write_list(text: &mut String, key: &str, items: &[impl ToString]) {
    if items.is_empty() {
        _ = writeln!(text, "  {key}: []");
        return;
    }
    _ = writeln!(text, "  {key}:");
    for item in items {
        _ = writeln!(text, "    - {}", scalar(&item.to_string()));
    }
}

/// Quotes what YAML could read as something else than this text; what needs none stays plain, as
/// insta writes it.
fn scalar(text: &str) -> String {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '/' || c == '_';
    let plain = |c: char| first(c) || "-.@".contains(c);
    let word =
        ["yes", "no", "true", "false", "on", "off", "null"].contains(&text.to_lowercase().as_str());
    if text.starts_with(first) && text.chars().all(plain) && !word && text.parse::<f64>().is_err() {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests;
