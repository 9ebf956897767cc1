//! Settings of the operator that can't be as a scenario writes them.

use assertables::assert_contains;
use rstest::rstest;

use super::{CLUSTER, folder, lines};
use crate::{TargetKind, load};

/// A scenario for releases in a range, with settings.
fn scenario(operator: &str, settings: &str) -> String {
    format!(
        "apiVersion: kuberay-conformance/v1beta1\nkind: Scenario\nmetadata: {{name: demo}}\nspec:\n  \
         description: Settings.\n  operator: \"{operator}\"\n  manifests: [raycluster.yaml]\n  \
         operatorSettings: {settings}\n  checks:\n    - pod: {{role: head, snapshot: [args]}}\n"
    )
}

#[rstest]
#[case::unknown_gate(
    ">=1.7",
    "{featureGates: {RayCronJobs: true}}",
    "8:50 no release of the operator has the feature gate `RayCronJobs` (did you mean `RayCronJob`?"
)]
#[case::gate_of_a_later_release(
    ">=1.5",
    "{featureGates: {RayCronJob: true}}",
    "KubeRay 1.5.0 is in range and has no feature gate `RayCronJob`, so that it would end at once \
     (narrow `operator` to \">=1.6.0\")"
)]
#[case::gate_of_an_earlier_release(
    ">=1.6",
    "{featureGates: {AsyncJobInfoQuery: true}}",
    "(narrow `operator` to \">=1.6.0, <1.7.0\")"
)]
#[case::gate_type(
    ">=1.7",
    "{featureGates: {RayCronJob: \"true\"}}",
    "`RayCronJob` must be true or false"
)]
#[case::no_configuration_yet(
    ">=1.0",
    "{configuration: {defaultContainerEnvs: []}}",
    "KubeRay 1.0.0 is in range and has no such setting (narrow `operator` to \">=1.1\")"
)]
#[case::unknown_key(
    ">=1.1",
    "{configuration: {defaultPodAnnotation: {}}}",
    "no release of the operator reads `defaultPodAnnotation` of its configuration file (did you mean \
     `defaultPodAnnotations`?)"
)]
#[case::key_type(
    ">=1.1",
    "{configuration: {defaultContainerEnvs: {A: b}}}",
    "`defaultContainerEnvs` of the operator's configuration: invalid type: map, expected a sequence"
)]
#[case::own_key(
    ">=1.1",
    "{configuration: {watchNamespace: a}}",
    "the harness sets `watchNamespace` itself (leave it out)"
)]
#[case::linker(
    ">=1.2",
    "{env: {LD_PRELOAD: /tmp/evil.so}}",
    "`LD_PRELOAD` selects what the dynamic linker loads"
)]
#[case::tunables(
    ">=1.2",
    "{env: {GLIBC_TUNABLES: a=b}}",
    "`GLIBC_TUNABLES` selects what the dynamic linker loads"
)]
#[case::own_flag(
    ">=1.2",
    "{args: [--feature-gates=RayCronJob=true]}",
    "the harness sets `--feature-gates` itself (write `featureGates` instead)"
)]
#[case::no_flag(
    ">=1.2",
    "{args: [reconcile-concurrency]}",
    "can't be `reconcile-concurrency`"
)]
#[case::ignored_flags(
    ">=1.1",
    "{args: [--enable-metrics], configuration: {qps: 1}}",
    "an operator with a configuration file ignores its arguments"
)]
#[case::between_nothing(
    ">=1.6",
    "{}\n  steps: {markReady: true, applyBetween: raycluster.yaml}",
    "this is applied between two operators, on envtest (add `upgradeFrom`"
)]
fn what_an_operator_would_refuse_or_ignore_is_reported(
    #[case] operator: &str,
    #[case] settings: &str,
    #[case] expected: &str,
) {
    let text = scenario(operator, settings);
    let (_root, folder) = folder(&[("scenario.yaml", &text), ("raycluster.yaml", CLUSTER)]);
    let found = lines(load(&folder).unwrap_err().diagnostics());
    assert!(
        found.iter().any(|line| line.contains(expected)),
        "{expected}\nis not in {found:#?}"
    );
}

#[test]
fn settings_are_read_and_decide_the_target() {
    let settings = "{env: {A: b}, featureGates: {RayCronJob: true}, configuration: \
                    {defaultPodAnnotations: {a: b}}}";
    let text = scenario(">=1.7", settings);
    let (_root, folder) = folder(&[("scenario.yaml", &text), ("raycluster.yaml", CLUSTER)]);
    let spec = load(&folder).unwrap().file.spec;
    let contract = spec.operator_settings.of_contract().unwrap();
    assert_eq!(contract.default_pod_annotations["a"], "b");
    assert!(contract.has_gate(&"1.7.0".parse().unwrap(), "RayCronJob"));
    let placement = spec.placement();
    assert_eq!(placement.target, TargetKind::Envtest);
    assert_contains!(
        placement.reason,
        "`operatorSettings` needs an operator that the run may replace"
    );
}
