//! Refusals by the API server of the Pods and Services that the operator makes.
//!
//! The definitions of KubeRay check types, not what Kubernetes asks of a Pod beyond them
//! (`ValidatePodCreate` in pkg/apis/core/validation). The checks here are those that manifests
//! break most often.

use semver::Version;
use serde_json::Value;

use super::added::{Added, Around};
use super::metadata::{label, label_1035, label_value, qualified_name, subdomain};
use super::view::View;
use super::{Reach, Refusal, refused, resources, service};
use crate::EffectiveSettings;
use crate::classes::plain;

/// Returns the refusals at the creation of an object's Pods.
pub(super) fn refusals(
    release: &Version,
    settings: &EffectiveSettings,
    object: &Value,
) -> Vec<Refusal> {
    let root = View::root(object);
    let Some(spec) = cluster_spec(&root) else {
        return Vec::new();
    };
    let job = match root.get("kind").text() {
        "RayCronJob" => Some(root.find(&["spec", "jobTemplate"])),
        "RayJob" => Some(root.get("spec")),
        _ => None,
    };
    let around = Around {
        release,
        settings,
        spec: spec.clone(),
        job: job.clone(),
    };
    let mut found = names(release, &root);
    service::ports(release, &root, &spec.get("headGroupSpec"), &mut found);
    one_of(
        &spec.find(&["headGroupSpec", "serviceType"]),
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
        "Service: spec.type: ",
        Reach::Object,
        &mut found,
    );
    probe_port(
        &around,
        &spec.get("headGroupSpec"),
        Reach::Object,
        &mut found,
    );
    of_template(
        &spec.find(&["headGroupSpec", "template"]),
        &around.head(),
        Reach::Object,
        &mut found,
    );
    for (index, group) in spec.get("workerGroupSpecs").items().iter().enumerate() {
        let reach = Reach::GroupsFrom(index);
        let name = group.get("groupName");
        if let Some(problem) = label_value(name.text()) {
            let message = format!("metadata.labels: Invalid value: {}: {problem}", name.value);
            found.push(refused(&name, reach, message));
        } else if let Some(problem) = pod_name(name.text()) {
            let message = format!(
                "metadata.generateName: Invalid value: {}: {problem}",
                name.value
            );
            found.push(refused(&name, reach, message));
        }
        probe_port(&around, group, reach, &mut found);
        let added = around.worker(group);
        of_template(&group.get("template"), &added, reach, &mut found);
    }
    if let Some(job) = job {
        of_submitter(&job, &around.submitter(), &mut found);
    }
    found
}

/// The port of the probe that the operator adds to a group's Ray container (`validateHTTPGetAction`).
fn probe_port(around: &Around, group: &View, reach: Reach, found: &mut Vec<Refusal>) {
    if let Some(port) = around.bad_probe_port(group) {
        let message = format!(
            "livenessProbe.httpGet.port: Invalid value: {}: must be between 1 and 65535, inclusive",
            port.text()
        );
        found.push(refused(&port, reach, message));
    }
}

/// The template of a RayJob's submitter.
fn of_submitter(job: &View, added: &Added, found: &mut Vec<Refusal>) {
    let submitter = job.get("submitterPodTemplate");
    // Other modes ignore the template.
    let by_job = matches!(job.get("submissionMode").text(), "" | "K8sJobMode");
    if !submitter.exists() || !by_job {
        return;
    }
    of_template(&submitter, added, Reach::Submitter, found);
    let restart = submitter.find(&["spec", "restartPolicy"]);
    if matches!(restart.text(), "" | "Always") {
        // The operator passes the template on, and the API server takes Always where it says
        // nothing.
        let message = "Job: spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"";
        found.push(refused(&restart, Reach::Submitter, message.into()));
    }
}

/// The specification of the RayCluster that an object is or makes.
pub(super) fn cluster_spec<'a>(root: &View<'a>) -> Option<View<'a>> {
    Some(match root.get("kind").text() {
        "RayCluster" => root.get("spec"),
        "RayJob" => root.find(&["spec", "rayClusterSpec"]),
        "RayService" => root.find(&["spec", "rayClusterConfig"]),
        "RayCronJob" => root.find(&["spec", "jobTemplate", "rayClusterSpec"]),
        _ => return None,
    })
}

/// Returns the problem of the name of a worker's Pod: it begins with the names of the RayCluster
/// and of the group, in lower case.
fn pod_name(group: &str) -> Option<String> {
    subdomain(&format!("a-{}-worker-x", group.to_lowercase()))
}

/// A value that is none of those that Kubernetes knows; an absent one is.
fn one_of(at: &View, known: &[&str], subject: &str, reach: Reach, found: &mut Vec<Refusal>) {
    if at.text().is_empty() || known.contains(&at.text()) {
        return;
    }
    let known: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
    let message = format!(
        "{subject}Unsupported value: {}: supported values: {}",
        at.value,
        known.join(", ")
    );
    found.push(refused(at, reach, message));
}

/// Before the operator checked names itself, they reached the head's Service and a label.
fn names(release: &Version, root: &View) -> Vec<Refusal> {
    let mut name = root.find(&["metadata", "name"]);
    if plain(release) >= Version::new(1, 4, 0) {
        return Vec::new();
    }
    let mut own = name.text().to_owned();
    if own.is_empty() {
        name = root.find(&["metadata", "generateName"]);
        if name.text().is_empty() {
            return Vec::new();
        }
        // The API server keeps room for five random characters.
        let prefix: String = name.text().chars().take(58).collect();
        own = format!("{prefix}xxxxx");
    }
    let cluster = match root.get("kind").text() {
        "RayCluster" => own,
        _ => format!("{own}-raycluster-xxxxx"),
    };
    let mut found = Vec::new();
    let given = cluster_spec(root).map(|spec| {
        spec.find(&["headGroupSpec", "headService", "metadata", "name"])
            .text()
    });
    let service = match given.unwrap_or_default() {
        "" => crate::names::shortened(&format!("{cluster}-head-svc")),
        given => given.to_owned(),
    };
    if let Some(problem) = label_1035(&service) {
        let message = format!("Service: metadata.name: Invalid value: {service:?}: {problem}");
        found.push(refused(&name, Reach::Object, message));
    } else if let Some(problem) = label_value(&cluster) {
        let message = format!("metadata.labels: Invalid value: {cluster:?}: {problem}");
        found.push(refused(&name, Reach::Object, message));
    }
    found
}

fn of_template(template: &View, added: &Added, reach: Reach, found: &mut Vec<Refusal>) {
    let spec = template.get("spec");
    one_of(
        &spec.get("restartPolicy"),
        &["Always", "OnFailure", "Never"],
        "",
        reach,
        found,
    );
    let mut volumes = volumes(&spec, reach, found);
    volumes.extend(&added.volumes);
    let beside = [&volumes[..], &added.beside[..]].concat();
    tolerations(&spec, reach, found);
    let account = spec.get("serviceAccountName");
    // Public manifests are often sent through a program that fills in `$NAME`.
    let given = !account.text().is_empty() && !account.text().contains('$');
    if let Some(problem) = subdomain(account.text()).filter(|_| given) {
        let message = format!("Invalid value: {}: {problem}", account.value);
        found.push(refused(&account, reach, message));
    }
    let mut names: Vec<&str> = Vec::new();
    for list in ["initContainers", "containers"] {
        for (index, container) in spec.get(list).items().into_iter().enumerate() {
            let name = container.get("name");
            if let Some(problem) = label(name.text()) {
                let message = format!("Invalid value: {}: {problem}", name.value);
                found.push(refused(&name, reach, message));
            }
            if names.contains(&name.text()) {
                found.push(refused(
                    &name,
                    reach,
                    format!("Duplicate value: {}", name.value),
                ));
            } else if added.containers.iter().any(|own| own == name.text()) {
                let message = format!(
                    "Duplicate value: {}: the operator adds a container of this name",
                    name.value
                );
                found.push(refused(&name, reach, message));
            }
            names.push(name.text());
            let is_ray = list == "containers" && index == 0;
            let volumes = Volumes {
                known: if is_ray { &volumes } else { &beside },
                drops_others: added.drops_stray_mounts && index == 0,
            };
            of_container(&container, &volumes, reach, found);
            if list == "containers" {
                probes(&container, reach, found);
                host_ports(&spec, &container, reach, found);
            }
        }
    }
    for (key, value) in template.find(&["metadata", "labels"]).entries() {
        if let Some(problem) = label_value(value.text()) {
            let message = format!(
                "metadata.labels: Invalid value: {}: {problem} (label {key})",
                value.value
            );
            found.push(refused(&value, reach, message));
        }
    }
}

/// The names of a Pod's volumes, each of which is a DNS label of its own (`ValidateVolumes`).
fn volumes<'a>(spec: &View<'a>, reach: Reach, found: &mut Vec<Refusal>) -> Vec<&'a str> {
    let mut names = Vec::new();
    for volume in spec.get("volumes").items() {
        let name = volume.get("name");
        if name.text().is_empty() {
            found.push(refused(&name, reach, "Required value".into()));
        } else if let Some(problem) = label(name.text()) {
            let message = format!("Invalid value: {}: {problem}", name.value);
            found.push(refused(&name, reach, message));
        } else if names.contains(&name.text()) {
            let message = format!("Duplicate value: {}", name.value);
            found.push(refused(&name, reach, message));
        }
        names.push(name.text());
        let mut sources = volume.entries();
        sources.retain(|(field, source)| *field != "name" && source.exists());
        // The API server looks at emptyDir first.
        sources.sort_by_key(|(field, _)| (*field != "emptyDir", *field));
        if let [(first, _), (_, second), ..] = &sources[..] {
            let message =
                format!("Forbidden: may not specify more than 1 volume type: {first} is one");
            found.push(refused(second, reach, message));
        }
    }
    names
}

/// Probes and hooks that ask nothing, or in two ways (`validateProbe`, `validateHandler`); the
/// operator adds its own probes only where a container has no field for them.
fn probes(container: &View, reach: Reach, found: &mut Vec<Refusal>) {
    const OF_PROBES: &[&str] = &["exec", "grpc", "httpGet", "tcpSocket"];
    const OF_HOOKS: &[&str] = &["exec", "httpGet", "sleep", "tcpSocket"];
    let hooks = container.get("lifecycle");
    let all = ["livenessProbe", "readinessProbe", "startupProbe"]
        .map(|field| (container.get(field), OF_PROBES))
        .into_iter()
        .chain(["postStart", "preStop"].map(|field| (hooks.get(field), OF_HOOKS)));
    for (probe, kinds) in all.filter(|(probe, _)| probe.exists()) {
        let mut handlers = kinds
            .iter()
            .map(|kind| probe.get(kind))
            .filter(View::exists);
        if handlers.next().is_none() {
            let message = "Required value: must specify a handler type";
            found.push(refused(&probe, reach, message.into()));
        } else if let Some(second) = handlers.next() {
            let message = "Forbidden: may not specify more than 1 handler type";
            found.push(refused(&second, reach, message.into()));
        }
    }
}

/// Ports of the host in a Pod that has the host's network.
fn host_ports(spec: &View, container: &View, reach: Reach, found: &mut Vec<Refusal>) {
    if !spec.get("hostNetwork").is_true() {
        return;
    }
    for port in container.get("ports").items() {
        let host = port.get("hostPort");
        let own = port.get("containerPort").number();
        if host.number().is_some_and(|number| number != 0) && host.number() != own {
            let message = format!(
                "Invalid value: {}: must match `containerPort` when `hostNetwork` is true",
                host.value
            );
            found.push(refused(&host, reach, message));
        }
    }
}

/// Tolerations that match no taint there can be (`ValidateTolerations`).
fn tolerations(spec: &View, reach: Reach, found: &mut Vec<Refusal>) {
    for toleration in spec.get("tolerations").items() {
        let key = toleration.get("key");
        let operator = toleration.get("operator");
        let value = toleration.get("value");
        let effect = toleration.get("effect");
        let mut invalid = |at: &View, value: &str, problem: &str| {
            let message = format!("Invalid value: {value:?}: {problem}");
            found.push(refused(at, reach, message));
        };
        if key.text().is_empty() {
            if operator.text() != "Exists" {
                let problem = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
                invalid(&operator, operator.text(), problem);
            }
        } else if let Some(problem) = qualified_name(key.text()) {
            invalid(&key, key.text(), &problem);
        }
        if toleration.get("tolerationSeconds").exists() && effect.text() != "NoExecute" {
            let problem = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            invalid(&effect, effect.text(), problem);
        }
        match operator.text() {
            "" | "Equal" => {
                if let Some(problem) = label_value(value.text()) {
                    invalid(&operator, value.text(), &problem);
                }
            }
            "Exists" if !value.text().is_empty() => {
                let problem = "value must be empty when `operator` is 'Exists'";
                invalid(&operator, value.text(), problem);
            }
            _ => {}
        }
        one_of(&operator, &["Equal", "Exists"], "", reach, found);
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        one_of(&effect, &effects, "", reach, found);
    }
}

/// Volumes that a container may mount.
struct Volumes<'a> {
    known: &'a [&'a str],
    /// `true` where the operator removes mounts of others.
    drops_others: bool,
}

fn of_container(container: &View, volumes: &Volumes, reach: Reach, found: &mut Vec<Refusal>) {
    let image = container.get("image");
    if image.text().is_empty() {
        found.push(refused(&image, reach, "Required value".into()));
    } else if image.text().trim() != image.text() {
        let message = format!(
            "Invalid value: {}: must not have leading or trailing whitespace",
            image.value
        );
        found.push(refused(&image, reach, message));
    }
    one_of(
        &container.get("imagePullPolicy"),
        &["Always", "IfNotPresent", "Never"],
        "",
        reach,
        found,
    );
    for variable in container.get("env").items() {
        let name = variable.get("name");
        let printable = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b'=';
        if name.text().is_empty() || !name.text().bytes().all(printable) {
            let message = format!(
                "Invalid value: {}: a valid environment variable name must consist only of printable ASCII characters \
                 other than '='",
                name.value
            );
            found.push(refused(&name, reach, message));
        }
        if !variable.get("value").text().is_empty() && variable.get("valueFrom").exists() {
            let message = "Invalid value: \"\": may not be specified when `value` is not empty";
            found.push(refused(&variable.get("valueFrom"), reach, message.into()));
        }
    }
    let mut paths: Vec<&str> = Vec::new();
    for mount in container.get("volumeMounts").items() {
        let name = mount.get("name");
        if !volumes.known.contains(&name.text()) {
            if volumes.drops_others {
                continue;
            }
            found.push(refused(&name, reach, format!("Not found: {}", name.value)));
        }
        let path = mount.get("mountPath");
        if path.text().is_empty() {
            found.push(refused(&path, reach, "Required value".into()));
        } else if paths.contains(&path.text()) {
            let message = format!("Invalid value: {}: must be unique", path.value);
            found.push(refused(&path, reach, message));
        }
        paths.push(path.text());
    }
    ports(container, reach, found);
    for port in container.get("ports").items() {
        let number = port.get("containerPort");
        if !number
            .number()
            .is_some_and(|number| (1..=65535).contains(&number))
        {
            let message = format!(
                "Invalid value: {}: must be between 1 and 65535, inclusive",
                number.value
            );
            found.push(refused(&number, reach, message));
        }
    }
    resources::check(&container.get("resources"), reach, found);
}

/// Names and host ports of a container's ports.
fn ports(container: &View, reach: Reach, found: &mut Vec<Refusal>) {
    let mut names: Vec<&str> = Vec::new();
    let ports = container.get("ports").items();
    for port in &ports {
        let name = port.get("name");
        if let Some(problem) = port_name(name.text()) {
            found.push(refused(
                &name,
                reach,
                format!("Invalid value: {}: {problem}", name.value),
            ));
        } else if !name.text().is_empty() && names.contains(&name.text()) {
            found.push(refused(
                &name,
                reach,
                format!("Duplicate value: {}", name.value),
            ));
        }
        names.push(name.text());
        let host = port.get("hostPort");
        if host
            .number()
            .is_some_and(|number| !(0..=65535).contains(&number))
        {
            let message = format!(
                "Invalid value: {}: must be between 1 and 65535, inclusive",
                host.value
            );
            found.push(refused(&host, reach, message));
        }
        let protocol = port.get("protocol");
        one_of(&protocol, &["SCTP", "TCP", "UDP"], "", reach, found);
    }
}

/// Returns the problem of a port's name (`IsValidPortName`); an empty text stands for no name.
fn port_name(name: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() {
        None
    } else if name.len() > 15 {
        Some("must be no more than 15 characters")
    } else if !name.chars().all(fits) {
        Some("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    } else if !name.contains(|c: char| c.is_ascii_lowercase()) {
        Some("must contain at least one letter (a-z)")
    } else if name.contains("--") {
        Some("must not contain consecutive hyphens")
    } else if name.starts_with('-') || name.ends_with('-') {
        Some("must not begin or end with a hyphen")
    } else {
        None
    }
}
