//! What checks remember from one look at a case to the next.

use std::collections::BTreeMap;

use super::kinds::reading;
use super::{Check, Expectations, Observation, Verdict, environment};

/// Bytes of its log that a check judges in one call, so that a long log keeps nobody waiting.
const AT_ONCE: usize = 1 << 20;

/// Remembers how far each check has read its log, so that each line is judged once.
#[derive(Debug, Default)]
pub struct Memory {
    readings: BTreeMap<usize, reading::Reading>,
    search: environment::Search,
}

impl Memory {
    /// Says what check `index` of the scenario makes of a state, as [`Check::evaluate`] does. Of a
    /// long log it judges a part in each call; [`Memory::is_behind`] tells whether it has to be
    /// called again.
    pub fn evaluate(
        &mut self,
        index: usize,
        check: &Check,
        observation: &Observation,
        expectations: &dyn Expectations,
    ) -> Verdict {
        match check {
            Check::Logs(check) => {
                let reading = self.readings.entry(index).or_default();
                reading::evaluate(check, observation, reading, AT_ONCE)
            }
            _ => check.evaluate(observation, expectations),
        }
    }

    /// Returns whether one of these checks has lines of its log before it that were there when it
    /// was last evaluated.
    pub fn is_behind(&self, open: &[(usize, &Check)]) -> bool {
        let mut readings = open
            .iter()
            .filter_map(|(index, _)| self.readings.get(index));
        readings.any(reading::Reading::is_behind)
    }

    /// Returns why checks can't be judged on this machine, as [`super::environment_fault`] does.
    pub fn environment_fault(
        &mut self,
        checks: &[Check],
        observation: &Observation,
    ) -> Option<String> {
        if !checks.iter().any(Check::needs_dashboard) {
            return None;
        }
        environment::fault(observation, &mut self.search)
    }
}

/// Why the checks can't be judged on this machine, where that shows: a Ray that was kept from the
/// processor gives its dashboard up, and what only that tells can't be known any more. Another
/// attempt may do better.
pub fn environment_fault(checks: &[Check], observation: &Observation) -> Option<String> {
    Memory::default().environment_fault(checks, observation)
}
