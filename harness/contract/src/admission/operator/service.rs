//! `ValidateRayServiceMetadata` and `ValidateRayServiceSpec`.

use semver::Version;

use super::settings::scales;
use super::{cluster, name, prefix};
use crate::admission::checks::{Checks, OperatorCheck};
use crate::admission::view::View;
use crate::classes::plain;
use crate::go::duration;

const TIMEOUT: &str = "ray.io/initializing-timeout";
const INCREMENTAL: &str = "NewClusterWithIncrementalUpgrade";

/// Checks a RayService.
pub(super) fn check(checks: &Checks, root: &View) {
    let since = Version::new(1, 6, 0);
    let metadata = prefix(checks, "RayService metadata", &since);
    name(
        checks,
        root,
        OperatorCheck::ServiceName,
        "RayService",
        47,
        &metadata,
    );
    timeout(checks, root, &metadata);

    let prefix = prefix(checks, "RayService spec", &since);
    let spec = root.get("spec");
    let cluster = spec.get("rayClusterConfig");
    let kubernetes = cluster.find(&["authOptions", "enableK8sTokenAuth"]);
    if kubernetes.is_true() {
        let message =
            format!("{prefix}K8s token auth mode is currently not supported for RayService");
        checks.refuse(OperatorCheck::KubernetesTokenOfChild, &kubernetes, message);
    }
    cluster::spec(checks, &cluster, root, &prefix);

    let named = cluster.find(&["headGroupSpec", "headService", "metadata", "name"]);
    if !named.text().is_empty() {
        let message = format!(
            "{prefix}spec.rayClusterConfig.headGroupSpec.headService.metadata.name should not be set"
        );
        checks.refuse(OperatorCheck::HeadServiceNamed, &named, message);
    }
    upgrade(checks, &spec, &cluster, &prefix);
    let delay = spec.get("rayClusterDeletionDelaySeconds");
    if let Some(number) = delay.number().filter(|number| *number < 0) {
        let message = format!(
            "{prefix}Spec.RayClusterDeletionDelaySeconds should be a non-negative integer, got {number}"
        );
        checks.refuse(OperatorCheck::ServiceDeletionDelay, &delay, message);
    }
}

fn upgrade(checks: &Checks, spec: &View, cluster: &View, prefix: &str) {
    let strategy = spec.get("upgradeStrategy");
    let at = strategy.get("type");
    let incremental = plain(checks.release) >= Version::new(1, 5, 0);
    let known = match at.text() {
        "NewCluster" | "None" => true,
        kind => !at.exists() || kind == INCREMENTAL && incremental,
    };
    if !known {
        let valid = if incremental {
            format!("{INCREMENTAL}, NewCluster, or None")
        } else {
            "NewCluster or None".into()
        };
        let message = format!(
            "{prefix}Spec.UpgradeStrategy.Type value {} is invalid, valid options are {valid}",
            at.text()
        );
        checks.refuse(OperatorCheck::ServiceUpgradeType, &at, message);
    }
    if at.text() != INCREMENTAL {
        return;
    }
    let options = strategy.get("clusterUpgradeOptions");
    let percent = |field: &str| options.get(field).number();
    let within = |number: Option<i64>| number.is_some_and(|number| (0..=100).contains(&number));
    let surge = percent("maxSurgePercent").or(Some(100));
    let step = percent("stepSizePercent");
    let reason = if !scales(cluster) {
        "Ray Autoscaler is required for NewClusterWithIncrementalUpgrade"
    } else if !options.exists() {
        "ClusterUpgradeOptions are required for NewClusterWithIncrementalUpgrade"
    } else if !within(surge) {
        "maxSurgePercent must be between 0 and 100"
    } else if !within(step) {
        "stepSizePercent must be between 0 and 100"
    } else if step > surge {
        "stepSizePercent must be less than or equal to maxSurgePercent"
    } else if percent("intervalSeconds").is_none_or(|seconds| seconds <= 0) {
        "intervalSeconds must be greater than 0"
    } else if options.get("gatewayClassName").text().is_empty() {
        "gatewayClassName is required for NewClusterWithIncrementalUpgrade"
    } else {
        return;
    };
    checks.refuse(
        OperatorCheck::ServiceIncrementalUpgrade,
        &at,
        format!("{prefix}{reason}"),
    );
}

fn timeout(checks: &Checks, root: &View, prefix: &str) {
    let at = root.find(&["metadata", "annotations", TIMEOUT]);
    let text = at.text();
    let problem = match duration::parse(text) {
        _ if text.is_empty() => return,
        Some(nanoseconds) if nanoseconds > 0 => return,
        Some(_) => format!("annotation {TIMEOUT} must be a positive duration, got: {text}"),
        None => match text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
            Ok(seconds) if seconds > 0 => return,
            Ok(_) => {
                format!("annotation {TIMEOUT} must be a positive integer (seconds), got: {text}")
            }
            Err(_) => format!(
                "annotation {TIMEOUT} has invalid format: {text}. Expected Go duration format (e.g., '5m', '1h') \
                 or positive integer seconds"
            ),
        },
    };
    let message = format!("{prefix}RayService annotations is invalid: {problem}");
    checks.refuse(OperatorCheck::ServiceTimeout, &at, message);
}
