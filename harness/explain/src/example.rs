//! An example for each trap: a manifest that falls into it, and the same without it.

use include_dir::{Dir, include_dir};
use kuberay_contract::{CLASSES, FieldValidation};
use semver::Version;

use crate::check::Options;
use crate::warning::Trap;

static EXAMPLES: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/examples");

/// A manifest that falls into a trap, and the same without it.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{check, trap};
/// use kuberay_manifest::Source;
///
/// let example = trap("trailing-ampersand").and_then(|trap| trap.example()).unwrap();
/// let options = example.options(vec![example.operator.clone()]);
/// let manifest = Source::new(Path::new("raycluster.yaml"), &example.bad);
/// assert_eq!(check(&[manifest], &options)?.findings[0].id, "trailing-ampersand");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrapExample {
    /// The id of the trap.
    pub trap: &'static str,
    /// The reason why the trap exists, in sentences.
    pub why: String,
    /// A release on which the manifest falls into the trap.
    pub operator: Version,
    /// Issues that report the trap, such as `ray-project/kuberay#2247`.
    pub issues: Vec<String>,
    /// The manifest that falls into the trap, as YAML.
    pub bad: String,
    /// The same manifest without the trap, as YAML.
    pub good: String,
}

impl TrapExample {
    /// Returns the options with which [`check`](crate::check::check) reports only the trap of the
    /// example.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use kuberay_explain::check::{check, trap};
    /// use kuberay_manifest::Source;
    ///
    /// let example = trap("errexit").and_then(|trap| trap.example()).unwrap();
    /// let options = example.options(vec![example.operator.clone()]);
    /// let mended = Source::new(Path::new("raycluster.yaml"), &example.good);
    /// assert!(check(&[mended], &options)?.findings.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn options(&self, releases: Vec<Version>) -> Options {
        Options {
            select: vec![self.trap.into()],
            // Of what kubectl refuses, the trap is what another client meets.
            validation: FieldValidation::Ignore,
            ..Options::new(releases)
        }
    }
}

impl Trap {
    /// Returns a manifest that falls into the trap, and the same manifest without it.
    ///
    /// ```
    /// use kuberay_explain::check::trap;
    ///
    /// let example = trap("errexit").and_then(|trap| trap.example()).unwrap();
    /// assert!(example.bad.contains("set -e"));
    /// assert!(!example.good.contains("set -e"));
    /// ```
    pub fn example(&self) -> Option<TrapExample> {
        let text = EXAMPLES
            .get_file(format!("{}.yaml", self.id))?
            .contents_utf8()?;
        let (bad, good) = text.split_once("---\n")?;
        let comments = bad.lines().take_while(|line| line.starts_with('#'));
        let header: Vec<&str> = comments
            .map(|line| line.trim_start_matches('#').trim())
            .collect();
        let value = |key: &str| {
            header
                .iter()
                .find_map(|line| line.strip_prefix(key))
                .unwrap_or_default()
                .trim()
        };
        let words = |text: &str| {
            text.split([',', ' '])
                .filter(|word| !word.is_empty())
                .map(Into::into)
                .collect()
        };
        let why: Vec<&str> = header
            .iter()
            .filter(|line| !line.starts_with("operator:") && !line.starts_with("issues:"))
            .copied()
            .collect();
        let body = |text: &str| {
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .map(|line| format!("{line}\n"))
                .collect()
        };
        let operator = value("operator:").parse();
        Some(TrapExample {
            trap: self.id,
            why: why.join(" "),
            operator: operator.unwrap_or_else(|_| newest()),
            issues: words(value("issues:")),
            bad: body(bad),
            good: body(good),
        })
    }
}

fn newest() -> Version {
    CLASSES
        .last()
        .map_or(Version::new(1, 0, 0), |class| class.since.clone())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kuberay_manifest::Source;

    use super::*;
    use crate::check::check;
    use crate::warning::TRAPS;

    #[test]
    fn every_trap_has_an_example_that_falls_into_it_and_a_fix_that_does_not() {
        for trap in TRAPS {
            let example = trap.example().unwrap_or_else(|| {
                panic!("{0}: write src/examples/{0}.yaml: comments, a manifest, `---`, and the same fixed", trap.id)
            });
            assert!(
                example.why.ends_with('.'),
                "{}: the comment must say why",
                trap.id
            );
            let options = example.options(vec![example.operator.clone()]);
            let ids = |text: &str| -> Vec<String> {
                let sources = [Source::new(Path::new("raycluster.yaml"), text)];
                let findings = check(&sources, &options).unwrap().findings;
                findings.into_iter().map(|finding| finding.id).collect()
            };
            assert_eq!(ids(&example.bad), [trap.id], "the example of {}", trap.id);
            assert_eq!(ids(&example.good), [""; 0], "the fix of {}", trap.id);
        }
    }

    #[test]
    fn every_example_is_of_a_trap() {
        for file in EXAMPLES.files() {
            let id = file.path().file_stem().unwrap().to_str().unwrap();
            assert!(TRAPS.iter().any(|trap| trap.id == id), "{id} is no trap");
        }
    }
}
