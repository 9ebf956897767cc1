//! `report merge`: makes one report of the results of several runs of one plan.

use super::live;
use crate::args::Merge;
use crate::exit::CliError;
use crate::output::{OutputError, OutputLock};
use crate::report;

pub(super) fn run(arguments: &Merge) -> Result<u8, CliError> {
    let (sources, lost) = report::read_sources(&arguments.results)?;
    warn(&lost);
    report::refuse_to_overwrite(&sources, &arguments.output)?;
    let merged = report::merge(&sources)?;
    let _lock =
        OutputLock::take(&arguments.output, "report merge").map_err(|error| match error {
            OutputError::InUse { .. } | OutputError::NoFolder { .. } => CliError::bad_use(error),
            OutputError::Access { .. } => CliError::Environment(error.to_string()),
        })?;
    let copied = report::write_merged(&merged, &arguments.output, &report::AllReports)?;
    warn(&merged.notes);
    warn(&copied);
    live::show(&merged.run)?;
    Ok(report::exit_code(
        &merged.run,
        live::strictness(arguments.strict),
    ))
}

fn warn(notes: &[String]) {
    for note in notes {
        print_problem!("warning: {note}");
    }
}
