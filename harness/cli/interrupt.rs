//! Ctrl-C: once ends the run with evidence and clean-up, twice ends it at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The usual exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// A token that the first Ctrl-C (or a request to terminate) cancels.
pub(super) fn token() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    // Listened for from here on: a second Ctrl-C that comes while the first is answered is not lost.
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return token;
    };
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        print_problem!(
            "\ninterrupted: keeping evidence and cleaning up; press Ctrl-C again to end at once"
        );
        cancelled.cancel();
        either(&mut interrupt, &mut terminate).await;
        print_problem!(
            "interrupted again: `kuberay-conformance cluster down` removes what is left"
        );
        std::process::exit(INTERRUPTED);
    });
    token
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
