//! How builtins end, and programs that never return.

use super::flow::{Flow, Jobs, Set, State, Stop};
use super::programs::{ENDLESS, compared, never_returns, seconds};
use super::reach::Walker;
use super::simple::Call;
use super::words;

impl Walker<'_> {
    pub fn builtin(&mut self, name: &str, call: &Call, state: &mut State) -> Flow {
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
            ("echo", _) if state.unread => Flow::any(),
            (":" | "true" | "echo", _) => Flow::ok(),
            ("export" | "declare" | "typeset", arguments) => {
                let plain = arguments.iter().all(|word| is_assignment(word));
                Flow::status(true, !plain)
            }
            ("exit" | "logout", arguments) => {
                let (ok, fail) = status(arguments);
                Flow::end(stop(), ok, fail)
            }
            ("exec", arguments) => self.exec(arguments, call, state),
            ("sleep", words) if !words.is_empty() && seconds(words).is_some() => {
                let long = seconds(words).is_some_and(|seconds| seconds >= ENDLESS);
                if long { Flow::hang(stop()) } else { Flow::ok() }
            }
            // Too many arguments end the whole text.
            ("return", [_, _, ..]) => Flow::end(stop(), false, true),
            ("return", arguments) if state.in_function => {
                let (ok, fail) = status(arguments);
                Flow {
                    return_ok: ok,
                    return_fail: fail,
                    ..Flow::default()
                }
            }
            // Outside of a function `return` only prints an error.
            ("false" | "return", _) => Flow::status(false, true),
            ("break" | "continue", arguments) => jump(name, arguments, state),
            ("set", arguments) => self.set(arguments, call, state),
            ("trap", arguments) => {
                state.trapped |= arguments.len() > 1
                    && arguments
                        .iter()
                        .any(|word| matches!(*word, "ERR" | "DEBUG"));
                Flow::any()
            }
            ("wait", arguments) => self.wait(arguments, call, state),
            ("eval", _) if fixed.iter().all(Option::is_some) => {
                let text = arguments.join(" ");
                self.inner(&text, self.base.unwrap_or(call.at), state)
            }
            ("eval" | "source" | ".", _) => {
                state.sourced = true;
                state.positional = true;
                Flow::unknown()
            }
            ("command" | "builtin", [first, ..]) if !first.starts_with('-') => {
                let inner = Call {
                    words: call.words[1..].to_vec(),
                    ..*call
                };
                if *first == "$" {
                    return Flow::unknown();
                }
                self.builtin(first, &inner, state)
            }
            ("[", [one, operator, other, "]"]) | ("test", [one, operator, other])
                if *one != "$" && *other != "$" && compared(one, operator, other).is_some() =>
            {
                let holds = compared(one, operator, other) == Some(true);
                Flow::status(holds, !holds)
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

    /// `exec`: nothing follows, unless it has no command and only redirects.
    fn exec(&self, arguments: &[&str], call: &Call, state: &State) -> Flow {
        let is_option = |word: &&str| word.starts_with('-') && *word != "-";
        let Some(first) = arguments.iter().position(|word| !is_option(word)) else {
            return Flow::ok();
        };
        let command = &call.words[1 + first..];
        // The container's shell gets no positional parameters: these are no words at all.
        let empty = |word: &str| matches!(word, "\"$@\"" | "$@" | "$*" | "\"${@}\"" | "${@}");
        let none = command.iter().all(|word| empty(&word.value));
        if none && self.base.is_none() && !state.positional && !state.in_function {
            return Flow::ok();
        }
        let name = arguments[first];
        // An inner shell only becomes the program, and the outer one waits for it.
        if self.base.is_some() && never_returns(name, &arguments[first + 1..]) {
            return Flow::hang(self.stop_of(call));
        }
        let ends = Flow::end(self.stop_of(call), true, true);
        // An unquoted variable may be empty.
        let may_vanish = command
            .iter()
            .all(|word| empty(&word.value) || word.value.starts_with('$'));
        if may_vanish {
            ends.or(&Flow::ok())
        } else {
            ends
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
                    state.positional = true;
                    return Flow::unknown();
                }
                _ => {
                    state.positional = true;
                    break;
                }
            };
            if *word == "--" || *word == "-" {
                state.positional |= words.next().is_some();
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
            Jobs::Some | Jobs::MaybeEndless => {
                self.waits = Some(self.stop_of(call));
                Flow::unknown()
            }
            Jobs::Endless => Flow::hang(self.stop_of(call)),
        }
    }

    /// Remembers a command that only a login shell's files define.
    fn login_shell(&mut self, name: &str, arguments: &[&str], call: &Call, state: &State) {
        let needs = matches!(
            (name, arguments),
            (
                "conda" | "mamba" | "micromamba",
                ["activate" | "deactivate", ..]
            ) | ("module", ["load" | "use" | "add" | "swap", ..])
                | ("nvm" | "sdk", ["use", ..])
        );
        if needs && !state.sourced {
            let stop = self.stop_of(call);
            self.login.push(stop);
        }
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
        return Flow::unknown();
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
