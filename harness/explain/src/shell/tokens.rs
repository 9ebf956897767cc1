//! Splits a shell text into words, operators and comments as bash splits it.

/// A piece of a shell text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Piece {
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
pub(in super::super) fn pieces(text: &str) -> Vec<Piece> {
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

/// Returns the end of the word at the start of a text.
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

/// The first character of a text that bash reads as more than itself, quotes taken into account.
pub(in super::super) fn special(text: &str) -> Option<char> {
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

/// The same for a text that stands behind `--name=`, where neither `~`, `#` nor `!` is special, and
/// where a pattern would need a file whose name begins so.
pub(in super::super) fn special_behind(text: &str) -> Option<char> {
    // Braces alone are plain characters, unless they hold alternatives, or JSON whose quotes bash
    // takes away.
    let braces = text.contains(['"', '\'', ',']) || text.contains("..");
    let mut plain = String::with_capacity(text.len());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                let next = chars.next();
                // A backslash that the user did not write to hide something is lost.
                if quote.is_none() && next.is_some_and(char::is_alphanumeric) {
                    return Some('\\');
                }
                plain.push(c);
                plain.extend(next);
                continue;
            }
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('~' | '#' | '!' | '*' | '?' | '[' | ']', None) => {
                plain.push('x');
                continue;
            }
            ('{' | '}', None) if !braces => {
                plain.push('x');
                continue;
            }
            _ => {}
        }
        plain.push(c);
    }
    special(&plain)
}

/// Returns the first character that double quotes do not hide, up to the closing quote.
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

/// Returns whether a text ends in a backslash that hides what is written behind it; not one in
/// single quotes, in a comment or in a here-document.
pub(in super::super) fn escapes_what_follows(text: &str) -> bool {
    if !text.ends_with('\\') || text.contains("<<") {
        return false;
    }
    let (mut quote, mut before) = (None, ' ');
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) if chars.next().is_none() => return true,
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('#', None) if before.is_whitespace() || ";&|()".contains(before) => {
                // A comment goes on to the end of its line.
                if !chars.by_ref().any(|c| c == '\n') {
                    return false;
                }
                before = '\n';
                continue;
            }
            _ => {}
        }
        before = c;
    }
    false
}

/// Returns whether a word is wholly inside one pair of quotes, so that bash takes it as one word.
pub(in super::super) fn is_quoted(text: &str) -> bool {
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
    #[case("~/a", None)]
    #[case("a#b!c{d}", None)]
    #[case("*", None)]
    #[case("[::]?", None)]
    #[case("{\"a\":1}", Some('{'))]
    #[case("a{b,c}", Some('{'))]
    #[case("a b~", Some(' '))]
    #[case("a\\b", Some('\\'))]
    #[case("a\\$b", None)]
    #[case("'a\\b'", None)]
    #[case("'{\"a\": 1}'", None)]
    fn special_characters_behind_a_name(#[case] text: &str, #[case] expected: Option<char>) {
        assert_eq!(special_behind(text), expected);
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
