//! Reports: results become text for a terminal, `JUnit`, JSON, Markdown, HTML and GitHub
//! annotations.

mod check;
mod compare;
mod contract_page;
mod diff_junit;
mod diff_markdown;
mod diff_text;
mod doctor;
mod durations;
mod explain;
mod files;
mod final_text;
pub mod github;
mod ids;
mod json;
mod junit;
mod markdown;
mod markdown_text;
mod pace;
mod page;
mod pairs;
mod programme;
mod rehearsal;
mod rehearsal_markdown;
mod rules;
mod terminal;
mod text;
mod view;

#[cfg(test)]
#[path = "../scenario/src/generate/mutated.rs"]
mod mutated;
#[cfg(test)]
mod tests;

/// The name of the program in reports.
const NAME: &str = "kuberay-conformance";

pub use kuberay_conformance_engine::merge::{
    MergeError, MergeSource, Merged, merge, read_sources, refuse_to_overwrite, write_merged,
};
pub use kuberay_conformance_engine::progress::{Progress, Silent};
pub use kuberay_conformance_engine::redact::{MASK, Redacted, Redactor};
pub use kuberay_conformance_engine::reports::{
    ReportError, Reports, read_results, read_results_and_bytes, results_file,
};
pub use kuberay_conformance_scenario::results::*;

#[cfg(test)]
pub(crate) use mutated::try_texts;

pub use check::{
    Look, check_annotations, check_concise, check_flat, check_junit, check_sarif, check_text,
    trap_index, trap_page,
};
pub use compare::{CaseDifference, RunComparison, compare};
pub use contract_page::contract_page;
pub use diff_junit::diff_junit;
pub use diff_markdown::diff_markdown;
pub use diff_text::diff_text;
pub use doctor::{doctor_junit, doctor_text};
pub use durations::{durations, render_durations};
pub use explain::{explain_text, upgrade_text};
pub use files::{AllReports, write_all, write_atomically, write_in_folder, write_page};
pub use final_text::render_text;
pub use json::results_schema;
pub use markdown::render_markdown;
pub(crate) use markdown_text::cell;
pub use pairs::render_pairs;
pub use programme::{
    ConformanceReport, Profile, ProgrammeEntry, ProgrammeError, ProgrammeResult, badge,
    render_programme,
};
pub use rehearsal::rehearsal_text;
pub use rehearsal_markdown::rehearsal_markdown;
pub use rules::{LayerResult, RuleOutcome, RuleResult, rule_results};
pub use terminal::{Live, Plain, StatusLevel, progress, use_colour};

/// The command that repeats a run, quoted again for a shell: results come from others, and their
/// text is not to be pasted as it is. None where it is no `kuberay-conformance run`.
fn command_of(run: &RunResult) -> Option<String> {
    let words = words_of_run(run.command.as_deref()?)?;
    let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    Some(words.join(" "))
}

/// The words of a `kuberay-conformance run`; none of another command.
fn words_of_run(command: &str) -> Option<Vec<String>> {
    let words = shlex::split(command)?;
    let is_run = words.len() >= 2 && words[0] == NAME && words[1] == "run";
    is_run.then_some(words)
}

/// A word of a command line, quoted where a shell would read it as something else.
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
