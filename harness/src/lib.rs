//! Proves on a real cluster that KubeRay turns the `command` and `args` that a user writes for a Ray Pod into what
//! its documentation says, and says exactly where it doesn't.
//!
//! The modules are the stations of a run, in the order in which a run passes them; `run` is the engine behind both
//! `cargo test` and the command line.

#![cfg_attr(not(test), warn(clippy::disallowed_macros, clippy::disallowed_methods))]

pub mod artifact;
pub mod cli;
pub mod cluster;
pub mod observe;
pub mod operator;
pub mod output;
pub mod process;
pub mod report;
pub mod run;

// The layers below, under the names that they had as modules.
pub use kuberay_conformance_scenario as scenario;
pub use kuberay_conformance_scenario::{check, expect, explore, plan};
pub use kuberay_contract as contract;
pub use kuberay_explain as explain;
pub use kuberay_manifest as manifest;
use kuberay_manifest::visible;
