//! The objects of a live cluster, for `explain` and `check`: only reads.

use semver::Version;

use super::files::operators;
use super::reading::{self, ClusterScope};
use crate::args::{FromCluster, OperatorArguments};
use crate::exit::CliError;
use crate::live;
use crate::live::manifests::{self, Group};

/// What [`read`] returns: the groups, each with the releases to look at.
pub(super) type Groups = Vec<(Group, Vec<Version>)>;

/// Reads the objects of a cluster and the operators that work on them. `given` are releases to look
/// at instead of those that run.
///
/// # Errors
/// When the cluster can't be read, or holds no object of KubeRay's.
pub(super) fn read(
    from: &FromCluster,
    operator: &OperatorArguments,
    given: &[Version],
) -> Result<Groups, CliError> {
    let cluster = ClusterScope {
        context: from.context.as_deref(),
        kubeconfig: from.kubeconfig.as_deref(),
        namespace: operator.namespace.as_deref(),
        all_namespaces: from.all_namespaces,
    };
    let bundle = reading::read("manifests", "it", async |progress| {
        let (client, scope) = cluster.connect().await?;
        Ok(live::read_objects(&client, &scope, progress).await?)
    })?;
    for unread in &bundle.unread {
        print_problem!("warning: {} could not be read: {}", unread.what, unread.why);
    }
    let groups = manifests::of(&bundle);
    if groups.is_empty() {
        let searched = match &bundle.namespace {
            Some(namespace) => format!("the namespace {namespace}"),
            None => "the cluster".into(),
        };
        return Err(CliError::bad_use(format!(
            "{searched} contains no RayCluster, RayJob, RayService or RayCronJob"
        ))
        .with_help("name another namespace with -n, or all with -A"));
    }
    let groups = groups.into_iter().map(|group| {
        let releases = releases(&group, given)?;
        Ok((group, releases))
    });
    groups.collect()
}

/// The releases to look at for the objects of an operator.
fn releases(group: &Group, given: &[Version]) -> Result<Vec<Version>, CliError> {
    let count = group.sources.len();
    let objects = if count == 1 {
        "1 object"
    } else {
        &format!("{count} objects")
    };
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    match (&group.operator, &group.release) {
        (Some(name), Some(release)) => {
            print_problem!("KubeRay {release} ({name}) works on {objects}");
            Ok(vec![release.clone()])
        }
        (operator, _) => {
            let why = match operator {
                Some(name) => format!("the image of {name} names no release"),
                None => "no Deployment of an operator that watches them was found".into(),
            };
            let assumed = operators(None)?;
            let shown: Vec<String> = assumed.iter().map(ToString::to_string).collect();
            print_problem!(
                "warning: {objects}: {why}; KubeRay {} is assumed, and --operator names another",
                shown.join(", ")
            );
            Ok(assumed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(operator: Option<&str>, release: Option<Version>) -> Group {
        Group {
            operator: operator.map(Into::into),
            release,
            ..Group::default()
        }
    }

    #[test]
    fn releases_that_are_given_replace_that_of_the_operator() {
        let running = group(Some("ray/operator"), Some(Version::new(1, 5, 2)));
        let own = releases(&running, &[]).unwrap();
        assert_eq!(own, [Version::new(1, 5, 2)]);
        let given = [Version::new(1, 6, 2)];
        assert_eq!(releases(&running, &given).unwrap(), given);
    }

    #[test]
    fn the_default_release_is_assumed_where_no_operator_names_one() {
        let default = operators(None).unwrap();
        for unknown in [group(None, None), group(Some("ray/operator"), None)] {
            assert_eq!(releases(&unknown, &[]).unwrap(), default);
        }
    }
}
