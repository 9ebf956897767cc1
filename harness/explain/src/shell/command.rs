//! Finds the calls of a command in a script, with their words as they are written.

use super::tokens::{Piece, pieces};
use super::words;

/// A word of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Argument {
    /// Byte offset in the script.
    pub at: usize,
    /// The word as written, quotes included.
    pub raw: String,
}

/// Longer texts cost too much time.
const LONGEST: usize = 20_000;

/// The text that a program receives for a word of a script; none where bash replaces a part of it, or where it is not
/// one word.
pub(in super::super) fn literal(word: &str) -> Option<String> {
    if word.len() > LONGEST {
        return None;
    }
    match &pieces(word)[..] {
        [Piece::Word(only)] if only.len() == word.len() => words::fixed_text(word),
        _ => None,
    }
}

/// The arguments of each call of a command, such as `ray start`, up to the end of the simple command or its first
/// redirection.
pub(in super::super) fn calls(script: &str, command: &[&str]) -> Vec<Vec<Argument>> {
    let mut found = Vec::new();
    if script.len() > LONGEST {
        return found;
    }
    let mut words: Vec<Argument> = Vec::new();
    let mut end = 0;
    for piece in pieces(script) {
        match piece {
            // A backslash before a line break is nothing at all.
            Piece::Word(word) if word == "\\\n" => end += rest(script, end, &word),
            Piece::Word(word) => {
                let length = rest(script, end, &word);
                end += length;
                words.push(Argument {
                    at: end - word.len(),
                    raw: word,
                });
            }
            Piece::Operator(operator) => {
                end += rest(script, end, operator);
                found.extend(call(&words, command));
                words.clear();
            }
            Piece::Newline => {
                end += rest(script, end, "\n");
                found.extend(call(&words, command));
                words.clear();
            }
            Piece::Comment => end += script[end..].find('\n').unwrap_or(script.len() - end),
        }
    }
    found.extend(call(&words, command));
    found
}

/// How far a text reaches that comes next.
fn rest(script: &str, from: usize, text: &str) -> usize {
    let left = script.get(from..).unwrap_or_default();
    left.find(text).map_or(left.len(), |at| at + text.len())
}

/// The words behind the command, where it is what a simple command runs.
fn call(words: &[Argument], command: &[&str]) -> Option<Vec<Argument>> {
    const BEFORE: [&str; 12] = [
        "!", "do", "else", "elif", "exec", "if", "nohup", "then", "time", "until", "while", "{",
    ];
    let first = words.iter().position(|word| {
        let assigns = word
            .raw
            .split_once('=')
            .is_some_and(|(name, _)| name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'));
        !assigns && !BEFORE.contains(&word.raw.as_str())
    })?;
    let (own, arguments) = words[first..].split_at_checked(command.len())?;
    let same = own
        .iter()
        .zip(command)
        .enumerate()
        .all(|(at, (word, name))| {
            word.raw == **name || at == 0 && word.raw.rsplit('/').next() == Some(name)
        });
    same.then(|| arguments.to_vec())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("ray start --head --block", &["--head --block"])]
    #[case("a=1 exec ray start --head", &["--head"])]
    #[case("prepare; ray start --a 'b c' && x", &["--a 'b c'"])]
    #[case("if x; then /opt/bin/ray start --a; fi", &["--a"])]
    #[case("ray start \\\n  --a \\\n  --b\nray start --c", &["--a --b", "--c"])]
    #[case("ray start --a > log 2>&1", &["--a"])]
    #[case("# ray start --a\nray start --b", &["--b"])]
    #[case("echo ray start --a", &[])]
    #[case("ray stop", &[])]
    #[case("ray", &[])]
    #[case("\"ray start --a\"", &[])]
    fn calls_of_ray_start(#[case] script: &str, #[case] expected: &[&str]) {
        let found = calls(script, &["ray", "start"]);
        for argument in found.iter().flatten() {
            assert!(script[argument.at..].starts_with(&argument.raw), "{script}");
        }
        let found: Vec<String> = found
            .iter()
            .map(|call| {
                let words: Vec<&str> = call.iter().map(|word| word.raw.as_str()).collect();
                words.join(" ")
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("1", Some("1"))]
    #[case("'{\"a\": 1}'", Some("{\"a\": 1}"))]
    #[case("\"{\\\"a\\\": 1}\"", Some("{\"a\": 1}"))]
    #[case("$A", None)]
    #[case("a b", None)]
    #[case("a;b", None)]
    #[case(" a", None)]
    #[case("", None)]
    fn literals(#[case] word: &str, #[case] expected: Option<&str>) {
        assert_eq!(literal(word).as_deref(), expected);
    }
}
