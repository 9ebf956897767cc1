//! Whether an operator that was available goes on running, as its Pods show.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use super::model::Installed;
use super::wait;

/// How long an operator may be without a running Pod: one that was evicted or has crashed once is
/// back by then.
const BACK_WITHIN: Duration = Duration::from_secs(15);

/// How long its log may take to be read.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// What has become of an operator that does not run.
#[derive(Debug, PartialEq, Eq)]
pub struct OperatorDown {
    /// One sentence.
    pub cause: String,
    /// The last lines of its log, where it has one.
    pub log: Option<String>,
}

/// Looks at an operator while something waits for what it does.
pub struct OperatorHealth<'a> {
    client: &'a Client,
    operator: &'a Installed,
    absent_since: Option<Instant>,
    /// How often its containers had been started again when it was first looked at.
    restarts_before: Option<i32>,
}

impl<'a> OperatorHealth<'a> {
    /// Of an operator that is taken to run.
    pub fn new(client: &'a Client, operator: &'a Installed) -> Self {
        Self {
            client,
            operator,
            absent_since: None,
            restarts_before: None,
        }
    }

    /// Where its Pods are.
    pub fn namespace(&self) -> &str {
        &self.operator.namespace
    }

    /// Takes in the Pods of its namespace as they are now. Returns what has become of it once none
    /// of its own has run for 15 s.
    pub async fn look(&mut self, pods: &[Pod], now: Instant) -> Option<OperatorDown> {
        let own = own(pods, self.operator);
        self.restarts_before.get_or_insert_with(|| restarts(&own));
        if own.iter().any(|pod| works(pod)) {
            self.absent_since = None;
            return None;
        }
        let since = *self.absent_since.get_or_insert(now);
        let absent = now.duration_since(since);
        if absent < BACK_WITHIN {
            return None;
        }
        let Installed {
            namespace,
            deployment,
            ..
        } = self.operator;
        let (leaving, staying): (Vec<&Pod>, Vec<&Pod>) = own
            .into_iter()
            .partition(|pod| pod.metadata.deletion_timestamp.is_some());
        let newest = staying
            .into_iter()
            .max_by_key(|pod| pod.creation_timestamp());
        let state = match (newest, leaving.first()) {
            (Some(pod), _) => wait::terminal(pod)
                .or_else(|| wait::state(pod))
                .unwrap_or_default(),
            (None, Some(pod)) => format!("its Pod {} is being deleted", pod.name_any()),
            (None, None) => "it has no Pod".into(),
        };
        let seconds = absent.as_secs();
        let log = match newest {
            Some(pod) => {
                let pods = Api::namespaced(self.client.clone(), namespace);
                let log = wait::last_lines(&pods, pod);
                tokio::time::timeout(READ_WITHIN, log).await.ok().flatten()
            }
            None => None,
        };
        Some(OperatorDown {
            cause: format!(
                "the operator {namespace}/{deployment} has not been running for {seconds} s: {state}"
            ),
            log,
        })
    }

    /// That it was started again since the first look, where it was.
    pub fn restarted(&self, pods: &[Pod]) -> Option<String> {
        let times = restarts(&own(pods, self.operator)) - self.restarts_before?;
        (times > 0).then(|| {
            format!("the operator's container was started again meanwhile (times: {times})")
        })
    }
}

/// The Pods of the operator's Deployment, whose `ReplicaSet`s are named by it and by what each
/// Pod's label says.
fn own<'p>(pods: &'p [Pod], operator: &Installed) -> Vec<&'p Pod> {
    let is_own = |pod: &&Pod| {
        let hash = pod.labels().get("pod-template-hash");
        let set = hash.map(|hash| format!("{}-{hash}", operator.deployment));
        pod.owner_references()
            .iter()
            .any(|owner| owner.kind == "ReplicaSet" && Some(&owner.name) == set.as_ref())
    };
    pods.iter().filter(is_own).collect()
}

/// Whether its first container runs; what stands beside that may fail by itself.
fn works(pod: &Pod) -> bool {
    let first = pod.spec.as_ref().and_then(|spec| spec.containers.first());
    let mut own =
        wait::statuses(pod).filter(|status| first.is_none_or(|first| first.name == status.name));
    own.any(wait::is_running) && pod.metadata.deletion_timestamp.is_none()
}

fn restarts(pods: &[&Pod]) -> i32 {
    let statuses = pods.iter().flat_map(|pod| wait::statuses(pod));
    statuses.map(|status| status.restart_count).sum()
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use kube::client::Body;
    use semver::Version;
    use serde_json::{Value, json};

    use super::*;

    fn operator() -> Installed {
        Installed {
            release: Version::new(1, 6, 2),
            namespace: "default".into(),
            deployment: "kuberay-operator".into(),
            reused: true,
        }
    }

    fn pod(owner: &str, restarts: i32, state: &Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": format!("{owner}-1"), "labels": {"pod-template-hash": "6c8f"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": "u"}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "kuberay-operator", "image": "", "imageID": "",
                "ready": false, "restartCount": restarts, "state": state}]}}))
        .expect("a Pod")
    }

    /// Answers every request for a log with one line.
    fn client() -> Client {
        let service = tower::service_fn(|_: Request<Body>| {
            let answer = Response::new(Body::from(b"panic: no more\n".to_vec()));
            std::future::ready(Ok::<_, std::convert::Infallible>(answer))
        });
        Client::new(service, "default")
    }

    #[tokio::test]
    async fn one_that_stays_away_is_told_of_and_one_that_comes_back_is_not() {
        let (client, operator) = (client(), operator());
        let mut health = OperatorHealth::new(&client, &operator);
        let runs = || vec![pod("kuberay-operator-6c8f", 1, &json!({"running": {}}))];
        let foreign = || vec![pod("another-6c8f", 0, &json!({"running": {}}))];
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(health.look(&runs(), at(0)).await, None);
        assert_eq!(
            health.look(&foreign(), at(1)).await,
            None,
            "it may come back"
        );
        assert_eq!(health.look(&foreign(), at(15)).await, None, "it may still");
        assert_eq!(health.look(&runs(), at(17)).await, None);
        assert_eq!(
            health.look(&foreign(), at(18)).await,
            None,
            "it has run meanwhile"
        );
        assert_eq!(
            health.look(&foreign(), at(33)).await,
            Some(OperatorDown {
                cause: "the operator default/kuberay-operator has not been running for 15 s: it has no Pod".into(),
                log: None
            })
        );
        let mut leaving = runs();
        leaving[0].metadata.deletion_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
        let said = health
            .look(&leaving, at(34))
            .await
            .map(|outage| outage.cause);
        assert_eq!(
            said.as_deref(),
            Some(
                "the operator default/kuberay-operator has not been running for 16 s: its Pod kuberay-operator-6c8f-1 is being deleted"
            )
        );
    }

    #[tokio::test]
    async fn its_last_words_are_told() {
        let (client, operator) = (client(), operator());
        let mut health = OperatorHealth::new(&client, &operator);
        let crashed = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let pods = vec![pod("kuberay-operator-6c8f", 1, &crashed)];
        let began = Instant::now();
        assert_eq!(health.look(&pods, began).await, None);
        let outage = health
            .look(&pods, began + BACK_WITHIN)
            .await
            .expect("it does not run");
        assert!(
            outage.cause.contains("CrashLoopBackOff"),
            "{}",
            outage.cause
        );
        assert_eq!(outage.log.as_deref(), Some("panic: no more\n"));
    }

    #[test]
    fn only_its_first_container_counts() {
        let mut pod = pod("kuberay-operator-6c8f", 0, &json!({"running": {}}));
        let container = |name: &str| json!({"name": name});
        pod.spec = serde_json::from_value(
            json!({"containers": [container("kuberay-operator"), container("beside")]}),
        )
        .ok();
        assert!(works(&pod));
        pod.spec = serde_json::from_value(
            json!({"containers": [container("other"), container("kuberay-operator")]}),
        )
        .ok();
        assert!(!works(&pod), "that one beside runs says nothing");
    }

    #[tokio::test]
    async fn that_it_was_started_again_is_noted() {
        let (client, operator) = (client(), operator());
        let mut health = OperatorHealth::new(&client, &operator);
        let runs = |restarts| {
            vec![pod(
                "kuberay-operator-6c8f",
                restarts,
                &json!({"running": {}}),
            )]
        };
        health.look(&runs(2), Instant::now()).await;
        assert_eq!(health.restarted(&runs(2)), None);
        let said = health.restarted(&runs(3)).unwrap_or_default();
        assert!(said.contains("(times: 1)"), "{said}");
    }
}
