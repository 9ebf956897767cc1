//! Reads the results that are merged, and puts the report with its evidence into a folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{MergeError, MergeSource, Merged};
use crate::output;
use crate::reports::{RESULTS, ReportError, Reports, read_results, results_file};
use crate::scenario::files::open_regular;

/// Reads results from files, or from folders that hold a `results.json`; a folder without one is
/// what a run left that was killed, and told in the second part, one sentence each.
///
/// # Errors
/// When a file can't be read.
pub fn read_sources(paths: &[PathBuf]) -> Result<(Vec<MergeSource>, Vec<String>), ReportError> {
    let (mut sources, mut notes) = (Vec::new(), Vec::new());
    for path in paths {
        let file = results_file(path);
        if path.is_dir() && !file.exists() {
            notes.push(format!(
                "{} contains no {RESULTS}: its run was killed; `run --resume` picks it up",
                path.display()
            ));
            continue;
        }
        let run = read_results(&file)?;
        sources.push(MergeSource { path: file, run });
    }
    Ok((sources, notes))
}

/// The merged report must not take the place of one that it is made of.
///
/// # Errors
/// When it would.
pub fn refuse_to_overwrite(sources: &[MergeSource], output: &Path) -> Result<(), MergeError> {
    let target = output.join(RESULTS).canonicalize();
    let is_target = |source: &&MergeSource| {
        target
            .as_ref()
            .is_ok_and(|target| source.path.canonicalize().is_ok_and(|path| path == *target))
    };
    match sources.iter().find(is_target) {
        Some(source) => Err(MergeError::Overwrites(source.path.clone())),
        None => Ok(()),
    }
}

/// Writes every report, and copies the evidence beside them; returns what evidence could not be
/// had, one sentence each.
///
/// # Errors
/// When a report can't be written.
pub fn write_merged(
    merged: &Merged,
    into: &Path,
    reports: &dyn Reports,
) -> Result<Vec<String>, ReportError> {
    let before = output::cases_of_before(into);
    reports.write(&merged.run, into)?;
    let mut notes = Vec::new();
    // What is copied takes the place of what is there; it may lie there already.
    let copied: Vec<&str> = merged
        .evidence
        .iter()
        .map(|(_, evidence)| evidence.as_str())
        .collect();
    let stale = before.iter().map(String::as_str);
    let stale = stale.filter(|id| !copied.contains(&output::evidence_of(id).as_str()));
    if let Err(error) = output::clear_evidence(into, stale) {
        notes.push(format!(
            "evidence of an earlier report in {} could not be removed: {error}",
            into.display()
        ));
    }
    for (folder, evidence) in &merged.evidence {
        if let Err(error) = copy_evidence(folder, into, evidence) {
            let from = folder.display();
            notes.push(format!(
                "the evidence {evidence:?} of {from} could not be copied: {error}"
            ));
        }
    }
    Ok(notes)
}

/// Copies the evidence of a case to the same path below another folder, in place of what is there.
fn copy_evidence(from: &Path, to: &Path, evidence: &str) -> std::io::Result<()> {
    output::evidence_parts(evidence).map_err(std::io::Error::other)?;
    let source = output::folder_without_links(from, evidence)?;
    if from.canonicalize()? == to.canonicalize()? {
        return Ok(());
    }
    output::remove(to, evidence)?;
    copy_folder(&source, &output::create_folder(to, evidence)?)
}

/// Copies files and folders; of anything else, such as links, a run leaves nothing.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&target)?;
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::io::copy(
                &mut open_regular(&entry.path())?,
                &mut File::create_new(target)?,
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
