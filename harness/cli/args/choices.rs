//! The words of arguments that choose one of a few things; the engine's own types know no command
//! line.

use clap::ValueEnum;

use crate::artifact;
use crate::container;
use crate::report;
use crate::runner;

/// Where artifacts may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SourceChoice {
    /// Pull if an image registry answers, else build.
    #[default]
    Auto,
    /// Pull public images and release binaries only.
    Pull,
    /// Build everything from package registries.
    Build,
}

impl From<SourceChoice> for artifact::SourcePolicy {
    fn from(source: SourceChoice) -> Self {
        match source {
            SourceChoice::Auto => Self::Auto,
            SourceChoice::Pull => Self::Pull,
            SourceChoice::Build => Self::Build,
        }
    }
}

/// Which results are printed as cases end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StatusLevelChoice {
    /// None.
    None,
    /// Cases that did not pass.
    Fail,
    /// Every case.
    #[default]
    Pass,
    /// Every case, and each time a case starts to wait for something else.
    All,
}

impl From<StatusLevelChoice> for report::StatusLevel {
    fn from(level: StatusLevelChoice) -> Self {
        match level {
            StatusLevelChoice::None => Self::None,
            StatusLevelChoice::Fail => Self::Fail,
            StatusLevelChoice::Pass => Self::Pass,
            StatusLevelChoice::All => Self::All,
        }
    }
}

/// A kind of container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// podman.
    Podman,
    /// Docker.
    Docker,
}

impl From<EngineChoice> for container::EngineKind {
    fn from(kind: EngineChoice) -> Self {
        match kind {
            EngineChoice::Podman => Self::Podman,
            EngineChoice::Docker => Self::Docker,
        }
    }
}

/// When evidence is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum EvidenceChoice {
    /// Of cases that did not pass.
    #[default]
    OnFailure,
    /// Of every case.
    Always,
}

impl From<EvidenceChoice> for runner::EvidencePolicy {
    fn from(policy: EvidenceChoice) -> Self {
        match policy {
            EvidenceChoice::OnFailure => Self::OnFailure,
            EvidenceChoice::Always => Self::Always,
        }
    }
}

/// As [`crate::contract::FieldValidation`].
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FieldValidationChoice {
    /// Refuse the object
    Strict,
    /// Drop them with a warning
    Warn,
    /// Drop them silently
    Ignore,
}

impl From<FieldValidationChoice> for crate::contract::FieldValidation {
    fn from(choice: FieldValidationChoice) -> Self {
        match choice {
            FieldValidationChoice::Strict => Self::Strict,
            FieldValidationChoice::Warn => Self::Warn,
            FieldValidationChoice::Ignore => Self::Ignore,
        }
    }
}
