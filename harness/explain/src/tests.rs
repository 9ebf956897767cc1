use std::path::Path;

use rstest::rstest;

use super::*;
use crate::check::{Options, check};

fn indented(text: &str, depth: usize) -> String {
    text.lines()
        .map(|line| format!("{}{line}\n", " ".repeat(depth)))
        .collect()
}

/// A RayCluster whose head has these lines in its container and its group.
fn manifest(container: &str, group: &str) -> String {
    // Releases before 1.4 refuse a group without them.
    let params = if group.contains("rayStartParams") {
        ""
    } else {
        "\nrayStartParams: {}"
    };
    let group = &format!("{group}{params}").trim_start().to_owned();
    format!(
        "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata:\n  name: c\nspec:\n  headGroupSpec:\n{}    template:\n      spec:\n        \
         containers:\n        - name: ray-head\n          image: ray\n{}",
        indented(group, 4),
        indented(container, 10)
    )
}

fn explained(text: &str, versions: &[&str]) -> Explanation {
    let releases: Vec<Version> = versions
        .iter()
        .map(|version| version.parse().unwrap())
        .collect();
    // Fields that a release does not know are dropped, so that traps about them show.
    explain_with(
        Path::new("file.yaml"),
        text,
        &releases,
        &EffectiveSettings::default(),
        FieldValidation::Warn,
    )
    .unwrap()
}

/// The ids of all warnings, with line and column.
fn warnings(text: &str, version: &str) -> Vec<(String, usize, usize)> {
    let explanation = explained(text, &[version]);
    let all = explanation
        .containers
        .into_iter()
        .flat_map(|container| container.warnings);
    all.map(|warning| (warning.id, warning.location.line, warning.location.column))
        .collect()
}

fn ids(text: &str, version: &str) -> Vec<String> {
    warnings(text, version)
        .into_iter()
        .map(|(id, ..)| id)
        .filter(|id| id != "no-cpu-limit")
        .collect()
}

/// The ids of all warnings, sorted.
fn all(text: &str, version: &str) -> Vec<String> {
    let mut all: Vec<String> = warnings(text, version)
        .into_iter()
        .map(|(id, ..)| id)
        .collect();
    all.sort();
    all
}

/// The messages of all warnings.
fn messages(text: &str, version: &str) -> Vec<String> {
    let explanation = explained(text, &[version]);
    let warnings = explanation.containers.iter().flat_map(|one| &one.warnings);
    warnings.map(|warning| warning.message.clone()).collect()
}

/// An object that makes a RayCluster from the specification of a head.
fn parent(kind: &str, field: &str, fields: &str, container: &str, group: &str) -> String {
    let cluster = manifest(&format!("{LIMITS}\n{container}"), group);
    let (_, spec) = cluster.split_once("spec:\n").unwrap();
    let (spec, fields) = (indented(spec, 2), indented(fields, 2));
    format!(
        "apiVersion: ray.io/v1\nkind: {kind}\nmetadata: {{name: j}}\nspec:\n{fields}  {field}:\n{spec}"
    )
}

fn job(fields: &str) -> String {
    parent("RayJob", "rayClusterSpec", fields, "", "")
}

/// A RayJob that runs on a RayCluster which another object makes.
fn selecting(fields: &str) -> String {
    let fields = indented(
        &format!("{fields}\nclusterSelector: {{ray.io/cluster: c}}"),
        2,
    );
    format!("apiVersion: ray.io/v1\nkind: RayJob\nmetadata: {{name: j}}\nspec:\n{fields}")
}

/// The findings of `check`, as id and message.
fn checked(text: &str, versions: &[&str], upgrade: bool) -> Vec<(String, String)> {
    let releases = versions.iter().map(|version| version.parse().unwrap());
    let options = Options {
        upgrade,
        ..Options::new(releases.collect())
    };
    let sources = [Source::new(Path::new("file.yaml"), text)];
    let found = check(&sources, &options).unwrap().findings.into_iter();
    found.map(|one| (one.id, one.message)).collect()
}

fn checked_ids(text: &str, versions: &[&str], upgrade: bool) -> Vec<String> {
    let found = checked(text, versions, upgrade).into_iter();
    found.map(|(id, _)| id).collect()
}

mod adversarial;
mod parents;
mod ports_of_own;
mod reports;
mod starts;
mod submitters;

const LIMITS: &str = "resources: {limits: {cpu: 1}}";

#[rstest]
#[case("args: ['(run &)']", &[])]
#[case("args: ['run || exit 1']", &[])]
#[case("args: ['run &']", &["trailing-ampersand"])]
#[case("args: ['run;']", &["trailing-semicolon"])]
#[case("args:\n- |\n  run\n", &["trailing-newline"])]
#[case("args:\n- |-\n  run\n", &["failure-swallowed"])]
#[case("args: ['run # what']", &["trailing-comment"])]
#[case("command: ['exit 3']", &["ends-shell"])]
#[case("command: ['set -e; run || exit 1']", &["errexit"])]
#[case("command: ['set -e; run; set +e']", &[])]
#[case("command: ['exec run']", &["ends-shell"])]
#[case("command: [/bin/sh, -c, 'echo hello world']", &["argv-loses-quoting"])]
#[case("command: [/bin/sh, -c, \"'echo hello world'\"]", &[])]
#[case("command: [bash, -lc]\nargs: ['a b']", &["argv-loses-quoting", "failure-swallowed"])]
#[case("command: [bash, -c]", &["failure-swallowed", "shell-without-script"])]
#[case("args: ['echo ray start']", &["ray-start-in-text"])]
#[case("command: [ray, start, --head]", &["failure-swallowed", "ray-start-in-words"])]
#[case("args: ['ray  start --head --block']", &["ray-start-in-words"])]
#[case("args: [\"until ray status; do sleep 5; done\"]", &["never-returns"])]
#[case("args: [\"(until ray status; do sleep 5; done; python a.py) & true\"]", &[])]
#[case("args: [\"env A=1 bash -c 'sleep infinity'\"]", &["never-returns"])]
#[case("args: ['timeout 0 tail -f log']", &["never-returns"])]
#[case("args: ['timeout 60 tail -f log || true']", &[])]
#[case("args: [\"bash <<'E'\\nwhile true; do :; done\\nE\\ntrue\"]", &["never-returns"])]
#[case("args: [\"trap 'exit 1' ERR; prepare; true\"]", &["ends-shell"])]
#[case("args: [\"trap 'echo failed' ERR; prepare; true\"]", &[])]
#[case("args: ['set -u; echo $UNKNOWN']", &["ends-shell"])]
#[case("args: ['set -u; echo $# $? $0 ${1:-a}']", &[])]
#[case("args: ['pip install x \\', '--upgrade || true']", &["argv-loses-quoting"])]
#[case("args: ['pip install x || true \\']", &["argv-loses-quoting"])]
#[case("args: [\"echo 'a\\\\\", \"b' || true\"]", &[])]
#[case("args: ['set -u; A=1; echo $A $HOME $RAY_PORT']", &[])]
#[case("args: ['export PATH=/opt/bin:$PATH']", &[])]
#[case("args: ['conda activate a || exit 1']", &["needs-login-shell"])]
#[case("args: [\"bash -lc 'conda activate a' || exit 1\"]", &[])]
#[case("args: ['echo ${config.port}']", &["ends-shell"])]
#[case("args: ['echo \"${{ inputs.a }}\"']", &["ends-shell"])]
#[case("args: [\"echo '${config.port}'\"]", &[])]
#[case("args: [\"echo ${config.port}\\necho b\"]", &[])]
#[case("args: ['serve run app:app']", &["never-returns"])]
#[case("env: [{name: date, value: a}]\nargs: ['echo $(date)']", &["kubelet-expands"])]
#[case("args: ['echo $(RAY_PORT) $$(date) $$$$']", &[])]
#[case("args: ['echo $(date)']", &[])]
#[case("args: ['echo $$']", &["kubelet-expands"])]
#[case("env: [{name: PW, value: 'p$$w'}]", &["kubelet-expands"])]
#[case("env: [{name: PW, value: 'p$$$$w'}]", &[])]
#[case("env: [{name: PW, value: 'p$$(w)'}]", &[])]
#[case("args: ['A=$$(RAY_PORT)']", &["failure-swallowed"])]
#[case("args: ['A=$(RAY_PORT)']", &[])]
fn traps_of_commands(#[case] container: &str, #[case] expected: &[&str]) {
    let mut found = ids(&manifest(&format!("{LIMITS}\n{container}"), ""), "1.6.2");
    found.sort();
    assert_eq!(found, expected);
}

#[rstest]
#[case("{block: 'false'}", "1.0.0", &["false-dropped"])]
#[case("{block: 'false'}", "1.1.1", &["block-ignored"])]
#[case("{block: 'true'}", "1.6.2", &[])]
#[case("{include-log-monitor: 'false'}", "1.6.2", &["false-dropped"])]
#[case("{include-log-monitor: 'false'}", "1.7.0", &[])]
#[case("{include-dashboard: 'false'}", "1.6.2", &["probes-fail"])]
#[case("{dashboard-agent-listen-port: '52366'}", "1.5.1", &["probes-fail"])]
#[case("{dashboard-agent-listen-port: '52366'}", "1.6.2", &[])]
#[case("{port: '70000'}", "1.6.2", &["parameter-type"])]
#[case("{object-store-memory: '1000'}", "1.6.2", &["parameter-type"])]
#[case("{min-worker-port: '80'}", "1.6.2", &["parameter-type"])]
#[case("{min-worker-port: '11000', max-worker-port: '10000'}", "1.6.2", &["parameter-type"])]
#[case("{node-manager-port: '8080'}", "1.6.2", &["parameter-type"])]
#[case("{node-manager-port: '12000'}", "1.6.2", &["parameter-type"])]
#[case("{node-manager-port: '9000', object-manager-port: '9001'}", "1.6.2", &[])]
#[case("{temp-dir: ~/ray}", "1.6.2", &["parameter-type"])]
#[case("{resources: \"'{\\\"CPU\\\": 1}'\"}", "1.6.2", &["parameter-type"])]
#[case("{resources: \"'{\\\"a\\\": \\\"1\\\"}'\"}", "1.6.2", &["parameter-type"])]
#[case("{redis-password: a!b#c~}", "1.6.2", &[])]
#[case("{redis-password: 'a\\b'}", "1.6.2", &["shell-in-parameter"])]
#[case("{'x; reboot': '1'}", "1.6.2", &["shell-in-parameter"])]
#[case("{resources: '{\"a\": 1}'}", "1.6.2", &["shell-in-parameter"])]
#[case("{node-ip-address: $MY_POD_IP}", "1.6.2", &["expanded-in-parameter"])]
#[case("{resources: \"'{\\\"a\\\": 1}'\"}", "1.6.2", &[])]
fn traps_of_parameters(#[case] params: &str, #[case] version: &str, #[case] expected: &[&str]) {
    // In 1.0 a block that is false is no trap: it does what it says.
    let expected = if version == "1.0.0" {
        &[][..]
    } else {
        expected
    };
    assert_eq!(
        ids(
            &manifest(LIMITS, &format!("rayStartParams: {params}")),
            version
        ),
        expected
    );
}

#[rstest]
#[case("", "", "1.6.2", &["no-cpu-limit"])]
#[case("resources: {requests: {cpu: 1}}", "", "1.2.2", &["no-cpu-limit"])]
#[case("resources: {requests: {cpu: 1}}", "", "1.3.2", &[])]
#[case("", "rayStartParams: {num-cpus: '2'}", "1.0.0", &[])]
#[case("resources: {limits: {cpu: 1, nvidia.com/gpu: 1}}", "rayStartParams: {resources: '\"{\\\"a\\\": 1}\"'}", "1.2.2", &[])]
#[case("resources: {limits: {cpu: 1, nvidia.com/gpu: 1}}", "rayStartParams: {resources: '\"{\\\"a\\\": 1}\"'}", "1.3.2", &["resources-hide-gpus"])]
#[case("resources: {limits: {cpu: 1, google.com/tpu: 4}}", "", "1.2.2", &["accelerator-ignored"])]
#[case("resources: {limits: {cpu: 1, google.com/tpu: 4}}", "rayStartParams: {resources: '\"{\\\"TPU\\\": 4}\"'}", "1.6.2", &[])]
#[case("resources: {limits: {cpu: 1, google.com/tpu: 4}}", "rayStartParams: {resources: '\"{\\\"a\\\": 4}\"'}", "1.6.2", &["resources-hide-gpus"])]
#[case("resources: {limits: {cpu: 1, nvidia.com/mig-1g.5gb: 1}}", "", "1.3.2", &["accelerator-ignored"])]
#[case("resources: {limits: {cpu: 1, nvidia.com/mig-1g.5gb: 1}}", "", "1.4.2", &[])]
#[case(LIMITS, "resources: {CPU: '1'}\nlabels: {a: b}", "1.4.2", &["group-field-ignored", "group-field-ignored"])]
#[case(LIMITS, "resources: {CPU: '1'}", "1.5.1", &[])]
#[case(LIMITS, "", "1.1.0", &["limits-end-the-operator"])]
#[case(LIMITS, "", "1.1.1", &[])]
#[case("resources: {limits: {cpu: 1}, requests: null}", "", "1.1.0", &["limits-end-the-operator"])]
#[case("resources: {limits: {cpu: 1}, requests: {}}", "", "1.1.0", &[])]
fn traps_of_resources(
    #[case] container: &str,
    #[case] group: &str,
    #[case] version: &str,
    #[case] expected: &[&str],
) {
    let found: Vec<String> = warnings(&manifest(container, group), version)
        .into_iter()
        .map(|(id, ..)| id)
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_warning_names_its_place() {
    let text = manifest(
        "resources: {limits: {cpu: 1}}\nargs:\n- a\n- 'b &'",
        "rayStartParams:\n  block: \"false\"",
    );
    assert_eq!(
        warnings(&text, "1.6.2"),
        [
            ("block-ignored".to_owned(), 8, 14),
            ("trailing-ampersand".to_owned(), 17, 16)
        ]
    );
    let warning = &explained(&text, &["1.6.2"]).containers[0].warnings[1];
    assert_eq!(
        warning.path,
        "spec.headGroupSpec.template.spec.containers[0].args[1]"
    );
}

#[test]
fn the_annotation_and_what_it_leaves_to_the_user() {
    let annotated = |value: &str, container: &str| {
        manifest(
            &format!("{LIMITS}\n{container}"),
            "rayStartParams: {redis-password: $P}",
        )
        .replace(
            "  name: c\n",
            &format!("  name: c\n  annotations: {{ray.io/overwrite-container-cmd: '{value}'}}\n"),
        )
    };
    let of = |text: &str, version: &str| {
        ids(text, version)
            .into_iter()
            .filter(|id| id != "expanded-in-parameter")
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&annotated("true", ""), "1.0.0"), ["annotation-ignored"]);
    assert_eq!(of(&annotated("yes", ""), "1.6.2"), ["annotation-ignored"]);
    assert!(of(&annotated("False", ""), "1.6.2").is_empty());
    assert_eq!(
        of(
            &annotated("true", "args: ['$KUBERAY_GEN_RAY_START_CMD']"),
            "1.6.2"
        ),
        ["gen-cmd-not-run"]
    );
    assert_eq!(
        of(
            &annotated(
                "true",
                "command: [bash, -c]\nargs: ['$KUBERAY_GEN_RAY_START_CMD']"
            ),
            "1.6.2"
        ),
        ["gen-cmd-unquoted"]
    );
    assert!(
        of(
            &annotated(
                "true",
                "command: [bash, -c]\nargs: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']"
            ),
            "1.6.2"
        )
        .is_empty()
    );
    assert!(of(&annotated("true", "args: ['run &']"), "1.6.2").is_empty());
}

#[test]
fn containers_in_another_order() {
    let text = manifest(LIMITS, "").replace(
        "- name: ray-head\n          image: ray",
        "- name: side\n          image: x",
    );
    assert!(ids(&text, "1.6.2").is_empty());
    let text = format!("{text}        - name: ray-head\n          image: rayproject/ray\n");
    assert_eq!(ids(&text, "1.6.2"), ["ray-not-first"]);
}

#[test]
fn an_entrypoint_and_an_autoscaler() {
    let spec = manifest(LIMITS, "");
    let spec = spec.split_once("spec:\n").unwrap().1;
    let indented = indented(spec, 2);
    let job = |entrypoint: &str| {
        format!(
            "apiVersion: ray.io/v1\nkind: RayJob\nmetadata:\n  generateName: j-\nspec:\n  entrypoint: {entrypoint}\n  rayClusterSpec:\n{indented}    enableInTreeAutoscaling: true\n    autoscalerOptions: {{command: [a]}}\n"
        )
    };
    assert_eq!(
        ids(&job("python a.py && echo b"), "1.6.2"),
        ["autoscaler-command-ignored", "entrypoint-runs-here"]
    );
    assert_eq!(
        ids(&job("python a.py && echo b"), "1.2.2"),
        ["autoscaler-command-ignored"]
    );
    assert!(ids(&job("bash -c 'a && b'"), "1.7.0").is_empty());
    let roles: Vec<ContainerRole> = explained(&job("a"), &["1.6.2"])
        .containers
        .iter()
        .map(|container| container.role)
        .collect();
    assert_eq!(
        roles,
        [
            ContainerRole::Head,
            ContainerRole::Autoscaler,
            ContainerRole::Submitter
        ]
    );
}

#[test]
fn several_documents_and_what_is_left_out() {
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\n---\n{}---\n{}",
        manifest("", ""),
        manifest("", "")
    );
    let explanation = explained(&text, &["1.6.2"]);
    assert_eq!(
        explanation.notes,
        ["line 1: ConfigMap creates no Ray Pods and was left out"]
    );
    assert_eq!(explanation.containers.len(), 2);
    assert_eq!(explanation.containers[1].object.line, 18);
}

#[test]
fn an_upgrade_is_a_difference() {
    let explanation = explained(
        &manifest(LIMITS, "rayStartParams: {}"),
        &["1.3.2", "1.4.2", "1.7.0"],
    );
    let diffs: Vec<&str> = explanation
        .changes
        .iter()
        .map(|change| change.diff.as_str())
        .collect();
    assert_eq!(diffs.len(), 2);
    assert!(
        diffs[0].contains("-command \"-lc\"\n+command \"-c\"\n"),
        "{}",
        diffs[0]
    );
    assert!(
        diffs[1].contains(
            "-args    \"ulimit -n 65536; \"\n+args    \"ulimit -n ${RAY_START_ULIMIT_OPEN_FILES:-65536}; \"\n"
        ),
        "{}",
        diffs[1]
    );
}

#[rstest]
#[case("kind: Pod\n", "contains no RayCluster, RayJob or RayService")]
#[case("a: [", "not valid YAML")]
#[case(
    "apiVersion: cluster.ray.io/v1\nkind: RayCluster\n",
    "(RayCluster of cluster.ray.io/v1 is not KubeRay's"
)]
fn what_cannot_be_explained(#[case] text: &str, #[case] message: &str) {
    let releases = ["1.6.2".parse().unwrap()];
    let error = explain(
        Path::new("f"),
        text,
        &releases,
        &EffectiveSettings::default(),
    )
    .unwrap_err()
    .to_string();
    assert!(error.contains(message), "{error}");
    let old = ["0.6.0".parse().unwrap()];
    let error = explain(
        Path::new("f"),
        &manifest("", ""),
        &old,
        &EffectiveSettings::default(),
    )
    .unwrap_err()
    .to_string();
    assert!(error.contains("begins with KubeRay 1.0.0"), "{error}");
}

#[test]
fn the_document_keeps_to_its_schema_and_the_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/explain.schema.json");
    let current = format!("{:#}\n", explain_schema());
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "run the tests once with UPDATE_SCHEMAS=1 and commit {}",
        path.display()
    );
    let schema = jsonschema::validator_for(&explain_schema()).unwrap();
    let explanation = explained(
        &manifest("args: ['a &']", "rayStartParams: {block: 'false'}"),
        &["1.2.2", "1.6.2"],
    );
    let document = serde_json::to_value(&explanation).unwrap();
    let problems: Vec<String> = schema
        .iter_errors(&document)
        .map(|problem| problem.to_string())
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(
        serde_json::from_value::<Explanation>(document).unwrap(),
        explanation
    );
}

/// What must not reach a terminal: colours, a title, a line of its own, a direction, what looks
/// like nothing or a space.
const HOSTILE: &str = r"\e[31mred\e]0;title\a\n::error::x\u202e\u200b\u00a0\u009b";

#[test]
fn an_error_about_a_manifest_acts_on_no_terminal() {
    let text = format!(
        "apiVersion: ray.io/v1\nkind: RayCluster\n\"{HOSTILE}\": 1\n\"{HOSTILE}\": \u{202e}\u{a0}\n"
    );
    let error = explain(
        Path::new("a\u{1b}b"),
        &text,
        &["1.6.2".parse().unwrap()],
        &EffectiveSettings::default(),
    );
    let Err(ExplainError::File(problems)) = error else {
        panic!("{error:?}")
    };
    let mut shown = problems.to_string();
    for problem in problems.diagnostics() {
        let handler =
            miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
        handler.render_report(&mut shown, problem).unwrap();
    }
    assert!(
        !shown
            .contains(|c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{a0}')),
        "{shown:?}"
    );
}
