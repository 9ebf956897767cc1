//! One etcd, and an API server for each release beside it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kube::Client;

use super::super::error::ClusterError;
use super::super::ready;
use super::arguments::{self, Audit, Authorization};
use super::certificates::{ADDRESS, Credentials};
use super::folder::Folder;
use super::objects::{Keys, StoredObjects};
use crate::process::{FirstEnd, Start, Supervised, last_lines};
use crate::progress::Progress;

/// Longest time until a program serves; machines that compile beside it are slow.
const SERVES_WITHIN: Duration = Duration::from_mins(2);
/// Interval between two requests to a starting program, which can't report that it serves.
const INTERVAL: Duration = Duration::from_millis(20);
/// API servers collect garbage a fourth as often as Go programs do, which spares a sixth of their
/// CPU time; the limit keeps seven of them on a machine with 8 GiB (docs/benchmarks.md).
const GARBAGE: [(&str, &str); 2] = [("GOGC", "400"), ("GOMEMLIMIT", "700MiB")];
/// Number of further ports to try where another program has taken one.
const PORTS_TRIED: usize = 5;

/// The programs and options of a control plane.
#[derive(Clone, Copy)]
pub struct ControlPlaneOptions<'a> {
    /// The etcd program.
    pub etcd: &'a Path,
    /// The harness's own folder, in which the control plane gets its own.
    pub state: &'a Path,
    /// A program whose `main` calls [`supervisor`](crate::process::supervisor).
    pub helper: &'a Path,
    /// Where it is told what killed runs have left.
    pub progress: &'a dyn Progress,
}

/// etcd, credentials and a folder; all gone when this is dropped.
#[derive(Debug)]
pub struct ControlPlane {
    // In this order: programs end before their folder goes.
    etcd: Supervised,
    port: u16,
    credentials: Credentials,
    helper: PathBuf,
    first_end: FirstEnd,
    folder: Folder,
}

/// An API server that answers.
pub struct ApiServer {
    /// A client of it.
    pub client: Client,
    /// A kubeconfig file for it.
    pub kubeconfig: PathBuf,
    /// Its release, as it says itself.
    pub kubernetes: String,
    /// A folder of its own, which goes with the control plane.
    pub folder: PathBuf,
    /// The audit log, a line of JSON for each request, where it writes one.
    pub audit: Option<PathBuf>,
    process: Supervised,
}

impl ControlPlane {
    /// Starts etcd.
    ///
    /// # Errors
    /// When it does not come to serve; the error holds its last lines.
    pub async fn start(options: ControlPlaneOptions<'_>) -> Result<Self, ClusterError> {
        let folder = Folder::make(options.state, options.progress).await?;
        let credentials = Credentials::make(folder.path())?;
        let first_end = FirstEnd::default();
        let log = folder.path().join("etcd.log");
        let data = folder.path().join("etcd");
        let (etcd, port) = on_free_ports::<2, ()>(&first_end, async |[client, peer], first_end| {
            let start = Start {
                name: "etcd".into(),
                program: options.etcd,
                arguments: arguments::etcd(&data, client, peer, &credentials),
                env: BTreeMap::new(),
                log: &log,
                helper: options.helper,
            };
            let process = Supervised::start(start, first_end)?;
            let listens = async || {
                let connected = tokio::net::TcpStream::connect((ADDRESS, client)).await;
                connected.map(|_| ()).map_err(|error| error.to_string())
            };
            let outcome = until_it_serves("etcd", &process, listens).await;
            Ok((process, client, outcome))
        })
        .await
        .map(|(process, port, ())| (process, port))?;
        Ok(Self {
            etcd,
            port,
            credentials,
            helper: options.helper.into(),
            first_end,
            folder,
        })
    }

    /// The first end of etcd, an API server or an operator of this control plane.
    #[must_use]
    pub fn first_end(&self) -> &FirstEnd {
        &self.first_end
    }

    /// The program through which others are started.
    #[must_use]
    pub fn helper(&self) -> &Path {
        &self.helper
    }

    /// Starts an API server of its own objects; `name` tells it from the others.
    ///
    /// # Errors
    /// When it does not come to serve; the error holds its last lines.
    pub async fn api_server(&self, program: &Path, name: &str) -> Result<ApiServer, ClusterError> {
        self.server(program, name, Authorization::Everything).await
    }

    /// Starts an API server that asks roles who may do what, and writes an audit log; its client is
    /// an administrator.
    ///
    /// # Errors
    /// As [`Self::api_server`].
    pub async fn api_server_with_roles(
        &self,
        program: &Path,
        name: &str,
    ) -> Result<ApiServer, ClusterError> {
        self.server(program, name, Authorization::Roles).await
    }

    async fn server(
        &self,
        program: &Path,
        name: &str,
        authorization: Authorization,
    ) -> Result<ApiServer, ClusterError> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder).map_err(super::super::error::file("making", &folder))?;
        let (log, kubeconfig) = (folder.join("kube-apiserver.log"), folder.join("kubeconfig"));
        let audit = match authorization {
            Authorization::Everything => None,
            Authorization::Roles => Some(audited(&folder)?),
        };
        let called = format!("kube-apiserver of {name}");
        let (process, _, (client, kubernetes)) =
            on_free_ports(&self.first_end, async |[port], first_end| {
                let text = self.credentials.kubeconfig(port);
                std::fs::write(&kubeconfig, text)
                    .map_err(super::super::error::file("writing", &kubeconfig))?;
                let client = ready::client(&kubeconfig).await?;
                let credentials = &self.credentials;
                let mut arguments =
                    arguments::api_server(port, self.port, name, authorization, credentials);
                arguments.extend(audit.iter().flat_map(arguments::audit));
                let start = Start {
                    name: called.clone(),
                    program,
                    arguments,
                    env: self.environment(),
                    log: &log,
                    helper: &self.helper,
                };
                let process = Supervised::start(start, first_end)?;
                let serves = async || {
                    let request = http::Request::get("/readyz")
                        .body(Vec::new())
                        .map_err(|error| error.to_string())?;
                    let answer = client.request_text(request).await;
                    answer.map(|_| ()).map_err(|error| error.to_string())
                };
                let outcome = until_it_serves(&called, &process, serves).await;
                let outcome = match outcome {
                    Ok(()) => Ok((client.clone(), ready::version(&client).await?)),
                    Err(problem) => Err(problem),
                };
                Ok((process, port, outcome))
            })
            .await?;
        Ok(ApiServer {
            client,
            kubeconfig,
            kubernetes,
            folder,
            audit: audit.map(|audit| audit.log),
            process,
        })
    }

    /// Puts CRDs where the API server of this name will look for them when it starts.
    ///
    /// # Errors
    /// When etcd refuses.
    pub async fn put_crds(&self, name: &str, crds: &StoredObjects) -> Result<(), ClusterError> {
        self.keys()
            .await?
            .put(&arguments::crds_of(name), crds)
            .await
    }

    /// The CRDs as the API server of this name has stored them.
    ///
    /// # Errors
    /// When etcd does not answer.
    pub async fn crds(&self, name: &str) -> Result<StoredObjects, ClusterError> {
        self.keys().await?.get(&arguments::crds_of(name)).await
    }

    async fn keys(&self) -> Result<Keys, ClusterError> {
        let kubeconfig = self.folder.path().join("etcd.kubeconfig");
        let text = self.credentials.kubeconfig(self.port);
        std::fs::write(&kubeconfig, text)
            .map_err(super::super::error::file("writing", &kubeconfig))?;
        Keys::new(&kubeconfig).await
    }

    fn environment(&self) -> BTreeMap<String, String> {
        // client-go keeps small things below the home folder.
        let home = self.folder.path().display().to_string();
        let mut environment = BTreeMap::from([("HOME".to_owned(), home)]);
        environment.extend(GARBAGE.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment
    }

    /// Ends etcd and removes the folder. API servers are to be stopped first.
    pub async fn stop(self) {
        self.etcd.stop().await;
    }

    /// Ids of the processes, and the folder, for those who look after it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl ApiServer {
    /// Ends it.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// Writes the policy of an audit log into a folder.
fn audited(folder: &Path) -> Result<Audit, ClusterError> {
    let audit = Audit {
        policy: folder.join("audit-policy.yaml"),
        log: folder.join("audit.log"),
    };
    std::fs::write(&audit.policy, arguments::AUDIT_POLICY)
        .map_err(super::super::error::file("writing", &audit.policy))?;
    Ok(audit)
}

/// The outcome of a start: the process, its port, and whether it serves.
type Started<T> = (Supervised, u16, Result<T, ClusterError>);

/// Starts a program on ports that were free a moment ago, again on others where somebody else took
/// one in between.
async fn on_free_ports<const N: usize, T>(
    first_end: &FirstEnd,
    mut start: impl AsyncFnMut([u16; N], &FirstEnd) -> Result<Started<T>, ClusterError>,
) -> Result<(Supervised, u16, T), ClusterError> {
    let mut tried = 0;
    loop {
        tried += 1;
        // The error reports a process that ends while it starts. A port that another process took
        // first is no error: the loop tries again.
        let own = FirstEnd::default();
        let (process, port, outcome) = start(free_ports()?, &own).await?;
        match outcome {
            Ok(found) => {
                let first_end = first_end.clone();
                tokio::spawn(async move { first_end.report(own.ended().await) });
                return Ok((process, port, found));
            }
            Err(_) if tried < PORTS_TRIED && lost_the_port(&process) => process.stop().await,
            Err(error) => return Err(error),
        }
    }
}

fn lost_the_port(process: &Supervised) -> bool {
    last_lines(process.log(), 20)
        .iter()
        .any(|line| line.contains("address already in use"))
}

/// Ports of loopback that nobody listens on now; all different, because all are held until the last
/// is known.
fn free_ports<const N: usize>() -> Result<[u16; N], ClusterError> {
    let no_port = |error: std::io::Error| ClusterError::Program {
        name: "an API server".into(),
        problem: format!("no free port on loopback: {error}"),
    };
    let listeners: Vec<TcpListener> = (0..N)
        .map(|_| TcpListener::bind((ADDRESS, 0)))
        .collect::<Result<_, _>>()
        .map_err(no_port)?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr().map_err(no_port)?.port();
    }
    Ok(ports)
}

async fn until_it_serves(
    name: &str,
    process: &Supervised,
    serves: impl AsyncFn() -> Result<(), String>,
) -> Result<(), ClusterError> {
    let started = Instant::now();
    let problem = |problem: String| ClusterError::Program {
        name: name.into(),
        problem,
    };
    let mut ended = std::pin::pin!(process.ended());
    loop {
        let answer = tokio::select! {
            cause = &mut ended => return Err(problem(format!("it ended before it served: {cause}"))),
            answer = serves() => answer,
        };
        let Err(seen) = answer else { return Ok(()) };
        if started.elapsed() >= SERVES_WITHIN {
            let seconds = SERVES_WITHIN.as_secs();
            return Err(problem(format!(
                "it did not serve within {seconds} s; last answer: {seen}"
            )));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_free_and_different() {
        let ports: [u16; 8] = free_ports().unwrap();
        let different: std::collections::BTreeSet<_> = ports.iter().collect();
        assert_eq!(different.len(), ports.len());
        for port in ports {
            TcpListener::bind((ADDRESS, port)).unwrap();
        }
    }
}
