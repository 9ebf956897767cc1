//! Known facts about programs: those that never return, the duration of `sleep`, the result of a
//! test.

/// From how many seconds on a `sleep` counts as one that never returns: a day.
pub(super) const ENDLESS: f64 = 86_400.0;

/// Returns the duration of `sleep`; `None` where a word is not a plain number.
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

/// Returns whether a comparison of two known words holds; none for other tests.
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

/// Returns whether a program is a server that stays in the foreground.
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
        (
            "code-server" | "dcgm-exporter" | "etcd" | "prometheus" | "pushgateway"
            | "tritonserver",
            _,
        )
        | ("fastapi", ["run" | "dev", ..])
        | ("minio", ["server", ..])
        | ("ollama" | "vllm", ["serve", ..])
        | ("flask" | "serve" | "streamlit", ["run", ..])
        | ("mlflow", ["server" | "ui", ..])
        | ("kubectl", ["port-forward" | "proxy", ..]) => true,
        ("haproxy", _) => !has(&["-D", "-c", "-v", "-vv"]),
        ("memcached", _) => !has(&["-d", "--daemon"]),
        ("cron" | "crond", _) => has(&["-f", "-n"]),
        ("kubectl", ["logs", ..]) | ("journalctl", _) => has(&["-f", "--follow"]),
        ("kubectl", ["get", ..]) => has(&["-w", "--watch", "--watch-only"]),
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

/// Returns whether a program prints or forwards something again and again until it is stopped.
fn repeats(name: &str, arguments: &[&str]) -> bool {
    let has = |letter: char, long: &[&str]| has_option(arguments, letter, long);
    // Such as `vmstat 5`; a second number counts the rounds.
    let by_interval = || {
        let is_number = |word: &&str| word.parse::<f64>().is_ok();
        match arguments {
            [] => false,
            [only] => is_number(only),
            [.., before, last] => {
                let is_value = matches!(*before, "-P" | "-p" | "-j" | "-f" | "-s" | "-e");
                is_number(last) && !is_number(before) && !is_value
            }
        }
    };
    match (name, arguments) {
        ("nvidia-smi", ["dmon" | "pmon", ..]) => !has('c', &["--count"]),
        ("nvidia-smi", _) => arguments.iter().any(|word| {
            let name = word.split('=').next();
            matches!(name, Some("-l" | "--loop" | "-lms" | "--loop-ms"))
        }),
        ("top", _) => has('b', &["--batch", "--batch-mode"]) && !has('n', &["--iterations"]),
        ("watch", [_, ..]) => {
            let is_own = |word: &&&str| word.starts_with('-') || word.parse::<f64>().is_ok();
            let own: Vec<&str> = arguments.iter().take_while(is_own).copied().collect();
            let ends = [('g', "--chgexit"), ('v', "--version"), ('h', "--help")];
            !ends
                .iter()
                .any(|(letter, long)| has_option(&own, *letter, &[long]))
        }
        ("ssh" | "autossh", _) => has('N', &[]) && !has('f', &[]),
        ("socat", _) => arguments.iter().any(|word| {
            let (kind, options) = word.split_once(':').unwrap_or_default();
            let kind = kind.to_uppercase();
            let listens = kind.ends_with("LISTEN") || kind.ends_with("-L");
            listens && options.split(',').any(|option| option == "fork")
        }),
        ("vmstat" | "iostat" | "mpstat" | "pidstat" | "sar", _) => by_interval(),
        ("tcpdump", _) => !has('c', &[]) && !has('h', &["--help", "--version"]),
        _ => false,
    }
}

/// Returns whether a short option is given, alone or among others such as `-bn1`, or one of the
/// long ones.
fn has_option(arguments: &[&str], letter: char, long: &[&str]) -> bool {
    arguments.iter().any(|word| match word.strip_prefix('-') {
        Some(rest) if rest.starts_with('-') => {
            let name = word.split('=').next().unwrap_or(word);
            long.contains(&name)
        }
        // What follows the letter of `-o` is its value.
        Some(rest) => rest
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .scan(false, |ends, c| {
                let was = std::mem::replace(ends, matches!(c, 'o' | 'i' | 'L' | 'w'));
                (!was).then_some(c)
            })
            .any(|c| c == letter),
        None => false,
    })
}

/// Returns whether a program runs until it is stopped.
pub(super) fn never_returns(name: &str, arguments: &[&str]) -> bool {
    let short = name.rsplit('/').next().unwrap_or(name);
    if serves(short, arguments) || repeats(short, arguments) {
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
                || word.strip_prefix('-').is_some_and(|options| {
                    options.contains(['f', 'F'])
                        && options.chars().all(|c| c.is_ascii_alphanumeric())
                })
        }),
        ("yes", arguments) => !arguments.iter().any(|word| word.starts_with("--")),
        (name, arguments) => wrapped(name, arguments)
            .is_some_and(|first| never_returns(arguments[first], &arguments[first + 1..])),
    }
}

/// Returns whether a program is a shell that reads bash's language.
pub(super) fn shell(name: &str) -> bool {
    let short = name.rsplit('/').next().unwrap_or(name);
    matches!(short, "bash" | "sh" | "dash" | "ash" | "zsh")
}

/// Returns the position of the command among the arguments of a program that only runs it and waits
/// for it.
pub(super) fn wrapped(name: &str, arguments: &[&str]) -> Option<usize> {
    let short = name.rsplit('/').next().unwrap_or(name);
    if short == "timeout" {
        // It ends a command after this time.
        let limit = arguments.get(first_operand(short, arguments)?)?;
        let seconds = seconds(&[limit])?;
        if seconds > 0.0 && seconds < ENDLESS {
            return None;
        }
    }
    runs(name, arguments)
}

/// The same, also for a program that ends the command after some time.
pub(in super::super) fn runs(name: &str, arguments: &[&str]) -> Option<usize> {
    let short = name.rsplit('/').next().unwrap_or(name);
    if let (
        "conda" | "mamba" | "micromamba" | "pdm" | "pipenv" | "poetry" | "uv",
        ["run", rest @ ..],
    ) = (short, arguments)
    {
        let first = first_operand(short, rest)?;
        return (first < rest.len()).then_some(first + 1);
    }
    let operands = match short {
        "env" | "nohup" | "nice" | "ionice" | "setsid" | "stdbuf" | "sudo" | "tini"
        | "tini-static" | "dumb-init" | "unbuffer" | "catatonit" | "numactl" | "time" => 0,
        "gosu" | "su-exec" | "chroot" | "timeout" | "taskset" | "chrt" => 1,
        _ => return None,
    };
    let first = first_operand(short, arguments)?;
    let command = first + operands;
    (command < arguments.len()).then_some(command)
}

/// The first argument of such a program that is neither an option nor the value of one.
fn first_operand(short: &str, arguments: &[&str]) -> Option<usize> {
    // Options whose value is a word of its own.
    let with_value: &[&str] = match short {
        "conda" | "mamba" | "micromamba" => &["-n", "--name", "-p", "--prefix", "--cwd"],
        "uv" => &[
            "--with",
            "-p",
            "--python",
            "--env-file",
            "--directory",
            "--project",
            "--extra",
            "--group",
            "--package",
        ],
        "env" => &["-u", "--unset", "-C", "--chdir"],
        "nice" => &["-n", "--adjustment"],
        "ionice" => &["-c", "--class", "-n", "--classdata"],
        "stdbuf" => &["-i", "--input", "-o", "--output", "-e", "--error"],
        "sudo" => &[
            "-u", "--user", "-g", "--group", "-h", "--host", "-C", "-p", "-r", "-t",
        ],
        "tini" | "tini-static" => &["-p", "-e"],
        "dumb-init" => &["-r", "--rewrite"],
        "numactl" => &[
            "-i",
            "--interleave",
            "-m",
            "--membind",
            "-N",
            "--cpunodebind",
            "-C",
            "--physcpubind",
            "-p",
            "--preferred",
            "-P",
            "--preferred-many",
            "-w",
            "--weighted-interleave",
        ],
        "timeout" => &["-k", "--kill-after", "-s", "--signal"],
        "time" => &["-f", "--format", "-o", "--output"],
        _ => &[],
    };
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        if *word == "--" {
            return Some(at + 1);
        } else if with_value.contains(word) {
            at += 2;
        } else if word.starts_with('-') || short == "env" && word.contains('=') {
            at += 1;
        } else {
            return Some(at);
        }
    }
    None
}
