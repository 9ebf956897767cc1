//! What an upgrade does to Ray objects, for a ticket.

use super::markdown_text::{cell, code};
use super::rehearsal::{at_once, class, edit, groups, headline, named, says, totals};
use crate::explain::check::Impact;
use crate::rehearse::document::{RehearsalReport, RehearsedObject, StepReport};

/// The longest comment that GitHub takes has 65,536 characters.
const LONGEST: usize = 60_000;

/// Returns the report as Markdown.
pub fn rehearsal_markdown(report: &RehearsalReport) -> String {
    let mut text = String::from("<!-- kuberay-conformance rehearse -->\n");
    for step in &report.steps {
        text.push_str(&of_step(report, step, LONGEST.saturating_sub(text.len())));
    }
    let mut notes: Vec<String> = report.notes.clone();
    notes.extend(
        report
            .left_out
            .iter()
            .map(|one| format!("left out: {}: {}", one.object, one.why)),
    );
    notes.extend(
        report
            .unread
            .iter()
            .map(|one| format!("not read: {}: {}", one.what, one.why)),
    );
    if !notes.is_empty() {
        text.push_str("\nAbout the rehearsal:\n\n");
    }
    for note in notes.iter().take(50) {
        text.push_str(&format!("- {}\n", cell(note)));
    }
    text
}

fn of_step(report: &RehearsalReport, step: &StepReport, room: usize) -> String {
    let mut text = format!("### {}\n\n", cell(&headline(report, step)));
    text.push_str("| objects | what happens |\n|---:|---|\n");
    for line in totals(step) {
        let line = line.trim();
        let (count, what) = line.split_once(' ').unwrap_or((line, ""));
        text.push_str(&format!("| {count} | {} |\n", cell(what)));
    }
    text.push('\n');
    for line in &step.operator {
        text.push_str(&format!("- **operator**: {}\n", cell(line)));
    }
    for name in &step.new_crds {
        text.push_str(&format!("- the CRD {} is new: create it\n", code(name)));
    }
    let groups = groups(step);
    let told = groups.iter().filter(|group| group.object.needs_review());
    for (index, group) in told.enumerate() {
        let object = group.object;
        let mut part = format!(
            "\n#### {}: {} {}\n\n",
            class(object.verdict),
            cell(&object.kind),
            cell(&named(group, false))
        );
        for line in lines(object) {
            part.push_str(&format!("- {line}\n"));
        }
        if text.len() + part.len() > room {
            text.push_str(&format!(
                "\n{} more do not fit here.\n",
                groups.len() - index
            ));
            break;
        }
        text.push_str(&part);
    }
    for finding in &step.model {
        text.push_str(&format!(
            "\n- **finding about the model**: {} {} on KubeRay {}: {}\n",
            cell(&finding.object),
            cell(&finding.pod),
            finding.release,
            cell(&finding.difference)
        ));
    }
    text
}

fn lines(object: &RehearsedObject) -> Vec<String> {
    let mut lines = Vec::new();
    for refusal in &object.refusals {
        lines.push(format!(
            "{} refuses it: {}",
            refusal.by,
            cell(&refusal.message)
        ));
    }
    for field in &object.dropped {
        lines.push(format!("loses {}", code(field)));
    }
    lines.extend(
        object
            .at_once
            .iter()
            .map(|one| format!("at once: {}", cell(&at_once(one)))),
    );
    for change in object
        .changes
        .iter()
        .filter(|one| one.impact >= Impact::Review)
    {
        lines.push(format!(
            "**{}**: {}",
            change.impact.word(),
            cell(&edit(change))
        ));
        lines.extend(
            change
                .features
                .iter()
                .map(|one| format!("  {}", cell(&says(one)))),
        );
    }
    let traps = object.traps.iter();
    lines.extend(traps.map(|trap| format!("trap `{}`: {}", trap.id, cell(&trap.message))));
    lines.extend(object.notes.iter().map(|note| cell(note)));
    lines
}
