//! Reads the results that are merged, and puts the report with its evidence into a folder.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{MergeError, Merged, ReportError, Source, read_results, write_all};

const RESULTS: &str = "results.json";

/// Reads results from files, or from folders that hold a `results.json`; a folder without one is what a run left that was
/// killed, and told in the second part, one sentence each.
///
/// # Errors
/// When a file can't be read.
pub fn read_sources(paths: &[PathBuf]) -> Result<(Vec<Source>, Vec<String>), ReportError> {
    let (mut sources, mut notes) = (Vec::new(), Vec::new());
    for path in paths {
        let file = if path.is_dir() {
            path.join(RESULTS)
        } else {
            path.clone()
        };
        if path.is_dir() && !file.exists() {
            notes.push(format!(
                "{} holds no {RESULTS}: its run was ended from outside; `run --resume` picks it up",
                path.display()
            ));
            continue;
        }
        let run = read_results(&file)?;
        sources.push(Source { path: file, run });
    }
    Ok((sources, notes))
}

/// The merged report must not take the place of one that it is made of.
///
/// # Errors
/// When it would.
pub fn refuse_to_overwrite(sources: &[Source], output: &Path) -> Result<(), MergeError> {
    let target = output.join(RESULTS).canonicalize();
    let is_target = |source: &&Source| {
        target
            .as_ref()
            .is_ok_and(|target| source.path.canonicalize().is_ok_and(|path| path == *target))
    };
    match sources.iter().find(is_target) {
        Some(source) => Err(MergeError::Overwrites(source.path.clone())),
        None => Ok(()),
    }
}

/// Writes every report, and copies the evidence beside them; returns what evidence could not be had, one sentence each.
///
/// # Errors
/// When a report can't be written.
pub fn write_merged(merged: &Merged, output: &Path) -> Result<Vec<String>, ReportError> {
    write_all(&merged.run, output)?;
    let mut notes = Vec::new();
    for (folder, evidence) in &merged.evidence {
        let below = Path::new(evidence);
        // It comes from a file.
        if !below.components().all(|part| matches!(part, Component::Normal(_))) {
            notes.push(format!(
                "{evidence} is no folder below that of its results; it was left there"
            ));
            continue;
        }
        let from = folder.join(below);
        if let Err(error) = copy_folder(&from, &output.join(below)) {
            notes.push(format!("the evidence {} could not be copied: {error}", from.display()));
        }
    }
    Ok(notes)
}

/// Copies files and folders; of anything else, such as links, a run leaves nothing.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    let entries = fs::read_dir(from)?;
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "merge_files/tests.rs"]
mod tests;
