use rstest::rstest;

use super::{CLUSTER, GOOD, folder, lines, own_scenarios};
use crate::{Severity, lint};

const SNAPSHOT: &str = "---\nsource: scenarios/demo/scenario.yaml\n---\n- \"a\"\n";

#[test]
fn a_folder_with_everything_has_no_problem() {
    let files = [
        ("scenario.yaml", GOOD),
        ("raycluster.yaml", CLUSTER),
        ("head.command@ge-1.4.0.snap", SNAPSHOT),
        ("head.args@ge-1.4.0.snap", SNAPSHOT),
        ("head.args@ge-1.7.0.snap", SNAPSHOT),
    ];
    let (root, _folder) = folder(&files);
    assert_eq!(lines(&lint(root.path())), [""; 0]);
}

#[test]
fn snapshots_that_lack_a_check_and_checks_that_lack_a_snapshot_are_found() {
    let files = [
        ("scenario.yaml", GOOD),
        ("raycluster.yaml", CLUSTER),
        ("head.command@ge-1.4.0.snap", SNAPSHOT),
        ("head.env@ge-1.4.0.snap", SNAPSHOT),
        ("args.snap", ""),
    ];
    let (root, _folder) = folder(&files);
    assert_eq!(
        lines(&lint(root.path())),
        [
            "args.snap:1:1 the name is not that of a snapshot (a snapshot is named like `head.args@ge-1.4.0.snap`)",
            "head.env@ge-1.4.0.snap:1:1 no check refers to this snapshot (remove it, or add its field to a `pod` check)",
            "scenario.yaml:16:7 there is no snapshot `head.args@ge-X.Y.Z.snap` \
             (`kuberay-conformance run demo`, then `kuberay-conformance snapshot review`)",
        ]
    );
}

#[test]
fn snapshots_of_a_group_carry_its_name() {
    let text = GOOD.replace(
        "role: head, snapshot: [command, args]",
        "role: worker, group: small, snapshot: [initContainers]",
    );
    let name = "worker.small.init-containers@ge-1.4.0.snap";
    let (root, _folder) = folder(&[
        ("scenario.yaml", &text),
        ("raycluster.yaml", CLUSTER),
        (name, SNAPSHOT),
    ]);
    assert_eq!(lines(&lint(root.path())), [""; 0]);
}

#[test]
fn manifests_are_read_and_those_not_listed_are_named() {
    let files = [
        ("scenario.yaml", &*GOOD.replace("SUCCEEDED", "DONE")),
        (
            "raycluster.yaml",
            "kind: RayCluster\nmetadata: {name: a}\n---\na: [\n",
        ),
        ("other.yaml", CLUSTER),
    ];
    let (root, folder) = folder(&files);
    let found = lint(root.path());
    let shown = lines(&found);
    assert!(
        shown[0].starts_with("other.yaml:1:1 no entry of `manifests` names this file"),
        "{shown:#?}"
    );
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(
        shown[1].starts_with("raycluster.yaml:4:4 not valid YAML"),
        "{shown:#?}"
    );
    assert!(
        shown[2].starts_with("scenario.yaml:27:41 `status` can't be `DONE`"),
        "{shown:#?}"
    );
    assert_eq!(shown.len(), 3);

    std::fs::write(
        folder.join("raycluster.yaml"),
        "kind: RayCluster\nmetadata: {}\n",
    )
    .unwrap();
    let shown = lines(&lint(root.path()));
    assert_eq!(
        shown[1],
        "raycluster.yaml:1:1 the object lacks `apiVersion`"
    );
    assert_eq!(
        shown[2],
        "raycluster.yaml:1:1 the object lacks `metadata.name`"
    );
}

#[test]
fn a_name_given_twice_and_a_folder_without_a_scenario_are_named() {
    let (root, _folder) = folder(&[("scenario.yaml", GOOD), ("raycluster.yaml", CLUSTER)]);
    let second = root.path().join("second");
    std::fs::create_dir(&second).unwrap();
    std::fs::write(second.join("scenario.yaml"), GOOD).unwrap();
    std::fs::create_dir(root.path().join("third")).unwrap();
    let found = lint(root.path());
    let shown = lines(&found).join("\n");
    assert!(
        shown.contains("scenario.yaml:4:9 the name `demo` is already that of "),
        "{shown}"
    );
    assert!(
        shown.contains("third:1:1 this folder contains no scenario.yaml"),
        "{shown}"
    );
}

#[test]
fn a_root_without_scenarios_is_a_problem() {
    let root = tempfile::tempdir().unwrap();
    let shown = lines(&lint(root.path()));
    assert!(shown[0].contains("contains no scenario"), "{shown:#?}");
    let shown = lines(&lint(&root.path().join("absent")));
    assert!(shown[0].contains("can't be read"), "{shown:#?}");
}

#[test]
fn the_repositorys_own_scenarios_lack_nothing_but_what_a_run_makes() {
    let mut found = lines(&lint(&own_scenarios()));
    found.retain(|line| !line.contains("there is no snapshot"));
    assert_eq!(found, [""; 0]);
}

#[rstest]
#[case::garbage("garbage", "it has no header")]
#[case::empty("", "it has no header")]
#[case::conflict(
    "---\nsource: a\n---\n<<<<<<< HEAD\n- \"a\"\n=======\n- \"b\"\n>>>>>>> other\n",
    "line 1 of its body"
)]
#[case::conflict_in_the_header(
    "---\nsource: a\n<<<<<<< HEAD\ninfo: {}\n=======\n>>>>>>> other\n---\nabsent\n",
    "its header"
)]
#[case::no_body("---\nsource: a\n---\n", "line 1 of its body")]
fn a_snapshot_that_no_run_can_be_equal_to_is_an_error(#[case] text: &str, #[case] expected: &str) {
    let files = [
        ("scenario.yaml", GOOD),
        ("raycluster.yaml", CLUSTER),
        ("head.command@ge-1.4.0.snap", SNAPSHOT),
        ("head.args@ge-1.4.0.snap", text),
    ];
    let (root, _folder) = folder(&files);
    let found = lint(root.path());
    let [problem] = &found[..] else {
        panic!("{found:#?}")
    };
    assert_eq!(problem.severity, Severity::Error);
    assert!(problem.message.contains(expected), "{problem}");
}

#[test]
fn a_snapshot_of_a_class_that_does_not_exist_is_an_error() {
    let files = [
        ("scenario.yaml", GOOD),
        ("raycluster.yaml", CLUSTER),
        ("head.command@ge-1.4.0.snap", SNAPSHOT),
        ("head.args@ge-9.9.0.snap", SNAPSHOT),
    ];
    let (root, _folder) = folder(&files);
    let found = lines(&lint(root.path()));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].starts_with("head.args@ge-9.9.0.snap:1:1 the name is not that of a snapshot"),
        "{found:#?}"
    );
    assert!(
        found[1].contains("there is no snapshot `head.args@ge-X.Y.Z.snap`"),
        "{found:#?}"
    );
}

#[test]
fn a_root_of_folders_without_a_scenario_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("one")).unwrap();
    let found = lint(root.path());
    let error = found
        .iter()
        .find(|problem| problem.severity == Severity::Error);
    assert!(
        error.is_some_and(|problem| problem.message.contains("contains no scenario")),
        "{found:#?}"
    );
}

#[test]
fn a_scenario_under_another_file_name_is_an_error() {
    let (root, folder) = folder(&[("scenario.yml", GOOD), ("raycluster.yaml", CLUSTER)]);
    let good = root.path().join("good");
    std::fs::create_dir(&good).unwrap();
    std::fs::write(
        good.join("scenario.yaml"),
        GOOD.replace("name: demo", "name: good"),
    )
    .unwrap();
    std::fs::write(good.join("raycluster.yaml"), CLUSTER).unwrap();
    let found = lint(root.path());
    let of_folder = found
        .iter()
        .find(|problem| problem.path == folder)
        .expect("a problem");
    assert_eq!(of_folder.severity, Severity::Error);
    assert_eq!(
        of_folder.message.as_str(),
        "this folder contains no scenario.yaml"
    );
}

#[rstest]
#[case("operator: \">=1.0.0\"", "operator: \">=9.1\"", "KubeRay")]
#[case("ray: \">=2.6.0\"", "ray: \"<0.5\"", "Ray")]
fn a_range_without_a_pinned_release_is_an_error(
    #[case] old: &str,
    #[case] new: &str,
    #[case] name: &str,
) {
    assert!(GOOD.contains(old), "{GOOD}");
    let text = GOOD.replace(old, new);
    let (root, _folder) = folder(&[
        ("scenario.yaml", &*text),
        ("raycluster.yaml", CLUSTER),
        ("head.command@ge-1.4.0.snap", SNAPSHOT),
        ("head.args@ge-1.4.0.snap", SNAPSHOT),
    ]);
    let found = lint(root.path());
    let lines = lines(&found);
    let message = format!("no pinned release of {name} is in the range, so no run includes it");
    assert!(lines.len() == 1, "{lines:?}");
    assert!(lines[0].contains(&message), "{lines:?}");
    assert_eq!(found[0].severity, Severity::Error);
}

#[rstest]
#[case::manifests("    - raycluster.yaml\n", "    - raycluster.yaml\n    - role.yaml\n")]
#[case::apply("  timeout: 90s\n", "  timeout: 90s\n  steps: {apply: role.yaml}\n")]
#[case::apply_between(
    "  timeout: 90s\n",
    "  timeout: 90s\n  steps: {applyBetween: role.yaml}\n"
)]
fn an_object_without_a_namespace_is_an_error_wherever_it_is_applied(
    #[case] old: &str,
    #[case] new: &str,
) {
    let role = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: rbac.authorization.k8s.io/v1\n  \
                kind: ClusterRole\n  metadata: {name: cluster-admin}\n";
    assert!(GOOD.contains(old), "{GOOD}");
    let (root, _folder) = folder(&[
        ("scenario.yaml", &*GOOD.replace(old, new)),
        ("raycluster.yaml", CLUSTER),
        ("role.yaml", role),
        ("head.command@ge-1.4.0.snap", SNAPSHOT),
        ("head.args@ge-1.4.0.snap", SNAPSHOT),
    ]);
    let found = lines(&lint(root.path()));
    let expected =
        "role.yaml:5:9 a ClusterRole belongs to no namespace, so that it would outlive the run";
    assert!(
        found.iter().any(|line| line.starts_with(expected)),
        "{found:#?}"
    );
}

/// To compare it with each known word would take minutes, and gigabytes.
#[test]
fn a_word_beyond_all_measure_is_reported_at_once() {
    let word = "extended".repeat(500_000);
    let text = GOOD.replace("  issues: []", &format!("  level: {word}"));
    let (root, _folder) = folder(&[("scenario.yaml", &text), ("raycluster.yaml", CLUSTER)]);
    let began = std::time::Instant::now();
    let found = lines(&lint(root.path())).join("\n");
    let took = began.elapsed().as_secs_f64();
    assert!(took < 5.0, "{took:.1} s");
    assert!(found.contains("can't be"), "it is reported");
}
