use std::path::Path;

use assertables::assert_contains;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Location, Source, parse_manifest, yaml};

/// What Kubernetes makes of one value.
fn read(value: &str) -> Value {
    let text = format!("apiVersion: v1\nkind: A\nmetadata: {{name: demo}}\nv: {value}\n");
    parse_manifest(&text, "test.yaml").unwrap().remove(0)["v"].take()
}

#[rstest]
// Whole numbers.
#[case("0777", json!(511))]
#[case("0o777", json!(511))]
#[case("0644", json!(420))]
#[case("0", json!(0))]
#[case("-5", json!(-5))]
#[case("+5", json!(5))]
#[case("0x1F", json!(31))]
#[case("0b11", json!(3))]
#[case("1_000", json!(1000))]
#[case("08", json!(8))]
#[case("9223372036854775807", json!(9_223_372_036_854_775_807_i64))]
#[case("18446744073709551615", json!(18_446_744_073_709_551_615.0))]
#[case("99999999999999999999", json!(1e20))]
// Numbers with a point.
#[case("1.5", json!(1.5))]
#[case(".5", json!(0.5))]
#[case("5.0", json!(5))]
#[case("1e3", json!(1000))]
// What is true, false or nothing.
#[case("yes", json!(true))]
#[case("On", json!(true))]
#[case("y", json!(true))]
#[case("no", json!(false))]
#[case("OFF", json!(false))]
#[case("yEs", json!("yEs"))]
#[case("~", json!(null))]
#[case("null", json!(null))]
#[case("", json!(null))]
// Texts.
#[case("'1'", json!("1"))]
#[case("\"yes\"", json!("yes"))]
#[case("'0777'", json!("0777"))]
#[case("\"null\"", json!("null"))]
#[case("!!str 12", json!("12"))]
#[case("1.6.2", json!("1.6.2"))]
#[case("12:30", json!("12:30"))]
#[case("2026-01-01", json!("2026-01-01"))]
#[case("500m", json!("500m"))]
#[case("a b", json!("a b"))]
#[case("\"a\\tb \"", json!("a\tb "))]
#[case("'it''s'", json!("it's"))]
#[case("{1: a, true: b, yes!: c}", json!({"1": "a", "true": "b", "yes!": "c"}))]
#[case("[a, [b], {c: d}]", json!(["a", ["b"], {"c": "d"}]))]
fn values_are_read_as_kubernetes_reads_them(#[case] value: &str, #[case] expected: Value) {
    assert_eq!(read(value), expected);
}

#[rstest]
#[case("|\n  a\n   b  \n\n", "a\n b  \n")]
#[case("|-\n  a\n\n", "a")]
#[case("|+\n  a\n\n", "a\n\n\n")]
#[case(">\n  a\n  b\n", "a b\n")]
#[case("|\n  a: 1 # no comment\n  ---\n", "a: 1 # no comment\n---\n")]
fn block_scalars_keep_every_byte(#[case] value: &str, #[case] expected: &str) {
    assert_eq!(read(value), json!(expected));
}

#[test]
fn the_hard_parts_of_the_head_command_sample_are_read() {
    let text = r#"
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: a}
spec:
  rayVersion: '2.52.0' # a comment
  command: ["echo 123"]
  limits: {cpu: "1", memory: "5Gi"}
  configMap:
    defaultMode: 0777
---
# only a comment
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
data:
  s.sh: |
    #!/bin/bash

    while true; do
        if [ "$?" = "0" ]; then
            break
        fi
    done
    python -c "import ray; ray.init(); print(ray.cluster_resources())"
"#;
    let objects = parse_manifest(text, "sample.yaml").unwrap();
    assert_eq!(objects.len(), 2);
    assert_eq!(
        objects[0]["spec"],
        json!({
            "rayVersion": "2.52.0",
            "command": ["echo 123"],
            "limits": {"cpu": "1", "memory": "5Gi"},
            "configMap": {"defaultMode": 511},
        })
    );
    let script = "#!/bin/bash\n\nwhile true; do\n    if [ \"$?\" = \"0\" ]; then\n        break\n    fi\ndone\n\
                  python -c \"import ray; ray.init(); print(ray.cluster_resources())\"\n";
    assert_eq!(objects[1]["data"]["s.sh"], json!(script));
}

#[test]
fn anchors_and_merges_are_followed() {
    let text = "apiVersion: v1\nkind: A\nmetadata: {name: demo}\np: &p {a: 1, b: 2}\nq: *p\nr: {<<: *p, b: 3}\n";
    let object = parse_manifest(text, "test.yaml").unwrap().remove(0);
    assert_eq!(object["q"], json!({"a": 1, "b": 2}));
    assert_eq!(object["r"], json!({"a": 1, "b": 3}));
}

#[rstest]
#[case(
    "a: 1\na: 2\n",
    "2:1: the key `a` appears twice; it was already given on line 1"
)]
#[case("1: x\n'1': y\n", "2:1: the key `1` appears twice")]
#[case("a: [1\nb: 2\n", "2:2: not valid YAML: ")]
#[case("a: b: c\n", "1:5: not valid YAML: ")]
#[case("a: *nope\n", "1:4: not valid YAML: ")]
#[case("a: .inf\n", "1:4: not valid YAML: ")]
#[case("? [a]\n: b\n", "1:3: a key must be a text")]
#[case("- a\n", "1:1: a document of a manifest must be a mapping")]
#[case("# nothing\n", "1:1: the manifest contains no object")]
#[case(
    "kind: A\nmetadata: {name: demo}\n",
    "1:1: the object lacks `apiVersion`"
)]
#[case(
    "apiVersion: v1\nkind: A\nmetadata: {}\n",
    "1:1: the object lacks `metadata.name`"
)]
#[case(
    "apiVersion: v1\nkind: A\nmetadata: {name: 1}\n",
    "3:18: `metadata.name` must be a text"
)]
fn what_kubernetes_would_not_take_is_refused(#[case] text: &str, #[case] expected: &str) {
    let error = parse_manifest(text, "m.yaml").unwrap_err().to_string();
    assert!(error.starts_with(&format!("m.yaml:{expected}")), "{error}");
    assert!(!error.contains("DuplicateKeyPolicy"), "{error}");
}

#[rstest]
#[case("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n", &["a", "b"])]
#[case("{\"apiVersion\": \"ray.io/v1\", \"kind\": \"RayClusterList\", \"items\": [{\"apiVersion\": \"ray.io/v1\", \"kind\": \"RayCluster\", \"metadata\": {\"name\": \"a\"}}]}", &["a"])]
#[case("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nitems: [1]\n", &["a"])]
fn the_items_of_a_list_are_objects(#[case] text: &str, #[case] names: &[&str]) {
    let objects = crate::parse_manifest(text, "list.yaml").unwrap();
    let found: Vec<_> = objects
        .iter()
        .map(|object| object["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(found, names);
}

#[test]
fn an_item_without_a_name_is_told_with_its_line() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n";
    let error = crate::parse_manifest(text, "list.yaml").unwrap_err();
    let diagnostic = &error.diagnostics()[0];
    assert_eq!(
        diagnostic.message.as_str(),
        "the object lacks `metadata.name`"
    );
    assert_eq!(diagnostic.location.line, 4);
}

#[test]
fn a_template_is_told_as_one() {
    let error = crate::parse_manifest(
        "kind: Pod\nmetadata:\n  name: {{ .Values.name }}\n",
        "a.yaml",
    )
    .unwrap_err();
    assert_eq!(error.diagnostics().len(), 1);
    assert_contains!(error.diagnostics()[0].message, "unrendered template");
}

#[test]
fn json_objects_may_follow_each_other() {
    let text = "{\"a\": 1}\n{\"b\": [2,\n 3]} {\"c\": 4}\n";
    let source = Source::new(Path::new("f.json"), text);
    let found = yaml::parse(&source).unwrap();
    assert_eq!(found.len(), 3);
    let b = &found[1].get("b").unwrap().items()[1];
    assert_eq!(b.place.location, Location { line: 3, column: 2 });
    assert_eq!(&text[b.place.span.clone()], "3");
    let c = found[2].get("c").unwrap();
    assert_eq!(
        c.place.location,
        Location {
            line: 3,
            column: 12
        }
    );
    assert_eq!(&text[c.place.span.clone()], "4");
    assert!(yaml::parse(&Source::new(Path::new("f.json"), "{\"a\": 1}\n{")).is_err());
}

/// Ten times as many keys take about ten times as long. A search through all keys for each key would
/// take a hundred times as long.
#[test]
fn a_mapping_that_merges_many_keys_is_read_in_linear_time() {
    let read = |count: usize| {
        let keys: String = (0..count).map(|at| format!("  k{at}: {at}\n")).collect();
        let text = format!("big: &big\n{keys}a:\n  <<: *big\n  k7: b\n");
        let start = std::time::Instant::now();
        let documents = yaml::parse(&Source::new(Path::new("f.yaml"), &text)).unwrap();
        let took = start.elapsed();
        let merged = documents[0].get("a").unwrap();
        assert_eq!(merged.get("k7").unwrap().to_json(), "b");
        let last = count - 1;
        assert_eq!(merged.get(&format!("k{last}")).unwrap().to_json(), last);
        took
    };
    // The quickest of three, because other work may take the processor from one.
    let quickest = |count| (0..3).map(|_| read(count)).min().unwrap();
    let (few, many) = (quickest(4_000), quickest(40_000));
    assertables::assert_lt!(many, few * 40);
}

/// Threads of tests and of asynchronous runtimes have small stacks.
#[test]
fn what_is_nested_needs_no_deep_stack_of_the_caller() {
    let nested = |depth| format!("a: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let read = move || {
        let read = |depth| yaml::parse(&Source::new(Path::new("a.yaml"), &nested(depth)));
        (read(60).is_ok(), read(100).is_err())
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    let (is_read, is_refused) = thread.spawn(read).unwrap().join().unwrap();
    assert!(is_read, "60 levels are read");
    assert!(is_refused, "100 levels are refused");
}
