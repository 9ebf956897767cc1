//! A flag whose value differs from Pod to Pod.

use rstest::rstest;

use super::*;

fn verdict(values: &[&str], flags: &[&str]) -> Verdict {
    let values = json!({"flagValues": {"role": "worker", "group": "g", "pods": 3, "flag": "num-gpus", "values": values}});
    let pod = |(number, flags): (usize, &&str)| {
        serde_json::from_value(json!({
            "metadata": {"name": format!("w{number}"), "labels": {"ray.io/node-type": "worker", "ray.io/group": "g"}},
            "spec": {"containers": [{"name": "ray", "args": [format!("ulimit -n 65536; ray start {flags}")]}]},
        }))
        .expect("a Pod")
    };
    let observation = Observation {
        pods: flags.iter().enumerate().map(pod).collect(),
        ..Observation::default()
    };
    judge(&check(values), &observation)
}

const ONE: &str = " --block  --num-gpus=1 ";
const TWO: &str = " --num-gpus=2  --block ";

#[test]
fn each_value_in_some_pod_passes() {
    let finding = passes(verdict(&["1", "2"], &[ONE, TWO, ONE]));
    assert_eq!(finding.found.as_deref(), Some("2 times 1\n1 times 2"));
    assert_eq!(
        finding.expected.as_deref(),
        Some("--num-gpus with each of the values 1, 2")
    );
    passes(verdict(&["1"], &[ONE, ONE, ONE]));
}

#[rstest]
#[case::one_value_alone(&["1", "2"], &[ONE, ONE, ONE], "none of 3 Pods has --num-gpus=2")]
#[case::another_value(&["1"], &[ONE, TWO, ONE], "worker Pod of group g w1 has --num-gpus=2")]
#[case::no_value(&["1"], &[ONE, ONE, " --block "], "worker Pod of group g w2 has no generated --num-gpus")]
#[case::a_longer_name(&["1"], &[ONE, ONE, " --num-gpus-more=1 "], "w2 has no generated --num-gpus")]
fn other_values_fail_for_good(
    #[case] values: &[&str],
    #[case] flags: &[&str],
    #[case] reason: &str,
) {
    assert!(fails(verdict(values, flags), reason).found.is_some());
}

#[rstest]
#[case(&[ONE, TWO], "2 of 3 worker Pods of group g exist")]
#[case(&[], "no worker Pod of group g yet")]
fn too_few_pods_are_waited_for(#[case] flags: &[&str], #[case] reason: &str) {
    waits(verdict(&["1", "2"], flags), reason);
}
