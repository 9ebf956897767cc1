//! Fields of a Ray Pod against their snapshots.

use std::borrow::Cow;

use k8s_openapi::api::core::v1::{Container, Pod};
use kuberay_contract::Layer;
use kuberay_manifest::yaml::Node;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pod_title;
use crate::align::one_sided;
use crate::check::generated::{Generated, unseen_origin};
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Comparison, Expectations, Finding, Observation, Verdict, pods};
use crate::problems::Problems;
use crate::{DurationText, PodCreated, PodField, Role, Subject};

/// Snapshots of one Pod's fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodCheck {
    /// Which Pod.
    pub role: Role,
    /// Name of the worker group. Default: any group.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// Name of the container or init container. Default: the Ray container (index 0).
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub container: Option<String>,
    /// Only Pods created before the steps, or only Pods created after them. Default: any Pod.
    #[serde(default)]
    pub created: Option<PodCreated>,
    /// Fields that must equal their snapshot, each in a file of its own.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub snapshot: Vec<PodField>,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

impl PodCheck {
    /// What the snapshots of its fields are of.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.snapshot.iter().map(|field| Subject {
            role: self.role,
            group: self.group.clone(),
            container: self.container.clone(),
            created: self.created,
            field: *field,
        })
    }
}

impl CheckKind for PodCheck {
    fn kind() -> Kind {
        Kind {
            knows_pods_of_jobs: true,
            lint,
            ..Kind::new("pod", Layer::Spec)
        }
    }

    fn detail(&self) -> String {
        let fields = self.snapshot.iter().map(|field| field.file_part());
        let fields = fields.collect::<Vec<_>>().join(", ");
        let pod = pod_title(self.role, self.group.as_ref());
        match &self.container {
            Some(container) => format!("{pod} {container} {fields}"),
            None => format!("{pod} {fields}"),
        }
    }

    fn evaluate(&self, observation: &Observation, expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation, expectations)
    }

    fn pod(&self) -> Option<(Role, Option<&str>)> {
        Some((self.role, self.group.as_deref()))
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }
}

/// A field of the Pod does not depend on a container; a submitter is only looked at as an object.
fn lint(problems: &mut Problems<'_>, body: &Node) {
    let fields = body.get("snapshot").map_or(&[][..], Node::items);
    for field in fields {
        let of_pod = PodField::ALL
            .iter()
            .any(|known| known.is_of_pod() && field.text() == Some(known.key()));
        if of_pod && body.get("container").is_some() {
            let message = format!(
                "`{}` is of the Pod, not of a container",
                field.text().unwrap_or_default()
            );
            problems.error(
                field,
                message,
                "put it into a `pod` check without `container`",
            );
        }
    }
}

fn evaluate(
    check: &PodCheck,
    observation: &Observation,
    expectations: &dyn Expectations,
) -> Verdict {
    let group = check.group.as_deref();
    let found = find(check, observation);
    if let Some(pod) = &found
        && pod.metadata.deletion_timestamp.is_none()
        && let Some(unseen) = unseen_origin(pod.metadata.owner_references.as_deref(), observation)
    {
        let message = format!("{} waits for {unseen}", pods::who(check.role, group));
        return Verdict::NotYet(Finding {
            message,
            ..Finding::default()
        });
    }
    let Some(pod) = found else {
        let message = absent(check, observation);
        return Verdict::NotYet(Finding {
            message,
            ..Finding::default()
        });
    };
    let mut who = format!("{} {}", pods::who(check.role, group), pods::name(&pod));
    let container = match &check.container {
        Some(name) => {
            who = format!("container {name} of {who}");
            pods::container(&pod, name)
        }
        None => pods::ray_container(&pod),
    };
    if let (Some(name), None) = (&check.container, container) {
        let message = format!(
            "{} {} has no container {name}",
            pods::who(check.role, group),
            pods::name(&pod)
        );
        return Verdict::Never(Finding {
            message,
            found: Some(pods::container_names(&pod).join("\n")),
            ..Finding::default()
        });
    }
    let generated = Generated::of(observation);
    let mut same = Fields::default();
    let mut new = Fields::default();
    let mut wrong = Fields::default();
    for subject in check.subjects() {
        let field = subject.field;
        let mut found = value(&pod, container, field);
        generated.mask(&mut found);
        match expectations.compare(&subject, &found) {
            Comparison::Equal { body, file } => {
                same.sentences
                    .push(format!("{} equals {file}", field.key()));
                same.found.push(body);
            }
            Comparison::Different {
                expected,
                found,
                diff,
                file,
                unrecorded,
            } => {
                if let Some(unrecorded) = unrecorded
                    && !wrong.notes.contains(&unrecorded)
                {
                    wrong.notes.push(unrecorded);
                }
                wrong
                    .sentences
                    .push(format!("{} differs from {file}", field.key()));
                wrong.note_lines(field, &expected, &found);
                wrong.expected.push(expected);
                wrong.found.push(found);
                wrong.diff.push(diff);
            }
            Comparison::Missing { found, file } => {
                new.new_snapshots += 1;
                new.sentences
                    .push(format!("no snapshot {file} for {}", field.key()));
                new.found.push(found);
            }
        }
    }
    // A Pod's containers do not change after its creation, so a difference stays.
    if !wrong.sentences.is_empty() {
        wrong.extend(new);
        wrong.note_moves();
        Verdict::Never(wrong.finding(&who))
    } else if !new.sentences.is_empty() {
        Verdict::New(new.finding(&who))
    } else {
        Verdict::Pass(same.finding(&who))
    }
}

/// What is said of several fields, to be put together.
#[derive(Default)]
struct Fields {
    sentences: Vec<String>,
    notes: Vec<String>,
    expected: Vec<String>,
    found: Vec<String>,
    diff: Vec<String>,
    /// Lines that a field lost, and lines that it gained.
    removed: Vec<(PodField, String)>,
    added: Vec<(PodField, String)>,
    /// How many have no snapshot.
    new_snapshots: usize,
}

impl Fields {
    fn note_lines(&mut self, field: PodField, expected: &str, found: &str) {
        let (removed, added) = one_sided(expected, found);
        let bare = |line: &&str| (field, line.trim().trim_end_matches(',').to_owned());
        self.removed.extend(removed.iter().map(bare));
        self.added.extend(added.iter().map(bare));
    }

    /// Says which lines left one field for another.
    fn note_moves(&mut self) {
        for (from, line) in &self.removed {
            let to = self
                .added
                .iter()
                .find(|(to, added)| to != from && added == line);
            if let Some((to, _)) = to {
                let value = line.trim_start_matches("- ");
                self.sentences
                    .push(format!("{value} moved from {} to {}", from.key(), to.key()));
            }
        }
    }

    fn extend(&mut self, other: Self) {
        self.sentences.extend(other.sentences);
        self.found.extend(other.found);
    }

    fn finding(self, who: &str) -> Finding {
        let joined = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join("\n"));
        Finding {
            message: std::iter::once(format!("{who}: {}", self.sentences.join("; ")))
                .chain(self.notes)
                .collect::<Vec<_>>()
                .join("\n"),
            expected: joined(self.expected),
            found: joined(self.found),
            diff: joined(self.diff),
            new_snapshots: self.new_snapshots,
        }
    }
}

/// The Pod that a check means. Of a submitter or a clean-up of Redis it is the Pod that its Job
/// describes, so that it can be judged where no controller makes Pods of Jobs.
fn find<'a>(check: &PodCheck, observation: &'a Observation) -> Option<Cow<'a, Pod>> {
    if !check.role.is_of_job() {
        return find_pod(check, observation).map(Cow::Borrowed);
    }
    let job = pods::job(observation, check.role)?;
    let template = &job.spec.as_ref()?.template;
    let pod = Pod {
        metadata: job.metadata.clone(),
        spec: template.spec.clone(),
        status: None,
    };
    Some(Cow::Owned(pod))
}

fn find_pod<'a>(check: &PodCheck, observation: &'a Observation) -> Option<&'a Pod> {
    let all = pods::all(observation, check.role, check.group.as_deref());
    let Some(created) = check.created else {
        return all.into_iter().next();
    };
    let before = observation.before_steps.as_ref()?;
    let is_old = |pod: &&Pod| {
        pod.metadata
            .uid
            .as_ref()
            .is_some_and(|uid| before.contains(uid))
    };
    let lives = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none();
    match created {
        PodCreated::After => all.into_iter().find(|pod| lives(pod) && !is_old(pod)),
        // Only a newer Pod shows that the operator has seen what was applied and had its time to
        // act on it.
        PodCreated::Before if observation.pods.iter().any(|pod| !is_old(&pod)) => {
            all.into_iter().find(|pod| lives(pod) && is_old(pod))
        }
        PodCreated::Before => None,
    }
}

/// What was last seen where the Pod is not there.
fn absent(check: &PodCheck, observation: &Observation) -> String {
    let seen = pods::absent(observation, check.role, check.group.as_deref());
    match check.created {
        Some(_) if observation.before_steps.is_none() => {
            "the steps still wait for the Pods that they need".to_owned()
        }
        Some(created) => format!("created {} the steps: {seen}", created.word()),
        None => seen,
    }
}

/// What a Pod, or one of its containers, holds in a field; `null` where it holds nothing.
fn value(pod: &Pod, container: Option<&Container>, field: PodField) -> Value {
    match field {
        PodField::Command => json!(container.and_then(|container| container.command.as_ref())),
        PodField::Args => json!(container.and_then(|container| container.args.as_ref())),
        PodField::Env => json!(container.and_then(|container| container.env.as_ref())),
        PodField::Lifecycle => json!(container.and_then(|container| container.lifecycle.as_ref())),
        PodField::Resources => json!(container.and_then(|container| container.resources.as_ref())),
        PodField::Probes => json!({
            "readinessProbe": container.and_then(|container| container.readiness_probe.as_ref()),
            "livenessProbe": container.and_then(|container| container.liveness_probe.as_ref()),
            "startupProbe": container.and_then(|container| container.startup_probe.as_ref()),
        }),
        PodField::Containers => {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            json!(
                containers
                    .map(|container| &container.name)
                    .collect::<Vec<_>>()
            )
        }
        PodField::InitContainers => {
            let containers = pod
                .spec
                .iter()
                .flat_map(|spec| spec.init_containers.iter().flatten());
            let entry = |container: &Container| json!({ "name": container.name, "command": container.command, "args": container.args });
            json!(containers.map(entry).collect::<Vec<_>>())
        }
    }
}
