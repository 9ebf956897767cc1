//! Looks for objects that an operator treats otherwise than the contract says: RayClusters are generated from a seed,
//! compared, and made smaller where they differ.

mod coverage;
mod generated;
#[cfg(test)]
mod mutated;
mod plan;
mod save;
mod strategy;
#[cfg(test)]
mod tests;
mod words;

pub use coverage::{Coverage, out_of_reach};
pub use generated::{GeneratedCase, Generator, Shrinking};
#[cfg(test)]
pub use mutated::try_texts;
pub use plan::{GroupPlan, Plan};
pub use save::{Saved, save};
