//! Ctrl-C, a request to terminate, and the end of the terminal: once ends the run with evidence and
//! clean-up, twice ends it at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::INTERRUPTED;

/// A token that the first of these signals cancels.
pub(super) fn token() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    // Listened for from here on: a second Ctrl-C that comes while the first is answered is not
    // lost.
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let signals: Result<Vec<_>, _> = kinds.into_iter().map(signal).collect();
    let Ok(mut signals) = signals else {
        return token;
    };
    tokio::spawn(async move {
        any(&mut signals).await;
        print_problem!(
            "\ninterrupted: keeping evidence and cleaning up; press Ctrl-C again to end at once"
        );
        cancelled.cancel();
        any(&mut signals).await;
        print_problem!(
            "interrupted again: `kuberay-conformance cluster down` removes what is left"
        );
        std::process::exit(INTERRUPTED.into());
    });
    token
}

async fn any(signals: &mut [Signal]) {
    let received = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures::future::select_all(received).await;
}
