//! The liveness and readiness probes that the operator adds to a Ray container.
//!
//! `initHealthProbe` of 1.0 and `initLivenessAndReadinessProbe` of later releases in
//! `controllers/ray/common/pod.go`; the numbers come from `utils/constant.go`.

use serde_json::{Map, Value, json};

use super::env::{is_fault_tolerant, owner};
use super::feature::Context;
use super::input::{Container, RayCluster};
use super::params::Params;
use super::ray_version::{generic, older};
use super::{AddedProbes, Feature, PodRole};

const AGENT_PORT: (&str, i32) = ("dashboard-agent-listen-port", 52365);
const DASHBOARD_PORT: (&str, i32) = ("dashboard-port", 8265);
const SERVE_PORT: i32 = 8000;

/// The fields of a probe that choose what it does.
const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];

/// The first release of Ray whose agent answers for the whole node.
const UNIFIED: [u64; 3] = [2, 53, 0];

/// One of the two probes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Liveness,
    Readiness,
}

/// Returns the probes that the operator adds to the Ray container of a group. `params` are those of
/// `ray start`.
pub(super) fn added(
    context: &Context,
    role: PodRole,
    cluster: &RayCluster,
    container: &Container,
    params: &Params,
) -> AddedProbes {
    let (liveness, readiness) = (&container.liveness_probe, &container.readiness_probe);
    if context.has(Feature::ProbesOnRequest) {
        if !is_fault_tolerant(cluster) {
            return AddedProbes::default();
        }
        return AddedProbes {
            liveness: on_request(context, role, Kind::Liveness, liveness.as_ref()),
            readiness: on_request(context, role, Kind::Readiness, readiness.as_ref()),
        };
    }
    if !context.settings.injects_probes() || liveness.is_some() && readiness.is_some() {
        return AddedProbes::default();
    }
    let builder = Builder {
        context,
        role,
        cluster,
        container,
        params,
    };
    AddedProbes {
        liveness: liveness.is_none().then(|| builder.probe(Kind::Liveness)),
        readiness: readiness.is_none().then(|| builder.probe(Kind::Readiness)),
    }
}

/// The probe of a fault-tolerant cluster on 1.0: the user's gets a handler if it has none.
fn on_request(context: &Context, role: PodRole, kind: Kind, own: Option<&Value>) -> Option<Value> {
    let has_handler = |probe: &Value| HANDLERS.iter().any(|field| !probe[*field].is_null());
    if own.is_some_and(has_handler) {
        return None;
    }
    context.uses(Feature::ProbesOnRequest);
    let ask = |port, path| wget("", 2, port, path);
    let mut command = vec!["bash".into(), "-c".into(), ask(AGENT_PORT.1, RAYLET)];
    if role == PodRole::Head {
        // These words are arguments of the first shell, which ignores them.
        let rest = ["&&".into(), "bash".into(), "-c".into()];
        command.extend(rest);
        command.push(ask(DASHBOARD_PORT.1, GCS));
    }
    let exec = json!({"command": command});
    let Some(own) = own else {
        return Some(timed(kind, seconds(context, role), None, "exec", exec));
    };
    let mut probe = own.as_object().cloned().unwrap_or_default();
    probe.retain(|_, value| !value.is_null());
    probe.insert("exec".into(), exec);
    fill(&mut probe);
    Some(probe.into())
}

/// Fills in the defaults of the API server.
fn fill(probe: &mut Map<String, Value>) {
    for (field, default) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ] {
        let value = probe.entry(field).or_insert(Value::Null);
        if value.as_i64().unwrap_or_default() == 0 {
            *value = default.into();
        }
    }
    // Zero is the same as absent.
    probe.retain(|field, value| field != "initialDelaySeconds" || value != 0);
}

struct Builder<'a> {
    context: &'a Context<'a>,
    role: PodRole,
    cluster: &'a RayCluster,
    container: &'a Container,
    params: &'a Params,
}

const RAYLET: &str = "api/local_raylet_healthz";
const GCS: &str = "api/gcs_healthz";
const SERVE: &str = "-/healthz";

impl Builder<'_> {
    fn probe(&self, kind: Kind) -> Value {
        let context = self.context;
        context.uses(Feature::Probes);
        let serves = kind == Kind::Readiness
            && self.role == PodRole::Worker
            && owner(context, self.cluster) == "RayService"
            && context.uses(Feature::ServeProbe);
        let failures = serves.then_some(1);
        let timed = |field, handler| {
            let seconds = seconds(context, self.role);
            timed(kind, seconds, failures, field, handler)
        };
        let version = self.cluster.spec.ray_version.as_ref();
        let version = version.and_then(Value::as_str).unwrap_or_default();
        if is_unified(version) && context.uses(Feature::ProbesOverHttp) && !serves {
            let port = self.port(AGENT_PORT);
            let get = json!({"path": "/api/healthz", "port": port, "scheme": "HTTP"});
            return timed("httpGet", get);
        }
        let tries = if context.uses(Feature::ProbesTryOnce) {
            " --tries 1"
        } else {
            ""
        };
        // The source takes these numbers from constants of other settings.
        let [agent, others] = if context.uses(Feature::ProbesWaitLonger) {
            [2, 10]
        } else {
            [2, 2]
        };
        let mut checks = vec![wget(tries, agent, self.port(AGENT_PORT), RAYLET)];
        if self.role == PodRole::Head {
            checks.push(wget(tries, others, self.port(DASHBOARD_PORT), GCS));
        }
        if serves {
            let ports = &self.container.ports;
            let port = ports.iter().find(|port| port.name == "serve");
            let port = port.map_or(SERVE_PORT, |port| port.container_port);
            checks.push(wget(tries, others, port, SERVE));
        }
        let command = json!(["bash", "-c", checks.join(" && ")]);
        timed("exec", json!({"command": command}))
    }

    /// The port that a parameter gives, where the release reads it.
    fn port(&self, (parameter, default): (&str, i32)) -> i32 {
        let given = self.params.value(parameter);
        let given = given.and_then(|port| port.parse().ok());
        match given {
            Some(port) if port != default => {
                if self.context.uses(Feature::ProbePortsGiven) {
                    return port;
                }
                self.context.uses(Feature::ProbePortsFixed);
                default
            }
            _ => default,
        }
    }
}

fn wget(tries: &str, seconds: u32, port: i32, path: &str) -> String {
    format!("wget{tries} -T {seconds} -q -O- http://localhost:{port}/{path} | grep success")
}

/// Returns the timeout of a probe, in seconds.
fn seconds(context: &Context, role: PodRole) -> u32 {
    if !context.uses(Feature::ProbesWaitLonger) {
        context.uses(Feature::ProbesWaitOneSecond);
        return 1;
    }
    if role == PodRole::Head {
        if context.uses(Feature::HeadProbesLonger) {
            return 5;
        }
        context.uses(Feature::HeadProbesAsOfWorkers);
    }
    2
}

/// A probe with the operator's numbers; `failures` replaces the number of failures.
fn timed(kind: Kind, seconds: u32, failures: Option<u32>, field: &str, handler: Value) -> Value {
    let (delay, threshold) = match kind {
        Kind::Liveness => (30, 120),
        Kind::Readiness => (10, 10),
    };
    let mut probe = json!({
        "initialDelaySeconds": delay,
        "timeoutSeconds": seconds,
        "periodSeconds": 5,
        "successThreshold": 1,
        "failureThreshold": failures.unwrap_or(threshold),
    });
    probe[field] = handler;
    probe
}

/// Returns whether the agent of a Ray release reports the health of the whole node, so that one
/// HTTP probe is enough: 2.53 and later.
///
/// The text is `rayVersion`, read as the operator reads it (`supportsUnifiedHealthCheck` in
/// `controllers/ray/common/pod.go` since 1.6.0).
///
/// ```
/// use kuberay_contract::is_unified;
///
/// assert!(is_unified("2.53"));
/// assert!(is_unified("v2.55.1rc0"));
/// assert!(!is_unified("2.52.0"));
/// assert!(!is_unified("nightly"));
/// ```
pub fn is_unified(ray_version: &str) -> bool {
    generic(ray_version).is_some_and(|numbers| !older(&numbers, UNIFIED))
}
