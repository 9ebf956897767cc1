//! Traps of ports: the container, the head's Service, the probes and Ray need one number each.

use kuberay_contract::{Feature, is_unified};
use kuberay_manifest::yaml::Yaml;
use kuberay_manifest::{Cursor, Location};
use semver::Version;

use super::own_start::OwnStart;
use super::{Group, has, warn, warn_at};
use crate::document::Warning;
use crate::warning::{self as trap, Trap};

/// A parameter, the names that its port has in manifests, and the number that the Service gives it
/// by itself.
const NAMED: [(&str, &[&str], u16); 4] = [
    ("dashboard-port", &["dashboard"], 8265),
    ("port", &["gcs-server", "gcs", "redis"], 6379),
    ("ray-client-server-port", &["client"], 10001),
    ("metrics-export-port", &["metrics"], 8080),
];

/// The source of the parameters of `ray start`.
enum Origin<'a> {
    /// The operator writes the command from rayStartParams.
    Generated,
    /// The user wrote it.
    Own(&'a OwnStart<'a>),
}

/// The value of a parameter, and where it is given.
struct Given<'a> {
    text: String,
    at: Cursor<'a>,
    location: Location,
}

impl Given<'_> {
    fn warn(&self, trap: &Trap, detail: &str) -> Warning {
        warn_at(trap, &self.at, self.location, detail)
    }

    fn number(&self) -> Option<u16> {
        number(&self.text)
    }
}

impl<'a> Origin<'a> {
    /// The value that Ray gets for a parameter.
    fn value(&self, group: &Group<'a>, parameter: &str) -> Option<Given<'a>> {
        match self {
            Self::Generated => {
                let at = group.group.find(&["rayStartParams", parameter])?;
                Some(Given {
                    text: at.text().to_owned(),
                    location: at.node.place.location,
                    at,
                })
            }
            Self::Own(start) => {
                let (text, location) = start.value(parameter)?;
                Some(Given {
                    text,
                    at: start.at.clone(),
                    location,
                })
            }
        }
    }
}

/// The traps of the ports of a group whose command is generated.
pub(super) fn of_group(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    of_start(group, container, &Origin::Generated, found);
}

/// The traps of the ports of a group whose own command starts Ray.
pub(super) fn of_own<'a>(
    group: &Group<'a>,
    container: &Cursor<'a>,
    start: &'a OwnStart<'a>,
    found: &mut Vec<Warning>,
) {
    of_start(group, container, &Origin::Own(start), found);
    asked_by_workers(group, start, found);
}

fn of_start<'a>(
    group: &Group<'a>,
    container: &Cursor<'a>,
    origin: &Origin<'a>,
    found: &mut Vec<Warning>,
) {
    named(group, container, origin, found);
    loopback(group, origin, found);
    probes(group, container, origin, found);
}

/// The port of the head that KubeRay tells workers, and another one on which Ray listens there.
fn asked_by_workers(group: &Group, start: &OwnStart, found: &mut Vec<Warning>) {
    let Some((text, location)) = start.value("port") else {
        return;
    };
    let asked = gcs_port(group);
    if group.is_head() && has_workers(group) && number(&text).is_some_and(|port| port != asked) {
        let detail =
            format!("port is {text}, and workers ask the head for {asked}, as rayStartParams say");
        found.push(warn_at(trap::PORTS_DISAGREE, &start.at, location, &detail));
    }
}

/// The port that the operator gives the workers for the head.
fn gcs_port(group: &Group) -> u16 {
    let spec = super::cluster_spec(&group.object);
    let port = spec.and_then(|spec| spec.find(&["headGroupSpec", "rayStartParams", "port"]));
    port.and_then(|port| number(port.text())).unwrap_or(6379)
}

/// A head's Service that workers can't reach Ray by: only one without an address of its own leads
/// to every port.
pub(super) fn of_gcs(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    if !group.is_head() || !has_workers(group) || !has_address(group) {
        return;
    }
    let asked = gcs_port(group);
    let is_it = |port: &Cursor, field: &str| {
        let value = port.get(field);
        value.is_some_and(|value| value.node.to_json() == asked)
    };
    let by_service = of_head_service(group);
    if !by_service.iter().any(|port| is_it(port, "port"))
        && let Some(at) = list_without(container, |port| is_it(port, "containerPort"))
    {
        found.push(warn(trap::NO_GCS_PORT, &at, ""));
    }
}

fn has_workers(group: &Group) -> bool {
    let spec = super::cluster_spec(&group.object);
    spec.is_some_and(|spec| !spec.items("workerGroupSpecs").is_empty())
}

/// A container's list of ports that lacks one; none where it is empty, because the operator then
/// takes the usual ports (`getServicePorts` in common/service.go).
pub(super) fn list_without<'a>(
    container: &Cursor<'a>,
    is_it: impl Fn(&Cursor) -> bool,
) -> Option<Cursor<'a>> {
    let ports = container.items("ports");
    let lacks = !ports.is_empty() && !ports.iter().any(is_it);
    container.get("ports").filter(|_| lacks)
}

/// The ports that `headService` gives the head's Service, which the operator keeps
/// (`BuildServiceForHeadPod` in common/service.go).
pub(super) fn of_head_service<'a>(group: &Group<'a>) -> Vec<Cursor<'a>> {
    let service = group.group.find(&["headService", "spec"]);
    service.map(|spec| spec.items("ports")).unwrap_or_default()
}

/// Returns whether a port is the one by which the operator finds the dashboard.
pub(super) fn is_dashboard(port: &Cursor) -> bool {
    port.get("name")
        .is_some_and(|name| name.text() == "dashboard")
}

fn number(text: &str) -> Option<u16> {
    text.trim_matches(['\'', '"']).parse().ok()
}

/// Ports that the container and the Service give another number than the parameter.
fn named<'a>(
    group: &Group<'a>,
    container: &Cursor<'a>,
    origin: &Origin<'a>,
    found: &mut Vec<Warning>,
) {
    let ports = container.items("ports");
    for (parameter, names, default) in NAMED {
        let value = origin.value(group, parameter);
        let wanted = match &value {
            Some(value) => value.number(),
            None => (parameter == "dashboard-port" && listens_by_default(group, origin))
                .then_some(default),
        };
        let Some(wanted) = wanted else {
            continue;
        };
        // A proxy of the same Pod listens on the port that is declared.
        if parameter == "dashboard-port" && listens_inside(group, origin).is_some() {
            continue;
        }
        let named = ports.iter().find_map(|port| {
            let own = port.get("name")?;
            let name = names.iter().find(|name| **name == own.text())?;
            Some((port, *name))
        });
        let service = of_head_service(group);
        let service = service.iter().find(|port| is_dashboard(port));
        let service = service.filter(|_| parameter == "dashboard-port");
        let mut at = None;
        let (other, owner, name) = match (named, service) {
            (Some((port, name)), _) => {
                at = port.get("containerPort");
                let given = at.as_ref().map(|value| value.node.to_json());
                (given, "the container's port", name)
            }
            (None, Some(port)) => {
                at = Some(port.clone());
                let target = target(port, &ports);
                (target, "the target of headService's port", names[0])
            }
            // The operator fills the Service of a head without ports, and asks it for the dashboard
            // by name. A Service without an address of its own leads to every port.
            (None, None)
                if ports.is_empty()
                    && group.is_head()
                    && (parameter == "dashboard-port" || has_address(group)) =>
            {
                (Some(default.into()), "the Service's default port", names[0])
            }
            (None, None) if parameter == "metrics-export-port" => (
                Some(default.into()),
                "the port that the operator adds,",
                names[0],
            ),
            (None, None) => continue,
        };
        if let Some(other) = other
            && other != wanted
        {
            let detail = match &value {
                Some(_) => format!("{parameter} is {wanted}, and {owner} `{name}` is {other}"),
                None => {
                    format!("Ray listens on {wanted} by itself, and {owner} `{name}` is {other}")
                }
            };
            found.extend(match (value, at) {
                (Some(value), _) => Some(value.warn(trap::PORTS_DISAGREE, &detail)),
                (None, Some(at)) => Some(warn(trap::PORTS_DISAGREE, &at, &detail)),
                (None, None) => None,
            });
        }
    }
}

/// Returns whether the dashboard listens on the port of Ray's own choice: the head runs a `ray
/// start` that is known, without another container that may be a proxy.
fn listens_by_default(group: &Group, origin: &Origin) -> bool {
    let spec = group.group.find(&["template", "spec"]);
    let known =
        matches!(origin, Origin::Own(_)) || group.ray.features.contains(&Feature::GeneratedCommand);
    group.is_head() && known && spec.is_some_and(|spec| spec.items("containers").len() == 1)
}

/// The number of the container's port to which a port of a Service leads; none where another
/// container may have it.
fn target(port: &Cursor, ports: &[Cursor]) -> Option<serde_json::Value> {
    let target = port.get("targetPort").or_else(|| port.get("port"))?;
    let json = target.node.to_json();
    if json.is_number() {
        return Some(json);
    }
    let named = ports.iter().find(|port| {
        port.get("name")
            .is_some_and(|name| name.text() == target.text())
    });
    Some(named?.get("containerPort")?.node.to_json())
}

/// Returns the setting by which only a head's own Pod reaches its dashboard, in words, and its
/// position.
fn listens_inside<'a>(group: &Group<'a>, origin: &Origin<'a>) -> Option<(String, Given<'a>)> {
    if !group.is_head() {
        return None;
    }
    let inside = |host: &str| matches!(host, "localhost" | "::1") || host.starts_with("127.");
    match (origin.value(group, "dashboard-host"), origin) {
        (Some(host), _) => {
            let words = format!("dashboard-host is {}", host.text);
            inside(host.text.trim_matches(['\'', '"'])).then_some((words, host))
        }
        (None, Origin::Own(start)) => {
            let given = Given {
                text: String::new(),
                at: start.at.clone(),
                location: start.location,
            };
            let words =
                "this `ray start` gives no --dashboard-host, whose default in Ray is 127.0.0.1";
            Some((words.to_owned(), given))
        }
        // The operator writes 0.0.0.0.
        (None, Origin::Generated) => None,
    }
}

/// A dashboard inside of its Pod, which the operator asks through the head's Service. Any other
/// container of the Pod may be a proxy for it.
fn loopback<'a>(group: &Group<'a>, origin: &Origin<'a>, found: &mut Vec<Warning>) {
    let kind = group.object.get("kind");
    let kind = kind.as_ref().map_or("", |kind| kind.text());
    let asked = match kind {
        "RayJob" => "the job's status",
        "RayService" => "the applications",
        _ => return,
    };
    let spec = group.group.find(&["template", "spec"]);
    let alone = spec.is_some_and(|spec| spec.items("containers").len() == 1);
    if let Some((words, host)) = listens_inside(group, origin).filter(|_| alone) {
        let detail = format!(
            "{words}, and the operator asks the dashboard through the head's Service for {asked}"
        );
        found.push(host.warn(trap::PORTS_DISAGREE, &detail));
    }
}

/// Returns whether the head's Service has an address of its own; by itself it has one before 1.2
/// (`BuildServiceForHeadPod` in common/service.go).
fn has_address(group: &Group) -> bool {
    let service = group.group.get("headService");
    if let Some(service) = service.filter(|service| service.node.value != Yaml::Null) {
        let address = service.find(&["spec", "clusterIP"]);
        return address.is_none_or(|address| address.text() != "None");
    }
    let kind = group.group.get("serviceType");
    let kind = kind.as_ref().map_or("", |kind| kind.text());
    *group.release < Version::new(1, 2, 0)
        || matches!(kind, "NodePort" | "LoadBalancer")
        || group.settings.gives_head_an_address()
}

/// The probes of a release before 1.6 ask fixed ports, and on the head they ask the dashboard.
fn probes<'a>(
    group: &Group<'a>,
    container: &Cursor<'a>,
    origin: &Origin<'a>,
    found: &mut Vec<Warning>,
) {
    let has_probes = has(Feature::Probes, group.release);
    let own = |field: &str| {
        container
            .get(field)
            .is_some_and(|probe| probe.node.value != Yaml::Null)
    };
    if !has_probes
        || own("livenessProbe") && own("readinessProbe")
        || !group.settings.injects_probes()
    {
        return;
    }
    let fixed = has(Feature::ProbePortsFixed, group.release);
    let asked: &[(&str, u16)] = if group.is_head() {
        &[
            ("dashboard-agent-listen-port", 52365),
            ("dashboard-port", 8265),
        ]
    } else {
        &[("dashboard-agent-listen-port", 52365)]
    };
    for (parameter, default) in asked {
        // From 1.6 on they ask what rayStartParams say.
        let port = group
            .group
            .find(&["rayStartParams", parameter])
            .filter(|_| !fixed)
            .and_then(|value| number(value.text()))
            .unwrap_or(*default);
        if let Some(value) = origin.value(group, parameter)
            && let Some(wanted) = value.number()
            && wanted != port
        {
            let detail =
                format!("{parameter} is {wanted}, and the probes of this release ask {port}");
            found.push(value.warn(trap::PROBES_FAIL, &detail));
        }
    }
    if group.is_head()
        && (fixed || !asks_over_http(group))
        && let Some(value) = origin.value(group, "include-dashboard")
        && matches!(
            value.text.to_lowercase().as_str(),
            "false" | "0" | "no" | "f" | "n" | "off"
        )
    {
        let detail = "include-dashboard is false, and the probes ask the dashboard";
        found.push(value.warn(trap::PROBES_FAIL, detail));
    }
}

/// From KubeRay 1.6 and Ray 2.53 on one probe asks the agent alone.
fn asks_over_http(group: &Group) -> bool {
    let spec = super::cluster_spec(&group.object);
    let version = spec.and_then(|spec| spec.get("rayVersion"));
    version.is_some_and(|version| is_unified(version.text()))
}
