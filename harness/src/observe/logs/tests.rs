use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Instance, Logs, instance, is_removed, split};
use crate::check::LogKey;

fn key(previous: bool) -> LogKey {
    LogKey {
        pod: "head".into(),
        container: "ray-head".into(),
        previous,
    }
}

#[rstest]
#[case("", &[])]
#[case("a\n", &["a"])]
#[case("a\n\nb", &["a", "", "b"])]
#[case("a\r\nb\n", &["a\r", "b"])]
fn lines(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(split(text), expected);
}

#[test]
fn a_removed_log_is_told_from_one_that_speaks_of_it() {
    let removed = "unable to retrieve container logs for containerd://93f677bb";
    assert!(is_removed(&split(removed)));
    assert!(!is_removed(&split(&format!("{removed}\nmore\n"))));
    assert!(!is_removed(&split(&format!("said: {removed}\n"))));
    assert!(!is_removed(&[]));
}

#[test]
fn a_replayed_stream_repeats_nothing_and_mends_a_half_line() {
    let (key, mut logs, begun) = (key(false), Logs::default(), Timestamp::UNIX_EPOCH);
    let runs = Instance {
        id: "one".into(),
        ended: false,
    };
    assert!(logs.put(&key, "one", 0, "first".into()));
    logs.put_whole(&key, &runs, vec!["first".into(), "sec".into()], begun);
    assert!(!logs.put(&key, "one", 0, "first".into()));
    assert!(logs.put(&key, "one", 1, "second".into()));
    assert_eq!(logs.texts[&key].lines, ["first", "second"]);
    assert_eq!(logs.texts[&key].complete_as_of, Some(begun));
    assert!(!logs.texts[&key].ended);
}

#[test]
fn a_new_instance_starts_with_an_empty_log() {
    let (key, mut logs) = (key(false), Logs::default());
    let ended = Instance {
        id: "one".into(),
        ended: true,
    };
    logs.put_whole(&key, &ended, vec!["old".into()], Timestamp::UNIX_EPOCH);
    assert!(logs.texts[&key].ended);
    logs.put(&key, "two", 0, "new".into());
    assert_eq!(logs.texts[&key].lines, ["new"]);
    assert_eq!(logs.texts[&key].complete_as_of, None);
    assert!(!logs.texts[&key].ended);
}

#[rstest]
#[case::running(json!({"state": {"running": {}}, "containerID": "c2"}), false, Some(("c2", false)))]
#[case::ended(json!({"state": {"terminated": {"exitCode": 3, "containerID": "c1"}}}), false, Some(("c1", true)))]
#[case::not_started(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}), false, None)]
#[case::crash_loop(
    json!({"state": {"waiting": {}}, "lastState": {"terminated": {"exitCode": 1, "containerID": "c1"}}}),
    false, Some(("c1", true)))]
#[case::previous(
    json!({"state": {"running": {}}, "containerID": "c2",
           "lastState": {"terminated": {"exitCode": 1, "containerID": "c1"}}}),
    true, Some(("c1", true)))]
#[case::no_previous(json!({"state": {"running": {}}, "containerID": "c2"}), true, None)]
fn instances(#[case] mut status: Value, #[case] previous: bool, #[case] expected: Option<(&str, bool)>) {
    for (field, value) in [
        ("name", json!("ray-head")),
        ("ready", json!(false)),
        ("restartCount", json!(0)),
    ] {
        status[field] = value;
    }
    for field in ["image", "imageID"] {
        status[field] = json!("");
    }
    let pod: Pod = serde_json::from_value(json!({"status": {"containerStatuses": [status]}})).expect("a Pod");
    let expected = expected.map(|(id, ended)| Instance { id: id.into(), ended });
    assert_eq!(instance(&pod, &key(previous)), expected);
}
