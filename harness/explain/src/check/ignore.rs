//! Findings that are left out: by option, by configuration, and by an annotation on the object.

use std::cell::RefCell;
use std::collections::BTreeSet;

use kuberay_manifest::yaml::Node;
use kuberay_manifest::{Location, Severity, Source};

use super::document::CheckFinding;
use super::ids::{Other, is_id, nearest};
use super::{Options, finding, region};
use crate::document::Object;
use crate::objects::RayObject;

/// An id to ignore, and the file that lists it.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{Ignore, Options, check};
/// use kuberay_manifest::Source;
///
/// let manifest = r#"
/// apiVersion: ray.io/v1
/// kind: RayCluster
/// metadata: {name: demo}
/// spec:
///   headGroupSpec:
///     rayStartParams: {}
///     template:
///       spec:
///         containers:
///         - {name: ray-head, image: ray, args: ["prepare &"], resources: {limits: {cpu: 1}}}
/// "#;
/// let sources = [Source::new(Path::new("demo.yaml"), manifest)];
/// let mut options = Options::new(vec!["1.6.2".parse()?]);
/// options.ignore = vec![Ignore { id: "trailing-ampersand".into(), origin: None }];
/// assert!(check(&sources, &options)?.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The id.
    pub id: String,
    /// The file and the position in it; `None` for an option of the command line.
    pub origin: Option<(String, Location)>,
}

/// The selected and ignored ids, and the ignored ids that were found.
pub(super) struct Ignores<'a> {
    options: &'a Options,
    used: BTreeSet<String>,
}

impl<'a> Ignores<'a> {
    pub(super) fn new(options: &'a Options) -> Self {
        Self {
            options,
            used: BTreeSet::new(),
        }
    }

    /// Returns whether a finding is reported.
    pub(super) fn keeps(&mut self, finding: &CheckFinding, own: Option<&Own>) -> bool {
        if own.is_some_and(|own| own.takes(&finding.id)) {
            return false;
        }
        if self
            .options
            .ignore
            .iter()
            .any(|ignore| ignore.id == finding.id)
        {
            self.used.insert(finding.id.clone());
            return false;
        }
        let select = &self.options.select;
        select.is_empty() || finding.severity == Severity::Error || select.contains(&finding.id)
    }

    pub(super) fn keep(
        &mut self,
        finding: CheckFinding,
        own: Option<&Own>,
    ) -> Option<CheckFinding> {
        self.keeps(&finding, own).then_some(finding)
    }

    /// The ids of options and configuration that were not found.
    pub(super) fn unused(mut self) -> Vec<CheckFinding> {
        let mut unused: Vec<CheckFinding> = Vec::new();
        for ignore in &self.options.ignore {
            if self.used.contains(&ignore.id) {
                continue;
            }
            let (file, at) = ignore.origin.clone().unwrap_or_default();
            let at = if file.is_empty() {
                Location { line: 1, column: 1 }
            } else {
                at
            };
            let end = Location {
                column: at.column + 1,
                ..at
            };
            let one = finding(Other::UnusedIgnore, &file, (at, end), message(&ignore.id));
            unused.push(one);
        }
        unused.retain(|one| self.keeps(one, None));
        unused
    }
}

fn message(id: &str) -> String {
    if is_id(id) {
        format!("`{id}` is ignored and was not found; leave it out")
    } else {
        let near = nearest(id).map(|near| format!("; did you mean `{near}`?"));
        format!(
            "`{id}` is ignored and no id of a finding{}",
            near.unwrap_or_default()
        )
    }
}

/// The ids that an object's annotation ignores.
pub(super) struct Own {
    ids: Vec<String>,
    region: (Location, Location),
    used: RefCell<BTreeSet<String>>,
}

impl Own {
    pub(super) fn of(source: &Source, object: &RayObject) -> Self {
        let text = object
            .ignore
            .as_ref()
            .and_then(Node::text)
            .unwrap_or_default();
        let ids = text
            .split([',', ' ', '\n'])
            .map(str::trim)
            .filter(|id| !id.is_empty());
        Self {
            ids: ids.map(Into::into).collect(),
            region: object
                .ignore
                .as_ref()
                .map(|node| region::region(source, node))
                .unwrap_or_default(),
            used: RefCell::default(),
        }
    }

    fn takes(&self, id: &str) -> bool {
        let takes = self.ids.iter().any(|own| own == id);
        if takes {
            self.used.borrow_mut().insert(id.into());
        }
        takes
    }

    /// The ids that were not found.
    pub(super) fn unused(
        &self,
        file: &str,
        object: &Object,
        ignores: &mut Ignores,
    ) -> Vec<CheckFinding> {
        let used = self.used.borrow().clone();
        let unused = self
            .ids
            .iter()
            .filter(|id| !used.contains(*id) && *id != Other::UnusedIgnore.id());
        let findings = unused.map(|id| {
            let mut one = finding(Other::UnusedIgnore, file, self.region, message(id));
            one.object = Some(object.clone());
            one
        });
        findings
            .filter(|one| ignores.keeps(one, Some(self)))
            .collect()
    }
}
