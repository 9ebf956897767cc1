//! `run --kubernetes`: the releases of the API server on envtest, and what several of them showed.

use std::collections::BTreeMap;

use semver::Version;

use crate::args::{OwnTarget, Run};
use crate::artifact::Pins;
use crate::exit::CliError;
use crate::report::RunResult;
use crate::visible::line;

/// The cases that do not end alike on all releases of Kubernetes, a line each.
pub(super) fn differences(runs: &[(Version, RunResult)]) -> Vec<String> {
    let mut outcomes: BTreeMap<&str, Vec<(&Version, &'static str)>> = BTreeMap::new();
    for (release, run) in runs {
        for case in &run.cases {
            let of_case = outcomes.entry(&case.id).or_default();
            of_case.push((release, case.outcome.word()));
        }
    }
    let differing = outcomes
        .iter()
        .filter(|(_, all)| all.iter().any(|(_, word)| *word != all[0].1));
    differing
        .map(|(id, all)| {
            let words: Vec<String> = all
                .iter()
                .map(|(release, word)| format!("{word} on Kubernetes {release}"))
                .collect();
            format!("{}: {}", line(id), words.join(", "))
        })
        .collect()
}

/// Returns the releases of Kubernetes that were asked for.
///
/// # Errors
/// When the run is not on envtest alone, or a release is not known.
pub(super) fn releases(arguments: &Run) -> Result<Vec<Version>, CliError> {
    let Some(selection) = &arguments.kubernetes else {
        return Ok(Vec::new());
    };
    let targets = arguments.selection.targets();
    let is_envtest = targets.0 == [OwnTarget::Envtest];
    if !is_envtest || arguments.existing.context.is_some() {
        return Err(CliError::bad_use("--kubernetes is for envtest alone")
            .with_help("the nodes of a cluster have one release: run with `--target envtest`"));
    }
    let known = Pins::embedded().api_servers;
    let releases = selection.resolve(&known, &known);
    releases.map_err(|error| {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        CliError::bad_use(error).with_help(format!("envtest supports {}", known.join(", ")))
    })
}

/// Replaces options of a command line, or adds them before its names.
pub(super) fn with_options(
    arguments: impl Iterator<Item = String>,
    own: &[(&str, String)],
) -> impl Iterator<Item = String> {
    let mut words = Vec::new();
    let mut all = arguments;
    while let Some(word) = all.next() {
        let is_own = |(option, _): &&(&str, String)| {
            word == *option || word.starts_with(&format!("{option}="))
        };
        match own.iter().find(is_own) {
            None => words.push(word),
            // Its value is the next word.
            Some((option, _)) if word == *option => drop(all.next()),
            Some(_) => {}
        }
    }
    let own = own
        .iter()
        .flat_map(|(option, value)| [(*option).to_owned(), value.clone()]);
    let place = words
        .iter()
        .position(|word| word == "--")
        .unwrap_or(words.len());
    words.splice(place..place, own);
    words.into_iter()
}

#[cfg(test)]
#[path = "kubernetes/tests.rs"]
mod tests;
