use std::convert::Infallible;

use assertables::assert_contains;
use http::{Request, Response};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::client::Body;
use kube::{Api, Client};
use rstest::rstest;
use serde_json::{Value, json};

use super::super::followed_logs::{Instance, Logs, instance};
use super::{Taken, Whole, is_only_removed, read_beyond};
use crate::check::{Bounds, LINE_BYTES, Line, Lines, LogKey};

fn key(previous: bool) -> LogKey {
    LogKey {
        pod: "head".into(),
        container: "ray-head".into(),
        previous,
    }
}

fn line(text: &str) -> Line {
    Line {
        text: text.into(),
        cut: 0,
    }
}

fn instance_of(id: &str, ended: bool) -> Instance {
    Instance {
        id: id.into(),
        ended,
    }
}

/// What is read of a whole log of which `known` lines are known.
async fn whole(text: &[u8], known: &Lines) -> Whole {
    let text = text.to_vec();
    let service = tower::service_fn(move |_: Request<Body>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::from(text.clone()))))
    });
    let pods = Api::namespaced(Client::new(service, "default"), "n");
    let params = LogParams::default();
    let read = read_beyond(&pods, "head", &params, known, Bounds::CHECKS).await;
    read.expect("a log")
}

#[rstest]
#[case(b"", &[])]
#[case(b"a\n", &["a"])]
#[case(b"a\n\nb", &["a", "", "b"])]
#[case(b"a\r\nb\n", &["a\r", "b"])]
#[case(b"a\n\xff\xfe b\n\xc3\xa9\xc3", &["a", "\u{fffd}\u{fffd} b", "\u{e9}\u{fffd}"])]
#[tokio::test]
async fn lines_are_read_whatever_their_bytes(#[case] text: &[u8], #[case] expected: &[&str]) {
    let lines = whole(text, &Lines::default()).await.beyond;
    assert_eq!(lines.iter().collect::<Vec<_>>(), expected);
    assert_eq!(
        lines.partial().is_some(),
        !text.is_empty() && !text.ends_with(b"\n")
    );
}

#[tokio::test]
async fn of_a_line_that_is_too_long_the_end_is_counted() {
    let text = ["x".repeat(LINE_BYTES + 77), "\nnext\n".into()].concat();
    let lines = whole(text.as_bytes(), &Lines::default()).await.beyond;
    assert_eq!(lines.get(0).map(str::len), Some(LINE_BYTES));
    assert_eq!(lines.get(1), Some("next"));
    assert_contains!(
        lines.to_text(),
        "x[77 bytes more of this line are left out]\n"
    );
}

#[tokio::test]
async fn a_removed_log_is_told_from_one_that_speaks_of_it() {
    let removed = "unable to retrieve container logs for containerd://93f677bb";
    let vanishing = "failed to try resolving symlinks in path \"/var/log/pods/n_p_u/ray-head/0.log\": lstat \
                     /var/log/pods/n_p_u/ray-head/0.log: no such file or directory";
    for (text, expected) in [
        (removed.to_owned(), true),
        (vanishing.to_owned(), true),
        (format!("{vanishing}\n"), true),
        (format!("{removed}\nmore\n"), false),
        (format!("said: {removed}\n"), false),
        (String::new(), false),
    ] {
        let lines = whole(text.as_bytes(), &Lines::default()).await.beyond;
        assert_eq!(is_only_removed(&lines), expected, "{text}");
    }
}

#[tokio::test]
async fn a_replayed_stream_repeats_nothing_and_ends_a_half_line() {
    let (key, mut logs, begun) = (key(false), Logs::default(), Timestamp::UNIX_EPOCH);
    assert_eq!(logs.put(&key, "one", 0, &line("first")), Taken::New);
    let read = whole(b"first\nsec", &logs.known(&key, "one")).await;
    assert!(logs.put_whole(&key, &instance_of("one", false), read, begun));
    assert_eq!(
        logs.texts[&key].lines.iter().collect::<Vec<_>>(),
        ["first", "sec"]
    );
    assert_eq!(logs.put(&key, "one", 0, &line("first")), Taken::Known);
    assert_eq!(logs.put(&key, "one", 1, &line("second")), Taken::New);
    assert_eq!(
        logs.texts[&key].lines.iter().collect::<Vec<_>>(),
        ["first", "second"]
    );
    assert_eq!(logs.texts[&key].complete_as_of, Some(begun));
    assert!(!logs.texts[&key].ended);
}

#[tokio::test]
async fn a_new_instance_starts_with_an_empty_log() {
    let (key, mut logs) = (key(false), Logs::default());
    let read = whole(b"old\n", &logs.known(&key, "one")).await;
    assert!(logs.put_whole(&key, &instance_of("one", true), read, Timestamp::UNIX_EPOCH));
    assert!(logs.texts[&key].ended);
    logs.put(&key, "two", 0, &line("new"));
    assert_eq!(logs.texts[&key].lines.iter().collect::<Vec<_>>(), ["new"]);
    assert_eq!(logs.texts[&key].complete_as_of, None);
    assert!(!logs.texts[&key].ended);
}

/// The node begins a new file after some megabytes, and a whole read is of that file alone.
#[tokio::test]
async fn a_log_whose_file_began_anew_is_whole_only_when_its_last_line_was_followed() {
    let (key, mut logs, begun) = (key(false), Logs::default(), Timestamp::UNIX_EPOCH);
    for (index, text) in ["a", "b", "c"].into_iter().enumerate() {
        logs.put(&key, "one", index, &line(text));
    }
    let runs = instance_of("one", false);
    let read = whole(b"c\nd\n", &logs.known(&key, "one")).await;
    assert!(
        !logs.put_whole(&key, &runs, read, begun),
        "d was not followed yet"
    );
    assert_eq!(logs.texts[&key].complete_as_of, None);
    logs.put(&key, "one", 3, &line("d"));
    let read = whole(b"c\nd\n", &logs.known(&key, "one")).await;
    assert!(logs.put_whole(&key, &runs, read, begun));
    assert_eq!(
        logs.texts[&key].lines.iter().collect::<Vec<_>>(),
        ["a", "b", "c", "d"]
    );
    // A stream that is opened again begins with the new file, too: from there on nothing is
    // certain.
    assert_eq!(logs.put(&key, "one", 0, &line("d")), Taken::Other);
    assert_eq!(logs.put_part(&key, "one"), 4);
    assert_eq!(logs.put(&key, "one", 4, &line("e")), Taken::New);
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
fn instances(
    #[case] mut status: Value,
    #[case] previous: bool,
    #[case] expected: Option<(&str, bool)>,
) {
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
    let pod: Pod =
        serde_json::from_value(json!({"status": {"containerStatuses": [status]}})).expect("a Pod");
    let expected = expected.map(|(id, ended)| Instance {
        id: id.into(),
        ended,
    });
    assert_eq!(instance(&pod, &key(previous)), expected);
}
