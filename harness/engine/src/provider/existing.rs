//! Provides a cluster that exists: nothing of it is made, changed or removed but what the run
//! itself makes.

pub(super) mod lifecycle;

use std::path::PathBuf;
use std::sync::Arc;

use kube::Client;
use semver::Version;
use sha2::{Digest, Sha256};

use super::{
    Batch, Capabilities, CaseCleanUp, ExistingSpec, Health, Images, ReleaseSpec, RunEnd, Serve,
    Target, TargetError, custom_manifests,
};
use crate::artifact::{Programs, Store, UNPINNED};
use crate::operator::{
    self, DiscoverError, FoundOperator, Installed, OperatorError, Rendered, remove_own,
};
use crate::plan::TestCase;
use crate::progress::Progress;
use crate::results::{Environment, ImageRecord, Origin};
use crate::scenario::{Manifest, TargetKind};
use crate::target::Existing;

/// Settings of an operator that change what it makes of commands (main.go and common/pod.go of the
/// releases).
const SETTINGS: [&str; 4] = [
    "ENABLE_LOGIN_SHELL",
    "ENABLE_INIT_CONTAINER_INJECTION",
    "ENABLE_PROBES_INJECTION",
    "CLUSTER_DOMAIN",
];

/// A cluster that exists, and its operator, before anything is made in it.
pub(crate) struct ExistingProvider {
    spec: ExistingSpec,
    cluster: Existing,
    identity: String,
    operator: TheOperator,
    programs: Programs,
    store: Store,
    progress: Arc<dyn Progress>,
}

enum TheOperator {
    /// It runs already.
    Found(Box<FoundOperator>),
    /// The run installs it in a namespace of its own.
    ToInstall {
        rendered: Box<Rendered>,
        release: Version,
    },
}

impl ExistingProvider {
    /// Connects to the cluster of a context, checks what may be done there, and finds out which
    /// operator cases will meet.
    pub(super) async fn find(
        spec: &ExistingSpec,
        releases: &ReleaseSpec,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, TargetError> {
        let store = Store::open()?;
        let programs = Programs::new(store.clone(), spec.source, Arc::clone(&progress));
        let cluster = Existing::connect(&spec.context).await?;
        progress.update(
            "cluster",
            &format!("{} at {}", cluster.context, cluster.server),
        );
        cluster.check_permissions().await?;
        let identity = cluster
            .identity()
            .await
            .map_err(|source| TargetError::Api {
                doing: "reading the namespace kube-system, whose uid identifies the cluster",
                source: Box::new(source),
            })?;
        let asked = releases.asked.as_ref();
        let operator = if spec.install_operator {
            // Only where there is none: one that is not available for a moment is there all the
            // same.
            match operator::discover(&cluster.client, None, None).await {
                Err(DiscoverError::None) => {}
                Ok(found) => return Err(TargetError::OperatorIsThere(found.installed.namespace)),
                Err(other) => return Err(other.into()),
            }
            let (mut rendered, release) =
                custom_manifests::rendered(&spec.operator, releases, &programs).await?;
            rendered.customise(
                spec.operator.image.as_deref(),
                &operator::InstallOptions::default(),
                "",
            );
            TheOperator::ToInstall {
                rendered: Box::new(rendered),
                release,
            }
        } else {
            let named = spec.operator_deployment.as_ref();
            TheOperator::Found(Box::new(
                operator::discover(&cluster.client, named, asked).await?,
            ))
        };
        let mut found = Self {
            spec: spec.clone(),
            cluster,
            identity,
            operator,
            programs,
            store,
            progress,
        };
        if let Some(settings) = found.settings() {
            found
                .identity
                .push_str(&format!(" whose operator has {settings}"));
        }
        found.tell();
        Ok(found)
    }

    /// Returns the text that identifies the cluster.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// The release that cases meet.
    pub(super) fn release(&self) -> &Version {
        match &self.operator {
            TheOperator::Found(found) => &found.installed.release,
            TheOperator::ToInstall { release, .. } => release,
        }
    }

    fn tell(&self) {
        let line = match &self.operator {
            TheOperator::Found(found) => {
                let Installed {
                    release,
                    namespace,
                    deployment,
                    ..
                } = &found.installed;
                format!(
                    "uses the operator {namespace}/{deployment}: KubeRay {release} ({})",
                    found.image
                )
            }
            TheOperator::ToInstall { release, .. } => {
                format!(
                    "installs KubeRay {release} in the namespace {}",
                    operator::OWN_NAMESPACE
                )
            }
        };
        self.progress
            .line(&format!("{}: {line}", self.cluster.context));
        if let Some(settings) = self.settings() {
            self.progress.line(&format!(
                "note: the operator has settings that scenarios don't expect: {settings}"
            ));
        }
    }

    fn settings(&self) -> Option<String> {
        let TheOperator::Found(found) = &self.operator else {
            return None;
        };
        let own = found
            .env
            .iter()
            .filter(|(name, _)| SETTINGS.contains(&name.as_str()));
        let own: Vec<_> = own.map(|(name, value)| format!("{name}={value}")).collect();
        (!own.is_empty()).then(|| own.join(", "))
    }

    /// Returns the environment under test, for reports.
    fn environment(&self, ray: &Version) -> Environment {
        let mut engine = format!(
            "none (the existing cluster of the context {})",
            self.cluster.context
        );
        if let Some(settings) = self.settings() {
            engine.push_str(&format!("; its operator has {settings}"));
        }
        Environment {
            kubernetes: self.cluster.kubernetes.clone(),
            engine,
            images: vec![self.operator_image(), self.ray_image(ray)],
        }
    }

    fn operator_image(&self) -> ImageRecord {
        let record = |name: &str, source: String, digest: Option<&String>| ImageRecord {
            name: name.into(),
            origin: Origin::Existing,
            source,
            digest: digest.cloned().unwrap_or_else(|| UNPINNED.into()),
            pinned: false,
        };
        match &self.operator {
            TheOperator::Found(found) => {
                let Installed {
                    namespace,
                    deployment,
                    ..
                } = &found.installed;
                let source = format!("the cluster's Deployment {namespace}/{deployment}");
                record(&found.image, source, found.digest.as_ref())
            }
            TheOperator::ToInstall { rendered, .. } => {
                let image = rendered.image().unwrap_or_default();
                record(&image, "pulled by the cluster's nodes".into(), None)
            }
        }
    }

    fn ray_image(&self, ray: &Version) -> ImageRecord {
        let name = format!("{}:{ray}", self.programs.pins().ray.image);
        let own = self.spec.ray_image.clone();
        ImageRecord {
            name: own.unwrap_or(name),
            origin: Origin::Existing,
            source: "pulled by the cluster's nodes".into(),
            digest: UNPINNED.into(),
            pinned: false,
        }
    }

    /// Hands the cluster to the runner with all cases, and removes what it installed unless it is
    /// to stay.
    pub(super) async fn serve(self, serve: &mut Serve<'_>) -> Result<(), TargetError> {
        let environment = self.environment(&serve.releases.ray);
        serve.runner.made_of(TargetKind::Existing, &environment);
        let client = self.cluster.client.clone();
        let installs = matches!(self.operator, TheOperator::ToInstall { .. });
        let (keep, progress) = (self.spec.keep, Arc::clone(&self.progress));
        let end = serve.end;
        let context = self.cluster.context.clone();
        let cases = async {
            let target = self.target(environment, serve.cases, &serve.releases.ray);
            let batch = Batch {
                target: end.limit(target).await?,
                cases: serve.cases.into(),
                cancel: &end.cancel,
                upgrade: None,
            };
            serve.runner.run(batch).await?.await;
            Ok(())
        };
        let done = cases.await;
        // Beside what is somebody else's nothing was made; an operator of ours there is another
        // run's.
        let nothing_made = matches!(&done, Err(TargetError::Operator(OperatorError::Foreign(_))));
        let removed = if installs && !keep && !nothing_made {
            remove(&client, end, &context, &*progress).await
        } else {
            Ok(())
        };
        serve.phases.end("cases");
        // Why it ended says more than what its clean-up met, which is told all the same.
        if let (Err(_), Err(error)) = (&done, &removed) {
            serve.progress.line(&format!("warning: {error}"));
        }
        done.and(removed)
    }

    /// Installs the operator, where it is to be installed.
    async fn target(
        self,
        environment: Environment,
        cases: &[TestCase],
        ray: &Version,
    ) -> Result<Target, TargetError> {
        let (operator_image, ray_image) = (self.operator_image(), self.ray_image(ray));
        let samples = self.samples(cases).await?;
        let installed = match self.operator {
            TheOperator::Found(found) => found.installed,
            TheOperator::ToInstall { rendered, release } => {
                let client = &self.cluster.client;
                operator::install_beside_others(client, *rendered, &release, &*self.progress)
                    .await?
            }
        };
        let server = format!("{:x}", Sha256::digest(&self.cluster.server));
        Ok(Target {
            client: self.cluster.client,
            environment,
            health: Health::Deployment(installed),
            images: Images {
                operator: operator_image,
                rays: [(ray.clone(), ray_image)].into(),
            },
            samples,
            capabilities: Capabilities {
                kubelet: true,
                // Runs of this machine share the cluster's capacity; of others nothing is known.
                allocations: Some(self.store.root().join("existing").join(&server[..16])),
                capacity_share: self.spec.capacity_share,
                // Its processors are not this machine's: its capacity is what limits.
                jobs: Some(AT_ONCE),
                clean_up: CaseCleanUp::Namespace,
            },
        })
    }

    /// The release's samples, where a case needs one: only then must its files be had.
    async fn samples(&self, cases: &[TestCase]) -> Result<PathBuf, TargetError> {
        let mut manifests = cases
            .iter()
            .flat_map(|case| &case.scenario.file.spec.manifests);
        if !manifests.any(|manifest| matches!(manifest, Manifest::Sample(_))) {
            return Ok(PathBuf::new());
        }
        let module = self.programs.operator_module(self.release()).await?;
        Ok(module.join("config/samples"))
    }
}

/// Cases at once, as far as the nodes have capacity.
const AT_ONCE: usize = 64;

/// Removes the operator that the run installed. An API server that does not answer is not waited
/// for after the run's end.
async fn remove(
    client: &Client,
    end: &RunEnd,
    context: &str,
    progress: &dyn Progress,
) -> Result<(), TargetError> {
    let Some(told) = end.finish(remove_own(client)).await else {
        let why = format!(
            "the run ended before the operator in {} was removed; \
             `kuberay-conformance cluster down --context {context}` removes what is left",
            operator::OWN_NAMESPACE
        );
        return Err(OperatorError::Removal(why).into());
    };
    for line in told? {
        progress.line(&line);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
