//! Generates files whose values are easily misread.

/// Scalars whose kind is easily misread.
const SCALARS: &[&str] = &[
    "1",
    "1.0",
    "-1.0",
    "0",
    "-0",
    "-0.0",
    "+1",
    "+0x10",
    "0x1F",
    "0X1f",
    "-0x1F",
    "0o17",
    "0O17",
    "017",
    "0755",
    "-017",
    "+017",
    "08",
    "09",
    "018",
    "0.7",
    "00",
    "007",
    "0b101",
    "0B101",
    "-0b1",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "-1_0",
    "0x_1",
    "0o1_7",
    "0_7",
    "0755_",
    "01__0",
    "-01__0",
    "0x1__F",
    "0o1__7",
    "08__1",
    "0b1_0",
    "1_000.5",
    ".5",
    "-.5",
    "+.5",
    ".1_5",
    "._1",
    "5.",
    "1e3",
    "1E3",
    "1E-5",
    "1e+3",
    "1.5e3",
    "1e",
    "e1",
    "1e400",
    "1.5e-7",
    "1e21",
    "1e20",
    "1e19",
    "123456789.5",
    "123456789012345678",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "+9223372036854775808",
    "0xFFFFFFFFFFFFFFFF",
    "0x10000000000000000",
    "1e-7",
    "0.000001",
    "0.1",
    "3.14159265358979",
    "1.7976931348623157e308",
    "y",
    "Y",
    "n",
    "N",
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "No",
    "NO",
    "nO",
    "on",
    "On",
    "ON",
    "oN",
    "off",
    "Off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "tRue",
    "false",
    "False",
    "FALSE",
    "~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "\"\"",
    "''",
    ".inf",
    "-.inf",
    "+.inf",
    ".Inf",
    ".nan",
    ".NaN",
    "inf",
    "nan",
    "NaN",
    "2024-01-01",
    "2024-1-1",
    "2024-01-01T10:00:00Z",
    "2024-01-01 10:00:00",
    "2024-13-99",
    "12:30",
    "1:30",
    "190:20:30",
    "12:30:45",
    "1.2.3",
    "1.6.2",
    "0x",
    "0b",
    "0o",
    "0o8",
    "0b2",
    "0xg",
    "--1",
    "+",
    "-",
    ".",
    "..",
    "=",
    "<<",
    "'1'",
    "\"yes\"",
    "!!str 1",
    "!!str yes",
    "!!float 3",
    "!!int 4",
    "!!int \"4\"",
    "!!int 0o17",
    "!!bool yes",
    "!!bool \"true\"",
    "!!int x",
    "!!binary aGk=",
    "! 1",
    "a b",
    "a#b",
    "a: b",
    "a:b",
    "http://a:80/b",
    "\"\\u00e9\\x01\\n\"",
    "'it''s'",
    "\"a\\\nb\"",
    "<",
    ">",
    "a&b",
    "é世",
    "\u{a0}",
    "%a",
    "@a",
    "`a`",
    "&a",
    "*a",
    "a,b",
    "[a]",
    "{a: b}",
    "{}",
    "[]",
    "{{ a }}",
    "500m",
    "2Gi",
    "1e3Mi",
    "$(A)",
    "a\tb",
];

/// Scalars that stay different, and why.
const OTHERS: &[(&str, &str)] = &[
    (
        "+0xFFFFFFFFFFFFFFFF",
        "beyond 63 bits kubectl takes no plus sign before a base",
    ),
    (
        "-9223372036854775809",
        "beyond 64 bits kubectl rounds down to another float",
    ),
    (
        "!!null x",
        "kubectl refuses the tag, this crate takes it for nothing",
    ),
    ("!foo 1", "a tag that nobody knows makes a text for kubectl"),
];

/// Scalars that are different as keys only.
const OTHER_KEYS: &[(&[&str], &str)] = &[
    (
        &[
            "-0.0",
            "1E-5",
            "1.5e-7",
            "123456789.5",
            "1e-7",
            "0.000001",
            "3.14159265358979",
            "1.7976931348623157e308",
            "+9223372036854775808",
            "18446744073709551616",
        ],
        "kubectl writes a key that is a float with the digits of 32 bits",
    ),
    (
        &[
            "9223372036854775808",
            "18446744073709551615",
            "0xFFFFFFFFFFFFFFFF",
        ],
        "kubectl takes no key beyond 64 bits with a sign",
    ),
    (
        &[".inf", "-.inf", "+.inf", ".Inf", ".nan", ".NaN"],
        "kubectl takes infinity for a key; this crate refuses it",
    ),
];

/// Files that stay different, and why.
const OTHER_FILES: &[(&str, &str)] = &[
    (
        "{\"k\": 1e400}",
        "this crate reads JSON as YAML, where this is a text; no server takes it",
    ),
    ("a: {b: [-]}", "this crate refuses a lone dash in a flow"),
    ("{\"k\": -}", "this crate refuses a lone dash in a flow"),
    ("&a: v", "this crate takes what is left for the whole"),
    ("[]: v", "kubectl drops what follows a list"),
    ("...", "a file of nothing but an end has no object"),
    ("a: 1\na: 2\n", TWICE),
    ("a: 1\n\"a\": 2\n", TWICE),
    ("1: a\n\"1\": b\n", TWICE),
    ("yes: a\ntrue: b\n", TWICE),
    ("a: {b: 1, b: 2}\n", TWICE),
    ("{\"a\": 1, \"a\": 2}", TWICE),
    (
        "a: 1\n...\nb: 2\n",
        "kubectl drops what follows `...` without `---`",
    ),
    (
        "\ta: 1\n",
        "kubectl takes no tab before a key; this crate does at the very begin",
    ),
    (
        "a: 1\n---\n\u{feff}b: 2\n",
        "this crate takes a byte order mark at the begin only",
    ),
    (
        "a: \u{85}b\n",
        "these characters break a line for kubectl only",
    ),
    (
        "a: x\u{2028}y\n",
        "these characters break a line for kubectl only",
    ),
    (
        "a: \"\\ud83d\\ude00\"\n",
        "kubectl takes no half of a character outside of JSON",
    ),
    ("a: !!timestamp 2024-01-01\n", "this crate refuses the tag"),
    ("a: caf\u{fffd}\n", BYTES_OF_NO_TEXT),
    ("a: \u{fffd}\n", BYTES_OF_NO_TEXT),
];

const TWICE: &str = "kubectl takes the last of two keys without a word; this crate reports them";
const BYTES_OF_NO_TEXT: &str =
    "kubectl puts U+FFFD in place of bytes that are no UTF-8; reading the file fails here";

/// Where a scalar stands.
const FORMS: &[&str] = &[
    "k: {}",
    "{}: v",
    "- {}",
    "a: {b: [{}]}",
    "a:\n  b:\n  - c: {}\n",
    "k: {} # c",
    "k:  {}  \n",
    "a: &x {}\nb: *x\n",
    "k: {}\r\nl: 1\r\n",
    "? {}\n: v\n",
    "{\"k\": {}}",
];

/// Whole files.
const FILES: &[&str] = &[
    "",
    "\n",
    "# nothing",
    "---",
    "---\n",
    "---\n---\n",
    "...",
    "a",
    "a: 1",
    "- 1\n- 2",
    "a: |\n  x\n  y\n",
    "a: |-\n  x\n\n\n",
    "a: |+\n  x\n\n\n",
    "a: >-\n  x\n  y\n",
    "a: >\n  x\n\n  y\n   z\n",
    "a: |2\n    x\n",
    "a: |\n  x\nb: 1",
    "a: |\n\n  x\n",
    "a: |\n  x",
    "a: |\n\tx\n",
    "a:\n  |\n  x\n",
    "a: x\n  y\n  z\n",
    "a: \"x\n  y\"\n",
    "a: 'x\n\n  y'\n",
    "a: &x {b: 1}\nc: *x",
    "a: &x [1, 2]\nc: [*x, *x]",
    "a: &x 1\nb: *x\nc: &x 2\nd: *x\n",
    "a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x",
    "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n",
    "a: &x {b: 1}\ne: &y {b: 2, f: 3}\nd:\n  <<: [*x, *y]\n",
    "d: {<<: [{a: 1}, {a: 2, b: 3}]}",
    "d: {<<: {a: 1}, a: 2}",
    "d: {<<: 1}",
    "d: {\"<<\": {a: 1}}",
    "d: [<<]",
    "a: &x {b: *x}\n",
    "a: 1\na: 2\n",
    "a: 1\n\"a\": 2\n",
    "1: a\n\"1\": b\n",
    "yes: a\ntrue: b\n",
    "a: {b: 1, b: 2}\n",
    "? [a]\n: b",
    "? {a: b}\n: c",
    "? a\n: b\n? c\n",
    "~: a\n",
    "null: a\n",
    ": a\n",
    "1.5: a\n",
    "on: push\n",
    "y: 1\nn: 2\n",
    "---\na: 1\n---\nb: 2",
    "a: 1\n---\nb: 2\n---\n",
    "a: 1\n--- # c\nb: 2\n",
    "a: 1\n---  \nb: 2\n",
    "a: 1\n--- b: 2\n",
    "--- a: 1\n",
    "--- {a: 1}\n",
    "a: 1\n--- !!map\nb: 2\n",
    "a: 1\n...\n---\nb: 2\n",
    "a: 1\n...\nb: 2\n",
    "a: 1\n----\nb: 2\n",
    "a: 1\n ---\nb: 2\n",
    "a: |\n  x\n  ---\n  y\n",
    "a: \"x\n---\ny\"\n",
    "%YAML 1.1\n---\na: 1\n",
    "%YAML 1.2\n---\na: 0o17\n",
    "%TAG ! tag:a,2000:\n---\na: !b 1\n",
    "# c\n---\n# d\na: 1\n# e\n---\n# f\n",
    "\n\n---\n\na: 1\n\n",
    "a:\n- b\n-   c: d\n",
    "a:\n  - b\n  -\n    c: d\n",
    "a:\n- - b\n  - c\n",
    "a: 'it''s'",
    "a: [1, 2,]",
    "a: {b: 1,}",
    "{a: 1, b}",
    "{a, b: 1}",
    "{a:1}",
    "{\"a\":1}",
    "{\"a\":1}\n{\"b\":2}\n",
    "{\"a\":1}{\"b\":2}",
    "{\"a\":1}\n---\n{\"b\":2}\n",
    "{\"a\":1}\n---\nb: 2\n",
    "[{\"a\":1},{\"b\":2}]",
    "{\"a\": 1.0, \"b\": 1e3, \"c\": 9223372036854775808, \"d\": -0}",
    "{\"a\": \"\\u00e9\\ud83d\\ude00\\/\"}",
    "{\"a\": 1, \"a\": 2}",
    "{\"a\": 1,}",
    "{\n\t\"a\":\t1\n}\n",
    "{'a': 1}",
    "{\"a\": yes}",
    "{\"a\": 0777}",
    " {\"a\": 1}",
    "  a: 1\n  b: 2\n",
    "a: 1\n b: 2\n",
    "a:\n\tb: 1\n",
    "a:\tb\n",
    "a: b\t# c\n",
    "a: b\t\n",
    "\ta: 1\n",
    "a:\n- b\n - c\n",
    "a: b: c",
    "a: [",
    "a: {",
    "a: ]",
    "a: \"x",
    "a: 'x",
    "a: \"\\q\"",
    "a: *nope",
    "a: &x\n",
    "a: !!foo b\n",
    "a: !include b\n",
    "a: %b\n",
    "a: @b\n",
    "a: b #c\n",
    "a: b#c\n",
    "a: #c\n",
    "a:b\n",
    "a: -\n",
    "a: - b\n",
    "a: ? b\n",
    "a: |x\n",
    "a: >>\n",
    "\u{feff}a: 1\n",
    "\u{feff}---\na: 1\n",
    "\u{feff}{\"a\": 1}\n",
    "a: 1\n---\n\u{feff}b: 2\n",
    "a: x\u{feff}y\n",
    "a: \u{85}b\n",
    "a: x\u{2028}y\n",
    "a: \"\\ud83d\\ude00\"\n",
    "a: \u{1f600}\n",
    "a: \u{7}\n",
    "a: \u{7f}\n",
    "a: \"\u{1}\"\n",
    "a: 1\r\nb:\r\n- c\r\n- d: |\r\n    x\r\n    y\r\n",
    "a: 1\rb: 2\r",
    "a: 1\r\n---\r\nb: 2\r\n",
    "env_vars:\n  FOO: 1E-5\n  VER: 1.0\n  MODE: 0755\n  N: 1e3\n",
    "pip: [\"a<1\", \"b>2\"]",
    "kind: A\nmetadata: {name: {{ .Release.Name }}}\n",
    "a: {{ b }}\n",
    "{{- if a }}\na: 1\n{{- end }}\n",
    "a:\n  b: 1\n  c\n",
    "a:\n  b: 1\nc\n",
    "a: \"b\" c\n",
    "a: 'b'c\n",
    "a: [b]c\n",
    "a: [b\n]\n",
    "a: [\nb\n]\n",
    "a: {\nb: c\n}\n",
    "a: {b: [c, d: e]}\n",
    "a: [b: c]\n",
    "a: [? b : c]\n",
    "a: \"b\": c\n",
    "\"a\": \"b\"\n'c': 'd'\n",
    "a b: c d\n",
    "a-b: -c\n",
    "-a: b\n",
    "a: !!set {b, c}\n",
    "a: !!omap [b: 1]\n",
    "a: !!seq [b]\n",
    "a: !!map {b: c}\n",
    "a: !!timestamp 2024-01-01\n",
    "a: 2024-01-01\n2024-01-01: b\n",
    "a: &b !!str 1\nc: *b\n",
    "a: !!str &b 1\nc: *b\n",
    "a: !!str\n",
    "a: !!int\n",
    "a: ''\nb: \"\"\nc:\n",
];

/// Files as bytes that are no UTF-8, or another encoding.
const BYTES: &[&[u8]] = &[
    b"a: caf\xe9\n",
    b"a: \xff\n",
    b"\xff\xfea\0:\0 \x001\0\n\0",
    b"\xfe\xff\0a\0:\0 \x001\0\n",
    b"a: \0\n",
];

pub struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % limit as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// A key that no other of its mapping has.
    fn key(&mut self, number: usize) -> String {
        if number == 0 && self.below(3) == 0 {
            let scalar = self.pick(SCALARS);
            let mut others = OTHER_KEYS.iter().flat_map(|(scalars, _)| *scalars);
            if !others.any(|other| *other == scalar) {
                return scalar.to_owned();
            }
        }
        let forms = [
            "a{}", "b{}", "name{}", "d e{}", "\"f{}\"", "'g{}'", "h-i{}", "j.k/l{}",
        ];
        self.pick(&forms).replace("{}", &number.to_string())
    }

    /// Lines of a node at a depth, with what stands before it on its line.
    fn node(&mut self, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        match self.below(if depth > 3 { 6 } else { 12 }) {
            0..=4 => text.push_str(&format!(" {}\n", self.pick(SCALARS))),
            5 => {
                let style = self.pick(&["|", "|-", "|+", ">", ">-", ">+", "| # c"]);
                text.push_str(&format!(" {style}\n"));
                for _ in 0..=self.below(3) {
                    let line =
                        self.pick(&["x", "  y", "", "# z", "- a", "k: v", "---", "\ttab", "x  "]);
                    text.push_str(&format!("{indent}  {line}\n"));
                }
            }
            6..=9 => {
                text.push('\n');
                for number in 0..=self.below(3) {
                    let key = self.key(number);
                    text.push_str(&format!("{indent}  {key}:"));
                    self.node(depth + 1, text);
                }
            }
            _ => {
                text.push('\n');
                for _ in 0..=self.below(3) {
                    text.push_str(&format!("{indent}  -"));
                    self.node(depth + 1, text);
                }
            }
        }
    }

    fn file(&mut self) -> String {
        let mut text = String::new();
        for number in 0..=self.below(3) {
            if number > 0 || self.below(3) == 0 {
                text.push_str(self.pick(&["---\n", "--- # c\n", "---\n\n# d\n"]));
            }
            for number in 0..=self.below(3) {
                text.push_str(&format!(
                    "{}{number}:",
                    self.pick(&["a", "b", "'c'", "d e"])
                ));
                self.node(0, &mut text);
            }
        }
        match self.below(12) {
            0 => text = text.replace('\n', "\r\n"),
            1 => text.insert(0, '\u{feff}'),
            2 => text.truncate(text.trim_end().len()),
            _ => {}
        }
        text
    }
}

/// A file, and why it is read in another way where that stays so.
pub struct File {
    pub bytes: Vec<u8>,
    pub other: Option<&'static str>,
}

impl File {
    fn of(bytes: Vec<u8>, known: Option<&'static str>) -> Self {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let other = OTHER_FILES.iter().find(|(file, _)| *file == text);
        Self {
            bytes,
            other: known.or(other.map(|(_, why)| *why)),
        }
    }
}

/// Every file to compare.
pub fn files(random: usize) -> Vec<File> {
    let mut files = Vec::new();
    for form in FORMS {
        let is_key = form.starts_with("{}") || form.starts_with('?');
        for scalar in SCALARS {
            let other = OTHER_KEYS
                .iter()
                .find(|(scalars, _)| is_key && scalars.contains(scalar));
            let text = form.replace("{}", scalar);
            files.push(File::of(text.into_bytes(), other.map(|(_, why)| *why)));
        }
        for (scalar, why) in OTHERS {
            if is_key && scalar.starts_with('!') {
                continue;
            }
            files.push(File::of(form.replace("{}", scalar).into_bytes(), Some(why)));
        }
    }
    files.extend(
        FILES
            .iter()
            .map(|text| File::of(text.as_bytes().to_vec(), None)),
    );
    files.extend(BYTES.iter().map(|bytes| File::of(bytes.to_vec(), None)));
    let mut source = Random(0x9E37_79B9_7F4A_7C15);
    files.extend((0..random).map(|_| File::of(source.file().into_bytes(), None)));
    files
}
