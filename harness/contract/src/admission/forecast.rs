//! Forecasts of an object: its refusals, and the Pods that are left.

use semver::Version;
use serde_json::Value;

use super::pods::cluster_spec;
use super::view::View;
use super::wait_reason::{WaitReason, wait_reason};
use super::{Admission, FieldValidation, Reach, Refusal, admit_with};
use crate::classes::plain;
use crate::predict::readable;
use crate::{EffectiveSettings, ModelError, PodContract, PodRole, predict};

/// The first release whose RayCluster becomes ready although a worker group has no Pods. Before, it
/// stays `failed`, and a RayJob waits for it (`rayClusterReconcile` in
/// `controllers/ray/raycluster_controller.go` of 1.1.1 and 1.2.0).
const SUBMITS_BESIDE_FAILURES_SINCE: Version = Version::new(1, 2, 0);

/// The refusals and Pods of an object, on a release of the operator behind an API server.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, FieldValidation, forecast};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let settings = EffectiveSettings::default();
/// let forecast = forecast(&"1.6.2".parse()?, &settings, FieldValidation::Strict, &cluster)?;
/// assert!(forecast.refusals.is_empty());
/// assert_eq!(forecast.pods.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The refusals of the object or of some of its Pods, in the order of the stages.
    ///
    /// Refusals that apply only to other clients than the one asked for are among them (see
    /// [`super::Clients`]).
    pub refusals: Vec<Refusal>,
    /// The reason why an accepted object has no Pods; `None` where it has some.
    pub wait_reason: Option<WaitReason>,
    /// The Pods that the operator creates.
    pub pods: Vec<PodContract>,
}

/// Sends an object through admission, and predicts the Pods of what is stored.
///
/// `validation` is the treatment of unknown fields that the client asks for. Pods that a refusal
/// reaches are left out.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, FieldValidation, Stage, forecast};
///
/// let mut cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let settings = EffectiveSettings::default();
/// let release = "1.6.2".parse()?;
/// let fine = forecast(&release, &settings, FieldValidation::Strict, &cluster)?;
/// assert_eq!(fine.pods.len(), 1);
///
/// cluster["metadata"]["name"] = "Demo".into();
/// let refused = forecast(&release, &settings, FieldValidation::Strict, &cluster)?;
/// assert_eq!(refused.refusals[0].stage, Stage::ApiServer);
/// assert!(refused.pods.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the object is accepted, but the contract can't read it.
pub fn forecast(
    release: &Version,
    settings: &EffectiveSettings,
    validation: FieldValidation,
    object: &Value,
) -> Result<Forecast, ModelError> {
    let admitted = admitted(release, settings, validation, object);
    let mut pods = Vec::new();
    if admitted.has_pods() {
        pods = predict(release, settings, &admitted.stored)?;
        let empty = empty_groups(release, &admitted.stored);
        let mut workers = 0;
        let needs_all = plain(release) < SUBMITS_BESIDE_FAILURES_SINCE;
        pods.retain(|pod| {
            let group = workers;
            workers += usize::from(pod.role == PodRole::Worker);
            let is_empty = pod.role == PodRole::Worker && empty.get(group) == Some(&true);
            !is_empty
                && !admitted.reaches.iter().any(|reach| match reach {
                    Reach::Object => true,
                    Reach::GroupsFrom(first) => match pod.role {
                        PodRole::Worker => group >= *first,
                        PodRole::Submitter => needs_all,
                        PodRole::Head => false,
                    },
                    Reach::Submitter => pod.role == PodRole::Submitter,
                })
        });
    }
    Ok(Forecast {
        refusals: admitted.refusals,
        wait_reason: admitted.wait_reason,
        pods,
    })
}

/// Returns the same forecast as [`forecast`], but without the Pods, whose prediction takes the
/// longest.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, FieldValidation, forecast_without_pods};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "Demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let settings = EffectiveSettings::default();
/// let validation = FieldValidation::Strict;
/// let forecast = forecast_without_pods(&"1.6.2".parse()?, &settings, validation, &cluster)?;
/// assert_eq!(forecast.refusals[0].path, "metadata.name");
/// assert!(forecast.pods.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`forecast`].
pub fn forecast_without_pods(
    release: &Version,
    settings: &EffectiveSettings,
    validation: FieldValidation,
    object: &Value,
) -> Result<Forecast, ModelError> {
    let admitted = admitted(release, settings, validation, object);
    if admitted.has_pods() {
        readable(release, settings, &admitted.stored)?;
    }
    Ok(Forecast {
        refusals: admitted.refusals,
        wait_reason: admitted.wait_reason,
        pods: Vec::new(),
    })
}

/// An object behind the API server and the operator's checks.
struct Admitted {
    refusals: Vec<Refusal>,
    /// The refusals that apply to the client that was asked about.
    reaches: Vec<Reach>,
    wait_reason: Option<WaitReason>,
    stored: Value,
}

impl Admitted {
    fn has_pods(&self) -> bool {
        !self.reaches.contains(&Reach::Object) && self.wait_reason.is_none()
    }
}

fn admitted(
    release: &Version,
    settings: &EffectiveSettings,
    validation: FieldValidation,
    object: &Value,
) -> Admitted {
    let Admission { refusals, stored } = admit_with(release, settings, object);
    let reaches: Vec<Reach> = refusals
        .iter()
        .filter(|refusal| refusal.clients.refuses(validation))
        .map(|refusal| refusal.reach)
        .collect();
    let wait_reason =
        wait_reason(release, settings, &stored).filter(|_| !reaches.contains(&Reach::Object));
    Admitted {
        refusals,
        reaches,
        wait_reason,
        stored,
    }
}

/// Returns whether replicas without hosts have no Pods: before 1.4 a `numOfHosts` of 0 counts as 1
/// (`raycluster_controller.go`), from then on it multiplies (`GetWorkerGroupDesiredReplicas` in
/// utils/util.go).
///
/// ```
/// use kuberay_contract::counts_hosts;
///
/// assert!(!counts_hosts(&"1.3.2".parse()?));
/// assert!(counts_hosts(&"1.4.0-rc.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn counts_hosts(release: &Version) -> bool {
    plain(release) >= Version::new(1, 4, 0)
}

/// Returns for each worker group, in their order, whether it never has a Pod: suspended ones, and
/// those whose replicas have no hosts.
///
/// A release that does not know the field has dropped it, and one that has a gate for `suspend` has
/// refused the object.
fn empty_groups(release: &Version, object: &Value) -> Vec<bool> {
    let spec = cluster_spec(&View::root(object));
    let groups = spec.map(|spec| spec.get("workerGroupSpecs").items());
    let groups = groups.unwrap_or_default();
    let counts_hosts = counts_hosts(release);
    let is_empty = |group: &View| {
        let hosts = group.get("numOfHosts").number();
        group.get("suspend").is_true() || counts_hosts && hosts.is_some_and(|hosts| hosts <= 0)
    };
    groups.iter().map(is_empty).collect()
}
