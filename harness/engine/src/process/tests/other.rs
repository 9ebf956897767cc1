//! This program again as another process, which a test stops where the two meet.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::stop_point::{STOP_AT, mark_of};

/// What the other process does.
const ROLE: &str = "KUBERAY_CONFORMANCE_TEST_ROLE";
/// The folder in which both work.
const FOLDER: &str = "KUBERAY_CONFORMANCE_TEST_FOLDER";

/// Guards against a test that never ends; no claim about speed.
const PATIENCE: Duration = Duration::from_mins(2);

/// What this process is to do, and where, in case it was started by [`Other::start`].
pub(crate) fn role() -> Option<(String, PathBuf)> {
    Some((std::env::var(ROLE).ok()?, std::env::var_os(FOLDER)?.into()))
}

/// Another process, killed when this is dropped.
pub(crate) struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    /// Starts this program with one of its tests, by the test's full name, which asks for its
    /// [`role`]. It stops itself at the point that is named, if any.
    pub(crate) fn start(test: &str, role: &str, folder: &Path, stop_at: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--nocapture", test]);
        command.env(ROLE, role).env(FOLDER, folder);
        command.envs(stop_at.map(|point| (STOP_AT, point)));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it prints a line that ends so.
    pub(crate) fn until(&mut self, end: &str) {
        let said = self.lines.any(|line| line.unwrap().ends_with(end));
        assert!(said, "it ended without `{end}`");
    }

    /// Waits until it has stopped itself.
    pub(crate) fn until_stopped(&self) {
        let stat = format!("/proc/{}/stat", self.id());
        let began = Instant::now();
        loop {
            let text = std::fs::read_to_string(&stat).unwrap();
            // "pid (name) state ppid …"
            match text
                .rsplit(')')
                .next()
                .and_then(|rest| rest.trim_start().chars().next())
            {
                Some('T') => return,
                Some('Z') => panic!("it ended and did not stop"),
                state => assert!(began.elapsed() < PATIENCE, "it did not stop: {state:?}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        self.until_stopped();
    }

    /// Lets it go on after it has stopped itself.
    pub(crate) fn go_on(&self) {
        std::fs::remove_file(mark_of(self.id())).unwrap();
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
