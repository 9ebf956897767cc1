//! The changes that an upgrade makes to a container.

use semver::Version;
use similar::TextDiff;

use super::document::{Container, ContainerChange, Variable};
use kuberay_manifest::visible::{line, quoted};

/// Returns the changes from each release to the next one.
pub(super) fn changes(releases: &[Version], containers: &[Container]) -> Vec<ContainerChange> {
    let mut changes = Vec::new();
    for pair in releases.windows(2) {
        let (from, to) = (&pair[0], &pair[1]);
        let of = |release: &Version| {
            containers
                .iter()
                .filter(move |container| container.operator == *release)
                .collect::<Vec<_>>()
        };
        let (before, after) = (of(from), of(to));
        let gone = before
            .iter()
            .filter(|one| !after.iter().any(|other| same(one, other)));
        for container in after.iter().chain(gone) {
            let text = |list: &[&Container]| {
                list.iter()
                    .find(|other| same(container, other))
                    .map(|found| lines(found))
                    .unwrap_or_default()
            };
            let (old, new) = (text(&before), text(&after));
            if old == new {
                continue;
            }
            let diff = TextDiff::from_lines(&old, &new)
                .unified_diff()
                .context_radius(1)
                .to_string();
            changes.push(ContainerChange {
                from: from.clone(),
                to: to.clone(),
                object: container.object.clone(),
                role: container.role,
                group: container.group.clone(),
                container: container.container.clone(),
                diff,
            });
        }
    }
    changes
}

fn same(one: &Container, other: &Container) -> bool {
    (&one.object, one.role, &one.group, &one.container)
        == (&other.object, other.role, &other.group, &other.container)
}

/// A container as lines, one for each flag and each variable, so that a difference shows what
/// changed and no more.
fn lines(container: &Container) -> String {
    let mut text = String::new();
    for word in &container.command {
        text.push_str(&format!("command {}\n", quoted(word)));
    }
    for word in &container.args {
        for part in parts(word) {
            text.push_str(&format!("args    {}\n", quoted(part)));
        }
    }
    if !container.exact {
        text.push_str("        (the flags come in a random order)\n");
    }
    for variable in &container.env {
        text.push_str(&variable_lines(variable));
    }
    text
}

fn variable_lines(variable: &Variable) -> String {
    match (&variable.value, &variable.value_from) {
        (Some(value), _) => parts(value)
            .into_iter()
            .map(|part| format!("env     {}={}\n", line(&variable.name), quoted(part)))
            .collect(),
        (None, from) => format!(
            "env     {} from {}\n",
            line(&variable.name),
            line(&from.clone().unwrap_or_default().to_string())
        ),
    }
}

/// Splits a generated command before `ulimit`, `ray start` and each flag, and any text after its
/// line breaks.
fn parts(text: &str) -> Vec<&str> {
    let mut cuts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    if let Some(start) = text.rfind("ray start ") {
        cuts.push(start);
        cuts.extend(text.rfind("ulimit -n ").filter(|&limit| limit < start));
        cuts.extend(
            text[start..]
                .match_indices("  --")
                .map(|(at, _)| start + at + 1),
        );
    }
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let parts: Vec<&str> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
    if parts.is_empty() { vec![""] } else { parts }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::parts;

    #[rstest]
    #[case("", &[""])]
    #[case("echo a", &["echo a"])]
    #[case("a\nb\n", &["a\n", "b\n"])]
    #[case(" x  && ulimit -n 1; ray start --head  --a  --b=1 ", &[" x  && ", "ulimit -n 1; ", "ray start --head ", " --a ", " --b=1 "])]
    fn a_generated_command_falls_into_its_parts(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(parts(text), expected);
        assert_eq!(parts(text).concat(), text);
    }
}
