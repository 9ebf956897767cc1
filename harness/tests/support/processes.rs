//! Processes of programs under test.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::running::PATIENCE;

/// The variable that names the point at which a process of a debug build stops itself.
pub const STOP_AT: &str = "KUBERAY_CONFORMANCE_STOP_AT";

/// Processes with this one as their parent, by the name of their program.
pub fn children(parent: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // "pid (name) state ppid …"
        let after = stat.rsplit(')').next().unwrap_or_default();
        if after.split_whitespace().nth(1) == Some(&parent.to_string()) {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let first = line.split(|byte| *byte == 0).next().unwrap_or_default();
            let first = String::from_utf8_lossy(first);
            found.push((id, first.rsplit('/').next().unwrap_or_default().to_owned()));
        }
    }
    found
}

/// Waits until a process has stopped itself, at the point that `KUBERAY_CONFORMANCE_STOP_AT` names
/// in its environment.
pub fn until_stopped(id: u32) {
    let began = Instant::now();
    loop {
        match state(id) {
            Some('T') => return,
            None | Some('Z') => panic!("process {id} ended and did not stop"),
            state => assert!(
                began.elapsed() < PATIENCE,
                "process {id} is {state:?}, not stopped"
            ),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Lets a process go on that has stopped itself.
pub fn go_on(id: u32) {
    std::fs::remove_file(std::env::temp_dir().join(format!("kuberay-conformance-stopped-{id}")))
        .unwrap();
    signal(id, Signal::CONT);
}

/// The letter that the system shows for a process, such as `T` for one that is stopped.
fn state(id: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // "pid (name) state ppid …"
    stat.rsplit(')').next()?.trim_start().chars().next()
}

pub fn signal(id: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(id).unwrap()).unwrap(), signal).unwrap();
}
