//! Proves on a real cluster that KubeRay turns the `command` and `args` that a user writes for a
//! Ray Pod into what its documentation says, and says exactly where it doesn't.
//!
//! The command line ([`main`]) and the reports ([`report`]); the layers below are crates of their
//! own.

#![cfg_attr(not(test), warn(clippy::disallowed_macros, clippy::disallowed_methods))]

/// Prints lines for people to standard output; what they hold of files and clusters is made safe
/// for a terminal.
macro_rules! print_lines {
    ($($part:tt)*) => {
        $crate::console::line(&$crate::visible::lines(&format!($($part)*)))
    };
}

/// Prints a problem to standard error, made safe for a terminal; lines after its first one are
/// marked.
macro_rules! print_problem {
    ($($part:tt)*) => {
        $crate::console::problem(&$crate::visible::marked(&format!($($part)*)))
    };
}

mod args;
mod commands;
mod console;
mod exit;
mod interrupt;
pub mod report;

pub use commands::{doctor_plugin, main};

// The layers below, under the names that they have in this crate and its tests.
pub use kuberay_conformance_engine::{
    artifact, container, diff, fuzz, live, observe, operator, output, process, provider, rehearse,
    runner, target,
};
pub use kuberay_conformance_scenario as scenario;
pub use kuberay_conformance_scenario::{check, expect, generate, plan};
pub use kuberay_contract as contract;
pub use kuberay_explain as explain;
pub use kuberay_manifest as manifest;
use kuberay_manifest::visible;
