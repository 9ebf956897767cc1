//! Constructs that bash and the parser read differently.

use brush_parser::Token;
use brush_parser::ast::{
    AndOr, AssignmentValue, Command, CommandPrefixOrSuffixItem, CompoundCommand, CompoundList,
    IoFileRedirectTarget, IoRedirect, Pipeline, Program, RedirectList, SimpleCommand,
};

use super::parse::{self, Broken, Problem, Unknown};
use super::tokens::{Piece, pieces};
use super::{groups, repair, words};

/// Returns the outcome of a text that the parser rejects at a character; `None` where bash rejects
/// it, too.
pub(super) fn unknown(tokens: &[Token], text: &str, at: usize) -> Option<Problem> {
    let start = |index: usize| parse::byte(text, tokens[index].location().start.index);
    // Bash ends here without a word.
    let operator = (1..tokens.len()).find_map(|index| {
        let operator = &tokens[index - 1];
        let ends = tokens[index].to_str() == "]]"
            && matches!(operator.to_str(), "&&" | "||")
            && groups::in_test(tokens, index);
        ends.then(|| (start(index - 1), operator.to_str()))
    });
    if let Some((at, operator)) = operator {
        return Some(Problem::Broken(Broken {
            at,
            wording: String::new(),
            cause: parse::Cause::Condition(operator.into()),
        }));
    }
    let case = (0..tokens.len()).find(|index| {
        tokens[*index].location().start.index <= at && tokens[*index].to_str().contains("case ")
    });
    case.map(|index| {
        Problem::Unknown(Unknown {
            at: start(index),
            construct: "`case` inside of `$(…)`",
        })
    })
}

/// `((` that nothing ends: bash looks for its end before it reads anything inside.
pub(super) fn parentheses(tokens: &[Token], text: &str) -> Option<Problem> {
    let is = |index: usize, what: &str| matches!(tokens.get(index), Some(Token::Operator(text, _)) if text == what);
    let first = (0..tokens.len()).find(|index| {
        let touches = |index: usize| {
            tokens[index].location().end.index == tokens[index + 1].location().start.index
        };
        let begins = repair::starts_command(tokens, *index)
            || *index > 0
                && tokens[*index - 1].to_str() == "for"
                && repair::starts_command(tokens, *index - 1);
        is(*index, "(")
            && is(index + 1, "(")
            && touches(*index)
            && begins
            && groups::closing(tokens, index + 1).is_none()
    })?;
    Some(Problem::Broken(Broken {
        at: parse::byte(text, tokens[first].location().start.index),
        wording: "unexpected EOF while looking for matching `)'".into(),
        cause: parse::Cause::Quote("((".into()),
    }))
}

/// The first error in a text that `$(…)` holds, which bash parses together with the text around it.
pub(super) fn nested(program: &Program, text: &str) -> Option<Problem> {
    let mut search = Search {
        offsets: parse::Offsets::new(text),
        found: None,
    };
    for list in &program.complete_commands {
        search.list(list);
    }
    search.found
}

struct Search {
    offsets: parse::Offsets,
    found: Option<Problem>,
}

impl Search {
    fn list(&mut self, list: &CompoundList) {
        for item in &list.0 {
            self.pipeline(&item.0.first);
            for next in &item.0.additional {
                let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = next;
                self.pipeline(pipeline);
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        for command in &pipeline.seq {
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound(compound, redirects) => {
                self.compound(compound);
                self.redirects(redirects.as_ref());
            }
            Command::Function(function) => {
                self.compound(&function.body.0);
                self.redirects(function.body.1.as_ref());
            }
            Command::ExtendedTest(_, redirects) => self.redirects(redirects.as_ref()),
        }
    }

    fn compound(&mut self, compound: &CompoundCommand) {
        match compound {
            CompoundCommand::Arithmetic(_) => {}
            CompoundCommand::ArithmeticForClause(clause) => self.list(&clause.body.list),
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(shell) => self.list(&shell.list),
            CompoundCommand::ForClause(clause) => {
                for word in clause.values.iter().flatten() {
                    self.word(word);
                }
                self.list(&clause.body.list);
            }
            CompoundCommand::CaseClause(clause) => {
                self.word(&clause.value);
                for case in &clause.cases {
                    for word in &case.patterns {
                        self.word(word);
                    }
                    if let Some(list) = &case.cmd {
                        self.list(list);
                    }
                }
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition);
                self.list(&clause.then);
                for part in clause.elses.iter().flatten() {
                    if let Some(condition) = &part.condition {
                        self.list(condition);
                    }
                    self.list(&part.body);
                }
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0);
                self.list(&clause.1.list);
            }
            CompoundCommand::Coprocess(process) => self.command(&process.body),
        }
    }

    fn simple(&mut self, simple: &SimpleCommand) {
        let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
        for item in prefix.chain(suffix) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => self.redirect(redirect),
                CommandPrefixOrSuffixItem::Word(word) => self.word(word),
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    if let AssignmentValue::Array(values) = &assignment.value {
                        for (_, word) in values {
                            self.word(word);
                        }
                    } else {
                        self.word(word);
                    }
                }
                CommandPrefixOrSuffixItem::ProcessSubstitution(_, shell) => self.list(&shell.list),
            }
        }
        if let Some(word) = &simple.word_or_name {
            self.word(word);
        }
    }

    fn redirects(&mut self, redirects: Option<&RedirectList>) {
        for redirect in redirects.iter().flat_map(|list| &list.0) {
            self.redirect(redirect);
        }
    }

    fn redirect(&mut self, redirect: &IoRedirect) {
        match redirect {
            IoRedirect::File(
                _,
                _,
                IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word),
            )
            | IoRedirect::HereString(_, word)
            | IoRedirect::OutputAndError(word, _) => self.word(word),
            IoRedirect::File(_, _, IoFileRedirectTarget::ProcessSubstitution(_, shell)) => {
                self.list(&shell.list);
            }
            // Bash reads a here-document when it runs the command.
            IoRedirect::File(..) | IoRedirect::HereDocument(..) => {}
        }
    }

    fn word(&mut self, word: &brush_parser::ast::Word) {
        if self.found.is_some() || !word.value.contains("$(") {
            return;
        }
        let start = word
            .loc
            .as_ref()
            .map_or(0, |loc| self.offsets.byte(loc.start.index));
        let Some(contents) = words::contents(&word.value) else {
            return;
        };
        for (offset, text) in contents.substitutions {
            let at = start + offset;
            // Bash reads `$((` as arithmetic first, and what is none when it runs.
            if text.starts_with('(') {
                continue;
            }
            if matches!(pieces(&text).last(), Some(Piece::Comment)) {
                self.found = Some(Problem::Unknown(Unknown {
                    at,
                    construct: "a comment inside of `$(…)`",
                }));
                return;
            }
            let problem = match parse::parse_part(&text) {
                Ok(parsed) => nested(&parsed.program, &text),
                Err(problem) => Some(problem),
            };
            let problem = problem.map(|problem| match problem {
                // The parser may have taken the `)` of a pattern for the end.
                Problem::Broken(_) if word.value.contains("case ") => Problem::Unknown(Unknown {
                    at: 0,
                    construct: "`case` inside of `$(…)`",
                }),
                problem => problem,
            });
            if let Some(problem) = problem {
                self.found = Some(shift(problem, at));
                return;
            }
        }
    }
}

/// The same error in the text around it, where `)` is what ends the inner text.
pub(super) fn shift(problem: Problem, by: usize) -> Problem {
    match problem {
        Problem::Broken(broken) => {
            let wording = match broken.cause {
                parse::Cause::Unfinished(_) => "syntax error near unexpected token `)'".into(),
                _ => broken.wording,
            };
            Problem::Broken(Broken {
                at: broken.at + by,
                wording,
                ..broken
            })
        }
        Problem::Unknown(unknown) => Problem::Unknown(Unknown {
            at: unknown.at + by,
            ..unknown
        }),
    }
}
