//! Against what Go's libraries were recorded to do, and against Go itself where it is there.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use assertables::assert_gt;
use rstest::rstest;
use serde_json::json;

use super::*;

#[rstest]
#[case("a \"b\" \\ \n\t", r#""a \"b\" \\ \n\t""#)]
#[case("é世\u{1}\u{7f}", r#""é世\x01\x7f""#)]
fn quotes(#[case] text: &str, #[case] quoted: &str) {
    assert_eq!(quote(text), quoted);
}

#[rstest]
#[case(4.0, "4")]
#[case(0.5, "0.5")]
#[case(0.0, "0")]
#[case(1e20, "100000000000000000000")]
#[case(1e21, "1e+21")]
#[case(1.5e-7, "1.5e-7")]
fn floats(#[case] value: f64, #[case] text: &str) {
    assert_eq!(float::json(value), text);
}

#[test]
fn objects_are_sorted_and_escaped() {
    assert_eq!(
        json(&json!({"b": "<&>", "a": [{"d": 1, "c": null}]})),
        r#"{"a":[{"c":null,"d":1}],"b":"\u003c\u0026\u003e"}"#
    );
    let map = BTreeMap::from([("TPU".to_owned(), 4.0), ("a\"b".to_owned(), 0.5)]);
    assert_eq!(json_of_floats(&map), r#"{"TPU":4,"a\"b":0.5}"#);
}

/// What the functions here make of a request of `tests/go/main.go`: text, or none where it is an
/// error.
fn made(kind: &str, text: &str) -> Option<Value> {
    match kind {
        "yaml" => yaml::to_json(text)
            .ok()
            .map(|value| super::json(&value).into()),
        "shlex" => shlex::split(text).ok().map(Into::into),
        "duration" => duration::parse(text).map(Into::into),
        _ => Some(quote(text).into()),
    }
}

/// The same of an answer of Go.
fn answered(answer: &Value) -> Option<Value> {
    answer.get("ok").cloned()
}

#[test]
fn recorded_answers_of_go() {
    let recorded = include_str!("../../tests/go/recorded.jsonl");
    let mut errors = 0;
    for line in recorded.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let (kind, text) = (entry[0].as_str().unwrap(), entry[1].as_str().unwrap());
        let expected = answered(&entry[2]);
        errors += usize::from(expected.is_none());
        assert_eq!(made(kind, text), expected, "{kind} {text:?}");
    }
    assert_gt!(recorded.lines().count(), 2_000);
    assert_gt!(errors, 10);
}

/// Scalars whose kind is easily misread.
const SCALARS: &[&str] = &[
    "1",
    "1.0",
    "-1.0",
    "0",
    "-0",
    "-0.0",
    "+1",
    "+0x10",
    "0x1F",
    "0X1f",
    "0o17",
    "017",
    "0755",
    "08",
    "0b101",
    "-0b1",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "1_000.5",
    ".5",
    "-.5",
    "+.5",
    ".1_5",
    "._1",
    "5.",
    "1e3",
    "1E-5",
    "1e+3",
    "1e",
    "1e400",
    "1.5e-7",
    "1e21",
    "1e20",
    "123456789.5",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "+9223372036854775808",
    "1e-7",
    "0.000001",
    "y",
    "Y",
    "n",
    "N",
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "NO",
    "on",
    "On",
    "oN",
    "off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "tRue",
    "false",
    "~",
    "null",
    "Null",
    "nULL",
    "\"\"",
    "''",
    ".inf",
    "-.inf",
    ".nan",
    ".NaN",
    "inf",
    "nan",
    "2024-01-01",
    "2024-01-01T10:00:00Z",
    "2024-13-99",
    "12:30",
    "12:30:45",
    "1.2.3",
    "0.1",
    "3.14159265358979",
    "1e1",
    "0x",
    "0b",
    "0o",
    "0o8",
    "0b2",
    "--1",
    "+",
    "-",
    ".",
    "..",
    "'1'",
    "\"yes\"",
    "!!str 1",
    "!!float 3",
    "!!int \"4\"",
    "!!bool yes",
    "!!int x",
    "!!binary aGk=",
    "!foo 1",
    "! 1",
    "a b",
    "a#b",
    "a: b",
    "\"\\u00e9\\x01\\n\"",
    "<",
    "a&b",
    "é世",
];

/// Durations, and texts that look like some.
const DURATIONS: [&str; 40] = [
    "",
    "0",
    "-0",
    "+0",
    "00",
    "5",
    "5s",
    "-5s",
    "+5s",
    "5.",
    "5.s",
    ".5s",
    ".s",
    "1h30m",
    "1h-30m",
    "2us",
    "2\u{b5}s",
    "2\u{3bc}s",
    "3ms",
    "4ns",
    "0.1ns",
    "1e3s",
    "1 s",
    " 1s",
    "1s ",
    "1d",
    "1H",
    "1.2.3s",
    "9223372036854775807ns",
    "9223372036854775808ns",
    "-9223372036854775808ns",
    "-9223372036854775809ns",
    "2562047h47m16.854775807s",
    "2562047h47m16.854775808s",
    "9999999h",
    "0.3333333333333333333h",
    "0.100000000000000000000h",
    "0.9223372036854775807h",
    "9007199254.740993ms",
    "1m\u{ff13}s",
];

fn requests() -> Vec<(&'static str, String)> {
    let mut requests = Vec::new();
    for scalar in SCALARS {
        for form in ["k: {}", "{}: v", "- {}", "a: {b: [{}]}", "a: {}\na: 2"] {
            // A known difference.
            if !(*scalar == "-" && form.contains('[')) {
                requests.push(("yaml", form.replace("{}", scalar)));
            }
        }
    }
    let documents = [
        "",
        "# nothing",
        "a",
        "- 1\n- 2",
        "a: |\n  x\n  y\n",
        "a: >-\n  x\n  y\n",
        "a: &x {b: 1}\nc: *x",
        "a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x",
        "d: {<<: [{a: 1}, {a: 2, b: 3}]}",
        "d: {<<: 1}",
        "env_vars:\n  FOO: 1E-5\n  VER: 1.0\n  MODE: 0755\n  N: 1e3\n",
        "a: [",
        "a: \"x",
        "a: b: c",
        "1: a\n\"1\": b",
        "? [a]\n: b",
        "---\na: 1\n---\nb: 2",
        "a:\n- b\n-   c: d\n",
        "a: 'it''s'",
        "pip: [\"a<1\", \"b>2\"]",
        "a: *nope",
        "{a: 1, b}",
        "[1, 2,]",
    ];
    requests.extend(documents.map(|text| ("yaml", text.to_owned())));
    let words = [
        "python a.py \\\n  --re \"\\d+\" --n 1",
        "a 'b c' d",
        "a\\ b",
        "\"a\\\"b\"",
        "'a\\b'",
        "\"a\\nb\"",
        "a#b #c\nd",
        "# only",
        "",
        "  ",
        "''",
        "\"\" a",
        "a\rb",
        "a\tb\nc",
        "\"open",
        "'open",
        "end\\",
        "\"x\\",
        "a'b'\"c\"d",
        "é 世",
        "python -c \"print('a\\nb')\"",
        "a && b; c | d",
        "$X ${Y} `z`",
        "a\u{a0}b",
        "a#",
        "#a\n#b\nc",
        "\\#a",
        "\"#\"",
    ];
    requests.extend(words.map(|text| ("shlex", text.to_owned())));
    let mut state = 7u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for _ in 0..500 {
        let pieces = ["a", "\"", "'", "\\", " ", "\n", "#", "b", "\t"];
        let word: String = (0..random() % 12)
            .map(|_| pieces[random() as usize % pieces.len()])
            .collect();
        requests.push(("shlex", word));
    }
    requests.extend(DURATIONS.map(|text| ("duration", text.to_owned())));
    for _ in 0..300 {
        let pieces = [
            "1", "30", "0", ".", "h", "m", "s", "ms", "us", "\u{b5}s", "ns", "-", "+", "999999",
        ];
        let text: String = (0..=random() % 5)
            .map(|_| pieces[random() as usize % pieces.len()])
            .collect();
        requests.push(("duration", text));
    }
    for _ in 0..500 {
        let c = char::from_u32(random() % 0x11_0000).unwrap_or('x');
        requests.push((
            "quote",
            format!("a{c}\u{7f}\u{200b}\u{ad}\u{2028}\u{e000}\u{378}\u{1}\"\\\t"),
        ));
    }
    for code in (0..0x500).chain(0x2000..0x2070) {
        let c = char::from_u32(code).unwrap_or('x');
        if code % 7 == 0 {
            requests.push(("quote", c.to_string()));
        }
    }
    requests
}

mod slow {
    use super::*;

    /// Asks Go about every request; with `UPDATE_GO=1` its answers become the recorded ones.
    #[test]
    #[ignore = "needs go"]
    fn answers_of_go() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go");
        let mut go = Command::new("go")
            .args(["run", "."])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("go is on the PATH");
        let requests = requests();
        let lines: Vec<String> = requests
            .iter()
            .map(|request| json!(request).to_string())
            .collect();
        let mut input = go.stdin.take().unwrap();
        let text = lines.join("\n");
        let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
        let output = go.wait_with_output().unwrap();
        writer.join().unwrap();
        let answers = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> = answers
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(answers.len(), requests.len());
        let mut recorded = String::new();
        let mut wrong = Vec::new();
        for ((kind, text), answer) in requests.iter().zip(&answers) {
            recorded.push_str(&format!("{}\n", json!([kind, text, answer])));
            if made(kind, text) != answered(answer) {
                wrong.push(format!(
                    "{kind} {text:?}: {:?}, Go {answer}",
                    made(kind, text)
                ));
            }
        }
        if std::env::var_os("UPDATE_GO").is_some() {
            std::fs::write(folder.join("recorded.jsonl"), recorded).unwrap();
        }
        assert!(
            wrong.is_empty(),
            "{} of {}:\n{}",
            wrong.len(),
            requests.len(),
            wrong.join("\n")
        );
    }
}
