//! Runs bash on a text, in an empty environment and folder, with functions in place of `ray` and
//! `ulimit`.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tempfile::TempDir;

/// What a text did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// `ray start` ran with exactly the generated words.
    Reached,
    /// The shell ended before.
    Ended,
    /// The shell did not end.
    Hung,
}

/// Bash and the folder that its texts run in.
pub struct Oracle {
    folder: TempDir,
    /// A pipe without end, which the stubs that never return read from.
    _pipe: File,
}

impl Oracle {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let pipe = File::options().read(true).write(true).open(path).unwrap();
        Self {
            folder,
            _pipe: pipe,
        }
    }

    fn bash(&self) -> Command {
        let mut command = Command::new("/bin/bash");
        command
            .env_clear()
            .current_dir(self.folder.path())
            .stdout(Stdio::null());
        command
    }

    /// Whether bash parses a text, or what it reports: nothing of some texts that it refuses.
    pub fn parses(&self, text: &str) -> Result<(), String> {
        let (succeeded, reported) = self.reads(text);
        let first = reported.lines().find(|line| line.contains("-c: line"));
        if !succeeded || first.is_some() {
            let first = first.unwrap_or_default();
            let wording = first.splitn(4, ": ").nth(3).unwrap_or(&reported);
            return Err(wording.to_owned());
        }
        // After a text that it parses, bash refuses what follows, unless a here-document holds it.
        let (_, reported) = self.reads(&format!("{text}\n)"));
        if reported.is_empty() {
            return Err(String::new());
        }
        Ok(())
    }

    /// Whether bash reads a text without running it, and what it reports; of some errors in
    /// `[[ … ]]` the status says nothing.
    fn reads(&self, text: &str) -> (bool, String) {
        let output = self
            .bash()
            .args(["-n", "-c", text])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let reported = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), reported)
    }

    /// Runs a text for at most this long.
    pub fn run(&self, text: &str, limit: Duration) -> Ran {
        // The process that runs the text is killed where it reaches `ray start`, whatever it did to
        // its output.
        let ray = r#"() { if [[ "$*" == 'start --head --block --resources={"a": 1} --num-cpus=1' ]]; then
            builtin kill -KILL $$; else builtin kill -ABRT $$; fi; }"#;
        let pipe = self.folder.path().join("pipe");
        // A failure would end a shell with `set -e`.
        let read = format!("builtin read -t $t < {} || return 0", pipe.display());
        let sleep = format!(
            "() {{ local t=0.02; [[ $* == inf || $* == infinity ]] && t=60; {read}; return 0; }}"
        );
        let tail = format!(
            "() {{ local a; for a; do if [[ $a == -f ]]; then local t=60; {read}; fi; done; return 0; }}"
        );
        let mut child = self
            .bash()
            .env("PATH", "/nonexistent")
            .env("FUNCNEST", "40")
            .env("BASH_FUNC_ray%%", ray)
            .env("BASH_FUNC_ulimit%%", "() { return 0; }")
            .env("BASH_FUNC_sleep%%", sleep)
            .env("BASH_FUNC_tail%%", tail)
            .args(["-c", text])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let id = id.unwrap();
        let ended = ends(id, limit);
        // Ends jobs that the text left behind, before the number of the process is free for another
        // one.
        let _ = kill_process_group(id, Signal::KILL);
        let status = child.wait().unwrap();
        match status.signal() {
            _ if !ended => Ran::Hung,
            Some(9) => Ran::Reached,
            Some(6) => panic!("ray got other words"),
            _ => Ran::Ended,
        }
    }
}

/// Waits for the end of a process, up to a limit, and leaves its status for later.
fn ends(id: Pid, limit: Duration) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let begin = Instant::now();
    while begin.elapsed() < limit {
        if waitid(WaitId::Pid(id), options).unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(4));
    }
    false
}
