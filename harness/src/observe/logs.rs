//! Logs of containers: followed while they run, and read whole when a check needs to know that nothing is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::AsyncBufReadExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::Api;
use kube::api::LogParams;

use super::namespace::Shared;
use crate::check::{Log, LogKey};

const RECONNECT: Duration = Duration::from_millis(300);
const RECONNECT_AT_MOST: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// What the kubelet answers, with no error, in place of the log of a container that it has removed: in a crash loop it
/// keeps only the last that ended.
const REMOVED: &str = "unable to retrieve container logs for ";

/// Logs that were asked for and who reads them.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) texts: BTreeMap<LogKey, Log>,
    /// The instance (container id) whose lines `texts` holds.
    instances: BTreeMap<LogKey, String>,
    pub(super) followed: BTreeSet<LogKey>,
    pub(super) rereading: BTreeSet<LogKey>,
}

impl Logs {
    /// Takes line `index` of the log of `instance`; true when that changed what is known.
    fn put(&mut self, key: &LogKey, instance: &str, index: usize, line: String) -> bool {
        let log = self.of(key, instance);
        match log.lines.get_mut(index) {
            Some(known) if *known == line => return false,
            // The whole log was read while the container was in the middle of this line.
            Some(known) => *known = line,
            None => log.lines.push(line),
        }
        true
    }

    /// Takes the whole log of `instance`, as it stood when its reading began at `begun`.
    fn put_whole(&mut self, key: &LogKey, instance: &Instance, lines: Vec<String>, begun: Timestamp) {
        let log = self.of(key, &instance.id);
        // Shorter than what was followed only when the kubelet rotated the file meanwhile: nothing read is forgotten.
        if lines.len() >= log.lines.len() {
            log.lines = lines;
        }
        log.complete_as_of = Some(begun);
        log.ended |= instance.ended;
    }

    fn of(&mut self, key: &LogKey, instance: &str) -> &mut Log {
        if self.instances.get(key).map(String::as_str) != Some(instance) {
            self.instances.insert(key.clone(), instance.into());
            self.texts.remove(key);
        }
        self.texts.entry(key.clone()).or_insert_with(|| Log {
            lines: Vec::new(),
            complete_as_of: None,
            ended: false,
        })
    }
}

/// Where the container's instance stands that a key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    /// Its container id.
    pub(super) id: String,
    /// Whether it has ended.
    pub(super) ended: bool,
}

/// The instance of which a key asks the log; none while it has not started.
pub(super) fn instance(pod: &Pod, key: &LogKey) -> Option<Instance> {
    let status = container_status(pod, &key.container)?;
    let last = || status.last_state.as_ref()?.terminated.as_ref()?.container_id.clone();
    if key.previous {
        return last().map(|id| Instance { id, ended: true });
    }
    let state = status.state.as_ref()?;
    if state.running.is_some() {
        let id = status.container_id.clone()?;
        return Some(Instance { id, ended: false });
    }
    if let Some(ended) = &state.terminated {
        let id = ended.container_id.clone().or_else(|| status.container_id.clone())?;
        return Some(Instance { id, ended: true });
    }
    // Waiting to be restarted: the API still serves the log of the instance that ended last.
    last().map(|id| Instance { id, ended: true })
}

fn container_status<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    status
        .container_statuses
        .iter()
        .flatten()
        .chain(status.init_container_statuses.iter().flatten())
        .find(|status| status.name == name)
}

/// Reads a whole log now.
pub(super) async fn read_whole(pods: &Api<Pod>, key: &LogKey) -> Result<Vec<String>, kube::Error> {
    let params = LogParams {
        container: Some(key.container.clone()),
        previous: key.previous,
        ..LogParams::default()
    };
    let text = tokio::time::timeout(READ_TIMEOUT, pods.logs(&key.pod, &params))
        .await
        .map_err(|elapsed| kube::Error::Service(elapsed.into()))??;
    Ok(split(&text))
}

/// Lines as the container wrote them; a carriage return is content.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Whether these lines tell that there is no log any more.
fn is_removed(lines: &[String]) -> bool {
    matches!(lines, [line] if line.starts_with(REMOVED))
}

/// Keeps one log current until its Pod is gone: each instance of the container is followed from its beginning.
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
    let mut stream = std::pin::pin!(stream);
    let mut bytes = Vec::new();
    let mut index = 0;
    loop {
        bytes.clear();
        match stream.read_until(b'\n', &mut bytes).await {
            Ok(0) => return,
            Ok(_) => {
                let line = String::from_utf8_lossy(bytes.strip_suffix(b"\n").unwrap_or(&bytes)).into_owned();
                if index == 0 && line.starts_with(REMOVED) {
                    return;
                }
                if shared.with_logs(|logs| logs.put(key, id, index, line)) {
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
    let begun = super::now();
    let read = read_whole(&shared.pods_api(), key).await;
    let (after, _) = shared.instance(key);
    match read {
        Ok(lines) if is_removed(&lines) => false,
        // A restart during the read leaves open whose lines these are: the next read tells.
        Ok(lines) if after.is_none_or(|after| after.id == before.id) => {
            shared.with_logs(|logs| logs.put_whole(key, &before, lines, begun));
            shared.notify();
            true
        }
        Ok(_) => false,
        Err(error) => {
            tracing::debug!(pod = key.pod, container = key.container, %error, "log could not be read");
            false
        }
    }
}

#[cfg(test)]
mod tests;
