//! Where each of the two operators comes from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;

use super::DiffOptions;
use crate::artifact::{ArtifactError, Pins, Programs, Store};
use crate::progress::Progress;
use crate::provider::{EnvtestSpec, OperatorProgram, ReleaseSpec};
use crate::runner::RunError;

/// Where an operator comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorOf {
    /// A release that `fixtures/versions.yaml` lists.
    Release(Version),
    /// A checkout of `ray-operator`, built with Go.
    Source {
        /// The folder of the module, or that of KubeRay's repository.
        folder: PathBuf,
        /// The release whose contract it follows; read from the source when absent.
        release: Option<Version>,
    },
    /// A program with its CRDs.
    Binary {
        /// The program.
        program: PathBuf,
        /// The folder with its CRDs.
        crds: PathBuf,
        /// The release whose contract it follows; the newest when absent.
        release: Option<Version>,
    },
    /// The image of an operator in a registry that needs no login.
    Image {
        /// Its name.
        image: String,
        /// The folder with its CRDs; those of the release when absent.
        crds: Option<PathBuf>,
        /// The release whose contract it follows; that of its tag, else the newest.
        release: Option<Version>,
    },
}

/// An operator that is ready to be started.
pub(super) struct Resolved {
    pub name: String,
    pub release: Version,
    pub releases: ReleaseSpec,
    pub spec: EnvtestSpec,
}

impl OperatorOf {
    /// Returns what reports call it.
    pub fn name(&self) -> String {
        match self {
            Self::Release(release) => format!("KubeRay {release}"),
            Self::Source { folder, .. } => format!("source {}", folder.display()),
            Self::Binary { program, .. } => format!("program {}", program.display()),
            Self::Image { image, .. } => format!("image {image}"),
        }
    }

    /// Builds or pulls the program, where it is not there yet.
    pub(super) async fn resolve(
        &self,
        options: &DiffOptions,
        progress: &Arc<dyn Progress>,
    ) -> Result<Resolved, RunError> {
        let pins = Pins::embedded();
        let programs = Programs::new(Store::open()?, options.source, Arc::clone(progress));
        let newest = || pins.defaults.operator.clone();
        let (release, binary, crds) = match self {
            Self::Release(release) => (release.clone(), None, None),
            Self::Source { folder, release } => {
                let folder = module_of(folder)?;
                let own = release.clone().or_else(|| release_of(&folder));
                let program = programs.operator_of_source(&folder).await?;
                let crds = folder.join("config/crd/bases");
                (own.unwrap_or_else(newest), Some(program), Some(crds))
            }
            Self::Binary {
                program,
                crds,
                release,
            } => {
                let release = release.clone().unwrap_or_else(newest);
                (release, Some(program.clone()), Some(crds.clone()))
            }
            Self::Image {
                image,
                crds,
                release,
            } => {
                let release = release.clone().or_else(|| tag_of(image));
                if crds.is_none()
                    && release
                        .as_ref()
                        .is_none_or(|own| pins.operator(own).is_err())
                {
                    let image = image.clone();
                    return Err(ArtifactError::NoCrds { image }.into());
                }
                let program = programs.operator_of_image(image).await?;
                (release.unwrap_or_else(newest), Some(program), crds.clone())
            }
        };
        Ok(Resolved {
            name: self.name(),
            releases: ReleaseSpec::new(release.clone(), pins.defaults.ray),
            spec: EnvtestSpec {
                source: options.source,
                operator: binary.map(|program| OperatorProgram { program, crds }),
                ..EnvtestSpec::default()
            },
            release,
        })
    }
}

/// The folder of the module in a checkout.
fn module_of(folder: &Path) -> Result<PathBuf, ArtifactError> {
    let inner = folder.join("ray-operator");
    let module = if inner.join("go.mod").is_file() {
        inner
    } else {
        folder.into()
    };
    for missing in ["go.mod", "main.go"] {
        if !module.join(missing).is_file() {
            let folder = folder.into();
            return Err(ArtifactError::NoCheckout { folder, missing });
        }
    }
    if !module.join("config/crd/bases").is_dir() {
        let (folder, missing) = (folder.into(), "config/crd/bases");
        return Err(ArtifactError::NoCheckout { folder, missing });
    }
    Ok(module)
}

/// The release that a source calls itself; none where it is no release, such as `nightly`.
fn release_of(module: &Path) -> Option<Version> {
    const FILE: &str = "controllers/ray/utils/constant.go";
    let text = std::fs::read_to_string(module.join(FILE)).ok()?;
    let is_assignment = |line: &&str| {
        let rest = line.trim_start().strip_prefix("KUBERAY_VERSION");
        rest.is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let line = text.lines().find(is_assignment)?;
    let value = line.split('"').nth(1)?;
    value.strip_prefix('v')?.parse().ok()
}

fn tag_of(image: &str) -> Option<Version> {
    let (_, tag) = image.rsplit_once(':')?;
    tag.trim_start_matches('v').parse().ok()
}

#[cfg(test)]
mod tests {
    use assertables::assert_contains;

    use super::*;

    #[test]
    fn a_checkout_is_the_module_or_the_repository() {
        let root = tempfile::tempdir().unwrap();
        let refused = |folder: &Path| module_of(folder).unwrap_err().to_string();
        assert_contains!(refused(root.path()), "go.mod");
        let module = root.path().join("ray-operator");
        std::fs::create_dir_all(module.join("config/crd/bases")).unwrap();
        std::fs::write(module.join("go.mod"), "").unwrap();
        assert_contains!(refused(root.path()), "main.go");
        std::fs::write(module.join("main.go"), "").unwrap();
        assert_eq!(module_of(root.path()).unwrap(), module);
        assert_eq!(module_of(&module).unwrap(), module);
        let utils = module.join("controllers/ray/utils");
        std::fs::create_dir_all(&utils).unwrap();
        for (value, release) in [("v1.6.2", Some("1.6.2")), ("nightly", None)] {
            let comment = "// KUBERAY_VERSION is the build version";
            let text = format!("package utils\n\t{comment}\n\tKUBERAY_VERSION = \"{value}\"\n");
            std::fs::write(utils.join("constant.go"), text).unwrap();
            assert_eq!(
                release_of(&module).map(|one| one.to_string()).as_deref(),
                release
            );
        }
    }

    #[test]
    fn a_tag_names_a_release() {
        let release = |image| tag_of(image).map(|release| release.to_string());
        assert_eq!(
            release("quay.io/kuberay/operator:v1.6.2").as_deref(),
            Some("1.6.2")
        );
        assert_eq!(release("localhost:5000/operator"), None);
    }
}
