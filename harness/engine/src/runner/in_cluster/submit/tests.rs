//! Tests of `job submit`.

use super::super::JOB;
use super::*;

fn options() -> SubmitOptions {
    SubmitOptions {
        job: JOB.into(),
        shards: 3,
        parallel: 2,
        image: "example.org/harness:1".into(),
        arguments: vec!["--ray".into(), "2.52.0".into(), "solution".into()],
    }
}

#[test]
fn the_job_is_filled_in() {
    let job = job(&options()).unwrap();
    assert_eq!(&job["spec"]["completions"], &json!(3));
    assert_eq!(&job["spec"]["parallelism"], &json!(2));
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "example.org/harness:1");
    let arguments: Vec<&str> = container["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    let all = arguments.join(" ");
    assert_eq!(
        all,
        "run --context in-cluster --output /output --job conformance --shards 3 --capacity-share 2 --ray 2.52.0 solution"
    );
    let text = job.to_string();
    assert!(!text.contains("NAME\""), "everything is filled in: {text}");
    assert!(!text.contains("IMAGE\""), "everything is filled in: {text}");
    let env = container["env"].as_array().unwrap();
    let at = |name: &str| env.iter().position(|one| one["name"] == name).unwrap();
    assert!(
        at("SHARD") < at(owner::VARIABLE),
        "a variable can only refer to one before it"
    );
}

#[test]
fn a_job_ends_with_its_last_condition() {
    let with = |kind: &str, status: &str| json!({"status": {"conditions": [{"type": kind, "status": status}]}});
    assert!(has_ended(&with("Complete", "True")));
    assert!(has_ended(&with("Failed", "True")));
    assert!(!has_ended(&with("Complete", "False")));
    assert!(!has_ended(&with("FailureTarget", "True")));
    assert!(!has_ended(&json!({})));
}

#[rstest::rstest]
#[case("conformance", true)]
#[case("a-1", true)]
#[case("A", false)]
#[case("-a", false)]
#[case("", false)]
#[case("a.b", false)]
fn names_of_jobs(#[case] name: &str, #[case] is_good: bool) {
    assert_eq!(is_job_name(name), is_good);
}

#[test]
fn two_pods_of_a_shard_never_run_at_once_and_no_job_runs_for_ever() {
    let job = job(&options()).unwrap();
    assert_eq!(job["spec"]["podReplacementPolicy"], "Failed");
    let deadline = job["spec"]["activeDeadlineSeconds"].as_u64();
    assert!(
        deadline.is_some_and(|seconds| (600..=86400).contains(&seconds)),
        "{job}"
    );
}
