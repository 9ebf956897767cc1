//! Traps of environment variables: who replaces a name in a value?

use kuberay_manifest::Cursor;

use super::{references, warn};
use crate::document::Warning;
use crate::shell;
use crate::warning as trap;

/// Names in values that nobody replaces.
pub(super) fn of_container(container: &Cursor, found: &mut Vec<Warning>) {
    // The kubelet knows variables that come from there.
    let from_elsewhere = !container.items("envFrom").is_empty();
    let mut known: Vec<&str> = Vec::new();
    for variable in container.items("env") {
        let name = variable.get("name").map_or("", |name| name.text());
        if let Some(value) = variable.get("value") {
            let text = value.text();
            let shell = shell::expansions(text)
                .into_iter()
                .filter(|expansion| expansion.variable.is_some())
                .find(|expansion| {
                    let other = expansion.variable.as_deref().unwrap_or_default();
                    other == name || is_path(name) || known.contains(&other)
                });
            let reference = references(text)
                .find(|other| is_name(other) && !known.contains(other) && !from_elsewhere);
            if let Some(expansion) = shell {
                let detail = format!("`{}` in {name}", expansion.what);
                found.push(warn(trap::ENV_NOT_EXPANDED, &value, &detail));
            } else if text.starts_with("~/") || text.contains(":~/") {
                let detail = format!("`~` in {name}");
                found.push(warn(trap::ENV_NOT_EXPANDED, &value, &detail));
            } else if let Some(other) = reference {
                let detail = format!(
                    "`$({other})` in {name} names no variable that `env` defines before it"
                );
                found.push(warn(trap::ENV_NOT_EXPANDED, &value, &detail));
            }
        }
        known.push(name);
    }
}

fn is_path(name: &str) -> bool {
    name.ends_with("PATH") || name.ends_with("_HOME")
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
