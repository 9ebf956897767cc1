//! A release's CRDs on an API server without controllers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use kube::{Api, Client};
use semver::Version;

use super::error::{OperatorError, api_error};
use super::objects::Sender;
use crate::scenario::files::read_text;

const SERVED_WITHIN: Duration = Duration::from_mins(1);
/// How often it is asked what is served: discovery can't be watched.
const INTERVAL: Duration = Duration::from_millis(50);
/// No definition is larger, in bytes.
const LARGEST: u64 = 16 << 20;

/// Creates a release's CRDs from the folder `config/crd/bases` of its module, and waits until they
/// are served.
///
/// It creates, and does not apply: what client-side apply would note of such large objects is
/// refused.
///
/// # Errors
/// When a CRD is refused or the folder can't be read.
pub async fn create_crds(
    client: &Client,
    folder: &Path,
    release: &Version,
) -> Result<(), OperatorError> {
    let malformed = |message: String| OperatorError::Malformed {
        origin: folder.display().to_string(),
        message,
    };
    let entries = std::fs::read_dir(folder).map_err(|error| malformed(error.to_string()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    paths.sort();
    let sender = Sender::new(client.clone());
    let one = async |path: &PathBuf| {
        let text = read_text(path, LARGEST)
            .map_err(|error| malformed(format!("{}: {error}", path.display())))?;
        let name = super::render::top_level_name(&text)
            .ok_or_else(|| malformed(format!("{} is no CRD with a name", path.display())))?;
        let created = sender.create_crd(&name, &text).await;
        created.map_err(|source| OperatorError::Object {
            release: release.clone(),
            source,
        })?;
        Ok::<_, OperatorError>(name)
    };
    let names = futures::future::try_join_all(paths.iter().map(one)).await?;
    if names.is_empty() {
        return Err(malformed("it contains no CRD".into()));
    }
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let established = names
        .iter()
        .map(|name| await_condition(api.clone(), name, is_crd_established()));
    let doing = "waiting for the CRDs to be established";
    match tokio::time::timeout(SERVED_WITHIN, futures::future::try_join_all(established)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(api_error(doing)(kube::Error::Service(error.into()))),
        Err(elapsed) => Err(api_error(doing)(kube::Error::Service(elapsed.into()))),
    }
}

/// Waits until an API server that found CRDs in its store serves them all; their names are such as
/// `rayjobs.ray.io`.
///
/// # Errors
/// When it does not serve one of them in time.
pub async fn crds_are_served(client: &Client, names: &[&str]) -> Result<(), OperatorError> {
    let doing = "asking the API server which kinds it serves";
    let started = Instant::now();
    loop {
        let missing = missing(client, names).await.map_err(api_error(doing))?;
        if missing.is_empty() {
            return Ok(());
        }
        if started.elapsed() >= SERVED_WITHIN {
            let (missing, seconds) = (missing.join(", "), SERVED_WITHIN.as_secs());
            let message =
                format!("it serves no {missing} after {seconds} s, although they are in its store");
            return Err(api_error(doing)(kube::Error::Service(message.into())));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Those of the CRDs that no version of their group serves.
async fn missing<'a>(client: &Client, names: &[&'a str]) -> kube::Result<Vec<&'a str>> {
    let mut served = Vec::new();
    let is_wanted = |group: &str| {
        names
            .iter()
            .any(|name| name.split_once('.').is_some_and(|(_, of)| of == group))
    };
    for group in client.list_api_groups().await?.groups {
        if is_wanted(&group.name) {
            for version in &group.versions {
                let listed = client.list_api_group_resources(&version.group_version);
                let resources = match listed.await {
                    Ok(list) => list.resources,
                    // The group is known a moment before its versions are.
                    Err(kube::Error::Api(status)) if status.code == 404 => continue,
                    Err(error) => return Err(error),
                };
                served.extend(
                    resources
                        .into_iter()
                        .map(|resource| format!("{}.{}", resource.name, group.name)),
                );
            }
        }
    }
    Ok(names
        .iter()
        .copied()
        .filter(|name| !served.iter().any(|one| one == name))
        .collect())
}
