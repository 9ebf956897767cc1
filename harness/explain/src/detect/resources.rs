//! Traps of resources: CPUs that Ray does not learn of, and accelerators that become no flag.

use kuberay_contract::Feature;
use kuberay_manifest::Cursor;
use kuberay_manifest::yaml::Yaml;

use super::{Group, has, warn};
use crate::document::Warning;
use crate::shell;
use crate::warning as trap;

/// The traps of a group's resources; `reaches` says whether the generated flags are used.
pub(super) fn of_group(group: &Group, container: &Cursor, reaches: bool, found: &mut Vec<Warning>) {
    let release = group.release;
    for field in ["resources", "labels"] {
        if let Some(value) = group.group.get(field)
            && !has(Feature::GroupResources, release)
        {
            found.push(warn(trap::GROUP_FIELD_IGNORED, &value, field));
        }
    }
    if !reaches {
        return;
    }
    cpus(group, container, found);
    let limits = container
        .get("resources")
        .map(|resources| resources.entries("limits"))
        .unwrap_or_default();
    let accelerators = limits.iter().filter(|(name, _)| is_accelerator(name));
    let parameter = |name: &str| group.group.find(&["rayStartParams", name]);
    if group.ray.features.contains(&Feature::UnreadableResources) {
        if let Some(value) = parameter("resources") {
            // What Ray reads in it after the shell.
            let own = shell::literal(value.text())
                .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
                .unwrap_or_default();
            let hides = limits.iter().any(|(name, _)| {
                let given = match *name {
                    "google.com/tpu" => own.get("TPU").is_some(),
                    "aws.amazon.com/neuroncore" => own.get("neuron_cores").is_some(),
                    _ => parameter("num-gpus").is_some(),
                };
                is_derived(name) && !given
            });
            if hides {
                found.push(warn(trap::RESOURCES_HIDE_GPUS, &value, ""));
            }
        }
        return;
    }
    let own = group.group.get("resources");
    let given =
        parameter("resources").is_some() || own.is_some() && has(Feature::GroupResources, release);
    for (name, value) in accelerators {
        let gpus = name.to_lowercase().contains("gpu") || name.contains("/mig-");
        let known = name.ends_with("gpu")
            || is_mig(name) && has(Feature::MigFromLimits, release)
            || is_derived(name) && !is_mig(name) && has(Feature::AcceleratorFromLimits, release)
            || given
            || gpus && parameter("num-gpus").is_some();
        if !known {
            found.push(warn(trap::ACCELERATOR_IGNORED, value, name));
        }
    }
}

fn cpus(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    let command = group
        .generated()
        .or_else(|| group.ray.args.first().map(ToString::to_string))
        .unwrap_or_default();
    if command.contains(" --num-cpus") {
        return;
    }
    let mut warning = warn(trap::NO_CPU_LIMIT, container, "");
    if autoscales(&group.object) {
        warning.message.push_str(
            " With enableInTreeAutoscaling the autoscaler needs the number, too: it exits with an exception, and the \
             head's Pod restarts again and again.",
        );
    }
    found.push(warning);
}

fn autoscales(object: &Cursor) -> bool {
    let spec = ["rayClusterSpec", "rayClusterConfig"]
        .iter()
        .find_map(|field| object.find(&["spec", field]))
        .or_else(|| object.get("spec"));
    spec.and_then(|spec| spec.get("enableInTreeAutoscaling"))
        .is_some_and(|value| value.node.value == Yaml::Bool(true))
}

/// Whether some release derives a flag from a limit.
fn is_derived(name: &str) -> bool {
    name.ends_with("gpu")
        || is_mig(name)
        || matches!(name, "google.com/tpu" | "aws.amazon.com/neuroncore")
}

fn is_mig(name: &str) -> bool {
    name.starts_with("nvidia.com/mig-")
}

/// Whether a limit stands for a device that computes.
fn is_accelerator(name: &str) -> bool {
    const WORDS: [&str; 19] = [
        "ascend", "npu", "gaudi", "tpu", "neuron", "gpu", "i915", "mlu", "dcu", "gcu", "xpu",
        "ipu", "fpga", "qaic", "hpu", "vacc", "rngd", "warboy", "atom",
    ];
    // Shares of a device, and what belongs to one.
    const PARTS: [&str; 5] = ["mem", "memory", "cores", "percentage", "mem-percentage"];
    let Some((domain, kind)) = name.rsplit_once('/') else {
        return false;
    };
    let (domain, kind) = (domain.to_lowercase(), kind.to_lowercase());
    let is_part = PARTS.iter().any(|part| kind.ends_with(part));
    let is_intel = domain == "gpu.intel.com" && matches!(kind.as_str(), "i915" | "xe");
    is_intel || !is_part && (WORDS.iter().any(|word| kind.contains(word)) || is_mig(name))
}
