//! Settings of a RayCluster that several checks of the operator read.

use crate::admission::view::View;

/// Switches the autoscaler's version in Ray.
pub(super) const AUTOSCALER_V2: &str = "RAY_enable_autoscaler_v2";

/// Returns whether the in-tree autoscaler runs.
pub(super) fn scales(spec: &View) -> bool {
    spec.get("enableInTreeAutoscaling").is_true()
}

/// The variables of a group's Ray container.
pub(super) fn ray_env<'a>(group: &View<'a>) -> View<'a> {
    let containers = group.find(&["template", "spec", "containers"]).items();
    containers
        .first()
        .map_or_else(|| group.get("env"), |ray| ray.get("env"))
}
