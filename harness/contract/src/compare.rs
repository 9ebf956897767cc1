//! Compares a Pod of a cluster with the model.

use std::fmt;

use serde_json::Value;

use super::{ContainerContract, ContainerKind, EnvValue, EnvVar, PodContract};

/// A difference between a Pod and the model.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, differences, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let spec = serde_json::json!({"containers": [{"name": "ray-head", "command": ["sh"]}]});
/// let command = differences(&pods[0], &spec).into_iter().find(|one| one.what == "command");
/// assert_eq!(command.unwrap().container, "ray-head");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the container; empty where the list of containers differs.
    pub container: String,
    /// The part that differs: `containers`, `command`, `args`, `env`, `livenessProbe` or
    /// `readinessProbe`.
    pub what: &'static str,
    /// The part in the model.
    pub expected: String,
    /// The part in the Pod.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = if self.container.is_empty() {
            ""
        } else {
            " of "
        };
        write!(
            f,
            "{}{of}{}\n  expected {}\n  found    {}",
            self.what,
            self.container,
            shown(&self.expected),
            shown(&self.found)
        )
    }
}

/// A text of which a long part of the middle is left out.
fn shown(text: &str) -> String {
    const END: usize = 400;
    let length = text.chars().count();
    if length <= 3 * END {
        return text.into();
    }
    let start: String = text.chars().take(END).collect();
    let end: String = text.chars().skip(length - END).collect();
    format!("{start} … ({} characters) … {end}", length - 2 * END)
}

/// Compares a Pod's `spec` with the model: which containers there are and in what order, and of
/// each one command, args, environment and added probes, byte for byte but for flags that have no
/// order. A probe that stands in the Pod template is not compared.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, differences, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// // A Pod without the containers that the operator should have given it.
/// let found = differences(&pods[0], &serde_json::json!({"containers": []}));
/// assert!(!found.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn differences(contract: &PodContract, spec: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    for (key, expected) in [
        ("initContainers", &contract.init_containers),
        ("containers", &contract.containers),
    ] {
        let seen = spec
            .get(key)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let name = |container: &Value| container["name"].as_str().unwrap_or_default().to_owned();
        let names: Vec<String> = seen.iter().map(name).collect();
        let expected_names: Vec<&str> = expected
            .iter()
            .map(|container| container.name.as_str())
            .collect();
        if names != expected_names {
            found.push(Difference {
                container: String::new(),
                what: "containers",
                expected: format!("{expected_names:?}"),
                found: format!("{names:?}"),
            });
            continue;
        }
        for (expected, seen) in expected.iter().zip(seen) {
            found.extend(container_differences(expected, seen));
        }
    }
    found
}

fn container_differences(expected: &ContainerContract, seen: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut differ = |what, expected_text: String, seen_text: String| {
        found.push(Difference {
            container: expected.name.clone(),
            what,
            expected: expected_text,
            found: seen_text,
        });
    };
    let command = texts(&seen["command"]);
    if command != expected.command {
        differ(
            "command",
            format!("{:?}", expected.command),
            format!("{command:?}"),
        );
    }
    let args = texts(&seen["args"]);
    let same = args.len() == expected.args.len()
        && expected
            .args
            .iter()
            .zip(&args)
            .all(|(text, seen)| text.matches(seen));
    if !same {
        let expected: Vec<String> = expected.args.iter().map(ToString::to_string).collect();
        differ("args", format!("{expected:?}"), format!("{args:?}"));
    }
    let env = seen["env"].as_array().map_or(&[][..], Vec::as_slice);
    let same = env.len() == expected.env.len()
        && expected
            .env
            .iter()
            .zip(env)
            .all(|(variable, seen)| is_variable(variable, seen));
    if !same {
        let first = (0..env.len().max(expected.env.len())).find(|&index| {
            match (expected.env.get(index), env.get(index)) {
                (Some(variable), Some(seen)) => !is_variable(variable, seen),
                _ => true,
            }
        });
        let first = first.unwrap_or_default();
        let expected = expected
            .env
            .get(first)
            .map_or("no more variables".into(), describe);
        differ(
            "env",
            format!("[{first}] {expected}"),
            format!("[{first}] {}", env.get(first).unwrap_or(&Value::Null)),
        );
    }
    for (field, probe) in expected.added_probes.by_field() {
        let seen = &seen[field];
        if let Some(probe) = probe.filter(|probe| *probe != seen) {
            differ(field, probe.to_string(), seen.to_string());
        }
    }
    if let Some(problem) = two_commands(expected, &args, env) {
        differ(
            "args",
            "the same flags in the same order as in KUBERAY_GEN_RAY_START_CMD".into(),
            problem,
        );
    }
    found
}

/// A command whose flags have no order is drawn once: the variable holds what the argument holds.
fn two_commands(expected: &ContainerContract, args: &[String], env: &[Value]) -> Option<String> {
    let injected = expected
        .variable("KUBERAY_GEN_RAY_START_CMD")
        .is_some_and(|variable| variable.injected);
    let drawn = injected
        && expected.kind == ContainerKind::Ray
        && expected.args.iter().any(|text| !text.is_exact());
    let variable = env
        .iter()
        .rev()
        .find(|variable| variable["name"] == "KUBERAY_GEN_RAY_START_CMD")?;
    let generated = variable["value"].as_str().unwrap_or_default();
    let last = args.last().map_or("", String::as_str);
    (drawn && !last.contains(generated)).then(|| format!("{last:?} and {generated:?}"))
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .map(|item| item.as_str().unwrap_or_default().into())
        .collect()
}

fn is_variable(expected: &EnvVar, seen: &Value) -> bool {
    seen["name"] == expected.name.as_str()
        && match &expected.value {
            EnvValue::Text(text) => {
                let value = seen
                    .get("value")
                    .map_or("", |value| value.as_str().unwrap_or_default());
                seen.get("valueFrom").is_none() && text.matches(value)
            }
            EnvValue::From(from) => seen.get("valueFrom") == Some(from),
        }
}

fn describe(variable: &EnvVar) -> String {
    match &variable.value {
        EnvValue::Text(text) => format!("{}={text}", variable.name),
        EnvValue::From(from) => format!("{} from {from}", variable.name),
    }
}
