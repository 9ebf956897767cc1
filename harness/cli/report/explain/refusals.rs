//! Refusals and objects that wait, as text.

use std::collections::BTreeMap;

use semver::Version;

use crate::explain::{Break, ExplainedRefusal, Explanation, MissingPods, Object, Waiting};
use crate::manifest::Location;
use crate::manifest::visible::line;

/// Refusals and waiting objects as text; empty where there are none.
pub(super) fn render(explanation: &Explanation) -> String {
    let mut text = String::new();
    let mut heading = String::new();
    let mut head = |text: &mut String, object: &Object, operator: &Version, what: &str| {
        let now = format!(
            "{} {} ({}:{}) on KubeRay {operator}: {what}\n",
            line(&object.kind),
            line(&object.name),
            line(&object.file),
            object.line
        );
        if now != heading {
            text.push_str(&now);
            heading = now;
        }
    };
    for refusal in &explanation.refusals {
        head(
            &mut text,
            &refusal.object,
            &refusal.operator,
            summary(refusal),
        );
        text.push_str(&entry(refusal));
    }
    for waiting in &explanation.waiting {
        head(
            &mut text,
            &waiting.object,
            &waiting.operator,
            "accepted, no Pods",
        );
        text.push_str(&waits(waiting));
    }
    text.push_str(&breaks_of(explanation));
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Refusals and waiting objects of an upgrade as text: what a release begins to refuse comes first,
/// and each reason stands once, with the releases that it holds for where that is not all of them.
/// Empty where there are none.
pub(super) fn render_upgrade(explanation: &Explanation) -> String {
    let mut text = breaks_of(explanation);
    let mut seen: Vec<((String, String), Vec<&Version>)> = Vec::new();
    let mut positions = BTreeMap::new();
    let mut note = |object: &Object, what: &str, rest: String, operator| {
        let (kind, name) = (line(&object.kind), line(&object.name));
        let reason = (format!("{kind} {name}: {what}"), rest);
        let at = *positions.entry(reason.clone()).or_insert(seen.len());
        match seen.get_mut(at) {
            Some((_, on)) => on.push(operator),
            None => seen.push((reason, vec![operator])),
        }
    };
    for refusal in &explanation.refusals {
        note(
            &refusal.object,
            summary(refusal),
            entry(refusal),
            &refusal.operator,
        );
    }
    for waiting in &explanation.waiting {
        note(
            &waiting.object,
            "accepted, no Pods",
            waits(waiting),
            &waiting.operator,
        );
    }
    for ((title, rest), on) in seen {
        let releases: Vec<String> = on.iter().map(ToString::to_string).collect();
        let releases = if on.len() == explanation.operators.len() {
            String::new()
        } else {
            format!(" (only on {})", releases.join(", "))
        };
        text.push_str(&format!("\n{title}{releases}\n{rest}"));
    }
    text
}

/// What a release refuses that the one before it takes, a line each.
fn breaks_of(explanation: &Explanation) -> String {
    let sentence = |one: &Break| {
        format!(
            "From {} to {}: {} {} is refused by {}: {}\n",
            one.from,
            one.to,
            line(&one.object.kind),
            line(&one.object.name),
            one.stage.refuser(),
            line(&one.message)
        )
    };
    explanation.breaks.iter().map(sentence).collect()
}

fn waits(waiting: &Waiting) -> String {
    format!(
        "  note at {}\n    {}\n    Source: {}\n",
        at(&waiting.object, &waiting.path, waiting.location),
        line(&waiting.message),
        waiting.source
    )
}

fn summary(refusal: &ExplainedRefusal) -> &'static str {
    match (refusal.refused, refusal.missing) {
        (false, _) => "refused for some clients",
        (true, MissingPods::All) => "refused, no Pods",
        (true, MissingPods::Workers) => "workers refused",
        (true, MissingPods::Submitter) => "no submitter",
    }
}

fn entry(refusal: &ExplainedRefusal) -> String {
    let rule = match (&refusal.rule, &refusal.check) {
        (Some(rule), Some(check)) => format!(" ({rule} {check})"),
        _ => String::new(),
    };
    let mut text = format!(
        "  by {}{rule} at {}\n    {}\n",
        refusal.stage.refuser(),
        at(&refusal.object, &refusal.path, refusal.location),
        line(&refusal.message)
    );
    for (title, detail) in [("Clients", &refusal.clients), ("Source", &refusal.source)] {
        if let Some(detail) = detail {
            text.push_str(&format!("    {title}: {}\n", line(detail)));
        }
    }
    text
}

fn at(object: &Object, path: &str, location: Location) -> String {
    format!(
        "{}:{}:{} {}",
        line(&object.file),
        location.line,
        location.column,
        line(path)
    )
}
