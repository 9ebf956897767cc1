//! What `doctor` finds, for people and for CI systems.

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::shell_word;
use super::text::{Paint, clean, one_line, screen};
use super::{NAME, ReportError};
use crate::live::doctor::{
    DoctorFinding, DoctorObject, DoctorReport, ObjectState, Patch, PodOrigin,
};
use crate::manifest::Severity;

/// Objects that are shown without `--verbose`.
const OBJECTS: usize = 20;

/// Returns the report for people: what is wrong, why, and what to do.
pub fn doctor_text(report: &DoctorReport, verbose: bool, colour: bool) -> String {
    let paint = Paint::new(colour);
    let mut text = String::new();
    for finding in &report.findings {
        text.push_str(&of_finding(finding, verbose, paint).join("\n"));
        text.push_str("\n\n");
    }
    let told = |object: &&DoctorObject| verbose || !is_quiet(object);
    let told: Vec<&DoctorObject> = report.objects.iter().filter(told).collect();
    let shown = if verbose { told.len() } else { OBJECTS };
    for object in told.iter().take(shown) {
        let lines = screen(of_object(object, verbose, paint), verbose);
        text.push_str(&lines.join("\n"));
        text.push_str("\n\n");
    }
    if told.len() > shown {
        let rest = told.len() - shown;
        text.push_str(&format!("{rest} more objects with --verbose\n\n"));
    }
    for unread in &report.unread {
        let why = one_line(&unread.why);
        text.push_str(&format!(
            "{}: no {}: {why}\n",
            paint.yellow("not read"),
            unread.what
        ));
    }
    text.push_str(&summary(report, verbose));
    text
}

/// Whether nothing is to be said about an object.
fn is_quiet(object: &DoctorObject) -> bool {
    object.state == ObjectState::Healthy && object.findings.is_empty() && changes(object).is_empty()
}

fn of_object(object: &DoctorObject, verbose: bool, paint: Paint) -> Vec<String> {
    let title = format!(
        "{} {}/{}",
        object.kind,
        one_line(&object.namespace),
        one_line(&object.name)
    );
    let state = match object.state {
        ObjectState::Healthy => paint.green("healthy"),
        ObjectState::Progressing => paint.yellow("not ready yet"),
        ObjectState::Broken => paint.red("broken"),
    };
    let mut lines = vec![format!("{}: {state}", paint.bold(&title))];
    let first = object.findings.first().map(|finding| finding.severity);
    for (index, finding) in object.findings.iter().enumerate() {
        // The likeliest cause with its proof; others in a line.
        if index == 0 || verbose {
            lines.extend(indented(&of_finding(finding, verbose, paint)));
        } else if finding.severity != Severity::Note || first == Some(Severity::Note) {
            let word = word(finding.severity, paint);
            lines.push(format!(
                "  {word}[{}] {}",
                finding.cause,
                one_line(&finding.message)
            ));
        }
    }
    let changes = changes(object);
    if !changes.is_empty() {
        lines.push("  when recreated:".into());
        let shown = if verbose { changes.len() } else { 3 };
        lines.extend(changes.iter().take(shown).map(|line| format!("    {line}")));
        if changes.len() > shown {
            lines.push(format!(
                "    … {} more with --verbose",
                changes.len() - shown
            ));
        }
    }
    if verbose {
        for pod in &object.pods {
            let ready = if pod.ready { "ready" } else { "not ready" };
            let origin = origin(pod.origin);
            let releases = if pod.releases.is_empty() {
                String::new()
            } else {
                format!(" (KubeRay {})", pod.releases.join(", "))
            };
            let name = one_line(&pod.name);
            lines.push(format!(
                "  {} {name}: {ready}, {origin}{releases}",
                pod.role
            ));
            let details = pod.differences.iter().chain(&pod.writers);
            lines.extend(details.map(|line| format!("    {}", one_line(line))));
        }
    }
    lines
}

fn changes(object: &DoctorObject) -> Vec<String> {
    let pods = object.pods.iter();
    pods.flat_map(|pod| {
        let lines = pod.when_recreated.iter();
        lines.map(|line| format!("Pod {}: {}", one_line(&pod.name), one_line(line)))
    })
    .collect()
}

fn origin(origin: PodOrigin) -> &'static str {
    match origin {
        PodOrigin::Expected => "as its operator creates it",
        PodOrigin::OlderSpec => "created from an older spec",
        PodOrigin::OlderOperator => "created by another release of the operator",
        PodOrigin::AnotherWriter => "changed by another writer",
        PodOrigin::NotCompared => "not compared",
    }
}

fn word(severity: Severity, paint: Paint) -> String {
    match severity {
        Severity::Error => paint.red(severity.word()),
        Severity::Warning => paint.yellow(severity.word()),
        Severity::Note => paint.dim(severity.word()),
    }
}

fn indented(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| format!("  {line}")).collect()
}

fn of_finding(finding: &DoctorFinding, verbose: bool, paint: Paint) -> Vec<String> {
    let mut lines = vec![format!(
        "{}[{}] {}",
        word(finding.severity, paint),
        finding.cause,
        one_line(&finding.message)
    )];
    let place = match (&finding.pod, &finding.container) {
        (Some(pod), Some(container)) => format!("Pod {pod}, container {container}"),
        (Some(pod), None) => format!("Pod {pod}"),
        _ => String::new(),
    };
    if !place.is_empty() {
        lines.push(format!("  in: {place}"));
    }
    let shown = if verbose { finding.proof.len() } else { 3 };
    for proof in finding.proof.iter().take(shown) {
        let text = one_line(&proof.text);
        let text = if verbose { text } else { shortened(&text) };
        lines.push(format!("  {}: {text}", proof.kind.word()));
    }
    if finding.severity != Severity::Note {
        lines.push(format!("  do: {}", one_line(&finding.help)));
    }
    if let Some(patch) = &finding.patch {
        lines.push(format!("  {}", command(patch)));
    }
    if let Some(rule) = finding.rule.as_ref().filter(|_| verbose) {
        let scenarios = finding.scenarios.join(", ");
        let by = if scenarios.is_empty() {
            String::new()
        } else {
            format!(", shown by {scenarios}")
        };
        lines.push(format!("  rule: {rule}{by}"));
    }
    lines
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 160;
    if text.chars().count() <= LONGEST {
        return text.into();
    }
    let text: String = text.chars().take(LONGEST).collect();
    format!("{text}…")
}

/// The command that applies a patch.
fn command(patch: &Patch) -> String {
    let json = serde_json::to_string(&patch.operations).unwrap_or_default();
    let json = one_line(&json).replace('\'', "'\\''");
    format!(
        "kubectl patch {} {} --namespace {} --type json --patch '{json}'",
        shell_word(&one_line(&patch.kind.to_lowercase())),
        shell_word(&one_line(&patch.name)),
        shell_word(&one_line(&patch.namespace))
    )
}

fn summary(report: &DoctorReport, verbose: bool) -> String {
    let count = |state| {
        report
            .objects
            .iter()
            .filter(|one| one.state == state)
            .count()
    };
    let operators: Vec<String> = report
        .operators
        .iter()
        .map(|one| {
            one.release
                .as_ref()
                .map_or("of an unknown release".into(), Clone::clone)
        })
        .collect();
    let operators = if operators.is_empty() {
        "no operator".to_owned()
    } else {
        format!("KubeRay {}", operators.join(", "))
    };
    let requests = if verbose {
        format!(", {} requests", report.requests)
    } else {
        String::new()
    };
    format!(
        "{} broken, {} not ready yet, {} healthy; {operators}{requests}\n",
        count(ObjectState::Broken),
        count(ObjectState::Progressing),
        count(ObjectState::Healthy)
    )
}

/// Returns the report as `JUnit` XML: a test case for each object, which fails where it is broken.
///
/// # Errors
/// When it can't be written as XML.
pub fn doctor_junit(report: &DoctorReport) -> Result<String, ReportError> {
    let mut suite = TestSuite::new(NAME);
    let problems = |findings: &[DoctorFinding]| -> Option<TestCaseStatus> {
        let first = findings
            .iter()
            .find(|one| one.severity == Severity::Error)?;
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(first.cause.as_str());
        status.set_message(clean(&first.message));
        let paint = Paint::new(false);
        let all = findings.iter().flat_map(|one| of_finding(one, true, paint));
        status.set_description(clean(&all.collect::<Vec<_>>().join("\n")));
        Some(status)
    };
    let status = problems(&report.findings).unwrap_or(TestCaseStatus::success());
    let mut operator = TestCase::new("operator", status);
    operator.set_classname("cluster");
    suite.add_test_case(operator);
    for object in &report.objects {
        let status = problems(&object.findings).unwrap_or(TestCaseStatus::success());
        let mut case = TestCase::new(clean(&object.name), status);
        let class = format!("{}.{}", object.namespace, object.kind);
        case.set_classname(clean(&class));
        suite.add_test_case(case);
    }
    let mut all = Junit::new(NAME);
    all.add_test_suite(suite);
    all.to_string()
        .map_err(|source| ReportError::render("junit.xml", source))
}

#[cfg(test)]
mod tests;
