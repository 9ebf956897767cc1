//! Container engines: which one answers, and how it is called.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::Command;

use super::error::EngineError;
use super::host::Host;
use super::probe;
use crate::process::{self, ProcessError, replace_file};

/// A kind of container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// podman.
    Podman,
    /// Docker.
    Docker,
}

impl EngineKind {
    /// The program, which is also the name of kind's provider.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }
}

/// A container engine that answered.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Which one.
    pub kind: EngineKind,
    /// Its release.
    pub version: String,
    /// What its program gets beside our own environment.
    pub environment: Vec<(String, String)>,
    /// Where it stores images and containers.
    pub storage: PathBuf,
}

impl Engine {
    /// Asks the engines, Docker first, and takes the first that can run kind's nodes.
    ///
    /// The engine is asked, not the PATH: a docker client without a daemon is common, and so is a
    /// daemon that may not start privileged containers. `state` is the harness's folder; a file for
    /// podman goes there.
    ///
    /// # Errors
    /// When none can be used; the error says of each why, and what to install.
    pub async fn detect(preferred: Option<EngineKind>, state: &Path) -> Result<Self, EngineError> {
        let candidates = preferred.map_or_else(
            || vec![EngineKind::Docker, EngineKind::Podman],
            |kind| vec![kind],
        );
        let mut reasons = Vec::new();
        for kind in candidates {
            let answer = match kind {
                EngineKind::Docker => Self::docker(state).await?,
                EngineKind::Podman => Self::podman(state).await?,
            };
            match answer {
                Ok(engine) => return Ok(engine),
                Err(reason) => reasons.push(format!("{}: {reason}", kind.program())),
            }
        }
        Err(EngineError::None(reasons))
    }

    /// The engine's program with its environment.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = process::command(self.kind.program());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// kind, told to use this engine and a network of ours instead of the one that all kind
    /// clusters share.
    #[must_use]
    pub fn kind_command(&self, kind: &Path, network: &str) -> Command {
        let mut command = process::command(kind);
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("KIND_EXPERIMENTAL_PROVIDER", self.kind.program())
            .env(
                format!(
                    "KIND_EXPERIMENTAL_{}_NETWORK",
                    self.kind.program().to_uppercase()
                ),
                network,
            );
        command
    }

    async fn docker(state: &Path) -> Result<Result<Self, String>, EngineError> {
        let answer = ask("docker", &["version", "--format", "{{json .Server}}"], &[]).await;
        let server = match answer.and_then(|answer| docker_server(&answer)) {
            Ok(server) => server,
            Err(reason) => return Ok(Err(reason)),
        };
        let root = ask("docker", &["info", "--format", "{{.DockerRootDir}}"], &[]).await;
        let engine = Self {
            kind: EngineKind::Docker,
            version: server,
            environment: Vec::new(),
            storage: root.unwrap_or_else(|_| "/var/lib/docker".into()).into(),
        };
        Ok(probe::privileged(|| engine.command(), state)
            .await?
            .map(|()| engine))
    }

    async fn podman(state: &Path) -> Result<Result<Self, String>, EngineError> {
        let version = match ask("podman", &["--version"], &[]).await {
            Ok(answer) => answer.rsplit(' ').next().unwrap_or_default().to_owned(),
            Err(reason) => return Ok(Err(reason)),
        };
        let path = state.join("containers.conf");
        let host = Host::read(state, state);
        write_conf(state, &path, &containers_conf(&host)).map_err(|source| EngineError::File {
            path: path.clone(),
            source,
        })?;
        let environment = vec![(
            conf_variable(&version).to_owned(),
            path.to_string_lossy().into_owned(),
        )];
        let root = ask(
            "podman",
            &["info", "--format", "{{.Store.GraphRoot}}"],
            &environment,
        )
        .await;
        Ok(root.map(|root| Self {
            kind: EngineKind::Podman,
            version,
            environment,
            storage: root.into(),
        }))
    }
}

async fn ask(
    program: &str,
    arguments: &[&str],
    environment: &[(String, String)],
) -> Result<String, String> {
    let mut command = process::command(program);
    command
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    let asked = process::run(command, &format!("asking {program}"), process::INSPECTION).await;
    let output = asked.map_err(|error| match error {
        ProcessError::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            "not installed".to_owned()
        }
        error => error.to_string(),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let written = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(written
        .lines()
        .last()
        .unwrap_or("it failed without a message")
        .to_owned())
}

/// The release of the daemon behind a docker client, of the JSON that it answers about its server.
fn docker_server(answer: &str) -> Result<String, String> {
    let server: Value =
        serde_json::from_str(answer).map_err(|_| format!("unexpected answer `{answer}`"))?;
    let is_podman = server["Components"].as_array().is_some_and(|parts| {
        parts.iter().any(|part| {
            part["Name"]
                .as_str()
                .is_some_and(|name| name.contains("Podman"))
        })
    });
    if is_podman {
        return Err("the docker client connects to podman; kind needs podman's own client".into());
    }
    server["Version"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| "no daemon answers".into())
}

/// The variable that names our containers.conf.
///
/// From podman 5 on it is read after the user's own files, which stay in force. Before, the only
/// way is a file that takes their place, so what the user has set there does not hold for our
/// containers.
fn conf_variable(version: &str) -> &'static str {
    let major: u32 = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .unwrap_or(0);
    if major >= 5 {
        "CONTAINERS_CONF_OVERRIDE"
    } else {
        "CONTAINERS_CONF"
    }
}

/// Writes the settings as a whole: podman of another process may be reading them.
fn write_conf(folder: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    replace_file(path, text.as_bytes(), 0o600)
}

/// Settings of podman for our containers alone.
fn containers_conf(host: &Host) -> String {
    // podman's default of 2048 tasks for a node makes systemd in it give each Pod 307, and Ray then
    // can't start its threads.
    let mut text = String::from(
        "# Written by kuberay-conformance for its own containers.\n[containers]\npids_limit = 0\n",
    );
    if !host.sys_resource {
        // Limits can't be raised above what we have.
        text.push_str("default_ulimits = []\n");
    }
    if host.needs_runc() {
        text.push_str("[engine]\nruntime = \"runc\"\n");
    }
    text
}

#[cfg(test)]
mod tests;
