//! The head's Pod and those of worker groups.

use super::env::{Env, RayEnv, STORAGE_NAMESPACE};
use super::feature::Context;
use super::gated;
use super::init;
use super::input::{Container, Group, RayCluster};
use super::names::HeadAddress;
use super::own::user;
use super::params::Params;
use super::probes;
use super::tls;
use super::{AddedProbes, ContainerContract, ContainerKind, Feature, PodContract, PodRole, Text};

const OVERWRITE: &str = "ray.io/overwrite-container-cmd";

/// The Pods of a RayCluster: the head's, then one for each worker group. `sidecar` is the submitter
/// that runs beside the head.
pub(super) fn of_cluster(
    context: &Context,
    cluster: &RayCluster,
    version: &str,
    sidecar: Option<ContainerContract>,
) -> Vec<PodContract> {
    let mut builder = Builder {
        context,
        cluster,
        version,
        sidecar,
    };
    let mut pods = vec![builder.pod(PodRole::Head, &cluster.spec.head_group_spec)];
    for group in &cluster.spec.worker_group_specs {
        pods.push(builder.pod(PodRole::Worker, group));
    }
    pods
}

struct Builder<'a> {
    context: &'a Context<'a>,
    cluster: &'a RayCluster,
    version: &'a str,
    sidecar: Option<ContainerContract>,
}

impl Builder<'_> {
    fn pod(&mut self, role: PodRole, group: &Group) -> PodContract {
        let spec = &group.template.spec;
        let mut init_containers: Vec<_> = spec
            .init_containers
            .iter()
            .map(|own| self.user_init(own))
            .collect();
        if role == PodRole::Worker {
            if self.context.settings.injects_init_container() {
                init_containers.push(self.wait_gcs_ready(&spec.containers[0]));
            } else {
                self.context.uses(Feature::WaitGcsReadySwitchedOff);
            }
        }
        let mut containers = vec![self.ray(role, group)];
        if tls::has_tls(self.context, self.cluster) {
            init_containers.insert(0, gated::wait_for_tls(self.context, &self.head()));
        }
        containers.extend(spec.containers[1..].iter().map(user));
        if role == PodRole::Head {
            containers.extend(self.sidecar.take());
            if self.cluster.spec.enable_in_tree_autoscaling == Some(true) {
                containers.push(self.autoscaler());
            }
        }
        containers.extend(gated::collector(
            self.context,
            role,
            self.cluster,
            &self.head(),
        ));
        containers.extend(gated::sidecars(self.context, role));
        PodContract {
            role,
            group: if role == PodRole::Head {
                "headgroup".into()
            } else {
                group.group_name.clone()
            },
            init_containers,
            containers,
        }
    }

    fn head(&self) -> HeadAddress {
        HeadAddress::new(self.context, &self.cluster.metadata, &self.cluster.spec)
    }

    fn user_init(&self, own: &Container) -> ContainerContract {
        let mut env = Env::of(&own.env);
        self.context.uses(Feature::InitEnv);
        env.add_head(&self.head());
        ContainerContract {
            kind: ContainerKind::Init,
            env: env.0,
            features: self.context.take(),
            ..user(own)
        }
    }

    fn wait_gcs_ready(&self, ray: &Container) -> ContainerContract {
        let context = self.context;
        let head = self.head();
        context.uses(Feature::WaitGcsReady);
        let mut env = Env::of(&ray.env);
        env.add_auth(
            context,
            &self.cluster.metadata.name,
            self.cluster.spec.auth_options.as_ref(),
        );
        env.add_tls(context, self.cluster);
        context.uses(Feature::InitEnv);
        env.add_head(&head);
        ContainerContract {
            kind: ContainerKind::Init,
            name: "wait-gcs-ready".into(),
            command: shell(context, ""),
            args: vec![init::wait_gcs_ready(context, &head).into()],
            env: env.0,
            added_probes: AddedProbes::default(),
            features: context.take(),
        }
    }

    fn ray(&self, role: PodRole, group: &Group) -> ContainerContract {
        let context = self.context;
        let container = &group.template.spec.containers[0];
        let head = self.head();
        let mut env = Env::of(&container.env);
        let mut params = Params::of(group);
        params.add_group_fields(context, group);
        params.add_defaults(context, role, self.cluster, &head);
        if role == PodRole::Head && self.cluster.spec.enable_in_tree_autoscaling == Some(true) {
            context.uses(Feature::NoMonitor);
            params.set("no-monitor", "true");
            self.add_autoscaler_version(&mut env);
        }
        env.add_fault_tolerance(context, role, self.cluster, &mut params);
        env.add_auth(
            context,
            &self.cluster.metadata.name,
            self.cluster.spec.auth_options.as_ref(),
        );
        env.add_tls(context, self.cluster);
        params.add_resources(context, &container.resources);
        context.uses(Feature::FirstContainer);
        let added_probes = probes::added(context, role, self.cluster, container, &params);
        let ray_start = params.ray_start(context, role);
        let (command, args) = self.command(group, &params, &ray_start);
        let template = &group.template.metadata.annotations;
        let ray = RayEnv {
            cluster: self.cluster,
            head: &head,
            command: &ray_start,
            redis_password: group
                .ray_start_params
                .get("redis-password")
                .map(String::as_str),
            template_storage: template.get(STORAGE_NAMESPACE).map(String::as_str),
            version: self.version,
        };
        env.add_ray(context, role, &ray);
        ContainerContract {
            kind: ContainerKind::Ray,
            name: container.name.clone(),
            command,
            args,
            env: env.0,
            added_probes,
            features: context.take(),
        }
    }

    fn command(
        &self,
        group: &Group,
        params: &Params,
        ray_start: &Text,
    ) -> (Vec<String>, Vec<Text>) {
        let context = self.context;
        let container = &group.template.spec.containers[0];
        let words = || container.command.iter().chain(&container.args);
        let user: String = words().map(|word| format!(" {word} ")).collect();
        if self.overwrites(group)
            || user.contains("ray start") && context.uses(Feature::RayStartInText)
        {
            let args = container
                .args
                .iter()
                .map(|word| word.as_str().into())
                .collect();
            return (container.command.clone(), args);
        }
        context.uses(Feature::GeneratedCommand);
        let mut args = ray_start.clone();
        let limit = if context.uses(Feature::UlimitFromEnv) {
            "${RAY_START_ULIMIT_OPEN_FILES:-65536}"
        } else {
            context.uses(Feature::UlimitFixed);
            "65536"
        };
        let joint = if user.is_empty() {
            ""
        } else {
            context.uses(Feature::UserCommandFirst);
            " && "
        };
        args.before = format!("{user}{joint}ulimit -n {limit}; {}", args.before);
        if !params.block() && context.uses(Feature::SleepWithoutBlock) {
            args.after = " && sleep infinity".into();
        }
        (shell(context, ""), vec![args])
    }

    fn overwrites(&self, group: &Group) -> bool {
        let is_on = |annotations: &std::collections::BTreeMap<String, String>| {
            annotations
                .get(OVERWRITE)
                .is_some_and(|value| value.to_lowercase() == "true")
        };
        let template = &group.template.metadata.annotations;
        is_on(&self.cluster.metadata.annotations) && self.context.uses(Feature::OverwriteOnCluster)
            || is_on(template) && self.context.uses(Feature::OverwriteOnTemplate)
            || !template.contains_key(OVERWRITE)
                && is_on(&self.context.settings.default_pod_annotations)
                && self.context.uses(Feature::OverwriteByDefault)
    }

    fn add_autoscaler_version(&self, env: &mut Env) {
        let options = self.cluster.spec.autoscaler_options.as_ref();
        match options.and_then(|options| options.version.as_deref()) {
            Some("v2") if self.context.uses(Feature::AutoscalerV2) => {
                env.add("RAY_enable_autoscaler_v2", "true");
            }
            Some("v1") if self.context.uses(Feature::AutoscalerV1) => {
                env.add("RAY_enable_autoscaler_v2", "false");
            }
            _ => {}
        }
    }

    fn autoscaler(&self) -> ContainerContract {
        let context = self.context;
        let options = self
            .cluster
            .spec
            .autoscaler_options
            .clone()
            .unwrap_or_default();
        let words = [
            "--cluster-name",
            "$(RAY_CLUSTER_NAME)",
            "--cluster-namespace",
            "$(RAY_CLUSTER_NAMESPACE)",
        ];
        let script = format!("ray kuberay-autoscaler {}", words.join(" "));
        let mut env = Env::default();
        env.add_field("RAY_CLUSTER_NAME", "metadata.labels['ray.io/cluster']");
        env.add_field("RAY_CLUSTER_NAMESPACE", "metadata.namespace");
        env.add_field("RAY_HEAD_POD_NAME", "metadata.name");
        env.add("KUBERAY_CRD_VER", "v1");
        if context.uses(Feature::AutoscalerGenCmd) {
            env.add("KUBERAY_GEN_AUTOSCALER_START_CMD", script.as_str());
        }
        env.add_auth(
            context,
            &self.cluster.metadata.name,
            self.cluster.spec.auth_options.as_ref(),
        );
        env.add_tls(context, self.cluster);
        if !options.env.is_empty() {
            context.uses(Feature::AutoscalerUserEnv);
            env.extend(&options.env);
        }
        let (mut command, mut args) = if context.uses(Feature::AutoscalerDirect) {
            let args = std::iter::once("kuberay-autoscaler")
                .chain(words)
                .map(Text::from)
                .collect();
            (vec!["ray".into()], args)
        } else {
            context.uses(Feature::AutoscalerInShell);
            (shell(context, ""), vec![script.into()])
        };
        if !options.command.is_empty() && context.uses(Feature::AutoscalerOverride) {
            command = options.command;
        }
        if !options.args.is_empty() && context.uses(Feature::AutoscalerOverride) {
            args = options
                .args
                .iter()
                .map(|word| word.as_str().into())
                .collect();
        }
        ContainerContract {
            kind: ContainerKind::Autoscaler,
            name: "autoscaler".into(),
            command,
            args,
            env: env.0,
            added_probes: AddedProbes::default(),
            features: context.take(),
        }
    }
}

/// The shell that a container runs, with more letters for its options.
pub(super) fn shell(context: &Context, letters: &str) -> Vec<String> {
    let options = if context.uses(Feature::LoginShell) {
        "-lc".into()
    } else if context.settings.login_shell() && context.uses(Feature::LoginShellOnRequest) {
        format!("-c{letters}l")
    } else {
        context.uses(Feature::PlainShell);
        format!("-c{letters}")
    };
    vec!["/bin/bash".into(), options, "--".into()]
}
