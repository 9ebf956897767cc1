//! Logs of containers: followed while they run, and read whole when a check needs to know that
//! nothing is missing.

use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;

use super::followed_logs::{Taken, Whole};
use super::state::Shared;
use crate::check::{Bounds, LINE_BYTES, Line, Lines, LogKey};

const RECONNECT: Duration = Duration::from_millis(300);
const RECONNECT_AT_MOST: Duration = Duration::from_secs(5);
/// How long a read may wait for the next line, and how long it may take.
const LINE_TIMEOUT: Duration = Duration::from_secs(30);
const READ_TIMEOUT: Duration = Duration::from_mins(2);
/// What the kubelet answers, with no error, in place of the log of a container that it has removed:
/// in a crash loop it keeps only the last that ended. The second is its answer while it removes the
/// log.
const REMOVED: [&str; 2] = [
    "unable to retrieve container logs for ",
    "failed to try resolving symlinks in path \"/var/log/pods/",
];

/// Lines of bytes, whatever these are. Of one that is too long, the end is counted only.
struct Reader<R> {
    bytes: R,
    line: Vec<u8>,
    cut: u64,
}

impl<R: AsyncBufRead + Unpin> Reader<R> {
    fn new(bytes: R) -> Self {
        Self {
            bytes,
            line: Vec::new(),
            cut: 0,
        }
    }

    /// The next line, and whether it has ended; none at the end. A carriage return is content.
    async fn next(&mut self) -> std::io::Result<Option<(Line, bool)>> {
        loop {
            let there = self.bytes.fill_buf().await?;
            if there.is_empty() {
                let nothing = self.line.is_empty() && self.cut == 0;
                return Ok((!nothing).then(|| (self.take(), false)));
            }
            let end = there.iter().position(|byte| *byte == b'\n');
            let part = &there[..end.unwrap_or(there.len())];
            let kept = part.len().min(LINE_BYTES - self.line.len());
            self.line.extend_from_slice(&part[..kept]);
            self.cut += (part.len() - kept) as u64;
            let read = part.len() + usize::from(end.is_some());
            self.bytes.consume_unpin(read);
            if end.is_some() {
                return Ok(Some((self.take(), true)));
            }
        }
    }

    fn take(&mut self) -> Line {
        let text = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        Line {
            text,
            cut: std::mem::take(&mut self.cut),
        }
    }
}

fn broken(error: std::io::Error) -> kube::Error {
    kube::Error::Service(error.into())
}

/// Reads a log as it is now, as much of it as the bounds say. Bytes that are not UTF-8 become
/// U+FFFD.
///
/// # Errors
/// When there is no such log, or it can't be read to its end.
pub(crate) async fn read(
    pods: &Api<Pod>,
    pod: &str,
    params: &LogParams,
    bounds: Bounds,
) -> Result<Lines, kube::Error> {
    Ok(read_beyond(pods, pod, params, &Lines::new(bounds), bounds)
        .await?
        .beyond)
}

async fn read_beyond(
    pods: &Api<Pod>,
    pod: &str,
    params: &LogParams,
    known: &Lines,
    bounds: Bounds,
) -> Result<Whole, kube::Error> {
    let mut whole = Whole {
        beyond: Lines::from_number(known.count(), bounds),
        is_other: false,
        last: None,
    };
    let all = async {
        let stream = pods.log_stream(pod, params).await?;
        let stream = std::pin::pin!(stream);
        let mut reader = Reader::new(stream);
        let mut number = 0;
        loop {
            let next = tokio::time::timeout(LINE_TIMEOUT, reader.next()).await;
            match next
                .map_err(|elapsed| kube::Error::Service(elapsed.into()))?
                .map_err(broken)?
            {
                None => return Ok::<(), kube::Error>(()),
                Some((line, true)) => {
                    if number >= known.count() {
                        whole.beyond.push(&line);
                    } else if known.get(number).is_some_and(|known| known != line.text) {
                        whole.is_other = true;
                    }
                    number += 1;
                    whole.last = Some(line.text);
                }
                Some((line, false)) if number >= known.count() => {
                    whole.beyond.set_partial(Some(line));
                }
                Some((_, false)) => {}
            }
        }
    };
    tokio::time::timeout(READ_TIMEOUT, all)
        .await
        .map_err(|elapsed| kube::Error::Service(elapsed.into()))??;
    Ok(whole)
}

/// Whether a line tells that there is no log any more.
fn is_removed(line: &str) -> bool {
    REMOVED.iter().any(|answer| line.starts_with(answer))
}

/// Keeps one log current until its Pod is gone: each instance of the container is followed from its
/// beginning.
pub(super) async fn follow(shared: Arc<Shared>, key: LogKey) {
    let mut changes = shared.changes();
    let mut finished: Option<String> = None;
    let mut pause = RECONNECT;
    loop {
        let (instance, gone) = shared.instance(&key);
        if gone {
            return;
        }
        match instance {
            Some(instance) if finished.as_ref() != Some(&instance.id) => {
                if !instance.ended {
                    follow_instance(&shared, &key, &instance.id).await;
                }
                // What ended is read whole once; what still runs was cut off and is followed again.
                let ended = shared
                    .instance(&key)
                    .0
                    .is_none_or(|now| now.ended || now.id != instance.id);
                if ended && reread(&shared, &key).await {
                    finished = Some(instance.id);
                    pause = RECONNECT;
                    continue;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RECONNECT_AT_MOST);
            }
            _ => {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn follow_instance(shared: &Arc<Shared>, key: &LogKey, id: &str) {
    let params = LogParams {
        container: Some(key.container.clone()),
        follow: true,
        ..LogParams::default()
    };
    let stream = match shared.pods_api().log_stream(&key.pod, &params).await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(pod = key.pod, container = key.container, %error, "log stream did not open");
            return;
        }
    };
    let stream = std::pin::pin!(stream);
    let mut reader = Reader::new(stream);
    let mut index = 0;
    loop {
        match reader.next().await {
            // The rest of an unfinished line is read when the log is read whole.
            Ok(None | Some((_, false))) => return,
            Ok(Some((line, true))) => {
                if index == 0 && is_removed(&line.text) {
                    return;
                }
                let taken = shared.with_logs(|logs| match logs.put(key, id, index, &line) {
                    Taken::Other => {
                        index = logs.put_part(key, id);
                        logs.put(key, id, index, &line)
                    }
                    taken => taken,
                });
                if taken != Taken::Known {
                    shared.notify();
                }
                index += 1;
            }
            Err(error) => {
                tracing::debug!(pod = key.pod, container = key.container, %error, "log stream broke");
                return;
            }
        }
    }
}

/// Reads a log whole and notes when that read began; false when it could not be read.
pub(super) async fn reread(shared: &Arc<Shared>, key: &LogKey) -> bool {
    let (before, _) = shared.instance(key);
    let Some(before) = before else { return false };
    let known = shared.with_logs(|logs| logs.known(key, &before.id));
    let begun = super::now();
    let params = LogParams {
        container: Some(key.container.clone()),
        previous: key.previous,
        ..LogParams::default()
    };
    let read = read_beyond(
        &shared.pods_api(),
        &key.pod,
        &params,
        &known,
        Bounds::CHECKS,
    )
    .await;
    let (after, _) = shared.instance(key);
    match read {
        Ok(whole) if known.count() == 0 && is_only_removed(&whole.beyond) => false,
        // A restart during the read leaves open whose lines these are: the next read tells.
        Ok(whole) if after.is_none_or(|after| after.id == before.id) => {
            let is_whole = shared.with_logs(|logs| logs.put_whole(key, &before, whole, begun));
            shared.notify();
            is_whole
        }
        Ok(_) => false,
        Err(error) => {
            tracing::debug!(pod = key.pod, container = key.container, %error, "log could not be read");
            false
        }
    }
}

/// Whether these lines are no log, but tell that there is none any more.
fn is_only_removed(lines: &Lines) -> bool {
    lines.end() == 1 && lines.last().is_some_and(is_removed)
}

#[cfg(test)]
mod tests;
