//! Compares what two operators make of the same objects: what is known to vary is replaced,
//! differences get a subject, and differences with one subject become one entry with its rule and,
//! where the contract dates it, its feature.

mod accept;
mod args;
mod attribute;
mod changes;
mod document;
mod expected;
mod group;
mod model;
mod objects;
mod observed;
mod pods;
#[cfg(test)]
mod tests;

pub use accept::{Recorded, Recorder, Skeleton, skeleton};
pub use attribute::{Attribution, attribute};
pub use changes::changes;
pub use document::{DIFF_VERSION, Diff, DiffEntry, DiffSide, OperatorDifference, diff_schema};
pub use expected::{ExpectedPods, expected_pods, replicas};
pub use group::{Case, CaseComparison, Groups, ShownSubject};
pub use model::{Change, ChangeSubject, ContainerOf};
pub use objects::{DiffGenerator, DiffObject, DiffPlan, DiffShrinking, Kind};
pub use observed::{Observed, PodId, Refused, observe};
