//! What is wrong with a scenario file, each with its place; the rules find it.

use std::time::Duration;

use kuberay_manifest::yaml::Node;
use kuberay_manifest::{Diagnostic, Source};

use super::Role;
use super::duration::{DurationError, parse_duration};

/// The shortest time that a check may watch for something.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
/// What to do about a time that is shorter.
pub(crate) const WATCH_LONGER: &str = "watch for at least one second, better for several";

/// The problems of one file.
pub(crate) struct Problems<'a> {
    pub source: &'a Source,
    found: Vec<Diagnostic>,
}

impl<'a> Problems<'a> {
    pub fn new(source: &'a Source) -> Self {
        Self {
            source,
            found: Vec::new(),
        }
    }

    pub fn found(self) -> Vec<Diagnostic> {
        self.found
    }

    pub fn error(&mut self, node: &Node, message: impl Into<String>, help: &str) {
        let problem = self.source.error(&node.place, message);
        self.found.push(problem.with_help(help));
    }

    /// A length of time. The form is the schema's; here remain values of that form that make no
    /// sense.
    pub fn duration(&mut self, node: Option<&Node>) {
        use DurationError::{TooLong, Zero};
        let Some(node) = node else { return };
        if let Some(Err(error @ (Zero(_) | TooLong(_)))) = node.text().map(parse_duration) {
            let problem = self.source.error(&node.place, error.to_string());
            self.found.push(problem);
        }
    }

    /// A time in which something could happen that must not: Kubernetes gives its times in whole
    /// seconds.
    pub fn watched(&mut self, node: Option<&Node>, help: &str) {
        self.duration(node);
        let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) else {
            return;
        };
        if parse_duration(text).is_ok_and(|length| length < SHORTEST_WATCH) {
            let message = format!("nothing happens within `{text}`, so every cluster passes");
            self.error(node, message, help);
        }
    }

    /// A role whose Pods a check of this kind can look at. The Pods of a Job come and go; there may
    /// be several.
    pub fn no_pod_of_a_job(&mut self, kind: &str, role: Option<&Node>) {
        let of_job = |text: &str| {
            Role::ALL
                .iter()
                .any(|role| role.is_of_job() && role.word() == text)
        };
        if let Some(role) = role.filter(|role| role.text().is_some_and(of_job)) {
            let message = format!(
                "`{kind}` does not support the {}",
                role.text().unwrap_or_default()
            );
            self.error(role, message, "use a `pod`, `logs` or `state` check");
        }
    }
}
