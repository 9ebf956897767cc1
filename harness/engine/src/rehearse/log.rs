//! The log of an operator that runs beside the API server: which objects it has looked at.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// The most that is read at once.
const AT_MOST: u64 = 64 << 20;

/// Reads a log from where it was read last.
pub(super) struct Log {
    path: PathBuf,
    at: u64,
    rest: String,
}

impl Log {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            at: 0,
            rest: String::new(),
        }
    }

    /// Removes the objects, by namespace and name, that new lines are about.
    pub fn strike(&mut self, awaited: &mut BTreeSet<(String, String)>) {
        let Ok(text) = self.read() else {
            return;
        };
        let text = std::mem::take(&mut self.rest) + &text;
        let end = text.rfind('\n').map_or(0, |at| at + 1);
        for line in text[..end].lines() {
            for about in objects(line) {
                awaited.remove(&about);
            }
        }
        text[end..].clone_into(&mut self.rest);
    }

    fn read(&mut self) -> std::io::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.at))?;
        let mut bytes = Vec::new();
        self.at += file.take(AT_MOST).read_to_end(&mut bytes)? as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Namespaces and names that stand beside each other in a line. Releases write them as
/// `"name":"a","namespace":"b"`, in either order, or as `b/a`.
fn objects(line: &str) -> Vec<(String, String)> {
    let value = |text: &str, key: &str| {
        let (_, rest) = text.split_once(key)?;
        let value = rest.split('"').next()?;
        Some(value.to_owned())
    };
    let mut found = Vec::new();
    // An object of a line ends with a brace, and so does the line.
    for part in line.split('}') {
        let (name, namespace) = (value(part, "\"name\":\""), value(part, "\"namespace\":\""));
        if let (Some(name), Some(namespace)) = (name, namespace) {
            found.push((namespace, name));
        }
    }
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "-./".contains(c)));
    for word in words {
        if let Some((namespace, name)) = word.split_once('/')
            && !name.contains('/')
        {
            found.push((namespace.to_owned(), name.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_struck_once_a_whole_line_is_about_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let key = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
        let mut awaited = BTreeSet::from([key("n", "a"), key("n", "b"), key("n", "c")]);
        let mut log = Log::new(path.clone());
        log.strike(&mut awaited);
        let first = r#"{"msg":"x","RayCluster":{"name":"a","namespace":"n"},"reconcileID":"1"}"#;
        std::fs::write(
            &path,
            format!("{first}\n2026 INFO reading n/b\n{{\"RayJob\":{{\"name\":"),
        )
        .unwrap();
        log.strike(&mut awaited);
        assert_eq!(awaited, BTreeSet::from([key("n", "c")]));
        let rest = "\"c\",\"namespace\":\"n\"}}\n";
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str(rest);
        std::fs::write(&path, text).unwrap();
        log.strike(&mut awaited);
        assert!(awaited.is_empty());
    }
}
