//! What an upgrade does to Ray objects, for people: the total first, then what needs review.

use std::collections::BTreeMap;

use super::text::{Paint, one_line, screen};
use crate::explain::check::Impact;
use crate::rehearse::document::{
    AtOnce, ObjectVerdict, PodChange, RehearsalReport, RehearsedObject, StepReport,
};

/// Groups of objects that are shown without `--verbose`.
const GROUPS: usize = 20;
/// Names of a group that are shown.
const NAMES: usize = 6;
/// Changes of an object that are shown without `--verbose`.
const CHANGES: usize = 5;

/// Objects for which the same is to be said, with their names.
pub(super) struct Group<'a> {
    pub object: &'a RehearsedObject,
    pub names: Vec<String>,
}

/// Returns the report for people.
pub fn rehearsal_text(report: &RehearsalReport, verbose: bool, colour: bool) -> String {
    let paint = Paint::new(colour);
    let mut text = String::new();
    for step in &report.steps {
        text.push_str(&of_step(report, step, verbose, paint));
    }
    for left in &report.left_out {
        let (object, why) = (one_line(&left.object), one_line(&left.why));
        text.push_str(&format!("{}: {object}: {why}\n", paint.yellow("left out")));
    }
    for unread in &report.unread {
        let why = one_line(&unread.why);
        text.push_str(&format!(
            "{}: no {}: {why}\n",
            paint.yellow("not read"),
            unread.what
        ));
    }
    for note in &report.notes {
        text.push_str(&format!("{}: {}\n", paint.dim("rehearsal"), one_line(note)));
    }
    text
}

fn of_step(report: &RehearsalReport, step: &StepReport, verbose: bool, paint: Paint) -> String {
    let mut text = paint.bold(&headline(report, step)) + "\n";
    for line in totals(step) {
        text.push_str(&format!("  {line}\n"));
    }
    for line in &step.operator {
        text.push_str(&format!(
            "  {}: {}\n",
            paint.yellow("operator"),
            one_line(line)
        ));
    }
    for name in &step.new_crds {
        text.push_str(&format!(
            "  the CRD {name} is new: use `kubectl create`, because `kubectl replace` can't create it\n"
        ));
    }
    text.push('\n');
    let groups = groups(step);
    let told: Vec<&Group> = groups
        .iter()
        .filter(|group| verbose || !is_quiet(group.object))
        .collect();
    let shown = if verbose { told.len() } else { GROUPS };
    for group in told.iter().take(shown) {
        let lines = screen(of_group(group, verbose, paint), verbose);
        text.push_str(&lines.join("\n"));
        text.push_str("\n\n");
    }
    if told.len() > shown {
        text.push_str(&format!("{} more with --verbose\n\n", told.len() - shown));
    }
    for finding in &step.model {
        let pod = if finding.pod.is_empty() {
            String::new()
        } else {
            format!(", {}", finding.pod)
        };
        text.push_str(&format!(
            "{}: {}{} on KubeRay {}: {}\n",
            paint.yellow("the model is wrong"),
            one_line(&finding.object),
            one_line(&pod),
            finding.release,
            one_line(&finding.difference)
        ));
    }
    if !step.model.is_empty() {
        text.push_str(
            "  The report shows what the operators do, not what the model predicts. Please report this \
             as an issue.\n\n",
        );
    }
    text
}

/// The upgrade in a line.
pub(super) fn headline(report: &RehearsalReport, step: &StepReport) -> String {
    let review = step.objects.iter().filter(|one| one.needs_review()).count();
    let kept = if report.kept_crds { ", CRDs kept" } else { "" };
    let what = match review {
        0 if step.operator.is_empty() => "nothing to do".to_owned(),
        0 => "the operator's settings need review".to_owned(),
        count => format!("{count} of {} objects need review", step.totals.objects),
    };
    format!("KubeRay {} → {}{kept}: {what}", step.from, step.to)
}

/// The total.
pub(super) fn totals(step: &StepReport) -> Vec<String> {
    let totals = &step.totals;
    let pods = format!(
        "{} of {} Pods deleted at once",
        totals.pods_deleted, totals.pods
    );
    [
        (
            totals.refused,
            "refused by the new CRDs or the new operator".to_owned(),
        ),
        (totals.dropped, "lose fields".into()),
        (
            totals.at_once,
            format!("have Pods deleted or created at once ({pods})"),
        ),
        (
            totals.changed,
            "behave differently when their Pods are recreated".into(),
        ),
        (
            totals.cosmetic,
            "change in text only when their Pods are recreated".into(),
        ),
        (totals.unchanged, "unchanged".into()),
    ]
    .into_iter()
    .map(|(count, what)| format!("{count:>5} {what}"))
    .collect()
}

/// Objects for which the same is to be said become one group, in the order of the report.
pub(super) fn groups(step: &StepReport) -> Vec<Group<'_>> {
    let mut at: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for object in &step.objects {
        let name = format!("{}/{}", one_line(&object.namespace), one_line(&object.name));
        let bare = RehearsedObject {
            namespace: String::new(),
            name: String::new(),
            ..object.clone()
        };
        // What operators say names the object with its namespace.
        let said = serde_json::to_string(&bare).unwrap_or_default();
        let said = said.replace(&format!("/{}", object.name), "/…");
        let index = *at.entry(said).or_insert(groups.len());
        if index == groups.len() {
            groups.push(Group {
                object,
                names: Vec::new(),
            });
        }
        groups[index].names.push(name);
    }
    groups
}

/// Whether nothing is to be said about an object.
fn is_quiet(object: &RehearsedObject) -> bool {
    !object.needs_review()
}

/// The class of an object in a few words.
pub(super) fn class(verdict: ObjectVerdict) -> &'static str {
    match verdict {
        ObjectVerdict::Refused => "refused",
        ObjectVerdict::Dropped => "loses fields",
        ObjectVerdict::AtOnce => "Pods deleted or created at once",
        ObjectVerdict::Changed => "changes when Pods are recreated",
        ObjectVerdict::Cosmetic => "changes in text only",
        ObjectVerdict::Unchanged => "unchanged",
    }
}

/// The names of a group.
pub(super) fn named(group: &Group, all: bool) -> String {
    let shown = if all { group.names.len() } else { NAMES };
    let mut names = group
        .names
        .iter()
        .take(shown)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if group.names.len() > shown {
        names.push_str(&format!(" and {} more", group.names.len() - shown));
    }
    names
}

fn of_group(group: &Group, verbose: bool, paint: Paint) -> Vec<String> {
    let object = group.object;
    let class = class(object.verdict);
    let class = match object.verdict {
        ObjectVerdict::Refused | ObjectVerdict::Dropped => paint.red(class),
        ObjectVerdict::AtOnce | ObjectVerdict::Changed => paint.yellow(class),
        ObjectVerdict::Cosmetic | ObjectVerdict::Unchanged => paint.green(class),
    };
    let title = format!("{} {}", object.kind, named(group, verbose));
    let mut lines = vec![format!("{}: {class}", paint.bold(&title))];
    for refusal in &object.refusals {
        lines.push(format!(
            "  {} refuses it: {}",
            refusal.by,
            cut(&refusal.message, verbose)
        ));
    }
    if !object.refusals.is_empty() {
        lines.push("  do: change the object before the upgrade".into());
    }
    if !object.dropped.is_empty() {
        lines.push(format!(
            "  dropped: {}",
            cut(&object.dropped.join(", "), verbose)
        ));
        lines.push("  do: remove the fields, or find their replacements".into());
    }
    for one in &object.at_once {
        lines.push(format!("  at once: {}", at_once(one)));
    }
    let changes = object
        .changes
        .iter()
        .filter(|one| verbose || one.impact >= Impact::Review);
    let changes: Vec<&PodChange> = changes.collect();
    let shown = if verbose { changes.len() } else { CHANGES };
    for change in changes.iter().take(shown) {
        lines.push(format!("  {}: {}", change.impact.word(), edit(change)));
        for feature in &change.features {
            lines.push(format!("    {}", says(feature)));
            if verbose {
                lines.push(format!("    source: {}", feature.source));
            }
        }
        if change.features.is_empty() && change.impact >= Impact::Review {
            lines.push("    the contract does not date this change".into());
        }
    }
    if changes.len() > shown {
        lines.push(format!(
            "  … {} more changes with --verbose",
            changes.len() - shown
        ));
    }
    for trap in &object.traps {
        lines.push(format!(
            "  trap {}: {}",
            trap.id,
            cut(&trap.message, verbose)
        ));
        if let Some(help) = &trap.help {
            lines.push(format!("    do: {}", cut(help, verbose)));
        }
    }
    for note in &object.notes {
        lines.push(format!("  note: {}", cut(note, verbose)));
    }
    lines
}

/// What a feature does, and since when.
pub(super) fn says(feature: &crate::rehearse::document::DatedFeature) -> String {
    let how = if feature.comes { "since" } else { "until" };
    format!(
        "{} ({how} {}): {}",
        feature.name,
        feature.at,
        one_line(&feature.says)
    )
}

/// What happened at once.
pub(super) fn at_once(one: &AtOnce) -> String {
    let how = if one.deleted { "deleted" } else { "created" };
    // "Pod of the worker group cpu" has its number at the first word.
    let what = one_line(&one.what);
    let what = match what.split_once(' ') {
        Some((kind, rest)) if one.count != 1 => format!("{kind}s {rest}"),
        None if one.count != 1 => format!("{what}s"),
        _ => what,
    };
    let why = one
        .why
        .as_ref()
        .map(|why| format!(" ({})", cut(why, false)));
    format!("{how} {} {what}{}", one.count, why.unwrap_or_default())
}

/// A change in a line.
pub(super) fn edit(change: &PodChange) -> String {
    let text = |text: &String| cut(text, false);
    let how = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("`{}` → `{}`", text(before), text(after)),
        (Some(before), None) => format!("`{}` removed", text(before)),
        (None, Some(after)) => format!("`{}` added", text(after)),
        (None, None) => String::new(),
    };
    format!("{}: {how}", one_line(&change.subject))
}

/// A text on one line; the beginning of a long one.
fn cut(text: &str, whole: bool) -> String {
    const LONGEST: usize = 200;
    let text = one_line(text);
    if whole || text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests;
