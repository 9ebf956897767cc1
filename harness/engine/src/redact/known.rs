//! Values that are known to be secrets, in every form in which they may be written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::MASK;

/// Lines of a value, parts of one that is not text, and values whose name does not say that they
/// are secret are masked from so many bytes on: `true`, `1` and `head` stand in every log.
pub(super) const SHORTEST: usize = 8;
/// Values whose name says that they are secret are masked from so many bytes on; below
/// [`SHORTEST`], as whole words alone.
pub(super) const SHORTEST_NAMED: usize = 4;
/// Of a longer value, base64 is known from its beginning alone, not inside longer base64. A Secret
/// may hold 1 MiB.
const LONG: usize = 128 * 1024;
/// Longer patterns are cut, so that a part of a value is found, too.
const PATTERN: usize = 512;
/// Line lengths of programs that wrap base64: coreutils' `base64`, and PEM.
const WRAPPED: [usize; 2] = [76, 64];

/// The values.
#[derive(Default)]
pub(super) struct Known {
    /// What is searched for, and whether it must be a whole word.
    patterns: BTreeMap<Vec<u8>, bool>,
    search: OnceLock<Search>,
}

/// A search for all patterns at once, in time linear in the text, and which of them must be whole
/// words.
struct Search {
    /// None where there are more patterns than it takes.
    automaton: Option<AhoCorasick>,
    words: Vec<bool>,
}

impl Known {
    /// Adds a value; `named` says that its name is a secret's.
    pub(super) fn add(&mut self, whole: &[u8], named: bool) {
        let value = whole.trim_ascii();
        let shortest = if named { SHORTEST_NAMED } else { SHORTEST };
        if value.len() < shortest {
            return;
        }
        let word = value.len() < SHORTEST;
        match std::str::from_utf8(value) {
            Ok(text) => {
                self.text(text, word);
                // A shell's quotes are not part of what it passes on.
                let bare = text.trim_matches(['"', '\'']);
                if bare.len() >= shortest && bare.len() < text.len() {
                    self.text(bare, bare.len() < SHORTEST);
                }
            }
            Err(_) => self.parts(&String::from_utf8_lossy(value)),
        }
        self.encoded(value, word);
        // What encodes it may add the end of a line, or keep what was trimmed.
        for whole in [whole, &[value, b"\n"].concat()] {
            self.encoded_in_lines(whole);
        }
    }

    /// Adds the lines of a text that are long enough, and their base64.
    pub(super) fn add_lines(&mut self, text: &str) {
        let lines = text.lines().map(str::trim);
        // The frame of a PEM block is the same around every key.
        let lines = lines.filter(|line| line.len() >= SHORTEST && !line.starts_with("-----"));
        for line in lines {
            self.text(line, false);
            if text.len() <= LONG {
                self.encoded(line.as_bytes(), false);
            }
        }
    }

    /// What is left of bytes that are not UTF-8 where they are printed: the parts between
    /// replacement characters.
    fn parts(&mut self, lossy: &str) {
        let parts = lossy.split(|c: char| c == char::REPLACEMENT_CHARACTER || c.is_control());
        for part in parts.map(str::trim).filter(|part| part.len() >= SHORTEST) {
            self.text(part, false);
        }
        self.pattern(lossy.as_bytes(), false);
    }

    /// A text as it is, and as it is written in JSON, in a URL, and by Rust's and Go's `Debug`.
    fn text(&mut self, text: &str, word: bool) {
        self.pattern(text.as_bytes(), word);
        let json = Value::from(text).to_string();
        self.pattern(&json.as_bytes()[1..json.len() - 1], word);
        let debug = format!("{text:?}");
        self.pattern(&debug.as_bytes()[1..debug.len() - 1], word);
        let in_url: String = text.bytes().map(percent).collect();
        self.pattern(in_url.as_bytes(), word);
    }

    fn encoded(&mut self, value: &[u8], word: bool) {
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let whole = engine.encode(value);
            self.pattern(whole.as_bytes(), word);
            let padding = "=".repeat((4 - whole.len() % 4) % 4);
            self.pattern((whole + &padding).as_bytes(), word);
            if word || value.len() > LONG {
                continue;
            }
            // Inside longer base64 the value may begin at any of three places of a group. The
            // characters at its ends hold bits of what is beside it, too.
            for before in 0..3 {
                let shifted = engine.encode([&[0; 2][..before], value].concat());
                let begin = (before * 8).div_ceil(6);
                let end = (before + value.len()) * 8 / 6;
                self.pattern(&shifted.as_bytes()[begin..end], false);
            }
        }
    }

    fn encoded_in_lines(&mut self, value: &[u8]) {
        let whole = STANDARD.encode(value);
        for length in WRAPPED.into_iter().filter(|length| whole.len() > *length) {
            let lines = whole
                .as_bytes()
                .chunks(length)
                .filter(|line| line.len() >= SHORTEST);
            lines.for_each(|line| self.pattern(line, false));
        }
    }

    fn pattern(&mut self, pattern: &[u8], word: bool) {
        if pattern.is_empty()
            || MASK
                .as_bytes()
                .windows(pattern.len())
                .any(|part| part == pattern)
        {
            return;
        }
        for part in pattern
            .chunks(PATTERN)
            .filter(|part| word || part.len() >= SHORTEST)
        {
            // What is masked anywhere is masked as a whole word.
            let before = self.patterns.get(part).copied();
            let now = before.unwrap_or(true) && word;
            if before != Some(now) {
                self.patterns.insert(part.to_owned(), now);
                self.search = OnceLock::new();
            }
        }
    }

    /// Masks the values; returns the text and how many masks were set, or nothing where it holds
    /// none of them.
    pub(super) fn mask(&self, text: &str) -> Option<(String, usize)> {
        self.mask_as(text, |_| MASK.to_owned())
    }

    /// As [`mask`](Self::mask), with what `hide` makes of a value in its place.
    pub(super) fn mask_as(
        &self,
        text: &str,
        hide: impl Fn(&str) -> String,
    ) -> Option<(String, usize)> {
        let found = self.find(text);
        if found.is_empty() {
            return None;
        }
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for range in &found {
            masked.push_str(&text[end..range.start]);
            masked.push_str(&hide(&text[range.clone()]));
            end = range.end;
        }
        masked.push_str(&text[end..]);
        Some((masked, found.len()))
    }

    /// The places of the values, in order; those that overlap or touch are one.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        if self.patterns.is_empty() || text.is_empty() {
            return Vec::new();
        }
        let search = self.search.get_or_init(|| Search {
            automaton: AhoCorasick::new(self.patterns.keys()).ok(),
            words: self.patterns.values().copied().collect(),
        });
        let Some(automaton) = &search.automaton else {
            // What can't be searched is not shown.
            return std::iter::once(0..text.len()).collect();
        };
        let mut found: Vec<Range<usize>> = automaton
            .find_overlapping_iter(text)
            .filter(|place| {
                !search.words[place.pattern().as_usize()] || is_word(text, &place.range())
            })
            .map(|place| whole_characters(text, place.range()))
            .collect();
        found.sort_by_key(|range| range.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in found {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        joined
    }
}

fn percent(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).into()
        }
        _ => format!("%{byte:02X}"),
    }
}

/// Whether neither side of a place goes on with what a word consists of.
fn is_word(text: &str, place: &Range<usize>) -> bool {
    let goes_on = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
    };
    let bytes = text.as_bytes();
    !goes_on(
        place
            .start
            .checked_sub(1)
            .and_then(|before| bytes.get(before)),
    ) && !goes_on(bytes.get(place.end))
}

/// The place, widened to the borders of characters.
fn whole_characters(text: &str, place: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (place.start, place.end);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}
