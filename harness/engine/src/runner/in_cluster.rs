//! The harness as a Job in a cluster: it is submitted, keeps its results in `ConfigMaps`, and these
//! are collected.

mod collect;
mod journal;
mod pack;
mod results;
mod shard;
mod submit;

pub use collect::{CollectOptions, collect};
pub use journal::JobJournal;
pub use results::{JobResults, ResultsError};
pub use shard::run_shard;
pub use submit::{SubmitOptions, Submitted, is_job_name, submit};

/// The namespace of Jobs, their account and their results.
pub const NAMESPACE: &str = "kuberay-conformance";
/// What a Job is called unless another name is given.
pub const JOB: &str = "conformance";
