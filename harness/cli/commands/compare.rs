//! `report compare`: shows what two runs show differently.

use std::path::{Path, PathBuf};

use super::colour;
use crate::args::{Compare, CompareFormat};
use crate::console;
use crate::exit::{CliError, ENVIRONMENT, FAILED, PASSED};
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
        let old = report::results_file(&arguments.old);
        for input in [&results, &old] {
            if path
                .canonicalize()
                .is_ok_and(|path| Some(path) == input.canonicalize().ok())
            {
                let message = format!("--html {} is the file that is compared", path.display());
                return Err(CliError::bad_use(message).with_help("name another file for the page"));
            }
        }
        let beside = evidence_beside(path, &results);
        report::write_page(&new, &comparison, beside.as_deref(), path)?;
    }
    if comparison.is_worse() {
        return Ok(FAILED);
    }
    match comparison.says_nothing() {
        Some(why) => {
            print_problem!("error: the comparison is no verdict: {why}");
            Ok(ENVIRONMENT)
        }
        None => Ok(PASSED),
    }
}

/// Returns the folder of the results where a page lies in it: only then the page can link to the
/// evidence.
fn evidence_beside(page: &Path, results: &Path) -> Option<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(folder) if folder != "" => folder.to_path_buf(),
        _ => ".".into(),
    };
    let of_results = folder(results);
    let same = folder(page).canonicalize().ok() == of_results.canonicalize().ok();
    same.then_some(of_results)
}

fn read(path: &Path) -> Result<RunResult, CliError> {
    // Both files may be right as arguments and still be missing or of another version.
    report::read_results(&report::results_file(path))
        .map_err(|error: ReportError| CliError::Environment(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_links_to_evidence_only_beside_the_results() {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("output");
        std::fs::create_dir(&output).unwrap();
        let results = output.join("results.json");
        let of = |page: &Path| evidence_beside(page, &results);
        assert_eq!(of(&output.join("compare.html")), Some(output.clone()));
        let roundabout = output.join("../output/compare.html");
        assert_eq!(of(&roundabout), Some(output.clone()), "another way there");
        assert_eq!(of(&root.path().join("compare.html")), None);
        assert_eq!(evidence_beside(Path::new("a.html"), &results), None);
        let here = evidence_beside(Path::new("a.html"), Path::new("results.json"));
        assert_eq!(here, Some(".".into()), "both in the working directory");
    }

    #[test]
    fn results_that_are_not_there_are_no_bad_use() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(folder.path()).unwrap_err();
        assert_eq!(error.exit_code(), ENVIRONMENT);
        assert!(error.to_string().contains("results.json"), "{error}");
    }
}
