//! Tests that make kind clusters of their own, beside the one that other tests use.
//!
//! They are left out where `KUBERAY_CONFORMANCE_REQUIRE` does not ask for `kind`, or for `deep`.

#![allow(missing_docs, reason = "an integration test has no public interface")]

mod brought;
mod cluster;
mod lifecycle;
#[allow(dead_code, reason = "each program of tests uses a part of it")]
#[path = "../support/mod.rs"]
mod support;
