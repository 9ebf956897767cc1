//! Node images and node containers, looked at and reached through the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::ClusterError;
use super::node_facts::NodeFacts;
use crate::container::Engine;
use crate::process;

const LABEL: &str = "kuberay-conformance";

/// Reads what a node image contains: its labels where we built it, else its files.
pub(super) async fn facts(engine: &Engine, image: &str) -> Result<NodeFacts, ClusterError> {
    let mut inspect = engine.command();
    inspect.args([
        "image",
        "inspect",
        "--format",
        "{{json .Config.Labels}}",
        image,
    ]);
    let labels = process::output(
        inspect,
        "reading the labels of the node image",
        process::INSPECTION,
    )
    .await?;
    if let Some(facts) = from_labels(&labels) {
        return Ok(facts);
    }
    let mut run = engine.command();
    run.args([
        "run",
        "--rm",
        "--network=none",
        "--entrypoint=/bin/sh",
        image,
        "-c",
        LOOK,
    ]);
    let found = process::output(run, "looking into the node image", process::CHANGE).await?;
    from_files(&found).ok_or(ClusterError::Answer {
        doing: "looking into the node image",
        answer: found,
    })
}

const LOOK: &str = "cat /kind/version; echo; grep -m1 '^version' /etc/containerd/config.toml || echo version = 1; ls /kind/manifests";

fn from_labels(json: &str) -> Option<NodeFacts> {
    let labels: Option<BTreeMap<String, String>> = serde_json::from_str(json).ok()?;
    let labels = labels?;
    let label = |name: &str| labels.get(&format!("{LABEL}.{name}"));
    Some(NodeFacts {
        kubernetes: label("kubernetes")?.clone(),
        containerd_config: label("containerd-config")?.parse().ok()?,
        default_cni: label("cni")? != "none",
    })
}

/// Of what [`LOOK`] prints.
fn from_files(found: &str) -> Option<NodeFacts> {
    let mut lines = found.lines().map(str::trim).filter(|line| !line.is_empty());
    let kubernetes = lines
        .next()
        .filter(|line| line.starts_with('v'))?
        .to_owned();
    let containerd_config = lines
        .next()?
        .strip_prefix("version")?
        .trim()
        .strip_prefix('=')?
        .trim()
        .parse()
        .ok()?;
    Some(NodeFacts {
        kubernetes,
        containerd_config,
        default_cni: lines.any(|file| file == "default-cni.yaml"),
    })
}

/// Runs a shell script in a node; its arguments are `$1`, `$2` …
pub(super) async fn script(
    engine: &Engine,
    node: &str,
    script: &str,
    arguments: &[&str],
    doing: &str,
    limit: Duration,
) -> Result<String, ClusterError> {
    let mut exec = engine.command();
    exec.args(["exec", node, "sh", "-euc", script, "sh"])
        .args(arguments);
    Ok(process::output(exec, &format!("{doing} in the node {node}"), limit).await?)
}

/// Names of the containers that have a label, running or not.
pub(super) async fn containers(
    engine: &Engine,
    label: &str,
    only_running: bool,
) -> Result<Vec<String>, ClusterError> {
    let mut list = engine.command();
    list.args([
        "ps",
        "--filter",
        &format!("label={label}"),
        "--format",
        "{{.Names}}",
    ]);
    if !only_running {
        list.arg("--all");
    }
    lines(list, "listing containers").await
}

/// Names of everything of a kind (`ps --all`, `network ls` …), ours or not.
pub(super) async fn lines(
    list: tokio::process::Command,
    doing: &str,
) -> Result<Vec<String>, ClusterError> {
    let names = process::output(list, doing, process::INSPECTION).await?;
    Ok(names
        .lines()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn our_own_image_says_it_in_labels() {
        let json = r#"{"kuberay-conformance.kubernetes":"v1.34.4","kuberay-conformance.containerd-config":"2","kuberay-conformance.cni":"none"}"#;
        let facts = from_labels(json).unwrap();
        assert_eq!(
            facts,
            NodeFacts {
                kubernetes: "v1.34.4".into(),
                containerd_config: 2,
                default_cni: false
            }
        );
    }

    #[rstest]
    #[case("null")]
    #[case("{}")]
    #[case(r#"{"kuberay-conformance.kubernetes":"v1.34.4"}"#)]
    fn other_images_are_looked_into(#[case] labels: &str) {
        assert_eq!(from_labels(labels), None);
    }

    #[rstest]
    #[case::pulled("v1.37.0\nversion = 2\ndefault-cni.yaml\ndefault-storage.yaml\n", Some(("v1.37.0", 2, true)))]
    #[case::newer_file("v1.40.0\n\nversion = 3\ndefault-cni.yaml\n", Some(("v1.40.0", 3, true)))]
    #[case::without_network("v1.34.4\nversion = 2\ndefault-storage.yaml\n", Some(("v1.34.4", 2, false)))]
    #[case::not_a_node("sh: not found", None)]
    fn files_say_it_too(#[case] found: &str, #[case] expected: Option<(&str, u32, bool)>) {
        let expected = expected.map(|(kubernetes, containerd_config, default_cni)| NodeFacts {
            kubernetes: kubernetes.into(),
            containerd_config,
            default_cni,
        });
        assert_eq!(from_files(found), expected);
    }
}
