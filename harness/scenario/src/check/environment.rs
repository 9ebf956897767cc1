//! What the machine, not KubeRay or a command, has broken.

use super::{Lines, LogKey, Observation, line, pods};
use crate::Role;

/// What Ray writes when its dashboard has not started in time (20 s up to Ray 2.7, later 60 s;
/// `_private/services.py`, `start_api_server`). Ray then goes on without one.
const GAVE_UP: &str = "Failed to start the dashboard";

/// The log of the head, which tells of the dashboard, once a check needs that.
pub(super) fn needed(observation: &Observation) -> Option<LogKey> {
    let pod = pods::find(observation, Role::Head, None)?;
    let container = pods::container_name(pod, None)?;
    pods::has_started(observation, pod, container).then(|| LogKey {
        pod: pods::name(pod).into(),
        container: container.into(),
        previous: false,
    })
}

/// How far the head's log was searched.
#[derive(Debug, Default)]
pub(super) struct Search {
    of: Option<u64>,
    next: usize,
    found: Option<String>,
}

impl Search {
    /// The first line that says that Ray gave its dashboard up. Each line is looked at once.
    fn go_on(&mut self, lines: &Lines) -> Option<&str> {
        if self.of != Some(lines.id()) {
            *self = Self {
                of: Some(lines.id()),
                ..Self::default()
            };
        }
        if self.found.is_none() {
            let mut plain = lines
                .whole_from(self.next)
                .map(|(_, text)| line::plain(text));
            self.found = plain.find(|text| text.contains(GAVE_UP)).map(Into::into);
            self.next = lines.count();
        }
        self.found.as_deref()
    }
}

/// Why what only the dashboard tells can't be known, once Ray has given its dashboard up.
pub(super) fn fault(observation: &Observation, search: &mut Search) -> Option<String> {
    if observation.dashboard.is_some() {
        return None;
    }
    let key = needed(observation)?;
    let log = observation.logs.get(&key)?;
    let said = search.go_on(&log.lines)?;
    Some(format!(
        "Ray in the Pod {} gave its dashboard up, because the machine was too slow for it: \"{}\"; run fewer cases at \
         once (--jobs) or less beside them",
        key.pod,
        said.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Lines {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn what_was_found_stays_until_another_log_begins() {
        let mut search = Search::default();
        let gave_up = lines(&[
            "Ray runtime started.",
            "Failed to start the dashboard , return code -9",
        ]);
        assert!(search.go_on(&gave_up).is_some());
        assert!(
            search.go_on(&gave_up).is_some(),
            "it is found once, and stays"
        );
        let another = lines(&["Ray runtime started."]);
        assert_eq!(
            search.go_on(&another),
            None,
            "another log says nothing of it"
        );
        assert!(
            search.go_on(&gave_up).is_some(),
            "the first is searched again from its start"
        );
    }
}
