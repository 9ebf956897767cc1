//! What an upgrade changes, short enough for a chat message: a summary, the traps once each, and
//! the differences.

use std::collections::{BTreeMap, BTreeSet};

use super::super::text::plural;
use super::refusals;
use crate::explain::{
    Container, ContainerChange, ContainerRole, Explanation, MissingPods, Warning,
};
use crate::manifest::Location;
use crate::manifest::visible::line;

/// Columns of a line of a difference that are shown.
const WIDTH: usize = 110;

/// Columns that are shown before the first character that differs.
const BEFORE: usize = 40;

/// Returns an explanation of two or more releases as a short text: what changes where, each trap
/// once, and the differences in the order of the file. [`explain_text`](super::explain_text) has
/// every container on every release.
pub fn upgrade_text(explanation: &Explanation) -> String {
    let releases: Vec<String> = explanation
        .operators
        .iter()
        .map(|operator| operator.release.to_string())
        .collect();
    let without_pods = explanation
        .refusals
        .iter()
        .map(|one| &one.object)
        .chain(explanation.waiting.iter().map(|one| &one.object));
    let objects: BTreeSet<_> = explanation
        .containers
        .iter()
        .map(|one| &one.object)
        .chain(without_pods)
        .collect();
    let changed: BTreeSet<_> = explanation
        .changes
        .iter()
        .map(|change| &change.object)
        .chain(explanation.breaks.iter().map(|one| &one.object))
        .collect();
    let mut text = format!(
        "KubeRay {}: {} of {} affected\n",
        releases.join(" → "),
        changed.len(),
        plural(objects.len(), "object")
    );
    for operator in &explanation.operators {
        if let Some(reason) = &operator.unverified {
            text.push_str(&format!("warning: {}\n", line(reason)));
        }
    }
    // The worst first: what a release refuses has no Pods that could change.
    text.push_str(&refusals::render_upgrade(explanation));
    text.push_str(&traps(explanation));
    text.push_str(&differences(explanation));
    for note in &explanation.notes {
        text.push_str(&format!("note: {}\n", line(note)));
    }
    text
}

/// Each trap once, with the releases that it holds for where that is not all of them.
fn traps(explanation: &Explanation) -> String {
    let mut on: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for container in &explanation.containers {
        for warning in &container.warnings {
            let releases = on.entry(identity(container, warning)).or_default();
            releases.insert(&container.operator);
        }
    }
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    for container in &explanation.containers {
        for warning in &container.warnings {
            let identity = identity(container, warning);
            if !seen.insert((identity, &warning.message)) {
                continue;
            }
            let releases: Vec<String> = on[&identity].iter().map(ToString::to_string).collect();
            let releases = if releases.len() == explanation.operators.len() {
                String::new()
            } else {
                format!(" (only on {})", releases.join(", "))
            };
            let severity = warning.severity.word();
            text.push_str(&format!(
                "\n{severity} {} {}:{}{releases}: {}\n  Instead: {}\n",
                warning.id,
                line(&container.object.file),
                warning.location.line,
                line(&warning.message),
                line(&warning.help)
            ));
        }
    }
    text
}

/// What makes a warning the same on several releases.
fn identity<'a>(
    container: &'a Container,
    warning: &'a Warning,
) -> (&'a str, &'a str, &'a str, Location) {
    (
        &container.object.file,
        &warning.id,
        &warning.path,
        warning.location,
    )
}

/// The differences in the order of the file; containers that change alike share one.
fn differences(explanation: &Explanation) -> String {
    let mut positions = BTreeMap::new();
    for (at, one) in explanation.containers.iter().enumerate() {
        let key = (&one.object, one.role, &one.group, &one.container);
        positions.entry(key).or_insert(at);
    }
    let position = |change: &ContainerChange| {
        let key = (
            &change.object,
            change.role,
            &change.group,
            &change.container,
        );
        let steps = explanation
            .operators
            .iter()
            .position(|one| one.release == change.to);
        let file = explanation
            .files
            .iter()
            .position(|file| *file == change.object.file);
        (
            steps,
            file,
            change.object.line,
            positions.get(&key).copied(),
        )
    };
    let refusals = explanation.refusals.iter();
    let without_pods: BTreeSet<_> = refusals
        .filter(|refusal| refusal.refused && refusal.missing == MissingPods::All)
        .map(|refusal| (&refusal.object, &refusal.operator))
        .collect();
    let is_refused = |change: &&ContainerChange| {
        [&change.from, &change.to]
            .into_iter()
            .any(|release| without_pods.contains(&(&change.object, release)))
    };
    let mut changes: Vec<&ContainerChange> = explanation
        .changes
        .iter()
        .filter(|change| !is_refused(change))
        .collect();
    changes.sort_by_cached_key(|change| position(change));
    let mut text = String::new();
    let mut heading = String::new();
    let mut at = 0;
    while let Some(first) = changes.get(at) {
        let alike = changes[at..].iter().take_while(|other| {
            (&other.object, &other.from, &other.diff) == (&first.object, &first.from, &first.diff)
        });
        let alike: Vec<String> = alike.map(|change| name(change)).collect();
        let object = &first.object;
        let now = format!(
            "\n{} {} ({}:{}), {} → {}\n",
            line(&object.kind),
            line(&object.name),
            line(&object.file),
            object.line,
            first.from,
            first.to
        );
        if now != heading {
            text.push_str(&now);
            heading = now;
        }
        text.push_str(&format!("  {}\n", alike.join(", ")));
        text.push_str(&shortened(&first.diff));
        at += alike.len();
    }
    text
}

fn name(change: &ContainerChange) -> String {
    match change.role {
        ContainerRole::Head => "head".into(),
        ContainerRole::Worker => format!("worker {}", line(&change.group)),
        ContainerRole::Autoscaler => "autoscaler".into(),
        ContainerRole::Init => format!(
            "init {} of {}",
            line(&change.container),
            line(&change.group)
        ),
        ContainerRole::Submitter => "submitter".into(),
    }
}

/// The lines that go and come; of a long one the part around the first character that differs.
fn shortened(diff: &str) -> String {
    let changed: Vec<&str> = diff
        .lines()
        .filter(|part| part.starts_with(['-', '+']) && part.len() > 1)
        .collect();
    let mut text = String::new();
    for (index, part) in changed.iter().enumerate() {
        let other = if part.starts_with('-') {
            changed.get(index + 1).filter(|next| next.starts_with('+'))
        } else {
            index
                .checked_sub(1)
                .and_then(|before| changed.get(before))
                .filter(|one| one.starts_with('-'))
        };
        let same = other.map_or(0, |other| {
            part.chars()
                .skip(1)
                .zip(other.chars().skip(1))
                .take_while(|(a, b)| a == b)
                .count()
        });
        text.push_str(&format!("    {}\n", window(part, same)));
    }
    text
}

fn window(part: &str, same: usize) -> String {
    let length = part.chars().count();
    if length <= WIDTH {
        return line(part);
    }
    let sign: String = part.chars().take(1).collect();
    let start = if same + 1 > BEFORE && same + 1 < length {
        same + 1 - BEFORE
    } else {
        1
    };
    let shown: String = part.chars().skip(start).take(WIDTH).collect();
    let (before, after) = (
        if start > 1 { "…" } else { "" },
        if start + WIDTH < length { "…" } else { "" },
    );
    format!("{sign}{before}{}{after}", line(&shown))
}
