use std::path::Path;

use assertables::assert_gt;
use rstest::rstest;
use semver::Version;

use super::*;
use crate::contract::EffectiveSettings;
use crate::explain::{FieldValidation, explain, explain_with};

/// A RayCluster with a worker group; `{head}`, `{spec}` and `{name}` stand for what a test changes.
const CLUSTER: &str = "\
apiVersion: ray.io/v1
kind: RayCluster
metadata:
  name: team-a
spec:
  rayVersion: 2.52.0
  headGroupSpec:
    rayStartParams: {}
    template:
      spec:
        containers:
        - name: ray
          image: rayproject/ray:2.52.0
          resources: {limits: {cpu: 1, memory: 2Gi}}
  workerGroupSpecs:
  - groupName: small
    rayStartParams: {}
    template:
      spec:
        containers:
        - name: ray
          image: rayproject/ray:2.52.0
          resources: {limits: {cpu: 1, memory: 2Gi}}
";

fn explained(text: &str, versions: &[&str]) -> Explanation {
    let releases: Vec<Version> = versions
        .iter()
        .map(|version| version.parse().unwrap())
        .collect();
    explain_with(
        Path::new("team.yaml"),
        text,
        &releases,
        &EffectiveSettings::default(),
        FieldValidation::Strict,
    )
    .unwrap()
}

#[rstest]
#[case::by_the_api_server("cpu: 1,", "cpu: 0.5,", &["refused, no Pods", "by the API server at team.yaml:14:37"])]
#[case::by_the_operator("name: team-a", "name: 7b-chat", &["refused, no Pods", "at team.yaml:4:9"])]
#[case::for_some_clients("          resources", "          env:\n          resources", &["refused for some clients"])]
#[case::waiting("  rayVersion", "  suspend: true\n  rayVersion", &["accepted, no Pods"])]
fn what_has_no_pods_is_said_with_its_place(
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] expected: &[&str],
) {
    let text = explain_text(&explained(&CLUSTER.replacen(right, wrong, 1), &["1.6.2"]));
    for part in expected {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[rstest]
#[case("1.2.2", true)]
#[case("1.4.2", false)]
fn a_random_order_of_flags_is_said(#[case] release: &str, #[case] expected: bool) {
    let text = explain_text(&explained(CLUSTER, &[release]));
    let said = text.contains("order of generated flags is random");
    assert_eq!(said, expected, "{text}");
}

#[test]
fn an_upgrade_shows_what_the_new_release_refuses() {
    let text = CLUSTER.replace("name: team-a", "name: 7b-chat");
    let explanation = explained(&text, &["1.3.2", "1.4.2"]);
    let text = explain_text(&explanation);
    let line = "From 1.3.2 to 1.4.2: RayCluster 7b-chat is refused by the operator: RayCluster name should";
    assert!(text.contains(line), "{text}");
    // What is refused has no Pods whose lines could be said to go.
    let text = upgrade_text(&explanation);
    assert!(
        text.starts_with("KubeRay 1.3.2 → 1.4.2: 1 of 1 object affected\nFrom 1.3.2"),
        "{text}"
    );
    assert!(text.contains(line), "{text}");
    assert!(
        text.contains("RayCluster 7b-chat: refused, no Pods (only on 1.4.2)"),
        "{text}"
    );
    assert!(!text.contains("\n  head"), "{text}");
}

#[test]
fn an_upgrade_of_what_both_releases_refuse_says_so_once() {
    let text = CLUSTER.replace("name: team-a", "name: 7b-chat");
    let text = upgrade_text(&explained(&text, &["1.4.2", "1.6.2"]));
    assert!(
        text.starts_with("KubeRay 1.4.2 → 1.6.2: 0 of 1 object affected\n"),
        "{text}"
    );
    assert_eq!(
        text.matches("RayCluster 7b-chat: refused, no Pods\n")
            .count(),
        1,
        "{text}"
    );
}

/// What must not reach a terminal: colours, a title, a line of its own, a direction, what looks
/// like nothing or a space.
const HOSTILE: &str = r"\e[31mred\e]0;title\a\n::error::x\u202e\u200b\u00a0\u009b";

/// A RayCluster whose head has these lines in its container and its group.
fn manifest(container: &str, group: &str) -> String {
    // Releases before 1.4 refuse a group without them.
    let params = if group.contains("rayStartParams") {
        ""
    } else {
        "\nrayStartParams: {}"
    };
    let group = &format!("{group}{params}").trim_start().to_owned();
    let indented = |text: &str, depth: usize| -> String {
        text.lines()
            .map(|line| format!("{}{line}\n", " ".repeat(depth)))
            .collect()
    };
    format!(
        "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata:\n  name: c\nspec:\n  headGroupSpec:\n{}    template:\n      spec:\n        \
         containers:\n        - name: ray-head\n          image: ray\n{}",
        indented(group, 4),
        indented(container, 10)
    )
}

/// A manifest with such a text wherever `explain` prints one.
fn hostile() -> String {
    let mut text = manifest(
        &format!(
            "args: [\"echo {HOSTILE} &\"]\nenv:\n- {{name: \"A{HOSTILE}\", value: \"{HOSTILE}\"}}\n"
        ),
        &format!(
            "rayStartParams: {{num-cpus: \"1\", \"x{HOSTILE}\": \"{HOSTILE}; a\", block: \"false\"}}"
        ),
    );
    text = text.replace("name: c\n", &format!("name: \"c{HOSTILE}\"\n"));
    text = text.replace(
        "name: ray-head\n",
        &format!("name: \"ray-head{HOSTILE}\"\n"),
    );
    text + &format!(
        "  workerGroupSpecs:\n  - groupName: \"g{HOSTILE}\"\n    template:\n      spec:\n        containers:\n        - \
         name: \"w{HOSTILE}\"\n          image: ray\n---\nkind: \"Other{HOSTILE}\"\n"
    )
}

/// The same with names that the API server takes, so that there are Pods to show.
fn hostile_within() -> String {
    ["c", "ray-head", "g", "w", "A"]
        .iter()
        .fold(hostile(), |text, name| {
            text.replace(&format!("\"{name}{HOSTILE}\""), name)
        })
}

#[test]
fn nothing_of_a_manifest_acts_on_a_terminal() {
    let file = Path::new("file\u{1b}[31m.yaml");
    let releases = ["1.4.0".parse().unwrap(), "1.6.2".parse().unwrap()];
    let shown = [hostile(), hostile_within()].map(|text| {
        let settings = EffectiveSettings::default();
        let explanation = explain(file, &text, &releases, &settings).unwrap();
        if explanation.refusals.is_empty() {
            assert_gt!(explanation.changes.len(), 0);
            assert_gt!(explanation.containers.len(), 2);
        }
        explain_text(&explanation) + &upgrade_text(&explanation)
    });
    let shown = shown.concat();
    let acts =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{200b}' | '\u{a0}');
    let bad: Vec<&str> = shown.lines().filter(|line| line.contains(acts)).collect();
    assert_eq!(bad, [""; 0]);
    let commands: Vec<&str> = shown
        .lines()
        .filter(|line| line.trim_start().starts_with("::"))
        .collect();
    assert_eq!(
        commands, [""; 0],
        "a CI system would take these for commands"
    );
    assert!(
        shown.contains(
            r"RayCluster c\u{1b}[31mred\u{1b}]0;title\u{7}\n::error::x\u{202e}\u{200b}\u{a0}"
        ),
        "{shown}"
    );
}
