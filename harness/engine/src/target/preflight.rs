//! Checks for known problems that break a node, before a node is made.

use std::fmt;

use kuberay_manifest::Severity;

use super::node_facts::NodeFacts;
use crate::container::{Cgroup, EngineKind, Host, MODULES};

/// One thing that this machine lacks, with what to do, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightFinding {
    /// Its severity.
    pub severity: Severity,
    /// The sentence.
    pub sentence: String,
}

impl fmt::Display for PreflightFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.severity.word(), self.sentence)
    }
}

const MIB_FOR_NODES: u64 = 6 * 1024;
const MIB_TO_START: u64 = 2 * 1024;
const MEMORY_FOR_RAY: u64 = 4 * 1024;
const MEMORY_TO_START: u64 = 2 * 1024;
const TASKS_FOR_RAY: u64 = 4096;
const INOTIFY_INSTANCES: u64 = 128;
const INOTIFY_WATCHES: u64 = 65_536;

/// Judges a machine; what is set for our own run (see `Engine`, `kind_config`) is not a finding.
pub(super) fn findings(
    host: &Host,
    engine: EngineKind,
    has_runc: bool,
    node: &NodeFacts,
) -> Vec<PreflightFinding> {
    let mut found = Findings(Vec::new());
    found.room(
        "the cache folder",
        host.cache_free,
        "free some, or set KUBERAY_CONFORMANCE_CACHE",
    );
    found.room(
        "the container engine's storage",
        host.engine_free,
        "remove images that you don't need",
    );
    match host.memory {
        Some(memory) if memory < MEMORY_TO_START => {
            found.error(format!(
                "only {memory} MiB of memory are available and a node alone needs {MEMORY_TO_START}; end other programs"
            ));
        }
        Some(memory) if memory < MEMORY_FOR_RAY => {
            found.warning(format!(
                "only {memory} MiB of memory are available; with less than {MEMORY_FOR_RAY} a Ray head may be killed"
            ));
        }
        _ => {}
    }
    if let Some(tasks) = host.tasks.filter(|tasks| *tasks < TASKS_FOR_RAY) {
        found.warning(format!(
            "this session may have only {tasks} tasks and Ray starts hundreds of threads; raise TasksMax (systemd) or pids.max above {TASKS_FOR_RAY}"
        ));
    }
    found.inotify(
        "max_user_instances",
        host.inotify_instances,
        INOTIFY_INSTANCES,
    );
    found.inotify("max_user_watches", host.inotify_watches, INOTIFY_WATCHES);
    if !host.modules && !host.root {
        found.error(format!(
            "{MODULES} is missing and kind mounts it into each node; as root: mkdir {MODULES}"
        ));
    }
    if engine == EngineKind::Podman {
        if !host.root && host.cgroup != Cgroup::V2 {
            found.error("podman without root needs cgroup v2; run as root, or start the machine with systemd.unified_cgroup_hierarchy=1".into());
        }
        if host.needs_runc() && !has_runc {
            found.error(
                "crun can't start nodes with these control groups and capabilities; install runc"
                    .into(),
            );
        }
    }
    if host.cgroup != Cgroup::V2 && node.minor() >= FIRST_WITHOUT_CGROUP_V1 {
        found.warning(format!(
            "Kubernetes {} no longer supports this machine's cgroup v1; if its kubelet does not start, use a node image of Kubernetes 1.34 or older",
            node.kubernetes
        ));
    }
    found.0
}

/// Kubernetes 1.35 made the kubelet refuse cgroup v1.
const FIRST_WITHOUT_CGROUP_V1: u32 = 35;

/// Whether runc is installed; podman looks for it in the system's folders too.
pub(super) fn has_runc() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(Into::into));
    folders
        .into_iter()
        .any(|folder| folder.join("runc").is_file())
}

struct Findings(Vec<PreflightFinding>);

impl Findings {
    fn error(&mut self, sentence: String) {
        self.0.push(PreflightFinding {
            severity: Severity::Error,
            sentence,
        });
    }

    fn warning(&mut self, sentence: String) {
        self.0.push(PreflightFinding {
            severity: Severity::Warning,
            sentence,
        });
    }

    fn room(&mut self, place: &str, free: Option<u64>, advice: &str) {
        match free {
            Some(free) if free < MIB_TO_START => {
                self.error(format!("{place} has {free} MiB free; {advice}"));
            }
            Some(free) if free < MIB_FOR_NODES => {
                self.warning(format!(
                    "{place} has {free} MiB free and a run can fill {MIB_FOR_NODES}; {advice}"
                ));
            }
            _ => {}
        }
    }

    fn inotify(&mut self, name: &str, value: Option<u64>, least: u64) {
        if let Some(value) = value.filter(|value| *value < least) {
            self.warning(format!(
                "fs.inotify.{name} is {value}, so kubelet or containerd may fail with \"too many open files\"; as root: sysctl fs.inotify.{name}={least}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn good() -> Host {
        Host {
            cgroup: Cgroup::V2,
            sys_resource: true,
            root: true,
            tasks: None,
            inotify_instances: Some(128),
            inotify_watches: Some(192_536),
            memory: Some(16_000),
            cache_free: Some(60_000),
            engine_free: Some(60_000),
            modules: true,
        }
    }

    fn node(kubernetes: &str) -> NodeFacts {
        NodeFacts {
            kubernetes: kubernetes.into(),
            containerd_config: 2,
            default_cni: false,
        }
    }

    #[test]
    fn a_good_machine_has_no_findings() {
        assert_eq!(
            findings(&good(), EngineKind::Podman, true, &node("v1.37.0")),
            []
        );
    }

    #[test]
    fn the_machine_of_development_has_none_with_the_built_node() {
        let host = Host {
            cgroup: Cgroup::Hybrid,
            sys_resource: false,
            modules: false,
            ..good()
        };
        assert_eq!(
            findings(&host, EngineKind::Podman, true, &node("v1.34.4")),
            []
        );
    }

    #[rstest]
    #[case::full(Host { engine_free: Some(100), ..good() }, Severity::Error, "100 MiB free")]
    #[case::nearly_full(Host { cache_free: Some(3000), ..good() }, Severity::Warning, "KUBERAY_CONFORMANCE_CACHE")]
    #[case::memory(Host { memory: Some(1000), ..good() }, Severity::Error, "1000 MiB of memory")]
    #[case::little_memory(Host { memory: Some(3000), ..good() }, Severity::Warning, "may be killed")]
    #[case::tasks(Host { tasks: Some(512), ..good() }, Severity::Warning, "512 tasks")]
    #[case::instances(Host { inotify_instances: Some(64), ..good() }, Severity::Warning, "sysctl fs.inotify.max_user_instances=128")]
    #[case::watches(Host { inotify_watches: Some(8192), ..good() }, Severity::Warning, "max_user_watches")]
    #[case::modules(Host { modules: false, root: false, ..good() }, Severity::Error, "mkdir /lib/modules")]
    #[case::rootless(Host { cgroup: Cgroup::Hybrid, root: false, ..good() }, Severity::Error, "needs cgroup v2")]
    fn what_is_missing_is_said(#[case] host: Host, #[case] severity: Severity, #[case] part: &str) {
        let found = findings(&host, EngineKind::Podman, true, &node("v1.34.4"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].severity, severity);
        assert!(found[0].sentence.contains(part), "{}", found[0]);
    }

    #[rstest]
    #[case(Host { sys_resource: false, ..good() }, EngineKind::Podman, 1)]
    #[case(Host { cgroup: Cgroup::Hybrid, ..good() }, EngineKind::Podman, 1)]
    #[case(Host { sys_resource: false, ..good() }, EngineKind::Docker, 0)]
    #[case(good(), EngineKind::Podman, 0)]
    fn runc_is_asked_for_where_crun_fails(
        #[case] host: Host,
        #[case] engine: EngineKind,
        #[case] expected: usize,
    ) {
        assert_eq!(
            findings(&host, engine, false, &node("v1.34.4")).len(),
            expected
        );
    }

    #[test]
    fn a_new_node_on_old_control_groups_is_warned_about() {
        let host = Host {
            cgroup: Cgroup::V1,
            ..good()
        };
        let found = findings(&host, EngineKind::Docker, true, &node("v1.37.0"));
        assert!(
            found[0].to_string().contains("warning: Kubernetes v1.37.0"),
            "{found:?}"
        );
    }
}
