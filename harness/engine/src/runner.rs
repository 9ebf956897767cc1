//! The engine: cases run, deadlines hold, evidence is kept, and what was made is cleaned up.

mod apply;
mod availability;
mod begun;
mod capacity;
mod case;
mod check_tracker;
mod cleanup;
mod engine;
mod engine_options;
mod error;
mod evidence;
mod in_cluster;
mod job_results;
mod journal;
mod journal_file;
mod lifecycle;
mod names;
mod namespace;
mod node_images;
mod nodes;
mod orchestrator;
mod outcome;
mod owner;
mod requests;
mod resources;
mod secrets;
mod shared;
mod slots;
mod snapshots;
mod spec;
mod steps;
mod up_within;

pub(crate) use availability::available_releases;
pub use availability::{Unavailable, default_release};
pub use capacity::{Allocation, AllocationError, Capacity, Priority, default_jobs};
pub use engine::RunEngine;
pub use engine_options::{CaseError, EngineOptions, EvidencePolicy, StartError};
pub use error::RunError;
pub use in_cluster::{
    CollectOptions, JOB, SubmitOptions, Submitted, collect, is_job_name, run_shard, submit,
};
pub use job_results::{JobJournal, JobResults, NAMESPACE, ResultsError};
pub use journal::{
    JOURNAL_VERSION, Journal, JournalEntry, JournalError, JournalHead, RunJournal, case_digest,
};
pub use journal_file::FileJournal;
pub use lifecycle::{down, status, up};
pub use names::{RunId, evidence_folder, namespace_name, new_run_id};
pub use nodes::NODES_TO_OVERLAP;
pub use orchestrator::{run, run_noting};
pub use requests::{pods, total_requests};
pub use resources::Resources;
pub use spec::RunSpec;
pub(crate) use steps::{StepRunner, rejection};
pub use up_within::up_within;
