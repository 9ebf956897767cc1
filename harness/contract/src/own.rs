//! Containers that the operator leaves alone.

use std::collections::BTreeSet;

use super::env::Env;
use super::input::Container;
use super::{AddedProbes, ContainerContract, ContainerKind};

/// A container that the operator leaves alone.
pub(super) fn user(own: &Container) -> ContainerContract {
    ContainerContract {
        kind: ContainerKind::User,
        name: own.name.clone(),
        command: own.command.clone(),
        args: own.args.iter().map(|word| word.as_str().into()).collect(),
        env: Env::of(&own.env).0,
        added_probes: AddedProbes::default(),
        features: BTreeSet::new(),
    }
}
