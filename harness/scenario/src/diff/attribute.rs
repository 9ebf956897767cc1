//! The rule of a difference, and the dated features that explain it.

use kuberay_contract::{FeatureEntry, features};
use semver::Version;

use super::changes::{ContainerOf, Subject};
use super::observed::Stage;

/// Where a difference belongs in the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribution {
    /// The rule, such as `C11`; none where the contract says nothing about it.
    pub rule: Option<&'static str>,
    /// Features that one side has and the other does not, those of the head first.
    pub features: Vec<&'static FeatureEntry>,
    /// Features of both sides that are about the subject, and so may end with the change.
    pub touches: Vec<&'static FeatureEntry>,
}

/// Returns the rule of a subject, and the features of that subject in which two releases differ.
pub fn attribute(subject: &Subject, base: &Version, head: &Version) -> Attribution {
    let rule = rule(subject);
    let about: Vec<&FeatureEntry> = features()
        .iter()
        .filter(|entry| rule == Some(entry.rule) || tells_of(entry, subject))
        .filter(|entry| rule_alone(subject) || tells_of(entry, subject))
        .collect();
    let (touches, mut of_rule): (Vec<&FeatureEntry>, Vec<&FeatureEntry>) = about
        .into_iter()
        .filter(|entry| entry.covers(base) || entry.covers(head))
        .partition(|entry| entry.covers(base) && entry.covers(head));
    of_rule.sort_by_key(|entry| !entry.covers(head));
    // A feature that names a variable knows its rule.
    let mut named = of_rule.iter().chain(&touches);
    let rule = match subject {
        Subject::Env(..) => named.next().map(|entry| entry.rule),
        _ => of_rule.first().map(|entry| entry.rule),
    }
    .or(rule);
    Attribution {
        rule,
        features: of_rule,
        touches,
    }
}

/// The rule of a subject.
fn rule(subject: &Subject) -> Option<&'static str> {
    let rule = match subject {
        Subject::Overwrite { annotated: true } => "C07",
        Subject::Overwrite { annotated: false } => "C06",
        Subject::ShellOptions => "C09",
        Subject::UserText | Subject::Position => "C02",
        Subject::Joint => "C03",
        Subject::Ulimit => "C11",
        Subject::FlagOrder => "C23",
        Subject::End => "C12",
        Subject::GeneratedCommand => "C08",
        Subject::FlagSpacing | Subject::ReleaseTag => "C01",
        Subject::Flag(name) => of_flag(name),
        Subject::Env(_, name) if name == "KUBERAY_GEN_RAY_START_CMD" => "C08",
        Subject::Probes(_) => "C16",
        Subject::Field(_, "lifecycle") => "C17",
        Subject::Field(_, "image") => return None,
        Subject::Command(of)
        | Subject::Args(of)
        | Subject::Env(of, _)
        | Subject::EnvOrder(of)
        | Subject::Container(of, _)
        | Subject::Field(of, _) => return of_container(*of),
        Subject::ContainerOrder => "C20",
        Subject::Pod(role) if role == "submitter" => "C19",
        Subject::Pod(_) => return None,
        Subject::Refusal(..) => "C24",
    };
    Some(rule)
}

fn of_container(of: ContainerOf) -> Option<&'static str> {
    match of {
        ContainerOf::Ray => Some("C01"),
        ContainerOf::WaitGcsReady => Some("C15"),
        ContainerOf::Autoscaler => Some("C18"),
        ContainerOf::Submitter => Some("C19"),
        ContainerOf::Other => Some("C20"),
        ContainerOf::RedisCleanup => None,
    }
}

fn of_flag(name: &str) -> &'static str {
    match name.trim_start_matches('-') {
        "block" | "log-color" | "include-dashboard" | "include-log-monitor" => "C12",
        "num-cpus" | "num-gpus" | "memory" => "C13",
        "no-monitor" => "C18",
        "address" | "dashboard-host" | "metrics-export-port" | "dashboard-agent-listen-port" => {
            "C01"
        }
        _ => "C14",
    }
}

/// Whether every feature of the subject's rule is about the subject.
fn rule_alone(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::Ulimit
            | Subject::FlagOrder
            | Subject::ShellOptions
            | Subject::GeneratedCommand
            | Subject::UserText
            | Subject::Position
            | Subject::Overwrite { annotated: false }
    )
}

/// Whether the sentence of a feature names what a subject is about.
fn tells_of(entry: &FeatureEntry, subject: &Subject) -> bool {
    let names = |name: &str| {
        let mut words = entry
            .says
            .split(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c))
            .map(|word| word.trim_matches('-'));
        words.any(|word| word == name)
    };
    match subject {
        Subject::Env(_, name) | Subject::Container(_, name) => names(name),
        Subject::Flag(flag) => names(flag.trim_start_matches('-')),
        Subject::End => names("sleep"),
        Subject::Joint => entry.rule == "C02",
        Subject::Probes(_) => entry.rule == "C16",
        Subject::Refusal(Stage::Operator | Stage::Api, _) => entry.rule == "C24",
        Subject::Command(ContainerOf::Autoscaler) | Subject::Args(ContainerOf::Autoscaler) => {
            entry.rule == "C18" && !entry.says.contains("RAY_") && !entry.says.contains("env")
        }
        Subject::Command(ContainerOf::Submitter) | Subject::Args(ContainerOf::Submitter) => {
            entry.rule == "C19" && !entry.says.contains("RAY_")
        }
        Subject::Args(ContainerOf::WaitGcsReady) => entry.rule == "C15",
        _ => false,
    }
}
