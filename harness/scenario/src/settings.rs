//! How a scenario wants the operator to be set up.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use kuberay_contract::{self as contract, ConfigurationError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How the operator is set up, where that differs from its release's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorSettings {
    /// Environment variables of the operator's process, such as `{ENABLE_LOGIN_SHELL: "true"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Arguments of the operator's process after the harness's own, such as
    /// `--reconcile-concurrency=4`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = "^--[a-z][a-z-]*(=.*)?$")))]
    pub args: Vec<String>,
    /// Feature gates, such as `{RayCronJob: true}`. An operator that does not know a gate ends at
    /// once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub feature_gates: BTreeMap<String, bool>,
    /// Keys of the operator's configuration file (`--config`), such as `defaultContainerEnvs`. The
    /// harness adds those that every operator beside an API server needs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub configuration: Map<String, Value>,
}

/// Returns whether a variable says what the dynamic linker loads into a process. None is handed on:
/// with the file that it names, it would run a program of its own on this machine.
pub fn is_of_the_linker(variable: &str) -> bool {
    variable.starts_with("LD_") || variable == "GLIBC_TUNABLES"
}

impl OperatorSettings {
    /// Whether nothing differs from the release's defaults.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Each setting with its value, for reports: variables by their name, arguments as they are,
    /// gates as `featureGates.NAME` and keys of the configuration as `configuration.KEY`.
    pub fn listed(&self) -> BTreeMap<String, String> {
        let env = self.env.clone().into_iter();
        let args = self.args.iter().map(|argument| {
            let (flag, value) = argument.split_once('=').unwrap_or((argument, "true"));
            (flag.to_owned(), value.to_owned())
        });
        let gates = self.feature_gates.iter();
        let gates = gates.map(|(name, on)| (format!("featureGates.{name}"), on.to_string()));
        let keys = self.configuration.iter().map(|(key, value)| {
            let text = value.as_str().map(str::to_owned);
            let text = text.unwrap_or_else(|| value.to_string());
            (format!("configuration.{key}"), text)
        });
        env.chain(args).chain(gates).chain(keys).collect()
    }

    /// The same for the prediction.
    ///
    /// # Errors
    /// When a key of the configuration that shapes Pods holds a value of another type.
    pub fn of_contract(&self) -> Result<contract::EffectiveSettings, ConfigurationError> {
        let settings = contract::EffectiveSettings {
            env: self.env.clone(),
            feature_gates: self.feature_gates.clone(),
            ..contract::EffectiveSettings::default()
        };
        settings.with_configuration(&self.configuration)
    }

    /// What decides which comes first: the defaults, then the settings as text.
    fn rank(&self) -> (bool, String) {
        let text = serde_json::to_string(self).unwrap_or_default();
        (!self.is_default(), text)
    }
}

impl Ord for OperatorSettings {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for OperatorSettings {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn settings(value: Value) -> OperatorSettings {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_defaults_come_first_and_equal_settings_are_one() {
        let gate = settings(json!({"featureGates": {"RayCronJob": true}}));
        let file = settings(json!({"configuration": {"defaultPodAnnotations": {"a": "b"}}}));
        let all = [gate.clone(), OperatorSettings::default(), file, gate];
        let set = BTreeSet::from(all);
        assert_eq!(set.len(), 3);
        assert!(set.first().unwrap().is_default());
    }

    #[test]
    fn every_setting_is_listed_under_its_own_name() {
        let listed = settings(json!({
            "env": {"ENABLE_LOGIN_SHELL": "true"},
            "args": ["--reconcile-concurrency=4", "--enable-metrics"],
            "featureGates": {"RayCronJob": false},
            "configuration": {"defaultPodLabels": {"a": "b"}, "batchScheduler": "volcano"},
        }))
        .listed();
        let expected = [
            ("--enable-metrics", "true"),
            ("--reconcile-concurrency", "4"),
            ("ENABLE_LOGIN_SHELL", "true"),
            ("configuration.batchScheduler", "volcano"),
            ("configuration.defaultPodLabels", r#"{"a":"b"}"#),
            ("featureGates.RayCronJob", "false"),
        ];
        let listed: Vec<(&str, &str)> = listed
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(listed, expected);
    }

    #[test]
    fn a_configuration_of_another_type_is_reported_with_its_key() {
        let wrong = settings(json!({"configuration": {"defaultContainerEnvs": {"A": "b"}}}));
        let error = wrong.of_contract().unwrap_err();
        assert_eq!(error.key, "defaultContainerEnvs");
    }
}
