//! Refusals of an object by the client, the API server, the operator, or at the creation of its
//! Pods.
//!
//! Types, required fields and defaults come from the custom resource definitions of each release
//! (see `data/`), the operator's checks from its sources (see [`checks`]). Admission policies,
//! mutating webhooks and quotas of a cluster are out of scope.

mod added;
mod cel;
mod checks;
mod fields;
mod forecast;
mod metadata;
mod operator;
mod pods;
mod resources;
mod schema;
mod service;
mod table;
#[cfg(test)]
mod tests;
mod view;
mod wait_reason;

use semver::Version;
use serde_json::Value;

pub use checks::{CheckEntry, OperatorCheck, checks};
pub use fields::{fields_of_schema, known_fields};
pub use forecast::{Forecast, counts_hosts, forecast, forecast_without_pods};
pub use metadata::{Served, served};
pub use wait_reason::WaitReason;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EffectiveSettings;
use checks::Checks;
use view::View;

/// The stage of an object's way to its Pods at which it is refused.
///
/// ```
/// use kuberay_contract::Stage;
///
/// assert_eq!(Stage::PodCreation.word(), "pod-creation");
/// assert_eq!(Stage::Operator.refuser(), "the operator");
/// // The order is that of the way to the Pods.
/// assert!(Stage::Client < Stage::ApiServer);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The client, or the API server because the client asked it to check field names.
    Client,
    /// The API server.
    ApiServer,
    /// The operator: the object is stored, and an event names the reason.
    Operator,
    /// The creation of a Pod or Service: the API server refuses what the operator makes of the
    /// object.
    PodCreation,
}

impl Stage {
    /// Returns its name in documents, in kebab case.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Client => "client",
            Stage::ApiServer => "api-server",
            Stage::Operator => "operator",
            Stage::PodCreation => "pod-creation",
        }
    }

    /// Returns the refuser in words for people, such as `the API server`.
    pub fn refuser(self) -> &'static str {
        match self {
            Stage::Client => "the client",
            Stage::ApiServer => "the API server",
            Stage::Operator => "the operator",
            Stage::PodCreation => "the API server, when the operator makes Pods",
        }
    }
}

/// Treatment of fields that the custom resource definition does not know, as `kubectl --validate`
/// and `fieldValidation` of a request name it.
///
/// ```
/// use kuberay_contract::{Clients, FieldValidation};
///
/// assert_eq!(FieldValidation::default(), FieldValidation::Strict);
/// assert!(!Clients::StrictOrServerSideApply.refuses(FieldValidation::Warn));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldValidation {
    /// Refuse the object; the default of `kubectl apply` and `kubectl create`.
    #[default]
    Strict,
    /// Drop them and return a warning; the default of requests that say nothing.
    Warn,
    /// Drop them silently.
    Ignore,
}

/// The requests that a refusal applies to.
///
/// ```
/// use kuberay_contract::{Clients, FieldValidation};
///
/// // An unknown field stops `kubectl apply`, but not a client that asks for no validation.
/// let clients = Clients::StrictOrServerSideApply;
/// assert!(clients.refuses(FieldValidation::Strict));
/// assert!(!clients.refuses(FieldValidation::Ignore));
/// assert!(clients.explained().is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clients {
    /// Every request.
    All,
    /// Requests with strict field validation, and every server-side apply; others lose the field.
    StrictOrServerSideApply,
    /// Server-side apply only, as Argo CD and Flux use it; others lose the field.
    ServerSideApply,
}

impl Clients {
    /// Returns a sentence about what each client does; `None` where all do the same.
    pub fn explained(self) -> Option<&'static str> {
        match self {
            Clients::All => None,
            Clients::StrictOrServerSideApply => Some(
                "kubectl with strict validation, its default, and every server-side apply refuse it; with Warn or \
                 Ignore the API server drops the field and stores the rest",
            ),
            Clients::ServerSideApply => Some(
                "server-side apply (kubectl --server-side, Argo CD, Flux) is refused; for other requests the API \
                 server drops the null and stores the rest",
            ),
        }
    }

    /// Returns whether a request with this validation is refused that is no server-side apply.
    pub fn refuses(self, validation: FieldValidation) -> bool {
        match self {
            Clients::All => true,
            Clients::StrictOrServerSideApply => validation == FieldValidation::Strict,
            Clients::ServerSideApply => false,
        }
    }
}

/// The Pods that a refusal prevents.
///
/// ```
/// use kuberay_contract::{Reach, admit};
///
/// let mut cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// cluster["spec"]["headGroupSpec"]["rayStartParams"] = serde_json::json!("none");
/// let refusals = admit(&"1.6.2".parse()?, &cluster).refusals;
/// assert_eq!(refusals[0].reach, Reach::Object);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// All of the object.
    Object,
    /// Those of this worker group, counted from 0, and of the groups after it.
    GroupsFrom(usize),
    /// The submitter of a `RayJob`.
    Submitter,
}

/// A reason why an object, or some of its Pods, will not exist.
///
/// ```
/// use kuberay_contract::{Stage, admit};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "Demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let refusals = admit(&"1.6.2".parse()?, &cluster).refusals;
/// assert_eq!(refusals[0].stage, Stage::ApiServer);
/// assert_eq!(refusals[0].path, "metadata.name");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stage that refuses.
    pub stage: Stage,
    /// The requests that are refused.
    pub clients: Clients,
    /// The Pods that do not exist because of it.
    pub reach: Reach,
    /// Path of the field, such as `spec.headGroupSpec.rayStartParams`; it may end at a field that
    /// the object lacks.
    pub path: String,
    /// The reason, in words close to those of the refuser.
    pub message: String,
    /// The operator's check that refuses; `None` at other stages.
    pub check: Option<OperatorCheck>,
}

/// The refusals of an object, and the object as the API server stores it.
///
/// ```
/// use kuberay_contract::admit;
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let admission = admit(&"1.6.2".parse()?, &cluster);
/// assert!(admission.refusals.is_empty());
/// assert_eq!(admission.stored["metadata"]["name"], "demo");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// The refusals in the order of the stages; empty where the object is accepted.
    pub refusals: Vec<Refusal>,
    /// The object as it is stored when unknown fields are dropped: pruned, with the defaults of its
    /// definition.
    pub stored: Value,
}

/// Sends an object through the API server and the checks of a release's operator.
///
/// The object is one of KubeRay's (see [`served`]). The operator's checks run only where the API
/// server accepts the object; gates of the operator are as the release ships them.
///
/// ```
/// use kuberay_contract::admission::{Stage, admit};
///
/// let object = serde_json::json!({
///     "apiVersion": "ray.io/v1",
///     "kind": "RayCluster",
///     "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"template": {"spec": {"containers": [
///         {"name": "head", "image": "ray"},
///     ]}}}},
/// });
/// let refusals = admit(&"1.3.2".parse()?, &object).refusals;
/// assert_eq!(refusals[0].stage, Stage::ApiServer);
/// assert_eq!(refusals[0].path, "spec.headGroupSpec.rayStartParams");
/// assert_eq!(refusals[0].message, "Required value");
/// assert!(admit(&"1.4.2".parse()?, &object).refusals.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn admit(release: &Version, object: &Value) -> Admission {
    admit_with(release, &EffectiveSettings::default(), object)
}

/// Sends an object through admission as [`admit`] does, for an operator with other settings, such
/// as feature gates.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, Stage, admit_with};
///
/// let template = serde_json::json!({"spec": {"containers": [
///     {"name": "ray", "image": "rayproject/ray:2.52.0"},
/// ]}});
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {
///         "headGroupSpec": {"rayStartParams": {}, "template": template},
///         "workerGroupSpecs": [
///             {"groupName": "small", "suspend": true, "rayStartParams": {}, "template": template},
///         ],
///     },
/// });
/// let release = "1.6.2".parse()?;
/// let mut settings = EffectiveSettings::default();
/// assert!(admit_with(&release, &settings, &cluster).refusals.is_empty());
///
/// // A suspended group needs this gate.
/// settings.feature_gates.insert("RayJobDeletionPolicy".into(), false);
/// let refusals = admit_with(&release, &settings, &cluster).refusals;
/// assert_eq!(refusals[0].stage, Stage::Operator);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn admit_with(release: &Version, settings: &EffectiveSettings, object: &Value) -> Admission {
    let mut refusals = metadata::refusals(release, object);
    let mut stored = object.clone();
    if let Some(root) = table::root(release, object) {
        let found = schema::admit(root, &mut stored);
        refusals.extend(found);
    }
    let readable = refusals
        .iter()
        .all(|refusal| refusal.clients != Clients::All);
    if readable {
        let checks = Checks::new(release, settings);
        operator::check(&checks, &stored);
        refusals.extend(checks.found());
        // What keeps only the submitter away comes after the Pods of Ray.
        let comes_to_pods =
            |one: &Refusal| one.stage < Stage::Operator || one.reach == Reach::Submitter;
        if refusals.iter().all(comes_to_pods) {
            refusals.extend(pods::refusals(release, settings, &stored));
        }
    }
    refusals.sort_by_key(|refusal| refusal.stage);
    Admission { refusals, stored }
}

/// A value that the API server refuses of the object itself.
fn api(path: impl Into<String>, message: impl Into<String>) -> Refusal {
    Refusal {
        stage: Stage::ApiServer,
        clients: Clients::All,
        reach: Reach::Object,
        path: path.into(),
        message: message.into(),
        check: None,
    }
}

/// A value that keeps a Pod or Service from being created.
fn refused(at: &View, reach: Reach, message: String) -> Refusal {
    Refusal {
        stage: Stage::PodCreation,
        reach,
        ..api(at.path.clone(), message)
    }
}
