//! Tests of more than one file of this module.

mod cannot_fail;
mod changes;
mod foreign_files;
mod init;
mod lint;
mod load;
mod mutated;
mod reachable;
mod refusals;
mod settings;

use std::path::{Path, PathBuf};

use super::Diagnostic;

/// A scenario that is right; tests change one thing in it.
pub const GOOD: &str = r#"apiVersion: kuberay-conformance/v1beta1
kind: Scenario
metadata:
  name: demo
spec:
  description: A demonstration.
  rules: [C02]
  issues: []
  operator: ">=1.0.0"
  ray: ">=2.6.0"
  manifests:
    - raycluster.yaml
    - sample: ray-cluster.head-command.yaml
  timeout: 90s
  checks:
    - pod: {role: head, snapshot: [command, args]}
    - ray: {nodes: 1}
    - logs:
        role: head
        after: [rayReady]
        lines:
          - may: waiting
            repeat: true
          - must: /a <pod-ip>:[0-9]+/
          - resources: {CPU: 1, memory: 2Gi, object_store_memory: present}
          - not: Traceback
    - job: {entrypoint: python, status: SUCCEEDED}
    - state: {role: head, running: true}
    - never: {for: 10s, after: job, restarts: {role: head}}
    - event: {reason: BackOff}
    - rejected: {by: operator, message: "no"}
"#;

pub const CLUSTER: &str = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata:\n  name: demo\n";

/// A folder `demo` with these files, below a folder that goes away when dropped.
pub fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("demo");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    (root, folder)
}

/// `file:line:column message (help)` of each problem.
pub fn lines(problems: &[Diagnostic]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| {
            let file = problem
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let help = problem
                .help
                .as_ref()
                .map(|help| format!(" ({help})"))
                .unwrap_or_default();
            let at = problem.location;
            format!("{file}:{}:{} {}{help}", at.line, at.column, problem.message)
        })
        .collect()
}

/// The folder of the repository's own scenarios.
pub fn own_scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}
