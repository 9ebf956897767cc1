//! New scenarios from manifests.

use std::path::Path;

use assertables::{assert_contains, assert_not_contains};
use kuberay_manifest::Source;
use rstest::rstest;
use serde_json::Value;

use crate::{NewScenario, init};

const TEMPLATE: &str = "template: {spec: {containers: [{name: ray, image: r}]}}";

fn made(text: &str) -> Vec<NewScenario> {
    init("mine", &[Source::new(Path::new("a.yaml"), text)]).unwrap()
}

fn cluster(name: &str, more: &str) -> String {
    format!(
        "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {{name: {name}, uid: u, namespace: n, \
         annotations: {{kubectl.kubernetes.io/last-applied-configuration: x}}}}\n\
         spec:\n  headGroupSpec: {{rayStartParams: {{}}, {TEMPLATE}}}\n{more}status: {{state: ready}}\n---\n"
    )
}

fn file(made: &NewScenario, name: &str) -> String {
    let mut files = made.saved.files.iter();
    files.find(|(file, _)| file == name).unwrap().1.clone()
}

#[rstest]
#[case("replicas: 2", true)]
#[case("replicas: 0", false)]
#[case("suspend: true, replicas: 2", false)]
#[case("minReplicas: 1", true)]
#[case("replicas: 3, maxReplicas: 0", false)]
fn a_group_has_a_check_where_it_has_pods(#[case] fields: &str, #[case] checked: bool) {
    let group = format!("  workerGroupSpecs:\n  - {{groupName: g, {fields}, {TEMPLATE}}}\n");
    let made = made(&cluster("a", &group));
    assert_eq!(
        made[0].checks.contains(&"worker group g".to_owned()),
        checked
    );
    assert_eq!(made[0].notes.is_empty(), checked, "{:?}", made[0].notes);
}

#[test]
fn the_values_of_a_secret_stay_out_of_the_scenario() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\n\
        stringData: {password: hunter2hunter2}\n\
        data: {token: aHVudGVyMmh1bnRlcjI=, .dockerconfigjson: eyJhdXRocyI6e319}\n";
    let made = made(&(cluster("a", "") + secret));
    let manifest = file(&made[0], "manifest.yaml");
    for value in ["hunter2", "aHVudGVyMmh1bnRlcjI", "eyJhdXRocyI6e319"] {
        assert_not_contains!(manifest, value);
    }
    assert_contains!(manifest, "password: placeholder");
    assert_contains!(manifest, "token: cGxhY2Vob2xkZXI=");
    assert_contains!(manifest, ".dockerconfigjson: e30=");
    assert_contains!(made[0].notes[0], "the Secret `login`");
}

#[rstest]
#[case::absent("", 1)]
#[case::there("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: team}\n", 0)]
fn a_service_account_that_no_manifest_holds_is_told(#[case] others: &str, #[case] notes: usize) {
    let template =
        "template: {spec: {serviceAccountName: team, containers: [{name: r, image: i}]}}";
    let group = format!("  workerGroupSpecs:\n  - {{groupName: g, replicas: 1, {template}}}\n");
    let made = made(&(cluster("a", &group) + others));
    assert_eq!(made[0].notes.len(), notes, "{:?}", made[0].notes);
    for note in &made[0].notes {
        assert_contains!(note, "ServiceAccount `team`");
    }
}

#[test]
fn what_only_an_api_server_writes_is_left_out() {
    let manifest = file(&made(&cluster("a", ""))[0], "manifest.yaml");
    let object: Value = serde_saphyr::from_str(&manifest).unwrap();
    assert_eq!(object["metadata"], serde_json::json!({"name": "a"}));
    assert!(object.get("status").is_none());
}

#[test]
fn several_objects_become_several_scenarios_with_the_same_others() {
    let text = cluster("a", "")
        + &cluster("b", "")
        + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    let made = made(&text);
    let names: Vec<_> = made.iter().map(|one| one.saved.name.as_str()).collect();
    assert_eq!(names, ["mine-a", "mine-b"]);
    for one in &made {
        assert_contains!(file(one, "manifest.yaml"), "kind: ConfigMap");
    }
}

#[test]
fn a_cluster_that_a_job_of_the_same_list_made_is_left_to_the_job() {
    let owned =
        cluster("a-bcdfg", "").replace("uid: u", "ownerReferences: [{kind: RayJob, name: a}]");
    let job = format!(
        "apiVersion: ray.io/v1\nkind: RayJob\nmetadata: {{name: a}}\nspec:\n  entrypoint: e\n  \
         rayClusterSpec: {{headGroupSpec: {{rayStartParams: {{}}, {TEMPLATE}}}}}\n"
    );
    let made = made(&(owned + &job));
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].checks, ["head", "submitter"]);
    assert_contains!(file(&made[0], "scenario.yaml"), "markReady: true");
}

#[test]
fn what_is_made_is_a_scenario_that_lint_accepts() {
    let root = tempfile::tempdir().unwrap();
    for one in made(&cluster("a", "")) {
        let folder = root.path().join(&one.saved.name);
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in &one.saved.files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let problems = crate::lint(root.path());
        let messages: Vec<_> = problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains("there is no snapshot"), "{messages:?}");
    }
}
