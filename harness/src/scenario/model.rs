//! The types that a scenario file is read into; the JSON schema is generated from them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Subject;
use crate::contract::Half;

/// A place in a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// Where cells of a scenario run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// etcd and kube-apiserver with the operator beside them; no kubelet, so no container ever starts.
    ControlPlane,
    /// A kind cluster: a real kubelet, a real Ray.
    Kind,
}

/// How much weight a scenario has in a conformance report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Every release in range must pass it.
    #[default]
    Core,
    /// Documented, but not what every user meets.
    Extended,
    /// Derived from sources, not yet seen on a real operator; a failure does not fail the run.
    Provisional,
}

impl std::fmt::Display for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Lane::ControlPlane => "control-plane",
            Lane::Kind => "kind",
        })
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Level::Core => "core",
            Level::Extended => "extended",
            Level::Provisional => "provisional",
        })
    }
}

/// The role of a Pod in a Ray cluster, as in the operator's label `ray.io/node-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `ray.io/node-type: head`
    Head,
    /// `ray.io/node-type: worker`
    Worker,
    /// The Pod that removes a deleted `RayCluster` from Redis, as the Job that the operator makes for it describes it.
    RedisCleanup,
    /// The Pod that submits the entrypoint of a `RayJob`, as the Job that the operator makes for it describes it.
    Submitter,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Head, Role::Worker, Role::Submitter, Role::RedisCleanup];

    /// Whether it is judged by the Job that describes its Pod.
    pub fn is_of_job(self) -> bool {
        matches!(self, Role::Submitter | Role::RedisCleanup)
    }

    /// The role as scenario files write it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Head => "head",
            Role::Worker => "worker",
            Role::Submitter => "submitter",
            Role::RedisCleanup => "redis-cleanup",
        }
    }
}

/// A scenario file, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScenarioFile {
    /// Always `kuberay-conformance/v1alpha1`.
    #[schemars(extend("const" = "kuberay-conformance/v1alpha1"))]
    pub api_version: String,
    /// Always `Scenario`.
    #[schemars(extend("const" = "Scenario"))]
    pub kind: String,
    /// The scenario's name.
    pub metadata: Metadata,
    /// What is applied and what is checked.
    pub spec: Spec,
}

/// Identifies the scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Equal to the folder's name; lower-case letters, digits and dashes.
    #[schemars(extend(
        "pattern" = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        "patternErrorMessage" = "a name is made of lower-case letters, digits and dashes, such as `before-ray-start`"
    ))]
    pub name: String,
}

/// What a scenario applies and what it then expects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// One or two sentences: what is proved.
    #[schemars(length(min = 1))]
    pub description: String,
    /// Rules of the contract that it proves, `C01` to `C23`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true, "items" = {
        "type": "string",
        "pattern": "^C(0[1-9]|1[0-9]|2[0-3])$",
        "patternErrorMessage": "a rule is one of `C01` to `C23`"
    }))]
    pub rules: Vec<String>,
    /// Its weight; `core` when absent.
    #[serde(default)]
    pub level: Level,
    /// Public issues that it would have caught, as URLs or `owner/repo#number`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true, "items" = {
        "type": "string",
        "pattern": "^(https?://[^ ]+|[A-Za-z0-9._-]+/[A-Za-z0-9._-]+#[0-9]+)$",
        "patternErrorMessage": "an issue is a URL or `owner/repo#number`"
    }))]
    pub issues: Vec<String>,
    /// Lanes that it can run in.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub lanes: Vec<Lane>,
    /// How many Kubernetes nodes that accept Pods it needs in the lane `kind`; 1 when absent.
    #[serde(default = "one_node")]
    #[schemars(range(min = 1, max = 8))]
    pub nodes: u32,
    /// Releases of the operator that it applies to, a semver range; all when absent.
    #[serde(default = "any_version")]
    pub operator: String,
    /// Releases of Ray that it applies to, a semver range; all when absent.
    #[serde(default = "any_version")]
    pub ray: String,
    /// Files beside the scenario, or samples of the operator's release, applied in this order.
    #[schemars(length(min = 1))]
    pub manifests: Vec<Manifest>,
    /// The only changes made to the manifests before they are sent; `namespace` is always set.
    #[serde(default)]
    pub changes: Changes,
    /// What the harness does once the objects are there; reports and evidence say so.
    #[serde(default)]
    pub stimulus: Stimulus,
    /// An older release of the operator, such as `1.3.2`, that the cell begins with; once the `RayCluster` is ready, the
    /// cell's own release takes its place, and then the stimulus is given. Lane `kind`; runs alone, with `--upgrades`.
    #[serde(default)]
    #[schemars(extend(
        "pattern" = "^[0-9]+\\.[0-9]+\\.[0-9]+$",
        "patternErrorMessage" = "a release is three numbers, such as `1.3.2`"
    ))]
    pub upgrade_from: Option<String>,
    /// How the operator is set up where that differs from its release's defaults; it then runs as a process of its own.
    #[serde(default)]
    pub operator_settings: OperatorSettings,
    /// Wall-clock limit for all checks together, such as `90s` or `5m`; 3 minutes when absent.
    #[serde(default)]
    #[schemars(extend(
        "pattern" = "^([0-9]+(ms|s|m|h))+$",
        "patternErrorMessage" = "a length of time is numbers with units (ms, s, m, h), such as `90s` or `1m30s`"
    ))]
    pub timeout: Option<String>,
    /// What must hold; all are evaluated at every change until each has its verdict.
    #[schemars(length(min = 1))]
    pub checks: Vec<Check>,
}

fn any_version() -> String {
    "*".into()
}

fn one_node() -> u32 {
    1
}

/// One source of objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Manifest {
    /// A file beside the scenario.
    File(String),
    /// A file of the operator release's own `config/samples`.
    Sample(Sample),
}

/// A sample manifest that the operator's release carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// File name below `config/samples`.
    pub sample: String,
}

/// The closed list of changes that may be made to manifests before they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Changes {
    /// Set the image of every Ray container to that of the cell's Ray release.
    #[serde(default)]
    pub image: bool,
    /// Set `rayVersion` to the cell's Ray release.
    #[serde(default)]
    pub ray_version: bool,
    /// Replace `resources.requests` of every Ray container, such as `{cpu: 100m}`.
    #[serde(default)]
    #[schemars(extend("additionalProperties" = {
        "type": "string",
        "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
        "patternErrorMessage": "a request is a Kubernetes quantity, such as `500m` or `2Gi`"
    }))]
    pub requests: BTreeMap<String, String>,
}

/// What the harness does in place of a component that the lane `control-plane` lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stimulus {
    /// Write into the status of every Ray Pod, as a kubelet would, that it runs and is ready. No container runs all the
    /// same; it serves to see what the operator does next, such as to make the submitter of a `RayJob`.
    #[serde(default)]
    pub pods_ready: bool,
    /// A file beside the scenario with objects in a later form, applied on the server's side once the operator says that
    /// the `RayCluster` is ready, because it then has seen every Pod. In the lane control-plane that needs `podsReady`.
    #[serde(default)]
    pub apply: Option<String>,
    /// What is deleted then; with `apply`, once the operator has made a Pod after it, which shows that it knows what was
    /// applied.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub delete: Vec<Deletion>,
}

/// Something that a stimulus deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Deletion {
    /// The head Pod.
    Head,
    /// The worker Pod that is there longest.
    Worker,
    /// Every `RayCluster`.
    RayCluster,
}

impl Stimulus {
    /// Whether something is applied or deleted.
    pub fn acts(&self) -> bool {
        self.apply.is_some() || !self.delete.is_empty()
    }

    /// What is done, one sentence each, for reports and evidence.
    pub fn sentences(&self) -> Vec<String> {
        let ready = "the harness, not a kubelet, said in the status of the Ray Pods that they run and are ready";
        let mut sentences: Vec<String> = self.pods_ready.then(|| ready.to_owned()).into_iter().collect();
        if self.acts() {
            let apply = self.apply.iter().map(|file| format!("applied {file}"));
            let delete = self.delete.iter().map(|what| match what {
                Deletion::Head => "deleted the head Pod".to_owned(),
                Deletion::Worker => "deleted one worker Pod".to_owned(),
                Deletion::RayCluster => "deleted the RayCluster".to_owned(),
            });
            let done: Vec<String> = apply.chain(delete).collect();
            sentences.push(format!(
                "once the RayCluster was ready, the harness {}",
                done.join(" and ")
            ));
        }
        sentences
    }
}

/// How the operator is set up, where that differs from its release's defaults.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorSettings {
    /// Environment variables of the operator's process, such as `{ENABLE_LOGIN_SHELL: "true"}`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl OperatorSettings {
    /// Whether nothing differs from the release's defaults.
    pub fn is_default(&self) -> bool {
        self.env.is_empty()
    }
}

/// One expectation about the cluster's state; each entry of `checks` has exactly one of these keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// Fields of a Ray Pod against snapshots.
    Pod(PodCheck),
    /// The order of the generated `ray start` flags in many Pods of one specification.
    FlagOrder(FlagOrderCheck),
    /// Ray itself answers: the dashboard lists the expected number of nodes, all alive.
    Ray(RayCheck),
    /// Lines of a container's log, in order.
    Logs(LogsCheck),
    /// A job in the dashboard's list.
    Job(JobCheck),
    /// The state of a container: waiting, running, or terminated.
    State(StateCheck),
    /// Something that must not happen during a time after a barrier.
    Never(NeverCheck),
    /// Which of two barriers was reached first.
    Reached(ReachedCheck),
    /// An event of the namespace.
    Event(EventCheck),
    /// The API server or the operator refuses the objects.
    Rejected(RejectedCheck),
}

/// A field of a Pod that a snapshot is taken of. The first six are of one container: the Ray container unless the check
/// names another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PodField {
    /// `command` of the container.
    Command,
    /// `args` of the container.
    Args,
    /// `env` of the container, in order.
    Env,
    /// `lifecycle` of the container.
    Lifecycle,
    /// `readinessProbe`, `livenessProbe` and `startupProbe` of the container.
    Probes,
    /// `resources` of the container.
    Resources,
    /// Names of all containers of the Pod, in order.
    Containers,
    /// `name`, `command` and `args` of all init containers of the Pod, in order.
    InitContainers,
}

impl PodField {
    /// Every field.
    pub const ALL: [PodField; 8] = [
        PodField::Command,
        PodField::Args,
        PodField::Env,
        PodField::Lifecycle,
        PodField::Probes,
        PodField::Resources,
        PodField::Containers,
        PodField::InitContainers,
    ];

    /// The field's part of a snapshot's file name.
    pub fn file_part(self) -> &'static str {
        match self {
            PodField::InitContainers => "init-containers",
            other => other.key(),
        }
    }

    /// The field as scenario files write it.
    pub fn key(self) -> &'static str {
        match self {
            PodField::Command => "command",
            PodField::Args => "args",
            PodField::Env => "env",
            PodField::Lifecycle => "lifecycle",
            PodField::Probes => "probes",
            PodField::Resources => "resources",
            PodField::Containers => "containers",
            PodField::InitContainers => "initContainers",
        }
    }

    /// Whether it belongs to the Pod, not to one of its containers.
    pub fn is_of_pod(self) -> bool {
        matches!(self, PodField::Containers | PodField::InitContainers)
    }
}

/// Snapshots of one Pod's fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodCheck {
    /// Which Pod.
    pub role: Role,
    /// Worker group, where there are several; any when absent.
    #[serde(default)]
    pub group: Option<String>,
    /// Container or init container; the Ray container (index 0) when absent.
    #[serde(default)]
    pub container: Option<String>,
    /// Only Pods made before or after what the stimulus applies and deletes; any when absent.
    #[serde(default)]
    pub made: Option<Made>,
    /// Fields that must equal their snapshot, each in a file of its own.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub snapshot: Vec<PodField>,
}

/// When a Pod was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Made {
    /// Before the stimulus; it is judged once the operator has made another Pod after it.
    Before,
    /// After the stimulus.
    After,
}

impl Made {
    /// The word as scenario files write it.
    pub fn word(self) -> &'static str {
        match self {
            Made::Before => "before",
            Made::After => "after",
        }
    }
}

/// The order of the generated `ray start` flags in many Pods of one specification. In all of them the flags themselves
/// must be the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagOrderCheck {
    /// Which Pods.
    pub role: Role,
    /// Worker group; all when absent.
    #[serde(default)]
    pub group: Option<String>,
    /// How many Pods are compared, at least.
    #[schemars(range(min = 2))]
    pub pods: usize,
    /// How many orders there must be among them.
    pub orders: Orders,
}

/// How many orders of flags there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Orders {
    /// The same in every Pod.
    One,
    /// More than one.
    Several,
}

/// Ray readiness, as Ray itself reports it (a Pod can be Ready long before).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RayCheck {
    /// Nodes that must be alive, the head included.
    #[schemars(range(min = 1))]
    pub nodes: usize,
}

/// A point in the life of a cell that must have been reached before something is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Barrier {
    /// The head Pod's Ray container runs.
    Running,
    /// The head Pod is Ready; with a `postStart` hook, that hook has then ended.
    Ready,
    /// Every `ray` check has passed; without one, the dashboard answers and lists an alive head.
    RayReady,
    /// Every `job` check has passed.
    Job,
}

impl Barrier {
    /// The barrier as scenario files write it.
    pub fn word(self) -> &'static str {
        match self {
            Barrier::Running => "running",
            Barrier::Ready => "ready",
            Barrier::RayReady => "rayReady",
            Barrier::Job => "job",
        }
    }
}

/// An ordered list of expectations about one source's lines in a container's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogsCheck {
    /// Which Pod.
    pub role: Role,
    /// Worker group, where there are several; any when absent.
    #[serde(default)]
    pub group: Option<String>,
    /// Container; the Ray container (index 0) when absent.
    #[serde(default)]
    pub container: Option<String>,
    /// Read the log of the previous, ended instance of the container.
    #[serde(default)]
    pub previous: bool,
    /// Judge only a log that was read whole after all of these were reached; `not` lines need at least one.
    #[serde(default)]
    pub after: Vec<Barrier>,
    /// Lines in the order in which this source writes them; lines of other sources may stand between.
    #[schemars(length(min = 1))]
    pub lines: Vec<LineExpectation>,
}

/// One line of a log. Exactly one of `must`, `may`, `not` and `resources` is set.
///
/// A text is looked for anywhere in the line, after colour codes were removed; between slashes it is a regular
/// expression. `<pod-ip>` stands for the Pod's address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["must"]}, {"required": ["may"]}, {"required": ["not"]}, {"required": ["resources"]}
]))]
pub struct LineExpectation {
    /// A line that must come, once, after the lines before it in the list.
    #[serde(default)]
    pub must: Option<String>,
    /// A line that may come here.
    #[serde(default)]
    pub may: Option<String>,
    /// A line that must not come anywhere in the log.
    #[serde(default)]
    pub not: Option<String>,
    /// A printed `ray.cluster_resources()` dictionary that must come here.
    #[serde(default)]
    pub resources: Option<BTreeMap<String, ResourceExpectation>>,
    /// The line may come more than once in a row of matches.
    #[serde(default)]
    pub repeat: bool,
}

/// What a resource in Ray's dictionary must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ResourceExpectation {
    /// This number.
    Number(f64),
    /// `present` (any number above zero), or a Kubernetes quantity such as `2Gi`.
    #[schemars(extend(
        "pattern" = "^(present|[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$",
        "patternErrorMessage" = "a resource is a number, `present`, or a Kubernetes quantity such as `2Gi`"
    ))]
    Text(String),
}

/// A job in the dashboard's `/api/jobs/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobCheck {
    /// The whole entrypoint, byte for byte.
    pub entrypoint: String,
    /// The status to reach, such as `SUCCEEDED`.
    #[schemars(extend("enum" = ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED"]))]
    pub status: String,
    /// How many jobs the dashboard lists in all; 1 when absent.
    #[serde(default = "one")]
    pub count: usize,
}

fn one() -> usize {
    1
}

/// State of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StateCheck {
    /// Which Pod.
    pub role: Role,
    /// Worker group, where there are several; any when absent.
    #[serde(default)]
    pub group: Option<String>,
    /// Container; the Ray container (index 0) when absent.
    #[serde(default)]
    pub container: Option<String>,
    /// The container has ended with this exit code (now, or before its last restart).
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// The container waits for this reason, such as `CrashLoopBackOff` or `ImagePullBackOff`.
    #[serde(default)]
    pub waiting: Option<String>,
    /// The container runs.
    #[serde(default)]
    pub running: bool,
}

/// What must not happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NeverCheck {
    /// How long it is watched, such as `10s`.
    #[serde(rename = "for")]
    #[schemars(extend(
        "pattern" = "^([0-9]+(ms|s|m|h))+$",
        "patternErrorMessage" = "a length of time is numbers with units (ms, s, m, h), such as `90s` or `1m30s`"
    ))]
    pub duration: String,
    /// Watching starts when this was reached.
    pub after: Barrier,
    /// No container of this Pod restarts and the Pod is not replaced.
    pub restarts: RoleOnly,
}

/// Names a Pod by its role alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleOnly {
    /// Which Pod.
    pub role: Role,
}

/// Two barriers, in the order in which they must be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReachedCheck {
    /// What must be reached before the other.
    pub first: Barrier,
    /// What must be reached after it.
    pub then: Barrier,
    /// How long after it at least, such as `5s`.
    #[serde(default)]
    #[schemars(extend(
        "pattern" = "^([0-9]+(ms|s|m|h))+$",
        "patternErrorMessage" = "a length of time is numbers with units (ms, s, m, h), such as `90s` or `1m30s`"
    ))]
    pub apart: Option<String>,
}

/// An event about any object of the namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventCheck {
    /// Equal to the event's reason.
    pub reason: String,
    /// Contained in its message, where given.
    #[serde(default)]
    pub message: Option<String>,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectedCheck {
    /// Who refuses.
    pub by: RejectedBy,
    /// Contained in the reason that is given.
    pub message: String,
}

/// Who refuses an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RejectedBy {
    /// The API server, at creation.
    Api,
    /// The operator, by an event or a condition.
    Operator,
}

impl PodCheck {
    /// What the snapshots of its fields are of.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.snapshot.iter().map(|field| Subject {
            role: self.role,
            group: self.group.clone(),
            container: self.container.clone(),
            made: self.made,
            field: *field,
        })
    }
}

impl Check {
    /// The half of a rule that the check helps to prove: what an object says, or what comes of it.
    pub fn half(&self) -> Half {
        match self {
            Check::Pod(_) | Check::FlagOrder(_) | Check::Rejected(_) => Half::Object,
            Check::Ray(_)
            | Check::Logs(_)
            | Check::Job(_)
            | Check::State(_)
            | Check::Never(_)
            | Check::Reached(_)
            | Check::Event(_) => Half::Effect,
        }
    }

    /// The key that the check has in the scenario file.
    pub fn kind(&self) -> &'static str {
        match self {
            Check::Pod(_) => "pod",
            Check::FlagOrder(_) => "flagOrder",
            Check::Ray(_) => "ray",
            Check::Logs(_) => "logs",
            Check::Job(_) => "job",
            Check::State(_) => "state",
            Check::Never(_) => "never",
            Check::Reached(_) => "reached",
            Check::Event(_) => "event",
            Check::Rejected(_) => "rejected",
        }
    }
}

/// A scenario as read from its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The folder, which also holds its manifests and snapshots.
    pub dir: std::path::PathBuf,
    /// The scenario file's path.
    pub path: std::path::PathBuf,
    /// What the file says.
    pub file: ScenarioFile,
    /// Where each entry of `spec.checks` begins, in order.
    pub check_locations: Vec<Location>,
    /// `spec.operator`, parsed.
    pub operator: semver::VersionReq,
    /// `spec.ray`, parsed.
    pub ray: semver::VersionReq,
    /// `spec.upgradeFrom`, parsed.
    pub upgrade_from: Option<semver::Version>,
    /// `spec.timeout`, parsed.
    pub timeout: std::time::Duration,
}

impl Scenario {
    /// `metadata.name`.
    pub fn name(&self) -> &str {
        &self.file.metadata.name
    }

    /// The halves of its rules that it proves when all of its checks pass.
    pub fn halves(&self) -> BTreeSet<Half> {
        self.file.spec.checks.iter().map(Check::half).collect()
    }
}
