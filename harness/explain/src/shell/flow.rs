//! The ways in which a command may end, and the state of a shell while it runs a text.

use std::collections::BTreeMap;
use std::rc::Rc;

use brush_parser::ast::FunctionBody;

/// A command that ends or stops the shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Stop {
    /// Byte offset in the text.
    pub at: usize,
    /// The command as written.
    pub what: String,
    /// `true` if it is meant to end the container: it runs only after a failure, as in `prepare ||
    /// exit 1`, or in a branch and with a status other than 0.
    pub guards: bool,
}

impl Stop {
    /// The command for a message: one line of it, in backquotes.
    pub fn shown(&self) -> String {
        const WIDEST: usize = 60;
        let line = self.what.lines().next().unwrap_or_default();
        let short: String = line.chars().take(WIDEST).collect();
        let more = short.len() < self.what.len();
        format!("`{short}{}`", if more { "…" } else { "" })
    }
}

/// The ways in which a command may end.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Flow {
    /// With status 0.
    pub ok: bool,
    /// With another status.
    pub fail: bool,
    /// The shell ends with status 0, or with another one.
    pub end_ok: bool,
    pub end_fail: bool,
    pub ends: Vec<Stop>,
    /// It never returns.
    pub hangs: Vec<Stop>,
    /// `true` if it may end in a way that is not known here.
    pub unsure: bool,
    /// `true` if a background job that never ends is left behind.
    pub lingers: bool,
    /// `return`.
    pub return_ok: bool,
    pub return_fail: bool,
    /// `break` and `continue`, one bit a level.
    pub breaks: u8,
    pub continues: u8,
    /// It reaches the generated `ray start`.
    pub starts: bool,
}

impl Flow {
    pub fn ok() -> Self {
        Self::status(true, false)
    }

    pub fn any() -> Self {
        Self::status(true, true)
    }

    pub fn status(ok: bool, fail: bool) -> Self {
        Self {
            ok,
            fail,
            ..Self::default()
        }
    }

    /// Any status, and perhaps something else.
    pub fn unknown() -> Self {
        Self {
            unsure: true,
            ..Self::any()
        }
    }

    pub fn hang(stop: Stop) -> Self {
        Self {
            hangs: vec![stop],
            ..Self::default()
        }
    }

    /// The shell ends with a status.
    pub fn end(stop: Stop, ok: bool, fail: bool) -> Self {
        Self {
            end_ok: ok,
            end_fail: fail,
            ends: vec![stop],
            ..Self::default()
        }
    }

    /// Marks what ends the shell with a status other than 0 as meant: this flow is one branch of
    /// several.
    pub fn guard(&mut self) {
        for stop in &mut self.ends {
            let mut words = stop.what.split_whitespace();
            stop.guards |=
                words.next() == Some("exit") && words.next().is_some_and(|word| word != "0");
        }
    }

    /// Returns whether the next command may run.
    pub fn completes(&self) -> bool {
        self.ok || self.fail
    }

    /// Adds every way of another flow but its normal ends.
    pub fn add_jumps(&mut self, other: &Flow) {
        self.end_ok |= other.end_ok;
        self.end_fail |= other.end_fail;
        self.unsure |= other.unsure;
        self.lingers |= other.lingers;
        self.return_ok |= other.return_ok;
        self.return_fail |= other.return_fail;
        self.breaks |= other.breaks;
        self.continues |= other.continues;
        self.starts |= other.starts;
        for stop in &other.ends {
            if !self.ends.contains(stop) {
                self.ends.push(stop.clone());
            }
        }
        for stop in &other.hangs {
            if !self.hangs.contains(stop) {
                self.hangs.push(stop.clone());
            }
        }
    }

    /// One of two flows.
    #[must_use]
    pub fn or(mut self, other: &Flow) -> Self {
        self.ok |= other.ok;
        self.fail |= other.fail;
        self.add_jumps(other);
        self
    }

    /// This flow and, where it completes, the next one.
    #[must_use]
    pub fn then(mut self, next: &Flow) -> Self {
        self.ok = next.ok;
        self.fail = next.fail;
        self.add_jumps(next);
        self
    }

    /// Returns the outcome that the parent of a subshell sees.
    #[must_use]
    pub fn of_subshell(mut self) -> Self {
        self.ok |= self.end_ok || self.return_ok || self.breaks | self.continues > 0;
        self.fail |= self.end_fail || self.return_fail;
        self.end_ok = false;
        self.end_fail = false;
        self.return_ok = false;
        self.return_fail = false;
        self.breaks = 0;
        self.continues = 0;
        self.ends.clear();
        self
    }
}

/// The state of an option of the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Set {
    #[default]
    No,
    Yes,
    Maybe,
}

impl Set {
    fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Maybe }
    }

    pub fn possible(self) -> bool {
        self != Self::No
    }
}

/// A function that may be defined.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub bodies: Vec<Rc<FunctionBody>>,
    /// `true` if it is defined on every path.
    pub sure: bool,
}

/// The state of background jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Jobs {
    #[default]
    None,
    /// Jobs of which nothing is known.
    Some,
    /// One never ends, if it was started.
    MaybeEndless,
    /// One never ends.
    Endless,
}

impl Jobs {
    /// The jobs after one of two paths.
    fn join(self, other: Self) -> Self {
        match self.max(other) {
            Self::Endless if self != other => Self::MaybeEndless,
            jobs => jobs,
        }
    }
}

/// The state of a shell.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct FlowState {
    pub errexit: Set,
    pub pipefail: Set,
    pub nounset: Set,
    pub functions: BTreeMap<String, Function>,
    pub jobs: Jobs,
    /// Loops around the command, inside of the function.
    pub loops: usize,
    pub in_function: bool,
    /// `true` if a failure is ignored by `set -e` here: in a condition, or left of `&&`.
    pub exempt: bool,
    /// `true` if a file was read that may have defined functions and variables.
    pub sourced: bool,
    /// `true` if the shell may have positional parameters.
    pub positional: bool,
    /// `true` if the output may have no reader, so that a command that prints may fail.
    pub unread: bool,
    /// A trap that may end the shell at a failure.
    pub trapped: bool,
    /// Its command, where it is known to end the shell.
    pub handler: Option<Stop>,
}

impl FlowState {
    /// The state after one of two paths.
    pub fn join(&mut self, other: &FlowState) {
        self.errexit = self.errexit.join(other.errexit);
        self.pipefail = self.pipefail.join(other.pipefail);
        self.nounset = self.nounset.join(other.nounset);
        self.jobs = self.jobs.join(other.jobs);
        self.sourced |= other.sourced;
        self.positional |= other.positional;
        self.trapped |= other.trapped;
        if self.handler.is_none() {
            self.handler.clone_from(&other.handler);
        }
        for (name, function) in &mut self.functions {
            match other.functions.get(name) {
                Some(theirs) => {
                    function.sure &= theirs.sure;
                    for body in &theirs.bodies {
                        if !function.bodies.iter().any(|mine| Rc::ptr_eq(mine, body)) {
                            function.bodies.push(Rc::clone(body));
                        }
                    }
                }
                None => function.sure = false,
            }
        }
        for (name, function) in &other.functions {
            self.functions
                .entry(name.clone())
                .or_insert_with(|| Function {
                    sure: false,
                    ..function.clone()
                });
        }
    }
}
