//! The script of `wait-gcs-ready`.

use std::borrow::Cow;

use super::Feature;
use super::feature::Context;
use super::names::HeadAddress;

/// Asks the head's GCS every five seconds; after two minutes also shows what it answers.
pub(super) fn wait_gcs_ready(context: &Context, head: &HeadAddress) -> String {
    let health = format!("ray health-check --address {}", head.gcs());
    let tabs = if context.uses(Feature::WaitGcsReadyTabs) {
        "\t\t"
    } else {
        ""
    };
    let page = if context.uses(Feature::WaitGcsReadyOldPage) {
        "https://github.com/ray-project/kuberay/blob/master/docs/guidance/FAQ.md"
    } else {
        context.uses(Feature::WaitGcsReadyNewPage);
        "https://docs.ray.io/en/master/cluster/kubernetes/troubleshooting.html"
    };
    let lines: [(usize, Cow<str>); 17] = [
        (5, "SECONDS=0".into()),
        (5, "while true; do".into()),
        (6, "if (( SECONDS <= 120 )); then".into()),
        (7, format!("if {health} > /dev/null 2>&1; then").into()),
        (8, r#"echo "GCS is ready.""#.into()),
        (8, "break".into()),
        (7, "fi".into()),
        (
            7,
            r#"echo "$SECONDS seconds elapsed: Waiting for GCS to be ready.""#.into(),
        ),
        (6, "else".into()),
        (7, format!("if {health}; then").into()),
        (
            8,
            r#"echo "GCS is ready. Any error messages above can be safely ignored.""#.into(),
        ),
        (8, "break".into()),
        (7, "fi".into()),
        (
            7,
            format!(
                r#"echo "$SECONDS seconds elapsed: Still waiting for GCS to be ready. For troubleshooting, refer to the FAQ at {page}.""#
            )
            .into(),
        ),
        (6, "fi".into()),
        (6, format!("sleep 5{tabs}").into()),
        (5, "done".into()),
    ];
    let mut text = String::from("\n");
    for (depth, line) in &lines {
        text.extend(std::iter::repeat_n('\t', *depth));
        text.push_str(line);
        text.push('\n');
    }
    text + "\t\t\t\t"
}
