//! The cases of the confusion matrix: scenarios of the repository, and clusters that are made here.

use std::path::{Path, PathBuf};

use kuberay_conformance::explain::TRAPS;
use kuberay_conformance::manifest;
use kuberay_conformance::plan::includes;
use kuberay_conformance::scenario::{
    OperatorSettings, Scenario, apply_changes, load_all, manifests,
};
use semver::Version;
use serde_json::{Value, json};

use crate::support::scenarios;

/// What `doctor` is to say.
pub enum Expected {
    /// One of these causes first.
    First(&'static [&'static str]),
    /// A cause of each of these lists, one of them first.
    All(Vec<&'static [&'static str]>),
    /// No problem, but this warning.
    Warned(&'static str),
    /// Nothing.
    Silent,
}

/// Objects of one namespace, with what `doctor` is to say of them.
pub struct Case {
    pub name: String,
    pub objects: Vec<Value>,
    /// What is applied once everything is ready.
    pub later: Vec<Value>,
    /// Whether a webhook rewrites its Pods.
    pub rewritten: bool,
    /// Whether its events are gone whenever `doctor` asks.
    pub events_vanish: bool,
    pub expected: Expected,
}

impl Case {
    pub fn new(name: &str, objects: Vec<Value>, expected: Expected) -> Self {
        Self {
            name: name.into(),
            objects,
            later: Vec::new(),
            rewritten: false,
            events_vanish: false,
            expected,
        }
    }
}

/// Public reports of kuberay with the fault of a case.
const REPORTS: &[(&str, &str)] = &[
    ("path-set-by-a-profile", "3856"),
    ("parameters-are-shell-text", "1984"),
    ("generated-command-without-eval", "3756"),
    ("ray-not-first", "1379"),
    ("refused-labels-in-parameters", "4974"),
    ("refused without events", "2250"),
    ("rayjob-entrypoint-of-two-commands", "3802"),
    ("entrypoint of two commands", "3929"),
    ("shell without a script", "2767"),
    ("another command", "2534"),
    ("another image", "4140"),
    ("hungry wait-gcs-ready", "2735"),
    ("Pods that a webhook rewrites", "558"),
];

/// The public reports with the fault of a case; empty where none is known.
pub fn reports(name: &str) -> &'static str {
    let found = REPORTS.iter().find(|(case, _)| *case == name);
    found.map_or("", |(_, reports)| reports)
}

/// Scenarios whose Ray does not start, or does not become ready, with the cause.
const HAZARDS: &[(&str, &[&str])] = &[
    ("exit-ends-the-container", &["ends-shell"]),
    ("exec-replaces-the-shell", &["ends-shell"]),
    ("errexit-before-the-last-command", &["errexit"]),
    ("errexit-and-the-limit", &["errexit"]),
    ("trailing-semicolon", &["trailing-semicolon"]),
    ("trailing-ampersand", &["trailing-ampersand"]),
    ("trailing-newline", &["trailing-newline"]),
    ("trailing-comment", &["trailing-comment"]),
    ("ray-start-only-mentioned", &["ray-start-in-text"]),
    ("ray-started-twice", &["ray-start-in-words"]),
    ("variables-before-the-shell", &["ends-shell"]),
    ("parameters-are-shell-text", &["shell-in-parameter"]),
    ("path-set-by-a-profile", &["ray-not-in-path"]),
    ("generated-command-without-eval", &["gen-cmd-unquoted"]),
    ("ray-option-unknown", &["unknown-ray-option"]),
    ("ray-option-type", &["parameter-type"]),
    ("ray-option-json", &["unreadable-json"]),
    ("post-start-hook-fails", &["post-start-hook-fails"]),
    ("probe-of-the-user-fails", &["probe-fails"]),
    ("probe-of-the-user-restarts", &["probe-kills-slow-start"]),
    ("worker-without-ray", &["wait-gcs-ready-without-ray"]),
    ("here-document-without-end", &["open-here-document"]),
    ("own-start-without-address", &["ray-start-without-address"]),
    ("own-start-without-block", &["ray-start-without-block"]),
    (
        "profile-that-no-shell-reads",
        &["needs-login-shell", "ends-shell"],
    ),
    ("variables-in-env", &["ends-shell"]),
    ("wait-for-all-jobs", &["ends-shell"]),
    ("generated-start-command-as-a-word", &["gen-cmd-not-run"]),
    ("entrypoint-with-open-quote", &["entrypoint-syntax"]),
    ("entrypoint-absent", &["no-entrypoint"]),
    ("submitter-without-submission-id", &["submitter-without-id"]),
    ("runtime-env-with-a-number", &["runtime-env-type"]),
];

/// Scenarios whose Ray is ready in the end, though some hold a hazard.
const HEALTHY: &[&str] = &[
    "before-ray-start",
    "failing-command-is-swallowed",
    "limit-that-cannot-be-raised",
    "path-reset-by-a-profile",
    "state-before-ray-start",
    "solution-1-background-command",
    "solution-2-post-start-hook",
    "post-start-hook-takes-long",
    "ready-waits-for-ray",
    "head-and-worker-on-two-nodes",
    "worker-command",
    "worker-background-and-hook",
    "overwrite-head-alone",
    "autoscaler-adds-a-worker",
    "rayservice-head",
    "rayjob",
    "sample-head-command",
    "sample-overwrite-command",
];

/// Scenarios that `doctor` explains although everything is well.
const WARNED: &[(&str, &str)] = &[
    ("rayjob-entrypoint-of-two-commands", "entrypoint-runs-here"),
    ("script-in-words", "argv-loses-quoting"),
];

/// Traps whose page has an example that does not start, with the causes that name it.
const EXAMPLE_HAZARDS: &[(&str, &[&str])] = &[
    ("overwrite-without-command", &["overwrite-without-command"]),
    // The text is one word, with the annotation and without it.
    (
        "annotation-ignored",
        &["annotation-ignored", "container-start"],
    ),
    ("env-not-expanded", &["env-not-expanded"]),
    ("no-gcs-port", &["no-gcs-port"]),
    ("no-dashboard-port", &["no-dashboard-port"]),
    ("no-serve-port", &["no-serve-port"]),
];

/// Traps whose example starts, and that `doctor` warns of.
const EXAMPLE_WARNED: &[&str] = &["gen-cmd-without-annotation", "group-name-twice"];

/// Traps whose example starts, and that only `check` reports.
const EXAMPLE_HEALTHY: &[&str] = &[
    "block-ignored",
    "false-dropped",
    "no-cpu-limit",
    "env-overwritten",
    "ulimit-variable-ignored",
    "group-suspended",
    "ports-disagree",
    "kubelet-expands",
    "submitter-args-lost",
    "entrypoint-loses-quotes",
];

/// Traps without a case, with the reason.
const WITHOUT_CASE: &[(&str, &str)] = &[
    ("not-analysed", "it says nothing about what the text does"),
    ("path-reset", "KubeRay before 1.4"),
    ("resources-hide-gpus", "it needs a node with a GPU"),
    ("accelerator-ignored", "it needs a node with an accelerator"),
    ("group-field-ignored", "KubeRay before 1.5"),
    ("entrypoint-lines", "KubeRay before 1.3"),
    (
        "autoscaler-command-ignored",
        "the API server drops the field",
    ),
    (
        "metadata-dropped",
        "the job runs, and doctor does not read its metadata",
    ),
    ("limits-end-the-operator", "KubeRay 1.1.0 alone"),
    ("probes-fail", "KubeRay before 1.6"),
    ("submission-mode-unknown", "KubeRay before 1.5"),
];

/// What the nodes have: the operator's release, Ray's image and its release.
pub struct Stack {
    pub operator: Version,
    pub image: String,
    pub ray: String,
    /// The samples of the operator's release.
    pub samples: PathBuf,
}

/// All cases that the operator of the cluster can show.
pub fn all(stack: &Stack) -> Vec<Case> {
    let all = load_all(&scenarios()).unwrap();
    let case = |name: &str, expected: Expected| {
        let scenario = all.iter().find(|one| one.file.metadata.name == name);
        let scenario = scenario.unwrap_or_else(|| panic!("no scenario {name}"));
        of_scenario(scenario, stack, expected)
    };
    let mut cases = Vec::new();
    for (name, causes) in HAZARDS {
        cases.extend(case(name, Expected::First(causes)));
    }
    for name in HEALTHY {
        cases.extend(case(name, Expected::Silent));
    }
    for (name, cause) in WARNED {
        cases.extend(case(name, Expected::Warned(cause)));
    }
    for (trap, causes) in EXAMPLE_HAZARDS {
        cases.push(of_example(trap, stack, Expected::First(causes)));
    }
    for trap in EXAMPLE_WARNED {
        cases.push(of_example(trap, stack, Expected::Warned(trap)));
    }
    for trap in EXAMPLE_HEALTHY {
        cases.push(of_example(trap, stack, Expected::Silent));
    }
    for scenario in all.iter().filter(|one| is_refused_by_operator(one)) {
        cases.extend(of_scenario(
            scenario,
            stack,
            Expected::First(&["refused-by-operator"]),
        ));
    }
    cases.extend(own(stack));
    cases.extend(several_faults(stack));
    cases
}

fn is_refused_by_operator(scenario: &Scenario) -> bool {
    let spec = &scenario.file.spec;
    let refusal = serde_json::to_value(&spec.checks).unwrap();
    let by = refusal.pointer("/0/rejected/by");
    // Settings of the operator would replace the one that is there.
    by.is_some_and(|by| by == "operator") && spec.operator_settings == OperatorSettings::default()
}

fn of_scenario(scenario: &Scenario, stack: &Stack, expected: Expected) -> Option<Case> {
    let spec = &scenario.file.spec;
    if !includes(&scenario.operator, &stack.operator) {
        return None;
    }
    let mut objects = manifests(scenario, Some(&stack.samples)).unwrap();
    for object in &mut objects {
        with_jobs_that_succeed(object);
    }
    // The namespace is set with the names.
    apply_changes(&mut objects, &spec.changes, "", &stack.image, &stack.ray);
    Some(Case::new(&scenario.file.metadata.name, objects, expected))
}

/// The example of a trap's page, which has the trap and no other fault.
fn of_example(trap: &str, stack: &Stack, expected: Expected) -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/explain/src/examples");
    let path = folder.join(format!("{trap}.yaml"));
    let text = std::fs::read_to_string(&path).unwrap();
    let source = manifest::Source::new(&path, &text);
    let mut object = manifest::objects(&source).unwrap().remove(0);
    with_jobs_that_succeed(&mut object);
    on_nodes(&mut object, stack);
    Case::new(&format!("example of {trap}"), vec![object], expected)
}

/// Gives containers the image that the nodes have, and requests that leave capacity for other cases.
fn on_nodes(value: &mut Value, stack: &Stack) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| on_nodes(item, stack)),
        Value::Object(fields) => {
            if fields.contains_key("image") {
                fields["image"] = stack.image.as_str().into();
            }
            if let Some(resources) = fields.get_mut("resources") {
                resources["requests"] = json!({"cpu": "100m", "memory": "512Mi"});
            }
            fields.values_mut().for_each(|item| on_nodes(item, stack));
        }
        _ => {}
    }
}

/// The jobs of scenarios and examples run a file that is not in Ray's image: a fault beside the one
/// that is planted.
fn with_jobs_that_succeed(value: &mut Value) {
    match value {
        Value::String(text) => {
            for script in ["python main.py", "python a.py"] {
                *text = text.replace(script, "python --version");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(with_jobs_that_succeed),
        Value::Object(fields) => fields.values_mut().for_each(with_jobs_that_succeed),
        _ => {}
    }
}

/// A RayCluster with a head and a worker, whose containers do what they should.
fn cluster(stack: &Stack) -> Value {
    let container = |name: &str| {
        json!({"name": name, "image": stack.image, "resources": {
            "limits": {"cpu": "1", "memory": "2Gi"},
            "requests": {"cpu": "100m", "memory": "512Mi"}}})
    };
    json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "own"},
        "spec": {"rayVersion": stack.ray,
            "headGroupSpec": {"rayStartParams": {},
                "template": {"spec": {"containers": [container("ray-head")]}}},
            "workerGroupSpecs": [{"groupName": "group", "replicas": 1, "minReplicas": 1,
                "maxReplicas": 1, "rayStartParams": {},
                "template": {"spec": {"containers": [container("ray-worker")]}}}]}})
}

/// A fault of a Pod template, with the causes that name it.
struct Fault {
    name: &'static str,
    cause: &'static [&'static str],
    plant: fn(&mut Value),
}

/// Faults of a head. The containers of the worker wait meanwhile.
const OF_HEAD: &[Fault] = &[
    Fault {
        name: "trailing-operator",
        cause: &["trailing-operator"],
        plant: |spec| spec["containers"][0]["args"] = json!(["echo one &&"]),
    },
    Fault {
        name: "syntax-error",
        cause: &["syntax-error"],
        plant: |spec| spec["containers"][0]["args"] = json!(["if true; then"]),
    },
    Fault {
        name: "never-returns",
        cause: &["never-returns"],
        plant: |spec| spec["containers"][0]["command"] = json!(["sleep", "infinity"]),
    },
    Fault {
        name: "ray-not-first",
        cause: &["ray-not-first"],
        plant: |spec| {
            // Every node has this image; it holds no shell, as those of many sidecars.
            let side = json!({"name": "logger", "image": "registry.k8s.io/pause:3.10.1"});
            let containers = spec["containers"].as_array_mut().unwrap();
            containers.insert(0, side);
        },
    },
    Fault {
        name: "side-container-fails",
        cause: &["side-container-fails"],
        plant: |spec| {
            let mut side = spec["containers"][0].clone();
            side["name"] = "logger".into();
            side["command"] = json!(["/bin/sh", "-c", "echo no; exit 4"]);
            side["resources"] = json!({});
            spec["containers"].as_array_mut().unwrap().push(side);
        },
    },
    Fault {
        name: "out-of-memory",
        cause: &["out-of-memory"],
        plant: |spec| {
            let memory = json!({"limits": {"cpu": "1", "memory": "48Mi"},
                "requests": {"cpu": "100m", "memory": "48Mi"}});
            spec["containers"][0]["resources"] = memory;
        },
    },
];

/// Faults of a worker, which show whatever the head does.
const OF_WORKER: &[Fault] = &[
    Fault {
        name: "image-not-found",
        cause: &["image-not-found", "image-pull-fails"],
        plant: |spec| {
            let image = spec["containers"][0]["image"].as_str().unwrap();
            let (name, _) = image.rsplit_once(':').unwrap();
            spec["containers"][0]["image"] = format!("{name}:no-such-tag").into();
        },
    },
    Fault {
        name: "too-large",
        cause: &["too-large"],
        plant: |spec| {
            let cpu = json!({"limits": {"cpu": "1000"}, "requests": {"cpu": "1000"}});
            spec["containers"][0]["resources"] = cpu;
        },
    },
    Fault {
        name: "unschedulable",
        cause: &["unschedulable"],
        plant: |spec| spec["nodeSelector"] = json!({"no-such-label": "there"}),
    },
    Fault {
        name: "init-container-fails",
        cause: &["init-container-fails"],
        plant: |spec| {
            let mut init = spec["containers"][0].clone();
            init["name"] = "fetch".into();
            init["command"] = json!(["/bin/sh", "-c", "echo no; exit 4"]);
            spec["initContainers"] = json!([init]);
        },
    },
    Fault {
        name: "volume-absent",
        cause: &["container-config"],
        plant: |spec| {
            spec["volumes"] = json!([{"name": "v", "configMap": {"name": "absent"}}]);
            let mount = json!([{"name": "v", "mountPath": "/v"}]);
            spec["containers"][0]["volumeMounts"] = mount;
        },
    },
];

fn template<'a>(cluster: &'a mut Value, role: &str) -> &'a mut Value {
    let path = if role == "head" {
        "/spec/headGroupSpec/template/spec"
    } else {
        "/spec/workerGroupSpecs/0/template/spec"
    };
    cluster.pointer_mut(path).unwrap()
}

/// One fault each, and reports that no scenario shows.
fn own(stack: &Stack) -> Vec<Case> {
    let case = Case::new;
    let mut cases = Vec::new();
    for (role, faults) in [("head", OF_HEAD), ("worker", OF_WORKER)] {
        for fault in faults {
            let mut cluster = cluster(stack);
            (fault.plant)(template(&mut cluster, role));
            let expected = Expected::First(fault.cause);
            cases.push(case(fault.name, vec![cluster], expected));
        }
    }
    // `bash -c` without its script: the words after it are another command.
    let mut shell = cluster(stack);
    template(&mut shell, "head")["containers"][0]["command"] = json!(["bash", "-c"]);
    let expected = Expected::First(&["shell-without-script"]);
    cases.push(case("shell without a script", vec![shell], expected));
    let mut job = json!({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "job"},
        "spec": {"entrypoint": "echo one; python /no/such/file.py"}});
    job["spec"]["rayClusterSpec"] = cluster(stack)["spec"].take();
    let expected = Expected::First(&["entrypoint-runs-here"]);
    cases.push(case("entrypoint of two commands", vec![job], expected));
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"},
        "spec": {"hard": {"pods": "0"}}});
    let expected = Expected::First(&["quota"]);
    cases.push(case("quota", vec![quota, cluster(stack)], expected));
    let mut changed = cluster(stack);
    template(&mut changed, "head")["containers"][0]["args"] = json!(["echo another"]);
    let mut with_image = cluster(stack);
    let container = &mut template(&mut with_image, "head")["containers"][0];
    container["image"] = format!("{}-another", stack.image).into();
    for (name, later) in [("another command", changed), ("another image", with_image)] {
        let expected = Expected::First(&["stale-pod"]);
        let mut stale = case(name, vec![cluster(stack)], expected);
        stale.later = vec![later];
        cases.push(stale);
    }
    // The operator refuses it, and the events that say so are gone.
    let mut refused = cluster(stack);
    refused["spec"]["workerGroupSpecs"][0]["minReplicas"] = json!(2);
    let expected = Expected::First(&["refused-by-operator"]);
    let mut refused = case("refused without events", vec![refused], expected);
    refused.events_vanish = true;
    cases.push(refused);
    cases.push(hungry_wait(stack));
    let mut rewritten = case(
        "Pods that a webhook rewrites",
        vec![cluster(stack)],
        Expected::First(&["changed-by-another-writer"]),
    );
    rewritten.rewritten = true;
    cases.push(rewritten);
    cases
}

/// kuberay#2735: what wait-gcs-ready runs needs more memory than its container may use.
fn hungry_wait(stack: &Stack) -> Case {
    let ray = "#!/bin/sh\nexec python3 -c \"b'x' * (900 << 20)\"\n";
    let tools = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tools"},
        "data": {"ray": ray}});
    let mut cluster = cluster(stack);
    let worker = template(&mut cluster, "worker");
    worker["volumes"] = json!([{"name": "v",
        "configMap": {"name": "tools", "defaultMode": 0o755}}]);
    // The operator gives the init container the worker's environment and mounts.
    let ray = &mut worker["containers"][0];
    ray["volumeMounts"] = json!([{"name": "v", "mountPath": "/tools"}]);
    ray["env"] = json!([{"name": "PATH", "value": "/tools:/usr/local/bin:/usr/bin:/bin"}]);
    let expected = Expected::First(&["wait-gcs-ready-out-of-memory"]);
    Case::new("hungry wait-gcs-ready", vec![tools, cluster], expected)
}

/// Ten RayClusters with two or three faults each.
fn several_faults(stack: &Stack) -> Vec<Case> {
    // Places in the two lists, and whether a side container fails, too.
    let chosen = [
        (0, 0, false),
        (1, 1, false),
        (2, 2, false),
        (3, 3, false),
        (0, 4, true),
        (1, 0, true),
        (2, 1, true),
        (0, 2, true),
        (1, 3, true),
        (2, 4, false),
    ];
    let mut cases = Vec::new();
    for (head, worker, side) in chosen {
        let (head, worker) = (&OF_HEAD[head], &OF_WORKER[worker]);
        let mut cluster = cluster(stack);
        let mut causes = vec![head.cause, worker.cause];
        let mut name = format!("{} + {}", head.name, worker.name);
        if side {
            (OF_HEAD[4].plant)(template(&mut cluster, "head"));
            causes.push(OF_HEAD[4].cause);
            name.push_str(" + side-container-fails");
        }
        (head.plant)(template(&mut cluster, "head"));
        (worker.plant)(template(&mut cluster, "worker"));
        cases.push(Case::new(&name, vec![cluster], Expected::All(causes)));
    }
    cases
}

#[test]
fn every_trap_has_a_case_or_a_reason() {
    let scenarios = HAZARDS.iter().map(|(name, _)| *name);
    let scenarios: Vec<&str> = scenarios
        .chain(HEALTHY.iter().copied())
        .chain(WARNED.iter().map(|(name, _)| *name))
        .collect();
    let faults = OF_HEAD.iter().chain(OF_WORKER);
    let causes = faults.flat_map(|fault| fault.cause).copied();
    let mut planted: Vec<&str> = causes
        .chain(
            HAZARDS
                .iter()
                .flat_map(|(_, causes)| causes.iter().copied()),
        )
        .chain(WARNED.iter().map(|(_, cause)| *cause))
        .chain(EXAMPLE_HAZARDS.iter().map(|(trap, _)| *trap))
        .chain(EXAMPLE_WARNED.iter().copied())
        .chain(EXAMPLE_HEALTHY.iter().copied())
        .collect();
    planted.push("shell-without-script");
    let mut missing = Vec::new();
    for trap in TRAPS {
        let is_shown = planted.contains(&trap.id)
            || trap.scenarios.iter().any(|name| scenarios.contains(name));
        let reason = WITHOUT_CASE.iter().find(|(id, _)| *id == trap.id);
        match reason {
            None if !is_shown => missing.push(format!("{} has no case", trap.id)),
            Some((id, why)) if is_shown => {
                missing.push(format!("{id} has a case, and a reason: {why}"));
            }
            _ => {}
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
