//! Looks for objects that an operator treats otherwise than the contract says: RayClusters are thought up from a seed,
//! compared, and made smaller where they differ.

mod coverage;
mod plan;
mod save;
mod specimen;
mod strategy;
#[cfg(test)]
mod tests;
mod words;

pub use coverage::{Coverage, out_of_reach};
pub use plan::{GroupPlan, Plan};
pub use save::{Saved, save};
pub use specimen::{Generator, Shrinking, Specimen};
