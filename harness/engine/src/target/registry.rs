//! The local registry that feeds the nodes: started by testcontainers, kept when the harness ends,
//! removed by `cluster down`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::{IntoContainerPort as _, Mount};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{GenericImage, ImageExt as _, ReuseDirective};

use super::error::{ClusterError, file};
use super::kind_config::MIRRORS;
use super::names::{HELPER_NAME, MIRRORED};
use super::network::INSTANCE_LABEL;
use super::service::Api;
use super::{node, push, remove};
use crate::artifact::{ImageMirror, Supply, head_local};
use crate::container::Engine;
use crate::process;

/// Tells a harness process that it is the helper that starts the registry; holds a [`Start`].
const HELPER: &str = "KUBERAY_CONFORMANCE_START_REGISTRY";

/// The port inside the container.
const PORT: u16 = 5000;

/// Longest wait for the answer of a registry that was just started.
const FIRST_WITHIN: Duration = Duration::from_secs(20);

/// Longest wait for the answer of a registry that has answered before.
const AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// The authority of the user's mirrors, beside `hosts.toml` in nodes.
const AUTHORITY: &str = "mirror-ca.crt";

/// The registry that the helper starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) image: String,
    pub(super) container: String,
    pub(super) network: String,
    /// On loopback.
    pub(super) port: u16,
    /// The folder with the registry's blobs.
    pub(super) data: PathBuf,
    pub(super) instance: String,
}

impl Start {
    fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (INSTANCE_LABEL.into(), self.instance.clone()),
            // testcontainers finds a container to use again by its labels, so whatever makes
            // another one is among them.
            (
                "kuberay-conformance.registry".into(),
                push::hash(&[
                    &self.image,
                    &self.port.to_string(),
                    &self.data.to_string_lossy(),
                ]),
            ),
        ])
    }

    fn label(&self) -> String {
        let labels = self.labels();
        let (name, value) = labels.iter().next_back().expect("it has labels");
        format!("{name}={value}")
    }
}

/// To be called first by `main`: when this process was started by
/// [`KindCluster::up`](super::KindCluster::up) only to start the registry, does so and returns the
/// exit code; else returns `None`.
///
/// A process of its own, because testcontainers takes the engine's address from its environment,
/// and a process that runs threads can't safely change its own.
#[must_use]
pub fn registry_helper() -> Option<ExitCode> {
    let text = std::env::var(HELPER).ok()?;
    let run = || -> Result<(), Box<dyn std::error::Error>> {
        let start: Start = serde_json::from_str(&text)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(run_container(&start))?;
        Ok(())
    };
    Some(match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

async fn run_container(start: &Start) -> Result<(), testcontainers::TestcontainersError> {
    let (name, tag) = start
        .image
        .rsplit_once(':')
        .unwrap_or((&start.image, "latest"));
    let bindings = [(
        format!("{PORT}/tcp"),
        Some(vec![PortBinding {
            host_ip: Some("127.0.0.1".into()),
            host_port: Some(start.port.to_string()),
        }]),
    )];
    // testcontainers publishes on every address; nobody but this machine may push.
    GenericImage::new(name, tag)
        .with_exposed_port(PORT.tcp())
        .with_container_name(&start.container)
        .with_network(&start.network)
        .with_labels(start.labels())
        .with_mount(Mount::bind_mount(
            start.data.to_string_lossy(),
            "/var/lib/registry",
        ))
        .with_host_config_modifier(move |config| {
            config.publish_all_ports = Some(false);
            config.port_bindings = Some(bindings.clone().into());
        })
        .with_reuse(ReuseDirective::Always)
        .start()
        .await?;
    Ok(())
}

/// Makes sure that the registry runs and answers. Its names must stand in the state file already.
pub(super) async fn ensure(
    engine: &Engine,
    start: &Start,
    socket: &Path,
    helper: &Path,
) -> Result<(), ClusterError> {
    let data = &start.data;
    std::fs::create_dir_all(data).map_err(file("making", data))?;
    let runs = node::containers(engine, &start.label(), true)
        .await?
        .contains(&start.container);
    if runs {
        if answers(engine, start, AGAIN_WITHIN).await.is_ok() {
            return Ok(());
        }
        // After a crash of the machine an engine may take a container for running whose processes
        // are gone.
        remove::containers(engine, std::slice::from_ref(&start.container)).await?;
    } else {
        remove_outdated(engine, start).await?;
    }
    start_it(engine, start, socket, helper).await?;
    answers(engine, start, FIRST_WITHIN).await
}

async fn start_it(
    engine: &Engine,
    start: &Start,
    socket: &Path,
    helper: &Path,
) -> Result<(), ClusterError> {
    let api = Api::open(engine, socket).await?;
    let text =
        serde_json::to_string(start).map_err(|error| ClusterError::Registry(error.to_string()))?;
    let mut command = process::command(helper);
    command.arg0(HELPER_NAME).arg(&start.instance);
    command
        .env(HELPER, text)
        .envs(api.address.iter().map(|address| ("DOCKER_HOST", address)));
    process::output(command, "starting the local registry", process::CHANGE).await?;
    Ok(())
}

/// Removes a registry of ours with another image, port or folder.
async fn remove_outdated(engine: &Engine, start: &Start) -> Result<(), ClusterError> {
    let ours = node::containers(
        engine,
        &format!("{INSTANCE_LABEL}={}", start.instance),
        false,
    )
    .await?;
    let current = node::containers(engine, &start.label(), false).await?;
    if ours.contains(&start.container) && !current.contains(&start.container) {
        remove::containers(engine, std::slice::from_ref(&start.container)).await?;
    }
    Ok(())
}

async fn answers(engine: &Engine, start: &Start, within: Duration) -> Result<(), ClusterError> {
    let started = Instant::now();
    loop {
        let problem = match head_local(start.port, "/v2/", "*/*").await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("it answers {}", answer.status()),
            Err(error) => error.to_string(),
        };
        if started.elapsed() > within {
            let mut logs = engine.command();
            logs.args(["logs", "--tail=5", &start.container]);
            let logs = process::output(logs, "reading its log", process::INSPECTION)
                .await
                .unwrap_or_else(|error| error.to_string());
            return Err(ClusterError::Registry(format!(
                "after {} s {problem}; its log: {logs}",
                within.as_secs()
            )));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A port of loopback that nobody listens on now.
pub(super) fn free_port() -> Result<u16, ClusterError> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
    let address = listener.and_then(|listener| listener.local_addr());
    Ok(address
        .map_err(|error| ClusterError::Registry(format!("no free port on loopback: {error}")))?
        .port())
}

/// Configures a node to pull the images of mirrored registries from the local registry, at its
/// address on the network, and images that it lacks from the user's mirrors.
pub(super) async fn mirror(
    engine: &Engine,
    node: &str,
    address: &str,
    upstream: bool,
) -> Result<(), ClusterError> {
    let supply = Supply::of_process();
    let others = supply.mirrors().iter().map(|mirror| &*mirror.registry);
    let others = others.filter(|registry| !MIRRORED.contains(registry));
    for registry in MIRRORED.into_iter().chain(others) {
        let folder = format!("{MIRRORS}/{registry}");
        let hosts = Hosts {
            registry,
            local: MIRRORED.contains(&registry).then_some(address),
            upstream,
            mirror: supply.mirror(registry),
            has_authority: supply.authority().is_some(),
        };
        let authority = supply.authority().filter(|_| hosts.mirror.is_some());
        let text = hosts.toml();
        let script = r#"mkdir -p "$1"; printf '%s' "$2" > "$1/.hosts" && mv "$1/.hosts" "$1/hosts.toml"
            if [ -n "$3" ]; then printf '%s' "$3" > "$1/$4"; fi"#;
        node::script(
            engine,
            node,
            script,
            &[&folder, &text, authority.unwrap_or_default(), AUTHORITY],
            "naming the local registry",
            process::CHANGE,
        )
        .await?;
    }
    Ok(())
}

/// The registry's address on the network of the nodes.
pub(super) async fn address(engine: &Engine, start: &Start) -> Result<String, ClusterError> {
    let mut inspect = engine.command();
    let format = format!(
        "{{{{(index .NetworkSettings.Networks \"{}\").IPAddress}}}}",
        start.network
    );
    inspect.args([
        "container",
        "inspect",
        "--format",
        &format,
        &start.container,
    ]);
    let address = process::output(
        inspect,
        "asking for the local registry's address",
        process::INSPECTION,
    )
    .await?;
    Ok(format!("{}:{PORT}", address.trim()))
}

/// Where nodes find the images of a registry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hosts<'a> {
    /// The public registry.
    pub(super) registry: &'a str,
    /// Host and port of ours, which is asked first; `None` where it never has images of this
    /// registry.
    pub(super) local: Option<&'a str>,
    /// Whether the public registry is asked for what ours lacks.
    pub(super) upstream: bool,
    /// The user's mirror, which takes the place of the public registry.
    pub(super) mirror: Option<&'a ImageMirror>,
    /// Whether the node has the file [`AUTHORITY`].
    pub(super) has_authority: bool,
}

impl Hosts<'_> {
    /// The text of containerd's `hosts.toml`. Each registry has a folder of its own in ours, so
    /// that equal names from two registries stay apart.
    pub(super) fn toml(&self) -> String {
        const ASKED: &str = "capabilities = [\"pull\", \"resolve\"]\noverride_path = true\n";
        let registry = self.registry;
        let ours = self
            .local
            .map(|address| format!("http://{address}/v2/{registry}"));
        let mirrored = self.mirror.map(|mirror| {
            let mut asked = ASKED.to_owned();
            if self.has_authority {
                asked.push_str(&format!("ca = \"{MIRRORS}/{registry}/{AUTHORITY}\"\n"));
            }
            (mirror.address(), asked)
        });
        // The server is asked last. Ours is the server, too, where no other shall be asked: an
        // image that it lacks is missing at once, where asking the public registry from a machine
        // that can't reach it takes long.
        let last = match (&mirrored, &ours) {
            (Some(mirrored), _) => Some(mirrored.clone()),
            (None, Some(ours)) if !self.upstream => Some((ours.clone(), ASKED.to_owned())),
            _ => None,
        };
        let mut text = match &last {
            Some((server, asked)) => format!("server = \"{server}\"\n{asked}"),
            None => String::new(),
        };
        // containerd 1.6 wants a host in any case.
        let first = ours.map(|ours| (ours, ASKED.to_owned())).or(mirrored);
        if let Some((host, asked)) = first {
            text.push_str(&format!("[host.\"{host}\"]\n{asked}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use assertables::assert_starts_with;

    use super::*;

    const OURS: &str = "capabilities = [\"pull\", \"resolve\"]\noverride_path = true\n";

    fn hosts(upstream: bool, mirror: Option<&ImageMirror>) -> Hosts<'_> {
        Hosts {
            registry: "quay.io",
            local: Some("10.89.0.2:5000"),
            upstream,
            mirror,
            has_authority: false,
        }
    }

    #[test]
    fn nodes_ask_the_local_registry_first_or_alone() {
        let first = format!("[host.\"http://10.89.0.2:5000/v2/quay.io\"]\n{OURS}");
        assert_eq!(hosts(true, None).toml(), first);
        assert_eq!(
            hosts(false, None).toml(),
            format!("server = \"http://10.89.0.2:5000/v2/quay.io\"\n{OURS}{first}")
        );
    }

    #[test]
    fn a_mirror_takes_the_place_of_the_public_registry() {
        let mirror = "quay.io=mirror.example.com/quay".parse().unwrap();
        let first = format!("[host.\"http://10.89.0.2:5000/v2/quay.io\"]\n{OURS}");
        let server = format!("server = \"https://mirror.example.com/v2/quay\"\n{OURS}");
        for upstream in [true, false] {
            let text = hosts(upstream, Some(&mirror)).toml();
            assert_eq!(text, format!("{server}{first}"));
        }
        let other = Hosts {
            registry: "gcr.io",
            local: None,
            has_authority: true,
            ..hosts(true, Some(&mirror))
        };
        let trusted = format!("{OURS}ca = \"/etc/containerd/certs.d/gcr.io/mirror-ca.crt\"\n");
        assert_eq!(
            other.toml(),
            format!(
                "server = \"https://mirror.example.com/v2/quay\"\n{trusted}[host.\"https://mirror.example.com/v2/quay\"]\n{trusted}"
            )
        );
    }

    #[test]
    fn another_image_port_or_folder_is_another_registry() {
        let start = Start {
            image: "localhost/x:1".into(),
            container: "a-registry".into(),
            network: "a".into(),
            port: 5001,
            data: "/d".into(),
            instance: "i".into(),
        };
        assert_starts_with!(start.label(), "kuberay-conformance.registry=");
        assert_ne!(
            start.label(),
            Start {
                port: 5002,
                ..start.clone()
            }
            .label()
        );
        assert_ne!(
            start.label(),
            Start {
                image: "localhost/x:2".into(),
                ..start.clone()
            }
            .label()
        );
        assert_eq!(start.label(), start.clone().label());
    }

    #[test]
    fn a_free_port_can_be_had() {
        assert_ne!(free_port().unwrap(), 0);
    }
}
