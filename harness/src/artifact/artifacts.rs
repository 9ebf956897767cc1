//! What a run needs, by name: programs, images and the operator's release files.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use semver::Version;
use tokio::sync::OnceCell;

use super::go::Go;
use super::image::{Held, Images, LOCAL_PREFIX, Recipe};
use super::pins::{Pins, UNPINNED};
use super::{ArtifactError, Image, Key, Source, Store, debian, pull, system};
use crate::cluster::Engine;
use crate::process;
use crate::report::{ImageRecord, Origin, Outcome, Progress};

/// Everything that is built or pulled, with one engine and one store.
pub struct Artifacts {
    engine: Engine,
    store: Store,
    source: Source,
    pins: Pins,
    progress: Arc<dyn Progress>,
    go: OnceCell<Go>,
    debian: OnceCell<Held>,
    reachable: OnceCell<bool>,
}

impl Artifacts {
    /// Nothing is built or pulled before it is asked for.
    pub fn new(engine: Engine, store: Store, source: Source, progress: Arc<dyn Progress>) -> Self {
        let cells = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self {
            engine,
            store,
            source,
            pins: Pins::embedded(),
            progress,
            go: cells.0,
            debian: cells.1,
            reachable: cells.2,
        }
    }

    /// The pinned releases.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// The `kind` program.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn kind(&self) -> Result<PathBuf, ArtifactError> {
        if self.pulls().await {
            return pull::program(&self.store, "kind", &self.pins.pull.kind, &*self.progress).await;
        }
        self.module_program("kind").await
    }

    /// The `kubectl` program: the one of the built Kubernetes release, else the one on the PATH.
    ///
    /// # Errors
    /// When there is none.
    pub async fn kubectl(&self) -> Result<PathBuf, ArtifactError> {
        if self.pulls().await {
            if system::is_present("kubectl") {
                return Ok("kubectl".into());
            }
            let advice = "install kubectl 1.27 or later, or use `--artifacts build`".into();
            let purpose = "render the operator's kustomization";
            return Err(ArtifactError::Missing {
                program: "kubectl",
                purpose,
                advice,
            });
        }
        Ok(self.kubernetes_programs().await?.join("kubectl"))
    }

    /// The folder of an operator release's module, with its `config/crd`, `config/default` and `config/samples`.
    ///
    /// # Errors
    /// When the release is not pinned, or can't be had.
    pub async fn operator_module(&self, version: &Version) -> Result<PathBuf, ArtifactError> {
        self.go().await?.module(&self.pins.operator(version)?).await
    }

    /// The image of kind's nodes.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn node_image(&self) -> Result<Image, ArtifactError> {
        if self.pulls().await {
            let pin = &self.pins.pull.node;
            return self.images().pull(&pin.image, &pin.digest).await;
        }
        let version = self.pins.kubernetes.to_string();
        let programs = self.kubernetes_programs().await?;
        let kind = self.go().await?.module(&self.pins.modules["kind"]).await?;
        let debian = self.debian().await?;
        let mut context = vec![("kind-base", kind.join("images/base/files"))];
        for program in ["bin/kubelet", "bin/kubeadm", "bin/kubectl"] {
            context.push((program, programs.join(program.trim_start_matches("bin/"))));
        }
        let mut key = Key::default()
            .with(&debian.key)
            .with(&self.pins.modules["kind"].sum)
            .with(key_of(&programs));
        let control_plane = self.control_plane_images().await?;
        let names: Vec<String> = (0..control_plane.len())
            .map(|number| format!("images/{number}.tar"))
            .collect();
        for (name, image) in names.iter().zip(&control_plane) {
            key = key.with(&image.key);
            context.push((name, image.archive.clone()));
        }
        let arguments = [
            ("DEBIAN", debian.name.as_str()),
            ("KUBERNETES_VERSION", version.as_str()),
        ];
        let tag = format!("v{version}");
        let recipe = Recipe {
            folder: "node",
            name: "node",
            tag: &tag,
            arguments: &arguments,
            context: &context,
            key,
        };
        let held = self.images().build(recipe).await?;
        let source = format!(
            "Go modules k8s.io/kubernetes v{version}, go.etcd.io/etcd/server/v3 v{etcd}, {coredns} {coredns_version}; \
             base files of {kind} {kind_version}; Debian packages (signed archive)",
            etcd = self.pins.etcd.version,
            coredns = self.pins.modules["coredns"].module,
            coredns_version = self.pins.modules["coredns"].version,
            kind = self.pins.modules["kind"].module,
            kind_version = self.pins.modules["kind"].version,
        );
        Ok(built(format!("docker.io/kindest/node:v{version}"), held, source, false))
    }

    /// The image of the registry that feeds the nodes.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn registry_image(&self) -> Result<Image, ArtifactError> {
        if self.pulls().await {
            let pin = &self.pins.pull.registry;
            return self.images().pull(&pin.image, &pin.digest).await;
        }
        let module = &self.pins.modules["registry"];
        let program = self.module_program("registry").await?;
        let key = Key::default().with(key_of(&program));
        let tag = module.version.trim_start_matches('v');
        let context = [("registry", program)];
        let recipe = Recipe {
            folder: "registry",
            name: "registry",
            tag,
            arguments: &[],
            context: &context,
            key,
        };
        let held = self.images().build(recipe).await?;
        let source = format!("Go module {} {} ({})", module.module, module.version, module.sum);
        Ok(built(format!("docker.io/library/registry:{tag}"), held, source, true))
    }

    /// The operator's image.
    ///
    /// # Errors
    /// When the release is not pinned, or can be neither pulled nor built.
    pub async fn operator_image(&self, version: &Version) -> Result<Image, ArtifactError> {
        let public_name = format!("{}:v{version}", self.pins.operators.image);
        if self.pulls().await {
            let digest = self
                .pins
                .pull
                .operator
                .digests
                .get(version)
                .map_or(UNPINNED, String::as_str);
            return self.images().pull(&public_name, digest).await;
        }
        let module = self.pins.operator(version)?;
        let program = self
            .go()
            .await?
            .program(&self.store, "manager", &module, &*self.progress)
            .await?;
        let key = Key::default().with(key_of(&program));
        let tag = format!("v{version}");
        let context = [("manager", program)];
        let recipe = Recipe {
            folder: "operator",
            name: "operator",
            tag: &tag,
            arguments: &[],
            context: &context,
            key,
        };
        let held = self.images().build(recipe).await?;
        let source = format!("Go module {} {} ({})", module.module, module.version, module.sum);
        Ok(built(public_name, held, source, true))
    }

    /// Ray's image.
    ///
    /// # Errors
    /// When the release is not pinned, or can be neither pulled nor built.
    pub async fn ray_image(&self, version: &Version) -> Result<Image, ArtifactError> {
        let public_name = format!("{}:{version}", self.pins.ray.image);
        if self.pulls().await {
            let digest = self.pins.pull.ray.digests.get(version).map_or(UNPINNED, String::as_str);
            return self.images().pull(&public_name, digest).await;
        }
        let lock = &self.pins.ray(version)?.lock;
        let debian = self.debian().await?;
        let requirements = self.written(
            "requirements.lock",
            super::pins::text_of(&format!("images/{lock}")).unwrap_or_default(),
        )?;
        let authorities = debian::certificate_authorities();
        // Copied: the archive of a build must not change with the host's file while it runs.
        let authorities = self.written("ca.crt", &authorities)?;
        let context = [
            ("requirements.lock", requirements.path().into()),
            ("ca.crt", authorities.path().into()),
        ];
        let tag = version.to_string();
        let arguments = [("DEBIAN", debian.name.as_str()), ("RAY_VERSION", tag.as_str())];
        let key = Key::default().with(&debian.key);
        let recipe = Recipe {
            folder: "ray",
            name: "ray",
            tag: &tag,
            arguments: &arguments,
            context: &context,
            key,
        };
        let held = self.images().build(recipe).await?;
        let source =
            format!("PyPI packages locked with checksums in fixtures/images/{lock}; Debian packages (signed archive)");
        Ok(built(public_name, held, source, false))
    }

    async fn control_plane_images(&self) -> Result<Vec<Held>, ArtifactError> {
        let programs = self.kubernetes_programs().await?;
        let coredns = self.module_program("coredns").await?;
        let etcd = self.etcd().await?;
        let pause = debian::pause(&self.store, self.go().await?, &self.pins, &programs, &*self.progress).await?;
        let debian = self.debian().await?;
        let release = format!("v{}", self.pins.kubernetes);
        let etcd_tag = self.pins.etcd.image.as_str();
        let pause_tag = self.pins.pause.to_string();
        let coredns_tag = self.pins.modules["coredns"].version.as_str();
        let images = [
            (
                "kube-apiserver",
                "kube-apiserver",
                release.as_str(),
                programs.join("kube-apiserver"),
            ),
            (
                "kube-controller-manager",
                "kube-controller-manager",
                &release,
                programs.join("kube-controller-manager"),
            ),
            (
                "kube-scheduler",
                "kube-scheduler",
                &release,
                programs.join("kube-scheduler"),
            ),
            ("kube-proxy", "kube-proxy", &release, programs.join("kube-proxy")),
            ("etcd", "etcd", etcd_tag, etcd),
            ("coredns", "coredns/coredns", coredns_tag, coredns),
            ("pause", "pause", &pause_tag, pause),
        ];
        let mut held = Vec::new();
        for (program, name, tag, path) in images {
            let name = format!("control-plane/{name}");
            let arguments = [("target", program), ("DEBIAN", debian.name.as_str())];
            let key = Key::default().with(key_of(&path)).with(&debian.key);
            let context = [(program, path)];
            let recipe = Recipe {
                folder: "control-plane",
                name: &name,
                tag,
                arguments: &arguments,
                context: &context,
                key,
            };
            held.push(self.images().build(recipe).await?);
        }
        Ok(held)
    }

    async fn kubernetes_programs(&self) -> Result<PathBuf, ArtifactError> {
        let version = &self.pins.kubernetes;
        let mut ldflags = String::from("-s -w");
        for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
            use std::fmt::Write as _;
            let _ = write!(
                ldflags,
                " -X {package}.gitVersion=v{version} -X {package}.gitMajor={} -X {package}.gitMinor={} \
                 -X {package}.gitTreeState=clean",
                version.major, version.minor
            );
        }
        let names = [
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
            "kubeadm",
            "kubectl",
            "kubelet",
        ];
        let packages: Vec<String> = names
            .iter()
            .map(|name| format!("k8s.io/kubernetes/cmd/{name}"))
            .collect();
        let task = format!("Kubernetes v{version}");
        self.go()
            .await?
            .locked(&self.store, "kubernetes", &task, &packages, &ldflags, &*self.progress)
            .await
    }

    async fn etcd(&self) -> Result<PathBuf, ArtifactError> {
        let task = format!("etcd v{}", self.pins.etcd.version);
        let packages = ["go.etcd.io/etcd/server/v3".to_owned()];
        let folder = self
            .go()
            .await?
            .locked(&self.store, "etcd", &task, &packages, "-s -w", &*self.progress)
            .await?;
        Ok(folder.join("etcd"))
    }

    async fn module_program(&self, name: &str) -> Result<PathBuf, ArtifactError> {
        self.go()
            .await?
            .program(&self.store, name, &self.pins.modules[name], &*self.progress)
            .await
    }

    async fn go(&self) -> Result<&Go, ArtifactError> {
        self.go.get_or_try_init(Go::find).await
    }

    async fn debian(&self) -> Result<&Held, ArtifactError> {
        self.debian
            .get_or_try_init(|| debian::base(&self.engine, &self.store, &*self.progress))
            .await
    }

    fn images(&self) -> Images<'_> {
        Images {
            engine: &self.engine,
            store: &self.store,
            progress: &*self.progress,
        }
    }

    fn written(&self, doing: &'static str, text: &str) -> Result<tempfile::NamedTempFile, ArtifactError> {
        let named = tempfile::NamedTempFile::new_in(self.store.root());
        let written = named.and_then(|named| std::fs::write(named.path(), text).map(|()| named));
        written.map_err(super::error::file(doing, self.store.root()))
    }

    /// Whether public images are pulled. With `auto` that is so where a registry answers; it is asked once, and not at
    /// all where an earlier run found the answer for this store.
    async fn pulls(&self) -> bool {
        match self.source {
            Source::Pull => true,
            Source::Build => false,
            Source::Auto => *self.reachable.get_or_init(|| self.registry_answers()).await,
        }
    }

    async fn registry_answers(&self) -> bool {
        // What `auto` chose stands: a run without network must not turn from pulled to built images or back.
        let chosen = self.store.root().join("artifacts-source");
        match std::fs::read_to_string(&chosen).unwrap_or_default().trim() {
            "pull" => return true,
            "build" => return false,
            _ => {}
        }
        let task = "image registry";
        self.progress.update(task, "asking whether public images can be pulled");
        let mut ask = self.engine.command();
        ask.args(["pull", "--quiet", &self.pins.pull.registry.image]);
        let asked = process::output(ask, "asking the public image registry");
        let answers = matches!(tokio::time::timeout(Duration::from_secs(30), asked).await, Ok(Ok(_)));
        let choice = if answers { "pull" } else { "build" };
        let message = if answers {
            "it answers: public images are pulled"
        } else {
            "none answers: images are built here"
        };
        self.progress.finish(task, Outcome::Passed, message);
        if let Err(error) = std::fs::write(&chosen, choice) {
            self.progress
                .line(&format!("warning: {} could not be written: {error}", chosen.display()));
        }
        answers
    }
}

/// The store's name for what lies in a folder of it; a program's folder is named by its key.
fn key_of(path: &std::path::Path) -> String {
    let names: Vec<_> = path
        .components()
        .rev()
        .take(2)
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    names.join("/")
}

fn built(public_name: String, held: Held, source: String, pinned: bool) -> Image {
    debug_assert!(held.name.starts_with(LOCAL_PREFIX));
    let record = ImageRecord {
        name: public_name.clone(),
        origin: Origin::Built,
        source,
        digest: held.id,
        pinned,
    };
    Image {
        public_name,
        local_name: held.name,
        archive: held.archive,
        record,
    }
}
