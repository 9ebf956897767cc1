//! `github.com/google/shlex`: words as the operator up to 1.2 splits an entrypoint.
//!
//! It is not POSIX: a backslash drops out before any character, in double quotes and before a line
//! break, too.

/// State of the splitter after the characters so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LexerState {
    Start,
    InWord,
    Escaping,
    EscapingQuoted,
    DoubleQuoted,
    SingleQuoted,
    Comment,
}

/// Splits a text into words.
///
/// # Errors
/// When a quote is not closed, or a backslash is the last character.
pub(crate) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut state = LexerState::Start;
    for c in text.chars() {
        let space = matches!(c, ' ' | '\t' | '\r' | '\n');
        state = match (state, c) {
            (LexerState::Comment, '\n') => LexerState::Start,
            (LexerState::Comment, _) | (LexerState::Start, '#') => LexerState::Comment,
            (LexerState::Start, _) if space => LexerState::Start,
            (LexerState::InWord, _) if space => {
                words.push(std::mem::take(&mut word));
                LexerState::Start
            }
            (LexerState::Start | LexerState::InWord, '"') => LexerState::DoubleQuoted,
            (LexerState::Start | LexerState::InWord, '\'') => LexerState::SingleQuoted,
            (LexerState::Start | LexerState::InWord, '\\') => LexerState::Escaping,
            (LexerState::DoubleQuoted, '"') | (LexerState::SingleQuoted, '\'') => {
                LexerState::InWord
            }
            (LexerState::DoubleQuoted, '\\') => LexerState::EscapingQuoted,
            (state, c) => {
                word.push(c);
                match state {
                    LexerState::EscapingQuoted => LexerState::DoubleQuoted,
                    LexerState::Start | LexerState::Escaping => LexerState::InWord,
                    state => state,
                }
            }
        };
    }
    match state {
        LexerState::Start | LexerState::Comment => {}
        LexerState::InWord => words.push(word),
        LexerState::Escaping | LexerState::EscapingQuoted => {
            return Err("EOF found after escape character");
        }
        LexerState::DoubleQuoted | LexerState::SingleQuoted => {
            return Err("EOF found when expecting closing quote");
        }
    }
    Ok(words)
}
