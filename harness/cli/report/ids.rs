//! Short names of cases: what all cases of a run share is left out.

use std::collections::HashMap;

/// Separates the parts of a case's id, such as `envtest::1.6.2::block`.
const SEPARATOR: &str = "::";

/// The cases of a run by their ids.
#[derive(Debug, Default)]
pub(super) struct Ids {
    short: HashMap<String, String>,
}

impl Ids {
    /// Shortens the ids of all cases of a run. The scenario's name stays in each; so does all of an
    /// id where the ids do not have the same number of parts.
    pub(super) fn new(ids: &[String]) -> Self {
        let all: Vec<Vec<&str>> = ids.iter().map(|id| id.split(SEPARATOR).collect()).collect();
        let first = all.first().cloned().unwrap_or_default();
        let alike = all.iter().all(|parts| parts.len() == first.len());
        let varies = |at: usize| all.iter().any(|parts| parts[at] != first[at]);
        let kept: Vec<usize> = (0..first.len())
            .filter(|at| at + 1 == first.len() || !alike || varies(*at))
            .collect();
        let short = |parts: &[&str]| {
            if alike {
                kept.iter()
                    .map(|at| parts[*at])
                    .collect::<Vec<_>>()
                    .join(" ")
            } else {
                parts.join(SEPARATOR)
            }
        };
        let pairs = ids.iter().zip(&all);
        Self {
            short: pairs
                .map(|(id, parts)| (id.clone(), short(parts)))
                .collect(),
        }
    }

    /// Returns the number of cases.
    pub(super) fn len(&self) -> usize {
        self.short.len()
    }

    /// Returns the short name of a case; none where a task is no case.
    pub(super) fn short(&self, task: &str) -> Option<&str> {
        self.short.get(task).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["envtest::1.6.2::a", "envtest::1.6.2::b"], "envtest::1.6.2::a", "a")]
    #[case(&["envtest::1.5.2::a", "envtest::1.6.2::a"], "envtest::1.6.2::a", "1.6.2 a")]
    #[case(&["kind::1.6.2::2.52.0::a", "kind::1.0.0::2.7.0::b"], "kind::1.0.0::2.7.0::b", "1.0.0 2.7.0 b")]
    #[case(&["kind::1.6.2::2.52.0::a", "envtest::1.6.2::b"], "envtest::1.6.2::b", "envtest::1.6.2::b")]
    #[case(&["envtest::1.6.2::a"], "envtest::1.6.2::a", "a")]
    fn what_all_share_is_left_out(#[case] ids: &[&str], #[case] id: &str, #[case] short: &str) {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        assert_eq!(Ids::new(&ids).short(id), Some(short));
        assert_eq!(Ids::new(&ids).short("cluster"), None);
    }
}
