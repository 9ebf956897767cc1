//! Differences between two Pods that two operators made of the same template.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::args::{Args, Start, name, swapped};
use super::model::{Change, ChangeSubject, ContainerOf};
use super::observed::PodId;

const GENERATED: &str = "KUBERAY_GEN_RAY_START_CMD";
const TAGS: &str = "RAY_USAGE_STATS_EXTRA_TAGS";
/// Fields of a container that are compared as a whole, beside its command, arguments, environment
/// and probes.
const FIELDS: [&str; 5] = ["lifecycle", "ports", "resources", "restartPolicy", "image"];
const PROBES: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

/// What is compared: one container on both sides.
struct Pair<'a> {
    of: ContainerOf,
    before: &'a Value,
    after: &'a Value,
    found: Vec<Change>,
}

/// Compares the containers of two Pods.
pub(super) fn pod_changes(
    id: &PodId,
    before: &Value,
    after: &Value,
    annotated: bool,
) -> Vec<Change> {
    let mut found = Vec::new();
    for key in ["initContainers", "containers"] {
        let (old, new) = (named(&before[key]), named(&after[key]));
        let (names, new_names): (Vec<_>, Vec<_>) = (
            old.iter().map(|(name, _)| *name).collect(),
            new.iter().map(|(name, _)| *name).collect(),
        );
        for (index, name) in names.iter().enumerate() {
            let Some(position) = new_names.iter().position(|other| other == name) else {
                found.push(container_change(id, key, name, index, true));
                continue;
            };
            let mut pair = Pair {
                of: of(id, key, name, index),
                before: old[index].1,
                after: new[position].1,
                found: Vec::new(),
            };
            pair.compare(annotated);
            // A flag stands in an argument and in a variable.
            pair.found.sort();
            pair.found.dedup();
            found.append(&mut pair.found);
        }
        for (index, name) in new_names.iter().enumerate() {
            if !names.contains(name) {
                found.push(container_change(id, key, name, index, false));
            }
        }
        if let Some((before, after)) = reordered(&names, &new_names) {
            found.push(Change {
                subject: ChangeSubject::ContainerOrder,
                container: None,
                before: Some(before),
                after: Some(after),
            });
        }
    }
    found
}

/// What the containers of a Pod are for, and whether the operator generated their command.
pub(super) fn kinds(id: &PodId, spec: &Value) -> Vec<(ContainerOf, bool)> {
    let keys = ["initContainers", "containers"].into_iter();
    let kinds = keys.flat_map(|key| {
        let list = named(&spec[key]).into_iter().enumerate();
        list.map(move |(index, (name, container))| {
            (of(id, key, name, index), is_generated(container))
        })
    });
    kinds.collect()
}

fn container_change(id: &PodId, key: &str, name: &str, index: usize, gone: bool) -> Change {
    let of = of(id, key, name, index);
    let text = || Some(format!("{name} in {key}"));
    Change {
        subject: ChangeSubject::Container(of, name.into()),
        container: None,
        before: gone.then(text).flatten(),
        after: (!gone).then(text).flatten(),
    }
}

fn of(id: &PodId, key: &str, name: &str, index: usize) -> ContainerOf {
    match (id.role.as_str(), key, name) {
        ("submitter", "containers", _) if index == 0 => ContainerOf::Submitter,
        ("redis-cleanup", "containers", _) if index == 0 => ContainerOf::RedisCleanup,
        ("head" | "worker", "containers", _) if index == 0 => ContainerOf::Ray,
        ("head", "containers", "autoscaler") => ContainerOf::Autoscaler,
        ("head", "containers", "ray-job-submitter") => ContainerOf::Submitter,
        ("worker", "initContainers", "wait-gcs-ready") => ContainerOf::WaitGcsReady,
        _ => ContainerOf::Other,
    }
}

fn named(list: &Value) -> Vec<(&str, &Value)> {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .map(|item| (item["name"].as_str().unwrap_or_default(), item))
        .collect()
}

/// Both orders of what both lists hold, where they differ.
fn reordered(before: &[&str], after: &[&str]) -> Option<(String, String)> {
    let common = |list: &[&str], other: &[&str]| -> Vec<String> {
        let both = list.iter().filter(|name| other.contains(name));
        both.map(ToString::to_string).collect()
    };
    let (old, new) = (common(before, after), common(after, before));
    (old != new).then(|| (old.join(" "), new.join(" ")))
}

fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Value::as_str).collect()
}

/// The program and the letters of the options of a shell that the operator starts.
fn shell(command: &[&str]) -> Option<(String, String)> {
    let (program, options) = command.split_first()?;
    let last = program.rsplit('/').next()?;
    let options: Vec<&&str> = options.iter().filter(|option| **option != "--").collect();
    let [options] = options.as_slice() else {
        return None;
    };
    let letters = options.strip_prefix('-')?;
    let is_shell = ["bash", "sh"].contains(&last) && letters.contains('c');
    is_shell.then(|| ((*program).to_owned(), letters.to_owned()))
}

/// Whether the operator generated the command of a Ray container.
fn is_generated(container: &Value) -> bool {
    let command = texts(&container["command"]);
    shell(&command).is_some()
        && command.last() == Some(&"--")
        && texts(&container["args"]).len() == 1
}

impl Pair<'_> {
    fn push(&mut self, subject: ChangeSubject, before: Option<String>, after: Option<String>) {
        self.found.push(Change {
            subject,
            container: Some(self.of),
            before,
            after,
        });
    }

    fn differ(&mut self, subject: ChangeSubject, before: &str, after: &str) {
        if before != after {
            self.push(subject, Some(before.into()), Some(after.into()));
        }
    }

    fn compare(&mut self, annotated: bool) {
        let (before, after) = (self.before, self.after);
        let generated = (is_generated(before), is_generated(after));
        if self.of == ContainerOf::Ray && generated.0 != generated.1 {
            let words = |generated: bool| {
                let kept = "the user's command and args as they are";
                Some(
                    if generated {
                        "a generated command"
                    } else {
                        kept
                    }
                    .to_owned(),
                )
            };
            let subject = ChangeSubject::Overwrite { annotated };
            self.push(subject, words(generated.0), words(generated.1));
        } else {
            self.command();
            self.args(self.of == ContainerOf::Ray && generated.0);
        }
        self.env();
        let probes = |container: &Value| {
            let there = PROBES.iter().filter(|probe| !container[**probe].is_null());
            let lines = there.map(|probe| format!("{probe}: {}", container[*probe]));
            lines.collect::<Vec<_>>().join("\n")
        };
        self.differ(
            ChangeSubject::Probes(self.of),
            &probes(before),
            &probes(after),
        );
        for field in FIELDS {
            if before[field] != after[field] {
                let text = |value: &Value| (!value.is_null()).then(|| value.to_string());
                let subject = ChangeSubject::Field(self.of, field);
                self.push(subject, text(&before[field]), text(&after[field]));
            }
        }
    }

    fn command(&mut self) {
        let (before, after) = (self.before, self.after);
        let (old, new) = (texts(&before["command"]), texts(&after["command"]));
        if old == new {
            return;
        }
        let subject = match (shell(&old), shell(&new)) {
            (Some((program, before)), Some((other, after)))
                if program == other && before != after =>
            {
                ChangeSubject::ShellOptions
            }
            _ => ChangeSubject::Command(self.of),
        };
        self.push(subject, Some(old.join(" ")), Some(new.join(" ")));
    }

    fn args(&mut self, generated: bool) {
        let (before, after) = (self.before, self.after);
        let (old, new) = (texts(&before["args"]), texts(&after["args"]));
        if old == new {
            return;
        }
        if generated
            && let ([old], [new]) = (old.as_slice(), new.as_slice())
            && swapped(old, new)
        {
            self.differ(ChangeSubject::Position, old, new);
            return;
        }
        if generated
            && let ([old], [new]) = (old.as_slice(), new.as_slice())
            && let (Some(old), Some(new)) = (Args::of(old), Args::of(new))
        {
            self.generated(&old, &new);
            return;
        }
        let joined = |list: Vec<&str>| Some(list.join("\n"));
        self.push(ChangeSubject::Args(self.of), joined(old), joined(new));
    }

    fn generated(&mut self, old: &Args<'_>, new: &Args<'_>) {
        match (old.user(), new.user()) {
            (Some(before), Some(after)) => self.differ(ChangeSubject::UserText, before, after),
            _ => self.differ(ChangeSubject::Joint, old.before, new.before),
        }
        self.differ(ChangeSubject::Ulimit, old.ulimit, new.ulimit);
        self.start(&old.start, &new.start);
    }

    fn start(&mut self, old: &Start<'_>, new: &Start<'_>) {
        self.differ(ChangeSubject::Args(self.of), old.program, new.program);
        self.differ(ChangeSubject::End, old.end, new.end);
        let trimmed = |flags: &[&str]| -> Vec<String> {
            flags.iter().map(|flag| flag.trim().to_owned()).collect()
        };
        let (flags, new_flags) = (trimmed(&old.flags), trimmed(&new.flags));
        if flags == new_flags {
            let whole = |flags: &[&str]| flags.concat();
            self.differ(
                ChangeSubject::FlagSpacing,
                &whole(&old.flags),
                &whole(&new.flags),
            );
            return;
        }
        let by_name = |flags: &[String]| {
            let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for flag in flags {
                by_name
                    .entry(name(flag).into())
                    .or_default()
                    .push(flag.clone());
            }
            by_name
        };
        let (by, new_by) = (by_name(&flags), by_name(&new_flags));
        let names: BTreeSet<&String> = by.keys().chain(new_by.keys()).collect();
        for name in names {
            let (before, after) = (by.get(name), new_by.get(name));
            if before != after {
                let text = |flags: Option<&Vec<String>>| flags.map(|flags| flags.join(" "));
                self.push(ChangeSubject::Flag(name.clone()), text(before), text(after));
            }
        }
        let order = |flags: &[String]| -> Vec<String> {
            flags.iter().map(|flag| name(flag).to_owned()).collect()
        };
        let (order, new_order) = (order(&flags), order(&new_flags));
        let (order, new_order): (Vec<&str>, Vec<&str>) = (
            order.iter().map(String::as_str).collect(),
            new_order.iter().map(String::as_str).collect(),
        );
        if let Some((before, after)) = reordered(&order, &new_order) {
            self.push(ChangeSubject::FlagOrder, Some(before), Some(after));
        }
    }

    fn env(&mut self) {
        let (before, after) = (self.before, self.after);
        let (old, new) = (named(&before["env"]), named(&after["env"]));
        let names: BTreeSet<&str> = old.iter().chain(&new).map(|(name, _)| *name).collect();
        for name in names {
            let values = |list: &[(&str, &Value)]| -> Vec<String> {
                let own = list.iter().filter(|(own, _)| *own == name);
                own.map(|(_, variable)| value(variable)).collect()
            };
            let (before, after) = (values(&old), values(&new));
            if before == after {
                continue;
            }
            // Of several variables of one name the last one counts; the operator adds its own after
            // the user's.
            let rest_is_equal = before.len() == after.len()
                && before.iter().zip(&after).rev().skip(1).all(|(a, b)| a == b);
            let one = |list: &[String]| list.last().filter(|_| rest_is_equal).cloned();
            match (name, one(&before), one(&after)) {
                (GENERATED, Some(before), Some(after)) => self.generated_variable(&before, &after),
                (TAGS, Some(before), Some(after)) if rest(&before) == rest(&after) => {
                    self.push(ChangeSubject::ReleaseTag, Some(before), Some(after));
                }
                _ => {
                    let text = |values: Vec<String>| {
                        (!values.is_empty()).then(|| format!("{name}={}", values.join(", ")))
                    };
                    let subject = ChangeSubject::Env(self.of, name.into());
                    self.push(subject, text(before), text(after));
                }
            }
        }
        let order = |list: &[(&str, &Value)]| -> Vec<String> {
            list.iter().map(|(name, _)| (*name).to_owned()).collect()
        };
        let (order, new_order) = (order(&old), order(&new));
        let (order, new_order): (Vec<&str>, Vec<&str>) = (
            order.iter().map(String::as_str).collect(),
            new_order.iter().map(String::as_str).collect(),
        );
        if let Some((before, after)) = reordered(&order, &new_order) {
            self.push(ChangeSubject::EnvOrder(self.of), Some(before), Some(after));
        }
    }

    /// The variable holds the generated `ray start`, so that a flag which differs there is the same
    /// difference.
    fn generated_variable(&mut self, before: &str, after: &str) {
        let split = |text: &str| {
            text.find("ray start")
                .map(|at| (at, Start::of(&text[at..]).is_some()))
        };
        let (Some((at, true)), Some((other, true))) = (split(before), split(after)) else {
            self.differ(ChangeSubject::GeneratedCommand, before, after);
            return;
        };
        if before[..at] != after[..other] {
            self.differ(ChangeSubject::GeneratedCommand, before, after);
        }
        if let (Some(old), Some(new)) = (Start::of(&before[at..]), Start::of(&after[other..])) {
            self.start(&old, &new);
        }
    }
}

/// The tags without the operator's release.
fn rest(tags: &str) -> Option<&str> {
    tags.strip_prefix("kuberay_version=")?
        .split_once(';')
        .map(|(_, rest)| rest)
}

fn value(variable: &Value) -> String {
    if let Some(from) = variable.get("valueFrom") {
        return from.to_string();
    }
    variable["value"].as_str().unwrap_or_default().into()
}
