//! The table of the contract: each feature once, with its rule, its releases, its source and a
//! sentence.
//!
//! Files are those of the `ray-operator` module, numbers the operator's issues and pull requests.

use semver::Version;

use super::classes::plain;

/// One thing that an operator does to the containers of Ray Pods, with the releases that do it.
///
/// ```
/// use kuberay_contract::{Feature, features};
///
/// let shell = Feature::PlainShell.entry();
/// assert_eq!(shell.rule, "C09");
/// assert!(shell.covers(&semver::Version::new(1, 6, 2)));
/// assert!(!shell.covers(&semver::Version::new(1, 3, 2)));
/// assert!(features().contains(shell));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureEntry {
    /// The feature.
    pub feature: Feature,
    /// Its name in reports, in kebab case.
    pub name: &'static str,
    /// The rule that it belongs to, such as `C02`.
    pub rule: &'static str,
    /// The first release that does it.
    pub since: Version,
    /// The first release that no longer does it.
    pub until: Option<Version>,
    /// Source file or issue of KubeRay that shows it.
    pub source: &'static str,
    /// The behaviour, in one sentence.
    pub says: &'static str,
}

impl FeatureEntry {
    /// Returns whether a release has the feature; a candidate such as 1.7.0-rc.1 counts as its
    /// release.
    pub fn covers(&self, release: &Version) -> bool {
        let release = plain(release);
        self.since <= release && self.until.as_ref().is_none_or(|until| release < *until)
    }
}

macro_rules! bound {
    (($major:literal, $minor:literal, $patch:literal)) => {
        Some(Version::new($major, $minor, $patch))
    };
    (now) => {
        None
    };
}

macro_rules! features {
    ($($feature:ident $name:literal $rule:ident, ($major:literal, $minor:literal, $patch:literal) .. $until:tt, $source:literal:
        $says:literal;)*) => {
        /// A feature of the contract; [`Feature::entry`] returns its rule, releases and source.
        ///
        /// ```
        /// use kuberay_contract::Feature;
        ///
        /// let entry = Feature::PlainShell.entry();
        /// assert_eq!(entry.name, "plain-shell");
        /// assert_eq!(entry.since.to_string(), "1.4.0");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(clippy::doc_markdown, reason = "the sentences of the table are shown as they are")]
        pub enum Feature {
            $(#[doc = $says] $feature,)*
        }

        /// The table, in the order of [`Feature`].
        static FEATURES: [FeatureEntry; { [$(stringify!($feature)),*].len() }] = [
            $(FeatureEntry {
                feature: Feature::$feature,
                name: $name,
                rule: stringify!($rule),
                since: Version::new($major, $minor, $patch),
                until: bound!($until),
                source: $source,
                says: $says,
            },)*
        ];
    };
}

features! {
    GeneratedCommand "generated-command" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go BuildPod":
        "The Ray container runs a shell whose one argument ends in the generated `ray start`.";
    UserCommandFirst "user-command-first" C02, (1, 0, 0)..now, "controllers/ray/common/pod.go convertCmdToString":
        "The elements of command and args precede it, each between spaces and without quotes, joined by ` && `.";
    RayStartInText "ray-start-in-text" C06, (1, 0, 0)..now, "controllers/ray/common/pod.go BuildPod":
        "A command that contains `ray start` stays unchanged, and the operator generates nothing.";
    OverwriteOnCluster "overwrite-on-cluster" C07, (1, 1, 0)..now, "#1704":
        "The annotation ray.io/overwrite-container-cmd on the RayCluster, true in any letter case, leaves command and args unchanged.";
    OverwriteOnTemplate "overwrite-on-template" C07, (1, 1, 0)..now, "controllers/ray/common/pod.go BuildPod":
        "The annotation on a Pod template does the same for that group only.";
    GenRayStartCmd "gen-ray-start-cmd" C08, (1, 1, 0)..now, "#1722":
        "KUBERAY_GEN_RAY_START_CMD holds the generated `ray start`, without ulimit.";
    LoginShell "login-shell" C09, (1, 0, 0)..(1, 4, 0), "#427":
        "The shell is `/bin/bash -lc --`.";
    PlainShell "plain-shell" C09, (1, 4, 0)..now, "#3679, #3704":
        "The shell is `/bin/bash -c --`.";
    LoginShellOnRequest "login-shell-on-request" C09, (1, 4, 0)..now, "#3704":
        "With ENABLE_LOGIN_SHELL=true on the operator the shell's letters end in `l`.";
    UlimitFixed "ulimit-fixed" C11, (1, 0, 0)..(1, 7, 0), "controllers/ray/common/pod.go BuildPod":
        "`ulimit -n 65536; ` precedes `ray start`.";
    UlimitFromEnv "ulimit-from-env" C11, (1, 7, 0)..now, "#4860":
        "The limit is ${RAY_START_ULIMIT_OPEN_FILES:-65536}.";

    BlockDefault "block-default" C12, (1, 0, 0)..(1, 1, 0), "controllers/ray/common/pod.go setMissingRayStartParams":
        "`block` is true unless rayStartParams set it.";
    SleepWithoutBlock "sleep-without-block" C12, (1, 0, 0)..(1, 1, 0), "controllers/ray/common/pod.go BuildPod":
        "Without `--block` the command ends in ` && sleep infinity`.";
    BlockForced "block-forced" C12, (1, 1, 0)..now, "#1718":
        "`--block` is always given; a value of the user is replaced.";
    SwitchOn "switch-on" C12, (1, 0, 0)..now, "controllers/ray/common/pod.go convertParamMap":
        "A parameter whose value is true becomes a bare flag.";
    SwitchOff "switch-off" C12, (1, 0, 0)..now, "controllers/ray/common/pod.go convertParamMap":
        "A parameter whose value is false is dropped.";
    BooleanValueKept "boolean-value-kept" C12, (1, 0, 0)..now, "controllers/ray/common/pod.go convertParamMap":
        "log-color and include-dashboard keep `=true` and `=false`.";
    LogMonitorAsSwitch "log-monitor-as-switch" C12, (1, 0, 0)..(1, 7, 0), "#4857":
        "include-log-monitor counts as a switch: false is dropped.";
    LogMonitorKept "log-monitor-kept" C12, (1, 7, 0)..now, "#4857":
        "include-log-monitor keeps its value.";
    DashboardHost "dashboard-host" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setMissingRayStartParams":
        "The head gets `--dashboard-host=0.0.0.0` unless it is given.";
    MetricsExportPort "metrics-export-port" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setMissingRayStartParams":
        "`--metrics-export-port=8080` is added unless it is given.";
    AgentPortForServices "agent-port-for-services" C01, (1, 0, 0)..(1, 1, 0), "controllers/ray/common/pod.go setMissingRayStartParams":
        "`--dashboard-agent-listen-port=52365` is added only with the annotation that a RayService sets.";
    AgentPort "agent-port" C01, (1, 1, 0)..now, "controllers/ray/common/pod.go setMissingRayStartParams":
        "`--dashboard-agent-listen-port=52365` is added unless it is given.";
    WorkerAddress "worker-address" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setMissingRayStartParams":
        "A worker gets `--address`, the head's service and its `port` parameter or 6379, unless it is given.";
    NoMonitor "no-monitor" C18, (1, 0, 0)..now, "controllers/ray/common/pod.go DefaultHeadPodTemplate":
        "With the in-tree autoscaler the head gets `--no-monitor`.";
    FlagsInRandomOrder "flags-in-random-order" C23, (1, 0, 0)..(1, 3, 0), "#2425":
        "The order of the flags differs between Pods.";
    FlagsSorted "flags-sorted" C23, (1, 3, 0)..now, "#2425":
        "The flags are sorted by name.";

    CpusFromLimits "cpus-from-limits" C13, (1, 0, 0)..now, "controllers/ray/common/pod.go generateRayStartCommand":
        "`--num-cpus` is the limit of cpu, rounded up.";
    CpusFromRequests "cpus-from-requests" C13, (1, 3, 0)..now, "#2365":
        "Without a limit of cpu `--num-cpus` is the request, rounded up.";
    MemoryFromLimits "memory-from-limits" C13, (1, 0, 0)..now, "controllers/ray/common/pod.go generateRayStartCommand":
        "`--memory` is the limit of memory in bytes, rounded up.";
    AnyGpuFromLimits "any-gpu-from-limits" C13, (1, 0, 0)..(1, 3, 0), "controllers/ray/common/pod.go generateRayStartCommand":
        "`--num-gpus` is the limit of any one resource whose name ends in gpu.";
    FirstGpuFromLimits "first-gpu-from-limits" C13, (1, 3, 0)..now, "controllers/ray/common/pod.go addWellKnownAcceleratorResources":
        "`--num-gpus` is the limit of the first resource by name whose name ends in gpu.";
    MigFromLimits "mig-from-limits" C13, (1, 4, 0)..now, "controllers/ray/common/pod.go isGPUResourceKey":
        "Slices of a GPU, nvidia.com/mig-NgNNgb, count as GPUs.";
    AcceleratorFromLimits "accelerator-from-limits" C13, (1, 3, 0)..now, "controllers/ray/common/pod.go addWellKnownAcceleratorResources":
        "The first limit of aws.amazon.com/neuroncore or google.com/tpu joins `--resources`, which is written again in single quotes.";
    UnreadableResources "unreadable-resources" C13, (1, 3, 0)..now, "controllers/ray/common/pod.go getResourcesMap":
        "Where `resources` is no JSON object of numbers once its outer quotes are off, limits give neither GPUs nor accelerators.";
    GroupResources "group-resources" C13, (1, 5, 0)..now, "controllers/ray/common/pod.go updateRayStartParamsResources":
        "A group's own `resources` become --num-cpus, --memory, --num-gpus and --resources.";
    GroupLabels "group-labels" C13, (1, 5, 0)..now, "controllers/ray/common/pod.go updateRayStartParamsLabels":
        "A group's own `labels` become `--labels`, sorted by name.";

    HeadServiceShortened "head-service-shortened" C01, (1, 0, 0)..(1, 4, 0), "controllers/ray/utils/util.go GenerateHeadServiceName":
        "The name of the head's service keeps its last 50 characters, and a leading digit or dash becomes r.";
    HeadServiceWhole "head-service-whole" C01, (1, 4, 0)..now, "controllers/ray/utils/util.go GenerateHeadServiceName":
        "The name of the head's service is the RayCluster's with -head-svc.";
    HeadServiceNamed "head-service-named" C01, (1, 0, 0)..now, "controllers/ray/utils/util.go GenerateHeadServiceName":
        "The name that headService gives is used.";
    ClusterDomain "cluster-domain" C25, (1, 0, 0)..now, "controllers/ray/utils/util.go GetClusterDomainName":
        "CLUSTER_DOMAIN on the operator replaces cluster.local.";
    ClusterNameLong "cluster-name-long" C07, (1, 0, 0)..(1, 4, 0), "controllers/ray/utils/util.go GenerateRayClusterName":
        "The RayCluster of a RayJob or RayService is named NAME-raycluster-xxxxx.";
    ClusterNameShort "cluster-name-short" C07, (1, 4, 0)..now, "controllers/ray/utils/util.go GenerateRayClusterName":
        "The RayCluster of a RayJob or RayService is named NAME-xxxxx.";
    ParentAnnotations "parent-annotations" C07, (1, 0, 0)..now, "controllers/ray/rayjob_controller.go, rayservice_controller.go":
        "The annotations of a RayJob or RayService are those of its RayCluster.";

    EnvDefaults "env-defaults" C25, (1, 5, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "The operator's defaultContainerEnvs are added where the user has no variable of that name.";
    EnvHeadAddress "env-head-address" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "A worker gets FQ_RAY_IP and RAY_IP, the head's service.";
    EnvClusterName "env-cluster-name" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "RAY_CLUSTER_NAME comes from the Pod's label.";
    EnvClusterNamespace "env-cluster-namespace" C01, (1, 6, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "RAY_CLUSTER_NAMESPACE is the Pod's namespace.";
    EnvInstance "env-instance" C01, (1, 1, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "RAY_CLOUD_INSTANCE_ID and RAY_NODE_TYPE_NAME name Pod and group.";
    EnvPort "env-port" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "RAY_PORT is the head's port unless it is given.";
    EnvService "env-service" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "Pods of a RayService get shorter timeouts unless they are given.";
    EnvServePin "env-serve-pin" C01, (1, 0, 0)..(1, 1, 0), "controllers/ray/common/pod.go setContainerEnvVars":
        "Pods of a RayService get RAY_INTERNAL_SERVE_CONTROLLER_PIN_ON_NODE=0 unless it is given.";
    EnvAddress "env-address" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "RAY_ADDRESS is 127.0.0.1 or the head's service, with its port, unless it is given.";
    EnvUsage "env-usage" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "RAY_USAGE_STATS_KUBERAY_IN_USE=1 and RAY_DASHBOARD_ENABLE_K8S_DISK_USAGE=1 are added unless they are given.";
    EnvExtraTags "env-extra-tags" C01, (1, 1, 0)..now, "controllers/ray/common/pod.go setContainerEnvVars":
        "The head's RAY_USAGE_STATS_EXTRA_TAGS name the operator's release and the kind of object.";
    EnvRedisAlways "env-redis-always" C01, (1, 0, 0)..(1, 3, 0), "controllers/ray/common/pod.go setContainerEnvVars":
        "REDIS_PASSWORD is the group's redis-password or empty, unless it is given.";
    EnvStorageFromPod "env-storage-from-pod" C01, (1, 0, 0)..(1, 3, 0), "controllers/ray/common/pod.go setContainerEnvVars":
        "RAY_external_storage_namespace is the Pod's annotation, on head and workers.";
    EnvReconnect "env-reconnect" C01, (1, 0, 0)..now, "controllers/ray/common/pod.go":
        "Workers of a fault-tolerant cluster wait 600 s for the GCS, unless a variable sets the time.";
    EnvStorageOfHead "env-storage-of-head" C01, (1, 3, 0)..now, "controllers/ray/common/pod.go configureGCSFaultTolerance":
        "The head of a fault-tolerant cluster gets RAY_external_storage_namespace.";
    EnvRedisFromParams "env-redis-from-params" C01, (1, 3, 0)..now, "controllers/ray/common/pod.go configureGCSFaultTolerance":
        "The head of a cluster that is fault tolerant by annotation gets REDIS_PASSWORD from rayStartParams.";
    FaultToleranceOptions "fault-tolerance-options" C01, (1, 3, 0)..now, "controllers/ray/common/pod.go configureGCSFaultTolerance":
        "gcsFaultToleranceOptions give the head the address, user and password of Redis as variables and `$`-parameters.";
    EmbeddedStorage "embedded-storage" C01, (1, 7, 0)..now, "controllers/ray/common/pod.go configureEmbeddedFT":
        "With the rocksdb backend the head gets RAY_gcs_storage and its path.";
    TokenAuth "token-auth" C27, (1, 5, 1)..now, "controllers/ray/common/pod.go SetContainerTokenAuthEnvVars":
        "With authOptions.mode token Ray's containers get RAY_AUTH_MODE and RAY_AUTH_TOKEN.";
    TokenAuthTwice "token-auth-twice" C27, (1, 5, 1)..(1, 6, 0), "controllers/ray/common/pod.go SetContainerTokenAuthEnvVars":
        "They are added even where the user has them.";
    TokenAuthOnce "token-auth-once" C27, (1, 6, 0)..now, "#4554":
        "They are added unless they are given; authOptions.secretName names the Secret.";
    KubernetesAuth "kubernetes-auth" C27, (1, 6, 0)..now, "#4509":
        "With enableK8sTokenAuth RAY_ENABLE_K8S_TOKEN_AUTH replaces the token.";

    WaitGcsReady "wait-gcs-ready" C15, (1, 0, 0)..now, "controllers/ray/common/pod.go DefaultWorkerPodTemplate":
        "A worker's last init container waits until the head's GCS answers; ENABLE_INIT_CONTAINER_INJECTION=false leaves it out.";
    WaitGcsReadyTabs "wait-gcs-ready-tabs" C15, (1, 0, 0)..(1, 2, 0), "controllers/ray/common/pod.go DefaultWorkerPodTemplate":
        "Two tabs follow its `sleep 5`.";
    WaitGcsReadyOldPage "wait-gcs-ready-old-page" C15, (1, 0, 0)..(1, 5, 0), "controllers/ray/common/pod.go DefaultWorkerPodTemplate":
        "It names the FAQ in the operator's repository.";
    WaitGcsReadyNewPage "wait-gcs-ready-new-page" C15, (1, 5, 0)..now, "controllers/ray/common/pod.go DefaultWorkerPodTemplate":
        "It names the page of Ray's documentation.";
    InitEnv "init-env" C15, (1, 0, 0)..now, "controllers/ray/common/pod.go setInitContainerEnvVars":
        "Every init container gets FQ_RAY_IP and RAY_IP.";
    ProbesOnRequest "probes-on-request" C16, (1, 0, 0)..(1, 1, 0), "controllers/ray/common/pod.go initHealthProbe":
        "Only fault-tolerant clusters get probes; those of the head query only the raylet.";
    Probes "probes" C16, (1, 1, 0)..now, "controllers/ray/common/pod.go initLivenessAndReadinessProbe":
        "A Ray container gets the liveness and readiness probes that it lacks. Those of the head query raylet and GCS, those of a worker only the raylet.";
    ServeProbe "serve-probe" C16, (1, 1, 0)..now, "#1808":
        "A worker of a RayService is ready only once Serve's proxy also responds.";
    ProbesWaitOneSecond "probes-wait-one-second" C16, (1, 0, 0)..(1, 2, 0), "controllers/ray/utils/constant.go DefaultLivenessProbeTimeoutSeconds":
        "Default probes wait 1 s for an answer.";
    ProbesWaitLonger "probes-wait-longer" C16, (1, 2, 0)..now, "controllers/ray/utils/constant.go DefaultLivenessProbeTimeoutSeconds":
        "Default probes wait 2 s or longer for an answer; wget waits 10 s for GCS and Serve.";
    ProbesTryOnce "probes-try-once" C16, (1, 4, 0)..now, "#3469":
        "wget in default probes tries once.";
    ProbePortsFixed "probe-ports-fixed" C16, (1, 1, 0)..(1, 6, 0), "#1760, #2584":
        "Default probes query the ports 52365 and 8265, whatever ports rayStartParams set.";
    ProbePortsGiven "probe-ports-given" C16, (1, 6, 0)..now, "#4041":
        "Default probes query the ports of agent and dashboard that rayStartParams set.";
    ProbesOverHttp "probes-over-http" C16, (1, 6, 0)..now, "#4041":
        "Where rayVersion is 2.53 or later, default probes are one HTTP request to the agent, which does not check the dashboard.";
    HeadProbesAsOfWorkers "head-probes-as-of-workers" C16, (1, 2, 0)..(1, 2, 2), "controllers/ray/common/pod.go initLivenessAndReadinessProbe":
        "The head's default probes wait for an answer as long as those of workers.";
    HeadProbesLonger "head-probes-longer" C16, (1, 2, 2)..now, "controllers/ray/utils/constant.go DefaultHeadLivenessProbeTimeoutSeconds":
        "The head's default probes wait 5 s for an answer, those of workers 2 s.";
    AutoscalerDirect "autoscaler-direct" C18, (1, 0, 0)..(1, 2, 0), "controllers/ray/common/pod.go BuildAutoscalerContainer":
        "The autoscaler is started as `ray kuberay-autoscaler` without a shell.";
    AutoscalerInShell "autoscaler-in-shell" C18, (1, 2, 0)..now, "#2268":
        "The autoscaler is started by a shell.";
    AutoscalerGenCmd "autoscaler-gen-cmd" C18, (1, 7, 0)..now, "#4835":
        "KUBERAY_GEN_AUTOSCALER_START_CMD holds its command.";
    AutoscalerOverride "autoscaler-override" C18, (1, 7, 0)..now, "#4835":
        "autoscalerOptions.command and args replace its own.";
    AutoscalerUserEnv "autoscaler-user-env" C18, (1, 0, 0)..now, "controllers/ray/common/pod.go mergeAutoscalerOverrides":
        "autoscalerOptions.env follows its own variables.";
    AutoscalerV2 "autoscaler-v2" C18, (1, 4, 0)..now, "controllers/ray/common/pod.go setAutoscalerV2EnvVars":
        "With version v2 the head gets RAY_enable_autoscaler_v2=true.";
    AutoscalerV1 "autoscaler-v1" C18, (1, 7, 0)..now, "controllers/ray/common/pod.go setAutoscalerV1EnvVars":
        "With version v1 the head gets RAY_enable_autoscaler_v2=false.";

    SubmitterArgv "submitter-argv" C19, (1, 0, 0)..(1, 3, 0), "controllers/ray/common/job.go GetK8sJobCommand":
        "The submitter's command is `ray job submit` as separate words, the entrypoint split as a shell would.";
    SubmitterScript "submitter-script" C19, (1, 3, 0)..now, "controllers/ray/common/job.go":
        "The submitter's argument is a script that bash reads: it submits unless the job is known, and follows the log.";
    SubmitterFollowsKnownJob "submitter-follows-known-job" C19, (1, 3, 0)..(1, 3, 2), "controllers/ray/common/job.go GetK8sJobCommand":
        "The script follows the log of a job that is known, else it submits and waits; it runs with `/bin/bash` and `-c SCRIPT`.";
    SubmitterAlwaysFollows "submitter-always-follows" C19, (1, 3, 2)..now, "#3216":
        "The script submits with `--no-wait` unless the job is known, and then follows the log in either case.";
    SubmitterBash "submitter-bash" C19, (1, 3, 2)..(1, 4, 0), "controllers/ray/rayjob_controller.go getSubmitterTemplate":
        "The script runs with command `/bin/bash` and args `-ce SCRIPT`.";
    SubmitterShell "submitter-shell" C19, (1, 4, 0)..now, "controllers/ray/rayjob_controller.go":
        "The script runs with command `/bin/bash -ce --`.";
    SubmitterUserCommand "submitter-user-command" C19, (1, 0, 0)..now, "controllers/ray/rayjob_controller.go":
        "The operator keeps a command in submitterPodTemplate, with its args.";
    SubmitterEnv "submitter-env" C19, (1, 0, 0)..now, "controllers/ray/rayjob_controller.go":
        "The submitter gets PYTHONUNBUFFERED=1.";
    SubmitterJobEnv "submitter-job-env" C19, (1, 1, 0)..now, "controllers/ray/rayjob_controller.go":
        "The submitter gets RAY_DASHBOARD_ADDRESS and RAY_JOB_SUBMISSION_ID.";
    SubmitterSidecar "submitter-sidecar" C19, (1, 5, 0)..now, "controllers/ray/rayjob_controller.go":
        "In SidecarMode the submitter is a container of the head's Pod, after the user's.";
    SubmitterWaitsWithWget "submitter-waits-with-wget" C19, (1, 5, 0)..(1, 6, 0), "controllers/ray/common/job.go BuildJobSubmitCommand":
        "The submitter beside the head first waits for the dashboard with wget.";
    SubmitterWaitsWithPython "submitter-waits-with-python" C19, (1, 6, 0)..now, "controllers/ray/common/job.go BuildJobSubmitCommand":
        "The submitter beside the head first waits for the dashboard with python.";
    SubmitterAlwaysWaits "submitter-always-waits" C19, (1, 7, 0)..now, "controllers/ray/common/job.go BuildJobSubmitCommand":
        "The submitter in its own Job also waits for the dashboard.";
    OperatorSidecars "operator-sidecars" C25, (1, 1, 0)..now, "apis/config/v1alpha1/configuration_types.go":
        "The operator's headSidecarContainers and workerSidecarContainers are the last containers of Ray Pods, unchanged.";
    OverwriteByDefault "overwrite-by-default" C25, (1, 7, 0)..now, "#4987":
        "The overwrite annotation among the operator's defaultPodAnnotations applies if a Pod template has none.";
    WaitGcsReadySwitchedOff "wait-gcs-ready-switched-off" C25, (1, 0, 0)..now, "controllers/ray/common/pod.go getEnableInitContainerInjection":
        "With ENABLE_INIT_CONTAINER_INJECTION=false on the operator workers get no wait-gcs-ready.";

    WaitForTls "wait-for-tls" C26, (1, 7, 0)..now, "#4566":
        "With the gate RayClusterMTLS and tlsOptions the first init container waits for the Pod's address in its certificate.";
    TlsEnv "tls-env" C26, (1, 7, 0)..now, "#4566":
        "With them the Ray container, wait-gcs-ready and the autoscaler get RAY_USE_TLS and the paths of the certificate.";
    Collector "collector" C26, (1, 7, 0)..now, "#4982":
        "With the gate RayClusterHistoryServer and historyServerOptions Ray Pods get the container ray-history-collector after the user's, and Ray's container sends it events.";
    SubmitterRestarts "submitter-restarts" C26, (1, 7, 0)..now, "#4399":
        "With the gate SidecarSubmitterRestart the submitter beside the head submits only a job that is not known, and follows the log.";

    CronJob "cron-job" C28, (1, 6, 0)..now, "#4159":
        "With the gate RayCronJob a RayCronJob creates RayJobs from its jobTemplate. Of its metadata, they get only the name.";
    CronJobRandomName "cron-job-random-name" C28, (1, 6, 0)..(1, 7, 0), "controllers/ray/raycronjob_controller.go constructRayJob":
        "The RayJob is named NAME-xxxxx.";
    CronJobDatedName "cron-job-dated-name" C28, (1, 7, 0)..now, "controllers/ray/raycronjob_controller.go getRayJobName":
        "The RayJob is named NAME-M, with M the minutes of its time since 1970.";

    FirstContainer "first-container" C20, (1, 0, 0)..now, "controllers/ray/utils/constant.go RayContainerIndex":
        "The Ray container is the first one of the template, regardless of its name. Others stay unchanged.";
}

impl Feature {
    /// Returns the feature's entry in the table.
    pub fn entry(self) -> &'static FeatureEntry {
        // The table is made from the same list as the enumeration, in the same order.
        &FEATURES[self as usize]
    }
}

/// Returns every feature, in the order of the table.
///
/// ```
/// use kuberay_contract::{Feature, features};
///
/// let plain = features().iter().find(|entry| entry.feature == Feature::PlainShell).unwrap();
/// assert!(plain.covers(&"1.4.0".parse()?));
/// assert!(!plain.covers(&"1.3.2".parse()?));
/// # Ok::<(), semver::Error>(())
/// ```
pub fn features() -> &'static [FeatureEntry] {
    &FEATURES
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_feature_has_its_own_entry() {
        let mut names = BTreeSet::new();
        for entry in features() {
            assert_eq!(entry.feature.entry(), entry);
            assert!(names.insert(entry.name), "{} comes twice", entry.name);
            assert!(
                entry.source.contains(".go") || entry.source.contains('#'),
                "no source: {}",
                entry.name
            );
            assert!(entry.rule.starts_with('C'), "no rule: {}", entry.name);
            assert!(entry.rule.len() == 3, "no rule: {}", entry.name);
            assert!(entry.says.ends_with('.'), "no sentence: {}", entry.name);
            assert!(
                entry
                    .until
                    .as_ref()
                    .is_none_or(|until| entry.since < *until),
                "no release: {}",
                entry.name
            );
        }
    }

    #[test]
    fn the_bounds_of_features_are_those_of_classes() {
        let bounds: BTreeSet<_> = super::super::CLASSES
            .iter()
            .map(|class| class.since.clone())
            .collect();
        for entry in features() {
            for bound in std::iter::once(&entry.since).chain(&entry.until) {
                assert!(
                    bounds.contains(bound),
                    "{} changes at {bound}, which starts no class",
                    entry.name
                );
            }
        }
        for class in &bounds {
            let changes = features()
                .iter()
                .any(|entry| entry.since == *class || entry.until.as_ref() == Some(class));
            assert!(changes, "nothing changes at {class}");
        }
    }
}
