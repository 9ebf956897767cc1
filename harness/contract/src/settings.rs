//! What the operator itself was started with.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::Value;

const LOGIN_SHELL: &str = "ENABLE_LOGIN_SHELL";
const INIT_CONTAINER: &str = "ENABLE_INIT_CONTAINER_INJECTION";
const DOMAIN: &str = "CLUSTER_DOMAIN";

/// The settings of an operator that change the containers of Ray Pods.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorSettings {
    /// Environment of the operator's process, such as `ENABLE_LOGIN_SHELL`; others than the known ones do nothing.
    pub env: BTreeMap<String, String>,
    /// `defaultContainerEnvs` of its configuration file, as `EnvVar` objects.
    pub default_container_envs: Vec<Value>,
    /// Namespace of objects that name none.
    pub namespace: String,
    /// What the operator calls itself; `vX.Y.Z` of its release when absent.
    pub version: Option<String>,
}

impl Default for OperatorSettings {
    fn default() -> Self {
        Self {
            env: BTreeMap::new(),
            default_container_envs: Vec::new(),
            namespace: "default".into(),
            version: None,
        }
    }
}

impl OperatorSettings {
    /// The variables of the operator's environment that change containers of Ray Pods.
    pub const KNOWN: [&str; 3] = [LOGIN_SHELL, INIT_CONTAINER, DOMAIN];

    /// Variables that change nothing, such as misspelt ones.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.env
            .keys()
            .map(String::as_str)
            .filter(|name| !Self::KNOWN.contains(name))
    }

    /// Whether the operator was told `true`, in any letter case.
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
