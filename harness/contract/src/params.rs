//! The parameters of `ray start`: the user's, those that are always added, and those that come from
//! resources.

use std::collections::BTreeMap;

use super::feature::Context;
use super::input::{Group, RayCluster, Resources};
use super::names::HeadAddress;
use super::quantity::Quantity;
use super::{Feature, PodRole, Text, go};

const RAY_RESOURCE: [(&str, &str); 2] = [
    ("aws.amazon.com/neuroncore", "neuron_cores"),
    ("google.com/tpu", "TPU"),
];

/// Parameters by name; a value that the operator draws at random has several forms.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(BTreeMap<String, Vec<String>>);

impl Params {
    pub fn of(group: &Group) -> Self {
        let single = |(name, value): (&String, &String)| (name.clone(), vec![value.clone()]);
        Self(group.ray_start_params.iter().map(single).collect())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.into(), vec![value.into()]);
    }

    fn one_of(&mut self, name: &str, values: impl IntoIterator<Item = i64>) {
        let mut forms: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        forms.sort();
        forms.dedup();
        if !forms.is_empty() {
            self.0.insert(name.into(), forms);
        }
    }

    /// Returns a parameter; the first form of one that has several.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .and_then(|forms| forms.first())
            .map(String::as_str)
    }

    /// Returns whether `ray start` blocks.
    pub fn block(&self) -> bool {
        self.value("block")
            .is_some_and(|value| value.to_lowercase() == "true")
    }

    /// The group's own `resources` and `labels`, which replace parameters.
    pub fn add_group_fields(&mut self, context: &Context, group: &Group) {
        if !group.resources.is_empty() && context.uses(Feature::GroupResources) {
            self.add_group_resources(context, &group.resources);
        }
        if !group.labels.is_empty() && context.uses(Feature::GroupLabels) {
            let labels: Vec<String> = group
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            self.set("labels", labels.join(","));
        }
    }

    fn add_group_resources(&mut self, context: &Context, resources: &BTreeMap<String, String>) {
        let mut found: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let mut custom = BTreeMap::new();
        for (name, quantity) in resources {
            let Some(quantity) = Quantity::parse(quantity) else {
                continue;
            };
            let lower = name.to_lowercase();
            let parameter = match lower.as_str() {
                "cpu" => "num-cpus",
                "memory" => "memory",
                lower if is_gpu(context, lower) => "num-gpus",
                _ => {
                    custom.insert(name.clone(), quantity.approximate());
                    continue;
                }
            };
            found
                .entry(parameter)
                .or_default()
                .push(quantity.rounded_up());
        }
        // Two names for one parameter: which one wins is the order of a Go map.
        for (parameter, values) in found {
            self.one_of(parameter, values);
        }
        if !custom.is_empty() {
            self.set("resources", format!("'{}'", go::json_of_floats(&custom)));
        }
    }

    /// Sets the parameters that every Ray node gets.
    pub fn add_defaults(
        &mut self,
        context: &Context,
        role: PodRole,
        cluster: &RayCluster,
        head: &HeadAddress,
    ) {
        if role == PodRole::Worker && !self.has("address") && context.uses(Feature::WorkerAddress) {
            self.set("address", head.gcs());
        }
        if role == PodRole::Head
            && !self.has("dashboard-host")
            && context.uses(Feature::DashboardHost)
        {
            self.set("dashboard-host", "0.0.0.0");
        }
        if !self.has("metrics-export-port") && context.uses(Feature::MetricsExportPort) {
            self.set("metrics-export-port", "8080");
        }
        if context.uses(Feature::BlockForced)
            || !self.has("block") && context.uses(Feature::BlockDefault)
        {
            self.set("block", "true");
        }
        if !self.has("dashboard-agent-listen-port") {
            let annotation = cluster
                .metadata
                .annotations
                .get("ray.io/enableAgentService");
            let for_service = annotation.is_some_and(|value| value == "true");
            if context.uses(Feature::AgentPort)
                || for_service && context.uses(Feature::AgentPortForServices)
            {
                self.set("dashboard-agent-listen-port", "52365");
            }
        }
    }

    /// Sets the parameters that follow from the resources of the Ray container.
    pub fn add_resources(&mut self, context: &Context, resources: &Resources) {
        let amount = |of: &BTreeMap<String, super::input::Amount>, name: &str| {
            of.get(name)
                .map(|amount| amount.0)
                .filter(|quantity| !quantity.is_zero())
        };
        if !self.has("num-cpus") {
            if let Some(limit) = amount(&resources.limits, "cpu") {
                context.uses(Feature::CpusFromLimits);
                self.set("num-cpus", limit.rounded_up().to_string());
            } else if let Some(request) = amount(&resources.requests, "cpu")
                && context.uses(Feature::CpusFromRequests)
            {
                self.set("num-cpus", request.rounded_up().to_string());
            }
        }
        if !self.has("memory")
            && let Some(limit) = amount(&resources.limits, "memory")
        {
            context.uses(Feature::MemoryFromLimits);
            self.set("memory", limit.rounded_up().to_string());
        }
        let limits: Vec<(&str, Quantity)> = resources
            .limits
            .iter()
            .map(|(name, amount)| (name.as_str(), amount.0))
            .filter(|(_, quantity)| !quantity.is_zero())
            .collect();
        if context.has(Feature::AnyGpuFromLimits) {
            let gpus: Vec<i64> = limits
                .iter()
                .filter(|(name, _)| name.ends_with("gpu"))
                .map(|(_, quantity)| quantity.rounded_up())
                .collect();
            if !self.has("num-gpus") && !gpus.is_empty() {
                context.uses(Feature::AnyGpuFromLimits);
                self.one_of("num-gpus", gpus);
            }
        } else if !resources.limits.is_empty() {
            self.add_accelerators(context, &limits);
        }
    }

    fn add_accelerators(&mut self, context: &Context, limits: &[(&str, Quantity)]) {
        let own = self
            .value("resources")
            .map(|text| text.trim_matches(['\'', '"', '`', ' ']));
        let Some(mut custom) = own.map_or(Some(BTreeMap::new()), numbers) else {
            context.uses(Feature::UnreadableResources);
            return;
        };
        let mut accelerated = RAY_RESOURCE
            .iter()
            .any(|(_, name)| custom.contains_key(*name));
        for (name, quantity) in limits {
            if !self.has("num-gpus") && is_gpu(context, name) {
                context.uses(Feature::FirstGpuFromLimits);
                self.set("num-gpus", quantity.rounded_up().to_string());
            }
            let ray_name = RAY_RESOURCE.iter().find(|(resource, _)| resource == name);
            if let Some((_, ray_name)) = ray_name
                && !accelerated
            {
                context.uses(Feature::AcceleratorFromLimits);
                custom.insert((*ray_name).into(), quantity.approximate());
                self.set("resources", format!("'{}'", go::json_of_floats(&custom)));
                accelerated = true;
            }
        }
    }

    /// `ray start` with every parameter as a flag.
    pub fn ray_start(&self, context: &Context, role: PodRole) -> Text {
        let flags = self
            .0
            .iter()
            .map(|(name, forms)| {
                forms
                    .iter()
                    .map(|value| flag(context, name, value))
                    .collect::<Vec<_>>()
            })
            .filter(|forms| forms.iter().any(|form| !form.is_empty()))
            .collect();
        let any_order = context.uses(Feature::FlagsInRandomOrder);
        context.uses(Feature::FlagsSorted);
        Text {
            before: if role == PodRole::Head {
                "ray start --head ".into()
            } else {
                "ray start ".into()
            },
            flags,
            any_order,
            after: String::new(),
        }
    }
}

fn flag(context: &Context, name: &str, value: &str) -> String {
    let lower = value.to_lowercase();
    let boolean = lower == "true" || lower == "false";
    if boolean && !keeps_boolean(context, name) {
        if lower == "false" {
            context.uses(Feature::SwitchOff);
            return String::new();
        }
        context.uses(Feature::SwitchOn);
        return format!(" --{name} ");
    }
    format!(" --{name}={value} ")
}

fn keeps_boolean(context: &Context, name: &str) -> bool {
    match name {
        "log-color" | "include-dashboard" => context.uses(Feature::BooleanValueKept),
        "include-log-monitor" => {
            !context.uses(Feature::LogMonitorAsSwitch) && context.uses(Feature::LogMonitorKept)
        }
        _ => false,
    }
}

fn is_gpu(context: &Context, name: &str) -> bool {
    name.ends_with("gpu") || is_mig_slice(name) && context.uses(Feature::MigFromLimits)
}

/// Returns whether the operator takes a resource for a slice of a GPU: its name ends as
/// `nvidia.com/mig-1g.5gb` (`IsGPUResourceKey` in utils/resources.go).
///
/// ```
/// use kuberay_contract::is_mig_slice;
///
/// assert!(is_mig_slice("nvidia.com/mig-1g.5gb"));
/// assert!(!is_mig_slice("nvidia.com/mig-1g.5gb.shared"));
/// ```
pub fn is_mig_slice(name: &str) -> bool {
    let Some((_, slice)) = name.rsplit_once("nvidia.com/mig-") else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = slice
        .strip_suffix("gb")
        .and_then(|slice| slice.split_once("g."));
    parts.is_some_and(|(slices, memory)| number(slices) && number(memory))
}

/// A JSON object of numbers, as Go reads it: `null` is an empty one, and a number that is `null` is
/// 0.
fn numbers(text: &str) -> Option<BTreeMap<String, f64>> {
    match serde_json::from_str::<Option<BTreeMap<String, Option<f64>>>>(text).ok()? {
        None => Some(BTreeMap::new()),
        Some(map) => Some(
            map.into_iter()
                .map(|(name, value)| (name, value.unwrap_or_default()))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::is_mig_slice;

    #[rstest]
    #[case("nvidia.com/mig-1g.5gb", true)]
    #[case("x.nvidia.com/mig-12g.32gb", true)]
    #[case("nvidia.com/mig-1g.5gb.shared", false)]
    #[case("nvidia.com/mig-g.5gb", false)]
    #[case("nvidia.com/mig-1g.gb", false)]
    #[case("nvidia.com/mig-1g5gb", false)]
    #[case("nvidia.com/gpu", false)]
    fn slices_of_gpus(#[case] name: &str, #[case] mig: bool) {
        assert_eq!(is_mig_slice(name), mig);
    }
}
