//! Ray's container ended: its exit code, its log and the traps of its text say why.

use super::texts::{exit, last_line, line_with, not_found, ray_started};
use super::{Candidate, Case};
use crate::live::doctor::causes::{self, Cause};
use crate::live::doctor::document::ProofKind;
use crate::live::doctor::view::{ContainerView, Ended, PodView, texts};

/// The variable that holds the operator's own `ray start`.
const GENERATED: &str = "KUBERAY_GEN_RAY_START_CMD";

/// Traps whose text bash can't parse.
const SYNTAX: [&str; 8] = [
    "trailing-ampersand",
    "trailing-semicolon",
    "trailing-newline",
    "trailing-operator",
    "open-here-document",
    "syntax-error",
    "shell-in-parameter",
    "expanded-in-parameter",
];

/// Lines of Ray that have one meaning: what they hold, the traps behind them, and the cause where
/// there is no trap.
struct Sign {
    parts: &'static [&'static str],
    traps: &'static [&'static str],
    cause: &'static Cause,
    weight: u32,
}

static SIGNS: &[Sign] = &[
    Sign {
        parts: &[
            "Ray is trying to start at",
            "already running at",
            "is already running",
        ],
        traps: &[
            "ray-start-in-words",
            "gen-cmd-without-annotation",
            "ray-start-in-text",
        ],
        cause: &causes::RAY_ALREADY_RUNNING,
        weight: 88,
    },
    Sign {
        parts: &["unexpected extra argument", "Got unexpected extra arg"],
        traps: &[
            "gen-cmd-unquoted",
            "shell-in-parameter",
            "expanded-in-parameter",
        ],
        cause: &causes::RAY_UNEXPECTED_ARGUMENT,
        weight: 87,
    },
    Sign {
        parts: &["is a required flag unless starting a head node"],
        traps: &["ray-start-without-address"],
        cause: &causes::RAY_INVALID_VALUE,
        weight: 86,
    },
    Sign {
        parts: &["No such option", "no such option"],
        traps: &[
            "unknown-ray-option",
            "gen-cmd-unquoted",
            "shell-in-parameter",
        ],
        cause: &causes::RAY_UNKNOWN_OPTION,
        weight: 86,
    },
    Sign {
        parts: &[
            "not a valid JSON",
            "is not a valid JSON",
            "Unable to parse",
            "JSONDecodeError",
        ],
        traps: &[
            "unreadable-json",
            "gen-cmd-unquoted",
            "shell-in-parameter",
            "resources-hide-gpus",
        ],
        cause: &causes::RAY_INVALID_VALUE,
        weight: 85,
    },
    Sign {
        parts: &[
            "Invalid value for",
            "is not a valid integer",
            "is not a valid float",
        ],
        traps: &["parameter-type", "kubelet-expands", "expanded-in-parameter"],
        cause: &causes::RAY_INVALID_VALUE,
        weight: 85,
    },
    Sign {
        parts: &[
            "WRONGPASS",
            "NOAUTH",
            "Could not establish connection to Redis",
            "Failed to connect to Redis",
            "Error connecting to Redis",
            "redis_context.cc",
        ],
        traps: &["gen-cmd-unquoted"],
        cause: &causes::REDIS_UNREACHABLE,
        weight: 84,
    },
    Sign {
        parts: &["Version mismatch: The cluster was started with"],
        traps: &[],
        cause: &causes::RAY_VERSION_MISMATCH,
        weight: 84,
    },
    Sign {
        parts: &["Some Ray subprocesses exited unexpectedly"],
        traps: &[],
        cause: &causes::RAY_PROCESS_DIED,
        weight: 80,
    },
    Sign {
        parts: &[
            "Failed to connect to GCS",
            "Unable to connect to GCS",
            "Connection to GCS",
            "Failed to get cluster ID from GCS",
        ],
        traps: &["ray-start-in-text"],
        cause: &causes::GCS_UNREACHABLE,
        weight: 78,
    },
];

/// Traps after which the shell ends with 0, and with another code.
const ENDS_WELL: [&str; 7] = [
    "trailing-comment",
    "open-here-document",
    "overwrite-without-command",
    "ends-shell",
    "ray-start-in-text",
    "ray-start-without-block",
    "kubelet-expands",
];
const ENDS_BADLY: [&str; 8] = [
    "ends-shell",
    "errexit",
    "kubelet-expands",
    "ray-start-in-words",
    "ray-start-in-text",
    "overwrite-without-command",
    "shell-in-parameter",
    "needs-login-shell",
];

/// Returns the causes that may explain why Ray's container ended or restarts.
pub(super) fn of_ray(case: &Case, pod: &PodView, container: &ContainerView) -> Vec<Candidate> {
    if container.ready {
        return Vec::new();
    }
    let mut found = hook(case, pod, container);
    let Some(end) = container.ended() else {
        return found;
    };
    let log = case.log_of_end(pod, container);
    let (kind, code) = exit(&end);
    let mut add = |candidate: Candidate, line: &str| {
        let candidate = candidate.at(pod, container.name);
        let candidate = candidate.proven(ProofKind::Log, line).proven(kind, &code);
        found.push(candidate);
    };
    if end.reason == "OOMKilled" {
        add(Candidate::of(&causes::OUT_OF_MEMORY, 95), "");
    }
    if ["StartError", "ContainerCannotRun"].contains(&end.reason) {
        if end.message.contains(GENERATED)
            && let Some(trap) = case.trap(pod, &["gen-cmd-not-run"])
        {
            let word = case.of_trap(trap, 94);
            add(word.proven(ProofKind::Status, end.message), "");
        }
        let start = Candidate::of(&causes::CONTAINER_START, 93);
        add(start.proven(ProofKind::Status, end.message), "");
    }
    if let Some(trap) = case
        .trap(pod, &["ray-not-first"])
        .filter(|_| !ray_started(log))
    {
        add(case.of_trap(trap, 94), last_line(log));
    }
    let syntax = [
        "syntax error",
        "unexpected EOF",
        "unexpected end of file",
        "here-document",
    ];
    if let Some(line) = line_with(log, &syntax) {
        match case.trap(pod, &SYNTAX) {
            Some(trap) => add(case.of_trap(trap, 90), line),
            None => add(syntax_error(), line),
        }
    }
    for sign in SIGNS {
        if let Some(line) = line_with(log, sign.parts) {
            match case.trap(pod, sign.traps) {
                Some(trap) => add(case.of_trap(trap, sign.weight + 1), line),
                None => add(Candidate::of(sign.cause, sign.weight), line),
            }
        }
    }
    if let Some((candidate, line)) = unknown_command(case, pod, &end, log) {
        add(candidate, line);
    }
    if end.code == 126 {
        let line = line_with(log, &["Permission denied", "cannot execute"]);
        add(
            Candidate::of(&causes::NOT_EXECUTABLE, 84),
            line.unwrap_or_default(),
        );
    }
    if end.code == 0
        && ray_started(log)
        && let Some(trap) = case.trap(pod, &["ray-start-without-block"])
    {
        add(case.of_trap(trap, 84), last_line(log));
    }
    if let Some(event) = killed(case, pod, &end) {
        let candidate = match case.trap(pod, &["never-returns", "waits-for-jobs"]) {
            Some(trap) if !ray_started(log) => case.of_trap(trap, 89),
            _ => Candidate::of(&causes::PROBE_KILLS_SLOW_START, 82),
        };
        add(candidate.proven(ProofKind::Event, &event), "");
    }
    if !ray_started(log) {
        let ids: &[&str] = if end.code == 0 {
            &ENDS_WELL
        } else {
            &ENDS_BADLY
        };
        let limit = line_with(log, &["cannot modify limit"]);
        match case.trap(pod, &["errexit"]).filter(|_| limit.is_some()) {
            Some(trap) => add(case.of_trap(trap, 77), limit.unwrap_or_default()),
            None => {
                if let Some(trap) = case.trap(pod, ids) {
                    add(case.of_trap(trap, 75), last_line(log));
                }
            }
        }
        if ![126, 127, 137, 143].contains(&end.code) {
            add(Candidate::of(&causes::COMMAND_ENDS, 50), last_line(log));
        }
    }
    found
}

fn syntax_error() -> Candidate {
    let known = crate::explain::check::trap("syntax-error");
    let mut one = Candidate::of(&causes::COMMAND_ENDS, 85);
    if let Some(trap) = known {
        one = one.saying(trap.text, trap.help);
        one.finding.cause = trap.id.into();
        one.finding.rule = Some(trap.rule.into());
        one.finding.scenarios.clear();
    }
    one
}

/// A program that the shell did not find, where that ended the container.
fn unknown_command<'a>(
    case: &Case,
    pod: &PodView,
    end: &Ended,
    log: &'a str,
) -> Option<(Candidate, &'a str)> {
    let (name, line) = match not_found(log) {
        Some(found) => found,
        None if end.code == 127 => ("", last_line(log)),
        None => return None,
    };
    // A command before the joint that is unknown does not end the container.
    if end.code != 127 && name != "ray" {
        return None;
    }
    if name == "ray" || (name.is_empty() && generated(pod)) {
        let login = has_login_shell(pod);
        let (message, help) = if login {
            (
                "The container's shell is a login shell: it reads /etc/profile, which sets PATH \
                 anew, and the folder of `ray` is lost.",
                "Upgrade to KubeRay 1.4 or later, whose shell is no login shell, or write \
                 `export PATH=…:$PATH` in the text of the command.",
            )
        } else {
            (
                "The container's shell is no login shell (KubeRay 1.4 and later): it reads no \
                 profile, and without one `ray` is not in its PATH.",
                "Write `export PATH=…:$PATH` or `source` the profile in the text of the command, \
                 set PATH in the image, or give the operator ENABLE_LOGIN_SHELL=true.",
            )
        };
        let weight = if name.is_empty() { 70 } else { 86 };
        // A PATH that keeps the text `$PATH` lacks every folder of the image's.
        let unexpanded = case.trap(pod, &["env-not-expanded"]);
        let trap = unexpanded
            .filter(|found| found.message.contains("PATH"))
            .or_else(|| case.trap(pod, &["path-reset"]));
        let one = match trap {
            Some(found) => case.of_trap(found, weight),
            None => Candidate::of(&causes::RAY_NOT_IN_PATH, weight).saying(message, help),
        };
        let shell = texts(&pod.first()["command"]).join(" ");
        return Some((
            one.proven(ProofKind::Field, &format!("command: {shell}")),
            line,
        ));
    }
    let trap = case
        .trap(pod, &["needs-login-shell"])
        .filter(|_| !has_login_shell(pod))
        .or_else(|| case.trap(pod, &["gen-cmd-not-run"]));
    let one = match trap {
        Some(trap) => case.of_trap(trap, 84),
        None => Candidate::of(&causes::COMMAND_NOT_FOUND, 83),
    };
    Some((one, line))
}

/// Whether the operator wrote the command of the first container.
fn generated(pod: &PodView) -> bool {
    let args = texts(&pod.first()["args"]);
    args.len() == 1 && args[0].contains("ulimit -n") && args[0].contains("ray start")
}

fn has_login_shell(pod: &PodView) -> bool {
    let words = texts(&pod.first()["command"]);
    words
        .iter()
        .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('l'))
}

/// The event of a container that its liveness probe killed. A probe also fails once a container has
/// ended, so its failure alone proves nothing of a container that was not killed.
fn killed(case: &Case, pod: &PodView, end: &Ended) -> Option<String> {
    let events = case.events(pod.uid());
    let killing = events
        .iter()
        .find(|event| event.reason == "Killing" && event.message.contains("failed liveness probe"));
    let failing = events.iter().find(|event| {
        event.reason == "Unhealthy" && event.message.contains("Liveness probe failed")
    });
    let startup = events
        .iter()
        .find(|event| event.reason == "Killing" && event.message.contains("failed startup probe"));
    let failing = failing.filter(|_| [137, 143].contains(&end.code));
    let found = killing.or(startup).or(failing)?;
    Some(format!("{}: {}", found.reason, found.message))
}

/// The postStart hook of the container failed.
fn hook(case: &Case, pod: &PodView, container: &ContainerView) -> Vec<Candidate> {
    let events = case.events(pod.uid());
    let failed = events.iter().find(|event| {
        event.reason == "FailedPostStartHook" || event.message.contains("PostStartHook failed")
    });
    let told = |event: &crate::live::doctor::view::EventView| {
        vec![
            Candidate::of(&causes::POST_START_HOOK_FAILS, 94)
                .at(pod, container.name)
                .proven(
                    ProofKind::Event,
                    &format!("{}: {}", event.reason, event.message),
                ),
        ]
    };
    failed.map_or_else(Vec::new, told)
}
