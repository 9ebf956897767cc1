//! What the tests that run the program itself share.
//!
//! A test that needs a kind cluster, API servers or more is marked `#[ignore = "needs …"]`, so
//! `cargo test` shows it as ignored, with the reason. `cargo test -- --include-ignored` runs it,
//! and it fails where what it needs is absent. Tests that take minutes, or need the network, are in
//! a module called `slow`: `--skip slow::` leaves them out.

pub mod audit;
pub mod canary;
pub mod cluster;
pub mod copies;
pub mod disk;
pub mod kills;
pub mod mirror;
pub mod own_cache;
pub mod processes;
pub mod proxy;
pub mod reader;
pub mod running;
pub mod sandbox;
pub mod tls;
pub mod trials;

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::{Mutex, MutexGuard};

/// Runs share one cluster, and only one may hold it.
static EXCLUSIVE: Mutex<()> = Mutex::const_new(());

/// Waits until no other test of this program holds the cluster.
pub fn exclusive() -> MutexGuard<'static, ()> {
    EXCLUSIVE.blocking_lock()
}

/// As [`exclusive`], in a runtime.
pub async fn exclusive_within() -> MutexGuard<'static, ()> {
    EXCLUSIVE.lock().await
}

/// The program, ready for arguments. Pending snapshots would be written outside CI.
/// `KUBERAY_CONFORMANCE_PROGRAM` names another build of it, such as one for a release, which needs
/// no source tree.
pub fn program() -> Command {
    let own = env!("CARGO_BIN_EXE_kuberay-conformance").into();
    let program = std::env::var_os("KUBERAY_CONFORMANCE_PROGRAM").unwrap_or(own);
    let mut command = Command::new(program);
    command
        .env("CI", "true")
        // Tests wait for what cases say.
        .env("KUBERAY_CONFORMANCE_STATUS_LEVEL", "all")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY");
    command
}

/// Whether [`program`] is optimised, so that limits of time hold.
pub fn is_optimised() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("KUBERAY_CONFORMANCE_PROGRAM").is_some()
}

/// The repository's own scenarios.
pub fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The newest release of the operator that can be had here, which is what runs use unless they name
/// one.
pub fn newest() -> &'static str {
    use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
    use kuberay_conformance::report::Silent;

    static NEWEST: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    NEWEST.get_or_init(|| {
        let ask = || {
            let programs = Programs::new(
                Store::open().unwrap(),
                SourcePolicy::Auto,
                std::sync::Arc::new(Silent),
            );
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let newest = runtime.block_on(programs.newest_operator()).unwrap();
            newest.to_string()
        };
        // A test may run inside a runtime already.
        std::thread::spawn(ask).join().unwrap()
    })
}
