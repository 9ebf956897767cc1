//! From an object and a release to the Pods that the operator makes.

use semver::Version;
use serde_json::Value;

use super::feature::Context;
use super::input::{
    self, ClusterSpec, JobStatus, Metadata, ModelError, RayCluster, RayCronJob, RayJob, RayService,
};
use super::{EffectiveSettings, Feature, PodContract, names, pods, submitter};

/// Predicts the Pods that a release of the operator makes of a `RayCluster`, `RayJob`, `RayService`
/// or `RayCronJob`: the head, each worker group (in this order) and a job's submitter.
///
/// Of every container it predicts command, arguments, environment and the probes that the operator
/// adds, but neither volumes nor resources.
///
/// Values that only the API server knows come from the object where it holds them (`metadata.uid`,
/// `status.rayClusterName`, `status.jobId`, `status.dashboardURL`). Else a stand-in such as `xxxxx`
/// or [`crate::UNKNOWN_UID`] takes their place.
///
/// A `RayCronJob` has no Pods where the gate `RayCronJob` is off or unknown. A submitter that the
/// operator can't make is left out; [`crate::admit`] returns the reason.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let args = pods[0].containers[0].args[0].to_string();
/// assert!(args.starts_with("ulimit -n 65536; ray start --head"), "{args}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the object is of another kind, or is not what its custom resource definition asks for.
pub fn predict(
    release: &Version,
    settings: &EffectiveSettings,
    object: &Value,
) -> Result<Vec<PodContract>, ModelError> {
    let context = Context::new(release, settings);
    let version = settings.version(release);
    match kind(object) {
        "RayCluster" => {
            let cluster = cluster(object)?;
            Ok(pods::of_cluster(&context, &cluster, &version, None))
        }
        "RayService" => {
            let service = service(object)?;
            let status = service.status;
            let known = [status.pending_service_status, status.active_service_status];
            let known = known
                .into_iter()
                .map(|status| status.ray_cluster_name)
                .find(|name| !name.is_empty());
            let mut cluster = child(
                &context,
                &service.metadata,
                known,
                service.spec.ray_cluster_config,
                "RayService",
            );
            let metadata = &mut cluster.metadata;
            metadata
                .labels
                .insert("app.kubernetes.io/created-by".into(), "rayservice".into());
            metadata
                .annotations
                .insert("ray.io/enableAgentService".into(), "true".into());
            Ok(pods::of_cluster(&context, &cluster, &version, None))
        }
        "RayJob" => {
            let mut job: RayJob = input::read(object)?;
            job.metadata.name = names::name_of(&job.metadata);
            of_job(&context, &version, &job)
        }
        "RayCronJob" => {
            let cron: RayCronJob = input::read(object)?;
            if !context.gate("RayCronJob") {
                return Ok(Vec::new());
            }
            let job = RayJob {
                metadata: job_of_cron(&context, &cron.metadata),
                spec: cron.spec.job_template,
                status: JobStatus::default(),
            };
            of_job(&context, &version, &job)
        }
        kind => Err(ModelError::Kind { kind: kind.into() }),
    }
}

/// Checks that [`predict`] can read an object.
///
/// # Errors
/// Those of [`predict`].
pub(super) fn readable(
    release: &Version,
    settings: &EffectiveSettings,
    object: &Value,
) -> Result<(), ModelError> {
    match kind(object) {
        "RayCluster" => cluster(object).map(drop),
        "RayService" => service(object).map(drop),
        _ => predict(release, settings, object).map(drop),
    }
}

fn kind(object: &Value) -> &str {
    let kind = object.get("kind").and_then(Value::as_str);
    kind.unwrap_or_default()
}

fn cluster(object: &Value) -> Result<RayCluster, ModelError> {
    let mut cluster: RayCluster = input::read(object)?;
    cluster.metadata.name = names::name_of(&cluster.metadata);
    check(&cluster.spec, "spec")?;
    Ok(cluster)
}

fn service(object: &Value) -> Result<RayService, ModelError> {
    let mut service: RayService = input::read(object)?;
    service.metadata.name = names::name_of(&service.metadata);
    check(&service.spec.ray_cluster_config, "spec.rayClusterConfig")?;
    Ok(service)
}

fn of_job(context: &Context, version: &str, job: &RayJob) -> Result<Vec<PodContract>, ModelError> {
    let own = job
        .spec
        .ray_cluster_spec
        .clone()
        .filter(|_| job.spec.cluster_selector.is_empty());
    let Some(spec) = own else {
        if job.spec.cluster_selector.is_empty() {
            return Err(ModelError::field(
                "spec",
                "contains neither rayClusterSpec nor clusterSelector",
            ));
        }
        return Ok(submitter::of_job(context, job, None).into_iter().collect());
    };
    check(&spec, "spec.rayClusterSpec")?;
    let cluster = child(
        context,
        &job.metadata,
        job.status.ray_cluster_name.clone(),
        spec,
        "RayJob",
    );
    let sidecar = submitter::beside_head(context, job, &cluster)?;
    let mut pods = pods::of_cluster(context, &cluster, version, sidecar);
    pods.extend(submitter::of_job(context, job, Some(&cluster)));
    Ok(pods)
}

/// The metadata of the RayJob that a RayCronJob makes. Beside the name it has the time as an
/// annotation.
fn job_of_cron(context: &Context, cron: &Metadata) -> Metadata {
    context.uses(Feature::CronJob);
    context.uses(Feature::CronJobRandomName);
    context.uses(Feature::CronJobDatedName);
    Metadata {
        name: format!("{}-{}", names::name_of(cron), names::RANDOM),
        namespace: cron.namespace.clone(),
        ..Metadata::default()
    }
}

/// The RayCluster that another object makes.
fn child(
    context: &Context,
    parent: &Metadata,
    known: Option<String>,
    spec: ClusterSpec,
    kind: &str,
) -> RayCluster {
    let mut labels = parent.labels.clone();
    labels.insert("ray.io/originated-from-crd".into(), kind.into());
    labels.insert(names::PARENT.into(), parent.name.clone());
    if !parent.annotations.is_empty() {
        context.uses(Feature::ParentAnnotations);
    }
    let name = known.unwrap_or_else(|| names::cluster_of(context, &parent.name));
    RayCluster {
        metadata: Metadata {
            name,
            namespace: parent.namespace.clone(),
            labels,
            annotations: parent.annotations.clone(),
            ..Metadata::default()
        },
        spec,
    }
}

/// Every Pod template needs a Ray container.
fn check(spec: &ClusterSpec, path: &str) -> Result<(), ModelError> {
    let groups = spec.worker_group_specs.iter().enumerate();
    let groups = groups.map(|(index, group)| (format!("workerGroupSpecs[{index}]"), group));
    for (name, group) in
        std::iter::once(("headGroupSpec".to_owned(), &spec.head_group_spec)).chain(groups)
    {
        if group.template.spec.containers.is_empty() {
            let path = format!("{path}.{name}.template.spec.containers");
            return Err(ModelError::field(
                &path,
                "contains no container; the first one runs Ray",
            ));
        }
    }
    Ok(())
}
