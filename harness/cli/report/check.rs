//! What `check` finds, as text, one line each, SARIF, annotations of GitHub Actions and `JUnit`.

mod ci;
mod flat;
mod frame;
mod sarif;
#[cfg(test)]
mod tests;
mod text;
mod trap_pages;

pub use ci::{check_annotations, check_junit};
pub use flat::check_flat;
pub use frame::Look;
pub use sarif::check_sarif;
pub use text::{check_concise, check_text};
pub use trap_pages::{trap_index, trap_page};
