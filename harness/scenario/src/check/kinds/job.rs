//! A job in the dashboard's list.

use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use crate::check::kind::{CheckKind, Kind};
use crate::check::{
    Dashboard, DashboardJob, Expectations, Finding, LogKey, Milestone, Observation, Verdict,
    dashboard, environment, pods,
};
use crate::{DurationText, PodOf, Role};

/// A job in the dashboard's `/api/jobs/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobCheck {
    /// The whole entrypoint, byte for byte.
    #[schemars(length(min = 1))]
    pub entrypoint: String,
    /// The status to reach, such as `SUCCEEDED`.
    #[schemars(extend("enum" = ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED"]))]
    pub status: String,
    /// How many jobs the dashboard lists in all; 1 when absent.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub count: usize,
    /// The Pod on whose Ray node it ran; the head's when absent.
    #[serde(default)]
    pub node: Option<PodOf>,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

fn one() -> usize {
    1
}

impl CheckKind for JobCheck {
    fn kind() -> Kind {
        Kind {
            needs_kubelet: true,
            grants: Some(Milestone::Job),
            ..Kind::new("job", Layer::Runtime)
        }
    }

    fn detail(&self) -> String {
        format!("{} {}", self.status, self.entrypoint)
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

const FINAL: [&str; 3] = ["SUCCEEDED", "FAILED", "STOPPED"];

fn evaluate(check: &JobCheck, observation: &Observation) -> Verdict {
    let expected = Some(format!(
        "{} {} (jobs in all: {})",
        check.status, check.entrypoint, check.count
    ));
    let Some(dashboard) = &observation.dashboard else {
        let message = dashboard::silent(observation);
        return Verdict::NotYet(Finding {
            message,
            expected,
            ..Finding::default()
        });
    };
    let jobs = &dashboard.jobs;
    let found = (!jobs.is_empty()).then(|| list(dashboard));
    let finding = |message: String| Finding {
        message,
        expected: expected.clone(),
        found: found.clone(),
        ..Finding::default()
    };
    if jobs.len() > check.count {
        return Verdict::Never(finding(format!(
            "the dashboard lists {} jobs instead of {}",
            jobs.len(),
            check.count
        )));
    }
    let same = || jobs.iter().filter(|job| job.entrypoint == check.entrypoint);
    let Some(job) = same()
        .find(|job| job.status == check.status)
        .or_else(|| same().next())
    else {
        // Jobs stay in the list, so a list that is full without the one that is awaited can't come
        // to hold it.
        return match jobs.first() {
            Some(other) if jobs.len() == check.count => {
                Verdict::Never(other_entrypoint(check, other))
            }
            _ => Verdict::NotYet(finding(format!(
                "waits for the job; the dashboard lists {}",
                count(jobs.len())
            ))),
        };
    };
    if job.status != check.status {
        let said = job
            .message
            .as_deref()
            .map(|said| format!(": {}", said.trim()))
            .unwrap_or_default();
        return if FINAL.contains(&job.status.as_str()) {
            Verdict::Never(finding(format!(
                "the job ended {} instead of {}{said}",
                job.status, check.status
            )))
        } else {
            Verdict::NotYet(finding(format!(
                "waits for the job to be {}; it is {}",
                check.status, job.status
            )))
        };
    }
    if let Err(verdict) = origin(job, check, observation, &finding) {
        return verdict;
    }
    if jobs.len() < check.count {
        let message = format!(
            "waits for {} jobs in all; the dashboard lists {}",
            check.count,
            count(jobs.len())
        );
        return Verdict::NotYet(finding(message));
    }
    let all = if check.count == 1 {
        "the only job".to_owned()
    } else {
        format!("one of {} jobs", check.count)
    };
    let (role, group) = place(check);
    Verdict::Pass(finding(format!(
        "{all} is {}, on the node of the {who}, started after that",
        job.status,
        who = pods::who(role, group)
    )))
}

/// The Pod on whose node the job is expected.
fn place(check: &JobCheck) -> (Role, Option<&str>) {
    let node = check.node.as_ref();
    node.map_or((Role::Head, None), |node| {
        (node.role, node.group.as_deref())
    })
}

/// Whether the job runs on the node that is expected and belongs to this very Pod, not to one
/// before it.
fn origin(
    job: &DashboardJob,
    check: &JobCheck,
    observation: &Observation,
    finding: &dyn Fn(String) -> Finding,
) -> Result<(), Verdict> {
    let (role, group) = place(check);
    let who = pods::who(role, group);
    let Some(pod) = pods::find(observation, role, group) else {
        return Err(Verdict::NotYet(finding(pods::absent(
            observation,
            role,
            group,
        ))));
    };
    match (job.node(), pods::ip(pod)) {
        (Some(node), Some(ip)) if node == ip => {}
        (Some(node), Some(ip)) => {
            return Err(Verdict::Never(finding(format!(
                "the job ran on node {node}, not on that of the {who} ({ip})"
            ))));
        }
        _ => {
            return Err(Verdict::NotYet(finding(
                "waits for the node of the job".into(),
            )));
        }
    }
    // The kubelet gives whole seconds, cut off: what started after the Pod is never before them.
    let started = pod
        .status
        .as_ref()
        .and_then(|status| status.start_time.as_ref())
        .map(|time| time.0);
    match (job.start_time, started) {
        (Some(job), Some(pod)) if job >= pod.as_millisecond() => Ok(()),
        (Some(job), Some(pod)) => {
            let job = jiff::Timestamp::from_millisecond(job)
                .map_or_else(|_| job.to_string(), |time| time.to_string());
            Err(Verdict::Never(finding(format!(
                "the job started at {job}, before the {who} ({pod})"
            ))))
        }
        _ => Err(Verdict::NotYet(finding(format!(
            "waits for the start times of the job and the {who}"
        )))),
    }
}

fn other_entrypoint(check: &JobCheck, other: &DashboardJob) -> Finding {
    let (expected, found) = (
        format!("{}\n", check.entrypoint),
        format!("{}\n", other.entrypoint),
    );
    let column = 1 + check
        .entrypoint
        .chars()
        .zip(other.entrypoint.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let diff = TextDiff::from_lines(&expected, &found)
        .unified_diff()
        .header("expected", "found")
        .to_string();
    Finding {
        message: format!(
            "the dashboard lists another entrypoint; it differs from character {column} on"
        ),
        expected: Some(check.entrypoint.clone()),
        found: Some(other.entrypoint.clone()),
        diff: Some(diff),
        ..Finding::default()
    }
}

fn list(dashboard: &Dashboard) -> String {
    let lines: Vec<String> = dashboard
        .jobs
        .iter()
        .map(|job| {
            format!(
                "{} {} (on node {})",
                job.status,
                job.entrypoint,
                job.node().unwrap_or("unknown")
            )
        })
        .collect();
    lines.join("\n")
}

fn count(jobs: usize) -> String {
    match jobs {
        0 => "none".into(),
        1 => "1 job".into(),
        jobs => format!("{jobs} jobs"),
    }
}
