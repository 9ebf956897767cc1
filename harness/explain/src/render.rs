//! An explanation as text for people.

use super::Weight;
use super::document::{Container, Explanation, Role, Variable, Warning};

/// The explanation as text; every string is quoted, because its spaces count.
pub fn render(explanation: &Explanation) -> String {
    let mut text = String::new();
    let mut heading = String::new();
    for container in &explanation.containers {
        let object = &container.object;
        let now = format!(
            "{} {} ({}:{}) on KubeRay {}",
            object.kind, object.name, explanation.file, object.line, container.operator
        );
        if now != heading {
            text.push_str(&format!("{now}{}\n", remarks(explanation, container)));
            heading = now;
        }
        text.push_str(&entry(explanation, container));
    }
    text.push_str(&changes(explanation));
    for note in &explanation.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let count = |weight: Weight| {
        let warnings = explanation.containers.iter().flat_map(|container| &container.warnings);
        warnings.filter(|warning| warning.weight == weight).count()
    };
    let (warnings, notes) = (count(Weight::Warning), count(Weight::Note));
    text.push_str(&format!(
        "{}, {}, {}\n",
        plural(explanation.containers.len(), "container"),
        plural(warnings, "warning"),
        plural(notes, "note")
    ));
    text
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn remarks(explanation: &Explanation, container: &Container) -> String {
    let operator = explanation
        .operators
        .iter()
        .find(|operator| operator.release == container.operator);
    let Some(operator) = operator else { return String::new() };
    let mut text = String::new();
    if !operator.flags_are_ordered {
        text.push_str(
            "\n  the order of generated flags is random on this release: each Pod has another one than shown here",
        );
    }
    if operator.provisional {
        text.push_str("\n  provisional: no scenario has proven this release on a running operator; its rules were read in sources");
    }
    text
}

fn entry(explanation: &Explanation, container: &Container) -> String {
    let role = match container.role {
        Role::Head => "head",
        Role::Worker => "worker",
        Role::Autoscaler => "autoscaler",
        Role::Init => "init",
        Role::Submitter => "submitter",
    };
    let group = if container.group.is_empty() {
        String::new()
    } else {
        format!(" of {}", container.group)
    };
    let mut text = format!("\n  {role} container {}{group}\n", container.container);
    text.push_str(&list("command", &container.command));
    text.push_str(&list("args", &container.args));
    let injected: Vec<&Variable> = container.env.iter().filter(|variable| variable.injected).collect();
    for (index, variable) in injected.iter().enumerate() {
        text.push_str(&format!(
            "    {:<8} {}\n",
            if index == 0 { "env" } else { "" },
            describe(variable)
        ));
    }
    for warning in &container.warnings {
        text.push_str(&warn(explanation, warning));
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
        .map(|(index, word)| format!("    {:<8} {}\n", if index == 0 { title } else { "" }, quoted(word)))
        .collect()
}

fn describe(variable: &Variable) -> String {
    match (&variable.value, &variable.value_from) {
        (Some(value), _) => format!("{}={}", variable.name, quoted(value)),
        (None, Some(from)) => match from.pointer("/fieldRef/fieldPath") {
            Some(path) => format!("{} from the Pod's {}", variable.name, path.as_str().unwrap_or_default()),
            None => format!("{} from {from}", variable.name),
        },
        (None, None) => variable.name.clone(),
    }
}

fn warn(explanation: &Explanation, warning: &Warning) -> String {
    let weight = match warning.weight {
        Weight::Warning => "warning",
        Weight::Note => "note",
    };
    let place = &warning.place;
    format!(
        "    {weight} {} {} at {}:{}:{} {}\n      {}\n      Instead: {}\n",
        warning.rule,
        warning.id,
        explanation.file,
        place.line,
        place.column,
        place.path,
        warning.message,
        warning.advice
    )
}

fn changes(explanation: &Explanation) -> String {
    let mut text = String::new();
    let [first, .., last] = &explanation.operators[..] else {
        return text;
    };
    if explanation.changes.is_empty() {
        return format!("From {} to {} nothing changes.\n", first.release, last.release);
    }
    for change in &explanation.changes {
        let group = if change.group.is_empty() {
            String::new()
        } else {
            format!(" of {}", change.group)
        };
        text.push_str(&format!(
            "From {} to {}: {} {}, container {}{group}\n",
            change.from, change.to, change.object.kind, change.object.name, change.container
        ));
        text.extend(change.diff.lines().map(|line| format!("  {line}\n")));
        text.push('\n');
    }
    text
}

/// A text in quotes in which spaces, line breaks and quotes can be seen.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
