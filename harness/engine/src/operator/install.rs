//! A release is installed once and found again.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, LogParams};
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt};
use semver::Version;
use sha2::{Digest, Sha256};

use super::error::{OperatorError, api_error};
use super::model::{FINGERPRINT, InstallOptions, Installed};
use super::objects::{MANAGED_BY, MANAGER, Sender};
use super::render::Rendered;
use super::source::{Manifests, Renderers};
use super::wait;
use crate::artifact::Image;
use crate::check::Bounds;
use crate::observe::read_log;
use crate::progress::Progress;

/// How long an operator may take until it works; its probes alone wait 10 seconds.
pub const AVAILABLE_WITHIN: Duration = Duration::from_mins(2);

/// How long it takes to see that one works which is there.
const SEEN_WITHIN: Duration = Duration::from_secs(1);

/// Which operator is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its release.
    pub release: &'a Version,
    /// Its manifests.
    pub manifests: &'a Manifests,
    /// The release's image; custom manifests name their own.
    pub image: &'a Image,
    /// Departures from its manifests.
    pub options: &'a InstallOptions,
}

/// Where the release's own manifests put the operator that names no namespace.
const NAMESPACE: &str = "default";

/// Makes the wanted operator run, and no other that the harness made: one that runs already with
/// the same release, manifests, image and options is left alone.
///
/// Its CRDs need no node; the rest is applied when `nodes` is done, because an operator that starts
/// before it can reach the API server ends.
///
/// # Errors
/// When it can't be rendered, applied or started; at once when its Pod is in a state that can't get
/// better.
pub async fn ensure(
    client: &Client,
    renderers: &Renderers,
    wanted: Wanted<'_>,
    progress: &dyn Progress,
    nodes: impl Future<Output = ()>,
) -> Result<Installed, OperatorError> {
    let Wanted {
        release,
        manifests,
        image,
        options,
    } = wanted;
    // The manifests of a release never change. The user's own may change, so their rendered text
    // identifies them.
    let custom = if manifests.are_custom() {
        Some(manifests.render(renderers, NAMESPACE).await?)
    } else {
        None
    };
    let fingerprint = fingerprint(release, image, options, custom.as_deref());
    let others = deployments(client).await?;
    let current = others.iter().find(|found| is_current(found, &fingerprint));
    if let Some(current) = current {
        let there = Installed {
            release: release.clone(),
            namespace: current.namespace().unwrap_or_default(),
            deployment: current.name_any(),
            reused: true,
        };
        if wait::available(current)
            || wait::until_working(client, &there, SEEN_WITHIN)
                .await
                .is_ok()
        {
            return Ok(there);
        }
    }
    let task = "operator";
    progress.update(task, &format!("rendering KubeRay {release}"));
    let mut rendered = match &custom {
        Some(text) => Rendered::parse(text, &manifests.origin())?,
        None => Rendered::of(manifests, renderers, NAMESPACE).await?,
    };
    let own = (!manifests.are_custom()).then_some(image.public_name.as_str());
    rendered.customise(options.image.as_deref().or(own), options, &fingerprint);
    for other in others
        .iter()
        .filter(|found| !is_current(found, &fingerprint))
    {
        progress.update(
            task,
            &format!(
                "removing the operator in {}",
                other.namespace().unwrap_or_default()
            ),
        );
        remove(client, other).await?;
    }
    progress.update(task, &format!("applying KubeRay {release}"));
    let sender = Sender::new(client.clone());
    let refused = |source| OperatorError::Object {
        release: release.clone(),
        source,
    };
    for (name, yaml) in &rendered.crds {
        sender.apply_crd(name, yaml).await.map_err(refused)?;
    }
    until_established(client, &rendered).await?;
    nodes.await;
    for object in &rendered.objects {
        sender.apply(object).await.map_err(refused)?;
    }
    progress.update(
        task,
        &format!("waiting for KubeRay {release} to be available"),
    );
    let installed = Installed {
        release: release.clone(),
        namespace: rendered.namespace.clone(),
        deployment: rendered.deployment.clone(),
        reused: false,
    };
    wait::until_working(client, &installed, AVAILABLE_WITHIN).await?;
    Ok(installed)
}

fn fingerprint(
    release: &Version,
    image: &Image,
    options: &InstallOptions,
    custom: Option<&str>,
) -> String {
    let mut hash = Sha256::new();
    let env = options
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let parts = [release.to_string(), image.record.digest.clone()];
    let custom = custom.map(|text| format!("{:x}", Sha256::digest(text)));
    for part in parts
        .into_iter()
        .chain(options.image.clone())
        .chain(env)
        .chain(custom)
    {
        hash.update(part);
        hash.update([0]);
    }
    format!("{:x}", hash.finalize()).chars().take(32).collect()
}

fn is_current(deployment: &Deployment, fingerprint: &str) -> bool {
    deployment
        .annotations()
        .get(FINGERPRINT)
        .is_some_and(|found| found == fingerprint)
}

async fn deployments(client: &Client) -> Result<Vec<Deployment>, OperatorError> {
    let ours = ListParams::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
    let list = Api::<Deployment>::all(client.clone())
        .list(&ours)
        .await
        .map_err(api_error("looking for operators that run"))?;
    Ok(list.items)
}

/// Two releases that watch the same namespaces would fight, so the other goes first, Pods and all.
async fn remove(client: &Client, deployment: &Deployment) -> Result<(), OperatorError> {
    let namespace = deployment.namespace().unwrap_or_default();
    let doing = format!("removing the operator in {namespace}");
    let api: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    let uid = deployment.uid().unwrap_or_default();
    api.delete(&deployment.name_any(), &DeleteParams::foreground())
        .await
        .map_err(api_error(&doing))?;
    let gone = kube::runtime::conditions::is_deleted(&uid);
    let name = deployment.name_any();
    match tokio::time::timeout(AVAILABLE_WITHIN, await_condition(api, &name, gone)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(api_error(&doing)(kube::Error::Service(error.into()))),
        Err(elapsed) => Err(api_error(&doing)(kube::Error::Service(elapsed.into()))),
    }
}

pub(super) async fn until_established(
    client: &Client,
    rendered: &Rendered,
) -> Result<(), OperatorError> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let all = futures::future::try_join_all(
        rendered
            .crds
            .iter()
            .map(|(name, _)| await_condition(api.clone(), name, is_crd_established())),
    );
    let doing = "waiting for the CRDs to be established";
    match tokio::time::timeout(Duration::from_secs(30), all).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(api_error(doing)(kube::Error::Service(error.into()))),
        Err(elapsed) => Err(api_error(doing)(kube::Error::Service(elapsed.into()))),
    }
}

/// The operator's log from a moment on, by the harness's own clock, for evidence; what can't be
/// read is said in the text.
pub async fn log_since(client: &Client, operator: &Installed, since: Timestamp) -> String {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &operator.namespace);
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &operator.namespace);
    let found = async { wait::pods_of(&pods, &deployments.get(&operator.deployment).await?).await };
    let found = match found.await {
        Ok(found) => found,
        Err(error) => return format!("(the operator's Pods could not be listed: {error})\n"),
    };
    // A time by our clock says nothing to a node; how long ago it was, does. A second more for what
    // is cut off.
    let age = crate::observe::now().duration_since(since).as_secs().max(0);
    let params = LogParams {
        since_seconds: Some(age + 1),
        ..LogParams::default()
    };
    let mut text = String::new();
    for pod in found {
        let name = pod.name_any();
        match read_log(&pods, &name, &params, Bounds::EVIDENCE).await {
            Ok(log) => text.push_str(&log.to_text()),
            Err(error) => {
                text.push_str(&format!("(the log of {name} could not be read: {error})\n"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{InstallOptions, fingerprint};
    use crate::artifact::Image;
    use crate::results::{ImageRecord, Origin};

    fn image(digest: &str) -> Image {
        Image {
            public_name: "quay.io/kuberay/operator:v1.6.2".into(),
            local_name: "localhost/operator".into(),
            archive: None,
            record: ImageRecord {
                name: "quay.io/kuberay/operator:v1.6.2".into(),
                origin: Origin::Built,
                source: "module".into(),
                digest: digest.into(),
                pinned: true,
            },
        }
    }

    #[test]
    fn the_fingerprint_tells_release_image_and_options_apart() {
        let release = semver::Version::new(1, 6, 2);
        let plain = InstallOptions::default();
        let other_image = InstallOptions {
            image: Some("quay.io/none:1".into()),
            ..InstallOptions::default()
        };
        let login = InstallOptions {
            env: BTreeMap::from([("ENABLE_LOGIN_SHELL".into(), "true".into())]),
            ..InstallOptions::default()
        };
        let all = [
            fingerprint(&release, &image("sha256:a"), &plain, None),
            fingerprint(
                &semver::Version::new(1, 6, 1),
                &image("sha256:a"),
                &plain,
                None,
            ),
            fingerprint(&release, &image("sha256:b"), &plain, None),
            fingerprint(&release, &image("sha256:a"), &other_image, None),
            fingerprint(&release, &image("sha256:a"), &login, None),
            fingerprint(&release, &image("sha256:a"), &plain, Some("a chart")),
            fingerprint(&release, &image("sha256:a"), &plain, Some("another")),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(
            all[0],
            fingerprint(&release, &image("sha256:a"), &plain, None)
        );
    }
}
