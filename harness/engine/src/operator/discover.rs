//! The operator that is already in a cluster, and which release it is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::Request;
use http::header::DATE;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::api::ListParams;
use kube::client::Body;
use kube::{Api, Client, ResourceExt};
use semver::Version;

use super::model::Installed;
use super::render::release_of;
use super::wait;

/// One that has just begun is available when its probes have been asked, which they are after ten
/// seconds.
const STARTED_WITHIN: SignedDuration = SignedDuration::from_secs(20);
const INTERVAL: Duration = Duration::from_secs(1);
/// Labels of the operator's Deployment: the first is KubeRay's own kustomization
/// (config/manager/manager.yaml, 1.0.0 and later), the second its Helm chart
/// (templates/_helpers.tpl).
const SELECTOR: &str = "app.kubernetes.io/name in (kuberay,kuberay-operator)";

/// A Deployment by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for DeploymentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for DeploymentName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((namespace, name))
                if !namespace.is_empty() && !name.is_empty() && !name.contains('/') =>
            {
                Ok(Self {
                    namespace: namespace.into(),
                    name: name.into(),
                })
            }
            _ => Err("use NAMESPACE/NAME, such as ray-system/kuberay-operator".into()),
        }
    }
}

/// An operator that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundOperator {
    /// What it is.
    pub installed: Installed,
    /// The image that its Deployment names.
    pub image: String,
    /// The digest of the image that runs, `sha256:…`, where its Pod tells.
    pub digest: Option<String>,
    /// Environment variables of its container that have a plain value.
    pub env: BTreeMap<String, String>,
}

/// Why the operator in a cluster can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The API server could not be asked.
    #[error("looking for the operator in the cluster: {0}")]
    Api(Box<kube::Error>),
    /// There is none.
    #[error(
        "no KubeRay operator is in the cluster (no Deployment is labelled `{SELECTOR}`): install one, name its Deployment \
         with --operator-deployment NAMESPACE/NAME, or let the run install one with --install-operator"
    )]
    None,
    /// The named one is not there.
    #[error(
        "there is no Deployment {0} in the cluster; `kubectl get deployments --all-namespaces` lists those that are"
    )]
    NotThere(DeploymentName),
    /// There are several.
    #[error(
        "several KubeRay operators are in the cluster: {}; they would conflict over the scenarios' objects unless each keeps \
         to its namespaces. Name the one that works on every namespace with --operator-deployment", list(.0)
    )]
    Several(Vec<DeploymentName>),
    /// It is not available.
    #[error("the operator {0} is not available; see `kubectl describe deployment --namespace {ns} {name}`", ns = .0.namespace, name = .0.name)]
    NotAvailable(DeploymentName),
    /// It keeps to some namespaces.
    #[error(
        "the operator {place} watches only the namespaces {namespaces}, but each scenario has its own namespace; use an \
         operator without --watch-namespace (of the Helm chart: without singleNamespaceInstall and watchNamespace)"
    )]
    KeepsToNamespaces {
        /// The operator.
        place: DeploymentName,
        /// Where it works.
        namespaces: String,
    },
    /// Its image does not tell.
    #[error(
        "the operator {place} runs {image}, whose tag names no release; set --operator to the release that it matches"
    )]
    UnknownRelease {
        /// The operator.
        place: DeploymentName,
        /// Its image.
        image: String,
    },
    /// It is another than was asked for.
    #[error(
        "the operator {place} is KubeRay {found} (its image is {image}), and --operator asks for {asked}; leave --operator \
         out, or use a cluster with that release"
    )]
    OtherRelease {
        /// The operator.
        place: DeploymentName,
        /// Its image.
        image: String,
        /// Its release.
        found: Box<Version>,
        /// The release that was asked for.
        asked: Box<Version>,
    },
}

impl From<kube::Error> for DiscoverError {
    fn from(error: kube::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

fn list(places: &[DeploymentName]) -> String {
    let places: Vec<_> = places.iter().map(ToString::to_string).collect();
    places.join(", ")
}

/// Finds the operator: the named one, else the only one. `asked` is the release that the user
/// expects.
///
/// # Errors
/// When there is none or several, when it can't serve scenarios in namespaces of their own, and
/// when its release is not known or another than the one asked for.
pub async fn discover(
    client: &Client,
    named: Option<&DeploymentName>,
    asked: Option<&Version>,
) -> Result<FoundOperator, DiscoverError> {
    let mut deployment = find(client, named).await?;
    while !wait::available(&deployment) && has_just_begun(&deployment, server_time(client).await?) {
        tokio::time::sleep(INTERVAL).await;
        deployment = find(client, named).await?;
    }
    let mut found = judge(&deployment, asked)?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &found.installed.namespace);
    let pods = wait::pods_of(&pods, &deployment).await?;
    found.digest = pods.iter().find_map(digest);
    Ok(found)
}

async fn find(
    client: &Client,
    named: Option<&DeploymentName>,
) -> Result<Deployment, DiscoverError> {
    if let Some(place) = named {
        let api: Api<Deployment> = Api::namespaced(client.clone(), &place.namespace);
        let found = api.get_opt(&place.name).await?;
        return found.ok_or_else(|| DiscoverError::NotThere(place.clone()));
    }
    let labelled = ListParams::default().labels(SELECTOR);
    only(
        Api::<Deployment>::all(client.clone())
            .list(&labelled)
            .await?
            .items,
    )
}

/// The time by the clock that dates objects: the API server's own. Where an answer has no date, the
/// beginning of time.
async fn server_time(client: &Client) -> Result<Timestamp, DiscoverError> {
    let request = Request::get("/version")
        .body(Body::empty())
        .map_err(kube::Error::HttpError)?;
    let answer = client.send(request).await?;
    let date = answer
        .headers()
        .get(DATE)
        .and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    Ok(date.map_or(Timestamp::UNIX_EPOCH, |date| date.timestamp()))
}

/// Whether nothing is wrong yet with one that is not available, at a time by the API server's
/// clock.
fn has_just_begun(deployment: &Deployment, now: Timestamp) -> bool {
    deployment.creation_timestamp().is_some_and(|made| {
        let age = now.duration_since(made.0);
        !age.is_negative() && age < STARTED_WITHIN
    })
}

fn place_of(deployment: &Deployment) -> DeploymentName {
    DeploymentName {
        namespace: deployment.namespace().unwrap_or_default(),
        name: deployment.name_any(),
    }
}

fn only(mut all: Vec<Deployment>) -> Result<Deployment, DiscoverError> {
    // One that is scaled to nothing does nothing.
    all.retain(|deployment| deployment.spec.replicas != Some(0));
    match all.len() {
        0 => Err(DiscoverError::None),
        1 => Ok(all.remove(0)),
        _ => Err(DiscoverError::Several(all.iter().map(place_of).collect())),
    }
}

fn container(deployment: &Deployment) -> Option<&Container> {
    let spec = deployment.spec.template.spec.as_ref()?;
    spec.containers.first()
}

/// What a Deployment says of itself.
fn judge(deployment: &Deployment, asked: Option<&Version>) -> Result<FoundOperator, DiscoverError> {
    let place = place_of(deployment);
    if !wait::available(deployment) {
        return Err(DiscoverError::NotAvailable(place));
    }
    let container = container(deployment);
    let image = container
        .and_then(|container| container.image.clone())
        .unwrap_or_default();
    let arguments: Vec<&String> = container
        .iter()
        .flat_map(|container| {
            container
                .command
                .iter()
                .flatten()
                .chain(container.args.iter().flatten())
        })
        .collect();
    if let Some(namespaces) = watched(&arguments) {
        return Err(DiscoverError::KeepsToNamespaces { place, namespaces });
    }
    let release = match (release_of(&image), asked) {
        (Some(found), Some(asked)) if found != *asked => {
            let (found, asked) = (Box::new(found), Box::new(asked.clone()));
            return Err(DiscoverError::OtherRelease {
                place,
                image,
                found,
                asked,
            });
        }
        (Some(found), _) => found,
        (None, Some(asked)) => asked.clone(),
        (None, None) => return Err(DiscoverError::UnknownRelease { place, image }),
    };
    let variables = container
        .iter()
        .flat_map(|container| container.env.iter().flatten());
    let env =
        variables.filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?)));
    Ok(FoundOperator {
        image,
        digest: None,
        env: env.collect(),
        installed: Installed {
            release,
            namespace: place.namespace,
            deployment: place.name,
            reused: true,
        },
    })
}

/// The namespaces that the operator is told to keep to (`--watch-namespace`, main.go of every
/// release).
fn watched(arguments: &[&String]) -> Option<String> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let flag = argument.trim_start_matches('-');
        let value = match flag.split_once('=') {
            Some(("watch-namespace", value)) => value,
            None if flag == "watch-namespace" => arguments.next()?.as_str(),
            _ => continue,
        };
        return (!value.is_empty()).then(|| value.to_owned());
    }
    None
}

fn digest(pod: &Pod) -> Option<String> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    let (_, digest) = statuses.first()?.image_id.rsplit_once("sha256:")?;
    Some(format!("sha256:{digest}"))
}

#[cfg(test)]
mod tests {
    use assert_matches::assert_matches;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn deployment(name: &str, container: &Value, available: i32) -> Deployment {
        serde_json::from_value(json!({"metadata": {"namespace": "ray", "name": name, "generation": 1},
            "spec": {"replicas": 1, "selector": {}, "template": {"spec": {"containers": [container]}}},
            "status": {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": available}}))
        .unwrap()
    }

    fn container(image: &str) -> Value {
        json!({"name": "operator", "image": image, "command": ["/manager"],
            "env": [{"name": "ENABLE_LOGIN_SHELL", "value": "true"}, {"name": "POD", "valueFrom": {}}]})
    }

    #[test]
    fn release_and_settings_are_read() {
        let found = judge(
            &deployment("a", &container("quay.io/kuberay/operator:v1.5.1"), 1),
            None,
        )
        .unwrap();
        assert_eq!(found.installed.release, Version::new(1, 5, 1));
        assert_eq!(
            found.env,
            BTreeMap::from([("ENABLE_LOGIN_SHELL".into(), "true".into())])
        );
    }

    #[rstest]
    #[case::a_moment_ago(5, true)]
    #[case::long_ago(60, false)]
    #[case::by_a_clock_that_is_ahead(-60, false)]
    fn one_that_has_just_begun_is_waited_for(#[case] age: i64, #[case] expected: bool) {
        let now: jiff::Timestamp = "2026-11-25T12:00:00Z".parse().expect("a time");
        let made = now - jiff::SignedDuration::from_secs(age);
        let deployment: Deployment =
            serde_json::from_value(json!({"metadata": {"creationTimestamp": made.to_string()}}))
                .expect("a Deployment");
        assert_eq!(has_just_begun(&deployment, now), expected);
    }

    #[rstest]
    #[case::other("operator:v1.5.1", Some("1.6.2"), 1, "is KubeRay 1.5.1")]
    #[case::unknown("operator:nightly", None, 1, "set --operator to")]
    #[case::down("operator:v1.5.1", None, 0, "is not available")]
    fn what_cant_be_used_says_why(
        #[case] image: &str,
        #[case] asked: Option<&str>,
        #[case] available: i32,
        #[case] why: &str,
    ) {
        let asked = asked.map(|asked| asked.parse().unwrap());
        let error = judge(
            &deployment("a", &container(image), available),
            asked.as_ref(),
        )
        .unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }

    #[test]
    fn a_tag_without_release_is_what_the_user_says() {
        let asked = Version::new(1, 6, 2);
        let found = judge(
            &deployment("a", &container("operator:nightly"), 1),
            Some(&asked),
        )
        .unwrap();
        assert_eq!(found.installed.release, asked);
    }

    #[rstest]
    #[case(&["--watch-namespace=a,b"], Some("a,b"))]
    #[case(&["--x", "--watch-namespace", "a"], Some("a"))]
    #[case(&["-watch-namespace=a"], Some("a"))]
    #[case(&["--watch-namespace="], None)]
    #[case(&["--feature-gates=a=true"], None)]
    fn an_operator_of_some_namespaces_is_known(
        #[case] arguments: &[&str],
        #[case] expected: Option<&str>,
    ) {
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let arguments: Vec<&String> = arguments.iter().collect();
        assert_eq!(watched(&arguments).as_deref(), expected);
    }

    #[test]
    fn one_operator_is_wanted_and_not_two() {
        let one = || deployment("a", &container("o:v1.6.2"), 1);
        assert!(only(vec![one()]).is_ok());
        let error = only(vec![one(), deployment("b", &container("o:v1.6.2"), 1)]).unwrap_err();
        assert!(error.to_string().contains("ray/a, ray/b"), "{error}");
        assert_matches!(only(vec![]), Err(DiscoverError::None));
        let mut asleep = one();
        asleep.spec.replicas = Some(0);
        assert!(only(vec![asleep, one()]).is_ok());
    }

    #[rstest]
    #[case("ray/operator", true)]
    #[case("operator", false)]
    #[case("/operator", false)]
    #[case("a/b/c", false)]
    fn a_place_has_two_parts(#[case] text: &str, #[case] is_good: bool) {
        assert_eq!(text.parse::<DeploymentName>().is_ok(), is_good);
    }
}
