//! What a comparison of two operators found, for the comment of a pull request.

use super::diff_text::{summary, yaml};
use super::markdown_text::cell;
use crate::scenario::diff::{Diff, DiffEntry};
use crate::visible;

/// The longest comment that GitHub takes has 65,536 characters.
const LONGEST: usize = 60_000;

/// Renders the comparison.
pub fn diff_markdown(diff: &Diff) -> String {
    let mut text = String::from("<!-- kuberay-conformance diff -->\n### Command contract: ");
    text.push_str(if diff.equal {
        "no difference\n\n"
    } else {
        "changed\n\n"
    });
    text.push_str(&format!("{}\n", cell(&summary(diff))));
    if !diff.entries.is_empty() {
        text.push_str("\n| rule | what changes | cases |\n|---|---|---|\n");
        for entry in &diff.entries {
            let rule = entry.rule.as_deref().unwrap_or("none");
            let title = cell(&entry.title);
            text.push_str(&format!("| {rule} | {title} | {} |\n", entry.cases));
        }
    }
    for (index, entry) in diff.entries.iter().enumerate() {
        let details = details(entry);
        if text.len() + details.len() > LONGEST {
            let left = diff.entries.len() - index;
            text.push_str(&format!(
                "\nThe details of {left} differences do not fit here.\n"
            ));
            break;
        }
        text.push_str(&details);
    }
    for note in &diff.notes {
        text.push_str(&format!("\n- {}", cell(note)));
    }
    text.push('\n');
    text
}

fn details(entry: &DiffEntry) -> String {
    let mut text = format!(
        "\n<details><summary>{} {}</summary>\n",
        entry.id,
        html(&entry.subject)
    );
    if !entry.features.is_empty() {
        text.push_str(&format!(
            "\nFeatures of the contract: {}\n",
            entry.features.join(", ")
        ));
    }
    if !entry.touches.is_empty() {
        text.push_str(&format!(
            "\nIt may end these features: {}\n",
            entry.touches.join(", ")
        ));
    }
    for edit in &entry.edits {
        let mut block = String::new();
        for (sign, side) in [('-', &edit.before), ('+', &edit.after)] {
            for line in side.iter().flat_map(|side| side.lines()) {
                block.push_str(&format!("{sign}{}\n", visible::lines(line)));
            }
        }
        text.push_str(&fenced("diff", &block));
    }
    text.push_str(&format!("\nShown by {}", cell(&entry.examples.join(", "))));
    let more = entry.cases.saturating_sub(entry.examples.len());
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text.push_str(".\n");
    if let Some(smallest) = &entry.smallest {
        text.push_str("\nThe smallest object that shows it:\n");
        text.push_str(&fenced("yaml", &visible::lines(&yaml(smallest))));
    }
    text.push_str("\n</details>\n");
    text
}

/// A code block whose fence no line of the text can end.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!(
        "\n{fence}{language}\n{}\n{fence}\n",
        text.trim_end_matches('\n')
    )
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
