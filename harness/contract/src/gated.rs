//! Containers that only settings of the operator bring: its sidecars, and those behind feature
//! gates.

use serde_json::Value;

use super::env::{Env, has_collector};
use super::feature::Context;
use super::input::{Container, RayCluster};
use super::names::{self, HeadAddress};
use super::own;
use super::tls::CERTIFICATES;
use super::{AddedProbes, ContainerContract, ContainerKind, Feature, PodRole};

/// The init container that waits until the certificate names the Pod's address.
pub(super) fn wait_for_tls(context: &Context, head: &HeadAddress) -> ContainerContract {
    context.uses(Feature::WaitForTls);
    let mut env = Env::default();
    env.add_field("POD_IP", "status.podIP");
    context.uses(Feature::InitEnv);
    env.add_head(head);
    let script = [
        &format!("CERT=\"{CERTIFICATES}/tls.crt\""),
        r#"if [ -z "${POD_IP}" ]; then"#,
        r"  POD_IP=$(hostname -i 2>/dev/null | awk '{print $1}')",
        "fi",
        "if ! command -v openssl >/dev/null 2>&1; then",
        r#"  echo "openssl not found; cannot verify IP SAN" >&2"#,
        "  exit 1",
        "fi",
        r#"echo "Waiting for TLS cert to include IP SAN for ${POD_IP}...""#,
        "while true; do",
        r#"  if openssl x509 -in "${CERT}" -noout -text 2>/dev/null | grep -qE "IP Address:${POD_IP}([^0-9.]|$)"; then"#,
        r#"    echo "TLS cert now includes IP SAN for ${POD_IP}""#,
        "    exit 0",
        "  fi",
        r#"  echo "IP SAN for ${POD_IP} not yet in cert, retrying in 5s...""#,
        "  sleep 5",
        "done",
    ];
    ContainerContract {
        kind: ContainerKind::Init,
        name: "wait-for-tls-ip-san".into(),
        command: vec!["sh".into(), "-c".into()],
        args: vec![script.join("\n").into()],
        env: env.0,
        added_probes: AddedProbes::default(),
        features: context.take(),
    }
}

/// The collector of the history server, which runs what its image runs.
pub(super) fn collector(
    context: &Context,
    role: PodRole,
    cluster: &RayCluster,
    head: &HeadAddress,
) -> Option<ContainerContract> {
    if !has_collector(context, cluster) {
        return None;
    }
    let options = cluster.spec.history_server_options.as_ref()?;
    let own = &options.collector_options.as_ref()?.env;
    let metadata = &cluster.metadata;
    let mut env = Env::default();
    env.add_field("POD_IP", "status.podIP");
    env.add("RAY_CLUSTER_NAME", metadata.name.as_str());
    let namespace = names::namespace(context, metadata);
    env.add("RAY_CLUSTER_NAMESPACE", namespace);
    let is_head = role == PodRole::Head;
    env.add("RAY_ROLE", if is_head { "Head" } else { "Worker" });
    env.add("EVENTS_PORT", "8084");
    env.add("FQ_RAY_IP", head.host.as_str());
    for (name, label) in [
        ("OWNER_KIND", "ray.io/originated-from-crd"),
        ("OWNER_NAME", names::PARENT),
    ] {
        if let Some(value) = metadata.labels.get(label).filter(|value| !value.is_empty()) {
            env.add(name, value.as_str());
        }
    }
    if is_head && !own.iter().any(|one| one.name == "RAY_DASHBOARD_ADDRESS") {
        env.add("RAY_DASHBOARD_ADDRESS", "http://localhost:8265");
    }
    env.extend(own);
    env.add_auth(context, &metadata.name, cluster.spec.auth_options.as_ref());
    Some(ContainerContract {
        kind: ContainerKind::User,
        name: "ray-history-collector".into(),
        command: Vec::new(),
        args: Vec::new(),
        env: env.0,
        added_probes: AddedProbes::default(),
        features: context.take(),
    })
}

/// The containers that the operator's configuration adds to every Pod of a role.
pub(super) fn sidecars(context: &Context, role: PodRole) -> Vec<ContainerContract> {
    let settings = context.settings;
    let own = match role {
        PodRole::Head => &settings.head_sidecar_containers,
        PodRole::Worker => &settings.worker_sidecar_containers,
        PodRole::Submitter => return Vec::new(),
    };
    if own.is_empty() || !context.uses(Feature::OperatorSidecars) {
        return Vec::new();
    }
    let features = context.take();
    // What is no container, the operator refuses before it starts.
    let read = |value: &Value| serde_json::from_value::<Container>(value.clone()).ok();
    let of = |container: Container| ContainerContract {
        features: features.clone(),
        ..own::user(&container)
    };
    own.iter().filter_map(read).map(of).collect()
}
