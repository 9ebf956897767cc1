//! Records what the head made as snapshots of a new class.

use super::DiffOptions;
use super::cases::SentCase;
use super::sides::Sides;
use crate::artifact::Pins;
use crate::check::Observation;
use crate::compare::{Recorded, Recorder};
use crate::runner::RunError;
use crate::scenario::Spec;

impl DiffOptions {
    /// Whether a scenario that needs a kubelet takes part: a new release needs the snapshots of its
    /// Pods, too, and what the operator writes into them needs no kubelet.
    pub(super) fn records_pods_of(&self, spec: &Spec) -> bool {
        self.accept_as.is_some() && !spec.steps.acts() && spec.upgrade_from.is_none()
    }
}

impl Sides {
    /// The snapshots of a scenario that a new release needs; none where nobody asked for them.
    pub(super) fn record(
        &self,
        asked: &SentCase,
        namespace: &str,
        observation: &Observation,
        options: &DiffOptions,
    ) -> Result<Vec<Recorded>, RunError> {
        let (Some(new), Some(scenario)) = (&options.accept_as, &asked.scenario) else {
            return Ok(Vec::new());
        };
        if !crate::plan::includes(&scenario.operator, new) {
            return Ok(Vec::new());
        }
        let recorder = Recorder::new(namespace, &self.head.release);
        recorder.look(scenario, observation);
        let described = self.head.described();
        let operator = format!("{}@{}", described.name, described.digest);
        let ray = Pins::embedded().defaults.ray;
        Ok(recorder.new_snapshots(scenario, new, &ray, &operator)?)
    }
}
