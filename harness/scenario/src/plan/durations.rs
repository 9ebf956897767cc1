//! How long cases took, by which plans are divided.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::TestCase;
use crate::TargetKind;

/// A record counts for at least this much: where many take no time at all, they must not all fall
/// to one shard.
const LEAST: Duration = Duration::from_millis(100);

/// How long cases took, by their ids, rounded to 0.1 s.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Durations(BTreeMap<String, Duration>);

impl Durations {
    /// Those of `fixtures/durations.yaml`, which are part of the program.
    ///
    /// # Panics
    /// When the file is not well-formed, which a test rules out.
    #[must_use]
    pub fn embedded() -> Self {
        let text = include_str!("../../../../fixtures/durations.yaml");
        let seconds: BTreeMap<String, f64> =
            serde_saphyr::from_str(text).expect("fixtures/durations.yaml is well-formed");
        seconds.into_iter().collect()
    }

    /// Of a case with this id, where it is known.
    pub fn of(&self, id: &str) -> Option<Duration> {
        self.0.get(id).copied()
    }

    /// Of a case, where it is known; on an existing cluster a case is expected to take as long as
    /// on kind.
    pub fn of_case(&self, case: &TestCase) -> Option<Duration> {
        if case.target != TargetKind::Existing {
            return self.of(&case.id());
        }
        let on_kind = TestCase {
            target: TargetKind::Kind,
            ..case.clone()
        };
        self.of(&on_kind.id())
    }
}

/// Of several with the same id the last one counts; what is no length of time is left out.
impl FromIterator<(String, f64)> for Durations {
    fn from_iter<T: IntoIterator<Item = (String, f64)>>(seconds: T) -> Self {
        let rounded = |(id, seconds): (String, f64)| {
            let rounded = Duration::try_from_secs_f64((seconds * 10.0).round() / 10.0).ok()?;
            Some((id, rounded.max(LEAST)))
        };
        Self(seconds.into_iter().filter_map(rounded).collect())
    }
}

/// As `fixtures/durations.yaml` holds them.
impl fmt::Display for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, duration) in &self.0 {
            writeln!(f, "{id}: {:.1}", duration.as_secs_f64())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_reads_as_it_is_written() {
        let durations = Durations::embedded();
        let text = include_str!("../../../../fixtures/durations.yaml");
        assert!(text.ends_with(&durations.to_string()), "{durations}");
        assert!(!durations.0.is_empty());
    }

    #[test]
    fn what_is_no_length_of_time_is_left_out() {
        let seconds = [
            ("a", 1.26),
            ("b", -1.0),
            ("c", f64::NAN),
            ("d", 0.0),
            ("a", 2.24),
        ];
        let durations: Durations = seconds
            .map(|(id, seconds)| (id.to_owned(), seconds))
            .into_iter()
            .collect();
        assert_eq!(durations.to_string(), "a: 2.2\nd: 0.1\n");
    }
}
