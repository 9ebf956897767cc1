//! Report files, each written whole or not at all.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{ReportError, Reports, RunComparison, RunResult, json, junit, markdown, page};
use crate::process::{UNFINISHED, replace_file};
use crate::scenario::files::check_replaceable;

/// Names of the reports, in the order in which they are written.
const FILES: [&str; 4] = ["results.json", "junit.xml", "summary.md", "index.html"];

/// The reports in every format: `results.json`, `junit.xml`, `summary.md` and `index.html`.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllReports;

impl Reports for AllReports {
    fn names(&self) -> &[&'static str] {
        &FILES
    }

    fn write(&self, run: &RunResult, folder: &Path) -> Result<(), ReportError> {
        write_all(run, folder)
    }
}

/// Writes `results.json`, `junit.xml`, `summary.md` and `index.html` into `output`, which is made
/// when absent. A reader sees each file either as it was or whole.
///
/// # Errors
/// When a file can't be written. `results.json` comes first, so that the results outlive a fault in
/// another report.
pub fn write_all(run: &RunResult, output: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(output).map_err(|source| ReportError::Write {
        path: output.into(),
        source,
    })?;
    remove_unfinished(output);
    let [results, junit, summary, html] = FILES.map(|file| output.join(file));
    write_atomically(&results, &json::render(run)?)?;
    // No report of other results stays beside these, whatever keeps the new one from being written;
    // the page, which people open first, goes first.
    for report in [&html, &summary, &junit] {
        remove(report)?;
    }
    write_atomically(&junit, &junit::render(run)?)?;
    write_atomically(&summary, &markdown::render_markdown(run))?;
    write_atomically(&html, &page::render(run, Some(output), None)?)
}

/// Writes the page of a run alone, with what is different from another run. `beside` is the folder
/// of the run's reports, where the page lies in it.
///
/// # Errors
/// When the file can't be written.
pub fn write_page(
    run: &RunResult,
    comparison: &RunComparison,
    beside: Option<&Path>,
    path: &Path,
) -> Result<(), ReportError> {
    write_atomically(path, &page::render(run, beside, Some(comparison))?)
}

fn remove(report: &Path) -> Result<(), ReportError> {
    match fs::remove_file(report) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(ReportError::Write {
            path: report.into(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Removes what a killed process has left of a report, in a folder that this process has locked.
fn remove_unfinished(output: &Path) {
    for entry in fs::read_dir(output).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(UNFINISHED) {
            // It is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// As [`write_atomically`], in a folder that is made where it is absent.
///
/// # Errors
/// When the folder can't be made, or the file can't be written.
pub fn write_in_folder(path: &Path, text: &str) -> Result<(), ReportError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| ReportError::Write {
            path: folder.into(),
            source,
        })?;
    }
    write_atomically(path, text)
}

/// Writes a file whole or not at all.
///
/// # Errors
/// When it can't be written.
pub fn write_atomically(path: &Path, text: &str) -> Result<(), ReportError> {
    let write = || {
        check_replaceable(path)?;
        // Readable by all (as far as the umask allows): reports are often collected by another
        // user.
        replace_file(path, text.as_bytes(), 0o666)
    };
    write().map_err(|source| ReportError::Write {
        path: path.into(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn a_pipe_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("page.html");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        let link = folder.path().join("link.html");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for path in [&pipe, &link] {
            let error = write_atomically(path, "text").unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{error}");
        }
        assert!(!fs::metadata(&pipe).unwrap().is_file());
    }

    #[test]
    fn no_page_of_other_results_stays_where_the_new_one_can_not_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let run = example::run();
        write_all(&run, folder.path()).unwrap();
        let summary = folder.path().join("summary.md");
        fs::remove_file(&summary).unwrap();
        fs::create_dir(&summary).unwrap();
        write_all(&run, folder.path()).unwrap_err();
        assert!(folder.path().join("results.json").exists());
        assert!(!folder.path().join("index.html").exists());
    }
}
