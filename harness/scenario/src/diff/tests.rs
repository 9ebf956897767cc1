mod groups;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use kuberay_contract::Stage;
use rstest::rstest;
use semver::Version;
use serde_json::{Value, json};

use super::args::{Args, Start};
use super::*;
use crate::check::{Observation, Rejection};

const BASE: &str =
    " echo 1  && ulimit -n 65536; ray start --head  --block  --memory=1  --num-cpus=1 ";

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn container(args: &str) -> Value {
    let start = &args[args.find("ray start").unwrap()..];
    json!({"name": "ray-head", "image": "ray", "command": ["/bin/bash", "-c", "--"], "args": [args],
        "env": [{"name": "A", "value": "1"}, {"name": "KUBERAY_GEN_RAY_START_CMD", "value": start}]})
}

fn pod(name: &str, role: &str, containers: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name, "uid": name, "labels": {
            "ray.io/node-type": role, "ray.io/group": role, "ray.io/cluster": "demo"}},
        "spec": {"containers": containers},
    }))
    .unwrap()
}

fn observation(pods: Vec<Pod>) -> Observation {
    Observation {
        now: "2026-11-28T12:00:00Z".parse().unwrap(),
        seen: BTreeMap::default(),
        failing: BTreeMap::default(),
        pods,
        jobs: Vec::new(),
        before_steps: None,
        events: Vec::new(),
        ray_clusters: Vec::new(),
        ray_jobs: Vec::new(),
        logs: BTreeMap::default(),
        dashboard: None,
        rejections: Vec::new(),
        milestones: BTreeMap::default(),
        largest_node: None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "tests write literals")]
fn observed(containers: Value) -> Observed {
    let pods = vec![pod("p", "head", &containers)];
    observe(&observation(pods), &[], &version("1.6.2"))
}

fn subjects(base: &Observed, head: &Observed) -> Vec<ChangeSubject> {
    let changes = changes(base, head, false);
    changes.into_iter().map(|change| change.subject).collect()
}

fn edit(args: &str) -> Vec<ChangeSubject> {
    subjects(
        &observed(json!([container(BASE)])),
        &observed(json!([container(args)])),
    )
}

#[test]
fn a_generated_argument_has_parts() {
    let args =
        Args::of(" a  && ulimit -n ${X:-1}; ray start --head  --b  --a=1  && sleep infinity");
    let args = args.unwrap();
    assert_eq!(args.user(), Some(" a "));
    assert_eq!(args.ulimit, "ulimit -n ${X:-1}");
    assert_eq!(args.start.program, "ray start --head ");
    assert_eq!(args.start.flags, [" --b ", " --a=1 "]);
    assert_eq!(args.start.end, " && sleep infinity");
    let start = Start::of("ray start  --address=a:1 ").unwrap();
    assert_eq!(start.program, "ray start ");
    assert_eq!(start.flags, vec![" --address=a:1 "]);
    assert_eq!(Start::of("ray stop"), None);
}

#[rstest]
#[case::equal(BASE, &[])]
#[case::ulimit(&BASE.replace("65536", "65535"), &[ChangeSubject::Ulimit])]
#[case::joint(&BASE.replace(" && ", " ; "), &[ChangeSubject::Joint])]
#[case::user_text(&BASE.replace(" echo 1 ", " echo 1"), &[ChangeSubject::UserText])]
#[case::flag_value(&BASE.replace("--memory=1", "--memory=2"), &[ChangeSubject::Flag("--memory".into())])]
#[case::flag_gone(&BASE.replace(" --block ", ""), &[ChangeSubject::Flag("--block".into())])]
#[case::flag_new(&BASE.replace(" --block ", " --block  --new "), &[ChangeSubject::Flag("--new".into())])]
#[case::spacing(&BASE.replace("--block  --memory", "--block --memory"), &[ChangeSubject::FlagSpacing])]
#[case::order(
    &BASE.replace(" --block  --memory=1 ", " --memory=1  --block "),
    &[ChangeSubject::FlagOrder]
)]
fn one_edit_is_one_subject(#[case] args: &str, #[case] expected: &[ChangeSubject]) {
    assert_eq!(edit(args), expected);
}

#[test]
fn the_users_text_behind_the_command_is_one_subject() {
    let side = |args: &str| {
        let mut container = container(args);
        container["env"] = json!([]);
        observed(json!([container]))
    };
    let (user, generated) = BASE.split_once(" && ").unwrap();
    let behind = format!("{generated} && {user}");
    let found = [
        subjects(&side(BASE), &side(&behind)),
        subjects(&side(&behind), &side(BASE)),
    ];
    assert_eq!(
        found,
        [vec![ChangeSubject::Position], vec![ChangeSubject::Position]]
    );
}

#[test]
fn one_cause_in_args_and_variable_counts_once() {
    let changes = changes(
        &observed(json!([container(BASE)])),
        &observed(json!([container(
            &BASE.replace("--num-cpus=1", "--num-cpus=2")
        )])),
        false,
    );
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].before.as_deref(), Some("--num-cpus=1"));
    assert_eq!(changes[0].after.as_deref(), Some("--num-cpus=2"));
}

#[test]
fn the_users_variable_of_the_same_name_hides_no_flag() {
    let side = |args: &str| {
        let mut container = container(args);
        let own = json!({"name": "KUBERAY_GEN_RAY_START_CMD", "value": "mine"});
        container["env"].as_array_mut().unwrap().insert(0, own);
        observed(json!([container]))
    };
    let found = subjects(
        &side(BASE),
        &side(&BASE.replace("--num-cpus=1", "--num-cpus=2")),
    );
    assert_eq!(found, [ChangeSubject::Flag("--num-cpus".into())]);
}

#[rstest]
#[case::options(&["/bin/bash", "-lc", "--"], ChangeSubject::ShellOptions)]
#[case::program(&["/bin/sh", "-c", "--"], ChangeSubject::Command(ContainerOf::Ray))]
fn shells(#[case] command: &[&str], #[case] expected: ChangeSubject) {
    let mut other = container(BASE);
    other["command"] = json!(command);
    assert_eq!(
        subjects(
            &observed(json!([container(BASE)])),
            &observed(json!([other]))
        ),
        [expected]
    );
}

#[test]
fn a_command_that_is_kept_is_no_other_difference() {
    let kept = json!([{"name": "ray-head", "image": "ray", "command": ["ray start"],
        "env": container(BASE)["env"]}]);
    let base = observed(json!([container(BASE)]));
    assert_eq!(
        subjects(&base, &observed(kept.clone())),
        [ChangeSubject::Overwrite { annotated: false }]
    );
    let annotated = changes(&base, &observed(kept), true);
    assert_eq!(
        annotated[0].subject,
        ChangeSubject::Overwrite { annotated: true }
    );
}

#[test]
fn containers_probes_and_variables_are_compared() {
    let mut other = container(BASE);
    other["readinessProbe"] = json!({"exec": {"command": ["true"]}});
    other["env"][0]["value"] = json!("2");
    let side = json!({"name": "autoscaler", "image": "ray"});
    let found = subjects(
        &observed(json!([container(BASE)])),
        &observed(json!([other, side])),
    );
    assert_eq!(
        found,
        [
            ChangeSubject::Env(ContainerOf::Ray, "A".into()),
            ChangeSubject::Probes(ContainerOf::Ray),
            ChangeSubject::Container(ContainerOf::Autoscaler, "autoscaler".into()),
        ]
    );
}

#[test]
fn what_is_drawn_at_random_is_replaced_by_its_origin() {
    let side = |random: &str, uid: &str, job: &str| {
        let args = format!("ulimit -n 65536; ray start  --address=demo-{random}-head-svc:6379 ");
        let mut container = container(&args);
        container["env"][0]["value"] = json!(format!("{uid} {job}"));
        let mut observation = observation(vec![pod("p", "worker", &json!([container]))]);
        observation.ray_clusters = vec![json!({"metadata": {"name": format!("demo-{random}"),
            "uid": uid, "ownerReferences": [{"kind": "RayJob"}]}})];
        let parent = json!({"kind": "RayJob", "metadata": {"uid": "u"}, "status": {"jobId": job}});
        observe(&observation, &[parent], &version("1.6.2"))
    };
    let (base, head) = (
        side("bcdfg", "1-2-3", "demo-aaaaa"),
        side("hjklm", "4-5-6", "demo-bbbbb"),
    );
    assert_eq!(base, head);
    // A name that the user chose stays.
    let own = |name: &str| {
        let args = format!("ulimit -n 65536; ray start  --address={name}-head-svc:6379 ");
        observed(json!([container(&args)]))
    };
    assert_ne!(own("demo-bcdfg"), own("demo-hjklm"));
}

#[test]
fn flags_without_order_are_sorted_before_1_3_alone() {
    let swapped = BASE.replace(" --block  --memory=1 ", " --memory=1  --block ");
    let side = |args: &str, release: &str| {
        let pods = vec![pod("p", "head", &json!([container(args)]))];
        observe(&observation(pods), &[], &version(release))
    };
    assert_eq!(side(BASE, "1.2.2"), side(&swapped, "1.2.2"));
    assert_ne!(side(BASE, "1.3.0"), side(&swapped, "1.3.0"));
}

#[test]
fn a_refusal_explains_that_there_are_no_pods() {
    let base = observed(json!([container(BASE)]));
    let refused = |name: &str| {
        let mut observation = observation(Vec::new());
        let message = format!("Invalid: unknown field \"spec.{name}\"");
        observation.rejections.push(Rejection {
            object: "RayCluster demo".into(),
            message,
        });
        observe(&observation, &[], &version("1.6.2"))
    };
    let found = subjects(&base, &refused("a"));
    assert!(
        matches!(
            found.as_slice(),
            [ChangeSubject::Refusal(Stage::ApiServer, _)]
        ),
        "{found:?}"
    );
    let missing = subjects(&base, &Observed::default());
    assert_eq!(missing, [ChangeSubject::Pod("head".into())]);
    assert_eq!(subjects(&refused("a"), &refused("a")), []);
}

#[rstest]
#[case(ChangeSubject::Ulimit, "C11", &["ulimit-from-env", "ulimit-fixed"])]
#[case(ChangeSubject::Flag("--include-log-monitor".into()), "C12", &["log-monitor-kept", "log-monitor-as-switch"])]
#[case(
    ChangeSubject::Env(ContainerOf::Autoscaler, "KUBERAY_GEN_AUTOSCALER_START_CMD".into()),
    "C18",
    &["autoscaler-gen-cmd"]
)]
#[case(ChangeSubject::UserText, "C02", &[])]
fn a_difference_has_its_rule_and_features(
    #[case] subject: ChangeSubject,
    #[case] rule: &str,
    #[case] expected: &[&str],
) {
    let found = attribute(&subject, &version("1.6.2"), &version("1.7.0"));
    let names: Vec<&str> = found.features.iter().map(|entry| entry.name).collect();
    assert_eq!(found.rule, Some(rule));
    assert_eq!(names.as_slice(), expected);
    let same = attribute(&subject, &version("1.6.2"), &version("1.6.2"));
    assert_eq!(same.features, Vec::<&kuberay_contract::FeatureEntry>::new());
}

#[test]
fn long_texts_are_cut_to_what_differs() {
    let long = |middle: &str| format!("{}{middle}{}", "a".repeat(200), "b".repeat(200));
    let edit = OperatorDifference::of(Some(&long("x")), Some(&long("yy")), 1);
    let around = |middle: &str| format!("…{}{middle}{}…", "a".repeat(30), "b".repeat(30));
    assert_eq!(edit.before, Some(around("x")));
    assert_eq!(edit.after, Some(around("yy")));
}

#[rstest]
#[case(Kind::RayCluster)]
#[case(Kind::RayJob)]
#[case(Kind::RayService)]
fn objects_of_each_kind_are_predictable(#[case] kind: Kind) {
    let release = version("1.6.2");
    let objects = DiffGenerator::new(1, &release, &version("1.7.0"));
    for number in 0..20 {
        let manifest = objects.object(kind, number).plan().manifest("c", "n");
        assert_eq!(manifest["kind"], kind.word());
        assert_eq!(
            objects.object(kind, number).plan().manifest("c", "n"),
            manifest
        );
        let name = manifest["metadata"]["name"].as_str().unwrap();
        assert!(kind == Kind::RayCluster || name.len() <= 47, "{name}");
        let expected = expected_pods(&release, &BTreeMap::default(), &[manifest], true);
        assert_eq!(expected.are_in(&Observed::default()), Some(false));
    }
}

#[test]
fn the_committed_schema_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("../../docs/schema/diff.schema.json");
    let current = format!("{:#}\n", diff_schema());
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "run the tests once with UPDATE_SCHEMAS=1"
    );
}
