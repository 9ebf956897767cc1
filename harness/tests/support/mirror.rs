//! A company's mirror on loopback: distribution's registry and a file server behind one server that
//! terminates TLS with an authority of its own, asks for a login where a test wants that, and gets
//! faults.

pub mod built;
pub mod company;
mod fill;
mod front;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::report::Silent;
use tokio_rustls::TlsAcceptor;

use super::tls;
use fill::Pushed;

/// The login that the mirror accepts where it asks for one.
pub const LOGIN: (&str, &str) = ("robot", "c4n4ry-V4lue-of-the-mirror");

/// What becomes of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// They are answered.
    #[default]
    None,
    /// Manifests are others than those that were copied.
    OtherManifest,
    /// Answers with large blobs end in the middle.
    CutBlob,
    /// Manifests are never sent.
    Stall,
    /// Files with checksums hold another one.
    OtherChecksum,
    /// Registry and file server want a login.
    Login,
}

/// A mirror; it ends with this.
pub struct Mirror {
    /// Host and port.
    pub host: String,
    /// The file with its authority.
    pub authority: PathBuf,
    folder: PathBuf,
    /// Where the registry itself listens, without TLS.
    registry_port: u16,
    registry: Child,
    front: Option<tokio::runtime::Runtime>,
    fault: Arc<Mutex<Fault>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    /// Starts an empty mirror that keeps its data in this folder.
    pub fn start(folder: &Path) -> Self {
        let folder = folder.join("mirror");
        std::fs::create_dir_all(folder.join("files")).unwrap();
        let (registry, registry_port) = start_registry(&folder);
        let authority = folder.join("authority.pem");
        let acceptor = acceptor(&authority);
        let fault = Arc::new(Mutex::new(Fault::None));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let front = front::Front {
            files: folder.join("files"),
            registry_port,
            fault: Arc::clone(&fault),
            asked: Arc::clone(&asked),
        };
        runtime.spawn(front.serve(listener, acceptor));
        Self {
            host: format!("127.0.0.1:{port}"),
            authority,
            folder,
            registry_port,
            registry,
            front: Some(runtime),
            fault,
            asked,
        }
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// The paths that were asked for until now.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Where the mirror of a registry keeps its images.
    pub fn location(&self, registry: &str) -> String {
        format!("{}/company/{registry}", self.host)
    }

    /// The address that takes the place of a public server's.
    pub fn files(&self, public: &str) -> String {
        let host = public.trim_start_matches("https://");
        format!("https://{}/files/{host}", self.host)
    }

    /// The program with an empty cache, without login files, with no way to any other server, and
    /// without Go.
    pub fn program(folder: &Path) -> Command {
        let home = folder.join("home");
        std::fs::create_dir_all(&home).unwrap();
        let mut command = super::program();
        for variable in [
            "REGISTRY_AUTH_FILE",
            "XDG_RUNTIME_DIR",
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "DOCKER_CONFIG",
            "GOPROXY",
            "https_proxy",
            "no_proxy",
            "ALL_PROXY",
        ] {
            command.env_remove(variable);
        }
        command
            .current_dir(folder)
            .env("HOME", &home)
            .env("PATH", "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("KUBERAY_CONFORMANCE_CACHE", folder.join("cache"))
            // Nobody listens there: what does not go to the mirror fails at once.
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("NO_PROXY", "127.0.0.1");
        command
    }

    /// Ends the mirror, as a network cable does.
    pub fn stop(&mut self) {
        if let Some(front) = self.front.take() {
            front.shutdown_background();
        }
        let _ = self.registry.kill();
        let _ = self.registry.wait();
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The registry that the project builds, on a port of its own.
fn start_registry(folder: &Path) -> (Child, u16) {
    let programs = Programs::new(
        Store::open().unwrap(),
        SourcePolicy::Build,
        Arc::new(Silent),
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let program = runtime
        .block_on(programs.module_program("registry"))
        .unwrap();
    let port = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let configuration = folder.join("registry.yaml");
    let text = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n",
        folder.join("registry").display()
    );
    std::fs::write(&configuration, text).unwrap();
    let log = std::fs::File::create(folder.join("registry.log")).unwrap();
    let registry = Command::new(program)
        .arg("serve")
        .arg(&configuration)
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .stdin(Stdio::null())
        .env("OTEL_TRACES_EXPORTER", "none")
        .spawn()
        .unwrap();
    let began = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the registry does not answer: {}",
            std::fs::read_to_string(folder.join("registry.log")).unwrap()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    (registry, port)
}

/// What makes connections of TLS; its authority is written into a file.
fn acceptor(file: &Path) -> TlsAcceptor {
    let tls = tls::signed("127.0.0.1");
    std::fs::write(file, &tls.authority).unwrap();
    tls.acceptor()
}
