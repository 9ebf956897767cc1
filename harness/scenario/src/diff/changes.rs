//! Finds the single differences between what two operators made.

use std::collections::BTreeSet;

use kuberay_contract::Stage;

use super::model::{Change, ChangeSubject};
use super::observed::{Observed, PodId, Refused};
use super::pods::pod_changes;

/// The differences of one case. `annotated` says whether its objects carry the overwrite
/// annotation.
pub fn changes(base: &Observed, head: &Observed, annotated: bool) -> Vec<Change> {
    let mut found = refusal_changes(base, head);
    let refused = !base.refusals.is_empty() || !head.refusals.is_empty();
    let ids: BTreeSet<&PodId> = base.pods.keys().chain(head.pods.keys()).collect();
    for id in ids {
        match (base.pods.get(id), head.pods.get(id)) {
            (Some(before), Some(after)) => {
                found.extend(pod_changes(id, before, after, annotated));
            }
            // A refusal says why it is not there.
            _ if refused => {}
            (before, after) => {
                let name = |there: bool| there.then(|| format!("a Pod of {}", named(id)));
                found.push(Change {
                    subject: ChangeSubject::Pod(id.role.clone()),
                    container: None,
                    before: name(before.is_some()),
                    after: name(after.is_some()),
                });
            }
        }
    }
    found
}

fn named(id: &PodId) -> &str {
    if id.group.is_empty() {
        &id.role
    } else {
        &id.group
    }
}

fn refusal_changes(base: &Observed, head: &Observed) -> Vec<Change> {
    let keys = |one: &Refused| -> Vec<(Stage, String)> {
        let reasons = reasons(&one.message).into_iter();
        reasons.map(|reason| (one.stage, reason)).collect()
    };
    let all = |side: &Observed| side.refusals.iter().flat_map(keys).collect::<BTreeSet<_>>();
    let (before, after) = (all(base), all(head));
    let told = |side: &BTreeSet<(Stage, String)>, key: &(Stage, String)| {
        let text = || format!("{} refuses: {}", key.0.refuser(), key.1);
        side.contains(key).then(text)
    };
    let change = |key: &(Stage, String)| Change {
        subject: ChangeSubject::Refusal(key.0, key.1.clone()),
        container: None,
        before: told(&before, key),
        after: told(&after, key),
    };
    let only = |side: &BTreeSet<(Stage, String)>, other: &BTreeSet<(Stage, String)>| {
        side.difference(other).cloned().collect::<Vec<_>>()
    };
    let (gone, new) = (only(&before, &after), only(&after, &before));
    // The head comes to another check of what the base refused first.
    if let ([gone], [new]) = (gone.as_slice(), new.as_slice()) {
        return vec![Change {
            after: told(&after, new),
            ..change(gone)
        }];
    }
    gone.iter().chain(&new).map(change).collect()
}

/// The reasons of a message. Each field that the API server does not know is one of its own.
fn reasons(message: &str) -> Vec<String> {
    const UNKNOWN: &str = "unknown field \"";
    let fields = message.split(UNKNOWN).skip(1);
    let fields = fields.filter_map(|rest| rest.split('"').next());
    let fields: BTreeSet<String> = fields
        .map(|path| {
            let plain = path.chars().filter(|c| !c.is_ascii_digit());
            format!("unknown field {}", plain.collect::<String>())
        })
        .collect();
    if fields.is_empty() {
        return vec![reason(message)];
    }
    fields.into_iter().collect()
}

/// The operator checks a RayCluster alike wherever it stands: `The RayJob spec is invalid n/x: The
/// RayCluster spec is invalid: why` has the same reason as the last sentence alone.
fn without_kind(message: &str) -> &str {
    let mut rest = message;
    while let Some(start) = rest.find("The Ray")
        && let Some(invalid) = rest[start..].find(" is invalid").map(|at| start + at)
        && let Some(end) = rest[invalid..].find(": ").map(|at| invalid + at)
    {
        rest = &rest[end + 2..];
    }
    rest
}

/// A reason without what belongs to one object: its kind, names, numbers and quoted values.
fn reason(message: &str) -> String {
    let message = without_kind(message);
    let mut text = String::new();
    let mut quote = None;
    for c in message.chars() {
        match quote {
            Some(end) if c == end => {
                quote = None;
                text.push('…');
            }
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None => text.push(c),
        }
    }
    let word = |word: &str| -> String {
        let own = word.contains(|c: char| c.is_ascii_digit()) || word.contains('/');
        if own { "…".into() } else { word.into() }
    };
    text.split_whitespace()
        .map(word)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "RayCluster demo: Invalid: spec.a \"x\" is 3",
        "RayCluster demo: Invalid: spec.a … is …"
    )]
    #[case(
        "The RayCluster spec is invalid n/c: replicas of <group> are wrong",
        "replicas of <group> are wrong"
    )]
    #[case(
        "InvalidRayJobSpec: The RayJob spec is invalid n/j: The RayCluster spec is invalid: replicas",
        "replicas"
    )]
    #[case(
        "authOptions: RayVersion format is invalid: no",
        "authOptions: RayVersion format is invalid: no"
    )]
    #[case("The RayJob spec is invalid", "The RayJob spec is invalid")]
    fn a_reason_is_that_of_every_kind_of_object(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(reason(message), expected);
    }
}
