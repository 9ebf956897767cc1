//! Reads a cluster: gets, lists and the ends of logs, never a Secret, with a bounded number of
//! requests.

mod logs;
mod requests;
mod trim;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use self::requests::{Requests, ResourceKind, reason};
use super::bundle::{Bundle, Crd, OperatorDeployment, Webhook};
use super::narrow::NoObject;
use crate::contract::admission::fields_of_schema;
use crate::progress::Progress;
use crate::target::{ContextError, ReadOnly};

/// The part of a cluster that is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The namespace; all where absent.
    pub namespace: Option<String>,
    /// Kind, in any spelling that kubectl takes, and name of an object; all where absent.
    pub object: Option<(String, String)>,
}

/// A reason why a cluster can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The kubeconfig or its context.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The API server refuses what `doctor` can't do without, or does not answer.
    #[error(
        "failed to read {what}: {}; docs/guide/doctor.md lists the required permissions",
        reason(.source)
    )]
    Api {
        /// The objects that were to be read.
        what: &'static str,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// The cluster does not know KubeRay.
    #[error(
        "failed to read RayClusters: the cluster has no custom resource definition of KubeRay; is this the right context?"
    )]
    NoKubeRay,
    /// There is no such object.
    #[error(transparent)]
    NoObject(#[from] NoObject),
}

/// A client and the namespace of its context.
pub type Connection = ReadOnly;

/// Connects to the cluster of a context; the current one where absent.
///
/// # Errors
/// See [`ContextError`].
pub async fn connect(
    context: Option<&str>,
    kubeconfig: Option<&Path>,
) -> Result<Connection, ReadError> {
    Ok(ReadOnly::connect(context, kubeconfig).await?)
}

/// Reads what [`super::diagnose`] looks at, and masks the secrets in it.
///
/// # Errors
/// Fails when RayClusters or Pods can't be read. Whatever else can't is listed in
/// [`Bundle::unread`].
pub async fn read(
    client: &kube::Client,
    scope: &Scope,
    progress: &dyn Progress,
) -> Result<Bundle, ReadError> {
    let task = "doctor";
    let requests = Requests::new(client.clone(), scope.namespace.clone());
    let mut bundle = Bundle::now();
    bundle.namespace.clone_from(&scope.namespace);
    bundle.object = scope
        .object
        .as_ref()
        .map(|(kind, name)| format!("{kind}/{name}"));
    progress.update(task, "reading Ray's objects");
    objects(&requests, &mut bundle).await?;
    if let Some((kind, name)) = &scope.object {
        bundle.keep_object(kind, name)?;
    }
    progress.update(task, "reading Pods and events");
    pods(&requests, &mut bundle).await?;
    progress.update(task, "reading the operator and the nodes");
    surroundings(&requests, &mut bundle).await;
    progress.update(task, "reading logs");
    logs::read(&requests, &mut bundle).await;
    bundle.requests = requests.count();
    trim::bundle(&mut bundle);
    bundle.redact();
    Ok(bundle)
}

/// Reads KubeRay's objects and its operators, without Pods, events and logs, and masks the secrets
/// in them.
///
/// # Errors
/// Fails when RayClusters can't be read. Whatever else can't is listed in [`Bundle::unread`].
pub async fn read_objects(
    client: &kube::Client,
    scope: &Scope,
    progress: &dyn Progress,
) -> Result<Bundle, ReadError> {
    let task = "manifests";
    let requests = Requests::new(client.clone(), scope.namespace.clone());
    let mut bundle = Bundle::now();
    bundle.namespace.clone_from(&scope.namespace);
    progress.update(task, "reading Ray's objects");
    objects(&requests, &mut bundle).await?;
    progress.update(task, "reading the operator");
    let all = requests.everywhere();
    match operators(&all).await {
        Ok(found) => bundle.operators = found,
        Err(error) => bundle.miss("operators", reason(&error)),
    }
    configurations(&all, &mut bundle).await;
    bundle.requests = requests.count();
    trim::bundle(&mut bundle);
    bundle.redact();
    Ok(bundle)
}

async fn objects(requests: &Requests, bundle: &mut Bundle) -> Result<(), ReadError> {
    let kinds = [
        ResourceKind::ray("RayCluster", "rayclusters"),
        ResourceKind::ray("RayJob", "rayjobs"),
        ResourceKind::ray("RayService", "rayservices"),
        ResourceKind::ray("RayCronJob", "raycronjobs"),
    ];
    let (clusters, jobs, services, crons) = futures::join!(
        requests.list(&kinds[0], "", ""),
        requests.list(&kinds[1], "", ""),
        requests.list(&kinds[2], "", ""),
        requests.list(&kinds[3], "", ""),
    );
    let clusters = clusters.map_err(|error| match error {
        kube::Error::Api(status) if status.code == 404 => ReadError::NoKubeRay,
        source => ReadError::Api {
            what: "RayClusters",
            source: Box::new(source),
        },
    })?;
    bundle.objects.extend(clusters);
    for (what, listed) in [
        ("RayJobs", jobs),
        ("RayServices", services),
        ("RayCronJobs", crons),
    ] {
        match listed {
            Ok(found) => bundle.objects.extend(found),
            // A release before 1.6 has no RayCronJob.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => bundle.miss(what, reason(&error)),
        }
    }
    Ok(())
}

async fn pods(requests: &Requests, bundle: &mut Bundle) -> Result<(), ReadError> {
    let has_jobs = bundle.objects.iter().any(|one| one["kind"] == "RayJob");
    let only = bundle.object.is_some().then(|| names(bundle, "RayCluster"));
    let selector = match &only {
        Some(names) if names.len() <= 20 => format!("ray.io/cluster in ({})", names.join(",")),
        _ => "ray.io/cluster".into(),
    };
    let core = |kind, plural| ResourceKind::new("v1", kind, plural);
    let jobs = ResourceKind::new("batch/v1", "Job", "jobs");
    let pod = core("Pod", "pods");
    let event = core("Event", "events");
    let of_jobs = async {
        if has_jobs {
            requests.list(&jobs, "", "").await
        } else {
            Ok(Vec::new())
        }
    };
    let submitters = async {
        if has_jobs {
            requests.list(&pod, "job-name", "").await
        } else {
            Ok(Vec::new())
        }
    };
    let (ray, submitters, listed, warnings, killed) = futures::join!(
        requests.list(&pod, &selector, ""),
        submitters,
        of_jobs,
        requests.list(&event, "", "type=Warning"),
        requests.list(&event, "", "reason=Killing"),
    );
    bundle.pods = ray.map_err(|source| ReadError::Api {
        what: "Pods",
        source: Box::new(source),
    })?;
    let uids = |objects: &[Value]| -> BTreeSet<String> {
        let uids = objects.iter();
        uids.filter_map(|object| object["metadata"]["uid"].as_str().map(str::to_owned))
            .collect()
    };
    let is_of = |object: &Value, owners: &BTreeSet<String>| {
        let references = object["metadata"]["ownerReferences"].as_array();
        let mut references = references.into_iter().flatten();
        references.any(|owner| {
            owner["uid"]
                .as_str()
                .is_some_and(|uid| owners.contains(uid))
        })
    };
    let ours = uids(&bundle.objects);
    match listed {
        Ok(found) => bundle.jobs = found,
        Err(error) => bundle.miss("Jobs", reason(&error)),
    }
    bundle.jobs.retain(|job| is_of(job, &ours));
    let jobs = uids(&bundle.jobs);
    let known = uids(&bundle.pods);
    match submitters {
        Ok(found) => bundle.pods.extend(found.into_iter().filter(|pod| {
            is_of(pod, &jobs) && !known.contains(pod["metadata"]["uid"].as_str().unwrap_or(""))
        })),
        Err(error) => bundle.miss("Pods of submitters", reason(&error)),
    }
    let mut about = ours;
    about.extend(uids(&bundle.pods));
    about.extend(jobs);
    for listed in [warnings, killed] {
        match listed {
            Ok(found) => bundle.events.extend(found.into_iter().filter(|event| {
                let uid = event["involvedObject"]["uid"].as_str();
                uid.is_some_and(|uid| about.contains(uid))
            })),
            Err(error) => {
                bundle.miss("events", reason(&error));
                break;
            }
        }
    }
    Ok(())
}

fn names(bundle: &Bundle, kind: &str) -> Vec<String> {
    let of_kind = bundle.objects.iter().filter(|one| one["kind"] == kind);
    of_kind
        .filter_map(|object| object["metadata"]["name"].as_str().map(str::to_owned))
        .collect()
}

/// Reads the objects around the Pods; each kind may be missing.
async fn surroundings(requests: &Requests, bundle: &mut Bundle) {
    let all = requests.everywhere();
    let nodes = ResourceKind::new("v1", "Node", "nodes");
    let policies = ResourceKind::new("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies");
    let quotas = ResourceKind::new("v1", "ResourceQuota", "resourcequotas");
    let (operators, nodes, policies, quotas, webhooks, crds, version) = futures::join!(
        operators(&all),
        all.list(&nodes, "", ""),
        requests.list(&policies, "", ""),
        requests.list(&quotas, "", ""),
        webhooks(&all),
        crds(&all),
        all.version(),
    );
    macro_rules! keep {
        ($what:literal, $read:ident, $into:expr) => {
            match $read {
                Ok(found) => $into = found,
                Err(error) => bundle.miss($what, reason(&error)),
            }
        };
    }
    keep!("operators", operators, bundle.operators);
    keep!("nodes", nodes, bundle.nodes);
    keep!("NetworkPolicies", policies, bundle.network_policies);
    keep!("ResourceQuotas", quotas, bundle.resource_quotas);
    keep!("webhooks", webhooks, bundle.webhooks);
    keep!("custom resource definitions", crds, bundle.crds);
    keep!("the release of Kubernetes", version, bundle.kubernetes);
    configurations(&all, bundle).await;
}

/// The configuration files of the operators that have one.
async fn configurations(all: &Requests, bundle: &mut Bundle) {
    let maps = ResourceKind::new("v1", "ConfigMap", "configmaps");
    for operator in &mut bundle.operators {
        if let Some(name) = configuration_of(&operator.deployment) {
            let namespace = operator.deployment["metadata"]["namespace"].as_str();
            let read = all.get(&maps, namespace.unwrap_or_default(), &name);
            match read.await {
                Ok(found) => operator.configuration = configuration(&found),
                Err(error) => bundle.unread.push(super::bundle::UnreadKind {
                    what: "the operator's configuration".into(),
                    why: reason(&error),
                }),
            }
        }
    }
}

/// Labels of the operator's Deployment, as its kustomization and its chart set them.
const OPERATOR: &str = "app.kubernetes.io/name in (kuberay,kuberay-operator)";

async fn operators(requests: &Requests) -> Result<Vec<OperatorDeployment>, kube::Error> {
    let deployments = ResourceKind::new("apps/v1", "Deployment", "deployments");
    let kind_of_pods = ResourceKind::new("v1", "Pod", "pods");
    let (deployments, pods) = futures::join!(
        requests.list(&deployments, OPERATOR, ""),
        requests.list(&kind_of_pods, OPERATOR, ""),
    );
    let pods = pods.unwrap_or_default();
    let deployments = deployments?.into_iter().filter(|one| {
        // The kustomization of the API server and of the history server use the same label.
        let labels = &one["metadata"]["labels"]["app.kubernetes.io/component"];
        labels.is_null()
            || labels
                .as_str()
                .is_some_and(|label| label.contains("operator"))
    });
    let of = |deployment: Value| {
        let meta = &deployment["metadata"];
        let begin = format!("{}-", meta["name"].as_str().unwrap_or_default());
        let is_its = |pod: &&Value| {
            pod["metadata"]["namespace"] == meta["namespace"]
                && pod["metadata"]["name"]
                    .as_str()
                    .is_some_and(|name| name.starts_with(&begin))
        };
        let pods = pods.iter().filter(is_its).cloned().collect();
        OperatorDeployment {
            deployment,
            pods,
            configuration: None,
        }
    };
    Ok(deployments.map(of).collect())
}

/// The ConfigMap with the file that `--config` of the operator names.
fn configuration_of(deployment: &Value) -> Option<String> {
    let spec = &deployment["spec"]["template"]["spec"];
    let words = ["command", "args"].iter().flat_map(|field| {
        let words = spec["containers"][0][*field].as_array();
        words.into_iter().flatten().filter_map(Value::as_str)
    });
    words
        .map(|word| word.trim_start_matches('-'))
        .find(|word| *word == "config" || word.starts_with("config="))?;
    let mut volumes = spec["volumes"].as_array()?.iter();
    volumes.find_map(|volume| volume["configMap"]["name"].as_str().map(str::to_owned))
}

/// The operator's configuration file in a ConfigMap.
fn configuration(map: &Value) -> Option<Value> {
    let mut files = map["data"].as_object()?.values();
    files.find_map(|text| {
        let text = text.as_str().filter(|text| text.len() < 1 << 20)?;
        let file: Value = serde_saphyr::from_str(text).ok()?;
        (file["kind"] == "Configuration").then_some(file)
    })
}

async fn webhooks(requests: &Requests) -> Result<Vec<Webhook>, kube::Error> {
    let kind = ResourceKind::new(
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
    );
    let found = requests.list(&kind, "", "").await?;
    let mut webhooks = Vec::new();
    for configuration in &found {
        for hook in configuration["webhooks"].as_array().into_iter().flatten() {
            if hook["rules"]
                .as_array()
                .into_iter()
                .flatten()
                .any(takes_pods)
            {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                webhooks.push(Webhook {
                    configuration: text(&configuration["metadata"]["name"]),
                    name: text(&hook["name"]),
                });
            }
        }
    }
    Ok(webhooks)
}

fn takes_pods(rule: &Value) -> bool {
    let has = |field: &str, words: &[&str]| {
        let mut entries = rule[field].as_array().into_iter().flatten();
        entries.any(|entry| entry.as_str().is_some_and(|entry| words.contains(&entry)))
    };
    has("apiGroups", &["", "*"]) && has("resources", &["pods", "*", "*/*", "pods/*"])
}

async fn crds(requests: &Requests) -> Result<Vec<Crd>, kube::Error> {
    let kind = ResourceKind::new(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
    );
    let plurals = ["rayclusters", "rayjobs", "rayservices", "raycronjobs"];
    let names = plurals.map(|plural| format!("{plural}.ray.io"));
    let read = names.iter().map(|name| requests.get(&kind, "", name));
    let mut crds = Vec::new();
    for read in futures::future::join_all(read).await {
        match read {
            Ok(found) => crds.push(crd(&found)),
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(crds)
}

fn crd(found: &Value) -> Crd {
    use sha2::Digest as _;

    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions = found["spec"]["versions"].as_array();
    let served: Vec<&Value> = versions
        .into_iter()
        .flatten()
        .filter(|version| version["served"] == true)
        .collect();
    let of_v1 = served.iter().find(|version| version["name"] == "v1");
    let schema = of_v1.map(|version| &version["schema"]["openAPIV3Schema"]);
    let hash = sha2::Sha256::digest(found["spec"].to_string());
    Crd {
        name: text(&found["metadata"]["name"]),
        kind: text(&found["spec"]["names"]["kind"]),
        versions: served
            .iter()
            .map(|version| text(&version["name"]))
            .collect(),
        sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        fields: schema
            .map(|schema| fields_of_schema(schema).into_iter().collect())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
