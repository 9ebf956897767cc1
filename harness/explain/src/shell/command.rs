//! Finds the calls of a command in a script, with their words as they are written.

use kuberay_contract::{InRelease, OptionKind, RayCommand, ray_option};

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

/// The text that a program receives for a word of a script; none where bash replaces a part of it,
/// or where it is not one word.
pub(in super::super) fn literal(word: &str) -> Option<String> {
    if word.len() > LONGEST {
        return None;
    }
    match &pieces(word)[..] {
        [Piece::Word(only)] if only.len() == word.len() => words::fixed_text(word),
        _ => None,
    }
}

/// The arguments of each call of a command, such as `ray start`, up to the end of the simple
/// command or its first redirection.
pub(in super::super) fn calls(script: &str, command: &[&str]) -> Vec<Vec<Argument>> {
    if script.len() > LONGEST {
        return Vec::new();
    }
    let commands = simple_commands(script);
    let found = commands.iter().filter_map(|words| call(words, command));
    found.collect()
}

/// The words of a script between its operators and line breaks.
fn simple_commands(script: &str) -> Vec<Vec<Argument>> {
    let mut commands = vec![Vec::new()];
    let mut end = 0;
    for piece in pieces(script) {
        let (text, ends) = match &piece {
            // A backslash before a line break is nothing at all.
            Piece::Word(word) if word == "\\\n" => (word.as_str(), false),
            Piece::Word(word) => {
                end += rest(script, end, word);
                if let Some(words) = commands.last_mut() {
                    words.push(Argument {
                        at: end - word.len(),
                        raw: word.clone(),
                    });
                }
                continue;
            }
            Piece::Operator(operator) => (*operator, true),
            Piece::Newline => ("\n", true),
            Piece::Comment => {
                end += script[end..].find('\n').unwrap_or(script.len() - end);
                continue;
            }
        };
        end += rest(script, end, text);
        if ends {
            commands.push(Vec::new());
        }
    }
    commands
}

/// Returns the length up to the end of the next occurrence of a text.
fn rest(script: &str, from: usize, text: &str) -> usize {
    let left = script.get(from..).unwrap_or_default();
    left.find(text).map_or(left.len(), |at| at + text.len())
}

/// The index of the word that a simple command runs.
fn first(words: &[Argument]) -> Option<usize> {
    const BEFORE: [&str; 12] = [
        "!", "do", "else", "elif", "exec", "if", "nohup", "then", "time", "until", "while", "{",
    ];
    words.iter().position(|word| {
        let assigns = word
            .raw
            .split_once('=')
            .is_some_and(|(name, _)| name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'));
        !assigns && !BEFORE.contains(&word.raw.as_str())
    })
}

/// The word that a simple command runs.
fn program(words: &[Argument]) -> Option<&str> {
    first(words).map(|at| words[at].raw.as_str())
}

/// Returns whether a script may run the text of a variable: it names it in a command that does more
/// than print or keep it.
pub(in super::super) fn may_run(script: &str, variable: &str) -> bool {
    const HARMLESS: [&str; 9] = [
        "echo", "printf", "export", "declare", "test", "[", "[[", ":", "true",
    ];
    let names = |words: &[Argument]| words.iter().any(|word| word.raw.contains(variable));
    if script.len() > LONGEST {
        return script.contains(variable);
    }
    let commands = simple_commands(script);
    // A shell may read what another command prints.
    let shell = commands
        .iter()
        .filter_map(|words| program(words))
        .any(|name| matches!(name, "bash" | "sh" | "." | "source"));
    let mut naming = commands.iter().filter(|words| names(words));
    naming.any(|words| shell || program(words).is_some_and(|name| !HARMLESS.contains(&name)))
}

/// Returns whether a shell reads the value of a variable as a text of its own: by `eval`, as the
/// script of a shell, or because another command prints it for a shell.
pub(in super::super) fn evaluates(script: &str, variable: &str) -> bool {
    if script.len() > LONGEST {
        return false;
    }
    let is_shell = |word: &str| {
        let name = word.rsplit('/').next();
        name.is_some_and(|name| matches!(name, "bash" | "sh" | "dash" | "ash" | "zsh"))
    };
    let commands = simple_commands(script);
    // Such as `… | bash -s` and `source <(…)`.
    let reads = commands.iter().any(|words| {
        let Some(first) = first(words) else {
            return false;
        };
        let mut arguments = words[first + 1..].iter();
        let program = words[first].raw.as_str();
        (is_shell(program) || matches!(program, "." | "source"))
            && arguments.all(|word| word.raw.starts_with('-'))
    });
    commands.iter().any(|words| {
        let mut naming = words.iter().filter(|word| names(&word.raw, variable));
        let evaluates = match program(words) {
            Some("eval" | "." | "source" | "envsubst") => true,
            _ if words.iter().any(|word| is_shell(&word.raw)) => {
                return naming.any(|word| {
                    let inner = word.raw.trim_matches(['"', '\'']);
                    reads || inner.starts_with('$') || evaluates(inner, variable)
                });
            }
            _ => reads,
        };
        evaluates && naming.next().is_some()
    })
}

/// Returns whether a text names a variable, as `$NAME` or `${NAME…}`.
fn names(text: &str, variable: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
    ["$", "${"].iter().any(|begin| {
        let name = format!("{begin}{variable}");
        let mut found = text.match_indices(&name);
        found.any(|(at, _)| !text[at + name.len()..].starts_with(goes_on))
    })
}

/// Returns whether a word with an expansion may become this option. The text before the expansion
/// must begin the option, and the word must not be the value of the option before it.
pub(in super::super) fn may_be(words: &[&str], at: usize, option: &str) -> bool {
    let takes_value = |word: &str| {
        let known = ray_option(RayCommand::Start, word, None);
        matches!(known, InRelease::Has(option) if option.kind != OptionKind::Flag)
    };
    let before = words[at].split(['$', '`']).next().unwrap_or_default();
    before.len() < words[at].len()
        && option.starts_with(before.trim_start_matches('"'))
        && !(at > 0 && takes_value(words[at - 1]))
}

/// Returns whether a script may give a variable a value: it assigns one, reads it, or runs a text
/// that is not known here.
pub(in super::super) fn assigns(script: &str, variable: &str) -> bool {
    const READ: [&str; 6] = ["for", "getopts", "mapfile", "read", "readarray", "select"];
    const DECLARE: [&str; 5] = ["declare", "export", "local", "readonly", "typeset"];
    if script.len() > LONGEST {
        return script.contains(variable);
    }
    simple_commands(script).iter().any(|words| {
        let name = program(words).unwrap_or_default();
        let prints = name == "printf" && words.iter().any(|word| word.raw == "-v");
        let reads = prints || READ.contains(&name);
        let declares = DECLARE.contains(&name);
        matches!(name, "." | "eval" | "source")
            || words.iter().any(|word| {
                let text = word.raw.trim_matches(['"', '\'']);
                let rest = text.strip_prefix(variable);
                declares && (text.starts_with("$(") || text.starts_with('`'))
                    || rest.is_some_and(|rest| {
                        rest.starts_with('=') || rest.starts_with("+=") || reads && rest.is_empty()
                    })
            })
    })
}

/// The words behind the command, where it is what a simple command runs.
fn call(words: &[Argument], command: &[&str]) -> Option<Vec<Argument>> {
    let first = first(words)?;
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
    #[case("eval \"$CMD\"", true)]
    #[case("$CMD", true)]
    #[case("bash -c \"$CMD\"", true)]
    #[case("echo $CMD | bash", true)]
    #[case("echo \"$CMD\"", false)]
    #[case("a=$CMD", false)]
    #[case("echo; exec $CMD", true)]
    #[case("echo other", false)]
    fn scripts_that_run_a_variable(#[case] script: &str, #[case] runs: bool) {
        assert_eq!(may_run(script, "CMD"), runs);
    }

    #[rstest]
    #[case("eval \"$SETUP\"", true)]
    #[case("a; eval $SETUP && b", true)]
    #[case("bash -c \"${SETUP}\"", true)]
    #[case("bash -c 'eval \"$SETUP\"'", true)]
    #[case("timeout 5 bash -c \"$SETUP\"", true)]
    #[case("echo \"$SETUP\" | bash", true)]
    #[case("source <(echo \"$SETUP\")", true)]
    #[case("bash <<< \"$SETUP\"", true)]
    #[case("bash -c 'run \"$SETUP\"'", false)]
    #[case("bash a.sh; run $SETUP", false)]
    #[case("eval $SETUP_OTHER", false)]
    #[case("run \"$SETUP\"", false)]
    #[case("$SETUP", false)]
    fn scripts_that_evaluate_a_variable(#[case] script: &str, #[case] evaluated: bool) {
        assert_eq!(evaluates(script, "SETUP"), evaluated);
    }

    #[rstest]
    #[case("A=1", true)]
    #[case("export A=$B", true)]
    #[case("export \"A=1\"", true)]
    #[case("declare -x 'A=1'", true)]
    #[case("A+=1", true)]
    #[case("read -r A", true)]
    #[case("readarray A < f", true)]
    #[case("mapfile -t A", true)]
    #[case("printf -v A %s b", true)]
    #[case("source ./env.sh", true)]
    #[case(". ./env.sh && b", true)]
    #[case("eval \"$(env)\"", true)]
    #[case("export $(cat .env)", true)]
    #[case("export $(cat .env | xargs)", true)]
    #[case("echo A", false)]
    #[case("echo $A", false)]
    #[case("export B=A", false)]
    #[case("export $B=A", false)]
    #[case("printf A", false)]
    #[case("AB=1", false)]
    #[case("B=1; echo $(A)", false)]
    fn scripts_that_give_a_variable_a_value(#[case] script: &str, #[case] given: bool) {
        assert_eq!(assigns(script, "A"), given);
    }

    #[test]
    fn a_long_script_may_give_a_variable_a_value() {
        let long = |text: &str| format!("{text}\n{}", "true\n".repeat(LONGEST));
        assert!(assigns(&long("A=1"), "A"));
        assert!(!assigns(&long("B=1"), "A"));
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
