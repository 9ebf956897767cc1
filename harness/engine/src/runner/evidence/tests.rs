use std::path::Path;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Pod};
use serde_json::json;

use super::{
    Gathered, Health, Redactor, Subject, Typed, Writer, event_line, file_name, gather, keys,
    write_log,
};
use crate::check::{Bounds, Lines, Observation};
use crate::observe::{NamespaceView, Watches};

#[test]
fn a_pod_is_written_as_yaml_without_secrets_and_noise() {
    let folder = tempfile::tempdir().expect("a folder");
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "head", "managedFields": [{"manager": "x"}]},
        "spec": {"containers": [{"name": "ray-head", "args": [" echo 123  456  && ulimit", "x of-a-secret-0815 y"],
            "env": [{"name": "REDIS_PASSWORD", "value": "canary-4711"}]}]},
    }))
    .expect("a Pod");
    let redactor = Redactor::new(["of-a-secret-0815".to_owned()]);
    let mut writer = Writer {
        folder: folder.path().into(),
        redactor: &redactor,
        gathered: Gathered::default(),
    };
    writer.yaml("pods/head.yaml", &Typed::new("v1", "Pod", &pod));
    assert_eq!(writer.gathered.unwritten, Vec::<String>::new());
    let text = std::fs::read_to_string(folder.path().join("pods/head.yaml")).expect("the file");
    for hidden in ["canary", "0815", "managedFields"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    let objects = crate::scenario::parse_manifest(&text, "head.yaml").expect("YAML");
    assert_eq!(objects[0]["kind"], "Pod");
    assert_eq!(
        objects[0]["spec"]["containers"][0]["args"][0],
        " echo 123  456  && ulimit"
    );
}

#[test]
fn every_container_has_its_logs() {
    let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "w"}, "spec": {
        "initContainers": [{"name": "wait-gcs-ready"}], "containers": [{"name": "ray-worker"}]}}))
    .expect("a Pod");
    let names: Vec<_> = keys(&pod).iter().map(file_name).collect();
    assert_eq!(
        names,
        [
            "logs/w/wait-gcs-ready.log",
            "logs/w/wait-gcs-ready.previous.log",
            "logs/w/ray-worker.log",
            "logs/w/ray-worker.previous.log"
        ]
    );
}

#[test]
fn an_empty_log_of_an_instance_before_is_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let pod: Pod = serde_json::from_value(
        json!({"metadata": {"name": "w"}, "spec": {"containers": [{"name": "ray-worker"}]}}),
    )
    .expect("a Pod");
    let redactor = Redactor::default();
    let mut writer = Writer {
        folder: folder.path().into(),
        redactor: &redactor,
        gathered: Gathered::default(),
    };
    for key in keys(&pod) {
        write_log(&key, &Lines::new(Bounds::EVIDENCE), &mut writer);
    }
    let there = |name: &str| folder.path().join("logs/w").join(name).exists();
    assert!(
        there("ray-worker.log"),
        "an empty log of a container that runs is told apart from none"
    );
    assert!(!there("ray-worker.previous.log"));
}

#[test]
fn an_event_is_a_line() {
    let event: Event = serde_json::from_value(
        json!({"metadata": {}, "type": "Warning", "reason": "Failed",
        "message": "no image\n", "count": 3, "lastTimestamp": "2026-11-23T05:32:13Z",
        "involvedObject": {"kind": "Pod", "name": "head"}}),
    )
    .expect("an event");
    assert_eq!(
        event_line(&event),
        "2026-11-23T05:32:13Z Warning Failed Pod/head (x3): no image\n"
    );
}

/// A client of an API server that has nothing.
fn client() -> kube::Client {
    let service = tower::service_fn(|_: http::Request<kube::client::Body>| {
        let empty = http::Response::new(kube::client::Body::empty());
        std::future::ready(Ok::<_, std::convert::Infallible>(empty))
    });
    kube::Client::new(service, "default")
}

/// The API server refuses such names, but the objects are evidence all the same.
#[tokio::test]
async fn names_in_objects_do_not_lead_out_of_the_folder_of_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("output/evidence/kind/case");
    std::fs::create_dir_all(&own).expect("the folder");
    let client = client();
    let watches = Watches::start(client.clone());
    let view = NamespaceView::start(&watches, "kc");
    let object = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    let absolute = folder.path().join("absolute");
    let name = format!("x{}", absolute.display());
    let objects = [
        object("ConfigMap", "x/../../../../../../escaped"),
        object("ConfigMap/../../../../../../escaped", "x"),
        object("ConfigMap", &name),
        object("ConfigMap", &"long".repeat(100)),
        object("ConfigMap", "plain"),
    ];
    let observation = Observation {
        ray_clusters: vec![object("RayCluster", "../../../../../escaped")],
        ..Observation::default()
    };
    let operator = Health::Process {
        log: folder.path().join("none"),
    };
    let subject = Subject {
        client: &client,
        operator: &operator,
        namespace: "kc",
        view: &view,
        observation: &observation,
        objects: &objects,
        changes: &[],
        steps: &[],
        rejections: &[],
        since: Timestamp::now(),
        redactor: &Redactor::default(),
    };
    gather(&subject, &own, std::future::pending()).await;
    assert_eq!(names(folder.path()), ["output"]);
    assert_eq!(names(&folder.path().join("output")), ["evidence"]);
    assert_eq!(names(&folder.path().join("output/evidence")), ["kind"]);
    assert_eq!(names(&folder.path().join("output/evidence/kind")), ["case"]);
    let sent = names(&own.join("sent"));
    assert_eq!(
        sent.len(),
        objects.len() + 1,
        "each object, and the changes: {sent:?}"
    );
    assert!(
        sent.iter().any(|name| name == "05-configmap-plain.yaml"),
        "{sent:?}"
    );
    assert_eq!(names(&own.join("rayclusters")).len(), 1);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    names
}

fn written(redactor: &Redactor, object: &serde_json::Value) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer {
        folder: folder.path().into(),
        redactor,
        gathered: Gathered::default(),
    };
    writer.yaml("object.yaml", object);
    assert_eq!(writer.gathered.unwritten, Vec::<String>::new());
    std::fs::read_to_string(folder.path().join("object.yaml")).expect("the file")
}

#[test]
fn a_value_of_many_lines_is_masked_where_yaml_indents_it() {
    let redactor = Redactor::default();
    let value = "one-0815\nshort\ntwo\n";
    redactor.learn(&json!({"kind": "Secret", "stringData": {"word": value}}));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "head"}, "spec": {"containers": [{
        "name": "ray-head", "args": [format!("cat <<E\n{value}E\n")], "command": ["/bin/bash", "-c"]}]}});
    let text = written(&redactor, &pod);
    for hidden in ["0815", "short", "two"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    let objects = crate::scenario::parse_manifest(&text, "head.yaml").expect("YAML");
    assert_eq!(
        objects[0]["spec"]["containers"][0]["args"][0],
        "cat <<E\n[redacted]\nE\n"
    );
}

#[test]
fn a_block_below_the_name_of_a_secret_is_masked_whole() {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {
        "password": "one 0815\ntwo 4711\n", "user": "me"}});
    let text = written(&Redactor::default(), &map);
    let objects = crate::scenario::parse_manifest(&text, "map.yaml").expect("YAML");
    assert_eq!(
        objects[0]["data"],
        json!({"password": "[redacted]", "user": "me"}),
        "{text}"
    );
}

#[test]
fn redacted_files_are_valid_yaml_with_the_same_shape() {
    let redactor = Redactor::new(["of-a-secret-0815".to_owned()]);
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {
        "token": "canary-4711", "plain": "of-a-secret-0815", "text": "it's password: \"canary-4711\"; done"}},
        "data": {"env.sh": "export TOKEN=canary-4711\n", "values.yaml": "redis:\n  password: 'canary-4711'\n",
        "of-a-secret-0815": "key"}});
    let text = written(&redactor, &object);
    for hidden in ["canary", "0815"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    let objects = crate::scenario::parse_manifest(&text, "map.yaml").expect("YAML");
    assert_eq!(
        objects[0],
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {
            "token": "[redacted]", "plain": "[redacted]", "text": "it's password: \"[redacted]\"; done"}},
            "data": {"env.sh": "export TOKEN=[redacted]\n", "values.yaml": "redis:\n  password: '[redacted]'\n",
            "[redacted]": "key"}})
    );
}

/// What is gathered of a Pod into this folder.
async fn of_a_pod(
    folder: &Path,
    client: kube::Client,
    ended: impl Future<Output = ()>,
) -> Gathered {
    let watches = Watches::start(client.clone());
    let pod = json!({"metadata": {"name": "w"}, "spec": {"containers": [{"name": "ray-worker"}]}});
    let observation = Observation {
        pods: vec![serde_json::from_value(pod).expect("a Pod")],
        ..Observation::default()
    };
    let subject = Subject {
        client: &client,
        operator: &Health::Process {
            log: folder.join("none"),
        },
        namespace: "kc",
        view: &NamespaceView::start(&watches, "kc"),
        observation: &observation,
        objects: &[],
        changes: &[],
        steps: &[],
        rejections: &[],
        since: Timestamp::now(),
        redactor: &Redactor::default(),
    };
    gather(&subject, folder, ended).await
}

#[tokio::test]
async fn what_could_not_be_written_is_told_apart_from_what_could_not_be_had() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("pods"), "no folder").expect("a file");
    let gathered = of_a_pod(folder.path(), client(), std::future::pending()).await;
    assert_eq!(gathered.unwritten.len(), 1, "{gathered:?}");
    assert!(
        gathered.unwritten[0].starts_with("pods/w.yaml could not be written to "),
        "{gathered:?}"
    );
}

#[tokio::test]
async fn evidence_that_the_end_of_the_run_cut_off_says_so_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = tower::service_fn(|_: http::Request<kube::client::Body>| {
        std::future::pending::<Result<http::Response<kube::client::Body>, std::convert::Infallible>>(
        )
    });
    let silent = kube::Client::new(service, "default");
    let gathered = of_a_pod(folder.path(), silent, std::future::ready(())).await;
    assert!(gathered.unwritten.is_empty(), "{gathered:?}");
    let text = std::fs::read_to_string(folder.path().join("problems.txt")).expect("the problems");
    assert!(
        text.contains("it is not whole: the run had ended"),
        "{text}"
    );
}
