//! Finds traps in a manifest; what a release does decides which of them count.

mod command;

use kuberay_contract::{ContainerContract, EnvValue, Feature};
use kuberay_manifest::{Cursor, Location};
use semver::Version;

use super::document::{Place, Warning};
use super::shell;
use super::warning::{self as trap, Trap};

const OVERWRITE: &str = "ray.io/overwrite-container-cmd";

/// What is known about a group of a RayCluster on one release.
pub(super) struct Group<'a> {
    pub release: &'a Version,
    /// The RayCluster, RayJob or RayService.
    pub object: Cursor<'a>,
    /// `headGroupSpec` or an entry of `workerGroupSpecs`.
    pub group: Cursor<'a>,
    /// The text of the file.
    pub source: &'a str,
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

/// A warning at a place inside of a value.
fn warn_at(trap: &Trap, cursor: &Cursor, location: Location, detail: &str) -> Warning {
    Warning {
        place: Place {
            path: cursor.path().into(),
            line: location.line,
            column: location.column,
        },
        ..warn(trap, cursor, detail)
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
        command::generated(group, &words, &mut found);
    } else {
        command::kept(group, &words, container, &mut found);
    }
    command::expanded(group, &words, &mut found);
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
