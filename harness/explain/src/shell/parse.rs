//! Parses the text that bash receives, and words errors as bash does.

use brush_parser::ast::Program;
use brush_parser::{ParseError, ParserOptions, Token, TokenizerError, TokenizerOptions};

use super::mask::{mask, unmask};
use super::nesting::{self, Nesting};
use super::tokens::{Piece, pieces};
use super::{constructs, repair};

/// A reason why bash never runs `ray start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Broken {
    /// Byte offset in the text of what to change.
    pub at: usize,
    /// The message of bash, without its own name and the line.
    pub wording: String,
    /// The problem of the text.
    pub cause: Cause,
}

/// A problem of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Cause {
    /// It ends in `&`.
    Ampersand,
    /// It ends in `;`.
    Semicolon,
    /// It ends in a line break.
    Newline,
    /// It ends in a comment.
    Comment,
    /// It ends in another operator.
    Operator(String),
    /// It holds nothing but space.
    Empty,
    /// A quote or parenthesis is never closed.
    Quote(String),
    /// A compound command has no end.
    Unfinished(String),
    /// This operator of `[[ … ]]` has nothing behind it.
    Condition(String),
    /// A here-document has no end.
    HereDocument(String),
    /// Something else.
    Other,
}

/// A text that can't be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Unknown {
    /// Byte offset in the text.
    pub at: usize,
    /// The construct that the parser does not know.
    pub construct: &'static str,
}

/// A reason why a text has no tree.
#[derive(Debug, Clone)]
pub(super) enum Problem {
    Broken(Broken),
    Unknown(Unknown),
}

/// The options of bash as a container starts it.
pub(super) fn options(text: &str) -> ParserOptions {
    ParserOptions {
        // Off unless the text turns it on.
        enable_extended_globbing: text.contains("extglob"),
        ..ParserOptions::default()
    }
}

/// Returns the position of a pattern such as `!(a)` behind the `shopt -s extglob` of its line: bash
/// reads whole lines, and knows such patterns on the next one.
fn extended_too_early(text: &str) -> Option<usize> {
    let (before, rest) = text.split_once("shopt -s extglob")?;
    let line = rest.lines().next().unwrap_or_default();
    let patterns = ["!(", "@(", "?(", "*(", "+("];
    let at = patterns.iter().filter_map(|begin| line.find(begin)).min()?;
    Some(before.len() + "shopt -s extglob".len() + at)
}

/// Returns the position where the word of a here-document holds an expansion, which bash does not
/// replace there and the tokenizer may never end, or where its line holds the begin of one that
/// another line ends.
pub(super) fn replaced_tag(text: &str) -> Option<usize> {
    let substitutes = text.contains("$(");
    let mut begin = 0;
    text.split_inclusive('\n').find_map(|line| {
        let at = replaced_tag_of_line(line, substitutes).map(|at| begin + at);
        begin += line.len();
        at
    })
}

/// The same on one line; `substitutes` says whether the text has a `$(`. Each byte is looked at
/// once, so that a long line costs no more than many short ones.
fn replaced_tag_of_line(line: &str, substitutes: bool) -> Option<usize> {
    let parentheses = |part: &str| (part.matches('(').count(), part.matches(')').count());
    let begins_expansion = |at: &usize| {
        let rest = &line.as_bytes()[*at..];
        rest.starts_with(b"`") || rest.starts_with(b"$(") || rest.starts_with(b"${")
    };
    let (mut opened, mut closed) = parentheses(line);
    let (mut passed, mut blank, mut expansion) = (0, 0, 0);
    line.match_indices("<<").map(|(at, _)| at).find(|at| {
        let (opened_before, closed_before) = parentheses(&line[passed..*at]);
        (opened, closed) = (opened - opened_before, closed - closed_before);
        passed = *at;
        let word = line[at + 2..]
            .trim_start_matches('-')
            .trim_start_matches([' ', '\t']);
        let from = line.len() - word.len();
        if blank < from {
            let end = word.find([' ', '\t', '\n']).unwrap_or(word.len());
            blank = from + end;
        }
        if expansion < from {
            let mut rest = from..line.len();
            expansion = rest.find(begins_expansion).unwrap_or(line.len());
        }
        let here_string = word.starts_with('<') || line[..*at].ends_with('<');
        !here_string && (substitutes && opened != closed || expansion < blank)
    })
}

/// Longer texts and deeper ones cost the parser too much time.
const LONGEST: usize = 200_000;
const MOST_CASES: usize = 6;
const DEEPEST: usize = 12;

/// A text as the parser reads it.
pub(super) struct Parsed {
    pub program: Program,
    /// The word that would end a here-document, and where the document begins.
    pub open_document: Option<(usize, String)>,
}

/// Parses a text whose generated part begins at a byte offset.
pub(super) fn parse(text: &str, generated: usize) -> Result<Parsed, Problem> {
    let parsed = parse_part(text).and_then(|parsed| {
        let nested = constructs::nested(&parsed.program, text);
        nested.map_or(Ok(parsed), Err)
    });
    parsed.map_err(|problem| explain(problem, text, generated))
}

/// Parses a text that another one holds, such as that of `$(…)`.
pub(super) fn parse_part(text: &str) -> Result<Parsed, Problem> {
    parse_shown(&unmask(text))
}

fn parse_shown(text: &str) -> Result<Parsed, Problem> {
    if text.len() > LONGEST || depth(text) > DEEPEST {
        return Err(Problem::Unknown(Unknown {
            at: 0,
            construct: "more or deeper parts than are analysed",
        }));
    }
    if text.contains("=~")
        && let Some(at) = open_expansion(text)
    {
        return Err(Problem::Unknown(Unknown {
            at,
            construct: "an expansion without an end",
        }));
    }
    if let Some(at) = extended_too_early(text) {
        return Err(Problem::Unknown(Unknown {
            at,
            construct: "a pattern on the line that switches its kind on",
        }));
    }
    let options = options(text);
    let tokenizer = TokenizerOptions {
        enable_extended_globbing: options.enable_extended_globbing,
        ..TokenizerOptions::default()
    };
    let tokenize = |text: &str| brush_parser::uncached_tokenize_str(text, &tokenizer);
    let mut open_document = None;
    // Inside of double quotes bash takes the second dollar sign for the begin of `$(`.
    if let Some(at) = text.find("$$(") {
        return Err(Problem::Unknown(Unknown {
            at,
            construct: "a parenthesis after `$$`",
        }));
    }
    let masked = mask(text);
    if let Some(at) = replaced_tag(&masked) {
        return Err(Problem::Unknown(Unknown {
            at,
            construct: "a here-document beside an expansion",
        }));
    }
    let tokens = match tokenize(&masked) {
        Err(TokenizerError::UnterminatedHereDocuments(tags, _)) => {
            let tags = tags.replace(['\'', '"', '\\'], "");
            let tags: Vec<&str> = tags.split(',').map(str::trim).collect();
            let tag = tags.first().copied().unwrap_or_default().to_owned();
            open_document = Some((text.rfind("<<").unwrap_or(0), tag));
            // Bash ends it with the text.
            tokenize(&format!("{masked}\n{}\n", tags.join("\n")))
        }
        tokens => tokens,
    };
    let tokens = tokens.map_err(|error| unclosed(&error, text))?;
    let tokens = repair::repaired(&tokens, text)?;
    // The parser reads a branch without `;;` twice.
    let mut cases = 0usize;
    for token in &tokens {
        match token.to_str() {
            "case" => cases += 1,
            "esac" => cases = cases.saturating_sub(1),
            _ => {}
        }
        if cases > MOST_CASES {
            return Err(Problem::Unknown(Unknown {
                at: byte(text, token.location().start.index),
                construct: "more or deeper parts than are analysed",
            }));
        }
    }
    if let Some(problem) = constructs::parentheses(&tokens, text) {
        return Err(problem);
    }
    let program = brush_parser::parse_tokens(&tokens, &options);
    if let Err(error) = &program {
        let at = match error {
            ParseError::ParsingNear(position) => position.index,
            _ => usize::MAX,
        };
        if let Some(problem) = constructs::unknown(&tokens, text, at) {
            return Err(problem);
        }
    }
    match program {
        Ok(program) => Ok(Parsed {
            program,
            open_document,
        }),
        Err(ParseError::ParsingNear(position)) => {
            let stopped = tokens
                .iter()
                .rposition(|token| token.location().start.index == position.index);
            Err(match stopped {
                Some(stopped) => near(&tokens[nesting::reported(&tokens, stopped)], text),
                None => broken(
                    byte(text, position.index),
                    "syntax error".into(),
                    Cause::Other,
                ),
            })
        }
        Err(_) => {
            let (at, opener) = opener(&tokens, text);
            Err(broken(
                at,
                "syntax error: unexpected end of file".into(),
                Cause::Unfinished(opener),
            ))
        }
    }
}

/// The error that bash reports at a token.
pub(super) fn near(token: &Token, text: &str) -> Problem {
    let at = byte(text, token.location().start.index);
    let shown = match token.to_str() {
        "\n" => "newline",
        // See `repair`.
        "for" if text[at..].starts_with("select") => "select",
        word => &unmask(word),
    };
    let wording = format!("syntax error near unexpected token `{shown}'");
    broken(at, wording, Cause::Other)
}

/// The error that bash reports at a token inside of `[[ … ]]`.
pub(super) fn in_condition(token: &Token, text: &str) -> Problem {
    let at = byte(text, token.location().start.index);
    let wording = format!(
        "syntax error in conditional expression: unexpected token `{}'",
        token.to_str()
    );
    broken(at, wording, Cause::Other)
}

fn broken(at: usize, wording: String, cause: Cause) -> Problem {
    Problem::Broken(Broken { at, wording, cause })
}

/// An error of the tokenizer, which is about something that is never closed.
fn unclosed(error: &TokenizerError, text: &str) -> Problem {
    let quote = |at: usize, opener: &str, closer: &str| {
        let wording = format!("unexpected EOF while looking for matching `{closer}'");
        broken(at, wording, Cause::Quote(opener.into()))
    };
    match error {
        TokenizerError::UnterminatedSingleQuote(at)
        | TokenizerError::UnterminatedAnsiCQuote(at) => quote(byte(text, at.index), "'", "'"),
        TokenizerError::UnterminatedDoubleQuote(at) => quote(byte(text, at.index), "\"", "\""),
        TokenizerError::UnterminatedBackquote(at) => quote(byte(text, at.index), "`", "`"),
        TokenizerError::UnterminatedCommandSubstitution | TokenizerError::UnterminatedExpansion => {
            let at = last(text, "$(");
            if let Some(at) = open_expansion(text) {
                return Problem::Unknown(Unknown {
                    at,
                    construct: "an expansion without an end",
                });
            }
            if text[at..].contains(" #") {
                return Problem::Unknown(Unknown {
                    at,
                    construct: "a comment inside of `$(…)`",
                });
            }
            quote(at, "$(", ")")
        }
        TokenizerError::UnterminatedVariable => {
            let at = last(text, "${");
            if let Some(at) = open_expansion(text) {
                return Problem::Unknown(Unknown {
                    at,
                    construct: "an expansion without an end",
                });
            }
            quote(at, "${", "}")
        }
        TokenizerError::MissingHereTagForDocumentBody | TokenizerError::MissingHereTag(_) => {
            let at = last(text, "<<");
            broken(
                at,
                "syntax error near unexpected token `newline'".into(),
                Cause::Other,
            )
        }
        _ => Problem::Unknown(Unknown {
            at: 0,
            construct: "a text that the parser can't split",
        }),
    }
}

/// The `${` of arithmetic or of a regular expression that has no end there: bash looks for the end
/// of those first, and for `}` when it runs them.
pub(super) fn open_expansion(text: &str) -> Option<usize> {
    let arithmetic = unended(text, b"((", b"))");
    let expression = unended(text, b"=~", b"]]");
    arithmetic.into_iter().chain(expression).min()
}

/// The first `${` between a begin and its end, or the end of the text, without a `}` behind it.
fn unended(text: &str, begin: &[u8], end: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = false;
    let mut expansion = None;
    for at in 0..bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(end) {
            if expansion.is_some() {
                return expansion;
            }
            open = false;
        } else if rest.starts_with(begin) {
            open = true;
        } else if rest.starts_with(b"${") && open {
            expansion.get_or_insert(at);
        } else if rest.starts_with(b"}") {
            expansion = None;
        }
    }
    expansion
}

fn last(text: &str, what: &str) -> usize {
    text.rfind(what).unwrap_or(0)
}

/// The innermost compound command that has no end.
fn opener(tokens: &[Token], text: &str) -> (usize, String) {
    let open = Nesting::before(tokens, tokens.len()).innermost();
    let token = open.or(tokens.len().checked_sub(1));
    let at = token.map_or(0, |token| byte(text, tokens[token].location().start.index));
    let word = open.map_or("", |token| tokens[token].to_str());
    (at, word.into())
}

/// Finds the cause of an error in the user's part of the text.
fn explain(problem: Problem, text: &str, generated: usize) -> Problem {
    let Problem::Broken(mut broken) = problem else {
        return problem;
    };
    let user = &text[..generated.min(text.len())];
    if broken.cause == Cause::Other && broken.at >= generated {
        let after_join = text[generated..].find("&&").map(|at| generated + at);
        if after_join == Some(broken.at) {
            (broken.at, broken.cause) = ending(user);
        }
    }
    // The generated text has quotes, too: it may close the user's, and open others.
    if broken.at >= generated
        && matches!(
            broken.cause,
            Cause::Other | Cause::Quote(_) | Cause::Unfinished(_)
        )
        && let Some((at, quote)) = open_quote(user)
    {
        broken.at = at;
        broken.cause = Cause::Quote(quote.into());
    }
    broken.at = broken.at.min(generated.saturating_sub(1));
    Problem::Broken(broken)
}

/// Returns the problem of a text whose end ` && ` must not follow.
fn ending(user: &str) -> (usize, Cause) {
    let end = user.trim_end_matches([' ', '\t']).len();
    let at = |text: &str| end.saturating_sub(text.len());
    match pieces(user).last() {
        None => (0, Cause::Empty),
        Some(Piece::Newline) if matches!(parse_part(user), Err(Problem::Broken(_))) => {
            unfinished(user)
        }
        Some(Piece::Newline) => (at("\n"), Cause::Newline),
        Some(Piece::Operator("&")) => (at("&"), Cause::Ampersand),
        Some(Piece::Operator(operator @ (";" | ";;"))) => (at(operator), Cause::Semicolon),
        Some(Piece::Operator(operator)) => (at(operator), Cause::Operator((*operator).into())),
        Some(Piece::Word(word)) => (at(word), Cause::Other),
        Some(Piece::Comment) => (at("#"), Cause::Comment),
    }
}

/// Returns the problem of a text whose last line breaks are inside of a command, so that bash runs
/// nothing of it.
fn unfinished(user: &str) -> (usize, Cause) {
    let pieces = pieces(user);
    let mut last = pieces.iter().rev();
    let last = last.find(|piece| !matches!(piece, Piece::Newline | Piece::Comment));
    match last {
        Some(Piece::Operator(operator)) => (
            user.rfind(operator).unwrap_or_default(),
            Cause::Operator((*operator).into()),
        ),
        Some(Piece::Word(word)) => (user.rfind(word.as_str()).unwrap_or_default(), Cause::Other),
        _ => (0, Cause::Empty),
    }
}

/// The quote that is open at the end of a text.
fn open_quote(text: &str) -> Option<(usize, char)> {
    let mut open = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, open) {
            ('\\', Some((_, '"')) | None) => {
                chars.next();
            }
            ('\'' | '"' | '`', None) => open = Some((at, c)),
            (_, Some((_, quote))) if quote == c => open = None,
            _ => {}
        }
    }
    open
}

/// Returns the reason why a text that parses holds no `ray start` of the operator.
pub(super) fn swallowed(text: &str, generated: usize, parsed: Parsed) -> Broken {
    if let Some((at, tag)) = parsed.open_document {
        return Broken {
            at,
            wording: String::new(),
            cause: Cause::HereDocument(tag),
        };
    }
    let user = &text[..generated];
    let (at, cause) = if let Some((at, quote)) = open_quote(user) {
        (at, Cause::Quote(quote.into()))
    } else if matches!(pieces(user).last(), Some(Piece::Comment)) {
        (user.rfind('#').unwrap_or(0), Cause::Comment)
    } else {
        (generated.saturating_sub(1), Cause::Other)
    };
    Broken {
        at,
        wording: String::new(),
        cause,
    }
}

/// The byte offset of a character.
pub(super) fn byte(text: &str, character: usize) -> usize {
    Offsets::new(text).byte(character)
}

/// The byte offsets of a text's characters, for more than a few of them.
pub(super) struct Offsets {
    /// Of each character; none where every character is one byte.
    wide: Option<Vec<usize>>,
    length: usize,
}

impl Offsets {
    pub fn new(text: &str) -> Self {
        let wide = || text.char_indices().map(|(at, _)| at).collect();
        Self {
            wide: (!text.is_ascii()).then(wide),
            length: text.len(),
        }
    }

    /// The byte offset of a character; the length of the text where there is none.
    pub fn byte(&self, character: usize) -> usize {
        match &self.wide {
            None => character.min(self.length),
            Some(wide) => wide.get(character).copied().unwrap_or(self.length),
        }
    }
}

fn depth(text: &str) -> usize {
    let mut deepest = 0usize;
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
