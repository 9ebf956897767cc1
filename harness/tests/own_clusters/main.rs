//! Tests that make kind clusters of their own, beside the one that other tests use.

#![allow(missing_docs, reason = "an integration test has no public interface")]

mod lifecycle;
mod meet;
mod slow {
    mod cluster;
    mod custom_manifests;
    mod killed;
    mod pull;
    mod upgrade;
}
#[allow(dead_code, reason = "each program of tests uses a part of it")]
#[path = "../support/all.rs"]
mod support;
