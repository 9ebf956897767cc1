//! The resource requests of the Pods of a scenario's objects.

use k8s_openapi::api::core::v1::{Container, Pod};
use serde_json::{Value, json};

use super::Resources;
use crate::check::requests;

/// The resources of the autoscaler that KubeRay adds to a head.
const AUTOSCALER: (f64, f64) = (0.5, 512.0 * 1024.0 * 1024.0);
/// The resources of the Pod by which KubeRay submits the job of a `RayJob`.
const SUBMITTER: (f64, f64) = (0.5, 200.0 * 1024.0 * 1024.0);

/// Returns the sum of the requests of all Pods of these objects, as far as the objects name them.
pub fn total_requests(objects: &[Value]) -> Resources {
    pods(objects)
        .into_iter()
        .fold(Resources::default(), Resources::plus)
}

/// Returns the requests of each Pod of these objects.
pub fn pods(objects: &[Value]) -> Vec<Resources> {
    objects.iter().flat_map(of_object).collect()
}

fn of_object(object: &Value) -> Vec<Resources> {
    match object["kind"].as_str().unwrap_or_default() {
        "RayCluster" => of_cluster(&object["spec"]),
        kind @ ("RayJob" | "RayCronJob") => {
            let job = match kind {
                "RayJob" => &object["spec"],
                _ => &object["spec"]["jobTemplate"],
            };
            let mut pods = of_cluster(&job["rayClusterSpec"]);
            pods.push(Resources::new(SUBMITTER.0, SUBMITTER.1).with_pods(1));
            pods
        }
        "RayService" => of_cluster(&object["spec"]["rayClusterConfig"]),
        "Pod" => vec![of_template(object)],
        _ => Vec::new(),
    }
}

fn of_cluster(spec: &Value) -> Vec<Resources> {
    let mut head = of_template(&spec["headGroupSpec"]["template"]);
    if spec["enableInTreeAutoscaling"] == json!(true) {
        head = head.plus(Resources::new(AUTOSCALER.0, AUTOSCALER.1));
    }
    let mut pods = vec![head];
    for group in spec["workerGroupSpecs"].as_array().into_iter().flatten() {
        let number = |field: &str| group[field].as_u64();
        let least = number("minReplicas").unwrap_or(0);
        let replicas = number("replicas").unwrap_or(least).max(least);
        let hosts = number("numOfHosts").unwrap_or(1).max(1);
        for _ in 0..replicas.saturating_mul(hosts) {
            pods.push(of_template(&group["template"]));
        }
    }
    pods
}

fn of_template(template: &Value) -> Resources {
    let Ok(mut pod) = serde_json::from_value::<Pod>(json!({"spec": template["spec"]})) else {
        return Resources::default().with_pods(1);
    };
    if let Some(spec) = &mut pod.spec {
        spec.containers.iter_mut().for_each(default_requests);
        spec.init_containers
            .iter_mut()
            .flatten()
            .for_each(default_requests);
    }
    of_pod(&pod)
}

/// Returns the requests of a Pod.
pub(super) fn of_pod(pod: &Pod) -> Resources {
    Resources::new(requests::total(pod, "cpu"), requests::total(pod, "memory")).with_pods(1)
}

/// The API server sets a request that is absent to the limit.
fn default_requests(container: &mut Container) {
    let Some(resources) = &mut container.resources else {
        return;
    };
    for (name, limit) in resources.limits.iter().flatten() {
        let requests = resources.requests.get_or_insert_default();
        requests
            .entry(name.clone())
            .or_insert_with(|| limit.clone());
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{Resources, total_requests};

    const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

    fn template(resources: &Value) -> Value {
        json!({"spec": {"containers": [{"name": "ray", "resources": resources}]}})
    }

    fn cluster(extra: &Value) -> Value {
        let mut spec = json!({"headGroupSpec": {
            "template": template(&json!({"requests": {"cpu": "500m"}, "limits": {"cpu": "1", "memory": "2Gi"}}))}});
        if let (Some(spec), Some(extra)) = (spec.as_object_mut(), extra.as_object()) {
            spec.extend(extra.clone());
        }
        json!({"kind": "RayCluster", "spec": spec})
    }

    #[rstest]
    #[case::head_alone(&json!({}), 0.5, 2.0, 1)]
    #[case::workers(&json!({"workerGroupSpecs": [{"replicas": 2, "template": template(&json!({"limits": {"cpu": "100m"}}))}]}),
        0.7, 2.0, 3)]
    #[case::least_workers(&json!({"workerGroupSpecs": [
        {"minReplicas": 1, "replicas": 0, "numOfHosts": 2, "template": template(&json!({"requests": {"cpu": "1", "memory": "1Gi"}}))}]}),
        2.5, 4.0, 3)]
    #[case::autoscaler(&json!({"enableInTreeAutoscaling": true}), 1.0, 2.5, 1)]
    fn a_cluster_asks_for_head_and_workers(
        #[case] extra: &Value,
        #[case] cpu: f64,
        #[case] memory_gib: f64,
        #[case] pods: u64,
    ) {
        let objects = [json!({"kind": "ConfigMap", "data": {}}), cluster(extra)];
        assert_eq!(
            total_requests(&objects),
            Resources::new(cpu, memory_gib * GIB).with_pods(pods)
        );
    }

    #[test]
    fn a_malformed_template_asks_for_nothing_and_is_left_to_the_api_server() {
        let object = json!({"kind": "RayCluster", "spec": {"headGroupSpec": {"template": {"spec": "what?"}}}});
        assert_eq!(total_requests(&[object]), Resources::default().with_pods(1));
    }
}
