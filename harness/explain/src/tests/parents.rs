//! RayJobs and RayServices: who submits the job, and who reaches the dashboard.

use kuberay_contract::Stage;
use rstest::rstest;

use super::*;

const OWN: &str = "submitterPodTemplate: {spec: {restartPolicy: Never, containers: [{name: s, image: i, command: [sh, \
                   -c, 'ray job submit --submission-id=$RAY_JOB_SUBMISSION_ID -- x']}]}}";
const METADATA: &str = "entrypoint: a\nmetadata: {team: x}";

/// A RayJob or RayService with these lines in its specification, its head and its head's Ray
/// container.
fn object(kind: &str, fields: &str, head: &str, container: &str) -> String {
    let field = match kind {
        "RayService" => "rayClusterConfig",
        _ => "rayClusterSpec",
    };
    parent(kind, field, fields, container, head)
}

fn job_with(fields: &str, container: &str) -> String {
    object("RayJob", fields, "", container)
}

#[test]
fn an_upgrade_ends_a_job_whose_command_never_had_its_metadata() {
    let text = job_with(&format!("{METADATA}\n{OWN}"), "");
    for version in ["1.2.2", "1.3.2", "1.4.2"] {
        assert_eq!(checked(&text, &[version], false), [], "{version}");
    }
    let found = checked(&text, &["1.2.2", "1.6.2"], true);
    let [(id, message)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(id, "refused-by-operator");
    assert!(message.contains("failed to parse Ray version"), "{message}");
}

#[test]
fn a_command_of_ones_own_loses_no_metadata() {
    let text = selecting(&format!("{METADATA}\n{OWN}"));
    for version in ["1.2.2", "1.4.2", "1.5.1", "1.6.2", "1.7.0"] {
        assert_eq!(checked(&text, &[version], false), [], "{version}");
    }
    assert_eq!(checked(&text, &["1.2.2", "1.6.2"], true), []);
}

#[rstest]
#[case("metadata: {}", &[])]
#[case("metadata: {team: x}", &["metadata-dropped"])]
fn metadata_that_is_empty_is_not_dropped(#[case] metadata: &str, #[case] expected: &[&str]) {
    let text = selecting(&format!("entrypoint: a\n{metadata}"));
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[test]
fn an_entrypoint_that_cannot_be_split_leaves_everything_else() {
    let text = format!(
        "{}---\n{}",
        job_with("entrypoint: \"python a.py 'it\"", ""),
        job_with("entrypoint: python b.py", "").replace("name: j", "name: k")
    );
    let explanation = explained(&text, &["1.2.2"]);
    let containers: Vec<_> = explanation
        .containers
        .iter()
        .map(|one| (one.object.name.as_str(), one.role))
        .collect();
    let expected = [
        ("j", ContainerRole::Head),
        ("k", ContainerRole::Head),
        ("k", ContainerRole::Submitter),
    ];
    assert_eq!(containers, expected);
    let [refusal] = &explanation.refusals[..] else {
        panic!("{:?}", explanation.refusals)
    };
    assert_eq!(refusal.stage, Stage::Operator);
    assert_eq!(refusal.missing, MissingPods::Submitter);
    assert_eq!(refusal.location.line, 5);
    let found = checked_ids(&text, &["1.2.2"], false);
    assert_eq!(found, ["refused-by-operator"]);
}

#[test]
fn the_traps_of_a_head_without_a_submitter_are_found() {
    let text = job_with("entrypoint: \"python 'a\"", "args: ['run &']");
    let found = checked_ids(&text, &["1.2.2"], false);
    assert_eq!(found, ["refused-by-operator", "trailing-ampersand"]);
}

const UNNAMED: &str =
    "ports: [{containerPort: 6379, name: gcs}, {containerPort: 8000, name: serve}]";

#[rstest]
#[case("headService: {spec: {ports: [{name: dashboard, port: 8265}]}}", &[])]
#[case("headService: {spec: {ports: [{name: ui, port: 8265}]}}", &["no-dashboard-port"])]
#[case("", &["no-dashboard-port"])]
fn a_service_may_have_the_dashboard_in_its_head_service(
    #[case] head: &str,
    #[case] expected: &[&str],
) {
    let head = format!("rayStartParams: {{}}\n{head}");
    let text = object("RayService", "", &head, UNNAMED);
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[rstest]
#[case("InteractiveMode", "1.2.2", &["submission-mode-unknown"])]
#[case("SidecarMode", "1.4.2", &["submission-mode-unknown"])]
#[case("UserMode", "1.3.2", &["submission-mode-unknown"])]
#[case("UserMode", "1.2.2", &[])]
#[case("InteractiveMode", "1.3.2", &[])]
#[case("K8sJobMode", "1.1.1", &[])]
#[case("HTTPMode", "1.1.1", &[])]
#[case("httpMode", "1.6.2", &["submission-mode-unknown"])]
#[case("SidecarMode", "1.5.0", &["refused-by-operator"])]
fn a_mode_that_submits_to_no_selected_cluster(
    #[case] mode: &str,
    #[case] version: &str,
    #[case] expected: &[&str],
) {
    let text = selecting(&format!("entrypoint: a\nsubmissionMode: {mode}"));
    assert_eq!(checked_ids(&text, &[version], false), expected);
    let waiting = explained(&text, &[version]).waiting;
    let told = waiting
        .iter()
        .any(|one| one.message.contains("nothing submits"));
    assert_eq!(
        told,
        expected == ["submission-mode-unknown"],
        "{mode}: {waiting:?}"
    );
}

#[rstest]
#[case("", &["no-entrypoint"])]
#[case("runtimeEnvYAML: 'env_vars: {A: 1}'", &["no-entrypoint", "runtime-env-type"])]
#[case("entrypoint: a\nruntimeEnvYAML: 'env_vars: {A: 1}'", &["runtime-env-type"])]
#[case("entrypoint: a\nruntimeEnvYAML: \"env_vars: {A: '1'}\"", &[])]
fn a_job_that_the_operator_submits_to_a_selected_cluster(
    #[case] fields: &str,
    #[case] expected: &[&str],
) {
    let text = selecting(&format!("submissionMode: HTTPMode\n{fields}"));
    assert_eq!(checked_ids(&text, &["1.6.2"], false), expected);
    // It has no container, whose warnings they could be.
    let notes = explained(&text, &["1.5.1", "1.6.2"]).notes;
    let ids: Vec<&str> = notes
        .iter()
        .filter_map(|note| note.split(": ").nth(1))
        .collect();
    assert_eq!(ids, expected, "{notes:?}");
}

#[test]
fn a_job_of_an_unknown_mode_waits_on_each_release() {
    let text = selecting("entrypoint: a\nsubmissionMode: SidecarMode");
    let waiting = explained(&text, &["1.3.2", "1.4.2"]).waiting;
    let releases: Vec<String> = waiting.iter().map(|one| one.operator.to_string()).collect();
    assert_eq!(releases, ["1.3.2", "1.4.2"]);
}

#[rstest]
#[case("SidecarMode", "1.6.2", &["no-dashboard-port"])]
#[case("InteractiveMode", "1.6.2", &["no-dashboard-port"])]
#[case("InteractiveMode", "1.3.2", &["no-dashboard-port"])]
#[case("UserMode", "1.2.2", &["no-dashboard-port"])]
#[case("K8sJobMode", "1.6.2", &["refused-by-operator"])]
#[case("HTTPMode", "1.6.2", &["refused-by-operator"])]
#[case("SidecarMode", "1.4.2", &["submission-mode-unknown"])]
fn every_mode_asks_the_dashboard(
    #[case] mode: &str,
    #[case] version: &str,
    #[case] expected: &[&str],
) {
    let fields = format!("entrypoint: a\nsubmissionMode: {mode}");
    let text = job_with(&fields, "ports: [{containerPort: 8265, name: dash}]");
    assert_eq!(checked_ids(&text, &[version], false), expected);
    let named = job_with(&fields, "ports: [{containerPort: 8265, name: dashboard}]");
    let found = checked_ids(&named, &[version], false);
    let unknown = expected == ["submission-mode-unknown"];
    assert_eq!(found.is_empty(), !unknown, "{found:?}");
}

const ELSEWHERE: &str = "ports: [{containerPort: 9000, name: dashboard}]";

#[rstest]
#[case("RayJob", "entrypoint: a", "", &["ports-disagree"])]
#[case("RayService", "", "", &["no-serve-port", "ports-disagree"])]
#[case("RayJob", "entrypoint: a", "rayStartParams: {dashboard-port: '9000'}", &[])]
#[case("RayJob", "entrypoint: a", "rayStartParams: {dashboard-host: 127.0.0.1}", &["ports-disagree"])]
fn a_dashboard_port_where_nothing_listens(
    #[case] kind: &str,
    #[case] fields: &str,
    #[case] head: &str,
    #[case] expected: &[&str],
) {
    let head = if head.is_empty() {
        "rayStartParams: {}"
    } else {
        head
    };
    let text = object(kind, fields, head, ELSEWHERE);
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[test]
fn a_dashboard_port_where_ray_or_another_may_listen() {
    let default = job_with(
        "entrypoint: a",
        "ports: [{containerPort: 8265, name: dashboard}]",
    );
    assert_eq!(all(&default, "1.6.2"), [""; 0]);
    let proxied =
        job_with("entrypoint: a", ELSEWHERE) + "          - {name: proxy, image: nginx}\n";
    assert_eq!(all(&proxied, "1.6.2"), [""; 0], "a proxy may listen");
    let command = "command: [bash, -c]\nargs: ['ray start --head --block --dashboard-host=0.0.0.0 \
                   --dashboard-port=9000']";
    let own = job_with("entrypoint: a", &format!("{ELSEWHERE}\n{command}"));
    // Its own port agrees with the Service; the probes ask another one.
    assert_eq!(all(&own, "1.6.2"), ["probes-fail", "ray-start-in-text"]);
}

#[rstest]
#[case("{name: dashboard, port: 8265}", &[])]
#[case("{name: dashboard, port: 80, targetPort: 8265}", &[])]
#[case("{name: dashboard, port: 80, targetPort: other}", &[])]
#[case("{name: dashboard, port: 80, targetPort: gcs}", &["ports-disagree"])]
#[case("{name: dashboard, port: 80}", &["ports-disagree"])]
#[case("{name: dashboard, port: 8265, targetPort: 9000}", &["ports-disagree"])]
fn a_dashboard_port_of_the_head_service(#[case] port: &str, #[case] expected: &[&str]) {
    let head = format!("rayStartParams: {{}}\nheadService: {{spec: {{ports: [{port}]}}}}");
    let text = object("RayJob", "entrypoint: a", &head, UNNAMED);
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[rstest]
#[case("{name: side, image: b, command: [sleep, '1']}, {name: ray-job-submitter, image: 'rayproject/ray:2.46.0'}", &["ray-not-first"])]
#[case("{name: side, image: b}, {name: ray-job-submitter, image: own}", &["ray-not-first"])]
#[case("{name: ray-job-submitter, image: own}, {name: side, image: b}", &[])]
#[case("{name: side, image: 'rayproject/ray:2.46.0'}, {name: ray-job-submitter, image: own}", &[])]
#[case("{name: main, image: own}, {name: proxy, image: envoy}", &[])]
#[case("{name: main, image: own, command: [sh, -c, 'ray job submit --submission-id=$RAY_JOB_SUBMISSION_ID -- x']}, {name: s, image: 'rayproject/ray:2.46.0'}", &[])]
fn the_first_container_submits(#[case] containers: &str, #[case] expected: &[&str]) {
    let template = format!(
        "submitterPodTemplate: {{spec: {{restartPolicy: Never, containers: [{containers}]}}}}"
    );
    let text = job_with(&format!("entrypoint: a\n{template}"), "");
    assert_eq!(all(&text, "1.6.2"), expected);
}

#[rstest]
#[case("ray.io")]
#[case("v1")]
#[case("ray.io/v2")]
fn an_api_version_that_no_server_has(#[case] version: &str) {
    let text = job_with("entrypoint: a", "").replace("ray.io/v1", version);
    let explanation = explained(&text, &["1.6.2"]);
    let [refusal] = &explanation.refusals[..] else {
        panic!("{:?}", explanation.refusals)
    };
    assert_eq!(refusal.stage, Stage::Client);
    let message = format!("no matches for kind \"RayJob\" in version {version:?}");
    assert_eq!(refusal.message, message);
    let found = checked_ids(&text, &["1.6.2"], false);
    assert_eq!(found, ["refused-by-client"]);
}
