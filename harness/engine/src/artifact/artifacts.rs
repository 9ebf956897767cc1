//! What a run needs, by name: programs, images and the operator's release files.

use std::path::PathBuf;
use std::sync::Arc;

use kuberay_conformance_pins::{Pins, UNPINNED};
use semver::Version;
use tokio::sync::OnceCell;

use super::image::{HeldImage, ImageStore, LOCAL_PREFIX, Recipe};
use super::{
    ArtifactError, ArtifactKey, Image, Programs, SourcePolicy, Store, authorities, debian, pull,
};
use crate::container::Engine;
use crate::progress::Progress;
use crate::results::{ImageRecord, Origin};

/// Everything that is built or pulled, with one engine and one store.
pub struct Artifacts {
    engine: Engine,
    programs: Programs,
    debian: OnceCell<HeldImage>,
}

impl Artifacts {
    /// Nothing is built or pulled before it is asked for.
    pub fn new(
        engine: Engine,
        store: Store,
        source: SourcePolicy,
        progress: Arc<dyn Progress>,
    ) -> Self {
        Self {
            engine,
            programs: Programs::new(store, source, progress),
            debian: OnceCell::new(),
        }
    }

    /// The pinned releases.
    pub fn pins(&self) -> &Pins {
        &self.programs.pins
    }

    /// What needs no container engine.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The `kind` program.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn kind(&self) -> Result<PathBuf, ArtifactError> {
        if self.programs.pulls().await {
            return pull::program(
                &self.programs.store,
                "kind",
                &self.programs.pins.pull.kind,
                &*self.programs.progress,
            )
            .await;
        }
        self.programs.module_program("kind").await
    }

    /// The `kubectl` program, as [`Programs::kubectl`] finds it.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn kubectl(&self) -> Result<PathBuf, ArtifactError> {
        self.programs.kubectl().await
    }

    /// The image of kind's nodes.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn node_image(&self) -> Result<Image, ArtifactError> {
        if self.programs.pulls().await {
            let pin = &self.programs.pins.pull.node;
            return self.images().pull(&pin.image, &pin.digest).await;
        }
        let version = self.programs.pins.kubernetes.to_string();
        let kind = self
            .programs
            .go()
            .await?
            .module(&self.programs.pins.modules["kind"])
            .await?;
        let debian = self.debian().await?;
        let mut context = vec![("kind-base", kind.join("images/base/files"))];
        let mut key = ArtifactKey::default()
            .with(&debian.key)
            .with(&self.programs.pins.modules["kind"].sum);
        for place in ["bin/kubelet", "bin/kubeadm", "bin/kubectl"] {
            let program = self
                .programs
                .built_kubernetes(place.trim_start_matches("bin/"))
                .await?;
            key = key.with(key_of(&program));
            context.push((place, program));
        }
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
            etcd = self.programs.pins.etcd.version,
            coredns = self.programs.pins.modules["coredns"].module,
            coredns_version = self.programs.pins.modules["coredns"].version,
            kind = self.programs.pins.modules["kind"].module,
            kind_version = self.programs.pins.modules["kind"].version,
        );
        Ok(built(
            format!("docker.io/kindest/node:v{version}"),
            held,
            source,
            false,
        ))
    }

    /// The image of the registry that feeds the nodes.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn registry_image(&self) -> Result<Image, ArtifactError> {
        if self.programs.pulls().await {
            let pin = &self.programs.pins.pull.registry;
            return self.images().pull(&pin.image, &pin.digest).await;
        }
        let module = &self.programs.pins.modules["registry"];
        let program = self.programs.module_program("registry").await?;
        let key = ArtifactKey::default().with(key_of(&program));
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
        let source = format!(
            "Go module {} {} ({})",
            module.module, module.version, module.sum
        );
        Ok(built(
            format!("docker.io/library/registry:{tag}"),
            held,
            source,
            true,
        ))
    }

    /// The operator's image.
    ///
    /// # Errors
    /// When the release is not pinned, or can be neither pulled nor built.
    pub async fn operator_image(&self, version: &Version) -> Result<Image, ArtifactError> {
        let public_name = format!("{}:v{version}", self.programs.pins.operators.image);
        if self.programs.pulls().await {
            let digest = self
                .programs
                .pins
                .pull
                .operator
                .digests
                .get(version)
                .map_or(UNPINNED, String::as_str);
            return self.images().pull(&public_name, digest).await;
        }
        let module = self.programs.pins.operator(version)?;
        let program = self.programs.operator(version).await?;
        let key = ArtifactKey::default().with(key_of(&program));
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
        let source = format!(
            "Go module {} {} ({})",
            module.module, module.version, module.sum
        );
        Ok(built(public_name, held, source, true))
    }

    /// Ray's image.
    ///
    /// # Errors
    /// When the release is not pinned, or can be neither pulled nor built.
    pub async fn ray_image(&self, version: &Version) -> Result<Image, ArtifactError> {
        let public_name = format!("{}:{version}", self.programs.pins.ray.image);
        if self.programs.pulls().await {
            let digest = self
                .programs
                .pins
                .pull
                .ray
                .digests
                .get(version)
                .map_or(UNPINNED, String::as_str);
            return self.images().pull(&public_name, digest).await;
        }
        let lock = &self.programs.pins.ray(version)?.lock;
        let debian = self.debian().await?;
        let requirements = self.written(
            "requirements.lock",
            super::recipes::text_of(&format!("images/{lock}")).unwrap_or_default(),
        )?;
        let context = [("requirements.lock", requirements.path().into())];
        let tag = version.to_string();
        let arguments = [
            ("DEBIAN", debian.name.as_str()),
            ("RAY_VERSION", tag.as_str()),
        ];
        let key = ArtifactKey::default().with(&debian.key);
        let recipe = Recipe {
            folder: "ray",
            name: "ray",
            tag: &tag,
            arguments: &arguments,
            context: &context,
            key,
        };
        let held = self.images().build(recipe).await?;
        let source = format!(
            "PyPI packages locked with checksums in fixtures/images/{lock}; Debian packages (signed archive)"
        );
        Ok(built(public_name, held, source, false))
    }

    /// Whether images are pulled or built.
    pub(super) async fn node_origin(&self) -> Origin {
        if self.programs.pulls().await {
            Origin::Pulled
        } else {
            Origin::Built
        }
    }

    async fn control_plane_images(&self) -> Result<Vec<HeldImage>, ArtifactError> {
        let kubernetes =
            async |program: &'static str| self.programs.built_kubernetes(program).await;
        let coredns = self.programs.module_program("coredns").await?;
        let etcd = self.programs.built_etcd().await?;
        let (store, pins) = (&self.programs.store, &self.programs.pins);
        let pause = debian::pause(
            store,
            self.programs.go().await?,
            pins,
            &*self.programs.progress,
        )
        .await?;
        let debian = self.debian().await?;
        let release = format!("v{}", self.programs.pins.kubernetes);
        let etcd_tag = self.programs.pins.etcd.image.as_str();
        let pause_tag = self.programs.pins.pause.to_string();
        let coredns_tag = self.programs.pins.modules["coredns"].version.as_str();
        let images = [
            (
                "kube-apiserver",
                "kube-apiserver",
                release.as_str(),
                kubernetes("kube-apiserver").await?,
            ),
            (
                "kube-controller-manager",
                "kube-controller-manager",
                &release,
                kubernetes("kube-controller-manager").await?,
            ),
            (
                "kube-scheduler",
                "kube-scheduler",
                &release,
                kubernetes("kube-scheduler").await?,
            ),
            (
                "kube-proxy",
                "kube-proxy",
                &release,
                kubernetes("kube-proxy").await?,
            ),
            ("etcd", "etcd", etcd_tag, etcd),
            ("coredns", "coredns/coredns", coredns_tag, coredns),
            ("pause", "pause", &pause_tag, pause),
        ];
        let mut held = Vec::new();
        for (program, name, tag, path) in images {
            let name = format!("control-plane/{name}");
            let arguments = [("target", program), ("DEBIAN", debian.name.as_str())];
            let key = ArtifactKey::default().with(key_of(&path)).with(&debian.key);
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

    pub(super) async fn debian(&self) -> Result<&HeldImage, ArtifactError> {
        self.debian
            .get_or_try_init(|| {
                debian::base(&self.engine, &self.programs.store, &*self.programs.progress)
            })
            .await
    }

    pub(super) fn images(&self) -> ImageStore<'_> {
        ImageStore {
            engine: &self.engine,
            store: &self.programs.store,
            progress: &*self.programs.progress,
            authorities: authorities::bundle(),
        }
    }

    fn written(
        &self,
        doing: &'static str,
        text: &str,
    ) -> Result<tempfile::NamedTempFile, ArtifactError> {
        let named = tempfile::NamedTempFile::new_in(self.programs.store.root());
        let written = named.and_then(|named| std::fs::write(named.path(), text).map(|()| named));
        written.map_err(super::error::file(doing, self.programs.store.root()))
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

pub(super) fn built(public_name: String, held: HeldImage, source: String, pinned: bool) -> Image {
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
        archive: Some(held.archive),
        record,
    }
}
