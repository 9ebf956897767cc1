//! Compares the predictions about shell texts with bash itself, which only tests run.
//!
//! `EXPLAIN_BASH_TEXTS` sets the number of texts, `EXPLAIN_BASH_SEED` another sequence of them.
//! With `EXPLAIN_BASH_SHOW` the test prints each text that it excludes.

mod grammar;
mod oracle;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use grammar::{CONSTRUCTS, Generator};
use kuberay_explain::{ShellVerdict, shell_verdict};
use oracle::{Oracle, Ran};

/// What the operator puts behind a user's text.
const GENERATED: &str =
    " && ulimit -n 65536; ray start --head  --block  --resources='{\"a\": 1}'  --num-cpus=1 ";

/// Constructs that the parser does not know; `explain` reports them as not analysed.
const EXCLUDED: [&str; 8] = [
    "a parenthesis after `$$`",
    "`case` inside of `$(…)`",
    "a comment inside of `$(…)`",
    "a here-document whose word holds quotes",
    "a here-document beside an expansion",
    "an expansion without an end",
    "more or deeper parts than are analysed",
    "a text that the parser can't split",
];

/// How long a text may take before it counts as one that never returns.
const LIMIT: Duration = Duration::from_secs(4);

/// Threads; those whose text never returns only wait.
const THREADS: usize = 12;

#[derive(Default)]
struct Tally {
    unparsable: usize,
    reached: usize,
    hung: usize,
    excluded: usize,
    reasons: BTreeMap<&'static str, usize>,
    undecided: usize,
    wordings: usize,
    other_wordings: BTreeMap<String, usize>,
    differences: Vec<String>,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn bash_agrees_about_generated_texts() {
    let count = usize::try_from(number("EXPLAIN_BASH_TEXTS", 500)).unwrap();
    let mut generator = Generator::new(number("EXPLAIN_BASH_SEED", 1));
    let texts: Vec<(String, bool)> = (0..count).map(|_| generator.text()).collect();
    let oracle = Oracle::new();
    let tally = Mutex::new(Tally::default());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((text, runs)) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    compare(&oracle, text, *runs, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!(
        "{count} texts: {} do not parse, {} reach ray start, {} never return, {} undecided, {} excluded; \
         {} of the errors worded as bash does",
        tally.unparsable,
        tally.reached,
        tally.hung,
        tally.undecided,
        tally.excluded,
        tally.wordings
    );
    println!("excluded: {:?}", tally.reasons);
    let mut wordings: Vec<_> = tally.other_wordings.iter().collect();
    wordings.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (wording, count) in wordings.into_iter().take(20) {
        println!("{count} x {wording}");
    }
    let shown: Vec<&String> = tally.differences.iter().take(60).collect();
    assert!(
        shown.is_empty(),
        "{} differences:\n{}",
        tally.differences.len(),
        shown.into_iter().map(String::as_str).collect::<String>()
    );
    assert!(tally.unparsable * 10 >= count * 3, "too few do not parse");
    assert!(tally.reached * 10 >= count * 3, "too few reach ray start");
    assert!(tally.excluded * 100 <= count, "too many are excluded");
    assert!(tally.undecided * 5 <= count, "too many are undecided");
    let missing: Vec<&str> = CONSTRUCTS
        .iter()
        .copied()
        .filter(|construct| !generator.used.contains(construct))
        .collect();
    assert!(
        missing.is_empty(),
        "constructs that no text has: {missing:?}"
    );
}

fn compare(oracle: &Oracle, text: &str, runs: bool, tally: &Mutex<Tally>) {
    let predicted = shell_verdict(text, GENERATED);
    let whole = format!("{text}{GENERATED}");
    let parsed = oracle.parses(&whole);
    let mut ran = (runs && parsed.is_ok()).then(|| oracle.run(&whole, LIMIT));
    if predicted == ShellVerdict::Starts && ran == Some(Ran::Hung) {
        // A busy machine is slow; a text that hangs does so for ever.
        ran = Some(oracle.run(&whole, LIMIT * 15));
    }
    let mut tally = tally.lock().unwrap();
    if let ShellVerdict::NotAnalysed(construct) = &predicted {
        if !EXCLUDED.contains(construct) {
            let difference = format!("{construct} is not on the list: {text:?}\n");
            tally.differences.push(difference);
        }
        if std::env::var_os("EXPLAIN_BASH_SHOW").is_some() {
            println!("{construct}: {text:?}");
        }
        tally.excluded += 1;
        *tally.reasons.entry(*construct).or_default() += 1;
        return;
    }
    tally.unparsable += usize::from(parsed.is_err());
    tally.reached += usize::from(ran == Some(Ran::Reached));
    tally.hung += usize::from(ran == Some(Ran::Hung));
    tally.undecided += usize::from(predicted == ShellVerdict::MayStart);
    let agrees = match (&predicted, &parsed, &ran) {
        (ShellVerdict::SyntaxError(_), Err(_), _) => true,
        (ShellVerdict::SyntaxError(_), Ok(()), _) | (_, Err(_), _) => false,
        (ShellVerdict::Starts, _, Some(ran)) => *ran == Ran::Reached,
        (ShellVerdict::NeverStarts | ShellVerdict::Swallowed, _, Some(ran)) => *ran != Ran::Reached,
        _ => true,
    };
    if let (ShellVerdict::SyntaxError(ours), Err(bash)) = (&predicted, &parsed) {
        if ours == bash {
            tally.wordings += 1;
        } else {
            *tally
                .other_wordings
                .entry(format!("{ours:?} is {bash:?}"))
                .or_default() += 1;
        }
    }
    if !agrees {
        tally.differences.push(format!(
            "{text:?}\n  predicted {predicted:?}\n  bash {parsed:?} {ran:?}\n"
        ));
    }
}
