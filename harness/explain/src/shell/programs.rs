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
        | ("streamlit", ["run", ..])
        | ("mlflow", ["server" | "ui", ..])
        | ("kubectl", ["port-forward" | "proxy", ..]) => true,
        ("kubectl", ["logs", ..]) | ("journalctl", _) => has(&["-f", "--follow"]),
        ("sshd", _) => has(&["-D"]),
        ("nginx", _) => arguments.iter().any(|word| word.contains("daemon off")),
        ("redis-server", _) => !has(&["--daemonize"]),
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
        (
            "env" | "nohup" | "nice" | "setsid" | "stdbuf" | "sudo" | "gosu" | "tini" | "dumb-init",
            arguments,
        ) => {
            let mut rest = arguments;
            while let [first, others @ ..] = rest {
                if first.starts_with('-') || first.contains('=') {
                    rest = others;
                } else {
                    return never_returns(first, others);
                }
            }
            false
        }
        _ => false,
    }
}
