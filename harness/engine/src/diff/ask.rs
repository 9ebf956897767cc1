//! Gives objects to both operators and waits until it is seen what they make of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::DiffOptions;
use super::cases::{Cases, SentCase};
use super::sides::{Side, Sides};
use crate::check::{Observation, Rejection};
use crate::compare::{
    CaseComparison, Change, ChangeSubject, ExpectedPods, Groups, Observed, Recorded, changes,
    expected_pods, observe,
};
use crate::contract::flags_are_ordered;
use crate::observe::NamespaceView;
use crate::progress::Progress;
use crate::provider::TargetError;
use crate::results::Outcome;
use crate::runner::{CaseError, RunError, StepRunner, rejection};

/// How long the two may take for one case; old releases are slow by their own limit of requests.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);
/// How long nothing may have changed on either side before a case in which something is missing is
/// over.
const QUIET: Duration = Duration::from_secs(6);
/// The same for a second look, when the two have nothing else to do.
pub(super) const LONG_QUIET: Duration = Duration::from_secs(15);
/// Looks at a case at least so often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Changes that come within this time are looked at together.
const TOGETHER: Duration = Duration::from_millis(30);

/// What came of one case.
pub(super) struct Answer {
    asked: SentCase,
    base: Observed,
    pub changes: Vec<Change>,
    pub recorded: Vec<Recorded>,
}

impl Answer {
    /// Containers that were compared.
    pub fn containers(&self) -> usize {
        let count = |spec: &Value, key: &str| spec[key].as_array().map_or(0, Vec::len);
        let specs = self.base.pods.values();
        specs
            .map(|spec| count(spec, "containers") + count(spec, "initContainers"))
            .sum()
    }

    /// Adds what was found.
    pub fn add_to(&self, groups: &mut Groups) {
        groups.add(&CaseComparison {
            case: self.asked.case.clone(),
            base: &self.base,
            changes: &self.changes,
        });
    }
}

impl Side {
    async fn begin(&self, asked: &SentCase, namespace: &str) -> Result<Begun, RunError> {
        let view = NamespaceView::start(&self.watches, namespace);
        let own: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))
            .map_err(|source| api("making a namespace")(kube::Error::SerdeError(source)))?;
        Api::all(self.client.clone())
            .create(&PostParams::default(), &own)
            .await
            .map_err(api("making a namespace"))?;
        let (objects, later) = (
            placed(&asked.objects, namespace),
            placed(&asked.later, namespace),
        );
        let mut rejections = Vec::new();
        for object in &objects {
            if let Err(error) = self.sender.create(object).await {
                rejections.push(rejection(error).map_err(CaseError::from)?);
            }
        }
        let ready = asked.steps.mark_ready;
        let expected = expected_pods(&self.release, &asked.settings.env, &objects, ready);
        Ok(Begun {
            view,
            objects,
            later,
            rejections,
            expected,
        })
    }

    fn steps<'a>(
        &'a self,
        asked: &'a SentCase,
        later: &'a [Value],
        namespace: &str,
    ) -> StepRunner<'a> {
        let client = self.client.clone();
        StepRunner::new(
            &asked.steps,
            [&[], later],
            client,
            &self.sender,
            namespace,
            None,
        )
    }

    /// Objects that make others, as they are now: what is drawn at random is known from them.
    async fn parents(&self, objects: &[Value]) -> Result<Vec<Value>, RunError> {
        let mut parents = Vec::new();
        for object in objects {
            if matches!(object["kind"].as_str(), Some("RayJob" | "RayService")) {
                let found = self.sender.get(object).await.map_err(CaseError::from)?;
                parents.extend(found);
            }
        }
        Ok(parents)
    }

    /// Removes what would keep the operator busy: one that waits for a job asks for it again and
    /// again.
    async fn forget(&self, objects: &[Value]) {
        for object in objects {
            if object["kind"] != "RayJob" && object["kind"] != "RayService" {
                continue;
            }
            let mut bare = json!({"apiVersion": object["apiVersion"], "kind": object["kind"],
                "metadata": {"name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"]}});
            bare["metadata"]["finalizers"] = json!([]);
            let removed = async {
                self.sender.release(&bare).await?;
                self.sender.delete(&bare).await
            };
            if let Err(error) = removed.await {
                tracing::debug!(%error, "an object of a case stays");
            }
        }
    }

    async fn finish(&self, begun: &Begun, observation: &Observation) -> Result<Observed, RunError> {
        let parents = self.parents(&begun.objects).await?;
        Ok(observe(observation, &parents, &self.release))
    }
}

/// A case that one operator has got.
struct Begun {
    view: NamespaceView,
    objects: Vec<Value>,
    later: Vec<Value>,
    rejections: Vec<Rejection>,
    expected: ExpectedPods,
}

impl Begun {
    fn observation(&self, steps: &StepRunner<'_>) -> Observation {
        let mut observation = self.view.observe();
        observation.before_steps = steps.before().cloned();
        observation.rejections = [self.rejections.as_slice(), steps.rejections()].concat();
        observation
    }
}

fn api(doing: &'static str) -> impl FnOnce(kube::Error) -> RunError {
    move |source| {
        let source = Box::new(source);
        TargetError::Api { doing, source }.into()
    }
}

fn placed(objects: &[Value], namespace: &str) -> Vec<Value> {
    let mut placed = objects.to_vec();
    for object in &mut placed {
        object["metadata"]["namespace"] = json!(namespace);
    }
    placed
}

impl Sides {
    /// Asks all cases, those of other operator settings first.
    pub async fn ask_all(
        &self,
        cases: &[SentCase],
        options: &DiffOptions,
        progress: &dyn Progress,
    ) -> Result<Vec<Answer>, RunError> {
        let mut answers = Vec::new();
        let done = AtomicUsize::new(0);
        for (settings, own) in Cases::by_settings(cases) {
            let work = async || {
                let asked = own.iter().map(|asked| async {
                    let answer = self.ask(asked, QUIET, options).await?;
                    let count = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress.update("diff", &format!("{count} of {} cases", cases.len()));
                    Ok::<_, RunError>(answer)
                });
                let answers: Vec<Result<Answer, RunError>> = futures::stream::iter(asked)
                    .buffer_unordered(options.jobs)
                    .collect()
                    .await;
                answers.into_iter().collect::<Result<Vec<_>, _>>()
            };
            let (base, head) = (&self.base, &self.head);
            let done = base
                .envtest
                .with_settings(&base.release, &settings, async |_| {
                    head.envtest
                        .with_settings(&head.release, &settings, async |_| work().await)
                        .await
                });
            answers.extend(done.await???);
        }
        progress.finish(
            "diff",
            Outcome::Passed,
            &format!("{} cases compared", cases.len()),
        );
        Ok(answers)
    }

    /// Gives one case to both, in namespaces of the same name.
    pub async fn ask(
        &self,
        asked: &SentCase,
        quiet: Duration,
        options: &DiffOptions,
    ) -> Result<Answer, RunError> {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("diff-{number}");
        let (mut old, mut new) = tokio::try_join!(
            self.base.begin(asked, &namespace),
            self.head.begin(asked, &namespace)
        )?;
        let (old_later, new_later) = (old.later.clone(), new.later.clone());
        let mut old_steps = self.base.steps(asked, &old_later, &namespace);
        let mut new_steps = self.head.steps(asked, &new_later, &namespace);
        let started = Instant::now();
        let mut last: Option<(Observed, Observed)> = None;
        let mut changed = started;
        loop {
            let seen = (old.observation(&old_steps), new.observation(&new_steps));
            let acted = tokio::try_join!(old_steps.act(&seen.0), new_steps.act(&seen.1));
            acted.map_err(|error| TargetError::Broken(error.to_string()))?;
            let now = (
                observe(&seen.0, &[], &self.base.release),
                observe(&seen.1, &[], &self.head.release),
            );
            let acts = asked.steps.acts();
            let is_over = !acts && is_complete(&now, &old.expected, &new.expected);
            if last.as_ref() != Some(&now) {
                (changed, last) = (Instant::now(), Some(now));
            }
            if is_over || changed.elapsed() >= quiet || started.elapsed() >= ANSWER_WITHIN {
                let base = self.base.finish(&old, &seen.0).await?;
                let head = self.head.finish(&new, &seen.1).await?;
                tokio::join!(
                    self.base.forget(&old.objects),
                    self.head.forget(&new.objects)
                );
                let recorded = self.record(asked, &namespace, &seen.1, options)?;
                let mut found = changes(&base, &head, asked.is_annotated());
                // A value that reads like further flags can hide the order that is not promised.
                let releases = [&self.base.release, &self.head.release];
                if !releases.into_iter().any(flags_are_ordered) {
                    found.retain(|change| change.subject != ChangeSubject::FlagOrder);
                }
                return Ok(Answer {
                    changes: found,
                    asked: asked.clone(),
                    base,
                    recorded,
                });
            }
            tokio::select! {
                () = old.view.changed() => tokio::time::sleep(TOGETHER).await,
                () = new.view.changed() => tokio::time::sleep(TOGETHER).await,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}

/// Whether both sides have made what is expected of them, or refused.
fn is_complete(now: &(Observed, Observed), old: &ExpectedPods, new: &ExpectedPods) -> bool {
    let refused = |side: &Observed| !side.refusals.is_empty();
    let made = |side: &Observed, expected: &ExpectedPods| expected.are_in(side) == Some(true);
    let ids = |side: &Observed| side.pods.keys().cloned().collect::<Vec<_>>();
    match (refused(&now.0), refused(&now.1)) {
        (true, true) => true,
        (true, false) => made(&now.1, new),
        (false, true) => made(&now.0, old),
        (false, false) => {
            made(&now.0, old) && made(&now.1, new) && ids(&now.0).len() == ids(&now.1).len()
        }
    }
}
