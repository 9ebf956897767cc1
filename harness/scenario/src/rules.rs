//! What the schema can't say about a scenario file; each finding has its place.

mod operator_settings;

use std::path::{Component, Path};
use std::time::Duration;

use kuberay_manifest::yaml::{Node, Yaml};
use kuberay_manifest::{Diagnostic, Source};
use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Look, LookSet};
use semver::VersionReq;

use super::checks::NEED_KUBELET;
use super::duration::parse_duration;
use super::load::DEFAULT_TIMEOUT;
use super::{PodField, Role, files};

/// The shortest time that a check may watch for something.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
const WATCH_LONGER: &str = "watch for at least one second, better for several";
/// Lines that have nothing in common: what matches all of them matches any line that is not empty.
const UNRELATED: [&str; 2] = ["q", "7"];

/// Finds what is wrong with a tree beyond its shape; where the shape is wrong, nothing is said twice.
pub fn check(source: &Source, tree: &Node, folder: &str) -> Vec<Diagnostic> {
    let mut rules = Rules {
        source,
        problems: Vec::new(),
    };
    rules.name(tree, folder);
    if let Some(spec) = tree.get("spec") {
        for range in ["operator", "ray"] {
            rules.version_range(spec, range);
        }
        rules.duration(spec.get("timeout"));
        for manifest in spec.get("manifests").map_or(&[][..], Node::items) {
            rules.manifest(manifest);
        }
        rules.checks(spec);
        rules.steps(spec);
        operator_settings::check(&mut rules, spec);
    }
    rules.problems
}

/// The expression of a text between slashes; none for a plain text.
fn expression(text: &str) -> Option<&str> {
    text.strip_prefix('/')?
        .strip_suffix('/')
        .filter(|body| !body.is_empty())
}

/// What of a scenario needs a kubelet, as a word of the file; such a scenario runs on kind.
pub(super) fn needs_kubelet(spec: &Node) -> Option<String> {
    let checks = spec.get("checks").map_or(&[][..], Node::items);
    let kinds = checks.iter().filter_map(|check| match &check.value {
        Yaml::Map(entries) => entries.first().map(|(kind, _)| kind.name.clone()),
        _ => None,
    });
    let check = kinds
        .into_iter()
        .find(|kind| NEED_KUBELET.contains(&kind.as_str()));
    check.or_else(|| {
        let upgrades = spec.get("upgradeFrom").filter(|_| !marks_ready(spec));
        upgrades.map(|_| "upgradeFrom".into())
    })
}

/// Whether the runner makes Pods ready, in a target without a kubelet.
fn marks_ready(spec: &Node) -> bool {
    let ready = spec.get("steps").and_then(|steps| steps.get("markReady"));
    ready.is_some_and(|ready| ready.value == Yaml::Bool(true))
}

/// Whether an expression can match a line at all.
fn can_match_a_line(expression: &str) -> bool {
    regex_syntax::parse(expression).map_or(true, |parsed| can_match(&parsed))
}

/// Whether an expression can match a text without a line end. What it can match is always found; of what it can't, only
/// common mistakes are.
fn can_match(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => !literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => class
            .iter()
            .any(|range| range.start() != '\n' || range.end() != '\n'),
        HirKind::Class(Class::Bytes(class)) => class
            .iter()
            .any(|range| range.start() != b'\n' || range.end() != b'\n'),
        HirKind::Repetition(repetition) => repetition.min == 0 || can_match(&repetition.sub),
        HirKind::Capture(capture) => can_match(&capture.sub),
        HirKind::Alternation(parts) => parts.iter().any(can_match),
        HirKind::Concat(parts) => {
            let takes = |part: &Hir| {
                part.properties()
                    .minimum_len()
                    .is_none_or(|least| least > 0)
            };
            let any =
                |set: LookSet, looks: [Look; 2]| looks.into_iter().any(|look| set.contains(look));
            let begins = |part: &Hir| {
                any(
                    part.properties().look_set_prefix(),
                    [Look::Start, Look::StartLF],
                )
            };
            let ends = |part: &Hir| {
                any(
                    part.properties().look_set_suffix(),
                    [Look::End, Look::EndLF],
                )
            };
            let misplaced = (0..parts.len()).any(|index| {
                let (before, after) = (&parts[..index], &parts[index + 1..]);
                begins(&parts[index]) && before.iter().any(takes)
                    || ends(&parts[index]) && after.iter().any(takes)
            });
            !misplaced && parts.iter().all(can_match)
        }
    }
}

pub(super) struct Rules<'a> {
    source: &'a Source,
    problems: Vec<Diagnostic>,
}

impl Rules<'_> {
    pub(super) fn error(&mut self, node: &Node, message: impl Into<String>, help: &str) {
        let problem = self.source.error(&node.place, message);
        self.problems.push(problem.with_help(help));
    }

    fn name(&mut self, tree: &Node, folder: &str) {
        let Some(name) = tree
            .get("metadata")
            .and_then(|metadata| metadata.get("name"))
        else {
            return;
        };
        if name.text().is_some_and(|name| name != folder) {
            let message = format!("the name differs from that of the folder, `{folder}`");
            self.error(name, message, "give both the same name");
        }
    }

    fn version_range(&mut self, spec: &Node, key: &str) {
        let Some(node) = spec.get(key) else { return };
        if let Some(Err(error)) = node.text().map(VersionReq::parse) {
            let message = format!("`{key}` is not a range of versions: {error}");
            self.error(
                node,
                message,
                "write a semver range, such as \">=1.4, <1.7\"",
            );
        }
    }

    /// The form is the schema's; here remain values of that form that make no sense.
    fn duration(&mut self, node: Option<&Node>) {
        use super::DurationError::{TooLong, Zero};
        let Some(node) = node else { return };
        if let Some(Err(error @ (Zero(_) | TooLong(_)))) = node.text().map(parse_duration) {
            let problem = self.source.error(&node.place, error.to_string());
            self.problems.push(problem);
        }
    }

    /// A time in which something could happen that must not: Kubernetes gives its times in whole seconds.
    fn watched(&mut self, node: Option<&Node>, help: &str) {
        self.duration(node);
        let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) else {
            return;
        };
        if parse_duration(text).is_ok_and(|length| length < SHORTEST_WATCH) {
            let message = format!("nothing happens within `{text}`, so every cluster passes");
            self.error(node, message, help);
        }
    }

    /// A check's own limit ends before that of all.
    fn within(&mut self, body: &Node, spec: &Node) {
        let Some(node) = body.get("within") else {
            return;
        };
        self.duration(Some(node));
        let length = |node: &Node| node.text().and_then(|text| parse_duration(text).ok());
        let all = spec.get("timeout").map_or(Some(DEFAULT_TIMEOUT), length);
        if let (Some(own), Some(all)) = (length(node), all)
            && own > all
        {
            let message = format!("all checks together have {all:?}, which is less");
            self.error(node, message, "shorten it, or raise `timeout`");
        }
    }

    fn manifest(&mut self, manifest: &Node) {
        if let Some(name) = manifest.get("sample") {
            if name
                .text()
                .is_some_and(|text| text.is_empty() || text.contains(['/', '\\']))
            {
                let message = "a sample is named without its folder";
                self.error(
                    name,
                    message,
                    "write a file name of the release's config/samples",
                );
            }
            return;
        }
        let Some(text) = manifest.text() else { return };
        let inside = Path::new(text)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if text.is_empty() || !inside {
            let message = format!("the manifest `{text}` does not lie in the scenario's folder");
            self.error(
                manifest,
                message,
                "keep it beside the scenario file and write only its name",
            );
            return;
        }
        let folder = self.source.folder();
        let file = folder.join(text);
        match files::open(folder, &file) {
            Ok(_) => {}
            Err(error) if error.is_absence() => {
                let message =
                    format!("the manifest `{text}` does not exist in the scenario's folder");
                self.error(manifest, message, "add the file, or correct its name");
            }
            Err(error) => {
                let message = format!("the manifest `{text}` {error}");
                self.error(
                    manifest,
                    message,
                    "put the file itself beside the scenario file",
                );
            }
        }
    }

    fn checks(&mut self, spec: &Node) {
        let checks = spec.get("checks").map_or(&[][..], Node::items);
        let has_job = checks.iter().any(|check| check.get("job").is_some());
        let marks_ready = marks_ready(spec);
        for check in checks {
            let Yaml::Map(entries) = &check.value else {
                continue;
            };
            for (kind, body) in entries {
                if marks_ready && NEED_KUBELET.contains(&kind.name.as_str()) {
                    let message = format!(
                        "`{}` needs a kubelet, and `markReady` needs a target without one",
                        kind.name
                    );
                    self.error(check, message, "leave `markReady` or this check out");
                }
                // That no submitter comes can be seen, however often a Job would make one.
                if !["pod", "logs", "state", "absent"].contains(&kind.name.as_str()) {
                    let pods = ["restarts", "ready", "node"].map(|key| body.get(key));
                    for pod in pods.into_iter().flatten().chain([body]) {
                        self.no_job(&kind.name, pod.get("role"));
                    }
                }
                if kind.name != "logs" {
                    for key in ["after", "first", "then"] {
                        self.no_end(body.get(key));
                    }
                }
                self.within(body, spec);
                match kind.name.as_str() {
                    "pod" => self.pod(body),
                    "logs" => self.logs(body),
                    "state" => self.state(body),
                    "never" => self.watched(body.get("for"), WATCH_LONGER),
                    "reached" => self.reached(body),
                    "absent" => self.absent(body),
                    _ => {}
                }
                if !has_job {
                    self.milestones(body);
                }
            }
        }
    }

    /// What a steps applies and deletes needs its moment.
    fn steps(&mut self, spec: &Node) {
        let steps = spec.get("steps");
        let key = |key: &str| steps.and_then(|steps| steps.get(key));
        if let Some(apply) = key("apply") {
            self.manifest(apply);
        }
        if let Some(between) = key("applyBetween") {
            self.manifest(between);
            if spec.get("upgradeFrom").is_none() || !marks_ready(spec) {
                let message = "this is applied between two operators, on envtest";
                let help = "add `upgradeFrom` and `markReady: true`, or write `apply`";
                self.error(between, message, help);
            }
        }
        let acts = key("apply").or(key("delete")).or(spec.get("upgradeFrom"));
        let ready = marks_ready(spec);
        let has_kubelet = needs_kubelet(spec).is_some();
        if let Some(act) = acts.filter(|_| !ready && !has_kubelet) {
            let message = "this is done once the RayCluster is ready, which it never is here";
            self.error(act, message, "add `markReady: true`");
        }
        for check in spec.get("checks").map_or(&[][..], Node::items) {
            if let Some(made) = check.get("pod").and_then(|pod| pod.get("made"))
                && acts.is_none()
            {
                let message = "there is no step before or after which a Pod could be created";
                self.error(
                    made,
                    message,
                    "add `apply` or `delete` to `steps`, or leave this out",
                );
            }
        }
    }

    /// A field of the Pod does not depend on a container; a submitter is only looked at as an object.
    fn pod(&mut self, body: &Node) {
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
                self.error(
                    field,
                    message,
                    "put it into a `pod` check without `container`",
                );
            }
        }
    }

    /// The Pods of a Job come and go; there may be several.
    fn no_job(&mut self, kind: &str, role: Option<&Node>) {
        let of_job = |text: &str| {
            Role::ALL
                .iter()
                .any(|role| role.is_of_job() && role.word() == text)
        };
        if let Some(role) = role.filter(|role| role.text().is_some_and(of_job)) {
            let message = format!(
                "`{kind}` does not know the {}",
                role.text().unwrap_or_default()
            );
            self.error(
                role,
                message,
                "look at it in a `pod`, `logs` or `state` check",
            );
        }
    }

    /// The milestone `ended` is of the container whose log it is.
    fn no_end(&mut self, milestone: Option<&Node>) {
        if let Some(milestone) = milestone.filter(|milestone| milestone.text() == Some("ended")) {
            let message = "only a `logs` check comes after `ended`";
            self.error(
                milestone,
                message,
                "expect the end and the restarts in a `state` check",
            );
        }
    }

    /// What must not exist can't be what it is waited for.
    fn absent(&mut self, body: &Node) {
        self.watched(body.get("for"), WATCH_LONGER);
        let Some(after) = body.get("after") else {
            return;
        };
        self.no_job("absent", after.get("role"));
        let text = |node: &Node, key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
        let group = text(body, "group");
        if text(body, "role") == text(after, "role")
            && (group.is_none() || group == text(after, "group"))
        {
            let message = "this check never passes: what it waits for is what must not exist";
            self.error(
                after,
                message,
                "name another role or group, such as that of a RayCluster applied later",
            );
        }
    }

    /// A milestone that only a `job` check can lift, in a scenario that has none.
    fn milestones(&mut self, body: &Node) {
        let named = ["after", "first", "then"]
            .into_iter()
            .filter_map(|key| body.get(key));
        for milestone in named.flat_map(|named| std::iter::once(named).chain(named.items())) {
            if milestone.text() == Some("job") {
                let message = "the milestone `job` is never reached";
                self.error(
                    milestone,
                    message,
                    "add a `job` check, or wait for another milestone",
                );
            }
        }
    }

    fn reached(&mut self, body: &Node) {
        self.watched(body.get("apart"), "write at least `1s`, or leave it out");
        let text = |key: &str| body.get(key).and_then(Node::text);
        if let Some(then) = body.get("then").filter(|_| text("first") == text("then")) {
            let message = "nothing is reached before itself";
            self.error(then, message, "name another milestone");
        }
        for key in ["first", "then"] {
            if let Some(ended) = body.get(key).filter(|_| text(key) == Some("ended")) {
                let message = "only the log of a container has the milestone `ended`";
                self.error(ended, message, "expect the end in a `state` check");
            }
        }
    }

    fn logs(&mut self, body: &Node) {
        let lines = body.get("lines").map_or(&[][..], Node::items);
        for line in lines {
            for key in ["must", "may", "not"] {
                if let Some(node) = line.get(key) {
                    self.pattern(node);
                }
            }
            if let Some(repeat) = line.get("repeat")
                && line.get("must").is_none()
                && line.get("may").is_none()
            {
                self.error(
                    repeat,
                    "`repeat` belongs to `must` or `may`",
                    "leave it out",
                );
            }
        }
        if !lines.is_empty() && lines.iter().all(|line| line.get("may").is_some()) {
            let message = "this check passes on any log, because all of its lines only may come";
            self.error(
                body,
                message,
                "add a line with `must`, `resources` or `not`",
            );
        }
        let has_milestone = body
            .get("after")
            .is_some_and(|after| !after.items().is_empty());
        if let Some(line) = lines.iter().find(|line| line.get("not").is_some())
            && !has_milestone
        {
            let message = "`not` needs a milestone, else it passes on a log that is still empty";
            self.error(
                line,
                message,
                "add `after` to the `logs` check, such as `after: [rayReady]`",
            );
        }
    }

    fn pattern(&mut self, node: &Node) {
        let Some(text) = node.text() else { return };
        if text.trim().is_empty() {
            let message = if text.is_empty() {
                "an empty text is in every line"
            } else {
                "white space alone is in almost every line"
            };
            self.error(node, message, "write what the line holds");
            return;
        }
        let Some(expression) = expression(text) else {
            if text.contains(['\n', '\u{1b}']) {
                let message =
                    "no line holds this: lines are read one by one and without colour codes";
                self.error(node, message, "write a part of one line");
            }
            return;
        };
        // The Pod's address takes the place of the word before the expression is used.
        let expression = expression.replace("<pod-ip>", "address");
        match Regex::new(&expression) {
            Err(error) => {
                let error = error.to_string();
                let cause = error
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                let message = format!("`{text}` is not a regular expression: {cause}");
                self.error(
                    node,
                    message,
                    "correct it, or leave the slashes out to look for the text itself",
                );
            }
            Ok(regex) if UNRELATED.iter().all(|line| regex.is_match(line)) => {
                let message = format!("`{text}` matches any line");
                self.error(node, message, "write what the line holds");
            }
            Ok(_) if !can_match_a_line(&expression) => {
                let message = format!("`{text}` matches no line");
                self.error(node, message, "correct it, or leave it out");
            }
            Ok(_) => {}
        }
    }

    fn state(&mut self, body: &Node) {
        for flag in ["running", "ready"]
            .into_iter()
            .filter_map(|key| body.get(key))
        {
            if flag.value == Yaml::Bool(false) {
                let message = "`false` expects nothing here, so every state passes";
                let help = "leave it out; expect the end in `exitCode`, or that it is not ready in a `never` check";
                self.error(flag, message, help);
            }
        }
        let mut flags = ["running", "ready"]
            .into_iter()
            .filter_map(|key| body.get(key));
        let flagged = flags.any(|flag| flag.value == Yaml::Bool(true));
        let named = ["exitCode", "reason", "restarts", "waiting"];
        if !flagged && named.iter().all(|key| body.get(key).is_none()) {
            let message = "a `state` check names no state";
            let help =
                "add `exitCode`, `reason`, `restarts`, `waiting`, `running: true` or `ready: true`";
            self.error(body, message, help);
        }
    }
}
