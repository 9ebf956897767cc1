//! Manifests with the shape of public reports, and what `explain` must say of them.

use assertables::{assert_contains, assert_not_contains, assert_starts_with};
use rstest::rstest;

use super::*;

const OVERWRITE: &str = "  annotations: {ray.io/overwrite-container-cmd: 'true'}\n";

fn overwritten(container: &str, group: &str) -> String {
    manifest(container, group).replace("  name: c\n", &format!("  name: c\n{OVERWRITE}"))
}

fn all(text: &str, version: &str) -> Vec<String> {
    warnings(text, version)
        .into_iter()
        .map(|(id, ..)| id)
        .collect()
}

/// A RayJob with these lines in its spec, and with a head.
fn job(spec: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: ray.io/v1\nkind: RayJob\nmetadata: {{name: j}}\nspec:\n{spec}  rayClusterSpec:\n    headGroupSpec:\n      \
         rayStartParams: {{}}\n      template:\n        spec:\n          containers:\n          - name: ray-head\n            \
         image: ray\n            {LIMITS}\n"
    )
}

/// The message of the only warning.
fn message(text: &str, version: &str) -> String {
    let explanation = explained(text, &[version]);
    let mut warnings = explanation.containers.iter().flat_map(|one| &one.warnings);
    let message = warnings.next().expect("a warning").message.clone();
    assert_eq!(warnings.next(), None);
    message
}

#[rstest]
#[case::and("args: ['prepare &&']", &["trailing-operator"])]
#[case::or("args: ['prepare ||']", &["trailing-operator"])]
#[case::pipe("args: ['prepare |']", &["trailing-operator"])]
#[case::empty("command: ['']", &["trailing-operator"])]
#[case::space("command: [' ']", &["trailing-operator"])]
#[case::quote("args: [\"prepare 'a\"]", &["syntax-error"])]
#[case::condition("args: ['if a; then b']", &["syntax-error"])]
#[case::document("args: [\"cat <<END\\na\\nEND\"]", &["open-here-document"])]
#[case::document_with_exit("args: [\"cat <<END\\nexit 1\\nEND\\ntrue\"]", &[])]
#[case::select("args: ['select a in b; do c; done']", &["failure-swallowed"])]
#[case::extended("args: ['shopt -s extglob; rm !(a)']", &["not-analysed"])]
#[case::sleep("command: [sleep, infinity]", &["never-returns"])]
#[case::tail("command: [tail, -f, /dev/null]", &["never-returns"])]
#[case::endless("args: ['while true; do sleep 5; done']", &["never-returns"])]
#[case::case("args: ['case $A in x) exit 0;; esac']", &["ends-shell"])]
#[case::group("args: ['{ exit 1; }']", &["ends-shell"])]
#[case::guard("args: ['prepare || { echo failed; exit 1; }']", &[])]
#[case::jobs("args: ['serve & wait']", &["failure-swallowed", "waits-for-jobs"])]
#[case::without_annotation("args: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &["failure-swallowed", "gen-cmd-without-annotation"])]
fn commands(#[case] container: &str, #[case] expected: &[&str]) {
    let text = manifest(&format!("{LIMITS}\n{container}"), "");
    let mut found = all(&text, "1.6.2");
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_syntax_error_has_its_place_and_the_words_of_bash() {
    let text = manifest(
        &format!("{LIMITS}\nargs:\n- |-\n  prepare\n  if ready; then\n    go"),
        "",
    );
    assert_eq!(
        warnings(&text, "1.6.2"),
        [("syntax-error".to_owned(), 17, 13)]
    );
    let message = message(&text, "1.6.2");
    assert!(
        message
            .starts_with("bash: syntax error: unexpected end of file: the `if` that begins here"),
        "{message}"
    );
    let text = manifest(&format!("{LIMITS}\nargs: ['prepare &&']"), "");
    assert_eq!(
        warnings(&text, "1.6.2"),
        [("trailing-operator".to_owned(), 14, 27)]
    );
}

#[rstest]
#[case("1.3.2", &[])]
#[case("1.4.2", &["failure-swallowed", "needs-login-shell"])]
fn a_command_that_needs_a_profile(#[case] version: &str, #[case] expected: &[&str]) {
    let text = manifest(&format!("{LIMITS}\nargs: ['conda activate a']"), "");
    let mut found = all(&text, version);
    found.sort();
    let expected = if version == "1.3.2" {
        &["failure-swallowed"][..]
    } else {
        expected
    };
    assert_eq!(found, expected);
    let settings = EffectiveSettings {
        env: [("ENABLE_LOGIN_SHELL".to_owned(), "true".to_owned())].into(),
        ..EffectiveSettings::default()
    };
    let release = [version.parse().unwrap()];
    let explanation = explain(Path::new("f"), &text, &release, &settings).unwrap();
    let ids: Vec<&str> = explanation.containers[0]
        .warnings
        .iter()
        .map(|warning| warning.id.as_str())
        .collect();
    assert_eq!(ids, ["failure-swallowed"]);
}

#[test]
fn parameters_that_do_not_reach_the_command() {
    let params =
        "rayStartParams: {resources: '{\"a\":1}', block: 'false', node-name: $X, num-cpus: 1x}";
    let own = "command: [bash, -c]\nargs: ['ray start --head --num-cpus=0 --block']";
    assert_eq!(all(&overwritten(own, params), "1.6.2"), [""; 0]);
    let uses = "command: [bash, -c]\nargs: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']";
    assert_eq!(
        all(&overwritten(uses, params), "1.6.2"),
        [
            "shell-in-parameter",
            "block-ignored",
            "expanded-in-parameter",
            "parameter-type"
        ]
    );
}

#[test]
fn the_annotation_without_a_command() {
    assert_eq!(
        all(&overwritten(LIMITS, ""), "1.6.2"),
        ["overwrite-without-command"]
    );
    assert_eq!(
        all(&overwritten(LIMITS, ""), "1.0.0"),
        ["annotation-ignored"]
    );
}

#[rstest]
#[case::kubelet("$(ADDRESS)", &[])]
#[case::own("$ADDRESS", &[])]
#[case::braces("${ADDRESS}", &[])]
#[case::injected("$RAY_PORT", &[])]
#[case::of_the_image("$OTHER", &["expanded-in-parameter"])]
#[case::command("$(hostname -i)", &["expanded-in-parameter"])]
#[case::quoted("'''$OTHER'''", &[])]
#[case::split("$ADDRESS; a", &["shell-in-parameter"])]
#[case::two_dollars("a$$b", &["kubelet-expands"])]
fn who_reads_a_parameter(#[case] value: &str, #[case] expected: &[&str]) {
    let env = "env: [{name: ADDRESS, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]";
    let value = if value.starts_with('\'') {
        value.to_owned()
    } else {
        format!("'{value}'")
    };
    let group = format!("rayStartParams: {{node-ip-address: {value}}}");
    assert_eq!(
        all(&manifest(&format!("{LIMITS}\n{env}"), &group), "1.6.2"),
        expected
    );
}

#[rstest]
#[case("num-cpus: 500m", 1)]
#[case("num-cpus: '2'", 0)]
#[case("num-cpus: \"'2'\"", 0)]
#[case("memory: 2Gi", 1)]
#[case("object-store-memory: 1G", 1)]
#[case("num-gpus: '0.5'", 1)]
#[case("num-gpus: '1'", 0)]
#[case("include-dashboard: maybe", 1)]
#[case("include-dashboard: 'True'", 0)]
#[case("include-log-monitor: 'true'", 0)]
#[case("dashboard-port: 'true'", 1)]
#[case("log-color: sometimes", 1)]
#[case("log-style: sometimes", 1)]
#[case("num-gpus: one", 1)]
#[case("port: 6379/tcp", 1)]
#[case("no-monitor: ''", 1)]
#[case("no-monitor: 'true'", 0)]
#[case("num-cpus: $CPUS", 0)]
fn values_that_ray_refuses(#[case] parameter: &str, #[case] count: usize) {
    let text = manifest(LIMITS, &format!("rayStartParams: {{{parameter}}}"));
    let found = all(&text, "1.6.2");
    let refused = found.iter().filter(|id| *id == "parameter-type");
    assert_eq!(refused.count(), count, "{found:?}");
}

/// The ids for a head with a parameter, with this `rayVersion` and image.
fn with_ray(parameter: &str, version: &str, image: &str) -> Vec<String> {
    with_ray_on("1.6.2", parameter, version, image)
}

fn with_ray_on(operator: &str, parameter: &str, version: &str, image: &str) -> Vec<String> {
    let text = manifest(LIMITS, &format!("rayStartParams: {{{parameter}}}"));
    let text = text.replace("image: ray\n", &format!("image: {image}\n"));
    let spec = format!("spec:\n  rayVersion: '{version}'\n  headGroupSpec");
    all(&text.replace("spec:\n  headGroupSpec", &spec), operator)
}

#[rstest]
#[case::typo("num-cpu: '1'", "2.52.0", "ray", &["unknown-ray-option"])]
#[case::underscore("num_cpus: '1'", "2.52.0", "ray", &["unknown-ray-option"])]
#[case::tag("num-cpu: '1'", "", "r/ray:2.52.1-py311", &["unknown-ray-option"])]
#[case::unknown_release("num-cpu: '1'", "", "ray", &[])]
#[case::nightly("num-cpu: '1'", "nightly", "rayproject/ray:nightly", &[])]
#[case::not_read("num-cpu: '1'", "2.20.0", "ray", &[])]
#[case::another_image("num-cpu: '1'", "", "mine:2.52.0", &[])]
#[case::gone("redis-max-memory: '1'", "2.52.0", "ray", &["unknown-ray-option"])]
#[case::not_gone_yet("redis-max-memory: '1'", "2.43.0", "ray", &[])]
#[case::to_come("labels-file: a", "2.9.3", "ray", &["unknown-ray-option"])]
#[case::in_a_patch("labels-file: a", "2.44.1", "ray", &[])]
#[case::has_come("labels-file: a", "2.45.0", "ray", &[])]
#[case::they_disagree("labels-file: a", "2.9.3", "rayproject/ray:2.45.0", &[])]
#[case::they_agree("num-cpu: '1'", "2.9.0", "rayproject/ray:2.45.0", &["unknown-ray-option"])]
#[case::no_name("'a b': '1'", "2.52.0", "ray", &["shell-in-parameter"])]
#[case::replaced("num-cpu: $X", "2.52.0", "ray", &["expanded-in-parameter", "unknown-ray-option"])]
#[case::dropped("num-cpu: 'false'", "2.52.0", "ray", &["false-dropped"])]
#[case::bare("include-log-monitor: 'true'", "2.52.0", "ray", &["parameter-type"])]
#[case::json("resources: \"'{a: 1}'\"", "2.52.0", "ray", &["unreadable-json"])]
#[case::json_of_another_form("resources: \"'[1]'\"", "2.52.0", "ray", &["unreadable-json"])]
#[case::json_any_release("resources: \"'{a: 1}'\"", "", "ray", &["unreadable-json"])]
fn options_of_ray(
    #[case] parameter: &str,
    #[case] version: &str,
    #[case] image: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(with_ray(parameter, version, image), expected);
}

/// From 1.5 on the operator refuses labels in parameters.
#[rstest]
#[case::text("labels: a=b", "2.45.0", &[])]
#[case::text_as_json("labels: a=b", "2.44.0", &["unreadable-json"])]
#[case::json("labels: \"'{\\\"a\\\": \\\"b\\\"}'\"", "2.9.0", &[])]
#[case::json_still("labels: \"'{\\\"a\\\": \\\"b\\\"}'\"", "2.52.0", &[])]
#[case::neither("labels: a", "2.52.0", &["parameter-type"])]
fn labels_in_parameters(#[case] parameter: &str, #[case] ray: &str, #[case] expected: &[&str]) {
    assert_eq!(with_ray_on("1.4.2", parameter, ray, "ray"), expected);
}

#[test]
fn labels_of_a_group_that_an_old_ray_reads_as_json() {
    let text = manifest(LIMITS, "labels: {zone: a}");
    let with = |version: &str| {
        let spec = format!("spec:\n  rayVersion: {version}\n  headGroupSpec");
        all(&text.replace("spec:\n  headGroupSpec", &spec), "1.6.2")
    };
    assert_eq!(with("2.44.0"), ["unreadable-json"]);
    assert_eq!(with("2.46.0"), [""; 0]);
}

#[rstest]
#[case("command: [bash, -c]\nargs: ['ray start --head --num-cpu=1 --block']", &["unknown-ray-option"])]
#[case("command: [bash, -c, 'ray start --head --num-cpus 1x --block']", &["parameter-type"])]
#[case("command: [bash, -c, 'ray start --head --num-cpus=$N --block']", &[])]
#[case("command: [bash, -c, 'ray start --head --num-cpus $N --memory=2Gi']", &["ray-start-without-block", "parameter-type"])]
#[case("command: [bash, -c, \"ray start --head --block --resources='{a: 1}'\"]", &["unreadable-json"])]
#[case("command: [bash, -c, 'ray start --head --block=true']", &["parameter-type"])]
#[case("command: [bash, -c, 'ray start --head $EXTRA --num-cpus=1 > log']", &[])]
#[case("command: [bash, -c, 'echo ray start --num-cpu']", &[])]
#[case("command: [bash, -c, 'ray start --head || ray start --num-cpu=1']", &["ray-start-without-block", "ray-start-without-address", "unknown-ray-option"])]
#[case("command: [ray, start, --head, --num-cpu=1]", &["ray-start-without-block", "unknown-ray-option"])]
#[case("command: [ray, start, --head]\nargs: [--memory, 2Gi, --num-cpus=$(N), --block]", &["parameter-type"])]
#[case("command: [mine, --num-cpu=1]", &[])]
fn options_of_ray_in_a_command_of_the_user(#[case] own: &str, #[case] expected: &[&str]) {
    let text = overwritten(&format!("{LIMITS}\n{own}"), "");
    let text = text.replace("image: ray\n", "image: rayproject/ray:2.52.0\n");
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[test]
fn the_detail_of_an_unknown_option_names_another() {
    let of = |parameter: &str, version: &str| {
        let text = manifest(LIMITS, &format!("rayStartParams: {{{parameter}: a}}"));
        let spec = format!("spec:\n  rayVersion: {version}\n  headGroupSpec");
        message(&text.replace("spec:\n  headGroupSpec", &spec), "1.6.2")
    };
    let begin = "`ray start` of Ray 2.40.0 has no option `--num-cpu`; it has `--num-cpus`: ";
    assert_starts_with!(of("num-cpu", "2.40.0"), begin);
    assert_contains!(
        of("labels-file", "2.40.0"),
        "`--labels-file`; Ray 2.45.0 has it: "
    );
    let gone = "`--redis-max-memory`; Ray 2.44.0 removed it: ";
    assert_contains!(of("redis-max-memory", "2.52.0"), gone);
}

#[rstest]
#[case("huawei.com/Ascend910", true)]
#[case("volcano.sh/vgpu-number", true)]
#[case("volcano.sh/vgpu-memory", true)]
#[case("habana.ai/gaudi", true)]
#[case("gpu.intel.com/i915", true)]
#[case("nvidia.com/gpu.shared", true)]
#[case("aws.amazon.com/neuron", true)]
#[case("aws.amazon.com/neuroncore", false)]
#[case("amd.com/gpu", false)]
#[case("vpc.amazonaws.com/efa", false)]
#[case("ephemeral-storage", false)]
fn limits_that_become_no_flag(#[case] limit: &str, #[case] ignored: bool) {
    let container = format!("resources: {{limits: {{cpu: 1, {limit}: 1}}}}");
    let expected = if ignored {
        &["accelerator-ignored"][..]
    } else {
        &[]
    };
    assert_eq!(all(&manifest(&container, ""), "1.6.2"), expected);
    let own = r#"'{"NPU": 1, "HPU": 1, "neuron_cores": 1}'"#.replace('"', "\\\"");
    let given = &format!("rayStartParams: {{resources: \"{own}\", num-gpus: '1'}}");
    assert_eq!(all(&manifest(&container, given), "1.6.2"), [""; 0]);
}

#[test]
fn an_autoscaler_without_cpus() {
    let text = manifest("", "") + "  enableInTreeAutoscaling: true\n";
    let found = message(&text, "1.1.1");
    assert!(
        found.contains("the autoscaler needs the number, too"),
        "{found}"
    );
    assert_not_contains!(message(&manifest("", ""), "1.1.1"), "autoscaler");
}

#[rstest]
#[case("{name: PATH, value: '/opt/bin:$PATH'}", true)]
#[case("{name: PATH, value: '/opt/bin:$(PATH)'}", true)]
#[case("{name: PATH, value: '/opt/bin:/bin'}", false)]
#[case("{name: A, value: 'x$(B)'}", true)]
#[case("{name: B, value: '1'}, {name: A, value: 'x$(B)'}", false)]
#[case("{name: B, value: '1'}, {name: A, value: 'x$B'}", true)]
#[case("{name: PASSWORD, value: 'pa$word'}", false)]
#[case("{name: HF_HOME, value: '~/cache'}", true)]
#[case("{name: A, value: 'a~/b'}", false)]
#[case("{name: A, value: '$$(B)'}", false)]
#[case("{name: A, value: '$HOME/x'}", true)]
#[case("{name: A, value: '${UNKNOWN:-b}'}", true)]
#[case("{name: A, value: '$UNKNOWN'}", false)]
fn names_in_env_that_nobody_expands(#[case] env: &str, #[case] expected: bool) {
    let found = all(&manifest(&format!("{LIMITS}\nenv: [{env}]"), ""), "1.6.2");
    assert_eq!(found == ["env-not-expanded"], expected, "{found:?}");
}

#[rstest]
#[case(
    "dashboard-port: '8266'",
    "ports: [{containerPort: 8265, name: dashboard}]",
    true
)]
#[case(
    "dashboard-port: '8266'",
    "ports: [{containerPort: 8266, name: dashboard}]",
    false
)]
#[case("dashboard-port: '8266'", "", true)]
#[case("ray-client-server-port: '9001'", "", false)]
#[case("port: '6380'", "ports: [{containerPort: 6379, name: gcs}]", true)]
#[case("port: '6380'", "ports: [{containerPort: 6380}]", false)]
#[case("metrics-export-port: '9000'", "", true)]
fn ports_that_disagree(#[case] parameter: &str, #[case] ports: &str, #[case] expected: bool) {
    let text = manifest(
        &format!("{LIMITS}\n{ports}"),
        &format!("rayStartParams: {{{parameter}}}"),
    );
    assert_eq!(all(&text, "1.6.2") == ["ports-disagree"], expected);
}

#[rstest]
#[case::head_variable("entrypoint: 'run --n=$GPUS'", "1.3.2", &["entrypoint-runs-here"])]
#[case::in_double_quotes("entrypoint: 'run \"${GPUS}\"'", "1.6.2", &["entrypoint-runs-here"])]
#[case::braces("entrypoint: 'run opt={lr:0.1,wd:0}'", "1.6.2", &["entrypoint-runs-here"])]
#[case::range("entrypoint: 'run {1..3}'", "1.6.2", &["entrypoint-runs-here"])]
#[case::one_in_braces("entrypoint: 'run {a} ${RAY_JOB_SUBMISSION_ID}'", "1.6.2", &[])]
#[case::braces_in_quotes("entrypoint: \"run '{a,b}'\"", "1.6.2", &[])]
#[case::braces_without_shell("entrypoint: 'run {a,b}'", "1.2.2", &[])]
#[case::in_single_quotes("entrypoint: \"bash -c 'run $GPUS'\"", "1.6.2", &[])]
#[case::submitters_own("entrypoint: 'run $RAY_JOB_SUBMISSION_ID'", "1.6.2", &[])]
#[case::no_shell("entrypoint: 'run --n=$GPUS'", "1.2.2", &[])]
#[case::lines("entrypoint: |\n  run \\\n    --n=1\n", "1.2.2", &["entrypoint-lines"])]
#[case::lines_in_bash("entrypoint: |\n  run \\\n    --n=1\n", "1.3.2", &[])]
#[case::arguments("entrypoint: a\nsubmitterPodTemplate: {spec: {restartPolicy: Never, containers: [{name: s, image: i, args: [b]}]}}", "1.6.2", &["submitter-args-lost"])]
#[case::own_command("entrypoint: a\nsubmitterPodTemplate: {spec: {restartPolicy: Never, containers: [{name: s, image: i, command: [c], args: [b]}]}}", "1.6.2", &[])]
#[case::numbers("entrypoint: a\nruntimeEnvYAML: |\n  env_vars: {A: 1, B: '1', C: yes}\n", "1.6.2", &["runtime-env-type", "runtime-env-type"])]
#[case::own_option("entrypoint: a\nsubmitterPodTemplate: {spec: {restartPolicy: Never, containers: [{name: s, image: 'r/ray:2.52.0', command: [ray, job, submit, --no-such, --, a, --b]}]}}", "1.6.2", &["submitter-without-id", "unknown-ray-option"])]
#[case::own_script("entrypoint: a\nsubmitterPodTemplate: {spec: {restartPolicy: Never, containers: [{name: s, image: 'r/ray:2.52.0', command: [sh, -c, 'ray job submit --submission-id=a --entrypoint-num-cpus=1x -- a --b']}]}}", "1.6.2", &["parameter-type"])]
#[case::open_quote("entrypoint: \"run 'a\"", "1.6.2", &["entrypoint-syntax"])]
#[case::open_quote_in_words("entrypoint: 'run && '", "1.6.2", &["entrypoint-syntax"])]
#[case::trailing_semicolon("entrypoint: 'run;'", "1.6.2", &["entrypoint-syntax"])]
#[case::comment("entrypoint: 'run # all'", "1.6.2", &["entrypoint-syntax"])]
#[case::comment_beside_the_head("entrypoint: 'run # all'\nsubmissionMode: SidecarMode", "1.6.2", &["entrypoint-runs-here"])]
#[case::no_entrypoint("shutdownAfterJobFinishes: true", "1.6.2", &["no-entrypoint"])]
#[case::empty_entrypoint("entrypoint: ' '", "1.2.2", &["no-entrypoint"])]
#[case::interactive("submissionMode: InteractiveMode", "1.6.2", &[])]
#[case::mode_to_come("entrypoint: a\nsubmissionMode: SidecarMode", "1.4.2", &["submission-mode-unknown"])]
#[case::mode_of_before("entrypoint: a\nsubmissionMode: UserMode", "1.3.2", &["submission-mode-unknown"])]
#[case::id_of_two_words("entrypoint: a\njobId: b c", "1.6.2", &["shell-in-parameter"])]
#[case::list_of_variables("entrypoint: a\nruntimeEnvYAML: 'env_vars: [A]'", "1.6.2", &["runtime-env-type"])]
#[case::own_command_without_id("entrypoint: a\nsubmitterPodTemplate: {spec: {restartPolicy: Never, containers: [{name: s, image: i, command: [sh, -c, 'ray job submit -- a']}]}}", "1.6.2", &["submitter-without-id"])]
#[case::own_command_with_id("entrypoint: a\nsubmitterPodTemplate: {spec: {restartPolicy: Never, containers: [{name: s, image: i, command: [sh, -c, 'ray job submit --submission-id=$RAY_JOB_SUBMISSION_ID -- a']}]}}", "1.6.2", &[])]
#[case::resources("entrypoint: a\nentrypointResources: '{a: 1}'", "1.6.2", &["unreadable-json"])]
#[case::good_resources("entrypoint: a\nentrypointResources: '{\"a\": 1}'", "1.6.2", &[])]
#[case::no_mapping("entrypoint: a\nruntimeEnvYAML: abc", "1.0.0", &["unreadable-json"])]
#[case::refused_by_the_operator("entrypoint: a\nruntimeEnvYAML: abc", "1.6.2", &[])]
fn jobs(#[case] spec: &str, #[case] version: &str, #[case] expected: &[&str]) {
    assert_eq!(all(&job(spec), version), expected);
}

#[rstest]
#[case("1.5.1", &["metadata-dropped"])]
#[case("1.6.2", &["metadata-dropped"])]
#[case("1.7.0", &[])]
fn metadata_of_a_job_on_another_cluster(#[case] version: &str, #[case] expected: &[&str]) {
    let text = "apiVersion: ray.io/v1\nkind: RayJob\nmetadata: {name: j}\nspec: {entrypoint: a, metadata: {team: b}, \
                clusterSelector: {ray.io/cluster: c}}\n";
    assert_eq!(all(text, version), expected);
}

#[rstest]
#[case("{name: RAY_CLUSTER_NAME, value: a}", "1.6.2", &["env-overwritten"])]
#[case("{name: RAY_ADDRESS, value: a}", "1.6.2", &[])]
#[case("{name: RAY_START_ULIMIT_OPEN_FILES, value: '1'}", "1.6.2", &["ulimit-variable-ignored"])]
#[case("{name: RAY_START_ULIMIT_OPEN_FILES, value: '1'}", "1.7.0", &[])]
fn variables_that_do_nothing(#[case] env: &str, #[case] version: &str, #[case] expected: &[&str]) {
    let text = manifest(&format!("{LIMITS}\nenv: [{env}]"), "");
    assert_eq!(all(&text, version), expected);
}

#[rstest]
#[case("[{containerPort: 8265}]", &["no-dashboard-port", "no-serve-port"])]
#[case("[{containerPort: 8265, name: dashboard}]", &["no-serve-port"])]
#[case("[{containerPort: 8265, name: dashboard}, {containerPort: 8000, name: serve}]", &[])]
#[case("[]", &[])]
fn ports_of_a_service(#[case] ports: &str, #[case] expected: &[&str]) {
    let text = format!(
        "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {{name: s}}\nspec:\n  rayClusterConfig:\n    headGroupSpec:\n      \
         rayStartParams: {{}}\n      template:\n        spec:\n          containers:\n          - name: ray-head\n            \
         image: ray\n            ports: {ports}\n            {LIMITS}\n"
    );
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[rstest]
#[case("command: [bash, -c]\nargs: ['ray start --head']", &["ray-start-without-block"])]
#[case("command: [bash, -c]\nargs: ['ray start --head; sleep infinity']", &[])]
#[case("command: [bash, -c]\nargs: ['ray start --block']", &["ray-start-without-address"])]
#[case("command: [bash, -c]\nargs: ['sleep infinity; ray start --head --block']", &["never-returns"])]
#[case("command: [bash, -c]\nargs: [\"if a; then ray start --head --block\"]", &["syntax-error"])]
#[case("command: [bash, -c]\nargs: ['$(KUBERAY_GEN_RAY_START_CMD)']", &[])]
#[case("command: [bash, -c]\nargs: ['exit 1; $(KUBERAY_GEN_RAY_START_CMD)']", &["ends-shell"])]
#[case("command: [bash]\nargs: [ray start --head --block]", &["ray-start-in-text"])]
#[case("command: [bash]\nargs: [/start.sh, ray start]", &[])]
#[case("command: [bash]\nargs: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &["gen-cmd-not-run"])]
#[case("command: ['$(KUBERAY_GEN_RAY_START_CMD)']", &["gen-cmd-not-run"])]
#[case("command: [/start.sh]\nargs: ['$(KUBERAY_GEN_RAY_START_CMD)']", &[])]
#[case("command: [/start.sh]", &[])]
fn commands_of_the_users_own(#[case] own: &str, #[case] expected: &[&str]) {
    let text = overwritten(&format!("{LIMITS}\n{own}"), "");
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[rstest]
#[case::apart("until nc -z localhost 6379; do sleep 1; done", true)]
#[case::dashboard("while ! nc -w 1 127.0.0.1 8265; do sleep 1; done", true)]
#[case::client("until nc -z localhost 10001; do sleep 1; done", true)]
#[case::tcp(
    "until (echo > /dev/tcp/localhost/6379) 2>/dev/null; do sleep 1; done",
    true
)]
#[case::tcp_of_a_command("until : < /dev/tcp/127.0.0.1/6379; do sleep 1; done", true)]
#[case::tcp_for_a_time(
    "until timeout 1 bash -c '</dev/tcp/localhost/8265'; do sleep 1; done",
    true
)]
#[case::for_a_time("until timeout 5 ray status; do sleep 1; done", true)]
#[case::with_a_variable("until env A=1 curl -s localhost:8265; do sleep 1; done", true)]
#[case::python(
    "until python -c 'import ray; ray.init(\"auto\")'; do sleep 1; done",
    true
)]
#[case::python_by_name(
    "until python3 -c 'import ray; ray.init(address=\"auto\")'; do sleep 1; done",
    true
)]
#[case::python_document(
    "until python - <<E\nimport ray\nray.init(address=\"auto\")\nE\ndo sleep 1; done",
    true
)]
#[case::caught(
    "until python -c 'try: ray.init(\"auto\")\nexcept: pass'; do sleep 1; done",
    false
)]
#[case::local("until python -c 'import ray; ray.init()'; do sleep 1; done", false)]
#[case::jobs("until ray job list; do sleep 1; done", true)]
#[case::serve("until serve status; do sleep 1; done", true)]
#[case::elsewhere("until nc -z redis 6379; do sleep 1; done", false)]
#[case::own_server("until nc -z localhost 8000; do sleep 1; done", false)]
#[case::tcp_elsewhere("until : < /dev/tcp/redis/6379; do sleep 1; done", false)]
#[case::job_elsewhere("until ray job list --address http://a:8265; do sleep 1; done", false)]
#[case::job_of_another_address(
    "until RAY_ADDRESS=http://a:8265 ray job list; do sleep 1; done",
    false
)]
#[case::background(
    "(until nc -z localhost 6379; do sleep 1; done; python a.py) &\ntrue",
    false
)]
fn a_head_that_waits_for_itself(#[case] text: &str, #[case] expected: bool) {
    let lines: String = text.lines().map(|line| format!("\n  {line}")).collect();
    let container = format!("{LIMITS}\nargs:\n- |-{lines}");
    let found = all(&manifest(&container, ""), "1.6.2");
    let told = found.iter().any(|id| id == "never-returns");
    assert_eq!(told, expected, "{found:?}");
}

#[rstest]
#[case("command: [tini, --, bash, -c]\nargs: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [/usr/bin/tini, -g, --, /bin/bash, -lc]\nargs: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [nice, -n, '10', bash, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [numactl, --cpunodebind, '0', -m, '0', bash, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [env, A=1, -u, B, bash, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [/usr/bin/dumb-init, --, bash, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [stdbuf, -oL, bash, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [timeout, '3600', bash, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [wrapper, --level, '1', bash, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [tini, --, nice, bash, -c, 'exit 1; $(KUBERAY_GEN_RAY_START_CMD)']", &["ends-shell"])]
#[case("command: [tini, --, ray, start, --head]", &["ray-start-without-block"])]
#[case("command: [tini, --, ray, start, --head, --block]", &[])]
#[case("command: [nice, -n, '5', ray, start, --block]", &["ray-start-without-address"])]
#[case("command: [tini, --, '$(KUBERAY_GEN_RAY_START_CMD)']", &["gen-cmd-not-run"])]
#[case("command: [tini, --, bash]\nargs: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &["gen-cmd-not-run"])]
#[case("command: [conda, run, --no-capture-output, -n, a, ray, start, --head]", &["ray-start-without-block"])]
#[case("command: [su, ray, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']", &[])]
#[case("command: [tini, --, /start.sh, '$(KUBERAY_GEN_RAY_START_CMD)']", &[])]
fn commands_behind_another_program(#[case] own: &str, #[case] expected: &[&str]) {
    let text = overwritten(&format!("{LIMITS}\n{own}"), "");
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[test]
fn options_behind_another_program() {
    let own = "command: [tini, --, ray, start, --head, --num-cpu=1, --block]";
    let text = overwritten(&format!("{LIMITS}\n{own}"), "");
    let text = text.replace("image: ray\n", "image: rayproject/ray:2.52.0\n");
    assert_eq!(all(&text, "1.6.2"), ["unknown-ray-option"]);
}

#[rstest]
#[case::redirection("command: [pip, install, 'torch>=2.0']", true)]
#[case::blanks("command: [python, a.py, --msg, 'hello world']", true)]
#[case::over_command_and_args("command: [python]\nargs: [a.py, --msg, 'hello world']", true)]
#[case::semicolon("command: [/opt/bin/run, 'a;b']", true)]
#[case::pipe("command: [run, --filter=a|b]", true)]
#[case::background("command: [curl, 'http://a/?b=1&c=2']", true)]
#[case::parentheses("command: [run, 'f(1)']", true)]
#[case::json("command: [run, '--config={\"a\":1}']", true)]
#[case::quote("command: [run, \"it's\"]", true)]
#[case::backslash("command: [grep, '\\d+', file]", true)]
#[case::behind_a_wrapper("command: [tini, --, bash, -c, 'echo hello world']", true)]
#[case::plain("command: [pip, install, 'torch==2.0', 'ray[default]']", false)]
#[case::one_element("command: ['pip install torch']", false)]
#[case::text("command: ['echo a', '&&', 'echo b']", false)]
#[case::operators("command: [echo, a, '&&', echo, b]", false)]
#[case::operator_at_an_end("command: [echo, 'a;', sleep, '1']", false)]
#[case::redirected("command: [run, '>/dev/null', '2>&1']", false)]
#[case::redirected_apart("command: [run, '>', log]", false)]
#[case::variable("command: [run, --port, $RAY_PORT, '$(hostname)']", false)]
#[case::quoted("command: [run, \"'hello world'\", '\"a;b\"', --x='b c']", false)]
#[case::keyword("command: [if, 'test -f a;', then, 'echo b;', fi]", false)]
#[case::builtin("command: [source, '/a && b']", false)]
#[case::assignment("command: [A=1, 'run b']", false)]
#[case::options("command: [python, 'a.py --x 1']", false)]
#[case::echo("command: [echo, 'hello world']", false)]
#[case::pattern("command: [ls, '*.py']", false)]
#[case::lines("command: [mkdir, \"/a\\nls /a\"]", false)]
fn elements_that_bash_reads_again(#[case] container: &str, #[case] expected: bool) {
    let found = all(&manifest(&format!("{LIMITS}\n{container}"), ""), "1.6.2");
    let told = found.iter().any(|id| id == "argv-loses-quoting");
    assert_eq!(told, expected, "{found:?}");
}

#[rstest]
#[case::both("python a.py ~/data/*.csv", true)]
#[case::home("python a.py ~", false)]
#[case::user("python a.py ~ray/a", false)]
#[case::assigned("python a.py a=~/b", false)]
#[case::pattern("python a.py data/*.csv", true)]
#[case::one_letter("python a.py part-?.csv", true)]
#[case::question("python a.py who?", false)]
#[case::in_quotes("python a.py '~/data/*.csv' \"*\"", false)]
#[case::behind_a_backslash("python a.py \\~ \\*", false)]
#[case::in_a_word("python a.py b~c --x=~/y", false)]
#[case::option("python a.py --filter=*.csv", false)]
#[case::address("curl http://a/b?c=1", false)]
#[case::number("python a.py 2*3 [a]", false)]
fn what_the_submitter_expands_besides_variables(#[case] entrypoint: &str, #[case] expected: bool) {
    let text = job(&format!("entrypoint: |-\n  {entrypoint}"));
    let told = all(&text, "1.6.2") == ["entrypoint-runs-here"];
    assert_eq!(told, expected);
    assert_eq!(all(&text, "1.2.2"), [""; 0]);
}

#[rstest]
#[case("huawei.com/Ascend910", "special", true)]
#[case("huawei.com/Ascend910", "NPU", false)]
#[case("huawei.com/Ascend910", "Ascend910", false)]
#[case("huawei.com/Ascend910", "huawei.com/Ascend910", false)]
#[case("habana.ai/gaudi", "HPU", false)]
#[case("aws.amazon.com/neuron", "neuron_cores", false)]
#[case("aws.amazon.com/neuron", "trainium", false)]
#[case("nvidia.com/gpu.shared", "shared_gpu", false)]
#[case("nvidia.com/gpu.shared", "special", true)]
fn resources_that_name_an_accelerator(
    #[case] limit: &str,
    #[case] name: &str,
    #[case] ignored: bool,
) {
    let container = format!("resources: {{limits: {{cpu: 1, {limit}: 1}}}}");
    let expected = if ignored {
        &["accelerator-ignored"][..]
    } else {
        &[]
    };
    let given = format!("rayStartParams: {{resources: \"'{{\\\"{name}\\\": 1}}'\"}}");
    assert_eq!(all(&manifest(&container, &given), "1.6.2"), expected);
    let given = format!("resources: {{{name}: '1'}}");
    assert_eq!(all(&manifest(&container, &given), "1.6.2"), expected);
}

#[rstest]
#[case::numbers("entrypoint: a\nsubmissionMode: HTTPMode\nruntimeEnvYAML: 'env_vars: {A: 1}'", "1.6.2", &["runtime-env-type"])]
#[case::strings("entrypoint: a\nsubmissionMode: HTTPMode\nruntimeEnvYAML: \"env_vars: {A: '1'}\"", "1.6.2", &[])]
#[case::old("entrypoint: a\nsubmissionMode: HTTPMode\nruntimeEnvYAML: 'env_vars: {A: yes}'", "1.1.1", &["runtime-env-type"])]
#[case::beside_the_head("entrypoint: a\nsubmissionMode: SidecarMode\nruntimeEnvYAML: 'env_vars: {A: 1}'", "1.6.2", &["runtime-env-type"])]
#[case::by_hand("submissionMode: InteractiveMode\nruntimeEnvYAML: 'env_vars: {A: 1}'", "1.6.2", &[])]
#[case::nothing("submissionMode: HTTPMode", "1.6.2", &["no-entrypoint"])]
#[case::nothing_beside_the_head("submissionMode: SidecarMode", "1.6.2", &["no-entrypoint"])]
#[case::resources("entrypoint: a\nsubmissionMode: HTTPMode\nentrypointResources: '{a: 1}'", "1.6.2", &["unreadable-json"])]
#[case::resources_of_text("entrypoint: a\nsubmissionMode: HTTPMode\nentrypointResources: '{\"a\": \"1\"}'", "1.6.2", &["unreadable-json"])]
#[case::good_resources("entrypoint: a\nsubmissionMode: HTTPMode\nentrypointResources: '{\"a\": 1.5}'", "1.6.2", &[])]
#[case::no_shell("entrypoint: a && b $C ~\nsubmissionMode: HTTPMode", "1.6.2", &[])]
fn jobs_that_the_operator_submits_itself(
    #[case] spec: &str,
    #[case] version: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(all(&job(spec), version), expected);
}

#[rstest]
#[case("runtime_env: {env_vars: {A: 1, B: '1'}}", &["runtime-env-type"])]
#[case("runtime_env: {env_vars: {A: '1'}}", &[])]
#[case("deployments: [{name: d, ray_actor_options: {runtime_env: {env_vars: {A: on}}}}]", &["runtime-env-type"])]
#[case("runtime_env: {env_vars: [A]}", &["runtime-env-type"])]
#[case("args: {env_vars: {A: 1}}", &[])]
fn variables_of_applications(#[case] application: &str, #[case] expected: &[&str]) {
    let text = format!(
        "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {{name: s}}\nspec:\n  serveConfigV2: |\n    applications:\n    - \
         import_path: a:b\n      {application}\n  rayClusterConfig:\n    headGroupSpec:\n      rayStartParams: {{}}\n      \
         template:\n        spec:\n          containers:\n          - name: ray-head\n            image: ray\n            {LIMITS}\n"
    );
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[test]
fn a_number_of_an_application_has_its_place() {
    let text = format!(
        "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {{name: s}}\nspec:\n  serveConfigV2: |\n    applications:\n    - \
         import_path: a:b\n      runtime_env: {{env_vars: {{A: 1}}}}\n  rayClusterConfig:\n    headGroupSpec:\n      \
         rayStartParams: {{}}\n      template:\n        spec:\n          containers:\n          - name: ray-head\n            \
         image: ray\n            {LIMITS}\n"
    );
    assert_eq!(
        warnings(&text, "1.6.2"),
        [("runtime-env-type".to_owned(), 8, 35)]
    );
}

#[rstest]
#[case("{name: U, value: 'https://$(KUBERNETES_SERVICE_HOST)'}", "", false)]
#[case(
    "{name: U, value: '$(REDIS_SERVICE_HOST):$(REDIS_SERVICE_PORT)'}",
    "",
    false
)]
#[case("{name: U, value: '$(MY_DB_SERVICE_PORT_HTTP)'}", "", false)]
#[case("{name: U, value: '$(X_PORT_6379_TCP_ADDR)'}", "", false)]
#[case("{name: U, value: '$(X_PORT_53_UDP)'}", "", false)]
#[case("{name: U, value: '$(X_PORT)'}", "", false)]
#[case("{name: U, value: '$(X_PORT)'}, {name: X_PORT, value: '1'}", "", true)]
#[case("{name: U, value: '$(X_PORT_A_TCP)'}", "", true)]
#[case("{name: U, value: '$(x_SERVICE_HOST)'}", "", true)]
#[case(
    "{name: U, value: '$(KUBERNETES_PORT_443_TCP_ADDR)'}",
    "enableServiceLinks: false",
    false
)]
#[case(
    "{name: U, value: '$(REDIS_SERVICE_HOST)'}",
    "enableServiceLinks: false",
    true
)]
fn variables_of_services(#[case] env: &str, #[case] pod: &str, #[case] expected: bool) {
    let text = manifest(&format!("{LIMITS}\nenv: [{env}]"), "") + "        " + pod + "\n";
    assert_eq!(all(&text, "1.6.2") == ["env-not-expanded"], expected);
}

#[test]
fn variables_of_services_in_a_parameter_and_an_entrypoint() {
    let group = "rayStartParams: {node-ip-address: $(REDIS_SERVICE_HOST)}";
    assert_eq!(all(&manifest(LIMITS, group), "1.6.2"), [""; 0]);
    let text = job("entrypoint: run $REDIS_SERVICE_HOST");
    assert_eq!(all(&text, "1.6.2"), [""; 0]);
}

#[rstest]
#[case("args: ['eval \"$SETUP\" || exit 1']", false)]
#[case("args: ['bash -c \"${SETUP}\" || exit 1']", false)]
#[case("args: ['echo \"$SETUP\" | bash || exit 1']", false)]
#[case("args: ['$(SETUP) || exit 1']", false)]
#[case("command: [bash, -c]\nargs: [\"'eval $SETUP'\"]", false)]
#[case(
    "lifecycle: {postStart: {exec: {command: [bash, -c, 'eval \"$SETUP\"']}}}",
    false
)]
#[case("args: ['echo \"$SETUP\"']", true)]
#[case("args: ['eval \"$SETUP_OTHER\" || exit 1']", true)]
#[case("args: ['run \"$SETUP\" || exit 1']", true)]
#[case("", true)]
fn variables_that_a_shell_reads(#[case] container: &str, #[case] expected: bool) {
    let env = "env: [{name: SETUP, value: 'export PATH=/opt/bin:$PATH'}]";
    let text = manifest(&format!("{LIMITS}\n{env}\n{container}"), "");
    let found = all(&text, "1.6.2");
    let told = found.iter().any(|id| id == "env-not-expanded");
    assert_eq!(told, expected, "{found:?}");
}

#[test]
fn a_path_that_a_shell_reads_stays_as_it_is() {
    let env = "env: [{name: PATH, value: '/opt/bin:$PATH'}]\nargs: ['eval \"A=$PATH\"; true']";
    let text = manifest(&format!("{LIMITS}\n{env}"), "");
    assert_eq!(all(&text, "1.6.2"), ["env-not-expanded"]);
}

#[rstest]
#[case::login("env: [{name: PATH, value: /opt/bin}]", "1.3.2", false, true)]
#[case::plain("env: [{name: PATH, value: /opt/bin}]", "1.4.2", false, false)]
#[case::on_request("env: [{name: PATH, value: /opt/bin}]", "1.4.2", true, true)]
#[case::other("env: [{name: PYTHONPATH, value: /opt/bin}]", "1.3.2", false, false)]
#[case::set_again(
    "env: [{name: PATH, value: /opt/bin}]\nargs: ['export PATH=/opt/bin:$PATH']",
    "1.3.2",
    false,
    false
)]
fn a_path_that_a_profile_resets(
    #[case] container: &str,
    #[case] version: &str,
    #[case] on_request: bool,
    #[case] expected: bool,
) {
    let settings = EffectiveSettings {
        env: [("ENABLE_LOGIN_SHELL".to_owned(), on_request.to_string())].into(),
        ..EffectiveSettings::default()
    };
    let text = manifest(&format!("{LIMITS}\n{container}"), "");
    let releases = [version.parse().unwrap()];
    let explanation = explain(Path::new("f"), &text, &releases, &settings).unwrap();
    let warnings = &explanation.containers[0].warnings;
    let told = warnings.iter().any(|warning| warning.id == "path-reset");
    assert_eq!(told, expected, "{warnings:?}");
}

#[rstest]
#[case(
    "command: [bash, -lc]\nargs: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']",
    true
)]
#[case(
    "command: [tini, --, bash, --login, -c, 'eval \"$KUBERAY_GEN_RAY_START_CMD\"']",
    true
)]
#[case(
    "command: [bash, -c]\nargs: ['eval \"$KUBERAY_GEN_RAY_START_CMD\"']",
    false
)]
fn a_path_that_a_shell_of_the_users_own_resets(#[case] own: &str, #[case] expected: bool) {
    let env = "env: [{name: PATH, value: /opt/bin}]";
    let text = overwritten(&format!("{LIMITS}\n{env}\n{own}"), "");
    assert_eq!(all(&text, "1.6.2") == ["path-reset"], expected);
}
