//! `junit.xml`: one test case for each case.

use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use super::final_text::without_verdict;
use super::text::clean;
use super::view;
use super::{CaseResult, CheckResult, NAME, Outcome, ReportError, RunResult};

pub(super) fn render(run: &RunResult) -> Result<String, ReportError> {
    let mut suite = TestSuite::new(NAME);
    suite.timestamp = run.started.parse().ok();
    suite.set_time(seconds(run.duration_seconds));
    suite.add_properties(suite_properties(run));
    suite.add_test_cases(run.cases.iter().map(test_case));
    if let Some(reason) = &run.interrupted {
        // Without it, a run that stopped early would look like one in which everything passed.
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("interrupted").set_message(clean(reason));
        suite.add_test_case(TestCase::new("the run reaches its end", status));
    }
    if let Some(reason) = without_verdict(run) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("no-verdict").set_message(clean(&reason));
        suite.add_test_case(TestCase::new("the run judges a case", status));
    }
    let mut report = Report::new(NAME);
    report.timestamp = suite.timestamp;
    report.set_time(seconds(run.duration_seconds));
    report.add_test_suite(suite);
    report
        .to_string()
        .map_err(|source| ReportError::render("junit.xml", source))
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

fn property(name: &str, value: &str) -> Property {
    Property::new(clean(name), clean(value))
}

fn suite_properties(run: &RunResult) -> Vec<Property> {
    let mut properties = vec![
        property("results", &run.version),
        property("run", &run.run_id),
        property("harness", &run.harness),
        property("kubernetes", &run.environment.kubernetes),
        property("engine", &run.environment.engine),
    ];
    if let Some(shard) = run.shard {
        properties.push(property("shard", &shard.to_string()));
    }
    for image in &run.environment.images {
        let name = format!("image:{}", image.name);
        let value = format!(
            "{} ({}; {})",
            image.digest,
            view::origin(image.origin),
            image.source
        );
        properties.push(property(&name, &value));
    }
    for phase in &run.phases {
        properties.push(property(
            &format!("phase:{}", phase.name),
            &format!("{:.1}s", phase.seconds),
        ));
    }
    properties
}

fn test_case(case: &CaseResult) -> TestCase {
    let mut entry = TestCase::new(clean(&case.scenario), status(case));
    let class = case
        .id
        .strip_suffix(&format!("::{}", case.scenario))
        .unwrap_or(&case.id);
    // CI systems split class names at dots.
    entry.set_classname(clean(class).replace('.', "_"));
    entry.set_time(seconds(case.duration_seconds));
    entry.set_assertions(case.checks.len());
    entry.extra.insert("file".into(), clean(&case.file).into());
    entry.add_properties(case.rules.iter().map(|rule| property("rule", rule)));
    entry.add_property(property("level", view::level(case.level)));
    entry.add_property(property("operator", &case.operator));
    let ray = view::ray(case);
    if !ray.is_empty() {
        entry.add_property(property("ray", ray));
    }
    if let Some(namespace) = &case.namespace {
        entry.add_property(property("namespace", namespace));
    }
    if case.resumed {
        entry.add_property(property("resumed", "true"));
    }
    if let Some(evidence) = &case.evidence {
        entry.add_property(property("evidence", evidence));
    }
    entry
}

fn status(case: &CaseResult) -> TestCaseStatus {
    let reason = case.reason.as_deref().map(clean);
    let (kind, ty) = match case.outcome {
        Outcome::Passed => return TestCaseStatus::success(),
        Outcome::Flaky => {
            let mut first = TestRerun::new(NonSuccessKind::Error);
            first
                .set_type("environment")
                .set_message(reason.unwrap_or_default());
            let mut status = TestCaseStatus::success();
            status.add_rerun(first);
            return status;
        }
        Outcome::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.unwrap_or_default());
            return status;
        }
        Outcome::Failed if case.is_provisional_failure() => {
            (NonSuccessKind::Failure, "provisional")
        }
        Outcome::New => (NonSuccessKind::Failure, "new"),
        Outcome::Failed => (NonSuccessKind::Failure, "check"),
        Outcome::Error if case.interrupted => (NonSuccessKind::Error, "interrupted"),
        Outcome::Error => (NonSuccessKind::Error, "environment"),
    };
    let checks: Vec<&CheckResult> = case.bad_checks().collect();
    let message = reason
        .or_else(|| checks.first().map(|check| clean(&check.message)))
        .unwrap_or_default();
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(ty).set_message(message);
    let text: String = checks.iter().map(|check| describe(case, check)).collect();
    if !text.is_empty() {
        status.set_description(text.trim_end());
    }
    status
}

/// A check in plain text, with everything that is known of it.
fn describe(case: &CaseResult, check: &CheckResult) -> String {
    let mut text = format!(
        "{}: {}\n{}\n",
        check.name,
        check.place(&case.file),
        check.message
    );
    for (title, block) in check.blocks() {
        _ = writeln!(text, "{title}:\n{}", block.trim_end_matches('\n'));
    }
    text.push('\n');
    clean(&text)
}
