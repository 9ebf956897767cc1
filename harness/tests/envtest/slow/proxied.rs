//! Every fault of a proxy on every kind of request that a run sends.

use crate::ends::waits;
use crate::proxied::{ProxiedEnvtest, SLOW};
use crate::support::proxy::{Fault, Rule};
use crate::support::{exclusive, scenarios};

/// The scenario that does every step.
const STEPS: &str = "existing-pods-keep-their-command";

/// Scenarios, verbs and resources, and what the reports say where their answers are cut or corrupt.
const REQUESTS: [(&str, &str, &str, &str); 10] = [
    (
        "default-command",
        "create",
        "namespaces",
        "making the namespace",
    ),
    ("default-command", "create", "rayclusters", "RayCluster"),
    (
        "default-command",
        "watch",
        "pods",
        "the watch of pods breaks",
    ),
    (
        "default-command",
        "watch",
        "events",
        "the watch of events breaks",
    ),
    (
        "default-command",
        "watch",
        "jobs",
        "the watch of jobs breaks",
    ),
    (
        "default-command",
        "watch",
        "rayclusters",
        "the watch of rayclusters breaks",
    ),
    (
        "default-command",
        "watch",
        "rayjobs",
        "the watch of rayjobs breaks",
    ),
    (
        STEPS,
        "patch",
        "pods/status",
        "could not write the status of a Pod",
    ),
    (STEPS, "patch", "rayclusters", "RayCluster"),
    (STEPS, "delete", "pods", "could not delete a Pod"),
];

/// A part of the answer arrives, and the rest does not within the limit.
const FAULTS: [Fault; 4] = [
    Fault::Stall,
    Fault::Cut,
    Fault::Throttle(SLOW),
    Fault::Corrupt,
];

#[test]
#[ignore = "needs envtest, takes minutes"]
fn a_run_ends_with_its_limit_behind_every_fault_of_every_request() {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    for (scenario, verb, resource, broken) in REQUESTS {
        for fault in FAULTS {
            let rule = Rule {
                verb,
                resource,
                fault,
            };
            let arguments = [scenario, "--timeout", "15s"];
            let ended = envtest.meets(rule, &arguments, &scenarios());
            envtest.ends_in_time(&ended, cause(fault, broken));
        }
    }
}

fn cause(fault: Fault, broken: &str) -> &str {
    match fault {
        Fault::Cut | Fault::Corrupt => broken,
        Fault::Stall | Fault::Throttle(_) | Fault::CutLater(_) | Fault::Silent(_) => "time limit",
    }
}

/// What a run asks of a cluster that exists before it begins.
#[test]
#[ignore = "needs envtest, takes minutes"]
fn a_run_on_an_existing_cluster_ends_with_its_limit_behind_every_fault_of_every_request() {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    for (verb, resource, broken) in [
        ("get", "/version", "does not answer"),
        ("get", "namespaces", "reading the namespace kube-system"),
        (
            "create",
            "selfsubjectrulesreviews",
            "reviewing the permissions with the API server",
        ),
        ("list", "deployments", "looking for the operator"),
    ] {
        // These answers are short.
        let slow = (resource != "deployments").then_some(Fault::Throttle(SLOW / 2));
        let others = [Fault::Stall, Fault::Cut, Fault::Corrupt];
        for fault in others.into_iter().chain(slow) {
            let rule = Rule {
                verb,
                resource,
                fault,
            };
            let ended = envtest.meets_existing(rule);
            envtest.ends_in_time(&ended, cause(fault, broken));
        }
    }
}

/// Requests for evidence and of clean-up come after the verdict, which stands.
#[test]
#[ignore = "needs envtest, takes minutes"]
fn a_verdict_stands_and_the_run_ends_in_time_behind_every_fault_of_what_comes_after_it() {
    let _exclusive = exclusive();
    let envtest = ProxiedEnvtest::up();
    let folder = tempfile::tempdir().unwrap();
    waits(folder.path(), "waits", "5s");
    for (verb, resource, said) in [
        ("get", "pods/log", "could not be read"),
        ("list", "secrets", "Secrets can't be read"),
        ("deletecollection", "rayclusters", "rayclusters"),
        ("deletecollection", "pods", "Pods"),
    ] {
        for fault in FAULTS {
            let rule = Rule {
                verb,
                resource,
                fault,
            };
            let arguments = ["waits", "--timeout", "15s"];
            let ended = envtest.meets(rule, &arguments, &folder.path().join("scenarios"));
            ended.has_its_verdict(1);
            // Of other faults an answer without a body gets nothing.
            assert!(
                fault != Fault::Cut || ended.said.contains(said),
                "`{said}` is not told: {}",
                ended.said
            );
            envtest.clear();
        }
    }
}
