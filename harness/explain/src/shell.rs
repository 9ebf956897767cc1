//! What can be said of a shell text without running it: its words, operators and comments, as bash splits it.

/// A piece of a shell text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A word as written, quotes included.
    Word(String),
    /// `;`, `&&`, `|`, `(`, `>` and their kind.
    Operator(&'static str),
    /// The end of a line.
    Newline,
    /// `#` and what follows it on its line.
    Comment,
}

const OPERATORS: [&str; 18] = [
    "&&", "||", ";;", "<<", ">>", "&>", ">&", "<&", "|&", "<>", ">|", ";", "&", "|", "(", ")", "<",
    ">",
];

/// Splits a text. A quote that is not closed ends with the text.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '\n' {
            pieces.push(Piece::Newline);
            rest = &rest[1..];
        } else if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if first == '#' {
            pieces.push(Piece::Comment);
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if let Some(operator) = OPERATORS
            .iter()
            .find(|operator| rest.starts_with(*operator))
        {
            pieces.push(Piece::Operator(operator));
            rest = &rest[operator.len()..];
        } else {
            let end = word_end(rest);
            pieces.push(Piece::Word(rest[..end].into()));
            rest = &rest[end..];
        }
    }
    pieces
}

/// Where the word at the start of a text ends.
fn word_end(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '\'' => skip_past(&mut chars, '\'', false),
            '"' => skip_past(&mut chars, '"', true),
            '`' => skip_past(&mut chars, '`', true),
            '$' if matches!(chars.peek(), Some((_, '('))) => skip_parentheses(&mut chars),
            '$' if matches!(chars.peek(), Some((_, '{'))) => skip_past(&mut chars, '}', true),
            c if c.is_whitespace() || ";&|()<>".contains(c) => return at,
            _ => {}
        }
    }
    text.len()
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn skip_past(chars: &mut Chars, end: char, escapes: bool) {
    while let Some((_, c)) = chars.next() {
        if c == end {
            return;
        }
        if escapes && c == '\\' {
            chars.next();
        }
    }
}

fn skip_parentheses(chars: &mut Chars) {
    let mut depth = 0;
    while let Some((_, c)) = chars.next() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return;
                }
            }
            '\'' => skip_past(chars, '\'', false),
            '"' => skip_past(chars, '"', true),
            _ => {}
        }
    }
}

/// How a text ends that ` && ulimit …` follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As it should: with a word or a closed parenthesis.
    Command,
    /// With `&`.
    Background,
    /// With `;`.
    Semicolon,
    /// With the end of a line.
    Newline,
    /// With a comment that swallows what follows.
    Comment,
}

/// How a text ends.
pub(super) fn end(text: &str) -> End {
    match pieces(text).last() {
        Some(Piece::Newline) => End::Newline,
        Some(Piece::Comment) => End::Comment,
        Some(Piece::Operator(";" | ";;")) => End::Semicolon,
        Some(Piece::Operator("&")) => End::Background,
        _ => End::Command,
    }
}

/// The first `exit` or `exec` that ends the shell itself where it runs: not in a subshell, not behind `||`, and no
/// `exec` that only redirects.
pub(super) fn ends_shell(text: &str) -> Option<String> {
    let pieces = pieces(text);
    let mut depth = 0usize;
    let mut at_start = true;
    let mut guarded = false;
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Operator("(") => depth += 1,
            Piece::Operator(")") => depth = depth.saturating_sub(1),
            Piece::Operator(operator) => {
                guarded = *operator == "||" || guarded && *operator == "&&";
            }
            Piece::Newline => guarded = false,
            Piece::Word(word) if at_start && depth == 0 && !guarded => {
                let redirects = matches!(
                    pieces.get(index + 1),
                    Some(Piece::Operator("<" | ">" | ">>" | "&>" | "<&" | ">&"))
                ) || matches!(pieces.get(index + 1), Some(Piece::Word(word)) if word.bytes().all(|byte| byte.is_ascii_digit()));
                if word == "exit" || word == "exec" && !redirects {
                    return Some(word.clone());
                }
            }
            Piece::Word(_) | Piece::Comment => {}
        }
        at_start = match piece {
            Piece::Word(word) => {
                at_start && (word.contains('=') || OPENERS.contains(&word.as_str()))
                    || OPENERS.contains(&word.as_str())
            }
            Piece::Operator(operator) => matches!(*operator, ";" | "&" | "&&" | "||" | "("),
            Piece::Newline => true,
            Piece::Comment => at_start,
        };
    }
    None
}

/// Whether the shell itself is told to end at a failure: `set -e`, `set -euo pipefail`, `set -o errexit`.
pub(super) fn sets_errexit(text: &str) -> bool {
    let pieces = pieces(text);
    let mut depth = 0usize;
    pieces.iter().enumerate().any(|(index, piece)| {
        match piece {
            Piece::Operator("(") => depth += 1,
            Piece::Operator(")") => depth = depth.saturating_sub(1),
            _ => {}
        }
        let at_start = index == 0 || !matches!(pieces[index - 1], Piece::Word(_));
        let mut options = pieces[index + 1..].iter().map_while(|piece| match piece {
            Piece::Word(word) => Some(word.as_str()),
            _ => None,
        });
        let is_errexit = |word: &str| {
            word == "errexit"
                || (word.starts_with('-') && !word.starts_with("--") && word.contains('e'))
        };
        depth == 0
            && at_start
            && matches!(piece, Piece::Word(word) if word == "set")
            && options.any(is_errexit)
    })
}

const OPENERS: [&str; 6] = ["{", "then", "do", "else", "!", "time"];

/// Whether the last command of a text ends the shell when it fails, as in `prepare || exit 1`.
pub(super) fn stops_on_failure(text: &str) -> bool {
    let pieces = pieces(text);
    let guard = pieces
        .iter()
        .rposition(|piece| *piece == Piece::Operator("||"));
    guard.is_some_and(|guard| {
        let after = &pieces[guard + 1..];
        matches!(after.first(), Some(Piece::Word(word)) if word == "exit")
            && after.iter().all(|piece| matches!(piece, Piece::Word(_)))
    })
}

/// The first character of a text that bash reads as more than itself, quotes taken into account.
pub(super) fn special(text: &str) -> Option<char> {
    let mut chars = text.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        let found = match c {
            '\\' => {
                chars.next();
                None
            }
            '\'' => {
                let closed = chars.by_ref().any(|(_, c)| c == '\'');
                (!closed).then_some(c)
            }
            '"' => special_in_quotes(&mut chars),
            '$' if chars.peek().is_none() => None,
            c if c.is_whitespace() || "$`;&|<>()*?[]#!~{}".contains(c) => Some(c),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// What double quotes do not hide, up to the one that closes them.
fn special_in_quotes(chars: &mut Chars) -> Option<char> {
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => return None,
            '$' | '`' => return Some(c),
            _ => {}
        }
    }
    Some('"')
}

/// Whether a word is wholly inside one pair of quotes, so that bash takes it as one word.
pub(super) fn is_quoted(text: &str) -> bool {
    let inner = |quote: char| {
        text.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
            .is_some_and(|inner| !inner.contains(quote))
    };
    text.len() >= 2 && (inner('\'') || inner('"'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("echo a", End::Command)]
    #[case("(sleep 1&)", End::Command)]
    #[case("(sleep 1&) ", End::Command)]
    #[case("sleep 1 &", End::Background)]
    #[case("sleep 1&", End::Background)]
    #[case("echo 'a &'", End::Command)]
    #[case("echo a\\&", End::Command)]
    #[case("echo a; ", End::Semicolon)]
    #[case("echo \"a;\"", End::Command)]
    #[case("echo a\n", End::Newline)]
    #[case("echo a\n  ", End::Newline)]
    #[case("echo 'a\n'", End::Command)]
    #[case("echo a # b", End::Comment)]
    #[case("# a\necho b", End::Command)]
    #[case("echo a#b", End::Command)]
    #[case("echo ${a#b}", End::Command)]
    #[case("echo $(echo a; echo b)", End::Command)]
    #[case("", End::Command)]
    fn ends_of_texts(#[case] text: &str, #[case] expected: End) {
        assert_eq!(end(text), expected);
    }

    #[rstest]
    #[case("exit 3", Some("exit"))]
    #[case("a; exec b", Some("exec"))]
    #[case("A=1 exec b", Some("exec"))]
    #[case("if a; then exit 1; fi", Some("exit"))]
    #[case("a && exit", Some("exit"))]
    #[case("exec >log 2>&1", None)]
    #[case("exec 2>&1", None)]
    #[case("(exit 3)", None)]
    #[case("a || exit 1", None)]
    #[case("echo exit", None)]
    #[case("echo 'x; exit'", None)]
    #[case("exit-code", None)]
    fn what_ends_the_shell(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(ends_shell(text).as_deref(), expected);
    }

    #[rstest]
    #[case("set -e; a", true)]
    #[case("a\nset -euo pipefail", true)]
    #[case("set -o errexit && a", true)]
    #[case("set -u -e; a", true)]
    #[case("(set -e; a)", false)]
    #[case("set -u; a -e", false)]
    #[case("set +e; a", false)]
    #[case("set -- -; a", false)]
    #[case("echo set -e", false)]
    #[case("echo 'set -e'", false)]
    fn errexit(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(sets_errexit(text), expected);
    }

    #[rstest]
    #[case("a || exit 1", true)]
    #[case("a || exit", true)]
    #[case("a || exit 1; b", false)]
    #[case("a || b", false)]
    #[case("a", false)]
    fn what_stops_on_failure(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(stops_on_failure(text), expected);
    }

    #[rstest]
    #[case("0.0.0.0", None)]
    #[case("1,2:3=4", None)]
    #[case("'{\"a\": 1}'", None)]
    #[case("\"{\\\"a\\\": 1}\"", None)]
    #[case("{\"a\": 1}", Some('{'))]
    #[case("$MY_POD_IP", Some('$'))]
    #[case("\"$X\"", Some('$'))]
    #[case("'$X'", None)]
    #[case("a b", Some(' '))]
    #[case("a;b", Some(';'))]
    #[case("'a", Some('\''))]
    #[case("\\$a", None)]
    fn special_characters(#[case] text: &str, #[case] expected: Option<char>) {
        assert_eq!(special(text), expected);
    }

    #[rstest]
    #[case("'a b'", true)]
    #[case("\"a b\"", true)]
    #[case("'a' 'b'", false)]
    #[case("a", false)]
    #[case("'", false)]
    fn words_in_quotes(#[case] text: &str, #[case] quoted: bool) {
        assert_eq!(is_quoted(text), quoted);
    }
}
