//! Traps of resources: CPUs that Ray does not learn of, and accelerators that become no flag.

use kuberay_contract::{Feature, is_mig_slice};
use kuberay_manifest::Cursor;
use kuberay_manifest::yaml::Yaml;
use semver::Version;

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
    // A share counts for its device where the vendor's device is not given as a whole.
    let whole = |domain: &str| {
        let mut all = limits.iter().filter(|(name, _)| is_accelerator(name));
        all.any(|(name, _)| parts(name).0 == domain)
    };
    let accelerators = limits
        .iter()
        .filter(|(name, _)| is_accelerator(name) || is_share(name) && !whole(&parts(name).0));
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
    let own = if has(Feature::GroupResources, release) {
        group.group.entries("resources")
    } else {
        Vec::new()
    };
    let given = UserResources::of(parameter("resources").as_ref(), &own);
    for (name, value) in accelerators {
        let gpus = name.to_lowercase().contains("gpu") || name.contains("/mig-");
        let known = name.ends_with("gpu")
            || is_mig_slice(name) && has(Feature::MigFromLimits, release)
            || is_derived(name) && !is_mig(name) && has(Feature::AcceleratorFromLimits, release)
            || given.names(name)
            || gpus && parameter("num-gpus").is_some();
        if !known {
            found.push(warn(trap::ACCELERATOR_IGNORED, value, name));
        }
    }
}

/// Limits without requests, which end the operator of one release (`calculatePodResource` in
/// `utils/util.go` of 1.1.0).
pub(super) fn of_containers(release: &Version, containers: &[Cursor], found: &mut Vec<Warning>) {
    if (release.major, release.minor, release.patch) != (1, 1, 0) {
        return;
    }
    for container in containers {
        let Some(resources) = container.get("resources") else {
            continue;
        };
        let requests = resources.get("requests");
        // Go reads `{}` as a map that is there.
        let absent = requests.is_none_or(|requests| requests.node.value == Yaml::Null);
        if absent && !resources.entries("limits").is_empty() {
            found.push(warn(trap::LIMITS_END_THE_OPERATOR, &resources, ""));
        }
    }
}

/// The resources that a user gives Ray.
struct UserResources {
    names: Vec<String>,
    /// `true` if some of them are not known here.
    others: bool,
}

impl UserResources {
    /// Reads `resources` of the parameters and of the group.
    fn of(parameter: Option<&Cursor>, group: &[(&str, Cursor)]) -> Self {
        let text = parameter.map(|value| shell::literal(value.text()));
        let json = text.as_ref().map(|text| {
            let text = text.as_deref().unwrap_or_default();
            serde_json::from_str::<serde_json::Value>(text)
        });
        let (mut names, others) = match json {
            None => (Vec::new(), false),
            Some(Ok(serde_json::Value::Object(json))) => {
                (json.keys().map(|name| name.to_lowercase()).collect(), false)
            }
            Some(_) => (Vec::new(), true),
        };
        names.extend(group.iter().map(|(name, _)| name.to_lowercase()));
        Self { names, others }
    }

    /// Returns whether one of them stands for the device of a limit: it has its name, or that under
    /// which Ray counts it.
    fn names(&self, limit: &str) -> bool {
        // Ray's own names for the devices of these limits, and other common ones.
        const NAMES: [(&str, &[&str]); 8] = [
            ("ascend", &["npu"]),
            ("gaudi", &["hpu"]),
            ("hpu", &["gaudi"]),
            ("neuron", &["neuron", "trainium", "inferentia", "trn"]),
            ("i915", &["gpu", "xpu"]),
            ("vcuda", &["gpu"]),
            ("rngd", &["npu"]),
            ("warboy", &["npu"]),
        ];
        let limit = limit.to_lowercase();
        let kind = parts(&limit).1;
        let words = WORDS.iter().filter(|word| kind.contains(*word));
        let other = NAMES
            .iter()
            .filter(|(word, _)| kind.contains(word))
            .flat_map(|(_, names)| *names);
        let mut device: Vec<&str> = words.chain(other).copied().collect();
        if limit.starts_with("cloud-tpus.google.com/") {
            device.push("tpu");
        }
        if is_mig(&limit) {
            device.extend(["gpu", "mig"]);
        }
        let is_device = |name: &String| {
            *name == limit || *name == kind || device.iter().any(|word| name.contains(word))
        };
        self.others || self.names.iter().any(is_device)
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

pub(super) fn autoscales(object: &Cursor) -> bool {
    let spec = super::cluster_spec(object);
    spec.and_then(|spec| spec.get("enableInTreeAutoscaling"))
        .is_some_and(|value| value.node.value == Yaml::Bool(true))
}

/// Returns whether some release derives a flag from a limit.
fn is_derived(name: &str) -> bool {
    name.ends_with("gpu")
        || is_mig_slice(name)
        || matches!(name, "google.com/tpu" | "aws.amazon.com/neuroncore")
}

fn is_mig(name: &str) -> bool {
    name.starts_with("nvidia.com/mig-")
}

/// Returns whether a limit stands for a device that computes.
fn is_accelerator(name: &str) -> bool {
    let (domain, kind) = parts(name);
    let is_intel = domain == "gpu.intel.com" && matches!(kind.as_str(), "i915" | "xe");
    // These are named after the generation alone, such as v3.
    let is_tpu = domain == "cloud-tpus.google.com";
    is_intel || is_tpu || !is_part(&kind) && (is_device(&kind) || is_mig(name))
}

/// Returns whether a limit stands for a share of a device alone, such as a part of its memory.
fn is_share(name: &str) -> bool {
    let (_, kind) = parts(name);
    is_part(&kind) && is_device(&kind)
}

fn parts(name: &str) -> (String, String) {
    let (domain, kind) = name.rsplit_once('/').unwrap_or_default();
    (domain.to_lowercase(), kind.to_lowercase())
}

fn is_part(kind: &str) -> bool {
    const PARTS: [&str; 6] = [
        "mem",
        "memory",
        "core",
        "cores",
        "percentage",
        "mem-percentage",
    ];
    // `neuroncore` is a device of its own.
    !kind.starts_with("neuron") && PARTS.iter().any(|part| kind.ends_with(part))
}

/// Words in the names of devices that compute.
const WORDS: [&str; 20] = [
    "ascend", "npu", "gaudi", "tpu", "neuron", "gpu", "i915", "mlu", "dcu", "gcu", "xpu", "ipu",
    "fpga", "qaic", "hpu", "vacc", "rngd", "warboy", "atom", "vcuda",
];

fn is_device(kind: &str) -> bool {
    WORDS.iter().any(|word| kind.contains(word))
}
