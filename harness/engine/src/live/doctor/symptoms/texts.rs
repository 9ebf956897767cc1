//! Lines of logs that prove something.

use crate::live::doctor::document::ProofKind;
use crate::live::doctor::view::Ended;

/// The first line that holds one of these texts.
pub(in crate::live::doctor) fn line_with<'a>(log: &'a str, parts: &[&str]) -> Option<&'a str> {
    log.lines()
        .find(|line| parts.iter().any(|part| line.contains(part)))
}

/// The last line that is not empty.
pub(super) fn last_line(log: &str) -> &str {
    log.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
}

/// Returns the end of a container as a proof.
pub(super) fn exit(end: &Ended) -> (ProofKind, String) {
    let reason = if end.reason.is_empty() {
        "Error"
    } else {
        end.reason
    };
    (ProofKind::ExitCode, format!("{} ({reason})", end.code))
}

/// The last command that bash did not find, with its line.
pub(super) fn not_found(log: &str) -> Option<(&str, &str)> {
    log.lines().rev().find_map(|line| {
        let before = line.trim_end().strip_suffix(": command not found");
        let before = before.or_else(|| line.trim_end().strip_suffix(": not found"))?;
        let name = before.rsplit(": ").next()?;
        Some((name, line))
    })
}

/// Whether Ray came up, as its log shows it.
pub(super) fn ray_started(log: &str) -> bool {
    const SIGNS: [&str; 5] = [
        "Ray runtime started",
        "Local node IP",
        "Usage stats collection is",
        "Some Ray subprocesses exited",
        "--block",
    ];
    // The generated command itself, as `set -x` and bash's errors quote it, is no sign.
    log.lines().any(|line| {
        let quoted = line.contains("ray start") || line.contains("syntax error");
        !quoted && SIGNS.iter().any(|sign| line.contains(sign))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_was_not_found_is_named() {
        let log = "/bin/bash: line 1: prepare: command not found\n\
                   /bin/bash: line 1: ray: command not found\n";
        assert_eq!(not_found(log).unwrap().0, "ray");
        assert_eq!(not_found("sh: 1: ray: not found\n").unwrap().0, "ray");
        assert_eq!(not_found("file not found"), None);
    }

    #[test]
    fn the_generated_command_in_a_message_is_no_start_of_ray() {
        assert!(!ray_started(
            "bash: line 1: ` && ulimit -n 65536; ray start --head  --block '\n"
        ));
        assert!(ray_started(
            "2026-11-28 INFO scripts.py:902 -- Ray runtime started.\n"
        ));
    }
}
