//! Traps of the user's `command` and `args`.

use kuberay_contract::Feature;
use kuberay_manifest::Cursor;

use super::{Group, after_kubelet, has, loses_dollar, references, warn, warn_at};
use crate::document::Warning;
use crate::shell::{self, Broken, Cause, Joined, Reach, Verdict};
use crate::warning as trap;

pub(super) use crate::shell::GENERATED;

/// Returns whether a text uses the generated command.
pub(super) fn uses_generated(text: &str) -> bool {
    text.contains(GENERATED)
}

/// An element that ends in a backslash, which hides the blank that the operator writes behind it.
fn ends_in_backslash(group: &Group, words: &[Cursor], found: &mut Vec<Warning>) {
    const DETAIL: &str =
        "The backslash at the end escapes the blank after it: bash passes one blank as an argument";
    for word in words {
        let text = word.text();
        if shell::escapes_what_follows(text) {
            let place = shell::location(group.source, word, text.len() - 1);
            found.push(warn_at(trap::ARGV_LOSES_QUOTING, word, place, DETAIL));
        }
    }
}

/// Traps of a text that ` && ulimit …; ray start …` follows.
pub(super) fn generated(group: &Group, words: &[Cursor], found: &mut Vec<Warning>) {
    if words.is_empty() {
        return;
    }
    let joined = Joined::new(words, group.source);
    let user = joined.text();
    let Some(whole) = group.ray.args.first().map(ToString::to_string) else {
        return;
    };
    let whole = if whole.starts_with(&user) {
        whole
    } else {
        format!("{user} && ulimit -n 65536; ray start --block")
    };
    let text = as_bash_sees(group, &whole);
    let at = |offset: usize| joined.place(offset);
    let variables = group.variables();
    let around = shell::Surroundings {
        variables: &variables,
        head: group.is_head(),
        login: group.ray.command.iter().any(|word| reads_profile(word)),
    };
    let mut starts_itself = false;
    match shell::judge(&text, user.len(), around) {
        Verdict::Broken(broken) => {
            let (trap, detail) = explanation(&broken);
            let place = at(broken.at);
            found.extend(place.map(|(word, place)| warn_at(trap, word, place, &detail)));
        }
        Verdict::Unknown(unknown) => {
            let place = at(unknown.at);
            let detail = format!("The text holds {}", unknown.construct);
            found.extend(
                place.map(|(word, place)| warn_at(trap::NOT_ANALYSED, word, place, &detail)),
            );
        }
        Verdict::Runs(analysis) => {
            let mut push = |trap, stop: &shell::Stop, detail: &str| {
                let place = at(stop.at);
                found.extend(place.map(|(word, place)| warn_at(trap, word, place, detail)));
            };
            let paths = match analysis.reach {
                Reach::None if analysis.ends.len() + analysis.hangs.len() == 1 => "on every path",
                Reach::None => "on some paths, and every path ends or waits before `ray start`",
                Reach::Every | Reach::Some => "on some paths",
            };
            let shown = |stop: &shell::Stop| shown(stop, &text, &whole);
            let ends = |stop: &shell::Stop| match stop.what.strip_prefix('$') {
                Some(name) if is_variable(name) => {
                    format!("`${name}` has no value that is known here, under `set -u`")
                }
                Some(expansion) if expansion.starts_with('{') => {
                    format!("bash: {}: bad substitution", stop.what)
                }
                _ => shown(stop),
            };
            if let Some(stop) = analysis.ends.first() {
                push(trap::ENDS_SHELL, stop, &format!("{} ({paths})", ends(stop)));
            } else if analysis.hangs.is_empty()
                && let Some(stop) = &analysis.swallowed
            {
                push(trap::FAILURE_SWALLOWED, stop, &shown(stop));
            }
            // `ray-start-in-words` says what a start of Ray that stays does.
            let (starts, hangs): (Vec<_>, Vec<_>) =
                analysis.hangs.iter().partition(|stop| starts_ray(stop));
            starts_itself = !starts.is_empty();
            if let Some(stop) = hangs.first() {
                push(
                    trap::NEVER_RETURNS,
                    stop,
                    &format!("{} ({paths})", shown(stop)),
                );
            }
            if let Some(stop) = &analysis.waits {
                push(trap::WAITS_FOR_JOBS, stop, "");
            }
            if let Some(stop) = &analysis.errexit {
                push(trap::ERREXIT, stop, "");
            }
            let plain = group.ray.command.iter().any(|word| word == "-c");
            if let Some(stop) = analysis.login.first()
                && plain
                && has(Feature::PlainShell, group.release)
            {
                push(trap::NEEDS_LOGIN_SHELL, stop, &shown(stop));
            }
            // The variable exists from 1.1 on.
            if has(Feature::GenRayStartCmd, group.release) {
                let word = words
                    .iter()
                    .find(|word| shell::may_run(word.text(), GENERATED));
                found.extend(word.map(|word| warn(trap::GEN_CMD_WITHOUT_ANNOTATION, word, "")));
            }
        }
    }
    lowered(group, words, &text[..user.len()], found);
    ends_in_backslash(group, words, found);
    // The operator looks for the two words with one blank between them.
    if !starts_itself && shell::calls(&text[..user.len()], &["ray", "start"]).is_empty() {
        argv(words, found);
        return;
    }
    let begins = |word: &&Cursor| {
        let text = word.text().trim();
        text == "ray" || text.ends_with("/ray") || !shell::calls(text, &["ray", "start"]).is_empty()
    };
    let start = words.iter().find(begins).or(words.first());
    found.extend(start.map(|word| warn(trap::RAY_START_IN_WORDS, word, "")));
    argv(words, found);
}

/// Returns whether a command that never returns is a start of Ray.
fn starts_ray(stop: &shell::Stop) -> bool {
    let words: Vec<&str> = stop.what.split_whitespace().collect();
    let is_ray = |word: &str| word.rsplit('/').next() == Some("ray");
    words
        .windows(2)
        .any(|pair| is_ray(pair[0]) && pair[1] == "start")
}

/// A limit of open files that the generated command lowers afterwards.
fn lowered(group: &Group, words: &[Cursor], text: &str, found: &mut Vec<Warning>) {
    const GENERATED_LIMIT: u64 = 65536;
    let reads_variable = has(Feature::UlimitFromEnv, group.release);
    if reads_variable && group.has_variable("RAY_START_ULIMIT_OPEN_FILES") {
        return;
    }
    // In a subshell it is meant for what follows there.
    if text.contains('(') {
        return;
    }
    let raises = |call: &Vec<shell::Argument>| {
        let mut words = call.iter().map(|word| word.raw.as_str());
        let of_files = words.next().is_some_and(|option| {
            matches!(
                option,
                "-n" | "-Sn" | "-Hn" | "-SHn" | "-HSn" | "-nS" | "-nH"
            )
        });
        let value = words.next().filter(|_| of_files);
        value.is_some_and(|value| {
            value == "unlimited"
                || value
                    .parse::<u64>()
                    .is_ok_and(|value| value > GENERATED_LIMIT)
        })
    };
    let word = words
        .iter()
        .find(|word| shell::calls(word.text(), &["ulimit"]).iter().any(raises));
    let is_call = shell::calls(text, &["ulimit"]).iter().any(raises);
    if let Some(word) = word.filter(|_| is_call) {
        found.push(warn(trap::ULIMIT_VARIABLE_IGNORED, word, "`ulimit -n`"));
    }
}

fn is_variable(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A command for a message, as the user wrote it: what the kubelet replaces has the same length in
/// both texts.
fn shown(stop: &shell::Stop, seen: &str, written: &str) -> String {
    let range = stop.at..stop.at + stop.what.len();
    match (seen.get(range.clone()), written.get(range)) {
        (Some(same), Some(own)) if same == stop.what => shell::Stop {
            what: own.into(),
            ..stop.clone()
        }
        .shown(),
        _ => stop.shown(),
    }
}

/// The trap behind an error, and what is particular to it.
pub(super) fn explanation(broken: &Broken) -> (&'static trap::Trap, String) {
    let bash = if broken.wording.is_empty() {
        String::new()
    } else {
        format!("bash: {}", broken.wording)
    };
    match &broken.cause {
        Cause::Ampersand => (trap::TRAILING_AMPERSAND, bash),
        Cause::Semicolon => (trap::TRAILING_SEMICOLON, bash),
        Cause::Newline => (trap::TRAILING_NEWLINE, bash),
        Cause::Comment => (trap::TRAILING_COMMENT, String::new()),
        Cause::Operator(operator) => (
            trap::TRAILING_OPERATOR,
            format!("bash: {}: the text ends in `{operator}`", broken.wording),
        ),
        Cause::Empty => (
            trap::TRAILING_OPERATOR,
            format!("bash: {}: the text is empty", broken.wording),
        ),
        Cause::HereDocument(tag) => (
            trap::OPEN_HERE_DOCUMENT,
            format!("no line holds only `{tag}`"),
        ),
        Cause::Quote(quote) => (
            trap::SYNTAX_ERROR,
            format!("{bash}{}`{quote}` is never closed", separator(&bash)),
        ),
        Cause::Unfinished(word) if !word.is_empty() => (
            trap::SYNTAX_ERROR,
            format!(
                "{bash}{}the `{word}` that begins here has no end",
                separator(&bash)
            ),
        ),
        Cause::Condition(operator) => (
            trap::SYNTAX_ERROR,
            format!(
                "{bash}{}`{operator}` has nothing after it",
                separator(&bash)
            ),
        ),
        Cause::Unfinished(_) | Cause::Other => (trap::SYNTAX_ERROR, bash),
    }
}

fn separator(before: &str) -> &'static str {
    if before.is_empty() { "" } else { ": " }
}

/// The text with what the kubelet replaces replaced by a word of the same length, so that offsets
/// stay.
pub(super) fn as_bash_sees(group: &Group, text: &str) -> String {
    after_kubelet(text, |name| {
        // The generated command becomes a part of the text.
        if name == GENERATED {
            return Some(format!("${name}  "));
        }
        let word = || "x".repeat("$()".len() + name.len());
        group.may_define(name).then(word)
    })
}

/// The script of a shell or an interpreter with `-c`; an error with the option where it is missing.
pub(super) fn script<'a>(
    words: &'a [Cursor<'a>],
) -> Option<Result<&'a Cursor<'a>, &'a Cursor<'a>>> {
    const TAKE_SCRIPTS: [&str; 9] = [
        "bash", "sh", "dash", "ash", "zsh", "python", "python3", "su", "runuser",
    ];
    let (program, rest) = words.split_first()?;
    let name = program.text().rsplit('/').next().unwrap_or_default();
    if !TAKE_SCRIPTS.contains(&name) {
        return None;
    }
    let is_option = |text: &str| text.starts_with('-') && !text.starts_with("--");
    let option = rest
        .iter()
        .position(|word| is_option(word.text()) && word.text().ends_with('c'))?;
    let script = rest[option + 1..].iter().find(|word| word.text() != "--");
    Some(script.ok_or(&rest[option]))
}

/// The words of the command that other programs only run: of `tini -- bash -c …` those from `bash`
/// on.
pub(super) fn inner<'b, 'a>(words: &'b [Cursor<'a>]) -> &'b [Cursor<'a>] {
    let mut inner = words;
    while let Some((program, rest)) = inner.split_first() {
        let texts: Vec<&str> = rest.iter().map(Cursor::text).collect();
        match shell::runs(program.text(), &texts) {
            Some(first) => inner = &rest[first..],
            None => break,
        }
    }
    if script(inner).is_some() {
        return inner;
    }
    // A program that is not known may run a shell.
    let runs_shell =
        |at: &usize| is_shell(&inner[*at]) && matches!(script(&inner[*at..]), Some(Ok(_)));
    let shell = (1..inner.len()).find(runs_shell);
    &inner[shell.unwrap_or_default()..]
}

/// Returns whether a word names a shell that reads bash's language.
pub(super) fn is_shell(program: &Cursor) -> bool {
    let name = program.text().rsplit('/').next().unwrap_or_default();
    matches!(name, "bash" | "sh" | "dash" | "ash" | "zsh")
}

/// Returns whether a word is an option that makes a login shell of bash.
pub(super) fn reads_profile(option: &str) -> bool {
    match option.strip_prefix("--") {
        Some(long) => long == "login",
        None => option.starts_with('-') && option.contains('l'),
    }
}

/// An element that bash, which reads the joined elements, takes apart.
fn argv(words: &[Cursor], found: &mut Vec<Warning>) {
    match script(inner(words)) {
        Some(Err(option)) => found.push(warn(trap::SHELL_WITHOUT_SCRIPT, option, "")),
        Some(Ok(script))
            if !shell::is_quoted(script.text().trim())
                && shell::special(script.text()).is_some() =>
        {
            let detail = "The inner program takes the first word of this script for all of it";
            found.push(warn(trap::ARGV_LOSES_QUOTING, script, detail));
        }
        None if is_argv(words) => {
            let warning = words[1..].iter().find_map(|word| {
                let detail = taken_apart(word.text(), words[0].text())?;
                Some(warn(trap::ARGV_LOSES_QUOTING, word, &detail))
            });
            found.extend(warning);
        }
        _ => {}
    }
}

/// Returns whether elements look like a program and its arguments, and not like parts of a shell's
/// text.
fn is_argv(words: &[Cursor]) -> bool {
    // Words of bash itself: no program has these names.
    const OF_BASH: [&str; 31] = [
        "!", ".", ":", "[[", "alias", "builtin", "case", "cd", "command", "declare", "do", "else",
        "eval", "exec", "exit", "export", "for", "function", "if", "let", "local", "readonly",
        "set", "shopt", "source", "then", "time", "trap", "ulimit", "until", "while",
    ];
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+/".contains(c);
    let program = program.text();
    let is_program =
        !program.is_empty() && program.chars().all(plain) && !OF_BASH.contains(&program);
    // An operator of its own, or at an end of an element, is meant for bash, and so are lines.
    let is_text = |word: &Cursor| {
        let text = word.text().trim();
        let begins = ["&&", "||", ";", "|", "&", "<", ">", "1>", "2>", "(", "#"];
        let ends = [";", "&", "|", ">", "<"];
        text.contains('\n')
            || begins.iter().any(|begin| text.starts_with(begin))
            || ends.iter().any(|end| text.ends_with(end))
    };
    is_program && !arguments.is_empty() && !arguments.iter().any(is_text)
}

/// Returns the effect of bash on an argument that is not one literal word. `None` where it is one,
/// and where the user means bash: variables, commands, patterns and words in quotes.
fn taken_apart(text: &str, program: &str) -> Option<String> {
    let plain: String = shell::without_expansions(text)
        .chars()
        .map(|c| if "*?[]~".contains(c) { 'x' } else { c })
        .collect();
    let special = shell::special_behind(&plain)?;
    if !special.is_whitespace() {
        return Some(format!("Bash reads `{special}` in this argument"));
    }
    // `echo` prints them all the same, and several options in one element are meant to be taken
    // apart.
    let options = text.split_whitespace().any(|word| word.starts_with('-'));
    let prints = program.rsplit('/').next() == Some("echo");
    (!options && !prints).then(|| "Bash makes several words of this argument".to_owned())
}

/// `$(NAME)` of a variable that the container has, where NAME could also be a program, and `$$`.
pub(super) fn expanded(group: &Group, words: &[Cursor], found: &mut Vec<Warning>) {
    for word in words {
        let text = word.text();
        // In capitals it is the way in which Kubernetes names a variable.
        let name = references(text).find(|name| {
            name.contains(|c: char| c.is_ascii_lowercase()) && group.ray.variable(name).is_some()
        });
        if let Some(name) = name {
            found.push(warn(trap::KUBELET_EXPANDS, word, &format!("`$({name})`")));
        } else if loses_dollar(text) {
            found.push(warn(trap::KUBELET_EXPANDS, word, "`$$` becomes `$`"));
        }
    }
}
