//! Names whose values are secrets: the only list of them.

/// A name that has one of these words anywhere is a secret's, such as `REDIS_PASSWORD` and
/// `tokenForPulls`.
const WORDS: [&str; 14] = [
    "accesskey",
    "apikey",
    "authorization",
    "credential",
    "credentials",
    "dockerconfigjson",
    "htpasswd",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "privatekey",
    "secret",
    "token",
];

/// So is one whose word ends like this, such as `PGPASSWORD` and `authtoken`.
const ENDS: [&str; 7] = [
    "apikey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "token",
];

/// So is one whose last word is one of these; elsewhere in a name they say nothing (`authMode`,
/// `passThrough`).
const LAST_WORDS: [&str; 7] = ["auth", "cookie", "dsn", "pass", "pwd", "sas", "userpass"];

/// So is one with these two words in a row, such as `API_KEY`, `client-key-data` and
/// `connectionString`.
const PAIRS: [(&str, &str); 15] = [
    ("access", "key"),
    ("account", "key"),
    ("api", "key"),
    ("client", "key"),
    ("conn", "str"),
    ("connection", "str"),
    ("connection", "string"),
    ("encryption", "key"),
    ("master", "key"),
    ("pass", "phrase"),
    ("private", "key"),
    ("signing", "key"),
    ("ssh", "key"),
    ("storage", "key"),
    ("tls", "key"),
];

/// A name that ends in one of these says where a secret is or how it is used, not what it is:
/// `secretName`, `TOKEN_FILE`, `RAY_AUTH_MODE`.
const ABOUT: [&str; 26] = [
    "audience",
    "audiences",
    "class",
    "count",
    "dir",
    "enabled",
    "expiration",
    "expiry",
    "file",
    "length",
    "limit",
    "method",
    "mode",
    "name",
    "namespace",
    "parallelism",
    "path",
    "policy",
    "provider",
    "ref",
    "required",
    "scheme",
    "seconds",
    "ttl",
    "type",
    "version",
];

/// Returns whether the value under this name is a secret. The name is one of a field, an
/// environment variable, a flag or a header, in any spelling.
pub(super) fn is_secret(name: &str) -> bool {
    // The shell's working directory.
    if name == "PWD" {
        return false;
    }
    let words = words(name);
    let Some(last) = words.last() else {
        return false;
    };
    if ABOUT.contains(&last.as_str()) {
        return false;
    }
    LAST_WORDS.contains(&last.as_str())
        || words.iter().any(|word| {
            WORDS.contains(&word.as_str()) || ENDS.iter().any(|end| word.ends_with(end))
        })
        || words.windows(2).any(|pair| {
            PAIRS
                .iter()
                .any(|(one, other)| pair[0] == *one && pair[1] == *other)
        })
}

/// The words of a name in lower case: `redisPassword`, `REDIS_PASSWORD` and `redis-password` have
/// the same.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = name.chars().peekable();
    let mut before = ' ';
    let mut end = |word: &mut String| {
        // `TOKEN_2`, `PASSWORD1`
        let bare = word.trim_end_matches(|c: char| c.is_ascii_digit());
        if !bare.is_empty() {
            words.push(bare.to_owned());
        }
        word.clear();
    };
    while let Some(c) = characters.next() {
        let next_is_lower = characters.peek().is_some_and(|next| next.is_lowercase());
        let begins = c.is_uppercase() && (!before.is_uppercase() || next_is_lower);
        if (begins || !c.is_alphanumeric()) && !word.is_empty() {
            end(&mut word);
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    end(&mut word);
    words
}
