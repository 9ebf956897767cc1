//! The compound commands that are open at a token, so that an error names the word that bash names.

use brush_parser::Token;

use super::repair::starts_command;

/// Compound commands that are open, each as the word that opened its current part and the token
/// that began it.
#[derive(Debug, Default)]
pub(super) struct Nesting(Vec<(&'static str, usize)>);

impl Nesting {
    /// The compound commands that are open before a token.
    pub fn before(tokens: &[Token], end: usize) -> Self {
        let mut nesting = Self::default();
        for index in 0..end {
            nesting.step(tokens, index);
        }
        nesting
    }

    /// The token that began the innermost open command.
    pub fn innermost(&self) -> Option<usize> {
        self.0.last().map(|(_, index)| *index)
    }

    fn top(&self) -> &'static str {
        self.0.last().map_or("", |(word, _)| word)
    }

    fn step(&mut self, tokens: &[Token], index: usize) {
        match (&tokens[index], tokens[index].to_str()) {
            (Token::Operator(..), "(") => self.0.push(("(", index)),
            (Token::Operator(..), ")") if self.top() == "(" => {
                self.0.pop();
            }
            (Token::Word(..), word) if starts_command(tokens, index) => self.word(word, index),
            (Token::Word(..), "do") if self.top() == "loop" => self.word("do", index),
            (Token::Word(..), "]]") if self.top() == "[[" => {
                self.0.pop();
            }
            _ => {}
        }
    }

    fn word(&mut self, word: &str, index: usize) {
        let opened = match word {
            "if" => "if",
            "while" | "until" | "for" | "select" => "loop",
            "case" => "case",
            "{" => "{",
            "[[" => "[[",
            _ if self.allows(word) => {
                let part = match word {
                    "then" => Some("then"),
                    "else" => Some("else"),
                    "elif" => Some("if"),
                    "do" => Some("do"),
                    _ => None,
                };
                let last = self.0.pop();
                if let (Some(part), Some((_, start))) = (part, last) {
                    self.0.push((part, start));
                }
                return;
            }
            _ => return,
        };
        self.0.push((opened, index));
    }

    /// Returns whether a reserved word continues or ends the innermost command.
    fn allows(&self, word: &str) -> bool {
        matches!(
            (word, self.top()),
            ("then", "if")
                | ("elif" | "else" | "fi", "then")
                | ("fi", "else")
                | ("do", "loop")
                | ("done", "do")
                | ("esac", "case")
                | ("}", "{")
        )
    }
}

/// The token that bash reports where the parser stops at one: a reserved word in the wrong place
/// comes before it.
pub(super) fn reported(tokens: &[Token], stopped: usize) -> usize {
    let Some(before) = stopped.checked_sub(1) else {
        return stopped;
    };
    let word = tokens[before].to_str();
    if word == ")" && !matches!(Nesting::before(tokens, before).top(), "(" | "case") {
        return before;
    }
    // The parser looks for an array in `word (…)`.
    if word == ")"
        && let Some(open) = opening(tokens, before)
        && open > 0
        && !starts_command(tokens, open)
        && !tokens[open - 1].to_str().ends_with('=')
    {
        return open;
    }
    let reserved = ["then", "do", "done", "fi", "esac", "else", "elif", "}"];
    if !reserved.contains(&word) || !starts_command(tokens, before) {
        return stopped;
    }
    let empty = before.checked_sub(1).is_some_and(|index| {
        let word = tokens[index].to_str();
        matches!(tokens[index], Token::Word(..))
            && matches!(
                word,
                "if" | "then" | "do" | "else" | "elif" | "while" | "until" | "{"
            )
            && starts_command(tokens, index)
    });
    if empty || !Nesting::before(tokens, before).allows(word) {
        before
    } else {
        stopped
    }
}

/// The parenthesis that another one closes.
fn opening(tokens: &[Token], close: usize) -> Option<usize> {
    let mut depth = 0usize;
    (0..=close).rev().find(|index| {
        match &tokens[*index] {
            Token::Operator(operator, _) if operator == ")" => depth += 1,
            Token::Operator(operator, _) if operator == "(" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}
