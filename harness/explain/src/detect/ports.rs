//! Traps of ports: the container, the head's Service, the probes and Ray need one number each.

use kuberay_contract::Feature;
use kuberay_manifest::Cursor;
use kuberay_manifest::yaml::Yaml;
use semver::Version;

use super::{Group, has, warn};
use crate::document::Warning;
use crate::warning as trap;

/// A parameter, the names that its port has in manifests, and the number that the Service gives it
/// by itself.
const NAMED: [(&str, &[&str], u16); 4] = [
    ("dashboard-port", &["dashboard"], 8265),
    ("port", &["gcs-server", "gcs", "redis"], 6379),
    ("ray-client-server-port", &["client"], 10001),
    ("metrics-export-port", &["metrics"], 8080),
];

/// The traps of a group's ports.
pub(super) fn of_group(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    named(group, container, found);
    loopback(group, found);
    probes(group, container, found);
}

/// The ports that `headService` gives the head's Service, which the operator keeps
/// (`BuildServiceForHeadPod` in common/service.go).
pub(super) fn of_head_service<'a>(group: &Group<'a>) -> Vec<Cursor<'a>> {
    let service = group.group.find(&["headService", "spec"]);
    service.map(|spec| spec.items("ports")).unwrap_or_default()
}

/// Whether a port is the one by which the operator finds the dashboard.
pub(super) fn is_dashboard(port: &Cursor) -> bool {
    port.get("name")
        .is_some_and(|name| name.text() == "dashboard")
}

fn number(value: &Cursor) -> Option<u16> {
    value.text().trim_matches(['\'', '"']).parse().ok()
}

/// Ports that the container and the Service give another number than the parameter.
fn named(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    let ports = container.items("ports");
    for (parameter, names, default) in NAMED {
        let value = group.group.find(&["rayStartParams", parameter]);
        let wanted = match &value {
            Some(value) => number(value),
            None => (parameter == "dashboard-port" && listens_by_default(group)).then_some(default),
        };
        let Some(wanted) = wanted else {
            continue;
        };
        // A proxy of the same Pod listens on the port that is declared.
        if parameter == "dashboard-port" && listens_inside(group).is_some() {
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
            if let Some(at) = value.or(at) {
                found.push(warn(trap::PORTS_DISAGREE, &at, &detail));
            }
        }
    }
}

/// Whether the dashboard listens on the port of Ray's own choice: the head runs the generated
/// `ray start` alone, without another container that may be a proxy.
fn listens_by_default(group: &Group) -> bool {
    let spec = group.group.find(&["template", "spec"]);
    group.is_head()
        && group.ray.features.contains(&Feature::GeneratedCommand)
        && spec.is_some_and(|spec| spec.items("containers").len() == 1)
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

/// The `dashboard-host` of a head whose dashboard only its own Pod reaches.
fn listens_inside<'a>(group: &Group<'a>) -> Option<Cursor<'a>> {
    let host = group.group.find(&["rayStartParams", "dashboard-host"])?;
    let inside = matches!(host.text(), "localhost" | "::1") || host.text().starts_with("127.");
    (inside && group.is_head()).then_some(host)
}

/// A dashboard inside of its Pod, which the operator asks through the head's Service. Any other
/// container of the Pod may be a proxy for it.
fn loopback(group: &Group, found: &mut Vec<Warning>) {
    let kind = group.object.get("kind");
    let kind = kind.as_ref().map_or("", |kind| kind.text());
    let asked = match kind {
        "RayJob" => "the job's status",
        "RayService" => "the applications",
        _ => return,
    };
    let spec = group.group.find(&["template", "spec"]);
    let alone = spec.is_some_and(|spec| spec.items("containers").len() == 1);
    if let Some(host) = listens_inside(group).filter(|_| alone) {
        let detail = format!(
            "dashboard-host is {}, and the operator asks the dashboard through the head's Service for {asked}",
            host.text()
        );
        found.push(warn(trap::PORTS_DISAGREE, &host, &detail));
    }
}

/// Whether the head's Service has an address of its own; by itself it has one before 1.2.
fn has_address(group: &Group) -> bool {
    let kind = group.group.get("serviceType");
    let kind = kind.as_ref().map_or("", |kind| kind.text());
    *group.release < Version::new(1, 2, 0) || matches!(kind, "NodePort" | "LoadBalancer")
}

/// The probes of a release before 1.6 ask fixed ports, and on the head they ask the dashboard.
fn probes(group: &Group, container: &Cursor, found: &mut Vec<Warning>) {
    let has_probes = has(Feature::GenRayStartCmd, group.release);
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
    let fixed = *group.release < Version::new(1, 6, 0);
    let asked: &[(&str, u16)] = if group.is_head() {
        &[
            ("dashboard-agent-listen-port", 52365),
            ("dashboard-port", 8265),
        ]
    } else {
        &[("dashboard-agent-listen-port", 52365)]
    };
    for (parameter, port) in asked {
        if let Some(value) = group.group.find(&["rayStartParams", parameter])
            && let Some(wanted) = number(&value)
            && wanted != *port
            && fixed
        {
            let detail =
                format!("{parameter} is {wanted}, and the probes of this release ask {port}");
            found.push(warn(trap::PROBES_FAIL, &value, &detail));
        }
    }
    if group.is_head()
        && (fixed || !asks_over_http(group))
        && let Some(value) = group.group.find(&["rayStartParams", "include-dashboard"])
        && matches!(
            value.text().to_lowercase().as_str(),
            "false" | "0" | "no" | "f" | "n" | "off"
        )
    {
        let detail = "include-dashboard is false, and the probes ask the dashboard";
        found.push(warn(trap::PROBES_FAIL, &value, detail));
    }
}

/// From KubeRay 1.6 and Ray 2.53 on one probe asks the agent alone.
fn asks_over_http(group: &Group) -> bool {
    let spec = super::cluster_spec(&group.object);
    let version = spec.and_then(|spec| spec.get("rayVersion"));
    version
        .and_then(|version| version.text().parse::<Version>().ok())
        .is_some_and(|version| version >= Version::new(2, 53, 0))
}
