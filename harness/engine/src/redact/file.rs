//! Secrets of a file that need not be well-formed: a fault in a Secret must not print it.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

/// What says that a document is a Secret, or several.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"(?m)\bkind["']?[ \t]*:[ \t]*["']?Secret(?:List)?\b|^[ \t]*["']?stringData["']?[ \t]*:"#,
    )
});
/// The head of the part with the values.
static DATA: LazyLock<Regex> =
    LazyLock::new(|| constant(r#"(?:^|[{,])[ \t-]*["']?(?:data|stringData)["']?[ \t]*:"#));
/// A field beside that part.
static BESIDE: LazyLock<Regex> = LazyLock::new(|| {
    constant(r#"^["' \t-]*(?:apiVersion|immutable|items|kind|metadata|type)["']?[ \t]*:"#)
});
/// A key with what stands between it and its value.
static KEY: LazyLock<Regex> =
    LazyLock::new(|| constant(r#"^[ \t-]*(?:"[^"]*"|'[^']*'|[^\s:"'{\[]+)[ \t]*:(?:[ \t]+|$)"#));

fn constant(expression: &str) -> Regex {
    Regex::new(expression).expect("a constant expression")
}

/// Returns the documents of a text.
pub(super) fn documents(text: &str) -> Vec<&str> {
    let mut documents = Vec::new();
    let (mut begin, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.starts_with("---") && at > begin {
            documents.push(&text[begin..at]);
            begin = at;
        }
        at += line.len();
    }
    documents.push(&text[begin..]);
    documents
}

/// Returns what may be a value of a Secret, line by line; nothing of another document. Rather too
/// much than too little: it only hides more of what is quoted.
pub(super) fn secrets(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !SECRET.is_match(document) {
        return found;
    }
    let mut inside = false;
    for line in document.lines() {
        let rest = match DATA.find(line) {
            Some(head) => &line[head.end()..],
            None if BESIDE.is_match(line) => {
                inside = false;
                continue;
            }
            None if inside => line,
            None => continue,
        };
        inside = true;
        add_value(rest, &mut found);
        for part in rest.split(['{', '}', '[', ']', ',']) {
            add_value(part, &mut found);
        }
    }
    found
}

fn add_value(text: &str, found: &mut Vec<String>) {
    let key = KEY.find(text).map_or(0, |key| key.end());
    let value = text[key..].trim().trim_matches(['"', '\'']);
    if value.trim_start_matches(['|', '>', '-', '+']).is_empty() {
        return;
    }
    if let Ok(Ok(decoded)) = STANDARD.decode(value).map(String::from_utf8) {
        found.push(decoded);
    }
    found.push(value.to_owned());
}
