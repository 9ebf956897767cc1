//! Moments at which a process stops itself, so that a test can let another process meet it there.
//!
//! What two processes do to each other depends on where one of them is. A test starts a process
//! with `KUBERAY_CONFORMANCE_STOP_AT=<point>` and waits until the system shows it as stopped. It
//! lets another process act, removes the file `kuberay-conformance-stopped-<process id>` in the
//! folder for temporary files, and continues the first process with `SIGCONT`.

/// Names the point at which a process stops, in a build with debug assertions.
#[cfg(debug_assertions)]
pub(super) const STOP_AT: &str = "KUBERAY_CONFORMANCE_STOP_AT";

/// Stops this process with `SIGSTOP` the first time that it comes to the point that its environment
/// names. A release build never stops.
pub(crate) fn stop_point(name: &str) {
    #[cfg(debug_assertions)]
    {
        use std::sync::atomic::{AtomicBool, Ordering};

        static STOPPED: AtomicBool = AtomicBool::new(false);
        if std::env::var_os(STOP_AT).is_some_and(|at| at == name)
            && !STOPPED.swap(true, Ordering::SeqCst)
        {
            let mark = mark_of(std::process::id());
            if std::fs::write(&mark, name).is_ok() {
                let _ = rustix::process::kill_process(
                    rustix::process::getpid(),
                    rustix::process::Signal::STOP,
                );
            }
            // The signal may stop this thread a moment after the others.
            while mark.exists() {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// The file that is there as long as a process is to stay where it stopped.
#[cfg(debug_assertions)]
pub(super) fn mark_of(process: u32) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("kuberay-conformance-stopped-{process}"))
}
