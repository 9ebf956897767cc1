//! Arguments that select cases: scenarios, targets and releases.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use semver::Version;

use super::Folder;
use crate::contract;
use crate::plan::{self, Filter};
use crate::provider::{EnvtestSpec, KindSpec, TargetSpec};
use crate::scenario::{Level, TargetKind};

#[derive(Debug, Args)]
pub struct Selection {
    /// Select scenarios whose name contains one of these
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub names: Vec<String>,
    /// Select scenarios that prove this rule, such as C02; repeatable
    #[arg(long = "rule", value_name = "RULE", value_parser = rule)]
    pub rules: Vec<String>,
    /// Select scenarios of this level: core, extended or provisional; repeatable
    #[arg(long = "level", hide_short_help = true, value_name = "LEVEL", value_parser = level)]
    pub levels: Vec<Level>,
    /// Target: envtest (default), kind or all
    ///
    /// envtest is the operator and a real API server; no container starts. kind is a cluster with a
    /// kubelet and a real Ray. With --context the target is that cluster.
    #[arg(long = "target", value_name = "TARGET", value_parser = targets, overrides_with = "targets")]
    pub targets: Option<Targets>,
    /// Include scenarios that upgrade the operator
    ///
    /// Each starts with an older release, replaces it, and runs alone on the cluster.
    #[arg(long, hide_short_help = true)]
    pub upgrades: bool,
    /// Also run cases on this target that a cheaper target can run
    ///
    /// By default, each case runs on the cheapest target that meets its requirements.
    #[arg(long, hide_short_help = true)]
    pub all: bool,
    #[command(flatten)]
    pub folder: Folder,
    #[command(flatten)]
    pub releases: ReleaseArguments,
    #[command(flatten)]
    pub part: PlanPart,
}

/// Which part of the plan.
#[derive(Debug, Clone, Args)]
pub struct PlanPart {
    /// Run part I of N; `report merge` combines the results of all parts
    ///
    /// Parts take about the same time, based on the recorded durations of the cases.
    #[arg(long, hide_short_help = true, value_name = "I/N")]
    pub shard: Option<plan::Shard>,
    /// `results.json` with case durations, to balance the shards; repeatable, the last file wins
    #[arg(long, hide_short_help = true, value_name = "FILE", requires = "shard")]
    pub durations: Vec<PathBuf>,
}

/// A target that the harness brings up; `--context` names one that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnTarget {
    /// etcd and API servers, with the operator as a process.
    Envtest,
    /// A kind cluster.
    Kind,
}

/// What one `--target` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets(pub Vec<OwnTarget>);

impl Targets {
    /// Returns the kinds of the targets.
    pub fn kinds(&self) -> Vec<TargetKind> {
        let kind = |target: &OwnTarget| match target {
            OwnTarget::Envtest => TargetKind::Envtest,
            OwnTarget::Kind => TargetKind::Kind,
        };
        self.0.iter().map(kind).collect()
    }

    /// Returns the specs of the targets.
    pub fn specs(&self, envtest: &EnvtestSpec, kind: &KindSpec) -> Vec<TargetSpec> {
        let spec = |target: &OwnTarget| match target {
            OwnTarget::Envtest => TargetSpec::Envtest(envtest.clone()),
            OwnTarget::Kind => TargetSpec::Kind(kind.clone()),
        };
        self.0.iter().map(spec).collect()
    }
}

#[derive(Debug, Clone, Args)]
pub struct ReleaseArguments {
    /// KubeRay releases: 1.6.2, a list 1.3.2,1.6, a range 1.0.0..1.6.2, `latest` or `all`
    ///
    /// `1.6` is the newest patch release of 1.6. When absent: the newest release whose module can
    /// be downloaded. A range or `all` skips releases that can't be downloaded. Naming such a
    /// release is an error.
    #[arg(long, value_name = "VERSION")]
    pub operator: Option<plan::Releases>,
    /// Ray release
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub ray: Option<Version>,
    /// Pairs of KubeRay and Ray releases for kind, such as 1.0.0/2.7.0, or `all`
    ///
    /// Separate pairs with commas. `all` means the pairs in fixtures/versions.yaml.
    #[arg(long = "pair", hide_short_help = true, value_name = "OPERATOR/RAY", value_delimiter = ',', conflicts_with_all = ["operator", "ray"])]
    pub pairs: Vec<plan::Pairs>,
}

fn rule(text: &str) -> Result<String, String> {
    match contract::rule_of(&text.to_uppercase()) {
        Some(rule) => Ok(rule.id.into()),
        None => Err(format!(
            "a rule is one of {}, as docs/reference/contract.md lists them",
            contract::rule_range()
        )),
    }
}

fn level(text: &str) -> Result<Level, String> {
    match text {
        "core" => Ok(Level::Core),
        "extended" => Ok(Level::Extended),
        "provisional" => Ok(Level::Provisional),
        _ => Err("use core, extended or provisional".into()),
    }
}

pub(super) fn targets(text: &str) -> Result<Targets, String> {
    match text {
        "kind" => Ok(Targets(vec![OwnTarget::Kind])),
        "envtest" => Ok(Targets(vec![OwnTarget::Envtest])),
        "all" => Ok(Targets(vec![OwnTarget::Envtest, OwnTarget::Kind])),
        _ => Err("use envtest, kind or all".into()),
    }
}

impl Selection {
    /// The targets that were asked for.
    pub fn targets(&self) -> Targets {
        self.targets
            .clone()
            .unwrap_or_else(|| Targets(vec![OwnTarget::Envtest]))
    }

    /// What narrows the plan.
    pub fn filter(&self) -> Filter {
        Filter {
            names: self.names.clone(),
            rules: self.rules.clone(),
            levels: self.levels.clone(),
            upgrades: self.upgrades,
            all: self.all,
        }
    }
}
