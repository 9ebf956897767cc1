//! A cluster that somebody uses: what is read from it, and what is wrong with its Ray Pods.
//!
//! - `bundle`: everything that was read, as plain data in a file.
//! - `read`: reads it from a cluster; gets, lists and logs only.
//! - `doctor`: a pure function from a bundle to a report.
//! - `manifests`: the objects of a bundle as manifests, for `check` and `explain`.

pub mod bundle;
pub mod doctor;
mod file;
pub mod manifests;
mod narrow;
pub mod read;

pub use bundle::Bundle;
pub use doctor::{DoctorReport, diagnose};
pub use file::BundleError;
pub use narrow::{NoObject, kind_of};
pub use read::{Connection, ReadError, Scope, connect, read, read_objects};

use crate::progress::Progress;

/// Reads a cluster and diagnoses it: the whole of `doctor` for callers that have a client.
///
/// # Errors
/// Fails when RayClusters or Pods can't be read.
pub async fn doctor(
    client: &kube::Client,
    scope: &Scope,
    progress: &dyn Progress,
) -> Result<DoctorReport, ReadError> {
    let bundle = read(client, scope, progress).await?;
    Ok(diagnose(&bundle))
}
