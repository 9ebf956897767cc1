//! Compares the objects that this crate reads from a file with those that kubectl sends for it.

mod files;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kuberay_manifest::{Source, decode, yaml};
use serde_json::Value;

use files::File;

/// Files out of a generator, beside those that are written down.
const RANDOM: usize = 400;

/// The objects that this crate reads; none where it refuses the file.
fn read(bytes: &[u8]) -> Option<Vec<Value>> {
    let text = decode(bytes.to_vec()).ok()?;
    let nodes = yaml::parse(&Source::new(Path::new("f.yaml"), &text)).ok()?;
    let objects = nodes.iter().map(|node| decoded(node.to_json()));
    Some(objects.filter(|object| !object.is_null()).collect())
}

/// The objects that kubectl sends; none where it refuses the file, or sends a number that no API
/// server takes.
fn sent(answer: &Value) -> Option<Vec<Value>> {
    let objects = answer["ok"].as_array()?.iter();
    let read = objects.map(|object| {
        let object = serde_json::from_str(object.as_str()?).ok();
        object.map(decoded)
    });
    read.collect()
}

/// The same with numbers as an API server keeps them: whole ones in 64 bits with a sign, others as
/// floats.
fn decoded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_i64().is_none() => {
            let float = number.as_f64().unwrap();
            let whole = float.fract() == 0.0 && float.abs() < 9e18;
            let digits = format!("{float:.0}").parse::<i64>();
            digits
                .ok()
                .filter(|_| whole)
                .map_or(Value::from(float), Value::from)
        }
        Value::Array(items) => items.into_iter().map(decoded).collect(),
        Value::Object(entries) => {
            let entries = entries
                .into_iter()
                .map(|(key, value)| (key, decoded(value)));
            Value::Object(entries.collect())
        }
        plain => plain,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong about a file and its answer; none if it is read as it should be.
fn wrong(file: &File, answer: &Value) -> Option<String> {
    let (ours, theirs) = (read(&file.bytes), sent(answer));
    let shown = String::from_utf8_lossy(&file.bytes);
    match file.other {
        None if ours != theirs => Some(format!("{shown:?}\n    {ours:?}\n    {answer}")),
        Some(why) if ours == theirs => Some(format!("{shown:?} is not different: {why}")),
        _ => None,
    }
}

fn compare(answers: &[Value]) {
    let files = files::files(RANDOM);
    assert_eq!(
        answers.len(),
        files.len(),
        "record the answers with UPDATE_GO=1"
    );
    let pairs = files.iter().zip(answers);
    let wrong: Vec<String> = pairs
        .filter_map(|(file, answer)| wrong(file, answer))
        .collect();
    let (count, all) = (wrong.len(), files.len());
    assert!(wrong.is_empty(), "{count} of {all}:\n{}", wrong.join("\n"));
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go")
}

#[test]
fn files_are_read_as_kubectl_was_recorded_to_read_them() {
    let recorded = std::fs::read_to_string(folder().join("recorded.jsonl")).unwrap();
    compare(&lines(&recorded));
}

mod slow {
    use super::*;

    /// Asks Go about every file; with `UPDATE_GO=1` its answers become the recorded ones.
    #[test]
    #[ignore = "needs go"]
    fn files_are_read_as_kubectl_reads_them() {
        let mut go = Command::new("go")
            .args(["run", "."])
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("go is on the PATH");
        let files = files::files(RANDOM);
        let lines_of_files: Vec<String> = files.iter().map(|file| hex(&file.bytes)).collect();
        let text = lines_of_files.join("\n");
        let mut input = go.stdin.take().unwrap();
        let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
        let output = go.wait_with_output().unwrap();
        writer.join().unwrap();
        let answers = String::from_utf8(output.stdout).unwrap();
        if std::env::var_os("UPDATE_GO").is_some() {
            std::fs::write(folder().join("recorded.jsonl"), &answers).unwrap();
        }
        compare(&lines(&answers));
    }
}
