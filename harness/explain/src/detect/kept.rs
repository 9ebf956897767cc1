//! Traps of a command that the operator leaves as it is: does it start Ray, and does Ray keep the
//! container running?

use kuberay_contract::Feature;
use kuberay_manifest::Cursor;

use super::command::{
    self, GENERATED, as_bash_sees, explanation, is_shell, reads_profile, uses_generated,
};
use super::params::{HEAD_ONLY, only_with_head};
use super::{Group, warn, warn_at};
use crate::document::Warning;
use crate::shell::{self, OwnVerdict};
use crate::warning as trap;

/// Traps of `command` and `args` that stay as they are.
pub(super) fn of_text(
    group: &Group,
    words: &[Cursor],
    container: &Cursor,
    found: &mut Vec<Warning>,
) {
    let mentions = group.ray.features.contains(&Feature::RayStartInText);
    let inner = command::inner(words);
    let kernel = !container.items("command").is_empty();
    // A name of a program with blanks, for the kernel or for the image's entrypoint.
    let whole = command::script(inner).is_none()
        && inner.first().is_some_and(|word| {
            let text = word.text().trim_start();
            text.starts_with("ray start") && mentions || text.contains("ray start") && kernel
        });
    if mentions || whole {
        // Elements are joined by spaces, so the words may stand at the end of one and the start of
        // the next.
        let at = words
            .iter()
            .find(|word| word.text().contains("ray start"))
            .or(words.first());
        let detail = if whole {
            "No shell reads it, and no program has this text as its name"
        } else {
            ""
        };
        found.extend(at.map(|at| warn(trap::RAY_START_IN_TEXT, at, detail)));
    }
    let Some(program) = inner.first() else {
        found.push(warn(trap::OVERWRITE_WITHOUT_COMMAND, container, ""));
        return;
    };
    match command::script(inner) {
        Some(Ok(script)) if is_shell(program) => {
            found.extend(behind_script(inner, script));
            let options = inner.iter().skip(1).map(Cursor::text);
            let login = options
                .take_while(|option| option.starts_with('-'))
                .any(reads_profile);
            of_script(group, script, login, mentions, found);
        }
        Some(_) => {}
        None => direct(group, inner, mentions, found),
    }
}

/// Elements behind a script that would start Ray as a part of it: they are its parameters.
fn behind_script(words: &[Cursor], script: &Cursor) -> Option<Warning> {
    let at = words.iter().position(|word| word.path() == script.path())?;
    let text = script.text();
    let is_parameter = |name: &str| name.starts_with(|c: char| "@*0123456789".contains(c));
    let mut expansions = shell::expansions(text).into_iter();
    if expansions.any(|one| one.variable.as_deref().is_some_and(is_parameter)) {
        return None;
    }
    let all: Vec<&str> = words[at..].iter().map(Cursor::text).collect();
    let all = all.join(" ");
    let starts = |text: &str| !shell::calls(text, &["ray", "start"]).is_empty();
    let trap = if starts(&all) && !starts(text) {
        trap::RAY_START_IN_TEXT
    } else if shell::may_run(&all, GENERATED) && !shell::may_run(text, GENERATED) {
        trap::GEN_CMD_NOT_RUN
    } else {
        return None;
    };
    Some(Warning {
        help: "Give the shell the whole command as one element.".into(),
        ..warn(
            trap,
            script,
            "The shell takes this element alone for its script",
        )
    })
}

/// A script that a shell reads; `login` says whether it is a login shell.
fn of_script(
    group: &Group,
    script: &Cursor,
    login: bool,
    mentions: bool,
    found: &mut Vec<Warning>,
) {
    let text = as_bash_sees(group, script.text());
    let calls = shell::calls(&text, &["ray", "start"]);
    let place = |at: usize| shell::location(group.source, script, at);
    if calls.is_empty() && !shell::may_run(&text, GENERATED) {
        // What is never closed may hold the start.
        if (text.contains("ray start") || uses_generated(&text))
            && let Some(broken) = shell::broken(&text)
        {
            let (trap, detail) = explanation(&broken);
            found.push(warn_at(trap, script, place(broken.at), &detail));
        }
        return;
    }
    let variables = group.variables();
    let around = shell::Surroundings {
        variables: &variables,
        head: group.is_head(),
        login,
    };
    match shell::judge_own(&text, around) {
        OwnVerdict::Broken(broken) => {
            let (trap, detail) = explanation(&broken);
            found.push(warn_at(trap, script, place(broken.at), &detail));
        }
        OwnVerdict::Unknown(unknown) => {
            let detail = format!("The text holds {}", unknown.construct);
            found.push(warn_at(
                trap::NOT_ANALYSED,
                script,
                place(unknown.at),
                &detail,
            ));
        }
        OwnVerdict::Runs {
            whole: Some(at), ..
        } if reads_variable(script) => {
            let detail = "In quotes the shell takes it for the name of a program";
            found.push(warn_at(trap::GEN_CMD_NOT_RUN, script, place(at), detail));
        }
        OwnVerdict::Runs {
            starts: false,
            ends,
            hangs,
            ..
        } => {
            let first = ends.first().map(|stop| (trap::ENDS_SHELL, stop));
            let first = first.or(hangs.first().map(|stop| (trap::NEVER_RETURNS, stop)));
            found.extend(first.map(|(trap, stop)| {
                let detail = format!("{} (on every path)", stop.shown());
                warn_at(trap, script, place(stop.at), &detail)
            }));
        }
        OwnVerdict::Runs { returns, split, .. } => {
            let split = split.filter(|_| reads_variable(script) && holds_quotes(group));
            found.extend(split.map(|at| warn_at(trap::GEN_CMD_UNQUOTED, script, place(at), "")));
            found.extend(returns.map(|stop| {
                warn_at(
                    trap::RAY_START_WITHOUT_BLOCK,
                    script,
                    place(stop.at),
                    &stop.shown(),
                )
            }));
        }
    }
    let calls: Vec<(usize, Vec<&str>)> = calls
        .iter()
        .map(|call| {
            let words = call.iter().map(|word| word.raw.as_str()).collect();
            (call.first().map_or(0, |word| word.at), words)
        })
        .collect();
    for (at, words) in &calls {
        found.extend(
            head_only(group, words)
                .map(|detail| warn_at(trap::UNKNOWN_RAY_OPTION, script, place(*at), &detail)),
        );
    }
    // `ray-start-in-text` says so already.
    if mentions {
        return;
    }
    // A script for head and workers has a call for each.
    let shared = calls
        .iter()
        .any(|(_, words)| address(group, words).is_none());
    for (at, words) in &calls {
        let detail = address(group, words).filter(|detail| *detail == NEITHER || !shared);
        found
            .extend(detail.map(|detail| {
                warn_at(trap::RAY_START_WITHOUT_ADDRESS, script, place(*at), detail)
            }));
    }
}

/// Elements that no shell reads.
fn direct(group: &Group, words: &[Cursor], mentions: bool, found: &mut Vec<Warning>) {
    let text = |at: usize| words.get(at).map(Cursor::text);
    let is_ray = text(0).is_some_and(|name| name.rsplit('/').next() == Some("ray"));
    if is_ray && text(1) == Some("start") {
        let arguments: Vec<&str> = words[2..].iter().map(Cursor::text).collect();
        if !arguments.contains(&"--block") {
            found.push(warn(
                trap::RAY_START_WITHOUT_BLOCK,
                &words[0],
                "`ray start`",
            ));
        }
        let detail = head_only(group, &arguments);
        found.extend(detail.map(|detail| warn(trap::UNKNOWN_RAY_OPTION, &words[0], &detail)));
        for word in words {
            found.extend(
                unread_variable(word.text(), |name| group.has_variable(name))
                    .map(|detail| warn(trap::ENV_NOT_EXPANDED, word, &detail)),
            );
        }
        if !mentions {
            let detail = address(group, &arguments);
            found.extend(
                detail.map(|detail| warn(trap::RAY_START_WITHOUT_ADDRESS, &words[0], detail)),
            );
        }
        return;
    }
    if is_shell(&words[0])
        && let Some(script) = words[1..].iter().find(|word| !word.text().starts_with('-'))
        && !shell::calls(script.text(), &["ray", "start"]).is_empty()
        && !mentions
    {
        let detail = "Without `-c` the shell takes it for the name of a file";
        found.push(warn(trap::RAY_START_IN_TEXT, script, detail));
        return;
    }
    let Some(word) = words.iter().find(|word| uses_generated(word.text())) else {
        return;
    };
    let first = word.path() == words[0].path();
    // A script of the image may take it.
    if !first && !is_shell(&words[0]) && words[0].text().contains(['/', '.']) {
        return;
    }
    let reference = format!("$({GENERATED})");
    let detail = if is_shell(&words[0]) {
        "Without `-c` the shell takes it for the name of a file"
    } else if word.text().contains(&reference) {
        "The kubelet puts the whole command into one word"
    } else {
        "No shell reads it"
    };
    found.push(warn(trap::GEN_CMD_NOT_RUN, word, detail));
}

/// A variable in an argument that no shell reads, where the container has one of this name.
pub(super) fn unread_variable(text: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    let expansions = shell::expansions(text).into_iter();
    let mut known = expansions.filter(|one| one.variable.as_deref().is_some_and(&has));
    known.next().map(|one| format!("`{}`", one.what))
}

fn given(words: &[&str], option: &str) -> bool {
    let assigned = format!("{option}=");
    words
        .iter()
        .any(|word| *word == option || word.starts_with(&assigned))
}

/// An option in a call of `ray start` on a worker that only the head takes.
fn head_only(group: &Group, words: &[&str]) -> Option<String> {
    if group.is_head() || given(words, "--head") || !given(words, "--address") {
        return None;
    }
    let mut names = HEAD_ONLY.iter();
    let name = names.find(|name| given(words, &format!("--{name}")))?;
    Some(only_with_head(name))
}

const NEITHER: &str = "neither `--head` nor `--address` is given";

/// Returns a text about the option that a call of `ray start` with these words lacks.
fn address(group: &Group, words: &[&str]) -> Option<&'static str> {
    let given = |option: &str| given(words, option);
    // A variable may hold the option.
    let may_be = |at: usize| {
        let mut options = ["--head", "--address"].iter();
        words[at].starts_with("\"-") || options.any(|option| shell::may_be(words, at, option))
    };
    if (0..words.len()).any(may_be) {
        return None;
    }
    match (given("--head"), given("--address")) {
        (false, false) => Some(NEITHER),
        (true, _) if !group.is_head() => Some("`--head` on a worker"),
        (false, true) if group.is_head() => Some("`--address` without `--head` on the head"),
        _ => None,
    }
}

/// Returns whether a shell replaces the variable in a script; the kubelet, which knows it as
/// `$(NAME)`, puts the command into the script itself.
fn reads_variable(script: &Cursor) -> bool {
    !script.text().contains(&format!("$({GENERATED})"))
}

/// Returns whether the generated command holds quotes or variables, which a shell that splits it
/// leaves as they are.
fn holds_quotes(group: &Group) -> bool {
    let command = group.generated();
    command.is_some_and(|command| command.contains(['\'', '"', '$', '`', '\\']))
}
