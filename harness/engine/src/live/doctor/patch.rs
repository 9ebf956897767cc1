//! Patches of the user's object (JSON Patch), for traps with a mechanical fix.

use serde_json::{Value, json};

use super::document::Patch;
use super::view::text;

const GENERATED: &str = "$KUBERAY_GEN_RAY_START_CMD";

/// Returns the patch that removes a trap at a path of an object; none where it takes a decision.
pub(super) fn of(object: &Value, trap: &str, path: &str) -> Option<Patch> {
    let pointer = pointer(path)?;
    let value = object.pointer(&pointer)?;
    let operation = match trap {
        "block-ignored" => json!({"op": "remove", "path": pointer}),
        "ray-not-first" => first(object, &pointer)?,
        // Of the fields that the submitter's shell reads it alone is a command.
        "entrypoint-runs-here" if !path.ends_with("entrypoint") => return None,
        _ => {
            let new = rewritten(trap, value.as_str()?)?;
            json!({"op": "replace", "path": pointer, "value": new})
        }
    };
    Some(whole(object, operation))
}

/// A patch of one operation.
pub(super) fn whole(object: &Value, operation: Value) -> Patch {
    let meta = &object["metadata"];
    Patch {
        kind: text(&object["kind"]).into(),
        namespace: text(&meta["namespace"]).into(),
        name: text(&meta["name"]).into(),
        operations: vec![operation],
    }
}

fn rewritten(trap: &str, value: &str) -> Option<String> {
    // What was masked is not known, and what holds a mask must not be written back.
    if value.contains(crate::redact::MASK) {
        return None;
    }
    let trimmed = value.trim_end();
    let single = !trimmed.contains(['\n', ';', '|', '(', '#']) && !trimmed.contains("&&");
    match trap {
        "trailing-ampersand" if single => Some(format!("({trimmed})")),
        "trailing-semicolon" => Some(trimmed.trim_end_matches([';', ' ', '\n']).into()),
        "trailing-newline" => Some(trimmed.into()),
        "trailing-comment" => without_comment(trimmed),
        "never-returns" if single => Some(format!("({trimmed} &)")),
        "entrypoint-runs-here" => Some(format!("bash -c {}", quoted(trimmed))),
        "shell-in-parameter" if !trimmed.contains('\'') => Some(quoted(trimmed)),
        "gen-cmd-unquoted" if !value.contains("eval") && !value.contains("${KUBERAY") => {
            let quoted = format!("eval \"{GENERATED}\"");
            (value.matches(GENERATED).count() == 1 && !value.contains(&format!("\"{GENERATED}\"")))
                .then(|| value.replace(GENERATED, &quoted))
        }
        _ => None,
    }
}

/// A text in single quotes of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A text without the comment that ends it, where that has a line of its own or follows two spaces.
fn without_comment(text: &str) -> Option<String> {
    let (before, last) = text.rsplit_once('\n').unwrap_or(("", text));
    if last.trim_start().starts_with('#') {
        return Some(before.trim_end().to_owned()).filter(|rest| !rest.is_empty());
    }
    let (code, _) = last.split_once(" #")?;
    if code.contains(['\'', '"']) {
        return None;
    }
    let code = code.trim_end();
    Some(if before.is_empty() {
        code.to_owned()
    } else {
        format!("{before}\n{code}")
    })
}

/// Moves the container that looks like Ray's to the first place.
fn first(object: &Value, pointer: &str) -> Option<Value> {
    let list = pointer.strip_suffix("/0")?;
    let containers = object.pointer(list)?.as_array()?;
    let is_ray = |container: &&Value| {
        ["name", "image"]
            .iter()
            .any(|field| text(&container[*field]).contains("ray"))
    };
    let index = containers.iter().position(|container| is_ray(&container))?;
    Some(json!({"op": "move", "from": format!("{list}/{index}"), "path": format!("{list}/0")}))
}

/// A path such as `spec.workerGroupSpecs[0].rayStartParams.num-cpus` as a JSON pointer.
fn pointer(path: &str) -> Option<String> {
    if path.is_empty() || path.contains(['"', '~', '/']) {
        return None;
    }
    let mut pointer = String::new();
    for part in path.split('.') {
        let (name, rest) = part.split_once('[').unwrap_or((part, ""));
        pointer.push_str(&format!("/{name}"));
        for index in rest.split('[').filter(|index| !index.is_empty()) {
            let index: usize = index.strip_suffix(']')?.parse().ok()?;
            pointer.push_str(&format!("/{index}"));
        }
    }
    Some(pointer)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::ampersand("trailing-ampersand", "prepare &", Some("(prepare &)"))]
    #[case::several("trailing-ampersand", "a; b &", None)]
    #[case::semicolon("trailing-semicolon", "a; b; ", Some("a; b"))]
    #[case::newline("trailing-newline", "a\nb\n", Some("a\nb"))]
    #[case::comment("trailing-comment", "a # why", Some("a"))]
    #[case::comment_line("trailing-comment", "a\n# why", Some("a"))]
    #[case::quoted_hash("trailing-comment", "echo ' # no' # why", None)]
    #[case::never("never-returns", "sleep infinity", Some("(sleep infinity &)"))]
    #[case::entrypoint(
        "entrypoint-runs-here",
        "a && b 'c'",
        Some(r"bash -c 'a && b '\''c'\'''")
    )]
    #[case::parameter("shell-in-parameter", r#"{"a": 1}"#, Some(r#"'{"a": 1}'"#))]
    #[case::eval(
        "gen-cmd-unquoted",
        "ulimit -n 9; $KUBERAY_GEN_RAY_START_CMD",
        Some("ulimit -n 9; eval \"$KUBERAY_GEN_RAY_START_CMD\"")
    )]
    #[case::masked("trailing-semicolon", "a [redacted];", None)]
    #[case::no_answer("errexit", "set -e", None)]
    fn a_trap_has_a_mechanical_answer_or_none(
        #[case] trap: &str,
        #[case] value: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(rewritten(trap, value).as_deref(), expected);
    }

    #[test]
    fn a_patch_names_the_object_and_the_place() {
        let object = json!({"kind": "RayCluster", "metadata": {"name": "a", "namespace": "n"},
            "spec": {"groups": [{"args": ["x;"]}]}});
        let patch = of(&object, "trailing-semicolon", "spec.groups[0].args[0]").unwrap();
        assert_eq!(
            patch.operations,
            [json!({"op": "replace", "path": "/spec/groups/0/args/0", "value": "x"})]
        );
        assert_eq!(patch.kind.as_str(), "RayCluster");
        assert_eq!(patch.name.as_str(), "a");
        assert_eq!(
            of(&object, "trailing-semicolon", "spec.groups[7].args[0]"),
            None
        );
        assert_eq!(of(&object, "trailing-semicolon", "spec.groups[x]"), None);
    }
}
