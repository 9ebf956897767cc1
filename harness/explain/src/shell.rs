//! Predicts what bash makes of a shell text without running it.

mod builtins;
mod command;
mod compound;
mod constructs;
mod expansions;
mod flow;
mod groups;
mod locate;
mod mask;
mod nesting;
mod own;
mod parse;
mod programs;
mod reach;
mod repair;
mod simple;
mod tokens;
mod words;

#[cfg(test)]
mod tests;

pub(super) use command::{Argument, assigns, calls, evaluates, literal, may_be, may_run};
pub(super) use expansions::{
    Expansion, braces, differs, expansions, patterns, sets, without_expansions,
};
pub(super) use flow::Stop;
pub(super) use locate::{Joined, location};
pub(super) use own::{GENERATED, OwnVerdict, judge as judge_own};
pub(super) use parse::{Broken, Cause, Unknown};
pub(super) use programs::runs;
pub(super) use reach::{Analysis, Reach, Surroundings};
pub(super) use tokens::{Piece, escapes_what_follows, is_quoted, pieces, special, special_behind};

/// The outcome of a text that starts Ray at its end.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Bash reports a syntax error, or takes `ray start` for something else than a command.
    Broken(Broken),
    /// The text holds something that the parser does not know.
    Unknown(Unknown),
    /// Bash runs the text.
    Runs(Box<Analysis>),
}

/// Judges a text whose generated part begins at a byte offset with ` && ulimit …; ray start …`.
pub(super) fn judge(text: &str, generated: usize, around: Surroundings) -> Verdict {
    let parsed = match parse::parse(text, generated) {
        Ok(parsed) => parsed,
        Err(parse::Problem::Broken(broken)) => return Verdict::Broken(broken),
        Err(parse::Problem::Unknown(unknown)) => return Verdict::Unknown(unknown),
    };
    let start = text[generated..].find("ray start").map(|at| generated + at);
    let analysis = reach::analyse(&parsed.program, text, generated, start, around);
    if analysis.seen {
        Verdict::Runs(Box::new(analysis))
    } else {
        Verdict::Broken(parse::swallowed(text, generated, parsed))
    }
}

/// Returns the syntax error that bash reports for a text; `None` where bash parses it, or where
/// that is not known.
pub(super) fn broken(text: &str) -> Option<Broken> {
    match parse::parse(text, text.len()) {
        Err(parse::Problem::Broken(broken)) => Some(broken),
        _ => None,
    }
}

/// The outcome of a text that ends in ` && ulimit …; ray start …`, as [`shell_verdict`] predicts
/// it.
///
/// ```
/// use kuberay_explain::{ShellVerdict, shell_verdict};
///
/// let generated = " && ulimit -n 65536; ray start --head  --block ";
/// // The comment includes the generated text.
/// assert_eq!(shell_verdict(" prepare # first ", generated), ShellVerdict::Swallowed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellVerdict {
    /// Bash reports a syntax error, with this message; empty where bash prints none.
    SyntaxError(String),
    /// Bash parses the text, but `ray start` is no command in it.
    Swallowed,
    /// The text holds a construct that is not analysed.
    NotAnalysed(&'static str),
    /// Every path reaches `ray start`.
    Starts,
    /// Some paths reach `ray start`.
    MayStart,
    /// No path reaches `ray start`.
    NeverStarts,
}

/// Predicts, without running bash, whether bash reaches `ray start` when the generated text follows
/// a user's text.
///
/// ```
/// use kuberay_explain::{ShellVerdict, shell_verdict};
///
/// let generated = " && ulimit -n 65536; ray start --head  --block ";
/// assert_eq!(shell_verdict(" prepare ", generated), ShellVerdict::Starts);
/// assert_eq!(shell_verdict(" exec other ", generated), ShellVerdict::NeverStarts);
/// let error = "syntax error near unexpected token `&&'".to_owned();
/// assert_eq!(shell_verdict(" prepare & ", generated), ShellVerdict::SyntaxError(error));
/// ```
pub fn shell_verdict(user: &str, generated: &str) -> ShellVerdict {
    let text = format!("{user}{generated}");
    match judge(&text, user.len(), Surroundings::default()) {
        Verdict::Broken(broken) => match broken.cause {
            Cause::Comment | Cause::HereDocument(_) => ShellVerdict::Swallowed,
            // Of some texts bash reports nothing.
            Cause::Quote(opener) if opener == "((" => ShellVerdict::SyntaxError(broken.wording),
            Cause::Unfinished(_) | Cause::Condition(_) => ShellVerdict::SyntaxError(broken.wording),
            _ if broken.wording.is_empty() => ShellVerdict::Swallowed,
            _ => ShellVerdict::SyntaxError(broken.wording),
        },
        Verdict::Unknown(unknown) => ShellVerdict::NotAnalysed(unknown.construct),
        Verdict::Runs(analysis) => match analysis.reach {
            Reach::Every => ShellVerdict::Starts,
            Reach::Some => ShellVerdict::MayStart,
            Reach::None => ShellVerdict::NeverStarts,
        },
    }
}
