//! Which logs are read: those of containers that ended or that do not get ready, a few of each
//! RayCluster.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::requests::{Requests, ResourceKind, reason};
use crate::live::bundle::{Bundle, ContainerLog};
use crate::live::doctor::view::{ContainerPhase, ContainerView, PodView};

/// Logs in all, and Pods of one RayCluster. A log takes three requests at most, and all of `doctor`
/// fewer than a hundred.
const LOGS: usize = 24;
const PODS: usize = 3;

/// A log to read.
struct Wanted {
    namespace: String,
    pod: String,
    container: String,
    previous: bool,
    /// Where the container had ended when its Pod was read.
    ended: Option<Instance>,
}

/// An instance of a container that has ended.
#[derive(Clone, Copy)]
struct Instance {
    /// Number of instances that ended before it.
    restarts: i64,
    finished: Option<Timestamp>,
}

impl Wanted {
    async fn read(&self, requests: &Requests) -> Result<String, kube::Error> {
        let of = |previous| requests.log(&self.namespace, &self.pod, &self.container, previous);
        let text = of(self.previous).await?;
        let Some(instance) = self.ended.filter(|_| !self.previous) else {
            return Ok(without_times(&text));
        };
        // If the container has restarted since, the log of its end is the previous one. The kubelet
        // serves the log of the new instance before the Pod's status shows the restart.
        let mut has_moved_on = is_of_a_later_instance(&text, instance.finished);
        if !has_moved_on {
            let now = self.restarts(requests).await;
            has_moved_on = now.is_some_and(|now| now > instance.restarts);
        }
        if has_moved_on {
            let previous = without_times(&of(true).await.unwrap_or_default());
            if !previous.is_empty() {
                return Ok(previous);
            }
        }
        Ok(without_times(&text))
    }

    /// Returns the number of restarts of the container; `None` where it can't be read.
    async fn restarts(&self, requests: &Requests) -> Option<i64> {
        let pods = ResourceKind::new("v1", "Pod", "pods");
        let pod = requests.get(&pods, &self.namespace, &self.pod).await.ok()?;
        let view = PodView::new(&pod);
        let mut containers = view.containers().into_iter();
        let found = containers.find(|container| container.name == self.container);
        found.map(|container| container.restarts)
    }
}

/// The time at which a line was written, and the line.
fn timed(line: &str) -> Option<(Timestamp, &str)> {
    let (time, rest) = line.split_once(' ')?;
    Some((time.parse().ok()?, rest))
}

/// A log without the times of its lines. The kubelet's message that a log is gone counts as an empty
/// log.
fn without_times(text: &str) -> String {
    if text.starts_with("unable to retrieve container logs for ") {
        return String::new();
    }
    let lines = text.split_inclusive('\n');
    lines
        .map(|line| timed(line).map_or(line, |(_, rest)| rest))
        .collect()
}

/// Whether a log begins at least a second after an instance finished, so that a later instance wrote
/// it. An empty log may be a later instance's.
fn is_of_a_later_instance(text: &str, finished: Option<Timestamp>) -> bool {
    let first = text.lines().next().and_then(timed);
    match (first, finished) {
        (Some((written, _)), Some(finished)) => {
            written.duration_since(finished) >= SignedDuration::from_secs(1)
        }
        (Some(_), None) => false,
        (None, _) => without_times(text).is_empty(),
    }
}

pub(super) async fn read(requests: &Requests, bundle: &mut Bundle) {
    let mut wanted = wanted(bundle);
    if wanted.len() > LOGS {
        let left = wanted.len() - LOGS;
        bundle.miss(
            "logs",
            format!("{left} more than the {LOGS} that are read at most"),
        );
        wanted.truncate(LOGS);
    }
    wanted.extend(operators(bundle));
    let texts = wanted.iter().map(|one| one.read(requests));
    let texts = futures::future::join_all(texts).await;
    for (one, text) in wanted.into_iter().zip(texts) {
        match text {
            Ok(text) => bundle.logs.push(ContainerLog {
                namespace: one.namespace,
                pod: one.pod,
                container: one.container,
                previous: one.previous,
                text: crate::text::clean(&text),
            }),
            Err(error) => bundle.miss(
                "logs",
                format!(
                    "container {} of Pod {}: {}",
                    one.container,
                    one.pod,
                    reason(&error)
                ),
            ),
        }
    }
}

/// Logs of Pods that are not well; heads first, then workers and submitters.
fn wanted(bundle: &Bundle) -> Vec<Wanted> {
    let mut views: Vec<PodView> = bundle
        .pods
        .iter()
        .map(PodView::new)
        .filter(|pod| !pod.is_well())
        .collect();
    views.sort_by_key(|pod| !pod.is_head());
    let mut of_cluster: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut wanted = Vec::new();
    for pod in views {
        let key = (pod.namespace().to_owned(), pod.cluster().to_owned());
        let count = of_cluster.entry(key).or_default();
        *count += 1;
        if *count > PODS {
            continue;
        }
        let mut log = |container: &ContainerView, previous| {
            wanted.push(Wanted {
                namespace: pod.namespace().into(),
                pod: pod.name().into(),
                container: container.name.into(),
                previous,
                ended: match container.phase {
                    ContainerPhase::Ended(ended) => Some(Instance {
                        restarts: container.restarts,
                        finished: ended.finished,
                    }),
                    _ => None,
                },
            });
        };
        for container in pod.containers() {
            let runs = matches!(
                container.phase,
                ContainerPhase::Running | ContainerPhase::Ended(_)
            );
            if runs && !container.is_well() {
                log(&container, false);
            }
            if container.restarts > 0 && container.last.is_some() {
                log(&container, true);
            }
        }
    }
    wanted
}

/// The operator's log, where a RayCluster has no head and its events may be gone.
fn operators(bundle: &Bundle) -> Vec<Wanted> {
    let heads: Vec<PodView> = bundle.pods.iter().map(PodView::new).collect();
    let lacks = bundle.objects.iter().any(|object| {
        object["kind"] == "RayCluster"
            && !heads.iter().any(|pod| {
                pod.is_head()
                    && object["metadata"]["name"] == pod.cluster()
                    && object["metadata"]["namespace"] == pod.namespace()
            })
    });
    let jobs = bundle.objects.iter().any(|object| {
        object["kind"] != "RayCluster"
            && object["status"]
                .as_object()
                .is_none_or(serde_json::Map::is_empty)
    });
    if !lacks && !jobs {
        return Vec::new();
    }
    let pods = bundle
        .operators
        .iter()
        .flat_map(|one| one.pods.iter().take(1));
    pods.map(|pod| {
        let view = PodView::new(pod);
        let container = pod["spec"]["containers"][0]["name"].as_str();
        Wanted {
            namespace: view.namespace().into(),
            pod: view.name().into(),
            container: container.unwrap_or_default().into(),
            previous: false,
            ended: None,
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const FINISHED: &str = "2026-11-30T14:00:05Z";

    #[rstest]
    #[case::of_the_end("2026-11-30T14:00:05.913204415Z Error: no\n", false)]
    #[case::long_before("2026-11-30T13:00:00Z one\n2026-11-30T14:00:05Z two\n", false)]
    #[case::later("2026-11-30T14:00:06.1Z one\n", true)]
    #[case::nothing_yet("", true)]
    #[case::gone("unable to retrieve container logs for containerd://0f3a", true)]
    #[case::without_times("Error: no\n", false)]
    fn a_log_that_was_written_after_the_end_is_another_instance_s(
        #[case] text: &str,
        #[case] expected: bool,
    ) {
        let finished = FINISHED.parse().ok();
        assert_eq!(is_of_a_later_instance(text, finished), expected);
    }

    #[rstest]
    #[case(
        "2026-11-30T14:00:05.9Z a  b\n2026-11-30T14:00:06Z \nplain line\n2026-11-30T14:00:07Z c",
        "a  b\n\nplain line\nc"
    )]
    #[case("unable to retrieve container logs for containerd://0f3a", "")]
    #[case("", "")]
    fn the_times_of_lines_are_left_out(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(without_times(text), expected);
    }
}
