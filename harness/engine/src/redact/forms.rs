//! Forms in which secrets are written in text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::MASK;
use super::names::is_secret;

/// Secrets by their form alone. The group `keep` before and the group `end` behind stay.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    all(&[
        // A private key, also one that was cut off.
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
        r#"(?i)(?P<keep>\bauthorization\\?["']?\s*[:=]\s*\\?["']?)(?:basic|bearer|digest|negotiate|token)?[ \t]*[^\s"'\[\\][^"'\r\n\\]*"#,
        r"(?i)(?P<keep>\bbearer\s+)[A-Za-z0-9._~+/-]{8,}=*",
        // The user and password of a URL.
        r#"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]*://)[^/\s"'<>@\[][^/\s"'<>]*(?P<end>@)"#,
        // JSON web tokens.
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        // Hugging Face, GitHub, GitLab, Slack, OpenAI and Anthropic, npm, PyPI, Google, AWS.
        r"\bhf_[A-Za-z0-9]{16,}",
        r"\bgh[pousr]_[A-Za-z0-9]{20,}",
        r"\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bglpat-[A-Za-z0-9_-]{16,}",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"\bsk-[A-Za-z0-9_-]{20,}",
        r"\bnpm_[A-Za-z0-9]{30,}",
        r"\bpypi-[A-Za-z0-9_-]{30,}",
        r"\bAIza[A-Za-z0-9_-]{35}",
        r"\bA(?:KIA|SIA)[A-Z0-9]{16}\b",
        // Passwords that are written against their flag, or behind one that says nothing elsewhere.
        r"(?P<keep>\bcurl\b[^\r\n|;&]*?\s-u)[^\s:=-][^\s:]*:[^\s]+",
        r#"(?P<keep>--(?:proxy-)?user=["']?)[^\s:"'0-9][^\s:"']*:[^\s"']+"#,
        r"(?P<keep>\bmysql(?:admin|dump|import|show)?\b[^\r\n|;&]*?\s-p)[^\s-][^\s]*",
        r"(?P<keep>\bsshpass\s+-p\s*)[^\s-][^\s]*",
    ])
});

/// A name and what stands between it and its value.
static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    all(&[
        // `name=value`, `name: value`, `"name":"value"`, and the same in quotes within quotes.
        r#"(?P<name>[A-Za-z_][\w.-]*)\\?["']?[ \t]*[:=][ \t]*"#,
        // An environment variable or a header as Kubernetes and Go write it, its value on the next
        // line or field.
        r#"(?i)\bname\\?["']?:\s*\\?["']?(?P<name>[\w.-]+)\\?["']?,?\s*\\?["']?\bvalue\\?["']?:[ \t]*"#,
        // `--name value`, `["--name", "value"]`, and a list whose items are lines.
        r#"(?:^|[\s"'\[,])(?P<flag>--?[A-Za-z][\w.-]*)(?:[ \t]+|\\?["'],\s*|\\?["']?\r?\n[ \t]*-[ \t]+)"#,
    ])
});

/// A value in quotes, in quotes of JSON within JSON, or bare up to what ends it.
static VALUE: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"^(?:"(?:[^"\\\r\n]|\\.)+"|'(?:[^'\r\n]|'')+'|\\"[^"\\]+\\"|[^\s,;&"'\\\[\]{}()][^\s,;&"'\\\]})]*)"#,
    )
});

/// The rest of a line that begins with a name.
static REST: LazyLock<Regex> = LazyLock::new(|| constant(r#"^[^\s"'\\\[{,|>&*!][^\r\n]*"#));
/// The value of a variable that a shell lists.
static LISTED: LazyLock<Regex> = LazyLock::new(|| constant(r#"^[^\s"'\\\[]\S*"#));
/// The head of a block scalar of YAML.
static BLOCK: LazyLock<Regex> = LazyLock::new(|| constant(r"^[|>][0-9+-]{0,2}[ \t]*\r?\n"));
/// What may stand before a name at the beginning of a line: the marks of lists and of differences.
static BEGINNING: LazyLock<Regex> =
    LazyLock::new(|| constant(r#"^[ \t+-]*(?:export[ \t]+)?["']?$"#));

/// Values that say nothing: the mask, switches, and references to variables.
static NO_SECRET: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"^\\?["']?(?:|\[redacted\]|(?i:true|false|null|none)|\$[({]?[A-Z_][A-Z0-9_]*[)}]?)\\?["']?$"#,
    )
});

/// Flags whose value is a user and a password.
const USER_FLAGS: [&str; 5] = ["-u", "-U", "--user", "--proxy-user", "--userpass"];

fn constant(expression: &str) -> Regex {
    Regex::new(expression).expect("a constant expression")
}

fn all(expressions: &[&str]) -> Vec<Regex> {
    expressions
        .iter()
        .map(|expression| constant(expression))
        .collect()
}

/// Returns whether a value says nothing, so that there is nothing to mask.
pub(super) fn is_no_secret(value: &str) -> bool {
    NO_SECRET.is_match(value.trim())
}

/// Returns whether an argument is a flag whose value is the next argument and a secret.
pub(super) fn is_flag(argument: &str) -> bool {
    argument.starts_with('-') && !argument.contains(['=', ' ']) && is_secret(argument)
}

/// Returns whether an argument behind this one is a user and a password, as of `curl -u`.
pub(super) fn user_and_password(flag: &str, argument: &str) -> bool {
    let is_flag = USER_FLAGS.contains(&flag);
    let parts = argument.split_once(':').filter(|_| is_flag);
    // `docker run -u 1000:1000`
    let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    parts.is_some_and(|(user, password)| {
        let is_url = password.starts_with("//");
        let is_ids = is_id(user) && is_id(password);
        !(argument.contains('\n') || is_url || is_ids || is_no_secret(password))
    })
}

/// Masks what is written in a form that secrets have, and gives each secret to `tell`.
pub(super) fn mask(text: &str, tell: &mut impl FnMut(&str)) -> String {
    mask_as(text, |_| MASK.to_owned(), tell)
}

/// As [`mask`], with what `hide` makes of a secret in its place.
pub(super) fn mask_as(
    text: &str,
    hide: impl Fn(&str) -> String,
    tell: &mut impl FnMut(&str),
) -> String {
    let mut masked = text.to_owned();
    for form in FORMS.iter() {
        let places: Vec<Range<usize>> = form
            .captures_iter(&masked)
            .filter_map(|found| {
                let whole = found.get(0)?;
                let keep = found.name("keep").map_or(whole.start(), |keep| keep.end());
                let end = found.name("end").map_or(whole.end(), |end| end.start());
                Some(keep..end)
            })
            .collect();
        masked = replace(masked, &places, &hide, tell);
    }
    for named in NAMED.iter() {
        let places = named_places(&masked, named);
        masked = replace(masked, &places, &hide, tell);
    }
    masked
}

/// Replaces places that are in order, but for those that say nothing.
fn replace(
    text: String,
    places: &[Range<usize>],
    hide: impl Fn(&str) -> String,
    tell: &mut impl FnMut(&str),
) -> String {
    if places.is_empty() {
        return text;
    }
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for place in places {
        let secret = &text[place.clone()];
        if place.start < end || is_no_secret(secret) {
            continue;
        }
        // Quotes stay, so that what held the value stays well-formed.
        let quote = ["\\\"", "\"", "'"].into_iter().find(|quote| {
            secret.len() >= 2 * quote.len() && secret.starts_with(quote) && secret.ends_with(quote)
        });
        let quote = quote.unwrap_or_default();
        let bare = &secret[quote.len()..secret.len() - quote.len()];
        tell(bare);
        masked.push_str(&text[end..place.start]);
        masked.push_str(&format!("{quote}{}{quote}", hide(bare)));
        end = place.end;
    }
    masked.push_str(&text[end..]);
    masked
}

/// The places of values behind names that are secrets'.
fn named_places(text: &str, named: &Regex) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(found) = named.captures_at(text, at) {
        let Some(whole) = found.get(0) else { break };
        let value = whole.end();
        at = value;
        let place = match (found.name("name"), found.name("flag")) {
            (Some(name), _) if is_secret(name.as_str()) => {
                // A field's own name, or the key `value` of a variable, wherever its name is.
                let line = text[..value].rfind('\n').map_or(0, |end| end + 1);
                value_place(text, name.start().max(line), value)
            }
            (_, Some(flag)) => flags_place(text, flag.as_str(), value),
            _ => None,
        };
        if let Some(place) = place {
            at = place.end.max(value);
            places.push(place);
        } else if found.name("flag").is_some() {
            // What follows may be a flag itself, and the space before it belongs to both.
            at = value.saturating_sub(1).max(whole.start() + 1);
        }
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    places
}

fn flags_place(text: &str, flag: &str, at: usize) -> Option<Range<usize>> {
    let value = VALUE.find(&text[at..])?;
    let bare = value.as_str().trim_matches(['"', '\'', '\\']);
    let is_value = is_flag(flag) && !bare.starts_with('-') || user_and_password(flag, bare);
    is_value.then(|| at..at + value.end())
}

/// The place of a value: `key` is where its key begins, `at` where it begins itself.
fn value_place(text: &str, key: usize, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let line = text[..key].rfind('\n').map_or(0, |end| end + 1);
    if let Some(head) = BLOCK.find(rest) {
        let indent = indent(&text[line..]);
        return block(text, at + head.end(), indent);
    }
    let begins = BEGINNING.is_match(&text[line..key]);
    let separator = text[key..at].trim_end();
    let found = if begins && separator.ends_with(':') {
        REST.find(rest)
    } else if begins && separator.ends_with('=') {
        LISTED.find(rest)
    } else {
        None
    };
    let found = found.or_else(|| VALUE.find(rest))?;
    let end = found.as_str().trim_end().len();
    Some(at..at + end)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

/// The lines of a block scalar, without the indentation of the first.
fn block(text: &str, at: usize, indent_of_key: usize) -> Option<Range<usize>> {
    let mut end = at;
    for line in text[at..].split_inclusive('\n') {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if !line.trim().is_empty() && spaces <= indent_of_key {
            break;
        }
        end += line.len();
    }
    let lines = text[at..end].trim_end();
    let start = lines.len() - lines.trim_start().len();
    (start < lines.len()).then(|| at + start..at + lines.len())
}
