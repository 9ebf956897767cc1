//! Ctrl-C: once ends the run with evidence and clean-up, twice ends it at once.

use anstream::eprintln;
use tokio_util::sync::CancellationToken;

/// The usual exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// A token that the first Ctrl-C (or a request to terminate) cancels.
pub(super) fn token() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        signal().await;
        eprintln!("\ninterrupted: keeping evidence and cleaning up; press Ctrl-C again to end at once");
        cancelled.cancel();
        signal().await;
        eprintln!("interrupted again: `kuberay-conformance down` removes what is left");
        std::process::exit(INTERRUPTED);
    });
    token
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
