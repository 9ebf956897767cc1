//! The operator: a KubeRay release is installed in a cluster.
