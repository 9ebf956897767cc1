//! The ports of the head's Service, which the API server refuses where two are alike.

use semver::Version;

use super::view::View;
use super::{Reach, Refusal, refused};
use crate::classes::plain;

/// A port that the Service has.
struct Port {
    /// Its name; empty where no other one is compared with it.
    name: String,
    number: Option<i64>,
    /// Words on the port that is the other one, such as `headService has it, too`.
    why: String,
}

/// Ports of the head's Service with one number or name: it has those of `headService`, behind them
/// those of the Ray container or, where that lists none, the operator's own, and 8080 where none of
/// these is called `metrics` (`getServicePorts` and `BuildServiceForHeadPod` in
/// common/service.go). The operator's are TCP. It makes the Service before the Pods.
pub(super) fn ports(release: &Version, root: &View, head: &View, found: &mut Vec<Refusal>) {
    let containers = head.find(&["template", "spec", "containers"]).items();
    let Some(ray) = containers.first() else {
        return;
    };
    let ports = ray.get("ports").items();
    let mut taken = added(release, root, &ports);
    for port in head.find(&["headService", "spec", "ports"]).items() {
        let (at, name) = (port.get("port"), port.get("name"));
        let is_tcp = matches!(port.get("protocol").text(), "" | "TCP");
        let number = at.number().filter(|_| is_tcp);
        if name.text().is_empty() {
            // There is always one beside it.
            let message = "Service: spec.ports: Required value: a port beside others needs a name";
            found.push(refused(&name, Reach::Object, message.into()));
        }
        twice(&taken, number, &at, name.text(), &name, found);
        taken.push(Port {
            name: name.text().into(),
            number,
            why: "headService has it, too".into(),
        });
    }
    for port in &ports {
        let (at, name) = (port.get("containerPort"), port.get("name"));
        let Some(number) = at.number() else {
            continue;
        };
        let called = match name.text() {
            "" => format!("{number}-port"),
            name => name.into(),
        };
        twice(&taken, Some(number), &at, &called, &name, found);
        taken.push(Port {
            // The API server looks at names of one container when the Pod is created.
            name: String::new(),
            number: Some(number),
            why: format!("the port `{}` has it, too", name.text()),
        });
    }
}

/// Ports that the operator adds to those of the Ray container.
fn added(release: &Version, root: &View, ports: &[View]) -> Vec<Port> {
    let release = plain(release);
    let gcs = if release < Version::new(1, 3, 0) {
        "redis"
    } else {
        "gcs-server"
    };
    let mut added = Vec::new();
    let mut add = |name: &str, number: i64, when: &str| {
        added.push(Port {
            name: name.into(),
            number: Some(number),
            why: format!("the operator adds {number} for `{name}` where {when}"),
        });
    };
    if ports.is_empty() {
        let own = [
            ("client", 10001),
            (gcs, 6379),
            ("dashboard", 8265),
            ("serve", 8000),
        ];
        for (name, number) in own {
            add(name, number, "the Ray container lists no ports");
        }
    }
    let has = |name: &str| ports.iter().any(|port| port.get("name").text() == name);
    if !has("metrics") {
        add("metrics", 8080, "no port has this name");
    }
    // Before 1.1 a RayService asks the agent (`EnableAgentServiceKey`).
    let asks_agent = release < Version::new(1, 1, 0) && root.get("kind").text() == "RayService";
    if asks_agent && !has("dashboard-agent") {
        add("dashboard-agent", 52365, "no port has this name");
    }
    added
}

/// A port whose number or name another one has.
fn twice(
    taken: &[Port],
    number: Option<i64>,
    at: &View,
    name: &str,
    name_at: &View,
    found: &mut Vec<Refusal>,
) {
    let same_number = |other: &&Port| number.is_some() && other.number == number;
    let same_name = |other: &&Port| !name.is_empty() && other.name == name;
    let (value, other, at) = if let Some(other) = taken.iter().find(same_number) {
        (at.value.to_string(), other, at)
    } else if let Some(other) = taken.iter().find(same_name) {
        (format!("{name:?}"), other, name_at)
    } else {
        return;
    };
    let message = format!(
        "Service: spec.ports: Duplicate value: {value}: {}",
        other.why
    );
    found.push(refused(at, Reach::Object, message));
}
