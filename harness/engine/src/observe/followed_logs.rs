//! The lines of the logs of a namespace that are known so far.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::check::{Line, Lines, Log, LogKey};

/// Logs that were requested, and the tasks that read them.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) texts: BTreeMap<LogKey, Log>,
    /// The instance (container id) whose lines `texts` holds.
    instances: BTreeMap<LogKey, String>,
    pub(super) followed: BTreeSet<LogKey>,
    pub(super) rereading: BTreeSet<LogKey>,
}

/// What a line that was read is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    New,
    Known,
    /// Another than the known one with this number: the node has begun a new file for the log.
    Other,
}

impl Logs {
    /// Takes line `index` of the log of `instance`.
    pub(super) fn put(&mut self, key: &LogKey, instance: &str, index: usize, line: &Line) -> Taken {
        let lines = &mut self.of(key, instance).lines;
        if index >= lines.count() {
            lines.push(line);
            return Taken::New;
        }
        match lines.get(index) {
            Some(known) if known != line.text => Taken::Other,
            _ => Taken::Known,
        }
    }

    /// Begins a new part of a log whose first lines can't be read any more; returns the number of
    /// its first line.
    pub(super) fn put_part(&mut self, key: &LogKey, instance: &str) -> usize {
        let lines = &mut self.of(key, instance).lines;
        lines.break_off();
        lines.count()
    }

    /// Takes what was read of the whole log of `instance`, as it stood when its reading began at
    /// `begun`; false where that does not go as far as what was followed.
    pub(super) fn put_whole(
        &mut self,
        key: &LogKey,
        instance: &Instance,
        whole: Whole,
        begun: Timestamp,
    ) -> bool {
        let log = self.of(key, &instance.id);
        if whole.is_other {
            // The node has begun a new file meanwhile. What was followed holds its lines, too, if
            // it has come so far.
            if whole.last.as_deref() != log.lines.last_whole() {
                return false;
            }
        } else {
            log.lines.append(whole.beyond);
        }
        log.complete_as_of = Some(begun);
        log.ended |= instance.ended;
        true
    }

    /// The lines of `instance` that are known.
    pub(super) fn known(&self, key: &LogKey, instance: &str) -> Lines {
        let is_of = self
            .instances
            .get(key)
            .is_some_and(|known| known == instance);
        let log = self.texts.get(key).filter(|_| is_of);
        log.map(|log| log.lines.clone()).unwrap_or_default()
    }

    fn of(&mut self, key: &LogKey, instance: &str) -> &mut Log {
        if self.instances.get(key).map(String::as_str) != Some(instance) {
            self.instances.insert(key.clone(), instance.into());
            self.texts.remove(key);
        }
        self.texts.entry(key.clone()).or_insert_with(|| Log {
            lines: Lines::default(),
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
    let last = || {
        status
            .last_state
            .as_ref()?
            .terminated
            .as_ref()?
            .container_id
            .clone()
    };
    if key.previous {
        return last().map(|id| Instance { id, ended: true });
    }
    let state = status.state.as_ref()?;
    if state.running.is_some() {
        let id = status.container_id.clone()?;
        return Some(Instance { id, ended: false });
    }
    if let Some(ended) = &state.terminated {
        let id = ended
            .container_id
            .clone()
            .or_else(|| status.container_id.clone())?;
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

/// A whole log, as far as it was not known.
#[derive(Debug)]
pub(super) struct Whole {
    /// The lines behind those that are known.
    pub(super) beyond: Lines,
    /// Whether what comes before them is not what is known.
    pub(super) is_other: bool,
    /// The last line that has ended.
    pub(super) last: Option<String>,
}
