//! Every fault of a proxy on every kind of request that a run sends.

use crate::proxied::{Plane, SLOW};
use crate::support::proxy::{Fault, Rule};
use crate::support::turn;

/// Verbs and resources, and what the reports say where their answers are cut or corrupt.
const REQUESTS: [(&str, &str, &str); 7] = [
    ("create", "namespaces", "making the namespace"),
    ("patch", "rayclusters", "RayCluster"),
    ("watch", "pods", "the watch of pods breaks"),
    ("watch", "events", "the watch of events breaks"),
    ("watch", "jobs", "the watch of jobs breaks"),
    ("watch", "rayclusters", "the watch of rayclusters breaks"),
    ("watch", "rayjobs", "the watch of rayjobs breaks"),
];

#[test]
#[ignore = "needs envtest, takes minutes"]
fn a_run_ends_with_its_limit_behind_every_fault_of_every_request() {
    let _turn = turn();
    let plane = Plane::up();
    for (verb, resource, broken) in REQUESTS {
        for (fault, cause) in [
            (Fault::Stall, "time limit"),
            (Fault::Cut, broken),
            (Fault::Throttle(SLOW), "time limit"),
            (Fault::Corrupt, broken),
        ] {
            let rule = Rule {
                verb,
                resource,
                fault,
            };
            plane.run(rule, cause);
        }
    }
}
