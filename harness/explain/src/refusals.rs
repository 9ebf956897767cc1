//! Why an object, or some of its Pods, does not exist: the part of an explanation that comes before
//! the Pods.

#[cfg(test)]
mod tests;

use kuberay_contract::{self as contract, Forecast, Reach};
use kuberay_manifest::HOLE;
use kuberay_manifest::visible::line;
use kuberay_manifest::yaml::Node;
use semver::Version;

use super::document::{
    Break, DocumentPlace, ExplainedRefusal, Explanation, MissingPods, Object, Waiting,
};

/// What a forecast says beside its Pods.
pub(super) fn of(
    release: &Version,
    document: &Node,
    object: &Object,
    forecast: &Forecast,
    validation: contract::FieldValidation,
) -> (Vec<ExplainedRefusal>, Vec<Waiting>) {
    let refusal = |refusal: &contract::Refusal| {
        let entry = refusal.check.map(contract::admission::OperatorCheck::entry);
        ExplainedRefusal {
            operator: release.clone(),
            object: object.clone(),
            stage: refusal.stage,
            refused: refusal.clients.refuses(validation),
            missing: match refusal.reach {
                Reach::Object => MissingPods::All,
                Reach::GroupsFrom(_) => MissingPods::Workers,
                Reach::Submitter => MissingPods::Submitter,
            },
            place: place(document, &refusal.path),
            message: refusal.message.clone(),
            clients: refusal.clients.explained().map(Into::into),
            rule: entry.map(|_| contract::admission::CheckEntry::RULE.into()),
            check: entry.map(|entry| entry.name.into()),
            source: entry.map(|entry| format!("controllers/ray/{}", entry.source)),
        }
    };
    let waiting = |held: &contract::Held| Waiting {
        operator: release.clone(),
        object: object.clone(),
        place: place(document, &held.path),
        message: held.message.clone(),
        source: held.source.into(),
    };
    (
        forecast.refusals.iter().map(refusal).collect(),
        forecast.held.iter().map(waiting).collect(),
    )
}

/// What the next release refuses of what the one before it takes.
pub(super) fn breaks(releases: &[Version], refusals: &[ExplainedRefusal]) -> Vec<Break> {
    let whole = |release: &Version| {
        refusals
            .iter()
            .filter(|one| {
                one.operator == *release && one.refused && one.missing == MissingPods::All
            })
            .collect::<Vec<_>>()
    };
    let mut breaks = Vec::new();
    for pair in releases.windows(2) {
        let before = whole(&pair[0]);
        for refusal in whole(&pair[1]) {
            if before.iter().any(|other| other.object == refusal.object) {
                continue;
            }
            breaks.push(Break {
                from: pair[0].clone(),
                to: pair[1].clone(),
                object: refusal.object.clone(),
                stage: refusal.stage,
                message: refusal.message.clone(),
            });
        }
    }
    breaks
}

/// Whether a refusal is about a text that is filled in later.
pub(super) fn is_about_hole(document: &Node, path: &str) -> bool {
    let holes = [&HOLE.repeat(5), "${", "{{"];
    deepest(document, path)
        .text()
        .is_some_and(|text| holes.iter().any(|hole| text.contains(*hole)))
}

/// The deepest value on a path that the file has.
fn place(document: &Node, path: &str) -> DocumentPlace {
    let node = deepest(document, path);
    DocumentPlace {
        path: path.into(),
        line: node.place.location.line,
        column: node.place.location.column,
    }
}

fn deepest<'a>(document: &'a Node, path: &str) -> &'a Node {
    let mut node = document;
    for part in parts(path) {
        let next = match &part {
            Part::Name(name) => node.get(name),
            Part::Index(index) => node.items().get(*index),
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

enum Part {
    Name(String),
    Index(usize),
}

/// The parts of a path such as `a.b[0]["c/d"]`.
fn parts(path: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('[') {
            let mut texts =
                serde_json::Deserializer::from_str(quoted).into_iter::<serde_json::Value>();
            let value = texts.next().and_then(Result::ok).unwrap_or_default();
            let end = texts.byte_offset();
            parts.push(match value {
                serde_json::Value::String(name) => Part::Name(name),
                value => Part::Index(
                    value
                        .as_u64()
                        .and_then(|at| at.try_into().ok())
                        .unwrap_or(usize::MAX),
                ),
            });
            rest = quoted
                .get(end..)
                .unwrap_or_default()
                .trim_start_matches(']');
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        parts.push(Part::Name(rest[..end].into()));
        rest = &rest[end..];
    }
    parts
}

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
    text.push_str(beyond(explanation));
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
    let mut note = |object: &Object, what: &str, rest: String, operator| {
        let (kind, name) = (line(&object.kind), line(&object.name));
        let reason = (format!("{kind} {name}: {what}"), rest);
        match seen.iter_mut().find(|(known, _)| *known == reason) {
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
    text.push_str(beyond(explanation));
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

/// What a manifest alone can't tell.
fn beyond(explanation: &Explanation) -> &'static str {
    if explanation.refusals.is_empty() {
        ""
    } else {
        "Admission policies, mutating webhooks and quotas of a cluster may refuse or change more.\n"
    }
}

fn waits(waiting: &Waiting) -> String {
    format!(
        "  note at {}\n    {}\n    Source: {}\n",
        at(&waiting.object, &waiting.place),
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
        at(&refusal.object, &refusal.place),
        line(&refusal.message)
    );
    for (title, detail) in [("Clients", &refusal.clients), ("Source", &refusal.source)] {
        if let Some(detail) = detail {
            text.push_str(&format!("    {title}: {}\n", line(detail)));
        }
    }
    text
}

fn at(object: &Object, place: &DocumentPlace) -> String {
    format!(
        "{}:{}:{} {}",
        line(&object.file),
        place.line,
        place.column,
        line(&place.path)
    )
}
