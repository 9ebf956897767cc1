//! Traps of environment variables: who replaces a name in a value?

use kuberay_contract::Feature;
use kuberay_manifest::Cursor;
use kuberay_manifest::yaml::Yaml;

use super::{Group, command, has, loses_dollar, references, warn};
use crate::document::Warning;
use crate::services;
use crate::shell;
use crate::warning as trap;

/// Variables of a Ray container that do something else than they say.
pub(super) fn of_ray(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    // Others the operator adds only where the user has none.
    const ALWAYS_ADDED: [&str; 7] = [
        super::command::GENERATED,
        "FQ_RAY_IP",
        "RAY_CLOUD_INSTANCE_ID",
        "RAY_CLUSTER_NAME",
        "RAY_CLUSTER_NAMESPACE",
        "RAY_IP",
        "RAY_NODE_TYPE_NAME",
    ];
    for variable in container.items("env") {
        let Some(name) = variable.get("name") else {
            continue;
        };
        // Of two variables with one name the last counts.
        let mut same = group.ray.env.iter().filter(|one| one.name == name.text());
        if ALWAYS_ADDED.contains(&name.text())
            && same.clone().any(|one| !one.injected)
            && same.next_back().is_some_and(|one| one.injected)
        {
            found.push(warn(trap::ENV_OVERWRITTEN, &name, name.text()));
        }
        if name.text() == "PATH" && resets_path(group, container) {
            found.push(warn(trap::PATH_RESET, &name, ""));
        }
        if name.text() == "RAY_START_ULIMIT_OPEN_FILES"
            && !has(Feature::UlimitFromEnv, group.release)
        {
            found.push(warn(trap::ULIMIT_VARIABLE_IGNORED, &name, name.text()));
        }
    }
}

/// Returns whether the Ray container's shell reads a profile, and its text does not set PATH
/// afterwards.
fn resets_path(group: &Group, container: &Cursor) -> bool {
    let words = [container.items("command"), container.items("args")].concat();
    let sets_path = |word: &Cursor| {
        let mut found = word.text().match_indices("PATH=");
        found.any(|(at, _)| {
            let before = word.text()[..at].chars().next_back();
            before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
        })
    };
    let login = if group.ray.features.contains(&Feature::GeneratedCommand) {
        let mut shell = group.ray.command.iter();
        shell.any(|word| command::reads_profile(word))
    } else {
        let inner = command::inner(&words);
        let is_shell = inner.first().is_some_and(command::is_shell);
        let options = inner.iter().skip(1);
        is_shell
            && options
                .take_while(|word| word.text().starts_with('-'))
                .any(|word| command::reads_profile(word.text()))
    };
    login && !words.iter().any(sets_path)
}

/// Names in values that nobody replaces; `joined` is the text that the operator makes of `command`
/// and `args`.
pub(super) fn of_container(
    container: &Cursor,
    pod: Option<&Cursor>,
    joined: Option<&str>,
    found: &mut Vec<Warning>,
) {
    let texts = texts(container, joined);
    // Such a value is read once more, as a text of a shell; a path counts as it is all the same.
    let is_text = |name: &str| {
        let reference = format!("$({name})");
        let mut texts = texts.iter().filter(|_| !is_path(name));
        texts.any(|text| text.contains(&reference) || shell::evaluates(text, name))
    };
    // The kubelet knows variables that come from there.
    let from_elsewhere = !container.items("envFrom").is_empty();
    let links = service_links(pod);
    let variables = container.items("env");
    let names = variables.iter().filter_map(|variable| variable.get("name"));
    let own: Vec<&str> = names.map(|name| name.text()).collect();
    // One that `env` defines later is no variable of a Service.
    let of_service = |name: &str| !own.contains(&name) && services::may_define(name, links);
    let mut known: Vec<&str> = Vec::new();
    for variable in &variables {
        let name = variable.get("name").map_or("", |name| name.text());
        if let Some(value) = variable.get("value")
            && !is_text(name)
        {
            let text = value.text();
            let shell = shell::expansions(text)
                .into_iter()
                .filter(|expansion| expansion.variable.is_some())
                .find(|expansion| {
                    let other = expansion.variable.as_deref().unwrap_or_default();
                    let default = text[expansion.at..].starts_with(&format!("${{{other}:"));
                    other == name
                        || is_path(name)
                        || known.contains(&other)
                        || is_known(other)
                        || default
                });
            let reference = references(text).find(|other| {
                is_name(other) && !known.contains(other) && !from_elsewhere && !of_service(other)
            });
            if let Some(expansion) = shell {
                let detail = format!("`{}` in {name}", expansion.what);
                found.push(warn(trap::ENV_NOT_EXPANDED, &value, &detail));
            } else if text == "~" || text.starts_with("~/") || text.contains(":~/") {
                let detail = format!("`~` in {name}");
                found.push(warn(trap::ENV_NOT_EXPANDED, &value, &detail));
            } else if let Some(other) = reference {
                let detail = format!(
                    "`$({other})` in {name} names no variable that `env` defines before it"
                );
                found.push(warn(trap::ENV_NOT_EXPANDED, &value, &detail));
            }
        }
        if let Some(value) = variable.get("value")
            && loses_dollar(value.text())
        {
            let detail = format!("`$$` in {name} becomes `$`");
            found.push(warn(trap::KUBELET_EXPANDS, &value, &detail));
        }
        known.push(name);
    }
}

/// The texts that a shell of a container reads.
fn texts(container: &Cursor, joined: Option<&str>) -> Vec<String> {
    const EXEC: [[&str; 2]; 5] = [
        ["lifecycle", "postStart"],
        ["lifecycle", "preStop"],
        ["livenessProbe", "exec"],
        ["readinessProbe", "exec"],
        ["startupProbe", "exec"],
    ];
    let script = |words: &[Cursor]| {
        let script = command::script(command::inner(words)).and_then(Result::ok);
        script.map(|script| script.text().to_owned())
    };
    let own = match joined {
        Some(joined) => Some(joined.to_owned()),
        None => script(&[container.items("command"), container.items("args")].concat()),
    };
    let hooks = EXEC.iter().filter_map(|path| {
        let exec = container.find(path)?;
        let exec = if path[1] == "exec" {
            exec
        } else {
            exec.get("exec")?
        };
        script(&exec.items("command"))
    });
    own.into_iter().chain(hooks).collect()
}

/// Returns whether a Pod's containers have variables of the namespace's Services.
pub(super) fn service_links(pod: Option<&Cursor>) -> bool {
    pod.and_then(|pod| pod.get("enableServiceLinks"))
        .is_none_or(|links| links.node.value != Yaml::Bool(false))
}

/// Returns whether images and Pods usually have a variable of this name.
fn is_known(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "HOME",
        "HOSTNAME",
        "PATH",
        "PWD",
        "USER",
        "POD_IP",
        "POD_NAME",
        "RAY_ADDRESS",
        "RAY_IP",
    ];
    NAMES.contains(&name)
        || is_path(name) && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

fn is_path(name: &str) -> bool {
    name.ends_with("PATH") || name.ends_with("_HOME")
}

/// Returns whether a text is a name in capitals, as Kubernetes' users write those of variables;
/// others in `$(…)` are mostly commands.
pub(super) fn is_capital(text: &str) -> bool {
    is_name(text) && !text.contains(|c: char| c.is_ascii_lowercase() || matches!(c, '-' | '.'))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
