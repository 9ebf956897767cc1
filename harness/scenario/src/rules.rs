//! What the schema can't say about a scenario file; each finding has its place.

mod operator_settings;
mod placement;

use std::path::{Component, Path};

use kuberay_manifest::yaml::{Node, Yaml};
use kuberay_manifest::{Diagnostic, Source};
use semver::VersionReq;

use placement::{marks_ready, needs_kubelet};

use super::duration::parse_duration;
use super::model::DEFAULT_TIMEOUT;
use super::problems::Problems;
use super::{check, files};

/// Finds what is wrong with a tree beyond its shape; where the shape is wrong, nothing is said
/// twice.
pub fn check(source: &Source, tree: &Node, folder: &str) -> Vec<Diagnostic> {
    let mut problems = Problems::new(source);
    name(&mut problems, tree, folder);
    if let Some(spec) = tree.get("spec") {
        for range in ["operator", "ray"] {
            version_range(&mut problems, spec, range);
        }
        problems.duration(spec.get("timeout"));
        for file in spec.get("manifests").map_or(&[][..], Node::items) {
            manifest(&mut problems, file);
        }
        checks(&mut problems, spec);
        steps(&mut problems, spec);
        operator_settings::check(&mut problems, spec);
    }
    problems.found()
}

fn name(problems: &mut Problems<'_>, tree: &Node, folder: &str) {
    let Some(name) = tree
        .get("metadata")
        .and_then(|metadata| metadata.get("name"))
    else {
        return;
    };
    if name.text().is_some_and(|name| name != folder) {
        let message = format!("the name differs from that of the folder, `{folder}`");
        problems.error(name, message, "give both the same name");
    }
}

fn version_range(problems: &mut Problems<'_>, spec: &Node, key: &str) {
    let Some(node) = spec.get(key) else { return };
    if let Some(Err(error)) = node.text().map(VersionReq::parse) {
        let message = format!("`{key}` is not a range of versions: {error}");
        problems.error(
            node,
            message,
            "write a semver range, such as \">=1.4, <1.7\"",
        );
    }
}

/// A check's own limit ends before that of all.
fn within(problems: &mut Problems<'_>, body: &Node, spec: &Node) {
    let Some(node) = body.get("within") else {
        return;
    };
    problems.duration(Some(node));
    let length = |node: &Node| node.text().and_then(|text| parse_duration(text).ok());
    let all = spec.get("timeout").map_or(Some(DEFAULT_TIMEOUT), length);
    if let (Some(own), Some(all)) = (length(node), all)
        && own > all
    {
        let message = format!("all checks together have {all:?}, which is less");
        problems.error(node, message, "shorten it, or raise `timeout`");
    }
}

fn manifest(problems: &mut Problems<'_>, manifest: &Node) {
    if let Some(name) = manifest.get("sample") {
        if name
            .text()
            .is_some_and(|text| text.is_empty() || text.contains(['/', '\\']))
        {
            let message = "a sample is named without its folder";
            problems.error(
                name,
                message,
                "write a file name of the release's config/samples",
            );
        }
        return;
    }
    let Some(text) = manifest.text() else { return };
    let inside = Path::new(text)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if text.is_empty() || !inside {
        let message = format!("the manifest `{text}` does not lie in the scenario's folder");
        problems.error(
            manifest,
            message,
            "keep it beside the scenario file and write only its name",
        );
        return;
    }
    let folder = problems.source.folder();
    let file = folder.join(text);
    match files::open(folder, &file) {
        Ok(_) => {}
        Err(error) if error.is_absence() => {
            let message = format!("the manifest `{text}` does not exist in the scenario's folder");
            problems.error(manifest, message, "add the file, or correct its name");
        }
        Err(error) => {
            let message = format!("the manifest `{text}` {error}");
            problems.error(
                manifest,
                message,
                "put the file itself beside the scenario file",
            );
        }
    }
}

fn checks(problems: &mut Problems<'_>, spec: &Node) {
    let checks = spec.get("checks").map_or(&[][..], Node::items);
    let has_job = checks.iter().any(|check| check.get("job").is_some());
    let marks_ready = marks_ready(spec);
    let kinds = check::kinds();
    for check in checks {
        let Yaml::Map(entries) = &check.value else {
            continue;
        };
        for (kind, body) in entries {
            let Some(kind) = kinds.iter().find(|known| known.key == kind.name) else {
                continue;
            };
            if marks_ready && kind.needs_kubelet {
                let message = format!(
                    "`{}` needs a kubelet, and `markReady` needs a target without one",
                    kind.key
                );
                problems.error(check, message, "leave `markReady` or this check out");
            }
            if !kind.knows_pods_of_jobs {
                let pods = ["restarts", "ready", "node"].map(|key| body.get(key));
                for pod in pods.into_iter().flatten().chain([body]) {
                    problems.no_pod_of_a_job(kind.key, pod.get("role"));
                }
            }
            if !kind.follows_log {
                for key in ["after", "first", "then"] {
                    no_end(problems, body.get(key));
                }
            }
            within(problems, body, spec);
            (kind.lint)(problems, body);
            if !has_job {
                milestones(problems, body);
            }
        }
    }
}

/// What a steps applies and deletes needs its moment.
fn steps(problems: &mut Problems<'_>, spec: &Node) {
    let steps = spec.get("steps");
    let key = |key: &str| steps.and_then(|steps| steps.get(key));
    if let Some(apply) = key("apply") {
        manifest(problems, apply);
    }
    if let Some(between) = key("applyBetween") {
        manifest(problems, between);
        if spec.get("upgradeFrom").is_none() || !marks_ready(spec) {
            let message = "this is applied between two operators, on envtest";
            let help = "add `upgradeFrom` and `markReady: true`, or write `apply`";
            problems.error(between, message, help);
        }
    }
    let acts = key("apply").or(key("delete")).or(spec.get("upgradeFrom"));
    let ready = marks_ready(spec);
    let has_kubelet = needs_kubelet(spec).is_some();
    if let Some(act) = acts.filter(|_| !ready && !has_kubelet) {
        let message = "this is done once the RayCluster is ready, which it never is here";
        problems.error(act, message, "add `markReady: true`");
    }
    for check in spec.get("checks").map_or(&[][..], Node::items) {
        if let Some(created) = check.get("pod").and_then(|pod| pod.get("created"))
            && acts.is_none()
        {
            let message = "there is no step before or after which a Pod could be created";
            problems.error(
                created,
                message,
                "add `apply` or `delete` to `steps`, or leave this out",
            );
        }
    }
}

/// The milestone `ended` is of the container whose log it is.
fn no_end(problems: &mut Problems<'_>, milestone: Option<&Node>) {
    if let Some(milestone) = milestone.filter(|milestone| milestone.text() == Some("ended")) {
        let message = "only a `logs` check may refer to `ended`";
        problems.error(
            milestone,
            message,
            "expect the end and the restarts in a `state` check",
        );
    }
}

/// A milestone that only a `job` check can lift, in a scenario that has none.
fn milestones(problems: &mut Problems<'_>, body: &Node) {
    let named = ["after", "first", "then"]
        .into_iter()
        .filter_map(|key| body.get(key));
    for milestone in named.flat_map(|named| std::iter::once(named).chain(named.items())) {
        if milestone.text() == Some("job") {
            let message = "the milestone `job` is never reached";
            problems.error(
                milestone,
                message,
                "add a `job` check, or wait for another milestone",
            );
        }
    }
}
