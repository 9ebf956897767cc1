//! Constructed bundles: each cause with what proves it, and a counterpart that stays silent.

pub(in crate::live) mod builder;
mod cluster;
mod commands;
mod jobs;
mod pods;
mod reports;
mod scenarios;
mod traps;

use builder::*;
