//! Looks for objects that an operator treats otherwise than the contract says: objects are
//! generated from a seed, compared, and made smaller where they differ.

mod coverage;
mod edit_table;
mod edits;
mod generated;
#[cfg(test)]
mod mutated;
mod object;
mod object_generator;
mod object_kind;
mod objects;
mod plan;
mod save;
mod settings;
mod strategy;
#[cfg(test)]
mod tests;
mod words;

pub use coverage::{Coverage, SUBMITS_SINCE};
pub use edits::Edit;
pub use generated::{GeneratedCase, Generator, Shrinking};
#[cfg(test)]
pub use mutated::{Watch, try_texts};
pub use object::ObjectPlan;
pub use object_generator::{NUMBERS, ObjectGenerator};
pub use object_kind::ObjectKind;
pub use plan::{ClusterPlan, GroupPlan};
pub use save::{Saved, Shown, save};
pub use settings::settings;
