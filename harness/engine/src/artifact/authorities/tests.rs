//! A server whose certificate only a private authority vouches for: what trusts the host's bundle
//! asks it, all else does not.

mod server;

use std::path::Path;
use std::process::Command;

use rstest::rstest;
use tempfile::TempDir;

use super::super::image::{ImageStore, LOCAL_PREFIX, Recipe};
use super::super::{ArtifactKey, Artifacts, Pins, SourcePolicy, Store, module_zip, oci};
use super::*;
use crate::container::Engine;
use crate::process;
use crate::progress::Silent;
use server::Server;

const USERS_OWN: &str = "/home/somebody/own.pem";
const FEDORAS: &str = "/etc/pki/tls/certs/ca-bundle.crt";

#[rstest]
#[case::a_variable_comes_first("SSL_CERT_FILE", &[USERS_OWN, USUAL[0]], USERS_OWN)]
#[case::what_is_not_there_is_passed_over("PIP_CERT", &[USUAL[0]], USUAL[0])]
#[case::no_variable("UNRELATED", &[USERS_OWN, FEDORAS], FEDORAS)]
#[case::none("SSL_CERT_FILE", &[], "")]
fn the_bundle_is_the_one_that_programs_on_the_host_read(
    #[case] variable: &str,
    #[case] there: &[&str],
    #[case] expected: &str,
) {
    let found = chosen(
        |name| (name == variable).then(|| USERS_OWN.to_owned()),
        |path| there.contains(&path).then(|| path.to_owned()),
    );
    assert_eq!(found, expected);
}

#[test]
fn an_empty_file_is_no_bundle() {
    let found = chosen(
        |_| Some(USERS_OWN.into()),
        |path| Some(if path == USERS_OWN { "\n" } else { path }.to_owned()),
    );
    assert_eq!(found, USUAL[0]);
}

/// Says to this program which server it is to download from; it then is a child of the test below.
const FROM: &str = "KUBERAY_CONFORMANCE_TEST_DOWNLOADS_FROM";

/// The environment decides, and a program can't change its own: so another of this program
/// downloads.
#[tokio::test]
async fn downloads_on_the_host_trust_its_bundle() {
    if let Ok(address) = std::env::var(FROM) {
        return download_from(&address).await;
    }
    let server = Server::start();
    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("bundle.pem");
    std::fs::write(&bundle, &server.authority).unwrap();
    let asked = |bundle: Option<&Path>| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "--nocapture"])
            .arg("artifact::authorities::tests::downloads_on_the_host_trust_its_bundle")
            .env(FROM, server.address())
            .env("GOPROXY", format!("https://{}", server.address()))
            .envs([("NO_PROXY", "localhost"), ("no_proxy", "localhost")]);
        for name in NAMED.iter().chain(&["SSL_CERT_DIR"]) {
            child.env_remove(name);
        }
        if let Some(bundle) = bundle {
            child.env("SSL_CERT_FILE", bundle);
        }
        let done = child.output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        (
            server.asked(),
            String::from_utf8_lossy(&done.stdout).into_owned(),
        )
    };
    let (paths, said) = asked(None);
    assert!(paths.is_empty(), "{paths:?}: {said}");
    assert!(said.contains("certificate"), "{paths:?}: {said}");
    let (paths, said) = asked(Some(&bundle));
    assert!(
        said.contains("404"),
        "the server's own answer is told: {said}"
    );
    assert!(
        paths.iter().any(|path| path.contains("/@v/")),
        "{paths:?}: {said}"
    );
    assert!(
        paths.iter().any(|path| path.starts_with("/v2/")),
        "{paths:?}: {said}"
    );
}

/// A module's archive as programs are downloaded, and an image's manifest by the registry client.
async fn download_from(address: &str) {
    let folder = TempDir::new().unwrap();
    let store = Store::at(folder.path()).unwrap();
    let pins = Pins::embedded();
    let error = module_zip::module(&store, &pins.modules["kind"], &Silent).await;
    println!("{}", error.unwrap_err());
    assert!(!oci::answers(&format!("{address}/absent:1")).await);
}

/// What an image's build downloads: Debian's packages, where the mirror speaks TLS, and Python's.
///
/// It needs a container engine and Debian's image.
#[tokio::test]
#[ignore = "needs kind"]
async fn builds_in_containers_trust_the_hosts_bundle() {
    let store = Store::open().unwrap();
    let engine = Engine::detect(None, store.root()).await.unwrap();
    let artifacts = Artifacts::new(
        engine.clone(),
        store,
        SourcePolicy::Build,
        std::sync::Arc::new(Silent),
    );
    let debian = artifacts.debian().await.unwrap().name.clone();
    let server = Server::start();
    let mirrored = Mirrored::make(&engine, &debian, &server.address()).await;
    let other = Server::start();
    for (trusted, is_asked) in [(&server.authority, true), (&other.authority, false)] {
        for (debian, package) in [(&mirrored.name, "/dists/"), (&debian, "/simple/absent/")] {
            // What the machine needs for its own mirrors stays.
            let bundle = bundle() + trusted;
            let said = build_ray(&engine, debian, &server.address(), &bundle).await;
            let paths = server.asked();
            let found = paths.iter().any(|path| path.contains(package));
            assert_eq!(found, is_asked, "{package}: {paths:?}: {said}");
            let blamed = said.to_lowercase().contains("verif");
            assert_eq!(blamed, !is_asked, "{package}: {said}");
        }
    }
}

/// Ray's image of a lock whose only package nobody has, so that the build ends where it downloads;
/// returns why.
async fn build_ray(engine: &Engine, debian: &str, index: &str, authorities: &str) -> String {
    let folder = TempDir::new().unwrap();
    let lock = folder.path().join("requirements.lock");
    let sum = "0".repeat(64);
    let text = format!("--index-url https://{index}/simple/\nabsent==1 --hash=sha256:{sum}\n");
    std::fs::write(&lock, text).unwrap();
    // Beside the engine's own, so that what is kept of other builds stays as it is.
    let store = Store::at(folder.path().join("store")).unwrap();
    let images = ImageStore {
        engine,
        store: &store,
        progress: &Silent,
        authorities: authorities.to_owned(),
    };
    let recipe = Recipe {
        folder: "ray",
        name: "test-of-authorities",
        tag: "0.0.0",
        arguments: &[("DEBIAN", debian), ("RAY_VERSION", "0.0.0")],
        context: &[("requirements.lock", lock)],
        // Never what the engine has kept of a build of another server.
        key: ArtifactKey::default().with(index).with(authorities),
    };
    let built = images.build(recipe).await.map(|held| held.name);
    built.unwrap_err().to_string()
}

/// An image whose packages come from a mirror of our own; it goes with this.
struct Mirrored {
    name: String,
    engine: Engine,
}

impl Mirrored {
    async fn make(engine: &Engine, debian: &str, address: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let recipe = format!(
            "FROM {debian}\nRUN echo 'deb https://{address} bookworm main' > /etc/apt/sources.list\n"
        );
        let path = folder.path().join("Containerfile");
        std::fs::write(&path, recipe).unwrap();
        let name = format!("{LOCAL_PREFIX}/test-of-authorities:{}", std::process::id());
        let mut build = engine.command();
        build.args(["build", "--tag", &name, "--file"]);
        build.arg(&path).arg(folder.path());
        process::output(
            build,
            "building an image with another mirror",
            process::BUILD,
        )
        .await
        .unwrap();
        Self {
            name,
            engine: engine.clone(),
        }
    }
}

impl Drop for Mirrored {
    fn drop(&mut self) {
        let mut remove = self.engine.command().into_std();
        let _ = remove.args(["image", "rm", "--force", &self.name]).output();
    }
}
