//! What the tests that run the program itself share.

pub mod canary;
pub mod cluster;
pub mod copies;
pub mod own_cache;
pub mod place;
pub mod processes;
pub mod running;

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::{Mutex, MutexGuard};

/// Whether `KUBERAY_CONFORMANCE_REQUIRE` asks for a lane; where it does not, says that a test was left out.
pub fn is_required(lane: &str) -> bool {
    let required = std::env::var("KUBERAY_CONFORMANCE_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|one| one == lane);
    if !is_required {
        println!("left out: KUBERAY_CONFORMANCE_REQUIRE does not ask for {lane}");
    }
    is_required
}

/// Runs share one cluster, and only one may hold it.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until no other test of this program holds the cluster.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.blocking_lock()
}

/// As [`turn`], in a runtime.
pub async fn turn_within() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// The program, ready for arguments. Pending snapshots would be written outside CI.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuberay-conformance"));
    command
        .env("CI", "true")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY");
    command
}

/// The repository's own scenarios.
pub fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}
