//! Real files with faults in them, for the tests of parsers.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// Pieces that mean something to the parsers of YAML, JSON and shells, and bytes that are not
/// UTF-8.
const PIECES: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b":",
    b"- ",
    b"\n",
    b"\n\n",
    b"\t",
    b"&a ",
    b"*a",
    b"<<: ",
    b"|\n",
    b">-\n",
    b"---\n",
    b"...",
    b"%TAG",
    b"!!binary ",
    b"\\u0000",
    b"\0",
    b"\xff\xfe",
    b"1e999",
];

/// The variable with the number of seconds for which each test tries texts.
const SECONDS: &str = "KUBERAY_CONFORMANCE_MUTATE_SECONDS";

/// Gives texts that differ from the originals to `parse`: as many as `PROPTEST_CASES` says (256
/// when absent), and again until the time in `KUBERAY_CONFORMANCE_MUTATE_SECONDS` is over.
///
/// # Panics
/// With the smallest text for which `parse` panics or fails.
pub fn try_texts(originals: Vec<Vec<u8>>, parse: impl Fn(Vec<u8>) -> Result<(), TestCaseError>) {
    let seconds = std::env::var(SECONDS).ok();
    let seconds = seconds.map(|text| text.parse().expect("a number of seconds"));
    let limit = Duration::from_secs(seconds.unwrap_or(0));
    let began = Instant::now();
    let texts = mutated(originals);
    loop {
        let mut runner = TestRunner::new(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        if let Err(error) = runner.run(&texts, &parse) {
            panic!("{error}");
        }
        if began.elapsed() >= limit {
            return;
        }
    }
}

/// Nesting and repetition beyond what anybody writes.
const MANY: usize = 20_000;

#[derive(Debug, Clone)]
enum Fault {
    Remove(Index, usize),
    Repeat(Index, usize),
    Replace(Index, u8),
    Insert(Index, usize),
    Nest(Index, usize),
    Cut(Index),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Fault::Remove(at, length)),
        4 => (any::<Index>(), 1..200_usize).prop_map(|(at, length)| Fault::Repeat(at, length)),
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Fault::Replace(at, byte)),
        8 => (any::<Index>(), 0..PIECES.len()).prop_map(|(at, piece)| Fault::Insert(at, piece)),
        1 => (any::<Index>(), 0..PIECES.len()).prop_map(|(at, piece)| Fault::Nest(at, piece)),
        1 => any::<Index>().prop_map(Fault::Cut),
    ]
}

/// Generates texts that differ from one of some originals by up to eight faults.
fn mutated(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let originals = originals.into_iter().map(Just).collect::<Vec<_>>();
    let original = proptest::strategy::Union::new(originals);
    (original, vec(fault(), 0..8)).prop_map(|(mut text, faults)| {
        for fault in faults {
            apply(&mut text, &fault);
        }
        text
    })
}

fn apply(text: &mut Vec<u8>, fault: &Fault) {
    let at = |index: &Index| index.index(text.len() + 1);
    let end = |from: usize, length: usize| (from + length).min(text.len());
    match fault {
        Fault::Remove(index, length) => {
            let from = at(index);
            text.drain(from..end(from, *length));
        }
        Fault::Repeat(index, length) => {
            let from = at(index);
            let part = text[from..end(from, *length)].to_vec();
            text.splice(from..from, part);
        }
        Fault::Replace(index, byte) => {
            let from = at(index);
            if let Some(old) = text.get_mut(from) {
                *old = *byte;
            }
        }
        Fault::Insert(index, piece) => {
            let from = at(index);
            text.splice(from..from, PIECES[*piece].iter().copied());
        }
        Fault::Nest(index, piece) => {
            let from = at(index);
            text.splice(from..from, PIECES[*piece].repeat(MANY));
        }
        Fault::Cut(index) => {
            let from = at(index);
            text.truncate(from);
        }
    }
}
