//! What is printed of each state of a target.

use insta::assert_snapshot;
use semver::Version;

use super::*;
use crate::provider::OperatorState;

fn envtest() -> EnvtestState {
    EnvtestState {
        kubernetes: "1.34.1".into(),
        since: "2026-11-29T10:00:00Z".into(),
        daemon: "process 7".into(),
        releases: vec![(Version::new(1, 6, 2), "envtest/1.6.2/kubeconfig".into())],
        users: vec!["process 8 (run)".into()],
    }
}

fn kind() -> KindState {
    KindState {
        cluster: CLUSTER.into(),
        kubernetes: "1.34.1".into(),
        since: "2026-11-29T10:00:00Z".into(),
        engine: "podman 5.4.2".into(),
        nodes: vec!["control-plane".into(), "worker".into()],
        releases: Some((Version::new(1, 6, 2), Version::new(2, 52, 0))),
        kubeconfig: "clusters/kubeconfig".into(),
        users: vec!["process 8 (run)".into()],
    }
}

fn existing() -> ExistingState {
    ExistingState {
        context: "team".into(),
        kubernetes: "1.35.0".into(),
        server: "https://192.0.2.1".into(),
        operator: Ok(OperatorState {
            release: Version::new(1, 6, 2),
            namespace: "ray-system".into(),
            deployment: "kuberay-operator".into(),
            image: "quay.io/kuberay/operator:v1.6.2".into(),
        }),
        forbidden: None,
        namespaces: 2,
    }
}

#[test]
fn an_envtest_that_was_up_is_told_from_a_new_one() {
    let up = |was_up| {
        let state = TargetState::Envtest(envtest());
        super::up(&TargetUp { state, was_up })
    };
    assert_snapshot!(up(false), @r"
    API servers are up: Kubernetes 1.34.1, daemon process 7
    KubeRay 1.6.2: --kubeconfig envtest/1.6.2/kubeconfig
    ");
    assert_snapshot!(up(true), @r"
    API servers are up already: Kubernetes 1.34.1, daemon process 7
    KubeRay 1.6.2: --kubeconfig envtest/1.6.2/kubeconfig
    ");
}

#[test]
fn a_state_names_who_uses_the_target() {
    assert_snapshot!(state(&TargetState::Envtest(envtest())), @r"
    API servers are up since 2026-11-29T10:00:00Z: Kubernetes 1.34.1, daemon process 7
    KubeRay 1.6.2: --kubeconfig envtest/1.6.2/kubeconfig
    used by process 8 (run)
    ");
    assert_snapshot!(state(&TargetState::Kind(kind())), @r"
    kuberay-conformance is up since 2026-11-29T10:00:00Z: Kubernetes 1.34.1, on podman 5.4.2, nodes control-plane, worker
    KubeRay 1.6.2, Ray 2.52.0
    kubeconfig: clusters/kubeconfig
    used by process 8 (run)
    ");
}

#[test]
fn a_kind_cluster_that_is_up_says_what_to_do_next() {
    let up = |kind| {
        super::up(&TargetUp {
            state: TargetState::Kind(kind),
            was_up: false,
        })
    };
    assert_snapshot!(up(kind()), @r"
    kuberay-conformance is up: Kubernetes 1.34.1, KubeRay 1.6.2, Ray 2.52.0, on podman 5.4.2
    look at it:    kubectl --kubeconfig clusters/kubeconfig get pods -A
    take it down:  kuberay-conformance cluster down
    ");
    let named = KindState {
        cluster: "mine".into(),
        ..kind()
    };
    let text = up(named);
    assert!(text.ends_with("cluster down --cluster mine"), "{text}");
}

#[test]
fn what_can_not_be_used_says_why() {
    let incomplete = TargetState::IncompleteKind {
        cluster: "mine".into(),
        why: "a node is gone".into(),
    };
    assert_snapshot!(state(&incomplete), @"mine can't be used: a node is gone");
    let unfinished = KindState {
        releases: None,
        ..kind()
    };
    let text = state(&TargetState::Kind(unfinished));
    assert!(text.contains("`cluster up` makes it complete"), "{text}");
}

#[test]
fn an_existing_cluster_shows_operator_and_permissions() {
    assert_snapshot!(state(&TargetState::Existing(existing())), @r"
    team: Kubernetes 1.35.0 at https://192.0.2.1
    operator: ray-system/kuberay-operator, KubeRay 1.6.2 (quay.io/kuberay/operator:v1.6.2)
    permissions: all that a run needs
    namespaces of scenarios: 2
    ");
    let without = ExistingState {
        operator: Err("there is no Deployment".into()),
        forbidden: Some("create namespaces".into()),
        ..existing()
    };
    let text = state(&TargetState::Existing(without));
    assert!(text.contains("operator: there is no Deployment"), "{text}");
    assert!(text.contains("permissions: create namespaces"), "{text}");
}

#[test]
fn what_was_taken_down_is_named() {
    assert_snapshot!(down(&TargetDown::Envtest), @"the API servers are down");
    let kind = TargetDown::Kind(vec!["a node".into(), "a network".into()]);
    assert_snapshot!(down(&kind), @"removed a node, a network");
    let existing = |removed| TargetDown::Existing {
        context: "team".into(),
        removed,
    };
    assert_snapshot!(down(&existing(vec![])), @"nothing from this machine is left in team");
    let removed = vec!["removed the namespace a".into(), "removed b".into()];
    assert_snapshot!(down(&existing(removed)), @r"
    removed the namespace a
    removed b
    ");
}
