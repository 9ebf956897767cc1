//! What lies in the evidence of a case, for reports that link to it.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::files::{folder_without_links, read_file};
use super::paths::{evidence_parts, parts};

/// Files that are listed at most.
const FILES: usize = 200;
/// Folders below that of the case that are looked into.
const DEPTH: usize = 3;

/// A file of the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Its path below the case's folder.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Returns the regular files of a case's evidence, sorted; none where the path, which comes from
/// data, does not lead to evidence below `output`, or leads there over a link.
pub fn evidence_files(output: &Path, evidence: &str) -> Vec<EvidenceFile> {
    let mut files = Vec::new();
    if let Some(folder) = folder_of(output, evidence) {
        list(&folder, "", DEPTH, &mut files);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Returns the last lines of a file that lies in a case's folder itself, from at most so many
/// bytes; none where it can't be read.
pub fn evidence_tail(
    output: &Path,
    evidence: &str,
    name: &str,
    (lines, bytes): (usize, u64),
) -> Vec<String> {
    let read = || {
        // Of a path, a folder on the way could be a link.
        let folder = folder_of(output, evidence).filter(|_| !name.contains('/'))?;
        let mut file = read_file(&folder, name).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes)))
            .ok()?;
        let mut tail = Vec::new();
        file.take(bytes).read_to_end(&mut tail).ok()?;
        Some((String::from_utf8_lossy(&tail).into_owned(), length > bytes))
    };
    let Some((text, is_cut)) = read() else {
        return Vec::new();
    };
    // The first line of a part is a part of a line.
    let all: Vec<&str> = text.lines().skip(usize::from(is_cut)).collect();
    let last = &all[all.len().saturating_sub(lines)..];
    last.iter().map(|line| (*line).to_owned()).collect()
}

fn folder_of(output: &Path, evidence: &str) -> Option<std::path::PathBuf> {
    evidence_parts(evidence).ok()?;
    folder_without_links(output, evidence).ok()
}

fn list(folder: &Path, prefix: &str, depth: usize, files: &mut Vec<EvidenceFile>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{prefix}{name}");
        let Some(metadata) = entry.metadata().ok().filter(|_| parts(&path).is_ok()) else {
            continue;
        };
        if files.len() == FILES {
            return;
        }
        if metadata.is_file() {
            files.push(EvidenceFile {
                path,
                bytes: metadata.len(),
            });
        } else if metadata.is_dir() && depth > 0 {
            list(&entry.path(), &format!("{path}/"), depth - 1, files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_and_links_are_not_followed() {
        let output = tempfile::tempdir().unwrap();
        let case = output.path().join("evidence/case");
        std::fs::create_dir_all(case.join("logs")).unwrap();
        std::fs::write(case.join("operator.log"), "one\ntwo\nthree\n").unwrap();
        std::fs::write(case.join("logs/head.log"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", case.join("passwd")).unwrap();
        std::os::unix::fs::symlink("/etc", output.path().join("evidence/link")).unwrap();
        let files = evidence_files(output.path(), "evidence/case");
        let names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names, ["logs/head.log", "operator.log"]);
        for other in [
            "evidence",
            "../evidence",
            "/etc",
            "evidence/link",
            "evidence/none",
        ] {
            assert_eq!(evidence_files(output.path(), other), [], "{other}");
        }
        let tail = |name| evidence_tail(output.path(), "evidence/case", name, (2, 100));
        assert_eq!(tail("operator.log"), ["two", "three"]);
        assert_eq!(tail("passwd"), [""; 0]);
        assert_eq!(tail("logs/head.log"), [""; 0], "a path is no name");
        let part = evidence_tail(output.path(), "evidence/case", "operator.log", (9, 8));
        assert_eq!(part, ["three"]);
    }
}
