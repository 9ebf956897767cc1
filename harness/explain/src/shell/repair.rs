//! Changes tokens that the parser reads in another way than bash.

use brush_parser::{SourceSpan, Token};

use super::groups::{
    arithmetic, arithmetic_for, cut_arithmetic, expression, in_test, opens_two,
    operator_in_expression, quoted_tag, redirected_tag, regular_expression,
};
use super::parse::{self, Problem, Unknown, byte};

/// The tokens as the parser takes them: expressions of `((…))`, `for ((…))` and `[[ … =~ … ]]`
/// replaced, `for` in place of `select`, a name behind `coproc`, two subshells apart, `;&` joined, a
/// line break after `esac`, and each process substitution as one word.
///
/// # Errors
/// When bash refuses an operator or a word that the parser takes.
pub(super) fn repaired(tokens: &[Token], text: &str) -> Result<Vec<Token>, Problem> {
    let mut repaired: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut index = 0;
    while index < tokens.len() {
        let token = &tokens[index];
        if let Some(close) = arithmetic(tokens, index) {
            repaired.extend_from_slice(&tokens[index..index + 2]);
            repaired.push(expression(&tokens[index + 2..close]));
            repaired.extend_from_slice(&tokens[close..close + 2]);
            index = close + 2;
            continue;
        }
        if let Some(made) = arithmetic_for(tokens, index, text) {
            let (made, end) = made?;
            repaired.extend(made);
            index = end;
            continue;
        }
        if let Some(word) = select_as_for(tokens, index) {
            repaired.push(word);
            index += 1;
            continue;
        }
        if names_nothing(tokens, index) {
            repaired.push(token.clone());
            repaired.push(Token::Word("COPROC".into(), token.location().clone()));
            index += 1;
            continue;
        }
        if let Some(problem) = cut_arithmetic(tokens, index, text) {
            return Err(problem);
        }
        if let Some(operator) = operator_in_expression(tokens, index) {
            return Err(parse::in_condition(operator, text));
        }
        // Else the parser takes `( (…))` for arithmetic.
        if opens_two(tokens, index) {
            repaired.push(token.clone());
            repaired.push(Token::Operator("\n".into(), token.location().clone()));
            index += 1;
            continue;
        }
        if let Some(end) = regular_expression(tokens, index) {
            let span = SourceSpan {
                start: tokens[index + 1].location().start.clone(),
                end: tokens[end - 1].location().end.clone(),
            };
            repaired.extend([token.clone(), Token::Word("x".into(), span)]);
            index = end;
            continue;
        }
        if let Some(redirect) = redirected_tag(tokens, index, text) {
            return Err(parse::near(&redirect, text));
        }
        if quoted_tag(tokens, index) {
            return Err(Problem::Unknown(Unknown {
                at: byte(text, token.location().start.index),
                construct: "a here-document whose word holds quotes",
            }));
        }
        if let Some(token) = refused(tokens, index) {
            return Err(parse::near(token, text));
        }
        if let Some(joined) = fall_through(tokens, index) {
            repaired.push(joined);
            index += 2;
            continue;
        }
        if let Some(end) = substitution(tokens, index) {
            let start = token.location();
            let from = byte(text, tokens[index + 1].location().end.index);
            let to = byte(text, tokens[end].location().start.index);
            check(text.get(from..to).unwrap_or_default(), from)?;
            // It may be a part of the word before it.
            let before = match repaired.pop() {
                Some(Token::Word(word, location)) if location.end.index == start.start.index => {
                    Some((word, location))
                }
                Some(other) => {
                    repaired.push(other);
                    None
                }
                None => None,
            };
            let (word, first) = before.unwrap_or_else(|| (String::new(), start.clone()));
            let span = SourceSpan {
                start: first.start,
                end: tokens[end].location().end.clone(),
            };
            repaired.push(Token::Word(format!("{word}/dev/fd/63"), span));
            index = end + 1;
        } else {
            if let Token::Word(word, location) = token
                && RESERVED.contains(&word.as_str())
                && after_assignment(&repaired)
            {
                repaired.push(Token::Word(format!("\\{word}"), location.clone()));
                index += 1;
                continue;
            }
            // Else the parser takes `esac)` for a pattern.
            let after_esac =
                matches!(repaired.last(), Some(Token::Word(word, _)) if word == "esac");
            if after_esac && matches!(token.to_str(), "|" | "|&") {
                // Nor `esac | a)`; a redirection that changes nothing here ends the pattern.
                repaired.push(Token::Operator(">&".into(), token.location().clone()));
                repaired.push(Token::Word("2".into(), token.location().clone()));
            }
            if after_esac && token.to_str() == ")" {
                repaired.push(Token::Operator("\n".into(), token.location().clone()));
            }
            repaired.push(token.clone());
            index += 1;
        }
    }
    Ok(repaired)
}

const RESERVED: [&str; 17] = [
    "!", "[[", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "then",
    "until", "while", "select",
];

/// Returns whether the last token ends an assignment or a redirection before a command, after which
/// no word is reserved.
fn after_assignment(tokens: &[Token]) -> bool {
    let Some(mut last) = tokens.len().checked_sub(1) else {
        return false;
    };
    if last > 0 && redirects(&tokens[last - 1]) && starts_command(tokens, last - 1) {
        return true;
    }
    if tokens[last].to_str() == ")" {
        let mut depth = 0usize;
        let open = (0..=last).rev().find(|index| {
            match tokens[*index].to_str() {
                ")" => depth += 1,
                "(" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let Some(before) = open.and_then(|open| open.checked_sub(1)) else {
            return false;
        };
        if !tokens[before].to_str().ends_with('=') {
            return false;
        }
        last = before;
    }
    let Token::Word(word, _) = &tokens[last] else {
        return false;
    };
    let name = word.split('=').next().unwrap_or_default();
    name.len() < word.len()
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && starts_command(tokens, last)
}

/// `select` as `for`, which has the same form; [`is_select`] tells them apart.
fn select_as_for(tokens: &[Token], index: usize) -> Option<Token> {
    let token = &tokens[index];
    let select = matches!(token, Token::Word(word, _) if word == "select");
    let next = tokens.get(index + 1);
    let named = next.is_some_and(|next| matches!(next, Token::Word(..)));
    (select && named && starts_command(tokens, index))
        .then(|| Token::Word("for".into(), token.location().clone()))
}

/// Returns whether the `for` at a byte of a text is a `select`.
pub(super) fn is_select(text: &str, at: usize) -> bool {
    text.get(at..)
        .is_some_and(|rest| rest.starts_with("select"))
}

/// Returns whether a compound command follows `coproc`, whose first word the parser would take for
/// a name.
fn names_nothing(tokens: &[Token], index: usize) -> bool {
    let opens = |next: &Token| {
        matches!(
            next.to_str(),
            "while" | "until" | "if" | "for" | "case" | "select"
        )
    };
    tokens[index].to_str() == "coproc"
        && starts_command(tokens, index)
        && tokens.get(index + 1).is_some_and(opens)
}

/// The index of the parenthesis that ends a process substitution, where one begins here.
fn substitution(tokens: &[Token], index: usize) -> Option<usize> {
    let is = |index: usize, operator: &str| {
        let token = tokens.get(index);
        token.is_some_and(|token| matches!(token, Token::Operator(text, _) if text == operator))
    };
    let contiguous = tokens
        .get(index + 1)
        .is_some_and(|next| next.location().start.index == tokens[index].location().end.index);
    if !(is(index, "<") || is(index, ">")) || !is(index + 1, "(") || !contiguous {
        return None;
    }
    let mut depth = 0usize;
    for at in index + 1..tokens.len() {
        if is(at, "(") {
            depth += 1;
        } else if is(at, ")") {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

fn check(text: &str, from: usize) -> Result<(), Problem> {
    parse::parse_part(text)
        .map(|_| ())
        .map_err(|problem| super::constructs::shift(problem, from))
}

/// `;&` and `;;&` as one token.
fn fall_through(tokens: &[Token], index: usize) -> Option<Token> {
    let first = tokens.get(index)?;
    let second = tokens.get(index + 1)?;
    let contiguous = first.location().end.index == second.location().start.index;
    let joins = matches!((first, first.to_str()), (Token::Operator(..), ";" | ";;"))
        && matches!((second, second.to_str()), (Token::Operator(..), "&"));
    (joins && contiguous).then(|| {
        let span = SourceSpan {
            start: first.location().start.clone(),
            end: second.location().end.clone(),
        };
        Token::Operator(format!("{}&", first.to_str()), span)
    })
}

/// A token that bash refuses and the parser takes.
fn refused(tokens: &[Token], index: usize) -> Option<&Token> {
    let token = &tokens[index];
    let next = tokens.get(index + 1)?;
    // `!` and `time` may stand alone, but only before `;` or the end of the line.
    if matches!((token, token.to_str()), (Token::Word(..), "!" | "time"))
        && starts_command(tokens, index)
        && !after_assignment(&tokens[..index])
    {
        let closes = match next {
            Token::Operator(operator, _) => {
                matches!(
                    operator.as_str(),
                    "&&" | "||" | "|" | "|&" | "&" | ")" | ";;"
                )
            }
            Token::Word(word, _) => matches!(
                word.as_str(),
                "done" | "fi" | "esac" | "}" | "then" | "do" | "else" | "elif"
            ),
        };
        if closes {
            return Some(next);
        }
    }
    if starts_command(tokens, index) {
        let reserved = [
            "in", "then", "do", "done", "fi", "esac", "else", "elif", "}",
        ];
        if token.to_str() == "coproc" && reserved.contains(&next.to_str()) {
            return Some(next);
        }
        let apart = tokens.get(index + 2).is_some_and(|third| {
            third.to_str() != "(" || third.location().start.index != next.location().end.index
        });
        if token.to_str() == "for" && next.to_str() == "(" && apart {
            return Some(next);
        }
    }
    if token.to_str().len() == 2
        && token.to_str().starts_with('-')
        && matches!(next.to_str(), "]]" | "&&" | "||" | ")")
        && index > 0
        && matches!(tokens[index - 1].to_str(), "[[" | "!" | "(" | "&&" | "||")
        && in_test(tokens, index)
    {
        return Some(next);
    }
    if token.to_str() == "=~" && in_test(tokens, index) {
        // One word, though the parser splits it.
        let end = (index + 2..tokens.len())
            .find(|at| tokens[*at].location().start.index != tokens[at - 1].location().end.index)?;
        let follows = matches!(tokens[end].to_str(), "]]" | "&&" | "||" | ")" | "\n");
        return (!follows).then_some(&tokens[end]);
    }
    if array_argument(tokens, index) {
        return Some(next);
    }
    // `> 2>&1`: the number belongs to the second operator.
    let third = tokens.get(index + 2)?;
    let number = next.to_str().bytes().all(|byte| byte.is_ascii_digit());
    let contiguous = next.location().end.index == third.location().start.index;
    (redirects(token)
        && !matches!(token.to_str(), "<<" | "<<-")
        && matches!(next, Token::Word(..))
        && number
        && redirects(third)
        && contiguous)
        .then_some(next)
}

/// `NAME=(` as an argument of a command that declares nothing.
fn array_argument(tokens: &[Token], index: usize) -> bool {
    let name = tokens[index].to_str().trim_end_matches(['+', '=']);
    let is_name = tokens[index].to_str().ends_with('=')
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let opens = tokens
        .get(index + 1)
        .is_some_and(|next| next.to_str() == "(");
    if !is_name || !opens || starts_command(tokens, index) {
        return false;
    }
    let Some(command) = command_before(tokens, index) else {
        return false;
    };
    let declares = [
        "declare", "typeset", "local", "export", "readonly", "alias", "eval", "let",
    ];
    !command.contains('=') && !declares.contains(&command)
}

/// The first word of the command that an argument belongs to.
fn command_before(tokens: &[Token], index: usize) -> Option<&str> {
    let mut first = None;
    let mut at = index;
    while let Some(before) = at.checked_sub(1) {
        match &tokens[before] {
            Token::Word(word, _) => {
                if starts_command(tokens, before) {
                    first = Some(word.as_str());
                }
                at = before;
            }
            Token::Operator(end, _) if end == ")" => match substitution_start(tokens, before) {
                Some(start) => at = start,
                // It ends a pattern, a subshell or the head of a function.
                None => break,
            },
            Token::Operator(operator, _) if operator.contains(['<', '>']) => at = before,
            Token::Operator(..) => break,
        }
    }
    first
}

/// Returns the beginning of the `<(…)` or `>(…)` that ends at a token.
fn substitution_start(tokens: &[Token], end: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in (1..=end).rev() {
        match tokens[at].to_str() {
            ")" => depth += 1,
            "(" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return matches!(tokens[at - 1].to_str(), "<" | ">").then_some(at - 1);
        }
    }
    None
}

/// Returns whether a token is the operator of a redirection.
fn redirects(token: &Token) -> bool {
    matches!(token, Token::Operator(operator, _) if operator.contains(['<', '>']))
}

/// Returns whether a command may begin at a token.
pub(super) fn starts_command(tokens: &[Token], index: usize) -> bool {
    let Some(before) = index.checked_sub(1) else {
        return true;
    };
    match &tokens[before] {
        Token::Operator(end, _) if end == ")" => substitution_start(tokens, before).is_none(),
        Token::Operator(operator, _) => !operator.contains(['<', '>']),
        Token::Word(word, _) => {
            matches!(
                word.as_str(),
                "then" | "do" | "else" | "elif" | "if" | "while" | "until" | "{" | "!" | "time"
            ) && (word == "{" || starts_command(tokens, before))
        }
    }
}
