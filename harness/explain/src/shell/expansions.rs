//! Finds what bash replaces in a text: variables and commands outside of single quotes.

/// Something that bash replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Expansion {
    /// Byte offset in the text.
    pub at: usize,
    /// As written, such as `$NAME` or `$(…)`.
    pub what: String,
    /// The variable; none for a command.
    pub variable: Option<String>,
}

/// Every variable and command that bash replaces in a text, quotes taken into account.
pub(in super::super) fn expansions(text: &str) -> Vec<Expansion> {
    let mut found = Vec::new();
    let mut double = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '\'' if !double => {
                for (_, c) in chars.by_ref() {
                    if c == '\'' {
                        break;
                    }
                }
            }
            '"' => double = !double,
            '`' => {
                found.push(Expansion {
                    at,
                    what: "`…`".into(),
                    variable: None,
                });
                for (_, c) in chars.by_ref() {
                    if c == '`' {
                        break;
                    }
                }
            }
            '$' => found.extend(expansion(&text[at..], at)),
            _ => {}
        }
    }
    found
}

fn expansion(rest: &str, at: usize) -> Option<Expansion> {
    let after = &rest[1..];
    if after.starts_with('(') {
        let what = if after.starts_with("((") {
            "$((…))"
        } else {
            "$(…)"
        };
        return Some(Expansion {
            at,
            what: what.into(),
            variable: None,
        });
    }
    let (name, braces) = match after.strip_prefix('{') {
        Some(inner) => (name(inner.trim_start_matches(['!', '#'])), true),
        None => (name(after), false),
    };
    if name.is_empty() {
        return None;
    }
    Some(Expansion {
        at,
        what: if braces {
            format!("${{{name}}}")
        } else {
            format!("${name}")
        },
        variable: Some(name.into()),
    })
}

/// The name of a variable at the start of a text; a single digit or special character counts as one.
fn name(text: &str) -> &str {
    let first = text.chars().next().unwrap_or(' ');
    if first.is_ascii_alphabetic() || first == '_' {
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(text.len());
        &text[..end]
    } else if first.is_ascii_digit() || matches!(first, '@' | '*' | '#' | '?' | '!') {
        &text[..1]
    } else {
        ""
    }
}
