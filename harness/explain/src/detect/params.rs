//! Traps of `rayStartParams`: parameters that do not reach the command, that another program reads
//! first, or that Ray refuses.

use kuberay_contract::{Feature, RayCommand};
use kuberay_manifest::Cursor;

use super::options::{self, Ray, Value};
use super::values::bare;
use super::{Group, has, loses_dollar, references, warn};
use crate::document::Warning;
use crate::shell;
use crate::warning as trap;

/// Options that Ray refuses without `--head`, also where they say what is so by default.
pub(super) const HEAD_ONLY: [&str; 3] = ["include-dashboard", "port", "redis-shard-ports"];

/// Returns the message about one of them on a worker.
pub(super) fn only_with_head(name: &str) -> String {
    format!("`ray start` takes `--{name}` only with `--head`")
}

/// The traps of parameters that reach the command.
pub(super) fn of_group(group: &Group, ray: &Ray, container: &Cursor, found: &mut Vec<Warning>) {
    let release = group.release;
    let words = [container.items("command"), container.items("args")].concat();
    let words: Vec<&str> = words.iter().map(Cursor::text).collect();
    let script = words.join(" ");
    for (name, value) in group.group.entries("rayStartParams") {
        let text = value.text();
        let lower = text.to_lowercase();
        if let Some(special) = shell::special(name) {
            let detail = format!("`{special}` in the name {name:?}");
            found.push(warn(trap::SHELL_IN_PARAMETER, &value, &detail));
            continue;
        }
        if name == "block" {
            if lower != "true" && has(Feature::BlockForced, release) {
                found.push(warn(trap::BLOCK_IGNORED, &value, ""));
            }
            continue;
        }
        // Ray 2.7 to 2.60 alike (`head_only_flags` in scripts.py).
        if !group.is_head()
            && HEAD_ONLY.contains(&name)
            && (lower != "false" || name == "include-dashboard")
        {
            found.push(warn(
                trap::UNKNOWN_RAY_OPTION,
                &value,
                &only_with_head(name),
            ));
            continue;
        }
        let kept = matches!(name, "log-color" | "include-dashboard")
            || name == "include-log-monitor" && has(Feature::LogMonitorKept, release);
        if lower == "false" && !kept {
            // A switch that is not given is off.
            if !ray.is_flag(RayCommand::Start, &format!("--{name}")) {
                found.push(warn(trap::FALSE_DROPPED, &value, name));
            }
            continue;
        }
        let replaced = read_by_shells(group, &script, name, &value, found);
        let text = bare(text);
        let literal = shell::literal(text);
        let received = match &literal {
            _ if lower == "true" && !kept => Value::Absent,
            _ if text.is_empty() => Value::Given(""),
            Some(literal) if !replaced && shell::special_behind(text).is_none() => {
                Value::Given(literal)
            }
            _ => Value::Unknown,
        };
        refused(ray, name, &value, received, found);
    }
    labels(group, ray, found);
    super::values::of_group(group, found);
    super::ports::of_group(group, container, found);
}

/// Reports the parts of a value that the kubelet and bash replace, and returns whether there are
/// any. The `script` before it may define variables.
fn read_by_shells(
    group: &Group,
    script: &str,
    name: &str,
    value: &Cursor,
    found: &mut Vec<Warning>,
) -> bool {
    let text = bare(value.text());
    let mut rest = text.to_owned();
    let mut replaced = false;
    for reference in references(text) {
        if group.may_define(reference) {
            rest = rest.replace(&format!("$({reference})"), "x");
            replaced = true;
        }
    }
    if loses_dollar(&rest) {
        found.push(warn(trap::KUBELET_EXPANDS, value, "`$$` becomes `$`"));
        rest = rest.replace("$$", "x");
    }
    let mut unknown = None;
    for expansion in shell::expansions(&rest) {
        replaced = true;
        let known = expansion.variable.as_ref().is_some_and(|name| {
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            group.has_variable(name)
                || is_name && group.has_env_from()
                || shell::assigns(script, name)
        });
        if !known {
            unknown.get_or_insert(expansion);
        }
    }
    if let Some(special) = special_besides_expansions(&rest) {
        found.push(warn(
            trap::SHELL_IN_PARAMETER,
            value,
            &format!("`{special}` in {name}"),
        ));
    } else if let Some(expansion) = unknown {
        let detail = match &expansion.variable {
            Some(variable) => format!(
                "`{}` in {name}, and the Pod gives the container no variable {variable}",
                expansion.what
            ),
            None => match unknown_to_the_kubelet(&rest[expansion.at..]) {
                Some(variable) => format!(
                    "`$({variable})` in {name}, and the Pod gives the container no variable {variable}: the kubelet leaves it, and bash runs a command of this name"
                ),
                None => format!("`{}` in {name}", expansion.what),
            },
        };
        found.push(warn(trap::EXPANDED_IN_PARAMETER, value, &detail));
    }
    replaced
}

/// The name in `$(NAME)` at the start of a text, where it looks like that of a variable.
fn unknown_to_the_kubelet(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix("$(")?.split_once(')')?;
    super::env::is_capital(name).then_some(name)
}

/// A character that bash reads as more than itself, apart from variables and commands that it
/// replaces.
fn special_besides_expansions(text: &str) -> Option<char> {
    shell::special_behind(&shell::without_expansions(text))
}

/// An option or a value that Ray refuses.
fn refused(ray: &Ray, name: &str, at: &Cursor, value: Value, found: &mut Vec<Warning>) {
    if !options::is_name(name) {
        return;
    }
    let problem = ray.problem(RayCommand::Start, &format!("--{name}"), value);
    found.extend(problem.map(|(trap, detail)| warn(trap, at, &detail)));
}

/// A group's own labels, which become `--labels=key=value`.
fn labels(group: &Group, ray: &Ray, found: &mut Vec<Warning>) {
    let labels = group.group.entries("labels");
    if labels.is_empty() || !has(Feature::GroupLabels, group.release) {
        return;
    }
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={}", value.text()))
        .collect();
    if let Some(at) = group.group.get("labels") {
        refused(ray, "labels", &at, Value::Given(&pairs.join(",")), found);
    }
}
