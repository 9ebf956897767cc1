//! The order of flags in many Pods.

use assertables::{assert_ends_with, assert_starts_with};
use rstest::rstest;

use super::*;

struct Nothing;

impl Expectations for Nothing {
    fn compare(&self, _: &Subject, _: &Value) -> Comparison {
        panic!("no snapshot is needed")
    }
}

fn workers(flags: &[&str]) -> Observation {
    let pod = |(number, flags): (usize, &&str)| {
        serde_json::from_value(json!({
            "metadata": {"name": format!("w{number}"), "labels": {"ray.io/node-type": "worker", "ray.io/group": "g"}},
            "spec": {"containers": [{"name": "ray", "args": [format!(" x  && ulimit -n 65536; ray start {flags}")]}]},
        }))
        .expect("a Pod")
    };
    Observation {
        pods: flags.iter().enumerate().map(pod).collect(),
        ..Observation::default()
    }
}

fn verdict(orders: &str, flags: &[&str]) -> Verdict {
    let check = json!({"flagOrder": {"role": "worker", "group": "g", "pods": 3, "orders": orders}});
    let check: Check = serde_json::from_value(check).expect("a check");
    evaluate(&check, &workers(flags), &Nothing)
}

const AB: &str = " --a=1  --b ";
const BA: &str = " --b  --a=1 ";

#[rstest]
#[case::all_there_and_alike("one", &[AB, AB, AB])]
#[case::all_there_and_different("several", &[AB, BA, AB])]
#[case::more_than_asked("several", &[AB, AB, AB, BA])]
fn orders_as_expected_pass(#[case] orders: &str, #[case] flags: &[&str]) {
    let finding = passes(verdict(orders, flags));
    let found = finding.found.expect("the orders");
    let times = found.lines().map(|line| line.split(' ').next().unwrap());
    let times: usize = times.map(|times| times.parse::<usize>().unwrap()).sum();
    assert_eq!(times, flags.len(), "{found}");
    assert_starts_with!(finding.message, format!("{} worker Pods", flags.len()));
    assert_ends_with!(finding.expected.unwrap(), "order of flags");
}

#[rstest]
#[case::different("one", &[AB, BA, AB], "3 worker Pods of group g have 2 order(s) of the same flags")]
#[case::alike("several", &[BA, BA, BA], "have 1 order(s) of the same flags")]
#[case::other_flags("several", &[AB, BA, " --a=2  --b "], "w2 has other flags than w0")]
#[case::a_flag_more("one", &[AB, AB, " --a=1  --b  --b "], "w2 has other flags than w0")]
#[case::another_form("one", &[AB, AB, " --a=1  --b"], "w2 has no generated `ray start`")]
fn other_orders_fail_for_good(#[case] orders: &str, #[case] flags: &[&str], #[case] reason: &str) {
    let Verdict::Never(finding) = verdict(orders, flags) else {
        panic!("it must fail for good")
    };
    assert!(finding.message.contains(reason), "{}", finding.message);
    assert!(finding.found.is_some());
    assert!(finding.expected.is_some());
}

#[rstest]
#[case(&[AB, BA], "2 of 3 worker Pods of group g exist")]
#[case(&[], "no worker Pod of group g yet")]
fn too_few_pods_are_waited_for(#[case] flags: &[&str], #[case] reason: &str) {
    let Verdict::NotYet(finding) = verdict("several", flags) else {
        panic!("it must wait")
    };
    assert!(finding.message.contains(reason), "{}", finding.message);
}
