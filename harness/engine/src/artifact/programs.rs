//! Programs: pulled or built without a container engine and without root.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kuberay_conformance_pins::Pins;
use semver::Version;
use tokio::sync::OnceCell;

use super::go::Go;
use super::{ArtifactError, SourcePolicy, Store, Supply, module_zip, oci, pull, system};
use crate::process::ProcessError;
use crate::progress::Progress;
use crate::results::{ImageRecord, Origin, Outcome};

/// How long a registry may take to answer before images and programs are built instead.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// What a report adds to a download that no checksum in `fixtures/versions.yaml` pins.
const SAME_ORIGIN: &str = "not pinned: its checksum comes from the same origin";
/// The package of etcd's program.
const ETCD: &str = "go.etcd.io/etcd/server/v3";
/// Linker flags for programs that nobody debugs.
const STRIPPED: &str = "-s -w";
/// The recipe of Kubernetes' programs; that of another release's API server has the release, too.
const KUBERNETES: &str = "kubernetes";

fn on_the_path(
    program: &'static str,
    purpose: &'static str,
    advice: &str,
) -> Result<PathBuf, ArtifactError> {
    if system::is_present(program) {
        return Ok(program.into());
    }
    Err(ArtifactError::Missing {
        program,
        purpose,
        advice: advice.into(),
    })
}

fn kubernetes_package(program: &str) -> String {
    format!("k8s.io/kubernetes/cmd/{program}")
}

fn kubernetes_flags(version: &Version) -> String {
    let mut flags = String::from(STRIPPED);
    for package in [
        "k8s.io/component-base/version",
        "k8s.io/client-go/pkg/version",
    ] {
        flags.push_str(&format!(
            " -X {package}.gitVersion=v{version} -X {package}.gitMajor={} -X {package}.gitMinor={} \
             -X {package}.gitTreeState=clean",
            version.major, version.minor
        ));
    }
    flags
}

/// Programs of a release, from one store.
pub struct Programs {
    pub(super) store: Store,
    pub(super) pins: Pins,
    pub(super) progress: Arc<dyn Progress>,
    source: SourcePolicy,
    go: OnceCell<Go>,
    reachable: OnceCell<bool>,
}

impl Programs {
    /// Nothing is built or pulled before it is asked for.
    pub fn new(store: Store, source: SourcePolicy, progress: Arc<dyn Progress>) -> Self {
        Self {
            store: store.reporting(Arc::clone(&progress)),
            pins: Supply::of_process().pins(),
            progress,
            source,
            go: OnceCell::new(),
            reachable: OnceCell::new(),
        }
    }

    /// Where artifacts are kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The pinned releases.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// A program of the pinned Kubernetes release, such as `kube-apiserver`.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn kubernetes(&self, program: &str) -> Result<PathBuf, ArtifactError> {
        self.kubernetes_of(&self.pins.kubernetes, program).await
    }

    /// The API server of a release of Kubernetes.
    ///
    /// # Errors
    /// When the release is not pinned, or its API server can be neither pulled nor built.
    pub async fn api_server(&self, release: &Version) -> Result<PathBuf, ArtifactError> {
        let release = self.pins.api_server(release)?;
        self.kubernetes_of(release, "kube-apiserver").await
    }

    async fn kubernetes_of(
        &self,
        release: &Version,
        program: &str,
    ) -> Result<PathBuf, ArtifactError> {
        if self.pulls().await {
            let wanted = (program, release);
            return pull::kubernetes(&self.store, wanted, &self.pins, &*self.progress).await;
        }
        self.built_kubernetes_of(release, program).await
    }

    /// The same, but built whatever is pulled else.
    pub(super) async fn built_kubernetes(&self, program: &str) -> Result<PathBuf, ArtifactError> {
        self.built_kubernetes_of(&self.pins.kubernetes, program)
            .await
    }

    async fn built_kubernetes_of(
        &self,
        release: &Version,
        program: &str,
    ) -> Result<PathBuf, ArtifactError> {
        let task = format!("{program} v{release}");
        // The release of the nodes has a recipe for all of its programs.
        let recipe = if *release == self.pins.kubernetes {
            KUBERNETES.to_owned()
        } else {
            format!("{KUBERNETES}-{release}")
        };
        let (package, flags) = (kubernetes_package(program), kubernetes_flags(release));
        let go = self.go().await?;
        go.locked(
            &self.store,
            &recipe,
            program,
            &task,
            &package,
            &flags,
            &*self.progress,
        )
        .await
    }

    /// The `kubectl` program: that of the pinned Kubernetes release; where programs are pulled, the
    /// one on the PATH comes first.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn kubectl(&self) -> Result<PathBuf, ArtifactError> {
        if self.pulls().await && system::is_present("kubectl") {
            return Ok("kubectl".into());
        }
        self.kubernetes("kubectl").await
    }

    /// The `helm` program: the one on the PATH, else one that is built.
    ///
    /// # Errors
    /// When there is none, and images are pulled.
    pub async fn helm(&self) -> Result<PathBuf, ArtifactError> {
        if self.pulls().await || system::is_present("helm") {
            let advice = "install Helm 3 or later, or use `--artifacts build`";
            return on_the_path("helm", "render the operator's chart", advice);
        }
        self.module_program("helm").await
    }

    /// The folder of a pinned module's files.
    ///
    /// # Errors
    /// When it can't be had, or is not what is pinned.
    pub async fn module(&self, name: &str) -> Result<PathBuf, ArtifactError> {
        module_zip::module(&self.store, &self.pins.modules[name], &*self.progress).await
    }

    /// What makes a program say its release.
    /// The etcd program.
    ///
    /// # Errors
    /// When it can be neither pulled nor built.
    pub async fn etcd(&self) -> Result<PathBuf, ArtifactError> {
        if self.pulls().await {
            let version = self.pins.etcd.version.to_string();
            let pin = &self.pins.pull.etcd;
            return pull::etcd(&self.store, pin, &version, &*self.progress).await;
        }
        self.built_etcd().await
    }

    pub(super) async fn built_etcd(&self) -> Result<PathBuf, ArtifactError> {
        let task = format!("etcd v{}", self.pins.etcd.version);
        let go = self.go().await?;
        go.locked(
            &self.store,
            "etcd",
            "etcd",
            &task,
            ETCD,
            STRIPPED,
            &*self.progress,
        )
        .await
    }

    /// The operator's program of a release: built from its module, or taken out of its public
    /// image.
    ///
    /// # Errors
    /// When the release is not pinned, or can be neither pulled nor built.
    pub async fn operator(&self, version: &Version) -> Result<PathBuf, ArtifactError> {
        let module = self.pins.operator(version)?;
        if self.pulls().await {
            let image = self.pins.operator_image(version);
            let digest = self
                .pins
                .pull
                .operator
                .digests
                .get(version)
                .map(String::as_str);
            return oci::program(&self.store, &image, digest, "manager", &*self.progress).await;
        }
        let go = self.go().await?;
        go.program(&self.store, "manager", &module, &*self.progress)
            .await
    }

    /// The operator's program of a checkout.
    ///
    /// # Errors
    /// When Go is missing, or the checkout does not compile.
    pub async fn operator_of_source(&self, folder: &Path) -> Result<PathBuf, ArtifactError> {
        let go = self.go().await?;
        go.source(&self.store, "manager", folder, &*self.progress)
            .await
    }

    /// The operator's program out of an image in a registry that needs no login.
    ///
    /// # Errors
    /// When the image can't be pulled, or holds no `/manager`.
    pub async fn operator_of_image(&self, image: &str) -> Result<PathBuf, ArtifactError> {
        oci::program(&self.store, image, None, "manager", &*self.progress).await
    }

    /// The folder of an operator release's module, with its `config/crd`, `config/default` and
    /// `config/samples`. Go is not needed for it where nothing is built, or where there is none.
    ///
    /// # Errors
    /// When the release is not pinned, or can't be had.
    pub async fn operator_module(&self, version: &Version) -> Result<PathBuf, ArtifactError> {
        let module = self.pins.operator(version)?;
        if self.pulls().await || !system::is_present("go") {
            return module_zip::module(&self.store, &module, &*self.progress).await;
        }
        self.go().await?.module(&module).await
    }

    /// Returns the reason why an operator release can't be built here: its module is refused, or
    /// out of reach. `None` where it can be built, and for other problems, which are errors when
    /// the release is used.
    pub async fn unavailable(&self, version: &Version) -> Option<String> {
        match self.operator_module(version).await {
            Err(
                error @ (ArtifactError::Module { .. }
                | ArtifactError::Download { .. }
                | ArtifactError::Process(ProcessError::Late { .. })),
            ) => Some(error.to_string()),
            _ => None,
        }
    }

    /// The newest release of the matrix that can be had here.
    ///
    /// # Errors
    /// When none of them can; the error is that of the newest.
    pub async fn newest_operator(&self) -> Result<Version, ArtifactError> {
        let mut matrix = self.pins.operators.matrix.clone();
        matrix.sort();
        for version in matrix.iter().rev() {
            if self.unavailable(version).await.is_none() {
                return Ok(version.clone());
            }
        }
        let newest = &self.pins.defaults.operator;
        self.operator_module(newest).await?;
        Ok(newest.clone())
    }

    /// Describes a program for reports. A built one is pinned by the checksums of its modules; of a
    /// pulled one only its own origin vouches, which publishes file and checksum side by side.
    ///
    /// # Errors
    /// When its file can't be read.
    pub async fn record(
        &self,
        name: &str,
        source: String,
        path: &Path,
    ) -> Result<ImageRecord, ArtifactError> {
        let digest = format!("sha256:{}", pull::digest_of(path)?);
        let (origin, source, pinned) = if self.pulls().await {
            let source = format!("{source}, release binary ({SAME_ORIGIN})");
            (Origin::Pulled, source, false)
        } else {
            (Origin::Built, source, true)
        };
        Ok(ImageRecord {
            name: name.into(),
            origin,
            source,
            digest,
            pinned,
        })
    }

    /// Describes an operator's program for reports. A pulled one is pinned where
    /// `fixtures/versions.yaml` holds the digest of its image.
    ///
    /// # Errors
    /// When the release is not listed, or its file can't be read.
    pub async fn operator_record(
        &self,
        version: &Version,
        path: &Path,
    ) -> Result<ImageRecord, ArtifactError> {
        let module = self.pins.operator(version)?;
        let name = format!("{}@{}", module.module, module.version);
        let source = format!(
            "Go module {} {} ({})",
            module.module, module.version, module.sum
        );
        let mut record = self.record(&name, source, path).await?;
        if record.origin == Origin::Pulled {
            let image = self.pins.operator_image(version);
            let digest = self.pins.pull.operator.digests.get(version);
            record.pinned = digest.is_some();
            record.source = match digest {
                Some(digest) => {
                    format!("image {image}@{digest}{}", Supply::of_process().pins_note())
                }
                None => format!("image {image} ({SAME_ORIGIN})"),
            };
        }
        Ok(record)
    }

    /// A program of a pinned module, built.
    ///
    /// # Errors
    /// When there is no Go, or the module can't be had or does not compile.
    pub async fn module_program(&self, name: &str) -> Result<PathBuf, ArtifactError> {
        let go = self.go().await?;
        go.program(&self.store, name, &self.pins.modules[name], &*self.progress)
            .await
    }

    pub(super) async fn go(&self) -> Result<&Go, ArtifactError> {
        self.go.get_or_try_init(Go::find).await
    }

    /// Whether public images are pulled. With `auto` that is so where a registry answers; it is
    /// asked once, and not at all where an earlier run found the answer for this store.
    pub(super) async fn pulls(&self) -> bool {
        match self.source {
            SourcePolicy::Pull => true,
            SourcePolicy::Build => false,
            SourcePolicy::Auto => *self.reachable.get_or_init(|| self.registry_answers()).await,
        }
    }

    async fn registry_answers(&self) -> bool {
        // What `auto` chose stands: a run without network must not turn from pulled to built images
        // or back.
        let chosen = self.store.root().join("artifacts-source");
        match std::fs::read_to_string(&chosen).unwrap_or_default().trim() {
            "pull" => return true,
            "build" => return false,
            _ => {}
        }
        let task = "image registry";
        self.progress
            .update(task, "asking whether public images can be pulled");
        let asked = oci::answers(&self.pins.pull.registry.image);
        let answers = tokio::time::timeout(ANSWERS_WITHIN, asked)
            .await
            .unwrap_or(false);
        let (choice, found) = if answers {
            (
                "pull",
                "it answers, so public images and release programs are pulled",
            )
        } else {
            (
                "build",
                "it does not answer, so images and programs are built here",
            )
        };
        let kept = match std::fs::write(&chosen, choice) {
            Ok(()) => format!(
                "later runs do the same (`--artifacts {choice}`, recorded in {})",
                chosen.display()
            ),
            Err(error) => format!(
                "warning: {} could not be written: {error}",
                chosen.display()
            ),
        };
        self.progress
            .finish(task, Outcome::Passed, &format!("{found}; {kept}"));
        answers
    }
}

#[cfg(test)]
mod tests;
