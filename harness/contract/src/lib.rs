//! The command contract of each KubeRay release: a table of dated features, the classes of releases
//! that follow from it, and the Pods that a release makes of an object.
//!
//! ```
//! use kuberay_contract::{EffectiveSettings, predict};
//!
//! let cluster = serde_json::json!({
//!     "apiVersion": "ray.io/v1",
//!     "kind": "RayCluster",
//!     "metadata": {"name": "demo"},
//!     "spec": {"headGroupSpec": {
//!         "rayStartParams": {},
//!         "template": {"spec": {"containers": [
//!             {"name": "head", "image": "rayproject/ray:2.52.0", "command": ["echo", "hello"]},
//!         ]}},
//!     }},
//! });
//! let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
//! let head = &pods[0].containers[0];
//! assert_eq!(head.command, ["/bin/bash", "-c", "--"]);
//! let text = head.args[0].to_string();
//! assert!(text.starts_with(" echo  hello  && ulimit -n 65536; ray start --head "), "{text}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod admission;
mod classes;
mod compare;
mod env;
mod feature;
mod features;
mod gated;
mod gates;
mod go;
mod init;
mod input;
mod names;
mod output;
mod own;
mod params;
mod pods;
mod predict;
mod probes;
mod quantity;
mod ray_options;
mod ray_version;
mod rules;
mod settings;
mod start_command;
mod submitter;
#[cfg(test)]
mod tests;
mod text;
mod tls;

pub use admission::{
    Admission, Clients, FieldValidation, Forecast, Reach, Refusal, Served, Stage, WaitReason,
};
pub use admission::{admit, admit_with, counts_hosts, forecast, forecast_without_pods, served};
pub use classes::*;
pub use compare::{Difference, differences};
pub use features::{Feature, FeatureEntry, features};
pub use gates::*;
pub use go::yaml_map_problem;
pub use input::ModelError;
pub use output::*;
pub use params::is_mig_slice;
pub use predict::predict;
pub use probes::is_unified;
pub use quantity::Quantity;
pub use ray_options::*;
pub use rules::*;
pub use settings::{ConfigurationError, EffectiveSettings};
pub use start_command::{flags_of_args, sorted_args, sorted_command};
pub use text::Text;
