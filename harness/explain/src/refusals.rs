//! The reasons why an object, or some of its Pods, does not exist: the part of an explanation that
//! comes before the Pods.

#[cfg(test)]
mod tests;

use kuberay_contract::{self as contract, Forecast, Reach};
use kuberay_manifest::HOLE;
use kuberay_manifest::yaml::Node;
use semver::Version;

use super::document::{Break, ExplainedRefusal, MissingPods, Object, Waiting};

/// Returns the refusals and the reasons to wait of a forecast.
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
            path: refusal.path.clone(),
            location: deepest(document, &refusal.path).place.location,
            message: refusal.message.clone(),
            clients: refusal.clients.explained().map(Into::into),
            rule: entry.map(|_| contract::admission::CheckEntry::RULE.into()),
            check: entry.map(|entry| entry.name.into()),
            source: entry.map(|entry| format!("controllers/ray/{}", entry.source)),
        }
    };
    let waiting = |reason: &contract::WaitReason| Waiting {
        operator: release.clone(),
        object: object.clone(),
        path: reason.path.clone(),
        location: deepest(document, &reason.path).place.location,
        message: reason.message.clone(),
        source: reason.source.into(),
    };
    (
        forecast.refusals.iter().map(refusal).collect(),
        forecast.wait_reason.iter().map(waiting).collect(),
    )
}

/// Returns the objects that a release accepts and the next one refuses.
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

/// Returns whether a refusal is about a text that is filled in later.
pub(super) fn is_about_hole(document: &Node, path: &str) -> bool {
    let holes = [&HOLE.repeat(5), "${", "{{"];
    deepest(document, path)
        .text()
        .is_some_and(|text| holes.iter().any(|hole| text.contains(*hole)))
}

/// The deepest value on a path that the file has.
fn deepest<'a>(document: &'a Node, path: &str) -> &'a Node {
    let mut node = document;
    for part in parts(path) {
        let next = match &part {
            PathSegment::Name(name) => node.get(name),
            PathSegment::Index(index) => node.items().get(*index),
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

enum PathSegment {
    Name(String),
    Index(usize),
}

/// The parts of a path such as `a.b[0]["c/d"]`.
fn parts(path: &str) -> Vec<PathSegment> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('[') {
            let mut texts =
                serde_json::Deserializer::from_str(quoted).into_iter::<serde_json::Value>();
            let value = texts.next().and_then(Result::ok).unwrap_or_default();
            let end = texts.byte_offset();
            parts.push(match value {
                serde_json::Value::String(name) => PathSegment::Name(name),
                value => PathSegment::Index(
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
        parts.push(PathSegment::Name(rest[..end].into()));
        rest = &rest[end..];
    }
    parts
}
