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

/// Returns whether bash sets a variable itself, or the container's runtime does for every process.
pub(in super::super) fn sets(name: &str) -> bool {
    const NAMES: [&str; 29] = [
        "BASH",
        "BASHOPTS",
        "BASHPID",
        "BASH_VERSION",
        "EPOCHREALTIME",
        "EPOCHSECONDS",
        "EUID",
        "GROUPS",
        "HOME",
        "HOSTNAME",
        "HOSTTYPE",
        "IFS",
        "LINENO",
        "MACHTYPE",
        "OLDPWD",
        "OPTERR",
        "OPTIND",
        "OSTYPE",
        "PATH",
        "PPID",
        "PS4",
        "PWD",
        "RANDOM",
        "SECONDS",
        "SHELL",
        "SHELLOPTS",
        "SHLVL",
        "TERM",
        "UID",
    ];
    NAMES.contains(&name)
}

/// Returns whether bash sets a variable to something else in each Pod.
pub(in super::super) fn differs(name: &str) -> bool {
    matches!(name, "BASHPID" | "HOSTNAME" | "OLDPWD" | "PPID" | "PWD")
}

/// Patterns of paths in the words of a text, outside of quotes.
///
/// A pattern is left as it is where no file matches it; those of options and URLs hardly ever do.
pub(in super::super) fn patterns(text: &str) -> Vec<Expansion> {
    let mut found = Vec::new();
    let mut word = 0;
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                chars.next();
            }
            ('\'' | '"' | '`', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() || ";&|()<>".contains(c) => word = at + c.len_utf8(),
            ('*' | '?', None) if !text[..at].ends_with('$') => {
                let end = text[at..].find(char::is_whitespace);
                let whole = &text[word..end.map_or(text.len(), |end| at + end)];
                let is_path = |c: char| c.is_alphabetic() || "/._-".contains(c);
                let asks = c == '?' && whole.ends_with('?') && !whole.contains('/');
                let names = whole == "*" || whole.contains(is_path) && !asks;
                let is_pattern = !["://", "${"].iter().any(|other| whole.contains(other));
                if names && is_pattern && !whole.starts_with('-') {
                    found.push(Expansion {
                        at: word,
                        what: whole.into(),
                        variable: None,
                    });
                }
            }
            _ => {}
        }
    }
    found
}

/// Words of a text that bash makes several words of: `{a,b}` and `{1..3}` outside of quotes.
pub(in super::super) fn braces(text: &str) -> Vec<Expansion> {
    let mut found = Vec::new();
    let mut quote = None;
    // Where each brace that is open begins, and whether it has a comma or two dots of its own.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                chars.next();
            }
            ('\'' | '"' | '`', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() || ";&|()<>".contains(c) => open.clear(),
            ('{', None) if text[..at].ends_with('$') => {
                // A variable's braces hold no words.
                for (_, c) in chars.by_ref() {
                    if c == '}' {
                        break;
                    }
                }
            }
            ('{', None) => open.push((at, false)),
            (',', None) => {
                if let Some((_, several)) = open.last_mut() {
                    *several = true;
                }
            }
            ('}', None) => {
                let Some((begin, several)) = open.pop() else {
                    continue;
                };
                let inner = &text[begin + 1..at];
                if several || is_range(inner) {
                    found.push(Expansion {
                        at: begin,
                        what: text[begin..=at].into(),
                        variable: None,
                    });
                }
            }
            _ => {}
        }
    }
    found.sort_by_key(|one| one.at);
    found
}

/// Returns whether braces around a text make a range: two numbers or two letters, and perhaps a
/// step.
fn is_range(inner: &str) -> bool {
    let parts: Vec<&str> = inner.split("..").collect();
    let number = |part: &str| part.parse::<i64>().is_ok();
    let letter = |part: &str| part.len() == 1 && part.chars().all(|c| c.is_ascii_alphabetic());
    match parts[..] {
        [from, to] => number(from) && number(to) || letter(from) && letter(to),
        [from, to, step] => {
            (number(from) && number(to) || letter(from) && letter(to)) && number(step)
        }
        _ => false,
    }
}

/// The text with a plain letter in place of each variable and command that bash replaces.
pub(in super::super) fn without_expansions(text: &str) -> String {
    let mut plain = String::new();
    let mut end = 0;
    for expansion in expansions(text) {
        // One inside of another is gone with it.
        if expansion.at >= end {
            plain.push_str(text.get(end..expansion.at).unwrap_or_default());
            plain.push('x');
            end = expansion.at + length(&text[expansion.at..]);
        }
    }
    plain.push_str(text.get(end..).unwrap_or_default());
    plain
}

/// The length of the expansion at the start of a text.
fn length(text: &str) -> usize {
    let closing = |open: char, close: char| {
        let mut depth = 0usize;
        for (at, c) in text.char_indices() {
            if c == open {
                depth += 1;
            } else if c == close {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + c.len_utf8();
                }
            }
        }
        text.len()
    };
    match text.get(..2) {
        Some("$(") => closing('(', ')'),
        Some("${") => closing('{', '}'),
        _ if text.starts_with('`') => text[1..].find('`').map_or(text.len(), |at| at + 2),
        _ => {
            let end = text[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            end.map_or(text.len(), |at| (at + 1).max(2))
        }
    }
}

/// The name of a variable at the start of a text; a single digit or special character counts as
/// one.
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
