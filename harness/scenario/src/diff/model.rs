//! A single difference between what two operators made, and its subject.

use std::fmt;

use kuberay_contract::Stage;

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerOf {
    /// Runs `ray start`.
    Ray,
    /// The init container `wait-gcs-ready`.
    WaitGcsReady,
    /// The autoscaler beside the head.
    Autoscaler,
    /// Submits the job of a RayJob.
    Submitter,
    /// Removes a deleted RayCluster from Redis.
    RedisCleanup,
    /// Another container, the user's or a new one of the operator.
    Other,
}

impl ContainerOf {
    /// Every kind, in order.
    const ALL: [Self; 6] = [
        Self::Ray,
        Self::WaitGcsReady,
        Self::Autoscaler,
        Self::Submitter,
        Self::RedisCleanup,
        Self::Other,
    ];

    /// Returns the container for people, in the singular.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ray => "Ray container",
            Self::WaitGcsReady => "wait-gcs-ready container",
            Self::Autoscaler => "autoscaler container",
            Self::Submitter => "submitter container",
            Self::RedisCleanup => "redis-cleanup container",
            Self::Other => "other container",
        }
    }
}

/// What differs. Differences with the same subject have one cause, as far as can be seen from
/// outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeSubject {
    /// One operator keeps the user's command where the other generates one; `annotated` where the
    /// object has the overwrite annotation.
    Overwrite {
        /// Whether the annotation is on the object.
        annotated: bool,
    },
    /// The letters of the shell's options, such as `l` in `-lc`.
    ShellOptions,
    /// The command of a container.
    Command(ContainerOf),
    /// The arguments of a container, where they can't be split into known parts.
    Args(ContainerOf),
    /// How the elements of the user's `command` and `args` are put together.
    UserText,
    /// Whether the user's text stands before or behind the generated command.
    Position,
    /// What joins the user's text and the generated command.
    Joint,
    /// The command that sets the limit of open files.
    Ulimit,
    /// A flag of `ray start`, such as `--memory`.
    Flag(String),
    /// The white space around flags.
    FlagSpacing,
    /// The order of flags.
    FlagOrder,
    /// What follows the flags.
    End,
    /// What `KUBERAY_GEN_RAY_START_CMD` holds beside the flags.
    GeneratedCommand,
    /// The operator's release in `RAY_USAGE_STATS_EXTRA_TAGS`.
    ReleaseTag,
    /// A variable of a container.
    Env(ContainerOf, String),
    /// The order of variables.
    EnvOrder(ContainerOf),
    /// Readiness, liveness and startup probes.
    Probes(ContainerOf),
    /// Another field of a container.
    Field(ContainerOf, &'static str),
    /// A container is there or not.
    Container(ContainerOf, String),
    /// The order of containers or init containers.
    ContainerOrder,
    /// A Pod of a role is there or not.
    Pod(String),
    /// One refuses what the other takes, or refuses it for another reason. The text is the reason
    /// without names.
    Refusal(Stage, String),
}

/// A single difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What differs.
    pub subject: ChangeSubject,
    /// The container that shows it; none where it is about a whole Pod or object.
    pub container: Option<ContainerOf>,
    /// What the base made; none where it made nothing.
    pub before: Option<String>,
    /// What the head made; none where it made nothing.
    pub after: Option<String>,
}

impl ChangeSubject {
    /// The same subject in another kind of container; none where it is of one kind alone.
    fn within(&self, of: ContainerOf) -> Option<Self> {
        match self {
            Self::Env(_, name) => Some(Self::Env(of, name.clone())),
            Self::EnvOrder(_) => Some(Self::EnvOrder(of)),
            Self::Probes(_) => Some(Self::Probes(of)),
            Self::Field(_, field) => Some(Self::Field(of, field)),
            _ => None,
        }
    }

    /// The same subject in the kinds of containers that come first, such as Ray's.
    pub(super) fn before(&self) -> Vec<Self> {
        let same = ContainerOf::ALL.into_iter();
        let same = same.filter_map(|of| self.within(of));
        same.take_while(|other| other != self).collect()
    }
}

impl fmt::Display for ChangeSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overwrite { annotated: true } => {
                f.write_str("whether the overwrite annotation keeps the user's command")
            }
            Self::Overwrite { annotated: false } => {
                f.write_str("whether `ray start` in the user's text keeps the user's command")
            }
            Self::ShellOptions => f.write_str("options of the shell"),
            Self::Command(of) => write!(f, "command of the {}", of.words()),
            Self::Args(of) => write!(f, "args of the {}", of.words()),
            Self::UserText => f.write_str("the user's command and args as text"),
            Self::Position => f.write_str("the order of the user's text and the generated command"),
            Self::Joint => f.write_str("the joint between the user's text and the ulimit"),
            Self::Ulimit => f.write_str("the limit of open files"),
            Self::Flag(name) => write!(f, "flag `{name}`"),
            Self::FlagSpacing => f.write_str("white space around flags"),
            Self::FlagOrder => f.write_str("order of flags"),
            Self::End => f.write_str("the end of the generated command"),
            Self::GeneratedCommand => f.write_str("KUBERAY_GEN_RAY_START_CMD"),
            Self::ReleaseTag => f.write_str("the release in RAY_USAGE_STATS_EXTRA_TAGS"),
            Self::Env(of, name) => write!(f, "variable {name} of the {}", of.words()),
            Self::EnvOrder(of) => write!(f, "order of variables of the {}", of.words()),
            Self::Probes(of) => write!(f, "probes of the {}", of.words()),
            Self::Field(of, field) => write!(f, "{field} of the {}", of.words()),
            Self::Container(_, name) => write!(f, "container {name}"),
            Self::ContainerOrder => f.write_str("order of containers"),
            Self::Pod(role) => write!(f, "the {role} Pod"),
            Self::Refusal(stage, reason) => write!(f, "refusal by {}: {reason}", stage.refuser()),
        }
    }
}
