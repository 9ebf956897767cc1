//! Compares what the operator passes on from a Pod template with what a Pod holds.
//!
//! The operator and the API server add to a Pod; what the template says stays. So a field of the
//! template that the Pod holds otherwise is older, or somebody else's.

use serde_json::Value;

use super::view::text;
use crate::contract::{Difference, Quantity};

/// Fields of a container. Commands, arguments and variables are part of the contract.
const OF_CONTAINERS: [&str; 8] = [
    "image",
    "resources",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "volumeMounts",
    "securityContext",
];

/// Fields of the Pod. Schedulers and the operator write `schedulerName` and `restartPolicy`.
const OF_PODS: [&str; 9] = [
    "nodeSelector",
    "affinity",
    "tolerations",
    "volumes",
    "serviceAccountName",
    "priorityClassName",
    "runtimeClassName",
    "hostNetwork",
    "securityContext",
];

/// Returns the fields of a Pod's spec that are not as its template says. Containers that the Pod
/// does not have are left out.
pub(super) fn differences(template: &Value, spec: &Value) -> Vec<Difference> {
    let template = &template["spec"];
    let mut found = Vec::new();
    for list in ["initContainers", "containers"] {
        for wanted in template[list].as_array().into_iter().flatten() {
            let mut all = spec[list].as_array().into_iter().flatten();
            if let Some(seen) = all.find(|seen| seen["name"] == wanted["name"]) {
                let name = text(&wanted["name"]);
                found.extend(of_fields(name, &OF_CONTAINERS, wanted, seen));
            }
        }
    }
    found.extend(of_fields("", &OF_PODS, template, spec));
    found
}

fn of_fields<'a>(
    container: &'a str,
    fields: &'a [&'static str],
    wanted: &'a Value,
    seen: &'a Value,
) -> impl Iterator<Item = Difference> + 'a {
    fields.iter().filter_map(move |field| {
        let part = first(&wanted[*field], &seen[*field], String::new())?;
        let shown = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => "nothing".into(),
            value => value.to_string(),
        };
        let at = |value: &Value| match part.path.trim_start_matches('.') {
            "" => shown(value),
            path => format!("{path}: {}", shown(value)),
        };
        Some(Difference {
            container: container.into(),
            what: field,
            expected: at(part.wanted),
            found: at(part.seen),
        })
    })
}

/// The smallest part that differs.
struct DifferingPart<'a> {
    path: String,
    wanted: &'a Value,
    seen: &'a Value,
}

/// The first part of a field that a Pod does not hold.
fn first<'a>(wanted: &'a Value, seen: &'a Value, path: String) -> Option<DifferingPart<'a>> {
    let part = |path| Some(DifferingPart { path, wanted, seen });
    match wanted {
        // The template says nothing, or something that the API server leaves out.
        Value::Null => None,
        _ if is_empty(wanted) && is_empty(seen) => None,
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, wanted)| first(wanted, &seen[name], format!("{path}.{name}"))),
        Value::Array(items) => {
            let all = seen.as_array().map_or(&[][..], Vec::as_slice);
            let is_there = |wanted: &Value| {
                let mut all = all.iter();
                all.any(|seen| first(wanted, seen, String::new()).is_none())
            };
            if items.is_empty() {
                None
            } else if items.iter().any(|item| item.is_object() || item.is_array()) {
                let at = items.iter().position(|item| !is_there(item))?;
                let wanted = &items[at];
                // The item of the same name shows what is otherwise.
                let name = &wanted["name"];
                let mut all = all
                    .iter()
                    .filter(|seen| !name.is_null() && seen["name"] == *name);
                let path = format!("{path}[{at}]");
                match all.next() {
                    Some(seen) => first(wanted, seen, path),
                    None => Some(DifferingPart {
                        path,
                        wanted,
                        seen: &Value::Null,
                    }),
                }
            } else if items == all {
                None
            } else {
                part(path)
            }
        }
        _ if wanted == seen || same_quantity(wanted, seen) => None,
        _ => part(path),
    }
}

/// Whether a value is what the API server does not write.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Whether two values are the same amount: the API server writes 1000m as 1.
fn same_quantity(one: &Value, other: &Value) -> bool {
    let amount = |value: &Value| match value {
        Value::String(text) => Quantity::parse(text).map(Quantity::value),
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    let (one, other) = (amount(one), amount(other));
    one.zip(other)
        .is_some_and(|(one, other)| (one - other).abs() <= one.abs() * 1e-9)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// The difference, as `FIELD: EXPECTED, FOUND`.
    fn found(template: &Value, spec: &Value) -> Vec<String> {
        let template = json!({"spec": template});
        let found = differences(&template, spec);
        found
            .iter()
            .map(|one| format!("{}: {}, {}", one.what, one.expected, one.found))
            .collect()
    }

    #[rstest]
    #[case::added(json!({"nodeSelector": {"a": "1"}}), json!({"nodeSelector": {"a": "1", "b": "2"}}))]
    #[case::volumes(
        json!({"volumes": [{"name": "own", "emptyDir": {"sizeLimit": "1024Mi"}}]}),
        json!({"volumes": [{"name": "shared-mem"}, {"name": "own", "emptyDir": {"sizeLimit": "1Gi"}}]})
    )]
    #[case::empty(
        json!({"hostNetwork": false, "tolerations": [], "securityContext": {"runAsUser": 0}}),
        json!({})
    )]
    #[case::others(json!({"schedulerName": "volcano", "restartPolicy": "Always"}), json!({}))]
    fn what_is_passed_on_or_added_is_no_difference(#[case] template: Value, #[case] spec: Value) {
        assert_eq!(found(&template, &spec), Vec::<String>::new());
    }

    #[rstest]
    #[case::amount(json!({"limits": {"cpu": "1000m", "memory": "1Gi"}}), json!({"limits": {"cpu": "1", "memory": "1Gi"}}), &[])]
    #[case::number(json!({"limits": {"cpu": 2}}), json!({"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}), &[])]
    #[case::less(
        json!({"limits": {"memory": "2Gi"}}),
        json!({"limits": {"memory": "1Gi"}}),
        &["resources: limits.memory: 2Gi, limits.memory: 1Gi"]
    )]
    fn resources_are_compared_as_amounts(
        #[case] wanted: Value,
        #[case] seen: Value,
        #[case] expected: &[&str],
    ) {
        let of = |resources| json!({"containers": [{"name": "ray", "resources": resources}]});
        assert_eq!(found(&of(wanted), &of(seen)), expected);
    }

    #[test]
    fn the_smallest_part_that_differs_is_named() {
        let template = json!({
            "containers": [{
                "name": "ray",
                "readinessProbe": {"exec": {"command": ["true"]}},
                "volumeMounts": [{"name": "code", "mountPath": "/code"}],
            }, {"name": "absent", "image": "a"}],
            "volumes": [{"name": "code", "configMap": {"name": "new"}}],
            "serviceAccountName": "own",
        });
        let spec = json!({
            "containers": [{
                "name": "ray",
                "readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 10},
                "volumeMounts": [{"name": "shared-mem", "mountPath": "/dev/shm"}],
            }],
            "volumes": [{"name": "code", "configMap": {"name": "old", "defaultMode": 420}}],
        });
        let expected = [
            r#"readinessProbe: exec.command: ["true"], exec.command: ["false"]"#,
            r#"volumeMounts: [0]: {"name":"code","mountPath":"/code"}, [0]: nothing"#,
            "volumes: [0].configMap.name: new, [0].configMap.name: old",
            "serviceAccountName: own, nothing",
        ];
        assert_eq!(found(&template, &spec), expected);
    }
}
