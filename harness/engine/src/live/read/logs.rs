//! Which logs are read: those of containers that ended or that do not get ready, a few of each
//! RayCluster.

use std::collections::BTreeMap;

use super::requests::{Requests, ResourceKind, reason};
use crate::live::bundle::{Bundle, ContainerLog};
use crate::live::doctor::view::{ContainerPhase, ContainerView, PodView};

/// Logs in all, and Pods of one RayCluster.
const LOGS: usize = 48;
const PODS: usize = 3;

/// A log to read.
struct Wanted {
    namespace: String,
    pod: String,
    container: String,
    previous: bool,
    /// How often the container was restarted, where it had ended when its Pod was read.
    ended: Option<i64>,
}

impl Wanted {
    async fn read(&self, requests: &Requests) -> Result<String, kube::Error> {
        let of = |previous| requests.log(&self.namespace, &self.pod, &self.container, previous);
        let text = of(self.previous).await?;
        let Some(restarts) = self.ended.filter(|_| !self.previous) else {
            return Ok(text);
        };
        // A container that was started again meanwhile has the log of its end as the previous one.
        let now = self.restarts(requests).await;
        if now.is_some_and(|now| now > restarts) {
            return Ok(of(true).await.unwrap_or(text));
        }
        Ok(text)
    }

    /// How often the container was restarted by now; none where that can't be read.
    async fn restarts(&self, requests: &Requests) -> Option<i64> {
        let pods = ResourceKind::new("v1", "Pod", "pods");
        let pod = requests.get(&pods, &self.namespace, &self.pod).await.ok()?;
        let view = PodView::new(&pod);
        let mut containers = view.containers().into_iter();
        let found = containers.find(|container| container.name == self.container);
        found.map(|container| container.restarts)
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
                ended: matches!(container.phase, ContainerPhase::Ended(_))
                    .then_some(container.restarts),
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
