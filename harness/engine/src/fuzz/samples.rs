//! The operator's own samples, against their release.

use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use kuberay_manifest::{Source, yaml};
use serde_json::{Value, json};

use super::ask::Question;
use super::fuzzer::Fuzzer;
use super::{FuzzedSample, Surprise};
use crate::contract::FieldValidation;
use crate::provider::TargetError;
use crate::runner::RunError;

/// How long an operator may take to make the Pods of a sample.
const ANSWERS_WITHIN: Duration = Duration::from_secs(45);
/// Samples at once.
const AT_ONCE: usize = 8;

impl Fuzzer {
    /// Creates every RayCluster, RayJob and RayService of a folder, each in a namespace of its own,
    /// and compares its Pods.
    pub async fn samples(&self, folder: &Path) -> Result<Vec<FuzzedSample>, RunError> {
        let objects = objects(folder)?;
        let asked = objects
            .into_iter()
            .enumerate()
            .map(async |(number, (file, mut object))| {
                let namespace = format!("sample-{number}z");
                let text = |pointer: &str| {
                    object
                        .pointer(pointer)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                let kind = text("/kind");
                let name = format!(
                    "{kind} {}{}",
                    text("/metadata/name"),
                    text("/metadata/generateName")
                );
                // Only a name that is known can be looked up.
                if object["metadata"]["name"].is_null() {
                    object["metadata"]["name"] = json!(format!("sample-{number}"));
                }
                object["metadata"]["namespace"] = json!(namespace);
                let question = Question {
                    namespace,
                    object,
                    validation: FieldValidation::Warn,
                    within: ANSWERS_WITHIN,
                };
                let answer = self.asker.ask(&question).await?;
                let (pods, surprise) = (answer.pods, answer.surprise);
                let left_out = surprise.as_ref().and_then(missing_precondition);
                Ok(FuzzedSample {
                    file,
                    object: name,
                    pods: if left_out.is_some() { 0 } else { pods.len() },
                    surprise: surprise.filter(|_| left_out.is_none()),
                    left_out,
                })
            });
        let samples: Vec<Result<FuzzedSample, RunError>> = futures::stream::iter(asked)
            .buffered(AT_ONCE)
            .collect()
            .await;
        samples.into_iter().collect()
    }
}

/// What an operator says that lacks something which a plain API server does not have.
fn missing_precondition(surprise: &Surprise) -> Option<String> {
    const SIGNS: [&str; 4] = [
        "feature gate",
        "no matches for kind",
        // A RayJob that selects a RayCluster of another file.
        "RayCluster.ray.io \"",
        "rayclusters.ray.io \"",
    ];
    match surprise {
        Surprise::Missing { log, .. } | Surprise::Accepted { log, .. }
            if SIGNS.iter().any(|sign| log.contains(sign)) =>
        {
            Some(log.clone())
        }
        _ => None,
    }
}

/// The objects of Ray's in a folder of manifests, with their files.
fn objects(folder: &Path) -> Result<Vec<(String, Value)>, RunError> {
    let read = |source| TargetError::File {
        doing: "reading",
        path: folder.into(),
        source,
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(read)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    paths.sort();
    let mut objects = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(read)?;
        let documents = yaml::parse(&Source::new(&path, &text))
            .map_err(|problems| RunError::Scenarios(problems.into()))?;
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for object in documents.iter().map(yaml::Node::to_json) {
            if matches!(
                object["kind"].as_str(),
                Some("RayCluster" | "RayJob" | "RayService")
            ) {
                objects.push((file.clone(), object));
            }
        }
    }
    Ok(objects)
}
