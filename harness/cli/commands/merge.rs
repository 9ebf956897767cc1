//! `report merge`: results of several runs of one plan become one report.

use super::args::Merge;
use super::{BAD_USE, ENVIRONMENT, live};
use crate::output::{OutputError, OutputLock};
use crate::report;

pub(super) fn run(arguments: &Merge) -> u8 {
    let (sources, lost) = match report::read_sources(&arguments.results) {
        Ok(read) => read,
        Err(error) => return failed(&error, BAD_USE),
    };
    warn(&lost);
    let refused = report::refuse_to_overwrite(&sources, &arguments.output);
    let merged = match refused.and_then(|()| report::merge(&sources)) {
        Ok(merged) => merged,
        Err(error) => return failed(&error, BAD_USE),
    };
    let _lock = match OutputLock::take(&arguments.output, "report merge") {
        Ok(lock) => lock,
        Err(error @ OutputError::InUse { .. }) => return failed(&error, BAD_USE),
        Err(error) => return failed(&error, ENVIRONMENT),
    };
    let copied = match report::write_merged(&merged, &arguments.output, &report::AllReports) {
        Ok(problems) => problems,
        Err(error) => return failed(&error, ENVIRONMENT),
    };
    warn(&merged.notes);
    warn(&copied);
    live::show(&merged.run);
    report::exit_code(&merged.run, live::strictness(arguments.strict))
}

fn warn(notes: &[String]) {
    for note in notes {
        print_problem!("warning: {note}");
    }
}

fn failed(error: &dyn std::error::Error, code: u8) -> u8 {
    print_problem!("error: {error}");
    code
}
