//! Follows a text of the user that starts Ray itself: is `ray start` reached, and does it keep the
//! container running?

use brush_parser::ast::{AndOrList, SourceLocation, Word};

use super::command::may_be;
use super::flow::{Flow, FlowState, Stop};
use super::parse::{self, Broken, Cause, Problem, Unknown};
use super::programs::runs;
use super::reach::{Surroundings, Walker};
use super::simple::Call;
use super::words;

/// The variable that holds the generated command.
pub(in super::super) const GENERATED: &str = "KUBERAY_GEN_RAY_START_CMD";

/// The effects of a text besides starting Ray.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    /// A `ray start` that returns, or that runs in the background.
    returns: Option<Stop>,
    /// `true` if something follows it that may keep the container running.
    busy: bool,
    /// The way in which it runs the generated command.
    uses: Uses,
}

/// The first places at which a text runs the generated command in a way that loses something.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Uses {
    /// The shell takes it for one program's name, in quotes.
    whole: Option<usize>,
    /// The shell splits it at its blanks, and reads nothing else in it.
    split: Option<usize>,
}

/// The outcome of a text that starts Ray itself.
#[derive(Debug)]
pub(in super::super) enum OwnVerdict {
    /// It reports a syntax error.
    Broken(Broken),
    /// The text holds something that the parser does not know.
    Unknown(Unknown),
    /// It runs the text.
    Runs {
        /// `true` if some path may reach `ray start`.
        starts: bool,
        /// The commands that end the shell before it.
        ends: Vec<Stop>,
        /// The commands before it that never return.
        hangs: Vec<Stop>,
        /// A `ray start` after which the text ends although Ray runs.
        returns: Option<Stop>,
        /// The generated command in quotes, as the name of a program.
        whole: Option<usize>,
        /// The generated command without quotes, split only at its blanks.
        split: Option<usize>,
    },
}

/// Judges a text that starts Ray itself.
pub(in super::super) fn judge(text: &str, around: Surroundings) -> OwnVerdict {
    let parsed = match parse::parse(text, text.len()) {
        Ok(parsed) => parsed,
        Err(Problem::Broken(broken)) => return OwnVerdict::Broken(broken),
        Err(Problem::Unknown(unknown)) => return OwnVerdict::Unknown(unknown),
    };
    let mut walker = Walker {
        own: Some(Own::default()),
        // Ray may run before, and nobody waits for the text.
        ..Walker::new(
            text,
            Surroundings {
                head: false,
                ..around
            },
        )
    };
    let flow = walker.program(&parsed.program, &mut FlowState::default());
    if let Some((at, tag)) = parsed.open_document
        && !flow.starts
        && flow.ends.is_empty()
        && flow.hangs.is_empty()
    {
        // Bash takes the rest of the text for the document.
        return OwnVerdict::Broken(Broken {
            at,
            wording: String::new(),
            cause: Cause::HereDocument(tag),
        });
    }
    let own = walker.own.unwrap_or_default();
    let ends = flow.completes() || flow.end_ok || flow.end_fail;
    OwnVerdict::Runs {
        starts: flow.starts || flow.unsure,
        returns: own
            .returns
            .filter(|_| ends && flow.starts && !own.busy && flow.hangs.is_empty()),
        ends: flow.ends,
        hangs: flow.hangs,
        whole: own.uses.whole,
        split: own.uses.split,
    }
}

/// Returns whether a word is the generated command, as a shell replaces it.
fn is_generated(word: &str) -> bool {
    let inner = word.trim_matches('"');
    inner == format!("${GENERATED}") || inner == format!("${{{GENERATED}}}")
}

impl Walker<'_> {
    /// Returns the outcome of a call in a user's own text that is `ray start` or the generated
    /// command.
    pub(super) fn own_start(&mut self, call: &Call) -> Option<Flow> {
        self.own.as_ref()?;
        self.remember_use(call);
        let blocks = blocks(&call.words)?;
        if blocks {
            return Some(Flow {
                starts: true,
                ..Flow::default()
            });
        }
        let stop = self.stop_of(call);
        let own = self.own.as_mut()?;
        own.returns.get_or_insert(stop);
        let replaces = words::fixed(call.words[0]).as_deref() == Some("exec");
        Some(Flow {
            starts: true,
            ok: !replaces,
            fail: !replaces,
            end_ok: replaces,
            end_fail: replaces,
            ..Flow::default()
        })
    }

    /// Remembers how a call runs the generated command, where it is the program that is run.
    fn remember_use(&mut self, call: &Call) {
        let at = self.base.unwrap_or(call.at);
        let Some(word) = program(&call.words) else {
            return;
        };
        let names =
            |text: &str| text == format!("${GENERATED}") || text == format!("${{{GENERATED}}}");
        let Some(own) = &mut self.own else {
            return;
        };
        if names(&word.value) {
            own.uses.split.get_or_insert(at);
        } else if is_generated(&word.value) || words::fixed(word).is_some_and(|text| names(&text)) {
            own.uses.whole.get_or_insert(at);
        }
    }

    /// The way in which the text has run the generated command so far.
    pub(super) fn uses(&self) -> Option<Uses> {
        self.own.as_ref().map(|own| own.uses)
    }

    /// Forgets what was remembered since.
    pub(super) fn forget_uses(&mut self, before: Option<Uses>) {
        if let (Some(own), Some(before)) = (&mut self.own, before) {
            own.uses = before;
        }
    }

    /// Remembers a list that starts Ray in the background.
    pub(super) fn left_behind(&mut self, list: &AndOrList) {
        let at = list
            .first
            .location()
            .map_or(0, |location| self.offsets.byte(location.start.index));
        let stop = Stop {
            at: self.base.unwrap_or(at),
            what: self.stop(at).what,
            guards: false,
        };
        if let Some(own) = &mut self.own {
            own.returns.get_or_insert(stop);
        }
    }

    /// Something may run for as long as Ray should.
    pub(super) fn busy(&mut self) {
        if let Some(own) = &mut self.own
            && own.returns.is_some()
        {
            own.busy = true;
        }
    }

    /// Returns whether a program that follows `ray start` ends soon; all others may keep the
    /// container running.
    pub(super) fn passes(&mut self, name: &str, arguments: &[&str]) {
        const SHORT: [&str; 42] = [
            ":",
            "true",
            "false",
            "echo",
            "printf",
            "export",
            "declare",
            "local",
            "set",
            "unset",
            "cd",
            "pwd",
            "test",
            "[",
            "ls",
            "env",
            "date",
            "hostname",
            "touch",
            "mkdir",
            "chmod",
            "chown",
            "cp",
            "mv",
            "rm",
            "ln",
            "cat",
            "grep",
            "sed",
            "awk",
            "head",
            "nvidia-smi",
            "free",
            "df",
            "ulimit",
            "exit",
            "return",
            "whoami",
            "id",
            "uname",
            "ps",
            "sleep",
        ];
        let short = SHORT.contains(&name)
            || matches!(
                (name, arguments),
                ("pip" | "pip3", ["install" | "list" | "freeze", ..])
                    | (
                        "ray",
                        [
                            "status" | "health-check" | "list" | "summary" | "--version",
                            ..
                        ]
                    )
                    | ("serve", ["deploy" | "status" | "config", ..])
            );
        if !short {
            self.busy();
        }
    }
}

/// The word that a call runs in the end, behind programs that only run others.
fn program<'a>(words: &[&'a Word]) -> Option<&'a Word> {
    let fixed: Vec<Option<String>> = words.iter().map(|word| words::fixed(word)).collect();
    let texts: Vec<&str> = fixed
        .iter()
        .map(|word| word.as_deref().unwrap_or("$"))
        .collect();
    let mut at = 0;
    loop {
        let name = *texts.get(at)?;
        let rest = &texts[at + 1..];
        let next = if matches!(name, "exec" | "command" | "builtin") {
            rest.iter().position(|word| !word.starts_with('-'))
        } else {
            runs(name, rest)
        };
        match next {
            Some(next) => at += 1 + next,
            None => return Some(words[at]),
        }
    }
}

/// Returns whether the `ray start` of a call blocks; none where the call is none.
fn blocks(words: &[&Word]) -> Option<bool> {
    let fixed: Vec<Option<String>> = words.iter().map(|word| words::fixed(word)).collect();
    if words.first().is_some_and(|word| is_generated(&word.value)) {
        return Some(true);
    }
    let name = fixed.first()?.as_deref()?;
    let short = name.rsplit('/').next().unwrap_or(name);
    match short {
        "echo" | "printf" | ":" | "true" | "false" | "test" | "[" | "export" | "grep" => {
            return None;
        }
        // What is inside is followed where it is known.
        "eval" | "bash" | "sh" | "dash" | "zsh" if fixed.iter().all(Option::is_some) => {
            return None;
        }
        _ => {}
    }
    if words[1..].iter().any(|word| word.value.contains(GENERATED)) {
        return Some(true);
    }
    let at = (0..words.len()).find(|at| {
        let text = |at: usize| fixed.get(at).and_then(Option::as_deref);
        text(*at).is_some_and(|one| one.rsplit('/').next() == Some("ray"))
            && text(at + 1) == Some("start")
    })?;
    let raw: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
    Some((at..words.len()).any(|at| match fixed[at].as_deref() {
        Some(word) => word.starts_with("--block"),
        None => may_be(&raw, at, "--block"),
    }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn judged(text: &str) -> String {
        match judge(text, Surroundings::default()) {
            OwnVerdict::Broken(broken) => broken.wording,
            OwnVerdict::Unknown(unknown) => unknown.construct.into(),
            OwnVerdict::Runs {
                starts: true,
                returns,
                ..
            } => returns.map_or("stays".into(), |stop| format!("returns: {}", stop.what)),
            OwnVerdict::Runs { ends, hangs, .. } => {
                let stops = ends.iter().chain(&hangs);
                let whats: Vec<&str> = stops.map(|stop| stop.what.as_str()).collect();
                format!("never: {}", whats.join(", "))
            }
        }
    }

    #[rstest]
    #[case("ray start --head --block", "stays")]
    #[case("exec ray start --head --block", "stays")]
    #[case("ulimit -n 65536; eval \"$KUBERAY_GEN_RAY_START_CMD\"", "stays")]
    #[case("$KUBERAY_GEN_RAY_START_CMD", "stays")]
    #[case("bash -c \"$KUBERAY_GEN_RAY_START_CMD\"", "stays")]
    #[case("ray start --head --block | tee log", "stays")]
    #[case("nohup ray start --block", "stays")]
    #[case("ray start $ARGS", "stays")]
    #[case("ray start --address=$A", "returns: ray start --address=$A")]
    #[case("ray start --num-cpus \"$N\"", "returns: ray start --num-cpus \"$N\"")]
    #[case("ray start --head; sleep infinity", "stays")]
    #[case("ray start --head\ntail -f /log", "stays")]
    #[case("ray start --head; python serve.py", "stays")]
    #[case("ray start --head && while ray status; do sleep 5; done", "stays")]
    #[case("ray start --head; exec serve run app:app", "stays")]
    #[case("eval \"$KUBERAY_GEN_RAY_START_CMD\" & wait", "stays")]
    #[case("eval \"$KUBERAY_GEN_RAY_START_CMD\" &\nvllm serve m", "stays")]
    #[case("f() { ray start --head --block; }; f", "stays")]
    #[case("source /env.sh; ray start --head --block", "stays")]
    #[case("ray start --head", "returns: ray start --head")]
    #[case("ray start --head && echo started", "returns: ray start --head")]
    #[case("ray start --head; sleep 10; ray status", "returns: ray start --head")]
    #[case("exec ray start --head", "returns: exec ray start --head")]
    #[case("ray start --head\nserve deploy a.yaml", "returns: ray start --head")]
    #[case("bash -c 'ray start --head'", "returns: ray start --head")]
    #[case(
        "eval \"$KUBERAY_GEN_RAY_START_CMD\" &",
        "returns: eval \"$KUBERAY_GEN_RAY_START_CMD\" &"
    )]
    #[case("sleep infinity; ray start --head --block", "never: sleep infinity")]
    #[case("exit 0; ray start --block", "never: exit 0")]
    #[case("exec other; ray start --block", "never: exec other")]
    #[case("echo ray start", "never: ")]
    #[case("if a; then ray start", "syntax error: unexpected end of file")]
    fn texts_that_start_ray_themselves(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(judged(text), expected, "{text}");
    }
}
