//! Results of several runs of one plan, such as its shards, become one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::plan::Shard;
use crate::results::{
    CaseResult, Environment, ImageRecord, Outcome, Phase, RunResult, ScenarioRecord,
};

mod files;

pub use files::{read_sources, refuse_to_overwrite, write_merged};

/// Ids that the text about missing cases names; `results.json` has all.
const NAMED: usize = 20;

/// The results of a run, and their file.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeSource {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub run: RunResult,
}

/// What became of several results.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The one result.
    pub run: RunResult,
    /// What whoever merges should know, one sentence each.
    pub notes: Vec<String>,
    /// Folders of evidence below the output folder, and below which folder each lies now.
    pub(super) evidence: Vec<(PathBuf, String)>,
}

/// Why results can't be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There are none.
    #[error(
        "there are no results to merge; name results.json of each run, or the folder that contains it"
    )]
    Nothing,
    /// They are of before runs noted their plan.
    #[error("{} does not record the plan of its run, so missing cases can't be found; run again and merge the new results", .0.display())]
    NoPlan(PathBuf),
    /// They are a merge that lacks something.
    #[error("{} is a merged report that lacks cases; merge the results of the runs themselves", .0.display())]
    Incomplete(PathBuf),
    /// They are of different plans.
    #[error(
        "{} and {} are results of different plans ({what}); run all shards with the same harness, scenarios, releases and \
         filters",
        .one.display(), .other.display()
    )]
    OtherPlan {
        /// A file.
        one: PathBuf,
        /// Another.
        other: PathBuf,
        /// In what they differ.
        what: String,
    },
    /// The merged report would take the place of one that it is made of.
    #[error("the merged report would take the place of {}; name another folder with --output", .0.display())]
    Overwrites(PathBuf),
}

/// Makes one result of several runs of one plan. A case that several have counts once: a verdict
/// counts more than none, and of two different ones the worse counts, and both are told.
///
/// # Errors
/// When they are not results of one plan.
pub fn merge(sources: &[MergeSource]) -> Result<Merged, MergeError> {
    // One that ended before its plan was known is of any plan.
    let known = sources.iter().find(|source| !source.run.has_no_plan_yet());
    let first = known.or(sources.first()).ok_or(MergeError::Nothing)?;
    let scenarios = scenarios(sources);
    for source in sources {
        of_one_plan(first, source, scenarios)?;
    }
    let mut notes = Vec::new();
    let chosen = choose(sources, &mut notes);
    let planned = &first.run.planned;
    // A skip in a run that came to its end has a reason of the case's own; what the end of a run
    // cut off is missing.
    let is_told = |id: &String| {
        chosen
            .get(id.as_str())
            .is_some_and(|found| found.weight() > 0)
    };
    let missing: Vec<String> = planned.iter().filter(|id| !is_told(id)).cloned().collect();
    let cases: Vec<&LocatedCase> = order(sources, planned)
        .into_iter()
        .filter_map(|id| chosen.get(id))
        .collect();
    let evidence = cases.iter().filter_map(|found| {
        let folder = found.source.path.parent().unwrap_or(Path::new("."));
        Some((folder.into(), found.case.evidence.clone()?))
    });
    let (started, duration_seconds) = span(sources);
    let mut environment = Environment::default();
    for source in sources {
        environment.extend(&source.run.environment);
    }
    let ids: Vec<&str> = sources
        .iter()
        .map(|source| source.run.run_id.as_str())
        .collect();
    let run = RunResult {
        version: first.run.version.clone(),
        run_id: ids.join(", "),
        started,
        duration_seconds,
        harness: first.run.harness.clone(),
        // None of the runs was all of it.
        command: None,
        phases: sources.iter().flat_map(phases).collect(),
        environment,
        shard: None,
        planned: planned.clone(),
        selected_rules: first.run.selected_rules.clone(),
        scenarios: scenarios.to_vec(),
        cases: cases.iter().map(|found| found.case.clone()).collect(),
        interrupted: interrupted(sources, planned, &missing),
        missing,
    };
    Ok(Merged {
        evidence: evidence.collect(),
        run,
        notes,
    })
}

fn of_one_plan(
    first: &MergeSource,
    source: &MergeSource,
    scenarios: &[ScenarioRecord],
) -> Result<(), MergeError> {
    let (one, other) = (&first.run, &source.run);
    if other.has_no_plan_yet() {
        return Ok(());
    }
    if other.planned.is_empty() {
        return Err(MergeError::NoPlan(source.path.clone()));
    }
    if !other.missing.is_empty() {
        return Err(MergeError::Incomplete(source.path.clone()));
    }
    let differ = |what| {
        Err(MergeError::OtherPlan {
            one: first.path.clone(),
            other: source.path.clone(),
            what,
        })
    };
    if one.harness != other.harness {
        return differ(format!("harness {} and {}", one.harness, other.harness));
    }
    if one.planned != other.planned {
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) =
            (one.planned.iter().collect(), other.planned.iter().collect());
        let alone = ours.symmetric_difference(&theirs).next();
        return differ(alone.map_or("the order of cases".into(), |id| {
            format!("only one has {id}")
        }));
    }
    if let Some(name) = other_scenario(scenarios, &other.scenarios) {
        return differ(format!("the scenario {name} is not the same"));
    }
    if let Some(what) = other_environment(&one.environment, &other.environment) {
        return differ(what);
    }
    if one.selected_rules != other.selected_rules {
        return differ("they are limited to other rules".into());
    }
    match (one.shard, other.shard) {
        (Some(one), Some(other)) if one.count != other.count => {
            differ(format!("shard {one} and shard {other}"))
        }
        _ => Ok(()),
    }
}

/// What two shards ran on that is not the same, in words: Kubernetes, or the build of an image. A
/// shard without cases of a target knows nothing of it.
fn other_environment(one: &Environment, other: &Environment) -> Option<String> {
    let parts = |text: &str| -> BTreeSet<String> {
        text.split("; ")
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (ours, theirs) = (parts(&one.kubernetes), parts(&other.kubernetes));
    if !ours.is_empty() && !theirs.is_empty() && ours.is_disjoint(&theirs) {
        return Some(format!(
            "Kubernetes {} and {}",
            one.kubernetes, other.kubernetes
        ));
    }
    one.images.iter().find_map(|image| {
        let same = |other: &&ImageRecord| other.name == image.name && other.origin == image.origin;
        let mut others = other.images.iter().filter(same);
        let theirs = others.clone().next()?;
        let known = others.any(|other| other.digest == image.digest);
        (!known).then(|| format!("{} is {} and {}", image.name, image.digest, theirs.digest))
    })
}

/// The scenarios that the runs could choose from. A run that was killed does not know them.
fn scenarios(sources: &[MergeSource]) -> &[ScenarioRecord] {
    let known = sources.iter().map(|source| source.run.scenarios.as_slice());
    known
        .into_iter()
        .find(|all| !all.is_empty())
        .unwrap_or_default()
}

/// A scenario that two runs do not have alike.
fn other_scenario<'a>(one: &'a [ScenarioRecord], other: &'a [ScenarioRecord]) -> Option<&'a str> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let alone = |of: &'a [ScenarioRecord], not: &[ScenarioRecord]| {
        of.iter().find(|record| !not.contains(record))
    };
    alone(one, other)
        .or_else(|| alone(other, one))
        .map(|record| record.name.as_str())
}

/// A case and where it was found.
struct LocatedCase<'a> {
    case: CaseResult,
    source: &'a MergeSource,
}

impl LocatedCase<'_> {
    /// How much it counts; what counts nothing was not run at all.
    fn weight(&self) -> u8 {
        match self.case.outcome {
            _ if self.case.interrupted => 0,
            Outcome::Skipped => {
                u8::from(self.source.run.interrupted.is_none() || self.case.no_capacity)
            }
            Outcome::Error => 2,
            Outcome::New => 3,
            Outcome::Passed => 4,
            Outcome::Flaky => 5,
            Outcome::Failed => 6,
        }
    }

    fn is_judged(&self) -> bool {
        self.weight() > 3
    }
}

/// Of each case the result that counts.
fn choose<'a>(
    sources: &'a [MergeSource],
    notes: &mut Vec<String>,
) -> HashMap<&'a str, LocatedCase<'a>> {
    let mut chosen: HashMap<&str, LocatedCase> = HashMap::new();
    for source in sources {
        for case in &source.run.cases {
            let mut found = LocatedCase {
                case: case.clone(),
                source,
            };
            let Some(mut other) = chosen.remove(case.id.as_str()) else {
                chosen.insert(&case.id, found);
                continue;
            };
            if found.weight() > other.weight() {
                std::mem::swap(&mut found, &mut other);
            }
            if found.is_judged() && found.case.outcome != other.case.outcome {
                let words = (other.case.outcome.word(), found.case.outcome.word());
                let (here, there) = (other.source.path.display(), found.source.path.display());
                notes.push(format!(
                    "{}: {} in {here}, but {} in {there}",
                    case.id, words.0, words.1
                ));
                let told = format!("it was {} in another run of the same plan", words.1);
                other.case.reason = Some(match other.case.reason {
                    Some(reason) => format!("{reason} ({told})"),
                    None => told,
                });
            }
            chosen.insert(&case.id, other);
        }
    }
    chosen
}

/// Ids as one run of all would have them: the plan's, then what its ranges leave out.
fn order<'a>(sources: &'a [MergeSource], planned: &'a [String]) -> Vec<&'a str> {
    let all = sources.iter().flat_map(|source| &source.run.cases);
    let mut seen = BTreeSet::new();
    let ids = planned.iter().chain(all.map(|case| &case.id));
    ids.map(String::as_str)
        .filter(|id| seen.insert(*id))
        .collect()
}

/// The beginning of the first, and the seconds from there to the end of the last.
fn span(sources: &[MergeSource]) -> (String, f64) {
    let runs = sources.iter().map(|source| &source.run);
    let begun = |run: &RunResult| run.started.parse::<Timestamp>().unwrap_or_default();
    let Some(first) = runs.clone().min_by_key(|run| begun(run)) else {
        return (String::new(), 0.0);
    };
    let ends = runs
        .map(|run| begun(run).duration_since(begun(first)).as_secs_f64() + run.duration_seconds);
    (first.started.clone(), ends.fold(0.0, f64::max))
}

/// Names a source in messages.
fn label(source: &MergeSource) -> String {
    match source.run.shard {
        Some(shard) => format!("shard {shard}"),
        None => format!("run {}", source.run.run_id),
    }
}

fn phases(source: &MergeSource) -> impl Iterator<Item = Phase> {
    source.run.phases.iter().map(|phase| Phase {
        name: format!("{}: {}", label(source), phase.name),
        seconds: phase.seconds,
    })
}

/// What stopped runs that no other made up for, and what is missing.
fn interrupted(sources: &[MergeSource], planned: &[String], missing: &[String]) -> Option<String> {
    let ended: BTreeMap<Option<Shard>, bool> =
        sources.iter().fold(BTreeMap::new(), |mut ended, source| {
            *ended.entry(source.run.shard).or_default() |= source.run.interrupted.is_none();
            ended
        });
    let mut texts: Vec<String> = sources
        .iter()
        .filter(|source| !ended[&source.run.shard])
        .filter_map(|source| {
            let reason = source.run.interrupted.as_ref()?;
            Some(format!("{} did not complete: {reason}", label(source)))
        })
        .collect();
    if !missing.is_empty() {
        let mut text = format!(
            "{} of {} planned cases are missing",
            missing.len(),
            planned.len()
        );
        let count = sources
            .iter()
            .find_map(|source| source.run.shard)
            .map(|shard| shard.count);
        let absent = (1..=count.unwrap_or(0))
            .filter(|index| !ended.keys().flatten().any(|shard| shard.index == *index));
        let absent: Vec<String> = absent
            .map(|index| format!("{index}/{}", count.unwrap_or(0)))
            .collect();
        if !absent.is_empty() {
            text.push_str(&format!(
                "; there are no results of shard {}",
                absent.join(" and ")
            ));
        }
        missing
            .iter()
            .take(NAMED)
            .for_each(|id| text.push_str(&format!("\n{id}")));
        if missing.len() > NAMED {
            text.push_str(&format!("\nand {} more", missing.len() - NAMED));
        }
        texts.push(text);
    }
    (!texts.is_empty()).then(|| texts.join("\n"))
}

#[cfg(test)]
#[path = "merge/tests.rs"]
mod tests;
