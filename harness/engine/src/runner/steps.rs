//! The steps of a scenario in place of components that envtest lacks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;

use crate::check::{Observation, Rejection};
use crate::observe::ray_cluster_resource;
use crate::operator::{FIELD_MANAGER, ObjectError, Sender};
use crate::provider::Upgrade;
use crate::scenario::{Deletion, Steps};
use crate::target::ready_status;

/// The label with the role of a Ray Pod.
const NODE_TYPE: &str = "ray.io/node-type";

/// Does what a scenario's `steps` says, each thing once.
pub(crate) struct StepRunner<'a> {
    steps: &'a Steps,
    sender: &'a Sender,
    /// The objects to apply between two operators.
    between: &'a [Value],
    /// The objects to apply.
    later: &'a [Value],
    pods: Api<Pod>,
    ray_clusters: Api<DynamicObject>,
    /// Uids of Pods that were made ready.
    ready: BTreeSet<String>,
    /// The objects that the API server rejected, each with its message.
    rejections: Vec<Rejection>,
    /// Uids of the Pods that were there when things were applied and deleted.
    before: Option<BTreeSet<String>>,
    deleted: bool,
    upgrade: Option<&'a dyn Upgrade>,
}

/// A reason why a step failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("the steps could not apply an object: {0}")]
    Apply(#[from] ObjectError),
    #[error("the upgrade: {0}")]
    Upgrade(String),
    #[error("the steps could not {doing}: {source}")]
    Api {
        doing: &'static str,
        source: Box<kube::Error>,
    },
}

fn api(doing: &'static str) -> impl FnOnce(kube::Error) -> StepError {
    move |source| StepError::Api {
        doing,
        source: Box::new(source),
    }
}

impl<'a> StepRunner<'a> {
    pub(crate) fn new(
        steps: &'a Steps,
        [between, later]: [&'a [Value]; 2],
        client: Client,
        sender: &'a Sender,
        namespace: &str,
        upgrade: Option<&'a dyn Upgrade>,
    ) -> Self {
        Self {
            steps,
            sender,
            between,
            later,
            pods: Api::namespaced(client.clone(), namespace),
            ray_clusters: Api::namespaced_with(client, namespace, &ray_cluster_resource()),
            ready: BTreeSet::new(),
            rejections: Vec::new(),
            before: None,
            deleted: false,
            upgrade,
        }
    }

    /// Uids of the Pods that were there when things were applied and deleted; none before that.
    pub(crate) fn before(&self) -> Option<&BTreeSet<String>> {
        self.before.as_ref()
    }

    /// Returns the objects that the API server rejected, each with its message.
    pub(crate) fn rejections(&self) -> &[Rejection] {
        &self.rejections
    }

    /// Returns what the steps that are left wait for; `None` once all are taken.
    pub(crate) fn left(&self, observation: &Observation) -> Option<&'static str> {
        let acts = self.steps.acts() || self.upgrade.is_some();
        let is_marked = |pod: &Pod| pod.uid().is_some_and(|uid| self.ready.contains(&uid));
        let mut pods = observation.pods.iter().filter(|pod| is_rays(pod));
        if acts && self.before.is_none() {
            Some("the steps wait until the operator reports every RayCluster as ready")
        } else if !self.steps.delete.is_empty() && !self.deleted {
            Some("the steps wait for a Pod of the applied objects before they delete anything")
        } else if self.steps.mark_ready && (self.ready.is_empty() || !pods.all(is_marked)) {
            Some("the steps wait for Pods of Ray to mark them ready")
        } else {
            None
        }
    }

    /// Acts on what is new.
    ///
    /// # Errors
    /// When the API server refuses something other than an object of the scenario, or can't be
    /// asked.
    pub(crate) async fn act(&mut self, observation: &Observation) -> Result<(), StepError> {
        let pods: Vec<&Pod> = observation.pods.iter().filter(|pod| is_rays(pod)).collect();
        if self.steps.mark_ready {
            for pod in &pods {
                self.make_ready(pod).await?;
            }
        }
        let acts = self.steps.acts() || self.upgrade.is_some();
        if self.before.is_none() && acts && is_ready(observation) {
            self.before = Some(
                observation
                    .pods
                    .iter()
                    .filter_map(ResourceExt::uid)
                    .collect(),
            );
            if let Some(upgrade) = self.upgrade {
                if !self.between.is_empty() {
                    upgrade.end().await.map_err(StepError::Upgrade)?;
                    self.apply(self.between).await?;
                }
                upgrade.upgrade().await.map_err(StepError::Upgrade)?;
            }
            self.apply(self.later).await?;
        }
        let knows = |before: &BTreeSet<String>| {
            self.later.is_empty()
                || pods
                    .iter()
                    .filter_map(|pod| pod.uid())
                    .any(|uid| !before.contains(&uid))
        };
        if !self.deleted && self.before.as_ref().is_some_and(knows) {
            for what in &self.steps.delete {
                self.delete(*what, observation, &pods).await?;
            }
            self.deleted = true;
        }
        Ok(())
    }

    async fn apply(&mut self, objects: &[Value]) -> Result<(), StepError> {
        for object in objects {
            if let Err(error) = self.sender.apply_namespaced(object).await {
                self.rejections.push(rejection(error)?);
            }
        }
        Ok(())
    }

    async fn make_ready(&mut self, pod: &Pod) -> Result<(), StepError> {
        let uid = pod.uid().unwrap_or_default();
        if self.ready.contains(&uid) {
            return Ok(());
        }
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        let status = Patch::Merge(ready_status(pod, Timestamp::now()));
        let patched = self
            .pods
            .patch_status(&pod.name_any(), &params, &status)
            .await;
        unless_gone(patched).map_err(api("write the status of a Pod"))?;
        self.ready.insert(uid);
        Ok(())
    }

    async fn delete(
        &self,
        what: Deletion,
        observation: &Observation,
        pods: &[&Pod],
    ) -> Result<(), StepError> {
        let params = DeleteParams::default();
        let role = match what {
            Deletion::Head => "head",
            Deletion::Worker => "worker",
            Deletion::RayCluster => {
                for cluster in &observation.ray_clusters {
                    let name = cluster["metadata"]["name"].as_str().unwrap_or_default();
                    let deleted = self.ray_clusters.delete(name, &params).await;
                    unless_gone(deleted).map_err(api("delete a RayCluster"))?;
                }
                return Ok(());
            }
        };
        let oldest = pods
            .iter()
            .find(|pod| pod.labels().get(NODE_TYPE).is_some_and(|of| of == role));
        if let Some(pod) = oldest {
            let deleted = self.pods.delete(&pod.name_any(), &params).await;
            unless_gone(deleted).map_err(api("delete a Pod"))?;
        }
        Ok(())
    }
}

/// Returns the API server's rejection of an object.
///
/// # Errors
/// The error, where it is of the environment.
pub(crate) fn rejection(error: ObjectError) -> Result<Rejection, ObjectError> {
    match error {
        ObjectError::Rejected {
            object,
            reason,
            message,
        } => Ok(Rejection {
            object,
            message: format!("{reason}: {message}"),
        }),
        ObjectError::UnknownKind {
            object,
            kind,
            api_version,
        } => Ok(Rejection {
            object,
            message: format!("the API server serves no {kind} in {api_version}"),
        }),
        error => Err(error),
    }
}

/// The operator may have deleted an object meanwhile.
fn unless_gone<T>(answer: kube::Result<T>) -> kube::Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the operator says that every `RayCluster` is ready: it then has seen all of their Pods.
/// One that is deleted before that is waited for, and made again only after minutes (seen on 1.4.2
/// and 1.6.2).
fn is_ready(observation: &Observation) -> bool {
    let clusters = &observation.ray_clusters;
    !clusters.is_empty()
        && clusters
            .iter()
            .all(|cluster| cluster["status"]["state"] == "ready")
}

fn is_rays(pod: &Pod) -> bool {
    pod.labels().contains_key(NODE_TYPE) && pod.metadata.deletion_timestamp.is_none()
}

#[cfg(test)]
#[path = "steps/tests.rs"]
mod tests;
