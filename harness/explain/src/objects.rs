//! The objects of a file that are KubeRay's, wherever they lie in it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use kuberay_contract::EffectiveSettings;
use kuberay_manifest::yaml::{MappingKey, Node, Yaml};
use kuberay_manifest::{Diagnostic, Item, Owner, Sought, Source, Walk, items, join};
use serde_json::Value;

use super::document::{Container, Object};

/// The annotation that lists the ids of findings to ignore, separated by commas or blanks.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{ANNOTATION, Options, check};
/// use kuberay_manifest::Source;
///
/// let manifest = r#"
/// apiVersion: ray.io/v1
/// kind: RayCluster
/// metadata: {name: demo, annotations: {kuberay-conformance.io/ignore: trailing-ampersand}}
/// spec:
///   headGroupSpec:
///     rayStartParams: {}
///     template:
///       spec:
///         containers:
///         - {name: ray-head, image: ray, args: ["prepare &"], resources: {limits: {cpu: 1}}}
/// "#;
/// let sources = [Source::new(Path::new("demo.yaml"), manifest)];
/// let report = check(&sources, &Options::new(vec!["1.6.2".parse()?]))?;
/// assert!(manifest.contains(ANNOTATION));
/// assert!(report.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const ANNOTATION: &str = "kuberay-conformance.io/ignore";

/// The API group of KubeRay's objects.
const GROUP: &str = "ray.io";

/// The API versions that KubeRay serves.
const VERSIONS: [&str; 2] = ["ray.io/v1", "ray.io/v1alpha1"];

/// The kinds of KubeRay.
pub(super) const KINDS: [&str; 4] = ["RayCluster", "RayJob", "RayService", "RayCronJob"];

/// The search in other objects, including templates such as those of fleets of RayClusters.
const SOUGHT: Sought = Sought {
    group: GROUP,
    api_version: VERSIONS[0],
    templates: &[
        ("headGroupSpec", "RayCluster"),
        ("rayClusterSpec", "RayJob"),
        ("rayClusterConfig", "RayService"),
    ],
};

/// Most objects of other kinds that are named one by one.
const NAMED: usize = 5;

/// An object that the operator makes Pods of.
pub(super) struct RayObject {
    /// The object; for a `RayCronJob` the `RayJob` that it makes.
    pub node: Node,
    /// The object as it is written, where that is another one.
    cron: Option<Node>,
    /// Its entry in the document.
    pub object: Object,
    /// The ids that its annotation ignores, where it has the annotation.
    pub ignore: Option<Node>,
    /// `true` if the object around it fills in parts of its text.
    pub holes: bool,
}

/// An object whose kind has the name of one of KubeRay's, but whose API is another.
pub(super) struct Stranger {
    /// The object.
    pub object: Object,
    /// The reason why it is not KubeRay's.
    pub why: String,
    /// The message of kubectl, where the group is KubeRay's and the kind is not.
    pub refused: Option<String>,
    /// Its `apiVersion`, or the object where it has none.
    pub node: Node,
}

/// The objects of a file.
#[derive(Default)]
pub(super) struct Objects {
    /// KubeRay's objects, in the order of the file.
    pub found: Vec<RayObject>,
    /// Objects that could be taken for KubeRay's.
    pub strangers: Vec<Stranger>,
    /// The objects that were left out, each with its line and the reason.
    pub notes: Vec<(usize, String)>,
}

impl RayObject {
    /// The object as it is written.
    pub(super) fn written(&self) -> &Node {
        self.cron.as_ref().unwrap_or(&self.node)
    }

    /// The same for the model; made anew with each call.
    pub(super) fn json(&self) -> Value {
        self.written().to_json()
    }

    /// The settings with which the operator makes Pods of the object: those of a `RayCronJob` are
    /// shown although its gate is off.
    pub(super) fn settings<'a>(&self, given: &'a EffectiveSettings) -> Cow<'a, EffectiveSettings> {
        if self.cron.is_none() {
            return Cow::Borrowed(given);
        }
        let mut settings = given.clone();
        settings.feature_gates.insert("RayCronJob".into(), true);
        Cow::Owned(settings)
    }

    /// Returns the path in the file's document of a path in the object.
    pub(super) fn path(&self, path: &str) -> String {
        let own = match path.strip_prefix("spec") {
            Some(rest)
                if self.cron.is_some() && (rest.is_empty() || rest.starts_with(['.', '['])) =>
            {
                format!("spec.jobTemplate{rest}")
            }
            _ => path.to_owned(),
        };
        self.outer(&own)
    }

    /// Returns the path in the file's document of a path in the object as it is written.
    pub(super) fn outer(&self, own: &str) -> String {
        match (self.object.path.is_empty(), own.is_empty()) {
            (true, _) => own.into(),
            (false, true) => self.object.path.clone(),
            (false, false) if own.starts_with('[') => format!("{}{own}", self.object.path),
            (false, false) => format!("{}.{own}", self.object.path),
        }
    }

    /// Gives the traps of containers the paths that they have in the document.
    pub(super) fn relocate(&self, containers: &mut [Container]) {
        for warning in containers.iter_mut().flat_map(|one| &mut one.warnings) {
            warning.path = self.path(&warning.path);
        }
    }
}

/// Returns the objects of a file's documents.
///
/// # Errors
/// When one of KubeRay's objects is an unrendered Helm template.
pub(super) fn of(source: &Source, documents: Vec<Node>) -> Result<Objects, Diagnostic> {
    let Walk { items, unread } = items(source, documents, &SOUGHT);
    let mut all = Objects::default();
    let mut others = Vec::new();
    for item in items {
        let object = object(source, &item);
        let api = text(&item.node, "apiVersion").to_owned();
        let known = KINDS.contains(&object.kind.as_str());
        let group = api.split_once('/').map_or("", |(group, _)| group);
        // A version of the group that nobody serves, and none at all, are refused. A version
        // without a group is Kubernetes' own, which has no such kind.
        if known && (group == GROUP || !api.contains('/')) {
            super::template::in_object(source, &item.node)?;
            if let Some(owner) = &item.owner {
                let line = object.line;
                all.notes.push((line, inside(&object, owner)));
            }
            all.found.push(found(item, object, &mut all.notes));
        } else if known {
            let why = format!("{} of {api}", object.kind);
            let why =
                format!("{why} is not KubeRay's (ray.io/v1, ray.io/v1alpha1) and was left out");
            let node = item.node.get("apiVersion").cloned().unwrap_or(item.node);
            all.strangers.push(Stranger {
                object,
                why,
                refused: None,
                node,
            });
        } else if group == GROUP {
            let kinds = KINDS.join(", ");
            let why = format!(
                "{api} has no kind {}; KubeRay's are {kinds}: it was left out",
                object.kind
            );
            let refused = if object.kind.is_empty() {
                "error validating data: kind not set".to_owned()
            } else {
                format!("no matches for kind {:?} in version {api:?}", object.kind)
            };
            let node = item.node.get("kind").cloned().unwrap_or(item.node);
            all.strangers.push(Stranger {
                object,
                why,
                refused: Some(refused),
                node,
            });
        } else {
            others.push(object);
        }
    }
    for text in unread {
        let why = format!(
            "{} is no plain YAML and was left out; render it first",
            text.path
        );
        all.notes.push((text.location.line, why));
    }
    left_out(&others, &mut all.notes);
    all.notes.sort_by_key(|(line, _)| *line);
    Ok(all)
}

fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    node.get(key).and_then(Node::text).unwrap_or_default()
}

fn object(source: &Source, item: &Item) -> Object {
    let metadata = item.node.get("metadata");
    let part = |key| {
        metadata
            .map_or("", |metadata| text(metadata, key))
            .to_owned()
    };
    let (name, start) = (part("name"), part("generateName"));
    Object {
        kind: text(&item.node, "kind").to_owned(),
        name: if name.is_empty() { start } else { name },
        line: item.node.place.location.line,
        file: source.path.display().to_string(),
        path: item.path.clone(),
    }
}

fn inside(object: &Object, owner: &Owner) -> String {
    let owner = format!("{} {}", owner.kind, owner.name);
    format!(
        "{} {} is in {} at {}",
        object.kind,
        object.name,
        owner.trim(),
        object.path
    )
}

fn left_out(others: &[Object], notes: &mut Vec<(usize, String)>) {
    if others.len() > NAMED {
        let kinds: BTreeSet<&str> = others.iter().map(|other| other.kind.as_str()).collect();
        let kinds = kinds
            .into_iter()
            .filter(|kind| !kind.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        let why = format!(
            "{} objects make no Ray Pods and were left out ({kinds})",
            others.len()
        );
        notes.push((others[0].line, why));
        return;
    }
    for other in others {
        let what = if other.kind.is_empty() {
            "a document without a kind"
        } else {
            &other.kind
        };
        notes.push((
            other.line,
            format!("{what} creates no Ray Pods and was left out"),
        ));
    }
}

fn found(item: Item, object: Object, notes: &mut Vec<(usize, String)>) -> RayObject {
    let annotations = item
        .node
        .get("metadata")
        .and_then(|node| node.get("annotations"));
    let ignore = annotations.and_then(|node| node.get(ANNOTATION)).cloned();
    let holes = item.holes;
    let (node, cron) = if object.kind == "RayCronJob" {
        let why = format!(
            "RayCronJob {}: the output shows the RayJob that {} creates on its schedule",
            object.name,
            join("spec", "jobTemplate")
        );
        notes.push((object.line, why));
        (job_of_cron(&item.node), Some(item.node))
    } else {
        (item.node, None)
    };
    RayObject {
        node,
        cron,
        object,
        ignore,
        holes,
    }
}

/// The `RayJob` that a `RayCronJob` makes: its name is followed by a random part, and nothing else
/// of its metadata is copied (`raycronjob_controller.go`, `constructRayJob`).
fn job_of_cron(cron: &Node) -> Node {
    let place = cron.place.clone();
    let node = |value: Yaml| Node {
        value,
        place: place.clone(),
    };
    let key = |name: &str| MappingKey {
        name: name.into(),
        place: place.clone(),
    };
    let of_text = |text: String| node(Yaml::Text(text));
    let metadata = cron.get("metadata");
    let name = metadata.map_or("", |metadata| text(metadata, "name"));
    let mut own = vec![(key("generateName"), of_text(format!("{name}-")))];
    if let Some(namespace) = metadata.and_then(|metadata| metadata.get("namespace")) {
        own.push((key("namespace"), namespace.clone()));
    }
    let template = cron.get("spec").and_then(|spec| spec.get("jobTemplate"));
    let mut entries = vec![
        (key("apiVersion"), of_text(VERSIONS[0].into())),
        (key("kind"), of_text("RayJob".into())),
        (key("metadata"), node(Yaml::Map(own))),
    ];
    entries.extend(template.map(|spec| (key("spec"), spec.clone())));
    node(Yaml::Map(entries))
}
