//! Gives one object to an operator and waits until it is seen what the operator makes of it.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::PostParams;
use kube::{Api, Client};
use semver::Version;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Surprise;
use super::judge::{Expected, Phase, SeenOutcome, misnamed};
use super::log::OperatorLog;
use crate::check::Observation;
use crate::contract::{self, EffectiveSettings, FieldValidation, PodContract, Refusal, Stage};
use crate::observe::{NamespaceView, Watches};
use crate::operator::{ObjectError, Sender};
use crate::provider::{EnvtestRelease, TargetError};
use crate::runner::{CaseError, RunError, StepRunner};
use crate::scenario::Steps;

/// How long a Pod or refusal that is not expected has time to appear.
const STAYS_FOR: Duration = Duration::from_secs(5);
/// How long an answer that contradicts the contract may still change.
const CHANGES_WITHIN: Duration = Duration::from_secs(5);
/// The first release that reports every refusal as an event (`rayjob_controller.go` of 1.3.0); the
/// log of older ones is read after so long without an event.
const EVENTS_SINCE: Version = Version::new(1, 3, 0);
const LOG_AFTER: Duration = Duration::from_secs(3);
/// Looks at an object at least so often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Changes that come within this time are looked at together.
const TOGETHER: Duration = Duration::from_millis(30);

/// One operator, and how objects get to it.
pub(super) struct Asker {
    pub release: Version,
    settings: EffectiveSettings,
    client: Client,
    sender: Sender,
    watches: Arc<Watches>,
    log: OperatorLog,
}

/// An object for an operator.
#[derive(Debug)]
pub(super) struct Question {
    /// A namespace of its own, which the object names, too.
    pub namespace: String,
    pub object: Value,
    pub validation: FieldValidation,
    /// How long the operator may take.
    pub within: Duration,
}

/// What came of an object.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The Pods that were compared.
    pub pods: Vec<PodContract>,
    /// Refusals that the contract expected and that were seen.
    pub confirmed: Vec<Refusal>,
    /// Whether the whole object was refused, as expected.
    pub refused: bool,
    pub surprise: Option<Surprise>,
}

impl Answer {
    fn surprising(surprise: Surprise) -> Self {
        Self {
            surprise: Some(surprise),
            ..Self::default()
        }
    }
}

impl Asker {
    pub async fn new(up: &EnvtestRelease) -> Result<Self, RunError> {
        let client = crate::target::client(&up.kubeconfig).await?;
        let settings = up.settings.of_contract();
        let settings = settings.map_err(|error| TargetError::Broken(error.to_string()))?;
        Ok(Self {
            release: up.release.clone(),
            settings,
            sender: Sender::new(client.clone()),
            watches: Watches::start(client.clone()),
            client,
            log: OperatorLog::new(up.operator_log()),
        })
    }

    /// What the contract expects of an object.
    pub fn expected(
        &self,
        validation: FieldValidation,
        object: &Value,
    ) -> Result<Expected, contract::ModelError> {
        Expected::of(&self.release, &self.settings, validation, object)
    }

    /// Creates an object and compares what comes of it with the contract.
    pub async fn ask(&self, question: &Question) -> Result<Answer, RunError> {
        let Question {
            namespace,
            object,
            validation,
            ..
        } = question;
        let expected = match self.expected(*validation, object) {
            Ok(expected) => expected,
            Err(error) => return Ok(Answer::surprising(Surprise::Unreadable(error.to_string()))),
        };
        // Before the object, so that nothing is missed.
        let logged = self.log.end();
        let view = NamespaceView::start(&self.watches, namespace);
        self.create_namespace(namespace).await?;
        let created = match self.sender.create_as(object, *validation).await {
            Ok(created) => {
                if let Some(surprise) = expected.surprise_of_api(None) {
                    self.forget(object).await;
                    return Ok(Answer::surprising(surprise));
                }
                created
            }
            Err(error) => {
                let (stage, message) = refusal(error)?;
                let surprise = expected.surprise_of_api(Some((stage, message.as_str())));
                return Ok(Answer {
                    confirmed: expected.of_api().into_iter().take(1).cloned().collect(),
                    refused: surprise.is_none(),
                    surprise,
                    ..Answer::default()
                });
            }
        };
        let answer = self
            .watch(question, expected, (view, logged), &created)
            .await;
        self.forget(object).await;
        answer
    }

    async fn watch(
        &self,
        question: &Question,
        mut expected: Expected,
        (mut view, logged): (NamespaceView, usize),
        created: &Value,
    ) -> Result<Answer, RunError> {
        let is_cron = question.object["kind"] == "RayCronJob";
        let mut is_stopped = false;
        let steps = Steps {
            // Only then the operator makes a submitter.
            mark_ready: expected.reaches_submitter(),
            ..Steps::default()
        };
        let (client, namespace) = (self.client.clone(), question.namespace.as_str());
        let mut steps = StepRunner::new(&steps, [&[], &[]], client, &self.sender, namespace, None);
        let only_logs = self.release < EVENTS_SINCE && expected.is_refused_later();
        let started = Instant::now();
        let mut phase = (Phase::Waits, started);
        let (seen, observation) = loop {
            let observation = view.observe();
            let acted = steps.act(&observation).await;
            acted.map_err(|error| TargetError::Broken(error.to_string()))?;
            let first_job = observation.ray_jobs.first().filter(|_| is_cron);
            if first_job.is_some() && !std::mem::replace(&mut is_stopped, true) {
                // One RayJob is enough.
                self.forget(&question.object).await;
            }
            let mut seen = first_job.map_or_else(
                || SeenOutcome::of(&observation, None, None),
                |job| SeenOutcome::of_job(&observation, job),
            );
            if only_logs && started.elapsed() >= LOG_AFTER {
                seen.refusals.extend(self.log.about(namespace, logged));
            }
            let now = expected.phase(&seen);
            if now != phase.0 {
                phase = (now, Instant::now());
            }
            let over = match now {
                Phase::Done => true,
                Phase::MustStay => phase.1.elapsed() >= STAYS_FOR,
                Phase::Contradicts => phase.1.elapsed() >= CHANGES_WITHIN,
                Phase::Waits => started.elapsed() >= question.within,
            };
            if over {
                break (seen, observation);
            }
            tokio::select! {
                () = view.changed() => tokio::time::sleep(TOGETHER).await,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        };
        let known = self.known(question, created, &observation).await?;
        let pods = expected.pods.clone();
        if let Ok(again) = self.expected(question.validation, &known.object) {
            // What is known has come after what was refused.
            expected.pods = again.pods;
            let own = |one: &PodContract| (one.role, one.group.clone());
            let keys: Vec<_> = pods.iter().map(own).collect();
            expected.pods.retain(|pod| keys.contains(&own(pod)));
            let with = |pod: PodContract| pod.with(contract::UNKNOWN_UID, &known.cluster_uid);
            expected.pods = expected.pods.into_iter().map(with).collect();
        }
        if is_cron {
            for job in &observation.ray_jobs {
                let mut job = job.clone();
                job["apiVersion"] = json!("ray.io/v1");
                job["kind"] = json!("RayJob");
                self.forget(&job).await;
            }
        }
        let log = || {
            let last = self.log.about(namespace, logged).pop();
            last.unwrap_or_else(|| "nothing about an error".into())
        };
        let surprise = expected
            .surprise(&seen, log)
            .or_else(|| misnamed(&self.release, &question.object, &observation));
        let confirmed: Vec<Refusal> = expected.confirmed(&seen).into_iter().cloned().collect();
        let whole = |refusal: &Refusal| refusal.reach == contract::Reach::Object;
        Ok(Answer {
            refused: surprise.is_none() && confirmed.iter().any(whole),
            confirmed,
            pods,
            surprise,
        })
    }

    /// What could not be known before an object had its RayCluster.
    async fn known(
        &self,
        question: &Question,
        created: &Value,
        observation: &Observation,
    ) -> Result<Known, RunError> {
        let mut object = question.object.clone();
        object["metadata"]["uid"] = created["metadata"]["uid"].clone();
        object["metadata"]["name"] = created["metadata"]["name"].clone();
        let mut clusters = observation.ray_clusters.first();
        if let Some(job) = observation.ray_jobs.first()
            && object["kind"] == "RayCronJob"
        {
            object = job.clone();
            object["apiVersion"] = json!("ray.io/v1");
            object["kind"] = json!("RayJob");
            let name = &job["status"]["rayClusterName"];
            let mut all = observation.ray_clusters.iter();
            clusters = all.find(|cluster| cluster["metadata"]["name"] == *name);
        }
        let text = |pointer: &str| {
            let value = clusters.and_then(|cluster| cluster.pointer(pointer)?.as_str());
            value.unwrap_or_default().to_owned()
        };
        let known = |object| Known {
            object,
            cluster_uid: text("/metadata/uid"),
        };
        if object["kind"] == "RayCluster" || clusters.is_none() {
            return Ok(known(object));
        }
        let live = self.sender.get(&object).await.map_err(CaseError::from)?;
        let mut status = live.map_or(Value::Null, |live| live["status"].clone());
        if !status.is_object() {
            status = json!({});
        }
        let name = text("/metadata/name");
        if status["rayClusterName"].as_str().is_none_or(str::is_empty) {
            status["rayClusterName"] = json!(name);
        }
        status["pendingServiceStatus"] = json!({"rayClusterName": name});
        object["status"] = status;
        Ok(known(object))
    }

    async fn create_namespace(&self, name: &str) -> Result<(), RunError> {
        let failed = |source| TargetError::Api {
            doing: "making a namespace for an object to fuzz",
            source: Box::new(source),
        };
        let own: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))
            .map_err(|source| failed(kube::Error::SerdeError(source)))?;
        let namespaces = Api::all(self.client.clone());
        namespaces
            .create(&PostParams::default(), &own)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Removes what would keep the operator busy: one that waits for a job asks for it again and
    /// again, and what is refused is tried again.
    async fn forget(&self, object: &Value) {
        let bare = json!({
            "apiVersion": object["apiVersion"],
            "kind": object["kind"],
            "metadata": {
                "name": object["metadata"]["name"],
                "namespace": object["metadata"]["namespace"],
            },
        });
        let removed = async {
            self.sender.release(&bare).await?;
            self.sender.delete(&bare).await
        };
        if let Err(error) = removed.await {
            tracing::debug!(%error, "an object that was compared stays");
        }
    }
}

struct Known {
    object: Value,
    cluster_uid: String,
}

/// The stage and the text of a refusal.
///
/// # Errors
/// The error, where it is no verdict on the object.
fn refusal(error: ObjectError) -> Result<(Stage, String), RunError> {
    match error {
        ObjectError::Rejected { message, .. } if message.contains("strict decoding error") => {
            Ok((Stage::Client, message))
        }
        ObjectError::Rejected { message, .. } => Ok((Stage::ApiServer, message)),
        ObjectError::UnknownKind {
            kind, api_version, ..
        } => Ok((
            Stage::Client,
            format!("no matches for kind \"{kind}\" in version \"{api_version}\""),
        )),
        error => Err(CaseError::from(error).into()),
    }
}
