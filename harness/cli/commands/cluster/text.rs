//! What `cluster up`, `cluster down` and `cluster status` print of a target.

use crate::provider::{
    CLUSTER, EnvtestState, ExistingState, KindState, TargetDown, TargetState, TargetUp,
};

/// Returns the text for a target that `cluster up` has started, with the next commands.
pub(super) fn up(up: &TargetUp) -> String {
    match &up.state {
        TargetState::Envtest(envtest) if up.was_up => api_servers(envtest, "are up already"),
        TargetState::Envtest(envtest) => api_servers(envtest, "are up"),
        TargetState::Kind(kind) => kind_up(kind),
        state @ (TargetState::IncompleteKind { .. } | TargetState::Existing(_)) => {
            self::state(state)
        }
    }
}

/// Returns the text of `cluster status` for a target.
pub(super) fn state(state: &TargetState) -> String {
    match state {
        TargetState::Envtest(envtest) => {
            let text = api_servers(envtest, &format!("are up since {}", envtest.since));
            with_users(text, &envtest.users)
        }
        TargetState::Kind(kind) => kind_state(kind),
        TargetState::IncompleteKind { cluster, why } => format!("{cluster} can't be used: {why}"),
        TargetState::Existing(existing) => existing_state(existing),
    }
}

/// Returns the text for what `cluster down` has removed.
pub(super) fn down(down: &TargetDown) -> String {
    match down {
        TargetDown::Envtest => "the API servers are down".into(),
        TargetDown::Kind(removed) => format!("removed {}", removed.join(", ")),
        TargetDown::Existing { context, removed } if removed.is_empty() => {
            format!("nothing from this machine is left in {context}")
        }
        TargetDown::Existing { removed, .. } => removed.join("\n"),
    }
}

fn api_servers(envtest: &EnvtestState, how: &str) -> String {
    let (kubernetes, daemon) = (&envtest.kubernetes, &envtest.daemon);
    let mut text = format!("API servers {how}: Kubernetes {kubernetes}, daemon {daemon}");
    for (release, kubeconfig) in &envtest.releases {
        let kubeconfig = kubeconfig.display();
        text.push_str(&format!("\nKubeRay {release}: --kubeconfig {kubeconfig}"));
    }
    text
}

fn kind_up(kind: &KindState) -> String {
    let KindState {
        cluster,
        kubernetes,
        engine,
        ..
    } = kind;
    let releases = kind.releases.as_ref();
    let releases = releases.map_or_else(String::new, |(operator, ray)| {
        format!(" KubeRay {operator}, Ray {ray},")
    });
    let named = if cluster == CLUSTER {
        String::new()
    } else {
        format!(" --cluster {cluster}")
    };
    format!(
        "{cluster} is up: Kubernetes {kubernetes},{releases} on {engine}\n\
         look at it:    kubectl --kubeconfig {} get pods -A\n\
         take it down:  kuberay-conformance cluster down{named}",
        kind.kubeconfig.display(),
    )
}

fn kind_state(kind: &KindState) -> String {
    let mut text = format!(
        "{} is up since {}: Kubernetes {}, on {}, nodes {}",
        kind.cluster,
        kind.since,
        kind.kubernetes,
        kind.engine,
        kind.nodes.join(", ")
    );
    match &kind.releases {
        Some((operator, ray)) => text.push_str(&format!("\nKubeRay {operator}, Ray {ray}")),
        None => text.push_str("\nwhat runs in it is not known; `cluster up` makes it complete"),
    }
    text.push_str(&format!("\nkubeconfig: {}", kind.kubeconfig.display()));
    with_users(text, &kind.users)
}

fn existing_state(existing: &ExistingState) -> String {
    let operator = match &existing.operator {
        Ok(operator) => format!(
            "{}/{}, KubeRay {} ({})",
            operator.namespace, operator.deployment, operator.release, operator.image
        ),
        Err(why) => why.clone(),
    };
    let permissions = existing.forbidden.as_deref();
    format!(
        "{}: Kubernetes {} at {}\noperator: {operator}\npermissions: {}\nnamespaces of scenarios: {}",
        existing.context,
        existing.kubernetes,
        existing.server,
        permissions.unwrap_or("all that a run needs"),
        existing.namespaces
    )
}

fn with_users(mut text: String, users: &[String]) -> String {
    for user in users {
        text.push_str(&format!("\nused by {user}"));
    }
    text
}

#[cfg(test)]
mod tests;
