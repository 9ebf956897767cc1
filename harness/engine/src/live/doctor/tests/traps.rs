//! Every trap of `check`: its own example ends as it would, and `doctor` names the trap first. The
//! corrected example with Pods that run is silent.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::explain::TRAPS;
use crate::live::bundle::Bundle;

const SYNTAX: &str = "/bin/bash: -c: line 1: syntax error near unexpected token `&&'\n";
const RUNNING: &str =
    "ConnectionError: Ray is trying to start at 10.0.0.1:6379, but is already running at it.\n";
const WAITS: &str = "Waiting for Ray Dashboard GCS to become healthy at http://demo:8265 ...\n";

/// What is seen of a trap.
enum Symptom {
    /// The head's container ends with this code and this log.
    Ends(i64, &'static str),
    /// The head's container runs, and Ray does not come.
    Runs,
    /// The Pods are ready, and the trap is certain all the same.
    Certain,
    /// The job fails with this message.
    Fails(&'static str),
    /// The submitter ends with this code and this log.
    Submits(i64, &'static str),
    /// The submitter waits.
    Waits,
    /// The head is ready, and the worker waits for it.
    WorkerWaits,
    /// The Pods are ready, and the RayService is not.
    ServesNothing,
    /// None: the Pods are well, and `check` reports it. With the reason.
    Well(&'static str),
}
use Symptom::{Certain, Ends, Fails, Runs, ServesNothing, Submits, Waits, Well, WorkerWaits};

/// A trap, the release on which it is one, and what is seen of it.
const SYMPTOMS: &[(&str, &str, Symptom)] = &[
    ("trailing-ampersand", "1.6.2", Ends(2, SYNTAX)),
    ("trailing-semicolon", "1.6.2", Ends(2, SYNTAX)),
    ("trailing-newline", "1.6.2", Ends(2, SYNTAX)),
    ("trailing-operator", "1.6.2", Ends(2, SYNTAX)),
    ("trailing-comment", "1.6.2", Ends(0, "")),
    ("syntax-error", "1.6.2", Ends(2, SYNTAX)),
    ("open-here-document", "1.6.2", Ends(0, "")),
    (
        "not-analysed",
        "1.6.2",
        Well("says nothing about what the text does"),
    ),
    ("ends-shell", "1.6.2", Ends(3, "")),
    ("never-returns", "1.6.2", Runs),
    ("waits-for-jobs", "1.6.2", Runs),
    ("failure-swallowed", "1.6.2", Well("Ray starts")),
    ("errexit", "1.6.2", Ends(1, "")),
    ("argv-loses-quoting", "1.6.2", Certain),
    ("shell-without-script", "1.6.2", Certain),
    ("ray-start-in-text", "1.6.2", Ends(0, "")),
    ("ray-start-in-words", "1.6.2", Ends(1, RUNNING)),
    ("annotation-ignored", "1.6.2", Certain),
    ("overwrite-without-command", "1.6.2", Ends(0, "")),
    (
        "gen-cmd-unquoted",
        "1.6.2",
        Ends(2, "Error: Got unexpected extra argument (2})\n"),
    ),
    ("gen-cmd-without-annotation", "1.6.2", Ends(1, RUNNING)),
    (
        "needs-login-shell",
        "1.6.2",
        Ends(127, "/bin/bash: line 1: conda: command not found\n"),
    ),
    (
        "path-reset",
        "1.3.2",
        Ends(127, "/bin/bash: line 1: ray: command not found\n"),
    ),
    ("block-ignored", "1.6.2", Well("Ray starts, and blocks")),
    ("false-dropped", "1.6.2", Well("Ray takes its default")),
    ("no-cpu-limit", "1.6.2", Well("Ray counts more CPUs")),
    ("resources-hide-gpus", "1.6.2", Well("Ray has no GPUs")),
    (
        "group-field-ignored",
        "1.4.2",
        Well("the API server drops the field"),
    ),
    (
        "accelerator-ignored",
        "1.6.2",
        Well("Ray lacks the accelerator"),
    ),
    (
        "shell-in-parameter",
        "1.6.2",
        Ends(2, "Error: Got unexpected extra argument (2})\n"),
    ),
    (
        "expanded-in-parameter",
        "1.6.2",
        Ends(2, "Error: Invalid value for '--node-ip-address': \n"),
    ),
    ("ports-disagree", "1.6.2", Waits),
    (
        "autoscaler-command-ignored",
        "1.6.2",
        Well("the API server drops the field"),
    ),
    (
        "entrypoint-runs-here",
        "1.6.2",
        Submits(127, "/bin/bash: line 1: python: command not found\n"),
    ),
    (
        "entrypoint-lines",
        "1.2.2",
        Submits(2, "a.py: error: unrecognized arguments\n"),
    ),
    (
        "entrypoint-loses-quotes",
        "1.6.2",
        Fails("a.py: error: argument --filter: expected one argument"),
    ),
    (
        "runtime-env-type",
        "1.6.2",
        Fails("Runtime env setup failed: env_vars must be strings"),
    ),
    (
        "submitter-args-lost",
        "1.6.2",
        Fails("the job needs --verbose"),
    ),
    ("metadata-dropped", "1.6.2", Well("the job runs without it")),
    (
        "ray-not-first",
        "1.6.2",
        Ends(127, "/bin/bash: line 1: ray: command not found\n"),
    ),
    ("kubelet-expands", "1.6.2", Ends(1, "")),
    (
        "env-not-expanded",
        "1.6.2",
        Ends(127, "/bin/bash: line 1: ray: command not found\n"),
    ),
    (
        "parameter-type",
        "1.6.2",
        Ends(
            2,
            "Error: Invalid value for '--num-cpus': '500m' is not a valid integer.\n",
        ),
    ),
    (
        "unknown-ray-option",
        "1.6.2",
        Ends(2, "Error: No such option: --redis-max-memory\n"),
    ),
    (
        "unreadable-json",
        "1.6.2",
        Ends(
            1,
            "Error: the value of --resources is not a valid JSON string\n",
        ),
    ),
    ("entrypoint-syntax", "1.6.2", Submits(2, SYNTAX)),
    (
        "env-overwritten",
        "1.6.2",
        Well("Ray gets the operator's value"),
    ),
    ("gen-cmd-not-run", "1.6.2", Ends(127, "")),
    ("group-name-twice", "1.6.2", Certain),
    ("group-suspended", "1.6.2", Well("no workers are wanted")),
    ("no-dashboard-port", "1.6.2", ServesNothing),
    ("no-serve-port", "1.6.2", ServesNothing),
    ("no-gcs-port", "1.6.2", WorkerWaits),
    (
        "limits-end-the-operator",
        "1.1.0",
        Well("doctor says that the operator is down"),
    ),
    (
        "no-entrypoint",
        "1.6.2",
        Submits(2, "Error: Missing argument 'ENTRYPOINT...'.\n"),
    ),
    (
        "probes-fail",
        "1.5.1",
        Well("doctor says what the probe says"),
    ),
    ("ray-start-without-address", "1.6.2", Well("the head runs")),
    ("ray-start-without-block", "1.6.2", Ends(0, "")),
    (
        "submission-mode-unknown",
        "1.4.2",
        Well("the RayCluster runs, and no submitter is awaited"),
    ),
    ("submitter-without-id", "1.6.2", Well("the submitter runs")),
    ("ulimit-variable-ignored", "1.6.2", Well("Ray starts")),
];

/// The two objects of a trap's page: with it, and corrected.
fn examples(id: &str) -> [Value; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../explain/src/examples");
    let text = std::fs::read_to_string(folder.join(format!("{id}.yaml"))).unwrap();
    let found = serde_saphyr::from_multiple::<Value>(&text).unwrap();
    found.try_into().unwrap()
}

/// The example on a cluster, with Pods that are well.
fn on_cluster(mut example: Value, release: &str) -> Bundle {
    if example["kind"] == "RayCluster" {
        let whole = cluster();
        example["metadata"]["name"] = "demo".into();
        for field in ["namespace", "uid", "generation", "creationTimestamp"] {
            example["metadata"][field] = whole["metadata"][field].clone();
        }
        example["status"] = whole["status"].clone();
        return bundle(example, release);
    }
    if example["kind"] == "RayService" {
        let mut made = bundle(cluster(), release);
        made.objects[0]["metadata"]["ownerReferences"] = json!([{"uid": "uid-service"}]);
        example["metadata"] = json!({"name": "serve", "namespace": "team", "uid": "uid-service",
            "creationTimestamp": CREATED});
        example["status"] = json!({"serviceStatus": "Running",
            "activeServiceStatus": {"rayClusterName": "demo"}});
        made.objects.push(example);
        return made;
    }
    let mut made = job("");
    made.operators = vec![operator(release)];
    let settings = crate::contract::EffectiveSettings::default();
    let submitter = made.pods.pop().unwrap();
    made.pods = pods_of(&cluster(), release, &settings);
    made.pods.push(submitter);
    made.objects[1]["spec"] = example["spec"].take();
    made
}

fn with_symptom(bundle: &mut Bundle, symptom: &Symptom) {
    match symptom {
        Ends(code, log) => _ = bundle.ends("head", *code, log),
        Runs => {
            let running = json!({"running": {"startedAt": "2026-11-28T11:50:00Z"}});
            let name = bundle.pod("head")["spec"]["containers"][0]["name"].clone();
            bundle.state("head", name.as_str().unwrap(), running);
        }
        Fails(message) => {
            let status = json!({"jobStatus": "FAILED", "jobDeploymentStatus": "Failed",
                "message": message, "rayClusterName": "demo"});
            bundle.objects[1]["status"] = status;
        }
        Submits(code, log) => submitter_ends(bundle, *code, log),
        Waits => {
            let mut waiting = job("python a.py");
            waiting.objects[1]["status"] = json!({"jobDeploymentStatus": "Initializing"});
            let spec = bundle.objects[0]["spec"].take();
            waiting.objects[1]["spec"]["rayClusterSpec"] = spec;
            waiting.pod("submitter")["status"]["phase"] = "Running".into();
            let running = json!({"running": {"startedAt": CREATED}});
            waiting.state("submitter", "ray-job-submitter", running);
            waiting.logged("submitter", "ray-job-submitter", WAITS);
            *bundle = waiting;
        }
        WorkerWaits => {
            let worker = bundle.pod("worker")["spec"]["containers"][0]["name"].clone();
            let running = json!({"running": {"startedAt": CREATED}});
            bundle.state("worker", "wait-gcs-ready", running);
            let waiting = json!({"waiting": {"reason": "PodInitializing"}});
            bundle.state("worker", worker.as_str().unwrap(), waiting);
        }
        ServesNothing => bundle.objects[1]["status"]["serviceStatus"] = "".into(),
        Certain | Well(_) => {}
    }
}

#[test]
fn every_trap_has_its_symptom() {
    let known: BTreeSet<&str> = TRAPS.iter().map(|trap| trap.id).collect();
    let listed: BTreeSet<&str> = SYMPTOMS.iter().map(|(id, ..)| *id).collect();
    assert_eq!(listed, known);
    assert_eq!(SYMPTOMS.len(), known.len());
}

#[test]
fn a_trap_that_shows_is_named_first_and_its_correction_is_silent() {
    let mut wrong = Vec::new();
    for (id, release, symptom) in SYMPTOMS {
        let [with_trap, corrected] = examples(id);
        let mut broken = on_cluster(with_trap, release);
        with_symptom(&mut broken, symptom);
        let report = broken.report();
        let causes = broken.causes();
        match symptom {
            Well(why) if report.has_problems() => {
                wrong.push(format!("{id} ({why}): {causes:?}"));
            }
            Well(_) => {}
            _ if causes.first().is_none_or(|first| first != id) => {
                wrong.push(format!("{id}: {causes:?}"));
            }
            Certain => {}
            _ if !report.has_problems() => wrong.push(format!("{id} is no problem")),
            _ => {}
        }
        let healthy = on_cluster(corrected, release).causes();
        if !healthy.is_empty() {
            wrong.push(format!("{id}, corrected: {healthy:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
