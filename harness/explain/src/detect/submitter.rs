//! The parts that the shell of a submitter replaces: the variables that it knows, and the fields
//! beside the entrypoint that it reads in double quotes.

use std::path::Path;

use kuberay_contract::ContainerContract;
use kuberay_manifest::yaml::{self, Node, Yaml};
use kuberay_manifest::{Cursor, Source};

use super::{after_kubelet, env, warn, warn_at};
use crate::document::Warning;
use crate::services;
use crate::shell::{self, Expansion};
use crate::warning as trap;

/// The variables of a submitter's container.
pub(super) struct Variables<'a> {
    submitter: &'a ContainerContract,
    /// `true` if it has those of the namespace's Services.
    links: bool,
    /// `true` if `envFrom` may give it others.
    from_elsewhere: bool,
}

impl<'a> Variables<'a> {
    /// Reads the template of the submitter; beside the head it has none.
    pub fn of(submitter: &'a ContainerContract, spec: &Cursor) -> Self {
        let pod = spec
            .find(&["submitterPodTemplate", "spec"])
            .filter(|_| !is_sidecar(spec));
        let containers = pod.as_ref().map(|pod| pod.items("containers"));
        let first = containers.as_deref().and_then(<[Cursor]>::first);
        Self {
            submitter,
            links: env::service_links(pod.as_ref()),
            from_elsewhere: first.is_some_and(|first| !first.items("envFrom").is_empty()),
        }
    }

    /// Returns whether the shell may have a variable of this name from its Pod.
    pub fn may_have(&self, name: &str) -> bool {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        self.submitter.variable(name).is_some()
            || services::likely_defines(name, self.links)
            || self.from_elsewhere && is_name
    }

    /// A text as the kubelet gives it to the shell; offsets stay.
    pub fn after_kubelet(&self, text: &str) -> String {
        after_kubelet(text, |name| {
            let known = self.submitter.variable(name).is_some()
                || services::may_define(name, self.links)
                || self.from_elsewhere && env::is_capital(name);
            known.then(|| ".".repeat("$()".len() + name.len()))
        })
    }

    /// Returns the part that bash replaces in a text in double quotes (`strconv.Quote` in
    /// controllers/ray/common/job.go).
    fn replaced(&self, text: &str) -> Option<String> {
        let seen = self.after_kubelet(&text.replace(['"', '\\'], "."));
        let unknown = |one: &Expansion| {
            let variable = one.variable.as_deref();
            variable.is_none_or(|name| !self.may_have(name))
        };
        let mut expansions = shell::expansions(&format!("\"{seen}")).into_iter();
        let first = expansions.find(unknown).map(|one| one.what);
        // The number of bash's process, and what it refuses.
        let other = || {
            ["$$", "${{", "${}"]
                .into_iter()
                .find(|one| seen.contains(one))
        };
        first.or_else(|| other().map(Into::into))
    }

    /// The first text of a document in which bash replaces something.
    fn replaced_in(&self, node: &Node) -> Option<(usize, String)> {
        let start = |node: &Node| node.place.span.start;
        match &node.value {
            Yaml::Text(text) => Some((start(node), self.replaced(text)?)),
            Yaml::List(items) => items.iter().find_map(|item| self.replaced_in(item)),
            Yaml::Map(entries) => entries.iter().find_map(|(key, value)| {
                let key = self
                    .replaced(&key.name)
                    .map(|what| (key.place.span.start, what));
                key.or_else(|| self.replaced_in(value))
            }),
            Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) => None,
        }
    }
}

/// Returns whether the submitter runs beside the head.
pub(super) fn is_sidecar(spec: &Cursor) -> bool {
    let mode = spec.get("submissionMode");
    mode.is_some_and(|mode| mode.text() == "SidecarMode")
}

/// The traps of fields that the operator writes into the script in double quotes; `metadata` says
/// whether it writes the metadata.
pub(super) fn fields(
    source: &str,
    variables: &Variables,
    spec: &Cursor,
    metadata: bool,
    found: &mut Vec<Warning>,
) {
    let detail =
        |what: &str, field: &str| format!("`{what}` in {field} is replaced in the submitter");
    if let Some(runtime) = spec.get("runtimeEnvYAML") {
        let inner = Source::new(Path::new("runtimeEnvYAML"), runtime.text());
        let documents = yaml::parse(&inner).unwrap_or_default();
        let first = documents.first();
        if let Some((at, what)) = first.and_then(|first| variables.replaced_in(first)) {
            let place = shell::location(source, &runtime, at);
            let detail = detail(&what, "runtimeEnvYAML");
            found.push(warn_at(
                trap::ENTRYPOINT_RUNS_HERE,
                &runtime,
                place,
                &detail,
            ));
        }
    }
    let entries = spec.entries("metadata").into_iter().filter(|_| metadata);
    let in_metadata = entries.into_iter().find_map(|(name, value)| {
        let what = variables
            .replaced(name)
            .or_else(|| variables.replaced(value.text()))?;
        Some((what, value))
    });
    if let Some((what, at)) = in_metadata {
        let detail = detail(&what, "metadata");
        found.push(warn(trap::ENTRYPOINT_RUNS_HERE, &at, &detail));
    }
    if let Some(resources) = spec.get("entrypointResources")
        && let Some(what) = variables.replaced(resources.text())
    {
        let detail = detail(&what, "entrypointResources");
        found.push(warn(trap::ENTRYPOINT_RUNS_HERE, &resources, &detail));
    }
}
