//! What is copied into the mirror: images that are built here, under their public names, and
//! release files in their published layout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Mirror;
use super::front::{Body, of_file, to_registry, whole};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Where each public thing lies on this machine.
#[derive(Debug, Default)]
pub struct Contents {
    /// Files and folders by public address; checksums are made from them.
    pub files: BTreeMap<String, PathBuf>,
    /// Archives of images by public name, as the store keeps them.
    pub images: BTreeMap<String, PathBuf>,
}

/// Digests by public name.
pub type Pushed = BTreeMap<String, String>;

/// The SHA-256 of a file, read piece by piece.
pub fn sum(path: &Path) -> String {
    let mut hasher = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path).unwrap(), &mut hasher).unwrap();
    hexadecimal(&hasher.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tar(arguments: &[&str]) {
    let done = Command::new("tar").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Mirror {
    /// Copies what `artifacts list --to-mirror --format json` lists: each image and each file to
    /// the place that the list names. Returns the digests of the images.
    pub fn fill(&self, list: &Value, contents: &Contents) -> Pushed {
        let mut pushed = Pushed::new();
        for file in list["files"].as_array().unwrap() {
            let url = file["url"].as_str().unwrap();
            let place = file["mirror"].as_str();
            let place = place.unwrap_or_else(|| panic!("{url} has no mirror"));
            let base = format!("https://{}/files/", self.host);
            let path = place.strip_prefix(&base).unwrap();
            Self::copy(url, &self.folder.join("files").join(path), contents);
        }
        for image in list["images"].as_array().unwrap() {
            let name = image["name"].as_str().unwrap();
            let place = image["mirror"].as_str();
            let place = place.unwrap_or_else(|| panic!("{name} has no mirror"));
            let archive = contents
                .images
                .get(name)
                .unwrap_or_else(|| panic!("{name} is not here: {contents:?}"));
            let place = place.strip_prefix(&format!("{}/", self.host)).unwrap();
            pushed.insert(name.to_owned(), self.push(place, archive));
        }
        pushed
    }

    fn copy(url: &str, target: &Path, contents: &Contents) {
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        if let Some(source) = contents.files.get(url) {
            // Another disk can't be linked to.
            if std::fs::hard_link(source, target).is_err() {
                std::fs::copy(source, target).unwrap();
            }
            return;
        }
        // A list of checksums beside the files, in the form in which each project publishes it.
        let folder = url.rsplit_once('/').unwrap().0;
        let of = |url: &str| {
            let path = contents.files.get(url);
            sum(path.unwrap_or_else(|| panic!("{url} is not here: {contents:?}")))
        };
        let text = if let Some(file) = url.strip_suffix(".sha256") {
            of(file)
        } else if let Some(file) = url.strip_suffix(".sha256sum") {
            format!("{}  {}\n", of(file), file.rsplit('/').next().unwrap())
        } else {
            let files = contents.files.keys();
            let beside = files.filter(|file| file.starts_with(&format!("{folder}/")));
            beside
                .map(|file| format!("{}  {}\n", of(file), file.rsplit('/').next().unwrap()))
                .collect()
        };
        assert!(!text.is_empty(), "nothing is known of {url}");
        std::fs::write(target, text).unwrap();
    }

    /// Pushes an archive of an image to `repository:tag`; returns its digest.
    fn push(&self, place: &str, archive: &Path) -> String {
        let (repository, tag) = place.rsplit_once(':').unwrap();
        let folder = tempfile::tempdir_in(&self.folder).unwrap();
        tar(&["-xf", text(archive), "-C", text(folder.path())]);
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        let index: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let blob = async |name: &str, kind: &str| {
                let path = folder.path().join(name);
                let (digest, size) = (format!("sha256:{}", sum(&path)), path.metadata().unwrap());
                let file = std::fs::File::open(&path).unwrap();
                self.upload(repository, &digest, of_file(file), size.len())
                    .await;
                json!({"mediaType": kind, "digest": digest, "size": size.len()})
            };
            let config = index[0]["Config"].as_str().unwrap();
            let config = blob(config, "application/vnd.docker.container.image.v1+json").await;
            let mut layers = Vec::new();
            for layer in index[0]["Layers"].as_array().unwrap() {
                let kind = "application/vnd.docker.image.rootfs.diff.tar";
                layers.push(blob(layer.as_str().unwrap(), kind).await);
            }
            let manifest = json!({
                "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
            });
            let manifest = manifest.to_string();
            let digest = format!("sha256:{}", hexadecimal(&Sha256::digest(&manifest)));
            let path = format!("/v2/{repository}/manifests/{tag}");
            let size = manifest.len() as u64;
            self.send(Method::PUT, &path, MANIFEST, whole(manifest), size)
                .await;
            digest
        })
    }

    async fn upload(&self, repository: &str, digest: &str, body: Body, size: u64) {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let begun = self.send(Method::POST, &path, "", whole(""), 0).await;
        let place = begun.headers()[header::LOCATION].to_str().unwrap();
        let path = place.split_once("/v2/").unwrap().1;
        let path = format!("/v2/{path}&digest={digest}");
        let kind = "application/octet-stream";
        self.send(Method::PUT, &path, kind, body, size).await;
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Body,
        size: u64,
    ) -> Response<Incoming> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, format!("127.0.0.1:{}", self.registry_port))
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONTENT_LENGTH, size)
            .body(body)
            .unwrap();
        let response = to_registry(self.registry_port, request).await.unwrap();
        if response.status().is_success() {
            return response;
        }
        let status = response.status();
        let said = response.into_body().collect().await.unwrap().to_bytes();
        panic!("{path}: {status}: {}", String::from_utf8_lossy(&said));
    }
}
