//! Reports: results become text for a terminal, `JUnit`, JSON, Markdown, HTML and GitHub annotations.

mod check;
mod contract_page;
mod doctor;
mod durations;
mod files;
mod final_text;
pub mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod pace;
mod pairs;
mod rules;
mod terminal;
mod text;
mod view;

#[cfg(test)]
mod tests;

/// The name of the program in reports.
const NAME: &str = "kuberay-conformance";

pub use kuberay_conformance_engine::merge::{
    MergeError, Merged, Source, merge, read_sources, refuse_to_overwrite, write_merged,
};
pub use kuberay_conformance_engine::progress::{Progress, Silent};
pub use kuberay_conformance_engine::redact::{MASK, Redacted, Redactor};
pub use kuberay_conformance_engine::reports::{ReportError, Reports, read_results};
pub use kuberay_conformance_scenario::results::*;

pub use check::{check_annotations, check_junit};
pub use contract_page::contract_page;
pub use doctor::{doctor_junit, doctor_text};
pub use durations::{durations, render_durations};
pub use files::{AllReports, write_all};
pub use final_text::render_text;
pub use json::results_schema;
pub use markdown::render_markdown;
pub use pairs::render_pairs;
pub use rules::{LayerResult, RuleOutcome, RuleResult, rule_results};
pub use terminal::{Live, Plain, progress, use_colour};
