//! Verdicts on made-up answers of operators: each kind of difference is found, and none where there
//! is none.

use assert_matches::assert_matches;
use rstest::rstest;
use semver::Version;
use serde_json::{Value, json};

use super::Surprise;
use super::judge::{Expected, Phase, SeenOutcome, misnamed};
use crate::check::Observation;
use crate::contract::{EffectiveSettings, FieldValidation, PodContract, PodRole, Stage};

fn object(kind: &str, edit: impl FnOnce(&mut Value)) -> Value {
    let group = |name: &str| {
        json!({
            "groupName": name,
            "replicas": 1,
            "minReplicas": 1,
            "maxReplicas": 1,
            "rayStartParams": {},
            "template": {"spec": {"containers": [{"name": "ray", "image": "ray"}]}},
        })
    };
    let mut head = group("");
    for field in ["groupName", "replicas", "minReplicas", "maxReplicas"] {
        head.as_object_mut().unwrap().remove(field);
    }
    let cluster = json!({"headGroupSpec": head, "workerGroupSpecs": [group("a"), group("b")]});
    let spec = match kind {
        "RayJob" => json!({"entrypoint": "echo", "rayClusterSpec": cluster}),
        _ => cluster,
    };
    let mut object = json!({
        "apiVersion": "ray.io/v1",
        "kind": kind,
        "metadata": {"name": "c", "namespace": "n"},
        "spec": spec,
    });
    edit(&mut object);
    object
}

fn expected(object: &Value) -> Expected {
    let (release, settings) = (Version::new(1, 6, 2), EffectiveSettings::default());
    Expected::of(&release, &settings, FieldValidation::Strict, object).unwrap()
}

/// The specs of Pods as the contract says.
fn as_expected(pods: &[PodContract]) -> SeenOutcome {
    let mut seen = SeenOutcome::default();
    for pod in pods {
        seen.pods.insert((pod.role, pod.group.clone()), pod.spec());
    }
    seen
}

fn surprise(expected: &Expected, seen: &SeenOutcome) -> Option<Surprise> {
    expected.surprise(seen, || "the log".into())
}

#[test]
fn an_answer_as_expected_is_no_surprise() {
    for kind in ["RayCluster", "RayJob"] {
        let expected = expected(&object(kind, |_| ()));
        assert_eq!(expected.reaches_submitter(), kind == "RayJob");
        assert_eq!(expected.phase(&SeenOutcome::default()), Phase::Waits);
        let seen = as_expected(&expected.pods);
        assert_eq!(expected.phase(&seen), Phase::Done);
        assert!(surprise(&expected, &seen).is_none());
    }
}

#[test]
fn pods_that_differ_are_missing_or_are_too_many() {
    let expected = expected(&object("RayJob", |_| ()));
    let key = |role, group: &str| (role, group.to_owned());
    let with = |change: &dyn Fn(&mut SeenOutcome)| {
        let mut seen = as_expected(&expected.pods);
        change(&mut seen);
        (expected.phase(&seen), surprise(&expected, &seen).unwrap())
    };
    let (phase, found) = with(&|seen| {
        let worker = seen.pods.get_mut(&key(PodRole::Worker, "b")).unwrap();
        worker["containers"][0]["args"] = json!(["other"]);
    });
    assert_eq!(phase, Phase::Done);
    assert_matches!(found, Surprise::Differs { group, .. } if group == "b");
    let (phase, found) = with(&|seen| {
        seen.pods.remove(&key(PodRole::Submitter, ""));
    });
    assert_eq!(phase, Phase::Waits);
    assert_matches!(found, Surprise::Missing { groups, .. } if groups == ["submitter"]);
    let (phase, found) = with(&|seen| {
        seen.pods.insert(key(PodRole::Worker, "c"), json!({}));
    });
    assert_eq!(phase, Phase::Contradicts);
    assert_matches!(found, Surprise::Extra(groups) if groups == ["c"]);
    let (phase, found) = with(&|seen| {
        let text = "FailedToCreateWorkerPod: Pod \"c\" is invalid: spec: Required value";
        seen.refusals.push(text.into());
    });
    assert_eq!(phase, Phase::Contradicts);
    let stage = Stage::PodCreation;
    assert_matches!(found, Surprise::Refused { stage: by, .. } if by == stage);
}

#[rstest]
#[case(
    "InvalidRayClusterMetadata: RayCluster name should be a valid DNS1035 label: [",
    None
)]
#[case("InvalidRayClusterSpec: something else", Some("reason"))]
#[case("Normal: all is well", Some("accepted"))]
fn refusals_of_the_operator(#[case] text: &str, #[case] wrong: Option<&str>) {
    let expected = expected(&object("RayCluster", |object| {
        object["metadata"]["name"] = json!("7b");
    }));
    let message = expected.refusals[0].message.clone();
    let text = match wrong {
        None => format!("InvalidRayClusterMetadata: n/7b: {message}"),
        Some(_) => text.to_owned(),
    };
    let seen = SeenOutcome {
        refusals: vec![text],
        ..SeenOutcome::default()
    };
    let found = surprise(&expected, &seen);
    match wrong {
        None => {
            assert_eq!(expected.phase(&seen), Phase::Done);
            assert!(found.is_none());
            assert_eq!(expected.confirmed(&seen).len(), 1);
        }
        Some("reason") => assert_matches!(found, Some(Surprise::OtherReason { .. })),
        _ => assert_matches!(found, Some(Surprise::Accepted { .. })),
    }
}

#[test]
fn a_remark_of_the_operator_is_no_refusal() {
    let expected = expected(&object("RayCluster", |_| {}));
    let seen = SeenOutcome {
        refusals: vec![
            "RayConfigError: Cannot parse object-store-memory x as an integer: strconv.ParseInt: \
             parsing \"x\": invalid syntax"
                .into(),
        ],
        ..SeenOutcome::default()
    };
    assert_eq!(expected.phase(&seen), Phase::Waits, "its Pods still come");
}

/// Without a RayCluster a RayJob with metadata is refused before its submitter would be made.
#[test]
fn what_the_operator_refuses_hides_what_it_would_not_submit() {
    let job = object("RayJob", |object| {
        object["spec"]
            .as_object_mut()
            .unwrap()
            .remove("rayClusterSpec");
        object["spec"]["metadata"] = json!({"a": "b"});
    });
    let (release, settings) = (Version::new(1, 2, 2), EffectiveSettings::default());
    let expected = Expected::of(&release, &settings, FieldValidation::Strict, &job).unwrap();
    assert_eq!(expected.refusals.len(), 1, "the metadata is never read");
    let refusals = vec![format!(
        "The RayJob spec is invalid: {}",
        expected.refusals[0].message
    )];
    let seen = SeenOutcome {
        refusals,
        ..SeenOutcome::default()
    };
    assert_eq!(expected.phase(&seen), Phase::Done);
    assert_eq!(expected.confirmed(&seen), [&expected.refusals[0]]);
}

/// The API server names an entry of a map in the path or not at all.
#[rstest]
#[case::limit(
    "/spec/headGroupSpec/template/spec/containers/0/resources",
    json!({"limits": {"cpu": "-1"}}),
    "FailedToCreateHeadPod: Pod \"c\" is invalid: [spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must \
     be greater than or equal to 0, spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater \
     than or equal to 0]"
)]
#[case::label(
    "/spec/headGroupSpec/template/metadata",
    json!({"labels": {"a": "b c"}}),
    "FailedToCreateHeadPod: Pod \"c\" is invalid: metadata.labels: Invalid value: \"b c\": a valid label must be an empty \
     string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
     character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
     '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)]
fn a_refused_pod_is_recognised(#[case] pointer: &str, #[case] value: Value, #[case] text: &str) {
    let expected = expected(&object("RayCluster", |object| {
        let (outer, key) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(outer).unwrap()[key] = value;
    }));
    let seen = |text: &str| SeenOutcome {
        refusals: vec![text.into()],
        ..SeenOutcome::default()
    };
    let found = surprise(&expected, &seen(text));
    assert!(found.is_none(), "{found:?}");
    let other = "FailedToCreateHeadPod: Pod \"c\" is invalid: spec.other: Required value";
    assert_matches!(
        surprise(&expected, &seen(other)),
        Some(Surprise::OtherReason { .. })
    );
}

#[test]
fn refusals_of_the_api_server() {
    let wrong = expected(&object("RayCluster", |object| {
        object["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] = json!(1);
    }));
    let text = "RayCluster.ray.io \"c\" is invalid: spec.headGroupSpec.rayStartParams.num-cpus: \
                Invalid value: \"integer\"";
    let refused = |stage, text| wrong.surprise_of_api(Some((stage, text)));
    assert!(refused(Stage::ApiServer, text).is_none());
    assert_matches!(
        refused(Stage::Client, text),
        Some(Surprise::OtherReason { .. })
    );
    assert_matches!(
        refused(Stage::ApiServer, "spec.other: Required value"),
        Some(Surprise::OtherReason { .. })
    );
    assert_matches!(wrong.surprise_of_api(None), Some(Surprise::Accepted { .. }));
    let right = expected(&object("RayCluster", |_| ()));
    assert!(right.surprise_of_api(None).is_none());
    assert_matches!(
        right.surprise_of_api(Some((Stage::ApiServer, text))),
        Some(Surprise::Refused { .. })
    );
}

#[test]
fn one_worker_group_that_is_refused_leaves_the_others() {
    let expected = expected(&object("RayCluster", |object| {
        let spec = &mut object["spec"]["workerGroupSpecs"][1]["template"]["spec"];
        spec["containers"][0]["image"] = json!("");
    }));
    let mut seen = as_expected(&expected.pods);
    assert_eq!(seen.pods.len(), 2);
    assert_eq!(expected.phase(&seen), Phase::Waits);
    let text = "FailedToCreateWorkerPod: Pod \"x\" is invalid: spec.containers[0].image: Required \
                value";
    seen.refusals.push(text.into());
    assert_eq!(expected.phase(&seen), Phase::Done);
    assert!(surprise(&expected, &seen).is_none());
    seen.pods.clear();
    assert_matches!(surprise(&expected, &seen), Some(Surprise::Missing { .. }));
}

#[test]
fn what_waits_must_stay_without_pods() {
    let expected = expected(&object("RayCluster", |object| {
        object["spec"]["suspend"] = json!(true);
    }));
    assert_eq!(expected.phase(&SeenOutcome::default()), Phase::MustStay);
    assert!(surprise(&expected, &SeenOutcome::default()).is_none());
    let mut seen = SeenOutcome::default();
    let key = (PodRole::Head, "headgroup".to_owned());
    seen.pods.insert(key, json!({}));
    assert_eq!(expected.phase(&seen), Phase::Contradicts);
}

#[rstest]
#[case("1.6.2", "c-ab1de", true)]
#[case("1.6.2", "c-raycluster-ab1de", false)]
#[case("1.3.2", "c-raycluster-ab1de", true)]
#[case("1.3.2", "c-ab1de", false)]
fn names_of_children(#[case] release: &str, #[case] name: &str, #[case] right: bool) {
    let observation = Observation {
        ray_clusters: vec![json!({"metadata": {"name": name}})],
        ..Observation::default()
    };
    let job = object("RayJob", |_| ());
    let found = misnamed(&release.parse().unwrap(), &job, &observation);
    assert_eq!(found.is_none(), right);
}

#[test]
fn nothing_is_said_of_submitters_that_can_not_be_seen() {
    let no_port = object("RayJob", |object| {
        let head = &mut object["spec"]["rayClusterSpec"]["headGroupSpec"];
        head["template"]["spec"]["containers"][0]["ports"] =
            json!([{"name": "other", "containerPort": 1}]);
    });
    for (release, submits) in [("1.0.0", false), ("1.1.0", true)] {
        let settings = EffectiveSettings::default();
        let of = |object: &Value| {
            let release: Version = release.parse().unwrap();
            Expected::of(&release, &settings, FieldValidation::Strict, object).unwrap()
        };
        let job = of(&object("RayJob", |_| ()));
        let mut roles = job.pods.iter().map(|pod| pod.role);
        assert_eq!(
            roles.any(|role| role == PodRole::Submitter),
            submits,
            "{release}"
        );
        let kept_away = of(&no_port);
        assert_eq!(kept_away.reaches_submitter(), submits, "{release}");
        assert_eq!(
            kept_away.confirmed(&SeenOutcome::default()).len(),
            usize::from(submits),
            "{release}: what can't be seen is not confirmed"
        );
    }
}
