//! File names of snapshots: `<what it is of>@ge-<class>.snap`, such as `head.args@ge-1.4.0.snap`.

use std::fmt;

use kuberay_contract::{CLASSES, Class};

use crate::check::Subject;

/// The extension of a pending snapshot after that of a snapshot.
pub(super) const PENDING: &str = ".new";
const SNAPSHOT: &str = ".snap";
pub(super) const BOUND: &str = "@ge-";

/// What a snapshot is of and from which class of releases on it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotName {
    /// The part before `@`, such as `head.args` or `worker.small.env`.
    pub subject: String,
    /// The class that the part after `@ge-` names.
    pub class: &'static Class,
}

impl SnapshotName {
    /// Names the snapshot of a subject for a class.
    pub fn new(subject: &Subject, class: &'static Class) -> Self {
        SnapshotName {
            subject: subject.name(),
            class,
        }
    }

    /// Reads the name of a snapshot (`….snap`) or of a pending one (`….snap.new`); none when the
    /// file is neither.
    pub fn parse(file: &str) -> Option<Self> {
        let stem = file
            .strip_suffix(PENDING)
            .unwrap_or(file)
            .strip_suffix(SNAPSHOT)?;
        let (subject, bound) = stem.split_once(BOUND)?;
        let class = CLASSES.iter().find(|class| class.name == bound)?;
        Subject::is_name(subject).then(|| SnapshotName {
            subject: subject.into(),
            class,
        })
    }

    /// The file name of the pending form.
    pub fn pending(&self) -> String {
        format!("{self}{PENDING}")
    }

    /// The name of the same subject for another class.
    #[must_use]
    pub fn of_class(&self, class: &'static Class) -> Self {
        SnapshotName {
            subject: self.subject.clone(),
            class,
        }
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{BOUND}{}{SNAPSHOT}", self.subject, self.class.name)
    }
}

#[cfg(test)]
mod tests {
    use kuberay_contract::class_of;
    use rstest::rstest;
    use semver::Version;

    use super::*;
    use crate::{PodField, Role};

    fn subject(group: Option<&str>, field: PodField) -> Subject {
        Subject {
            group: group.map(Into::into),
            ..Subject::new(Role::Worker, field)
        }
    }

    #[rstest]
    #[case(None, PodField::Args, "worker.args@ge-1.6.0.snap")]
    #[case(
        Some("small-group"),
        PodField::InitContainers,
        "worker.small-group.init-containers@ge-1.6.0.snap"
    )]
    #[case(Some("a.b"), PodField::Env, "worker.a.b.env@ge-1.6.0.snap")]
    #[case(
        Some("../x @é"),
        PodField::Env,
        "worker...%2Fx%20%40%C3%A9.env@ge-1.6.0.snap"
    )]
    fn names_go_there_and_back(
        #[case] group: Option<&str>,
        #[case] field: PodField,
        #[case] file: &str,
    ) {
        let name = SnapshotName::new(&subject(group, field), class_of(&Version::new(1, 6, 2)));
        assert_eq!(name.to_string(), file);
        assert_eq!(SnapshotName::parse(file).as_ref(), Some(&name));
        assert_eq!(SnapshotName::parse(&name.pending()), Some(name));
    }

    #[rstest]
    #[case("head.args.snap")]
    #[case("head.args@ge-1.snap")]
    #[case("head.args@ge-1.06.0.snap")]
    #[case("head.args@ge-1.6.0.snap.old")]
    #[case("head@ge-1.6.0.snap")]
    #[case("tail.args@ge-1.6.0.snap")]
    #[case("head.argz@ge-1.6.0.snap")]
    #[case("kuberay_conformance__expect__tests__x.snap")]
    fn other_files_are_not_ours(#[case] file: &str) {
        assert_eq!(SnapshotName::parse(file), None);
    }
}
