//! Generates shell texts: whole ones, and ones that a change breaks.

use std::collections::BTreeSet;
use std::path::Path;

use kuberay_manifest::{Source, yaml};
use serde_json::Value;

/// Every construct that the texts of a run must have.
pub const CONSTRUCTS: &[&str] = &[
    "program",
    "true",
    "false",
    "echo",
    "assignment",
    "array",
    "exit",
    "exec",
    "redirect-exec",
    "return",
    "break",
    "continue",
    "errexit",
    "pipefail",
    "wait",
    "sleep",
    "tail",
    "eval",
    "command",
    "and",
    "or",
    "pipe",
    "background",
    "semicolon",
    "newline",
    "comment",
    "negation",
    "time",
    "single-quote",
    "double-quote",
    "ansi-quote",
    "escape",
    "substitution",
    "backquote",
    "arithmetic",
    "default",
    "group",
    "subshell",
    "if",
    "elif",
    "else",
    "while",
    "until",
    "for",
    "for-arithmetic",
    "case",
    "fall-through",
    "function",
    "function-keyword",
    "here-document",
    "open-here-document",
    "here-string",
    "redirect",
    "process-substitution",
    "test",
    "extended-test",
    "arithmetic-command",
    "coprocess",
    "select",
    "command-as-process-substitution",
    "call",
    "endless",
    "nested-exit",
    "trailing",
    "cut",
    "deleted",
    "inserted",
    "scenario",
];

/// What the operator makes of each `command` and `args` of the scenarios' containers, in a fixed
/// order: the elements between spaces.
fn texts_of_scenarios() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut texts = BTreeSet::new();
    for folder in std::fs::read_dir(root).unwrap().flatten() {
        for file in std::fs::read_dir(folder.path()).into_iter().flatten() {
            let file = file.unwrap().path();
            if file.extension().is_none_or(|end| end != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            for document in yaml::parse(&Source::new(&file, &text))
                .into_iter()
                .flatten()
            {
                collect(&document.to_json(), &mut texts);
            }
        }
    }
    assert!(texts.len() > 50, "{texts:?}");
    texts.into_iter().collect()
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    let list = |field: &str| {
        let items = value[field].as_array().into_iter().flatten();
        items.filter_map(Value::as_str)
    };
    let text: String = list("command")
        .chain(list("args"))
        .map(|element| format!(" {element} "))
        .collect();
    // One of them comes from each of many scenarios; a text may be long, but not endless.
    if !text.is_empty() && text.len() < 10_000 {
        texts.insert(text);
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|field| collect(field, texts)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

pub struct Generator {
    state: u64,
    depth: usize,
    loops: usize,
    functions: usize,
    /// Texts of users, from the manifests of the scenarios.
    scenarios: Vec<String>,
    /// Constructs that some text has.
    pub used: BTreeSet<&'static str>,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            depth: 0,
            loops: 0,
            functions: 0,
            scenarios: texts_of_scenarios(),
            used: BTreeSet::new(),
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from((self.state >> 16) % limit as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn use_of(&mut self, construct: &'static str) {
        self.used.insert(construct);
    }

    /// A text, and whether it may be run: a text with a scenario's programs in it is only parsed.
    pub fn text(&mut self) -> (String, bool) {
        self.depth = 0;
        self.loops = 0;
        self.functions = 0;
        let mut runs = true;
        let mut text = if self.below(6) == 0 {
            self.use_of("scenario");
            runs = false;
            let number = self.below(self.scenarios.len());
            self.scenarios[number].clone()
        } else {
            self.list(3)
        };
        match self.below(20) {
            0..=1 => {
                self.use_of("trailing");
                let end = self.pick(&[
                    "&", ";", "&&", "||", "|", "\n", " # x", ";;", "|&", "\n\n", " &&\n",
                ]);
                text.push_str(end);
            }
            2..=4 => {
                self.use_of("cut");
                let at = self.boundary(&text);
                text.truncate(at);
            }
            5..=6 => {
                self.use_of("deleted");
                let words: Vec<&str> = text.split(' ').collect();
                let gone = self.below(words.len());
                let kept: Vec<&str> = words
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| *index != gone)
                    .map(|(_, word)| *word)
                    .collect();
                text = kept.join(" ");
            }
            7..=9 => {
                self.use_of("inserted");
                let at = self.boundary(&text);
                let piece = self.pick(&[
                    "'", "\"", "`", "$(", ")", "(", "{", "}", " fi ", " done ", " do ", " then ",
                    ";;", "&", "|", " esac ", "${", " if ", " while ", "\n", "<<", ">", " ! ",
                    "$(", " else ", " ;", "#", " # ", "\\", "<<<", "&&", " in ",
                ]);
                text.insert_str(at, piece);
            }
            _ => {}
        }
        (format!(" {text} "), runs)
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// Commands with separators between them.
    fn list(&mut self, most: usize) -> String {
        let mut text = self.chain();
        for _ in 0..self.below(most) {
            let separator = match self.below(12) {
                0..=5 => {
                    self.use_of("semicolon");
                    "; "
                }
                6..=9 => {
                    self.use_of("newline");
                    "\n"
                }
                10 => {
                    self.use_of("comment");
                    " # it's (\n"
                }
                _ => {
                    self.use_of("background");
                    " & "
                }
            };
            let next = self.chain();
            text = format!("{text}{separator}{next}");
            if text.contains("<<") {
                text.push('\n');
                let next = self.chain();
                text.push_str(&next);
            }
        }
        text
    }

    fn chain(&mut self) -> String {
        let mut text = self.pipeline();
        for _ in 0..self.below(3).saturating_sub(1) {
            let operator = if self.below(2) == 0 {
                self.use_of("and");
                "&&"
            } else {
                self.use_of("or");
                "||"
            };
            if text.contains("<<") {
                return text;
            }
            let next = self.pipeline();
            text = format!("{text} {operator} {next}");
        }
        text
    }

    fn pipeline(&mut self) -> String {
        let prefix = match self.below(30) {
            0 => {
                self.use_of("negation");
                "! "
            }
            1 => {
                self.use_of("time");
                "time "
            }
            _ => "",
        };
        let first = self.command();
        if self.below(12) == 0 && !first.contains("<<") {
            self.use_of("pipe");
            let second = self.command();
            return format!("{prefix}{first} | {second}");
        }
        format!("{prefix}{first}")
    }

    fn command(&mut self) -> String {
        self.depth += 1;
        let text = if self.depth > 3 || self.below(10) < 6 {
            self.simple()
        } else {
            self.compound()
        };
        self.depth -= 1;
        text
    }

    fn word(&mut self) -> String {
        let (construct, text) = match self.below(14) {
            0 => ("single-quote", "'a; exit'".into()),
            1 => ("double-quote", "\"b $A\"".into()),
            2 => ("ansi-quote", "$'c\\n'".into()),
            3 => ("escape", "\\;".into()),
            4 if self.depth < 3 => {
                let inner = self.command();
                let inner = if inner.contains("<<") || inner.contains("case ") && self.below(8) > 0
                {
                    "echo d".into()
                } else {
                    inner
                };
                let space = if inner.starts_with('(') { " " } else { "" };
                ("substitution", format!("\"$({space}{inner})\""))
            }
            5 => ("backquote", "`echo e`".into()),
            6 => ("arithmetic", "$((1+2))".into()),
            7 => ("default", "${A:-x}".into()),
            8 => ("process-substitution", "<(echo f)".into()),
            _ => ("echo", "g".into()),
        };
        self.use_of(construct);
        text
    }

    fn simple(&mut self) -> String {
        let word = self.word();
        let (construct, text): (_, String) = match self.below(44) {
            0..=2 => ("program", format!("prepare {word}")),
            3..=5 => ("true", self.pick(&["true", ":"]).into()),
            6..=7 => ("false", "false".into()),
            8..=13 => ("echo", format!("echo {word} {word}")),
            14 => ("assignment", format!("A={word}")),
            15 => ("array", format!("B=({} h)", word.replace("\\;", "i"))),
            16 => (
                "exit",
                self.pick(&["exit 3", "exit", "exit 0", "\"exit\" 1"])
                    .into(),
            ),
            17 => ("exec", "exec prepare".into()),
            18 => ("redirect-exec", "exec 2>&1".into()),
            19 => ("return", self.pick(&["return", "return 1"]).into()),
            20 => ("break", self.pick(&["break", "break 2"]).into()),
            21 => ("continue", "continue".into()),
            22 => (
                "errexit",
                self.pick(&["set -e", "set +e", "set -eu", "set -o errexit"])
                    .into(),
            ),
            23 => ("pipefail", "set -o pipefail".into()),
            24 => ("wait", "wait".into()),
            25 => ("sleep", self.pick(&["sleep infinity", "sleep inf"]).into()),
            26 => ("tail", "tail -f x".into()),
            27 => (
                "eval",
                self.pick(&["eval 'exit 2'", "eval echo a", "eval \"false\""])
                    .into(),
            ),
            28 => (
                "command",
                self.pick(&["command exit 4", "builtin false", "command echo i"])
                    .into(),
            ),
            29..=30 => ("redirect", format!("echo {word} > out 2>&1")),
            31 => ("here-string", format!("read -r C <<< {word}")),
            32..=33 => {
                let end = self.pick(&["", "\n"]);
                (
                    "here-document",
                    format!(
                        "cat <<'END'\nexit 5; fi (\nEND\n{}",
                        if end.is_empty() { ":" } else { "true" }
                    ),
                )
            }
            34 if self.below(3) == 0 => ("open-here-document", "cat <<END\na (\nEND".into()),
            35..=37 => (
                "test",
                self.pick(&["[ -n \"\" ]", "[ 1 ]", "test a = a", "[ 1 -gt 2 ]"])
                    .into(),
            ),
            38 => (
                "extended-test",
                self.pick(&["[[ a == b ]]", "[[ -n c || d ]]", "[[ x =~ ^(a|b)$ ]]"])
                    .into(),
            ),
            39 => (
                "arithmetic-command",
                self.pick(&["((1))", "((0))", "((D=2>1))"]).into(),
            ),
            40 if self.functions > 0 => ("call", "f".into()),
            41 if self.below(12) == 0 => ("command-as-process-substitution", "<(echo)".into()),
            _ => ("echo", format!("echo {word}")),
        };
        self.use_of(construct);
        text
    }

    fn compound(&mut self) -> String {
        let choice = self.below(23);
        let (construct, text): (_, String) = match choice {
            0..=1 => ("group", format!("{{ {}; }}", self.inner())),
            2..=3 => {
                let inner = self.inner();
                let space = if inner.starts_with('(') { " " } else { "" };
                ("subshell", format!("({space}{inner})"))
            }
            4..=6 => {
                let (condition, then) = (self.inner(), self.inner());
                ("if", format!("if {condition}; then {then}; fi"))
            }
            7 => {
                let (a, b, c) = (self.inner(), self.inner(), self.inner());
                self.use_of("else");
                (
                    "elif",
                    format!("if {a}\nthen {b}; elif false; then :\nelse {c}\nfi"),
                )
            }
            8..=9 => {
                let condition = self.pick(&[
                    "false",
                    "prepare",
                    "[ -e x ]",
                    "read -r E </dev/null",
                    "true",
                ]);
                let body = self.looped();
                let leave = if condition == "true" { "; break" } else { "" };
                (
                    "while",
                    format!("while {condition}; do {body}{leave}; done"),
                )
            }
            10 => {
                let body = self.looped();
                ("until", format!("until true; do {body}; done"))
            }
            11..=13 => {
                let body = self.looped();
                (
                    "for",
                    format!(
                        "for i in {}; do {body}; done",
                        self.pick(&["a b", "\"$A\"", "1"])
                    ),
                )
            }
            14 => {
                let body = self.looped();
                (
                    "for-arithmetic",
                    format!("for ((i=0; i<2; i++)); do {body}; done"),
                )
            }
            15..=16 => {
                let (a, b) = (self.inner(), self.inner());
                let value = self.pick(&["a", "b", "\"$A\""]);
                ("case", format!("case {value} in a) {a};; b|c) {b};; esac"))
            }
            17 => {
                let (a, b) = (self.inner(), self.inner());
                let next = self.pick(&[";&", ";;&"]);
                (
                    "fall-through",
                    format!("case a in a) {a}{next} *) {b};; esac"),
                )
            }
            18 => {
                let loops = std::mem::take(&mut self.loops);
                let functions = std::mem::take(&mut self.functions);
                let body = self.inner();
                self.loops = loops;
                self.functions = functions + 1;
                ("function", format!("f() {{ {body}; }}"))
            }
            19 => {
                let functions = std::mem::take(&mut self.functions);
                let body = self.inner();
                self.functions = functions + 1;
                ("function-keyword", format!("function f {{ {body}\n}}"))
            }
            20 => (
                "endless",
                self.pick(&[
                    "while true; do sleep 1; done",
                    "until false; do sleep 1; done",
                    "for ((;;)); do sleep 1; done",
                    "(while :; do sleep 1; done) &\n:",
                ])
                .into(),
            ),
            21 => (
                "nested-exit",
                self.pick(&[
                    "{ exit 6; }",
                    "(exit 0)",
                    "if true; then exit; fi",
                    "case x in x) exit 1;; esac",
                ])
                .into(),
            ),
            _ if self.below(40) == 0 => ("select", "select s in a; do break; done".into()),
            _ => ("coprocess", "coproc { echo j; }".into()),
        };
        self.use_of(construct);
        text
    }

    /// A list inside of a compound command, without what a `;` must not follow.
    fn inner(&mut self) -> String {
        let text = self.list(2);
        if text.contains("<<") || text.ends_with('&') || text.ends_with('\n') {
            return "echo k".into();
        }
        text
    }

    fn looped(&mut self) -> String {
        self.loops += 1;
        let text = self.inner();
        self.loops -= 1;
        text
    }
}
