//! The table of all published reports, and the badge of one.

use std::fmt::Write as _;

use jiff::Span;
use jiff::civil::Date;
use semver::Version;

use super::{ConformanceReport, ProgrammeResult};
use crate::report::markdown_text::{code, escape};

/// A report counts as partial from this many months after its run on.
const FULL_MONTHS: i64 = 12;
/// A report is left out from this many months after its run on.
const LISTED_MONTHS: i64 = 24;

const INTRODUCTION: &str = "\
# Conformance reports

<!-- Written by `kuberay-conformance docs programme`. -->

Each row is a conformance report: an organization publishes one run on one build of the operator.
[Publish a report](../guide/reporting.md) has the rules. This command generates the page from
`conformance/reports`:

```sh
kuberay-conformance docs programme > docs/reference/programme.md
```
";

/// A report and where it lies below the folder of all reports.
#[derive(Debug, Clone)]
pub struct ProgrammeEntry {
    /// Its path, such as `1.6.2/acme-kind.yaml`.
    pub path: String,
    /// The report.
    pub report: ConformanceReport,
}

/// How old a report is on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Full,
    Partial,
    TooOld,
}

fn age(report: &ConformanceReport, today: Date) -> Age {
    let Ok(date) = report.spec.date.parse::<Date>() else {
        return Age::TooOld;
    };
    let after = |months: i64| date.saturating_add(Span::new().months(months));
    if today >= after(LISTED_MONTHS) {
        Age::TooOld
    } else if today >= after(FULL_MONTHS) {
        Age::Partial
    } else {
        Age::Full
    }
}

/// What a report counts as on a day.
fn counts_as(report: &ConformanceReport, today: Date) -> ProgrammeResult {
    match (age(report, today), report.spec.result) {
        (Age::Partial, ProgrammeResult::Conformant) => ProgrammeResult::Partial,
        (_, result) => result,
    }
}

/// `docs/reference/programme.md`: the reports that are not too old on the day of the newest one,
/// the newest release first.
pub fn render_programme(entries: &[ProgrammeEntry]) -> String {
    let dates = entries
        .iter()
        .filter_map(|entry| entry.report.spec.date.parse().ok());
    let today: Date = dates.max().unwrap_or_default();
    let mut listed: Vec<&ProgrammeEntry> = entries
        .iter()
        .filter(|entry| age(&entry.report, today) != Age::TooOld)
        .collect();
    let release =
        |entry: &ProgrammeEntry| entry.report.spec.operator.release.parse::<Version>().ok();
    listed.sort_by(|one, other| {
        release(other)
            .cmp(&release(one))
            .then_with(|| one.path.cmp(&other.path))
    });
    let mut text = String::from(INTRODUCTION);
    _ = write!(
        text,
        "\nThe newest report is from {today}. Conformant reports from before {} count as partial. The table leaves out reports from before {}.\n\n",
        today.saturating_sub(Span::new().months(FULL_MONTHS)),
        today.saturating_sub(Span::new().months(LISTED_MONTHS))
    );
    text.push_str(
        "| KubeRay | organization | target | profile | result | passed | date | Ray | Kubernetes |\n",
    );
    text.push_str("|---|---|---|---|---|--:|---|---|---|\n");
    for entry in listed {
        let spec = &entry.report.spec;
        let counts = counts_as(&entry.report, today);
        let result = if counts == spec.result {
            counts.word().to_owned()
        } else {
            format!("{} (for its age)", counts.word())
        };
        let ray = if spec.ray.is_empty() {
            "none".to_owned()
        } else {
            spec.ray.join(", ")
        };
        let cells = [
            escape(&spec.operator.release),
            format!(
                "[{}](../../conformance/reports/{})",
                escape(&spec.organization),
                entry.path
            ),
            code(&spec.target),
            spec.profile.word().to_owned(),
            result,
            format!("{} of {}", spec.scenarios.passed, spec.scenarios.of_profile),
            escape(&spec.date),
            escape(&ray),
            escape(&spec.kubernetes),
        ];
        _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// The badge of a report, in the form that shields.io reads from an address.
pub fn badge(report: &ConformanceReport) -> String {
    let result = report.spec.result;
    let colour = match result {
        ProgrammeResult::Conformant => "brightgreen",
        ProgrammeResult::Partial => "yellow",
        ProgrammeResult::Failed => "red",
    };
    let spec = &report.spec;
    let badge = serde_json::json!({
        "schemaVersion": 1,
        "label": format!("KubeRay {} {}", spec.operator.release, spec.profile.word()),
        "message": result.word(),
        "color": colour,
    });
    format!("{badge:#}\n")
}
