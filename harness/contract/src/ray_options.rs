//! Options of `ray start` and `ray job submit` in each Ray release, from the table in
//! `data/ray-options.txt`.

mod value;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use semver::Version;

pub use value::OptionProblem;

/// A command of Ray's whose options are known.
///
/// ```
/// use kuberay_contract::RayCommand;
///
/// assert_eq!(RayCommand::Start.words(), ["ray", "start"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RayCommand {
    /// `ray start`.
    Start,
    /// `ray job submit`.
    JobSubmit,
}

impl RayCommand {
    /// Returns the command as a user writes it, word by word.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Start => &["ray", "start"],
            Self::JobSubmit => &["ray", "job", "submit"],
        }
    }
}

/// An option of a command of Ray, in a range of releases.
///
/// ```
/// use kuberay_contract::{InRelease, OptionKind, RayCommand, ray_option};
///
/// let ray = semver::Version::new(2, 52, 0);
/// let InRelease::Has(option) = ray_option(RayCommand::Start, "--num-cpus", Some(&ray)) else {
///     panic!("2.52.0 has --num-cpus");
/// };
/// assert!(option.since <= ray);
/// assert_eq!(option.kind, OptionKind::Integer);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RayOption {
    /// The first release that was read and has it so.
    pub since: Version,
    /// The first release that was read and has it in another way or not at all.
    pub until: Option<Version>,
    /// Type of its value.
    pub kind: OptionKind,
}

/// Type of an option's value.
///
/// ```
/// use kuberay_contract::{InRelease, OptionKind, RayCommand, ray_option};
///
/// let ray = semver::Version::new(2, 52, 0);
/// let kind = |name: &str| match ray_option(RayCommand::Start, name, Some(&ray)) {
///     InRelease::Has(option) => Some(&option.kind),
///     InRelease::Lacks | InRelease::Unread => None,
/// };
/// assert_eq!(kind("--block"), Some(&OptionKind::Flag));
/// assert_eq!(kind("--num-cpus"), Some(&OptionKind::Integer));
/// assert_eq!(kind("--resources"), Some(&OptionKind::Object));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionKind {
    /// No value.
    Flag,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// `true`, `false`, `1`, `0` and their kind.
    Bool,
    /// One of these words.
    Choice(Vec<String>),
    /// A JSON object.
    Object,
    /// Any JSON.
    Json,
    /// Labels as a JSON object whose values are strings.
    LabelsJson,
    /// Labels as `key=value,key=value`.
    Labels,
    /// Either form of labels.
    LabelsOrJson,
    /// A text of any form.
    Text,
}

/// Availability of an option in a release of Ray.
///
/// ```
/// use kuberay_contract::{InRelease, RayCommand, ray_option};
///
/// let ray = semver::Version::new(2, 52, 0);
/// let known = ray_option(RayCommand::Start, "--num-cpus", Some(&ray));
/// assert!(matches!(known, InRelease::Has(_)));
/// assert_eq!(ray_option(RayCommand::Start, "--num-cpu", Some(&ray)), InRelease::Lacks);
/// assert_eq!(ray_option(RayCommand::Start, "--num-cpu", None), InRelease::Unread);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InRelease {
    /// The release has it.
    Has(&'static RayOption),
    /// The release has no such option.
    Lacks,
    /// The table does not say.
    Unread,
}

struct Table {
    /// The releases that were read, in order.
    releases: Vec<Version>,
    options: BTreeMap<(RayCommand, String), Vec<RayOption>>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("../data/ray-options.txt")));

impl Table {
    fn parse(text: &str) -> Self {
        let mut table = Self {
            releases: Vec::new(),
            options: BTreeMap::new(),
        };
        for line in text.lines() {
            let mut words = line.split(' ');
            let command = match words.next() {
                Some("wheel") => {
                    let release = words.next().and_then(|release| release.parse().ok());
                    table.releases.extend(release);
                    continue;
                }
                Some("start") => RayCommand::Start,
                Some("submit") => RayCommand::JobSubmit,
                _ => continue,
            };
            let words: Vec<&str> = words.collect();
            let [name, since, until, kind] = words[..] else {
                continue;
            };
            let Ok(since) = since.parse() else { continue };
            let option = RayOption {
                since,
                until: until.parse().ok(),
                kind: OptionKind::parse(kind),
            };
            let key = (command, name.to_owned());
            table.options.entry(key).or_default().push(option);
        }
        table
    }

    /// The last release that was read and is not newer, and the first that is newer.
    fn around(&self, release: &Version) -> (Option<&Version>, Option<&Version>) {
        let newer = self.releases.partition_point(|read| read <= release);
        let last = newer.checked_sub(1).and_then(|at| self.releases.get(at));
        (last, self.releases.get(newer))
    }
}

impl OptionKind {
    fn parse(text: &str) -> Self {
        match text {
            "flag" => Self::Flag,
            "int" => Self::Integer,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "object" => Self::Object,
            "json" => Self::Json,
            "labels-json" => Self::LabelsJson,
            "labels" => Self::Labels,
            "labels|labels-json" => Self::LabelsOrJson,
            _ => match text.strip_prefix("choice:") {
                Some(words) => Self::Choice(words.split('|').map(Into::into).collect()),
                None => Self::Text,
            },
        }
    }
}

impl RayOption {
    fn covers(&self, release: &Version) -> bool {
        self.since <= *release && self.until.as_ref().is_none_or(|until| release < until)
    }
}

/// Returns the availability of an option, such as `--num-cpus`, in a release of Ray. Without a
/// release, and in one that is newer than those that were read, an option counts only where every
/// release that was read has it alike.
///
/// ```
/// use kuberay_contract::{InRelease, OptionKind, RayCommand, ray_option};
///
/// let ray = "2.52.0".parse()?;
/// let InRelease::Has(cpus) = ray_option(RayCommand::Start, "--num-cpus", Some(&ray)) else {
///     panic!("every release has --num-cpus");
/// };
/// assert_eq!(cpus.kind, OptionKind::Integer);
/// assert!(cpus.refuses("500m").is_some());
/// assert_eq!(ray_option(RayCommand::Start, "--num-cpu", Some(&ray)), InRelease::Lacks);
/// # Ok::<(), semver::Error>(())
/// ```
pub fn ray_option(command: RayCommand, name: &str, release: Option<&Version>) -> InRelease {
    let table: &'static Table = &TABLE;
    let known = table.options.get(&(command, name.to_owned()));
    let known = known.map_or(&[][..], Vec::as_slice);
    let of = |release: &Version| known.iter().find(|option| option.covers(release));
    let (last, next) = release.map_or((None, None), |release| table.around(release));
    match (release, last, next) {
        (Some(release), Some(last), Some(next)) => {
            let one_minor = (last.major, last.minor) == (release.major, release.minor);
            match (of(last), of(next)) {
                (Some(option), _) if last == release || one_minor => InRelease::Has(option),
                (None, _) if last == release => InRelease::Lacks,
                (Some(option), Some(after)) if option == after => InRelease::Has(option),
                // A patch release may have got it already.
                (None, None) if one_minor => InRelease::Lacks,
                _ => InRelease::Unread,
            }
        }
        (Some(release), Some(last), None) if last == release => {
            of(last).map_or(InRelease::Lacks, InRelease::Has)
        }
        _ => match known {
            [option] if option.until.is_none() && Some(&option.since) == table.releases.first() => {
                InRelease::Has(option)
            }
            _ => InRelease::Unread,
        },
    }
}

/// Returns the releases of Ray whose options were read, oldest first.
///
/// ```
/// let releases = kuberay_contract::ray_releases();
/// assert!(releases.is_sorted());
/// ```
pub fn ray_releases() -> &'static [Version] {
    &TABLE.releases
}

/// Returns the ranges of releases that have an option: each as the first release that has it, and
/// the first that no longer has it. Only releases that were read count.
///
/// ```
/// use kuberay_contract::{RayCommand, ray_option_releases, ray_releases};
///
/// let ranges = ray_option_releases(RayCommand::Start, "--num-cpus");
/// assert_eq!(ranges, [(&ray_releases()[0], None)]);
/// ```
pub fn ray_option_releases(
    command: RayCommand,
    name: &str,
) -> Vec<(&'static Version, Option<&'static Version>)> {
    let table: &'static Table = &TABLE;
    let known = table.options.get(&(command, name.to_owned()));
    let mut ranges: Vec<(&Version, Option<&Version>)> = Vec::new();
    for option in known.into_iter().flatten() {
        match ranges.last_mut() {
            Some((_, until)) if *until == Some(&option.since) => *until = option.until.as_ref(),
            _ => ranges.push((&option.since, option.until.as_ref())),
        }
    }
    ranges
}

/// Returns the option of a release that is spelled most like a name; `None` where every option
/// differs in more than two characters.
///
/// ```
/// use kuberay_contract::{RayCommand, nearest_ray_option};
///
/// let close = nearest_ray_option(RayCommand::Start, "--num-cpu", &"2.52.0".parse()?);
/// assert_eq!(close, Some("--num-cpus"));
/// # Ok::<(), semver::Error>(())
/// ```
pub fn nearest_ray_option(
    command: RayCommand,
    name: &str,
    release: &Version,
) -> Option<&'static str> {
    let table: &'static Table = &TABLE;
    let plain = name.replace('_', "-");
    let own = table.options.keys().filter(|(of, _)| *of == command);
    let close = own.filter_map(|(_, known)| {
        let has = ray_option(command, known, Some(release));
        let distance = distance(known, &plain);
        (matches!(has, InRelease::Has(_)) && distance <= 2).then_some((distance, known.as_str()))
    });
    close.min().map(|(_, known)| known)
}

/// Returns the number of characters that must be added, removed or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, a) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = above + 1;
        for (at, b) in other.iter().enumerate() {
            let replaced = corner + usize::from(a != *b);
            corner = row[at + 1];
            row[at + 1] = replaced.min(corner + 1).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Returns the release of Ray that a text names, such as `2.52.0` or the tag `2.52.0-py310-gpu`;
/// `None` where it names none with at least two numbers.
///
/// ```
/// use kuberay_contract::ray_release;
///
/// assert_eq!(ray_release("2.52.0-py310-gpu"), Some("2.52.0".parse()?));
/// assert_eq!(ray_release("nightly"), None);
/// # Ok::<(), semver::Error>(())
/// ```
pub fn ray_release(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let (numbers, rest) = match text.find(|c: char| !c.is_ascii_digit() && c != '.') {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    // Builds between releases have the number of the one to come.
    if rest.starts_with("dev") || rest.starts_with("rc") || numbers.ends_with('.') {
        return None;
    }
    let mut numbers = numbers.split('.').map(str::parse);
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let patch = numbers.next().map_or(Some(0), Result::ok)?;
    Some(Version::new(major, minor, patch))
}

#[cfg(test)]
mod tests;
