//! `docs` and `schema`: pages of the documentation, and schemas of documents, made of the code.

mod checks;
mod reference;

use clap::ValueEnum as _;

use super::files::{load, results};
use super::programme;
use crate::args::{Docs, DocsPage, Document};
use crate::artifact::Pins;
use crate::console;
use crate::exit::{CliError, PASSED};
use crate::{report, scenario};

/// Prints a page.
pub(super) fn run(docs: &Docs) -> Result<u8, CliError> {
    let page = match docs.page {
        DocsPage::Contract => report::contract_page(&load(&docs.folder.root()?)?),
        DocsPage::Pairs => {
            let scenarios = load(&docs.folder.root()?)?;
            report::render_pairs(
                &scenarios,
                &Pins::embedded().pairs,
                &results(&docs.results)?,
            )
        }
        DocsPage::Programme => report::render_programme(&programme::entries(&docs.reports)?),
        DocsPage::Durations => report::render_durations(&results(&docs.results)?),
        DocsPage::Checks => checks::page(&scenario::json_schema()),
        DocsPage::Cli => reference::commands(),
        DocsPage::Schemas => reference::schemas()?,
    };
    console::text(&page);
    Ok(PASSED)
}

/// Prints the JSON schema of a document.
pub(super) fn schema(document: Document) -> Result<u8, CliError> {
    console::text(&schema_of(document)?);
    Ok(PASSED)
}

fn schema_of(document: Document) -> Result<String, CliError> {
    Ok(match document {
        Document::Scenario => format!("{:#}\n", scenario::json_schema()),
        Document::Results => report::results_schema()?,
        Document::Explain => format!("{:#}\n", crate::explain::explain_schema()),
        Document::Check => format!("{:#}\n", crate::explain::check::schema()),
        Document::Diff => format!("{:#}\n", scenario::diff::diff_schema()),
        Document::Doctor => format!("{:#}\n", crate::live::doctor::schema()),
        Document::ConformanceReport => {
            let schema = crate::manifest::schema_of::<report::ConformanceReport>();
            format!("{:#}\n", serde_json::json!(schema))
        }
        Document::Rehearsal => format!("{:#}\n", crate::rehearse::schema()),
    })
}

/// The word of the command line for a document.
fn word(document: Document) -> String {
    let value = document.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests;
