//! Checks that the operator itself makes before it creates Pods, with the releases that make them
//! (rule C24).
//!
//! A source is a file below `ray-operator/controllers/ray` and a line at the tag of the first
//! release that has the check.

use std::cell::RefCell;

use semver::Version;

use super::view::View;
use super::{Clients, Reach, Refusal, Stage};
use crate::EffectiveSettings;
use crate::classes::plain;

/// One check of the operator, with the releases that make it.
///
/// ```
/// use kuberay_contract::admission::checks;
///
/// let gone: Vec<&str> = checks()
///     .iter()
///     .filter(|entry| !entry.covers(&semver::Version::new(1, 6, 2)))
///     .map(|entry| entry.name)
///     .collect();
/// assert!(!gone.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckEntry {
    /// The check.
    pub check: OperatorCheck,
    /// Its name in reports, in kebab case.
    pub name: &'static str,
    /// The first release that makes it.
    pub since: Version,
    /// The first release that no longer makes it.
    pub until: Option<Version>,
    /// Source file and line, at the tag of the first release.
    pub source: &'static str,
    /// The condition that the check demands, in one sentence.
    pub says: &'static str,
}

impl CheckEntry {
    /// The rule of the contract that every check belongs to.
    pub const RULE: &'static str = "C24";

    /// Returns whether a release makes the check; a candidate counts as its release.
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

macro_rules! checks {
    ($($check:ident $name:literal ($major:literal, $minor:literal, $patch:literal) .. $until:tt $source:literal: $says:literal;)*) => {
        /// A check of the operator; [`OperatorCheck::entry`] returns its releases and source.
        ///
        /// ```
        /// use kuberay_contract::admission::OperatorCheck;
        ///
        /// let entry = OperatorCheck::ClusterName.entry();
        /// assert_eq!(entry.name, "cluster-name");
        /// assert_eq!(entry.since.to_string(), "1.4.0");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(clippy::doc_markdown, reason = "the sentences of the table are shown as they are")]
        pub enum OperatorCheck {
            $(#[doc = $says] $check,)*
        }

        static CHECKS: [CheckEntry; { [$(stringify!($check)),*].len() }] = [
            $(CheckEntry {
                check: OperatorCheck::$check,
                name: $name,
                since: Version::new($major, $minor, $patch),
                until: bound!($until),
                source: $source,
                says: $says,
            },)*
        ];
    };
}

checks! {
    ClusterName "cluster-name" (1, 4, 0)..now "utils/validation.go:26 @v1.4.0":
        "The name of a RayCluster is a DNS-1035 label of at most 53 characters.";
    JobName "job-name" (1, 4, 0)..now "utils/validation.go:130 @v1.4.0":
        "The name of a RayJob is a DNS-1035 label of at most 47 characters.";
    ServiceName "service-name" (1, 4, 0)..now "utils/validation.go:218 @v1.4.0":
        "The name of a RayService is a DNS-1035 label of at most 47 characters.";
    CronJobName "cron-job-name" (1, 7, 0)..now "utils/validation.go:971 @v1.7.0":
        "The name of a RayCronJob has at most 36 characters.";
    CronJobSchedule "cron-job-schedule" (1, 6, 0)..now "utils/validation.go:713 @v1.6.0":
        "schedule of a RayCronJob has five fields or is a descriptor such as @hourly; from 1.7 on it names no zone.";
    CronJobZone "cron-job-zone" (1, 7, 0)..now "utils/validation.go:985 @v1.7.0":
        "timeZone of a RayCronJob is a time zone that Go supports, and not empty.";
    UpgradeOfChild "upgrade-of-child" (1, 6, 0)..now "utils/validation.go:49 @v1.6.0":
        "upgradeStrategy is only for RayClusters that no RayJob or RayService creates.";
    Containers "containers" (1, 3, 0)..now "utils/validation.go:24 @v1.3.0":
        "Every Pod template has a container.";
    ResourcesTwice "resources-twice" (1, 5, 0)..now "utils/validation.go:40 @v1.5.0":
        "A group's resources and the resources in its rayStartParams exclude each other.";
    LabelsInParams "labels-in-params" (1, 5, 0)..now "utils/validation.go:53 @v1.5.0":
        "rayStartParams contain no labels.";
    GroupLabelSyntax "group-label-syntax" (1, 5, 0)..now "utils/validation.go:61 @v1.5.0":
        "A group's labels follow the syntax of Kubernetes labels.";
    ReplicaBounds "replica-bounds" (1, 6, 0)..now "utils/validation.go:124 @v1.6.0":
        "Without autoscaling a worker group has minReplicas and maxReplicas, neither negative nor crossed.";
    GroupIdleTimeout "group-idle-timeout" (1, 6, 0)..now "utils/validation.go:730 @v1.6.0":
        "idleTimeoutSeconds of a group is not negative and needs autoscaler v2.";
    GroupPriority "group-priority" (1, 7, 0)..now "utils/validation.go:1114 @v1.7.0":
        "priority of a group needs Ray 2.56.0 and autoscaler v2.";
    FaultToleranceTwice "fault-tolerance-twice" (1, 3, 0)..now "utils/validation.go:34 @v1.3.0":
        "The annotation ray.io/ft-enabled and gcsFaultToleranceOptions exclude each other.";
    RedisWithoutFaultTolerance "redis-without-fault-tolerance" (1, 3, 0)..now "utils/validation.go:39 @v1.3.0":
        "RAY_REDIS_ADDRESS on the head needs gcsFaultToleranceOptions or the annotation.";
    RedisOutsideOptions "redis-outside-options" (1, 3, 0)..now "utils/validation.go:48 @v1.3.0":
        "With gcsFaultToleranceOptions neither rayStartParams, variables nor annotations configure Redis.";
    RedisUsername "redis-username" (1, 3, 0)..now "utils/validation.go:69 @v1.3.0":
        "The user of Redis is given in gcsFaultToleranceOptions only.";
    GcsBackend "gcs-backend" (1, 7, 0)..now "utils/validation.go:333 @v1.7.0":
        "The rocksdb backend needs a feature gate and excludes the options of Redis and names that KubeRay manages; storage is for that backend only.";
    SuspendedGroupGate "suspended-group-gate" (1, 3, 0)..now "utils/validation.go:74 @v1.3.0":
        "A suspended worker group needs the feature gate RayJobDeletionPolicy, which is off before 1.6.";
    SuspendedGroupScaled "suspended-group-scaled" (1, 3, 0)..now "utils/validation.go:83 @v1.3.0":
        "With autoscaling no worker group is suspended.";
    AutoscalerV2Unscaled "autoscaler-v2-unscaled" (1, 5, 0)..now "utils/validation.go:160 @v1.5.0":
        "RAY_enable_autoscaler_v2 on the head needs enableInTreeAutoscaling.";
    AutoscalerVersionTwice "autoscaler-version-twice" (1, 4, 0)..now "utils/validation.go:103 @v1.4.0":
        "autoscalerOptions.version and RAY_enable_autoscaler_v2 on the head exclude each other.";
    AutoscalerV2Restarts "autoscaler-v2-restarts" (1, 4, 0)..now "utils/validation.go:108 @v1.4.0":
        "With autoscaler v2 restartPolicy is Never or unset.";
    AutoscalerIdleTimeout "autoscaler-idle-timeout" (1, 6, 0)..now "utils/validation.go:232 @v1.6.0":
        "autoscalerOptions.idleTimeoutSeconds is not negative.";
    ReservedVariable "reserved-variable" (1, 7, 0)..now "utils/validation.go:253 @v1.7.0":
        "autoscalerOptions.env does not set KUBERAY_GEN_AUTOSCALER_START_CMD.";
    GatedOptions "gated-options" (1, 7, 0)..now "utils/validation.go:260 @v1.7.0":
        "historyServerOptions, networkPolicy and tlsOptions need feature gates, which are off.";
    CollectorOptions "collector-options" (1, 7, 0)..now "utils/validation.go:1029 @v1.7.0":
        "collectorOptions of the history server have an image, a storage backend with its variables, and no names that KubeRay manages.";
    NetworkPolicyRules "network-policy-rules" (1, 7, 0)..now "utils/validation.go:380 @v1.7.0":
        "networkPolicy has rules only for directions that its mode denies, and only for existing worker groups whose names are DNS labels.";
    ManagedTls "managed-tls" (1, 7, 0)..now "utils/validation.go:448 @v1.7.0":
        "With tlsOptions.enabled no container has the variables or the mount that KubeRay manages.";
    TokenRayVersion "token-ray-version" (1, 5, 1)..now "utils/validation.go:194 @v1.5.1":
        "authOptions.mode token needs a rayVersion of 2.52.0 or later.";
    KubernetesToken "kubernetes-token" (1, 6, 0)..now "utils/validation.go:254 @v1.6.0":
        "enableK8sTokenAuth needs mode token, a rayVersion of 2.55.0 or later, and no secretName.";
    KubernetesTokenOfChild "kubernetes-token-of-child" (1, 6, 0)..now "utils/validation.go:352 @v1.6.0":
        "enableK8sTokenAuth is only for RayClusters that no RayJob or RayService creates.";
    SuspendedJobStays "suspended-job-stays" (1, 1, 0)..now "rayjob_controller.go:724 @v1.1.0":
        "A suspended RayJob has shutdownAfterJobFinishes.";
    SuspendedJobSelects "suspended-job-selects" (1, 1, 0)..now "rayjob_controller.go:727 @v1.1.0":
        "A RayJob with a clusterSelector is not suspended.";
    JobWithoutCluster "job-without-cluster" (1, 1, 0)..now "rayjob_controller.go:730 @v1.1.0":
        "A RayJob has a rayClusterSpec or a clusterSelector.";
    ClusterOfJob "cluster-of-job" (1, 0, 0)..(1, 1, 0) "rayjob_controller.go:640 @v1.0.0":
        "A RayJob has a rayClusterSpec or a clusterSelector; else it gets no RayCluster.";
    RuntimeEnv "runtime-env" (1, 1, 0)..now "rayjob_controller.go:735 @v1.1.0":
        "runtimeEnvYAML is YAML.";
    JobDeadline "job-deadline" (1, 1, 0)..now "rayjob_controller.go:738 @v1.1.0":
        "activeDeadlineSeconds is positive.";
    JobBackoff "job-backoff" (1, 2, 0)..now "rayjob_controller.go:809 @v1.2.0":
        "backoffLimit is not negative.";
    JobPreRunningDeadline "job-pre-running-deadline" (1, 6, 0)..now "utils/validation.go:368 @v1.6.0":
        "preRunningDeadlineSeconds is positive.";
    JobTtl "job-ttl" (1, 4, 0)..now "utils/validation.go:147 @v1.4.0":
        "ttlSecondsAfterFinished is not negative and needs shutdownAfterJobFinishes.";
    SelectorWithoutName "selector-without-name" (1, 5, 0)..now "utils/validation.go:236 @v1.5.0":
        "clusterSelector names a cluster under ray.io/cluster.";
    SelectorKey "selector-key" (1, 0, 0)..(1, 5, 0) "rayjob_controller.go:508 @v1.0.0":
        "clusterSelector names a cluster under ray.io/cluster; else the RayJob never begins.";
    SidecarSelects "sidecar-selects" (1, 5, 0)..now "utils/validation.go:241 @v1.5.0":
        "SidecarMode has no clusterSelector.";
    SidecarTemplate "sidecar-template" (1, 5, 0)..now "utils/validation.go:258 @v1.5.0":
        "SidecarMode has neither submitterPodTemplate nor submitterConfig.";
    SidecarRestarts "sidecar-restarts" (1, 5, 0)..now "utils/validation.go:266 @v1.5.0":
        "In SidecarMode the head's restartPolicy is Never or unset.";
    BackoffWithSelector "backoff-with-selector" (1, 6, 0)..now "utils/validation.go:321 @v1.6.0":
        "A RayJob with a clusterSelector has no backoffLimit above 0.";
    BackoffInteractive "backoff-interactive" (1, 4, 0)..now "utils/validation.go:169 @v1.4.0":
        "InteractiveMode has no backoffLimit above 0.";
    DeletionPolicy "deletion-policy" (1, 3, 0)..(1, 5, 0) "utils/validation.go:126 @v1.3.0":
        "deletionPolicy needs the feature gate RayJobDeletionPolicy, which is off.";
    DeletionStrategyGate "deletion-strategy-gate" (1, 5, 0)..now "utils/validation.go:413 @v1.5.0":
        "deletionStrategy needs the feature gate RayJobDeletionPolicy, which is off before 1.6.";
    DeletionStrategy "deletion-strategy" (1, 6, 0)..now "utils/validation.go:494 @v1.6.0":
        "deletionStrategy has either rules or both policies, and fits shutdownAfterJobFinishes, clusterSelector and autoscaling.";
    HeadServiceNamed "head-service-named" (1, 3, 0)..now "utils/validation.go:154 @v1.3.0":
        "headService of a RayService has no name.";
    ServiceUpgradeType "service-upgrade-type" (1, 3, 0)..now "utils/validation.go:159 @v1.3.0":
        "upgradeStrategy.type of a RayService is one that the release supports.";
    ServiceTimeout "service-timeout" (1, 5, 0)..now "utils/validation.go:311 @v1.5.0":
        "The annotation ray.io/initializing-timeout is a positive duration or number of seconds.";
    ServiceDeletionDelay "service-deletion-delay" (1, 5, 0)..now "utils/validation.go:358 @v1.5.0":
        "rayClusterDeletionDelaySeconds is not negative.";
    ServiceIncrementalUpgrade "service-incremental-upgrade" (1, 7, 0)..now "utils/validation.go:717 @v1.7.0":
        "NewClusterWithIncrementalUpgrade needs autoscaling and complete clusterUpgradeOptions.";
    DashboardPort "dashboard-port" (1, 0, 0)..now "utils/dashboard_httpclient.go:95 @v1.0.0":
        "The head's ports, where it lists some, or those of headService include one that is called dashboard; else no job is submitted.";
    ObjectStoreMemory "object-store-memory" (1, 0, 0)..(1, 2, 0) "common/pod.go:836 @v1.0.0":
        "object-store-memory of the head is an integer, and no more than the memory request of a container called ray-head; else no job is submitted.";
    MetadataVersion "metadata-version" (1, 0, 0)..(1, 7, 0) "common/job.go:66 @v1.0.0":
        "metadata of a RayJob needs a rayVersion that can be read, 2.6.0 or later; else no job is submitted.";
    MetadataOldRay "metadata-old-ray" (1, 7, 0)..now "common/job.go:68 @v1.7.0":
        "metadata of a RayJob needs a rayVersion of 2.6.0 or later where one is given; else no job is submitted.";
    MetadataWithSelector "metadata-with-selector" (1, 0, 0)..(1, 5, 0) "common/job.go:104 @v1.0.0":
        "metadata with a clusterSelector makes the operator panic before a job is submitted.";
    EntrypointWords "entrypoint-words" (1, 0, 0)..(1, 3, 0) "common/job.go:130 @v1.0.0":
        "The quotes of the entrypoint are closed, and no backslash ends it; else no job is submitted.";
    SubmitterRuntimeEnv "submitter-runtime-env" (1, 0, 0)..(1, 1, 0) "common/job.go:95 @v1.0.0":
        "runtimeEnvYAML is YAML; else no job is submitted.";
    SubmitterContainer "submitter-container" (1, 0, 0)..now "rayjob_controller.go:381 @v1.0.0":
        "submitterPodTemplate has a container; else the operator panics before a job is submitted.";
}

impl OperatorCheck {
    /// Returns the check's entry in the table.
    pub fn entry(self) -> &'static CheckEntry {
        // The table is made from the same list as the enumeration, in the same order.
        &CHECKS[self as usize]
    }
}

/// Returns every check of the operator, in the order of the table.
///
/// ```
/// use kuberay_contract::admission::checks;
///
/// let named = checks().iter().find(|entry| entry.name == "cluster-name").unwrap();
/// assert!(named.covers(&"1.6.2".parse()?));
/// assert!(!named.covers(&"1.3.2".parse()?));
/// # Ok::<(), semver::Error>(())
/// ```
pub fn checks() -> &'static [CheckEntry] {
    &CHECKS
}

/// Collects what a release's operator refuses.
pub(super) struct Checks<'a> {
    pub release: &'a Version,
    settings: &'a EffectiveSettings,
    found: RefCell<Vec<Refusal>>,
}

impl<'a> Checks<'a> {
    pub fn new(release: &'a Version, settings: &'a EffectiveSettings) -> Self {
        Self {
            release,
            settings,
            found: RefCell::default(),
        }
    }

    /// Returns whether the release makes a check.
    pub fn has(&self, check: OperatorCheck) -> bool {
        check.entry().covers(self.release)
    }

    /// Returns whether the operator has a feature gate on.
    pub fn has_gate(&self, gate: &str) -> bool {
        self.settings.has_gate(self.release, gate)
    }

    /// Refuses the whole object, where the release makes the check and the operator has a feature
    /// gate off.
    pub fn refuse_without(
        &self,
        gate: &str,
        check: OperatorCheck,
        at: &View,
        message: impl Into<String>,
    ) {
        if !self.has_gate(gate) {
            self.refuse(check, at, message);
        }
    }

    /// Refuses the whole object, where the release makes the check.
    pub fn refuse(&self, check: OperatorCheck, at: &View, message: impl Into<String>) {
        self.add(check, Reach::Object, at, message);
    }

    /// Leaves a RayJob without its submitter, where the release makes the check.
    pub fn refuse_submitter(&self, check: OperatorCheck, at: &View, message: impl Into<String>) {
        self.add(check, Reach::Submitter, at, message);
    }

    fn add(&self, check: OperatorCheck, reach: Reach, at: &View, message: impl Into<String>) {
        if self.has(check) {
            self.found.borrow_mut().push(Refusal {
                stage: Stage::Operator,
                clients: Clients::All,
                reach,
                path: at.path.clone(),
                message: message.into(),
                check: Some(check),
            });
        }
    }

    /// Returns the refusals, in the order of the checks.
    pub fn found(self) -> Vec<Refusal> {
        self.found.into_inner()
    }
}
