//! Follows simple commands to their ends: builtins, functions, and programs that never return.

use std::rc::Rc;

use brush_parser::ast::{
    AssignmentValue, CommandPrefixOrSuffixItem, IoFileRedirectKind, IoFileRedirectTarget,
    IoRedirect, SimpleCommand, SourceLocation, Word,
};

use crate::services;

use super::flow::{Flow, FlowState, Function, Set, Stop};
use super::mask::unmask;
use super::parse::parse_part;
use super::reach::{Walker, subshell};
use super::words;

/// Greatest depth of functions, `eval` and substitutions that are followed.
const DEEPEST: usize = 12;

/// A simple command in its parts.
pub(super) struct Call<'a> {
    pub words: Vec<&'a Word>,
    pub redirect_fails: bool,
    pub at: usize,
    /// The text of a here-document or here-string.
    pub input: Option<&'a Word>,
}

impl Walker<'_> {
    pub fn simple(&mut self, command: &SimpleCommand, state: &mut FlowState) -> Flow {
        let mut call = Call {
            words: command.word_or_name.iter().collect(),
            redirect_fails: false,
            at: command
                .location()
                .map_or(0, |location| self.offsets.byte(location.start.index)),
            input: None,
        };
        let mut flow = Flow::ok();
        let mut substituted = None;
        // Whether a redirection is sure to fail, so that the command is left out.
        let mut refused = false;
        let prefix = command.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
        for (index, item) in prefix.chain(suffix).enumerate() {
            let in_prefix = command
                .prefix
                .as_ref()
                .is_some_and(|prefix| index < prefix.0.len());
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                    call.input = input(redirect).or(call.input);
                    call.redirect_fails |= redirect_may_fail(redirect);
                    refused |= self.opens_own_port(redirect);
                    self.redirect(redirect, state, &mut flow);
                }
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) if in_prefix => {
                    if let AssignmentValue::Scalar(_) = assignment.value {
                        let inner = self.expanded(word, state, &mut flow);
                        substituted = inner.or(substituted);
                    } else {
                        flow.unsure |= word.value.contains('$');
                    }
                }
                CommandPrefixOrSuffixItem::Word(word)
                | CommandPrefixOrSuffixItem::AssignmentWord(_, word) => call.words.push(word),
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
        if refused {
            return flow.then(&Flow::status(false, true));
        }
        let mut next = match call.words.first() {
            // Only assignments: the status is that of the last substitution.
            None => substituted.unwrap_or_else(Flow::ok),
            Some(name) => match (self.own_start(&call), words::fixed(name)) {
                (Some(started), _) => started,
                (None, Some(name)) => self.named(&name, &call, state),
                // It may be any command, `exit` among them, or nothing at all.
                (None, None) => {
                    self.busy();
                    Flow::unknown()
                }
            },
        };
        if call.redirect_fails {
            next = next.or(&Flow::status(false, true));
        }
        flow.then(&next)
    }

    /// Expands the words of a redirection.
    pub fn redirect(&mut self, redirect: &IoRedirect, state: &FlowState, flow: &mut Flow) {
        let word = match redirect {
            IoRedirect::File(
                _,
                _,
                IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word),
            )
            | IoRedirect::HereString(_, word)
            | IoRedirect::OutputAndError(word, _) => word,
            IoRedirect::HereDocument(_, document) if document.requires_expansion => &document.doc,
            IoRedirect::File(..) | IoRedirect::HereDocument(..) => return,
        };
        if word.value.contains(['$', '`']) {
            self.expanded(word, state, flow);
        }
    }

    /// Expands a word; returns the status of its last command.
    pub fn expanded(&mut self, word: &Word, state: &FlowState, flow: &mut Flow) -> Option<Flow> {
        let at = word.location().map(|at| self.offsets.byte(at.start.index));
        if let Some(refused) = words::refused(&word.value)
            && let (None, Some(_), Some(at)) = (self.base, self.start, at)
            // The error takes the rest of the line with it.
            && !self.text.get(at..self.generated)?.contains('\n')
        {
            let stop = Stop {
                at,
                what: unmask(refused),
                guards: false,
            };
            *flow = std::mem::take(flow).then(&Flow::end(stop, false, true));
            return None;
        }
        let Some(contents) = words::contents(&word.value) else {
            flow.unsure = true;
            return None;
        };
        if contents.required || contents.plain && state.nounset.possible() {
            flow.unsure = true;
        }
        if state.nounset.possible()
            && let Some(name) = contents.names.iter().find(|name| self.may_be_unset(name))
        {
            flow.ends.push(Stop {
                at: self.base.or(at).unwrap_or_default(),
                what: format!("${name}"),
                guards: false,
            });
        }
        if contents.arithmetic {
            flow.unsure = true;
        }
        let mut last = None;
        let texts = contents.substitutions.iter().map(|(_, text)| text);
        for text in texts.chain(&contents.backquoted) {
            let mut inner = FlowState {
                errexit: Set::No,
                ..subshell(state)
            };
            let at = self.base.or_else(|| {
                let location = word.location()?;
                Some(self.offsets.byte(location.start.index))
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

    /// Returns whether nothing that is known gives a variable a value: neither the Pod, nor bash,
    /// nor the text.
    fn may_be_unset(&self, name: &str) -> bool {
        let assigned =
            |before: &str, after: &str| self.text.contains(&format!("{before}{name}{after}"));
        !super::expansions::sets(name)
            && !name.starts_with("KUBERNETES_")
            && !services::likely_defines(name, true)
            && !self.around.variables.contains(&name)
            && self.base.is_none()
            && !["=", "+=", "[", ":="]
                .iter()
                .any(|after| assigned("", after))
            && ![
                "for ", "read ", "-r ", "-a ", "select ", "mapfile ", "getopts ",
            ]
            .iter()
            .any(|before| assigned(before, ""))
    }

    /// Follows a text inside of the text.
    pub fn inner(&mut self, text: &str, at: usize, state: &mut FlowState) -> Flow {
        let unsure = Flow::unknown();
        if self.depth >= DEEPEST {
            return unsure;
        }
        let Ok(parsed) = parse_part(text) else {
            return unsure;
        };
        let mut walker = Walker {
            base: Some(at),
            depth: self.depth + 1,
            steps: self.steps,
            own: self.own.take(),
            ..Walker::new(text, self.around)
        };
        let flow = walker.program(&parsed.program, state);
        self.steps = walker.steps;
        let (login, own) = (walker.login, walker.own);
        self.login.extend(login);
        self.own = own;
        flow
    }

    fn named(&mut self, name: &str, call: &Call, state: &mut FlowState) -> Flow {
        if let Some(function) = state.functions.get(name).cloned() {
            let flow = self.function(&function, state);
            if function.sure {
                return flow;
            }
            return flow.or(&self.builtin(name, call, state));
        }
        self.builtin(name, call, state)
    }

    fn function(&mut self, function: &Function, state: &mut FlowState) -> Flow {
        if self.depth >= DEEPEST {
            return Flow::unknown();
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
}

/// The text that a redirection gives to standard input.
fn input(redirect: &IoRedirect) -> Option<&Word> {
    match redirect {
        IoRedirect::HereDocument(None | Some(0), document) => Some(&document.doc),
        IoRedirect::HereString(None | Some(0), word) => Some(word),
        _ => None,
    }
}

/// Returns whether a redirection can go wrong, so that the command is left out.
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
