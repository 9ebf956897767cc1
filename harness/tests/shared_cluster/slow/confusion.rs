//! `doctor` on a real cluster, as a confusion matrix: every hazard of the repository's scenarios
//! and the faults of public reports are planted under names that tell nothing, and `doctor` names
//! the right cause first. It says nothing about what is well, and reports progress until then.
//!
//! It needs the cluster that is up (`kuberay-conformance cluster up --nodes 2`). With
//! `UPDATE_DOCS=1` the matrix is written to `docs/reference/doctor-matrix.md`. `CASES=NAME,NAME`
//! plays some cases alone; the rows of the others stay.

mod cases;
mod judge;
mod webhook;

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Event, Node};
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client};
use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::operator::Sender;
use kuberay_conformance::provider::CLUSTER;
use kuberay_conformance::report::Silent;
use semver::Version;
use serde_json::{Value, json};

use self::cases::{Case, Stack};
use self::judge::{Trial, shown};
use crate::support::cluster::{client, kubeconfig, objects};
use crate::support::reader::as_reader;
use crate::support::{exclusive, newest, program};

/// Cases at once on a machine with two processors: each may start Ray, which takes about 20 CPU
/// seconds.
const AT_ONCE: usize = 2;
/// How often `doctor` is asked.
const INTERVAL: Duration = Duration::from_secs(5);

/// What one case showed.
struct Row {
    name: String,
    expected: String,
    first: String,
    also: Vec<String>,
    problem: Option<String>,
}

/// Letters that nobody chose.
fn letters(count: usize) -> String {
    let mut text = String::new();
    while text.len() < count {
        let mut number = RandomState::new().hash_one(text.len());
        while number > 0 && text.len() < count {
            let letter = u8::try_from(number % 26).unwrap();
            text.push(char::from(b'a' + letter));
            number /= 26;
        }
    }
    text
}

/// Another name with the same faults: too long, or a digit in front.
fn renamed(name: &str) -> String {
    let length = if name.len() > 40 { name.len() } else { 12 };
    let name_is_odd = name.starts_with(|c: char| c.is_ascii_digit());
    let new = letters(length);
    if name_is_odd {
        format!("7{}", &new[1..])
    } else {
        new
    }
}

/// Gives objects other names and a label, and moves them into a namespace.
fn disguise(objects: &mut [Value], names: &mut BTreeMap<String, String>, namespace: &str) {
    for object in objects.iter() {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        names.entry(name.clone()).or_insert_with(|| renamed(&name));
    }
    for object in objects {
        replace(object, names);
        let meta = &mut object["metadata"];
        meta["namespace"] = namespace.into();
        if !meta["labels"].is_object() {
            meta["labels"] = json!({});
        }
        meta["labels"][letters(8)] = letters(8).into();
    }
}

/// Replaces texts that are a name as a whole, so that references stay right.
fn replace(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = names.get(text) {
                text.clone_from(new);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, names)),
        Value::Object(fields) => fields.values_mut().for_each(|item| replace(item, names)),
        _ => {}
    }
}

/// Asks `doctor` about a namespace.
async fn doctor(kubeconfig: &Path, namespace: &str) -> Result<Value, String> {
    let mut command = program();
    command
        .args(["doctor", "--format", "json", "--namespace", namespace])
        .arg("--kubeconfig")
        .arg(kubeconfig);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    report.map_err(|problem| format!("doctor: {problem}: {error}"))
}

/// Applies a case, asks until it is decided, and removes it.
async fn play(case: Case, (client, sender): (&Client, &Sender), reader: &Path, image: &str) -> Row {
    let namespace = letters(12);
    println!("{} is in the namespace {namespace}", case.name);
    let place = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    sender.apply(&place).await.unwrap();
    let (mut first, mut later) = (case.objects.clone(), case.later.clone());
    let mut names = BTreeMap::new();
    disguise(&mut first, &mut names, &namespace);
    disguise(&mut later, &mut names, &namespace);
    let mut webhook = None;
    if case.rewritten {
        webhook = Some(webhook::plant(sender, image, &letters(12), &namespace).await);
    }
    for object in &first {
        sender.apply(object).await.unwrap();
    }
    let mut trial = Trial::begin();
    let found = loop {
        tokio::time::sleep(INTERVAL).await;
        if case.events_vanish {
            let events: Api<Event> = Api::namespaced(client.clone(), &namespace);
            let (deletion, all) = (DeleteParams::default(), ListParams::default());
            events.delete_collection(&deletion, &all).await.unwrap();
        }
        let report = match doctor(reader, &namespace).await {
            Ok(report) => report,
            Err(problem) => {
                trial.wrong.push(problem);
                break Vec::new();
            }
        };
        if let Some(found) = trial.take(&report, &case) {
            break found;
        }
        if trial.ready > 0 {
            for object in std::mem::take(&mut later) {
                sender.apply(&object).await.unwrap();
            }
        }
    };
    let problem = trial.verdict(&case, &found);
    // Its Pods make room before the next case begins.
    for object in first.iter().rev() {
        if object["apiVersion"] == "ray.io/v1" {
            sender.delete_and_wait(object).await.unwrap();
        }
    }
    sender.delete(&place).await.unwrap();
    if let Some(webhook) = webhook {
        webhook.remove(sender).await;
    }
    println!("{}: {}", case.name, problem.as_deref().unwrap_or("right"));
    let mut found = found.into_iter();
    Row {
        name: case.name,
        expected: shown(&case.expected),
        first: found.next().unwrap_or_else(|| "nothing".into()),
        also: found.collect(),
        problem,
    }
}

/// Operator and Ray of the cluster that is up.
async fn stack(client: &Client) -> Stack {
    let nodes: Api<Node> = Api::all(client.clone());
    let nodes = nodes.list(&ListParams::default()).await.unwrap();
    let images = nodes
        .items
        .into_iter()
        .filter_map(|node| node.status?.images);
    let mut names = images.flatten().filter_map(|image| image.names).flatten();
    let image = names.find(|name| name.contains("rayproject/ray:") && !name.contains('@'));
    let image = image.unwrap_or_else(|| "docker.io/rayproject/ray:2.52.0".into());
    let (_, ray) = image.rsplit_once(':').unwrap();
    let ray = ray.split('-').next().unwrap().to_owned();
    let operator: Version = newest().parse().unwrap();
    let store = Store::open().unwrap();
    let programs = Programs::new(store, SourcePolicy::Auto, Arc::new(Silent));
    let module = programs.operator_module(&operator).await.unwrap();
    Stack {
        samples: module.join("config/samples"),
        operator,
        image,
        ray,
    }
}

/// What a page says was planted for a case, what was named first, and what else.
fn known(page: &str, name: &str) -> Option<[String; 3]> {
    page.lines().find_map(|line| {
        let cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
        let cells: Vec<&str> = cells.map(str::trim).collect();
        match cells.as_slice() {
            [case, _, planted, first, also] if *case == name => {
                Some([planted, first, also].map(|cell| (*cell).to_owned()))
            }
            _ => None,
        }
    })
}

/// The page, with the rows of `before` for cases that were not played.
fn page(names: &[String], rows: &[Row], before: &str, stack: &Stack) -> String {
    let mut text = format!(
        "# What `doctor` reports for injected faults\n\n\
         <!-- Written by `UPDATE_DOCS=1 cargo test --test shared_cluster -- --include-ignored slow::confusion`. -->\n\n\
         The test `slow::confusion` plants faults on a kind cluster with KubeRay {} and Ray {}. The\n\
         names of objects, namespaces and labels are random. The test asks `doctor` every five seconds\n\
         until it names a cause or everything is ready. A cause that is not the planted one fails the\n\
         test, even if `doctor` corrects it later.\n\n\
         The numbers are those of reports at github.com/ray-project/kuberay.\n\n\
         | case | reports | planted | named first | also named |\n|---|---|---|---|---|\n",
        stack.operator, stack.ray
    );
    for name in names {
        let played = rows.iter().find(|row| row.name == *name);
        let cells = match played {
            Some(row) => [row.expected.clone(), row.first.clone(), row.also.join(", ")],
            None => match known(before, name) {
                Some(cells) => cells,
                None => continue,
            },
        };
        let [planted, first, also] = cells;
        let reports = cases::reports(name);
        text.push_str(&format!(
            "| {name} | {reports} | {planted} | {first} | {also} |\n"
        ));
    }
    text
}

#[test]
#[ignore = "needs kind, takes half an hour"]
fn doctor_names_every_planted_cause_first_and_is_silent_about_the_rest() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let admin = kubeconfig(CLUSTER);
    let reader: PathBuf = folder.path().join("reader");
    std::fs::write(&reader, as_reader(&admin)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let chosen = std::env::var("CASES").ok();
    let (names, rows, stack) = runtime.block_on(async {
        let client = client(&admin).await;
        let sender = Sender::new(client.clone());
        for object in objects("rbac/doctor.yaml") {
            sender.apply(&object).await.unwrap();
        }
        let stack = stack(&client).await;
        let mut cases = cases::all(&stack);
        assert!(cases.len() > 80, "{} cases", cases.len());
        let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
        if let Some(chosen) = &chosen {
            let chosen: Vec<&str> = chosen.split(',').collect();
            cases.retain(|case| chosen.contains(&case.name.as_str()));
            assert_eq!(cases.len(), chosen.len(), "no such cases: {chosen:?}");
        }
        let played = cases.into_iter().enumerate().map(async |(place, case)| {
            (
                place,
                play(case, (&client, &sender), &reader, &stack.image).await,
            )
        });
        let mut rows: Vec<(usize, Row)> = futures::stream::iter(played)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        rows.sort_by_key(|(place, _)| *place);
        let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
        (names, rows, stack)
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/doctor-matrix.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let text = page(&names, &rows, &before, &stack);
    println!("{text}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let failed: Vec<String> = rows
        .iter()
        .filter_map(|row| Some(format!("{}: {}", row.name, row.problem.as_ref()?)))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn names_tell_nothing_and_keep_their_faults() {
    let mut objects = vec![
        json!({"kind": "ConfigMap", "metadata": {"name": "task"}}),
        json!({"kind": "RayCluster", "metadata": {"name": "4-demo"},
            "spec": {"volumes": [{"configMap": {"name": "task"}}], "text": "a task"}}),
    ];
    let mut names = BTreeMap::new();
    disguise(&mut objects, &mut names, "elsewhere");
    let task = objects[0]["metadata"]["name"].clone();
    assert_ne!(task, "task");
    assert_eq!(objects[1]["spec"]["volumes"][0]["configMap"]["name"], task);
    assert_eq!(objects[1]["spec"]["text"], "a task");
    let name = objects[1]["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with('7'), "{name}");
    assert!(name.len() == 12, "{name}");
    assert_eq!(renamed(&"a".repeat(50)).len(), 50);
    assert_eq!(objects[0]["metadata"]["namespace"], "elsewhere");
}

#[test]
fn rows_of_cases_that_were_not_played_stay() {
    let stack = Stack {
        operator: Version::new(1, 6, 2),
        image: String::new(),
        ray: "2.52.0".into(),
        samples: PathBuf::new(),
    };
    let names = ["a", "b", "c"].map(String::from);
    let row = |name: &str, first: &str| Row {
        name: name.into(),
        expected: "x".into(),
        first: first.into(),
        also: Vec::new(),
        problem: None,
    };
    let before = page(&names, &[row("a", "one"), row("b", "two")], "", &stack);
    let after = page(&names, &[row("b", "three")], &before, &stack);
    let rows: Vec<&str> = after
        .lines()
        .filter(|line| line.contains("| x |"))
        .collect();
    assert_eq!(rows, ["| a | x | one |  |", "| b | x | three |  |"]);
}
