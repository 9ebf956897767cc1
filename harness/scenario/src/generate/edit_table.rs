//! The table of edits.

/// Kinds as one letter each, the first release that gets it, and what is set where. A `g` marks
/// what feature gates change.
///
/// In a path `$` is the specification of the RayCluster, `^` the one of the RayJob, and `-` the end
/// of a list; `~1` is a slash in a name. No value removes a field. An edit of which a list element
/// is missing leaves the object as it is.
pub(super) struct Entry(
    pub &'static str,
    pub (u64, u64),
    pub &'static [(&'static str, &'static str)],
);

macro_rules! ray {
    ($rest:literal) => {
        concat!("$/headGroupSpec/template/spec/containers/0/", $rest)
    };
}
macro_rules! params {
    ($rest:literal) => {
        concat!("$/headGroupSpec/rayStartParams/", $rest)
    };
}
macro_rules! worker {
    ($rest:literal) => {
        concat!("$/workerGroupSpecs/0/", $rest)
    };
}

const ALL: (u64, u64) = (1, 0);
const REDIS: (&str, &str) = (
    "$/gcsFaultToleranceOptions",
    r#"{"redisAddress": "redis:6379"}"#,
);
const SCALES: (&str, &str) = ("$/enableInTreeAutoscaling", "true");
const V2: (&str, &str) = ("$/autoscalerOptions", r#"{"version": "v2"}"#);
const SHUTDOWN: (&str, &str) = ("^/shutdownAfterJobFinishes", "true");
const SELECTOR: (&str, &str) = ("^/clusterSelector", r#"{"ray.io/cluster": "shared"}"#);
const SIDECAR: (&str, &str) = ("^/submissionMode", r#""SidecarMode""#);
const HISTORY: &str = r#"{"collectorOptions": {"image": "collector", "env": [
    {"name": "STORAGE_BACKEND", "value": "S3"},
    {"name": "S3_REGION", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
]}}"#;
const COLLECTOR_WITHOUT_BACKEND: &str =
    r#"{"collectorOptions": {"image": "collector", "env": [{"name": "A", "value": "1"}]}}"#;
const COLLECTOR_WITHOUT_BUCKET: &str = r#"{"collectorOptions": {"image": "collector", "env": [
    {"name": "STORAGE_BACKEND", "value": "gcs"}
]}}"#;
const POLICY_OF_NOBODY: &str =
    r#"{"mode": "DenyAllIngress", "workerGroups": [{"groupName": "nobody"}]}"#;
const RULES: &str = r#"{"deletionRules": [
    {"policy": "DeleteCluster", "condition": {"jobStatus": "FAILED", "ttlSeconds": 5}}
]}"#;
const TWO_RULES: &str = r#"{"deletionRules": [
    {"policy": "DeleteCluster", "condition": {"jobStatus": "FAILED", "ttlSeconds": 5}},
    {"policy": "DeleteSelf", "condition": {"jobStatus": "FAILED", "ttlSeconds": 1}}
]}"#;
const POLICIES: &str =
    r#"{"onSuccess": {"policy": "DeleteCluster"}, "onFailure": {"policy": "DeleteNone"}}"#;
const WORKERS: &str =
    r#"{"onSuccess": {"policy": "DeleteWorkers"}, "onFailure": {"policy": "DeleteWorkers"}}"#;
const INCREMENTAL: &str = r#"{"type": "NewClusterWithIncrementalUpgrade"}"#;
const SUBMITTER: &str =
    r#"{"spec": {"restartPolicy": "Never", "containers": [{"name": "s", "image": "ray"}]}}"#;
const NO_IMAGE: &str =
    r#"{"spec": {"restartPolicy": "Never", "containers": [{"name": "s", "image": ""}]}}"#;
const RESERVED: &str = r#"{"name": "KUBERAY_GEN_AUTOSCALER_START_CMD", "value": "a"}"#;
const LONG_54: &str = r#""a23456789-123456789-123456789-123456789-123456789-1234""#;
const LONG_48: &str = r#""a23456789-123456789-123456789-123456789-12345678""#;
const LONG_37: &str = r#""a23456789-123456789-123456789-1234567""#;

pub(super) static ENTRIES: &[Entry] = &[
    // The client, or the API server because the client asks it to check names.
    Entry("CJSX", ALL, &[("$/colour", r#""blue""#)]),
    Entry("CJSX", ALL, &[(ray!("comand"), r#"["a"]"#)]),
    Entry("CJSX", ALL, &[("/metadata/colour", r#""blue""#)]),
    Entry("CJS", ALL, &[("/apiVersion", r#""ray.io/v2""#)]),
    Entry("J", ALL, &[("^/submissionMod", r#""HTTPMode""#)]),
    Entry("SX", ALL, &[("/spec/colour", "[1]")]),
    // The API server.
    Entry("CJSX", ALL, &[(ray!("args"), r#""echo""#)]),
    Entry("CJSX", ALL, &[(params!("num-cpus"), "1")]),
    Entry("CJSX", ALL, &[("$/headGroupSpec/rayStartParams", "")]),
    Entry("JSXC", ALL, &[("$/headGroupSpec/template", "")]),
    Entry("SXCJ", ALL, &[("$/headGroupSpec", "")]),
    Entry(
        "XCJS",
        ALL,
        &[(ray!("ports"), r#"[{"containerPort": "a"}]"#)],
    ),
    Entry(
        "CJSX",
        ALL,
        &[(
            ray!("ports"),
            r#"[{"containerPort": 1}, {"containerPort": 1}]"#,
        )],
    ),
    Entry("JSXC", ALL, &[(ray!("env/-"), r#"{"value": "a"}"#)]),
    Entry("SXCJ", ALL, &[(ray!("env"), "null")]),
    Entry(
        "CJSX",
        ALL,
        &[(ray!("resources"), r#"{"limits": {"cpu": "many"}}"#)],
    ),
    Entry(
        "CJSX",
        ALL,
        &[("$/autoscalerOptions/upscalingMode", r#""Fast""#)],
    ),
    Entry("CJS", ALL, &[("$/managedBy", r#""me""#)]),
    Entry("J", ALL, &[("/spec/managedBy", r#""me""#)]),
    Entry("SCJX", ALL, &[("/metadata/labels/a", "1")]),
    Entry("JSCX", ALL, &[("/metadata/labels/a", r#""b c""#)]),
    Entry("CJSX", ALL, &[("/metadata/annotations/a b", r#""c""#)]),
    Entry("CJSX", ALL, &[("/metadata/name", r#""Team_A""#)]),
    Entry("JX", ALL, &[("^/backoffLimit", r#""three""#)]),
    Entry("JX", ALL, &[("^/entrypointNumCpus", r#""1""#)]),
    Entry("JX", ALL, &[("^/metadata", r#"{"a": 1}"#)]),
    Entry("J", ALL, &[("^/entrypoint", "")]),
    Entry("S", ALL, &[("/spec/serveConfigV2", "[]")]),
    Entry("X", ALL, &[("/spec/schedule", "5")]),
    Entry("X", ALL, &[("/spec/jobTemplate", "")]),
    Entry("CJS", ALL, &[("/apiVersion", r#""ray.io/v1alpha1""#)]),
    // The operator: names.
    Entry("C", ALL, &[("/metadata/name", LONG_54)]),
    Entry("C", ALL, &[("/metadata/name", r#""7b""#)]),
    Entry("C", ALL, &[("/metadata/name", r#""team.a""#)]),
    Entry("J", (1, 4), &[("/metadata/name", LONG_48)]),
    Entry("S", (1, 4), &[("/metadata/name", LONG_48)]),
    Entry("JS", (1, 4), &[("/metadata/name", r#""7b""#)]),
    Entry("Xg", ALL, &[("/metadata/name", LONG_37)]),
    Entry("Xg", ALL, &[("/spec/schedule", r#""* * * *""#)]),
    Entry("Xg", ALL, &[("/spec/schedule", r#""61 * * * *""#)]),
    Entry("Xg", ALL, &[("/spec/schedule", r#""CRON_TZ=UTC * * * *""#)]),
    Entry("Xg", ALL, &[("/spec/timeZone", r#""""#)]),
    Entry("Xg", ALL, &[("/spec/timeZone", r#""Mars/Olympus""#)]),
    // The operator: the RayCluster.
    Entry(
        "JSCX",
        ALL,
        &[("$/upgradeStrategy", r#"{"type": "Recreate"}"#)],
    ),
    Entry(
        "CJSX",
        (1, 3),
        &[("$/headGroupSpec/template/spec/containers", "[]")],
    ),
    Entry(
        "SCJX",
        (1, 3),
        &[(worker!("template/spec/containers"), "[]")],
    ),
    Entry(
        "CJSX",
        ALL,
        &[
            (params!("num-cpus"), r#""1""#),
            ("$/headGroupSpec/resources", r#"{"CPU": "1"}"#),
        ],
    ),
    Entry("JSXC", ALL, &[(params!("labels"), r#""a=b""#)]),
    Entry(
        "SCJX",
        ALL,
        &[("$/headGroupSpec/labels", r#"{"a b": "c"}"#)],
    ),
    Entry("CJSX", ALL, &[(worker!("labels"), r#"{"a": "b c"}"#)]),
    Entry("CJSX", ALL, &[(worker!("minReplicas"), "5")]),
    Entry("JSCX", ALL, &[(worker!("minReplicas"), "-1")]),
    Entry("SCJX", ALL, &[(worker!("minReplicas"), "")]),
    Entry("CJSX", ALL, &[(worker!("idleTimeoutSeconds"), "-1")]),
    Entry("JSCX", ALL, &[(worker!("idleTimeoutSeconds"), "5")]),
    Entry("CJSX", ALL, &[(worker!("priority"), "5")]),
    Entry(
        "CJSX",
        ALL,
        &[
            ("/metadata/annotations/ray.io~1ft-enabled", r#""true""#),
            REDIS,
        ],
    ),
    Entry(
        "CJSX",
        ALL,
        &[
            ("/metadata/annotations/ray.io~1ft-enabled", ""),
            ("$/gcsFaultToleranceOptions", ""),
            (
                ray!("env/-"),
                r#"{"name": "RAY_REDIS_ADDRESS", "value": "redis:6379"}"#,
            ),
        ],
    ),
    Entry("JSXC", ALL, &[REDIS, (params!("redis-password"), r#""a""#)]),
    Entry(
        "SCJX",
        ALL,
        &[
            (
                "/metadata/annotations/ray.io~1external-storage-namespace",
                r#""a""#,
            ),
            REDIS,
        ],
    ),
    Entry("CJSX", ALL, &[(params!("redis-username"), r#""me""#)]),
    Entry(
        "CJSXg",
        ALL,
        &[("$/gcsFaultToleranceOptions", r#"{"backend": "rocksdb"}"#)],
    ),
    Entry(
        "CJSXg",
        (1, 7),
        &[(
            "$/gcsFaultToleranceOptions",
            r#"{"backend": "rocksdb", "redisAddress": "redis:6379"}"#,
        )],
    ),
    Entry("CJSXg", ALL, &[(worker!("suspend"), "true")]),
    Entry("SCJXg", ALL, &[(worker!("suspend"), "true"), SCALES]),
    Entry(
        "CJSX",
        ALL,
        &[
            ("$/enableInTreeAutoscaling", "false"),
            (
                ray!("env/-"),
                r#"{"name": "RAY_enable_autoscaler_v2", "value": "true"}"#,
            ),
        ],
    ),
    Entry(
        "JSXC",
        ALL,
        &[
            SCALES,
            V2,
            (
                ray!("env/-"),
                r#"{"name": "RAY_enable_autoscaler_v2", "value": "1"}"#,
            ),
        ],
    ),
    Entry(
        "SCJX",
        ALL,
        &[
            SCALES,
            V2,
            ("$/headGroupSpec/template/spec/restartPolicy", r#""Always""#),
        ],
    ),
    Entry(
        "CJSX",
        ALL,
        &[("$/autoscalerOptions/idleTimeoutSeconds", "-5")],
    ),
    Entry(
        "CJSX",
        ALL,
        &[SCALES, ("$/autoscalerOptions/env/-", RESERVED)],
    ),
    Entry("CJSXg", ALL, &[("$/networkPolicy", "{}")]),
    Entry("CJSXg", (1, 7), &[("$/networkPolicy", POLICY_OF_NOBODY)]),
    Entry("JSCXg", ALL, &[("$/historyServerOptions", HISTORY)]),
    Entry(
        "CJSXg",
        (1, 7),
        &[("$/historyServerOptions", COLLECTOR_WITHOUT_BACKEND)],
    ),
    Entry(
        "CJSXg",
        (1, 7),
        &[("$/historyServerOptions", COLLECTOR_WITHOUT_BUCKET)],
    ),
    Entry("CJSX", ALL, &[("$/tlsOptions", r#"{"enabled": true}"#)]),
    Entry(
        "CJSX",
        ALL,
        &[
            ("$/authOptions", r#"{"mode": "token"}"#),
            ("$/rayVersion", r#""2.51.9""#),
        ],
    ),
    Entry(
        "JSXC",
        ALL,
        &[
            ("$/authOptions", r#"{"mode": "token"}"#),
            ("$/rayVersion", ""),
        ],
    ),
    Entry(
        "CJSX",
        ALL,
        &[
            (
                "$/authOptions",
                r#"{"mode": "token", "enableK8sTokenAuth": true}"#,
            ),
            ("$/rayVersion", r#""2.55.0""#),
            // The ServiceAccount admission plugin sets these on a cluster; envtest lacks it.
            (
                "$/headGroupSpec/template/spec/serviceAccountName",
                r#""default""#,
            ),
            (worker!("template/spec/serviceAccountName"), r#""default""#),
        ],
    ),
    Entry(
        "C",
        ALL,
        &[
            (
                "$/authOptions",
                r#"{"mode": "token", "enableK8sTokenAuth": true}"#,
            ),
            ("$/rayVersion", r#""2.54.0""#),
        ],
    ),
    // The creation of Pods and Services.
    Entry("CJSX", ALL, &[(ray!("name"), r#""Ray_Head""#)]),
    Entry("JSCX", ALL, &[(ray!("image"), r#""""#)]),
    Entry("SCJX", ALL, &[(ray!("image"), r#"" ray ""#)]),
    Entry("CJSX", ALL, &[(ray!("imagePullPolicy"), r#""always""#)]),
    Entry(
        "JSCX",
        ALL,
        &[("$/headGroupSpec/template/spec/restartPolicy", r#""never""#)],
    ),
    Entry(
        "SCJX",
        ALL,
        &[(ray!("env/-"), r#"{"name": "A=B", "value": "1"}"#)],
    ),
    Entry(
        "CJSX",
        ALL,
        &[(
            ray!("volumeMounts"),
            r#"[{"name": "data", "mountPath": "/d"}]"#,
        )],
    ),
    Entry(
        "JSCX",
        ALL,
        &[(
            ray!("ports/-"),
            r#"{"containerPort": 70000, "name": "dashboard"}"#,
        )],
    ),
    Entry(
        "SCJX",
        ALL,
        &[(
            ray!("resources"),
            r#"{"limits": {"cpu": "1"}, "requests": {"cpu": "1500m"}}"#,
        )],
    ),
    Entry(
        "CJSX",
        ALL,
        &[(ray!("resources"), r#"{"limits": {"cpu": "-1"}}"#)],
    ),
    Entry(
        "CJSX",
        ALL,
        &[("$/headGroupSpec/serviceType", r#""Loadbalancer""#)],
    ),
    Entry(
        "CJSX",
        ALL,
        &[(
            "$/headGroupSpec/template/metadata/labels",
            r#"{"a": "b c"}"#,
        )],
    ),
    Entry("CJSX", ALL, &[(worker!("groupName"), r#""a b""#)]),
    Entry(
        "SCJX",
        ALL,
        &[(worker!("template/spec/containers/0/image"), r#""""#)],
    ),
    Entry(
        "J",
        ALL,
        &[
            ("^/submissionMode", ""),
            ("^/submitterPodTemplate", NO_IMAGE),
        ],
    ),
    // The operator: the RayJob.
    Entry(
        "JS",
        ALL,
        &[
            (
                "$/authOptions",
                r#"{"mode": "token", "enableK8sTokenAuth": true}"#,
            ),
            ("$/rayVersion", r#""2.55.0""#),
        ],
    ),
    Entry("JX", ALL, &[("^/suspend", "true")]),
    Entry(
        "J",
        (1, 1),
        &[("^/suspend", "true"), SHUTDOWN, SELECTOR, ("$", "")],
    ),
    Entry("JX", ALL, &[("$", "")]),
    Entry("JX", ALL, &[("^/runtimeEnvYAML", r#""a: [""#)]),
    Entry(
        "J",
        ALL,
        &[("^/submissionMode", ""), ("^/entrypoint", r#""a 'b""#)],
    ),
    Entry("JX", (1, 1), &[("^/runtimeEnvYAML", r#""- a""#)]),
    Entry("JX", ALL, &[("^/activeDeadlineSeconds", "0")]),
    Entry("JX", ALL, &[("^/backoffLimit", "-1")]),
    Entry("JX", ALL, &[("^/preRunningDeadlineSeconds", "0")]),
    Entry("JX", ALL, &[("^/ttlSecondsAfterFinished", "-1")]),
    Entry("JX", ALL, &[("^/ttlSecondsAfterFinished", "5")]),
    Entry(
        "J",
        ALL,
        &[("^/clusterSelector", r#"{"a": "b"}"#), ("$", "")],
    ),
    Entry("J", (1, 5), &[SELECTOR, ("$", ""), SIDECAR]),
    Entry("J", (1, 6), &[SELECTOR, ("$", ""), ("^/backoffLimit", "2")]),
    Entry(
        "JX",
        (1, 5),
        &[SIDECAR, ("^/submitterPodTemplate", SUBMITTER)],
    ),
    Entry(
        "JX",
        (1, 5),
        &[
            SIDECAR,
            ("$/headGroupSpec/template/spec/restartPolicy", r#""Always""#),
        ],
    ),
    Entry(
        "JX",
        (1, 4),
        &[
            ("^/submissionMode", r#""InteractiveMode""#),
            ("^/backoffLimit", "2"),
        ],
    ),
    Entry("JXg", ALL, &[("^/deletionPolicy", r#""DeleteCluster""#)]),
    Entry("JXg", ALL, &[("^/deletionStrategy", RULES)]),
    Entry("JX", ALL, &[("^/deletionStrategy", RULES), SHUTDOWN]),
    Entry("JX", ALL, &[("^/deletionStrategy", TWO_RULES)]),
    Entry("JXg", ALL, &[("^/deletionStrategy", POLICIES)]),
    Entry("JX", ALL, &[("^/deletionStrategy", POLICIES), SHUTDOWN]),
    Entry("JX", ALL, &[("^/deletionStrategy", WORKERS), SCALES]),
    Entry("JX", ALL, &[("^/deletionStrategy", "{}")]),
    Entry(
        "J",
        ALL,
        &[
            ("^/submissionMode", ""),
            (ray!("ports"), r#"[{"containerPort": 6379, "name": "gcs"}]"#),
        ],
    ),
    Entry(
        "J",
        ALL,
        &[("^/metadata", r#"{"a": "b"}"#), ("$/rayVersion", "")],
    ),
    Entry(
        "J",
        ALL,
        &[
            ("^/metadata", r#"{"a": "b"}"#),
            ("$/rayVersion", r#""nightly""#),
        ],
    ),
    Entry(
        "J",
        ALL,
        &[
            ("^/metadata", r#"{"a": "b"}"#),
            ("$/rayVersion", r#""2.5.0""#),
        ],
    ),
    // The operator: the RayService.
    Entry(
        "S",
        ALL,
        &[(
            "$/headGroupSpec/headService",
            r#"{"metadata": {"name": "own"}}"#,
        )],
    ),
    Entry(
        "S",
        ALL,
        &[("/spec/upgradeStrategy", r#"{"type": "Rolling"}"#)],
    ),
    Entry("S", ALL, &[("/spec/upgradeStrategy", INCREMENTAL)]),
    Entry(
        "S",
        ALL,
        &[(
            "/metadata/annotations/ray.io~1initializing-timeout",
            r#""soon""#,
        )],
    ),
    Entry(
        "S",
        ALL,
        &[(
            "/metadata/annotations/ray.io~1initializing-timeout",
            r#""-5m""#,
        )],
    ),
    Entry(
        "S",
        ALL,
        &[(
            "/metadata/annotations/ray.io~1initializing-timeout",
            r#""600""#,
        )],
    ),
    Entry("S", ALL, &[("/spec/rayClusterDeletionDelaySeconds", "-1")]),
    // Features.
    Entry("JXg", (1, 5), &[SIDECAR, ("^/submitterPodTemplate", "")]),
    // Objects that wait.
    Entry("C", ALL, &[("$/suspend", "true")]),
    Entry("JX", ALL, &[("^/suspend", "true"), SHUTDOWN]),
    Entry("JS", ALL, &[("$/suspend", "true")]),
    Entry("S", ALL, &[("/spec/suspend", "true")]),
    Entry("Xg", ALL, &[("/spec/suspend", "true")]),
    Entry(
        "CJS",
        ALL,
        &[("/spec/managedBy", r#""kueue.x-k8s.io/multikueue""#)],
    ),
    Entry(
        "C",
        ALL,
        &[("/spec/managedBy", r#""ray.io/kuberay-operator""#)],
    ),
];
