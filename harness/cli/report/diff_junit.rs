//! What a comparison of two operators found, as `JUnit` XML.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::diff_text::{entry_text, summary};
use super::text::clean;
use super::{NAME, ReportError};
use crate::scenario::diff::Diff;

/// Returns the comparison as `JUnit` XML: a failed test case for each difference, and one that
/// passes where there is none.
///
/// # Errors
/// When it can't be written as XML.
pub fn diff_junit(diff: &Diff) -> Result<String, ReportError> {
    let mut suite = TestSuite::new("command contract");
    for entry in &diff.entries {
        let rule = entry.rule.as_deref().unwrap_or("no rule");
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(rule).set_message(clean(&entry.title));
        status.set_description(clean(&entry_text(entry)));
        // The title holds counts; the subject is the same in the next run.
        let mut case = TestCase::new(clean(&entry.subject), status);
        case.set_classname(rule);
        suite.add_test_case(case);
    }
    if diff.entries.is_empty() {
        let mut status = TestCaseStatus::success();
        status.set_message(clean(&summary(diff)));
        suite.add_test_case(TestCase::new("both operators do the same", status));
    }
    let mut report = Report::new(NAME);
    report.add_test_suite(suite);
    report
        .to_string()
        .map_err(|source| ReportError::render("junit.xml", source))
}
