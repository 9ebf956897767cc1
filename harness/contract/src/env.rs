//! The variables that the operator adds to containers.

use serde_json::json;

use super::feature::Context;
use super::input::{AuthOptions, FaultTolerance, RayCluster, Variable};
use super::names::{HeadAddress, shortened};
use super::params::Params;
use super::tls;
use super::{EnvValue, EnvVar, Feature, PodRole, Text, UNKNOWN_UID};

/// Returns whether the Pods of a RayCluster have the collector of the history server.
pub(super) fn has_collector(context: &Context, cluster: &RayCluster) -> bool {
    let options = cluster.spec.history_server_options.as_ref();
    options.is_some_and(|options| options.collector_options.is_some())
        && context.gate("RayClusterHistoryServer")
        && context.uses(Feature::Collector)
}

/// A container's variables, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Env(pub Vec<EnvVar>);

impl Env {
    pub fn of(variables: &[Variable]) -> Self {
        Self(
            variables
                .iter()
                .map(|variable| variable.in_pod(false))
                .collect(),
        )
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|variable| variable.name == name)
    }

    pub fn add(&mut self, name: &str, value: impl Into<Text>) {
        self.push(name, EnvValue::Text(value.into()));
    }

    fn add_once(&mut self, name: &str, value: impl Into<Text>) {
        if !self.has(name) {
            self.add(name, value);
        }
    }

    pub fn add_field(&mut self, name: &str, path: &str) {
        self.push(
            name,
            EnvValue::From(json!({"fieldRef": {"apiVersion": "v1", "fieldPath": path}})),
        );
    }

    fn push(&mut self, name: &str, value: EnvValue) {
        self.0.push(EnvVar {
            name: name.into(),
            value,
            injected: true,
        });
    }

    /// Adds the variables of another list as those of the operator.
    pub fn extend(&mut self, variables: &[Variable]) {
        self.0
            .extend(variables.iter().map(|variable| variable.in_pod(true)));
    }

    /// Adds the head's service under its two names.
    pub fn add_head(&mut self, head: &HeadAddress) {
        self.add("FQ_RAY_IP", head.host.as_str());
        self.add("RAY_IP", head.service());
    }

    /// Adds the variables that let Ray's programs talk to a cluster with token authentication.
    pub fn add_auth(&mut self, context: &Context, cluster: &str, options: Option<&AuthOptions>) {
        let Some(options) = options.filter(|options| options.mode.as_deref() == Some("token"))
        else {
            return;
        };
        if !context.uses(Feature::TokenAuth) {
            return;
        }
        let again = context.uses(Feature::TokenAuthTwice);
        context.uses(Feature::TokenAuthOnce);
        if again || !self.has("RAY_AUTH_MODE") {
            self.add("RAY_AUTH_MODE", "token");
        }
        if options.enable_k8s_token_auth == Some(true) && context.uses(Feature::KubernetesAuth) {
            self.add_once("RAY_ENABLE_K8S_TOKEN_AUTH", "true");
            return;
        }
        let own = options
            .secret_name
            .as_deref()
            .filter(|name| !name.is_empty());
        let secret = match own {
            Some(name) if context.has(Feature::TokenAuthOnce) => name.to_owned(),
            _ => shortened(cluster),
        };
        if again || !self.has("RAY_AUTH_TOKEN") {
            let from = json!({"secretKeyRef": {"name": secret, "key": "auth_token"}});
            self.push("RAY_AUTH_TOKEN", EnvValue::From(from));
        }
    }

    /// Adds the variables that let Ray's programs talk to each other with certificates.
    pub fn add_tls(&mut self, context: &Context, cluster: &RayCluster) {
        if tls::has_tls(context, cluster) && context.uses(Feature::TlsEnv) {
            self.add_once("RAY_USE_TLS", "1");
            for (name, file) in [
                ("RAY_TLS_SERVER_CERT", "tls.crt"),
                ("RAY_TLS_SERVER_KEY", "tls.key"),
                ("RAY_TLS_CA_CERT", "ca.crt"),
            ] {
                self.add_once(name, format!("{}/{file}", tls::CERTIFICATES));
            }
        }
    }

    /// Adds the variables of a fault-tolerant cluster from 1.3 on, and changes the parameters of
    /// the head.
    pub fn add_fault_tolerance(
        &mut self,
        context: &Context,
        role: PodRole,
        cluster: &RayCluster,
        params: &mut Params,
    ) {
        let options = cluster.spec.gcs_fault_tolerance_options.as_ref();
        if !context.has(Feature::FaultToleranceOptions)
            || !is_fault_tolerant(cluster) && options.is_none()
        {
            return;
        }
        if role == PodRole::Worker {
            self.add_reconnect(context);
            return;
        }
        let embedded = options.is_some_and(|options| options.backend.as_deref() == Some("rocksdb"));
        if embedded && context.uses(Feature::EmbeddedStorage) {
            self.add_once("RAY_gcs_storage", "rocksdb");
            self.add_once("RAY_gcs_storage_path", "/data/gcs");
            return;
        }
        context.uses(Feature::EnvStorageOfHead);
        self.add_once(
            "RAY_external_storage_namespace",
            storage_namespace(cluster, options),
        );
        match options {
            Some(options) => self.add_redis(context, options, params),
            None => {
                if let Some(password) = cluster
                    .spec
                    .head_group_spec
                    .ray_start_params
                    .get("redis-password")
                    && !self.has("REDIS_PASSWORD")
                {
                    context.uses(Feature::EnvRedisFromParams);
                    self.add("REDIS_PASSWORD", password.as_str());
                }
            }
        }
    }

    fn add_redis(&mut self, context: &Context, options: &FaultTolerance, params: &mut Params) {
        context.uses(Feature::FaultToleranceOptions);
        self.add("RAY_REDIS_ADDRESS", options.redis_address.as_str());
        let credentials = [
            ("redis-username", "REDIS_USERNAME", &options.redis_username),
            ("redis-password", "REDIS_PASSWORD", &options.redis_password),
        ];
        for (parameter, name, credential) in credentials {
            if let Some(credential) = credential {
                params.set(parameter, format!("${name}"));
                let variable = Variable {
                    name: name.into(),
                    value: credential.value.clone(),
                    value_from: credential.value_from.clone(),
                };
                self.extend(&[variable]);
            }
        }
    }

    fn add_reconnect(&mut self, context: &Context) {
        const NAME: &str = "RAY_gcs_rpc_server_reconnect_timeout_s";
        if !self.has(NAME) {
            context.uses(Feature::EnvReconnect);
            self.add(NAME, "600");
        }
    }

    /// Adds the variables of every Ray container, in the operator's order.
    pub fn add_ray(&mut self, context: &Context, role: PodRole, ray: &RayEnv) {
        for default in &context.settings.default_container_envs {
            let variable: Result<Variable, _> = serde_json::from_value(default.clone());
            if let Ok(variable) = variable
                && !self.has(&variable.name)
                && context.uses(Feature::EnvDefaults)
            {
                self.extend(&[variable]);
            }
        }
        if role == PodRole::Worker {
            context.uses(Feature::EnvHeadAddress);
            self.add_head(ray.head);
        }
        context.uses(Feature::EnvClusterName);
        self.add_field("RAY_CLUSTER_NAME", "metadata.labels['ray.io/cluster']");
        if context.uses(Feature::EnvClusterNamespace) {
            self.add_field("RAY_CLUSTER_NAMESPACE", "metadata.namespace");
        }
        if context.uses(Feature::EnvInstance) {
            self.add_field("RAY_CLOUD_INSTANCE_ID", "metadata.name");
            self.add_field("RAY_NODE_TYPE_NAME", "metadata.labels['ray.io/group']");
        }
        if context.uses(Feature::GenRayStartCmd) {
            self.add("KUBERAY_GEN_RAY_START_CMD", ray.command.clone());
        }
        context.uses(Feature::EnvPort);
        self.add_once("RAY_PORT", ray.head.port.as_str());
        let owner = owner(context, ray.cluster);
        if owner == "RayService" {
            self.add_service(context);
        }
        context.uses(Feature::EnvAddress);
        let host = if role == PodRole::Head {
            "127.0.0.1"
        } else {
            &ray.head.host
        };
        self.add_once("RAY_ADDRESS", format!("{host}:{}", ray.head.port));
        context.uses(Feature::EnvUsage);
        self.add_once("RAY_USAGE_STATS_KUBERAY_IN_USE", "1");
        if role == PodRole::Head && context.uses(Feature::EnvExtraTags) {
            let tags = format!("kuberay_version={};kuberay_crd={owner}", ray.version);
            self.add("RAY_USAGE_STATS_EXTRA_TAGS", tags);
        }
        self.add_old_fault_tolerance(context, role, ray);
        self.add_once("RAY_DASHBOARD_ENABLE_K8S_DISK_USAGE", "1");
        if has_collector(context, ray.cluster) {
            self.add_events();
        }
    }

    /// Adds the variables that make Ray send its events to the collector of the history server.
    fn add_events(&mut self) {
        const EVENTS: &str = "TASK_DEFINITION_EVENT,TASK_LIFECYCLE_EVENT,ACTOR_TASK_DEFINITION_EVENT,\
                              TASK_PROFILE_EVENT,DRIVER_JOB_DEFINITION_EVENT,DRIVER_JOB_LIFECYCLE_EVENT,\
                              ACTOR_DEFINITION_EVENT,ACTOR_LIFECYCLE_EVENT,NODE_DEFINITION_EVENT,\
                              NODE_LIFECYCLE_EVENT";
        const AGENT: &str = "RAY_DASHBOARD_AGGREGATOR_AGENT";
        self.add_once("RAY_enable_ray_event", "true");
        self.add_once("RAY_enable_core_worker_ray_event_to_aggregator", "true");
        let address = "http://localhost:8084/v1/events";
        self.add_once(&format!("{AGENT}_EVENTS_EXPORT_ADDR"), address);
        for types in ["", "PUBLISHER_HTTP_ENDPOINT_"] {
            self.add_once(&format!("{AGENT}_{types}EXPOSABLE_EVENT_TYPES"), EVENTS);
        }
    }

    fn add_service(&mut self, context: &Context) {
        context.uses(Feature::EnvService);
        self.add_once("RAY_timeout_ms_task_wait_for_death_info", "0");
        self.add_once("RAY_gcs_server_request_timeout_seconds", "5");
        self.add_once("RAY_SERVE_KV_TIMEOUT_S", "5");
        if context.uses(Feature::EnvServePin) {
            self.add_once("RAY_INTERNAL_SERVE_CONTROLLER_PIN_ON_NODE", "0");
        }
    }

    /// Adds the variables that come last up to 1.2; the password always.
    fn add_old_fault_tolerance(&mut self, context: &Context, role: PodRole, ray: &RayEnv) {
        if !context.has(Feature::EnvRedisAlways) {
            return;
        }
        if !self.has("REDIS_PASSWORD") {
            context.uses(Feature::EnvRedisAlways);
            self.add("REDIS_PASSWORD", ray.redis_password.unwrap_or_default());
        }
        let annotations = &ray.cluster.metadata.annotations;
        let tolerant = is_fault_tolerant(ray.cluster);
        let storage = annotations
            .get(STORAGE_NAMESPACE)
            .map(String::as_str)
            .or_else(|| tolerant.then(|| uid(ray.cluster)))
            .or(ray.template_storage);
        if let Some(storage) = storage
            && !self.has("RAY_external_storage_namespace")
        {
            context.uses(Feature::EnvStorageFromPod);
            self.add("RAY_external_storage_namespace", storage);
        }
        if tolerant && role == PodRole::Worker {
            self.add_reconnect(context);
        }
    }
}

/// The inputs of the variables of a Ray container.
pub(super) struct RayEnv<'a> {
    pub cluster: &'a RayCluster,
    pub head: &'a HeadAddress,
    /// The generated `ray start`.
    pub command: &'a Text,
    /// The group's parameter.
    pub redis_password: Option<&'a str>,
    /// The storage namespace that the Pod template is annotated with.
    pub template_storage: Option<&'a str>,
    /// Version that the operator reports of itself.
    pub version: &'a str,
}

pub(super) const STORAGE_NAMESPACE: &str = "ray.io/external-storage-namespace";

pub(super) fn is_fault_tolerant(cluster: &RayCluster) -> bool {
    let annotation = cluster.metadata.annotations.get("ray.io/ft-enabled");
    annotation.is_some_and(|value| value.to_lowercase() == "true")
}

fn storage_namespace(cluster: &RayCluster, options: Option<&FaultTolerance>) -> String {
    let own = options.map(|options| options.external_storage_namespace.as_str());
    let annotation = cluster.metadata.annotations.get(STORAGE_NAMESPACE);
    match own {
        Some(own) if !own.is_empty() => own.into(),
        _ => annotation.map_or(uid(cluster), String::as_str).into(),
    }
}

/// The cluster's identity, which the API server gives it.
fn uid(cluster: &RayCluster) -> &str {
    cluster.metadata.uid.as_deref().unwrap_or(UNKNOWN_UID)
}

/// The kind of object that made the cluster, as its labels say.
pub(super) fn owner(context: &Context, cluster: &RayCluster) -> &'static str {
    let labels = &cluster.metadata.labels;
    if context.has(Feature::EnvServePin) {
        let creator = labels.get("app.kubernetes.io/created-by");
        let service = creator.is_some_and(|creator| creator.to_lowercase() == "rayservice");
        return if service { "RayService" } else { "RayCluster" };
    }
    match labels.get("ray.io/originated-from-crd").map(String::as_str) {
        Some("RayJob") => "RayJob",
        Some("RayService") => "RayService",
        _ => "RayCluster",
    }
}
