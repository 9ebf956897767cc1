//! Checks that no cluster can meet are told before any wait.

use rstest::rstest;

use crate::{load, unreachable_checks};

const CLUSTER: &str = "\
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: demo}
spec:
  headGroupSpec: {template: {spec: {containers: [{name: ray-head, image: ray}]}}}
  workerGroupSpecs:
  - {groupName: cpu, template: {spec: {containers: [{name: ray-worker, image: ray}]}}}
";
const HEAD_ALONE: &str = "\
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: demo}
spec:
  headGroupSpec: {template: {spec: {containers: [{name: ray-head, image: ray}]}}}
";
const JOB: &str = "\
apiVersion: ray.io/v1
kind: RayJob
metadata: {name: demo}
spec: {entrypoint: python a.py, rayClusterSpec: {headGroupSpec: {}}}
";

fn found(manifest: &str, spec: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("demo");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("objects.yaml"), manifest).unwrap();
    let text = format!(
        "apiVersion: kuberay-conformance/v1beta1\nkind: Scenario\nmetadata: {{name: demo}}\n\
         spec:\n  description: A demo.\n  operator: \">=1.0.0\"\n  manifests: [objects.yaml]\n{spec}"
    );
    std::fs::write(own.join("scenario.yaml"), text).unwrap();
    let scenario = load(&own).unwrap();
    let problems = unreachable_checks(&scenario);
    problems
        .iter()
        .map(|problem| problem.message.clone())
        .collect()
}

#[rstest]
#[case::another_group(
    CLUSTER,
    "  checks:\n  - pod: {role: worker, group: gpu, snapshot: [args]}\n",
    "no group `gpu`; groups: cpu"
)]
#[case::no_group(
    HEAD_ALONE,
    "  checks:\n  - pod: {role: worker, snapshot: [args]}\n",
    "the manifests have no worker group, so there is no worker Pod"
)]
#[case::no_job(
    CLUSTER,
    "  checks:\n  - pod: {role: submitter, snapshot: [args]}\n",
    "there is no submitter: only a RayJob in the mode K8sJobMode has one, and the manifests contain RayCluster"
)]
#[case::not_ready(
    JOB,
    "  checks:\n  - pod: {role: submitter, snapshot: [args]}\n",
    "the operator creates the submitter of a RayJob once the RayCluster is ready, but no kubelet makes Pods ready here"
)]
#[case::absent_while_never_ready(
    JOB,
    "  checks:\n  - absent: {role: submitter, for: 8s, after: {role: head}}\n",
    "the operator creates the submitter of a RayJob once the RayCluster is ready, but no kubelet makes Pods ready here"
)]
#[case::absent_without_a_dashboard(
    JOB,
    "  steps: {markReady: true}\n  checks:\n  - absent: {role: submitter, for: 8s, after: {role: head}}\n",
    "this check can't fail on KubeRay 1.0, which submits a job once the dashboard answers, and no Ray runs here"
)]
fn a_check_that_nothing_leads_to(#[case] manifest: &str, #[case] spec: &str, #[case] told: &str) {
    assert_eq!(found(manifest, spec), [told]);
}

#[rstest]
#[case::its_group(
    CLUSTER,
    "  checks:\n  - pod: {role: worker, group: cpu, snapshot: [args]}\n"
)]
#[case::any_group(CLUSTER, "  checks:\n  - pod: {role: worker, snapshot: [args]}\n")]
#[case::made_ready(
    JOB,
    "  steps: {markReady: true}\n  checks:\n  - pod: {role: submitter, snapshot: [args]}\n"
)]
#[case::in_vain(
    CLUSTER,
    "  checks:\n  - absent: {role: worker, group: gpu, for: 5s, after: {role: worker, group: cpu}}\n"
)]
fn a_check_that_something_leads_to(#[case] manifest: &str, #[case] spec: &str) {
    assert_eq!(found(manifest, spec), Vec::<String>::new());
}

#[test]
fn no_scenario_of_the_repository_waits_in_vain() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    for scenario in crate::load_all(&root).unwrap() {
        let problems = unreachable_checks(&scenario);
        assert!(problems.is_empty(), "{}: {problems:?}", scenario.name());
    }
}
