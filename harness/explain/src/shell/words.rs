//! Known facts about a word before bash expands it.

use brush_parser::ast::Word;
use brush_parser::word::{self, Parameter, ParameterExpr, WordPiece, WordPieceWithSource};

use super::mask::unmask;
use super::parse::options;

/// The parts of a word that bash replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// Texts of `$(…)`, with the byte offset of the text in the word.
    pub substitutions: Vec<(usize, String)>,
    /// Texts between backquotes.
    pub backquoted: Vec<String>,
    /// Variables that must be set: `$NAME` where `set -u` is on.
    pub plain: bool,
    /// Those of them that have a name.
    pub names: Vec<String>,
    /// `${NAME:?…}` or `${NAME?…}`.
    pub required: bool,
    /// An arithmetic or other expansion that may be an error.
    pub arithmetic: bool,
}

/// The value of a word that bash does not change but for its quotes.
pub(super) fn fixed(word: &Word) -> Option<String> {
    fixed_text(&word.value)
}

pub(super) fn fixed_text(text: &str) -> Option<String> {
    if text.contains(['*', '?', '[']) && !text.contains(['\'', '"', '\\']) && text != "[" {
        return None;
    }
    let pieces = word::parse(text, &options(text)).ok()?;
    let mut value = String::new();
    join(&pieces, &mut value)?;
    Some(value)
}

fn join(pieces: &[WordPieceWithSource], value: &mut String) -> Option<()> {
    for piece in pieces {
        match &piece.piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => value.push_str(text),
            WordPiece::EscapeSequence(text) => {
                // A backslash before a line break is nothing at all.
                value.push_str(
                    text.strip_prefix('\\')
                        .unwrap_or(text)
                        .trim_start_matches('\n'),
                );
            }
            WordPiece::DoubleQuotedSequence(inner) => join(inner, value)?,
            WordPiece::AnsiCQuotedText(text) if !text.contains('\\') => value.push_str(text),
            _ => return None,
        }
    }
    Some(())
}

/// Returns the parts of a word that bash replaces; `None` where the word can't be parsed.
pub(super) fn contents(text: &str) -> Option<Contents> {
    let mut found = Contents {
        arithmetic: bad_substitution(text),
        ..Contents::default()
    };
    read(text, 0, &mut found, 0)?;
    Some(found)
}

fn read(text: &str, offset: usize, found: &mut Contents, depth: usize) -> Option<()> {
    if depth > 8 {
        return None;
    }
    let pieces = word::parse(text, &options(text)).ok()?;
    walk(&pieces, offset, found, depth)
}

fn walk(
    pieces: &[WordPieceWithSource],
    offset: usize,
    found: &mut Contents,
    depth: usize,
) -> Option<()> {
    for piece in pieces {
        let at = offset + piece.start_index;
        match &piece.piece {
            WordPiece::CommandSubstitution(inner) => {
                found.substitutions.push((at + 2, unmask(inner)));
            }
            WordPiece::BackquotedCommandSubstitution(inner) => {
                found.backquoted.push(unmask(inner));
            }
            WordPiece::DoubleQuotedSequence(inner)
            | WordPiece::GettextDoubleQuotedSequence(inner) => {
                walk(inner, offset, found, depth)?;
            }
            WordPiece::ParameterExpansion(expansion) => {
                parameter(expansion, at, found, depth)?;
            }
            WordPiece::ArithmeticExpression(expression) => {
                found.arithmetic |= !expression
                    .value
                    .chars()
                    .all(|c| c.is_ascii_digit() || "+-* ".contains(c));
            }
            WordPiece::TildeExpansion(_)
            | WordPiece::Text(_)
            | WordPiece::SingleQuotedText(_)
            | WordPiece::AnsiCQuotedText(_)
            | WordPiece::EscapeSequence(_) => {}
        }
    }
    Some(())
}

fn parameter(
    expansion: &ParameterExpr,
    at: usize,
    found: &mut Contents,
    depth: usize,
) -> Option<()> {
    let inner = match expansion {
        ParameterExpr::UseDefaultValues { default_value, .. }
        | ParameterExpr::AssignDefaultValues { default_value, .. } => default_value,
        ParameterExpr::UseAlternativeValue {
            alternative_value, ..
        } => alternative_value,
        ParameterExpr::IndicateErrorIfNullOrUnset { .. } => {
            found.required = true;
            return Some(());
        }
        ParameterExpr::Parameter { parameter, .. } => {
            found.plain |= matches!(parameter, Parameter::Named(_) | Parameter::Positional(1..));
            if let Parameter::Named(name) = parameter {
                found.names.push(name.clone());
            }
            return Some(());
        }
        _ => {
            found.plain = true;
            return Some(());
        }
    };
    match inner {
        Some(inner) => read(inner, at, found, depth + 1),
        None => Some(()),
    }
}

/// The first `${…}` of a word that bash refuses when it runs, whatever the variables hold:
/// `${a.b}`, `${{ a }}`.
pub(super) fn refused(text: &str) -> Option<&str> {
    let mut double = false;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '\'' if !double => {
                chars.by_ref().find(|(_, c)| *c == '\'');
            }
            '"' => double = !double,
            '$' if text[at..].starts_with("${") => {
                let inner = &text[at + 2..];
                let name = inner
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(inner.len());
                let rest = &inner[name..];
                if rest.starts_with(['.', ' ', '{']) {
                    let end = inner.find('}').map_or(text.len(), |end| at + 2 + end + 1);
                    return text.get(at..end);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns whether a text may hold `${…}` that bash refuses when it runs.
fn bad_substitution(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let inner = text[at + 2..].trim_start_matches(['#', '!']);
        let name = inner
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(inner.len());
        let rest = inner[name..].chars().next();
        !matches!(
            (name, rest),
            (
                1..,
                Some('}' | ':' | '-' | '=' | '+' | '?' | '#' | '%' | '/' | '^' | ',' | '@' | '[')
            )
        )
    })
}
