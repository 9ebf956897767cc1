//! Hides from the tokenizer what it reads in another way than bash, and shows it again.
//!
//! Every character keeps its place: one byte of ASCII stands for another.

use std::ops::Range;

/// The stand-in of a character, and the character.
const MASKS: [(u8, u8); 5] = [(1, b'('), (2, b')'), (3, b'<'), (4, b'#'), (5, b'$')];

/// Hides `$$`, which the tokenizer takes for the start of `$(`; `#` and `<` of arithmetic and
/// inside of a regular expression's parentheses, which it takes for a comment and a here-document;
/// the parentheses of arithmetic inside of `$(…)`, after which it finds no here-document any more;
/// the parentheses between backquotes, which bash reads when it runs them; and, inside of `$(…)`,
/// the end of a pattern of `case`, and quotes and parentheses of comments.
pub(super) fn mask(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (at, _) in text.match_indices("$$") {
        if !text[..at].ends_with('\\') && bytes[at..at + 2] == *b"$$" {
            hide(&mut bytes[at..at + 2], b"$");
        }
    }
    if !text.bytes().any(|byte| (1..=5).contains(&byte)) {
        for (range, opaque) in opaque(text) {
            match opaque {
                Opaque::Backquoted => hide(&mut bytes[range], b"()#"),
                Opaque::Comment => {
                    let read = |byte: &&mut u8| b"'\"`\\(){}$<>;&|#".contains(*byte);
                    bytes[range]
                        .iter_mut()
                        .filter(read)
                        .for_each(|byte| *byte = b'x');
                }
                Opaque::Expression => hide(&mut bytes[range], b"<#"),
                Opaque::Nested => {
                    let inner = range.start + 2..range.end - 2;
                    hide(&mut bytes[inner.clone()], b"<#");
                    hide(&mut bytes[range.start..inner.start], b"(");
                    hide(&mut bytes[inner.end..range.end], b")");
                }
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hide(bytes: &mut [u8], which: &[u8]) {
    for byte in bytes.iter_mut().filter(|byte| which.contains(byte)) {
        if let Some((mask, _)) = MASKS.iter().find(|(_, shown)| shown == byte) {
            *byte = *mask;
        }
    }
}

/// The text with the characters that a mask hid.
pub(super) fn unmask(text: &str) -> String {
    let shown = |c: char| {
        let mask = MASKS.iter().find(|(mask, _)| char::from(*mask) == c);
        mask.map_or(c, |(_, shown)| char::from(*shown))
    };
    text.chars().map(shown).collect()
}

/// The construct that is open at a position of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `(`.
    Parenthesis,
    /// `$(`.
    Substitution,
    /// `<(` or `>(`, which is a part of a word.
    Process,
    /// `case … in`, whose patterns end in `)`.
    Case,
    /// `"`.
    Quote,
}

/// A part of a text that bash reads later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opaque {
    /// Arithmetic, or a regular expression.
    Expression,
    /// `((…))` inside of `$(…)`.
    Nested,
    /// Between backquotes, or the end of a pattern of `case`.
    Backquoted,
    /// A comment inside of `$(…)`.
    Comment,
}

/// Returns the parts of a text that bash reads later.
fn opaque(text: &str) -> Vec<(Range<usize>, Opaque)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut documents = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let quoted = open.last() == Some(&Open::Quote);
        match bytes[at] {
            b'\\' => at += 1,
            b'\'' if !quoted => at = behind(bytes, at + 1, b'\''),
            b'"' if quoted => _ = open.pop(),
            b'"' => open.push(Open::Quote),
            b'#' if !quoted && begins_word(bytes, at) => {
                let end = behind(bytes, at, b'\n');
                if open.contains(&Open::Substitution) {
                    found.push((at + 1..end, Opaque::Comment));
                }
                at = end;
                continue;
            }
            b'c' if open.contains(&Open::Substitution) && !quoted && begins_case(text, at) => {
                open.push(Open::Case);
                at += "case".len();
            }
            b'e' if open.last() == Some(&Open::Case) && is_word(text, at, "esac") => {
                open.pop();
                at += "esac".len() - 1;
            }
            b')' if open.last() == Some(&Open::Case) => {
                found.push((at..at + 1, Opaque::Backquoted));
            }
            b'`' => {
                if let Some(end) = backquote(bytes, at + 1) {
                    found.push((at..end, Opaque::Backquoted));
                    at = end;
                }
            }
            b'<' if !quoted && bytes[at..].starts_with(b"<<<") => at += 2,
            b'<' if !quoted && bytes[at..].starts_with(b"<<") => {
                documents.push(tag(&text[at + 2..]));
                at += 1;
            }
            b'\n' if !quoted && !documents.is_empty() => {
                at = behind_documents(text, at + 1, &std::mem::take(&mut documents));
                continue;
            }
            b'=' if !quoted && bytes[at..].starts_with(b"=~ ") => {
                let end = parenthesised(bytes, at + 3);
                found.push((at..end, Opaque::Expression));
                at = end.max(at + 2);
            }
            b'(' if bytes.get(at + 1) == Some(&b'(') => {
                let dollar = at > 0 && bytes[at - 1] == b'$';
                if dollar || !quoted {
                    if let Some(end) = end(bytes, at) {
                        let nested = open.contains(&Open::Substitution) && !dollar;
                        let kind = if nested {
                            Opaque::Nested
                        } else {
                            Opaque::Expression
                        };
                        found.push((at..end, kind));
                        at = end;
                        continue;
                    }
                    open.push(if dollar {
                        Open::Substitution
                    } else {
                        Open::Parenthesis
                    });
                }
            }
            b'(' if at > 0 && bytes[at - 1] == b'$' => open.push(Open::Substitution),
            b'(' if !quoted && at > 0 && b"<>".contains(&bytes[at - 1]) => open.push(Open::Process),
            b'(' if !quoted => open.push(Open::Parenthesis),
            b')' if !quoted => {
                let word = open.pop() == Some(Open::Process);
                if word && bytes.get(at + 1) == Some(&b'#') {
                    found.push((at + 1..at + 2, Opaque::Expression));
                    at += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Returns whether a word stands at a byte.
fn is_word(text: &str, at: usize, word: &str) -> bool {
    let ends =
        |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t', '\n', ';', '&', '|', ')']);
    begins_word(text.as_bytes(), at) && text[at..].strip_prefix(word).is_some_and(ends)
}

/// Returns whether `case WORD in` stands at a byte, where a command begins.
fn begins_case(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t']);
    let word = before
        .rsplit([' ', '\t', '\n', ';', '&', '|', '(', ')'])
        .next();
    let opens = [
        "do", "then", "else", "elif", "if", "while", "until", "{", "!", "time",
    ];
    if !(word.is_some_and(|word| word.is_empty() || opens.contains(&word))
        && is_word(text, at, "case"))
    {
        return false;
    }
    let blank = [' ', '\t', '\n'];
    let mut quote = None;
    let rest = text[at + "case".len()..].trim_start_matches(blank);
    let end = rest.find(|c: char| {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
        quote.is_none() && blank.contains(&c)
    });
    let behind = end.map(|end| rest[end..].trim_start_matches(blank));
    behind.is_some_and(|rest| {
        let rest = rest.strip_prefix("in");
        rest.is_some_and(|rest| rest.starts_with(blank))
    })
}

/// The place of the next byte of a kind, or the end.
fn behind(bytes: &[u8], from: usize, what: u8) -> usize {
    let next = bytes.iter().skip(from).position(|byte| *byte == what);
    next.map_or(bytes.len(), |next| from + next)
}

/// The place of the next backquote without a backslash before it.
fn backquote(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while *bytes.get(at)? != b'`' {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    Some(at)
}

/// The word that ends a here-document, from the text behind `<<`.
fn tag(text: &str) -> String {
    let word = text.trim_start_matches('-').trim_start_matches([' ', '\t']);
    let end = word.find(|c: char| c.is_whitespace() || ";&|()<>".contains(c));
    word[..end.unwrap_or(word.len())].replace(['\'', '"', '\\'], "")
}

/// The place behind the here-documents that begin on a line.
fn behind_documents(text: &str, from: usize, tags: &[String]) -> usize {
    let mut at = from;
    let mut tags = tags.iter().peekable();
    for line in text[from..].split_inclusive('\n') {
        let Some(tag) = tags.peek() else {
            break;
        };
        at += line.len();
        if line.trim_end_matches('\n').trim_start_matches('\t') == **tag {
            tags.next();
        }
    }
    at
}

/// The end of the first group of parentheses of a word; where the word begins, if it has none.
fn parenthesised(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return at,
            b')' if depth > 0 => depth -= 1,
            b')' | b'\'' | b'"' | b'\\' | b'`' | b'\n' => return from,
            b' ' if depth == 0 => return from,
            _ => {}
        }
    }
    from
}

fn begins_word(bytes: &[u8], at: usize) -> bool {
    at == 0 || b" \t\n;&|()".contains(&bytes[at - 1])
}

/// The end of the `((…))` that begins at a byte; none where it ends in another way.
fn end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in start + 2..bytes.len() {
        match bytes[at] {
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b')' => return (bytes.get(at + 1) == Some(&b')')).then_some(at + 2),
            // Quotes and other expansions may hold parentheses of their own.
            b'\'' | b'"' | b'`' | b'\\' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::process_id("a $$ b", "a \u{5}\u{5} b")]
    #[case::plain("((1<2))", "((1\u{3}2))")]
    #[case::word("a $((16#ff)) # b", "a $((16\u{4}ff)) # b")]
    #[case::in_quotes("a \"$((1<<2))\"", "a \"$((1\u{3}\u{3}2))\"")]
    #[case::nested(
        "\"$(for ((;i<2;)); do a; done)\"",
        "\"$(for \u{1}\u{1};i\u{3}2;\u{2}\u{2}; do a; done)\""
    )]
    #[case::backquotes("a `b $(` c", "a `b $\u{1}` c")]
    #[case::expression("[[ a =~ ^(b|<<c)$ ]]", "[[ a =~ ^(b|\u{3}\u{3}c)$ ]]")]
    #[case::here_document("a <<'E'\n` ((<\nE\n((1<2)) `", "a <<'E'\n` ((<\nE\n((1\u{3}2)) `")]
    #[case::case_inside("$(case a in a) b;; esac)", "$(case a in a\u{2} b;; esac)")]
    #[case::case_outside("case a in a) b;; esac", "case a in a) b;; esac")]
    #[case::no_case("$(echo case a in)", "$(echo case a in)")]
    #[case::no_comment("a <(b)#c", "a <(b)\u{4}c")]
    #[case::comment("a # it's ((1<2))", "a # it's ((1<2))")]
    #[case::single_quotes("'((1<2))'", "'((1<2))'")]
    #[case::subshells("((a) | b)", "((a) | b)")]
    fn what_is_hidden(#[case] text: &str, #[case] masked: &str) {
        assert_eq!(mask(text), masked);
        assert_eq!(mask(text).len(), text.len());
        assert_eq!(unmask(&mask(text)), text);
    }
}
