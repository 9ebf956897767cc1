//! Exploration: RayClusters that were thought up go to a real operator, and what it makes of them is compared with the
//! contract.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{DynamicObject, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use semver::Version;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::plane::{PlaneSetup, Running, Site};
use super::{Options, RunError};
use crate::contract::{self, Difference, OperatorSettings, PodContract, PodRole};
use crate::explore::{Coverage, Generator, Plan, Specimen};
use crate::observe::ray_cluster_resource;
use crate::operator::log_about;
use crate::report::Progress;

/// RayClusters that wait for their Pods at once. The operator works on one at a time; more would only wait longer.
const IN_FLIGHT: usize = 24;
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

/// What to explore.
#[derive(Debug, Clone)]
pub struct ExploreOptions {
    /// Releases, and where programs come from.
    pub run: Options,
    /// Ray containers to compare at least, for each release.
    pub cases: usize,
    /// The same seed gives the same RayClusters again.
    pub seed: u64,
}

/// What came of one release.
#[derive(Debug)]
pub struct Explored {
    /// The release.
    pub release: Version,
    /// Ray containers that were compared.
    pub cases: usize,
    /// RayClusters that held them.
    pub clusters: usize,
    /// How long that took, from the first RayCluster to the last Pod, without what made differences small.
    pub took: Duration,
    /// Which features of the contract the cases reached.
    pub coverage: Coverage,
    /// Where the operator did otherwise than the contract says.
    pub findings: Vec<Finding>,
}

/// A RayCluster of which the operator made something else.
#[derive(Debug)]
pub struct Finding {
    /// Its number, which with the seed gives it again.
    pub number: u64,
    /// What went otherwise.
    pub surprise: Surprise,
    /// The smallest RayCluster with the same kind of surprise; none where it was not looked for.
    pub smallest: Option<Value>,
    /// How many candidates there were.
    pub tried: usize,
}

/// What went otherwise than the contract says.
#[derive(Debug)]
pub enum Surprise {
    /// A Pod holds something else.
    Differs {
        /// Head or worker.
        role: PodRole,
        /// Its group.
        group: String,
        /// What it holds.
        differences: Vec<Difference>,
    },
    /// The API server refused the RayCluster.
    Refused(String),
    /// Not all Pods came.
    Missing {
        /// The groups without a Pod.
        groups: Vec<String>,
        /// What the operator wrote last about it.
        log: String,
    },
}

impl Surprise {
    /// What makes two surprises the same in kind, so that shrinking does not wander from one to another.
    fn kind(&self) -> (u8, &str, &str) {
        match self {
            Self::Differs { differences, .. } => {
                let first = differences.first();
                let (what, container) = first.map_or(("", ""), |first| (first.what, first.container.as_str()));
                (0, what, container)
            }
            Self::Refused(_) => (1, "", ""),
            Self::Missing { .. } => (2, "", ""),
        }
    }
}

/// Explores each release beside the others, on a control plane of its own.
///
/// # Errors
/// When a program can't be had or started, or one of them ends.
pub async fn explore(
    options: &ExploreOptions,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<Vec<Explored>, RunError> {
    let setup = PlaneSetup::new(&options.run, &options.run.operators, Arc::clone(&progress)).await?;
    let plane = setup.start().await?;
    let work = setup.each(&plane, async |site| {
        let log = site.operator_log().to_owned();
        let explorer = Explorer::new(&site, options, Arc::clone(&progress), log).await?;
        explorer.explore().await
    });
    let done = tokio::select! {
        () = cancel.cancelled() => Err(RunError::Interrupted),
        cause = plane.alarm().rung() => Err(RunError::Broken(cause)),
        done = work => done,
    };
    let done = match done {
        Ok(done) => {
            let (explored, running): (Vec<_>, Vec<_>) = done.into_iter().unzip();
            join_all(running.into_iter().map(Running::stop)).await;
            Ok(explored)
        }
        Err(error) => Err(error),
    };
    plane.stop().await;
    done
}

/// Pods as the watch shows them, by namespace and RayCluster.
#[derive(Default)]
struct Seen(Mutex<HashMap<(String, String), BTreeMap<String, Value>>>);

impl Seen {
    fn take(&self, pod: &Pod) {
        let label = |name: &str| pod.labels().get(name).cloned().unwrap_or_default();
        let key = (pod.namespace().unwrap_or_default(), label("ray.io/cluster"));
        let spec = serde_json::to_value(&pod.spec).unwrap_or_default();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(key).or_default().insert(label("ray.io/group"), spec);
    }

    fn of(&self, namespace: &str, cluster: &str) -> BTreeMap<String, Value> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&(namespace.to_owned(), cluster.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    fn forget(&self, namespace: &str, cluster: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(&(namespace.to_owned(), cluster.to_owned()));
    }
}

struct Explorer {
    release: Version,
    client: Client,
    generator: Generator,
    cases: usize,
    progress: Arc<dyn Progress>,
    log: std::path::PathBuf,
    seen: Arc<Seen>,
    changed: watch::Receiver<()>,
    watcher: tokio::task::JoinHandle<()>,
}

impl Drop for Explorer {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

/// What came of one RayCluster.
struct Answer {
    number: u64,
    cases: usize,
    pods: Vec<PodContract>,
    surprise: Option<Surprise>,
}

impl Explorer {
    async fn new(
        site: &Site,
        options: &ExploreOptions,
        progress: Arc<dyn Progress>,
        log: std::path::PathBuf,
    ) -> Result<Self, RunError> {
        let client = crate::cluster::client(&site.kubeconfig).await?;
        let seen = Arc::new(Seen::default());
        let (sender, changed) = watch::channel(());
        let pods: Api<Pod> = Api::all(client.clone());
        let into = Arc::clone(&seen);
        let watcher = tokio::spawn(async move {
            let config = watcher::Config::default().labels("ray.io/cluster");
            let mut stream = std::pin::pin!(watcher(pods, config).default_backoff().applied_objects());
            while let Some(item) = stream.next().await {
                match item {
                    Ok(pod) => {
                        into.take(&pod);
                        sender.send_replace(());
                    }
                    Err(error) => tracing::debug!(%error, "watch broke; it starts again"),
                }
            }
        });
        Ok(Self {
            release: site.release.clone(),
            client,
            generator: Generator::new(options.seed, &site.release, WORKERS),
            cases: options.cases,
            progress,
            log,
            seen,
            changed,
            watcher,
        })
    }

    async fn explore(&self) -> Result<Explored, RunError> {
        let task = format!("KubeRay {}", self.release);
        let started = Instant::now();
        let mut explored = Explored {
            release: self.release.clone(),
            cases: 0,
            clusters: 0,
            took: Duration::ZERO,
            coverage: Coverage::default(),
            findings: Vec::new(),
        };
        let mut planned = 0;
        let numbers = (0u64..).map_while(|number| {
            if planned >= self.cases {
                return None;
            }
            let plan = self.generator.specimen(number).plan();
            planned += plan.cases();
            Some((number, plan))
        });
        let asked = numbers.map(async |(number, plan)| self.ask(number, &plan).await);
        let mut answers = std::pin::pin!(futures::stream::iter(asked).buffer_unordered(IN_FLIGHT));
        let mut surprises = Vec::new();
        while let Some(answer) = answers.next().await {
            let answer = answer?;
            explored.clusters += 1;
            explored.cases += answer.cases;
            explored.coverage.add(&answer.pods);
            if let Some(surprise) = answer.surprise {
                surprises.push((answer.number, surprise));
            }
            self.progress.update(
                &task,
                &format!("{} cases, {} surprises", explored.cases, surprises.len()),
            );
        }
        explored.took = started.elapsed();
        surprises.sort_by_key(|(number, _)| *number);
        for (index, (number, surprise)) in surprises.into_iter().enumerate() {
            explored.findings.push(self.finding(index, number, surprise).await?);
        }
        Ok(explored)
    }

    async fn finding(&self, index: usize, number: u64, surprise: Surprise) -> Result<Finding, RunError> {
        if index >= SHRUNK || matches!(surprise, Surprise::Missing { .. }) {
            return Ok(Finding {
                number,
                surprise,
                smallest: None,
                tried: 0,
            });
        }
        let task = format!("KubeRay {}", self.release);
        let specimen: Specimen = self.generator.specimen(number);
        let mut shrinking = specimen.shrink();
        let mut last = surprise;
        let mut candidate = shrinking.candidate();
        while let Some(plan) = candidate {
            if shrinking.tried() > CANDIDATES {
                break;
            }
            if shrinking.tried().is_multiple_of(TOLD_EVERY) {
                let step = shrinking.tried();
                self.progress
                    .update(&task, &format!("making surprise {number} smaller, step {step}"));
            }
            let answer = self
                .ask(1_000_000 * (number + 1) + shrinking.tried() as u64, &plan)
                .await?;
            let same = answer.surprise.filter(|surprise| surprise.kind() == last.kind());
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
        let namespace = format!("explore-{}", number / IN_NAMESPACE);
        let mut object = plan.manifest(&format!("c{number}"), &namespace);
        let mut answer = Answer {
            number,
            cases: plan.cases(),
            pods: Vec::new(),
            surprise: None,
        };
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &namespace, &ray_cluster_resource());
        match self.create(&api, &namespace, &object).await {
            Ok(created) => object["metadata"]["uid"] = json!(created.uid().unwrap_or_default()),
            Err(kube::Error::Api(refusal)) => {
                answer.surprise = Some(Surprise::Refused(refusal.message.clone()));
                return Ok(answer);
            }
            Err(source) => {
                return Err(RunError::Api {
                    doing: "creating a RayCluster",
                    source: Box::new(source),
                });
            }
        }
        match contract::predict(&self.release, &OperatorSettings::default(), &object) {
            Ok(pods) => answer.pods = pods,
            // The API server took it, so that the model should, too.
            Err(error) => {
                answer.surprise = Some(Surprise::Refused(format!("the model: {error}")));
                return Ok(answer);
            }
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let seen = self.pods(&namespace, name, answer.pods.len()).await;
        answer.surprise = self.compare(&answer.pods, &seen, name);
        Ok(answer)
    }

    /// The first RayCluster of a namespace makes it.
    async fn create(
        &self,
        api: &Api<DynamicObject>,
        namespace: &str,
        object: &Value,
    ) -> Result<DynamicObject, kube::Error> {
        let typed: DynamicObject = serde_json::from_value(object.clone()).map_err(kube::Error::SerdeError)?;
        match api.create(&PostParams::default(), &typed).await {
            Err(kube::Error::Api(refusal)) if refusal.code == 404 => {
                let own: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))
                    .map_err(kube::Error::SerdeError)?;
                match Api::all(self.client.clone()).create(&PostParams::default(), &own).await {
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

    /// Pods of a RayCluster by group, as soon as there are as many as there should be.
    async fn pods(&self, namespace: &str, name: &str, wanted: usize) -> BTreeMap<String, Value> {
        let mut changed = self.changed.clone();
        let deadline = Instant::now() + ANSWERS_WITHIN;
        loop {
            changed.mark_unchanged();
            let seen = self.seen.of(namespace, name);
            if seen.len() >= wanted || tokio::time::timeout_at(deadline, changed.changed()).await.is_err() {
                self.seen.forget(namespace, name);
                return seen;
            }
        }
    }

    fn compare(&self, pods: &[PodContract], seen: &BTreeMap<String, Value>, name: &str) -> Option<Surprise> {
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
                let log = log_about(&self.log, name);
                let lines: Vec<&str> = log
                    .lines()
                    .filter(|line| line.to_lowercase().contains("error"))
                    .collect();
                Surprise::Missing {
                    groups,
                    log: lines.last().map_or("nothing about an error", |line| *line).into(),
                }
            })
        })
    }
}
