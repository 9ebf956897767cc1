//! Tests of the program itself on control planes that it starts.
//!
//! They are left out where `KUBERAY_CONFORMANCE_REQUIRE` does not ask for `control-plane`, or for `deep`.

#![allow(missing_docs, reason = "an integration test has no public interface")]

mod ends;
mod explore;
mod new_release;
mod parts;
mod rejected;
mod secrets;
#[allow(dead_code, reason = "each program of tests uses a part of it")]
#[path = "../support/mod.rs"]
mod support;
