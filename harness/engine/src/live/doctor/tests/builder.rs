//! Bundles of one RayCluster whose Pods are what the model predicts, changed by each test.

use kuberay_manifest::Severity;
use serde_json::{Value, json};

use crate::contract::{EffectiveSettings, PodContract, predict};
use crate::live::bundle::{Bundle, ContainerLog, Crd, OperatorDeployment};
use crate::live::doctor::{DoctorReport, diagnose};

pub const NOW: &str = "2026-11-28T12:00:00Z";
/// Half an hour before [`NOW`], when everything was created.
pub const CREATED: &str = "2026-11-28T11:30:00Z";
/// A minute before [`NOW`].
pub const LATELY: &str = "2026-11-28T11:59:00Z";

/// A RayCluster with a head and a worker group, both without a command.
pub fn cluster() -> Value {
    let container = |name: &str| {
        json!({"name": name, "image": "rayproject/ray:2.52.0",
            "resources": {"limits": {"cpu": "1", "memory": "2Gi"}, "requests": {"cpu": "1", "memory": "2Gi"}}})
    };
    json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
        "metadata": {"name": "demo", "namespace": "team", "uid": "uid-demo", "generation": 1,
            "creationTimestamp": CREATED},
        "spec": {"rayVersion": "2.52.0",
            "headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [container("ray-head")]}}},
            "workerGroupSpecs": [{"groupName": "cpu", "replicas": 1, "minReplicas": 1, "maxReplicas": 2,
                "rayStartParams": {}, "template": {"spec": {"containers": [container("ray-worker")]}}}]},
        "status": {"state": "ready", "observedGeneration": 1}})
}

/// The head's container of a RayCluster.
pub fn head_of(cluster: &mut Value) -> &mut Value {
    &mut cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
}

/// A RayCluster whose head has this text as its only argument.
pub fn cluster_with(args: &str) -> Value {
    let mut cluster = cluster();
    head_of(&mut cluster)["args"] = json!([args]);
    cluster
}

/// The Pods that a release creates of a RayCluster, all of them ready.
pub fn pods_of(cluster: &Value, release: &str, settings: &EffectiveSettings) -> Vec<Value> {
    let settings = EffectiveSettings {
        namespace: "team".into(),
        ..settings.clone()
    };
    let pods = predict(&release.parse().unwrap(), &settings, cluster).unwrap();
    let place_of = |at: usize| at.checked_sub(1);
    let pods = pods.iter().enumerate();
    pods.map(|(at, pod)| pod_of(pod, place_of(at), cluster))
        .collect()
}

/// The Pod of the head, or of the worker group in a place.
fn pod_of(contract: &PodContract, group: Option<usize>, cluster: &Value) -> Value {
    let name = cluster["metadata"]["name"].as_str().unwrap();
    let (role, spec) = match group {
        None => ("head", &cluster["spec"]["headGroupSpec"]),
        Some(group) => ("worker", &cluster["spec"]["workerGroupSpecs"][group]),
    };
    let containers = |list: &[crate::contract::ContainerContract], field: &str| {
        let made = list.iter().map(|one| {
            let own = spec["template"]["spec"][field].as_array();
            let own = own
                .into_iter()
                .flatten()
                .find(|own| own["name"] == one.name.as_str());
            let mut container = own.cloned().unwrap_or_else(|| json!({"name": one.name}));
            let known = one.spec();
            let known = known.as_object().unwrap().clone();
            container.as_object_mut().unwrap().extend(known);
            container
        });
        made.collect::<Vec<Value>>()
    };
    let statuses = |list: &[crate::contract::ContainerContract], init: bool| {
        let state = if init {
            json!({"terminated": {"exitCode": 0, "reason": "Completed"}})
        } else {
            json!({"running": {"startedAt": CREATED}})
        };
        let made = list
            .iter()
            .map(|one| json!({"name": one.name, "ready": true, "restartCount": 0, "state": state}));
        made.collect::<Vec<Value>>()
    };
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("{name}-{role}"), "namespace": "team", "uid": format!("uid-{role}"),
            "creationTimestamp": CREATED,
            "labels": {"ray.io/cluster": name, "ray.io/node-type": role, "ray.io/group": contract.group}},
        "spec": {"initContainers": containers(&contract.init_containers, "initContainers"),
            "containers": containers(&contract.containers, "containers")},
        "status": {"phase": "Running", "conditions": [
                {"type": "PodScheduled", "status": "True"},
                {"type": "Ready", "status": "True", "lastTransitionTime": CREATED}],
            "initContainerStatuses": statuses(&contract.init_containers, true),
            "containerStatuses": statuses(&contract.containers, false)}})
}

/// A bundle with one operator and one RayCluster with the Pods that the operator creates.
pub fn bundle(cluster: Value, release: &str) -> Bundle {
    let mut bundle = Bundle::now();
    bundle.taken_at = NOW.parse().unwrap();
    bundle.operators = vec![operator(release)];
    bundle.pods = pods_of(&cluster, release, &EffectiveSettings::default());
    bundle.objects = vec![cluster];
    bundle
}

/// A bundle of [`cluster`] on the newest release that most people have.
pub fn healthy() -> Bundle {
    bundle(cluster(), "1.6.2")
}

pub fn operator(release: &str) -> OperatorDeployment {
    OperatorDeployment {
        deployment: json!({"kind": "Deployment", "metadata": {"name": "kuberay-operator", "namespace": "ray-system"},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [
                {"name": "kuberay-operator", "image": format!("quay.io/kuberay/operator:v{release}")}]}}},
            "status": {"availableReplicas": 1}}),
        pods: vec![
            json!({"kind": "Pod", "metadata": {"name": "kuberay-operator-x", "namespace": "ray-system"},
            "status": {"containerStatuses": [{"state": {"running": {}}}]}}),
        ],
        configuration: None,
    }
}

/// Definitions with the fields of a release.
pub fn crd(release: &str) -> Crd {
    let fields = crate::contract::admission::known_fields(&release.parse().unwrap(), "RayCluster");
    Crd {
        name: "rayclusters.ray.io".into(),
        kind: "RayCluster".into(),
        fields: fields.into_iter().collect(),
        ..Crd::default()
    }
}

pub trait Change {
    /// The Pod of a role.
    fn pod(&mut self, role: &str) -> &mut Value;
    /// Removes the Pod of a role.
    fn without(&mut self, role: &str) -> &mut Self;
    /// The first container of a Pod ended and waits for its restart.
    fn ends(&mut self, role: &str, code: i64, log: &str) -> &mut Self;
    /// A container of a Pod is in this state and not ready.
    fn state(&mut self, role: &str, container: &str, state: Value) -> &mut Self;
    /// An event of an object.
    fn event(&mut self, uid: &str, reason: &str, message: &str) -> &mut Self;
    /// The log of a container of a Pod.
    fn logged(&mut self, role: &str, container: &str, text: &str) -> &mut Self;
    /// The worker waits for the head.
    fn waits(&mut self) -> &mut Self;
    fn report(&self) -> DoctorReport;
    /// The causes of the first object, problems and warnings alone.
    fn causes(&self) -> Vec<String>;
    /// The first problem of the first object.
    fn first(&self) -> String;
}

fn status<'a>(pod: &'a mut Value, container: &str) -> &'a mut Value {
    let field = ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .find(|field| {
            let list = pod["status"][*field].as_array();
            list.is_some_and(|list| list.iter().any(|one| one["name"] == container))
        })
        .unwrap_or_else(|| panic!("no container {container}"));
    let list = pod["status"][field].as_array_mut().unwrap();
    list.iter_mut()
        .find(|one| one["name"] == container)
        .unwrap()
}

impl Change for Bundle {
    fn pod(&mut self, role: &str) -> &mut Value {
        let found = self
            .pods
            .iter_mut()
            .find(|pod| pod["metadata"]["uid"] == format!("uid-{role}"));
        found.unwrap_or_else(|| panic!("no Pod of {role}"))
    }

    fn without(&mut self, role: &str) -> &mut Self {
        self.pods
            .retain(|pod| pod["metadata"]["uid"] != format!("uid-{role}"));
        self
    }

    fn ends(&mut self, role: &str, code: i64, log: &str) -> &mut Self {
        let pod = self.pod(role);
        let name = pod["spec"]["containers"][0]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        let reason = if code == 0 { "Completed" } else { "Error" };
        let one = status(pod, &name);
        one["ready"] = false.into();
        one["restartCount"] = 3.into();
        one["state"] = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}});
        one["lastState"] = json!({"terminated": {"exitCode": code, "reason": reason}});
        let pod = pod["metadata"]["name"].as_str().unwrap().to_owned();
        self.logs.push(ContainerLog {
            namespace: "team".into(),
            pod,
            container: name,
            previous: true,
            text: log.into(),
        });
        if role == "head"
            && self
                .pods
                .iter()
                .any(|pod| pod["metadata"]["uid"] == "uid-worker")
        {
            self.waits();
        }
        self
    }

    fn state(&mut self, role: &str, container: &str, state: Value) -> &mut Self {
        let one = status(self.pod(role), container);
        one["ready"] = false.into();
        one["state"] = state;
        self
    }

    fn event(&mut self, uid: &str, reason: &str, message: &str) -> &mut Self {
        self.events.push(
            json!({"kind": "Event", "involvedObject": {"uid": uid}, "type": "Warning",
            "reason": reason, "message": message, "count": 4}),
        );
        self
    }

    fn logged(&mut self, role: &str, container: &str, text: &str) -> &mut Self {
        let pod = self.pod(role)["metadata"]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        self.logs.push(ContainerLog {
            namespace: "team".into(),
            pod,
            container: container.into(),
            previous: false,
            text: text.into(),
        });
        self
    }

    fn waits(&mut self) -> &mut Self {
        let running = json!({"running": {"startedAt": CREATED}});
        self.state("worker", "wait-gcs-ready", running);
        let waiting = json!({"waiting": {"reason": "PodInitializing"}});
        self.state("worker", "ray-worker", waiting)
    }

    fn report(&self) -> DoctorReport {
        diagnose(self)
    }

    fn causes(&self) -> Vec<String> {
        let report = self.report();
        let findings = report
            .findings
            .iter()
            .chain(report.objects.iter().flat_map(|one| &one.findings));
        findings
            .filter(|one| one.severity != Severity::Note)
            .map(|one| one.cause.clone())
            .collect()
    }

    fn first(&self) -> String {
        let report = self.report();
        let object = report.objects.first().expect("an object");
        let first = object.findings.first();
        let first = first.unwrap_or_else(|| panic!("no finding: {object:#?}"));
        assert!(!first.proof.is_empty(), "{first:#?}");
        assert!(report.has_problems(), "{first:#?}");
        first.cause.clone()
    }
}

/// A RayJob that has succeeded, with its RayCluster, its Job and its submitter.
pub fn job(entrypoint: &str) -> Bundle {
    let mut bundle = healthy();
    let spec = bundle.objects[0]["spec"].clone();
    bundle.objects[0]["metadata"]["ownerReferences"] = json!([{"uid": "uid-job"}]);
    bundle.objects.push(json!({"apiVersion": "ray.io/v1", "kind": "RayJob",
        "metadata": {"name": "train", "namespace": "team", "uid": "uid-job", "creationTimestamp": CREATED},
        "spec": {"entrypoint": entrypoint, "rayClusterSpec": spec},
        "status": {"jobStatus": "SUCCEEDED", "jobDeploymentStatus": "Complete", "rayClusterName": "demo"}}));
    bundle.jobs = vec![
        json!({"kind": "Job", "metadata": {"name": "train", "namespace": "team", "uid": "uid-batch",
        "ownerReferences": [{"uid": "uid-job"}]}}),
    ];
    bundle.pods.push(json!({"kind": "Pod",
        "metadata": {"name": "train-submitter", "namespace": "team", "uid": "uid-submitter",
            "creationTimestamp": CREATED, "ownerReferences": [{"uid": "uid-batch"}],
            "labels": {"job-name": "train"}},
        "spec": {"containers": [{"name": "ray-job-submitter", "command": ["/bin/bash", "-ce", "--"]}]},
        "status": {"phase": "Succeeded", "containerStatuses": [{"name": "ray-job-submitter", "ready": false,
            "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}}));
    // The children have uids, so that the RayJob owns the RayCluster.
    bundle
}

/// The submitter of [`job`] failed, and with it the RayJob.
pub fn submitter_ends(bundle: &mut Bundle, code: i64, log: &str) {
    let status = json!({"jobStatus": "", "jobDeploymentStatus": "Failed", "reason": "SubmissionFailed",
        "rayClusterName": "demo"});
    bundle.objects[1]["status"] = status;
    bundle.pod("submitter")["status"]["phase"] = "Failed".into();
    let ended = json!({"terminated": {"exitCode": code, "reason": "Error"}});
    bundle.state("submitter", "ray-job-submitter", ended);
    bundle.logged("submitter", "ray-job-submitter", log);
}
