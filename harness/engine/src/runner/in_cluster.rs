//! The harness as a Job in a cluster: it is submitted, and its results are collected.

mod collect;
mod shard;
mod submit;

pub use collect::{CollectOptions, collect};
pub use shard::run_shard;
pub use submit::{SubmitOptions, Submitted, is_job_name, submit};

/// The default name of a Job.
pub const JOB: &str = "conformance";
