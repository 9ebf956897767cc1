//! `github.com/google/shlex`: words as the operator up to 1.2 splits an entrypoint.
//!
//! It is not POSIX: a backslash drops out before any character, in double quotes and before a line
//! break, too.

/// What the splitter has seen so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
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
    let mut state = State::Start;
    for c in text.chars() {
        let space = matches!(c, ' ' | '\t' | '\r' | '\n');
        state = match (state, c) {
            (State::Comment, '\n') => State::Start,
            (State::Comment, _) | (State::Start, '#') => State::Comment,
            (State::Start, _) if space => State::Start,
            (State::InWord, _) if space => {
                words.push(std::mem::take(&mut word));
                State::Start
            }
            (State::Start | State::InWord, '"') => State::DoubleQuoted,
            (State::Start | State::InWord, '\'') => State::SingleQuoted,
            (State::Start | State::InWord, '\\') => State::Escaping,
            (State::DoubleQuoted, '"') | (State::SingleQuoted, '\'') => State::InWord,
            (State::DoubleQuoted, '\\') => State::EscapingQuoted,
            (state, c) => {
                word.push(c);
                match state {
                    State::EscapingQuoted => State::DoubleQuoted,
                    State::Start | State::Escaping => State::InWord,
                    state => state,
                }
            }
        };
    }
    match state {
        State::Start | State::Comment => {}
        State::InWord => words.push(word),
        State::Escaping | State::EscapingQuoted => return Err("EOF found after escape character"),
        State::DoubleQuoted | State::SingleQuoted => {
            return Err("EOF found when expecting closing quote");
        }
    }
    Ok(words)
}
