//! `cluster up`, `cluster down`, `cluster status`, and the process that keeps envtest up.

mod text;

use super::files;
use super::live::{kind, own_ray};
use super::work::{block, block_until_cancelled};
use crate::args::{ClusterArguments, Mirrors, Stack};
use crate::exit::{CliError, PASSED};
use crate::provider::{EnvtestSpec, KindSpec, TargetSpec, daemon};
use crate::runner::{self, NODES_TO_OVERLAP};

/// Nodes that a cluster has after `cluster up`, unless it is told how many; one that it makes has
/// [`NODES_TO_OVERLAP`].
const NODES_OF_UP: u32 = 2;

pub(super) fn up(stack: &Stack) -> Result<u8, CliError> {
    stack.source.artifacts.install()?;
    let releases = files::releases(&stack.releases, &stack.targets.kinds())?;
    let kind = KindSpec {
        audit: stack.audit,
        // What will run on it is not known; our own scenarios need so many.
        nodes: stack.size.nodes.or(Some(NODES_OF_UP)),
        preferred_nodes: stack.size.nodes.is_none().then_some(NODES_TO_OVERLAP),
        ray: own_ray(&stack.own_ray, &stack.releases, &stack.targets)?,
        ..kind(&stack.engine, &stack.source)
    };
    let targets = stack.targets.specs(&stack.source.envtest(), &kind);
    block(async |progress, cancel| {
        let up = runner::up_within(&releases, &targets, stack.timeout, progress, cancel);
        let texts: Vec<String> = up.await?.iter().map(text::up).collect();
        print_lines!("{}", texts.join("\n"));
        Ok(PASSED)
    })
}

/// Keeps envtest up in the background of `cluster up`.
pub(super) fn keep() -> Result<u8, CliError> {
    // Those of `cluster up`, which the environment holds.
    Mirrors::default().install()?;
    block(async |progress, cancel| {
        daemon::keep(progress, cancel).await?;
        Ok(PASSED)
    })
}

pub(super) fn down(arguments: &ClusterArguments) -> Result<u8, CliError> {
    let targets = targets_of(arguments);
    block_until_cancelled(async |progress| {
        let down = runner::down(&targets, progress).await?;
        let texts: Vec<String> = down.iter().map(text::down).collect();
        print_lines!("{}", lines_or("nothing was up", &texts));
        Ok(PASSED)
    })
}

pub(super) fn status(arguments: &ClusterArguments) -> Result<u8, CliError> {
    let targets = targets_of(arguments);
    block_until_cancelled(async |progress| {
        let status = runner::status(&targets, progress).await?;
        let texts: Vec<String> = status.iter().map(text::state).collect();
        print_lines!("{}", lines_or("nothing is up", &texts));
        Ok(PASSED)
    })
}

fn lines_or(nothing: &str, texts: &[String]) -> String {
    if texts.is_empty() {
        nothing.into()
    } else {
        texts.join("\n")
    }
}

/// The targets that `cluster down` and `cluster status` look at.
fn targets_of(arguments: &ClusterArguments) -> Vec<TargetSpec> {
    if let Some(existing) = arguments.existing.spec() {
        return vec![TargetSpec::Existing(existing)];
    }
    let kind = KindSpec {
        engine: arguments.engine.engine.map(Into::into),
        cluster: arguments.engine.cluster.clone(),
        ..KindSpec::default()
    };
    arguments.targets.specs(&EnvtestSpec::default(), &kind)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::args::{Cluster, Command, parsed};
    use crate::scenario::TargetKind;

    fn targets_of_status(options: &str) -> Vec<TargetSpec> {
        match parsed(&format!("cluster status {options}")) {
            Command::Cluster(Cluster::Status(arguments)) => targets_of(&arguments),
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case("", &[TargetKind::Envtest, TargetKind::Kind])]
    #[case("--target kind", &[TargetKind::Kind])]
    #[case("--context test", &[TargetKind::Existing])]
    fn status_asks_the_targets_that_its_arguments_name(
        #[case] options: &str,
        #[case] expected: &[TargetKind],
    ) {
        let specs = targets_of_status(options);
        let kinds: Vec<TargetKind> = specs.iter().map(TargetSpec::kind).collect();
        assert_eq!(kinds, expected);
    }

    #[test]
    fn status_asks_for_the_cluster_that_it_is_given() {
        let specs = targets_of_status("--target kind --cluster mine");
        let [TargetSpec::Kind(kind)] = specs.as_slice() else {
            panic!("{specs:?}")
        };
        assert_eq!(kind.cluster, "mine");
    }

    #[test]
    fn an_empty_list_is_said_in_words() {
        assert_eq!(lines_or("nothing is up", &[]), "nothing is up");
        let texts = ["a".to_owned(), "b".to_owned()];
        assert_eq!(lines_or("nothing is up", &texts), "a\nb");
    }
}
