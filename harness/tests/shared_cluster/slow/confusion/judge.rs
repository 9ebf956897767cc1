//! Judges what `doctor` says of a case, from its first report to the last.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use super::cases::{Case, Expected};

/// How long a case may take until `doctor` names its cause, or everything is ready.
const WITHIN: Duration = Duration::from_mins(8);
/// How long `doctor` may go on naming another cause than the right one before the case ends.
const CORRECTED_WITHIN: Duration = Duration::from_mins(1);
/// How often what is ready is asked about, so that something late would show.
const READY_LOOKS: usize = 3;

/// The causes of the first object with findings of a severity, in their order.
fn causes(report: &Value, severity: &str) -> Vec<String> {
    let objects = report["objects"].as_array().into_iter().flatten();
    let of_object = objects.map(|object| {
        let findings = object["findings"].as_array().into_iter().flatten();
        let findings = findings.filter(|one| one["severity"] == severity);
        findings
            .filter_map(|one| one["cause"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    });
    let mut of_object = of_object.filter(|causes| !causes.is_empty());
    of_object.next().unwrap_or_default()
}

/// Whether every object is as its user wants it, as far as Pods tell.
fn is_ready(report: &Value) -> bool {
    let objects = report["objects"].as_array().unwrap();
    let pods_are_ready = |object: &Value| {
        let pods = object["pods"].as_array().unwrap();
        !pods.is_empty() && pods.iter().all(|pod| pod["ready"] == true)
    };
    let is_ready = |object: &Value| object["state"] == "healthy" || pods_are_ready(object);
    !objects.is_empty() && objects.iter().all(is_ready)
}

/// What is known of a case while it goes on.
pub struct Trial {
    began: Instant,
    /// Other causes than the right one, in their order.
    pub wrong: Vec<String>,
    wrong_since: Option<Instant>,
    /// How often everything was ready in a row.
    pub ready: usize,
}

impl Trial {
    pub fn begin() -> Self {
        Self {
            began: Instant::now(),
            wrong: Vec::new(),
            wrong_since: None,
            ready: 0,
        }
    }

    /// Takes in a report; returns the causes once the case is decided.
    pub fn take(&mut self, report: &Value, case: &Case) -> Option<Vec<String>> {
        let about_cluster = report["findings"].as_array().into_iter().flatten();
        self.wrong.extend(about_cluster.map(|one| {
            let cause = one["cause"].as_str().unwrap_or_default();
            format!("{cause} about the cluster")
        }));
        let problems = causes(report, "error");
        let first = problems.first().map_or("", String::as_str);
        let is_one_of = |causes: &[&str]| causes.contains(&first);
        let (right, whole) = match &case.expected {
            Expected::First(causes) => (is_one_of(causes), true),
            Expected::All(faults) => {
                let named = |causes: &&[&str]| {
                    let mut causes = causes.iter();
                    causes.any(|cause| problems.iter().any(|one| one == cause))
                };
                let right = faults.iter().any(|causes| is_one_of(causes));
                (right, faults.iter().all(named))
            }
            Expected::Silent | Expected::Warned(_) => (false, true),
        };
        if first.is_empty() {
            self.wrong_since = None;
            self.ready = if is_ready(report) { self.ready + 1 } else { 0 };
        } else if right {
            if whole {
                return Some(problems);
            }
            // The other causes may still show.
            self.wrong_since = None;
        } else {
            self.wrong_since.get_or_insert_with(Instant::now);
            if self.wrong.last().is_none_or(|last| last != first) {
                println!("{}: {:#}", case.name, report["objects"]);
                self.wrong.push(first.to_owned());
            }
        }
        let is_hopeless = |since: Instant| since.elapsed() > CORRECTED_WITHIN;
        let awaits_ready = matches!(case.expected, Expected::Silent | Expected::Warned(_));
        let decided = awaits_ready && self.ready >= READY_LOOKS
            || self.wrong_since.is_some_and(is_hopeless)
            || self.began.elapsed() > WITHIN;
        decided.then(|| {
            if problems.is_empty() {
                causes(report, "warning")
            } else {
                problems
            }
        })
    }

    /// Why the case failed, where it did.
    pub fn verdict(&self, case: &Case, causes: &[String]) -> Option<String> {
        let seconds = self.began.elapsed().as_secs();
        let first = causes.first().map_or("", String::as_str);
        if !self.wrong.is_empty() {
            return Some(format!("doctor named {} first", self.wrong.join(", then ")));
        }
        let problem = match &case.expected {
            Expected::First(wanted) if !wanted.contains(&first) => "did not name the cause",
            Expected::All(faults) => {
                let named =
                    |wanted: &&[&str]| causes.iter().any(|one| wanted.contains(&one.as_str()));
                if faults.iter().all(named) {
                    return None;
                }
                "did not name every cause"
            }
            Expected::Silent | Expected::Warned(_) if self.ready < READY_LOOKS => "was not ready",
            Expected::Silent if !first.is_empty() => "warned of what is well",
            Expected::Warned(cause) if first != *cause => "did not warn",
            _ => return None,
        };
        Some(format!("{problem} within {seconds} s"))
    }
}

/// What a case expects, for people.
pub fn shown(expected: &Expected) -> String {
    match expected {
        Expected::First(causes) => causes.join(" or "),
        Expected::All(faults) => {
            let faults: Vec<String> = faults.iter().map(|causes| causes.join(" or ")).collect();
            faults.join(", ")
        }
        Expected::Warned(cause) => format!("{cause} (warning)"),
        Expected::Silent => "nothing".into(),
    }
}

fn said(causes: &[&str], state: &str) -> Value {
    let findings = causes.iter().map(|cause| {
        let warned = cause.strip_prefix("warning ");
        let severity = if warned.is_some() { "warning" } else { "error" };
        json!({"cause": warned.unwrap_or(cause), "severity": severity})
    });
    json!({"findings": [], "objects": [{"state": state, "pods": [],
        "findings": findings.collect::<Vec<_>>()}]})
}

#[rstest]
#[case::right(Expected::First(&["a"]), &["a", "b"], "broken", None)]
#[case::second(Expected::First(&["b"]), &["a", "b"], "broken", Some("doctor named a first"))]
#[case::all(Expected::All(vec![&["a"], &["b", "c"]]), &["c", "a"], "broken", None)]
#[case::not_all(Expected::All(vec![&["a"], &["b"]]), &["a"], "broken", Some("every cause"))]
#[case::silent(Expected::Silent, &[], "healthy", None)]
#[case::false_alarm(Expected::Silent, &["a"], "broken", Some("doctor named a first"))]
#[case::needless_warning(Expected::Silent, &["warning a"], "healthy", Some("warned of"))]
#[case::not_ready(Expected::Silent, &[], "progressing", Some("was not ready"))]
#[case::no_warning(Expected::Warned("a"), &[], "healthy", Some("did not warn"))]
fn a_report_is_judged(
    #[case] expected: Expected,
    #[case] causes: &[&str],
    #[case] state: &str,
    #[case] problem: Option<&str>,
) {
    let case = Case::new("", Vec::new(), expected);
    let mut trial = Trial::begin();
    let report = said(causes, state);
    let mut found = Vec::new();
    for _ in 0..READY_LOOKS {
        found = trial.take(&report, &case).unwrap_or(found);
    }
    let found = if found.is_empty() {
        self::causes(&report, "error")
    } else {
        found
    };
    let verdict = trial.verdict(&case, &found);
    match problem {
        None => assert_eq!(verdict, None),
        Some(words) => assert!(
            verdict.clone().unwrap_or_default().contains(words),
            "{verdict:?}"
        ),
    }
}

#[test]
fn a_case_whose_causes_are_not_all_named_ends_at_its_limit() {
    let case = Case::new("", Vec::new(), Expected::All(vec![&["a"], &["b"]]));
    let mut trial = Trial::begin();
    let report = said(&["a"], "broken");
    assert!(trial.take(&report, &case).is_none());
    trial.began = Instant::now().checked_sub(WITHIN * 2).unwrap();
    let found = trial.take(&report, &case).expect("its limit has passed");
    let verdict = trial.verdict(&case, &found).unwrap();
    assert!(verdict.contains("did not name every cause"), "{verdict}");
}
