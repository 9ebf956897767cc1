//! GitHub Actions: the job's summary, and annotations on scenario files.

use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::path::Path;

use super::final_text::without_verdict;
use super::text::clean;
use super::{CaseResult, Outcome, ReportError, RunResult, render_markdown};

/// GitHub drops the whole summary of a step that is larger, in bytes.
const SUMMARY_LIMIT: u64 = 1024 * 1024;

/// What stands at the end of a summary that had to be cut.
const CUT: &str = "\n**This summary was cut at GitHub's limit of 1 MiB; the whole is in `summary.md` in the output folder.**\n";

/// The end of a folded part.
const END: &str = "\n</details>\n";

/// Lines of a difference that an annotation shows.
const ANNOTATION_LINES: usize = 30;

/// Looks an environment variable up.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The value of a variable that is set to something.
fn set(env: Env, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

/// Appends the summary to the file that `GITHUB_STEP_SUMMARY` names, when set.
///
/// # Errors
/// When the summary can't be written.
pub fn write_summary(run: &RunResult, env: Env) -> Result<(), ReportError> {
    let Some(path) = set(env, "GITHUB_STEP_SUMMARY") else {
        return Ok(());
    };
    append_summary(Path::new(&path), &render_markdown(run)).map_err(|source| ReportError::Write {
        path: path.into(),
        source,
    })
}

/// Returns the annotations to print, one a line, when `GITHUB_ACTIONS` is set.
pub fn annotations(run: &RunResult, env: Env) -> Vec<String> {
    if set(env, "GITHUB_ACTIONS").is_none() {
        return Vec::new();
    }
    annotations_of(run, set(env, "GITHUB_WORKSPACE").as_deref())
}

/// Text from a cluster as a runner may be shown it: between two lines that stop and resume the
/// runner's commands, so that a line such as `::add-path::…` or `##[error]` in a log does nothing.
pub fn without_commands(text: &str) -> String {
    // A token that a log can't know beforehand.
    let token = format!(
        "kuberay-conformance-{:016x}",
        RandomState::new().hash_one(text)
    );
    format!(
        "::stop-commands::{token}\n{}\n::{token}::\n",
        text.trim_end_matches('\n')
    )
}

fn append_summary(path: &Path, summary: &str) -> std::io::Result<()> {
    let mut file = fs::File::options().create(true).append(true).open(path)?;
    let room = SUMMARY_LIMIT.saturating_sub(file.metadata()?.len());
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    file.write_all(cut(summary, room).as_bytes())
}

/// The text, or as many of its lines as fit into `room` bytes together with a sentence that says
/// so.
fn cut(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.into();
    }
    let mut kept = String::new();
    let mut fence: Option<String> = None;
    // What is folded must end, or the rest of the job's page would be folded, too.
    let mut folded = false;
    for line in text.split_inclusive('\n') {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        let fence_after = match &fence {
            Some(open) if *open == ticks && line.trim_end() == open => None,
            None if ticks.len() >= 3 => Some(ticks),
            _ => fence.clone(),
        };
        let folded_after = match line.trim_end() {
            _ if fence.is_some() => folded,
            "</details>" => false,
            line => folded || line.starts_with("<details>"),
        };
        let closing = fence_after.as_ref().map_or(0, |ticks| ticks.len() + 1) + END.len();
        if kept.len() + line.len() + closing + CUT.len() > room {
            break;
        }
        kept.push_str(line);
        (fence, folded) = (fence_after, folded_after);
    }
    if let Some(ticks) = fence {
        kept.push_str(&ticks);
        kept.push('\n');
    }
    if folded {
        kept.push_str(END);
    }
    if kept.len() + CUT.len() <= room {
        kept.push_str(CUT);
    }
    kept
}

fn annotations_of(run: &RunResult, workspace: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let told = |case: &&CaseResult| case.outcome.is_bad() || case.outcome == Outcome::New;
    for case in run.cases.iter().filter(told) {
        let kind = if case.is_provisional_failure() {
            "warning"
        } else {
            "error"
        };
        let file = relative(&case.file, workspace);
        let before = lines.len();
        for check in case.bad_checks() {
            let title = format!("{}: {}", case.id, check.name);
            let mut message = check.message.clone();
            for (name, block) in check.blocks() {
                _ = write!(message, "\n{name}:\n{}", first_lines(block));
            }
            let place = (check.location.line.max(1), check.location.column.max(1));
            lines.push(annotation(kind, file, place, &title, &message));
        }
        if lines.len() == before {
            lines.push(annotation(kind, file, (1, 1), &case.id, reason(case)));
        }
    }
    if let Some(reason) = &run.interrupted {
        let title = property("The run did not complete");
        lines.push(format!("::error title={title}::{}", data(reason)));
    }
    if let Some(reason) = without_verdict(run) {
        lines.push(format!(
            "::error title=Nothing was judged::{}",
            data(&reason)
        ));
    }
    lines
}

fn reason(case: &CaseResult) -> &str {
    case.reason.as_deref().unwrap_or("no reason was given")
}

/// Annotations only land on files named relative to the checkout.
pub(super) fn relative<'a>(file: &'a str, workspace: Option<&str>) -> &'a str {
    let below = workspace.and_then(|workspace| Path::new(file).strip_prefix(workspace).ok());
    below
        .and_then(Path::to_str)
        .unwrap_or(file)
        .trim_start_matches("./")
}

fn first_lines(block: &str) -> String {
    let mut lines: Vec<&str> = block.lines().take(ANNOTATION_LINES + 1).collect();
    if lines.len() > ANNOTATION_LINES {
        lines[ANNOTATION_LINES] = "… (the rest is in the report)";
    }
    lines.join("\n")
}

fn annotation(
    kind: &str,
    file: &str,
    (line, column): (usize, usize),
    title: &str,
    message: &str,
) -> String {
    annotation_with(kind, Some(file), (line, column), title, message)
}

/// An annotation of a file, or one without a place.
pub(super) fn annotation_with(
    kind: &str,
    file: Option<&str>,
    (line, column): (usize, usize),
    title: &str,
    message: &str,
) -> String {
    let (title, message) = (property(title), data(message));
    let place = file.map(|file| format!("file={},line={line},col={column},", property(file)));
    format!(
        "::{kind} {}title={title}::{message}",
        place.unwrap_or_default()
    )
}

/// Escapes the message of a workflow command. Cleaning has left no `\r`; escaped all the same, as
/// GitHub asks.
fn data(text: &str) -> String {
    let text = clean(text.trim_end());
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
#[path = "github/tests.rs"]
mod tests;
