//! Words of an entrypoint that only their quotes hide from the shell that runs the job.
//!
//! `ray job submit` gets words without quotes, and joins them for that shell. Before Ray 2.56 it does
//! so with Python's `list2cmdline` (dashboard/modules/job/cli.py of Ray), which knows double quotes
//! for words with blanks, and `\"`.

use kuberay_manifest::{Cursor, Severity};
use semver::Version;

use super::options::Ray;
use super::warn_at;
use crate::document::Warning;
use crate::shell::{self, Expansion};
use crate::warning as trap;

/// Finds the first such word.
pub(super) fn find(source: &str, ray: &Ray, entrypoint: &Cursor, found: &mut Vec<Warning>) {
    if !ray.is_before(&Version::new(2, 56, 0)) {
        return;
    }
    let text = entrypoint.text();
    let mut at = 0;
    let mut before: Vec<String> = Vec::new();
    for piece in shell::pieces(text) {
        let shell::Piece::Word(word) = piece else {
            before.clear();
            continue;
        };
        let Some(start) = text[at..].find(&word).map(|start| at + start) else {
            return;
        };
        at = start + word.len();
        let bare = shell::literal(&word);
        let lost = bare.as_ref().filter(|bare| **bare != word);
        let read = lost.and_then(|bare| Some((bare, read_again(bare, is_script(&before))?)));
        if let Some((bare, read)) = read {
            let place = shell::location(source, entrypoint, start);
            let warning = |what: &str| {
                let detail = format!("`{what}` in {word}");
                warn_at(trap::ENTRYPOINT_LOSES_QUOTES, entrypoint, place, &detail)
            };
            found.push(match read {
                ReadAgain::Lost(what) => warning(&what),
                ReadAgain::Replaced(one) => Warning {
                    severity: Severity::Note,
                    help: for_the_job(bare, &one),
                    ..warning(&one.what)
                },
            });
            return;
        }
        before.push(bare.unwrap_or(word));
    }
}

/// Returns whether the word behind these is a script for a shell, as in `bash -c`.
fn is_script(before: &[String]) -> bool {
    let [.., program, option] = before else {
        return false;
    };
    let letters = option.strip_prefix('-').unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    matches!(program, "bash" | "dash" | "sh" | "zsh")
        && letters.ends_with('c')
        && letters.chars().all(|c| c.is_ascii_alphabetic())
}

/// The outcome of a word without its quotes in the shell of a job.
enum ReadAgain {
    /// It takes this for its own, and the word is another one.
    Lost(String),
    /// It replaces this, which may be what the quotes are there for.
    Replaced(Expansion),
}

/// Returns the help for a word of which the shell of the job replaces a part.
fn for_the_job(bare: &str, replaced: &Expansion) -> String {
    let hidden = if replaced.variable.is_some() && !bare.contains('\'') {
        format!("'{}'", bare.replace('$', "\\$"))
    } else {
        "\"'\"'$(…)'\"'\"".to_owned()
    };
    format!(
        "Leave it if the shell that runs the job is meant to replace it, in the cluster; else hide \
         it from that shell, too: `{hidden}`."
    )
}

/// Returns the part of a word of `list2cmdline` that a shell interprets. The shell is /bin/sh,
/// which knows no braces.
fn read_again(word: &str, is_script: bool) -> Option<ReadAgain> {
    if word.is_empty() {
        return None;
    }
    if word.contains([' ', '\t']) {
        return read_in_quotes(word, is_script);
    }
    let written = word.replace('"', "\\\"");
    // Variables and patterns follow, patterns only where they could be paths; the others are plain
    // inside of a word.
    let masked: String = shell::without_expansions(&written)
        .char_indices()
        .map(|(at, c)| {
            let plain = "$*?[]{}!~".contains(c) || c == '#' && at > 0;
            if plain { 'x' } else { c }
        })
        .collect();
    let lost = shell::special(&masked)
        .map(|special| special.to_string())
        .or_else(|| Some(shell::patterns(&written).into_iter().next()?.what))
        .or_else(|| begins_with_home(word).then(|| "~".to_owned()))
        .or_else(|| needless_quotes(word))
        .or_else(|| lost_backslash(word));
    let replaced = || shell::expansions(&written).into_iter().next();
    lost.map(ReadAgain::Lost)
        .or_else(|| replaced().map(ReadAgain::Replaced))
}

/// The same for a word in double quotes, which hide all but variables and commands.
///
/// A script reads a variable of the job's environment as the shell around it does. It is another
/// text only where the script gives the variable its value.
fn read_in_quotes(word: &str, is_script: bool) -> Option<ReadAgain> {
    let written = format!("\"{}\"", word.replace('"', "\\\""));
    let mut found = shell::expansions(&written).into_iter();
    found.find_map(|one| {
        let variable = one.variable.as_deref();
        // Arguments and states of the shell that runs the job are not those of the script.
        let is_own = variable.is_some_and(|name| {
            !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                || is_script && shell::assigns(word, name)
        });
        if is_own {
            Some(ReadAgain::Lost(one.what))
        } else {
            (!is_script).then_some(ReadAgain::Replaced(one))
        }
    })
}

/// Returns whether a shell takes the beginning of a word for the path of a home.
fn begins_with_home(word: &str) -> bool {
    let home = word.strip_prefix('~').map(|rest| rest.split('/').next());
    let user = home.flatten();
    user.is_some_and(|user| {
        user.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    })
}

/// Single quotes that a shell takes away although they hide nothing from it, so they belong to the
/// word, as in `{'a':1}`.
fn needless_quotes(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split('\'').collect();
    // Every second part is in quotes; what ends without one is lost anyway.
    let hides = |part: &&str| shell::special(&part.replace(['{', '}'], "x")).is_some();
    let quoted = || parts.iter().skip(1).step_by(2);
    (parts.len() > 1 && !quoted().any(hides)).then(|| "'".to_owned())
}

/// A backslash that a shell takes away, with the character behind it; not where it hides one that
/// the shell knows.
fn lost_backslash(word: &str) -> Option<String> {
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        if c == '\\'
            && let Some(next) = chars.next()
            && !"\\$`\"';&|<>()*?[]#!~{}".contains(next)
        {
            return Some(format!("\\{next}"));
        }
    }
    None
}
