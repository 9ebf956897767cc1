//! Tests of the targets of a run.

use assert_matches::assert_matches;
use assertables::assert_contains;
use rstest::rstest;

use super::*;
use crate::args::{Command, parsed};
use crate::exit::BAD_USE;

fn run_of(line: &str) -> Run {
    match parsed(&format!("run {line}")) {
        Command::Run(run) => *run,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::none("", &[TargetKind::Envtest])]
#[case::kind("--target kind", &[TargetKind::Kind])]
#[case::all("--target all", &[TargetKind::Envtest, TargetKind::Kind])]
#[case::context("--context kind-test", &[TargetKind::Existing])]
#[case::context_and_kind("--context kind-test --target kind", &[TargetKind::Existing])]
fn a_run_has_the_targets_that_its_arguments_name(
    #[case] line: &str,
    #[case] expected: &[TargetKind],
) {
    let specs = targets(&run_of(line), None).unwrap();
    let kinds: Vec<TargetKind> = specs.iter().map(TargetSpec::kind).collect();
    assert_eq!(kinds, expected);
}

#[test]
fn arguments_of_a_kind_cluster_reach_its_spec() {
    let specs = targets(
        &run_of("--target kind --nodes 2 --keep --cluster mine"),
        None,
    )
    .unwrap();
    let [TargetSpec::Kind(kind)] = specs.as_slice() else {
        panic!("{specs:?}")
    };
    assert_eq!(kind.nodes, Some(2));
    assert!(kind.keep, "--keep leaves the cluster up");
    assert_eq!(kind.cluster, "mine");
}

#[test]
fn arguments_of_a_cluster_that_exists_reach_its_spec() {
    let line = "--context test --install-operator --keep --capacity-share 3 --ray-image own/ray";
    let specs = targets(&run_of(line), None).unwrap();
    let [TargetSpec::Existing(existing)] = specs.as_slice() else {
        panic!("{specs:?}")
    };
    assert_eq!(existing.context.name, "test");
    assert!(existing.install_operator, "--install-operator installs one");
    assert!(existing.keep, "--keep leaves the operator installed");
    assert_eq!(existing.capacity_share, 3);
    assert_eq!(existing.ray_image.as_deref(), Some("own/ray"));
}

#[rstest]
#[case::envtest("--target envtest", "leave --context out")]
#[case::all("--target all", "leave --context out")]
#[case::upgrades("--upgrades", "--upgrades replaces the operator")]
#[case::pairs("--pair 1.6.2/2.52.0", "leave --pair out")]
#[case::nodes(
    "--nodes 2",
    "--nodes applies only to a cluster that the harness creates"
)]
#[case::wheel(
    "--ray-wheel ray-2.60.0-x.whl",
    "--ray-wheel applies only to a cluster that the harness creates"
)]
fn options_of_other_targets_are_refused_with_a_context(
    #[case] options: &str,
    #[case] message: &str,
) {
    let error = targets(&run_of(&format!("--context test {options}")), None).unwrap_err();
    assert_eq!(error.exit_code(), BAD_USE);
    let text = error.to_string();
    assert!(text.contains(message), "{text}");
}

#[rstest]
#[case::image("--ray-image mine:dev", RaySource::Image("mine:dev".into()))]
#[case::wheel("--ray-wheel a/ray-3.whl", RaySource::Wheel("a/ray-3.whl".into()))]
#[case::release("", RaySource::Release)]
fn a_ray_of_the_user_s_own_reaches_the_spec(#[case] options: &str, #[case] expected: RaySource) {
    let specs = targets(
        &run_of(&format!("--target kind --ray 2.60.0 {options}")),
        None,
    )
    .unwrap();
    assert_matches!(specs.as_slice(), [TargetSpec::Kind(kind)] if kind.ray == expected);
}

#[rstest]
#[case::envtest("--target envtest --ray 2.60.0", "no container runs on envtest")]
#[case::release("--target kind", "need --ray")]
#[case::pair("--target kind --pair 1.6.2/2.52.0", "need --ray")]
fn a_ray_that_is_compared_with_nothing_is_refused(#[case] options: &str, #[case] message: &str) {
    let error = targets(&run_of(&format!("--ray-image mine:dev {options}")), None).unwrap_err();
    assert_eq!(error.exit_code(), BAD_USE);
    assert_contains!(error.to_string(), message);
}

#[rstest]
#[case(&["run", "a"], "kuberay-conformance run a")]
#[case(&["check", "my file.yaml", "$x"], "kuberay-conformance check 'my file.yaml' '$x'")]
fn the_command_line_can_be_pasted_into_a_shell(#[case] words: &[&str], #[case] expected: &str) {
    let words = words.iter().map(|word| (*word).to_owned());
    assert_eq!(command_line(words), expected);
}

#[test]
fn the_release_of_kubernetes_reaches_the_api_server() {
    let release = Version::new(1, 36, 3);
    let specs = targets(&run_of(""), Some(&release)).unwrap();
    let [TargetSpec::Envtest(envtest)] = specs.as_slice() else {
        panic!("{specs:?}")
    };
    assert_eq!(envtest.kubernetes, Some(release));
}
