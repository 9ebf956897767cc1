//! The pages of the reference about the command line and the schemas.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _, ValueEnum as _};
use serde_json::Value;

use super::{schema_of, word};
use crate::args::{Arguments, Document};
use crate::exit::CliError;

/// Columns of a help text.
const WIDTH: usize = 125;

/// docs/reference/cli.md: what `--help` prints for each command.
pub(super) fn commands() -> String {
    let mut root = Arguments::command()
        .term_width(WIDTH)
        .color(clap::ColorChoice::Never);
    root.build();
    let mut page = String::from(
        "# Command line\n\n<!-- Written by `kuberay-conformance docs cli`. -->\n\n\
         Every command with all of its options, as `--help` prints them. `-h` prints the common ones.\n",
    );
    add(&mut page, &mut root, "kuberay-conformance");
    page
}

fn add(page: &mut String, command: &mut Command, path: &str) {
    // A group such as `cluster` only lists the commands that follow.
    let is_group = command.has_subcommands() && path.contains(' ');
    if !is_group {
        let help = command.render_long_help().to_string();
        _ = write!(page, "\n## `{path}`\n\n```text\n{}\n```\n", lines(&help));
    }
    for below in command.get_subcommands_mut() {
        if below.is_hide_set() || below.get_name() == "help" {
            continue;
        }
        let path = format!("{path} {}", below.get_name());
        add(page, below, &path);
    }
}

/// A help text without blanks at the ends of lines.
fn lines(help: &str) -> String {
    let lines: Vec<&str> = help.trim().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// docs/reference/schemas.md: the documents that have a schema.
pub(super) fn schemas() -> Result<String, CliError> {
    let mut page = String::from(
        "# Schemas\n\n<!-- Written by `kuberay-conformance docs schemas`. -->\n\n\
         JSON schemas of the files that the harness reads and writes. The `$id` of a schema ends in its\n\
         version. [Support and stability](support.md) says when it changes.\n\
         `kuberay-conformance schema DOCUMENT` prints a schema.\n\n\
         | document | `DOCUMENT` | `$id` |\n|---|---|---|\n",
    );
    for document in Document::value_variants() {
        let schema: Value = serde_json::from_str(&schema_of(*document)?).unwrap_or_default();
        let word = word(*document);
        let value = document.to_possible_value();
        let help = value.as_ref().and_then(|value| value.get_help());
        _ = writeln!(
            page,
            "| {} | [`{word}`](../schema/{word}.schema.json) | `{}` |",
            help.map(ToString::to_string).unwrap_or_default(),
            schema["$id"].as_str().unwrap_or_default()
        );
    }
    Ok(page)
}
