//! Providers: each turns the spec of a target into a [`Target`] with a running operator, and hands
//! it to the runner.

mod batch;
mod custom_manifests;
mod end;
mod envtest;
mod error;
mod existing;
mod kind;
mod lifecycle;
mod phases;
mod serve;
mod spec;
mod state;
mod target;

pub(crate) use batch::{Batch, CaseRunner, CleanUp, Serve};
pub(crate) use end::{AFTER_THE_LIMIT, AT_LEAST, RunEnd, long_over, until};
pub use envtest::{Envtest, EnvtestRelease, GIVEN_OPERATOR, daemon};
pub(crate) use envtest::{EnvtestPrograms, Running};
pub use error::TargetError;
pub use kind::{KindTarget, harness_image, kind_client, noted_releases, push_harness};
pub(crate) use phases::Phases;
pub(crate) use serve::Provider;
pub use spec::{
    CLUSTER, CustomOperator, EnvtestSpec, ExistingSpec, KindSpec, OperatorProgram, ReleaseSpec,
    TargetSpec,
};
pub(crate) use state::CaseNamespaces;
pub use state::{
    EnvtestState, ExistingState, KindState, OperatorState, TargetDown, TargetState, TargetUp,
};
pub use target::{Capabilities, CaseCleanUp, Health, Images, Target, Upgrade};
