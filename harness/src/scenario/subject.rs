//! Names of what snapshots are of: the part of a snapshot's file name before `@`.

use std::fmt::Write as _;

use super::{PodField, Role};

/// What stands before a container's name; no group holds it, because it is escaped there.
const CONTAINER: &str = "container=";

/// `<role>[.<group>][.container=<container>].<field>`, such as `head.args`, `worker.small.env` or
/// `head.container=autoscaler.command`.
pub fn subject_name(role: Role, group: Option<&str>, container: Option<&str>, field: PodField) -> String {
    let mut name = role.word().to_owned();
    if let Some(group) = group {
        _ = write!(name, ".{}", escape(group));
    }
    if let Some(container) = container {
        _ = write!(name, ".{CONTAINER}{}", escape(container));
    }
    _ = write!(name, ".{}", field.file_part());
    name
}

/// Whether a text has the form of a subject's name.
pub fn is_subject_name(text: &str) -> bool {
    let Some((role, rest)) = text.split_once('.') else {
        return false;
    };
    let field = rest.rsplit_once('.').map_or(rest, |(_, field)| field);
    let roles = [Role::Head, Role::Worker, Role::Submitter];
    roles.iter().any(|known| known.word() == role) && PodField::ALL.iter().any(|known| known.file_part() == field)
}

/// Groups are label values and containers DNS labels in a valid manifest; anything else is written as `%XX`, so that it
/// stays a file name.
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
    #[case(Role::Head, None, None, PodField::Args, "head.args")]
    #[case(
        Role::Worker,
        Some("small"),
        None,
        PodField::InitContainers,
        "worker.small.init-containers"
    )]
    #[case(
        Role::Head,
        None,
        Some("autoscaler"),
        PodField::Command,
        "head.container=autoscaler.command"
    )]
    #[case(
        Role::Worker,
        Some("a.b"),
        Some("wait-gcs-ready"),
        PodField::Env,
        "worker.a.b.container=wait-gcs-ready.env"
    )]
    #[case(Role::Worker, Some("container=x"), None, PodField::Env, "worker.container%3Dx.env")]
    #[case(Role::Worker, Some("../x @é"), None, PodField::Env, "worker...%2Fx%20%40%C3%A9.env")]
    #[case(Role::Submitter, None, None, PodField::Resources, "submitter.resources")]
    fn names_tell_what_they_are_of(
        #[case] role: Role,
        #[case] group: Option<&str>,
        #[case] container: Option<&str>,
        #[case] field: PodField,
        #[case] name: &str,
    ) {
        assert_eq!(subject_name(role, group, container, field), name);
        assert!(is_subject_name(name));
    }

    #[rstest]
    #[case("head")]
    #[case("tail.args")]
    #[case("head.argz")]
    #[case("head.")]
    fn other_names_are_no_subjects(#[case] name: &str) {
        assert!(!is_subject_name(name));
    }
}
