//! Programs of ours that outlived the harness, known by their arguments.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The proof that a process is ours: its program's name, and arguments that no other program gives
/// it, such as a path in our state folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature<'a> {
    pub(super) program: &'a str,
    pub(super) arguments: &'a [&'a str],
}

impl Signature<'_> {
    /// Whether a text of `/proc/<pid>/cmdline` is of such a process.
    fn matches(self, cmdline: &[u8]) -> bool {
        let mut parts = cmdline.split(|byte| *byte == 0);
        let program = parts.next().unwrap_or_default();
        let name = program
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default();
        let arguments: Vec<&[u8]> = parts.collect();
        name == self.program.as_bytes()
            && self
                .arguments
                .iter()
                .all(|wanted| arguments.contains(&wanted.as_bytes()))
    }
}

const GRACE: Duration = Duration::from_secs(5);

/// Ends every process with this signature, and waits for its end; returns their ids.
pub(super) async fn end(signature: Signature<'_>) -> Vec<u32> {
    let mut ended = Vec::new();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    for id in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if end_one(id, signature).await {
            ended.push(id);
        }
    }
    ended
}

async fn end_one(id: u32, signature: Signature<'_>) -> bool {
    let is_ours =
        || std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| signature.matches(&line));
    if !is_ours() {
        return false;
    }
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return false;
    };
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
        return false;
    };
    // Looked at again: from here on the handle means this process, and never another that gets its
    // id.
    if !is_ours() {
        return false;
    }
    for signal in [Signal::TERM, Signal::KILL] {
        if pidfd_send_signal(&handle, signal).is_err() {
            return true;
        }
        let since = Instant::now();
        while since.elapsed() < GRACE {
            if has_ended(id) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    true
}

fn has_ended(id: u32) -> bool {
    // "pid (name) state …"; the name may hold anything, also brackets.
    std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).map_or(
        true,
        |stat| {
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| rest.trim_start().starts_with('Z'))
        },
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        b"/usr/bin/podman\0system\0service\0--time=60\0unix:///state/s\0",
        true
    )]
    #[case(b"podman\0system\0service\0unix:///state/s\0", true)]
    #[case(b"podman\0system\0service\0unix:///state/s2\0", false)]
    #[case(b"vim\0system\0service\0unix:///state/s\0", false)]
    #[case(b"podman\0inspect\0unix:///state/s\0", false)]
    #[case(b"", false)]
    fn only_what_is_ours_matches(#[case] cmdline: &[u8], #[case] expected: bool) {
        let signature = Signature {
            program: "podman",
            arguments: &["system", "service", "unix:///state/s"],
        };
        assert_eq!(signature.matches(cmdline), expected);
    }

    #[tokio::test]
    async fn a_process_is_ended_by_its_arguments() {
        let mark = format!("30.{}", std::process::id());
        let mut ours = crate::process::command("sleep").arg(&mark).spawn().unwrap();
        let mut other = crate::process::command("sleep").arg("31").spawn().unwrap();
        let wanted = ours.id().unwrap();
        // Between fork and exec the child still has our own arguments.
        let cmdline = format!("/proc/{wanted}/cmdline");
        while !std::fs::read(&cmdline).unwrap().starts_with(b"sleep") {
            tokio::task::yield_now().await;
        }
        let ended = end(Signature {
            program: "sleep",
            arguments: &[&mark],
        })
        .await;
        assert_eq!(ended, [wanted]);
        assert!(!ours.wait().await.unwrap().success());
        assert!(
            other.try_wait().unwrap().is_none(),
            "another process of the program is left alone"
        );
        other.kill().await.unwrap();
    }
}
