//! Runs bash on a text, in an empty environment and folder, with functions in place of `ray` and `ulimit`.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// How long a text may take before it counts as one that never returns.
const LIMIT: Duration = Duration::from_millis(4000);

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
}

impl Oracle {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
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

    /// Whether bash parses a text, or what it reports.
    pub fn parses(&self, text: &str) -> Result<(), String> {
        let output = self
            .bash()
            .args(["-n", "-c", text])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        // Of some errors in `[[ … ]]` the status says nothing.
        let reported = String::from_utf8_lossy(&output.stderr);
        let first = reported.lines().find(|line| line.contains("-c: line"));
        if output.status.success() && first.is_none() {
            return Ok(());
        }
        let first = first.unwrap_or_default();
        let wording = first.splitn(4, ": ").nth(3).unwrap_or(&reported);
        Err(wording.to_owned())
    }

    /// Runs a text.
    pub fn run(&self, text: &str) -> Ran {
        // The process that runs the text is killed where it reaches `ray start`, whatever it did to its output.
        let ray = r#"() { if [[ "$*" == 'start --head --block --resources={"a": 1} --num-cpus=1' ]]; then
            builtin kill -KILL $$; else builtin kill -ABRT $$; fi; }"#;
        let sleep = "() { [[ -e /proc/$$/fd/0 ]] || builtin kill -KILL $BASHPID; local t=0.02; [[ $1 == inf || $1 == infinity ]] && t=60; builtin read -t $t < /proc/$$/fd/0; return 0; }";
        let tail = "() { if [[ $1 == -f ]]; then builtin read -t 60 < /proc/$$/fd/0; fi; return 0; }";
        let mut child = self
            .bash()
            .env("PATH", "/nonexistent")
            .env("FUNCNEST", "40")
            .env("BASH_FUNC_ray%%", ray)
            .env("BASH_FUNC_ulimit%%", "() { return 0; }")
            .env("BASH_FUNC_sleep%%", sleep)
            .env("BASH_FUNC_tail%%", tail)
            .args(["-c", text])
            // Open and silent as long as the shell runs.
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let ran = wait(&mut child);
        // Background jobs that the text left behind.
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let _ = kill_process_group(group.unwrap(), Signal::KILL);
        ran
    }
}

fn wait(child: &mut Child) -> Ran {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return match status.signal() {
                Some(9) => Ran::Reached,
                Some(6) => panic!("ray got other words"),
                _ => Ran::Ended,
            };
        }
        if begin.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            return Ran::Hung;
        }
        std::thread::sleep(Duration::from_millis(4));
    }
}
