use std::path::Path;

use assertables::{assert_contains, assert_ends_with};
use kuberay_contract::{EffectiveSettings, Stage};
use kuberay_manifest::Location;
use rstest::rstest;

use super::*;
use crate::{Explanation, FieldValidation, explain_with};

/// A RayCluster with a worker group; `{head}`, `{spec}` and `{name}` stand for what a test changes.
const CLUSTER: &str = "\
apiVersion: ray.io/v1
kind: RayCluster
metadata:
  name: team-a
spec:
  rayVersion: 2.52.0
  headGroupSpec:
    rayStartParams: {}
    template:
      spec:
        containers:
        - name: ray
          image: rayproject/ray:2.52.0
          resources: {limits: {cpu: 1, memory: 2Gi}}
  workerGroupSpecs:
  - groupName: small
    rayStartParams: {}
    template:
      spec:
        containers:
        - name: ray
          image: rayproject/ray:2.52.0
          resources: {limits: {cpu: 1, memory: 2Gi}}
";

fn explained(text: &str, versions: &[&str], validation: FieldValidation) -> Explanation {
    let releases: Vec<Version> = versions
        .iter()
        .map(|version| version.parse().unwrap())
        .collect();
    explain_with(
        Path::new("team.yaml"),
        text,
        &releases,
        &EffectiveSettings::default(),
        validation,
    )
    .unwrap()
}

fn strict(text: &str, version: &str) -> Explanation {
    explained(text, &[version], FieldValidation::Strict)
}

#[rstest]
#[case("cpu: 1,", "cpu: 0.5,", Stage::ApiServer, (14, 37), "must be of type integer,string: \"number\"")]
#[case("name: team-a", "name: 7b-chat", Stage::Operator, (4, 9), "should be a valid DNS1035 label")]
#[case("  rayVersion", "  colour: blue\n  rayVersion", Stage::Client, (6, 11), "unknown field \"spec.colour\"")]
#[case("groupName: small", "groupName: a b", Stage::PodCreation, (16, 16), "a valid label must")]
#[case("  - groupName: small\n    ", "  - ", Stage::ApiServer, (16, 5), "Required value")]
fn each_stage_names_its_place_and_leaves_no_pods(
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] stage: Stage,
    #[case] place: (usize, usize),
    #[case] message: &str,
) {
    let explanation = strict(&CLUSTER.replacen(right, wrong, 1), "1.6.2");
    let [refusal] = &explanation.refusals[..] else {
        panic!("{:?}", explanation.refusals)
    };
    assert_eq!(refusal.stage, stage);
    assert!(refusal.refused);
    let (line, column) = place;
    assert_eq!(
        refusal.location,
        Location { line, column },
        "{}",
        refusal.path
    );
    assert!(refusal.message.contains(message), "{}", refusal.message);
    assert_eq!(refusal.rule.is_some(), stage == Stage::Operator);
    let left = usize::from(stage == Stage::PodCreation);
    assert_eq!(explanation.containers.len(), left);
}

#[test]
fn a_null_is_refused_by_server_side_apply_alone() {
    let text = CLUSTER.replacen(
        "          resources",
        "          env:\n          resources",
        1,
    );
    let explanation = strict(&text, "1.6.2");
    let refusal = &explanation.refusals[0];
    assert_eq!(refusal.stage, Stage::ApiServer);
    assert!(!refusal.refused);
    assert_ends_with!(refusal.message, "must be of type array: \"null\"");
    assert_contains!(refusal.clients.as_ref().unwrap(), "server-side apply");
    assert!(!explanation.containers.is_empty());
}

#[test]
fn what_the_client_asks_for_decides_about_unknown_fields() {
    let text = CLUSTER.replacen(
        "  rayVersion",
        "  gcsFaultToleranceOptions: {redisAddress: c}\n  rayVersion",
        1,
    );
    assert!(strict(&text, "1.3.0").refusals.is_empty());
    let old = strict(&text, "1.2.2");
    assert!(old.containers.is_empty());
    assert!(old.refusals[0].refused);
    let pruned = explained(&text, &["1.2.2"], FieldValidation::Warn);
    assert!(!pruned.containers.is_empty());
    assert!(!pruned.refusals[0].refused);
}

#[test]
fn an_upgrade_shows_what_the_new_release_refuses() {
    let text = CLUSTER.replace("name: team-a", "name: 7b-chat");
    let explanation = explained(&text, &["1.3.2", "1.4.2"], FieldValidation::Strict);
    let [one] = &explanation.breaks[..] else {
        panic!("{:?}", explanation.breaks)
    };
    assert_eq!(one.from.to_string(), "1.3.2");
    assert_eq!(one.to.to_string(), "1.4.2");
}

#[rstest]
#[case(
    "  rayVersion",
    "  suspend: true\n  rayVersion",
    "makes no Pods while suspend is true"
)]
#[case(
    "  rayVersion",
    "  managedBy: kueue.x-k8s.io/multikueue\n  rayVersion",
    "leaves the object to that controller"
)]
fn an_object_may_wait(#[case] right: &str, #[case] wrong: &str, #[case] message: &str) {
    let explanation = strict(&CLUSTER.replacen(right, wrong, 1), "1.6.2");
    assert!(explanation.containers.is_empty());
    assert!(explanation.refusals.is_empty());
    let waiting = &explanation.waiting[0];
    assert_eq!(waiting.location.line, 6);
    assert_contains!(waiting.message, message);
}

#[test]
fn objects_of_other_groups_are_left_out() {
    let text = format!(
        "{CLUSTER}---\n{}",
        CLUSTER.replace("ray.io/v1", "cluster.ray.io/v1")
    );
    let explanation = strict(&text, "1.6.2");
    let note = "line 25: RayCluster of cluster.ray.io/v1 is not KubeRay's (ray.io/v1, ray.io/v1alpha1) and was left out";
    assert_eq!(explanation.notes, [note]);
    for version in ["apiVersion: ray.io/v2\n", ""] {
        let text = CLUSTER.replace("apiVersion: ray.io/v1\n", version);
        let explanation = strict(&text, "1.6.2");
        assert_eq!(explanation.refusals[0].stage, Stage::Client, "{version}");
        assert!(explanation.containers.is_empty());
    }
}

#[rstest]
#[case("spec.a[1].b", "spec/a/1/b")]
#[case("metadata.annotations[\"a.b/c\"]", "metadata/annotations/a.b/c")]
#[case("", "")]
fn paths_have_parts(#[case] path: &str, #[case] expected: &str) {
    let found: Vec<String> = parts(path)
        .into_iter()
        .map(|part| match part {
            PathSegment::Name(name) => name,
            PathSegment::Index(index) => index.to_string(),
        })
        .collect();
    assert_eq!(found.join("/"), expected);
}
