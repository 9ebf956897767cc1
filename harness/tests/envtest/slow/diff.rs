//! Faults of one line each, put alone into a release's source: `diff` reports each as one entry
//! with its rule. A release against itself, twenty times: it reports nothing.

use rstest::rstest;

use crate::diff::{RELEASE, diff, entries, faulty};
use crate::support::exclusive;

const POD: &str = "controllers/ray/common/pod.go";
const JOB: &str = "controllers/ray/common/job.go";
const UTIL: &str = "controllers/ray/utils/util.go";
const CONSTANT: &str = "controllers/ray/utils/constant.go";
const VALIDATION: &str = "controllers/ray/utils/validation.go";

#[rstest]
#[case::shell(
    "C09",
    UTIL,
    r#"return []string{"/bin/bash", "-" + bashOptionsStr, "--"}"#,
    r#"return []string{"/bin/bash", "-l" + bashOptionsStr, "--"}"#
)]
#[case::args_before_command(
    "C02",
    POD,
    "cmd += convertCmdToString(pod.Spec.Containers[utils.RayContainerIndex].Args)",
    "cmd = convertCmdToString(pod.Spec.Containers[utils.RayContainerIndex].Args) + cmd"
)]
#[case::joint(
    "C03",
    POD,
    r#"args = fmt.Sprintf("%s && %s", cmd, generatedCmd)"#,
    r#"args = fmt.Sprintf("%s ; %s", cmd, generatedCmd)"#
)]
#[case::annotation(
    "C07",
    POD,
    r#"isOverwriteRayContainerCmd = strings.ToLower(v) == "true""#,
    r#"isOverwriteRayContainerCmd = v == "true""#
)]
#[case::variable(
    "C08",
    POD,
    "{Name: utils.KUBERAY_GEN_RAY_START_CMD, Value: rayStartCmd}",
    r#"{Name: utils.KUBERAY_GEN_RAY_START_CMD, Value: "ulimit -n 65536; " + rayStartCmd}"#
)]
#[case::switch(
    "C12",
    POD,
    r#"specialParameterOptions := []string{"log-color", "include-dashboard"}"#,
    r#"specialParameterOptions := []string{"include-dashboard"}"#
)]
#[case::memory(
    "C13",
    POD,
    "memory := resource.Limits[corev1.ResourceMemory]",
    "memory := resource.Requests[corev1.ResourceMemory]"
)]
#[case::wait_gcs_ready(
    "C15",
    POD,
    "enableInitContainerInjection := getEnableInitContainerInjection()",
    "enableInitContainerInjection := !getEnableInitContainerInjection()"
)]
#[case::probes(
    "C16",
    POD,
    "utils.DefaultReadinessProbeTimeoutSeconds,\n\t\tgetPort(\"dashboard-agent-listen-port\", utils.DefaultDashboardAgentListenPort),",
    "utils.DefaultReadinessProbeTimeoutSeconds,\n\t\tutils.DefaultDashboardAgentListenPort,"
)]
#[case::flag_order(
    "C23",
    POD,
    "sort.Strings(keys)\n\n\tflags := new(bytes.Buffer)",
    "flags := new(bytes.Buffer)"
)]
#[case::limit(
    "C11",
    POD,
    "ulimitCmd := \"ulimit -n 65536\"",
    "ulimitCmd := \"ulimit -n 65535\""
)]
#[case::missing_variable(
    "C01",
    POD,
    "container.Env = append(container.Env, nodeGroupNameEnv)",
    "_ = nodeGroupNameEnv"
)]
#[case::probe_period(
    "C16",
    CONSTANT,
    "DefaultReadinessProbePeriodSeconds      = 5",
    "DefaultReadinessProbePeriodSeconds      = 6"
)]
#[case::init_container("C15", POD, "\t\t\t\tsleep 5\n", "\t\t\t\tsleep 6\n")]
#[case::submitter(
    "C19",
    JOB,
    r#"cmd = append(cmd, "--no-wait")"#,
    r#"cmd = append(cmd, "--no-wait", "--verbose")"#
)]
#[case::refusal(
    "C24",
    VALIDATION,
    "hasRayStartResources && len(resources) > 0",
    "hasRayStartResources && len(resources) > 10"
)]
#[case::default_flag(
    "C01",
    POD,
    r#"rayStartParams["dashboard-host"] = "0.0.0.0""#,
    r#"rayStartParams["dashboard-host"] = "127.0.0.1""#
)]
#[case::autoscaler(
    "C18",
    POD,
    r#""ray kuberay-autoscaler --cluster-name "#,
    r#""ray kuberay-autoscaler --verbose --cluster-name "#
)]
#[case::user_text_last(
    "C02",
    POD,
    r#"args = fmt.Sprintf("%s && %s", cmd, generatedCmd)"#,
    r#"args = fmt.Sprintf("%s && %s", generatedCmd, cmd)"#
)]
#[ignore = "needs envtest and Go, takes minutes"]
fn a_fault_is_one_entry(
    #[case] rule: &str,
    #[case] file: &str,
    #[case] find: &str,
    #[case] replace: &str,
) {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    faulty(folder.path(), file, find, replace);
    let (code, document) = diff(&[RELEASE, "--objects", "8"], Some(folder.path()));
    let found = entries(&document);
    let rules: Vec<&str> = found.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(code, Some(1), "{found:?}");
    assert_eq!(rules, vec![rule], "{found:?}");
}

/// Up to 1.2 the order of flags is random.
const RELEASES: [&str; 4] = ["1.2.2", "1.6.2", "1.2.2", "1.4.2"];

#[test]
#[ignore = "needs envtest and Go, takes minutes"]
fn a_release_is_equal_to_itself_twenty_times() {
    let _exclusive = exclusive();
    for (seed, release) in (1..=20).zip(RELEASES.iter().cycle()) {
        let (code, document) = diff(&[release, release, "--seed", &seed.to_string()], None);
        let found = entries(&document);
        assert_eq!(code, Some(0), "{release}, seed {seed}");
        assert_eq!(found, Vec::new(), "{release}, seed {seed}");
    }
}
