//! The parts that `cluster up` makes, and those of an earlier cluster that it removes first.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use tokio::sync::watch;

use super::{AUDIT, KindCluster, TASK, UpOptions};
use crate::container::{EngineKind, Host, MODULES};
use crate::process;
use crate::target::error::{ClusterError, file};
use crate::target::kind_config::{AUDIT_POLICY, AUDIT_POLICY_TEXT};
use crate::target::network::{self, NodeAddresses};
use crate::target::node_facts::NodeFacts;
use crate::target::registry::{self, Start};
use crate::target::state::{ClusterRecord, CreatedItem, RegistryPlace};
use crate::target::{node, ready, service};

/// CPU shares of the control plane; each other node has 1024.
const CONTROL_PLANE_SHARES: &str = "8192";

/// Whether kube-proxy leads to the API server: a node is Ready before that.
const REACHES: &str = r#"curl --silent --noproxy '*' --cacert /etc/kubernetes/pki/ca.crt --max-time 1 --output /dev/null "https://$1/version""#;
/// Whether it leads to CoreDNS, which it does when one of that is ready.
const NAMES: &str = r#"timeout 1 bash -c 'exec 3<> "/dev/tcp/$0/53"' "$1" 2>/dev/null"#;

/// The start of the registry, the engine's socket that it needs, and the program that serves this
/// socket.
pub(super) type RegistryPlan = (Start, PathBuf, PathBuf);

impl KindCluster {
    /// Removes the nodes of an earlier cluster that can't be used; network and registry serve the
    /// next.
    pub(super) async fn clear(&self, state: &mut ClusterRecord) -> Result<(), ClusterError> {
        if state.made.is_empty() {
            return Ok(());
        }
        self.refuse_while_used(
            "a cluster with other nodes can't replace it; use another --cluster",
        )?;
        state.complete = None;
        self.file().save(state)?;
        let remover = self.remover();
        for made in state.made.clone() {
            if matches!(
                made,
                CreatedItem::Cluster { .. }
                    | CreatedItem::Service { .. }
                    | CreatedItem::Unpacker { .. }
            ) {
                self.progress
                    .update(TASK, "removing nodes that can't be used");
                remover.one(state, &made).await?;
            }
        }
        Ok(())
    }

    pub(super) fn node_names(&self, workers: u32) -> Vec<String> {
        let worker = |number: u32| {
            if number == 1 {
                format!("{}-worker", self.name)
            } else {
                format!("{}-worker{number}", self.name)
            }
        };
        std::iter::once(format!("{}-control-plane", self.name))
            .chain((1..=workers).map(worker))
            .collect()
    }

    /// Writes down all that is about to be made, and makes what is made at once.
    pub(super) async fn plan(
        &self,
        state: &mut ClusterRecord,
        host: &Host,
        options: &UpOptions<'_>,
    ) -> Result<Option<RegistryPlan>, ClusterError> {
        let nodes = self.node_names(options.workers);
        let mut names = nodes.clone();
        let registry = CreatedItem::Registry {
            container: self.registry_name(),
        };
        if !state.made.contains(&registry) {
            names.push(self.registry_name());
        }
        let mut list = self.engine.command();
        list.args(["ps", "--all", "--format", "{{.Names}}"]);
        let there = node::lines(list, "listing containers").await?;
        if let Some(name) = names.iter().find(|name| there.contains(name)) {
            return Err(ClusterError::NotOurs {
                what: format!("the container {name}"),
            });
        }
        let network = CreatedItem::Network {
            name: self.name.clone(),
        };
        if network::list(&self.engine, None)
            .await?
            .contains(&self.name)
        {
            if !state.made.contains(&network) {
                return Err(ClusterError::NotOurs {
                    what: format!("the network {}", self.name),
                });
            }
        } else {
            self.file().record(state, network)?;
            network::create(&self.engine, &self.name, &state.instance).await?;
        }
        if !host.modules || self.file().another_made(&CreatedItem::ModulesFolder) {
            self.file().record(state, CreatedItem::ModulesFolder)?;
            std::fs::create_dir_all(MODULES).map_err(file("making", MODULES))?;
        }
        let start = self.plan_registry(state, options)?;
        self.file().record(state, CreatedItem::Cluster { nodes })?;
        Ok(start)
    }

    fn registry_name(&self) -> String {
        format!("{}-registry", self.name)
    }

    pub(super) fn plan_registry(
        &self,
        state: &mut ClusterRecord,
        options: &UpOptions<'_>,
    ) -> Result<Option<RegistryPlan>, ClusterError> {
        let Some(image) = options.registry_image else {
            return Ok(None);
        };
        let port = match &state.registry {
            Some(registry) => registry.port,
            None => registry::free_port()?,
        };
        let place = RegistryPlace {
            port,
            data: options.registry_data.to_owned(),
        };
        let container = self.registry_name();
        let socket = service::socket(&self.folder, &state.instance);
        self.file().record(
            state,
            CreatedItem::Registry {
                container: container.clone(),
            },
        )?;
        if self.engine.kind == EngineKind::Podman {
            self.file().record(
                state,
                CreatedItem::Service {
                    socket: socket.clone(),
                },
            )?;
        }
        let start = Start {
            image: image.local_name.clone(),
            container,
            network: self.name.clone(),
            port,
            data: place.blobs(),
            instance: state.instance.clone(),
        };
        state.registry = Some(place);
        self.file().save(state)?;
        let helper = match options.helper {
            Some(helper) => helper.to_owned(),
            // Also where its file was replaced since it started: whoever changes the harness builds
            // it while it runs.
            None => process::OWN_PROGRAM.into(),
        };
        Ok(Some((start, socket, helper)))
    }

    /// Runs kind.
    pub(super) async fn create(
        &self,
        state: &ClusterRecord,
        config: &str,
        image: &str,
        options: &UpOptions<'_>,
    ) -> Result<(), ClusterError> {
        let config_file = self.folder.join("kind.yaml");
        std::fs::write(&config_file, config).map_err(file("writing", &config_file))?;
        if options.audit {
            let policy = self.folder.join(AUDIT).join(AUDIT_POLICY);
            std::fs::create_dir_all(self.folder.join(AUDIT))
                .map_err(file("making the folder of", &policy))?;
            std::fs::write(&policy, AUDIT_POLICY_TEXT).map_err(file("writing", &policy))?;
        }
        let log = self.folder.join("kind.log");
        std::fs::write(&log, "").map_err(file("writing", &log))?;
        self.progress.update(
            TASK,
            &format!("kind makes {} of {image}", state.nodes().join(", ")),
        );
        let mut create = self.engine.kind_command(options.kind, &self.name);
        // `cluster down` knows kind by this name, whatever its file is called.
        create.arg0("kind");
        // Failed nodes stay, with their logs.
        create.args([
            "create", "cluster", "--retain", "--wait", "0s", "--name", &self.name, "--image", image,
        ]);
        create
            .arg("--config")
            .arg(&config_file)
            .arg("--kubeconfig")
            .arg(self.kubeconfig());
        process::logged(
            create,
            "making the cluster with kind",
            &log,
            process::TRANSFER,
        )
        .await?;
        self.prefer_control_plane(state).await;
        Ok(())
    }

    /// Gives the control plane most of the processors whenever it asks for them. Nodes share them
    /// evenly otherwise, and a few Rays that start together then keep the API server waiting for so
    /// long that operators lose their leases and end.
    async fn prefer_control_plane(&self, state: &ClusterRecord) {
        let nodes = state.nodes();
        let name = nodes.iter().find(|name| name.ends_with("-control-plane"));
        let Some(name) = name.filter(|_| nodes.len() > 1) else {
            return;
        };
        let mut update = self.engine.command();
        update.args(["update", "--cpu-shares", CONTROL_PLANE_SHARES, name]);
        let doing = "giving the control plane more of the processors";
        // Engines without control groups of their own can't, and do without.
        if let Err(error) = process::output(update, doing, process::CHANGE).await {
            tracing::warn!("{error}");
        }
    }

    /// Connects the Pods where the image does not, and waits for the nodes; tells when Pods on them
    /// reach the API server, and waits on until they can ask for names. Returns the release of
    /// Kubernetes.
    pub(super) async fn ready(
        &self,
        client: &kube::Client,
        state: &ClusterRecord,
        facts: &NodeFacts,
        options: &UpOptions<'_>,
        tell: &watch::Sender<bool>,
    ) -> Result<String, ClusterError> {
        let (count, started) = (state.nodes().len(), Instant::now());
        let left = || options.deadline.saturating_sub(started.elapsed());
        if !facts.default_cni {
            self.progress
                .update(TASK, "connecting the Pods of the nodes");
            let complaint = |node: &_| {
                NodeAddresses::of(node)
                    .map(|_| ())
                    .ok_or_else(|| "a node has no addresses for Pods yet".into())
            };
            let nodes = ready::nodes(
                client,
                count,
                left(),
                "the nodes have no addresses for Pods",
                complaint,
            )
            .await?;
            let places: Vec<NodeAddresses> = nodes.iter().filter_map(NodeAddresses::of).collect();
            network::connect(&self.engine, &places).await?;
        }
        self.progress.update(TASK, "waiting for the nodes");
        ready::nodes(
            client,
            count,
            left(),
            "the nodes are not Ready",
            ready::is_ready,
        )
        .await?;
        let [api_server, names] = ready::service_addresses(client).await?;
        let doing = "waiting until Pods can reach the API server";
        self.in_every_node(state, REACHES, &api_server, left(), doing)
            .await?;
        tell.send_replace(true);
        let doing = "waiting until Pods can ask for names";
        self.in_every_node(state, NAMES, &names, left(), doing)
            .await?;
        ready::version(client).await
    }

    /// Waits until the script `probe` succeeds in every node; each try may take a second.
    async fn in_every_node(
        &self,
        state: &ClusterRecord,
        probe: &str,
        address: &str,
        within: Duration,
        doing: &str,
    ) -> Result<(), ClusterError> {
        let script = format!(
            "tries=0; until {probe}; do tries=$((tries + 1)); [ \"$tries\" -lt \"$2\" ]; sleep 0.1; done"
        );
        let tries = within.as_secs().max(1).to_string();
        // Each try takes at most a second, and the pause after it.
        let limit = within.mul_f64(1.2) + process::INSPECTION;
        let nodes = state.nodes();
        let arguments = [address, tries.as_str()];
        let wait = |node| node::script(&self.engine, node, &script, &arguments, doing, limit);
        try_join_all(nodes.iter().map(|node| wait(node.as_str()))).await?;
        Ok(())
    }

    /// Makes sure that the registry runs and that the nodes know where.
    pub(super) async fn feed(
        &self,
        state: &ClusterRecord,
        plan: Option<&RegistryPlan>,
        options: &UpOptions<'_>,
    ) -> Result<(), ClusterError> {
        let Some((start, socket, helper)) = plan else {
            return Ok(());
        };
        registry::ensure(&self.engine, start, socket, helper).await?;
        let address = registry::address(&self.engine, start).await?;
        for node in state.nodes() {
            registry::mirror(&self.engine, &node, &address, options.upstream).await?;
        }
        Ok(())
    }
}
