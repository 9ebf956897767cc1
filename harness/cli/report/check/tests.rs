use std::path::Path;

use assertables::{assert_contains, assert_starts_with};
use serde_json::Value;

use super::*;
use crate::explain::check::{CheckReport, Ignore, Options, check};
use crate::manifest::Source;

fn cluster(name: &str, annotations: &str, args: &str) -> String {
    format!(
        "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\nspec:\n  \
         headGroupSpec:\n    rayStartParams: {{}}\n    template:\n      spec:\n        containers:\n        - name: \
         ray-head\n          image: ray\n          args: [{args}]\n          resources: {{limits: {{cpu: 1}}}}\n"
    )
}

const BAD: &str = "'run &'";

fn options(releases: &[&str]) -> Options {
    Options::new(
        releases
            .iter()
            .map(|release| release.parse().unwrap())
            .collect(),
    )
}

fn checked(text: &str, options: &Options) -> (CheckReport, [Source; 1]) {
    let sources = [Source::new(Path::new("f.yaml"), text)];
    (check(&sources, options).unwrap(), sources)
}

#[test]
fn a_finding_has_a_frame_with_carets_under_the_value() {
    let (report, sources) = checked(&cluster("c", "", BAD), &options(&["1.6.2"]));
    let text = check_text(&report, &sources, Look::default());
    let expected = "\
warning[trailing-ampersand]: bash: syntax error near unexpected token `&&': The text ends in `&`, and ` && ulimit …` follows it: bash finds a syntax error in that line, and `ray start` never runs.
  --> f.yaml:14:23
   |
14 |           args: ['run &']
   |                       ^
   = in: RayCluster c, head, spec.headGroupSpec.template.spec.containers[0].args[0]
   = help: Put the background command in parentheses: `(my-command &)`.
   = page: docs/reference/traps/trailing-ampersand.md

1 warning: 1 object in 1 file, KubeRay 1.6.2
";
    assert_eq!(text, expected);
    let coloured = check_text(
        &report,
        &sources,
        Look {
            colour: true,
            full: false,
        },
    );
    assert!(coloured.contains("\u{1b}[1;33m^\u{1b}[0m"), "{coloured}");
}

#[test]
fn nothing_of_a_manifest_acts_on_a_terminal() {
    const HOSTILE: &str = r"\e[31mred\e]0;title\a\n::error::x\u202e\u200b\u00a0\u009b";
    let name = format!("\"c{HOSTILE}\"");
    let args = format!("\"echo {HOSTILE} &\"");
    let shown = [cluster(&name, "", &args), cluster("c", "", &args)].map(|text| {
        let (report, sources) = checked(&text, &options(&["1.6.2"]));
        assert!(!report.findings.is_empty());
        check_text(&report, &sources, Look::default()) + &check_concise(&report)
    });
    let shown = shown.concat();
    let acts =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{200b}' | '\u{a0}');
    let bad: Vec<&str> = shown.lines().filter(|line| line.contains(acts)).collect();
    assert_eq!(bad, [""; 0]);
    assert!(
        !shown
            .lines()
            .any(|line| line.trim_start().starts_with("::")),
        "{shown}"
    );
}

#[test]
fn long_values_are_folded_and_long_lines_cut() {
    let lines: String = (0..20).map(|_| "            echo x\n").collect();
    // The place of this trap is the whole block.
    let block = format!("args:\n          - |-\n{lines}            ray start --head\n");
    let block = cluster("c", "", "").replace("args: []", &block);
    let (report, sources) = checked(&block, &options(&["1.6.2"]));
    let text = check_text(&report, &sources, Look::default());
    assert!(text.contains("... 17 more lines"), "{text}");
    let full = check_text(
        &report,
        &sources,
        Look {
            colour: false,
            full: true,
        },
    );
    assert!(full.matches("echo x").count() >= 20, "{full}");

    let long = cluster("c", "", &format!("'{} &'", "x".repeat(5000)));
    let (report, sources) = checked(&long, &options(&["1.6.2"]));
    let text = check_text(&report, &sources, Look::default());
    let frame = text.lines().find(|line| line.starts_with("14 |")).unwrap();
    assert!(frame.chars().count() < 110, "{frame}");
}

#[test]
fn lines_of_a_file_of_one_line_are_cut() {
    let one: Value = serde_json::json!({
        "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "c"},
        "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
            {"name": "ray-head", "image": "ray", "args": ["run &"], "resources": {"limits": {"cpu": 1}}}
        ]}}}},
    });
    let text = serde_json::json!({"kind": "List", "items": vec![one; 40]}).to_string();
    let (report, sources) = checked(&text, &options(&["1.6.2"]));
    let text = check_text(&report, &sources, Look::default());
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest.is_some_and(|length| length < 200), "{longest:?}");
}

#[test]
fn an_upgrade_is_shown_and_is_a_finding_where_a_form_has_findings_alone() {
    let mut options = options(&["1.3.2", "1.4.2"]);
    options.upgrade = true;
    let (report, sources) = checked(&cluster("c", "", BAD), &options);
    let text = check_text(&report, &sources, Look::default());
    assert!(
        text.starts_with("RayCluster c (f.yaml:1): review\n"),
        "{text}"
    );

    // Such a form does not fail where the text passes.
    let worst = report.worst();
    let flat = check_flat(report);
    let ids: Vec<&str> = flat.findings.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["changes-with-upgrade"]);
    assert_eq!(flat.worst(), worst);
    let message = &flat.findings[0].message;
    assert!(
        message.starts_with("RayCluster c: from 1.3.2 to 1.4.2: review\n"),
        "{message}"
    );
    assert!(message.contains("\n+ C09 plain-shell: "), "{message}");
}

/// A log with a finding in a file whose name must be escaped, and one without a file.
fn sarif() -> Value {
    let mut options = options(&["1.6.2"]);
    options.ignore = vec![Ignore {
        id: "errexit".into(),
        origin: None,
    }];
    let sources = [Source::new(
        Path::new("./a b/f.yaml"),
        &cluster("c", "", BAD),
    )];
    check_sarif(&check(&sources, &options).unwrap(), "0.1.0")
}

#[test]
fn sarif_names_rules_and_places() {
    let log = sarif();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_contains!(
            ["error", "warning", "note"],
            &result["level"].as_str().unwrap()
        );
    }
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/f.yaml");
    assert_eq!(
        place["region"],
        serde_json::json!({"startLine": 14, "startColumn": 23, "endLine": 14, "endColumn": 24})
    );
    assert_starts_with!(
        rules[0]["help"]["markdown"].as_str().unwrap(),
        "# trailing-ampersand"
    );
}

/// The schema is not part of this repository: `SARIF_SCHEMA` names the file, from a package that
/// ships it (`sarif_schema` in ci/lib.sh, docs/guide/checking-manifests.md).
#[test]
#[ignore = "needs the official schema, named by SARIF_SCHEMA"]
fn sarif_matches_the_official_schema() {
    let path =
        std::env::var_os("SARIF_SCHEMA").expect("SARIF_SCHEMA names sarif-schema-2.1.0.json");
    // JavaScript reads a closing bracket alone as itself; Rust wants it escaped.
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.replace("{2}]?$", r"{2}\\]?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&sarif())
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
}
