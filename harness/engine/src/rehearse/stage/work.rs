//! What the harness does beside the operators: it waits for them, writes what others would write,
//! and deletes Pods.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::{AT_ONCE, Stage};
use crate::rehearse::log::Log;
use crate::rehearse::world::Moment;
use crate::rehearse::{ObjectKey, RehearseError, api};

/// How long nothing may change while an object is awaited that the operator says nothing about.
const PATIENT: Duration = Duration::from_secs(20);
/// How long the operators may take for all objects, and for each of them. Releases up to 1.4 send
/// at most about 20 requests a second.
const WITHIN: Duration = Duration::from_mins(2);
const WITHIN_EACH: Duration = Duration::from_secs(4);
/// As many requests in a row an operator may send before one of them changes what is watched: so
/// much longer is waited where the API server is slow.
const REQUESTS: u32 = 5;
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often an object is removed before it is left as it is.
const REMOVE_TRIES: usize = 50;

impl Stage<'_> {
    /// Waits until the operator has looked at every object, and nothing changes any more.
    pub(super) async fn settle(&mut self, log: PathBuf) -> Result<(), RehearseError> {
        let mut awaited: BTreeSet<(String, String)> = self
            .objects
            .iter()
            .filter(|one| one.refused.is_empty() && one.idle.is_none())
            .map(|one| (one.key.namespace.clone(), one.key.name.clone()))
            .collect();
        let count = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
        self.settle_on(
            &mut Log::new(log),
            &mut awaited,
            WITHIN + WITHIN_EACH * count,
        )
        .await
    }

    async fn settle_on(
        &mut self,
        log: &mut Log,
        awaited: &mut BTreeSet<(String, String)>,
        within: Duration,
    ) -> Result<(), RehearseError> {
        let started = Instant::now();
        let (mut before, mut slowest) = (Duration::ZERO, Duration::ZERO);
        loop {
            if !awaited.is_empty() {
                log.strike(awaited);
            }
            let quiet = self.world.quiet_for().min(started.elapsed());
            if quiet < before {
                slowest = Duration::ZERO;
            }
            before = quiet;
            let enough = if awaited.is_empty() {
                self.quiet
            } else {
                PATIENT
            };
            if quiet >= enough + slowest * REQUESTS {
                return Ok(());
            }
            if started.elapsed() >= within {
                self.notes.push(format!(
                    "objects still changed after {} s; the report shows them as they were then",
                    within.as_secs()
                ));
                self.unsettled = true;
                return Ok(());
            }
            let asked = Instant::now();
            let look = async {
                let answered = self.server.answers().await;
                tokio::time::sleep(LOOK_EVERY).await;
                answered
            };
            tokio::select! {
                cause = self.server.ended() => return Err(RehearseError::Ended(cause)),
                answered = look => answered?,
            }
            // What delays the harness delays an operator, too.
            slowest = slowest.max(asked.elapsed().saturating_sub(LOOK_EVERY));
        }
    }

    /// Waits until nothing changes any more.
    pub(super) async fn settle_quietly(&mut self) -> Result<(), RehearseError> {
        let count = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
        let mut log = Log::new(PathBuf::new());
        self.settle_on(&mut log, &mut BTreeSet::new(), WITHIN + WITHIN_EACH * count)
            .await
    }

    /// Writes of each RayService that its RayCluster serves, which no dashboard does here.
    pub(super) async fn promote(&mut self) -> Result<(), RehearseError> {
        let stored = self.server.list(&BTreeSet::from(["RayService"])).await?;
        let mut promoted = 0;
        for (_, service) in &stored {
            let pending = &service["status"]["pendingServiceStatus"]["rayClusterName"];
            if pending.as_str().is_none_or(str::is_empty) {
                continue;
            }
            let status = json!({"activeServiceStatus": {"rayClusterName": pending},
                "pendingServiceStatus": {"rayClusterName": ""}});
            self.server.set_status(service, &status).await?;
            promoted += 1;
        }
        if promoted > 0 {
            self.notes.push(format!(
                "the harness wrote of {promoted} RayServices that their RayCluster serves"
            ));
            self.settle_quietly().await?;
        }
        Ok(())
    }

    /// Removes an object at once: nobody else collects what it owns.
    async fn remove(&self, object: &Value) -> Result<(), RehearseError> {
        for _ in 0..REMOVE_TRIES {
            // The operator may write its finalizer again in between.
            self.server.sender.release(object).await?;
            self.server.sender.delete(object).await?;
            // A Job that is deleted keeps a finalizer for its Pods.
            self.server.sender.release(object).await?;
            if self.server.sender.get(object).await?.is_none() {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Removes the Services of a RayCluster that is gone. One with a name of the user's own would
    /// keep the next RayCluster from having it.
    async fn remove_services(&self, job: &ObjectKey, cluster: &Value) -> Result<(), RehearseError> {
        let Some(cluster) = cluster.as_str() else {
            return Ok(());
        };
        let services: Api<Service> = Api::namespaced(self.server.client().clone(), &job.namespace);
        let of_cluster = ListParams::default().labels(&format!("ray.io/cluster={cluster}"));
        let listed = services.list(&of_cluster).await;
        for service in listed.map_err(api("listing the Services of", cluster))? {
            self.remove(&json!({"apiVersion": "v1", "kind": "Service",
                "metadata": {"name": service.name_any(), "namespace": job.namespace}}))
                .await?;
        }
        Ok(())
    }

    /// Deletes every Pod, so that the operator creates it again; a RayJob is created again as a
    /// whole, because its submitter is not created twice.
    pub(super) async fn recreate(&mut self, now: &Moment) -> Result<(), RehearseError> {
        let jobs = self
            .objects
            .iter()
            .filter(|one| one.key.kind == "RayJob" && one.idle.is_none());
        let jobs: Vec<(ObjectKey, Value)> = jobs
            .map(|one| (one.key.clone(), one.object.clone()))
            .collect();
        for (key, object) in &jobs {
            let seen = now.of(key);
            let owned = seen.jobs.iter().filter_map(|job| {
                let name = job.metadata.name.as_ref()?;
                Some(json!({"apiVersion": "batch/v1", "kind": "Job",
                    "metadata": {"name": name, "namespace": key.namespace}}))
            });
            let clusters = seen.ray_clusters.iter().map(|cluster| {
                json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
                    "metadata": {"name": cluster["metadata"]["name"], "namespace": key.namespace}})
            });
            for one in [object.clone()].into_iter().chain(owned).chain(clusters) {
                self.remove(&one).await?;
            }
            for cluster in &seen.ray_clusters {
                self.remove_services(key, &cluster["metadata"]["name"])
                    .await?;
            }
        }
        let client = self.server.client();
        let pods = now.objects.values().flat_map(|one| &one.pods);
        let deleted = futures::stream::iter(pods).map(|pod| async move {
            let namespace = pod.namespace().unwrap_or_default();
            let all: Api<Pod> = Api::namespaced(client.clone(), &namespace);
            match all.delete(&pod.name_any(), &DeleteParams::default()).await {
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                Err(error) => Err(api("deleting the Pod", &pod.name_any())(error)),
                Ok(_) => Ok(()),
            }
        });
        let deleted: Vec<Result<(), RehearseError>> =
            deleted.buffer_unordered(AT_ONCE).collect().await;
        deleted.into_iter().collect::<Result<(), _>>()?;
        for (_, object) in &jobs {
            self.server.create(object, false, false).await?;
        }
        Ok(())
    }
}
