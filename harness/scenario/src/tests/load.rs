use std::path::Path;
use std::time::Duration;

use assertables::assert_starts_with;
use kuberay_contract::Layer;
use kuberay_manifest::{Source, yaml};
use rstest::rstest;

use super::{CLUSTER, GOOD, folder, lines, own_scenarios};
use crate::{
    Check, Location, Manifest, Sample, json_schema, later_objects, load, load_all, manifests, shape,
};

#[test]
fn a_good_file_is_read_with_the_place_of_each_check() {
    let (_root, folder) = folder(&[("scenario.yaml", GOOD), ("raycluster.yaml", CLUSTER)]);
    let scenario = load(&folder).unwrap();
    assert_eq!(scenario, load(&folder.join("scenario.yaml")).unwrap());
    assert_eq!(scenario.name(), "demo");
    assert_eq!(scenario.timeout, Duration::from_secs(90));
    assert!(scenario.operator.matches(&"1.6.2".parse().unwrap()));
    assert_eq!(
        scenario.file.spec.manifests,
        [
            Manifest::File("raycluster.yaml".into()),
            Manifest::Sample(Sample {
                sample: "ray-cluster.head-command.yaml".into()
            })
        ]
    );
    let kinds: Vec<&str> = scenario.file.spec.checks.iter().map(Check::kind).collect();
    assert_eq!(
        kinds,
        [
            "pod", "ray", "logs", "job", "state", "never", "event", "rejected"
        ]
    );
    let places: Vec<usize> = scenario
        .check_locations
        .iter()
        .map(|place| place.line)
        .collect();
    assert_eq!(places, [16, 17, 18, 27, 28, 29, 30, 31]);
    assert_eq!(
        scenario.check_locations[0],
        Location {
            line: 16,
            column: 7
        }
    );
    // The lines that reports show: each check alone, with all of its lines.
    assert_eq!(scenario.check_texts.len(), 8);
    assert_starts_with!(scenario.check_texts[0].trim_start(), "- pod:");
    let logs = &scenario.check_texts[2];
    assert!(logs.trim_start().starts_with("- logs:"), "{logs}");
    assert_eq!(logs.lines().count(), 9, "{logs}");
}

#[rstest]
#[case::unknown_key(
    "  issues:",
    "  issue:",
    "8:3 unknown key `issue` in `spec` (did you mean `issues`?"
)]
#[case::unknown_nested(
    "snapshot:",
    "snapshots:",
    "16:25 unknown key `snapshots` in `pod` (did you mean `snapshot`?"
)]
#[case::unknown_check(
    "    - ray:",
    "    - rayy:",
    "17:7 unknown key `rayy` in entry 2 of `checks` (did you mean `ray`?"
)]
#[case::missing(
    "  description: A demonstration.\n",
    "",
    "6:3 `spec` lacks the key `description`"
)]
#[case::missing_nested("role: head, snapshot", "snapshot", "16:12 `pod` lacks the key `role`")]
#[case::empty_text("A demonstration.", "' '", "6:16 `description` is empty")]
#[case::wrong_type(
    "issues: []",
    "issues: kind",
    "8:11 `issues` must be a list, found the text `kind`"
)]
#[case::number_for_text(
    "must: /a <pod-ip>:[0-9]+/",
    "must: 12",
    "24:19 `must` must be a text, found the number 12 (put it"
)]
#[case::text_for_number(
    "nodes: 1",
    "nodes: one",
    "17:20 `nodes` must be a whole number, found the text `one`"
)]
#[case::too_small("nodes: 1", "nodes: 0", "17:20 `nodes` must be at least 1, found 0")]
#[case::nothing("kind: Scenario", "kind:", "2:5 `kind` must be a text, found nothing")]
#[case::api_version(
    "v1beta1",
    "v1",
    "1:13 `apiVersion` must be `kuberay-conformance/v1beta1`"
)]
#[case::kind(
    "kind: Scenario",
    "kind: Scene",
    "2:7 `kind` must be `Scenario`, found `Scene`"
)]
#[case::name_form("name: demo", "name: Demo", "4:9 `name` can't be `Demo`")]
#[case::name_of_folder(
    "name: demo",
    "name: other",
    "4:9 the name differs from that of the folder, `demo`"
)]
#[case::rule(
    "[C02]",
    "[C99]",
    "7:11 entry 1 of `rules` can't be `C99` (did you mean `C"
)]
#[case::rule_twice("[C02]", "[C02, C02]", "7:16 `C02` appears twice in `rules`")]
#[case::level(
    "issues: []",
    "issues: []\n  level: basic",
    "9:10 `level` can't be `basic` (it is one of `core`"
)]
#[case::issue(
    "issues: []",
    "issues: [abc]",
    "8:12 entry 1 of `issues` can't be `abc`"
)]
#[case::operator("\">=1.0.0\"", "latest", "9:13 `operator` is not a range of versions")]
#[case::ray("\">=2.6.0\"", "2..6", "10:8 `ray` is not a range of versions")]
#[case::duration(
    "timeout: 90s",
    "timeout: 90",
    "14:12 `timeout` must be a text, found the number 90"
)]
#[case::duration_form(
    "timeout: 90s",
    "timeout: 90min",
    "14:12 `timeout` can't be `90min` (a length of time is"
)]
#[case::duration_zero("for: 10s", "for: 0s", "29:20 `0s` is no time at all")]
#[case::own_limit_form(
    "- ray: {nodes: 1}",
    "- ray: {nodes: 1, within: soon}",
    "17:31 `within` can't be `soon`"
)]
#[case::own_limit_too_long(
    "- ray: {nodes: 1}",
    "- ray: {nodes: 1, within: 2m}",
    "17:31 all checks together have 90s, which is less (shorten it"
)]
#[case::own_limit_of_never(
    "for: 10s",
    "within: 20s, for: 10s",
    "29:15 unknown key `within` in `never`"
)]
#[case::manifest_absent(
    "raycluster.yaml",
    "rayclustr.yaml",
    "12:7 the manifest `rayclustr.yaml` does not exist"
)]
#[case::manifest_outside(
    "raycluster.yaml",
    "../demo/raycluster.yaml",
    "12:7 the manifest `../demo/raycluster.yaml` does not lie"
)]
#[case::manifest_absolute(
    "raycluster.yaml",
    "/etc/passwd",
    "12:7 the manifest `/etc/passwd` does not lie"
)]
#[case::manifest_type(
    "- raycluster.yaml",
    "- 5",
    "12:7 entry 1 of `manifests` must be a text or a mapping, found the number 5"
)]
#[case::manifest_key(
    "sample:",
    "smple:",
    "13:7 unknown key `smple` in entry 2 of `manifests` (did you mean `sample`?"
)]
#[case::sample_path(
    "sample: ray",
    "sample: ../ray",
    "13:15 a sample is named without its folder"
)]
#[case::two_keys(
    "- ray: {nodes: 1}",
    "- ray: {nodes: 1}\n      event: {reason: A}",
    "17:7 entry 2 of `checks` has exactly one of the keys"
)]
#[case::no_key(
    "- ray: {nodes: 1}",
    "- {}",
    "17:7 entry 2 of `checks` has exactly one of the keys"
)]
#[case::two_in_line(
    "- not: Traceback",
    "- not: Traceback\n            must: A",
    "26:13 entry 4 of `lines` has exactly one of the keys"
)]
#[case::none_in_line(
    "- not: Traceback",
    "- {repeat: true}",
    "26:13 entry 4 of `lines` has exactly one of the keys"
)]
#[case::line_without_text("- not: Traceback", "- not:", "26:16 `not` has no value")]
#[case::repeat(
    "- not: Traceback",
    "- not: Traceback\n            repeat: true",
    "27:21 `repeat` belongs to `must` or `may`"
)]
#[case::expression(
    "/a <pod-ip>:[0-9]+/",
    "/a (b/",
    "24:19 `/a (b/` is not a regular expression: unclosed group"
)]
#[case::empty_line("not: Traceback", "not: ''", "26:18 an empty text is in every line")]
#[case::not_without_after("        after: [rayReady]\n", "", "25:13 `not` needs a milestone")]
#[case::not_with_empty_after("after: [rayReady]", "after: []", "26:13 `not` needs a milestone")]
#[case::milestone(
    "after: [rayReady]",
    "after: [rayReddy]",
    "20:17 entry 1 of `after` can't be `rayReddy` (did you mean `rayReady`?"
)]
#[case::milestone_never_reached(
    "    - job: {entrypoint: python, status: SUCCEEDED}\n",
    "",
    "28:32 the milestone `job` is never reached"
)]
#[case::resource("memory: 2Gi", "memory: lots", "25:41 `memory` can't be `lots`")]
#[case::resource_type(
    "memory: 2Gi",
    "memory: [2]",
    "25:41 `memory` must be a number or a text, found a list"
)]
#[case::job_status(
    "status: SUCCEEDED",
    "status: SUCCEDED",
    "27:41 `status` can't be `SUCCEDED` (did you mean `SUCCEEDED`?"
)]
#[case::no_state(
    "role: head, running: true",
    "role: head",
    "28:14 a `state` check names no state"
)]
#[case::never_after_an_end(
    "after: job, restarts",
    "after: ended, restarts",
    "29:32 only a `logs` check may refer to `ended`"
)]
#[case::no_restart(
    "state: {role: head, running: true}",
    "state: {role: head, restarts: 0}",
    "28:37 `restarts` must be at least 1, found 0"
)]
#[case::steps_in_kind(
    "  timeout: 90s",
    "  steps: {markReady: true}",
    "17:7 `ray` needs a kubelet, and `markReady` needs a target without one"
)]
#[case::settings_in_kind(
    "  timeout: 90s",
    "  operatorSettings: {env: {A: b}}",
    "14:21 `operatorSettings` is for envtest, and `ray` needs a kubelet"
)]
#[case::setting_type(
    "  timeout: 90s",
    "  operatorSettings: {env: {A: true}}",
    "14:31 `A` must be a text, found `true` (put it"
)]
#[case::field_of_the_pod(
    "snapshot: [command, args]",
    "container: x, snapshot: [args, initContainers]",
    "16:56 `initContainers` is of the Pod, not of a container"
)]
#[case::submitter_restarts(
    "restarts: {role: head",
    "restarts: {role: submitter",
    "29:54 `never` does not support the submitter"
)]
#[case::cleanup_ready(
    "restarts: {role: head",
    "ready: {role: redis-cleanup",
    "29:51 `never` does not support the redis-cleanup"
)]
#[case::never_of_both(
    "restarts: {role: head}",
    "restarts: {role: head}, ready: {role: head}",
    "29:14 `never` has exactly one of the keys `restarts`, `ready`, found more than one"
)]
#[case::never_of_neither(
    ", restarts: {role: head}",
    "",
    "29:14 `never` has exactly one of the keys `restarts`, `ready`, found none of them"
)]
#[case::made_by_no_steps(
    "pod: {role: head,",
    "pod: {role: head, created: after,",
    "16:34 there is no step before or after which"
)]
#[case::made_when(
    "pod: {role: head,",
    "pod: {role: head, created: then,",
    "16:34 `created` can't be `then` (it is one of `before`, `after`)"
)]
#[case::upgrade_from_a_range(
    "  timeout: 90s",
    "  upgradeFrom: \">=1.3\"",
    "14:16 `upgradeFrom` can't be `>=1.3` (a release is three numbers, such as `1.3.2`)"
)]
#[case::steps_of_an_absent_file(
    "  timeout: 90s",
    "  steps: {apply: changed.yaml}",
    "14:18 the manifest `changed.yaml` does not exist"
)]
#[case::steps_deletes(
    "  timeout: 90s",
    "  steps: {markReady: true, delete: [service]}",
    "14:37 entry 1 of `delete` can't be `service` (it is one of `head`, `worker`, `rayCluster`)"
)]
#[case::orders(
    "- ray: {nodes: 1}",
    "- flagOrder: {role: worker, pods: 20, orders: two}",
    "17:51 `orders` can't be `two` (it is one of `one`, `several`)"
)]
#[case::orders_of_one(
    "- ray: {nodes: 1}",
    "- flagOrder: {role: worker, pods: 1, orders: one}",
    "17:39 `pods` must be at least 2, found 1"
)]
#[case::reached_before_itself(
    "- ray: {nodes: 1}",
    "- reached: {first: ready, then: ready}",
    "17:37 nothing is reached before itself"
)]
#[case::reached_the_end(
    "- ray: {nodes: 1}",
    "- reached: {first: ended, then: ready}",
    "17:24 only the log of a container has the milestone `ended`"
)]
#[case::reached_apart(
    "- ray: {nodes: 1}",
    "- reached: {first: ready, then: rayReady, apart: soon}",
    "17:54 "
)]
#[case::absent_waits_for_itself(
    "- ray: {nodes: 1}",
    "- absent: {role: worker, for: 5s, after: {role: worker, group: a}}",
    "17:46 this check never passes: it waits for an object that must not exist"
)]
#[case::absent_submitter(
    "- ray: {nodes: 1}",
    "- absent: {role: worker, for: 5s, after: {role: submitter}}",
    "17:53 `absent` does not support the submitter"
)]
#[case::absent_for_no_time(
    "- ray: {nodes: 1}",
    "- absent: {role: worker, for: 0s, after: {role: head}}",
    "17:35 `0s` is no time at all"
)]
#[case::values_of_one(
    "- ray: {nodes: 1}",
    "- flagValues: {role: worker, pods: 1, flag: a, values: [b]}",
    "17:40 `pods`"
)]
#[case::twice(
    "kind: Scenario",
    "kind: Scenario\nkind: Scenario",
    "3:1 the key `kind` appears twice"
)]
#[case::two_documents(
    "metadata:",
    "---\nmetadata:",
    "4:1 a scenario file contains one document"
)]
fn what_is_wrong_is_named_with_its_place(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    assert!(GOOD.contains(from), "nothing to replace");
    let text = GOOD.replacen(from, to, 1);
    let (_root, folder) = folder(&[("scenario.yaml", &text), ("raycluster.yaml", CLUSTER)]);
    let found = lines(load(&folder).unwrap_err().diagnostics());
    let expected = format!("scenario.yaml:{expected}");
    assert!(
        found.iter().any(|line| line.starts_with(&expected)),
        "{found:#?}"
    );
}

const ENVTEST: &str = r#"apiVersion: kuberay-conformance/v1beta1
kind: Scenario
metadata: {name: demo}
spec:
  description: A demonstration.
  manifests: [raycluster.yaml]
  steps: {markReady: true}
  operatorSettings: {env: {ENABLE_LOGIN_SHELL: "true"}}
  checks:
    - pod: {role: head, container: autoscaler, snapshot: [command, args, env, lifecycle, probes, resources]}
    - pod: {role: submitter, snapshot: [args]}
    - flagOrder: {role: worker, group: many, pods: 20, orders: several}
    - flagValues: {role: worker, group: many, pods: 20, flag: num-gpus, values: ["1", "2"]}
    - absent: {role: worker, group: many, for: 5s, after: {role: worker, group: few}}
    - rejected: {by: api, message: "no"}
"#;

#[test]
fn envtest_has_keys_of_its_own() {
    let (_root, folder) = folder(&[("scenario.yaml", ENVTEST), ("raycluster.yaml", CLUSTER)]);
    let scenario = load(&folder).unwrap();
    let spec = &scenario.file.spec;
    assert_eq!(spec.steps.sentences().len(), 1);
    assert_eq!(spec.operator_settings.env["ENABLE_LOGIN_SHELL"], "true");
    assert!(!spec.operator_settings.is_default());
    assert_eq!(
        scenario.layers().into_iter().collect::<Vec<_>>(),
        [Layer::Spec]
    );
    let acting = ENVTEST.replace(
        "{markReady: true}",
        "{markReady: true, apply: raycluster.yaml, delete: [head, rayCluster]}",
    );
    std::fs::write(folder.join("scenario.yaml"), acting).unwrap();
    let scenario = load(&folder).unwrap();
    assert_eq!(
        scenario.file.spec.steps.sentences()[1],
        "once the RayCluster was ready, the harness applied raycluster.yaml and deleted the head Pod and deleted the \
         RayCluster"
    );
    assert_eq!(
        later_objects(&scenario).unwrap()[0]["metadata"]["name"],
        "demo"
    );
    let wrong = [
        (
            "{markReady: true}",
            "{delete: [head]}",
            "this is done once the RayCluster is ready, which it never is here",
        ),
        (
            "{markReady: true}",
            "{}\n  upgradeFrom: 1.3.2",
            "`operatorSettings` is for envtest, and `upgradeFrom` needs a kubelet",
        ),
    ];
    for (from, to, expected) in wrong {
        std::fs::write(folder.join("scenario.yaml"), ENVTEST.replace(from, to)).unwrap();
        let error = load(&folder).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let without = ENVTEST
        .replace("{markReady: true}", "{}")
        .replace("{env: {ENABLE_LOGIN_SHELL: \"true\"}}", "{}");
    std::fs::write(folder.join("scenario.yaml"), without).unwrap();
    let spec = load(&folder).unwrap().file.spec;
    assert!(spec.steps.sentences().is_empty());
    assert!(spec.operator_settings.is_default());
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_in_order() {
    let text = GOOD
        .replace("name: demo", "name: other")
        .replace("[C02]", "[C99]")
        .replace("issues", "issue")
        .replace("\">=2.6.0\"", "newest")
        .replace("/a <pod-ip>:[0-9]+/", "/(/")
        .replace("SUCCEEDED", "DONE");
    let (_root, folder) = folder(&[("scenario.yaml", &text), ("raycluster.yaml", CLUSTER)]);
    let errors = load(&folder).unwrap_err();
    let places: Vec<usize> = errors
        .diagnostics()
        .iter()
        .map(|problem| problem.location.line)
        .collect();
    assert_eq!(places, [4, 7, 8, 10, 24, 27], "{errors}");
}

#[test]
fn a_terminal_shows_the_line_that_is_wrong() {
    let text = GOOD.replace("snapshot:", "snapshots:");
    let (_root, folder) = folder(&[("scenario.yaml", &text), ("raycluster.yaml", CLUSTER)]);
    let error = load(&folder).unwrap_err();
    let mut shown = String::new();
    miette::NarratableReportHandler::new()
        .render_report(&mut shown, &error.diagnostics()[0])
        .unwrap();
    assert!(
        shown.contains("- pod: {role: head, snapshots: [command, args]}"),
        "{shown}"
    );
    assert!(shown.contains("did you mean `snapshot`?"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_manifest_that_is_a_link_to_elsewhere_is_refused() {
    let (root, folder) = folder(&[("scenario.yaml", GOOD)]);
    std::fs::write(root.path().join("outside.yaml"), CLUSTER).unwrap();
    std::os::unix::fs::symlink("../outside.yaml", folder.join("raycluster.yaml")).unwrap();
    let error = load(&folder).unwrap_err().to_string();
    assert!(
        error.contains("is a link that leaves the scenario's folder"),
        "{error}"
    );
}

#[test]
fn all_scenarios_are_sorted_by_name_and_all_that_is_wrong_in_them_is_said() {
    let root = tempfile::tempdir().unwrap();
    let error = load_all(root.path()).unwrap_err().to_string();
    assert!(error.contains("contains no scenario"), "{error}");
    for name in ["b", "a"] {
        std::fs::create_dir(root.path().join(name)).unwrap();
        std::fs::write(root.path().join(name).join("raycluster.yaml"), CLUSTER).unwrap();
        let text = GOOD.replace("name: demo", &format!("name: {name}"));
        std::fs::write(root.path().join(name).join("scenario.yaml"), text).unwrap();
    }
    let names: Vec<String> = load_all(root.path())
        .unwrap()
        .iter()
        .map(|one| one.name().into())
        .collect();
    assert_eq!(names, ["a", "b"]);
    for name in ["b", "a"] {
        std::fs::write(root.path().join(name).join("scenario.yaml"), "spec: 1\n").unwrap();
    }
    let errors = load_all(root.path()).unwrap_err();
    assert_eq!(errors.diagnostics().len(), 8, "{errors}");
}

#[test]
fn manifests_come_in_order_and_a_sample_needs_its_release() {
    let (root, folder) = folder(&[("scenario.yaml", GOOD), ("raycluster.yaml", CLUSTER)]);
    let scenario = load(&folder).unwrap();
    let error = manifests(&scenario, None).unwrap_err().to_string();
    assert!(
        error.contains("is read only with a release of the operator"),
        "{error}"
    );
    let error = manifests(&scenario, Some(root.path()))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("does this release of the operator carry that sample?"),
        "{error}"
    );
    let sample = CLUSTER.replace("demo", "sample");
    std::fs::write(root.path().join("ray-cluster.head-command.yaml"), sample).unwrap();
    let objects = manifests(&scenario, Some(root.path())).unwrap();
    let names: Vec<&str> = objects
        .iter()
        .filter_map(|object| object["metadata"]["name"].as_str())
        .collect();
    assert_eq!(names, ["demo", "sample"]);
}

/// An independent reader of JSON schemas must agree, because editors use one.
#[rstest]
#[case("", "", true)]
#[case("issues:", "issue:", false)]
#[case("nodes: 1", "nodes: one", false)]
#[case("- not: Traceback", "- {not: A, must: B}", false)]
#[case("- ray: {nodes: 1}", "- {ray: {nodes: 1}, event: {reason: A}}", false)]
#[case("status: SUCCEEDED", "status: DONE", false)]
#[case("[C02]", "[C99]", false)]
fn editors_come_to_the_same_conclusion(#[case] from: &str, #[case] to: &str, #[case] good: bool) {
    let text = GOOD.replacen(from, to, 1);
    let source = Source::new(Path::new("scenario.yaml"), &text);
    let tree = yaml::parse(&source).unwrap().remove(0);
    let schema = json_schema();
    assert_eq!(shape::check(&schema, &source, &tree).is_empty(), good);
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert_eq!(validator.is_valid(&tree.to_json()), good);
}

#[test]
fn the_repositorys_own_scenarios_are_right() {
    let scenarios = load_all(&own_scenarios()).unwrap();
    for scenario in &scenarios {
        let text = std::fs::read_to_string(&scenario.path).unwrap();
        let first = "# yaml-language-server: $schema=../../docs/schema/scenario.schema.json\n";
        assert!(
            text.starts_with(first),
            "{} does not name its schema",
            scenario.path.display()
        );
    }
}

#[rstest]
#[case("a: \"x\n")]
#[case("a: [1")]
#[case("a:\n  - b\n c")]
#[case("é: {")]
fn a_snippet_can_be_shown_wherever_the_text_breaks_off(#[case] text: &str) {
    let (_root, folder) = folder(&[("scenario.yaml", text)]);
    for problem in load(&folder).unwrap_err().diagnostics() {
        let mut shown = String::new();
        let handler =
            miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
        handler.render_report(&mut shown, problem).unwrap();
        assert!(shown.contains("scenario.yaml:"), "{shown}");
    }
}
