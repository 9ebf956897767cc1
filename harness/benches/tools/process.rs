//! Runs a tool, notes when it told its verdict, and what it and its children used.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::Failed;

/// How often the memory of the tool is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Linux tells processor time in hundredths of a second.
const TICKS: f64 = 100.0;

/// What a tool did.
pub struct Ran {
    pub began: Timestamp,
    /// When its output said that the checks passed.
    pub verdict: Option<Timestamp>,
    pub ended: Timestamp,
    pub passed: bool,
    /// User and system seconds, with those of its children.
    pub cpu: f64,
    /// The largest sum of resident memory that was seen, in MiB.
    pub memory: f64,
    pub output: String,
}

/// Runs `command`; its verdict is told with the first line of which `is_verdict` says so.
pub async fn run(
    mut command: Command,
    is_verdict: fn(&str) -> bool,
    log: &Path,
) -> Result<Ran, Failed> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let (sender, mut lines) = unbounded_channel();
    let (began, limit) = (Timestamp::now(), Instant::now() + Duration::from_mins(8));
    let mut child = command.spawn()?;
    let pid = child.id().ok_or("the tool has no process id")?;
    tokio::spawn(read(child.stdout.take(), sender.clone()));
    tokio::spawn(read(child.stderr.take(), sender));
    let mut memory = 0;
    let cpu = loop {
        memory = memory.max(tree_pages(pid));
        // Its use of the processor can be read until it is waited for.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let id = Pid::from_raw(i32::try_from(pid)?).ok_or("no process has the id 0")?;
        if waitid(WaitId::Pid(id), options)?.is_some() {
            break ticks(pid)?;
        }
        if Instant::now() > limit {
            return Err("a tool ran for 8 minutes".into());
        }
        tokio::time::sleep(LOOK).await;
    };
    let ended = Timestamp::now();
    let passed = child.wait().await?.success();
    let (mut verdict, mut output) = (None, String::new());
    while let Some((at, line)) = lines.recv().await {
        if verdict.is_none() && is_verdict(&line) {
            verdict = Some(at);
        }
        output.push_str(&format!("{at} {line}\n"));
    }
    std::fs::write(log, &output)?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "memory of processes is far below"
    )]
    let memory = memory as f64 * rustix::param::page_size() as f64 / f64::from(1 << 20);
    Ok(Ran {
        began,
        verdict,
        ended,
        passed,
        cpu,
        memory,
        output,
    })
}

async fn read(
    stream: Option<impl AsyncRead + Unpin>,
    sender: UnboundedSender<(Timestamp, String)>,
) {
    let Some(stream) = stream else { return };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let _ = sender.send((Timestamp::now(), line));
    }
}

fn ticks(pid: u32) -> Result<f64, Failed> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = text.rsplit_once(')').ok_or("the process has no state")?.1;
    // utime, stime, cutime and cstime are the fields 14 to 17; after the name comes the third.
    let used: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    Ok(f64::from(used) / TICKS)
}

/// Resident pages of a process and all below it.
fn tree_pages(pid: u32) -> u64 {
    let read = |path: String| std::fs::read_to_string(path).unwrap_or_default();
    let own = read(format!("/proc/{pid}/statm"));
    let own: u64 = own
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let children = tasks
        .map(|task| read(format!("{}/children", task.path().display())))
        .collect::<String>();
    own + children
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .map(tree_pages)
        .sum::<u64>()
}
