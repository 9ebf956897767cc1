//! The operator's settings as options of `explain` and `check` give them.

use std::path::Path;

use semver::Version;
use serde_json::{Map, Value};

use crate::args::OperatorArguments;
use crate::contract::{CONFIGURATION_KEYS, EffectiveSettings, gate};
use crate::exit::CliError;
use crate::scenario::files::read_text;
use crate::visible;

/// No configuration file is larger, in bytes.
const LARGEST: u64 = 1 << 20;

impl OperatorArguments {
    /// Returns the settings; warns of those that have no effect on the releases.
    ///
    /// # Errors
    /// When the configuration file can't be read, or a key of it holds another type.
    pub(super) fn settings(&self, releases: &[Version]) -> Result<EffectiveSettings, CliError> {
        let mut settings = EffectiveSettings {
            env: self.operator_env.iter().cloned().collect(),
            feature_gates: self.feature_gate.iter().cloned().collect(),
            ..EffectiveSettings::default()
        };
        if let Some(namespace) = &self.namespace {
            settings.namespace.clone_from(namespace);
        }
        for name in settings.unknown() {
            print_problem!(
                "warning: the operator's variable {name} has no effect on the output of explain; these have: {}",
                EffectiveSettings::KNOWN.join(", ")
            );
        }
        for (name, _) in &self.feature_gate {
            let unknown = |release: &&Version| {
                gate(name).is_none_or(|gate| gate.default_in(release).is_none())
            };
            for release in releases.iter().filter(unknown) {
                print_problem!(
                    "warning: KubeRay {release} has no feature gate {name}, and its operator would end at once"
                );
            }
        }
        let Some(path) = &self.operator_config else {
            return Ok(settings);
        };
        let file = read(path)?;
        for key in file.keys() {
            if !CONFIGURATION_KEYS.contains(&key.as_str())
                && !["apiVersion", "kind"].contains(&key.as_str())
            {
                let key = visible::line(key);
                print_problem!(
                    "warning: {}: no release reads the key {key}",
                    path.display()
                );
            }
        }
        let settings = settings.with_configuration(&file);
        settings.map_err(|error| CliError::bad_use(format!("{}: {error}", path.display())))
    }
}

/// A configuration file, which is YAML.
pub(super) fn read(path: &Path) -> Result<Map<String, Value>, CliError> {
    let problem = |error: &dyn std::fmt::Display| {
        CliError::bad_use(format!("cannot read {}: {error}", path.display()))
    };
    let text = read_text(path, LARGEST).map_err(|error| problem(&error))?;
    serde_saphyr::from_str(&text).map_err(|error| problem(&error))
}

#[cfg(test)]
#[path = "settings/mutated.rs"]
mod mutated;
