//! Results of a Job in `ConfigMaps`, one for each case and one for each shard: they outlive the Pod
//! that found them.

mod journal;
pub(super) mod pack;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use sha2::{Digest, Sha256};

pub use journal::JobJournal;
use pack::{pack, pack_folder, pieces, unpack, unpack_folder};

use crate::operator::{FIELD_MANAGER, MANAGED_BY, MANAGER};
use crate::output;
use crate::results::{CaseResult, RunResult};

/// The namespace of Jobs, their account and their results.
pub const NAMESPACE: &str = "kuberay-conformance";
/// The label with the Job's name on all that belongs to it.
pub(super) const OF_JOB: &str = "kuberay-conformance/job";
/// The label with the number of the shard.
const OF_SHARD: &str = "kuberay-conformance/shard";
/// The label that says what a `ConfigMap` holds.
const HOLDS: &str = "kuberay-conformance/holds";
const CASES: &str = "case";
const SHARD: &str = "shard";
const EVIDENCE: &str = "evidence";
/// The annotation with the hash of what a case was made of.
const MADE_OF: &str = "kuberay-conformance/made-of";
/// The annotation with the number of the Pod that wrote a `ConfigMap`, among the Pods of its shard.
const WRITER: &str = "kuberay-conformance/writer";
/// Number of attempts of a write while others write the same `ConfigMap`.
const TRIES: usize = 20;
/// The annotation with the case's id, for people.
const ID: &str = "kuberay-conformance/case";
const RESULT: &str = "result.json.gz";
const ARCHIVE: &str = "evidence.tar.gz";
/// Largest part of evidence in one `ConfigMap`; the API server refuses more than 1 MiB in all.
const PIECE: usize = 700 * 1024;
/// Evidence of a case that takes more is left out, so that the API server's store is not filled.
const LARGEST: usize = 8 * 1024 * 1024;

/// A reason why results could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The API server refused.
    #[error("{doing} in the namespace {NAMESPACE}: {source}")]
    Api {
        /// The action that failed.
        doing: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// A Pod of the shard that started later has written it.
    #[error(
        "the ConfigMap {name} in the namespace {NAMESPACE} is of a later Pod of the shard; this one must end"
    )]
    Superseded {
        /// Its name.
        name: String,
    },
    /// Others wrote it at the same time, again and again.
    #[error(
        "the ConfigMap {name} in the namespace {NAMESPACE} was changed by others at each of {TRIES} tries to write it"
    )]
    Contended {
        /// Its name.
        name: String,
    },
    /// A result can't be packed or read.
    #[error("{doing}: {source}")]
    Pack {
        /// The action that failed.
        doing: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// The results of one Job.
#[derive(Clone)]
pub struct JobResults {
    maps: Api<ConfigMap>,
    job: String,
    /// The number of this Pod among those of its shard, from 1; 0 until it has begun the shard.
    writer: Arc<AtomicU64>,
}

/// A case's result as it was kept.
pub(super) struct StoredResult {
    pub(super) shard: u16,
    pub(super) result: CaseResult,
    /// The hash of what it was made of.
    pub(super) made_of: String,
}

impl JobResults {
    /// Of the Job of this name.
    pub fn new(client: Client, job: &str) -> Self {
        Self {
            maps: Api::namespaced(client, NAMESPACE),
            job: job.into(),
            writer: Arc::default(),
        }
    }

    /// Keeps the result of a case, with its evidence where there is some. Returns a sentence where
    /// evidence was too much.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn keep(
        &self,
        shard: u16,
        result: &CaseResult,
        made_of: &str,
        evidence: Option<&Path>,
    ) -> Result<Option<String>, ResultsError> {
        let id = &result.id;
        let packing = |source| ResultsError::Pack {
            doing: format!("packing the result of {id}"),
            source,
        };
        let mut note = None;
        let mut parts = Vec::new();
        if let Some(folder) = evidence {
            let archive = pack_folder(folder).map_err(packing)?;
            if archive.len() > LARGEST {
                let (is, most) = (archive.len() / 1024 / 1024, LARGEST / 1024 / 1024);
                note = Some(format!(
                    "the evidence of {id} is left out: {is} MiB, and at most {most} MiB are stored"
                ));
            } else {
                parts = pieces(&archive, PIECE);
            }
        }
        for (number, part) in parts.into_iter().enumerate() {
            let name = self.name(&format!("{id}/{number}"));
            self.put(self.map(
                &name,
                shard,
                EVIDENCE,
                (ARCHIVE, part),
                id,
                made_of,
                Some(number),
            ))
            .await?;
        }
        // The result comes last: with it, all is there.
        let packed = pack(result).map_err(packing)?;
        let name = self.name(id);
        self.put(self.map(&name, shard, CASES, (RESULT, packed), id, made_of, None))
            .await?;
        Ok(note)
    }

    /// Begins a shard: stores its summary, and takes it over from any Pod that began it
    /// earlier, whose writes fail from then on.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn begin_shard(&self, shard: u16, run: &RunResult) -> Result<(), ResultsError> {
        let writer = self.write(self.shard_map(shard, run)?, true).await?;
        self.writer.store(writer, Ordering::Relaxed);
        Ok(())
    }

    /// Stores the summary of a shard: its plan and environment, and the cases that it leaves out.
    ///
    /// # Errors
    /// When the API server refuses, or another Pod has begun the shard since.
    pub async fn keep_shard(&self, shard: u16, run: &RunResult) -> Result<(), ResultsError> {
        self.put(self.shard_map(shard, run)?).await
    }

    fn shard_map(&self, shard: u16, run: &RunResult) -> Result<ConfigMap, ResultsError> {
        let packed = pack(run).map_err(|source| ResultsError::Pack {
            doing: format!("packing the summary of shard {shard}"),
            source,
        })?;
        let name = format!("{}-shard-{shard}", self.job);
        Ok(self.map(&name, shard, SHARD, (RESULT, packed), "", "", None))
    }

    /// The results of cases, of one shard or of all.
    pub(super) async fn cases(
        &self,
        shard: Option<u16>,
    ) -> Result<Vec<StoredResult>, ResultsError> {
        let mut all = Vec::new();
        for map in self.list(CASES, shard).await? {
            all.push(StoredResult {
                shard: shard_of(&map),
                made_of: annotation(&map, MADE_OF),
                result: self.read(&map)?,
            });
        }
        Ok(all)
    }

    /// Results of cases of one shard that passed, with the hash of what each was made of.
    ///
    /// # Errors
    /// When the API server refuses, or what is kept can't be read.
    pub async fn passed(&self, shard: u16) -> Result<Vec<(CaseResult, String)>, ResultsError> {
        let all = self.cases(Some(shard)).await?;
        let passed = all
            .into_iter()
            .filter(|kept| kept.result.outcome == crate::results::Outcome::Passed);
        Ok(passed.map(|kept| (kept.result, kept.made_of)).collect())
    }

    /// The summary of each shard.
    pub(super) async fn shards(&self) -> Result<BTreeMap<u16, RunResult>, ResultsError> {
        let maps = self.list(SHARD, None).await?;
        maps.iter()
            .map(|map| Ok((shard_of(map), self.read(map)?)))
            .collect()
    }

    /// Writes the evidence of every case into its folder below that of its shard, in place of what
    /// is there. Returns one sentence for each case whose evidence can't be had; its result names
    /// none then.
    pub(super) async fn write_evidence(
        &self,
        cases: &mut [StoredResult],
        folder: impl Fn(u16) -> PathBuf,
    ) -> Result<Vec<String>, ResultsError> {
        let mut archives: BTreeMap<String, BTreeMap<usize, Vec<u8>>> = BTreeMap::new();
        for mut map in self.list(EVIDENCE, None).await? {
            let number = map
                .labels()
                .get(PART)
                .and_then(|number| number.parse().ok())
                .unwrap_or(0);
            let bytes = map
                .binary_data
                .as_mut()
                .and_then(|data| data.remove(ARCHIVE))
                .unwrap_or_default();
            archives
                .entry(annotation(&map, ID))
                .or_default()
                .insert(number, bytes.0);
        }
        let mut notes = Vec::new();
        for kept in cases {
            let (Some(parts), Some(evidence)) =
                (archives.get(&kept.result.id), &kept.result.evidence)
            else {
                continue;
            };
            let bytes: Vec<u8> = parts.values().flatten().copied().collect();
            if let Err(error) = write_folder(&bytes, &folder(kept.shard), evidence) {
                notes.push(format!(
                    "the evidence of {} was not written: {error}",
                    kept.result.id
                ));
                kept.result.evidence = None;
            }
        }
        Ok(notes)
    }

    fn name(&self, of: &str) -> String {
        let hash = format!("{:x}", Sha256::digest(of));
        format!("{}-{}", self.job, &hash[..16])
    }

    #[expect(clippy::too_many_arguments, reason = "they are what the map says")]
    fn map(
        &self,
        name: &str,
        shard: u16,
        holds: &str,
        (key, bytes): (&str, Vec<u8>),
        id: &str,
        made_of: &str,
        part: Option<usize>,
    ) -> ConfigMap {
        let mut labels = BTreeMap::from([
            (MANAGED_BY.to_owned(), MANAGER.to_owned()),
            (OF_JOB.to_owned(), self.job.clone()),
            (OF_SHARD.to_owned(), shard.to_string()),
            (HOLDS.to_owned(), holds.to_owned()),
        ]);
        labels.extend(part.map(|part| (PART.to_owned(), part.to_string())));
        let annotations =
            [(ID, id), (MADE_OF, made_of)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        ConfigMap {
            metadata: ObjectMeta {
                name: Some(name.into()),
                labels: Some(labels),
                annotations: Some(annotations.into()),
                ..ObjectMeta::default()
            },
            binary_data: Some(BTreeMap::from([(key.to_owned(), ByteString(bytes))])),
            ..ConfigMap::default()
        }
    }

    async fn put(&self, map: ConfigMap) -> Result<(), ResultsError> {
        self.write(map, false).await.map(drop)
    }

    /// Writes a `ConfigMap` unless a later Pod of the shard has; returns the number of the Pod that
    /// it is now of. `begins` gives this Pod the next number.
    ///
    /// Each write names the state that it replaces, so that nothing is overwritten that was not
    /// looked at.
    async fn write(&self, mut map: ConfigMap, begins: bool) -> Result<u64, ResultsError> {
        let name = map.name_any();
        let doing = format!("keeping the ConfigMap {name}");
        let create = PostParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PostParams::default()
        };
        let apply = PatchParams::apply(FIELD_MANAGER).force();
        let mut writer = self.writer.load(Ordering::Relaxed).max(1);
        for _ in 0..TRIES {
            let there = self.find(&name).await?;
            let by = there.as_ref().map_or(0, writer_of);
            if begins {
                writer = by + 1;
            } else if by > writer {
                return Err(ResultsError::Superseded { name });
            }
            map.annotations_mut()
                .insert(WRITER.into(), writer.to_string());
            map.metadata.resource_version = there.as_ref().and_then(ConfigMap::resource_version);
            let written = match &there {
                None => self.maps.create(&create, &map).await,
                Some(_) => self.maps.patch(&name, &apply, &Patch::Apply(&map)).await,
            };
            match written {
                Ok(_) => return Ok(writer),
                // Another has made or changed it since, or it is gone.
                Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => {}
                Err(error) => return Err(failed(&doing)(error)),
            }
        }
        Err(ResultsError::Contended { name })
    }

    /// A `ConfigMap` by its name. The account of a Job may list, but not get.
    async fn find(&self, name: &str) -> Result<Option<ConfigMap>, ResultsError> {
        let params = ListParams::default().fields(&format!("metadata.name={name}"));
        let found = self.maps.list(&params).await;
        Ok(found
            .map_err(failed(&format!("reading the ConfigMap {name}")))?
            .items
            .pop())
    }

    async fn list(&self, holds: &str, shard: Option<u16>) -> Result<Vec<ConfigMap>, ResultsError> {
        let mut selector = format!("{OF_JOB}={},{HOLDS}={holds}", self.job);
        if let Some(shard) = shard {
            selector.push_str(&format!(",{OF_SHARD}={shard}"));
        }
        // In pages: results of a large matrix are many megabytes.
        let mut params = ListParams::default().labels(&selector).limit(50);
        let mut all = Vec::new();
        loop {
            let page = self.maps.list(&params).await;
            let page = page.map_err(failed(&format!(
                "reading the results of the Job {}",
                self.job
            )))?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(all),
            }
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self, map: &ConfigMap) -> Result<T, ResultsError> {
        let bytes = map.binary_data.as_ref().and_then(|data| data.get(RESULT));
        let bytes = bytes.map(|bytes| bytes.0.as_slice()).unwrap_or_default();
        unpack(bytes).map_err(|source| ResultsError::Pack {
            doing: format!(
                "reading the ConfigMap {} of the Job {}",
                map.name_any(),
                self.job
            ),
            source,
        })
    }
}

/// The label with the number of a piece of evidence.
const PART: &str = "kuberay-conformance/part";

/// Unpacks evidence into its folder below that of a shard; nothing of it stays where that fails.
fn write_folder(bytes: &[u8], shard: &Path, evidence: &str) -> std::io::Result<()> {
    output::evidence_parts(evidence).map_err(std::io::Error::other)?;
    if bytes.len() > LARGEST {
        return Err(std::io::Error::other(format!(
            "it takes more than {} MiB",
            LARGEST >> 20
        )));
    }
    output::remove(shard, evidence)?;
    let target = output::create_folder(shard, evidence)?;
    unpack_folder(bytes, &target).inspect_err(|_| {
        let _ = output::remove(shard, evidence);
    })
}

fn shard_of(map: &ConfigMap) -> u16 {
    map.labels()
        .get(OF_SHARD)
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn writer_of(map: &ConfigMap) -> u64 {
    annotation(map, WRITER).parse().unwrap_or(0)
}

fn annotation(map: &ConfigMap, name: &str) -> String {
    map.annotations().get(name).cloned().unwrap_or_default()
}

fn failed(doing: &str) -> impl FnOnce(kube::Error) -> ResultsError + use<> {
    let doing = doing.to_owned();
    move |source| ResultsError::Api {
        doing,
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests;
