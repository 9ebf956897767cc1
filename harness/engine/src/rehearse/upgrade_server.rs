//! The rehearsal's server: an API server, its custom resource definitions, and the operator that
//! runs now.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::DynamicObject;
use kube::{Api, Client};
use semver::Version;
use serde_json::Value;

use super::{ObjectKey, RehearseError, api};
use crate::artifact::{Programs, SourcePolicy, Store};
use crate::operator::{Beside, BesideOptions, Sender, crds_are_served, is_about_the_object};
use crate::process::OWN_PROGRAM;
use crate::progress::Progress;
use crate::scenario::OperatorSettings;
use crate::target::{ApiServer, ControlPlane, ControlPlaneOptions};

/// Objects that an operator works on at once: as many as keep two cores busy.
const CONCURRENCY: usize = 4;
/// How often a definition is sent that something else has written meanwhile.
const CRD_TRIES: usize = 10;
/// Definitions that are sent at once: as many as two cores read.
const CRDS_AT_ONCE: usize = 2;
/// Objects of one list; more are read in pages.
const PAGE: u32 = 500;

/// The API server's answer to an object.
pub(super) enum Answer {
    /// It takes it.
    Taken,
    /// It refuses it.
    Refused(String),
}

/// A release of the operator with its definitions.
pub(super) struct Release {
    pub version: Version,
    program: PathBuf,
    crds: PathBuf,
}

/// etcd, an API server and an operator; all gone when this is stopped or dropped.
pub(super) struct UpgradeServer {
    // In this order: an operator ends before what it talks to.
    operator: Option<Beside>,
    api: ApiServer,
    control: ControlPlane,
    pub sender: Sender,
    started: usize,
}

/// The programs of the rehearsal.
pub(super) struct Tools {
    programs: Programs,
    store: Store,
    progress: Arc<dyn Progress>,
}

impl Tools {
    pub fn open(source: SourcePolicy, progress: &Arc<dyn Progress>) -> Result<Self, RehearseError> {
        let store = Store::open()?;
        Ok(Self {
            programs: Programs::new(store.clone(), source, Arc::clone(progress)),
            store,
            progress: Arc::clone(progress),
        })
    }

    /// Builds or pulls a release, where it is not there yet.
    pub async fn release(&self, version: &Version) -> Result<Release, RehearseError> {
        let module = self.programs.operator_module(version).await?;
        Ok(Release {
            version: version.clone(),
            program: self.programs.operator(version).await?,
            crds: module.join("config/crd/bases"),
        })
    }

    /// Starts etcd and an API server with the definitions of a release.
    pub async fn server(&self, release: &Release) -> Result<UpgradeServer, RehearseError> {
        let etcd = self.programs.etcd().await?;
        let server = self.programs.kubernetes("kube-apiserver").await?;
        let control = ControlPlane::start(ControlPlaneOptions {
            etcd: &etcd,
            state: self.store.root(),
            helper: Path::new(OWN_PROGRAM),
            progress: &*self.progress,
        });
        let control = control.await?;
        let api = control.api_server(&server, "rehearsal").await?;
        let upgrade_server = UpgradeServer {
            operator: None,
            sender: Sender::new(api.client.clone()),
            api,
            control,
            started: 0,
        };
        upgrade_server.replace_crds(release).await?;
        Ok(upgrade_server)
    }
}

impl UpgradeServer {
    pub fn client(&self) -> &Client {
        &self.api.client
    }

    /// Waits until a program ends by itself, and returns why.
    pub async fn ended(&self) -> String {
        self.control.first_end().ended().await
    }

    /// Ends the operator that runs and starts another one; returns the file with its output.
    pub async fn operate(
        &mut self,
        release: &Release,
        settings: &OperatorSettings,
    ) -> Result<PathBuf, RehearseError> {
        if let Some(before) = self.operator.take() {
            before.stop().await;
        }
        self.started += 1;
        let folder = self.api.folder.join(format!("operator-{}", self.started));
        std::fs::create_dir(&folder).map_err(|source| RehearseError::File {
            doing: "creating",
            path: folder.clone(),
            source,
        })?;
        let mut settings = settings.clone();
        if !settings.configuration.is_empty() {
            let key = "reconcileConcurrency".to_owned();
            settings.configuration.insert(key, CONCURRENCY.into());
        }
        let concurrency = format!("--reconcile-concurrency={CONCURRENCY}");
        let operator = Beside::start(BesideOptions {
            release: &release.version,
            program: &release.program,
            settings: &settings,
            kubeconfig: &self.api.kubeconfig,
            folder: &folder,
            helper: self.control.helper(),
            first_end: self.control.first_end(),
            flags: &[&concurrency],
        })?;
        let log = operator.log();
        self.operator = Some(operator);
        Ok(log)
    }

    /// Replaces the definitions by those of a release, as `kubectl replace` does, and creates those
    /// that are new. Returns the names of the new ones.
    pub async fn replace_crds(&self, release: &Release) -> Result<Vec<String>, RehearseError> {
        let api: Api<CustomResourceDefinition> = Api::all(self.client().clone());
        let failed = |source| RehearseError::File {
            doing: "reading the definitions in",
            path: release.crds.clone(),
            source,
        };
        let mut definitions = Vec::new();
        for entry in std::fs::read_dir(&release.crds).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if let Some(name) = definition_of(&path) {
                let text = std::fs::read_to_string(&path).map_err(failed)?;
                definitions.push((name, text));
            }
        }
        let one = async |(name, text): &(String, String)| {
            let (mut tries, mut is_new) = (0, None);
            loop {
                let found = api.get_metadata_opt(name).await;
                let found = found.map_err(self::api("reading the definition", name))?;
                let version = found.and_then(|found| found.metadata.resource_version);
                let is_new = *is_new.get_or_insert(version.is_none());
                tries += 1;
                let Err(again) = self.send_crd(name, text, version).await else {
                    return Ok::<_, RehearseError>((name.clone(), is_new));
                };
                // The API server has written its status since it was read, or is slow with it.
                let is_passing = match &again {
                    kube::Error::Api(status) => status.code == 409,
                    kube::Error::Service(_) => true,
                    _ => false,
                };
                if !is_passing || tries == CRD_TRIES {
                    return Err(self::api("replacing the definition", name)(again));
                }
            }
        };
        // All at once they would keep each other from being done within the limit of a request.
        let sent = futures::stream::iter(&definitions)
            .map(one)
            .buffered(CRDS_AT_ONCE);
        let sent: Vec<(String, bool)> = sent.try_collect().await?;
        let names: Vec<&String> = sent.iter().map(|(name, _)| name).collect();
        let is_new = sent.iter().filter(|(_, is_new)| *is_new);
        let mut new: Vec<String> = is_new.map(|(name, _)| name.clone()).collect();
        new.sort();
        let served: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        crds_are_served(self.client(), &served).await?;
        Ok(new)
    }

    /// Replaces a definition of this version, or creates it.
    async fn send_crd(&self, name: &str, yaml: &str, version: Option<String>) -> kube::Result<()> {
        const ALL: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let request = match version {
            Some(version) => {
                // Its text is sent as it is but for the version, which a replacement needs.
                let own = format!("\nmetadata:\n  resourceVersion: \"{version}\"\n");
                let body = yaml.replacen("\nmetadata:\n", &own, 1);
                http::Request::put(format!("{ALL}/{name}")).body(body.into_bytes())
            }
            None => http::Request::post(ALL).body(yaml.as_bytes().to_vec()),
        };
        let mut request = request.map_err(kube::Error::HttpError)?;
        let kind = http::HeaderValue::from_static("application/yaml");
        request
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, kind);
        // The answer is as large as the definition, and nobody reads it.
        let accept = http::HeaderValue::from_static(
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        );
        request.headers_mut().insert(http::header::ACCEPT, accept);
        self.client().request::<Value>(request).await.map(drop)
    }

    /// Creates an object of KubeRay's, or tries to; `strict` refuses unknown fields as
    /// kubectl does.
    pub async fn create(
        &self,
        object: &Value,
        is_trial: bool,
        strict: bool,
    ) -> Result<Answer, RehearseError> {
        let validation = if strict { "Strict" } else { "Ignore" };
        let trial = if is_trial { "&dryRun=All" } else { "" };
        let path = format!(
            "{}?fieldManager=rehearsal&fieldValidation={validation}{trial}",
            collection(object)
        );
        let request = http::Request::post(path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(object.to_string().into_bytes());
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let request =
            request.map_err(|error| api("creating", name)(kube::Error::HttpError(error)))?;
        match self.client().request::<Value>(request).await {
            Ok(_) => Ok(Answer::Taken),
            // It is there already, which is asked for after everything else.
            Err(kube::Error::Api(status)) if status.code == 409 && is_trial => Ok(Answer::Taken),
            Err(kube::Error::Api(status))
                if is_about_the_object(&status) || status.code == 404 || status.code == 400 =>
            {
                Ok(Answer::Refused(status.message))
            }
            Err(error) => Err(api("creating", name)(error)),
        }
    }

    /// Sends a request that changes nothing, but takes as long as one that creates an object.
    pub async fn answers(&self) -> Result<(), RehearseError> {
        const PATH: &str = "/api/v1/namespaces/default/configmaps?dryRun=All";
        let object = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "rehearsal"}});
        let request = http::Request::post(PATH)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(object.to_string().into_bytes());
        let failed = api("asking", "the API server");
        let request = match request {
            Ok(request) => request,
            Err(error) => return Err(failed(kube::Error::HttpError(error))),
        };
        let answer = self.client().request::<Value>(request).await;
        answer.map(drop).map_err(failed)
    }

    /// The objects of some kinds as they are stored now; a kind that is not served has none.
    pub async fn list(
        &self,
        kinds: &BTreeSet<&str>,
    ) -> Result<Vec<(ObjectKey, Value)>, RehearseError> {
        let mut all = Vec::new();
        for kind in kinds {
            let mut resource = crate::observe::ray_cluster_resource();
            resource.kind = (*kind).into();
            resource.plural = plural(kind).into();
            let api: Api<DynamicObject> = Api::all_with(self.client().clone(), &resource);
            let mut params = kube::api::ListParams::default().limit(PAGE);
            loop {
                let page = match api.list(&params).await {
                    Ok(page) => page,
                    Err(kube::Error::Api(status)) if status.code == 404 => break,
                    Err(error) => return Err(self::api("listing", kind)(error)),
                };
                for item in page.items {
                    let mut value = serde_json::to_value(item).unwrap_or_default();
                    value["kind"] = (*kind).into();
                    all.push((super::prepare::key_of(&value), value));
                }
                match page.metadata.continue_.filter(|token| !token.is_empty()) {
                    Some(token) => params = params.continue_token(&token),
                    None => break,
                }
            }
        }
        Ok(all)
    }

    /// Writes a part of the status of an object of KubeRay's.
    pub async fn set_status(&self, object: &Value, status: &Value) -> Result<(), RehearseError> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let body = serde_json::json!({"status": status})
            .to_string()
            .into_bytes();
        let request = http::Request::patch(format!("{}/{name}/status", collection(object)))
            .header(http::header::CONTENT_TYPE, "application/merge-patch+json")
            .body(body);
        let request = request
            .map_err(|error| api("writing the status of", name)(kube::Error::HttpError(error)))?;
        let written = self.client().request::<Value>(request).await;
        written
            .map(drop)
            .map_err(api("writing the status of", name))
    }

    /// Ends everything.
    pub async fn stop(mut self) {
        if let Some(operator) = self.operator.take() {
            operator.stop().await;
        }
        self.api.stop().await;
        self.control.stop().await;
    }
}

/// The name of the definition in a file such as `ray.io_rayclusters.yaml`.
fn definition_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".yaml")?;
    let (group, plural) = name.split_once('_')?;
    Some(format!("{plural}.{group}"))
}

fn plural(kind: &str) -> &'static str {
    match kind {
        "RayJob" => "rayjobs",
        "RayService" => "rayservices",
        "RayCronJob" => "raycronjobs",
        _ => "rayclusters",
    }
}

/// The path of the objects of a kind in a namespace.
fn collection(object: &Value) -> String {
    let text = |value: &Value| -> String {
        // A name from a file is no path.
        let text = value.as_str().unwrap_or_default();
        let plain = |c: &char| c.is_ascii_alphanumeric() || "-._/".contains(*c);
        text.chars()
            .filter(plain)
            .collect::<String>()
            .replace("..", "")
    };
    let namespace = text(&object["metadata"]["namespace"]).replace('/', "");
    let kind = object["kind"].as_str().unwrap_or_default();
    let api = text(&object["apiVersion"]);
    format!("/apis/{api}/namespaces/{namespace}/{}", plural(kind))
}
