//! KubeRay's resources, as kube's client asks for them.

use kube::api::ApiResource;

/// The resource of `RayCluster` objects.
pub fn ray_cluster_resource() -> ApiResource {
    ray_resource("RayCluster", "rayclusters")
}

/// One of KubeRay's resources in `ray.io/v1`, which every release from 1.0 on serves.
pub(super) fn ray_resource(kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: "ray.io".into(),
        version: "v1".into(),
        api_version: "ray.io/v1".into(),
        kind: kind.into(),
        plural: plural.into(),
    }
}
