//! What `check` finds, for CI systems: annotations of GitHub Actions and `JUnit` XML.

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::super::github::{annotation_with, relative};
use super::super::text::clean;
use super::super::{NAME, ReportError};
use super::text::check_summary;
use crate::explain::check::{CheckFinding, CheckReport};
use crate::manifest::Severity;

/// Returns an annotation for each finding, one a line; `env` looks an environment variable up.
pub fn check_annotations(report: &CheckReport, env: &dyn Fn(&str) -> Option<String>) -> String {
    let workspace = env("GITHUB_WORKSPACE").filter(|value| !value.is_empty());
    let lines = report.findings.iter().map(|finding| {
        let kind = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let file =
            (!finding.file.is_empty()).then(|| relative(&finding.file, workspace.as_deref()));
        let place = (finding.line, finding.column);
        annotation_with(kind, file, place, &finding.id, &message(finding)) + "\n"
    });
    lines.collect()
}

fn message(finding: &CheckFinding) -> String {
    let mut message = finding.message.clone();
    for (title, text) in [("help", &finding.help), ("page", &finding.page)] {
        if let Some(text) = text {
            message.push_str(&format!("\n{title}: {text}"));
        }
    }
    message
}

/// Returns the report as `JUnit` XML: a test case for each finding, and one that passes where there
/// is none.
///
/// # Errors
/// When it can't be written as XML.
pub fn check_junit(report: &CheckReport) -> Result<String, ReportError> {
    let mut suite = TestSuite::new(NAME);
    for finding in &report.findings {
        let mut status = match finding.severity {
            Severity::Note => TestCaseStatus::success(),
            Severity::Warning => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Severity::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        if finding.severity != Severity::Note {
            let place = format!("{}:{}:{}", finding.file, finding.line, finding.column);
            status
                .set_type(finding.id.as_str())
                .set_message(clean(&finding.message));
            status.set_description(clean(&format!("{place}\n{}", message(finding))));
        }
        let name = format!(
            "{} {}:{}:{}",
            finding.id, finding.file, finding.line, finding.column
        );
        let mut case = TestCase::new(clean(&name), status);
        // CI systems take dots for the separators of packages.
        case.set_classname(clean(&finding.file.replace('.', "_")));
        case.extra
            .insert("file".into(), clean(&finding.file).into());
        if finding.severity == Severity::Note {
            case.set_system_out(clean(&message(finding)));
        }
        suite.add_test_case(case);
    }
    if report.findings.is_empty() {
        suite.add_test_case(TestCase::new(
            check_summary(report).trim_end(),
            TestCaseStatus::success(),
        ));
    }
    let mut all = Junit::new(NAME);
    all.add_test_suite(suite);
    all.to_string()
        .map_err(|source| ReportError::render("junit.xml", source))
}
