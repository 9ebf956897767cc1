//! Finds traps in a manifest; what a release does decides which of them count.

mod command;
mod env;
mod job;
mod kept;
mod lost_quotes;
mod options;
mod own_start;
mod params;
mod parents;
mod ports;
mod resources;
mod submitter;
mod values;

use kuberay_contract::{
    ContainerContract, EffectiveSettings, EnvValue, Feature, RayCommand, counts_hosts,
};
use kuberay_manifest::yaml::Yaml;
use kuberay_manifest::{Cursor, Location};
use semver::Version;

use super::document::Warning;
use super::services;
use super::warning::{self as trap, Trap};

pub(super) use job::of_submitter;
pub(super) use parents::of_job;

const OVERWRITE: &str = "ray.io/overwrite-container-cmd";

/// A group of a RayCluster on one release.
pub(super) struct Group<'a> {
    pub release: &'a Version,
    /// The operator's settings.
    pub settings: &'a EffectiveSettings,
    /// The RayCluster, RayJob or RayService.
    pub object: Cursor<'a>,
    /// `headGroupSpec` or an entry of `workerGroupSpecs`.
    pub group: Cursor<'a>,
    /// The text of the file.
    pub source: &'a str,
    /// The model's prediction of its Ray container.
    pub ray: &'a ContainerContract,
}

impl Group<'_> {
    fn is_head(&self) -> bool {
        self.group.path().ends_with("headGroupSpec")
    }

    /// The names of the container's variables.
    fn variables(&self) -> Vec<&str> {
        self.ray
            .env
            .iter()
            .map(|variable| variable.name.as_str())
            .collect()
    }

    /// Returns whether the kubelet may replace `$(NAME)` of this name: the Pod defines it, or a
    /// Service.
    fn may_define(&self, name: &str) -> bool {
        self.ray.variable(name).is_some()
            || services::may_define(name, self.service_links())
            || env::is_capital(name) && self.has_env_from()
    }

    /// Returns whether `envFrom` may give the container variables that are not known here.
    fn has_env_from(&self) -> bool {
        let spec = self.group.find(&["template", "spec"]);
        let containers = spec.map(|spec| spec.items("containers"));
        let first = containers.as_deref().and_then(<[Cursor]>::first);
        first.is_some_and(|first| !first.items("envFrom").is_empty())
    }

    /// Returns whether the container has a variable of this name, as far as that is known.
    fn has_variable(&self, name: &str) -> bool {
        self.ray.variable(name).is_some() || services::likely_defines(name, self.service_links())
    }

    fn service_links(&self) -> bool {
        env::service_links(self.group.find(&["template", "spec"]).as_ref())
    }

    /// The generated `ray start`, where the release puts it into a variable.
    fn generated(&self) -> Option<String> {
        if !has(Feature::GenRayStartCmd, self.release) {
            return None;
        }
        let variable = self.ray.variable(command::GENERATED)?;
        Some(match &variable.value {
            EnvValue::Text(text) => text.to_string(),
            EnvValue::From(_) => String::new(),
        })
    }
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
        severity: trap.severity,
        path: cursor.path().into(),
        location: cursor.node.place.location,
        message,
        help: trap.help.into(),
    }
}

/// A warning at a place inside of a value.
fn warn_at(trap: &Trap, cursor: &Cursor, location: Location, detail: &str) -> Warning {
    Warning {
        location,
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
    let ray = options::Ray::of(&group.object, Some(container));
    annotations(group, &mut found);
    let joins = group.ray.features.contains(&Feature::GeneratedCommand);
    if joins {
        command::generated(group, &words, &mut found);
    } else {
        kept::of_text(group, &words, container, &mut found);
        let own = own_start::OwnStart::of(group, &words);
        if let Some(own) = own.filter(|own| own.has("--head") == group.is_head()) {
            ports::of_own(group, container, &own, &mut found);
        }
        options::of_words(&ray, RayCommand::Start, &words, group.source, &mut found);
    }
    command::expanded(group, &words, &mut found);
    // Flags from parameters and resources reach the generated command, or a text that uses its
    // variable.
    let reaches = joins
        || has(Feature::GenRayStartCmd, group.release)
            && words
                .iter()
                .any(|word| command::uses_generated(word.text()));
    if reaches {
        params::of_group(group, &ray, container, &mut found);
    }
    resources::of_group(group, container, reaches, &mut found);
    resources::of_containers(group.release, &containers, &mut found);
    env::of_ray(group, container, &mut found);
    for list in ["initContainers", "containers"] {
        let spec = group.group.find(&["template", "spec"]);
        let others = spec.as_ref().map(|spec| spec.items(list));
        for other in others.unwrap_or_default() {
            let is_ray = other.path() == container.path();
            let joined = group.ray.args.first().filter(|_| is_ray && joins);
            let joined = joined.map(ToString::to_string);
            env::of_container(&other, spec.as_ref(), joined.as_deref(), &mut found);
        }
    }
    order(&containers, &mut found);
    if group.is_head() {
        ports::of_gcs(group, container, &mut found);
        parents::of_head(group, container, &mut found);
    } else if let Some(suspend) = group.group.get("suspend")
        && suspend.node.value == Yaml::Bool(true)
        // Else the operator refuses the object.
        && group.settings.has_gate(group.release, "RayJobDeletionPolicy")
        && !resources::autoscales(&group.object)
    {
        found.push(warn(trap::GROUP_SUSPENDED, &suspend, ""));
    } else if let Some(hosts) = group.group.get("numOfHosts")
        && hosts
            .node
            .to_json()
            .as_i64()
            .is_some_and(|hosts| hosts <= 0)
        && counts_hosts(group.release)
    {
        found.push(warn(trap::GROUP_SUSPENDED, &hosts, "numOfHosts"));
    }
    names(group, &mut found);
    found.sort_by_key(|warning| warning.location);
    found
}

/// A worker group with the name of one before it.
fn names(group: &Group, found: &mut Vec<Warning>) {
    let Some(name) = group.group.get("groupName").filter(|_| !group.is_head()) else {
        return;
    };
    let groups = cluster_spec(&group.object).map(|spec| spec.items("workerGroupSpecs"));
    let groups = groups.unwrap_or_default();
    let mut before = groups
        .iter()
        .take_while(|other| other.path() != group.group.path())
        .filter_map(|other| other.get("groupName"));
    if before.any(|other| other.text() == name.text()) {
        found.push(warn(trap::GROUP_NAME_TWICE, &name, name.text()));
    }
}

/// The specification of the RayCluster in an object.
fn cluster_spec<'a>(object: &Cursor<'a>) -> Option<Cursor<'a>> {
    ["rayClusterSpec", "rayClusterConfig"]
        .iter()
        .find_map(|field| object.find(&["spec", field]))
        .or_else(|| object.get("spec"))
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
    // `$$(NAME)` is the text `$(NAME)` to the kubelet.
    text.match_indices("$(")
        .filter(|(at, _)| !text[..*at].ends_with('$'))
        .filter_map(|(at, _)| text[at + 2..].split_once(')').map(|(name, _)| name))
}

/// A text as the kubelet leaves it (`Expand` in `third_party/forked/golang/expansion` of
/// Kubernetes). Offsets stay: dots stand for the dollar signs that it takes out, and `value` gives
/// what stands for the `$(NAME)` of a name that it knows, with the same length.
fn after_kubelet(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        seen.push_str(&rest[..at]);
        rest = &rest[at..];
        let run = rest.len() - rest.trim_start_matches('$').len();
        let pairs = run / 2;
        if pairs > 0 {
            seen.push_str(&".".repeat(pairs));
            seen.push_str(&"$".repeat(pairs));
            rest = &rest[2 * pairs..];
            continue;
        }
        let name = rest[1..]
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'));
        // It does not look for names inside of what it does not know.
        let length = name.map_or(1, |(name, _)| name.len() + 3);
        match name.and_then(|(name, _)| value(name)) {
            Some(value) => seen.push_str(&value),
            None => seen.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    seen.push_str(rest);
    seen
}

/// Returns whether the kubelet takes a dollar sign that was hardly meant for it: of `$$$$` and
/// `$$(NAME)` that is the purpose.
fn loses_dollar(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find("$$") {
        rest = &rest[at..];
        let run = rest.len() - rest.trim_start_matches('$').len();
        rest = &rest[run..];
        if run < 4 && !rest.starts_with('(') {
            return true;
        }
    }
    false
}

/// Returns whether a container runs an image of Ray's.
fn has_ray_image(container: &Cursor) -> bool {
    let image = container.get("image");
    let image = image.as_ref().map_or("", |image| image.text());
    let name = image.rsplit('/').next().unwrap_or_default();
    let name = name.split([':', '@']).next().unwrap_or_default();
    image.starts_with("rayproject/") || name == "ray" || name.starts_with("ray-")
}

/// Returns whether a word of the container's name or image satisfies `fits`.
fn is_called(container: &Cursor, fits: impl Fn(&str) -> bool) -> bool {
    ["name", "image"].iter().any(|key| {
        container.get(key).is_some_and(|text| {
            text.text()
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(&fits)
        })
    })
}

/// Another container is Ray's by its image or its ports, and nothing about the first one is. What a
/// container is called proves nothing: sidecars of Ray's are named after it.
fn order(containers: &[Cursor], found: &mut Vec<Warning>) {
    let has_ports = |container: &Cursor| {
        container.items("ports").iter().any(|port| {
            let number = port.get("containerPort");
            let number = number.and_then(|number| number.node.to_json().as_i64());
            matches!(number, Some(6379 | 8265 | 10001))
        })
    };
    let may_be_ray = |container: &Cursor| {
        is_called(container, |part| part.starts_with("ray")) || has_ports(container)
    };
    if let Some((first, others)) = containers.split_first()
        && !may_be_ray(first)
        && others
            .iter()
            .any(|other| has_ray_image(other) || has_ports(other))
    {
        found.push(warn(trap::RAY_NOT_FIRST, first, ""));
    }
}

/// Warns where the submitter is not the first container of its template (`getSubmitterTemplate`):
/// another one submits by its image, its name or its words, and nothing about the first one does.
fn order_of_submitter(containers: &[Cursor], found: &mut Vec<Warning>) {
    let has_words = |container: &Cursor| {
        let words = [container.items("command"), container.items("args")].concat();
        words.iter().any(|word| {
            ["ray job", "JobSubmissionClient", "RAY_DASHBOARD_ADDRESS"]
                .iter()
                .any(|one| word.text().contains(one))
        }) || words.first().is_some_and(|word| word.text() == "ray")
    };
    let submits = |container: &Cursor| {
        has_ray_image(container)
            || has_words(container)
            || is_called(container, |part| part.starts_with("submit"))
    };
    if let Some((first, others)) = containers.split_first()
        && !submits(first)
        && !is_called(first, |part| part.starts_with("ray"))
        && others.iter().any(submits)
    {
        let detail = "the submitter is in another container";
        found.push(warn(trap::RAY_NOT_FIRST, first, detail));
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
