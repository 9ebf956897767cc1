//! Traps of Ray's own options: those that a release of Ray does not have, and values that it
//! refuses.

use kuberay_contract::{
    InRelease, OptionKind, OptionProblem, RayCommand, nearest_ray_option, ray_option,
    ray_option_releases, ray_release,
};
use kuberay_manifest::Cursor;
use semver::Version;

use super::warn_at;
use crate::document::Warning;
use crate::shell;
use crate::warning::{self as trap, Trap};

/// A trap and what is particular to it.
pub(super) type OptionTrap = (&'static Trap, String);

/// The releases of Ray that a container may run: that of `rayVersion` and that of the image's tag,
/// where they name one. A trap counts only where it is one on all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Ray(Vec<Version>);

impl Ray {
    /// Reads `rayVersion` of the RayCluster, and the image of the container.
    pub fn of(object: &Cursor, container: Option<&Cursor>) -> Self {
        let spec = super::cluster_spec(object);
        let version = spec.and_then(|spec| spec.get("rayVersion"));
        let version = version.and_then(|version| ray_release(version.text()));
        let image = container.and_then(|container| container.get("image"));
        let tag = image.and_then(|image| of_image(image.text()));
        let mut all: Vec<Version> = version.into_iter().chain(tag).collect();
        all.dedup();
        Self(all)
    }

    /// Returns whether a release is known, and all known ones are before this one.
    pub fn is_before(&self, release: &Version) -> bool {
        !self.0.is_empty() && self.0.iter().all(|one| one < release)
    }

    /// The first problem, where every release has one.
    fn agreed(
        &self,
        problem: impl Fn(Option<&Version>) -> Option<OptionTrap>,
    ) -> Option<OptionTrap> {
        match &self.0[..] {
            [] => problem(None),
            [first, others @ ..] => {
                let warning = problem(Some(first))?;
                let all = others.iter().all(|other| problem(Some(other)).is_some());
                all.then_some(warning)
            }
        }
    }

    fn kind(&self, command: RayCommand, name: &str) -> Option<&'static OptionKind> {
        match ray_option(command, name, self.0.first()) {
            InRelease::Has(option) => Some(&option.kind),
            InRelease::Lacks | InRelease::Unread => None,
        }
    }

    /// Returns whether an option, given with its dashes, takes no value.
    pub fn is_flag(&self, command: RayCommand, name: &str) -> bool {
        self.kind(command, name) == Some(&OptionKind::Flag)
    }

    /// Returns the problem of an option, given with its dashes; `value` is the text that Ray
    /// receives, where it is known.
    pub fn problem(&self, command: RayCommand, name: &str, value: Value) -> Option<OptionTrap> {
        self.agreed(|release| match ray_option(command, name, release) {
            InRelease::Has(option) => {
                let takes = option.kind != OptionKind::Flag;
                let value = match value {
                    Value::Absent if takes => {
                        let detail = format!(
                            "{} takes a value; as `{name}` alone it takes the option after it for one",
                            plain(name)
                        );
                        return Some((trap::PARAMETER_TYPE, detail));
                    }
                    Value::Given(value) if takes => value,
                    Value::Given(value) => {
                        let detail = format!(
                            "{} takes no value, and becomes `{name}={value}`",
                            plain(name)
                        );
                        return Some((trap::PARAMETER_TYPE, detail));
                    }
                    Value::Absent | Value::Unknown => return None,
                };
                Some(match option.refuses(value)? {
                    OptionProblem::Type(what) if what.contains(", not ") => {
                        (trap::PARAMETER_TYPE, format!("{} {what}", plain(name)))
                    }
                    OptionProblem::Type(what) => (
                        trap::PARAMETER_TYPE,
                        format!("{} {what}, not {value:?}", plain(name)),
                    ),
                    OptionProblem::Json(what) => (
                        trap::UNREADABLE_JSON,
                        format!("{} of {value:?} {what}", plain(name)),
                    ),
                })
            }
            InRelease::Lacks => Some((trap::UNKNOWN_RAY_OPTION, lacks(command, name, release?))),
            InRelease::Unread => None,
        })
    }
}

/// The value of an option, as Ray receives it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// The option stands alone.
    Absent,
    /// This text.
    Given(&'a str),
    /// Something that is known only when the container runs.
    Unknown,
}

/// The release in the tag of an image whose name is one of Ray's.
fn of_image(image: &str) -> Option<Version> {
    let name = image.rsplit('/').next()?;
    let name = name.split('@').next()?;
    let (name, tag) = name.split_once(':')?;
    name.starts_with("ray").then(|| ray_release(tag))?
}

fn plain(name: &str) -> &str {
    name.trim_start_matches('-')
}

fn lacks(command: RayCommand, name: &str, release: &Version) -> String {
    let words = command.words().join(" ");
    let mut detail = format!("`{words}` of Ray {release} has no option `{name}`");
    let others = ray_option_releases(command, name);
    let before = others.iter().rev().find(|(since, _)| *since < release);
    let after = others.iter().find(|(since, _)| *since > release);
    if let Some((since, _)) = after {
        detail += &format!("; Ray {since} has it");
    } else if let Some((_, Some(until))) = before {
        detail += &format!("; Ray {until} removed it");
    } else if let Some(nearest) = nearest_ray_option(command, name, release) {
        detail += &format!("; it has `{nearest}`");
    }
    detail
}

/// Returns whether a text can be the name of an option.
pub(super) fn is_name(name: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(inner)
}

/// The traps of the options in a command that the operator leaves as it is: the elements of
/// `command` and `args`.
pub(super) fn of_words(
    ray: &Ray,
    command: RayCommand,
    words: &[Cursor],
    source: &str,
    found: &mut Vec<Warning>,
) {
    let names = command.words();
    let words = super::command::inner(words);
    let direct = words.len() >= names.len()
        && words
            .iter()
            .zip(names)
            .enumerate()
            .all(|(at, (word, name))| {
                word.text() == *name || at == 0 && word.text().rsplit('/').next() == Some(name)
            });
    if direct {
        let arguments: Vec<Written> = words[names.len()..].iter().map(Written::element).collect();
        of_call(ray, command, &arguments, source, found);
    } else if let Some(script) = super::command::script(words).and_then(Result::ok) {
        for call in shell::calls(script.text(), names) {
            let arguments: Vec<Written> = call
                .iter()
                .map(|argument| Written {
                    cursor: script,
                    at: argument.at,
                    raw: &argument.raw,
                    in_script: true,
                })
                .collect();
            of_call(ray, command, &arguments, source, found);
        }
    }
}

/// An argument and where it is.
struct Written<'a> {
    cursor: &'a Cursor<'a>,
    at: usize,
    raw: &'a str,
    /// `true` if a shell reads it first.
    in_script: bool,
}

impl<'a> Written<'a> {
    fn element(cursor: &'a Cursor<'a>) -> Self {
        Self {
            cursor,
            at: 0,
            raw: cursor.text(),
            in_script: false,
        }
    }

    /// Returns the text that Ray receives for a part of it.
    fn literal(&self, part: &str) -> Option<String> {
        if part.is_empty() {
            Some(String::new())
        } else if part.contains("$(") || part.contains("$$") {
            // The kubelet may replace it.
            None
        } else if self.in_script {
            shell::literal(part)
        } else {
            Some(part.to_owned())
        }
    }
}

fn of_call(
    ray: &Ray,
    command: RayCommand,
    arguments: &[Written],
    source: &str,
    found: &mut Vec<Warning>,
) {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument.raw == "--" {
            return;
        }
        let (name, value) = match argument.raw.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument.raw, None),
        };
        if !name.starts_with("--") || !is_name(name) {
            if command == RayCommand::JobSubmit && !name.starts_with('-') {
                // The entrypoint, or something that is known only when the script runs.
                return;
            }
            continue;
        }
        let takes = ray
            .kind(command, name)
            .is_some_and(|kind| *kind != OptionKind::Flag);
        let value = match value {
            Some(value) => Some(argument.literal(value)),
            None if takes => rest.next().map(|next| next.literal(next.raw)),
            None => None,
        };
        let value = match &value {
            Some(Some(value)) => Value::Given(value),
            Some(None) => Value::Unknown,
            // At the end of the line: the shell may go on with a variable.
            None if takes => Value::Unknown,
            None => Value::Absent,
        };
        if let Some((trap, detail)) = ray.problem(command, name, value) {
            let place = shell::location(source, argument.cursor, argument.at);
            found.push(warn_at(trap, argument.cursor, place, &detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("rayproject/ray:2.52.0-py310", Some("2.52.0"))]
    #[case("registry:5000/ray-ml:2.9.3@sha256:abc", Some("2.9.3"))]
    #[case("rayproject/ray:nightly", None)]
    #[case("rayproject/ray", None)]
    #[case("mine/service:2.9.3", None)]
    fn releases_of_images(#[case] image: &str, #[case] release: Option<&str>) {
        assert_eq!(of_image(image), release.and_then(|text| text.parse().ok()));
    }
}
