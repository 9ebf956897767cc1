//! How simple commands end: builtins, functions, and programs that never return.

use std::rc::Rc;

use brush_parser::ast::{
    AssignmentValue, CommandPrefixOrSuffixItem, IoFileRedirectKind, IoFileRedirectTarget,
    IoRedirect, SimpleCommand, SourceLocation, Word,
};

use super::flow::{Flow, Function, Jobs, Set, State, Stop};
use super::parse::{byte, parse_part};
use super::reach::{Walker, subshell};
use super::words;

/// How deep functions, `eval` and substitutions are followed.
const DEEPEST: usize = 12;

/// A simple command in its parts.
struct Call<'a> {
    words: Vec<&'a Word>,
    assigns: bool,
    redirect_fails: bool,
    at: usize,
}

impl Walker<'_> {
    pub fn simple(&mut self, command: &SimpleCommand, state: &mut State) -> Flow {
        let mut call = Call {
            words: command.word_or_name.iter().collect(),
            assigns: false,
            redirect_fails: false,
            at: command
                .location()
                .map_or(0, |location| byte(self.text, location.start.index)),
        };
        let mut flow = Flow::ok();
        let mut substituted = None;
        let prefix = command.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
        for (index, item) in prefix.chain(suffix).enumerate() {
            let in_prefix = command
                .prefix
                .as_ref()
                .is_some_and(|prefix| index < prefix.0.len());
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                    call.redirect_fails |= redirect_may_fail(redirect);
                }
                CommandPrefixOrSuffixItem::Word(word) => call.words.push(word),
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) if in_prefix => {
                    call.assigns = true;
                    if let AssignmentValue::Scalar(_) = assignment.value {
                        let inner = self.expanded(word, state, &mut flow);
                        substituted = inner.or(substituted);
                    } else {
                        flow.unsure |= word.value.contains('$');
                    }
                }
                CommandPrefixOrSuffixItem::AssignmentWord(_, word) => call.words.push(word),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {}
            }
        }
        for word in &call.words {
            let inner = self.expanded(word, state, &mut flow);
            substituted = inner.or(substituted);
        }
        if !flow.completes() {
            return flow;
        }
        let mut next = match call.words.first() {
            // Only assignments: the status is that of the last substitution.
            None => substituted.unwrap_or_else(Flow::ok),
            Some(name) => match words::fixed(name) {
                Some(name) => self.named(&name, &call, state),
                // It may be any command, `exit` among them, or nothing at all.
                None => Flow {
                    unsure: true,
                    ..Flow::any()
                },
            },
        };
        if call.redirect_fails {
            next = next.or(&Flow::status(false, true));
        }
        flow.then(&next)
    }

    /// Expands a word; returns the status of its last command.
    fn expanded(&mut self, word: &Word, state: &State, flow: &mut Flow) -> Option<Flow> {
        let Some(contents) = words::contents(&word.value) else {
            flow.unsure = true;
            return None;
        };
        if contents.required || contents.plain && state.nounset.possible() {
            flow.unsure = true;
        }
        if contents.arithmetic {
            flow.unsure = true;
        }
        let mut last = None;
        let texts = contents.substitutions.iter().map(|(_, text)| text);
        for text in texts.chain(&contents.backquoted) {
            let mut inner = State {
                errexit: Set::No,
                ..subshell(state)
            };
            let at = self.base.or_else(|| {
                let location = word.location()?;
                Some(byte(self.text, location.start.index))
            });
            let result = self.inner(text, at.unwrap_or(0), &mut inner).of_subshell();
            flow.hangs.extend(result.hangs.iter().cloned());
            if !result.completes() && !result.unsure {
                flow.ok = false;
            }
            // What still runs keeps the pipe open that the shell reads.
            flow.unsure |= result.unsure || result.lingers;
            last = Some(Flow::status(result.ok, result.fail));
        }
        last
    }

    /// Follows a text inside of the text.
    fn inner(&mut self, text: &str, at: usize, state: &mut State) -> Flow {
        let unsure = Flow {
            unsure: true,
            ..Flow::any()
        };
        if self.depth >= DEEPEST {
            return unsure;
        }
        let Ok(parsed) = parse_part(text) else {
            return unsure;
        };
        let mut walker = Walker {
            text,
            base: Some(at),
            depth: self.depth + 1,
            login: Vec::new(),
            swallowed: None,
            errexit: None,
            waits: None,
            generated: 0,
            start: None,
            seen: false,
        };
        let mut flow = Flow::ok();
        for list in &parsed.program.complete_commands {
            if !flow.completes() {
                break;
            }
            let next = walker.list(list, state);
            flow = flow.then(&next);
        }
        let login = walker.login;
        self.login.extend(login);
        flow
    }

    fn named(&mut self, name: &str, call: &Call, state: &mut State) -> Flow {
        if let Some(function) = state.functions.get(name).cloned() {
            let flow = self.function(&function, state);
            if function.sure {
                return flow;
            }
            return flow.or(&self.builtin(name, call, state));
        }
        self.builtin(name, call, state)
    }

    fn function(&mut self, function: &Function, state: &mut State) -> Flow {
        if self.depth >= DEEPEST {
            return Flow {
                unsure: true,
                ..Flow::any()
            };
        }
        self.depth += 1;
        let loops = std::mem::take(&mut state.loops);
        let was_in = std::mem::replace(&mut state.in_function, true);
        let mut all = Flow::default();
        for body in &function.bodies {
            let body = Rc::clone(body);
            let mut flow = self.compound(&body.0, state);
            flow.ok |= flow.return_ok;
            flow.fail |= flow.return_fail;
            flow.return_ok = false;
            flow.return_fail = false;
            all = all.or(&flow);
        }
        state.loops = loops;
        state.in_function = was_in;
        self.depth -= 1;
        all
    }

    fn builtin(&mut self, name: &str, call: &Call, state: &mut State) -> Flow {
        let fixed: Vec<Option<String>> = call.words[1..]
            .iter()
            .map(|word| words::fixed(word))
            .collect();
        let arguments: Vec<&str> = fixed
            .iter()
            .map(|word| word.as_deref().unwrap_or("$"))
            .collect();
        self.login_shell(name, &arguments, call, state);
        let stop = || self.stop_of(call);
        match (name, &arguments[..]) {
            (":" | "true" | "echo", _) => Flow::ok(),
            ("export" | "declare" | "typeset", arguments) => {
                let plain = arguments.iter().all(|word| is_assignment(word));
                Flow::status(true, !plain)
            }
            ("false", _) => Flow::status(false, true),
            ("exit" | "logout", arguments) => {
                let (ok, fail) = status(arguments);
                Flow::end(stop(), ok, fail)
            }
            ("exec", arguments) => {
                if arguments.iter().all(|word| word.starts_with('-') && *word != "-") {
                    return Flow::ok();
                }
                Flow::end(stop(), true, true)
            }
            ("return", arguments) if state.in_function => {
                let (ok, fail) = status(arguments);
                Flow {
                    return_ok: ok,
                    return_fail: fail,
                    ..Flow::default()
                }
            }
            ("return", _) => Flow::status(false, true),
            ("break" | "continue", arguments) => jump(name, arguments, state),
            ("set", arguments) => self.set(arguments, call, state),
            ("trap", arguments) => {
                state.trapped |= arguments.len() > 1
                    && arguments.iter().any(|word| matches!(*word, "ERR" | "DEBUG"));
                Flow::any()
            }
            ("wait", arguments) => self.wait(arguments, call, state),
            ("eval", _) if fixed.iter().all(Option::is_some) => {
                let text = arguments.join(" ");
                self.inner(&text, self.base.unwrap_or(call.at), state)
            }
            ("eval", _) => {
                state.sourced = true;
                Flow {
                    unsure: true,
                    ..Flow::any()
                }
            }
            ("source" | ".", _) => {
                state.sourced = true;
                Flow {
                    unsure: true,
                    ..Flow::any()
                }
            }
            ("command" | "builtin", [first, ..]) if !first.starts_with('-') => {
                let inner = Call {
                    words: call.words[1..].to_vec(),
                    ..*call
                };
                if *first == "$" {
                    return Flow {
                        unsure: true,
                        ..Flow::any()
                    };
                }
                self.builtin(first, &inner, state)
            }
            ("[", [text, "]"]) | ("test", [text]) if *text != "$" => {
                Flow::status(!text.is_empty(), text.is_empty())
            }
            ("bash" | "sh" | "dash", [option, script, ..])
                if option.starts_with('-') && option.ends_with('c') && *script != "$" =>
            {
                let mut inner = State::default();
                let result = self
                    .inner(script, self.base.unwrap_or(call.at), &mut inner)
                    .of_subshell();
                // What is not known of the inner shell is no more than its status.
                Flow {
                    hangs: result.hangs,
                    ok: result.ok || result.unsure,
                    fail: result.fail || result.unsure,
                    ..Flow::default()
                }
            }
            _ if never_returns(name, &arguments) => Flow::hang(stop()),
            _ => Flow::any(),
        }
    }

    fn stop_of(&self, call: &Call) -> Stop {
        let words: Vec<&str> = call.words.iter().map(|word| word.value.as_str()).collect();
        Stop {
            at: self.base.unwrap_or(call.at),
            what: words.join(" "),
            guards: false,
        }
    }

    fn set(&mut self, arguments: &[&str], call: &Call, state: &mut State) -> Flow {
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let on = match word.chars().next() {
                Some('-') => Set::Yes,
                Some('+') => Set::No,
                Some('$') => {
                    return Flow {
                        unsure: true,
                        ..Flow::any()
                    };
                }
                _ => break,
            };
            if *word == "--" || *word == "-" {
                break;
            }
            for letter in word.chars().skip(1) {
                let name = match letter {
                    'e' => "errexit",
                    'u' => "nounset",
                    'n' => "noexec",
                    'o' => words.next().copied().unwrap_or_default(),
                    _ => "",
                };
                match name {
                    "errexit" => {
                        state.errexit = on;
                        if on == Set::Yes && self.errexit.is_none() {
                            self.errexit = Some(self.stop_of(call));
                        }
                    }
                    "nounset" => state.nounset = on,
                    "pipefail" => state.pipefail = on,
                    "noexec" if on == Set::Yes => {
                        return Flow::end(self.stop_of(call), true, false);
                    }
                    _ => {}
                }
            }
        }
        Flow::ok()
    }

    fn wait(&mut self, arguments: &[&str], call: &Call, state: &State) -> Flow {
        if !arguments.is_empty() && arguments.iter().any(|word| *word != "$") {
            return Flow::any();
        }
        match state.jobs {
            Jobs::None => Flow::any(),
            Jobs::Some => {
                self.waits = Some(self.stop_of(call));
                Flow {
                    unsure: true,
                    ..Flow::any()
                }
            }
            Jobs::Endless => Flow::hang(self.stop_of(call)),
        }
    }

    /// Remembers a command that only a login shell's files define.
    fn login_shell(&mut self, name: &str, arguments: &[&str], call: &Call, state: &State) {
        let needs = match (name, arguments) {
            ("conda" | "mamba" | "micromamba", ["activate" | "deactivate", ..])
            | ("module", ["load" | "use" | "add" | "swap", ..])
            | ("nvm" | "sdk", ["use", ..]) => true,
            _ => false,
        };
        if needs && !state.sourced {
            let stop = self.stop_of(call);
            self.login.push(stop);
        }
    }
}

/// Whether a program runs until it is stopped.
fn never_returns(name: &str, arguments: &[&str]) -> bool {
    match (name.rsplit('/').next().unwrap_or(name), arguments) {
        ("sleep", arguments) => {
            let endless = |word: &&str| matches!(word.to_lowercase().as_str(), "inf" | "infinity");
            let plain = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit() || c == '$');
            // Sleep refuses other words at once.
            arguments.iter().any(|word| endless(word))
                && arguments.iter().all(|word| endless(word) || plain(word))
        }
        ("tail", arguments) => arguments.iter().any(|word| {
            word.starts_with("--follow")
                || *word == "--retry"
                || word.starts_with('-')
                    && !word.starts_with("--")
                    && word.contains(['f', 'F'])
        }),
        ("yes", arguments) => !arguments.iter().any(|word| word.starts_with("--")),
        ("watch", arguments) => !arguments.is_empty() && !arguments[0].starts_with("--"),
        (
            "env" | "nohup" | "nice" | "setsid" | "stdbuf" | "sudo" | "gosu" | "tini" | "dumb-init",
            arguments,
        ) => {
            let mut rest = arguments;
            while let [first, others @ ..] = rest {
                if first.starts_with('-') || first.contains('=') {
                    rest = others;
                } else {
                    return never_returns(first, others);
                }
            }
            false
        }
        _ => false,
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether `exit` or `return` with these arguments gives 0, or something else.
fn status(arguments: &[&str]) -> (bool, bool) {
    match arguments {
        [] => (true, true),
        [first, ..] => match first.parse::<i64>() {
            Ok(value) => (value % 256 == 0, value % 256 != 0),
            Err(_) => (true, true),
        },
    }
}

fn jump(name: &str, arguments: &[&str], state: &State) -> Flow {
    if state.loops == 0 {
        // Outside of a loop both only print an error.
        return Flow::ok();
    }
    let levels = match arguments {
        [] => Some(1),
        [first, ..] => first.parse::<usize>().ok(),
    };
    let Some(levels @ 1..) = levels else {
        return Flow {
            unsure: true,
            ..Flow::any()
        };
    };
    let bit = 1u8 << (levels.min(state.loops).min(8) - 1);
    if name == "break" {
        Flow {
            breaks: bit,
            ..Flow::default()
        }
    } else {
        Flow {
            continues: bit,
            ..Flow::default()
        }
    }
}

/// Whether a redirection can go wrong, so that the command is left out.
pub(super) fn redirect_may_fail(redirect: &IoRedirect) -> bool {
    let harmless = |word: &Word| {
        words::fixed(word).is_some_and(|name| {
            matches!(
                name.as_str(),
                "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/fd/1" | "/dev/fd/2"
            )
        })
    };
    match redirect {
        IoRedirect::File(_, kind, target) => match target {
            IoFileRedirectTarget::Fd(_) | IoFileRedirectTarget::ProcessSubstitution(..) => false,
            IoFileRedirectTarget::Duplicate(word) => !matches!(
                (kind, word.value.as_str()),
                (
                    IoFileRedirectKind::DuplicateOutput | IoFileRedirectKind::DuplicateInput,
                    "0" | "1" | "2" | "-"
                )
            ),
            IoFileRedirectTarget::Filename(word) => !harmless(word),
        },
        IoRedirect::HereDocument(..) | IoRedirect::HereString(..) => false,
        IoRedirect::OutputAndError(word, _) => !harmless(word),
    }
}
