//! Reports: results become text for a terminal, `JUnit`, JSON, Markdown, HTML and GitHub annotations.

mod contract_page;
mod durations;
mod files;
mod final_text;
pub mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod merge;
mod merge_files;
mod pace;
mod pairs;
mod progress;
mod redact;
mod rules;
mod terminal;
mod text;
mod totals;
mod view;

#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
mod tests;

pub use kuberay_conformance_scenario::results::*;

pub use contract_page::contract_page;
pub use durations::{durations, render_durations};
pub(crate) use files::FILES;
pub use files::{ReportError, write_all};
pub use final_text::render_text;
pub use json::results_schema;
pub use markdown::render_markdown;
pub use merge::{MergeError, Merged, Source, merge};
pub use merge_files::{read_sources, refuse_to_overwrite, write_merged};
pub use pairs::{read_results, render_pairs};
pub use progress::*;
pub use redact::{MASK, Redacted, Redactor};
pub use rules::{HalfResult, RuleOutcome, RuleResult, rule_results};
pub use terminal::{Live, Plain, progress, use_colour};
pub use totals::{Strictness, Totals, exit_code};
