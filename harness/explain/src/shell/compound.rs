//! Follows compound commands to their ends: branches and loops.

use brush_parser::ast::{
    CaseClauseCommand, CaseItemPostAction, CompoundCommand, CompoundList, DoGroupCommand,
    ForClauseCommand, IfClauseCommand, WhileOrUntilClauseCommand, Word,
};

use super::flow::{Flow, FlowState, Jobs, Stop};
use super::reach::{Walker, subshell};
use super::repair::is_select;
use super::words;

/// One round of a loop's body.
struct Round {
    /// `true` if another round may follow, after status 0 or another one.
    ok: bool,
    fail: bool,
    /// `true` if `break` leaves the loop.
    leaves: bool,
    /// Ways out that the loop does not catch.
    jumps: Flow,
}

/// The states after branches.
#[derive(Default)]
struct After(Option<FlowState>);

impl After {
    fn join(&mut self, flow: &Flow, state: &FlowState) {
        if flow.completes() {
            match &mut self.0 {
                Some(after) => after.join(state),
                None => self.0 = Some(state.clone()),
            }
        }
    }

    fn replace(self, state: &mut FlowState) {
        if let Some(after) = self.0 {
            *state = after;
        }
    }
}

impl Walker<'_> {
    pub fn compound(&mut self, compound: &CompoundCommand, state: &mut FlowState) -> Flow {
        match compound {
            CompoundCommand::Arithmetic(arithmetic) => number(&arithmetic.expr.value),
            CompoundCommand::BraceGroup(group) => self.list(&group.list, state),
            CompoundCommand::Subshell(shell) => {
                self.list(&shell.list, &mut subshell(state)).of_subshell()
            }
            CompoundCommand::IfClause(clause) => self.if_clause(clause, state),
            CompoundCommand::WhileClause(clause) => self.while_clause(clause, true, state),
            CompoundCommand::UntilClause(clause) => self.while_clause(clause, false, state),
            CompoundCommand::ForClause(clause) => {
                let opened = self.all_expanded(clause.values.iter().flatten(), state);
                let flow = if opened.completes() {
                    self.for_clause(clause, state)
                } else {
                    Flow::default()
                };
                opened.then(&flow)
            }
            CompoundCommand::ArithmeticForClause(clause) => {
                let condition = clause.condition.as_ref();
                let condition = condition.map_or("", |condition| condition.value.trim());
                let condition = match condition {
                    "" => Flow::ok(),
                    condition => number(condition),
                };
                let at = self.offsets.byte(clause.loc.start.index);
                self.rounds(&condition, true, &clause.body, at, state)
            }
            CompoundCommand::CaseClause(clause) => {
                let opened = self.all_expanded([&clause.value], state);
                let flow = if opened.completes() {
                    self.case(clause, state)
                } else {
                    Flow::default()
                };
                opened.then(&flow)
            }
            CompoundCommand::Coprocess(process) => {
                let head = std::mem::take(&mut self.around.head);
                let job = self.command(&process.body, &mut subshell(state));
                self.around.head = head;
                remember(&job, state)
            }
        }
    }

    /// Expands the words that a compound command begins with.
    fn all_expanded<'w>(
        &mut self,
        words: impl IntoIterator<Item = &'w Word>,
        state: &FlowState,
    ) -> Flow {
        let mut flow = Flow::ok();
        for word in words {
            self.expanded(word, state, &mut flow);
        }
        flow
    }

    fn for_clause(&mut self, clause: &ForClauseCommand, state: &mut FlowState) -> Flow {
        let values = clause.values.as_deref().unwrap_or_default();
        let sure = values.iter().any(|word| words::fixed(word).is_some());
        let before = state.clone();
        let mut round = self.round(&clause.body, state);
        // What a round switches on counts for the next one.
        let one = sure && values.len() == 1;
        if !one && (state.errexit, state.nounset) != (before.errexit, before.nounset) {
            state.join(&before);
            round = self.round(&clause.body, state);
        }
        if is_select(self.text, self.offsets.byte(clause.loc.start.index)) {
            // It reads an answer for each round, and nobody may be there to give one.
            state.join(&before);
            let mut flow = Flow::status(round.leaves || !sure, true);
            flow.add_jumps(&round.jumps);
            flow.unsure = true;
            return flow;
        }
        if !sure {
            state.join(&before);
        }
        let mut flow = Flow::status(round.ok || round.leaves || !sure, round.fail);
        flow.add_jumps(&round.jumps);
        flow
    }

    fn condition(&mut self, list: &CompoundList, state: &mut FlowState) -> Flow {
        let exempt = std::mem::replace(&mut state.exempt, true);
        let flow = self.list(list, state);
        state.exempt = exempt;
        flow
    }

    fn if_clause(&mut self, clause: &IfClauseCommand, state: &mut FlowState) -> Flow {
        let mut all = Flow::default();
        let mut after = After::default();
        let mut body = &clause.then;
        let mut condition = self.condition(&clause.condition, state);
        let mut others = clause.elses.iter().flatten();
        loop {
            all.add_jumps(&condition);
            if condition.ok {
                let mut branch = state.clone();
                let mut flow = self.list(body, &mut branch);
                flow.guard();
                after.join(&flow, &branch);
                all = all.or(&flow);
            }
            if !condition.fail {
                break;
            }
            let Some(part) = others.next() else {
                all.ok = true;
                after.join(&Flow::ok(), state);
                break;
            };
            body = &part.body;
            condition = match &part.condition {
                Some(list) => self.condition(list, state),
                None => Flow::ok(),
            };
        }
        after.replace(state);
        all
    }

    fn while_clause(
        &mut self,
        clause: &WhileOrUntilClauseCommand,
        on: bool,
        state: &mut FlowState,
    ) -> Flow {
        let first = self.condition(&clause.0, state);
        // What a round changes counts for the next condition.
        let mut rounds = state.clone();
        self.round(&clause.1, &mut rounds);
        state.join(&rounds);
        state.loops += 1;
        let again = self.condition(&clause.0, state);
        state.loops -= 1;
        let at = self.offsets.byte(clause.2.start.index);
        self.rounds(&first.or(&again), on, &clause.1, at, state)
    }

    /// A loop that runs while its condition is true or, for `until`, false.
    fn rounds(
        &mut self,
        condition: &Flow,
        on: bool,
        body: &DoGroupCommand,
        at: usize,
        state: &mut FlowState,
    ) -> Flow {
        let (runs, mut leaves) = if on {
            (condition.ok, condition.fail)
        } else {
            (condition.fail, condition.ok)
        };
        leaves |= condition.breaks & 1 > 0;
        let mut flow = Flow::default();
        flow.add_jumps(condition);
        flow.breaks >>= 1;
        flow.continues >>= 1;
        flow.ok = leaves;
        if !runs {
            return flow;
        }
        let before = state.clone();
        let round = self.round(body, state);
        state.join(&before);
        flow.add_jumps(&round.jumps);
        flow.ok |= round.leaves;
        flow.fail |= leaves && round.fail;
        if round.ok || round.fail {
            if leaves || round.leaves {
                self.busy();
                // Nobody knows whether it ends.
                flow.unsure = true;
            } else {
                flow.hangs.push(self.stop(at));
            }
        }
        flow
    }

    fn round(&mut self, body: &DoGroupCommand, state: &mut FlowState) -> Round {
        state.loops += 1;
        let flow = self.list(&body.list, state);
        state.loops -= 1;
        let mut jumps = Flow::default();
        jumps.add_jumps(&flow);
        jumps.breaks >>= 1;
        jumps.continues >>= 1;
        Round {
            ok: flow.ok || flow.continues & 1 > 0,
            fail: flow.fail,
            leaves: flow.breaks & 1 > 0,
            jumps,
        }
    }

    fn case(&mut self, clause: &CaseClauseCommand, state: &mut FlowState) -> Flow {
        let value = words::fixed(&clause.value);
        let mut all = Flow::default();
        let mut after = After::default();
        let mut open = true;
        let mut falls = false;
        for item in &clause.cases {
            let matches = item.patterns.iter().map(|pattern| {
                let plain = !pattern.value.contains(['*', '?', '[', '+', '@', '!']);
                match (&value, words::fixed(pattern)) {
                    _ if pattern.value == "*" => Some(true),
                    (Some(value), Some(pattern)) if plain => Some(*value == pattern),
                    _ => None,
                }
            });
            let matches: Vec<Option<bool>> = matches.collect();
            let sure = matches.contains(&Some(true));
            let possible = sure || matches.contains(&None);
            if !(falls || open && possible) {
                continue;
            }
            let mut branch = state.clone();
            let mut flow = match &item.cmd {
                Some(list) => self.list(list, &mut branch),
                None => Flow::ok(),
            };
            flow.guard();
            let ends = matches!(item.post_action, CaseItemPostAction::ExitCase);
            falls = flow.completes()
                && matches!(
                    item.post_action,
                    CaseItemPostAction::UnconditionallyExecuteNextCaseItem
                );
            after.join(&flow, &branch);
            all = all.or(&flow);
            // A branch that falls through ends in the next one, or here if it is the last.
            state.join(&branch);
            if sure && ends {
                open = false;
            }
        }
        if open {
            all.ok = true;
            after.join(&Flow::ok(), state);
        }
        after.replace(state);
        all
    }

    /// The command at a byte of the text, up to the end of its line.
    pub fn stop(&self, at: usize) -> Stop {
        let line = self
            .text
            .get(at..)
            .unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default();
        let what = line.split(" && ulimit").next().unwrap_or(line).trim();
        Stop {
            at: self.base.unwrap_or(at),
            what: what.into(),
            guards: false,
        }
    }
}

/// The status of an arithmetic command.
fn number(expression: &str) -> Flow {
    match expression.trim().parse::<i64>() {
        Ok(value) => Flow::status(value != 0, value == 0),
        Err(_) => Flow::any(),
    }
}

/// Remembers a background job.
pub(super) fn remember(job: &Flow, state: &mut FlowState) -> Flow {
    let runs_ray = job.starts && !job.completes();
    let lingers = !job.hangs.is_empty() || runs_ray;
    let jobs = match (lingers, job.completes() || job.unsure) {
        (true, true) => Jobs::MaybeEndless,
        (true, false) => Jobs::Endless,
        (false, _) => Jobs::Some,
    };
    state.jobs = state.jobs.max(jobs);
    Flow {
        lingers,
        starts: job.starts,
        ..Flow::ok()
    }
}
