//! What snapshots are of, and its name: the part of a snapshot's file name before `@`.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Role;

/// A Pod field that a snapshot records. The first six belong to one container. Default: the Ray
/// container.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
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

/// When a Pod was created, relative to the steps.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum PodCreated {
    /// Created before the steps. The check waits until a Pod is created after the steps, which
    /// shows that the operator acted on them.
    Before,
    /// Created after the steps.
    After,
}

impl PodCreated {
    /// The word as scenario files write it.
    pub fn word(self) -> &'static str {
        match self {
            PodCreated::Before => "before",
            PodCreated::After => "after",
        }
    }
}

/// What a snapshot is of; its text form is the first part of the file's name, such as `head.args`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// Which Pod.
    pub role: Role,
    /// Worker group, where the check names one.
    pub group: Option<String>,
    /// Container, where the check names one.
    pub container: Option<String>,
    /// When the Pod was made, where the check says so.
    pub created: Option<PodCreated>,
    /// Which field.
    pub field: PodField,
}

/// What stands before a container's name; no group holds it, because `=` is escaped there.
const CONTAINER: &str = "container=";
/// What stands before the time at which a Pod was made.
const CREATED: &str = "created=";

impl Subject {
    /// A field of the Ray container of a Pod of this role.
    pub fn new(role: Role, field: PodField) -> Self {
        Self {
            role,
            group: None,
            container: None,
            created: None,
            field,
        }
    }

    /// `<role>[.<group>][.created=<time>][.container=<container>].<field>`, such as `head.args`,
    /// `worker.small.env` or `head.container=autoscaler.command`.
    pub fn name(&self) -> String {
        let mut name = self.role.word().to_owned();
        if let Some(group) = &self.group {
            _ = write!(name, ".{}", escape(group));
        }
        if let Some(created) = self.created {
            _ = write!(name, ".{CREATED}{}", created.word());
        }
        if let Some(container) = &self.container {
            _ = write!(name, ".{CONTAINER}{}", escape(container));
        }
        _ = write!(name, ".{}", self.field.file_part());
        name
    }

    /// Whether a text has the form of a subject's name.
    pub fn is_name(text: &str) -> bool {
        let Some((role, rest)) = text.split_once('.') else {
            return false;
        };
        let field = rest.rsplit_once('.').map_or(rest, |(_, field)| field);
        Role::ALL.iter().any(|known| known.word() == role)
            && PodField::ALL.iter().any(|known| known.file_part() == field)
    }
}

/// Groups are label values and containers DNS labels in a valid manifest; anything else is written
/// as `%XX`, so that it stays a file name.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Role::Head, None, None, None, PodField::Args, "head.args")]
    #[case(
        Role::Worker,
        Some("small"),
        None,
        None,
        PodField::InitContainers,
        "worker.small.init-containers"
    )]
    #[case(
        Role::Head,
        None,
        Some("autoscaler"),
        None,
        PodField::Command,
        "head.container=autoscaler.command"
    )]
    #[case(
        Role::Head,
        None,
        None,
        Some(PodCreated::After),
        PodField::Args,
        "head.created=after.args"
    )]
    #[case(
        Role::Worker,
        Some("a.b"),
        Some("wait-gcs-ready"),
        Some(PodCreated::Before),
        PodField::Env,
        "worker.a.b.created=before.container=wait-gcs-ready.env"
    )]
    #[case(
        Role::Worker,
        Some("created=after"),
        None,
        None,
        PodField::Env,
        "worker.created%3Dafter.env"
    )]
    #[case(
        Role::Worker,
        Some("../x @é"),
        None,
        None,
        PodField::Env,
        "worker...%2Fx%20%40%C3%A9.env"
    )]
    #[case(
        Role::Submitter,
        None,
        None,
        None,
        PodField::Resources,
        "submitter.resources"
    )]
    #[case(
        Role::RedisCleanup,
        None,
        None,
        None,
        PodField::Args,
        "redis-cleanup.args"
    )]
    fn names_tell_what_they_are_of(
        #[case] role: Role,
        #[case] group: Option<&str>,
        #[case] container: Option<&str>,
        #[case] created: Option<PodCreated>,
        #[case] field: PodField,
        #[case] name: &str,
    ) {
        let subject = Subject {
            role,
            group: group.map(Into::into),
            container: container.map(Into::into),
            created,
            field,
        };
        assert_eq!(subject.name(), name);
        assert!(Subject::is_name(name));
    }

    #[rstest]
    #[case("head")]
    #[case("tail.args")]
    #[case("head.argz")]
    #[case("head.")]
    fn other_names_are_no_subjects(#[case] name: &str) {
        assert!(!Subject::is_name(name));
    }
}
