//! Tests of `body`.

use rstest::rstest;
use serde_json::json;

use super::*;

#[rstest]
#[case::absent(json!(null), "absent")]
#[case::the_string_absent(json!("absent"), r#""absent""#)]
#[case::nothing(json!([]), "[]")]
#[case::empty_object(json!({}), "{}")]
#[case::empty_string(json!([""]), r#"- """#)]
#[case::command(json!(["/bin/bash", "-c", "--"]), "- \"/bin/bash\"\n- \"-c\"\n- \"--\"")]
#[case::spaces(json!([" echo 123  456 "]), r#"- " echo 123  456 ""#)]
#[case::quotes(json!([r#"a "b" \c"#]), r#"- "a \"b\" \\c""#)]
#[case::lines(json!(["a\nb\r\n\tc"]), r#"- "a\nb\r\n\tc""#)]
#[case::unicode(json!(["größer 値 🚀"]), r#"- "größer 値 🚀""#)]
#[case::unseen(json!(["a\u{a0}b\u{200b}c\u{2028}d\u{7f}e\u{feff}\u{0}\u{e0020}"]),
    r#"- "a\u00a0b\u200bc\u2028d\u007fe\ufeff\u0000\udb40\udc20""#)]
#[case::env(json!([{"value": "1", "name": "B"}, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
    "- name: \"B\"\n  value: \"1\"\n- name: \"A\"\n  valueFrom:\n    fieldRef:\n      fieldPath: \"x\"")]
#[case::probes(json!({"livenessProbe": null, "readinessProbe": {"periodSeconds": 5, "exec": {"command": ["a", "b"]}}}),
    "livenessProbe: absent\nreadinessProbe:\n  exec:\n    command:\n      - \"a\"\n      - \"b\"\n  periodSeconds: 5")]
#[case::nested(json!([["a", "b"], [], {"c": []}]), "- - \"a\"\n  - \"b\"\n- []\n- c: []")]
#[case::odd_keys(json!({"a b": 1, "": true, "app.kubernetes.io/name": 2.5}),
    "\"\": true\n\"a b\": 1\napp.kubernetes.io/name: 2.5")]
fn bodies(#[case] value: Value, #[case] body: &str) {
    assert_eq!(render(&value), body);
}

#[test]
fn the_order_of_keys_does_not_matter_and_that_of_elements_does() {
    assert_eq!(
        render(&json!({"b": 1, "a": 2})),
        render(&json!({"a": 2, "b": 1}))
    );
    assert_ne!(render(&json!(["b", "a"])), render(&json!(["a", "b"])));
}

#[test]
fn no_two_lists_of_arguments_look_alike() {
    let lists = [
        json!(["a", "b"]),
        json!(["a\", \"b"]),
        json!(["a\n- b"]),
        json!(["a\\nb"]),
        json!(["a\nb"]),
        json!(["a b"]),
        json!(["a b "]),
        json!([" a b"]),
        json!(["a  b"]),
        json!(["a\tb"]),
        json!(["a\\tb"]),
        json!(["a\u{a0}b"]),
        json!(["a\\u00a0b"]),
        json!("a b"),
        json!([["a b"]]),
        json!([1]),
        json!(["1"]),
        json!([null]),
        json!(["absent"]),
        json!([]),
        json!([[]]),
        json!(["[]"]),
    ];
    let mut bodies: Vec<_> = lists.iter().map(render).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), lists.len());
}
