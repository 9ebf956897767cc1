//! The parts of `ValidateRayClusterSpec` about options that need feature gates of 1.7: the history
//! server's collector, NetworkPolicies, TLS and the embedded storage of the GCS.

use super::settings::ray_env;
use crate::admission::checks::{Checks, OperatorCheck};
use crate::admission::metadata::label;
use crate::admission::view::View;

/// Checks all of them.
pub(super) fn check(checks: &Checks, spec: &View, prefix: &str) {
    history_server(checks, spec, prefix);
    network_policy(checks, spec, prefix);
    tls(checks, spec, prefix);
}

fn containers<'a>(group: &View<'a>) -> Vec<View<'a>> {
    group.find(&["template", "spec", "containers"]).items()
}

/// The groups with their names in messages.
fn groups<'a>(spec: &View<'a>) -> Vec<(View<'a>, String)> {
    let workers = spec.get("workerGroupSpecs").items().into_iter();
    let workers = workers.map(|group| {
        let name = format!("worker group {:?}", group.get("groupName").text());
        (group, name)
    });
    let head = (spec.get("headGroupSpec"), "head Pod".to_owned());
    std::iter::once(head).chain(workers).collect()
}

fn history_server(checks: &Checks, spec: &View, prefix: &str) {
    const GATE: &str = "RayClusterHistoryServer";
    const COLLECTOR: &str = "ray-history-collector";
    let options = spec.get("historyServerOptions");
    if !options.exists() {
        return;
    }
    let message = format!("{prefix}{GATE} feature gate is not enabled");
    checks.refuse_without(GATE, OperatorCheck::GatedOptions, &options, message);
    let refuse = |at: &View, message: String| {
        checks.refuse(
            OperatorCheck::CollectorOptions,
            at,
            format!("{prefix}{message}"),
        );
    };
    let collector = options.get("collectorOptions");
    if !collector.exists() {
        refuse(
            &collector,
            "historyServerOptions.collectorOptions must be set".into(),
        );
        return;
    }
    if let Some((at, message)) = collector_problem(&collector) {
        refuse(&at, message);
        return;
    }
    for (index, (group, _)) in groups(spec).into_iter().enumerate() {
        let whose = match index {
            0 => "head".to_owned(),
            _ => format!("worker group {}", group.get("groupName").text()),
        };
        for container in containers(&group) {
            let name = container.get("name");
            if name.text() == COLLECTOR {
                let message = format!(
                    "{whose} pod template must not define a container with name '{COLLECTOR}' when history server \
                     collector options are enabled"
                );
                refuse(&name, message);
            }
        }
    }
}

/// Returns the first problem that `validateCollectorOptions` finds.
fn collector_problem<'a>(collector: &View<'a>) -> Option<(View<'a>, String)> {
    const MANAGED: [&str; 8] = [
        "POD_IP",
        "FQ_RAY_IP",
        "RAY_CLUSTER_NAME",
        "RAY_CLUSTER_NAMESPACE",
        "RAY_ROLE",
        "OWNER_KIND",
        "OWNER_NAME",
        "EVENTS_PORT",
    ];
    const BACKEND: &str = "STORAGE_BACKEND";
    let image = collector.get("image");
    if image.text().is_empty() {
        let message = "historyServerOptions.collectorOptions.image must be set";
        return Some((image, message.into()));
    }
    let env = collector.get("env");
    // The last of a name counts.
    let variable = |name: &str| {
        let mut all = env.items().into_iter().rev();
        all.find(|one| one.get("name").text() == name)
    };
    if let Some((name, at)) = MANAGED
        .iter()
        .find_map(|name| Some((name, variable(name)?)))
    {
        let message = format!(
            "historyServerOptions.collectorOptions.env must not contain {name}: it is managed by KubeRay and injected \
             automatically into the collector container"
        );
        return Some((at, message));
    }
    let value = |name: &str| {
        let found = variable(name).map(|one| one.get("value").text());
        found.unwrap_or_default()
    };
    let has = |name: &str| {
        variable(name)
            .is_some_and(|one| !one.get("value").text().is_empty() || one.get("valueFrom").exists())
    };
    let lacks = |name: &str, when: &str| {
        (!has(name))
            .then(|| format!("{name} environment variable must be set when {BACKEND} is {when}"))
    };
    let message = match value(BACKEND).to_uppercase().as_str() {
        "" => Some(format!(
            "{BACKEND} environment variable must be set with a literal string value in \
             historyServerOptions.collectorOptions.env"
        )),
        "GCS" => lacks("GCS_BUCKET", "GCS"),
        "S3" => lacks("S3_REGION", "S3"),
        "AZUREBLOB" => {
            const MODE: &str = "AZURE_STORAGE_AUTH_MODE";
            const CONNECTION: &str = "AZURE_STORAGE_CONNECTION_STRING";
            const ACCOUNT: &str = "AZURE_STORAGE_ACCOUNT_URL";
            let mode = value(MODE).trim().to_lowercase();
            let of_mode = format!("AZUREBLOB and {MODE} is {mode}");
            match mode.as_str() {
                "connection_string" => lacks(CONNECTION, &of_mode),
                "workload_identity" | "default" => lacks(ACCOUNT, &of_mode),
                _ => (!has(CONNECTION) && !has(ACCOUNT)).then(|| {
                    format!(
                        "either {CONNECTION} or {ACCOUNT} environment variable must be set when {BACKEND} is AZUREBLOB"
                    )
                }),
            }
        }
        "ALIYUNOSS" => ["OSS_BUCKET", "OSS_ENDPOINT", "OSS_REGION"]
            .into_iter()
            .find_map(|name| lacks(name, "ALIYUNOSS")),
        _ => None,
    };
    Some((env, message?))
}

fn network_policy(checks: &Checks, spec: &View, prefix: &str) {
    let policy = spec.get("networkPolicy");
    if !policy.exists() {
        return;
    }
    let mode = match policy.get("mode").text() {
        "" => "DenyAll",
        mode => mode,
    };
    let refuse = |at: &View, message: String| {
        checks.refuse(
            OperatorCheck::NetworkPolicyRules,
            at,
            format!("{prefix}{message}"),
        );
    };
    let rules = |of: &View, name: &str| {
        for (field, open, what) in [
            ("ingressRules", "DenyAllEgress", "ingress"),
            ("egressRules", "DenyAllIngress", "egress"),
        ] {
            let at = of.get(field);
            if mode == open && at.len() > 0 {
                let message = format!(
                    "networkPolicy.{name}.{field} cannot be set when mode is {mode:?} ({what} is not restricted)"
                );
                refuse(&at, message);
            }
        }
    };
    rules(&policy.get("head"), "head");
    rules(&policy.get("worker"), "worker");
    let workers = spec.get("workerGroupSpecs").items();
    for group in &workers {
        let name = group.get("groupName");
        if let Some(problem) = label(name.text()) {
            let message = format!(
                "worker group name {:?} must be a valid DNS1123 label when networkPolicy is enabled (it is embedded in \
                 the NetworkPolicy name): [{problem}]",
                name.text()
            );
            refuse(&name, message);
        }
    }
    for group in policy.get("workerGroups").items() {
        let name = group.get("groupName");
        rules(&group, &format!("workerGroups[{:?}]", name.text()));
        let mut names = workers.iter().map(|group| group.get("groupName").text());
        if !names.any(|known| known == name.text()) {
            let message = format!(
                "networkPolicy.workerGroups[{:?}] does not match any group name in workerGroupSpecs",
                name.text()
            );
            refuse(&name, message);
        }
    }
}

/// Checks what the operator writes itself where TLS is on.
fn tls(checks: &Checks, spec: &View, prefix: &str) {
    const MANAGED: [&str; 4] = [
        "RAY_USE_TLS",
        "RAY_TLS_SERVER_CERT",
        "RAY_TLS_SERVER_KEY",
        "RAY_TLS_CA_CERT",
    ];
    let options = spec.get("tlsOptions");
    if !options.get("enabled").is_true() || !checks.has_gate("RayClusterMTLS") {
        return;
    }
    let refuse = |at: &View, message: String| {
        let message = format!(
            "{prefix}{message} when tlsOptions is set - the operator manages TLS configuration"
        );
        checks.refuse(OperatorCheck::ManagedTls, at, message);
    };
    let mounts = |of: &View, whose: &str| {
        for mount in of.get("volumeMounts").items() {
            let (name, path) = (mount.get("name"), mount.get("mountPath"));
            if name.text() == "ray-tls" {
                refuse(
                    &name,
                    format!("cannot use volume mount named \"ray-tls\" in {whose}"),
                );
            } else if path.text() == "/etc/ray/tls" {
                let message =
                    format!("cannot use volume mount at path \"/etc/ray/tls\" in {whose}");
                refuse(&path, message);
            }
        }
    };
    for (group, whose) in groups(spec) {
        let Some(ray) = containers(&group).into_iter().next() else {
            continue;
        };
        for name in MANAGED {
            if let Some(at) = ray_env(&group).named(name) {
                refuse(
                    &at,
                    format!("cannot set {name} environment variable in {whose}"),
                );
            }
        }
        mounts(&ray, &whose);
    }
    let autoscaler = spec.get("autoscalerOptions");
    for name in MANAGED {
        if let Some(at) = autoscaler.get("env").named(name) {
            let message =
                format!("cannot set {name} environment variable in autoscalerOptions.env");
            refuse(&at, message);
        }
    }
    mounts(&autoscaler, "autoscalerOptions.volumeMounts");
}

/// Checks what the embedded storage of the GCS excludes.
pub(super) fn embedded_storage(checks: &Checks, spec: &View, options: &View, prefix: &str) {
    let refuse = |at: &View, message: String| {
        checks.refuse(OperatorCheck::GcsBackend, at, format!("{prefix}{message}"));
    };
    for (field, name) in [
        ("redisAddress", "RedisAddress"),
        ("redisUsername", "RedisUsername"),
        ("redisPassword", "RedisPassword"),
        ("externalStorageNamespace", "ExternalStorageNamespace"),
    ] {
        let at = options.get(field);
        if at.exists() && at.value != "" {
            let message =
                format!("cannot set GcsFaultToleranceOptions.{name} when backend is 'rocksdb'");
            refuse(&at, message);
        }
    }
    let storage = options.get("storage");
    let others = ["size", "storageClassName", "accessModes"].map(|field| storage.get(field));
    let is_given =
        |at: &View| at.exists() && at.value.as_array().is_none_or(|list| !list.is_empty());
    if !storage.get("claimName").text().is_empty() && others.iter().any(is_given) {
        let message = "GcsFaultToleranceOptions.Storage.ClaimName is mutually exclusive with size, storageClassName, \
                       and accessModes";
        refuse(&storage, message.into());
    }
    let head = spec.get("headGroupSpec");
    let env = ray_env(&head);
    let variable = ["RAY_gcs_storage", "RAY_gcs_storage_path"]
        .iter()
        .find_map(|name| env.named(name));
    if let Some(at) = variable {
        let message = "cannot set `RAY_gcs_storage` or `RAY_gcs_storage_path` env var in head Pod when the embedded \
                       GCS FT backend is used - these are managed by KubeRay";
        refuse(&at, message.into());
    }
    let ray = containers(&head).into_iter().next();
    let mounts = ray.map(|ray| ray.get("volumeMounts").items());
    for mount in mounts.unwrap_or_default() {
        if mount.get("mountPath").text() == "/data/gcs" || mount.get("name").text() == "gcs-storage"
        {
            let message = "cannot set a volume mount named \"gcs-storage\" or mounted at /data/gcs in the head \
                           container when the embedded GCS FT backend is used - it is managed by KubeRay";
            refuse(&mount, message.into());
        }
    }
    let volumes = head.find(&["template", "spec", "volumes"]);
    if let Some(at) = volumes.named("gcs-storage") {
        let message = "cannot set a volume named \"gcs-storage\" in the head Pod when the embedded GCS FT backend is \
                       used - it is managed by KubeRay";
        refuse(&at, message.into());
    }
}
