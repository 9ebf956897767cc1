//! A journal in a file of the output folder: one line of JSON for what the run is, and one for each
//! case.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::journal::{JOURNAL_VERSION, Journal, JournalEntry, JournalError, JournalHead};
use crate::output;

const NAME: &str = "journal.jsonl";
/// A journal takes some kilobytes for each case.
const LARGEST: u64 = 128 << 20;

/// `journal.jsonl` in a folder.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    open: Mutex<Option<Open>>,
}

/// The file of a journal that was begun.
#[derive(Debug)]
struct Open {
    file: File,
    /// The length of its whole lines, in bytes.
    whole: u64,
}

impl Open {
    /// Appends a line as a whole, or nothing: a part of one would run into the next.
    fn append(&mut self, line: &[u8]) -> std::io::Result<()> {
        let written = self
            .file
            .set_len(self.whole)
            .and_then(|()| self.file.seek(SeekFrom::Start(self.whole)))
            .and_then(|_| self.file.write_all(line));
        match written {
            Ok(()) => self.whole += u64::try_from(line.len()).unwrap_or_default(),
            // Where that fails, too, the next line begins with it.
            Err(_) => drop(self.file.set_len(self.whole)),
        }
        written
    }
}

/// The beginning of every version.
#[derive(Deserialize)]
struct AnyHead {
    version: String,
}

impl FileJournal {
    /// The journal of a run with this output folder, which is made when the run begins.
    pub fn new(output: &Path) -> Self {
        Self {
            path: output.join(NAME),
            open: Mutex::default(),
        }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, doing: &'static str) -> impl Fn(std::io::Error) -> JournalError {
        let journal = self.name();
        move |source| JournalError::Access {
            doing,
            journal: journal.clone(),
            source: source.into(),
        }
    }

    fn start(&self, head: &JournalHead, resume: bool) -> Result<Vec<JournalEntry>, JournalError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(self.failed("beginning"))?;
        let before = match output::open_file(folder, NAME) {
            _ if !resume => None,
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            before => Some(before.map_err(self.failed("reading"))?),
        };
        let picked_up = match before {
            Some(mut file) => {
                let (entries, kept) = self.read(&mut file, head)?;
                (kept > 0).then_some((file, entries, kept))
            }
            None => None,
        };
        let (open, entries) = if let Some((file, entries, whole)) = picked_up {
            // A line that a kill tore would run into the next one.
            file.set_len(whole).map_err(self.failed("beginning"))?;
            (Open { file, whole }, entries)
        } else {
            let create = || {
                let file = output::create_file(folder, NAME)?;
                let mut open = Open { file, whole: 0 };
                open.append(&line(head)?)?;
                Ok(open)
            };
            (create().map_err(self.failed("beginning"))?, Vec::new())
        };
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
        Ok(entries)
    }

    /// Returns the recorded results, and their length in bytes.
    fn read(
        &self,
        file: &mut File,
        head: &JournalHead,
    ) -> Result<(Vec<JournalEntry>, u64), JournalError> {
        let mut text = Vec::new();
        read_bounded(file, &mut text).map_err(self.failed("reading"))?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let mut lines = text[..whole].split_inclusive(|byte| *byte == b'\n');
        let Some(first) = lines.next() else {
            return Ok((Vec::new(), 0));
        };
        let entry = |number| {
            let journal = self.name();
            move |source| JournalError::Entry {
                journal,
                number,
                source,
            }
        };
        let any: AnyHead = serde_json::from_slice(first).map_err(entry(1))?;
        if any.version != JOURNAL_VERSION {
            return Err(JournalError::OtherRun {
                journal: self.name(),
                what: format!("its form is {}, not {JOURNAL_VERSION}", any.version),
            });
        }
        let found: JournalHead = serde_json::from_slice(first).map_err(entry(1))?;
        head.fits(&found, &self.name())?;
        let mut kept = first.len();
        let mut entries = Vec::new();
        let mut lines = lines.zip(2..).peekable();
        while let Some((line, number)) = lines.next() {
            match serde_json::from_slice(line) {
                Ok(noted) => entries.push(noted),
                // A system that lost power may keep the end of a line and not its middle.
                Err(_) if lines.peek().is_none() => break,
                Err(source) => return Err(entry(number)(source)),
            }
            kept += line.len();
        }
        Ok((entries, u64::try_from(kept).unwrap_or(u64::MAX)))
    }

    fn append(&self, entry: &JournalEntry) -> Result<(), JournalError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let written = line(entry).and_then(|line| match open.as_mut() {
            // Once written it is the kernel's, and outlives this process.
            Some(open) => open.append(&line),
            None => Err(std::io::Error::other("it was not begun")),
        });
        written.map_err(self.failed("writing"))
    }
}

/// Reads a file from its beginning, unless it is larger than any journal.
fn read_bounded(file: &mut File, text: &mut Vec<u8>) -> std::io::Result<()> {
    file.take(LARGEST + 1).read_to_end(text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= LARGEST) {
        return Ok(());
    }
    let mebibytes = LARGEST >> 20;
    Err(std::io::Error::other(format!(
        "it is larger than {mebibytes} MiB, which no journal is"
    )))
}

fn line(value: &impl serde::Serialize) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

impl Journal for FileJournal {
    fn begin<'a>(
        &'a self,
        head: &'a JournalHead,
        resume: bool,
    ) -> BoxFuture<'a, Result<Vec<JournalEntry>, JournalError>> {
        async move { self.start(head, resume) }.boxed()
    }

    fn note<'a>(
        &'a self,
        entry: &'a JournalEntry,
        _evidence: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        // The evidence lies below the same folder already.
        async move { self.append(entry) }.boxed()
    }
}

#[cfg(test)]
#[path = "journal_file/mutated.rs"]
mod mutated;
#[cfg(test)]
#[path = "journal_file/tests.rs"]
mod tests;
