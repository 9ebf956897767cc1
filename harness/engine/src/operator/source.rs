//! Where an operator's manifests come from: a release's own kustomization, a user's, or a Helm
//! chart.

use std::path::{Path, PathBuf};

use super::error::OperatorError;
use crate::artifact::{ArtifactKey, Store, file};
use crate::process;

/// What Helm is told the release is called; the public chart overrides it by its own names.
const HELM_RELEASE: &str = "kuberay-operator";

/// Manifests of an operator, before they are rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifests {
    /// The folder of a release's module, whose `config/default` is rendered.
    Release(PathBuf),
    /// A folder with a kustomization.
    Kustomization(PathBuf),
    /// The folder of a chart with the shape of the public `kuberay-operator`, and files of values,
    /// the later ones first.
    Chart {
        /// The chart's folder, or its archive.
        chart: PathBuf,
        /// Files of values, as for `helm --values`.
        values: Vec<PathBuf>,
    },
}

/// Programs that render manifests.
#[derive(Debug, Clone)]
pub struct Renderers {
    /// `kubectl`, for its `kustomize`.
    pub kubectl: PathBuf,
    /// `helm`, where a chart is rendered.
    pub helm: Option<PathBuf>,
    /// Where what a release renders to is kept.
    pub store: Store,
}

impl Manifests {
    /// Returns whether these are custom manifests, whose image is the user's, too.
    pub fn are_custom(&self) -> bool {
        !matches!(self, Self::Release(_))
    }

    /// Where they come from, for people.
    pub fn origin(&self) -> String {
        match self {
            Self::Release(module) => module.join("config/default").display().to_string(),
            Self::Kustomization(folder) => folder.display().to_string(),
            Self::Chart { chart, .. } => chart.display().to_string(),
        }
    }

    /// Renders them to the text of many documents, for objects that name no namespace of their own
    /// in `namespace`.
    ///
    /// # Errors
    /// When the program that renders fails; its own words are in the error.
    pub async fn render(
        &self,
        renderers: &Renderers,
        namespace: &str,
    ) -> Result<String, OperatorError> {
        let command = match self {
            Self::Release(module) => return self.rendered_once(module, renderers).await,
            Self::Kustomization(folder) => kustomize(&renderers.kubectl, folder),
            Self::Chart { chart, values } => {
                let helm = renderers.helm.as_deref().unwrap_or(Path::new("helm"));
                let mut command = process::command(helm);
                command.args(["template", HELM_RELEASE]).arg(chart);
                command.args(["--namespace", namespace, "--include-crds"]);
                for file in values {
                    command.arg("--values").arg(file);
                }
                command
            }
        };
        Ok(process::output(command, &self.doing(), process::CHANGE).await?)
    }

    fn doing(&self) -> String {
        format!("rendering the operator's manifests in {}", self.origin())
    }

    /// A release's module never changes, and kustomize takes seconds for its CRDs.
    async fn rendered_once(
        &self,
        module: &Path,
        renderers: &Renderers,
    ) -> Result<String, OperatorError> {
        const FILE: &str = "operator.yaml";
        let program = &renderers.kubectl;
        let made = std::fs::metadata(program)
            .and_then(|file| file.modified())
            .ok();
        let key = ArtifactKey::default().with(module.as_os_str().as_encoded_bytes());
        let key = key
            .with(program.as_os_str().as_encoded_bytes())
            .with(format!("{made:?}"));
        let key = key.short();
        let rendered = renderers
            .store
            .get("manifests", &key, |folder: PathBuf| async move {
                let text = process::output(
                    kustomize(program, &module.join("config/default")),
                    &self.doing(),
                    process::CHANGE,
                )
                .await?;
                let path = folder.join(FILE);
                std::fs::write(&path, text).map_err(file("keeping the operator's manifests", &path))
            });
        let path = rendered.await?.join(FILE);
        let read = std::fs::read_to_string(&path);
        Ok(read.map_err(file("reading the operator's manifests", &path))?)
    }
}

fn kustomize(kubectl: &Path, folder: &Path) -> tokio::process::Command {
    let mut command = process::command(kubectl);
    command.arg("kustomize").arg(folder);
    command
}
