//! What an earlier run left in a folder: its reports and its evidence, and nothing that is not
//! ours.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;

use super::files::{read_file, remove};

/// No report of ours is larger, in bytes.
const LARGEST: u64 = 1 << 30;

/// What results and the first line of a journal say of their plan.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Cases {
    version: String,
    planned: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
}

/// Returns the folder of the evidence of the case with this id, below the output folder.
pub(crate) fn evidence_of(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/.-_+".contains(c);
    let safe: String = id
        .replace("::", "/")
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    format!("evidence/{safe}")
}

/// Returns the ids of the cases that earlier runs planned, by their results and their journal in
/// `folder`.
pub(crate) fn cases_of_before(folder: &Path) -> BTreeSet<String> {
    let results = read_file(folder, "results.json").ok().and_then(|file| {
        let mut text = Vec::new();
        file.take(LARGEST).read_to_end(&mut text).ok().map(|_| text)
    });
    let journal = read_file(folder, "journal.jsonl").ok().and_then(|file| {
        let mut text = Vec::new();
        let mut reader = BufReader::new(file.take(LARGEST));
        reader.read_until(b'\n', &mut text).ok().map(|_| text)
    });
    let found = [results, journal].into_iter().flatten();
    let found = found.filter_map(|text| serde_json::from_slice::<Cases>(&text).ok());
    let ours = found.filter(|cases| cases.version.starts_with("kuberay-conformance."));
    ours.flat_map(|found| {
        let cases = found.cases.into_iter().map(|case| case.id);
        found.planned.into_iter().chain(cases)
    })
    .collect()
}

/// Removes the evidence of these cases from `folder`, and the folders that are empty then.
///
/// # Errors
/// Fails when the system refuses, or a folder on the way is a link.
pub(crate) fn clear_evidence<'a>(
    folder: &Path,
    ids: impl IntoIterator<Item = &'a str>,
) -> std::io::Result<()> {
    for id in ids {
        let evidence = evidence_of(id);
        // No run made a folder for an id that leads elsewhere.
        if super::evidence_parts(&evidence).is_err() {
            continue;
        }
        remove(folder, &evidence)?;
        let mut below = Path::new(&evidence);
        while let Some(parent) = below
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            // One that holds something else stays.
            if std::fs::remove_dir(folder.join(parent)).is_err() {
                break;
            }
            below = parent;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "leftovers/tests.rs"]
mod tests;
