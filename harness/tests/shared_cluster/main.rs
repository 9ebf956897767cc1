//! Tests of the program itself, and of its images, on the kind cluster that is up
//! (`kuberay-conformance cluster up`).
//!
//! One after the other, because one run may hold the cluster.

#![allow(missing_docs, reason = "an integration test has no public interface")]

mod existing;
mod faults;
mod flaky;
mod images;
mod job;
mod operator_faults;
mod parts;
mod secrets;
mod stalled;
mod slow {
    mod around;
    mod confusion;
    mod hazards;
}
#[allow(dead_code, reason = "each program of tests uses a part of it")]
#[path = "../support/all.rs"]
mod support;
