//! Manifests of an adversary: healthy ones, about which nothing is said, and faults that look
//! healthy.

use rstest::rstest;

use super::*;

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
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    let fields: String = fields.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: ray.io/v1\nkind: {kind}\nmetadata: {{name: j}}\nspec:\n{fields}  {field}:\n{spec}"
    )
}

fn job(fields: &str) -> String {
    parent("RayJob", "rayClusterSpec", fields, "", "")
}

/// A head whose own command is kept, with `resources` whose quotes only a shell reads.
fn kept(command: &str, resources: bool) -> String {
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

fn script(text: &str) -> String {
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
#[case("python a.py --dir $PWD --host $HOSTNAME --seed $RANDOM --uid $UID")]
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
            .map(|one| format!("{}: {}", one.place.path, one.message))
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
