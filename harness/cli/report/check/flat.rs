//! A report with findings alone, for forms that have no place for upgrades.

use crate::explain::check::{CheckFinding, CheckReport, Other};

/// Returns the report with what an upgrade changes among the findings, for forms that have
/// findings alone.
pub fn check_flat(mut report: CheckReport) -> CheckReport {
    let releases: Vec<String> = report
        .operators
        .iter()
        .map(|one| one.release.to_string())
        .collect();
    let releases = releases.join(" to ");
    for upgrade in std::mem::take(&mut report.upgrades) {
        let Some(severity) = upgrade.impact.severity() else {
            continue;
        };
        let mut message = format!(
            "{} {}: from {releases}: {}",
            upgrade.object.kind,
            upgrade.object.name,
            upgrade.impact.word()
        );
        for trap in &upgrade.traps {
            message.push_str(&format!("\nnew: {trap}"));
        }
        for change in &upgrade.features {
            let sign = if change.comes { '+' } else { '-' };
            message.push_str(&format!(
                "\n{sign} {} {}: {}",
                change.rule, change.feature, change.says
            ));
        }
        report.findings.push(CheckFinding {
            id: Other::ChangesWithUpgrade.id().into(),
            severity,
            file: upgrade.object.file.clone(),
            line: upgrade.object.line,
            end_line: upgrade.object.line,
            object: Some(upgrade.object),
            message,
            ..CheckFinding::default()
        });
    }
    report
        .findings
        .sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    report
}
