//! Finds tokens that bash reads as one thing and the parser as several, or the other way round.

use brush_parser::{SourceSpan, Token};

use super::parse::{Broken, Cause, Problem, byte};
use super::repair::starts_command;
use super::words;

/// The index of the `))` that ends the arithmetic command beginning at a token. Bash looks only for
/// this end before it runs the command, and reads the expression then.
pub(super) fn arithmetic(tokens: &[Token], index: usize) -> Option<usize> {
    let is = |at: usize, what: &str| matches!(tokens.get(at), Some(Token::Operator(text, _)) if text == what);
    let touches =
        |at: usize| tokens[at].location().end.index == tokens[at + 1].location().start.index;
    if !(is(index, "(") && is(index + 1, "(") && touches(index) && starts_command(tokens, index)) {
        return None;
    }
    let mut depth = 0usize;
    for at in index + 2..tokens.len() {
        if is(at, "(") {
            depth += 1;
        } else if is(at, ")") {
            if depth == 0 {
                let ends = is(at + 1, ")") && touches(at) && at > index + 2;
                return ends.then_some(at);
            }
            depth -= 1;
        }
    }
    None
}

/// Returns whether two subshells begin here: with a blank between their parentheses, or because
/// what they hold does not end as arithmetic does.
pub(super) fn opens_two(tokens: &[Token], index: usize) -> bool {
    let is = |at: usize| matches!(tokens.get(at), Some(Token::Operator(text, _)) if text == "(");
    is(index)
        && is(index + 1)
        && (tokens[index].location().end.index < tokens[index + 1].location().start.index
            || closing(tokens, index + 1).is_some_and(|close| !ends_arithmetic(tokens, close)))
        && starts_command(tokens, index)
}

/// The index of the parenthesis that closes the one at an index.
pub(super) fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    (open..tokens.len()).find(|at| {
        match &tokens[*at] {
            Token::Operator(text, _) if text == "(" => depth += 1,
            Token::Operator(text, _) if text == ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

/// A line break behind the first end of `((…)`, where only another parenthesis or a command may
/// follow; bash names the last word of the line up to it.
pub(super) fn cut_arithmetic(tokens: &[Token], index: usize, text: &str) -> Option<Problem> {
    let is = |at: usize| matches!(tokens.get(at), Some(Token::Operator(text, _)) if text == "(");
    let begins = is(index)
        && is(index + 1)
        && tokens[index].location().end.index == tokens[index + 1].location().start.index
        && starts_command(tokens, index);
    let close = begins.then(|| closing(tokens, index + 1)).flatten()?;
    let at = byte(text, tokens[index].location().start.index);
    let end = byte(text, tokens[close].location().end.index);
    text.get(end..)?.starts_with('\n').then(|| {
        Problem::Broken(Broken {
            at,
            wording: format!("syntax error near `{}'", last_word(&text[..end])),
            cause: Cause::Other,
        })
    })
}

/// The last word of a text as bash names it (`error_token_from_text` in its parse.y): from the last
/// blank on, or from the last `;`, `|` or `&` on with that.
fn last_word(text: &str) -> &str {
    let word = text.rsplit([' ', '\t', '\n']).next().unwrap_or_default();
    &word[word.rfind([';', '|', '&']).unwrap_or_default()..]
}

/// Returns whether a parenthesis and the next token are `))`.
fn ends_arithmetic(tokens: &[Token], close: usize) -> bool {
    tokens.get(close + 1).is_some_and(|next| {
        matches!(next, Token::Operator(text, _) if text == ")")
            && next.location().start.index == tokens[close].location().end.index
    })
}

/// The `for ((…; …; …))` that begins at a token, as tokens that the parser takes, and the index
/// behind it. Bash finds its end and splits it at `;` before it reads the expressions.
pub(super) fn arithmetic_for(
    tokens: &[Token],
    index: usize,
    text: &str,
) -> Option<Result<(Vec<Token>, usize), Problem>> {
    let is = |at: usize, what: &str| matches!(tokens.get(at), Some(Token::Operator(text, _)) if text == what);
    let begins = matches!(&tokens[index], Token::Word(word, _) if word == "for")
        && starts_command(tokens, index)
        && is(index + 1, "(")
        && is(index + 2, "(")
        && tokens[index + 1].location().end.index == tokens[index + 2].location().start.index;
    if !begins {
        return None;
    }
    let close = closing(tokens, index + 2)?;
    let broken = |wording: &str| {
        Problem::Broken(Broken {
            at: byte(text, tokens[index + 1].location().start.index),
            wording: wording.into(),
            cause: if wording.is_empty() {
                Cause::Quote("((".into())
            } else {
                Cause::Other
            },
        })
    };
    if !ends_arithmetic(tokens, close) {
        // Bash ends here without a word.
        return Some(Err(broken("")));
    }
    let mut parts = vec![Vec::new()];
    for token in &tokens[index + 3..close] {
        let ends = match token {
            Token::Operator(operator, _) => operator.matches(';').count(),
            Token::Word(..) => 0,
        };
        parts.extend(std::iter::repeat_n(Vec::new(), ends));
        if ends == 0
            && let Some(part) = parts.last_mut()
        {
            part.push(token.clone());
        }
    }
    match parts.len() {
        3 => {}
        0..=2 => {
            return Some(Err(broken("syntax error: arithmetic expression required")));
        }
        _ => return Some(Err(broken("syntax error: `;' unexpected"))),
    }
    let mut made = tokens[index..index + 3].to_vec();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            made.push(Token::Operator(
                ";".into(),
                tokens[close].location().clone(),
            ));
        }
        if !part.is_empty() {
            made.push(expression(part));
        }
    }
    made.extend_from_slice(&tokens[close..close + 2]);
    Some(Ok((made, close + 2)))
}

/// The index behind a regular expression of `[[ … =~ … ]]` that the parser splits; inside of its
/// parentheses blanks and operators are a part of it.
pub(super) fn regular_expression(tokens: &[Token], index: usize) -> Option<usize> {
    if tokens[index].to_str() != "=~" || !in_test(tokens, index) {
        return None;
    }
    let mut depth = 0usize;
    for at in index + 1..tokens.len() {
        let apart = tokens[at].location().start.index != tokens[at - 1].location().end.index;
        // Behind a here-document on the same line, places say nothing.
        let apart = apart || tokens[at].to_str() == "]]";
        if at > index + 1 && depth == 0 && apart {
            let ends = matches!(tokens[at].to_str(), "]]" | "&&" | "||" | ")");
            return (ends && at > index + 2).then_some(at);
        }
        match tokens[at].to_str() {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            "\n" => return None,
            _ => {}
        }
    }
    None
}

/// The operator that ends a regular expression of `[[ … =~ … ]]` too early.
pub(super) fn operator_in_expression(tokens: &[Token], index: usize) -> Option<&Token> {
    if tokens[index].to_str() != "=~" || !in_test(tokens, index) {
        return None;
    }
    let mut depth = 0_usize;
    for at in index + 1..tokens.len() {
        let apart = tokens[at].location().start.index != tokens[at - 1].location().end.index;
        if at > index + 1 && depth == 0 && (apart || tokens[at].to_str() == "]]") {
            return None;
        }
        match (&tokens[at], tokens[at].to_str()) {
            (Token::Operator(..), "(") => depth += 1,
            (Token::Operator(..), ")") => depth = depth.checked_sub(1)?,
            (Token::Operator(..), "\n" | "&&" | "||") => return None,
            (Token::Operator(..), operator)
                if depth == 0 && operator.contains(['<', '>', '&', ';']) =>
            {
                return Some(&tokens[at]);
            }
            _ => {}
        }
    }
    None
}

/// Returns whether a token is inside of `[[ … ]]`.
pub(super) fn in_test(tokens: &[Token], end: usize) -> bool {
    let last = |word: &str| {
        tokens[..end]
            .iter()
            .rposition(|token| token.to_str() == word)
    };
    let open = last("[[").filter(|open| starts_command(tokens, *open));
    open.is_some() && open > last("]]")
}

/// An expression as one token that the parser takes: a number, or a name in place of anything else.
pub(super) fn expression(tokens: &[Token]) -> Token {
    if let [Token::Word(word, _)] = tokens
        && word.parse::<i64>().is_ok()
    {
        return tokens[0].clone();
    }
    let span = SourceSpan {
        start: tokens[0].location().start.clone(),
        end: tokens[tokens.len() - 1].location().end.clone(),
    };
    Token::Word("x".into(), span)
}

/// An operator where the word of a here-document should be, which the parser takes for the word or
/// a part of it.
pub(super) fn redirected_tag(tokens: &[Token], index: usize, text: &str) -> Option<Token> {
    let Token::Operator(operator, location) = &tokens[index] else {
        return None;
    };
    if !matches!(operator.as_str(), "<<" | "<<-") {
        return None;
    }
    // Of `<< <<END` the parser drops the first operator.
    let before = text.get(..byte(text, location.start.index))?;
    let blank = before.trim_end_matches([' ', '\t']);
    if blank.len() < before.len() && (blank.ends_with("<<") || blank.ends_with("<<-")) {
        return Some(tokens[index].clone());
    }
    // A number directly before a redirection belongs to that.
    let after = text.get(byte(text, location.end.index)..)?;
    let after = after.trim_start_matches([' ', '\t']);
    let number = after.trim_start_matches(|c: char| c.is_ascii_digit());
    if number.len() < after.len() && number.starts_with(['<', '>']) {
        let number = after[..after.len() - number.len()].to_owned();
        return Some(Token::Word(number, location.clone()));
    }
    match tokens.get(index + 1)? {
        Token::Operator(next, location) if next.contains(['<', '>']) => {
            Some(Token::Operator(next.clone(), location.clone()))
        }
        Token::Operator(..) => None,
        Token::Word(tag, location) => {
            let first = tag.trim_start().chars().next();
            let first = first.filter(|first| "<>".contains(*first))?;
            Some(Token::Operator(first.to_string(), location.clone()))
        }
    }
}

/// Returns whether the word of a here-document holds a quote that is a part of it, which the parser
/// takes away.
pub(super) fn quoted_tag(tokens: &[Token], index: usize) -> bool {
    matches!(&tokens[index], Token::Operator(operator, _) if matches!(operator.as_str(), "<<" | "<<-"))
        && matches!(tokens.get(index + 1), Some(Token::Word(tag, _))
            if words::fixed_text(tag.trim()).is_none_or(|word| word.contains(['\'', '"', '\\'])))
}
