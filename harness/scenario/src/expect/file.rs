//! A snapshot's file: insta's form, byte for byte as insta itself would write it.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use semver::Version;
use serde::Deserialize;

use super::ExpectError;

/// What a snapshot's header says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The scenario file, from the folder above its own.
    pub source: String,
    /// What the snapshot is of, such as `head.args`.
    pub expression: String,
    /// Releases of the operator on which the body was seen, sorted.
    pub operator: Vec<Version>,
    /// Releases of Ray on which it was seen, sorted.
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
        let bytes = fs::read(path).map_err(ExpectError::read(path))?;
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
            Err(ExpectError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        // A body holds no line end but the newlines between its lines, so a checkout with CRLF loses nothing.
        let text = text.replace("\r\n", "\n");
        let (header, body) = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or("it has no header between two lines of `---`")?;
        let raw: RawHeader = serde_saphyr::from_str(header).map_err(|error| format!("its header: {error}"))?;
        let mut parsed = Header {
            source: raw.source,
            expression: raw.expression,
            ..Header::default()
        };
        union(&mut parsed.operator, &raw.info.operator);
        union(&mut parsed.ray, &raw.info.ray);
        union(&mut parsed.images, &raw.info.images);
        Ok(SnapshotFile {
            header: parsed,
            body: body.trim_end().to_owned(),
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
        write_list(&mut text, "ray", ray);
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

/// Quotes what YAML could read as something else than this text; what needs none stays plain, as insta writes it.
fn scalar(text: &str) -> String {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '/' || c == '_';
    let plain = |c: char| first(c) || "-.@".contains(c);
    let word = ["yes", "no", "true", "false", "on", "off", "null"].contains(&text.to_lowercase().as_str());
    if text.starts_with(first) && text.chars().all(plain) && !word && text.parse::<f64>().is_err() {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn snapshot(body: &str) -> SnapshotFile {
        SnapshotFile {
            header: Header {
                source: "scenarios/before-ray-start/scenario.yaml".into(),
                expression: "head.args".into(),
                operator: vec![version("1.6.0"), version("1.6.2")],
                ray: vec![version("2.52.0")],
                images: vec!["docker.io/rayproject/ray:2.52.0@sha256:0f3a".into()],
            },
            body: body.into(),
        }
    }

    const TEXT: &str = r#"---
source: scenarios/before-ray-start/scenario.yaml
expression: head.args
info:
  operator:
    - 1.6.0
    - 1.6.2
  ray:
    - 2.52.0
  images:
    - "docker.io/rayproject/ray:2.52.0@sha256:0f3a"
---
- " echo 123  456 "
"#;

    #[test]
    fn a_file_has_a_header_and_a_body() {
        let snapshot = snapshot("- \" echo 123  456 \"");
        assert_eq!(snapshot.to_text(), TEXT);
        assert_eq!(SnapshotFile::parse(TEXT).unwrap(), snapshot);
    }

    #[test]
    fn a_checkout_with_crlf_is_the_same() {
        let snapshot = snapshot("- \"a\\r\\n\"\n- \"b\"");
        let text = snapshot.to_text().replace('\n', "\r\n");
        assert_eq!(SnapshotFile::parse(&text).unwrap(), snapshot);
    }

    #[rstest]
    #[case::plain("- \"a \"\n- \" b\"")]
    #[case::absent("absent")]
    #[case::escapes(r#"- "a\nb\r\n\tc \\ \" ---""#)]
    #[case::unicode("- \"größer 値 🚀\"")]
    #[case::nested("a:\n  b:\n    - \"c\"\nd: {}")]
    fn insta_reads_our_files_and_writes_the_same_bytes(#[case] body: &str) {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (
            folder.path().join("head.args@ge-1.6.snap.new"),
            folder.path().join("theirs.snap"),
        );
        let snapshot = snapshot(body);
        snapshot.write(&ours).unwrap();
        // `cargo insta accept` does just this.
        let read = insta::Snapshot::from_file(&ours).unwrap();
        assert_eq!(read.as_text().unwrap().to_string(), body);
        assert_eq!(read.metadata().expression(), Some("head.args"));
        assert_eq!(
            read.metadata().source(),
            Some("scenarios/before-ray-start/scenario.yaml")
        );
        read.save(&theirs).unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), snapshot.to_text());
        assert_eq!(SnapshotFile::read(&theirs).unwrap(), snapshot);
    }

    #[rstest]
    #[case("1.6")]
    #[case("")]
    #[case("- x")]
    #[case("a: b")]
    #[case("No")]
    #[case("~")]
    #[case("@a")]
    #[case(".a")]
    #[case("scenarios/größer/scenario.yaml")]
    #[case("nan")]
    fn odd_texts_survive_in_the_header(#[case] text: &str) {
        let mut snapshot = snapshot("absent");
        snapshot.header.source = text.into();
        snapshot.header.images = vec![text.into()];
        assert_eq!(SnapshotFile::parse(&snapshot.to_text()).unwrap(), snapshot);
    }

    #[test]
    fn empty_lists_and_unknown_or_absent_keys_are_tolerated() {
        let empty = SnapshotFile {
            header: Header::default(),
            body: "absent".into(),
        };
        assert_eq!(SnapshotFile::parse(&empty.to_text()).unwrap(), empty);
        let text = "---\nsnapshot_kind: text\nassertion_line: 3\ninfo:\n  operator: [1.6.2, 1.6.0, 1.6.2]\n  x: y\n---\nabsent\n";
        let read = SnapshotFile::parse(text).unwrap();
        assert_eq!(read.header.operator, [version("1.6.0"), version("1.6.2")]);
    }

    #[rstest]
    #[case::empty("", "no header")]
    #[case::no_header("- \"a\"\n", "no header")]
    #[case::no_end("---\nsource: x\n", "no header")]
    #[case::not_yaml("---\nsource: [\n---\nabsent\n", "its header")]
    #[case::not_a_release("---\ninfo:\n  operator: [latest]\n---\nabsent\n", "its header")]
    fn other_texts_are_errors(#[case] text: &str, #[case] reason: &str) {
        let error = SnapshotFile::parse(text).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error_and_no_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.snap");
        assert_eq!(SnapshotFile::read_if_there(&path).unwrap(), None);
        fs::write(&path, [0xff, 0xfe]).unwrap();
        let error = SnapshotFile::read_if_there(&path).unwrap_err().to_string();
        assert!(error.contains("x.snap is not a snapshot: invalid utf-8"), "{error}");
    }

    #[test]
    fn merging_adds_what_is_new() {
        let mut header = snapshot("").header;
        assert!(!header.merge(&snapshot("").header));
        let other = Header {
            operator: vec![version("1.6.1")],
            ..Header::default()
        };
        assert!(header.merge(&other));
        assert_eq!(header.operator, [version("1.6.0"), version("1.6.1"), version("1.6.2")]);
    }
}
