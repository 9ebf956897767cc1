//! Follows builtins, and programs that never return, to their ends.

use brush_parser::ast::{IoFileRedirectTarget, IoRedirect};

use super::flow::{Flow, FlowState, Jobs, Set, Stop};
use super::mask::unmask;
use super::programs::{ENDLESS, compared, never_returns, runs, seconds, shell, wrapped};
use super::reach::Walker;
use super::simple::Call;
use super::words;

impl Walker<'_> {
    pub fn builtin(&mut self, name: &str, call: &Call, state: &mut FlowState) -> Flow {
        let fixed: Vec<Option<String>> = call.words[1..]
            .iter()
            .map(|word| words::fixed(word))
            .collect();
        let arguments: Vec<&str> = fixed
            .iter()
            .map(|word| word.as_deref().unwrap_or("$"))
            .collect();
        self.login_shell(name, &arguments, call, state);
        self.passes(name, &arguments);
        let stop = || self.stop_of(call);
        match (name, &arguments[..]) {
            ("echo", _) if state.unread => Flow::any(),
            (":" | "true" | "echo", _) => Flow::ok(),
            ("export" | "declare" | "typeset", _) => {
                let mut words = call.words[1..].iter();
                let plain = words.all(|word| is_assignment(&word.value));
                Flow::status(true, !plain)
            }
            ("unset", [first, ..]) if !first.starts_with('-') => Flow::ok(),
            ("logout", _) if !self.around.login => Flow::status(false, true),
            ("exit" | "logout", arguments) => {
                let (ok, fail) = status(arguments);
                Flow::end(stop(), ok, fail)
            }
            ("exec", arguments) => self.exec(arguments, call, state),
            ("sleep", words) if !words.is_empty() && seconds(words).is_some() => {
                let long = seconds(words).is_some_and(|seconds| seconds >= ENDLESS);
                if long { Flow::hang(stop()) } else { Flow::ok() }
            }
            // Too many arguments end the whole text, where the first one is a number.
            ("return", [first, _, ..]) if first.parse::<i64>().is_ok() => {
                Flow::end(stop(), false, true)
            }
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
            ("trap", arguments) => self.trap(arguments, call, state),
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
            _ if shell(name) => self.shell(&arguments, call).unwrap_or_else(Flow::any),
            _ if self.asks_itself(name, &arguments, call) => Flow::status(false, true),
            // Sleep refuses a word that is no number.
            _ if never_returns(name, &arguments) => match (name, arguments.contains(&"$")) {
                ("sleep", true) => Flow::hang(stop()).or(&Flow::status(false, true)),
                _ => Flow::hang(stop()),
            },
            _ => match (wrapped(name, &arguments), runs(name, &arguments)) {
                (Some(inner), _) => self.wrapped(inner + 1, call, state),
                // It ends the command, which may have succeeded before.
                (None, Some(inner)) => {
                    let flow = self.wrapped(inner + 1, call, state);
                    Flow::status(flow.ok, true)
                }
                (None, None) => Flow::any(),
            },
        }
    }

    /// A program that another one starts, such as `nohup`; none of them knows the builtins of a
    /// shell.
    fn wrapped(&mut self, first: usize, call: &Call, state: &FlowState) -> Flow {
        let inner = Call {
            words: call.words[first..].to_vec(),
            ..*call
        };
        let Some(name) = inner.words.first().and_then(|word| words::fixed(word)) else {
            return Flow::any();
        };
        let fixed = inner.words[1..].iter().map(|word| words::fixed(word));
        let fixed: Vec<Option<String>> = fixed.collect();
        let arguments: Vec<&str> = fixed
            .iter()
            .map(|word| word.as_deref().unwrap_or("$"))
            .collect();
        if self.asks_itself(&name, &arguments, &inner) {
            return Flow::status(false, true);
        }
        if !(shell(&name) || runs(&name, &["1", "x"]).is_some()) {
            return Flow::any();
        }
        self.builtin(&name, &inner, &mut state.clone())
    }

    /// Another shell: its script is the word behind `-c`, or what a here-document gives it.
    fn shell(&mut self, arguments: &[&str], call: &Call) -> Option<Flow> {
        let mut options = Vec::new();
        let mut rest = arguments;
        while let [first, others @ ..] = rest
            && first.starts_with('-')
            && *first != "-"
        {
            let operand = matches!(*first, "-o" | "-O" | "--rcfile" | "--init-file");
            options.push(*first);
            rest = others.get(usize::from(operand)..).unwrap_or_default();
        }
        let is_script = |option: &&str| option.ends_with('c') && !option.starts_with("--");
        let script = if options.iter().any(is_script) {
            (*rest.first()?).to_owned()
        } else if rest.is_empty() || *rest == ["-"] {
            call.input?.value.clone()
        } else {
            return None;
        };
        if script == "$" {
            return None;
        }
        let known = self.login.len();
        let uses = self.uses();
        let at = self.base.unwrap_or(call.at);
        let login = options
            .iter()
            .any(|option| match option.strip_prefix("--") {
                Some(long) => long == "login",
                None => option.contains('l'),
            });
        let outer = std::mem::replace(&mut self.around.login, login);
        let result = self
            .inner(&script, at, &mut FlowState::default())
            .of_subshell();
        self.around.login = outer;
        if !options.iter().any(is_script) {
            // The outer shell has replaced the variables, and the inner one reads what they held.
            self.forget_uses(uses);
        }
        let reads_profile = |option: &&str| match option.strip_prefix("--") {
            Some(long) => long == "login",
            None => option.contains(['l', 'i']),
        };
        if options.iter().any(reads_profile) {
            self.login.truncate(known);
        }
        // What is not known of the inner shell is no more than its status.
        Some(Flow {
            hangs: result.hangs,
            starts: result.starts,
            ok: result.ok || result.unsure,
            fail: result.fail || result.unsure,
            ..Flow::default()
        })
    }

    /// Returns whether a program asks the Ray of this container, which answers only after `ray
    /// start`.
    fn asks_itself(&self, name: &str, arguments: &[&str], call: &Call) -> bool {
        if !self.around.head {
            return false;
        }
        let elsewhere = |words: &[&str]| {
            self.text.contains("ADDRESS=")
                || words.iter().any(|word| {
                    word.starts_with("--address") || matches!(*word, "--help" | "-a" | "-h" | "$")
                })
        };
        match (name.rsplit('/').next().unwrap_or(name), arguments) {
            (
                "ray",
                [
                    "status" | "health-check" | "list" | "summary" | "memory" | "job",
                    rest @ ..,
                ],
            )
            | ("serve", ["status" | "config" | "deploy", rest @ ..]) => !elsewhere(rest),
            ("curl" | "wget", words) => words.iter().any(|word| names_own_port(word)),
            ("nc" | "ncat" | "netcat" | "telnet", words) => {
                words.iter().any(|word| names_own_port(word))
                    || words
                        .windows(2)
                        .any(|pair| OWN_HOSTS.contains(&pair[0]) && OWN_PORTS.contains(&pair[1]))
            }
            ("python" | "python3", ["-c", code, ..]) => connects_to_own_ray(code),
            ("python" | "python3", [] | ["-"]) => call
                .input
                .is_some_and(|code| connects_to_own_ray(&code.value)),
            _ => false,
        }
    }

    /// Returns whether a redirection opens a port of the Ray of this container, such as
    /// `/dev/tcp/localhost/6379`.
    pub(super) fn opens_own_port(&self, redirect: &IoRedirect) -> bool {
        let IoRedirect::File(_, _, IoFileRedirectTarget::Filename(word)) = redirect else {
            return false;
        };
        let path = words::fixed(word).unwrap_or_default();
        let address = path.strip_prefix("/dev/tcp/");
        self.around.head
            && address
                .and_then(|address| address.split_once('/'))
                .is_some_and(|(host, port)| OWN_HOSTS.contains(&host) && OWN_PORTS.contains(&port))
    }

    /// `trap`: what it does at a failure counts, and whether that ends the shell.
    fn trap(&mut self, arguments: &[&str], call: &Call, state: &mut FlowState) -> Flow {
        let arguments = arguments.strip_prefix(&["--"]).unwrap_or(arguments);
        let [action, signals @ ..] = arguments else {
            return Flow::any();
        };
        let at_failure = signals.iter().any(|word| matches!(*word, "ERR" | "DEBUG"));
        if !at_failure {
            let known = |word: &&str| matches!(*word, "EXIT" | "INT" | "TERM" | "HUP" | "0");
            return Flow::status(true, !signals.iter().all(known));
        }
        match *action {
            "-" | "" => {
                state.trapped = false;
                state.handler = None;
            }
            "$" => state.trapped = true,
            action => {
                state.trapped = true;
                let at = self.base.unwrap_or(call.at);
                let flow = self.inner(action, at, &mut state.clone());
                if (flow.end_ok || flow.end_fail) && signals.contains(&"ERR") {
                    state.handler = Some(self.stop_of(call));
                }
            }
        }
        Flow::ok()
    }

    /// `exec`: nothing follows, unless it has no command and only redirects.
    fn exec(&self, arguments: &[&str], call: &Call, state: &FlowState) -> Flow {
        let is_option = |word: &&str| word.starts_with('-') && *word != "-";
        let options = arguments.iter().take_while(|word| is_option(word));
        // An option that `exec` does not have is an error that ends nothing.
        if options
            .take_while(|word| **word != "--")
            .any(|word| word[1..].chars().any(|c| !"acl".contains(c)))
        {
            return Flow::status(false, true);
        }
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

    pub(super) fn stop_of(&self, call: &Call) -> Stop {
        let words: Vec<&str> = call.words.iter().map(|word| word.value.as_str()).collect();
        Stop {
            at: self.base.unwrap_or(call.at),
            what: unmask(&words.join(" ")),
            guards: false,
        }
    }

    fn set(&mut self, arguments: &[&str], call: &Call, state: &mut FlowState) -> Flow {
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
                    'o' => match words.next() {
                        Some(name) if *name == "$" => return Flow::unknown(),
                        // Bash reads no option behind one that it does not know.
                        Some(name) if !OPTIONS.contains(name) => return Flow::status(false, true),
                        name => name.copied().unwrap_or_default(),
                    },
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

    fn wait(&mut self, arguments: &[&str], call: &Call, state: &FlowState) -> Flow {
        let names_a_job = |word: &str| word == "$" || word.starts_with(['-', '%']);
        if !arguments.iter().all(|word| names_a_job(word)) {
            return Flow::any();
        }
        if state.jobs == Jobs::Endless && arguments.contains(&"-n") {
            return Flow::unknown();
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
    fn login_shell(&mut self, name: &str, arguments: &[&str], call: &Call, state: &FlowState) {
        let needs = matches!(
            (name, arguments),
            (
                "conda" | "mamba" | "micromamba",
                ["activate" | "deactivate", ..]
            ) | (
                "module" | "ml",
                ["load" | "use" | "add" | "swap" | "purge" | "unload", ..]
            ) | ("nvm" | "sdk" | "rvm" | "jenv", ["use", ..])
                | ("pyenv", ["activate" | "shell", ..])
                | ("spack", ["load", ..])
                | ("workon", [_, ..])
        ) || name == "ml"
            && arguments.iter().all(|word| !word.starts_with('-'))
            && !arguments.is_empty();
        if needs && !state.sourced {
            let stop = self.stop_of(call);
            self.login.push(stop);
        }
    }
}

/// The names that `set -o` takes.
const OPTIONS: [&str; 27] = [
    "allexport",
    "braceexpand",
    "emacs",
    "errexit",
    "errtrace",
    "functrace",
    "hashall",
    "histexpand",
    "history",
    "ignoreeof",
    "interactive-comments",
    "keyword",
    "monitor",
    "noclobber",
    "noexec",
    "noglob",
    "nolog",
    "notify",
    "nounset",
    "onecmd",
    "physical",
    "pipefail",
    "posix",
    "privileged",
    "verbose",
    "vi",
    "xtrace",
];

/// Names and addresses of the container itself.
const OWN_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "0.0.0.0"];

/// Ports on which a head's Ray listens: GCS, dashboard, client server and dashboard agent.
const OWN_PORTS: [&str; 4] = ["6379", "8265", "10001", "52365"];

/// Returns whether a word names one of them as `host:port`.
fn names_own_port(word: &str) -> bool {
    OWN_HOSTS.iter().any(|host| {
        OWN_PORTS.iter().any(|port| {
            word.split_once(&format!("{host}:{port}"))
                .is_some_and(|(_, rest)| !rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    })
}

/// Returns whether a Python program connects to a Ray that must run already, and fails if none
/// does.
fn connects_to_own_ray(code: &str) -> bool {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let code = code.replace('"', "'");
    let mut calls = code.match_indices("ray.init(");
    !code.contains("try:")
        && calls.any(|(at, call)| {
            let arguments = code[at + call.len()..].split(')').next();
            let arguments = arguments.unwrap_or_default();
            arguments.split(',').any(|argument| {
                let address = argument.strip_prefix("address=").unwrap_or(argument);
                address == "'auto'" || address.starts_with('\'') && names_own_port(address)
            })
        })
}

fn is_assignment(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Returns whether `exit` or `return` with these arguments gives 0, or something else.
fn status(arguments: &[&str]) -> (bool, bool) {
    match arguments {
        [] => (true, true),
        [first, ..] => match first.parse::<i64>() {
            Ok(value) => (value % 256 == 0, value % 256 != 0),
            Err(_) => (true, true),
        },
    }
}

fn jump(name: &str, arguments: &[&str], state: &FlowState) -> Flow {
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
