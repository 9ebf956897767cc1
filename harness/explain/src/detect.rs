//! Finds traps in a manifest; what a release does decides which of them count.

use kuberay_contract::{ContainerContract, EnvValue, Feature};
use kuberay_manifest::Cursor;
use semver::Version;

use super::document::Warning;
use super::shell::{self, End};
use super::warning::{self as trap, Trap};

const OVERWRITE: &str = "ray.io/overwrite-container-cmd";

/// What is known about a group of a RayCluster on one release.
pub(super) struct Group<'a> {
    pub release: &'a Version,
    /// The RayCluster, RayJob or RayService.
    pub object: Cursor<'a>,
    /// `headGroupSpec` or an entry of `workerGroupSpecs`.
    pub group: Cursor<'a>,
    /// What the model says about its Ray container.
    pub ray: &'a ContainerContract,
}

fn has(feature: Feature, release: &Version) -> bool {
    feature.entry().covers(release)
}

fn warn(trap: &Trap, cursor: &Cursor, detail: &str) -> Warning {
    let message = if detail.is_empty() {
        trap.text.into()
    } else {
        format!("{detail}: {}", trap.text)
    };
    Warning {
        id: trap.id.into(),
        rule: trap.rule.into(),
        weight: trap.weight,
        place: cursor.into(),
        message,
        advice: trap.advice.into(),
    }
}

/// The traps of a group's Ray container, in the order of the file.
pub(super) fn of_group(group: &Group) -> Vec<Warning> {
    let mut found = Vec::new();
    let containers = group
        .group
        .find(&["template", "spec"])
        .map(|spec| spec.items("containers"))
        .unwrap_or_default();
    let Some(container) = containers.first() else {
        return found;
    };
    let words: Vec<Cursor> = [container.items("command"), container.items("args")].concat();
    annotations(group, &mut found);
    if group.ray.features.contains(&Feature::GeneratedCommand) {
        generated(&words, &mut found);
    } else {
        kept(group, &words, &mut found);
    }
    expanded(group, &words, &mut found);
    parameters(group, &mut found);
    resources(group, container, &mut found);
    order(&containers, &mut found);
    found.sort_by_key(|warning| (warning.place.line, warning.place.column));
    found
}

fn annotations(group: &Group, found: &mut Vec<Warning>) {
    for owner in [Some(group.object.clone()), group.group.get("template")]
        .into_iter()
        .flatten()
    {
        let Some(metadata) = owner.get("metadata") else {
            continue;
        };
        for (name, value) in metadata.entries("annotations") {
            let is_true = value.text().to_lowercase() == "true";
            let is_false = value.text().to_lowercase() == "false";
            if name == OVERWRITE
                && !is_false
                && !(is_true && has(Feature::OverwriteOnCluster, group.release))
            {
                found.push(warn(
                    trap::ANNOTATION_IGNORED,
                    &value,
                    &format!("{:?}", value.text()),
                ));
            }
        }
    }
}

/// Traps of a text that ` && ulimit …; ray start …` follows.
fn generated(words: &[Cursor], found: &mut Vec<Warning>) {
    let Some(last) = words.last() else { return };
    let text: String = words
        .iter()
        .map(|word| format!(" {} ", word.text()))
        .collect();
    let end = match shell::end(&text) {
        End::Command => None,
        End::Background => Some(trap::TRAILING_AMPERSAND),
        End::Semicolon => Some(trap::TRAILING_SEMICOLON),
        End::Newline => Some(trap::TRAILING_NEWLINE),
        End::Comment => Some(trap::TRAILING_COMMENT),
    };
    found.extend(end.map(|trap| warn(trap, last, "")));
    if let Some(word) = shell::ends_shell(&text) {
        let at = words
            .iter()
            .find(|cursor| cursor.text().contains(&word))
            .unwrap_or(last);
        found.push(warn(trap::ENDS_SHELL, at, &format!("`{word}`")));
    } else if end.is_none() && !shell::stops_on_failure(&text) {
        found.push(warn(trap::FAILURE_SWALLOWED, last, ""));
    }
    if shell::sets_errexit(&text) {
        let at = words
            .iter()
            .find(|cursor| cursor.text().contains("set "))
            .unwrap_or(last);
        found.push(warn(trap::ERREXIT, at, ""));
    }
    let start = words
        .windows(2)
        .find(|pair| pair[0].text() == "ray" && pair[1].text() == "start");
    found.extend(start.map(|pair| warn(trap::RAY_START_IN_WORDS, &pair[0], "")));
    argv(words, found);
}

/// A shell or an interpreter with `-c`, whose script bash reads first.
fn argv(words: &[Cursor], found: &mut Vec<Warning>) {
    const TAKE_SCRIPTS: [&str; 7] = ["bash", "sh", "dash", "ash", "zsh", "python", "python3"];
    let Some(program) = words.first() else { return };
    let name = program.text().rsplit('/').next().unwrap_or_default();
    if !TAKE_SCRIPTS.contains(&name) {
        return;
    }
    let is_option = |text: &str| text.starts_with('-') && !text.starts_with("--");
    let option = words[1..]
        .iter()
        .position(|word| is_option(word.text()) && word.text().ends_with('c'));
    let Some(option) = option.map(|at| at + 1) else {
        return;
    };
    let script = words[option + 1..].iter().find(|word| word.text() != "--");
    match script {
        None => found.push(warn(trap::SHELL_WITHOUT_SCRIPT, &words[option], "")),
        Some(script)
            if !shell::is_quoted(script.text().trim())
                && shell::special(script.text()).is_some() =>
        {
            found.push(warn(trap::ARGV_LOSES_QUOTING, script, ""));
        }
        Some(_) => {}
    }
}

/// Traps of a command that the operator leaves as it is.
fn kept(group: &Group, words: &[Cursor], found: &mut Vec<Warning>) {
    const VARIABLE: &str = "KUBERAY_GEN_RAY_START_CMD";
    if group.ray.features.contains(&Feature::RayStartInText) {
        // Elements are joined by spaces, so the words may stand at the end of one and the start of the next.
        let at = words
            .iter()
            .find(|word| word.text().contains("ray start"))
            .or(words.first());
        found.extend(at.map(|at| warn(trap::RAY_START_IN_TEXT, at, "")));
    }
    let command = group
        .ray
        .variable(VARIABLE)
        .map(|variable| match &variable.value {
            EnvValue::Text(text) => text.to_string(),
            EnvValue::From(_) => String::new(),
        });
    if !command.is_some_and(|command| command.contains(['\'', '"', '$', '`', '\\'])) {
        return;
    }
    let uses = words.iter().filter(|word| {
        let text = word.text();
        (text.contains(&format!("${VARIABLE}")) || text.contains(&format!("${{{VARIABLE}}}")))
            && !text.contains("eval")
    });
    found.extend(uses.map(|word| warn(trap::GEN_CMD_UNQUOTED, word, "")));
}

/// `$(NAME)` of a variable that the container has, and `$$`.
fn expanded(group: &Group, words: &[Cursor], found: &mut Vec<Warning>) {
    for word in words {
        let text = word.text();
        let name = references(text).find(|name| group.ray.variable(name).is_some());
        if let Some(name) = name {
            found.push(warn(trap::KUBELET_EXPANDS, word, &format!("`$({name})`")));
        } else if text.contains("$$") {
            found.push(warn(trap::KUBELET_EXPANDS, word, "`$$` becomes `$`"));
        }
    }
}

fn references(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("$(")
        .filter_map(|(at, _)| text[at + 2..].split_once(')').map(|(name, _)| name))
}

fn parameters(group: &Group, found: &mut Vec<Warning>) {
    let release = group.release;
    for (name, value) in group.group.entries("rayStartParams") {
        let text = value.text();
        let lower = text.to_lowercase();
        if name == "block" {
            if lower != "true" && has(Feature::BlockForced, release) {
                found.push(warn(trap::BLOCK_IGNORED, &value, ""));
            }
            continue;
        }
        let kept = matches!(name, "log-color" | "include-dashboard")
            || name == "include-log-monitor" && has(Feature::LogMonitorKept, release);
        if lower == "false" && !kept {
            found.push(warn(trap::FALSE_DROPPED, &value, name));
        }
        if let Some(special) = shell::special(text) {
            found.push(warn(
                trap::SHELL_IN_PARAMETER,
                &value,
                &format!("`{special}` in {name}"),
            ));
        }
    }
}

fn resources(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    let release = group.release;
    for field in ["resources", "labels"] {
        if let Some(value) = group.group.get(field)
            && !has(Feature::GroupResources, release)
        {
            found.push(warn(trap::GROUP_FIELD_IGNORED, &value, field));
        }
    }
    let limits = container
        .get("resources")
        .map(|resources| resources.entries("limits"))
        .unwrap_or_default();
    let accelerators = limits.iter().filter(|(name, _)| is_accelerator(name));
    let gives_cpus =
        group
            .ray
            .variable("KUBERAY_GEN_RAY_START_CMD")
            .map(|variable| match &variable.value {
                EnvValue::Text(text) => text.to_string(),
                EnvValue::From(_) => String::new(),
            });
    let gives_cpus = gives_cpus
        .or_else(|| group.ray.args.first().map(ToString::to_string))
        .unwrap_or_default();
    let from_generated = has(Feature::GenRayStartCmd, release)
        || group.ray.features.contains(&Feature::GeneratedCommand);
    if from_generated && !gives_cpus.contains(" --num-cpus") {
        found.push(warn(trap::NO_CPU_LIMIT, container, ""));
    }
    if group.ray.features.contains(&Feature::UnreadableResources) {
        if accelerators.clone().next().is_some()
            && let Some(value) = group.group.find(&["rayStartParams", "resources"])
        {
            found.push(warn(trap::RESOURCES_HIDE_GPUS, &value, ""));
        }
        return;
    }
    for (name, value) in accelerators {
        let known = name.ends_with("gpu")
            || name.contains("/mig-") && has(Feature::MigFromLimits, release)
            || !name.contains("/mig-") && has(Feature::AcceleratorFromLimits, release);
        if !known {
            found.push(warn(trap::ACCELERATOR_IGNORED, value, name));
        }
    }
}

fn is_accelerator(name: &str) -> bool {
    name.ends_with("gpu")
        || name.starts_with("nvidia.com/mig-")
        || matches!(name, "google.com/tpu" | "aws.amazon.com/neuroncore")
}

/// Another container looks more like Ray's than the first one.
fn order(containers: &[Cursor], found: &mut Vec<Warning>) {
    let looks_like_ray = |container: &Cursor| {
        ["name", "image"].iter().any(|key| {
            container
                .get(key)
                .is_some_and(|value| value.text().contains("ray"))
        })
    };
    if let Some((first, others)) = containers.split_first()
        && !looks_like_ray(first)
        && others.iter().any(looks_like_ray)
    {
        found.push(warn(trap::RAY_NOT_FIRST, first, ""));
    }
}

/// The traps of an autoscaler.
pub(super) fn of_autoscaler(release: &Version, options: Option<&Cursor>) -> Vec<Warning> {
    if has(Feature::AutoscalerOverride, release) {
        return Vec::new();
    }
    let fields = ["command", "args"]
        .iter()
        .filter_map(|field| options.and_then(|options| options.get(field)));
    fields
        .map(|field| warn(trap::AUTOSCALER_COMMAND_IGNORED, &field, ""))
        .collect()
}

/// The traps of a submitter.
pub(super) fn of_submitter(ray: &ContainerContract, job: &Cursor) -> Vec<Warning> {
    let Some(entrypoint) = job.find(&["spec", "entrypoint"]) else {
        return Vec::new();
    };
    let pieces = shell::pieces(entrypoint.text().trim());
    let breaks = pieces
        .iter()
        .any(|piece| !matches!(piece, shell::Piece::Word(_)));
    let expands = pieces
        .iter()
        .any(|piece| matches!(piece, shell::Piece::Word(word) if word.contains('`') || word.contains("$(")));
    if ray.features.contains(&Feature::SubmitterScript) && (breaks || expands) {
        vec![warn(trap::ENTRYPOINT_RUNS_HERE, &entrypoint, "")]
    } else {
        Vec::new()
    }
}
