//! How RayClusters are generated: everything that the contract depends on, within what a release
//! accepts.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use kuberay_contract::Feature;
use proptest::collection::{btree_map, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use semver::Version;
use serde_json::{Map, Value, json};

use super::plan::{ClusterPlan, GroupPlan, longest_name};
use super::words;

/// RayClusters with up to `workers` worker groups that a release accepts.
pub(super) fn plan(release: &Version, workers: usize) -> BoxedStrategy<ClusterPlan> {
    plan_with(release, 0..=workers)
}

/// The same with a number of worker groups out of a range.
pub(super) fn plan_with(
    release: &Version,
    workers: RangeInclusive<usize>,
) -> BoxedStrategy<ClusterPlan> {
    let has = |feature: Feature| feature.entry().covers(release);
    let limits = Limits {
        group_fields: has(Feature::GroupResources),
        fault_tolerance: has(Feature::FaultToleranceOptions),
        token_auth: has(Feature::TokenAuth),
        autoscaler_version: has(Feature::AutoscalerV2),
        autoscaler_command: has(Feature::AutoscalerOverride),
        accelerators: has(Feature::AcceleratorFromLimits),
    };
    let longest_name = longest_name(has(Feature::HeadServiceWhole));
    let owner = select(vec!["RayService", "RayService", "RayJob", "other"]);
    (
        words::tail(),
        cluster(limits),
        weighted(0.2, owner),
        any::<bool>(),
        group(limits, true),
        vec(group(limits, false), workers),
    )
        .prop_map(move |(name_tail, cluster, owner, named, head, workers)| {
            let mut plan = ClusterPlan {
                name_tail,
                longest_name,
                labels: Map::new(),
                annotations: cluster.annotations,
                options: cluster.options,
                named_service: named && cluster.rare,
                head,
                workers,
            };
            if let Some(owner) = owner {
                // What the controllers of RayJob and RayService write on the RayClusters that they
                // make.
                plan.labels
                    .insert("ray.io/originated-from-crd".into(), owner.into());
                plan.labels.insert(
                    "app.kubernetes.io/created-by".into(),
                    owner.to_lowercase().into(),
                );
            }
            plan.settled()
        })
        .boxed()
}

/// What a release knows.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a feature")]
struct Limits {
    group_fields: bool,
    fault_tolerance: bool,
    token_auth: bool,
    autoscaler_version: bool,
    autoscaler_command: bool,
    accelerators: bool,
}

#[derive(Debug, Clone)]
struct Cluster {
    annotations: Map<String, Value>,
    options: Map<String, Value>,
    rare: bool,
}

fn cluster(limits: Limits) -> BoxedStrategy<Cluster> {
    let autoscaler = (
        weighted(0.5, select(vec!["v1", "v2"])),
        any::<bool>(),
        any::<bool>(),
    );
    (
        weighted(0.15, words::boolean()),
        weighted(0.25, select(vec!["true", "TRUE", "false"])),
        weighted(0.05, "[a-z]{1,8}"),
        weighted(0.15, autoscaler),
        weighted(0.08, (any::<bool>(), any::<bool>(), any::<bool>())),
        weighted(0.05, any::<bool>()),
        weighted(0.1, select(vec!["true", "false"])),
        prop::bool::weighted(0.2),
        weighted(0.3, select(vec!["2.46.0", "2.53", "v2.55.1rc0", "nightly"])),
    )
        .prop_map(
            move |(overwrite, tolerant, storage, autoscaler, redis, auth, agent, rare, version)| {
                let mut annotations = Map::new();
                let mut annotate = |name: &str, value: Option<Value>| {
                    annotations.extend(value.map(|value| (name.to_owned(), value)));
                };
                annotate("ray.io/overwrite-container-cmd", overwrite.map(Value::from));
                annotate("ray.io/enableAgentService", agent.map(Value::from));
                let mut options = Map::new();
                if let Some(version) = version {
                    options.insert("rayVersion".into(), version.into());
                }
                if let Some(parts) = redis.filter(|_| limits.fault_tolerance) {
                    options.insert("gcsFaultToleranceOptions".into(), redis_options(parts));
                } else {
                    annotate("ray.io/ft-enabled", tolerant.map(Value::from));
                    annotate(
                        "ray.io/external-storage-namespace",
                        storage.map(Value::from),
                    );
                }
                if let Some((version, env, command)) = autoscaler {
                    options.insert("enableInTreeAutoscaling".into(), true.into());
                    let mut own = json!({});
                    if let Some(version) = version.filter(|_| limits.autoscaler_version) {
                        own["version"] = json!(version);
                    }
                    if env {
                        own["env"] = json!([{"name": "RAY_CLUSTER_NAME", "value": "own"}]);
                    }
                    if command && limits.autoscaler_command {
                        own["args"] = json!(["own"]);
                    }
                    options.insert("autoscalerOptions".into(), own);
                }
                if let Some(secret) = auth.filter(|_| limits.token_auth) {
                    let own = if secret {
                        json!({"mode": "token", "secretName": "own"})
                    } else {
                        json!({"mode": "token"})
                    };
                    options.insert("authOptions".into(), own);
                    options.insert("rayVersion".into(), "2.52.0".into());
                }
                Cluster {
                    annotations,
                    options,
                    rare,
                }
            },
        )
        .boxed()
}

fn redis_options((user, password, namespace): (bool, bool, bool)) -> Value {
    let mut redis = json!({"redisAddress": "redis:6379"});
    if user {
        redis["redisUsername"] = json!({"value": "me"});
    }
    if password {
        redis["redisPassword"] = json!({"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}});
    }
    if namespace {
        redis["externalStorageNamespace"] = json!("own");
    }
    redis
}

fn group(limits: Limits, head: bool) -> BoxedStrategy<GroupPlan> {
    (
        words::tail(),
        params(head),
        fields(limits),
        weighted(0.1, words::boolean()),
        weighted(0.05, "[a-z]{1,8}"),
        container(limits),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(name_tail, params, fields, overwrite, storage, container, sidecar, init)| {
                let mut annotations = Map::new();
                annotations.extend(
                    overwrite
                        .map(|value| ("ray.io/overwrite-container-cmd".to_owned(), value.into())),
                );
                annotations.extend(
                    storage.map(|value| {
                        ("ray.io/external-storage-namespace".to_owned(), value.into())
                    }),
                );
                GroupPlan {
                    name_tail,
                    params,
                    fields,
                    annotations,
                    container,
                    sidecar,
                    init,
                }
            },
        )
        .boxed()
}

fn params(head: bool) -> BoxedStrategy<Map<String, Value>> {
    let mut names = vec![
        "num-cpus",
        "memory",
        "num-gpus",
        "block",
        "log-color",
        "include-dashboard",
        "include-log-monitor",
        "metrics-export-port",
        "dashboard-agent-listen-port",
        "dashboard-host",
        "node-ip-address",
        "no-monitor",
        "plasma-directory",
        "object-store-memory",
        "x",
    ];
    names.extend(if head {
        &["port", "redis-password", "dashboard-port"][..]
    } else {
        &["address", "redis-password"]
    });
    let known = btree_map(select(names).prop_map(str::to_owned), words::value(), 0..6);
    let others = btree_map("[a-zA-Z][a-z0-9-]{0,11}", words::value(), 0..2);
    (known, others, weighted(0.2, words::resources()))
        .prop_map(
            |(known, others, resources): (
                BTreeMap<String, String>,
                BTreeMap<String, String>,
                Option<String>,
            )| {
                let resources = resources.map(|value| ("resources".to_owned(), value));
                let all = others.into_iter().chain(known).chain(resources);
                // These have validations of their own.
                let all = all.filter(|(name, _)| name != "labels" && name != "redis-username");
                all.map(|(name, value)| (name, Value::from(value)))
                    .collect()
            },
        )
        .boxed()
}

fn fields(limits: Limits) -> BoxedStrategy<Map<String, Value>> {
    let names = select(vec![
        "CPU",
        "cpu",
        "memory",
        "Memory",
        "GPU",
        "nvidia.com/gpu",
        "TPU",
        "a",
        "<b>",
    ]);
    let amounts = prop_oneof![words::cpu(), words::memory(), words::count(), Just("bad")];
    let resources = btree_map(names, amounts, 1..4);
    let labels = btree_map("[a-z]{1,6}(/[a-z]{1,4})?", "[A-Za-z0-9]{0,6}", 1..4);
    (weighted(0.1, resources), weighted(0.1, labels))
        .prop_map(move |(resources, labels)| {
            let mut fields = Map::new();
            if limits.group_fields {
                fields.extend(resources.map(|map| ("resources".to_owned(), json!(map))));
                fields.extend(labels.map(|map| ("labels".to_owned(), json!(map))));
            }
            fields
        })
        .boxed()
}

fn container(limits: Limits) -> BoxedStrategy<Map<String, Value>> {
    (
        weighted(0.4, vec(words::word(), 0..4)),
        weighted(0.4, vec(words::word(), 0..4)),
        resources(limits),
        weighted(0.4, variables()),
    )
        .prop_map(|(command, args, resources, env)| {
            let mut container = Map::new();
            container.extend(command.map(|words| ("command".to_owned(), json!(words))));
            container.extend(args.map(|words| ("args".to_owned(), json!(words))));
            container.extend(env.map(|variables| ("env".to_owned(), variables)));
            if resources.as_object().is_some_and(|map| !map.is_empty()) {
                container.insert("resources".into(), resources);
            }
            container
        })
        .boxed()
}

/// Limits and requests that a Pod may have together: equal where both are there.
fn resources(limits: Limits) -> BoxedStrategy<Value> {
    let devices = select(vec![
        "nvidia.com/gpu",
        "amd.com/gpu",
        "example.com/mygpu",
        "nvidia.com/mig-1g.5gb",
        "nvidia.com/mig-2g.10gb.shared",
        "google.com/tpu",
        "aws.amazon.com/neuroncore",
        "example.com/other",
    ]);
    let places = || select(vec![(true, false), (false, true), (true, true)]);
    (
        weighted(0.5, (words::cpu(), places())),
        weighted(0.5, (words::memory(), places())),
        prop_oneof![3 => Just(BTreeMap::new()), 1 => btree_map(devices, words::count(), 0..4)],
        any::<bool>(),
    )
        .prop_map(move |(cpu, memory, devices, as_number)| {
            let mut resources: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
            for (name, amount) in [("cpu", cpu), ("memory", memory)] {
                let Some((amount, (limit, request))) = amount else {
                    continue;
                };
                // A whole number may stand without quotes.
                let value = match amount.parse::<u64>() {
                    Ok(number) if as_number => json!(number),
                    _ => json!(amount),
                };
                for (of, wanted) in [("limits", limit), ("requests", request)] {
                    if wanted {
                        resources
                            .entry(of)
                            .or_default()
                            .insert(name.into(), value.clone());
                    }
                }
            }
            for (name, amount) in devices {
                if limits.accelerators || !name.contains("neuron") {
                    resources
                        .entry("limits")
                        .or_default()
                        .insert(name.into(), json!(amount));
                }
            }
            json!(resources)
        })
        .boxed()
}

/// Variables, each name once: the custom resource definition makes the list a map.
fn variables() -> BoxedStrategy<Value> {
    let keys = select(vec![
        "X",
        "RAY_PORT",
        "RAY_ADDRESS",
        "RAY_IP",
        "FQ_RAY_IP",
        "RAY_CLUSTER_NAME",
        "RAY_CLUSTER_NAMESPACE",
        "KUBERAY_GEN_RAY_START_CMD",
        "RAY_USAGE_STATS_KUBERAY_IN_USE",
        "RAY_DASHBOARD_ENABLE_K8S_DISK_USAGE",
        "RAY_USAGE_STATS_EXTRA_TAGS",
        "RAY_SERVE_KV_TIMEOUT_S",
        "REDIS_PASSWORD",
        "RAY_external_storage_namespace",
        "RAY_gcs_rpc_server_reconnect_timeout_s",
        "RAY_AUTH_MODE",
        "RAY_START_ULIMIT_OPEN_FILES",
    ]);
    let values = prop_oneof![
        4 => words::value().prop_map(|value| json!({"value": value})),
        1 => Just(json!({"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})),
        1 => Just(json!({"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}})),
    ];
    btree_map(keys, values, 0..4)
        .prop_map(|chosen| {
            let named = chosen.into_iter().map(|(name, mut variable)| {
                variable["name"] = json!(name);
                variable
            });
            named.collect()
        })
        .boxed()
}

impl ClusterPlan {
    /// Takes out what an operator refuses together with something else of the plan.
    fn settled(mut self) -> Self {
        const FROM_RESOURCES: [&str; 4] = ["num-cpus", "num-gpus", "memory", "resources"];
        for group in std::iter::once(&mut self.head).chain(&mut self.workers) {
            let given = FROM_RESOURCES
                .iter()
                .any(|name| group.params.get(*name).is_some_and(|value| value != ""));
            if given {
                group.fields.remove("resources");
            }
        }
        if self.options.contains_key("gcsFaultToleranceOptions") {
            self.head.params.remove("redis-password");
            if let Some(env) = self
                .head
                .container
                .get_mut("env")
                .and_then(Value::as_array_mut)
            {
                env.retain(|variable| variable["name"] != "REDIS_PASSWORD");
            }
        }
        self
    }
}
