//! Certificates of Ray Pods, which the operator makes behind a feature gate.

use super::feature::Context;
use super::input::RayCluster;

/// Path at which the certificates of a Pod are mounted.
pub(super) const CERTIFICATES: &str = "/etc/ray/tls";

/// Returns whether the operator gives the Pods of a RayCluster certificates.
pub(super) fn has_tls(context: &Context, cluster: &RayCluster) -> bool {
    let options = cluster.spec.tls_options.as_ref();
    options.is_some_and(|options| options.enabled == Some(true)) && context.gate("RayClusterMTLS")
}
