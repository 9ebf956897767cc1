//! Volumes and containers that the operator adds to a Pod, under names that a manifest may use or
//! take.
//!
//! Sources: `controllers/ray/common/pod.go`, in 1.7.0 `addEmptyDir` and its calls in `BuildPod`,
//! `AddRayTokenVolume`, `configureTLS`, `configureEmbeddedFT`, `DefaultWorkerPodTemplate` and
//! `DefaultHeadPodTemplate`; `controllers/ray/rayjob_controller.go` for the submitter.

use semver::Version;
use serde_json::Value;

use super::view::View;
use crate::classes::plain;
use crate::{EffectiveSettings, Feature, is_unified};

/// The first release that leaves /dev/shm alone where `plasma-directory` is given.
const PLASMA_DIRECTORY_SINCE: Version = Version::new(1, 6, 0);

/// The first release that leaves mounts alone that name no volume; older ones remove them from
/// Ray's container and from the first init container (`cleanupInvalidVolumeMounts` in
/// controllers/ray/common/pod.go of 1.1.1).
const STRAY_MOUNTS_SINCE: Version = Version::new(1, 2, 0);

/// The additions of the operator to one Pod.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// Volumes that every container may mount.
    pub volumes: Vec<&'static str>,
    /// Volumes that every container but Ray's may mount: the operator refuses a mount of Ray's own
    /// (`validateNoConflictingTLSVolumeMount` and `validateGcsFaultToleranceBackend` in
    /// utils/validation.go).
    pub beside: Vec<&'static str>,
    /// Containers, those for the start among them.
    pub containers: Vec<String>,
    /// `true` where the first container and init container lose mounts that name no volume.
    pub drops_stray_mounts: bool,
}

/// The inputs of the additions beside the group.
pub(super) struct Around<'a> {
    pub release: &'a Version,
    pub settings: &'a EffectiveSettings,
    /// The specification of the RayCluster.
    pub spec: View<'a>,
    /// That of the RayJob which makes it, where one does.
    pub job: Option<View<'a>>,
}

impl Around<'_> {
    /// Returns the additions to the head's Pod.
    pub fn head(&self) -> Added {
        let group = self.spec.get("headGroupSpec");
        let mut added = self.both(&group, &self.settings.head_sidecar_containers);
        if self.spec.get("enableInTreeAutoscaling").is_true() {
            added.containers.push("autoscaler".into());
            let autoscaler = self.spec.get("autoscalerOptions");
            if !mounts(&first(&group), "/tmp/ray") || !mounts(&autoscaler, "/tmp/ray") {
                added.volumes.push("ray-logs");
            }
        }
        let options = self.spec.get("gcsFaultToleranceOptions");
        if options.get("backend").text() == "rocksdb"
            && self.has_gate("GCSFaultToleranceEmbeddedStorage")
        {
            added.beside.push("gcs-storage");
        }
        let mode = self.job.as_ref().map(|job| job.get("submissionMode"));
        if mode.is_some_and(|mode| mode.text() == "SidecarMode")
            && Feature::SubmitterSidecar.entry().covers(self.release)
        {
            added.containers.push("ray-job-submitter".into());
        }
        added
    }

    /// Returns the additions to the Pods of a worker group.
    pub fn worker(&self, group: &View) -> Added {
        let mut added = self.both(group, &self.settings.worker_sidecar_containers);
        if self.settings.injects_init_container() {
            added.containers.push("wait-gcs-ready".into());
        }
        added
    }

    /// Returns the additions to the submitter's Pod.
    pub fn submitter(&self) -> Added {
        let selector = self.job.as_ref().map(|job| job.get("clusterSelector"));
        // The selected RayCluster is not part of the manifest.
        let selects = selector.is_some_and(|selector| selector.len() > 0);
        let tokens = selects && self.knows_tokens() || self.has_tokens();
        Added {
            volumes: tokens.then_some("ray-token").into_iter().collect(),
            ..Added::default()
        }
    }

    /// The parameter that gives the operator's HTTP probe a port that is none.
    pub fn bad_probe_port<'v>(&self, group: &View<'v>) -> Option<View<'v>> {
        let container = first(group);
        let has_own = |field: &str| container.get(field).exists();
        let asks = Feature::ProbesOverHttp.entry().covers(self.release)
            && self.settings.injects_probes()
            && is_unified(self.spec.get("rayVersion").text())
            && !(has_own("livenessProbe") && has_own("readinessProbe"));
        let port = group.find(&["rayStartParams", "dashboard-agent-listen-port"]);
        let number: i32 = port.text().parse().ok()?;
        (asks && !(1..=65535).contains(&number)).then_some(port)
    }

    fn both(&self, group: &View, sidecars: &[Value]) -> Added {
        let mut added = Added {
            drops_stray_mounts: plain(self.release) < STRAY_MOUNTS_SINCE,
            ..Added::default()
        };
        let elsewhere = plain(self.release) >= PLASMA_DIRECTORY_SINCE
            && group.find(&["rayStartParams", "plasma-directory"]).exists();
        if !mounts(&first(group), "/dev/shm") && !elsewhere {
            added.volumes.push("shared-mem");
        }
        if self.has_tokens() {
            added.volumes.push("ray-token");
        }
        if self.spec.find(&["tlsOptions", "enabled"]).is_true() && self.has_gate("RayClusterMTLS") {
            added.beside.push("ray-tls");
        }
        let collector = self
            .spec
            .find(&["historyServerOptions", "collectorOptions"]);
        if collector.exists() && self.has_gate("RayClusterHistoryServer") {
            added.volumes.push("ray-logs");
            added.containers.push("ray-history-collector".into());
        }
        if Feature::OperatorSidecars.entry().covers(self.release) {
            let names = sidecars.iter().filter_map(|one| one.get("name")?.as_str());
            added.containers.extend(names.map(str::to_owned));
        }
        added
    }

    fn has_tokens(&self) -> bool {
        let options = self.spec.get("authOptions");
        options.get("mode").text() == "token"
            && options.get("enableK8sTokenAuth").is_true()
            && self.knows_tokens()
    }

    /// Returns whether the release mounts tokens of Kubernetes.
    fn knows_tokens(&self) -> bool {
        Feature::KubernetesAuth.entry().covers(self.release)
    }

    fn has_gate(&self, name: &str) -> bool {
        self.settings.has_gate(self.release, name)
    }
}

/// The Ray container of a group.
fn first<'a>(group: &View<'a>) -> View<'a> {
    let containers = group.find(&["template", "spec", "containers"]);
    let first = containers.items().into_iter().next();
    first.unwrap_or_else(|| containers.get("0"))
}

/// Returns whether a container mounts something at a path; then the operator adds no volume for it
/// (`checkIfVolumeMounted`).
fn mounts(container: &View, path: &str) -> bool {
    let mounts = container.get("volumeMounts").items();
    mounts
        .iter()
        .any(|mount| mount.get("mountPath").text() == path)
}
