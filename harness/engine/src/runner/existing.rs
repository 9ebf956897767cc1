//! Cases in a cluster that exists: nothing of it is made, changed or taken down but what the run itself makes.

use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::ListParams;
use semver::Version;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    Engine, EngineOptions, Operator, Options, RunError, Subjects, cleanup, custom_manifests,
};
use crate::artifact::{Programs, Store, UNPINNED};
use crate::operator::{self, DiscoverError, Found, Installed, OperatorError, Rendered, remove_own};
use crate::plan::TestCase;
use crate::progress::Progress;
use crate::results::{CaseResult, Environment, ImageRecord, Origin};
use crate::scenario::Manifest;
use crate::target::Existing;

/// Settings of an operator that change what it makes of commands (main.go and common/pod.go of the releases).
const SETTINGS: [&str; 4] = [
    "ENABLE_LOGIN_SHELL",
    "ENABLE_INIT_CONTAINER_INJECTION",
    "ENABLE_PROBES_INJECTION",
    "CLUSTER_DOMAIN",
];

/// A cluster that exists, and its operator, before anything is made in it.
pub(super) struct There {
    cluster: Existing,
    identity: String,
    operator: TheOperator,
    programs: Programs,
    store: Store,
    progress: Arc<dyn Progress>,
}

enum TheOperator {
    /// It runs already.
    Found(Box<Found>),
    /// The run installs it in a namespace of its own.
    ToInstall {
        rendered: Box<Rendered>,
        release: Version,
    },
}

impl There {
    /// Connects to the cluster of a context, checks what may be done there, and finds out which operator cases will meet.
    pub(super) async fn find(
        options: &Options,
        progress: Arc<dyn Progress>,
    ) -> Result<Option<Self>, RunError> {
        let Some(wanted) = &options.existing else {
            return Ok(None);
        };
        let store = Store::open()?;
        let programs = Programs::new(store.clone(), options.source, Arc::clone(&progress));
        let cluster = Existing::connect(&wanted.context).await?;
        progress.update(
            "cluster",
            &format!("{} at {}", cluster.context, cluster.server),
        );
        cluster.check_permissions().await?;
        let identity = cluster.identity().await.map_err(|source| RunError::Api {
            doing: "reading the namespace kube-system, whose uid tells the cluster from others",
            source: Box::new(source),
        })?;
        let asked = options.operator_asked.as_ref();
        let operator = if wanted.install_operator {
            // Only where there is none: one that is not available for a moment is there all the same.
            match operator::discover(&cluster.client, None, None).await {
                Err(DiscoverError::None) => {}
                Ok(found) => return Err(RunError::OperatorIsThere(found.installed.namespace)),
                Err(other) => return Err(other.into()),
            }
            let (mut rendered, release) = custom_manifests::rendered(options, &programs).await?;
            rendered.customise(
                options.operator_image.as_deref(),
                &operator::Options::default(),
                "",
            );
            TheOperator::ToInstall {
                rendered: Box::new(rendered),
                release,
            }
        } else {
            let named = wanted.operator_deployment.as_ref();
            TheOperator::Found(Box::new(
                operator::discover(&cluster.client, named, asked).await?,
            ))
        };
        let mut there = Self {
            cluster,
            identity,
            operator,
            programs,
            store,
            progress,
        };
        if let Some(settings) = there.settings() {
            there
                .identity
                .push_str(&format!(" whose operator has {settings}"));
        }
        there.tell();
        Ok(Some(there))
    }

    /// What tells the cluster from every other.
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
                "note: the operator has settings of its own, which scenarios don't expect: {settings}"
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

    /// What is under test, for reports.
    pub(super) fn environment(&self, options: &Options) -> Environment {
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
            images: vec![self.operator_image(), self.ray_image(options)],
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

    fn ray_image(&self, options: &Options) -> ImageRecord {
        let name = format!("{}:{}", self.programs.pins().ray.image, options.ray);
        let own = options
            .existing
            .as_ref()
            .and_then(|there| there.ray_image.clone());
        ImageRecord {
            name: own.unwrap_or(name),
            origin: Origin::Existing,
            source: "pulled by the cluster's nodes".into(),
            digest: UNPINNED.into(),
            pinned: false,
        }
    }

    /// Runs the cases, and removes what it installed unless it is to stay.
    pub(super) async fn run(
        self,
        options: &Options,
        engine_options: EngineOptions,
        cases: &[TestCase],
        cancel: &CancellationToken,
    ) -> Result<Vec<CaseResult>, RunError> {
        let client = self.cluster.client.clone();
        let installs = matches!(self.operator, TheOperator::ToInstall { .. });
        let progress = Arc::clone(&self.progress);
        let done = tokio::select! {
            biased;
            done = self.cases(options, engine_options, cases, cancel) => done,
            // Cases end by themselves when they are told to, and keep their evidence; what comes before them does not.
            () = never_unless(installs, cancel) => Err(RunError::Interrupted),
        };
        // Beside what is somebody else's nothing was made; an operator of ours there is another run's.
        let nothing_made = matches!(&done, Err(RunError::Operator(OperatorError::Foreign(_))));
        if installs && !options.keep && !nothing_made {
            for line in remove_own(&client).await? {
                progress.line(&line);
            }
        }
        done
    }

    async fn cases(
        self,
        options: &Options,
        engine_options: EngineOptions,
        cases: &[TestCase],
        cancel: &CancellationToken,
    ) -> Result<Vec<CaseResult>, RunError> {
        let operator_image = self.operator_image();
        let ray_image = self.ray_image(options);
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
        let subjects = Subjects {
            kubernetes: self.cluster.kubernetes.clone(),
            operator: Operator::Installed(installed),
            operator_image,
            samples,
            rays: [(options.ray.clone(), ray_image)].into(),
            // Runs of this machine share the cluster's room; of others nothing is known.
            permits: Some(self.store.root().join("existing").join(&server[..16])),
        };
        let client = self.cluster.client.clone();
        let engine = Engine::new(
            client,
            subjects,
            engine_options,
            Arc::clone(&self.progress),
            cancel.clone(),
        )
        .await?;
        let (mut results, rest) = engine.take_over(cases).await;
        results.extend(engine.run(&rest).await);
        for problem in engine.finish().await {
            self.progress.line(&format!("warning: {problem}"));
        }
        Ok(results)
    }

    /// The release's samples, where a case needs one: only then must its files be had.
    async fn samples(&self, cases: &[TestCase]) -> Result<PathBuf, RunError> {
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

/// How long cases may take to keep their evidence after they are told to end.
const ENDED_WITHIN: std::time::Duration = std::time::Duration::from_mins(1);

async fn never_unless(installs: bool, cancel: &CancellationToken) {
    if !installs {
        std::future::pending::<()>().await;
    }
    cancel.cancelled().await;
    tokio::time::sleep(ENDED_WITHIN).await;
}

/// Removes from the cluster of a context what ended runs of this machine left there: namespaces of cases, and the
/// operator that a run installed. Returns a text for people.
///
/// # Errors
/// When the context can't be used, or the API server refuses.
pub(super) async fn down(
    options: &Options,
    progress: &dyn Progress,
) -> Result<Option<String>, RunError> {
    let Some(there) = &options.existing else {
        return Ok(None);
    };
    let cluster = Existing::connect(&there.context).await?;
    let left = cleanup::remove_left(&cluster.client, progress).await;
    let mut told = left.map_err(|source| RunError::Api {
        doing: "looking for namespaces that runs have left",
        source: Box::new(source),
    })?;
    told.extend(remove_own(&cluster.client).await?);
    if told.is_empty() {
        told.push(format!(
            "nothing of this machine's is left in {}",
            cluster.context
        ));
    }
    Ok(Some(told.join("\n")))
}

/// Says which operator is in the cluster of a context, and which namespaces of cases. Returns a text for people.
///
/// # Errors
/// When the context can't be used, or the API server refuses.
pub(super) async fn status(options: &Options) -> Result<Option<String>, RunError> {
    let Some(there) = &options.existing else {
        return Ok(None);
    };
    let cluster = Existing::connect(&there.context).await?;
    let mut text = format!(
        "{}: Kubernetes {} at {}",
        cluster.context, cluster.kubernetes, cluster.server
    );
    match operator::discover(&cluster.client, there.operator_deployment.as_ref(), None).await {
        Ok(found) => {
            let Installed {
                release,
                namespace,
                deployment,
                ..
            } = &found.installed;
            text.push_str(&format!(
                "\noperator: {namespace}/{deployment}, KubeRay {release} ({})",
                found.image
            ));
        }
        Err(why) => text.push_str(&format!("\noperator: {why}")),
    }
    match cluster.check_permissions().await {
        Ok(()) => text.push_str("\npermissions: all that a run needs"),
        Err(why) => text.push_str(&format!("\npermissions: {why}")),
    }
    let ours = ListParams::default().labels(&cleanup::of_cases());
    let namespaces = Api::<Namespace>::all(cluster.client)
        .list_metadata(&ours)
        .await;
    let count = namespaces.map_or(0, |list| list.items.len());
    text.push_str(&format!("\nnamespaces of scenarios: {count}"));
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
