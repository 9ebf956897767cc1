//! `job submit`: the account, its permissions and the Job.

use kube::Client;
use serde_json::{Value, json};

use crate::artifact::fixture;
use crate::operator::{MANAGED_BY, MANAGER, OperatorError, Sender};
use crate::runner::RunError;
use crate::runner::job_results::{NAMESPACE, OF_JOB};
use crate::runner::owner;

/// The work and the image of a Job.
#[derive(Debug, Clone)]
pub struct SubmitOptions {
    /// Its name.
    pub job: String,
    /// Shards of the plan, each a Pod.
    pub shards: u16,
    /// Pods at once.
    pub parallel: u16,
    /// The harness's image.
    pub image: String,
    /// Arguments of `run` beside those that a Job needs.
    pub arguments: Vec<String>,
}

/// The Job that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Name of the Job.
    pub job: String,
    /// Whether a Job of this name was there, and was made again to go on.
    pub again: bool,
}

/// Makes the account with its permissions and the Job. A Job of this name that has ended is made
/// again: what passed in it is not run again.
///
/// # Errors
/// When the API server refuses, or a Job of this name still runs.
pub async fn submit(client: &Client, options: &SubmitOptions) -> Result<Submitted, RunError> {
    let sender = Sender::new(client.clone());
    let failed = |source| RunError::Job(format!("submitting the Job {}: {source}", options.job));
    for manifest in ["rbac/run.yaml", "rbac/job.yaml"] {
        for mut object in objects(manifest)? {
            object["metadata"]["labels"][MANAGED_BY] = json!(MANAGER);
            sender.apply(&object).await.map_err(failed)?;
        }
    }
    let job = job(options)?;
    let mut again = false;
    if let Some(there) = sender.get(&job).await.map_err(failed)? {
        if !has_ended(&there) {
            return Err(RunError::Job(format!(
                "the Job {} still runs: wait for it with `job collect --wait`, or give this one another --job",
                options.job
            )));
        }
        sender.delete_and_wait(&job).await.map_err(failed)?;
        again = true;
    }
    sender.create(&job).await.map_err(failed)?;
    Ok(Submitted {
        job: options.job.clone(),
        again,
    })
}

fn objects(manifest: &str) -> Result<Vec<Value>, RunError> {
    let text = fixture(manifest).unwrap_or_default();
    let documents = text.split("\n---\n");
    documents
        .map(|document| {
            serde_saphyr::from_str(document).map_err(|error| {
                let error = OperatorError::Malformed {
                    origin: format!("fixtures/{manifest}"),
                    message: error.to_string(),
                };
                error.into()
            })
        })
        .collect()
}

/// Whether a Job has a condition that is its last.
pub(super) fn has_ended(job: &Value) -> bool {
    let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    let mut conditions = conditions.filter(|condition| condition["status"] == "True");
    conditions.any(|condition| condition["type"] == "Complete" || condition["type"] == "Failed")
}

/// The Job of `fixtures/in-cluster/job.yaml`, filled in.
fn job(options: &SubmitOptions) -> Result<Value, RunError> {
    let mut job = objects("in-cluster/job.yaml")?.remove(0);
    let labels = json!({MANAGED_BY: MANAGER, OF_JOB: options.job});
    job["metadata"]["name"] = json!(options.job);
    job["metadata"]["namespace"] = json!(NAMESPACE);
    job["metadata"]["labels"] = labels.clone();
    let spec = &mut job["spec"];
    spec["completions"] = json!(options.shards);
    spec["parallelism"] = json!(options.parallel);
    spec["template"]["metadata"]["labels"] = labels;
    let container = &mut spec["template"]["spec"]["containers"][0];
    container["image"] = json!(options.image);
    let own = [
        "run",
        "--context",
        crate::target::IN_CLUSTER,
        "--output",
        "/output",
        "--job",
        &options.job,
        "--shards",
        &options.shards.to_string(),
        "--capacity-share",
        &options.parallel.to_string(),
    ];
    let arguments: Vec<&str> = own
        .into_iter()
        .chain(options.arguments.iter().map(String::as_str))
        .collect();
    container["args"] = json!(arguments);
    if let Some(env) = container["env"].as_array_mut() {
        env.push(json!({"name": "SHARD", "valueFrom": {"fieldRef": {
            "fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}));
        // A Pod that takes the place of another looks after what that has left.
        env.push(json!({"name": owner::VARIABLE, "value": format!("{}-$(SHARD)", options.job)}));
    }
    Ok(job)
}

/// Whether a text can be a Job's name, and a label's value with a number behind it.
pub fn is_job_name(name: &str) -> bool {
    let letters =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    !name.is_empty()
        && name.len() <= 40
        && name.chars().all(letters)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests;
