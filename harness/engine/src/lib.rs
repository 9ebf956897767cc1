//! Runs scenarios: processes, artifacts, clusters, operators, cases, evidence, clean-up.
//!
//! [`runner::run`] is the engine behind both `cargo test` and the command line. Nothing here
//! renders: long work reports to [`progress::Progress`], and a run hands its results to
//! [`reports::Reports`].
//!
//! # Use it as a library
//!
//! A [`provider::TargetSpec`] says what a target is made of, and a provider brings it up as a
//! [`provider::Target`]: an API server with a running operator. A test of your own build of the
//! operator needs no more than a client of it. This test uses envtest, so it needs neither a
//! cluster nor a container engine; `cargo test --test envtest` runs it:
//!
//! ```ignore
#![doc = include_str!("../../tests/envtest/custom_operator.rs")]
//! ```

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
