//! An explanation as text for people.

mod refusals;
#[cfg(test)]
mod tests;
mod upgrade;

use super::text::plural;
use crate::explain::{Container, ContainerRole, Explanation, Variable, Warning};
use crate::manifest::visible::{line, quoted};
use crate::manifest::{Location, Severity};

pub use upgrade::upgrade_text;

/// Returns the explanation as text; every string is quoted, because its spaces count.
pub fn explain_text(explanation: &Explanation) -> String {
    let mut text = refusals::render(explanation);
    let mut heading = String::new();
    for container in &explanation.containers {
        let object = &container.object;
        let now = format!(
            "{} {} ({}:{}) on KubeRay {}",
            line(&object.kind),
            line(&object.name),
            line(&object.file),
            object.line,
            container.operator
        );
        if now != heading {
            text.push_str(&format!("{now}{}\n", remarks(explanation, container)));
            heading = now;
        }
        text.push_str(&entry(container));
    }
    text.push_str(&changes(explanation));
    for note in &explanation.notes {
        text.push_str(&format!("note: {}\n", line(note)));
    }
    let count = |severity: Severity| {
        let warnings = explanation
            .containers
            .iter()
            .flat_map(|container| &container.warnings);
        warnings
            .filter(|warning| warning.severity == severity)
            .count()
    };
    let (warnings, notes) = (count(Severity::Warning), count(Severity::Note));
    if !explanation.refusals.is_empty() {
        let count = explanation.refusals.len();
        text.push_str(&format!("{}, ", plural(count, "refusal")));
    }
    text.push_str(&format!(
        "{}, {}, {}\n",
        plural(explanation.containers.len(), "container"),
        plural(warnings, "warning"),
        plural(notes, "note")
    ));
    text
}

fn remarks(explanation: &Explanation, container: &Container) -> String {
    let operator = explanation
        .operators
        .iter()
        .find(|operator| operator.release == container.operator);
    let Some(operator) = operator else {
        return String::new();
    };
    let mut text = String::new();
    if !operator.flags_are_ordered {
        text.push_str(
            "\n  the order of generated flags is random on this release: each Pod has another one than shown here",
        );
    }
    if let Some(reason) = &operator.unverified {
        text.push_str(&format!("\n  warning: {}", line(reason)));
    }
    if operator.provisional {
        text.push_str("\n  provisional: no scenario has proven this release on a running operator; its rules were read in sources");
    }
    text
}

fn entry(container: &Container) -> String {
    let role = match container.role {
        ContainerRole::Head => "head",
        ContainerRole::Worker => "worker",
        ContainerRole::Autoscaler => "autoscaler",
        ContainerRole::Init => "init",
        ContainerRole::Submitter => "submitter",
    };
    let group = if container.group.is_empty() {
        String::new()
    } else {
        format!(" of {}", line(&container.group))
    };
    let mut text = format!(
        "\n  {role} container {}{group}\n",
        line(&container.container)
    );
    text.push_str(&list("command", &container.command));
    text.push_str(&list("args", &container.args));
    let injected: Vec<&Variable> = container
        .env
        .iter()
        .filter(|variable| variable.injected)
        .collect();
    for (index, variable) in injected.iter().enumerate() {
        text.push_str(&format!(
            "    {:<8} {}\n",
            if index == 0 { "env" } else { "" },
            describe(variable)
        ));
    }
    for warning in &container.warnings {
        text.push_str(&warn(&container.object.file, warning));
    }
    text.push('\n');
    text
}

fn list(title: &str, words: &[String]) -> String {
    if words.is_empty() {
        return format!("    {title:<8} none: the image's own\n");
    }
    let words = words.iter().enumerate();
    words
        .map(|(index, word)| {
            format!(
                "    {:<8} {}\n",
                if index == 0 { title } else { "" },
                quoted(word)
            )
        })
        .collect()
}

fn describe(variable: &Variable) -> String {
    let name = line(&variable.name);
    match (&variable.value, &variable.value_from) {
        (Some(value), _) => format!("{name}={}", quoted(value)),
        (None, Some(from)) => match from.pointer("/fieldRef/fieldPath") {
            Some(path) => format!(
                "{name} from the Pod's {}",
                line(path.as_str().unwrap_or_default())
            ),
            None => format!("{name} from {}", line(&from.to_string())),
        },
        (None, None) => name,
    }
}

fn warn(file: &str, warning: &Warning) -> String {
    let severity = warning.severity.word();
    let Location {
        line: number,
        column,
    } = warning.location;
    format!(
        "    {severity} {} {} at {}:{number}:{column} {}\n      {}\n      Instead: {}\n",
        warning.rule,
        warning.id,
        line(file),
        line(&warning.path),
        line(&warning.message),
        line(&warning.help)
    )
}

fn changes(explanation: &Explanation) -> String {
    let mut text = String::new();
    let [first, .., last] = &explanation.operators[..] else {
        return text;
    };
    if explanation.changes.is_empty() {
        return format!(
            "From {} to {} nothing changes.\n",
            first.release, last.release
        );
    }
    for change in &explanation.changes {
        let group = if change.group.is_empty() {
            String::new()
        } else {
            format!(" of {}", line(&change.group))
        };
        text.push_str(&format!(
            "From {} to {}: {} {}, container {}{group}\n",
            change.from,
            change.to,
            line(&change.object.kind),
            line(&change.object.name),
            line(&change.container)
        ));
        text.extend(
            change
                .diff
                .lines()
                .map(|part| format!("  {}\n", line(part))),
        );
        text.push('\n');
    }
    text
}
