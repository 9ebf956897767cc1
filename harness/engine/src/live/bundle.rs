//! Everything that `doctor` reads of a cluster, as plain data: versioned, bounded, without secrets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::redact::Redactor;

/// The value of `version` in the document. It changes when a field is removed or changes its
/// meaning, not when one is added.
pub const VERSION: &str = "kuberay-conformance.bundle/v1";

/// The objects that were read from a cluster, as the API server returned them, without
/// `managedFields` and with secrets masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Bundle {
    /// [`VERSION`].
    pub version: String,
    /// When it was read, by the clock of the machine that read it.
    pub taken_at: Timestamp,
    /// The namespace that was asked for; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `KIND/NAME` that was asked for; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Release of Kubernetes, as the API server reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// The operators.
    pub operators: Vec<OperatorDeployment>,
    /// KubeRay's custom resource definitions.
    pub crds: Vec<Crd>,
    /// RayClusters, RayJobs, RayServices and RayCronJobs.
    pub objects: Vec<Value>,
    /// Pods of Ray and of submitters.
    pub pods: Vec<Value>,
    /// Jobs that submit the jobs of RayJobs.
    pub jobs: Vec<Value>,
    /// Warnings, and events of containers that the kubelet killed.
    pub events: Vec<Value>,
    /// Nodes, with what a scheduler asks of them.
    pub nodes: Vec<Value>,
    /// NetworkPolicies of the namespaces.
    pub network_policies: Vec<Value>,
    /// ResourceQuotas of the namespaces.
    pub resource_quotas: Vec<Value>,
    /// Webhooks that may change Pods.
    pub webhooks: Vec<Webhook>,
    /// The writers of the fields of Pods and of KubeRay's objects, from `managedFields`.
    pub writers: Vec<Writer>,
    /// The ends of logs.
    pub logs: Vec<ContainerLog>,
    /// The kinds that could not be read, each with the reason.
    pub unread: Vec<UnreadKind>,
    /// Number of requests that the API server got.
    pub requests: usize,
}

/// A Deployment that runs the operator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OperatorDeployment {
    /// The Deployment.
    pub deployment: Value,
    /// Its Pods.
    pub pods: Vec<Value>,
    /// Its configuration file, where it has one and it may be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Value>,
}

/// A custom resource definition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Crd {
    /// Its name, such as `rayclusters.ray.io`.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The API versions that it serves.
    pub versions: Vec<String>,
    /// SHA-256 of its `spec`.
    pub sha256: String,
    /// The fields that it knows, without those of Pod templates.
    pub fields: Vec<String>,
}

/// A mutating webhook that is asked about Pods.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Webhook {
    /// The configuration that it is part of.
    pub configuration: String,
    /// Its name.
    pub name: String,
}

/// A writer of an object, out of its `managedFields`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Writer {
    /// Kind of the object.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The writer's own name.
    pub manager: String,
    /// When it wrote last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The fields of `spec` that it owns, at most three levels deep.
    pub fields: Vec<String>,
}

/// The end of a container's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerLog {
    /// Namespace of the Pod.
    pub namespace: String,
    /// The Pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether it is that of the container's previous instance.
    pub previous: bool,
    /// The text.
    pub text: String,
}

/// Something that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UnreadKind {
    /// The kind in the plural, such as `nodes`.
    pub what: String,
    /// The reason.
    pub why: String,
}

impl Bundle {
    /// Returns an empty bundle, taken now.
    pub fn now() -> Self {
        Self {
            version: VERSION.into(),
            taken_at: Timestamp::now(),
            ..Self::default()
        }
    }

    /// Notes that something could not be read.
    #[expect(clippy::needless_pass_by_value, reason = "errors come as values")]
    pub(super) fn miss(&mut self, what: &str, why: impl ToString) {
        self.unread.push(UnreadKind {
            what: what.into(),
            why: why.to_string(),
        });
    }

    /// Masks secrets, by their keys in objects and by value everywhere; drops `managedFields`.
    pub(super) fn redact(&mut self) {
        let redactor = Redactor::default();
        for object in self.values() {
            redactor.learn(object);
        }
        for object in self.values() {
            redactor.redact_value(object);
        }
        let mask = |text: &mut String| *text = redactor.redact_text(text).0;
        self.logs.iter_mut().for_each(|log| mask(&mut log.text));
        self.unread.iter_mut().for_each(|one| mask(&mut one.why));
        for writer in &mut self.writers {
            mask(&mut writer.manager);
            writer.fields.iter_mut().for_each(mask);
        }
    }

    /// Every object.
    fn values(&mut self) -> impl Iterator<Item = &mut Value> {
        let operators = self.operators.iter_mut().flat_map(|operator| {
            std::iter::once(&mut operator.deployment)
                .chain(&mut operator.pods)
                .chain(&mut operator.configuration)
        });
        operators
            .chain(&mut self.objects)
            .chain(&mut self.pods)
            .chain(&mut self.jobs)
            .chain(&mut self.events)
            .chain(&mut self.nodes)
            .chain(&mut self.network_policies)
            .chain(&mut self.resource_quotas)
    }

    /// The log of a container, or of its previous instance.
    pub fn log(&self, namespace: &str, pod: &str, container: &str, previous: bool) -> &str {
        let found = self.logs.iter().find(|log| {
            log.namespace == namespace
                && log.pod == pod
                && log.container == container
                && log.previous == previous
        });
        found.map_or("", |log| log.text.as_str())
    }

    /// Returns what could not be read of this kind.
    pub fn is_unread(&self, what: &str) -> bool {
        self.unread.iter().any(|one| one.what == what)
    }
}
