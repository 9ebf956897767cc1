//! Runs scenarios: processes, artifacts, clusters, operators, cases, evidence, clean-up.
//!
//! [`run`] is the engine behind both `cargo test` and the command line. Nothing here renders: long work reports to
//! [`progress::Progress`], and a run hands its results to [`reports::Reports`].

#![cfg_attr(not(test), warn(clippy::disallowed_macros, clippy::disallowed_methods))]

pub mod artifact;
pub mod container;
pub mod diff;
pub mod fuzz;
pub mod live;
pub mod merge;
pub mod observe;
pub mod operator;
pub mod output;
pub mod process;
pub mod progress;
pub mod provider;
pub mod redact;
pub mod rehearse;
pub mod reports;
pub mod runner;
pub mod target;
pub mod text;

// The layers below, under the names of their content.
use kuberay_conformance_scenario as scenario;
use kuberay_conformance_scenario::diff as compare;
use kuberay_conformance_scenario::{check, expect, generate, plan, results};
use kuberay_contract as contract;
use kuberay_explain as explain;
use kuberay_manifest::visible;

#[cfg(test)]
#[path = "../../scenario/src/generate/mutated.rs"]
mod mutated;
