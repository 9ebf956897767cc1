//! The engine: cells run, deadlines hold, evidence is kept, and what was made is cleaned up.

mod apply;
mod begun;
mod brought;
mod capacity;
mod cell;
mod cleanup;
mod conduct;
mod demand;
mod engine;
mod error;
mod evidence;
mod existing;
mod explore;
mod in_cluster;
mod journal;
mod journal_file;
mod kept;
mod ledger;
mod names;
mod namespace;
mod node_images;
mod nodes;
mod options;
mod outcome;
mod owner;
mod phases;
mod plane;
mod secrets;
mod session;
mod setup;
mod shared;
mod snapshots;
pub mod standing;
mod stimulus;
mod subjects;
mod upgrade;

pub use capacity::{Capacity, Permit, PermitError, Rank, Resources, default_jobs};
pub use conduct::{run, run_noting};
pub use demand::{demand, pods};
pub use engine::Engine;
pub use error::RunError;
pub use explore::{ExploreOptions, Explored, Finding, Sample, Surprise, explore};
pub use in_cluster::{
    CollectOptions, JOB, JobJournal, JobResults, NAMESPACE, ResultsError, SubmitOptions, Submitted, collect,
    is_job_name, run_shard, submit,
};
pub use journal::{JOURNAL_VERSION, Journal, JournalEntry, JournalError, JournalHead, RunJournal, cell_digest};
pub use journal_file::FileJournal;
pub use kept::{down, status, up};
pub use names::{RunId, evidence_folder, namespace_name};
pub use nodes::ROOMY;
pub use options::{CLUSTER, InExisting, Options};
use phases::Phases;
pub use plane::{JOBS, Planes, Site};
pub use session::{Session, new_run_id, noted_releases};
pub use setup::{harness_image, kind_client, push_harness};
pub use subjects::{CellError, EngineOptions, EvidencePolicy, Operator, StartError, Subjects, Upgrade};
