//! A real upgrade of the operator on a kind cluster with running RayClusters, after a rehearsal: it
//! does what the rehearsal predicted, Pod by Pod.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client, ResourceExt as _};
use kuberay_conformance::artifact::Pins;
use kuberay_conformance::operator::Sender;
use kuberay_conformance::rehearse::pod_changes;
use rstest::rstest;
use semver::Version;
use serde_json::{Value, json};

use crate::support::cluster::{client, kubeconfig, objects};
use crate::support::reader::as_reader;
use crate::support::{exclusive_within, newest, program};

const CLUSTER: &str = "kuberay-conformance-upgrade";
const NAMESPACE: &str = "team";
/// How long the Pods of all RayClusters may take to be ready, on two cores.
const STARTED_WITHIN: Duration = Duration::from_mins(8);
/// An operator that has done nothing for this long has nothing left to do.
const QUIET: Duration = Duration::from_mins(1);
/// How long an operator may go on with an upgrade.
const SETTLED_WITHIN: Duration = Duration::from_mins(5);

/// A Pod, as far as an upgrade concerns it.
#[derive(Debug, Clone)]
struct PodLook {
    uid: String,
    cluster: String,
    /// `head`, or the worker group.
    part: String,
    ready: bool,
    /// The Pod, without names that are another in every Pod.
    pod: Pod,
}

fn cluster(name: &str, image: &str, ray: &str) -> Value {
    let container = |name: &str| {
        json!({"name": name, "image": image, "resources": {
            "limits": {"cpu": "1", "memory": "2Gi"},
            "requests": {"cpu": "50m", "memory": "256Mi"}}})
    };
    json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"rayVersion": ray,
            "headGroupSpec": {"rayStartParams": {},
                "template": {"spec": {"containers": [container("ray-head")]}}},
            "workerGroupSpecs": [{"groupName": "cpu", "replicas": 1, "minReplicas": 1,
                "maxReplicas": 1, "rayStartParams": {},
                "template": {"spec": {"containers": [container("ray-worker")]}}}]}})
}

/// One RayCluster of each class that needs no large machine. The release `to` refuses one.
fn fleet(image: &str, ray: &str, to: &str) -> Vec<Value> {
    let plain = |name: &str| cluster(name, image, ray);
    let mut text = plain("text");
    text["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["args"] =
        json!(["echo hello"]);
    text["spec"]["workerGroupSpecs"] = json!([]);
    let mut refused = plain("refused");
    if to.parse::<Version>().unwrap() < Version::new(1, 7, 0) {
        refused["spec"]["workerGroupSpecs"][0]["minReplicas"] = json!(2);
    } else {
        let variable = json!({"name": "KUBERAY_GEN_AUTOSCALER_START_CMD", "value": "a"});
        refused["spec"]["autoscalerOptions"] = json!({"env": [variable]});
    }
    let mut hosts = plain("hosts");
    hosts["spec"]["workerGroupSpecs"][0]["numOfHosts"] = json!(2);
    let mut off = plain("off");
    off["spec"]["suspend"] = true.into();
    vec![plain("plain"), text, refused, hosts, off]
}

/// Makes the release the operator of the cluster, in place of the one before.
fn up(release: &str) {
    let mut command = program();
    command.args(["cluster", "up", "--target", "kind", "--cluster", CLUSTER]);
    command.args(["--nodes", "1", "--operator", release]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cluster up: {said}");
}

/// Removes the cluster, however the test ends.
struct Down;

impl Drop for Down {
    fn drop(&mut self) {
        let mut command = program();
        command.args(["cluster", "down", "--target", "kind", "--cluster", CLUSTER]);
        drop(command.output());
    }
}

async fn seen(pods: &Api<Pod>) -> Vec<PodLook> {
    let list = pods.list(&ListParams::default()).await.unwrap();
    let going = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
    list.items
        .iter()
        .filter(|pod| !going(pod))
        .map(of)
        .collect()
}

fn of(pod: &Pod) -> PodLook {
    let label = |name: &str| pod.labels().get(name).cloned().unwrap_or_default();
    let part = match label("ray.io/node-type").as_str() {
        "head" => "head".to_owned(),
        _ => label("ray.io/group"),
    };
    let conditions = pod.status.iter().flat_map(|status| &status.conditions);
    let ready = conditions
        .flatten()
        .any(|one| one.type_ == "Ready" && one.status == "True");
    PodLook {
        uid: pod.uid().unwrap(),
        cluster: label("ray.io/cluster"),
        part,
        ready,
        pod: without_random_names(pod),
    }
}

/// A Pod without the random names of the volumes that hold tokens.
fn without_random_names(pod: &Pod) -> Pod {
    let token = regex::Regex::new("kube-api-access-[a-z0-9]+").unwrap();
    let text = serde_json::to_string(pod).unwrap();
    serde_json::from_str(&token.replace_all(&text, "kube-api-access")).unwrap()
}

/// Waits until something holds of the Pods for a time.
async fn settled(
    pods: &Api<Pod>,
    quiet: Duration,
    within: Duration,
    holds: impl Fn(&[PodLook]) -> bool,
) -> Vec<PodLook> {
    let began = Instant::now();
    let mut known = BTreeSet::new();
    let mut since = Instant::now();
    loop {
        let now = seen(pods).await;
        let uids: BTreeSet<String> = now.iter().map(|pod| pod.uid.clone()).collect();
        if uids != known || !holds(&now) {
            known = uids;
            since = Instant::now();
        } else if since.elapsed() >= quiet {
            return now;
        }
        let text: Vec<_> = now
            .iter()
            .map(|pod| (&pod.cluster, &pod.part, pod.ready))
            .collect();
        assert!(began.elapsed() < within, "not settled: {text:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Waits until the operator of a release is the only one: the one before leads until it ends.
async fn rolled_out(client: &Client, release: &str) {
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let began = Instant::now();
    loop {
        let mut found = pods.list(&ListParams::default()).await.unwrap().items;
        found.retain(|pod| pod.name_any().starts_with("kuberay-operator-"));
        let is_new = |pod: &Pod| {
            let image = pod
                .spec
                .as_ref()
                .and_then(|spec| spec.containers[0].image.as_ref());
            image.is_some_and(|image| image.ends_with(&format!(":v{release}")))
        };
        if let [one] = found.as_slice()
            && is_new(one)
            && of(one).ready
        {
            return;
        }
        assert!(
            began.elapsed() < SETTLED_WITHIN,
            "not rolled out: {found:#?}"
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn rehearse(reader: &Path, to: &str) -> Value {
    let mut command = program();
    command.args([
        "rehearse",
        "-A",
        "--format",
        "json",
        "--to",
        to,
        "--kubeconfig",
    ]);
    let output = command.arg(reader).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|problem| panic!("rehearse: {problem}: {error}"));
    assert_eq!(report["steps"][0]["model"], Value::Null, "{report:#}");
    report["steps"][0].clone()
}

/// How many Pods of an object a rehearsal saw go or come at once.
fn at_once(object: &Value, deleted: bool) -> u64 {
    let all = object["atOnce"].as_array().into_iter().flatten();
    let pods = all.filter(|one| {
        one["deleted"] == deleted && one["what"].as_str().unwrap().starts_with("Pod")
    });
    pods.map(|one| one["count"].as_u64().unwrap()).sum()
}

fn of_cluster<'a>(pods: &'a [PodLook], name: &str) -> Vec<&'a PodLook> {
    pods.iter().filter(|pod| pod.cluster == name).collect()
}

/// Changes of Pods, each with what it was and what it becomes.
fn told(changes: &Value) -> BTreeSet<String> {
    let all = changes.as_array().into_iter().flatten();
    all.map(|one| format!("{}: {} → {}", one["subject"], one["before"], one["after"]))
        .collect()
}

/// The changes between the real Pods of a RayCluster.
fn real_changes(
    cluster: &Value,
    before: (&[PodLook], &Version),
    after: (&[PodLook], &Version),
) -> Value {
    let name = cluster["metadata"]["name"].as_str().unwrap();
    let sides = [before, after].map(|(pods, release)| {
        let pods = of_cluster(pods, name).into_iter();
        (pods.map(|one| one.pod.clone()).collect(), release)
    });
    json!(pod_changes(cluster, sides))
}

/// The release before: there are two where the newest of all can't be had.
fn before(newest: &str) -> &'static str {
    if newest == "1.6.2" { "1.5.2" } else { "1.6.2" }
}

#[rstest]
#[case::of_1_3_2("1.3.2", "1.6.2")]
#[case::newest(before(newest()), newest())]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs kind"]
async fn a_real_upgrade_does_what_the_rehearsal_predicted(#[case] from: &str, #[case] to: &str) {
    let _exclusive = exclusive_within().await;
    let _down = Down;
    let releases: [Version; 2] = [from, to].map(|release| release.parse().unwrap());
    up(from);
    let admin = kubeconfig(CLUSTER);
    let client: Client = client(&admin).await;
    let sender = Sender::new(client.clone());
    for object in objects("rbac/doctor.yaml") {
        sender.apply(&object).await.unwrap();
    }
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    sender.apply(&namespace).await.unwrap();
    let ray = Pins::embedded().defaults.ray.to_string();
    let fleet = fleet(&format!("docker.io/rayproject/ray:{ray}"), &ray, to);
    for object in &fleet {
        sender.apply(object).await.unwrap();
    }
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    // plain 2, text 1, refused 2, hosts 3.
    let are_ready = |pods: &[PodLook]| pods.len() == 8 && pods.iter().all(|pod| pod.ready);
    let before = settled(&pods, Duration::from_secs(5), STARTED_WITHIN, are_ready).await;

    let folder = tempfile::tempdir().unwrap();
    let reader = folder.path().join("reader");
    std::fs::write(&reader, as_reader(&admin)).unwrap();
    let step = tokio::task::spawn_blocking({
        let to = to.to_owned();
        move || rehearse(&reader, &to)
    });
    let step = step.await.unwrap();
    println!("predicted: {:#}", step["objects"]);

    up(to);
    rolled_out(&client, to).await;
    let upgraded = settled(&pods, QUIET, SETTLED_WITHIN, |_| true).await;
    let uids = |pods: &[&PodLook]| -> BTreeSet<String> {
        pods.iter().map(|pod| pod.uid.clone()).collect()
    };
    let mut wrong = Vec::new();
    let predicted = step["objects"].as_array().unwrap();
    assert_eq!(predicted.len(), 5, "{step:#}");
    let refused = predicted.iter().find(|one| one["name"] == "refused");
    assert_eq!(refused.unwrap()["verdict"], "refused", "{step:#}");
    for object in predicted {
        let name = object["name"].as_str().unwrap();
        let then = uids(&of_cluster(&before, name));
        let now = uids(&of_cluster(&upgraded, name));
        let gone = then.difference(&now).count() as u64;
        let new = now.difference(&then).count() as u64;
        if (gone, new) != (at_once(object, true), at_once(object, false)) {
            wrong.push(format!(
                "{name}: {gone} Pods went and {new} came at once: {object:#}"
            ));
        }
    }

    // Each Pod is recreated once.
    for pod in pods.list(&ListParams::default()).await.unwrap() {
        let at_once = DeleteParams::default().grace_period(0);
        pods.delete(&pod.name_any(), &at_once).await.unwrap();
    }
    let old: BTreeSet<String> = upgraded.iter().map(|pod| pod.uid.clone()).collect();
    let are_new = |pods: &[PodLook]| pods.iter().all(|pod| !old.contains(&pod.uid));
    let recreated = settled(&pods, QUIET, SETTLED_WITHIN, are_new).await;
    for object in predicted {
        let name = object["name"].as_str().unwrap();
        let refused = object["verdict"] == "refused";
        let comes_back = !of_cluster(&recreated, name).is_empty();
        let has_pods = !of_cluster(&before, name).is_empty();
        if comes_back != (has_pods && !refused) {
            wrong.push(format!(
                "{name}: its Pods came back: {comes_back}: {object:#}"
            ));
        }
        if comes_back {
            let cluster = fleet.iter().find(|one| one["metadata"]["name"] == name);
            let (before, after) = ((&*before, &releases[0]), (&*recreated, &releases[1]));
            let real = told(&real_changes(cluster.unwrap(), before, after));
            let predicted = told(&object["changes"]);
            if real != predicted {
                wrong.push(format!(
                    "{name}: its Pods change otherwise\npredicted: {predicted:#?}\nreal: {real:#?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
