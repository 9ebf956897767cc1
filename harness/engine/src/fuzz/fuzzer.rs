//! generated RayClusters, against one release.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::{Api, Client, ResourceExt as _};
use semver::Version;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::pods::{Pods, Specs};
use super::{Finding, FuzzOptions, FuzzOutcome, Surprise};
use crate::compare::replicas;
use crate::contract::{self, OperatorSettings, PodContract};
use crate::generate::{Coverage, Generator, Plan};
use crate::observe::ray_cluster_resource;
use crate::operator::{is_about_the_object, log_about};
use crate::progress::Progress;
use crate::provider::{EnvtestRelease, TargetError};
use crate::runner::RunError;

/// RayClusters in one namespace: the operator looks through all Pods of a namespace for each of them.
const IN_NAMESPACE: u64 = 50;
/// How long an operator may take to make all Pods of a RayCluster; those of old releases are slow by their own limit
/// of requests.
const ANSWERS_WITHIN: Duration = Duration::from_mins(2);
/// Worker groups in one RayCluster at most: Pods are cheaper than RayClusters.
const WORKERS: usize = 9;
/// Differences that are made small; of more only the number is told.
const SHRUNK: usize = 3;
/// Progress is told after so many RayClusters.
const TOLD_EVERY: usize = 50;
/// Candidates for the smallest RayCluster at most.
const CANDIDATES: usize = 400;

/// One release, and what it is given.
pub(super) struct Fuzzer {
    pub release: Version,
    client: Client,
    generator: Generator,
    cases: usize,
    jobs: usize,
    progress: Arc<dyn Progress>,
    log: PathBuf,
    pods: Pods,
}

/// What came of one RayCluster.
struct Answer {
    number: u64,
    cases: usize,
    pods: Vec<PodContract>,
    surprise: Option<Surprise>,
}

/// What Kubernetes and the operator have drawn.
struct Known {
    status: Value,
    uid: String,
}

impl Fuzzer {
    pub async fn new(
        up: &EnvtestRelease,
        options: &FuzzOptions,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        let client = crate::target::client(&up.kubeconfig).await?;
        Ok(Self {
            release: up.release.clone(),
            pods: Pods::watch(client.clone()),
            client,
            generator: Generator::new(options.seed, &up.release, WORKERS),
            cases: options.cases,
            jobs: options.jobs,
            progress,
            log: up.operator_log().to_owned(),
        })
    }

    /// Compares as many RayClusters as hold the cases, then makes small what differs.
    pub async fn fuzz(&self) -> Result<FuzzOutcome, RunError> {
        let task = format!("KubeRay {}", self.release);
        let started = Instant::now();
        let mut fuzzed = FuzzOutcome {
            release: self.release.clone(),
            cases: 0,
            clusters: 0,
            took: Duration::ZERO,
            coverage: Coverage::default(),
            findings: Vec::new(),
            samples: Vec::new(),
        };
        let mut planned = 0;
        let numbers = (0u64..).map_while(|number| {
            if planned >= self.cases {
                return None;
            }
            let plan = self.generator.generated(number).plan();
            planned += plan.cases();
            Some((number, plan))
        });
        let asked = numbers.map(async |(number, plan)| self.ask(number, &plan).await);
        let mut answers = std::pin::pin!(futures::stream::iter(asked).buffer_unordered(self.jobs));
        let mut surprises = Vec::new();
        while let Some(answer) = answers.next().await {
            let answer = answer?;
            fuzzed.clusters += 1;
            fuzzed.cases += answer.cases;
            fuzzed.coverage.add(&answer.pods);
            if let Some(surprise) = answer.surprise {
                surprises.push((answer.number, surprise));
            }
            self.progress.update(
                &task,
                &format!("{} cases, {} surprises", fuzzed.cases, surprises.len()),
            );
        }
        fuzzed.took = started.elapsed();
        surprises.sort_by_key(|(number, _)| *number);
        for (index, (number, surprise)) in surprises.into_iter().enumerate() {
            fuzzed
                .findings
                .push(self.finding(index, number, surprise).await?);
        }
        Ok(fuzzed)
    }

    async fn finding(
        &self,
        index: usize,
        number: u64,
        surprise: Surprise,
    ) -> Result<Finding, RunError> {
        if index >= SHRUNK || matches!(surprise, Surprise::Missing { .. }) {
            return Ok(Finding {
                number,
                surprise,
                smallest: None,
                tried: 0,
            });
        }
        let task = format!("KubeRay {}", self.release);
        let mut shrinking = self.generator.generated(number).shrink();
        let mut last = surprise;
        let mut candidate = shrinking.candidate();
        while let Some(plan) = candidate {
            if shrinking.tried() > CANDIDATES {
                break;
            }
            if shrinking.tried().is_multiple_of(TOLD_EVERY) {
                let step = shrinking.tried();
                self.progress.update(
                    &task,
                    &format!("making surprise {number} smaller, step {step}"),
                );
            }
            let answer = self
                .ask(1_000_000 * (number + 1) + shrinking.tried() as u64, &plan)
                .await?;
            let same = answer
                .surprise
                .filter(|surprise| surprise.kind() == last.kind());
            candidate = shrinking.answer(same.is_some());
            last = same.unwrap_or(last);
        }
        Ok(Finding {
            number,
            surprise: last,
            smallest: Some(shrinking.smallest().manifest("found", "default")),
            tried: shrinking.tried(),
        })
    }

    /// Creates a RayCluster and compares its Pods.
    async fn ask(&self, number: u64, plan: &Plan) -> Result<Answer, RunError> {
        let namespace = format!("fuzz-{}", number / IN_NAMESPACE);
        let object = plan.manifest(&format!("c{number}"), &namespace);
        let (pods, surprise) = self
            .compare(&namespace, object, &ray_cluster_resource(), ANSWERS_WITHIN)
            .await?;
        Ok(Answer {
            number,
            cases: plan.cases(),
            pods,
            surprise,
        })
    }

    /// Creates an object and compares the Pods that come of it. One that is no RayCluster needs a namespace of its own.
    pub async fn compare(
        &self,
        namespace: &str,
        mut object: Value,
        resource: &ApiResource,
        within: Duration,
    ) -> Result<(Vec<PodContract>, Option<Surprise>), RunError> {
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, resource);
        let defaults = match self.create(&api, namespace, &object).await {
            Ok(created) => {
                object["metadata"]["uid"] = json!(created.uid().unwrap_or_default());
                object["metadata"]["name"] = json!(created.name_any());
                // Of the defaults that the API server fills in, only those of replicas matter.
                created.data
            }
            Err(kube::Error::Api(refusal)) if is_about_the_object(&refusal) => {
                return Ok((Vec::new(), Some(Surprise::Refused(refusal.message.clone()))));
            }
            Err(source) => {
                let (doing, source) = ("creating an object to fuzz", Box::new(source));
                return Err(TargetError::Api { doing, source }.into());
            }
        };
        let predict = |object: &Value| {
            let settings = OperatorSettings::default();
            let pods = contract::predict(&self.release, &settings, object).map(|mut pods| {
                // A job is submitted only once Ray answers.
                pods.retain(|pod| {
                    pod.role != contract::PodRole::Submitter && replicas(&defaults, &pod.group) > 0
                });
                pods
            });
            // The API server took it, so that the model should, too.
            pods.map_err(|error| Surprise::Refused(format!("by the model: {error}")))
        };
        let mut pods = match predict(&object) {
            Ok(pods) => pods,
            Err(surprise) => return Ok((Vec::new(), Some(surprise))),
        };
        let name = object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let own = (resource.kind == "RayCluster").then_some(name.as_str());
        let deadline = Instant::now() + within;
        let (cluster, seen) = self.pods.of(namespace, own, pods.len(), deadline).await;
        if own.is_none() && !cluster.is_empty() {
            let known = self.known(&api, namespace, &name, &cluster).await?;
            object["status"] = known.status;
            let predicted = predict(&object).unwrap_or_default().into_iter();
            pods = predicted
                .map(|pod| pod.with(contract::UNKNOWN_UID, &known.uid))
                .collect();
        }
        let surprise = self.surprise(&pods, &seen, &name);
        Ok((pods, surprise))
    }

    /// What could not be known before an object had its RayCluster.
    async fn known(
        &self,
        api: &Api<DynamicObject>,
        namespace: &str,
        name: &str,
        cluster: &str,
    ) -> Result<Known, RunError> {
        let clusters: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &ray_cluster_resource());
        let both = futures::future::try_join(api.get_opt(name), clusters.get_opt(cluster)).await;
        let (object, cluster_object) = both.map_err(|source| TargetError::Api {
            doing: "reading an object that is fuzzed",
            source: Box::new(source),
        })?;
        let mut status = object
            .map(|object| object.data["status"].clone())
            .unwrap_or_default();
        if !status.is_object() {
            status = json!({});
        }
        status["rayClusterName"] = json!(cluster);
        status["pendingServiceStatus"] = json!({"rayClusterName": cluster});
        Ok(Known {
            status,
            uid: cluster_object
                .and_then(|object| object.uid())
                .unwrap_or_default(),
        })
    }

    /// The first RayCluster of a namespace makes it.
    async fn create(
        &self,
        api: &Api<DynamicObject>,
        namespace: &str,
        object: &Value,
    ) -> Result<DynamicObject, kube::Error> {
        let typed: DynamicObject =
            serde_json::from_value(object.clone()).map_err(kube::Error::SerdeError)?;
        match api.create(&PostParams::default(), &typed).await {
            Err(kube::Error::Api(refusal)) if refusal.code == 404 => {
                let own: Namespace =
                    serde_json::from_value(json!({"metadata": {"name": namespace}}))
                        .map_err(kube::Error::SerdeError)?;
                match Api::all(self.client.clone())
                    .create(&PostParams::default(), &own)
                    .await
                {
                    Err(kube::Error::Api(other)) if other.code == 409 => {}
                    other => {
                        other?;
                    }
                }
                api.create(&PostParams::default(), &typed).await
            }
            other => other,
        }
    }

    fn surprise(&self, pods: &[PodContract], seen: &Specs, name: &str) -> Option<Surprise> {
        let missing = pods.iter().filter(|pod| !seen.contains_key(&pod.group));
        let groups: Vec<String> = missing.map(|pod| pod.group.clone()).collect();
        let differs = pods.iter().find_map(|pod| {
            let differences = contract::differences(pod, seen.get(&pod.group)?);
            (!differences.is_empty()).then(|| Surprise::Differs {
                role: pod.role,
                group: pod.group.clone(),
                differences,
            })
        });
        differs.or_else(|| {
            (!groups.is_empty()).then(|| {
                let log = last_error(&log_about(&self.log, name));
                Surprise::Missing { groups, log }
            })
        })
    }
}

/// The last error in an operator's log, which is a JSON object a line.
fn last_error(log: &str) -> String {
    let error = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["error"].as_str().map(str::to_owned)
    };
    log.lines()
        .rev()
        .find_map(error)
        .unwrap_or_else(|| "nothing about an error".into())
}
