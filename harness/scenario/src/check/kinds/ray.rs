//! Ray itself answers: its dashboard lists the expected nodes.

use std::collections::BTreeMap;

use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::dashboard::{head_is_alive, silent};
use crate::check::kind::{CheckKind, Kind};
use crate::check::{
    DashboardNode, Expectations, Finding, LogKey, Milestone, Observation, ResourceExpectation,
    Verdict, environment, pods, resources,
};
use crate::{DurationText, Role};

/// Ray readiness, as Ray itself reports it (a Pod can be Ready long before).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RayCheck {
    /// Nodes that must be alive, the head included.
    #[schemars(range(min = 1))]
    pub nodes: usize,
    /// The totals of all nodes' resources together, such as `{CPU: 2, memory: 4Gi}`; others may be
    /// there, too.
    #[serde(default)]
    #[schemars(extend("minProperties" = 1))]
    pub resources: BTreeMap<String, ResourceExpectation>,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

impl CheckKind for RayCheck {
    fn kind() -> Kind {
        Kind {
            needs_kubelet: true,
            grants: Some(Milestone::RayReady),
            ..Kind::new("ray", Layer::Runtime)
        }
    }

    fn detail(&self) -> String {
        match self.nodes {
            1 => "1 node".into(),
            nodes => format!("{nodes} nodes"),
        }
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation)
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }

    fn needed_logs(&self, observation: &Observation) -> Vec<LogKey> {
        environment::needed(observation).into_iter().collect()
    }
}

fn evaluate(check: &RayCheck, observation: &Observation) -> Verdict {
    let Some(dashboard) = &observation.dashboard else {
        return Verdict::NotYet(Finding {
            message: silent(observation),
            ..Finding::default()
        });
    };
    let alive = dashboard
        .nodes
        .iter()
        .filter(|node| node.state == "ALIVE")
        .count();
    let head = head_is_alive(observation);
    let listed: Vec<String> = dashboard
        .nodes
        .iter()
        .map(|node| {
            format!(
                "{} {} {}",
                if node.is_head { "head" } else { "worker" },
                node.ip,
                node.state
            )
        })
        .collect();
    let expected = match check.nodes {
        1 => "the head alive and no other node".to_owned(),
        nodes => format!("{nodes} nodes alive, the head among them"),
    };
    let finding = |message: String, expected: String| Finding {
        message,
        expected: Some(expected),
        found: Some(listed.join("\n")),
        ..Finding::default()
    };
    if !head || alive != check.nodes {
        let without = if head { "" } else { ", and no head" };
        let message = format!(
            "waits for {expected}; Ray lists {alive} alive of {}{without}",
            listed.len()
        );
        return Verdict::NotYet(finding(message, expected));
    }
    let mut found = finding(format!("Ray lists {expected}"), expected);
    if check.resources.is_empty() {
        return Verdict::Pass(found);
    }
    let alive = dashboard.nodes.iter().filter(|node| node.state == "ALIVE");
    let Some(totals) = totals(alive) else {
        found.message = "waits for Ray to report the resources of every node".into();
        return Verdict::NotYet(found);
    };
    found.expected = Some(resources::words(&check.resources));
    found.found = Some(resources::numbers(&totals));
    let head_ip = pods::find(observation, Role::Head, None).and_then(pods::ip);
    let expected = check.resources.iter();
    let expected = expected.map(|(name, amount)| (resources::google_style(name), amount.clone()));
    let differences = resources::differences(&expected.collect(), &totals, head_ip);
    // A node tells its resources once, when it joins.
    if differences.is_empty() {
        found.message += ", with the resources that are expected of them together";
        Verdict::Pass(found)
    } else {
        let (wanted, seen): (Vec<String>, Vec<String>) = differences.into_iter().unzip();
        let (wanted, seen) = (wanted.join(", "), seen.join(", "));
        found.message =
            format!("the resources of all nodes together differ: expected {wanted}; found {seen}");
        Verdict::Never(found)
    }
}

/// The resources of all nodes together; none while one has not told its own.
fn totals<'a>(nodes: impl Iterator<Item = &'a DashboardNode>) -> Option<BTreeMap<String, f64>> {
    let mut totals = BTreeMap::new();
    for node in nodes {
        if node.resources.is_empty() {
            return None;
        }
        for (name, amount) in &node.resources {
            // Ray 2.7 and older write names as they are, 2.52 in the dashboard's own style.
            *totals.entry(resources::google_style(name)).or_insert(0.0) += amount;
        }
    }
    Some(totals)
}
