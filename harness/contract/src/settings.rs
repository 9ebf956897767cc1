//! Settings that the operator is started with.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::{Map, Value};

use super::gates::{Gate, gate};

const LOGIN_SHELL: &str = "ENABLE_LOGIN_SHELL";
const INIT_CONTAINER: &str = "ENABLE_INIT_CONTAINER_INJECTION";
const PROBES: &str = "ENABLE_PROBES_INJECTION";
const DOMAIN: &str = "CLUSTER_DOMAIN";
const HEAD_ADDRESS: &str = "ENABLE_RAY_HEAD_CLUSTER_IP_SERVICE";

/// The settings of an operator that change the containers of Ray Pods.
///
/// The default has no settings and the namespace `default`.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let mut settings = EffectiveSettings::default();
/// settings.env.insert("ENABLE_LOGIN_SHELL".into(), "true".into());
/// let pods = predict(&"1.6.2".parse()?, &settings, &cluster)?;
/// assert_eq!(pods[0].containers[0].command, ["/bin/bash", "-cl", "--"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveSettings {
    /// Environment of the operator's process, such as `ENABLE_LOGIN_SHELL`; variables outside of
    /// [`Self::KNOWN`] change nothing.
    pub env: BTreeMap<String, String>,
    /// Feature gates that differ from the release's defaults, as `--feature-gates` names them.
    pub feature_gates: BTreeMap<String, bool>,
    /// `defaultContainerEnvs` of its configuration file, as `EnvVar` objects.
    pub default_container_envs: Vec<Value>,
    /// `defaultPodAnnotations` of its configuration file.
    pub default_pod_annotations: BTreeMap<String, String>,
    /// `headSidecarContainers` of its configuration file, as `Container` objects.
    pub head_sidecar_containers: Vec<Value>,
    /// `workerSidecarContainers` of its configuration file, as `Container` objects.
    pub worker_sidecar_containers: Vec<Value>,
    /// Namespace of objects that name none.
    pub namespace: String,
    /// Version that the operator reports of itself; `None` stands for `vX.Y.Z` of its release.
    pub version: Option<String>,
}

impl Default for EffectiveSettings {
    fn default() -> Self {
        Self {
            env: BTreeMap::new(),
            feature_gates: BTreeMap::new(),
            default_container_envs: Vec::new(),
            default_pod_annotations: BTreeMap::new(),
            head_sidecar_containers: Vec::new(),
            worker_sidecar_containers: Vec::new(),
            namespace: "default".into(),
            version: None,
        }
    }
}

impl EffectiveSettings {
    /// The variables of the operator's environment that change the containers of Ray Pods, or the
    /// ports that lead to them.
    pub const KNOWN: [&str; 5] = [LOGIN_SHELL, INIT_CONTAINER, PROBES, DOMAIN, HEAD_ADDRESS];

    /// Returns the names of variables that change nothing, such as misspelt ones.
    ///
    /// ```
    /// use kuberay_contract::EffectiveSettings;
    ///
    /// let mut settings = EffectiveSettings::default();
    /// settings.env.insert("ENABLE_LOGIN_SHEL".into(), "true".into());
    /// assert!(settings.unknown().eq(["ENABLE_LOGIN_SHEL"]));
    /// ```
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.env
            .keys()
            .map(String::as_str)
            .filter(|name| !Self::KNOWN.contains(name))
    }

    /// Takes over the keys of the operator's configuration file that change the containers of Ray
    /// Pods. The file is that of `--config`, as the Helm chart's `configuration` writes it. A key
    /// that is absent empties its setting; the other keys change no container.
    ///
    /// ```
    /// use kuberay_contract::EffectiveSettings;
    ///
    /// let file = serde_json::json!({
    ///     "defaultPodAnnotations": {"ray.io/overwrite-container-cmd": "true"},
    ///     "reconcileConcurrency": 4,
    /// });
    /// let settings = EffectiveSettings::default().with_configuration(file.as_object().unwrap())?;
    /// assert_eq!(settings.default_pod_annotations["ray.io/overwrite-container-cmd"], "true");
    /// # Ok::<(), kuberay_contract::ConfigurationError>(())
    /// ```
    ///
    /// # Errors
    /// When one of these keys has a value of another type.
    pub fn with_configuration(
        mut self,
        file: &Map<String, Value>,
    ) -> Result<Self, ConfigurationError> {
        fn read<T: serde::de::DeserializeOwned + Default>(
            file: &Map<String, Value>,
            key: &'static str,
        ) -> Result<T, ConfigurationError> {
            let value = file.get(key).filter(|value| !value.is_null());
            let read = value.map(|value| serde_json::from_value(value.clone()));
            let read = read.transpose().map_err(|error| ConfigurationError {
                key,
                problem: error.to_string(),
            });
            read.map(Option::unwrap_or_default)
        }
        self.default_container_envs = read(file, "defaultContainerEnvs")?;
        self.default_pod_annotations = read(file, "defaultPodAnnotations")?;
        self.head_sidecar_containers = read(file, "headSidecarContainers")?;
        self.worker_sidecar_containers = read(file, "workerSidecarContainers")?;
        Ok(self)
    }

    /// Returns whether a feature gate is on: as it was set, else as the release ships it. A gate
    /// that the release does not know is off; an operator that is started with it ends at once.
    ///
    /// ```
    /// use kuberay_contract::EffectiveSettings;
    ///
    /// let mut settings = EffectiveSettings::default();
    /// assert!(!settings.has_gate(&"1.6.2".parse()?, "RayCronJob"));
    /// settings.feature_gates.insert("RayCronJob".into(), true);
    /// assert!(settings.has_gate(&"1.6.2".parse()?, "RayCronJob"));
    /// assert!(!settings.has_gate(&"1.5.2".parse()?, "RayCronJob"));
    /// # Ok::<(), semver::Error>(())
    /// ```
    pub fn has_gate(&self, release: &Version, name: &str) -> bool {
        let known = gate(name).and_then(|gate: &Gate| gate.default_in(release));
        known.is_some_and(|default| self.feature_gates.get(name).copied().unwrap_or(default))
    }

    /// Returns whether a variable is `true`, in any letter case.
    fn is_on(&self, name: &str) -> bool {
        self.env
            .get(name)
            .is_some_and(|value| value.to_lowercase() == "true")
    }

    pub(super) fn login_shell(&self) -> bool {
        self.is_on(LOGIN_SHELL)
    }

    pub(super) fn injects_init_container(&self) -> bool {
        let value = self.env.get(INIT_CONTAINER);
        value.is_none_or(|value| value.to_lowercase() != "false")
    }

    /// Returns whether the operator adds its probes to Ray containers without probes of their own;
    /// `ENABLE_PROBES_INJECTION=false` switches them off from 1.1 on.
    pub fn injects_probes(&self) -> bool {
        let value = self.env.get(PROBES);
        value.is_none_or(|value| value.to_lowercase() != "false")
    }

    /// Returns whether the head's Service has an address of its own from 1.2 on, so that it leads
    /// only to the ports that it lists (`BuildServiceForHeadPod` in common/service.go).
    pub fn gives_head_an_address(&self) -> bool {
        self.is_on(HEAD_ADDRESS)
    }

    pub(super) fn cluster_domain(&self) -> Option<&str> {
        let domain = self.env.get(DOMAIN).map(String::as_str);
        domain.filter(|domain| !domain.is_empty())
    }

    pub(super) fn version(&self, release: &Version) -> String {
        self.version
            .clone()
            .unwrap_or_else(|| format!("v{release}"))
    }
}

/// A key of the operator's configuration file that has a value of another type.
///
/// ```
/// use kuberay_contract::EffectiveSettings;
///
/// let file = serde_json::json!({"defaultPodAnnotations": "ray.io/overwrite-container-cmd"});
/// let settings = EffectiveSettings::default();
/// let error = settings.with_configuration(file.as_object().unwrap()).unwrap_err();
/// assert_eq!(error.key, "defaultPodAnnotations");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` of the operator's configuration: {problem}")]
pub struct ConfigurationError {
    /// The key.
    pub key: &'static str,
    /// Description of the problem with its value.
    pub problem: String,
}
