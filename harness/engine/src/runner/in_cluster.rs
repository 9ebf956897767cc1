//! The harness as a Job in a cluster: it is submitted, and its results are collected.

mod collect;
mod shard;
mod submit;

pub use collect::{CollectOptions, collect};
pub use shard::run_shard;
pub use submit::{SubmitOptions, Submitted, is_job_name, submit};

/// What a Job is called unless another name is given.
pub const JOB: &str = "conformance";
