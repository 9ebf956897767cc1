//! Objects as JSON or YAML are sent to the API server as `kubectl` sends them.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::{Method, Request, header};
use kube::Client;
use kube::api::ApiResource;
use kube::core::{GroupVersionKind, TypeMeta};
use kube::discovery::{ApiCapabilities, Scope, pinned_kind};
use serde_json::{Value, json};

use super::refusal::is_about_the_object;
use crate::contract::FieldValidation;

/// The field manager of everything that the harness sends.
pub const FIELD_MANAGER: &str = "kuberay-conformance";
/// The label that tells who made an object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`] on what the harness made.
pub const MANAGER: &str = "kuberay-conformance";

/// What an API server says, as text, of a path that it doesn't serve.
const NO_SUCH_PATH: &str = "page not found";
/// How long an object that was deleted may take to go, and how often it is looked for.
const GONE_WITHIN: Duration = Duration::from_mins(2);
const INTERVAL: Duration = Duration::from_millis(500);

/// Why an object was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// It says no kind or no name.
    #[error("an object without {missing} can't be sent")]
    Incomplete {
        /// The missing field.
        missing: &'static str,
    },
    /// The API server doesn't serve its kind.
    #[error("{object}: the API server serves no {kind} in {api_version}; is its CRD installed?")]
    UnknownKind {
        /// Kind and name.
        object: String,
        /// Its kind.
        kind: String,
        /// Its group and version.
        api_version: String,
    },
    /// The API server's verdict on it: it is not as it must be.
    #[error("{object}: {reason}: {message}")]
    Rejected {
        /// Kind and name.
        object: String,
        /// The API server's reason, such as `Invalid`.
        reason: String,
        /// The API server's message.
        message: String,
    },
    /// The API server refused the request because of the state of the cluster or the access to it,
    /// and gave no verdict on the object.
    #[error("the API server gave no verdict on {object}: {reason}: {message}{}", advice(.reason))]
    Refused {
        /// Kind and name.
        object: String,
        /// The API server's reason, such as `Forbidden`.
        reason: String,
        /// The API server's message.
        message: String,
    },
    /// It lies outside the namespace that the case owns.
    #[error(
        "{object} belongs to no namespace, so that it would outlive the run; scenarios may hold namespaced objects only"
    )]
    ClusterScoped {
        /// Kind and name.
        object: String,
    },
    /// It was deleted, but is still there.
    #[error("{object} is still there {} s after it was deleted", GONE_WITHIN.as_secs())]
    Stays {
        /// Kind and name.
        object: String,
    },
    /// The API server could not be asked.
    #[error("{object} could not be sent: {source}")]
    Transport {
        /// Kind and name.
        object: String,
        /// What went wrong.
        source: Box<kube::Error>,
    },
}

/// Sends objects and remembers which kinds the API server serves.
pub struct Sender {
    client: Client,
    kinds: Mutex<HashMap<(String, String), (ApiResource, bool)>>,
}

/// What an object is called in messages, and where it goes.
struct Target {
    shown: String,
    name: String,
    kind: String,
    api_version: String,
    path: String,
    namespaced: bool,
}

fn crd(name: &str) -> Target {
    Target {
        shown: format!("CustomResourceDefinition {name}"),
        name: name.into(),
        kind: "CustomResourceDefinition".into(),
        api_version: "apiextensions.k8s.io/v1".into(),
        path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions".into(),
        namespaced: false,
    }
}

impl Sender {
    /// Sends with this client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            kinds: Mutex::default(),
        }
    }

    /// Creates a namespaced object, with the strict validation that `kubectl` asks for.
    ///
    /// # Errors
    /// When the API server refuses it or can't be asked, and when the object would not live in a
    /// namespace.
    pub async fn create(&self, object: &Value) -> Result<Value, ObjectError> {
        self.create_as(object, FieldValidation::Strict).await
    }

    /// Creates a namespaced object, and asks the API server for this validation of field names.
    ///
    /// # Errors
    /// When the API server refuses it or can't be asked, and when the object would not live in a
    /// namespace.
    pub async fn create_as(
        &self,
        object: &Value,
        validation: FieldValidation,
    ) -> Result<Value, ObjectError> {
        let target = self.namespaced(object).await?;
        let uri = format!(
            "{}?fieldManager={FIELD_MANAGER}&fieldValidation={validation:?}",
            target.path
        );
        let body = object.to_string().into_bytes();
        self.send(&target, Method::POST, &uri, "application/json", body)
            .await
    }

    /// Applies an object on the server's side, taking over fields that others own.
    ///
    /// # Errors
    /// When the API server refuses it or can't be asked.
    pub async fn apply(&self, object: &Value) -> Result<Value, ObjectError> {
        let target = self.target(object).await?;
        self.patch(&target, object.to_string().into_bytes()).await
    }

    /// As [`Sender::apply`], for an object of a case: it must live in a namespace.
    ///
    /// # Errors
    /// As [`Sender::apply`], and when the object would not live in a namespace.
    pub async fn apply_namespaced(&self, object: &Value) -> Result<Value, ObjectError> {
        let target = self.namespaced(object).await?;
        self.patch(&target, object.to_string().into_bytes()).await
    }

    /// Applies a CRD as the YAML text that it is; reading a megabyte of it here would gain nothing.
    ///
    /// # Errors
    /// When the API server refuses it or can't be asked.
    pub async fn apply_crd(&self, name: &str, yaml: &str) -> Result<Value, ObjectError> {
        self.patch(&crd(name), yaml.as_bytes().to_vec()).await
    }

    /// Creates a CRD from the YAML text that it is.
    ///
    /// # Errors
    /// When the API server refuses it or can't be asked.
    pub async fn create_crd(&self, name: &str, yaml: &str) -> Result<Value, ObjectError> {
        let target = crd(name);
        let uri = format!("{}?fieldManager={FIELD_MANAGER}", target.path);
        let body = yaml.as_bytes().to_vec();
        self.send(&target, Method::POST, &uri, "application/yaml", body)
            .await
    }

    /// An object as it is in the cluster; `None` where it is not, or its kind is not served.
    ///
    /// # Errors
    /// When the API server refuses or can't be asked.
    pub async fn get(&self, object: &Value) -> Result<Option<Value>, ObjectError> {
        let found = async {
            let target = self.target(object).await?;
            let uri = format!("{}/{}", target.path, target.name);
            self.send(&target, Method::GET, &uri, "application/json", Vec::new())
                .await
        };
        match found.await {
            Err(ObjectError::UnknownKind { .. }) => Ok(None),
            found => unless_absent(found),
        }
    }

    /// Removes the finalizers of an object, so that it goes as soon as it is deleted.
    ///
    /// # Errors
    /// When the API server refuses or can't be asked.
    pub async fn release(&self, object: &Value) -> Result<(), ObjectError> {
        let target = self.target(object).await?;
        let uri = format!("{}/{}", target.path, target.name);
        let body = json!({"metadata": {"finalizers": null}}).to_string();
        let kind = "application/merge-patch+json";
        let sent = self.send(&target, Method::PATCH, &uri, kind, body.into_bytes());
        unless_absent(sent.await).map(drop)
    }

    /// Deletes an object; that it is gone already is no error.
    ///
    /// # Errors
    /// When the API server refuses or can't be asked.
    pub async fn delete(&self, object: &Value) -> Result<(), ObjectError> {
        let target = self.target(object).await?;
        let uri = format!("{}/{}", target.path, target.name);
        let deleted = self.send(
            &target,
            Method::DELETE,
            &uri,
            "application/json",
            Vec::new(),
        );
        unless_absent(deleted.await).map(drop)
    }

    /// Deletes just this object, as [`Sender::get`] has found it, and not another that took its
    /// name since; that it is gone already is no error.
    ///
    /// # Errors
    /// When the API server refuses or can't be asked.
    pub async fn delete_found(&self, found: &Value) -> Result<(), ObjectError> {
        let target = self.target(found).await?;
        let uri = format!("{}/{}", target.path, target.name);
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"uid": found["metadata"]["uid"], "resourceVersion": found["metadata"]["resourceVersion"]}});
        let body = options.to_string().into_bytes();
        let deleted = self.send(&target, Method::DELETE, &uri, "application/json", body);
        unless_absent(deleted.await).map(drop)
    }

    /// Deletes an object with what it has made, and waits until it is gone.
    ///
    /// # Errors
    /// When the API server refuses or can't be asked, and when it is still there after a minute.
    pub async fn delete_and_wait(&self, object: &Value) -> Result<(), ObjectError> {
        let target = self.target(object).await?;
        let uri = format!(
            "{}/{}?propagationPolicy=Foreground",
            target.path, target.name
        );
        let deleted = self.send(
            &target,
            Method::DELETE,
            &uri,
            "application/json",
            Vec::new(),
        );
        unless_absent(deleted.await)?;
        let started = Instant::now();
        while self.get(object).await?.is_some() {
            if started.elapsed() >= GONE_WITHIN {
                return Err(ObjectError::Stays {
                    object: target.shown,
                });
            }
            tokio::time::sleep(INTERVAL).await;
        }
        Ok(())
    }

    /// Gives an object that exists a label.
    ///
    /// # Errors
    /// When the API server refuses or can't be asked.
    pub async fn label(&self, object: &Value, name: &str, value: &str) -> Result<(), ObjectError> {
        let target = self.target(object).await?;
        let uri = format!(
            "{}/{}?fieldManager={FIELD_MANAGER}",
            target.path, target.name
        );
        let body = json!({"metadata": {"labels": {name: value}}})
            .to_string()
            .into_bytes();
        self.send(
            &target,
            Method::PATCH,
            &uri,
            "application/merge-patch+json",
            body,
        )
        .await?;
        Ok(())
    }

    async fn patch(&self, target: &Target, body: Vec<u8>) -> Result<Value, ObjectError> {
        let uri = format!(
            "{}/{}?fieldManager={FIELD_MANAGER}&force=true",
            target.path, target.name
        );
        self.send(
            target,
            Method::PATCH,
            &uri,
            "application/apply-patch+yaml",
            body,
        )
        .await
    }

    async fn send(
        &self,
        target: &Target,
        method: Method,
        uri: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Value, ObjectError> {
        let transport = |source: kube::Error| ObjectError::Transport {
            object: target.shown.clone(),
            source: Box::new(source),
        };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::CONTENT_TYPE, content_type)
            .header(header::ACCEPT, "application/json")
            .body(body)
            .map_err(|source| transport(kube::Error::HttpError(source)))?;
        self.client
            .request(request)
            .await
            .map_err(|error| match error {
                kube::Error::Api(status)
                    if status.code == 404 && status.message.contains(NO_SUCH_PATH) =>
                {
                    ObjectError::UnknownKind {
                        object: target.shown.clone(),
                        kind: target.kind.clone(),
                        api_version: target.api_version.clone(),
                    }
                }
                kube::Error::Api(status) if is_about_the_object(&status) => ObjectError::Rejected {
                    object: target.shown.clone(),
                    reason: status.reason,
                    message: status.message,
                },
                kube::Error::Api(status)
                    if (400..500).contains(&status.code) && status.code != 429 =>
                {
                    ObjectError::Refused {
                        object: target.shown.clone(),
                        reason: status.reason,
                        message: status.message,
                    }
                }
                other => transport(other),
            })
    }

    async fn namespaced(&self, object: &Value) -> Result<Target, ObjectError> {
        let target = self.target(object).await?;
        if target.namespaced {
            Ok(target)
        } else {
            Err(ObjectError::ClusterScoped {
                object: target.shown,
            })
        }
    }

    async fn target(&self, object: &Value) -> Result<Target, ObjectError> {
        let text = |value: &Value, missing| {
            value
                .as_str()
                .map(str::to_owned)
                .ok_or(ObjectError::Incomplete { missing })
        };
        let kind = text(&object["kind"], "`kind`")?;
        let api_version = text(&object["apiVersion"], "`apiVersion`")?;
        let name = text(&object["metadata"]["name"], "`metadata.name`")?;
        let shown = format!("{kind} {name}");
        let (resource, namespaced) = self.resource(&api_version, &kind, &shown).await?;
        let namespace = object["metadata"]["namespace"].as_str();
        let root = if resource.group.is_empty() {
            "/api"
        } else {
            "/apis"
        };
        let path = match namespace.filter(|_| namespaced) {
            Some(namespace) => format!(
                "{root}/{api_version}/namespaces/{namespace}/{}",
                resource.plural
            ),
            None if namespaced => format!(
                "{root}/{api_version}/namespaces/default/{}",
                resource.plural
            ),
            None => format!("{root}/{api_version}/{}", resource.plural),
        };
        Ok(Target {
            shown,
            name,
            kind,
            api_version,
            path,
            namespaced,
        })
    }

    async fn resource(
        &self,
        api_version: &str,
        kind: &str,
        shown: &str,
    ) -> Result<(ApiResource, bool), ObjectError> {
        let key = (api_version.to_owned(), kind.to_owned());
        let known = self
            .kinds
            .lock()
            .ok()
            .and_then(|kinds| kinds.get(&key).cloned());
        if let Some(known) = known {
            return Ok(known);
        }
        let unknown = || ObjectError::UnknownKind {
            object: shown.into(),
            kind: kind.into(),
            api_version: api_version.into(),
        };
        let types = TypeMeta {
            api_version: api_version.into(),
            kind: kind.into(),
        };
        let gvk = GroupVersionKind::try_from(&types).map_err(|_| unknown())?;
        if let Some(plural) = well_known(api_version, kind) {
            return Ok((ApiResource::from_gvk_with_plural(&gvk, plural), true));
        }
        let (resource, capabilities): (ApiResource, ApiCapabilities) =
            pinned_kind(&self.client, &gvk)
                .await
                .map_err(|error| match error {
                    kube::Error::Api(status) if status.code == 404 => unknown(),
                    kube::Error::Discovery(_) => unknown(),
                    other => ObjectError::Transport {
                        object: shown.into(),
                        source: Box::new(other),
                    },
                })?;
        let found = (resource, capabilities.scope == Scope::Namespaced);
        if let Ok(mut kinds) = self.kinds.lock() {
            kinds.insert(key, found.clone());
        }
        Ok(found)
    }
}

/// Names of namespaced resources, so that the API server need not be asked for them. One that
/// doesn't serve KubeRay's has no such path, which it says when an object is sent.
fn well_known(api_version: &str, kind: &str) -> Option<&'static str> {
    match (api_version, kind) {
        ("v1", "ConfigMap") => Some("configmaps"),
        ("v1", "Secret") => Some("secrets"),
        ("v1", "Service") => Some("services"),
        ("v1", "Pod") => Some("pods"),
        ("ray.io/v1" | "ray.io/v1alpha1", "RayCluster") => Some("rayclusters"),
        ("ray.io/v1" | "ray.io/v1alpha1", "RayJob") => Some("rayjobs"),
        ("ray.io/v1" | "ray.io/v1alpha1", "RayService") => Some("rayservices"),
        ("ray.io/v1", "RayCronJob") => Some("raycronjobs"),
        _ => None,
    }
}

/// What to do about a refusal, where its reason tells.
fn advice(reason: &str) -> &'static str {
    match reason {
        "Unauthorized" => "\n  help: renew the credentials of the kubeconfig's context",
        "Forbidden" => {
            "\n  help: grant the context's user the access, or raise the namespace's quota"
        }
        "AlreadyExists" | "Conflict" => {
            "\n  help: look for another controller that makes objects in the run's namespace"
        }
        _ => "",
    }
}

fn unless_absent(answer: Result<Value, ObjectError>) -> Result<Option<Value>, ObjectError> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(ObjectError::Refused { reason, .. }) if reason == "NotFound" => Ok(None),
        Err(error) => Err(error),
    }
}
