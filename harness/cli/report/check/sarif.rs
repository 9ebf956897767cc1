//! A report as SARIF 2.1.0, which code hosts show beside the lines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::NAME;
use super::trap_pages::trap_page;
use crate::explain::check::{CheckFinding, CheckReport, IDS, page_path, trap};
use crate::manifest::Severity;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Returns the report as a SARIF 2.1.0 log; `version` is that of the program.
pub fn check_sarif(report: &CheckReport, version: &str) -> Value {
    let mut ids: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in &report.findings {
        ids.insert(&finding.id, finding.severity);
    }
    let indices: BTreeMap<&str, usize> = ids
        .keys()
        .enumerate()
        .map(|(index, id)| (*id, index))
        .collect();
    let rules: Vec<Value> = ids
        .iter()
        .map(|(id, severity)| rule(id, *severity))
        .collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(finding, indices[finding.id.as_str()]))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": NAME,
                "version": version,
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    severity.word()
}

fn rule(id: &str, severity: Severity) -> Value {
    let mut rule = json!({"id": id, "defaultConfiguration": {"level": level(severity)}});
    if let Some(trap) = trap(id) {
        rule["shortDescription"] = json!({"text": trap.text});
        rule["help"] = json!({"text": trap.help, "markdown": trap_page(trap)});
        rule["properties"] = json!({"tags": [trap.rule], "page": page_path(id)});
    } else if let Some(other) = IDS.iter().find(|other| other.id() == id) {
        rule["shortDescription"] = json!({"text": other.says()});
    }
    rule
}

fn result(finding: &CheckFinding, index: usize) -> Value {
    let text = match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": {"text": text},
    });
    if !finding.file.is_empty() {
        let mut location = json!({"physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.file)},
            "region": {
                "startLine": finding.line,
                "startColumn": finding.column,
                "endLine": finding.end_line,
                "endColumn": finding.end_column,
            },
        }});
        if let Some(object) = &finding.object {
            let name = format!("{}/{} {}", object.kind, object.name, finding.path);
            location["logicalLocations"] =
                json!([{"fullyQualifiedName": name.trim(), "kind": "object"}]);
        }
        result["locations"] = json!([location]);
    }
    result
}

/// A file as a relative or absolute URI reference.
fn uri(file: &str) -> String {
    let path = file.strip_prefix("./").unwrap_or(file).replace('\\', "/");
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
