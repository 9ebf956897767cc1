//! Ten faults of one line each, put alone into a release's source: `diff` reports each as one entry with its rule.

use rstest::rstest;

use crate::diff::{RELEASE, diff, entries, faulty};
use crate::support::turn;

const POD: &str = "controllers/ray/common/pod.go";
const UTIL: &str = "controllers/ray/utils/util.go";

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
#[ignore = "needs envtest and Go, takes minutes"]
fn a_fault_is_one_entry(
    #[case] rule: &str,
    #[case] file: &str,
    #[case] find: &str,
    #[case] replace: &str,
) {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    faulty(folder.path(), file, find, replace);
    let (code, document) = diff(&[RELEASE, "--objects", "8"], Some(folder.path()));
    let found = entries(&document);
    let rules: Vec<&str> = found.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!((code, rules), (Some(1), vec![rule]), "{found:?}");
}
