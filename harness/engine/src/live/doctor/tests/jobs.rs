//! RayJobs and RayServices.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::live::doctor::ObjectState;

#[test]
fn a_job_that_succeeded_is_healthy() {
    let report = job("python train.py").report();
    assert_eq!(report.objects.len(), 1, "{report:#?}");
    let object = &report.objects[0];
    assert_eq!(object.kind.as_str(), "RayJob");
    assert_eq!(object.state, ObjectState::Healthy);
    assert!(object.findings.is_empty(), "{:#?}", object.findings);
}

#[test]
fn a_job_that_failed_by_itself_is_the_user_s_code() {
    let mut bundle = job("python train.py");
    bundle.objects[1]["status"] = json!({"jobStatus": "FAILED", "jobDeploymentStatus": "Failed",
        "reason": "AppFailed", "message": "ValueError: no data"});
    assert_eq!(bundle.first(), "job-fails");
}

#[test]
fn a_submitter_that_failed_for_no_known_reason_shows_its_last_line() {
    let mut bundle = job("python train.py");
    submitter_ends(&mut bundle, 1, "RuntimeError: 502 Bad Gateway\n");
    assert_eq!(bundle.first(), "submitter-fails");
    let proof = bundle.report().objects[0].findings[0].proof.clone();
    assert!(
        proof.iter().any(|one| one.text.contains("502")),
        "{proof:?}"
    );
}

#[test]
fn a_job_without_an_entrypoint_is_named_while_its_submitter_is_tried_again() {
    let mut bundle = job("");
    let spec = bundle.objects[1]["spec"].as_object_mut().unwrap();
    spec.remove("entrypoint");
    submitter_ends(&mut bundle, 2, "Error: Missing argument 'ENTRYPOINT...'.\n");
    bundle.objects[1]["status"]["jobDeploymentStatus"] = "Running".into();
    assert_eq!(bundle.first(), "no-entrypoint");
}

#[rstest]
#[case::not_yet(json!({"jobStatus": "", "jobDeploymentStatus": "Running"}))]
#[case::given_up(json!({"jobStatus": "", "jobDeploymentStatus": "Failed",
    "reason": "JobDeploymentStatusTransitionGracePeriodExceeded"}))]
fn a_job_that_ray_runs_under_another_id_is_named(#[case] status: Value) {
    let mut bundle = job("python train.py");
    let script = "ray job submit --address=http://$RAY_DASHBOARD_ADDRESS -- python train.py";
    let container = json!({"name": "mine", "image": "rayproject/ray:2.52.0",
        "command": ["/bin/bash", "-c"], "args": [script]});
    bundle.objects[1]["spec"]["submitterPodTemplate"] =
        json!({"spec": {"restartPolicy": "Never", "containers": [container]}});
    assert_eq!(bundle.causes(), Vec::<String>::new(), "it succeeded");
    bundle.objects[1]["status"] = status;
    bundle.logged(
        "submitter",
        "ray-job-submitter",
        "Job 'raysubmit_1' succeeded\n",
    );
    assert_eq!(bundle.first(), "submitter-without-id");
}

#[test]
fn a_submitter_that_waits_though_the_head_is_ready_waits_forever() {
    let mut bundle = job("python train.py");
    bundle.objects[1]["status"] = json!({"jobDeploymentStatus": "Initializing"});
    bundle.pod("submitter")["status"]["phase"] = "Running".into();
    let running = json!({"running": {"startedAt": CREATED}});
    bundle.state("submitter", "ray-job-submitter", running);
    let line = "Waiting for Ray Dashboard GCS to become healthy at http://demo-head-svc:8265 ...\n";
    bundle.logged("submitter", "ray-job-submitter", line);
    assert_eq!(bundle.first(), "submitter-waits");
    // While the head is not ready that is as it should be.
    bundle.pod("head")["metadata"]["creationTimestamp"] = LATELY.into();
    let lately = json!({"running": {"startedAt": LATELY}});
    bundle.state("head", "ray-head", lately);
    assert!(bundle.causes().is_empty(), "{:?}", bundle.causes());
}

#[test]
fn a_suspended_job_is_healthy() {
    let mut bundle = job("python train.py");
    bundle.objects.remove(0);
    bundle.pods.clear();
    bundle.jobs.clear();
    bundle.objects[0]["spec"]["suspend"] = true.into();
    bundle.objects[0]["status"] = json!({"jobDeploymentStatus": "Suspended"});
    assert_eq!(bundle.report().objects[0].state, ObjectState::Healthy);
}

#[test]
fn an_application_that_fails_is_told_with_its_message() {
    let mut bundle = healthy();
    let spec = bundle.objects[0]["spec"].clone();
    bundle.objects[0]["metadata"]["ownerReferences"] = json!([{"uid": "uid-service"}]);
    let service = |status: &str| {
        json!({"apiVersion": "ray.io/v1", "kind": "RayService",
            "metadata": {"name": "serve", "namespace": "team", "uid": "uid-service", "creationTimestamp": CREATED},
            "spec": {"rayClusterConfig": spec},
            "status": {"activeServiceStatus": {"rayClusterName": "demo", "applicationStatuses":
                {"app": {"status": status, "message": "No module named 'fruit'"}}}}})
    };
    let mut well = bundle.clone();
    well.objects.push(service("RUNNING"));
    assert!(well.causes().is_empty(), "{:?}", well.causes());
    bundle.objects.push(service("DEPLOY_FAILED"));
    assert_eq!(bundle.first(), "serve-application-fails");
}
