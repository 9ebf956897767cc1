//! `report compare`: shows what two runs show differently.

use std::path::Path;

use super::colour;
use crate::args::{Compare, CompareFormat};
use crate::console;
use crate::exit::{CliError, FAILED, PASSED};
use crate::report::{self, ReportError, RunResult};

pub(super) fn run(arguments: &Compare) -> Result<u8, CliError> {
    let (old, new) = (read(&arguments.old)?, read(&arguments.new)?);
    let comparison = report::compare(&old, &new);
    let text = match arguments.format {
        CompareFormat::Text => comparison.text(colour()),
        CompareFormat::Markdown => comparison.markdown(),
    };
    console::line(text.trim_end());
    if let Some(path) = &arguments.html {
        let results = report::results_file(&arguments.new);
        let folder = |path: &Path| match path.parent() {
            Some(folder) if folder != "" => folder.to_path_buf(),
            _ => ".".into(),
        };
        let (of_page, of_results) = (folder(path), folder(&results));
        // The page links to the evidence only where it lies beside it.
        let beside = of_page.canonicalize().ok() == of_results.canonicalize().ok();
        let beside = beside.then_some(of_results.as_path());
        report::write_page(&new, &comparison, beside, path)?;
    }
    Ok(if comparison.is_worse() {
        FAILED
    } else {
        PASSED
    })
}

fn read(path: &Path) -> Result<RunResult, CliError> {
    // Both files may be right as arguments and still be missing or of another version.
    report::read_results(&report::results_file(path))
        .map_err(|error: ReportError| CliError::Environment(error.to_string()))
}
