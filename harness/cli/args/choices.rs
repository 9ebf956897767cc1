//! The words of arguments that choose one of a few things; the engine's own types know no command line.

use clap::ValueEnum;

use crate::artifact;
use crate::container;
use crate::report;
use crate::runner;

/// Where artifacts may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Source {
    /// Pull where an image registry answers, else build.
    #[default]
    Auto,
    /// Pull public images and release binaries only.
    Pull,
    /// Build everything from package registries.
    Build,
}

impl From<Source> for artifact::Source {
    fn from(source: Source) -> Self {
        match source {
            Source::Auto => Self::Auto,
            Source::Pull => Self::Pull,
            Source::Build => Self::Build,
        }
    }
}

/// Which results are printed as cases end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StatusLevel {
    /// None.
    None,
    /// Cases that did not pass.
    Fail,
    /// Every case.
    #[default]
    Pass,
    /// Every case, and each change in what a case waits for.
    All,
}

impl From<StatusLevel> for report::StatusLevel {
    fn from(level: StatusLevel) -> Self {
        match level {
            StatusLevel::None => Self::None,
            StatusLevel::Fail => Self::Fail,
            StatusLevel::Pass => Self::Pass,
            StatusLevel::All => Self::All,
        }
    }
}

/// A kind of container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// podman.
    Podman,
    /// Docker.
    Docker,
}

impl From<EngineKind> for container::EngineKind {
    fn from(kind: EngineKind) -> Self {
        match kind {
            EngineKind::Podman => Self::Podman,
            EngineKind::Docker => Self::Docker,
        }
    }
}

/// When evidence is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum EvidencePolicy {
    /// Of cases that did not pass.
    #[default]
    OnFailure,
    /// Of every case.
    Always,
}

impl From<EvidencePolicy> for runner::EvidencePolicy {
    fn from(policy: EvidencePolicy) -> Self {
        match policy {
            EvidencePolicy::OnFailure => Self::OnFailure,
            EvidencePolicy::Always => Self::Always,
        }
    }
}

/// As [`crate::contract::FieldValidation`].
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FieldValidation {
    /// Refuse the object
    Strict,
    /// Drop them with a warning
    Warn,
    /// Drop them silently
    Ignore,
}

impl From<FieldValidation> for crate::contract::FieldValidation {
    fn from(own: FieldValidation) -> Self {
        match own {
            FieldValidation::Strict => Self::Strict,
            FieldValidation::Warn => Self::Warn,
            FieldValidation::Ignore => Self::Ignore,
        }
    }
}
