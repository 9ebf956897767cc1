//! What a comparison of two operators found, for a terminal.

use anstream::adapter::strip_str;

use crate::scenario::diff::{Diff, DiffEntry};
use crate::visible;

/// Renders the comparison; with colour where a terminal takes it.
pub fn diff_text(diff: &Diff, colour: bool) -> String {
    let mut text: String = diff.entries.iter().map(entry_text).collect();
    for note in &diff.notes {
        text.push_str(&format!("note: {}\n", shown(note)));
    }
    text.push_str(&format!("{}\n", summary(diff)));
    if colour {
        text
    } else {
        strip_str(&text).to_string()
    }
}

/// One difference, with colour.
pub(super) fn entry_text(entry: &DiffEntry) -> String {
    let rule = entry.rule.as_deref().unwrap_or("-");
    let mut text = format!("\x1b[1m{rule:4}\x1b[0m{}\n", shown(&entry.title));
    for (title, features) in [("features", &entry.features), ("touches", &entry.touches)] {
        if !features.is_empty() {
            text.push_str(&format!("      {title}: {}\n", features.join(", ")));
        }
    }
    if entry.edits.len() > 1 {
        for edit in &entry.edits {
            let sentence = shown(&edit.sentence());
            text.push_str(&format!("      {}×  {sentence}\n", edit.count));
        }
    }
    if entry.more_edits > 0 {
        text.push_str(&format!("      and {} more\n", entry.more_edits));
    }
    let cases = if entry.cases == 1 { "case" } else { "cases" };
    let examples = shown(&entry.examples.join(", "));
    text.push_str(&format!(
        "      {} {cases}, such as {examples}\n",
        entry.cases
    ));
    if let Some(smallest) = &entry.smallest {
        text.push_str("      the smallest object that shows it:\n");
        for line in yaml(smallest).lines() {
            text.push_str(&format!("        {}\n", shown(line)));
        }
    }
    text
}

/// One line: what was compared, and how much differs.
pub(super) fn summary(diff: &Diff) -> String {
    let found = match diff.entries.len() {
        0 => "no difference".to_owned(),
        1 => "1 difference".to_owned(),
        many => format!("{many} differences"),
    };
    format!(
        "{} → {}: {found} in {} containers of {} scenarios and {} generated objects (seed {}) in {:.0} s",
        shown(&diff.base.name),
        shown(&diff.head.name),
        diff.containers,
        diff.scenarios,
        diff.objects,
        diff.seed,
        diff.seconds
    )
}

/// An object as YAML.
pub(super) fn yaml(object: &serde_json::Value) -> String {
    serde_saphyr::to_string(object).unwrap_or_else(|_| format!("{object:#}\n"))
}

fn shown(text: &str) -> String {
    visible::line(text)
}
