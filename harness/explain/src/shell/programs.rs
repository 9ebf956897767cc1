//! What is known of programs: which never return, how long `sleep` waits, what a test compares.

/// From how many seconds on a `sleep` counts as one that never returns: a day.
pub(super) const ENDLESS: f64 = 86_400.0;

/// How long `sleep` waits; none where a word is no plain number.
pub(super) fn seconds(words: &[&str]) -> Option<f64> {
    let mut all = 0.0;
    for word in words {
        let (number, factor) = match word.chars().last()? {
            's' => (&word[..word.len() - 1], 1.0),
            'm' => (&word[..word.len() - 1], 60.0),
            'h' => (&word[..word.len() - 1], 3_600.0),
            'd' => (&word[..word.len() - 1], 86_400.0),
            _ => (*word, 1.0),
        };
        let plain = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
        all += number.parse::<f64>().ok().filter(|_| plain)? * factor;
    }
    Some(all)
}

/// Whether a comparison of two known words holds; none for other tests.
pub(super) fn compared(one: &str, operator: &str, other: &str) -> Option<bool> {
    let numbers = || Some((one.parse::<i64>().ok()?, other.parse::<i64>().ok()?));
    Some(match operator {
        "=" | "==" => one == other,
        "!=" => one != other,
        "-eq" => numbers().map(|(one, other)| one == other)?,
        "-ne" => numbers().map(|(one, other)| one != other)?,
        "-lt" => numbers().map(|(one, other)| one < other)?,
        "-le" => numbers().map(|(one, other)| one <= other)?,
        "-gt" => numbers().map(|(one, other)| one > other)?,
        "-ge" => numbers().map(|(one, other)| one >= other)?,
        _ => return None,
    })
}

/// Whether a program is a server that stays in the foreground.
fn serves(name: &str, arguments: &[&str]) -> bool {
    let has = |words: &[&str]| arguments.iter().any(|word| words.contains(word));
    if has(&["--help", "-h", "--version"]) {
        return false;
    }
    match (name, arguments) {
        ("python" | "python3", ["-m", module, rest @ ..]) => match *module {
            "http.server" => true,
            _ => module.starts_with("vllm.entrypoints") || serves(module, rest),
        },
        ("jupyter", [kind, ..]) => matches!(*kind, "lab" | "notebook" | "server"),
        ("jupyter-lab" | "jupyter-notebook" | "tensorboard" | "uvicorn" | "node_exporter", _) => {
            !arguments.is_empty()
        }
        ("gunicorn", [_, ..]) => !has(&["-D", "--daemon"]),
        ("vllm", ["serve", ..])
        | ("serve" | "streamlit", ["run", ..])
        | ("mlflow", ["server" | "ui", ..])
        | ("kubectl", ["port-forward" | "proxy", ..]) => true,
        ("kubectl", ["logs", ..]) | ("journalctl", _) => has(&["-f", "--follow"]),
        ("sshd", _) => has(&["-D"]),
        ("nginx", _) => arguments.iter().any(|word| word.contains("daemon off")),
        ("redis-server", _) => !has(&["--daemonize"]),
        ("ping", [_, ..]) => !arguments
            .iter()
            .any(|word| word.starts_with("-c") || word.starts_with("-w")),
        ("nc" | "ncat", _) => has(&["-lk", "-kl"]) || has(&["-l"]) && has(&["-k"]),
        // The operator's own `ray start` would only follow it.
        ("ray", ["start", ..]) => has(&["--block"]),
        ("dmesg", _) => has(&["-w", "-W", "--follow", "--follow-new"]),
        ("inotifywait", _) => has(&["-m", "--monitor"]),
        _ => false,
    }
}

/// Whether a program runs until it is stopped.
pub(super) fn never_returns(name: &str, arguments: &[&str]) -> bool {
    let short = name.rsplit('/').next().unwrap_or(name);
    if serves(short, arguments) {
        return true;
    }
    match (short, arguments) {
        ("sleep", arguments) if seconds(arguments).is_some_and(|seconds| seconds >= ENDLESS) => {
            true
        }
        ("sleep", arguments) => {
            let endless = |word: &&str| matches!(word.to_lowercase().as_str(), "inf" | "infinity");
            let plain = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit() || c == '$');
            // Sleep refuses other words at once.
            arguments.iter().any(endless)
                && arguments.iter().all(|word| endless(word) || plain(word))
        }
        ("tail", arguments) => arguments.iter().any(|word| {
            word.starts_with("--follow")
                || *word == "--retry"
                || word.strip_prefix('-').is_some_and(|options| {
                    options.contains(['f', 'F'])
                        && options.chars().all(|c| c.is_ascii_alphanumeric())
                })
        }),
        ("yes", arguments) => !arguments.iter().any(|word| word.starts_with("--")),
        ("watch", arguments) => !arguments.is_empty() && !arguments[0].starts_with("--"),
        (name, arguments) => wrapped(name, arguments)
            .is_some_and(|first| never_returns(arguments[first], &arguments[first + 1..])),
    }
}

/// Whether a program is a shell that reads bash's language.
pub(super) fn shell(name: &str) -> bool {
    let short = name.rsplit('/').next().unwrap_or(name);
    matches!(short, "bash" | "sh" | "dash" | "ash" | "zsh")
}

/// Where the command begins among the arguments of a program that only runs it, and waits for it.
pub(super) fn wrapped(name: &str, arguments: &[&str]) -> Option<usize> {
    let short = name.rsplit('/').next().unwrap_or(name);
    let operands = match short {
        "env" | "nohup" | "nice" | "ionice" | "setsid" | "stdbuf" | "sudo" | "tini"
        | "dumb-init" | "unbuffer" | "catatonit" | "numactl" => 0,
        "gosu" | "su-exec" | "chroot" => 1,
        // It ends a command after this time.
        "timeout" => {
            let limit = arguments.iter().find(|word| !word.starts_with('-'))?;
            let seconds = seconds(&[limit])?;
            if seconds > 0.0 && seconds < ENDLESS {
                return None;
            }
            1
        }
        _ => return None,
    };
    let is_own = |word: &&str| word.starts_with('-') || short == "env" && word.contains('=');
    let mut left: usize = operands;
    arguments.iter().position(|word| {
        if is_own(word) {
            return false;
        }
        let is_command = left == 0;
        left = left.saturating_sub(1);
        is_command
    })
}
