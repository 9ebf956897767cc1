//! The record of the results of cases during a run, so that an interrupted run can be resumed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::artifact::UNPINNED;
use crate::plan::{Shard, TestCase};
use crate::progress::Progress;
use crate::redact::Redactor;
use crate::results::{CaseResult, Environment, ImageRecord, Outcome};
use crate::scenario::{TargetKind, files};

/// Version of the form of a journal; raised when one of before can't be read any more.
pub const JOURNAL_VERSION: &str = "kuberay-conformance.journal/v2";

/// The run that a journal belongs to; another run can't use the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalHead {
    /// The version of its form.
    pub version: String,
    /// Release of the harness.
    pub harness: String,
    /// Which part of the plan the run does, where that is not all of it.
    pub shard: Option<Shard>,
    /// The existing cluster in which the run works, where it makes none of its own.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Ids of all cases of the whole plan.
    pub planned: Vec<String>,
}

/// A case that came to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntry {
    /// Hash of the inputs of its result: the files of its scenario, the images that it ran with,
    /// and the cluster.
    pub digest: String,
    /// Its result.
    pub result: CaseResult,
}

/// A reason why a journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It is of another run.
    #[error(
        "{journal} belongs to another run ({what}), so --resume can't continue it: use the same cluster, scenarios, releases, filters \
         and shard, or run without --resume, which begins anew"
    )]
    OtherRun {
        /// Which journal.
        journal: String,
        /// In what the runs differ.
        what: String,
    },
    /// An entry is not what was written.
    #[error(
        "entry {number} of {journal} can't be read: {source}; run without --resume, which begins anew"
    )]
    Entry {
        /// Which journal.
        journal: String,
        /// Which entry, from 1.
        number: usize,
        /// The problem.
        source: serde_json::Error,
    },
    /// It can't be read or written.
    #[error("{doing} the journal {journal}: {source}")]
    Access {
        /// The action that failed.
        doing: &'static str,
        /// Which journal.
        journal: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Where a run notes what its cases came to.
pub trait Journal: fmt::Debug + Send + Sync {
    /// Begins a run: anew, or after what the same run noted before; returns what it noted then, in
    /// that order. There may be nothing to pick up.
    fn begin<'a>(
        &'a self,
        head: &'a JournalHead,
        resume: bool,
    ) -> BoxFuture<'a, Result<Vec<JournalEntry>, JournalError>>;

    /// Notes a case, with its folder of evidence where it has one; once this returns, it outlives
    /// the end of the process.
    fn note<'a>(
        &'a self,
        entry: &'a JournalEntry,
        evidence: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<(), JournalError>>;
}

impl JournalHead {
    /// Of a run of this release of the harness.
    pub fn new(shard: Option<Shard>, planned: Vec<String>) -> Self {
        Self {
            version: JOURNAL_VERSION.into(),
            harness: env!("CARGO_PKG_VERSION").into(),
            shard,
            cluster: None,
            planned,
        }
    }

    /// The same of a run in an existing cluster.
    #[must_use]
    pub fn in_cluster(self, cluster: Option<String>) -> Self {
        Self { cluster, ..self }
    }

    /// Whether a journal that begins like this is one of this run.
    ///
    /// # Errors
    /// When it is not; `journal` is how the error calls it.
    pub fn fits(&self, found: &Self, journal: &str) -> Result<(), JournalError> {
        let shard = |shard: Option<Shard>| {
            shard.map_or("no shard".into(), |shard| format!("shard {shard}"))
        };
        let what = if self.version != found.version {
            format!("its form is {}, not {}", found.version, self.version)
        } else if self.harness != found.harness {
            format!("harness {}, not {}", found.harness, self.harness)
        } else if self.shard != found.shard {
            format!("{}, not {}", shard(found.shard), shard(self.shard))
        } else if self.cluster != found.cluster {
            let cluster = |cluster: &Option<String>| {
                cluster.clone().unwrap_or_else(|| "its own cluster".into())
            };
            format!(
                "it ran in {}, not in {}",
                cluster(&found.cluster),
                cluster(&self.cluster)
            )
        } else if self.planned != found.planned {
            let (one, other) = (&found.planned, &self.planned);
            let only =
                |of: &[String], not: &[String]| of.iter().find(|id| !not.contains(id)).cloned();
            match (only(one, other), only(other, one)) {
                (Some(id), _) => format!("it had {id}, which is not planned now"),
                (None, Some(id)) => format!("it did not have {id}"),
                (None, None) => "its cases are in another order".into(),
            }
        } else {
            return Ok(());
        };
        Err(JournalError::OtherRun {
            journal: journal.into(),
            what,
        })
    }
}

/// The journal of a run under way, and what passed before.
#[derive(Debug)]
pub struct RunJournal {
    journal: Arc<dyn Journal>,
    output: PathBuf,
    /// The existing cluster.
    cluster: Option<String>,
    /// The parts of the clusters of each target, once they are known.
    made_of: Mutex<BTreeMap<TargetKind, Vec<String>>>,
    passed: BTreeMap<String, JournalEntry>,
}

impl RunJournal {
    /// Begins; `output` is the folder that evidence lies below.
    ///
    /// # Errors
    /// When the journal can't be used.
    pub async fn begin(
        journal: Arc<dyn Journal>,
        head: &JournalHead,
        resume: bool,
        output: PathBuf,
    ) -> Result<Self, JournalError> {
        let entries = journal.begin(head, resume).await?;
        // Of several results of a case the last one counts.
        let last: BTreeMap<String, JournalEntry> = entries
            .into_iter()
            .map(|entry| (entry.result.id.clone(), entry))
            .collect();
        let passed = last
            .into_iter()
            .filter(|(_, entry)| entry.result.outcome == Outcome::Passed);
        Ok(Self {
            journal,
            output,
            cluster: head.cluster.clone(),
            made_of: Mutex::default(),
            passed: passed.collect(),
        })
    }

    /// Notes what the cases of a target run on from now on: Kubernetes, and all images or programs
    /// with their digests.
    pub fn runs_on(&self, target: TargetKind, environment: &Environment) {
        let images = environment.images.iter().map(ImageRecord::reference);
        let made_of = std::iter::once(environment.kubernetes.clone()).chain(images);
        let mut targets = self.made_of.lock().unwrap_or_else(PoisonError::into_inner);
        targets.insert(target, made_of.collect());
    }

    /// Returns the hash of the inputs of a case's result; `None` where they are not known.
    fn digest(&self, case: &TestCase, images: &[ImageRecord]) -> std::io::Result<Option<String>> {
        let own = case_digest(case, images)?;
        let targets = self.made_of.lock().unwrap_or_else(PoisonError::into_inner);
        let made_of = targets.get(&case.target).into_iter().flatten();
        let cluster: Vec<&String> = self.cluster.iter().chain(made_of).collect();
        let is_known = images.iter().all(|image| image.digest != UNPINNED);
        Ok(is_known.then(|| match cluster.as_slice() {
            [] => own,
            cluster => hash_of(std::iter::once(&own).chain(cluster.iter().copied())),
        }))
    }

    /// Returns the number of cases that passed before; some may have changed since.
    pub fn passed(&self) -> usize {
        self.passed.len()
    }

    /// Whether the case with this id passed before.
    pub(super) fn has_passed(&self, id: &str) -> bool {
        self.passed.contains_key(id)
    }

    /// Results of cases that passed before with the same files, in the same cluster and with the
    /// same images, and the cases that are to be run. Where a digest is not known, the image may be
    /// another, so that the case is to be run.
    pub fn take_over(
        &self,
        cases: &[TestCase],
        images: impl Fn(&TestCase) -> Vec<ImageRecord>,
        progress: &dyn Progress,
    ) -> (Vec<CaseResult>, Vec<TestCase>) {
        let (mut results, mut rest) = (Vec::new(), Vec::new());
        for case in cases {
            let id = case.id();
            let entry = self.passed.get(&id);
            let is_same = |entry: &&JournalEntry| {
                let digest = self.digest(case, &images(case));
                digest.is_ok_and(|digest| digest.as_ref() == Some(&entry.digest))
            };
            match entry.filter(is_same) {
                Some(entry) => {
                    progress.finish(
                        &id,
                        Outcome::Passed,
                        "passed before, so it is not run again",
                    );
                    results.push(CaseResult {
                        resumed: true,
                        ..entry.result.clone()
                    });
                }
                None => rest.push(case.clone()),
            }
        }
        (results, rest)
    }

    /// Notes what a case came to.
    ///
    /// # Errors
    /// A sentence, when it can't be noted; the case keeps its verdict.
    pub async fn note(
        &self,
        case: &TestCase,
        images: &[ImageRecord],
        result: &CaseResult,
    ) -> Result<(), String> {
        let mut result = result.clone();
        Redactor::default().redact_case(&mut result);
        let noted = match self.digest(case, images) {
            Ok(digest) => {
                // What is of no certain digest is noted, and not taken over.
                let digest = digest.unwrap_or_default();
                let evidence = result
                    .evidence
                    .as_ref()
                    .map(|folder| self.output.join(folder));
                let entry = JournalEntry { digest, result };
                let noted = self.journal.note(&entry, evidence.as_deref()).await;
                noted.map_err(|error| error.to_string())
            }
            Err(error) => Err(format!("reading {}: {error}", case.scenario.dir.display())),
        };
        noted.map_err(|problem| {
            let id = case.id();
            format!("{id} is not noted, so --resume would run it again: {problem}")
        })
    }
}

/// Returns the hash of the inputs of a case's result, other than the harness and the plan.
///
/// # Errors
/// When a file of the scenario can't be read.
pub fn case_digest(case: &TestCase, images: &[ImageRecord]) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    // Each part with its length, so that nothing can move from one to the next.
    let mut add = |part: &[u8]| {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    };
    add(case.id().as_bytes());
    // Manifests may be changed to the run's release of Ray, which the id of a case without Ray does
    // not name.
    add(case.ray.to_string().as_bytes());
    for image in images {
        add(image.name.as_bytes());
        add(image.digest.as_bytes());
    }
    let mut files = Vec::new();
    collect(&case.scenario.dir, &mut files)?;
    files.sort();
    for file in files {
        let name = file.strip_prefix(&case.scenario.dir).unwrap_or(&file);
        add(name.as_os_str().as_encoded_bytes());
        add(&files::read(&case.scenario.dir, &file)?);
    }
    Ok(format!("sha256:{:x}", hash.finalize()))
}

/// Hashes parts, each with its length, so that nothing can move from one to the next.
fn hash_of<'a>(parts: impl Iterator<Item = &'a String>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    format!("sha256:{:x}", hash.finalize())
}

/// The files of a scenario; pending snapshots are what runs write.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_none_or(|extension| extension != "new") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "journal/tests.rs"]
mod tests;
