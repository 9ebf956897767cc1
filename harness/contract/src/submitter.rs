//! The container that submits the job of a RayJob.

use super::env::Env;
use super::feature::Context;
use super::input::{Container, ModelError, RayCluster, RayJob};
use super::names::{self, HeadAddress, RANDOM};
use super::{
    AddedProbes, ContainerContract, ContainerKind, Feature, PodContract, PodRole, Text, go, own,
    pods,
};

const HEALTH_PATH: &str = "api/gcs_healthz";

/// The Pod that the submitter runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SubmitterKind {
    Job,
    BesideHead,
}

/// The Pod of the Job that submits; none where the job is submitted in another way, or where the
/// operator can't build the command, which its checks report.
pub(super) fn of_job(
    context: &Context,
    job: &RayJob,
    cluster: Option<&RayCluster>,
) -> Option<PodContract> {
    let mode = job.spec.submission_mode.as_deref().unwrap_or("K8sJobMode");
    if context.has(Feature::SubmitterJobEnv) && mode != "K8sJobMode" {
        return None;
    }
    let submitter = Submitter {
        context,
        job,
        cluster,
    };
    let template = job
        .spec
        .submitter_pod_template
        .as_ref()
        .map(|template| &template.spec);
    let own = match template {
        Some(template) => template.containers.first().cloned()?,
        None => default_container(),
    };
    let container = submitter.container(&own, SubmitterKind::Job).ok()?;
    let others = template.map_or(&[][..], |template| &template.containers[1..]);
    let init = template.map_or(&[][..], |template| &template.init_containers);
    Some(PodContract {
        role: PodRole::Submitter,
        group: String::new(),
        init_containers: init.iter().map(own::user).collect(),
        containers: std::iter::once(container)
            .chain(others.iter().map(own::user))
            .collect(),
    })
}

/// The submitter beside the head, in `SidecarMode`.
pub(super) fn beside_head(
    context: &Context,
    job: &RayJob,
    cluster: &RayCluster,
) -> Result<Option<ContainerContract>, ModelError> {
    if job.spec.submission_mode.as_deref() != Some("SidecarMode")
        || !context.uses(Feature::SubmitterSidecar)
    {
        return Ok(None);
    }
    let cluster = Some(cluster);
    let submitter = Submitter {
        context,
        job,
        cluster,
    };
    submitter
        .container(&default_container(), SubmitterKind::BesideHead)
        .map(Some)
}

fn default_container() -> Container {
    Container {
        name: "ray-job-submitter".into(),
        ..Container::default()
    }
}

struct Submitter<'a> {
    context: &'a Context<'a>,
    job: &'a RayJob,
    cluster: Option<&'a RayCluster>,
}

impl Submitter<'_> {
    fn container(
        &self,
        own: &Container,
        kind: SubmitterKind,
    ) -> Result<ContainerContract, ModelError> {
        let context = self.context;
        let mut command = own.command.clone();
        let mut args: Vec<Text> = own.args.iter().map(|word| word.as_str().into()).collect();
        if !command.is_empty() && kind == SubmitterKind::Job {
            context.uses(Feature::SubmitterUserCommand);
        } else if context.uses(Feature::SubmitterArgv) {
            command = self.argv()?;
        } else {
            context.uses(Feature::SubmitterScript);
            let script = Text::from(self.script(kind)?);
            if context.has(Feature::SubmitterFollowsKnownJob) {
                command = vec!["/bin/bash".into()];
                args = vec!["-c".into(), script];
            } else if context.uses(Feature::SubmitterBash) {
                command = vec!["/bin/bash".into()];
                args = vec!["-ce".into(), script];
            } else {
                context.uses(Feature::SubmitterShell);
                command = pods::shell(context, "e");
                args = vec![script];
            }
        }
        let mut env = Env::of(&own.env);
        context.uses(Feature::SubmitterEnv);
        env.add("PYTHONUNBUFFERED", "1");
        if context.uses(Feature::SubmitterJobEnv) {
            // Beside the head the address is not known yet when the cluster is made.
            let address = if kind == SubmitterKind::Job {
                self.dashboard()
            } else {
                String::new()
            };
            env.add("RAY_DASHBOARD_ADDRESS", address);
            env.add("RAY_JOB_SUBMISSION_ID", self.id());
        }
        if let Some(cluster) = self.cluster {
            env.add_auth(
                context,
                &cluster.metadata.name,
                cluster.spec.auth_options.as_ref(),
            );
        }
        Ok(ContainerContract {
            kind: ContainerKind::Submitter,
            name: own.name.clone(),
            command,
            args,
            env: env.0,
            added_probes: AddedProbes::default(),
            features: context.take(),
        })
    }

    /// Up to 1.2: `ray job submit` without a shell.
    fn argv(&self) -> Result<Vec<String>, ModelError> {
        let mut words = ["ray", "job", "submit", "--address"]
            .map(str::to_owned)
            .to_vec();
        words.push(self.address());
        words.extend(self.options(str::to_owned)?);
        words.push("--".into());
        let entrypoint = go::shlex::split(&self.job.spec.entrypoint)
            .map_err(|error| ModelError::field("spec.entrypoint", error))?;
        words.extend(entrypoint);
        Ok(words)
    }

    /// From 1.3 on: a script whose words are joined by single spaces.
    fn script(&self, kind: SubmitterKind) -> Result<String, ModelError> {
        let context = self.context;
        let id = self.id();
        let address = match kind {
            SubmitterKind::Job => self.address(),
            SubmitterKind::BesideHead => format!("http://127.0.0.1:{}", self.dashboard_port()),
        };
        let mut words = Vec::new();
        if kind == SubmitterKind::BesideHead || context.uses(Feature::SubmitterAlwaysWaits) {
            let message = go::quote(&format!(
                "Waiting for Ray Dashboard GCS to become healthy at {address} ..."
            ));
            let check = self.health_check(kind, &address);
            words.push(format!(
                "until {check} >/dev/null 2>&1 ; do echo {message} ; sleep 2 ; done ;"
            ));
        }
        let status = format!("ray job status --address {address} {id} >/dev/null 2>&1 ; then");
        let follow = format!("ray job logs --address {address} --follow {id}");
        let submit = format!("ray job submit --address {address}");
        let options = self.options(go::quote)?;
        let entrypoint = format!("-- {} ;", self.job.spec.entrypoint.trim());
        let restarts = context.gate("SidecarSubmitterRestart")
            && kind == SubmitterKind::BesideHead
            && context.uses(Feature::SubmitterRestarts);
        if kind == SubmitterKind::BesideHead && !restarts {
            words.push(submit);
            words.extend(options);
            words.push(entrypoint);
        } else if context.uses(Feature::SubmitterFollowsKnownJob) {
            words.push(format!("if {status} {follow} ; else {submit}"));
            words.extend(options);
            words.push(format!("{entrypoint} fi"));
        } else {
            context.uses(Feature::SubmitterAlwaysFollows);
            words.push(format!("if ! {status} {submit} --no-wait"));
            words.extend(options);
            words.push(format!("{entrypoint} fi ; {follow}"));
        }
        Ok(words.join(" "))
    }

    fn health_check(&self, kind: SubmitterKind, address: &str) -> String {
        let local = format!("http://localhost:{}/{HEALTH_PATH}", self.dashboard_port());
        let url = if kind == SubmitterKind::BesideHead {
            local
        } else {
            format!("{address}/{HEALTH_PATH}")
        };
        if self.context.uses(Feature::SubmitterWaitsWithWget) {
            return format!("wget --tries 1 -T 10 -q -O- {url} | grep success");
        }
        self.context.uses(Feature::SubmitterWaitsWithPython);
        format!(
            r#"python -c "import urllib.request; r=urllib.request.urlopen('{url}', timeout=10); exit(0 if b'success' in r.read() else 1)""#
        )
    }

    /// The options of `ray job submit`, with JSON as `quote` writes it.
    fn options(&self, quote: impl Fn(&str) -> String) -> Result<Vec<String>, ModelError> {
        let spec = &self.job.spec;
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        if !spec.runtime_env_yaml.is_empty() {
            let runtime = go::yaml::to_json(&spec.runtime_env_yaml).map_err(|error| {
                ModelError::field("spec.runtimeEnvYAML", format!("not valid YAML: {error}"))
            })?;
            option("--runtime-env-json", quote(&go::json(&runtime)));
        }
        if !spec.metadata.is_empty() && self.gives_metadata() {
            let metadata = serde_json::Value::from_iter(spec.metadata.clone());
            option("--metadata-json", quote(&go::json(&metadata)));
        }
        option("--submission-id", self.id());
        if spec.entrypoint_num_cpus > 0.0 {
            option(
                "--entrypoint-num-cpus",
                format!("{:.6}", spec.entrypoint_num_cpus),
            );
        }
        if spec.entrypoint_num_gpus > 0.0 {
            option(
                "--entrypoint-num-gpus",
                format!("{:.6}", spec.entrypoint_num_gpus),
            );
        }
        if !spec.entrypoint_resources.is_empty() {
            option("--entrypoint-resources", quote(&spec.entrypoint_resources));
        }
        Ok(words)
    }

    /// Without a RayCluster of its own a job had no metadata from 1.5 until 1.7.
    fn gives_metadata(&self) -> bool {
        let sidecars = self.context.has(Feature::SubmitterSidecar)
            && !self.context.has(Feature::SubmitterAlwaysWaits);
        self.job.spec.ray_cluster_spec.is_some() || !sidecars
    }

    fn id(&self) -> String {
        let known = self
            .job
            .status
            .job_id
            .clone()
            .or_else(|| self.job.spec.job_id.clone());
        let known = known.filter(|id| !id.is_empty());
        known.unwrap_or_else(|| format!("{}-{RANDOM}", self.job.metadata.name))
    }

    fn dashboard(&self) -> String {
        if let Some(url) = &self.job.status.dashboard_url
            && !url.is_empty()
        {
            return url.clone();
        }
        if let Some(cluster) = self.cluster {
            return HeadAddress::new(self.context, &cluster.metadata, &cluster.spec).dashboard;
        }
        let selected = self.job.spec.cluster_selector.get("ray.io/cluster");
        selected.map_or_else(
            || "<dashboard of the RayCluster>".into(),
            |name| names::dashboard_of(self.context, name, &self.job.metadata),
        )
    }

    fn address(&self) -> String {
        let dashboard = self.dashboard();
        if dashboard.starts_with("http://") {
            dashboard
        } else {
            format!("http://{dashboard}")
        }
    }

    fn dashboard_port(&self) -> i32 {
        let spec = self
            .cluster
            .map(|cluster| &cluster.spec.head_group_spec.template.spec);
        let ports = spec
            .and_then(|spec| spec.containers.first())
            .map_or(&[][..], |ray| &ray.ports);
        ports
            .iter()
            .find(|port| port.name == "dashboard")
            .map_or(8265, |port| port.container_port)
    }
}
