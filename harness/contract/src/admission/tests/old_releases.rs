//! What releases up to 1.1 do otherwise.

use assertables::assert_contains;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::PodRole;

#[test]
fn mounts_without_a_volume_before_1_2() {
    let mount = json!([{"name": "data", "mountPath": "/d"}]);
    let of = |release: &str, at: &str| {
        let object = changed(json!({at: mount}));
        let found = refusals(release, &object);
        found.iter().map(|one| one.2.clone()).collect::<Vec<_>>()
    };
    let ray = format!("{RAY}/volumeMounts");
    assert_eq!(
        of("1.1.1", &ray),
        [] as [&str; 0],
        "the operator removes it"
    );
    assert_eq!(of("1.2.2", &ray), ["Not found: \"data\""]);

    let beside = json!([
        {"name": "ray-head", "image": "ray"},
        {"name": "beside", "image": "ray", "volumeMounts": mount},
    ]);
    let of_beside = changed(json!({"/spec/headGroupSpec/template/spec/containers": beside}));
    let found = refusals("1.1.1", &of_beside);
    assert_eq!(found.len(), 1, "other containers keep theirs: {found:?}");
}

#[test]
fn a_job_waits_for_failed_worker_groups_before_1_2() {
    let object = job(|spec| {
        spec["rayClusterSpec"]["workerGroupSpecs"][0]["groupName"] = json!("a b");
    });
    let roles = |release: &str| {
        let pods = forecast_on(release, &object).pods;
        pods.iter().map(|pod| pod.role).collect::<Vec<_>>()
    };
    assert_eq!(roles("1.1.1"), [PodRole::Head]);
    assert_eq!(roles("1.2.2"), [PodRole::Head, PodRole::Submitter]);
}

#[rstest]
#[case("a lot", json!({}), Some("Cannot parse object-store-memory a lot as an integer"))]
#[case("1000", json!({}), Some("object-store-memory:1000, memory request:0"))]
#[case("1000", json!({"name": "ray"}), None)]
#[case("1000", json!({"resources": {"requests": {"memory": "1k"}}}), None)]
#[case("1001", json!({"resources": {"requests": {"memory": "1k"}}}), Some("memory request:1000"))]
#[case("1001", json!({"resources": {"requests": {"memory": 1000}}}), Some("memory request:1000"))]
#[case("9000", json!({"resources": {"requests": {"memory": "1.5Ki"}}}), None)]
#[case("9000", json!({"env": [{"name": "RAY_OBJECT_STORE_ALLOW_SLOW_STORAGE", "value": "1"}]}), None)]
fn object_store_memory_of_a_jobs_head_before_1_2(
    #[case] bytes: &str,
    #[case] container: Value,
    #[case] says: Option<&str>,
) {
    let object = job(|spec| {
        let head = &mut spec["rayClusterSpec"]["headGroupSpec"];
        head["rayStartParams"] = json!({"object-store-memory": bytes});
        let ray = head["template"]["spec"]["containers"][0]
            .as_object_mut()
            .unwrap();
        ray.insert("name".into(), json!("ray-head"));
        ray.remove("resources");
        ray.extend(container.as_object().unwrap().clone());
    });
    let found = forecast_on("1.1.1", &object);
    let reached: Vec<Reach> = found.refusals.iter().map(|one| one.reach).collect();
    match says {
        Some(says) => {
            assert_eq!(reached, [Reach::Submitter]);
            assert_contains!(found.refusals[0].message, says);
        }
        None => assert_eq!(reached, []),
    }
    assert_eq!(forecast_on("1.2.2", &object).refusals, []);
}
