//! End of life of the releases that runs use.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Pins;

/// The days until which minor releases get patches. Dates are written `2026-10-27`, so that they
/// sort as texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// The day of the last review of the defaults.
    pub date: String,
    /// End of life of Kubernetes' minor releases, such as `1.34`.
    pub kubernetes: BTreeMap<String, String>,
    /// Minor releases of Kubernetes that stay defaults past their end of life, with the reason.
    pub kept: BTreeMap<String, String>,
}

impl Support {
    /// Returns the end of life of a release of Kubernetes, such as `v1.34.4`; `None` where no date
    /// is known.
    ///
    /// ```
    /// let support = kuberay_conformance_pins::Pins::embedded().support;
    /// assert_eq!(support.end_of_life("v1.34.4"), Some("2026-10-27"));
    /// assert_eq!(support.end_of_life("v1.99.0"), None);
    /// ```
    #[must_use]
    pub fn end_of_life(&self, kubernetes: &str) -> Option<&str> {
        self.kubernetes.get(&minor(kubernetes)).map(String::as_str)
    }
}

fn minor(release: &str) -> String {
    let release = release.strip_prefix('v').unwrap_or(release);
    let parts: Vec<&str> = release.splitn(3, '.').take(2).collect();
    parts.join(".")
}

impl Pins {
    /// Returns the defaults that are past their end of life at the date of the pins, or whose end
    /// is not known, and for which the pins give no reason.
    #[must_use]
    pub fn outlived(&self) -> Vec<String> {
        let node = self.pull.node.image.rsplit(':').next().unwrap_or_default();
        let built = self.kubernetes.to_string();
        let support = &self.support;
        let mut problems = Vec::new();
        for release in [built.as_str(), node] {
            let name = format!("Kubernetes {release}");
            match support.end_of_life(release) {
                None => problems.push(format!("{name}: its end of life is not known")),
                Some(end)
                    if *end < *support.date && !support.kept.contains_key(&minor(release)) =>
                {
                    problems.push(format!("{name}: its life ended on {end}"));
                }
                Some(_) => {}
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use assertables::assert_ends_with;

    use super::*;

    #[test]
    fn no_default_is_past_its_end_of_life() {
        assert_eq!(Pins::embedded().outlived(), Vec::<String>::new());
    }

    #[test]
    fn a_default_that_outlives_its_support_is_found() {
        let mut pins = Pins::embedded();
        pins.support.kept.clear();
        pins.support.date = "2026-10-27".into();
        assert_eq!(pins.outlived(), Vec::<String>::new(), "the last day counts");
        pins.support.date = "2026-10-28".into();
        assert_eq!(
            pins.outlived(),
            ["Kubernetes 1.34.4: its life ended on 2026-10-27"]
        );
        pins.support.kubernetes.remove("1.37");
        assert_ends_with!(pins.outlived()[1], "is not known");
    }

    #[test]
    fn dates_are_written_in_one_way() {
        let support = Pins::embedded().support;
        for date in support.kubernetes.values().chain([&support.date]) {
            let parts: Vec<usize> = date.split('-').map(str::len).collect();
            assert_eq!(parts, [4, 2, 2], "{date}");
        }
    }
}
