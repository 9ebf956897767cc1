//! Finds tokens that bash reads as one thing and the parser as several, or the other way round.

use brush_parser::{SourceSpan, Token};

use super::parse::byte;
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

/// Whether two subshells begin here, with a blank between their parentheses.
pub(super) fn opens_two(tokens: &[Token], index: usize) -> bool {
    let is = |at: usize| matches!(tokens.get(at), Some(Token::Operator(text, _)) if text == "(");
    is(index)
        && is(index + 1)
        && tokens[index].location().end.index < tokens[index + 1].location().start.index
        && starts_command(tokens, index)
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

/// Whether a token is inside of `[[ … ]]`.
pub(super) fn in_test(tokens: &[Token], end: usize) -> bool {
    let last = |word: &str| {
        tokens[..end]
            .iter()
            .rposition(|token| token.to_str() == word)
    };
    last("[[") > last("]]")
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

/// Whether the word of a here-document holds a quote that is a part of it, which the parser takes
/// away.
pub(super) fn quoted_tag(tokens: &[Token], index: usize) -> bool {
    matches!(&tokens[index], Token::Operator(operator, _) if matches!(operator.as_str(), "<<" | "<<-"))
        && matches!(tokens.get(index + 1), Some(Token::Word(tag, _))
            if words::fixed_text(tag.trim()).is_none_or(|word| word.contains(['\'', '"', '\\'])))
}
