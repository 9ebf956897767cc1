//! How objects of all kinds are generated: the fields of RayJobs, and what every kind shares.

use kuberay_contract::{Feature, FieldValidation};
use proptest::collection::{btree_map, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use semver::Version;
use serde_json::{Map, Value, json};

use super::edits::Edit;
use super::object::ObjectPlan;
use super::object_kind::ObjectKind;
use super::{strategy, words};

/// Objects of a kind with these edits. An edit needs one worker group.
pub(super) fn object(
    release: &Version,
    workers: usize,
    kind: ObjectKind,
    edits: Vec<Edit>,
) -> BoxedStrategy<ObjectPlan> {
    let cluster = if edits.is_empty() {
        strategy::plan(release, workers)
    } else {
        strategy::plan_with(release, 1..=1)
    };
    let job = match kind {
        ObjectKind::RayJob | ObjectKind::RayCronJob => job(release),
        _ => Just(Map::new()).boxed(),
    };
    let validation = match edits.first() {
        Some(edit) => Just(edit.validation()).boxed(),
        None => select(vec![
            FieldValidation::Strict,
            FieldValidation::Warn,
            FieldValidation::Ignore,
        ])
        .boxed(),
    };
    (cluster, job, validation)
        .prop_map(move |(mut cluster, job, validation)| {
            if job.contains_key("metadata") {
                // Without it nothing is submitted; edits remove it.
                let version = cluster.options.entry("rayVersion");
                version.or_insert_with(|| "2.46.0".into());
            }
            ObjectPlan {
                kind,
                cluster,
                job,
                edits: edits.clone(),
                validation,
            }
        })
        .boxed()
}

/// The fields of a RayJob that shape its submitter.
fn job(release: &Version) -> BoxedStrategy<Map<String, Value>> {
    let has = |feature: Feature| feature.entry().covers(release);
    // A shell reads the entrypoint of later releases; the operator itself splits it before.
    let entrypoint = if has(Feature::SubmitterScript) {
        prop_oneof![3 => words::entrypoint(), 1 => words::word()].boxed()
    } else {
        words::entrypoint()
    };
    let mut modes = vec!["K8sJobMode", "K8sJobMode", "HTTPMode"];
    // The first release with each of these modes has the feature, too.
    if has(Feature::FlagsSorted) {
        modes.push("InteractiveMode");
    }
    if has(Feature::SubmitterSidecar) {
        modes.extend(["SidecarMode", "SidecarMode"]);
    }
    let amounts = || {
        weighted(
            0.15,
            select(vec![json!(1), json!(0.5), json!(2.25), json!(0)]),
        )
    };
    (
        entrypoint,
        weighted(0.4, words::runtime_env()),
        weighted(0.2, btree_map("[a-z<&'\"]{1,5}", words::value(), 1..3)),
        weighted(0.2, "[a-z]{1,8}"),
        (amounts(), amounts(), weighted(0.15, words::resources())),
        weighted(0.4, select(modes)),
        weighted(0.3, submitter()),
    )
        .prop_map(
            |(entrypoint, env, metadata, id, (cpus, gpus, resources), mode, submitter)| {
                let mut job = Map::from_iter([("entrypoint".to_owned(), json!(entrypoint))]);
                let mut add = |name: &str, value: Option<Value>| {
                    job.extend(value.map(|value| (name.to_owned(), value)));
                };
                add("runtimeEnvYAML", env.map(Value::from));
                add("metadata", metadata.map(|map| json!(map)));
                add("jobId", id.map(Value::from));
                add("entrypointNumCpus", cpus);
                add("entrypointNumGpus", gpus);
                add("entrypointResources", resources.map(Value::from));
                add("submissionMode", mode.map(Value::from));
                if mode != Some("SidecarMode") {
                    add("submitterPodTemplate", submitter);
                }
                job
            },
        )
        .boxed()
}

fn submitter() -> BoxedStrategy<Value> {
    (
        weighted(0.3, vec(words::word(), 1..3)),
        weighted(0.3, vec(words::word(), 1..3)),
        weighted(0.4, btree_map("[A-Z]{1,3}", words::value(), 1..3)),
        any::<bool>(),
    )
        .prop_map(|(command, args, env, sidecar)| {
            let mut container = json!({"name": "submitter", "image": "ray"});
            if let Some(command) = command {
                container["command"] = json!(command);
            }
            if let Some(args) = args {
                container["args"] = json!(args);
            }
            if let Some(env) = env {
                let variables = env
                    .iter()
                    .map(|(name, value)| json!({"name": name, "value": value}));
                container["env"] = variables.collect();
            }
            let mut containers = vec![container];
            if sidecar {
                containers.push(json!({"name": "side", "image": "side", "args": ["ray start"]}));
            }
            json!({"spec": {"restartPolicy": "Never", "containers": containers}})
        })
        .boxed()
}
