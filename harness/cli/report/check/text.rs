//! A report as text: like a compiler's diagnostics, or one line a finding.

use super::super::text::{Paint, plural};
use super::frame::{Files, Look};
use crate::explain::check::{CheckFinding, CheckReport, FeatureChange, Impact, ObjectUpgrade};
use crate::manifest::visible::line;
use crate::manifest::{Severity, Source};

/// A change in the colour of what it can do.
fn impact(paint: Paint, impact: Impact, text: &str) -> String {
    impact
        .severity()
        .map_or_else(|| text.into(), |severity| paint.severity(severity, text))
}

/// Returns the report for people; `sources` are the files that were checked.
pub fn check_text(report: &CheckReport, sources: &[Source], look: Look) -> String {
    let paint = Paint::new(look.colour);
    let files = Files::new(sources, &report.findings);
    let mut text = upgrades(report, paint);
    for finding in &report.findings {
        text.push_str(&finding_text(report, finding, &files, look, paint));
        text.push('\n');
    }
    for operator in &report.operators {
        if let Some(reason) = &operator.unverified {
            text.push_str(&format!(
                "{}: {}\n",
                paint.severity(Severity::Warning, "warning"),
                line(reason)
            ));
        }
    }
    for note in &report.notes {
        text.push_str(&format!(
            "{}: {}\n",
            paint.severity(Severity::Note, "note"),
            line(note)
        ));
    }
    text.push_str(&check_summary(report));
    text
}

fn finding_text(
    report: &CheckReport,
    finding: &CheckFinding,
    files: &Files,
    look: Look,
    paint: Paint,
) -> String {
    let head = format!("{}[{}]", finding.severity.word(), line(&finding.id));
    let message = paint.bold(&format!(": {}", line(&finding.message)));
    let mut text = format!("{}{message}\n", paint.severity(finding.severity, &head));
    let gutter = " ".repeat(finding.end_line.max(finding.line).to_string().len());
    if !finding.file.is_empty() {
        let place = format!(
            "{}:{}:{}",
            line(&finding.file),
            finding.line,
            finding.column
        );
        text.push_str(&format!("{gutter}{} {place}\n", paint.blue("-->")));
        text.push_str(&files.frame(finding, look, paint));
    }
    let mut add = |title: &str, value: &str| {
        let mark = paint.blue("=");
        text.push_str(&format!("{gutter} {mark} {}: {value}\n", paint.bold(title)));
    };
    if let Some(object) = &finding.object {
        add(
            "in",
            &place(report, finding, &format!("{} {}", object.kind, object.name)),
        );
    }
    if let Some(help) = &finding.help {
        add("help", &line(help));
    }
    if let Some(page) = &finding.page {
        add("page", &line(page));
    }
    text
}

/// The object, the containers, the path and the releases that a finding concerns.
fn place(report: &CheckReport, finding: &CheckFinding, object: &str) -> String {
    let mut parts = vec![line(object.trim())];
    if !finding.containers.is_empty() {
        parts.push(line(&finding.containers.join(", ")));
    }
    if !finding.path.is_empty() {
        parts.push(line(&finding.path));
    }
    if report.operators.len() > 1 && !finding.operators.is_empty() {
        let releases: Vec<String> = finding.operators.iter().map(ToString::to_string).collect();
        parts.push(format!("KubeRay {}", releases.join(", ")));
    }
    parts.join(", ")
}

/// Returns one line for each finding: `file:line:column: severity[id] message`.
pub fn check_concise(report: &CheckReport) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let place = if finding.file.is_empty() {
            String::new()
        } else {
            format!(
                "{}:{}:{}: ",
                line(&finding.file),
                finding.line,
                finding.column
            )
        };
        let word = finding.severity.word();
        text.push_str(&format!(
            "{place}{word}[{}] {}\n",
            line(&finding.id),
            line(&finding.message)
        ));
    }
    for upgrade in report
        .upgrades
        .iter()
        .filter(|upgrade| upgrade.impact != Impact::None)
    {
        let object = &upgrade.object;
        let features: Vec<&str> = upgrade
            .features
            .iter()
            .map(|one| one.feature.as_str())
            .collect();
        text.push_str(&format!(
            "{}:{}: {}[upgrade] {} {}: {}\n",
            line(&object.file),
            object.line,
            upgrade.impact.word(),
            line(&object.kind),
            line(&object.name),
            features.join(", ")
        ));
    }
    text
}

/// Returns the line that counts the findings.
pub fn check_summary(report: &CheckReport) -> String {
    let releases: Vec<String> = report
        .operators
        .iter()
        .map(|one| one.release.to_string())
        .collect();
    let place = format!(
        "{} in {}",
        plural(report.objects, "object"),
        plural(report.files.len(), "file")
    );
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (report.count(severity), severity.word()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| plural(count, word))
        .collect();
    if report.objects == 0 && counts.is_empty() {
        return format!(
            "no object of KubeRay's in {}\n",
            plural(report.files.len(), "file")
        );
    }
    let found = if counts.is_empty() {
        "nothing found".into()
    } else {
        counts.join(", ")
    };
    format!("{found}: {place}, KubeRay {}\n", releases.join(" → "))
}

fn upgrades(report: &CheckReport, paint: Paint) -> String {
    let mut text = String::new();
    for upgrade in &report.upgrades {
        let object = &upgrade.object;
        let word = impact(paint, upgrade.impact, upgrade.impact.word());
        let head = format!("{} {}", line(&object.kind), line(&object.name));
        text.push_str(&format!(
            "{} ({}:{}): {word}\n",
            paint.bold(&head),
            line(&object.file),
            object.line
        ));
        for change in &upgrade.features {
            text.push_str(&feature(change, upgrade, paint));
        }
        text.push('\n');
    }
    text
}

fn feature(change: &FeatureChange, upgrade: &ObjectUpgrade, paint: Paint) -> String {
    let sign = if change.comes { '+' } else { '-' };
    let since = if change.comes { "from" } else { "until" };
    let word = impact(
        paint,
        change.impact,
        &format!("{:<8}", change.impact.word()),
    );
    let all = upgrade
        .features
        .iter()
        .all(|one| one.containers == change.containers);
    let containers = if all {
        String::new()
    } else {
        format!(" ({})", line(&change.containers.join(", ")))
    };
    format!(
        "  {word} {sign} {} {}, {since} {}: {}{containers}\n",
        change.rule, change.feature, change.at, change.says
    )
}
