//! A report as text: like a compiler's diagnostics, or one line a finding.

use kuberay_manifest::visible::line;
use kuberay_manifest::{Severity, Source};

use super::document::{CheckFinding, CheckReport, FeatureChange, ObjectUpgrade};
use super::frame::Files;
use super::impact::Impact;

/// How a report is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// Whether it may have colours.
    pub colour: bool,
    /// Whether values of many lines are shown in whole.
    pub full: bool,
}

/// The escape codes of colours; none when colour is off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.into()
        }
    }

    pub(super) fn blue(self, text: &str) -> String {
        self.wrap("1;34", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn of(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Note => "1;36",
        };
        self.wrap(code, text)
    }

    fn impact(self, impact: Impact, text: &str) -> String {
        impact
            .severity()
            .map_or_else(|| text.into(), |severity| self.of(severity, text))
    }
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

impl CheckReport {
    /// Returns the report for people; `sources` are the files that were checked.
    pub fn text(&self, sources: &[Source], look: Look) -> String {
        let paint = Paint(look.colour);
        let files = Files::new(sources, &self.findings);
        let mut text = self.upgrade_text(paint);
        for finding in &self.findings {
            text.push_str(&self.finding(finding, &files, look, paint));
            text.push('\n');
        }
        for operator in &self.operators {
            if let Some(reason) = &operator.unread {
                text.push_str(&format!(
                    "{}: {}\n",
                    paint.of(Severity::Warning, "warning"),
                    line(reason)
                ));
            }
        }
        for note in &self.notes {
            text.push_str(&format!(
                "{}: {}\n",
                paint.of(Severity::Note, "note"),
                line(note)
            ));
        }
        text.push_str(&self.summary());
        text
    }

    fn finding(&self, finding: &CheckFinding, files: &Files, look: Look, paint: Paint) -> String {
        let head = format!("{}[{}]", finding.severity.word(), line(&finding.id));
        let message = paint.bold(&format!(": {}", line(&finding.message)));
        let mut text = format!("{}{message}\n", paint.of(finding.severity, &head));
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
                &self.place(finding, &format!("{} {}", object.kind, object.name)),
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
    fn place(&self, finding: &CheckFinding, object: &str) -> String {
        let mut parts = vec![line(object.trim())];
        if !finding.containers.is_empty() {
            parts.push(line(&finding.containers.join(", ")));
        }
        if !finding.path.is_empty() {
            parts.push(line(&finding.path));
        }
        if self.operators.len() > 1 && !finding.operators.is_empty() {
            let releases: Vec<String> = finding.operators.iter().map(ToString::to_string).collect();
            parts.push(format!("KubeRay {}", releases.join(", ")));
        }
        parts.join(", ")
    }

    /// Returns one line for each finding: `file:line:column: severity[id] message`.
    pub fn concise(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
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
        for upgrade in self
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

    /// Returns the last line: how much was found where.
    pub fn summary(&self) -> String {
        let releases: Vec<String> = self
            .operators
            .iter()
            .map(|one| one.release.to_string())
            .collect();
        let place = format!(
            "{} in {}",
            plural(self.objects, "object"),
            plural(self.files.len(), "file")
        );
        let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
            .into_iter()
            .map(|severity| (self.count(severity), severity.word()))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| plural(count, word))
            .collect();
        if self.objects == 0 && counts.is_empty() {
            return format!(
                "no object of KubeRay's in {}\n",
                plural(self.files.len(), "file")
            );
        }
        let found = if counts.is_empty() {
            "nothing found".into()
        } else {
            counts.join(", ")
        };
        format!("{found}: {place}, KubeRay {}\n", releases.join(" → "))
    }

    fn upgrade_text(&self, paint: Paint) -> String {
        let mut text = String::new();
        for upgrade in &self.upgrades {
            let object = &upgrade.object;
            let word = paint.impact(upgrade.impact, upgrade.impact.word());
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
}

fn feature(change: &FeatureChange, upgrade: &ObjectUpgrade, paint: Paint) -> String {
    let sign = if change.comes { '+' } else { '-' };
    let since = if change.comes { "from" } else { "until" };
    let word = paint.impact(change.impact, &format!("{:<8}", change.impact.word()));
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
