//! Report files, each written whole or not at all.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{RunResult, html, json, junit, markdown};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or folder can't be written.
    #[error("writing the report {path} failed: {source}; is the folder writable, and is there room?", path = .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The results of a run can't be read.
    #[error("reading the results {path} failed: {source}; write them with `kuberay-conformance run`", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The result can't be expressed in the report's form, which is a fault of this program.
    #[error("making the report {name} failed: {source}; results.json may still hold the results")]
    Render {
        /// The report's file name.
        name: &'static str,
        /// What the library says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ReportError {
    pub(super) fn render(name: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Render {
            name,
            source: source.into(),
        }
    }
}

/// Names of the reports, in the order in which they are written.
pub(crate) const FILES: [&str; 4] = ["results.json", "junit.xml", "summary.md", "index.html"];

/// Writes `results.json`, `junit.xml`, `summary.md` and `index.html` into `output`, which is made when absent. A reader
/// sees each file either as it was or whole.
///
/// # Errors
/// When a file can't be written. `results.json` comes first, so that the results outlive a fault in another report.
pub fn write_all(run: &RunResult, output: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(output).map_err(|source| ReportError::Write {
        path: output.into(),
        source,
    })?;
    let [results, junit, summary, page] = FILES.map(|file| output.join(file));
    write_atomically(&results, &json::render(run)?)?;
    write_atomically(&junit, &junit::render(run)?)?;
    write_atomically(&summary, &markdown::render_markdown(run))?;
    write_atomically(&page, &html::render(run)?)
}

fn write_atomically(path: &Path, text: &str) -> Result<(), ReportError> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        // Readable by all (as far as the umask allows): reports are often collected by another user.
        let mut file = tempfile::Builder::new()
            .prefix(".report-")
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| ReportError::Write {
        path: path.into(),
        source,
    })
}
