//! Follows the tree of a text: is `ray start` reached on every path, on some, on none?

use std::rc::Rc;

use brush_parser::ast::{
    AndOr, AndOrList, Command, CommandPrefixOrSuffixItem, CompoundCommand, CompoundList,
    ExtendedTestExpr, FunctionDefinition, Pipeline, Program, RedirectList, SeparatorOperator,
    SourceLocation, UnaryPredicate,
};

use super::compound::remember;
use super::flow::{Flow, FlowState, Function, Jobs, Set, Stop};
use super::own::Own;
use super::parse::Offsets;
use super::simple::redirect_may_fail;
use super::words;

/// The paths that reach `ray start`: every, some or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Reach {
    /// Every path.
    Every,
    /// Some; which one is taken is decided when the text runs.
    Some,
    /// None.
    None,
}

/// The effects of a text before `ray start`.
#[derive(Debug)]
pub(in super::super) struct Analysis {
    /// `true` if the generated `ray start` is a command of the tree.
    pub seen: bool,
    /// The paths that reach `ray start`.
    pub reach: Reach,
    /// Commands that end the shell.
    pub ends: Vec<Stop>,
    /// Commands that never return.
    pub hangs: Vec<Stop>,
    /// The command whose failure `&&` hides.
    pub swallowed: Option<Stop>,
    /// `set -e` that is on when `ulimit` runs, or ends the shell before.
    pub errexit: Option<Stop>,
    /// `wait` for jobs of which nothing is known.
    pub waits: Option<Stop>,
    /// Commands that only a login shell prepares.
    pub login: Vec<Stop>,
}

/// The known facts about the container that runs a text.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Surroundings<'a> {
    /// Variables that the Pod gives the container.
    pub variables: &'a [&'a str],
    /// `true` if it is the head's: there no Ray answers before `ray start`.
    pub head: bool,
    /// `true` if the shell is a login shell, which alone knows `logout`.
    pub login: bool,
}

/// Follows a program whose generated part begins at a byte offset.
pub(super) fn analyse(
    program: &Program,
    text: &str,
    generated: usize,
    start: Option<usize>,
    around: Surroundings,
) -> Analysis {
    let mut walker = Walker {
        generated,
        start,
        ..Walker::new(text, around)
    };
    walker.seen = start.is_some_and(|start| has_start(program, &walker.offsets, start));
    let flow = walker.program(program, &mut FlowState::default());
    let misses = flow.completes() && !flow.starts
        || flow.end_ok
        || flow.end_fail
        || flow.unsure
        || !flow.hangs.is_empty();
    let reach = match (flow.starts, misses) {
        (true, false) => Reach::Every,
        (true, true) => Reach::Some,
        (false, _) if flow.unsure => Reach::Some,
        (false, _) => Reach::None,
    };
    let mut ends = flow.ends;
    if reach != Reach::None {
        ends.retain(|stop| !stop.guards);
    }
    Analysis {
        seen: walker.seen,
        reach,
        ends,
        hangs: flow.hangs,
        swallowed: walker.swallowed,
        errexit: walker.errexit,
        waits: walker.waits,
        login: walker.login,
    }
}

/// Returns whether the generated `ray start` is a command of its own.
fn has_start(program: &Program, offsets: &Offsets, start: usize) -> bool {
    let mut lists = program.complete_commands.iter().flat_map(|list| &list.0);
    lists.any(|item| {
        let pipelines =
            std::iter::once(&item.0.first).chain(item.0.additional.iter().map(|next| {
                let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = next;
                pipeline
            }));
        pipelines.flat_map(|pipeline| &pipeline.seq).any(|command| {
            matches!(command, Command::Simple(_))
                && command
                    .location()
                    .is_some_and(|loc| offsets.byte(loc.start.index) == start)
        })
    })
}

/// Loops are followed twice, and functions wherever they are called; this bounds the time.
const MOST_STEPS: usize = 20_000;

pub(super) struct Walker<'a> {
    pub text: &'a str,
    pub around: Surroundings<'a>,
    pub offsets: Offsets,
    /// Byte offset of the text of a substitution or of `eval` in the whole text.
    pub base: Option<usize>,
    pub generated: usize,
    pub start: Option<usize>,
    pub depth: usize,
    /// Commands that were followed.
    pub steps: usize,
    pub seen: bool,
    pub swallowed: Option<Stop>,
    pub errexit: Option<Stop>,
    pub waits: Option<Stop>,
    pub login: Vec<Stop>,
    /// The effects of a user's text that starts Ray itself.
    pub own: Option<Own>,
}

impl<'a> Walker<'a> {
    /// A walker at the beginning of a text.
    pub fn new(text: &'a str, around: Surroundings<'a>) -> Self {
        Self {
            text,
            around,
            offsets: Offsets::new(text),
            base: None,
            generated: 0,
            start: None,
            depth: 0,
            steps: 0,
            seen: false,
            swallowed: None,
            errexit: None,
            waits: None,
            login: Vec::new(),
            own: None,
        }
    }
}

impl Walker<'_> {
    /// Follows a whole program.
    pub fn program(&mut self, program: &Program, state: &mut FlowState) -> Flow {
        let mut flow = Flow::ok();
        for list in &program.complete_commands {
            if !flow.completes() {
                break;
            }
            let next = self.list(list, state);
            flow = flow.then(&next);
        }
        flow
    }

    pub fn list(&mut self, list: &CompoundList, state: &mut FlowState) -> Flow {
        let mut flow = Flow::ok();
        for item in &list.0 {
            if !flow.completes() {
                break;
            }
            let next = match item.1 {
                SeparatorOperator::Async => {
                    // By then Ray may run.
                    let head = std::mem::take(&mut self.around.head);
                    let job = self.and_or(&item.0, &mut subshell(state));
                    self.around.head = head;
                    if job.starts {
                        self.left_behind(&item.0);
                    }
                    remember(&job, state)
                }
                SeparatorOperator::Sequence => self.and_or(&item.0, state),
            };
            flow = flow.then(&next);
        }
        flow
    }

    fn and_or(&mut self, list: &AndOrList, state: &mut FlowState) -> Flow {
        let exempt = state.exempt;
        let count = list.additional.len();
        state.exempt = exempt || count > 0;
        let mut flow = self.pipeline(&list.first, state);
        for (index, next) in list.additional.iter().enumerate() {
            state.exempt = exempt || index + 1 < count;
            let (pipeline, runs, skips) = match next {
                AndOr::And(pipeline) => (pipeline, flow.ok, flow.fail),
                AndOr::Or(pipeline) => (pipeline, flow.fail, flow.ok),
            };
            if self.base.is_none() && self.is_joint(pipeline) {
                self.joint(list, index, &flow, state);
                // The limit is taken to be allowed; `errexit` reports the other case.
                flow = Flow {
                    ok: runs,
                    fail: skips,
                    ..flow
                };
                continue;
            }
            if !runs {
                continue;
            }
            let before = state.clone();
            let mut then = self.pipeline(pipeline, state);
            if skips {
                match next {
                    AndOr::Or(_) => then.ends.iter_mut().for_each(|stop| stop.guards = true),
                    AndOr::And(_) => then.guard(),
                }
                state.join(&before);
            }
            let skipped = match next {
                AndOr::And(_) => Flow::status(false, flow.fail),
                AndOr::Or(_) => Flow::status(flow.ok, false),
            };
            flow = flow.then(&then).or(&skipped);
        }
        state.exempt = exempt;
        flow
    }

    /// Returns whether a pipeline is the generated `ulimit`.
    fn is_joint(&self, pipeline: &Pipeline) -> bool {
        let at = self.text[self.generated..]
            .find("ulimit")
            .map(|at| self.generated + at);
        let start = pipeline.seq.first().and_then(Command::location);
        at.is_some() && start.map(|start| self.offsets.byte(start.start.index)) == at
    }

    fn joint(&mut self, list: &AndOrList, index: usize, flow: &Flow, state: &FlowState) {
        if flow.fail {
            // Of commands with `&&` between them any may be the one that fails.
            let before = list.additional.get(..index).unwrap_or_default();
            let or = before.iter().rev().find_map(|next| match next {
                AndOr::Or(pipeline) => Some(pipeline),
                AndOr::And(_) => None,
            });
            let at = or
                .unwrap_or(&list.first)
                .location()
                .map_or(0, |location| self.offsets.byte(location.start.index));
            let what = self.text[at..self.generated.max(at)].trim().to_owned();
            self.swallowed = Some(Stop {
                at,
                what,
                guards: false,
            });
        }
        if !state.errexit.possible() {
            self.errexit = None;
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, state: &mut FlowState) -> Flow {
        let exempt = state.exempt;
        state.exempt |= pipeline.bang;
        let mut flow = match &pipeline.seq[..] {
            [] => Flow::ok(),
            [command] => self.command(command, state),
            commands => {
                let flow = self.pipe(commands, state);
                failing(flow, state)
            }
        };
        state.exempt = exempt;
        if pipeline.bang {
            std::mem::swap(&mut flow.ok, &mut flow.fail);
        }
        flow
    }

    fn pipe(&mut self, commands: &[Command], state: &mut FlowState) -> Flow {
        let mut flow = Flow::ok();
        let mut failed = false;
        // Bash does not wait for the commands before a coprocess.
        let unwaited = matches!(
            commands.last(),
            Some(Command::Compound(CompoundCommand::Coprocess(_), _))
        );
        for (index, command) in commands.iter().enumerate() {
            let last = index + 1 == commands.len();
            let mut inner = subshell(state);
            if !last {
                inner.unread = !reads_to_the_end(&commands[index + 1]);
            }
            let part = self.command(command, &mut inner).of_subshell();
            if !last
                && !part.hangs.is_empty()
                && (unwaited
                    || !reads_to_the_end(&commands[index + 1])
                        && (reads_on(&part.hangs) || !self.hangs_itself(command, &part)))
            {
                // A command that writes ends when nobody reads it any more.
                flow.unsure = true;
                failed |= state.pipefail.possible();
                continue;
            }
            if !part.completes() {
                flow.ok = false;
                flow.fail = false;
                flow.add_jumps(&part);
                return flow;
            }
            failed |= part.fail && state.pipefail.possible();
            flow.add_jumps(&part);
            // What still runs keeps the pipe open that the next command reads.
            flow.unsure |= part.lingers;
            if last {
                flow.ok = part.ok;
                flow.fail = part.fail || failed;
                if state.pipefail == Set::Yes && failed {
                    flow.ok = part.ok;
                }
            }
        }
        flow
    }

    /// Returns whether a command does nothing before it hangs, so that it can't have written
    /// anything.
    fn hangs_itself(&self, command: &Command, flow: &Flow) -> bool {
        let start = command
            .location()
            .map(|at| self.offsets.byte(at.start.index));
        let at = self.base.or(start);
        matches!(command, Command::Simple(_)) && flow.hangs.iter().all(|stop| Some(stop.at) == at)
    }

    pub fn command(&mut self, command: &Command, state: &mut FlowState) -> Flow {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Flow::unknown();
        }
        match command {
            Command::Simple(simple) => {
                if self.base.is_none()
                    && self.start.is_some()
                    && command
                        .location()
                        .map(|at| self.offsets.byte(at.start.index))
                        == self.start
                {
                    return Flow {
                        starts: true,
                        ..Flow::default()
                    };
                }
                let flow = self.simple(simple, state);
                failing(flow, state)
            }
            Command::Compound(compound, redirects) => {
                let mut opened = Flow::ok();
                for redirect in redirects.iter().flat_map(|list| &list.0) {
                    self.redirect(redirect, state, &mut opened);
                }
                if !opened.completes() {
                    return opened;
                }
                let refused = |list: &RedirectList| {
                    list.0.iter().any(|redirect| self.opens_own_port(redirect))
                };
                if redirects.as_ref().is_some_and(refused) {
                    return failing(opened.then(&Flow::status(false, true)), state);
                }
                let flow = self.compound(compound, state);
                let flow = redirected(flow, redirects.as_ref());
                let flow = opened.then(&flow);
                match compound {
                    CompoundCommand::Subshell(_) | CompoundCommand::Arithmetic(_) => {
                        failing(flow, state)
                    }
                    _ => flow,
                }
            }
            Command::Function(function) => define(function, state),
            Command::ExtendedTest(test, redirects) => {
                let flow = match &test.expr {
                    ExtendedTestExpr::UnaryTest(UnaryPredicate::StringHasNonZeroLength, word) => {
                        match words::fixed(word) {
                            Some(value) => Flow::status(!value.is_empty(), value.is_empty()),
                            None => Flow::any(),
                        }
                    }
                    _ => Flow::any(),
                };
                let flow = redirected(flow, redirects.as_ref());
                failing(flow, state)
            }
        }
    }
}

/// Returns the outcome of a command under `set -e`, which may end the shell at a failure.
fn failing(mut flow: Flow, state: &FlowState) -> Flow {
    if flow.fail && !state.exempt && (state.errexit.possible() || state.trapped) {
        flow.end_fail = true;
        flow.fail = state.errexit != Set::Yes;
        let handler = state.handler.clone().filter(|one| !flow.ends.contains(one));
        flow.ends.extend(handler);
    }
    flow
}

fn define(function: &FunctionDefinition, state: &mut FlowState) -> Flow {
    let entry = Function {
        bodies: vec![Rc::new(function.body.clone())],
        sure: true,
    };
    state.functions.insert(function.fname.value.clone(), entry);
    Flow::ok()
}

/// A redirection that fails leaves the command out.
fn redirected(flow: Flow, redirects: Option<&RedirectList>) -> Flow {
    let may_fail = redirects.is_some_and(|list| list.0.iter().any(redirect_may_fail));
    if may_fail {
        flow.or(&Flow::status(false, true))
    } else {
        flow
    }
}

/// The state that a subshell starts with.
pub(super) fn subshell(state: &FlowState) -> FlowState {
    FlowState {
        // A subshell has no jobs of its own to wait for.
        jobs: Jobs::None,
        ..state.clone()
    }
}

/// Returns whether these commands write for ever, so that they end when nobody reads.
fn reads_on(hangs: &[Stop]) -> bool {
    hangs.iter().all(|stop| {
        let name = stop.what.split_whitespace().next().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or(name);
        matches!(
            name,
            "yes"
                | "tail"
                | "watch"
                | "top"
                | "nvidia-smi"
                | "vmstat"
                | "iostat"
                | "mpstat"
                | "pidstat"
                | "sar"
                | "tcpdump"
                | "ping"
        )
    })
}

/// Returns whether a command reads its input until it ends, so that what writes to it is never cut
/// off.
fn reads_to_the_end(command: &Command) -> bool {
    let Command::Simple(simple) = command else {
        return false;
    };
    let name = simple.word_or_name.as_ref().map(|word| word.value.as_str());
    let words = simple.suffix.iter().flat_map(|suffix| &suffix.0);
    if name == Some("grep") {
        // It stops at a first match where it only looks for one.
        return words.into_iter().all(|item| match item {
            CommandPrefixOrSuffixItem::Word(word) => {
                !word.value.starts_with('-') || !word.value.contains(['q', 'm', 'l', 'L'])
            }
            _ => true,
        });
    }
    matches!(name, Some("cat" | "logger" | "sort" | "tee" | "tr" | "wc"))
}
