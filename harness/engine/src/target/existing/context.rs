//! A kubeconfig context that the user names, and a client for its cluster.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Namespace;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};

use super::permissions::{self, PermissionError};
use super::purpose::refusal;
use crate::scenario::files::open_regular;
use crate::target::ready;

/// The name that means the cluster in which the harness itself runs as a Pod.
pub const IN_CLUSTER: &str = "in-cluster";

/// Which cluster is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextOptions {
    /// Name of the context, or [`IN_CLUSTER`].
    pub name: String,
    /// The kubeconfig; `$KUBECONFIG`, else `~/.kube/config` when absent.
    pub kubeconfig: Option<PathBuf>,
    /// The context that may be used although it does not look like one of a test cluster.
    pub allowed: Option<String>,
}

/// A reason why the cluster of a context can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The kubeconfig can't be read.
    #[error("reading the kubeconfig{}: {source}; name another with --kubeconfig", of(.path.as_ref()))]
    Kubeconfig {
        /// The file; none where it is the user's own.
        path: Option<PathBuf>,
        /// The problem.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It has no such context.
    #[error("the kubeconfig has no context `{name}`; it has {}", .known.join(", "))]
    Unknown {
        /// The name that was given.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// It does not look like one for tests.
    #[error(
        "the context `{name}` is refused: {why}. Scenarios create namespaces, RayClusters and Pods in it; to allow that, \
         add --allow-context {name}"
    )]
    Refused {
        /// Its name.
        name: String,
        /// The reason.
        why: String,
    },
    /// `--allow-context` names another.
    #[error(
        "--allow-context names `{allowed}`, but --context names `{name}`; the same name is wanted twice"
    )]
    AllowsAnother {
        /// The context.
        name: String,
        /// The context that `--allow-context` names.
        allowed: String,
    },
    /// The harness runs in no Pod.
    #[error(
        "--context {IN_CLUSTER} is for the harness as a Pod, and it finds no ServiceAccount here: {0}; `job submit` makes a Job that runs it"
    )]
    NotInCluster(String),
    /// The API server does not answer.
    #[error("the API server of the context `{name}` ({server}) does not answer: {source}")]
    Unreachable {
        /// The context.
        name: String,
        /// Its address.
        server: String,
        /// The cause.
        source: Box<kube::Error>,
    },
}

fn of(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" {}", path.display()))
        .unwrap_or_default()
}

/// A cluster that somebody else made.
#[derive(Clone)]
pub struct Existing {
    /// A client for it.
    pub client: Client,
    /// Name of its context.
    pub context: String,
    /// Address of its API server.
    pub server: String,
    /// Release of Kubernetes, as the API server says it.
    pub kubernetes: String,
}

impl Existing {
    /// Asks whether the context may do all that a run does.
    ///
    /// # Errors
    /// When it may not, with what is missing.
    pub async fn check_permissions(&self) -> Result<(), PermissionError> {
        permissions::check(&self.client).await
    }

    /// Returns what identifies the cluster, and changes with an upgrade of Kubernetes: its
    /// context, its address, the uid of its namespace `kube-system`, and its release of Kubernetes.
    ///
    /// # Errors
    /// Fails when the API server does not tell the uid.
    pub async fn identity(&self) -> Result<String, kube::Error> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let uid = namespaces.get_metadata("kube-system").await?.metadata.uid;
        Ok(format!(
            "the cluster of the context {} ({}, Kubernetes {}, uid {})",
            self.context,
            self.server,
            self.kubernetes,
            uid.unwrap_or_default()
        ))
    }

    /// Reads the context, refuses one that does not look like a test cluster's unless it is allowed
    /// by name, and asks the API server for its release.
    ///
    /// # Errors
    /// See [`ContextError`].
    pub async fn connect(options: &ContextOptions) -> Result<Self, ContextError> {
        let config = config(options).await?;
        let (name, server) = (options.name.clone(), config.cluster_url.to_string());
        let unreachable = |source| ContextError::Unreachable {
            name: name.clone(),
            server: server.clone(),
            source: Box::new(source),
        };
        let client = ready::client_of_user(config).await.map_err(unreachable)?;
        let version = client.apiserver_version().await.map_err(unreachable)?;
        Ok(Self {
            client,
            context: name,
            server,
            kubernetes: version.git_version,
        })
    }
}

async fn config(options: &ContextOptions) -> Result<Config, ContextError> {
    let name = &options.name;
    if let Some(allowed) = options.allowed.as_ref().filter(|allowed| *allowed != name) {
        return Err(ContextError::AllowsAnother {
            name: name.clone(),
            allowed: allowed.clone(),
        });
    }
    if name == IN_CLUSTER && options.kubeconfig.is_none() {
        return Config::incluster().map_err(|error| ContextError::NotInCluster(error.to_string()));
    }
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| ContextError::Kubeconfig {
        path: options.kubeconfig.clone(),
        source,
    };
    let read = read(options.kubeconfig.as_deref()).map_err(wrong)?;
    let known: Vec<String> = read
        .contexts
        .iter()
        .map(|context| context.name.clone())
        .collect();
    let context = read.contexts.iter().find(|context| context.name == *name);
    let context = context.ok_or_else(|| ContextError::Unknown {
        name: name.clone(),
        known,
    })?;
    let cluster = context
        .context
        .as_ref()
        .map(|context| context.cluster.clone());
    let cluster = cluster.unwrap_or_default();
    let choice = KubeConfigOptions {
        context: Some(name.clone()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(read, &choice).await;
    let config = config.map_err(|error| wrong(error.into()))?;
    if options.allowed.is_none()
        && let Some(why) = refusal(&[name, &cluster], &config.cluster_url.to_string())
    {
        return Err(ContextError::Refused {
            name: name.clone(),
            why,
        });
    }
    Ok(config)
}

/// A cluster that is only read.
#[derive(Clone)]
pub struct ReadOnly {
    /// A client for it.
    pub client: Client,
    /// The namespace of the context.
    pub namespace: String,
}

impl ReadOnly {
    /// Reads a context of a kubeconfig; the current one, and the user's own file, where absent. It
    /// sends nothing.
    ///
    /// # Errors
    /// See [`ContextError`].
    pub async fn connect(
        context: Option<&str>,
        kubeconfig: Option<&Path>,
    ) -> Result<Self, ContextError> {
        let config = match context {
            Some(name) => {
                let options = ContextOptions {
                    name: name.into(),
                    kubeconfig: kubeconfig.map(Path::to_path_buf),
                    allowed: Some(name.into()),
                };
                config(&options).await?
            }
            None => current(kubeconfig).await?,
        };
        let server = config.cluster_url.to_string();
        let namespace = config.default_namespace.clone();
        let client = ready::client_of_user(config).await;
        let client = client.map_err(|source| ContextError::Unreachable {
            name: context.unwrap_or("the current one").into(),
            server,
            source: Box::new(source),
        })?;
        Ok(Self { client, namespace })
    }
}

/// The current context of a kubeconfig, or the ServiceAccount of a Pod.
async fn current(kubeconfig: Option<&Path>) -> Result<Config, ContextError> {
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| ContextError::Kubeconfig {
        path: kubeconfig.map(Path::to_path_buf),
        source,
    };
    let Some(path) = kubeconfig else {
        let files = user_files().try_for_each(|file| whole_characters(&file));
        files.map_err(wrong)?;
        return Config::infer().await.map_err(|error| wrong(error.into()));
    };
    let read = read(Some(path)).map_err(wrong)?;
    let choice = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(read, &choice).await;
    config.map_err(|error| wrong(error.into()))
}

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Reads a kubeconfig; that of the user where none is named.
fn read(kubeconfig: Option<&Path>) -> Result<Kubeconfig, Problem> {
    if let Some(path) = kubeconfig {
        whole_characters(path)?;
        return Ok(Kubeconfig::read_from(path)?);
    }
    user_files().try_for_each(|file| whole_characters(&file))?;
    Ok(Kubeconfig::read()?)
}

/// The files that kube reads where none is named.
fn user_files() -> impl Iterator<Item = PathBuf> {
    let named = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty());
    let own = || std::env::home_dir().map(|home| home.join(".kube/config"));
    let files: Vec<PathBuf> = match named {
        Some(list) => std::env::split_paths(&list).collect(),
        None => own().into_iter().collect(),
    };
    files.into_iter()
}

/// Refuses a file in UTF-16 that ends within a character: kube 5.0 panics there. A pipe, which can
/// be read once, is left to kube.
fn whole_characters(path: &Path) -> Result<(), Problem> {
    let Ok(mut file) = open_regular(path) else {
        return Ok(());
    };
    let mut start = [0; 2];
    let is_wide =
        file.read_exact(&mut start).is_ok() && matches!(start, [0xff, 0xfe] | [0xfe, 0xff]);
    if is_wide && !file.metadata()?.len().is_multiple_of(2) {
        return Err("it is UTF-16 and ends within a character; save it as UTF-8".into());
    }
    Ok(())
}

#[cfg(test)]
mod mutated;

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const TEXT: &str = "\
apiVersion: v1
kind: Config
clusters:
- {name: ray-1, cluster: {server: 'https://api.example.com'}}
- {name: kind-ray, cluster: {server: 'https://127.0.0.1:6443'}}
contexts:
- {name: team, context: {cluster: ray-1, user: me}}
- {name: kind-ray, context: {cluster: kind-ray, user: me}}
users:
- {name: me, user: {}}
current-context: kind-ray
";

    fn kubeconfig(folder: &std::path::Path) -> PathBuf {
        let path = folder.join("config");
        std::fs::write(&path, TEXT).unwrap();
        path
    }

    async fn outcome(name: &str, allowed: Option<&str>) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let options = ContextOptions {
            name: name.into(),
            kubeconfig: Some(kubeconfig(folder.path())),
            allowed: allowed.map(str::to_owned),
        };
        let config = config(&options).await;
        config
            .map(|config| config.cluster_url.to_string())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn only_what_looks_like_a_test_cluster_is_used_unless_it_is_allowed_by_name() {
        assert_eq!(
            outcome("kind-ray", None).await.as_deref(),
            Ok("https://127.0.0.1:6443/")
        );
        let refused = outcome("team", None).await.unwrap_err();
        assert!(refused.contains("`team` is refused"), "{refused}");
        assert!(refused.contains("--allow-context team"), "{refused}");
        assert_eq!(
            outcome("team", Some("team")).await.as_deref(),
            Ok("https://api.example.com/")
        );
        let another = outcome("team", Some("kind-ray")).await.unwrap_err();
        assert!(
            another.contains("the same name is wanted twice"),
            "{another}"
        );
    }

    #[tokio::test]
    async fn an_unknown_context_is_told_with_those_that_there_are() {
        let error = outcome("tema", None).await.unwrap_err();
        assert_eq!(
            error,
            "the kubeconfig has no context `tema`; it has team, kind-ray"
        );
    }
}
