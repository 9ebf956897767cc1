//! The snapshots of a case: those of its release, and of an upgrade those of the release before for
//! what was made before.

use std::path::PathBuf;

use serde_json::Value;

use crate::check::{Comparison, Expectations, Subject};
use crate::expect::{self, SnapshotFolder, Verified};
use crate::plan::TestCase;
use crate::redact::Redactor;
use crate::scenario::PodCreated;

/// The snapshots that the Pods of a case are compared with.
pub(super) struct CaseSnapshots {
    own: SnapshotFolder,
    /// As the release before an upgrade sees the folder.
    before: Option<SnapshotFolder>,
    redactor: Redactor,
}

impl CaseSnapshots {
    pub(super) fn new(
        case: &TestCase,
        namespace: &str,
        verified: &Verified,
        redactor: &Redactor,
    ) -> Self {
        let folder = |operator| {
            SnapshotFolder::new(
                case.scenario.dir.clone(),
                operator,
                namespace,
                verified.clone(),
            )
        };
        Self {
            own: folder(case.operator.clone()),
            before: case.scenario.upgrade_from.clone().map(folder),
            redactor: redactor.clone(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &SnapshotFolder> {
        std::iter::once(&self.own).chain(&self.before)
    }

    /// Returns the problems other than those of the comparisons themselves.
    pub(super) fn problems(&self) -> Vec<String> {
        self.all().flat_map(SnapshotFolder::problems).collect()
    }

    /// Notes in the headers of equal snapshots what they were verified on; returns those that
    /// changed, and what failed.
    pub(super) fn record_verified(&self) -> (Vec<PathBuf>, Vec<String>) {
        let (mut changed, mut problems) = (Vec::new(), Vec::new());
        for folder in self.all() {
            match folder.record_verified() {
                Ok(paths) => changed.extend(paths),
                Err(error) => problems.push(error.to_string()),
            }
        }
        (changed, problems)
    }
}

impl Expectations for CaseSnapshots {
    fn compare(&self, subject: &Subject, found: &Value) -> Comparison {
        let before = self
            .before
            .as_ref()
            .filter(|_| subject.created == Some(PodCreated::Before));
        without_secrets(
            before.unwrap_or(&self.own).compare(subject, found),
            &self.redactor,
        )
    }
}

/// The text for a difference that is wholly within masks.
const WITHIN_A_SECRET: &str = "the two differ within a secret, which is not shown";

/// The same comparison with secrets masked. A difference is made anew: it shows parts of lines, and
/// spaces as `·`, in which a value would not be found.
fn without_secrets(comparison: Comparison, redactor: &Redactor) -> Comparison {
    let masked = |text: &str| redactor.redact_text(text);
    match comparison {
        Comparison::Equal { body, file } => Comparison::Equal {
            body: masked(&body).0,
            file,
        },
        Comparison::Missing { found, file } => Comparison::Missing {
            found: masked(&found).0,
            file,
        },
        Comparison::Different {
            expected,
            found,
            diff,
            file,
            unrecorded,
        } => {
            let (without_expected, in_expected) = masked(&expected);
            let (without_found, in_found) = masked(&found);
            let diff = match in_expected + in_found {
                0 => diff,
                _ if without_expected == without_found => WITHIN_A_SECRET.into(),
                _ => expect::diff(&without_expected, &without_found, &file),
            };
            Comparison::Different {
                expected: without_expected,
                found: without_found,
                diff,
                file,
                unrecorded,
            }
        }
    }
}
