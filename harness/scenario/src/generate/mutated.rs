//! Real files with faults in them, for the tests of parsers.

use std::sync::{Arc, Mutex};
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

/// No text takes longer; one that takes far longer ends the process, which would wait for ever.
const LONGEST: Duration = Duration::from_secs(10);
const NEVER: Duration = Duration::from_mins(2);
/// No text takes more memory, in KiB.
const MOST_MEMORY: usize = 1 << 20;

/// Gives texts that differ from the originals to `parse`: as many as `PROPTEST_CASES` says (256
/// when absent), and again until the time in `KUBERAY_CONFORMANCE_MUTATE_SECONDS` is over.
///
/// # Panics
/// With the smallest text for which `parse` panics, fails, or takes more than ten seconds or 1 GiB.
pub fn try_texts(originals: Vec<Vec<u8>>, parse: impl Fn(Vec<u8>) -> Result<(), TestCaseError>) {
    let watch = Watch::start();
    let parse = |text: Vec<u8>| watch.over(text, &parse);
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
        if let Err(error) = runner.run(&texts, parse) {
            panic!("{error}");
        }
        if began.elapsed() >= limit {
            return;
        }
    }
}

/// A text, and since when it is tried.
type Tried = Option<(Instant, Vec<u8>)>;

/// Looks at how long a text takes, and at how much memory.
#[derive(Debug)]
pub struct Watch {
    /// The most time of a text.
    pub longest: Duration,
    /// The most memory of a text in KiB.
    pub most_memory: usize,
    /// The text that is tried, and since when; none in between.
    now: Arc<Mutex<Tried>>,
}

impl Watch {
    /// Begins to look, with the bounds of [`try_texts`].
    pub fn start() -> Self {
        let now = Arc::new(Mutex::new(Tried::None));
        let watched = Arc::downgrade(&now);
        std::thread::spawn(move || {
            while let Some(now) = watched.upgrade() {
                if let Ok(now) = now.lock()
                    && let Some((began, text)) = &*now
                    && began.elapsed() > NEVER
                {
                    let text = text.escape_ascii();
                    // A thread that hangs can't be ended.
                    std::io::Write::write_all(
                        &mut std::io::stderr(),
                        format!("this text is tried for ever: {text}\n").as_bytes(),
                    )
                    .ok();
                    std::process::abort();
                }
                drop(now);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        Self {
            longest: LONGEST,
            most_memory: MOST_MEMORY,
            now,
        }
    }

    /// Gives a text to `parse`.
    ///
    /// # Errors
    /// As `parse`, and when it takes too long or too much memory.
    ///
    /// # Panics
    /// As `parse`.
    pub fn over(
        &self,
        text: Vec<u8>,
        parse: impl Fn(Vec<u8>) -> Result<(), TestCaseError>,
    ) -> Result<(), TestCaseError> {
        // The peak is that of all threads; it begins again where the system allows that.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let (before, began) = (memory("VmRSS:"), Instant::now());
        *self.now.lock().expect("no panic with this") = Some((began, text.clone()));
        let parsed = parse(text);
        *self.now.lock().expect("no panic with this") = None;
        parsed?;
        let took = began.elapsed();
        prop_assert!(took < self.longest, "it took {:.1} s", took.as_secs_f64());
        let more = memory("VmHWM:").saturating_sub(before);
        prop_assert!(more < self.most_memory, "it took {} MiB", more >> 10);
        Ok(())
    }
}

/// A number of this process's memory in KiB; 0 where the system has none.
fn memory(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
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
