//! Manifests of an adversary: healthy ones, about which nothing is said, and faults that look
//! healthy.

use rstest::rstest;

use super::*;

/// A head whose own command is kept, with `resources` whose quotes only a shell reads.
pub(super) fn kept(command: &str, resources: bool) -> String {
    let params = if resources {
        "rayStartParams: {resources: \"'{\\\"a\\\": 1, \\\"b\\\": 2}'\"}"
    } else {
        ""
    };
    manifest(&format!("{LIMITS}\n{command}"), params).replace(
        "  name: c\n",
        "  name: c\n  annotations: {ray.io/overwrite-container-cmd: 'true'}\n",
    )
}

pub(super) fn script(text: &str) -> String {
    format!("command: [/bin/bash, -c]\nargs:\n- {text:?}")
}

#[rstest]
// A proxy of the same Pod listens on the declared port.
#[case("ports: [{containerPort: 8265, name: dashboard}]", "{dashboard-host: 127.0.0.1, dashboard-port: '8443'}", "RayCluster", &[])]
#[case("ports: [{containerPort: 8265, name: dashboard}]", "{dashboard-port: '8443'}", "RayCluster", &["ports-disagree"])]
#[case("", "{dashboard-host: 127.0.0.1}", "RayCluster", &[])]
#[case("", "{dashboard-host: 127.0.0.1}", "RayJob", &["ports-disagree"])]
#[case("", "{dashboard-host: localhost}", "RayService", &["ports-disagree"])]
#[case("", "{dashboard-host: 0.0.0.0}", "RayJob", &[])]
fn a_dashboard_that_only_its_pod_reaches(
    #[case] container: &str,
    #[case] params: &str,
    #[case] kind: &str,
    #[case] expected: &[&str],
) {
    let probes =
        "livenessProbe: {exec: {command: ['true']}}\nreadinessProbe: {exec: {command: ['true']}}";
    let container = format!("{probes}\n{container}");
    let group = format!("rayStartParams: {params}");
    let text = match kind {
        "RayCluster" => manifest(&format!("{LIMITS}\n{container}"), &group),
        "RayJob" => parent(kind, "rayClusterSpec", "entrypoint: a", &container, &group),
        _ => parent(kind, "rayClusterConfig", "", &container, &group),
    };
    assert_eq!(all(&text, "1.6.2"), expected, "{kind} {params}");
}

#[test]
fn a_proxy_beside_the_head_may_reach_the_dashboard() {
    let text = parent(
        "RayJob",
        "rayClusterSpec",
        "entrypoint: a",
        "",
        "rayStartParams: {dashboard-host: 127.0.0.1}",
    );
    let text = format!("{text}          - name: proxy\n            image: proxy:1\n");
    assert_eq!(all(&text, "1.6.2"), [""; 0]);
}

#[rstest]
#[case("gcs")]
#[case("redis")]
fn a_port_is_named_as_it_is_written(#[case] name: &str) {
    let text = manifest(
        &format!("{LIMITS}\nports: [{{containerPort: 6379, name: {name}}}]"),
        "rayStartParams: {port: '6380'}",
    );
    let messages = messages(&text, "1.6.2");
    let expected = format!("port is 6380, and the container's port `{name}` is 6379");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].starts_with(&expected), "{}", messages[0]);
}

#[rstest]
#[case("python $HOME/a.py")]
#[case("python ~/a.py")]
#[case("python a.py --home $HOME --seed $RANDOM --uid $UID")]
#[case("PATH=/opt/bin:$PATH python a.py")]
#[case("python a.py ~data.y")]
fn what_is_the_same_in_the_submitter(#[case] entrypoint: &str) {
    let text = job(&format!("entrypoint: {entrypoint:?}"));
    assert_eq!(all(&text, "1.6.2"), [""; 0], "{entrypoint}");
}

#[rstest]
#[case(
    "python $MODEL/a.py",
    "`$MODEL` is replaced in the submitter, to which the Pod gives no variable MODEL"
)]
#[case(
    "python a.py $1",
    "`$1` is replaced in the submitter, whose shell has no arguments"
)]
#[case(
    "python a.py $@",
    "`$@` is replaced in the submitter, whose shell has no arguments"
)]
fn what_the_submitter_replaces(#[case] entrypoint: &str, #[case] begin: &str) {
    let messages = messages(&job(&format!("entrypoint: {entrypoint:?}")), "1.6.2");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].starts_with(begin), "{}", messages[0]);
}

#[rstest]
#[case("echo \"$KUBERAY_GEN_RAY_START_CMD\" | bash")]
#[case("bash <<< \"$KUBERAY_GEN_RAY_START_CMD\"")]
#[case("echo \"$KUBERAY_GEN_RAY_START_CMD\" > /tmp/s.sh; bash /tmp/s.sh")]
#[case("bash -lc \"$KUBERAY_GEN_RAY_START_CMD\"")]
#[case("source <(echo \"$KUBERAY_GEN_RAY_START_CMD\")")]
#[case("printf \"%s\" \"$KUBERAY_GEN_RAY_START_CMD\" | sh")]
#[case("bash -c \"${KUBERAY_GEN_RAY_START_CMD}\"")]
#[case("bash -c \"set -x; $KUBERAY_GEN_RAY_START_CMD\"")]
#[case("exec bash -xc \"$KUBERAY_GEN_RAY_START_CMD\"")]
#[case("eval $KUBERAY_GEN_RAY_START_CMD")]
#[case("$(KUBERAY_GEN_RAY_START_CMD)")]
#[case("bash <<END\n$KUBERAY_GEN_RAY_START_CMD\nEND")]
fn shells_that_read_the_generated_command(#[case] text: &str) {
    assert_eq!(all(&kept(&script(text), true), "1.6.2"), [""; 0], "{text}");
}

#[test]
fn a_generated_command_that_is_only_printed() {
    let text = "echo \"starting: $KUBERAY_GEN_RAY_START_CMD\"\nray start --head --block";
    assert_eq!(all(&kept(&script(text), true), "1.6.2"), [""; 0]);
}

#[rstest]
#[case("$KUBERAY_GEN_RAY_START_CMD")]
#[case("exec ${KUBERAY_GEN_RAY_START_CMD}")]
#[case("nohup env A=1 $KUBERAY_GEN_RAY_START_CMD")]
#[case("bash -c '$KUBERAY_GEN_RAY_START_CMD'")]
#[case("eval \"$(conda shell.bash hook)\"; conda activate x; $KUBERAY_GEN_RAY_START_CMD")]
#[case("python evaluate.py & $KUBERAY_GEN_RAY_START_CMD")]
#[case("# not by eval\n$KUBERAY_GEN_RAY_START_CMD")]
#[case("bash -c \"$KUBERAY_GEN_RAY_START_CMD\" & $KUBERAY_GEN_RAY_START_CMD")]
#[case("if prepare; then $KUBERAY_GEN_RAY_START_CMD; fi")]
fn shells_that_split_the_generated_command(#[case] text: &str) {
    let found = all(&kept(&script(text), true), "1.6.2");
    assert!(
        found.contains(&"gen-cmd-unquoted".into()),
        "{text}: {found:?}"
    );
    let plain = all(&kept(&script(text), false), "1.6.2");
    assert!(
        !plain.contains(&"gen-cmd-unquoted".into()),
        "{text}: {plain:?}"
    );
}

#[rstest]
#[case("\"$KUBERAY_GEN_RAY_START_CMD\"")]
#[case("\"${KUBERAY_GEN_RAY_START_CMD}\"")]
#[case("'$KUBERAY_GEN_RAY_START_CMD'")]
#[case("exec \"$KUBERAY_GEN_RAY_START_CMD\"")]
#[case("ulimit -n 65536; exec nice \"$KUBERAY_GEN_RAY_START_CMD\"")]
fn a_generated_command_that_is_taken_for_a_name(#[case] text: &str) {
    let found = all(&kept(&script(text), false), "1.6.2");
    assert_eq!(found, ["gen-cmd-not-run"], "{text}");
}

#[rstest]
#[case("trainer", "corp/trainer:1", "", "ray-exporter", "prom/x:1", false)]
#[case(
    "head",
    "corp/t:1",
    "",
    "ray-log-collector",
    "fluent/fluent-bit:1",
    false
)]
#[case("main", "corp/t:1", "", "raycluster-sidecar", "corp/s:1", false)]
#[case(
    "main",
    "corp/t:1",
    "ports: [{containerPort: 6379, name: gcs}]",
    "ray-logs",
    "rayproject/ray:2.52.0",
    false
)]
#[case("array-job", "corp/t:1", "", "head", "rayproject/ray:2.52.0", true)]
#[case("envoy", "envoy:1", "", "head", "registry/ray-ml:2.9.0", true)]
fn which_container_is_rays(
    #[case] name: &str,
    #[case] image: &str,
    #[case] first: &str,
    #[case] other: &str,
    #[case] others: &str,
    #[case] expected: bool,
) {
    let text = manifest(&format!("{LIMITS}\n{first}"), "").replace(
        "- name: ray-head\n          image: ray\n",
        &format!("- name: {name}\n          image: {image}\n"),
    );
    let text = format!("{text}        - name: {other}\n          image: {others}\n");
    let found = all(&text, "1.6.2").contains(&"ray-not-first".to_owned());
    assert_eq!(found, expected, "{name} {image} before {other} {others}");
}

#[rstest]
#[case("{disable-usage-stats: 'false'}", &[])]
#[case("{no-redirect-output: 'false'}", &[])]
#[case("{include-log-monitor: 'false'}", &["false-dropped"])]
fn switches_that_are_off(#[case] params: &str, #[case] expected: &[&str]) {
    let text = manifest(LIMITS, &format!("rayStartParams: {params}"));
    assert_eq!(all(&text, "1.6.2"), expected, "{params}");
}

/// A RayCluster for a place inside of another object, with this name, replicas and CPUs.
fn inner(name: &str, replicas: &str, cpu: &str, depth: usize) -> String {
    let template = format!(
        "template: {{spec: {{containers: [{{name: a, image: ray, resources: {{limits: {{cpu: {cpu}}}}}}}]}}}}"
    );
    let text = format!(
        "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name}\nspec:\n  headGroupSpec:\n    rayStartParams: {{}}\n    {template}\n  \
         workerGroupSpecs:\n  - groupName: w\n    replicas: {replicas}\n    minReplicas: 1\n    maxReplicas: 2\n    rayStartParams: {{}}\n    {template}\n"
    );
    text.lines()
        .map(|line| format!("{}{line}\n", " ".repeat(depth)))
        .collect()
}

#[test]
fn what_another_object_fills_in_is_not_refused() {
    let kro = format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: ray}}\nspec:\n  resources:\n  - id: ray\n    template:\n{}",
        inner(
            "{name: \"${schema.spec.name}-ray\"}",
            "${schema.spec.replicas}",
            "\"${schema.spec.cpu}\"",
            6
        )
    );
    let openshift = format!(
        "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {{name: t}}\nobjects:\n-\n{}",
        inner("{name: \"${NAME}\"}", "\"${{REPLICAS}}\"", "1", 2)
    );
    let crossplane = format!(
        "apiVersion: kubernetes.crossplane.io/v1alpha2\nkind: Object\nmetadata: {{name: x}}\nspec:\n  forProvider:\n    manifest:\n{}",
        inner("{namespace: team}", "1", "1", 6)
    );
    let template = format!(
        "apiVersion: example.com/v1\nkind: RayClusterTemplate\nspec:\n  template:\n{}",
        inner("{}", "1", "1", 4)
    );
    for text in [kro, openshift, crossplane, template] {
        let found = explained(&text, &["1.7.0"]).refusals;
        let reasons: Vec<String> = found
            .iter()
            .map(|one| format!("{}: {}", one.path, one.message))
            .collect();
        assert_eq!(reasons, [""; 0], "{text}");
    }
}

#[test]
fn what_is_wrong_inside_of_another_object_is_refused() {
    let text = format!(
        "apiVersion: kubernetes.crossplane.io/v1alpha2\nkind: Object\nmetadata: {{name: x}}\nspec:\n  forProvider:\n    manifest:\n{}",
        inner("{name: a}", "many", "1", 6)
    );
    let found = explained(&text, &["1.7.0"]).refusals;
    assert_eq!(found.len(), 1, "{found:?}");
    let alone = inner("{name: \"${NAME}\"}", "1", "1", 0);
    let found = explained(&alone, &["1.7.0"]).refusals;
    assert!(!found.is_empty(), "nobody fills in a file of its own");
}

/// A RayCluster with these worker groups, each with a Ray container with these lines.
pub(super) fn workers(groups: &[(&str, &str)], annotations: &str) -> String {
    let mut text = manifest(LIMITS, "") + "  workerGroupSpecs:\n";
    for (fields, container) in groups {
        let fields: String = fields.lines().map(|line| format!("    {line}\n")).collect();
        let params = if fields.contains("rayStartParams") {
            ""
        } else {
            "    rayStartParams: {}\n"
        };
        let container: String = container
            .lines()
            .map(|line| format!("          {line}\n"))
            .collect();
        text += &format!(
            "  -\n{fields}{params}    minReplicas: 0\n    maxReplicas: 2\n    template:\n      metadata: {{annotations: {{{annotations}}}}}\n      spec:\n        containers:\n        - name: ray-worker\n          image: rayproject/ray:2.46.0\n          {LIMITS}\n{container}"
        );
    }
    text
}

pub(super) const KEEP: &str = "ray.io/overwrite-container-cmd: 'true'";

#[rstest]
#[case("{port: '6379'}", &["unknown-ray-option"])]
#[case("{include-dashboard: 'false'}", &["unknown-ray-option"])]
#[case("{redis-shard-ports: '6380'}", &["unknown-ray-option"])]
#[case("{dashboard-host: 0.0.0.0, dashboard-port: '8265'}", &[])]
#[case("{num-cpus: '1'}", &[])]
fn options_of_the_head_on_a_worker(#[case] params: &str, #[case] expected: &[&str]) {
    let group = format!("groupName: w\nrayStartParams: {params}");
    assert_eq!(
        all(&workers(&[(&group, "")], ""), "1.6.2"),
        expected,
        "{params}"
    );
}

#[rstest]
#[case(
    "command: [bash, -c]\nargs: ['ray start --address=$RAY_ADDRESS --port=6379 --block']",
    true
)]
#[case(
    "command: [ray, start, '--address=$(RAY_ADDRESS)', --include-dashboard, 'false', --block]",
    true
)]
#[case(
    "command: [bash, -c]\nargs: ['ray start --address=$RAY_ADDRESS --block']",
    false
)]
fn options_of_the_head_in_a_command_of_a_worker(#[case] command: &str, #[case] expected: bool) {
    let found = all(&workers(&[("groupName: w", command)], KEEP), "1.6.2");
    let told = found.contains(&"unknown-ray-option".to_owned());
    assert_eq!(told, expected, "{command}: {found:?}");
}

#[rstest]
#[case("ray start --address=${RAY_ADDRESS} --block", true)]
#[case(
    "until ray health-check --address $RAY_IP:6379; do sleep 5; done; ray start --address=$RAY_IP:6379 --block",
    true
)]
#[case("ray start --head --block", false)]
#[case("ray start $ARGS --block", false)]
#[case(
    "if [ $ROLE = head ]; then ray start --head --block; else ray start --address=$A --block; fi",
    false
)]
fn a_head_that_joins_another(#[case] text: &str, #[case] expected: bool) {
    let found = all(&kept(&script(text), false), "1.6.2");
    let told = found.contains(&"ray-start-without-address".to_owned());
    assert_eq!(told, expected, "{text}: {found:?}");
}

/// A RayJob with a known release of Ray.
pub(super) fn job_of(ray: &str, entrypoint: &str, mode: &str) -> String {
    let text = parent(
        "RayJob",
        "rayClusterSpec",
        &format!("entrypoint: |-\n  {entrypoint}\n{mode}"),
        "",
        "",
    );
    text.replace("image: ray\n", &format!("image: rayproject/ray:{ray}\n"))
        .replace(
            "  rayClusterSpec:\n",
            &format!("  rayClusterSpec:\n    rayVersion: {ray}\n"),
        )
}

#[rstest]
#[case("python a.py --url 'http://x/?a=1&b=2'", true)]
#[case("python a.py --filter 'a>5'", true)]
#[case("python a.py '*.py'", true)]
#[case("python a.py 'a;b'", true)]
#[case("python a.py \"it's\"", true)]
#[case("python a.py '$HOME/x'", true)]
#[case("python a.py \"'a>5'\"", true)]
#[case("python a.py --c '{\"a\":1,\"b\":[1,2]}'", false)]
#[case("python a.py --c '{\"a\": \"1;2\"}'", false)]
#[case("bash -c 'a && b'", false)]
#[case("python a.py --name 'plain' \"\" 'a b'", false)]
#[case("python a.py --filter='*.csv'", false)]
fn quotes_that_ray_does_not_put_back(#[case] entrypoint: &str, #[case] lost: bool) {
    // In quotes twice it is what the help says.
    let lost = lost && !entrypoint.contains("\"'");
    for (ray, lost) in [("2.46.0", lost), ("2.55.0", lost), ("2.56.0", false)] {
        let expected: &[&str] = if lost {
            &["entrypoint-loses-quotes"]
        } else {
            &[]
        };
        for version in ["1.2.2", "1.6.2"] {
            let found = all(&job_of(ray, entrypoint, ""), version);
            assert_eq!(found, expected, "{entrypoint} on {version} with Ray {ray}");
        }
        let found = all(
            &job_of(ray, entrypoint, "submissionMode: HTTPMode"),
            "1.6.2",
        );
        assert_eq!(found, [""; 0], "{entrypoint} as a request");
    }
}

#[rstest]
#[case("python a.py \\\n  --x 1 \\\n  --y 2 \\", &["entrypoint-lines"])]
#[case("python a.py \\", &["entrypoint-lines"])]
#[case("python a.py \\\n  --x 1", &[])]
#[case("python a.py \\\\", &[])]
fn an_entrypoint_that_ends_in_a_backslash(#[case] entrypoint: &str, #[case] expected: &[&str]) {
    let found = all(&job(&format!("entrypoint: {entrypoint:?}")), "1.6.2");
    assert_eq!(found, expected, "{entrypoint}");
}

#[rstest]
#[case("command: [ray, start, '--address=$RAY_ADDRESS', --block]", &["env-not-expanded"])]
#[case("command: [ray, start, '--address=${RAY_ADDRESS}', --block]", &["env-not-expanded"])]
#[case("command: [ray, start, '--address=$(RAY_ADDRESS)', --block]", &[])]
#[case("command: [ray, start, '--address=a:1', '--node-name=cost$5', --block]", &[])]
fn variables_in_a_command_that_no_shell_reads(#[case] command: &str, #[case] expected: &[&str]) {
    let found = all(&workers(&[("groupName: w", command)], KEEP), "1.6.2");
    assert_eq!(found, expected, "{command}");
}

#[rstest]
#[case("http://$RAY_DASHBOARD_ADDRESS", &["env-not-expanded"])]
#[case("http://$(RAY_DASHBOARD_ADDRESS)", &[])]
fn variables_in_a_submitter_that_no_shell_reads(#[case] address: &str, #[case] expected: &[&str]) {
    let text = job(&format!(
        "entrypoint: a\nsubmitterPodTemplate:\n  spec:\n    restartPolicy: Never\n    containers:\n    - name: s\n      image: s\n      command: [ray, job, submit, --address, \"{address}\", --submission-id, $(RAY_JOB_SUBMISSION_ID), --, python, $HOME/a.py]"
    ));
    assert_eq!(all(&text, "1.6.2"), expected, "{address}");
}

#[rstest]
#[case("args: ['ulimit -n 1048576']", "1.6.2", true)]
#[case("args: ['ulimit -n 1048576']", "1.7.0", true)]
#[case("args: ['ulimit -n unlimited || true']", "1.6.2", true)]
#[case(
    "args: ['ulimit -n 1048576']\nenv: [{name: RAY_START_ULIMIT_OPEN_FILES, value: '1048576'}]",
    "1.7.0",
    false
)]
#[case("args: ['ulimit -n 4096']", "1.6.2", false)]
#[case("args: ['ulimit -c unlimited']", "1.6.2", false)]
#[case("args: ['(ulimit -n 1048576; serve &)']", "1.6.2", false)]
fn a_limit_that_is_lowered_again(
    #[case] container: &str,
    #[case] version: &str,
    #[case] expected: bool,
) {
    let found = all(&manifest(&format!("{LIMITS}\n{container}"), ""), version);
    let told = found.contains(&"ulimit-variable-ignored".to_owned());
    assert_eq!(told, expected, "{container}: {found:?}");
}

#[rstest]
#[case("applications: [", true)]
#[case("- a", true)]
#[case("applications: []", false)]
#[case("applications: []\napplications: []", false)]
fn a_config_of_serve_that_is_no_yaml(#[case] config: &str, #[case] expected: bool) {
    let fields = format!("serveConfigV2: {config:?}");
    let text = parent("RayService", "rayClusterConfig", &fields, "", "");
    let told = all(&text, "1.6.2") == ["unreadable-json"];
    assert_eq!(told, expected, "{config}");
}

#[rstest]
#[case("shopt -s extglob; echo !(a)", true)]
#[case("shopt -s extglob\necho !(a)", false)]
fn a_pattern_on_the_line_that_allows_it(#[case] text: &str, #[case] expected: bool) {
    let found = all(
        &manifest(&format!("{LIMITS}\nargs:\n- {text:?}"), ""),
        "1.6.2",
    );
    assert_eq!(
        found.contains(&"not-analysed".to_owned()),
        expected,
        "{text}: {found:?}"
    );
}

#[test]
fn a_style_of_logs_that_ray_does_not_know() {
    let of = |style: &str| {
        all(
            &manifest(LIMITS, &format!("rayStartParams: {{log-style: {style}}}")),
            "1.6.2",
        )
    };
    assert_eq!(of("fancy"), ["parameter-type"]);
    assert_eq!(of("Pretty"), [""; 0]);
}

#[rstest]
#[case("cloud-tpus.google.com/v3: 8", "", 1)]
#[case(
    "cloud-tpus.google.com/v3: 8",
    "{resources: \"'{\\\"TPU\\\": 8}'\"}",
    0
)]
#[case(
    "huawei.com/Ascend910: 1, tencent.com/vcuda-core: 10, mthreads.com/sgpu-core: 2",
    "",
    3
)]
#[case("tencent.com/vcuda: 1, tencent.com/vcuda-core: 10", "", 1)]
fn accelerators_of_several_vendors(
    #[case] limits: &str,
    #[case] params: &str,
    #[case] count: usize,
) {
    let group = if params.is_empty() {
        String::new()
    } else {
        format!("rayStartParams: {params}")
    };
    let text = manifest(
        &format!("resources: {{limits: {{cpu: 1, {limits}}}}}"),
        &group,
    );
    let found = all(&text, "1.6.2");
    assert_eq!(found, vec!["accelerator-ignored"; count], "{limits}");
}

#[rstest]
#[case("args: ['ray start --head --block']", true)]
#[case("command: ['ray start --head --block']", true)]
#[case("command: [bash, -c, 'ray start --head --block']", false)]
#[case("command: [run.sh, 'ray start --head --block']", false)]
fn ray_start_as_one_word(#[case] command: &str, #[case] expected: bool) {
    let text = manifest(&format!("{LIMITS}\n{command}"), "");
    let told = messages(&text, "1.6.2")
        .iter()
        .any(|message| message.starts_with("No shell reads it, and no program has"));
    assert_eq!(told, expected, "{command}");
}

#[test]
fn groups_of_one_name_and_groups_without_hosts() {
    let two = workers(&[("groupName: a", ""), ("groupName: a", "")], "");
    assert_eq!(all(&two, "1.6.2"), ["group-name-twice"]);
    let other = workers(&[("groupName: a", ""), ("groupName: b", "")], "");
    assert_eq!(all(&other, "1.6.2"), [""; 0]);
    let none = workers(
        &[
            ("groupName: a\nnumOfHosts: 0", ""),
            ("groupName: b", "args: ['a &']"),
        ],
        "",
    );
    // The Pods of the first group are not there; the traps of the second are its own.
    assert_eq!(all(&none, "1.7.0"), ["trailing-ampersand"]);
}

#[test]
fn what_is_said_about_a_failure_that_is_swallowed() {
    let text = manifest(
        &format!("{LIMITS}\nargs: ['$KUBERAY_GEN_RAY_START_CMD']"),
        "",
    );
    let messages = messages(&text, "1.6.2");
    let swallowed = messages.iter().find(|one| one.contains("`ray start` runs"));
    let begin = "`$KUBERAY_GEN_RAY_START_CMD`: If this command fails";
    assert!(
        swallowed.is_some_and(|one| one.starts_with(begin)),
        "{messages:?}"
    );
}
