//! Evidence of a case, taken before anything of it is removed. Secrets are masked in all of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{Client, ResourceExt};
use serde::Serialize;
use serde_json::Value;

use crate::check::{Bounds, Lines, LogKey, Observation, Rejection};
use crate::observe::NamespaceView;
use crate::output;
use crate::provider::Health;
use crate::redact::Redactor;

const WITHIN: Duration = Duration::from_secs(30);

/// The namespace and operator that evidence is gathered of.
pub(super) struct Subject<'a> {
    pub(super) client: &'a Client,
    pub(super) operator: &'a Health,
    pub(super) namespace: &'a str,
    pub(super) view: &'a NamespaceView,
    pub(super) observation: &'a Observation,
    /// Objects as they were sent.
    pub(super) objects: &'a [Value],
    /// The differences between the objects and their files.
    pub(super) changes: &'a [String],
    /// The steps of the harness in place of components that the target lacks.
    pub(super) steps: &'a [String],
    pub(super) rejections: &'a [Rejection],
    pub(super) since: Timestamp,
    /// Knows the values of the namespace's Secrets.
    pub(super) redactor: &'a Redactor,
}

/// The parts that evidence lacks, one sentence each.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The parts that could not be read; `problems.txt` of the evidence lists them.
    pub(super) problems: Vec<String>,
    /// The parts that could not be written.
    pub(super) unwritten: Vec<String>,
}

/// Writes all of it into `folder`, until `ended`.
pub(super) async fn gather(
    subject: &Subject<'_>,
    folder: &Path,
    ended: impl Future<Output = ()>,
) -> Gathered {
    let mut writer = Writer {
        folder: folder.into(),
        redactor: subject.redactor,
        gathered: Gathered::default(),
    };
    // What is known already comes first: reading the rest may take time or fail.
    write_objects(subject, &mut writer);
    write_state(subject, &mut writer);
    let cut = tokio::select! {
        biased;
        () = write_logs(subject, &mut writer) => None,
        () = tokio::time::sleep(WITHIN) => Some(format!(
            "the logs could not all be read within {} s",
            WITHIN.as_secs()
        )),
        () = ended => Some("it is not whole: the run had ended".into()),
    };
    writer.gathered.problems.extend(cut);
    if !writer.gathered.problems.is_empty() {
        let text = writer.gathered.problems.join("\n") + "\n";
        writer.text("problems.txt", &text);
    }
    writer.gathered
}

struct Writer<'a> {
    folder: PathBuf,
    redactor: &'a Redactor,
    gathered: Gathered,
}

impl Writer<'_> {
    fn text(&mut self, name: &str, text: &str) {
        self.write(name, &self.redactor.redact_text(text).0);
    }

    fn write(&mut self, name: &str, text: &str) {
        let write = || {
            let mut file = output::create_file(&self.folder, name)?;
            file.write_all(text.as_bytes())
        };
        if let Err(error) = write() {
            self.gathered.unwritten.push(format!(
                "{name} could not be written to {}: {error}",
                self.folder.display()
            ));
        }
    }

    fn yaml(&mut self, name: &str, object: &impl Serialize) {
        let value = serde_json::to_value(object).map(|mut value| {
            self.redactor.redact_value(&mut value);
            value
        });
        let text = value
            .map_err(|error| error.to_string())
            .and_then(|value| serde_saphyr::to_string(&value).map_err(|error| error.to_string()));
        match text {
            // All of it is masked by now; masking the text could break what quotes and indents it.
            Ok(text) => self.write(name, &text),
            Err(error) => self
                .gathered
                .unwritten
                .push(format!("{name} could not be written as YAML: {error}")),
        }
    }
}

fn write_objects(subject: &Subject<'_>, writer: &mut Writer<'_>) {
    for (number, object) in subject.objects.iter().enumerate() {
        let kind = object["kind"].as_str().unwrap_or("object").to_lowercase();
        let name = object["metadata"]["name"].as_str().unwrap_or("unnamed");
        let of = output::file_name(&format!("{kind}-{name}"));
        writer.yaml(&format!("sent/{:02}-{of}.yaml", number + 1), object);
    }
    let mut changes = String::from("How the objects that were sent differ from their files:\n");
    for line in subject.changes {
        changes.push_str(line);
        changes.push('\n');
    }
    writer.text("sent/changes.txt", &changes);
    if !subject.steps.is_empty() {
        writer.text("sent/steps.txt", &(subject.steps.join("\n") + "\n"));
    }
    if !subject.rejections.is_empty() {
        writer.yaml("rejections.yaml", &subject.rejections);
    }
}

fn write_state(subject: &Subject<'_>, writer: &mut Writer<'_>) {
    let live = subject.observation.pods.iter().map(|pod| (pod, ""));
    let gone = subject.view.gone_pods();
    for (pod, mark) in live.chain(gone.iter().map(|pod| (pod, ".deleted"))) {
        writer.yaml(
            &format!("pods/{}{mark}.yaml", output::file_name(&pod.name_any())),
            &Typed::new("v1", "Pod", pod),
        );
    }
    for cluster in &subject.observation.ray_clusters {
        let name = cluster["metadata"]["name"].as_str().unwrap_or("unnamed");
        writer.yaml(
            &format!("rayclusters/{}.yaml", output::file_name(name)),
            cluster,
        );
    }
    let lines: String = subject.observation.events.iter().map(event_line).collect();
    writer.text("events.txt", &lines);
    writer.yaml("events.yaml", &subject.observation.events);
    if let Some(dashboard) = &subject.observation.dashboard {
        writer.yaml("dashboard/jobs.yaml", &dashboard.jobs);
        writer.yaml("dashboard/nodes.yaml", &dashboard.nodes);
        let version = dashboard.ray_version.as_deref().unwrap_or("unknown");
        writer.text("dashboard/ray-version.txt", &format!("{version}\n"));
    } else {
        let error = subject.view.dashboard_error();
        let why = error
            .as_deref()
            .unwrap_or("it was not asked, or had not answered yet");
        writer.text(
            "dashboard/none.txt",
            &format!("the dashboard gave no answer: {why}\n"),
        );
    }
}

async fn write_logs(subject: &Subject<'_>, writer: &mut Writer<'_>) {
    for pod in &subject.observation.pods {
        for key in keys(pod) {
            match subject.view.whole_log(&key).await {
                Ok(lines) => write_log(&key, &lines, writer),
                // Of an instance that never was there is no log.
                Err(_) if key.previous => {}
                Err(error) => {
                    let problem = format!(
                        "the log of {} in {} could not be read: {error}",
                        key.container, key.pod
                    );
                    writer.gathered.problems.push(problem);
                }
            }
        }
    }
    // Of Pods that are gone there is what was followed while they lived.
    let live: Vec<String> = subject
        .observation
        .pods
        .iter()
        .map(ResourceExt::name_any)
        .collect();
    let gone = subject
        .observation
        .logs
        .iter()
        .filter(|(key, _)| !live.contains(&key.pod));
    for (key, log) in gone {
        write_log(key, &log.lines.within(Bounds::EVIDENCE), writer);
    }
    let log = subject
        .operator
        .log(subject.client, subject.namespace, subject.since)
        .await;
    writer.text("operator.log", &log);
}

fn keys(pod: &Pod) -> Vec<LogKey> {
    let Some(spec) = &pod.spec else {
        return Vec::new();
    };
    let names = spec
        .init_containers
        .iter()
        .flatten()
        .chain(&spec.containers)
        .map(|container| &container.name);
    let both = names.flat_map(|container| {
        [false, true].map(|previous| LogKey {
            pod: pod.name_any(),
            container: container.clone(),
            previous,
        })
    });
    both.collect()
}

fn file_name(key: &LogKey) -> String {
    let previous = if key.previous { ".previous" } else { "" };
    let (pod, container) = (
        output::file_name(&key.pod),
        output::file_name(&key.container),
    );
    format!("logs/{pod}/{container}{previous}.log")
}

/// Writes a log. What is left out of it is said at its place in the file, and among the problems.
fn write_log(key: &LogKey, lines: &Lines, writer: &mut Writer<'_>) {
    let text = lines.to_text();
    // An instance before the first one is an empty log, too.
    if key.previous && text.is_empty() {
        return;
    }
    writer.text(&file_name(key), &text);
    if let Some(words) = lines.cut_words() {
        let problem = format!(
            "the log of {} in {} is not whole: {words}",
            key.container, key.pod
        );
        writer.gathered.problems.push(problem);
    }
}

fn event_line(event: &Event) -> String {
    let time = event.last_timestamp.as_ref().map(|time| time.0);
    let time = time.or_else(|| event.event_time.as_ref().map(|time| time.0));
    let time = time.or_else(|| event.creation_timestamp().map(|time| time.0));
    let time = time.map_or_else(|| "-".into(), |time| format!("{time:.0}"));
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let object = &event.involved_object;
    let count = event
        .count
        .filter(|count| *count > 1)
        .map(|count| format!(" (x{count})"))
        .unwrap_or_default();
    format!(
        "{time} {} {} {}/{}{count}: {}\n",
        text(&event.type_),
        text(&event.reason),
        text(&object.kind),
        text(&object.name),
        text(&event.message).trim_end()
    )
}

/// A typed object with the fields that k8s-openapi leaves out, so that `kubectl` reads the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed<'a, T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    object: &'a T,
}

impl<'a, T> Typed<'a, T> {
    fn new(api_version: &'static str, kind: &'static str, object: &'a T) -> Self {
        Self {
            api_version,
            kind,
            object,
        }
    }
}

#[cfg(test)]
mod tests;
