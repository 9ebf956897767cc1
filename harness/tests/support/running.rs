//! A program under way, and what it says.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Guards against a test that never ends, on a busy machine, too; no claim about speed.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// A program that is killed when this is dropped.
pub struct Running {
    pub child: Child,
    lines: Receiver<String>,
    /// What it has said by now, as far as it was waited for.
    pub said: Vec<String>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let pipes: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stderr.take().unwrap()),
            Box::new(child.stdout.take().unwrap()),
        ];
        for pipe in pipes {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Waits until it says this.
    pub fn until(&mut self, text: &str) {
        let started = Instant::now();
        while let Ok(line) = self
            .lines
            .recv_timeout(PATIENCE.saturating_sub(started.elapsed()))
        {
            let found = line.contains(text);
            self.said.push(line);
            if found {
                return;
            }
        }
        panic!("it did not say `{text}`:\n{}", self.said.join("\n"));
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, and all that it said.
    pub fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        self.said.extend(self.lines.iter());
        (status, self.said.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
