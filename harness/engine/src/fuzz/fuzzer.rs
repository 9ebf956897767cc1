//! Generated objects, against one release with one set of settings.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::Instant;

use super::ask::{Answer, Asker, Question};
use super::{FuzzFinding, FuzzOptions, FuzzOutcome, Surprise};
use crate::generate::{Coverage, NUMBERS, ObjectGenerator, ObjectPlan, settings};
use crate::progress::Progress;
use crate::provider::EnvtestRelease;
use crate::runner::RunError;
use crate::scenario::OperatorSettings;

/// How long an operator may take to make all Pods of an object; those of old releases are slow by
/// their own limit of requests.
const ANSWERS_WITHIN: Duration = Duration::from_mins(2);
/// Worker groups in one object at most: Pods are cheaper than RayClusters.
const WORKERS: usize = 9;
/// Differences that are made small.
const SHRUNK: usize = 3;
/// Progress is reported after so many candidates.
const TOLD_EVERY: usize = 20;
/// Candidates for the smallest object at most.
const CANDIDATES: usize = 400;
/// Time for the candidates of one difference.
const SHRINK_WITHIN: Duration = Duration::from_secs(30);
/// Of so many cases one is for each set of settings that is not the release's own.
const OF_SETTINGS: usize = 10;

/// One release with one set of settings, and what it is given.
pub(super) struct Fuzzer {
    pub asker: Asker,
    generator: ObjectGenerator,
    settings: OperatorSettings,
    /// The number of the first object.
    first: u64,
    cases: usize,
    jobs: usize,
    progress: Arc<dyn Progress>,
}

impl Fuzzer {
    pub async fn new(
        up: &EnvtestRelease,
        options: &FuzzOptions,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        let all = settings(&up.release);
        let place = all.iter().position(|one| *one == up.settings).unwrap_or(0);
        let own = options.cases / OF_SETTINGS;
        Ok(Self {
            asker: Asker::new(up).await?,
            generator: ObjectGenerator::new(options.seed, &up.release, WORKERS, &up.settings),
            settings: up.settings.clone(),
            first: place as u64 * NUMBERS,
            cases: if place == 0 {
                options.cases - own * (all.len() - 1)
            } else {
                own
            },
            jobs: options.jobs,
            progress,
        })
    }

    /// The name of what is done, for progress.
    fn task(&self) -> String {
        format!("KubeRay {}", self.asker.release)
    }

    /// Compares as many objects as hold the cases, then makes small what differs.
    pub async fn fuzz(&self) -> Result<FuzzOutcome, RunError> {
        let started = Instant::now();
        let mut fuzzed = FuzzOutcome::of(self.asker.release.clone());
        let mut planned = 0;
        let numbers = (self.first..).map_while(|number| {
            if planned >= self.cases {
                return None;
            }
            let plan = self.generator.generated(number).plan();
            let question = question(&number.to_string(), &plan);
            let expected = self
                .asker
                .expected(question.validation, &question.object)
                .map_or(1, |expected| expected.cases());
            planned += expected;
            Some((number, question, expected))
        });
        let asked = numbers.map(async |(number, question, cases)| {
            let answer = self.asker.ask(&question).await?;
            Ok::<_, RunError>((number, cases, answer))
        });
        let mut answers = std::pin::pin!(futures::stream::iter(asked).buffer_unordered(self.jobs));
        let mut surprises = Vec::new();
        while let Some(answer) = answers.next().await {
            let (number, cases, answer) = answer?;
            fuzzed.objects += 1;
            fuzzed.cases += cases;
            fuzzed.refused += usize::from(answer.refused);
            add(&mut fuzzed.coverage, &answer);
            if let Some(surprise) = answer.surprise {
                tracing::info!(number, ?surprise, "the operator and the contract differ");
                surprises.push((number, surprise));
            }
            let (cases, count) = (fuzzed.cases, surprises.len());
            self.progress
                .update(&self.task(), &format!("{cases} cases, {count} differences"));
        }
        fuzzed.took = started.elapsed();
        surprises.sort_by_key(|(number, _)| *number);
        for (index, (number, surprise)) in surprises.into_iter().enumerate() {
            let finding = self.finding(index, number, surprise).await?;
            fuzzed.findings.push(finding);
        }
        Ok(fuzzed)
    }

    async fn finding(
        &self,
        index: usize,
        number: u64,
        surprise: Surprise,
    ) -> Result<FuzzFinding, RunError> {
        let plan = self.generator.generated(number).plan();
        let mut finding = FuzzFinding {
            number,
            settings: self.settings.clone(),
            kind: plan.kind.word(),
            validation: plan.validation,
            surprise,
            object: plan.manifest("c", "default"),
            tried: 0,
        };
        if index >= SHRUNK || matches!(finding.surprise, Surprise::Missing { .. }) {
            return Ok(finding);
        }
        let started = Instant::now();
        let mut shrinking = self.generator.generated(number).shrink();
        let mut candidate = shrinking.candidate();
        while let Some(plan) = candidate {
            let tried = shrinking.tried();
            if tried > CANDIDATES || started.elapsed() > SHRINK_WITHIN {
                break;
            }
            if tried.is_multiple_of(TOLD_EVERY) {
                let doing = format!("making difference {number} smaller, step {tried}");
                self.progress.update(&self.task(), &doing);
            }
            let question = question(&format!("{number}s{tried}"), &plan);
            let answer = self.asker.ask(&question).await?;
            let same = answer
                .surprise
                .filter(|surprise| surprise.kind() == finding.surprise.kind());
            candidate = shrinking.answer(same.is_some());
            finding.surprise = same.unwrap_or(finding.surprise);
        }
        finding.object = shrinking.smallest().manifest("c", "default");
        finding.tried = shrinking.tried();
        Ok(finding)
    }
}

/// An object in a namespace of its own. No name of such a namespace is a part of another, so that
/// the operator's log can be searched for it.
fn question(name: &str, plan: &ObjectPlan) -> Question {
    let namespace = format!("fuzz-{name}z");
    Question {
        object: plan.manifest("c", &namespace),
        namespace,
        validation: plan.validation,
        within: ANSWERS_WITHIN,
    }
}

/// Counts what an answer has shown; what differs shows nothing.
fn add(coverage: &mut Coverage, answer: &Answer) {
    if answer.surprise.is_none() {
        coverage.add(&answer.pods);
        coverage.add_refusals(&answer.confirmed);
    }
}
