//! The engine: cases run, deadlines hold, evidence is kept, and what was made is cleaned up.

mod apply;
mod availability;
mod begun;
mod capacity;
mod case;
mod check_tracker;
mod cleanup;
mod custom_manifests;
pub mod daemon;
mod end;
mod engine;
mod error;
mod evidence;
mod existing;
mod in_cluster;
mod journal;
mod journal_file;
mod lifecycle;
mod names;
mod namespace;
mod node_images;
mod nodes;
mod options;
mod orchestrator;
mod outcome;
mod owner;
mod phases;
pub(crate) mod plane;
mod requests;
mod secrets;
mod session;
mod setup;
mod shared;
mod slots;
mod snapshots;
mod steps;
mod subjects;
mod up_within;
mod upgrade;

pub use availability::Unavailable;
pub use capacity::{Capacity, Permit, PermitError, Priority, Resources, default_jobs};
pub use engine::Engine;
pub use error::RunError;
pub use in_cluster::{
    CollectOptions, JOB, JobJournal, JobResults, NAMESPACE, ResultsError, SubmitOptions, Submitted,
    collect, is_job_name, run_shard, submit,
};
pub use journal::{
    JOURNAL_VERSION, Journal, JournalEntry, JournalError, JournalHead, RunJournal, case_digest,
};
pub use journal_file::FileJournal;
pub use lifecycle::{down, status, up};
pub use names::{RunId, evidence_folder, namespace_name};
pub use nodes::ROOMY;
pub use options::{CLUSTER, InExisting, Options};
pub use orchestrator::{run, run_noting};
use phases::Phases;
pub use plane::{JOBS, Planes, Site};
pub use requests::{pods, total_requests};
pub use session::{Session, new_run_id, noted_releases};
pub use setup::{harness_image, kind_client, push_harness};
pub(crate) use steps::{StepRunner, rejection};
pub use subjects::{
    CaseError, EngineOptions, EvidencePolicy, Operator, StartError, Subjects, Upgrade,
};
pub use up_within::up_within;
