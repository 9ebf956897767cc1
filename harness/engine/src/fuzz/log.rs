//! Follows the log of an operator, for refusals that it reports nowhere else.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// How many errors are kept: those of the last minutes of an operator that retries all the time.
const KEPT: usize = 8_192;

/// A log that grows. Each byte is read once, however many objects are waited for: operators that
/// try again and again write many megabytes.
pub(super) struct OperatorLog {
    path: PathBuf,
    read: Mutex<Followed>,
}

#[derive(Default)]
struct Followed {
    /// Bytes that were read.
    offset: u64,
    /// The start of a line that is not complete yet.
    rest: Vec<u8>,
    /// The last errors, with the whole line that each comes from.
    errors: VecDeque<Reported>,
    /// How many errors came before them.
    dropped: usize,
}

struct Reported {
    line: String,
    says: String,
}

impl OperatorLog {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            read: Mutex::default(),
        }
    }

    /// The number of the next error.
    pub fn end(&self) -> usize {
        self.follow(|read| read.dropped + read.errors.len())
    }

    /// Errors that mention a namespace, from a number on, in the order of the log. Only the last
    /// 8,192 errors of all namespaces are known.
    pub fn about(&self, namespace: &str, from: usize) -> Vec<String> {
        self.follow(|read| {
            let later = read.errors.iter().skip(from.saturating_sub(read.dropped));
            let own = later.filter(|error| error.line.contains(namespace));
            own.map(|error| error.says.clone()).collect()
        })
    }

    fn follow<T>(&self, ask: impl FnOnce(&Followed) -> T) -> T {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that can't be read says nothing, and a later look reads it from here.
        if let Err(error) = read.go_on(&self.path) {
            tracing::debug!(%error, "the operator's log was not read");
        }
        ask(&read)
    }
}

impl Followed {
    fn go_on(&mut self, path: &Path) -> std::io::Result<()> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let read = file.read_to_end(&mut self.rest)?;
        self.offset += read as u64;
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(());
        };
        let rest = self.rest.split_off(end + 1);
        let lines = std::mem::replace(&mut self.rest, rest);
        let lines = String::from_utf8_lossy(&lines).into_owned();
        self.errors.extend(lines.lines().filter_map(reported));
        let excess = self.errors.len().saturating_sub(KEPT);
        self.errors.drain(..excess);
        self.dropped += excess;
        Ok(())
    }
}

/// The error that a line reports. The log is a JSON object a line, or up to 1.0 fields between tabs
/// of which the last is a JSON object.
fn reported(line: &str) -> Option<Reported> {
    if !line.contains("\"error\"") {
        return None;
    }
    let mut before = line.rsplit('\t');
    let read: Value = serde_json::from_str(before.next()?).ok()?;
    let error = read["error"].as_str()?;
    let doing = read["msg"].as_str().or_else(|| before.next());
    let says = format!("{}: {error}", doing.unwrap_or_default());
    Some(Reported {
        line: line.to_owned(),
        says,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn errors_are_read_in_both_forms_of_the_log() {
        let of = |line: &str| reported(line).map(|error| error.says);
        let json = r#"{"level":"error","msg":"Reconciler error","name":"c","error":"bad"}"#;
        assert_eq!(of(json).as_deref(), Some("Reconciler error: bad"));
        let console = "2026-11-30T03:21:23.874Z\tERROR\tcontroller\tReconciler error\t{\"name\": \"c\", \"error\": \"bad\"}";
        assert_eq!(of(console).as_deref(), Some("Reconciler error: bad"));
        assert_eq!(of("2026-11-30T03:21:23.874Z\tINFO\tall is well\t{}"), None);
    }

    #[test]
    fn errors_are_read_as_the_log_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.log");
        let log = OperatorLog::new(&path);
        assert_eq!(log.end(), 0);
        let write = |text: &str| {
            let file = OpenOptions::new().create(true).append(true).open(&path);
            file.unwrap().write_all(text.as_bytes()).unwrap();
        };
        let line = |namespace: &str, error: &str| {
            format!("{{\"msg\": \"bad\", \"error\": \"{error}\", \"in\": \"{namespace}\"}}\n")
        };
        write("{\"msg\": \"all is well\", \"in\": \"one\"}\nnot JSON\n");
        write(&line("one", "first"));
        assert_eq!(log.about("one", 0), ["bad: first"]);
        let from = log.end();
        assert_eq!(from, 1);
        let later = line("one", "second");
        write(&later[..9]);
        assert_eq!(log.about("one", from), [] as [&str; 0]);
        write(&later[9..]);
        write(&line("two", "third"));
        assert_eq!(log.about("one", from), ["bad: second"]);
        assert_eq!(log.about("two", from), ["bad: third"]);
        write(&line("one", "again").repeat(KEPT));
        assert_eq!(log.end(), KEPT + 3, "all errors are counted");
        assert_eq!(log.about("one", 0).len(), KEPT, "the last ones are kept");
        assert_eq!(log.about("one", KEPT + 2), ["bad: again"]);
    }
}
