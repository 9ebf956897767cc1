//! The parts of a RayCluster, RayJob or RayService that the contract depends on.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::quantity::Quantity;
use super::{EnvValue, EnvVar};

/// The reason why the model can't read an object.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, ModelError, predict};
///
/// let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "demo"}});
/// let error = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &pod).unwrap_err();
/// assert!(matches!(error, ModelError::Kind { .. }), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// A field is missing or has another type than the custom resource definition gives it.
    #[error("{path}: {problem}")]
    Field {
        /// Path of the field, such as `spec.headGroupSpec.template`.
        path: String,
        /// Description of the problem.
        problem: String,
    },
    /// The object is of a kind that the operator makes no Pods for.
    #[error("the contract covers RayCluster, RayJob, RayService and RayCronJob, not `{kind}`")]
    Kind {
        /// The kind that was given.
        kind: String,
    },
}

impl ModelError {
    pub(super) fn field(path: &str, problem: impl Into<String>) -> Self {
        Self::Field {
            path: path.into(),
            problem: problem.into(),
        }
    }
}

/// Reads an object; a field that is `null` is absent.
pub(super) fn read<'de, T: Deserialize<'de>>(object: &'de Value) -> Result<T, ModelError> {
    // Keeping track of the path takes as long as reading, and only an error has a use for it.
    T::deserialize(object).or_else(|_| {
        serde_path_to_error::deserialize(object).map_err(|error| {
            let path = error.path().to_string();
            ModelError::field(&path, error.inner().to_string())
        })
    })
}

fn absent<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RayCluster {
    pub metadata: Metadata,
    pub spec: ClusterSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(deserialize_with = "absent")]
    pub name: String,
    pub generate_name: Option<String>,
    pub namespace: Option<String>,
    pub uid: Option<String>,
    #[serde(deserialize_with = "absent")]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "absent")]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterSpec {
    pub head_group_spec: Group,
    /// Text; another type is the API server's to refuse.
    pub ray_version: Option<Value>,
    #[serde(default, deserialize_with = "absent")]
    pub worker_group_specs: Vec<Group>,
    pub enable_in_tree_autoscaling: Option<bool>,
    pub autoscaler_options: Option<AutoscalerOptions>,
    pub gcs_fault_tolerance_options: Option<FaultTolerance>,
    pub auth_options: Option<AuthOptions>,
    pub tls_options: Option<TlsOptions>,
    pub history_server_options: Option<HistoryServer>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    #[serde(default, deserialize_with = "absent")]
    pub group_name: String,
    #[serde(default, deserialize_with = "absent")]
    pub ray_start_params: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "absent")]
    pub resources: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "absent")]
    pub labels: BTreeMap<String, String>,
    pub head_service: Option<Service>,
    pub template: PodTemplate,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Service {
    #[serde(default, deserialize_with = "absent")]
    pub metadata: Metadata,
    #[serde(default, deserialize_with = "absent")]
    pub spec: ServicePorts,
}

/// The ports of a Service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServicePorts {
    #[serde(deserialize_with = "absent")]
    pub ports: Vec<ServicePort>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ServicePort {
    #[serde(default, deserialize_with = "absent")]
    pub name: String,
    pub port: i32,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct PodTemplate {
    #[serde(default, deserialize_with = "absent")]
    pub metadata: Metadata,
    pub spec: PodSpec,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSpec {
    pub containers: Vec<Container>,
    #[serde(default, deserialize_with = "absent")]
    pub init_containers: Vec<Container>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    #[serde(deserialize_with = "absent")]
    pub name: String,
    #[serde(deserialize_with = "absent")]
    pub command: Vec<String>,
    #[serde(deserialize_with = "absent")]
    pub args: Vec<String>,
    #[serde(deserialize_with = "absent")]
    pub env: Vec<Variable>,
    #[serde(deserialize_with = "absent")]
    pub ports: Vec<Port>,
    #[serde(deserialize_with = "absent")]
    pub resources: Resources,
    pub liveness_probe: Option<serde_json::Value>,
    pub readiness_probe: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Port {
    #[serde(default, deserialize_with = "absent")]
    pub name: String,
    pub container_port: i32,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resources {
    #[serde(deserialize_with = "absent")]
    pub limits: BTreeMap<String, Amount>,
    #[serde(deserialize_with = "absent")]
    pub requests: BTreeMap<String, Amount>,
}

/// A quantity as a manifest may write it, as text or as a whole number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount(pub Quantity);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        // A Pod with less than nothing is refused; see `admission`.
        let (text, negative) = match text.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (text.as_str(), false),
        };
        let quantity = Quantity::parse(text);
        let quantity = if negative {
            quantity.and_then(|_| Quantity::parse("0"))
        } else {
            quantity
        };
        quantity.map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!("{value} is not a quantity such as 500m or 2Gi"))
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    pub name: String,
    pub value: Option<String>,
    pub value_from: Option<Value>,
}

impl Variable {
    /// The variable as it stands in a Pod, where the API server has filled in its own defaults.
    pub fn in_pod(&self, injected: bool) -> EnvVar {
        let value = match &self.value_from {
            Some(from) => {
                let mut from = from.clone();
                if let Some(field) = from.get_mut("fieldRef").and_then(Value::as_object_mut) {
                    field.entry("apiVersion").or_insert_with(|| "v1".into());
                }
                if let Some(field) = from
                    .get_mut("resourceFieldRef")
                    .and_then(Value::as_object_mut)
                {
                    field.entry("divisor").or_insert_with(|| "0".into());
                }
                EnvValue::From(from)
            }
            None => EnvValue::Text(self.value.clone().unwrap_or_default().into()),
        };
        EnvVar {
            name: self.name.clone(),
            value,
            injected,
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AutoscalerOptions {
    pub version: Option<String>,
    #[serde(deserialize_with = "absent")]
    pub env: Vec<Variable>,
    #[serde(deserialize_with = "absent")]
    pub command: Vec<String>,
    #[serde(deserialize_with = "absent")]
    pub args: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct FaultTolerance {
    pub backend: Option<String>,
    #[serde(deserialize_with = "absent")]
    pub external_storage_namespace: String,
    #[serde(deserialize_with = "absent")]
    pub redis_address: String,
    pub redis_username: Option<Credential>,
    pub redis_password: Option<Credential>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Credential {
    pub value: Option<String>,
    pub value_from: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AuthOptions {
    pub mode: Option<String>,
    pub secret_name: Option<String>,
    pub enable_k8s_token_auth: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TlsOptions {
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct HistoryServer {
    pub collector_options: Option<Collector>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Collector {
    #[serde(deserialize_with = "absent")]
    pub env: Vec<Variable>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RayCronJob {
    pub metadata: Metadata,
    pub spec: CronJobSpec,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CronJobSpec {
    pub job_template: JobSpec,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RayJob {
    pub metadata: Metadata,
    pub spec: JobSpec,
    #[serde(default, deserialize_with = "absent")]
    pub status: JobStatus,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobSpec {
    #[serde(default, deserialize_with = "absent")]
    pub entrypoint: String,
    #[serde(rename = "runtimeEnvYAML", default, deserialize_with = "absent")]
    pub runtime_env_yaml: String,
    #[serde(default, deserialize_with = "absent")]
    pub metadata: BTreeMap<String, String>,
    pub job_id: Option<String>,
    #[serde(default, deserialize_with = "absent")]
    pub entrypoint_num_cpus: f32,
    #[serde(default, deserialize_with = "absent")]
    pub entrypoint_num_gpus: f32,
    #[serde(default, deserialize_with = "absent")]
    pub entrypoint_resources: String,
    pub submission_mode: Option<String>,
    pub submitter_pod_template: Option<PodTemplate>,
    #[serde(default, deserialize_with = "absent")]
    pub cluster_selector: BTreeMap<String, String>,
    pub ray_cluster_spec: Option<ClusterSpec>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct JobStatus {
    pub job_id: Option<String>,
    pub ray_cluster_name: Option<String>,
    #[serde(rename = "dashboardURL")]
    pub dashboard_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RayService {
    pub metadata: Metadata,
    pub spec: ServiceSpec,
    #[serde(default, deserialize_with = "absent")]
    pub status: ServiceStatuses,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ServiceSpec {
    #[serde(rename = "rayClusterConfig")]
    pub ray_cluster_config: ClusterSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ServiceStatuses {
    #[serde(deserialize_with = "absent")]
    pub pending_service_status: ServiceStatus,
    #[serde(deserialize_with = "absent")]
    pub active_service_status: ServiceStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ServiceStatus {
    #[serde(deserialize_with = "absent")]
    pub ray_cluster_name: String,
}
