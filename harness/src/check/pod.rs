//! Fields of a Ray Pod against their snapshots.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{Comparison, Expectations, Finding, Observation, Subject, Verdict, pods};
use crate::scenario::{PodCheck, PodField};

pub(super) fn evaluate(check: &PodCheck, observation: &Observation, expectations: &dyn Expectations) -> Verdict {
    let group = check.group.as_deref();
    let Some(pod) = pods::find(observation, check.role, group) else {
        let message = pods::absent(observation, check.role, group);
        return Verdict::NotYet(Finding {
            message,
            ..Finding::default()
        });
    };
    let who = format!("{} {}", pods::who(check.role, group), pods::name(pod));
    let mut same = Fields::default();
    let mut wrong = Fields::default();
    for field in &check.snapshot {
        let subject = Subject {
            role: check.role,
            group: check.group.clone(),
            field: *field,
        };
        match expectations.compare(&subject, &value(pod, *field)) {
            Comparison::Equal { body, file } => {
                same.sentences.push(format!("{} equals {file}", name(*field)));
                same.found.push(body);
            }
            Comparison::Different {
                expected,
                found,
                diff,
                file,
            } => {
                wrong.sentences.push(format!("{} differs from {file}", name(*field)));
                wrong.expected.push(expected);
                wrong.found.push(found);
                wrong.diff.push(diff);
            }
            Comparison::Missing { found, file } => {
                wrong.sentences.push(format!("no snapshot {file} for {}", name(*field)));
                wrong.found.push(found);
            }
        }
    }
    // A Pod's containers do not change after its creation, so a difference stays.
    if wrong.sentences.is_empty() {
        Verdict::Pass(same.finding(&who))
    } else {
        Verdict::Never(wrong.finding(&who))
    }
}

/// What is said of several fields, to be put together.
#[derive(Default)]
struct Fields {
    sentences: Vec<String>,
    expected: Vec<String>,
    found: Vec<String>,
    diff: Vec<String>,
}

impl Fields {
    fn finding(self, who: &str) -> Finding {
        let joined = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join("\n"));
        Finding {
            message: format!("{who}: {}", self.sentences.join("; ")),
            expected: joined(self.expected),
            found: joined(self.found),
            diff: joined(self.diff),
        }
    }
}

/// The key that a field has in the scenario file.
fn name(field: PodField) -> &'static str {
    match field {
        PodField::Command => "command",
        PodField::Args => "args",
        PodField::Env => "env",
        PodField::Lifecycle => "lifecycle",
        PodField::Probes => "probes",
        PodField::Containers => "containers",
        PodField::InitContainers => "initContainers",
    }
}

/// What a Pod holds in a field; `null` where it holds nothing.
fn value(pod: &Pod, field: PodField) -> Value {
    let ray = pods::ray_container(pod);
    match field {
        PodField::Command => json!(ray.and_then(|container| container.command.as_ref())),
        PodField::Args => json!(ray.and_then(|container| container.args.as_ref())),
        PodField::Env => json!(ray.and_then(|container| container.env.as_ref())),
        PodField::Lifecycle => json!(ray.and_then(|container| container.lifecycle.as_ref())),
        PodField::Probes => json!({
            "readinessProbe": ray.and_then(|container| container.readiness_probe.as_ref()),
            "livenessProbe": ray.and_then(|container| container.liveness_probe.as_ref()),
            "startupProbe": ray.and_then(|container| container.startup_probe.as_ref()),
        }),
        PodField::Containers => {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            json!(containers.map(|container| &container.name).collect::<Vec<_>>())
        }
        PodField::InitContainers => {
            let containers = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
            let entry = |container: &k8s_openapi::api::core::v1::Container| json!({ "name": container.name, "command": container.command, "args": container.args });
            json!(containers.map(entry).collect::<Vec<_>>())
        }
    }
}
