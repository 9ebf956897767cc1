//! The configuration that kind gets: what follows from the node image and from this machine.

use std::fmt::Write as _;
use std::path::Path;

use super::authority;
use super::node_facts::NodeFacts;
use crate::container::{Cgroup, Host};

/// The names of containerd's CRI plugins in a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CriKeys {
    /// The plugin that starts containers.
    pub runtime: &'static str,
    /// The plugin that pulls images.
    pub images: &'static str,
}

impl CriKeys {
    /// The names that a configuration file of this version uses.
    ///
    /// What counts is the file's own version, not containerd's release: containerd 2 migrates a
    /// file of version 2 as a whole, and would overlook newer names in it.
    #[must_use]
    pub fn of(version: u32) -> Self {
        if version >= 3 {
            Self {
                runtime: "io.containerd.cri.v1.runtime",
                images: "io.containerd.cri.v1.images",
            }
        } else {
            Self {
                runtime: "io.containerd.grpc.v1.cri",
                images: "io.containerd.grpc.v1.cri",
            }
        }
    }
}

/// Pods of all nodes; each node gets a part of it.
pub(super) const POD_SUBNET: &str = "10.244.0.0/16";

/// The first kubelet that knows `failCgroupV1`; an older one refuses the field.
const FIRST_WITH_FAIL_CGROUP_V1: u32 = 31;

/// The first Kubernetes for which kind writes kubeadm's configuration in a form whose extra
/// arguments are a list.
const FIRST_WITH_ARGUMENT_LISTS: u32 = 36;

/// Folder of the audit log in the control plane's node and in the API server's Pod.
const AUDIT_IN_NODE: &str = "/var/log/kuberay-conformance";
/// The audit log's policy, in the folder that is mounted.
pub(super) const AUDIT_POLICY: &str = "policy.yaml";
/// The audit log, in the folder that is mounted.
pub const AUDIT_LOG: &str = "audit.log";
/// The audit policy: one entry for each request, with user, object and time, without bodies.
pub(super) const AUDIT_POLICY_TEXT: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: Metadata\n";

/// The additions to the nodes of an ordinary cluster.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'a> {
    /// The folder into which the API server writes an audit log, and which holds its policy.
    pub audit: Option<&'a Path>,
    /// The folder with the images that nodes need not unpack, see `fixtures/images/unpacked`.
    pub unpacked: Option<&'a Path>,
    /// The folder with the cluster's certificate authority and what joining nodes are told of it.
    pub authority: Option<&'a Path>,
}

/// The folder of the unpacked images in the nodes; `attach.sh` knows it, too.
const UNPACKED_IN_NODE: &str = "/kuberay-conformance/unpacked";
/// An addition to containerd's unit, in the folder of the unpacked images.
pub(super) const UNIT_ADDITION: &str = "containerd.conf";
const DISCOVERY_IN_NODE: &str = "/kuberay-conformance/discovery.conf";
/// The token that kind gives every cluster (`pkg/cluster/internal/kubeadm/const.go`, kind v0.33.0).
const KIND_TOKEN: &str = "abcdef.0123456789abcdef";

impl Extras<'_> {
    fn mounts(&self, is_control_plane: bool) -> String {
        let mut mounts = Vec::new();
        if let (Some(folder), true) = (self.audit, is_control_plane) {
            mounts.push((folder.to_owned(), AUDIT_IN_NODE, false));
        }
        if let Some(folder) = self.unpacked {
            let addition = "/etc/systemd/system/containerd.service.d/10-unpacked.conf";
            mounts.push((folder.to_owned(), UNPACKED_IN_NODE, true));
            mounts.push((folder.join(UNIT_ADDITION), addition, true));
        }
        match self.authority {
            Some(folder) if is_control_plane => {
                mounts.push((
                    folder.join(authority::CERTIFICATE),
                    "/etc/kubernetes/pki/ca.crt",
                    true,
                ));
                mounts.push((
                    folder.join(authority::KEY),
                    "/etc/kubernetes/pki/ca.key",
                    true,
                ));
            }
            Some(folder) => {
                mounts.push((folder.join(authority::DISCOVERY), DISCOVERY_IN_NODE, true));
            }
            None => {}
        }
        let mut yaml = String::new();
        for (host, node, read_only) in mounts {
            if yaml.is_empty() {
                yaml.push_str("  extraMounts:\n");
            }
            let _ = writeln!(
                yaml,
                "  - hostPath: {}\n    containerPath: {node}",
                serde_json::json!(host)
            );
            if read_only {
                yaml.push_str("    readOnly: true\n");
            }
        }
        yaml
    }
}

/// The API server writes an audit log.
fn audit_patch(node: &NodeFacts) -> String {
    let arguments = [
        (
            "audit-policy-file",
            format!("{AUDIT_IN_NODE}/{AUDIT_POLICY}"),
        ),
        ("audit-log-path", format!("{AUDIT_IN_NODE}/{AUDIT_LOG}")),
    ];
    let mut yaml =
        String::from("  - |\n    kind: ClusterConfiguration\n    apiServer:\n      extraArgs:\n");
    for (name, value) in arguments {
        if node.minor() >= FIRST_WITH_ARGUMENT_LISTS {
            let _ = writeln!(yaml, "      - name: {name}\n        value: {value}");
        } else {
            let _ = writeln!(yaml, "        {name}: {value}");
        }
    }
    let _ = write!(
        yaml,
        "      extraVolumes:\n      - name: audit\n        hostPath: {AUDIT_IN_NODE}\n        mountPath: {AUDIT_IN_NODE}\n        pathType: Directory\n"
    );
    yaml
}

/// The kind configuration for a node image on this machine, with one control plane and `workers`
/// more nodes, all of which accept Pods.
#[must_use]
pub fn kind_config(node: &NodeFacts, host: &Host, workers: u32, extras: Extras<'_>) -> String {
    let keys = CriKeys::of(node.containerd_config);
    let mut yaml = String::from("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnetworking:\n");
    let _ = writeln!(yaml, "  podSubnet: {POD_SUBNET}");
    if !node.default_cni {
        yaml.push_str("  disableDefaultCNI: true\n");
    }
    yaml.push_str("nodes:\n- role: control-plane\n");
    yaml.push_str(&extras.mounts(true));
    if extras.audit.is_some() || workers > 0 {
        yaml.push_str("  kubeadmConfigPatches:\n");
    }
    if extras.audit.is_some() {
        yaml.push_str(&audit_patch(node));
    }
    if workers > 0 {
        // kind opens the control plane to Pods only where it is alone; its room is wanted here,
        // too, once the other nodes are full.
        yaml.push_str(
            "  - |\n    kind: InitConfiguration\n    nodeRegistration:\n      taints:\n      \
             - key: node-role.kubernetes.io/control-plane\n        effect: PreferNoSchedule\n",
        );
    }
    for _ in 0..workers {
        yaml.push_str("- role: worker\n");
        yaml.push_str(&extras.mounts(false));
    }
    let old_control_groups = host.cgroup != Cgroup::V2 && node.minor() >= FIRST_WITH_FAIL_CGROUP_V1;
    if old_control_groups || extras.authority.is_some() {
        yaml.push_str("kubeadmConfigPatches:\n");
    }
    if old_control_groups {
        yaml.push_str("- |\n  kind: KubeletConfiguration\n  failCgroupV1: false\n");
    }
    if extras.authority.is_some() {
        let _ = writeln!(
            yaml,
            "- |\n  kind: JoinConfiguration\n  discovery:\n    bootstrapToken: null\n    tlsBootstrapToken: {KIND_TOKEN}\n    file:\n      kubeConfigPath: {DISCOVERY_IN_NODE}"
        );
    }
    yaml.push_str("containerdConfigPatches:\n- |\n");
    let _ = writeln!(
        yaml,
        "  [plugins.\"{}\".registry]\n    config_path = \"{MIRRORS}\"",
        keys.images
    );
    if !host.sys_resource {
        // runc would die when it lowers a container's oom_score_adj below its own.
        let _ = writeln!(
            yaml,
            "  [plugins.\"{}\"]\n    restrict_oom_score_adj = true",
            keys.runtime
        );
    }
    yaml
}

/// Where containerd looks for the mirrors of registries.
pub(super) const MIRRORS: &str = "/etc/containerd/certs.d";

#[cfg(test)]
mod tests {
    use assertables::{assert_ends_with, assert_not_contains};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn host(cgroup: Cgroup, sys_resource: bool) -> Host {
        Host {
            cgroup,
            sys_resource,
            root: true,
            tasks: None,
            inotify_instances: None,
            inotify_watches: None,
            memory: None,
            cache_free: None,
            engine_free: None,
            modules: true,
        }
    }

    fn node(kubernetes: &str, containerd_config: u32, default_cni: bool) -> NodeFacts {
        NodeFacts {
            kubernetes: kubernetes.into(),
            containerd_config,
            default_cni,
        }
    }

    #[test]
    fn the_built_node_on_the_machine_of_development() {
        let config = kind_config(
            &node("v1.34.4", 2, false),
            &host(Cgroup::Hybrid, false),
            1,
            Extras::default(),
        );
        assert_eq!(
            config,
            r#"kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  podSubnet: 10.244.0.0/16
  disableDefaultCNI: true
nodes:
- role: control-plane
  kubeadmConfigPatches:
  - |
    kind: InitConfiguration
    nodeRegistration:
      taints:
      - key: node-role.kubernetes.io/control-plane
        effect: PreferNoSchedule
- role: worker
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  failCgroupV1: false
containerdConfigPatches:
- |
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
  [plugins."io.containerd.grpc.v1.cri"]
    restrict_oom_score_adj = true
"#
        );
    }

    #[test]
    fn the_pulled_node_on_an_ordinary_machine() {
        let config = kind_config(
            &node("v1.37.0", 2, true),
            &host(Cgroup::V2, true),
            0,
            Extras::default(),
        );
        assert_eq!(
            config,
            r#"kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  podSubnet: 10.244.0.0/16
nodes:
- role: control-plane
containerdConfigPatches:
- |
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
"#
        );
    }

    #[rstest]
    #[case(2, false, &[r#"[plugins."io.containerd.grpc.v1.cri".registry]"#, r#"[plugins."io.containerd.grpc.v1.cri"]"#])]
    #[case(3, false, &[r#"[plugins."io.containerd.cri.v1.images".registry]"#, r#"[plugins."io.containerd.cri.v1.runtime"]"#])]
    #[case(3, true, &[r#"[plugins."io.containerd.cri.v1.images".registry]"#])]
    fn patches_use_the_keys_of_the_nodes_file(
        #[case] version: u32,
        #[case] sys_resource: bool,
        #[case] expected: &[&str],
    ) {
        let config = kind_config(
            &node("v1.37.0", version, true),
            &host(Cgroup::V2, sys_resource),
            0,
            Extras::default(),
        );
        let tables: Vec<&str> = config
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("[plugins"))
            .collect();
        assert_eq!(tables, expected);
    }

    #[rstest]
    #[case("v1.30.9", Cgroup::V1, false)]
    #[case("v1.31.0", Cgroup::V1, true)]
    #[case("v1.37.0", Cgroup::Hybrid, true)]
    #[case("v1.37.0", Cgroup::V2, false)]
    fn the_kubelet_is_told_about_old_control_groups(
        #[case] kubernetes: &str,
        #[case] cgroup: Cgroup,
        #[case] told: bool,
    ) {
        let config = kind_config(
            &node(kubernetes, 2, true),
            &host(cgroup, true),
            0,
            Extras::default(),
        );
        assert_eq!(config.contains("failCgroupV1: false"), told);
    }

    #[rstest]
    #[case("v1.34.4", 0, json!({"audit-policy-file": "/var/log/kuberay-conformance/policy.yaml",
        "audit-log-path": "/var/log/kuberay-conformance/audit.log"}))]
    #[case("v1.35.9", 1, json!({"audit-policy-file": "/var/log/kuberay-conformance/policy.yaml",
        "audit-log-path": "/var/log/kuberay-conformance/audit.log"}))]
    #[case("v1.36.0", 1, json!([{"name": "audit-policy-file", "value": "/var/log/kuberay-conformance/policy.yaml"},
        {"name": "audit-log-path", "value": "/var/log/kuberay-conformance/audit.log"}]))]
    fn an_audit_log_is_written_where_it_is_asked_for(
        #[case] kubernetes: &str,
        #[case] workers: u32,
        #[case] arguments: serde_json::Value,
    ) {
        let host = host(Cgroup::V2, true);
        let node = node(kubernetes, 2, true);
        assert_not_contains!(
            kind_config(&node, &host, workers, Extras::default()),
            "audit"
        );
        let audit = Extras {
            audit: Some(Path::new("/a folder/audit")),
            ..Extras::default()
        };
        let config = kind_config(&node, &host, workers, audit);
        let value: serde_json::Value = serde_saphyr::from_str(&config).unwrap();
        let first = &value["nodes"][0];
        assert_eq!(
            first["extraMounts"],
            json!([{"hostPath": "/a folder/audit", "containerPath": "/var/log/kuberay-conformance"}])
        );
        let patches = first["kubeadmConfigPatches"].as_array().unwrap();
        assert_eq!(patches.len(), 1 + usize::from(workers > 0));
        let patch: serde_json::Value =
            serde_saphyr::from_str(patches[0].as_str().unwrap()).unwrap();
        assert_eq!(patch["kind"], "ClusterConfiguration");
        assert_eq!(patch["apiServer"]["extraArgs"], arguments);
        assert_eq!(
            patch["apiServer"]["extraVolumes"][0]["mountPath"],
            "/var/log/kuberay-conformance"
        );
    }

    #[test]
    fn it_is_yaml_with_the_patches_as_text() {
        let config = kind_config(
            &node("v1.34.4", 2, false),
            &host(Cgroup::V1, false),
            2,
            Extras::default(),
        );
        let value: serde_json::Value = serde_saphyr::from_str(&config).unwrap();
        assert_eq!(value["nodes"].as_array().unwrap().len(), 3);
        assert_ends_with!(
            value["containerdConfigPatches"][0].as_str().unwrap(),
            "restrict_oom_score_adj = true\n"
        );
    }
    #[test]
    fn nodes_are_told_the_authority_and_share_what_is_unpacked() {
        let extras = Extras {
            audit: Some(Path::new("/c/audit")),
            unpacked: Some(Path::new("/u/key")),
            authority: Some(Path::new("/c/authority")),
        };
        let config = kind_config(
            &node("v1.34.4", 2, false),
            &host(Cgroup::V1, false),
            1,
            extras,
        );
        let value: serde_json::Value = serde_saphyr::from_str(&config).unwrap();
        let mounts = |node: usize| {
            let mounts = value["nodes"][node]["extraMounts"].as_array().unwrap();
            let text =
                |mount: &serde_json::Value, key: &str| mount[key].as_str().unwrap().to_owned();
            let one = |mount| {
                (
                    text(mount, "hostPath"),
                    text(mount, "containerPath"),
                    mount["readOnly"] == true,
                )
            };
            mounts.iter().map(one).collect::<Vec<_>>()
        };
        let mount =
            |host: &str, node: &str, read_only| (host.to_owned(), node.to_owned(), read_only);
        let unpacked = [
            mount("/u/key", "/kuberay-conformance/unpacked", true),
            mount(
                "/u/key/containerd.conf",
                "/etc/systemd/system/containerd.service.d/10-unpacked.conf",
                true,
            ),
        ];
        let mut first = vec![mount("/c/audit", "/var/log/kuberay-conformance", false)];
        first.extend(unpacked.clone());
        first.push(mount(
            "/c/authority/ca.crt",
            "/etc/kubernetes/pki/ca.crt",
            true,
        ));
        first.push(mount(
            "/c/authority/ca.key",
            "/etc/kubernetes/pki/ca.key",
            true,
        ));
        assert_eq!(mounts(0), first);
        let mut second = unpacked.to_vec();
        second.push(mount(
            "/c/authority/discovery.conf",
            "/kuberay-conformance/discovery.conf",
            true,
        ));
        assert_eq!(mounts(1), second);
        let patches = value["kubeadmConfigPatches"].as_array().unwrap();
        let join: serde_json::Value = serde_saphyr::from_str(patches[1].as_str().unwrap()).unwrap();
        assert_eq!(
            join["discovery"]["bootstrapToken"],
            json!(null),
            "a merge patch removes what is null"
        );
        assert_eq!(
            join["discovery"]["file"]["kubeConfigPath"],
            "/kuberay-conformance/discovery.conf"
        );
    }
}
