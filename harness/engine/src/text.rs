//! Text from clusters, without terminal codes and invisible characters.

use std::sync::LazyLock;

use regex::Regex;

use crate::visible;

/// Colours and other terminal codes: control sequences, and operating system commands such as links
/// and titles.
static TERMINAL_CODES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)")
        .expect("a constant expression")
});

/// Removes terminal codes, which programs write into their logs, and shows what else can't be seen
/// as [`visible::lines`] does.
pub fn clean(text: &str) -> String {
    visible::lines(&TERMINAL_CODES.replace_all(text, ""))
}
