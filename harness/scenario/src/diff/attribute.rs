//! The rule of a difference, and the dated features that explain it.

use kuberay_contract::{FeatureEntry, Stage, features};
use semver::Version;

use super::model::{ChangeSubject, ContainerOf};

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
pub fn attribute(subject: &ChangeSubject, base: &Version, head: &Version) -> Attribution {
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
        ChangeSubject::Env(..) => named.next().map(|entry| entry.rule),
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
fn rule(subject: &ChangeSubject) -> Option<&'static str> {
    let rule = match subject {
        ChangeSubject::Overwrite { annotated: true } => "C07",
        ChangeSubject::Overwrite { annotated: false } => "C06",
        ChangeSubject::ShellOptions => "C09",
        ChangeSubject::UserText | ChangeSubject::Position => "C02",
        ChangeSubject::Joint => "C03",
        ChangeSubject::Ulimit => "C11",
        ChangeSubject::FlagOrder => "C23",
        ChangeSubject::End => "C12",
        ChangeSubject::GeneratedCommand => "C08",
        ChangeSubject::FlagSpacing | ChangeSubject::ReleaseTag => "C01",
        ChangeSubject::Flag(name) => of_flag(name),
        ChangeSubject::Env(_, name) if name == "KUBERAY_GEN_RAY_START_CMD" => "C08",
        ChangeSubject::Probes(_) => "C16",
        ChangeSubject::Field(_, "lifecycle") => "C17",
        ChangeSubject::Field(_, "image") => return None,
        ChangeSubject::Command(of)
        | ChangeSubject::Args(of)
        | ChangeSubject::Env(of, _)
        | ChangeSubject::EnvOrder(of)
        | ChangeSubject::Container(of, _)
        | ChangeSubject::Field(of, _) => return of_container(*of),
        ChangeSubject::ContainerOrder => "C20",
        ChangeSubject::Pod(role) if role == "submitter" => "C19",
        ChangeSubject::Pod(_) => return None,
        ChangeSubject::Refusal(..) => "C24",
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
fn rule_alone(subject: &ChangeSubject) -> bool {
    matches!(
        subject,
        ChangeSubject::Ulimit
            | ChangeSubject::FlagOrder
            | ChangeSubject::ShellOptions
            | ChangeSubject::GeneratedCommand
            | ChangeSubject::UserText
            | ChangeSubject::Position
            | ChangeSubject::Overwrite { annotated: false }
    )
}

/// Whether the sentence of a feature names what a subject is about.
fn tells_of(entry: &FeatureEntry, subject: &ChangeSubject) -> bool {
    let names = |name: &str| {
        let mut words = entry
            .says
            .split(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c))
            .map(|word| word.trim_matches('-'));
        words.any(|word| word == name)
    };
    match subject {
        ChangeSubject::Env(_, name) | ChangeSubject::Container(_, name) => names(name),
        ChangeSubject::Flag(flag) => names(flag.trim_start_matches('-')),
        ChangeSubject::End => names("sleep"),
        ChangeSubject::Joint => entry.rule == "C02",
        ChangeSubject::Probes(_) => entry.rule == "C16",
        ChangeSubject::Refusal(Stage::Operator | Stage::ApiServer, _) => entry.rule == "C24",
        ChangeSubject::Command(ContainerOf::Autoscaler)
        | ChangeSubject::Args(ContainerOf::Autoscaler) => {
            entry.rule == "C18" && !entry.says.contains("RAY_") && !entry.says.contains("env")
        }
        ChangeSubject::Command(ContainerOf::Submitter)
        | ChangeSubject::Args(ContainerOf::Submitter) => {
            entry.rule == "C19" && !entry.says.contains("RAY_")
        }
        ChangeSubject::Args(ContainerOf::WaitGcsReady) => entry.rule == "C15",
        _ => false,
    }
}
