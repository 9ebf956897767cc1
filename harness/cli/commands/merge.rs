//! `report merge`: makes one report of the results of several runs of one plan.

use super::work;
use crate::args::Merge;
use crate::exit::{self, CliError};
use crate::output::{OutputError, OutputLock};
use crate::report;

pub(super) fn run(arguments: &Merge) -> Result<u8, CliError> {
    let (sources, lost) = report::read_sources(&arguments.results)?;
    warn(&lost);
    report::refuse_to_overwrite(&sources, &arguments.output)?;
    let merged = report::merge(&sources)?;
    let _lock = OutputLock::take(&arguments.output, "report merge").map_err(of_output)?;
    let copied = report::write_merged(&merged, &arguments.output, &report::AllReports)?;
    warn(&merged.notes);
    warn(&copied);
    work::show(&merged.run)?;
    Ok(exit::of_run(
        &merged.run,
        work::strictness(arguments.strict),
    ))
}

/// Another folder helps against all but a system that refuses access.
fn of_output(error: OutputError) -> CliError {
    match error {
        OutputError::InUse { .. } | OutputError::NoFolder { .. } => CliError::bad_use(error),
        OutputError::Access { .. } => CliError::Environment(error.to_string()),
    }
}

fn warn(notes: &[String]) {
    for note in notes {
        print_problem!("warning: {note}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::{BAD_USE, ENVIRONMENT};

    #[test]
    fn a_folder_that_cannot_be_the_output_is_bad_use() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let code = |folder| {
            let error = OutputLock::take(folder, "a test").unwrap_err();
            of_output(error).exit_code()
        };
        assert_eq!(code(&file), BAD_USE, "a file");
        let folder = root.path().join("folder");
        let _lock = OutputLock::take(&folder, "another test").unwrap();
        assert_eq!(code(&folder), BAD_USE, "in use");
        assert_eq!(code(&file.join("below")), ENVIRONMENT, "below a file");
    }
}
