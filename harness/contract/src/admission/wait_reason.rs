//! Objects that are accepted and yet have no Pods.

use semver::Version;
use serde_json::Value;

use super::view::View;
use crate::EffectiveSettings;
use crate::classes::plain;

/// The reason why an accepted object has no Pods.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, FieldValidation, forecast};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"suspend": true, "headGroupSpec": {"rayStartParams": {}, "template": {"spec": {
///         "containers": [{"name": "ray-head", "image": "rayproject/ray:2.52.0"}],
///     }}}},
/// });
/// let settings = EffectiveSettings::default();
/// let forecast = forecast(&"1.6.2".parse()?, &settings, FieldValidation::Strict, &cluster)?;
/// assert_eq!(forecast.wait_reason.unwrap().path, "spec.suspend");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitReason {
    /// Path of the field that makes it wait.
    pub path: String,
    /// The consequence, in a sentence.
    pub message: String,
    /// Source file and line of KubeRay, at the tag of a release.
    pub source: &'static str,
}

/// Returns the reason why an object of a release has no Pods for now; `None` where it has some.
pub(super) fn wait_reason(
    release: &Version,
    settings: &EffectiveSettings,
    object: &Value,
) -> Option<WaitReason> {
    let gates = release;
    let release = plain(release);
    let root = View::root(object);
    let spec = root.get("spec");
    let kind = root.get("kind").text();
    let manager = spec.get("managedBy");
    let managed_since = if kind == "RayService" {
        Version::new(1, 6, 0)
    } else {
        Version::new(1, 3, 0)
    };
    if release >= managed_since && !matches!(manager.text(), "" | "ray.io/kuberay-operator") {
        return Some(WaitReason {
            message: format!(
                "managedBy is {}: the operator leaves the object to that controller and makes no Pods",
                manager.text()
            ),
            path: manager.path,
            source: "controllers/ray/raycluster_controller.go:218 @v1.3.2",
        });
    }
    let (at, since, source) = match kind {
        "RayCluster" => (
            spec.get("suspend"),
            Version::new(1, 1, 0),
            "controllers/ray/raycluster_controller.go:627 @v1.1.1",
        ),
        "RayJob" => (
            spec.get("suspend"),
            Version::new(1, 0, 0),
            "controllers/ray/rayjob_controller.go:268 @v1.0.0",
        ),
        "RayCronJob" if !settings.has_gate(gates, "RayCronJob") => {
            return Some(WaitReason {
                path: "kind".into(),
                message: "the feature gate RayCronJob of the operator is off, as it is by default: it makes no RayJobs"
                    .into(),
                source: "pkg/features/features.go:68 @v1.6.2",
            });
        }
        "RayCronJob" if spec.get("suspend").is_true() => {
            return Some(WaitReason {
                path: spec.get("suspend").path,
                message: "the operator makes no RayJobs while suspend is true".into(),
                source: "controllers/ray/raycronjob_controller.go:86 @v1.6.2",
            });
        }
        "RayService" if spec.get("suspend").is_true() => (
            spec.get("suspend"),
            Version::new(1, 7, 0),
            "controllers/ray/rayservice_controller.go:383 @v1.7.0",
        ),
        "RayService" => (
            spec.find(&["rayClusterConfig", "suspend"]),
            Version::new(1, 1, 0),
            "controllers/ray/raycluster_controller.go:627 @v1.1.1",
        ),
        _ => return None,
    };
    // A RayJob that selects a RayCluster was not suspended in 1.0.
    let ignored = kind == "RayJob"
        && release < Version::new(1, 1, 0)
        && spec.get("clusterSelector").len() > 0;
    let own = spec.find(&["rayClusterSpec", "suspend"]);
    if at.is_true() && release >= since && !ignored {
        return Some(WaitReason {
            message: "the operator makes no Pods while suspend is true".into(),
            path: at.path,
            source,
        });
    }
    (kind == "RayJob" && own.is_true() && release >= Version::new(1, 1, 0)).then(|| WaitReason {
        message: "the operator makes no Pods while suspend of the RayCluster is true, and the job waits for them"
            .into(),
        path: own.path,
        source: "controllers/ray/raycluster_controller.go:627 @v1.1.1",
    })
}
