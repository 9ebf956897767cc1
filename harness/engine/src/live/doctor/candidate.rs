//! A cause that may explain what is seen, with its weight against others.

use kuberay_manifest::Severity;

use super::causes::Cause;
use super::document::{DoctorFinding, Patch, Proof, ProofKind};
use super::view::PodView;
use crate::explain::check::{self, trap};
use crate::visible;

/// Characters of one proof.
const PROOF: usize = 400;

/// A cause on trial.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Its weight against other causes of the same object; the largest is the likeliest.
    pub weight: u32,
    pub finding: DoctorFinding,
}

impl Candidate {
    /// A problem of a known cause.
    pub fn of(cause: &Cause, weight: u32) -> Self {
        let scenarios = cause.scenarios.iter().map(|name| (*name).to_owned());
        Self {
            weight,
            finding: DoctorFinding {
                rank: 0,
                cause: cause.id.into(),
                severity: Severity::Error,
                message: cause.text.into(),
                pod: None,
                container: None,
                proof: Vec::new(),
                rule: cause.rule.map(Into::into),
                scenarios: scenarios.collect(),
                help: cause.help.into(),
                patch: None,
            },
        }
    }

    /// A problem that a trap of the manifest explains.
    pub fn of_trap(found: &check::CheckFinding, weight: u32) -> Self {
        let known = trap(&found.id);
        let scenarios = known.map(|trap| trap.scenarios).unwrap_or_default();
        let mut one = Self {
            weight,
            finding: DoctorFinding {
                rank: 0,
                cause: found.id.clone(),
                severity: Severity::Error,
                message: known.map_or(found.message.clone(), |trap| trap.text.into()),
                pod: None,
                container: None,
                proof: Vec::new(),
                rule: found.rule.clone(),
                scenarios: scenarios.iter().map(|name| (*name).to_owned()).collect(),
                help: found.help.clone().unwrap_or_default(),
                patch: None,
            },
        };
        let place = if found.path.is_empty() {
            "the object"
        } else {
            &found.path
        };
        one.prove(ProofKind::Field, &format!("{place}: {}", found.message));
        one
    }

    /// Whether a field of the object proves it.
    pub fn names_a_field(&self) -> bool {
        let mut proof = self.finding.proof.iter();
        proof.any(|one| one.kind == ProofKind::Field)
    }

    /// In a Pod, and in a container of it where one is named.
    #[must_use]
    pub fn at(mut self, pod: &PodView, container: &str) -> Self {
        self.finding.pod = Some(visible::line(pod.name()));
        if !container.is_empty() {
            self.finding.container = Some(visible::line(container));
        }
        self
    }

    /// With another message and another help than those of the cause.
    #[must_use]
    pub fn saying(mut self, message: &str, help: &str) -> Self {
        self.finding.message = message.into();
        if !help.is_empty() {
            self.finding.help = help.into();
        }
        self
    }

    /// With a proof; an empty one is none.
    #[must_use]
    pub fn proven(mut self, kind: ProofKind, text: &str) -> Self {
        self.prove(kind, text);
        self
    }

    /// With this severity.
    #[must_use]
    pub fn rated(mut self, severity: Severity) -> Self {
        self.finding.severity = severity;
        self
    }

    /// With what to write instead.
    #[must_use]
    pub fn patched(mut self, patch: Option<Patch>) -> Self {
        self.finding.patch = patch;
        self
    }

    fn prove(&mut self, kind: ProofKind, text: &str) {
        let text = visible::line(text.trim());
        if text.is_empty() {
            return;
        }
        let cut = text.chars().count() > PROOF;
        let mut text: String = text.chars().take(PROOF).collect();
        if cut {
            text.push('…');
        }
        self.finding.proof.push(Proof { kind, text });
    }
}
