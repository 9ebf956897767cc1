//! The review of pending snapshots at a terminal.

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use semver::Version;

use super::{ExpectError, Pending, accept, reject};
use crate::align::WordChange;
use kuberay_manifest::visible;

/// What came of a review.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reviewed {
    /// Snapshots that were written.
    pub accepted: Vec<PathBuf>,
    /// Pending snapshots that were removed.
    pub rejected: Vec<PathBuf>,
    /// Pending snapshots that stay as they are.
    pub skipped: Vec<PathBuf>,
}

/// What to do with a pending snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Reject,
    Skip,
}

/// A pending snapshot that is still to be asked about.
struct Asked {
    /// Its number, from 1 on.
    position: usize,
    pending: Pending,
    /// Its change when the review began.
    changes: Option<Vec<WordChange>>,
}

impl Asked {
    fn new((index, pending): (usize, &Pending)) -> Self {
        Self {
            position: index + 1,
            pending: pending.clone(),
            changes: pending.changes(),
        }
    }

    /// Whether both have the same change: when the review began, and still.
    fn is_as(&self, other: &Asked) -> Result<bool, ExpectError> {
        let same = self.changes.is_some() && self.changes == other.changes;
        Ok(same && self.pending.refreshed()?.changes() == self.changes)
    }
}

/// Shows each pending snapshot and asks what to do with it: `a`ccept, `r`eject, `s`kip, or `q`uit,
/// which leaves the rest as it is, as does the end of the input. A capital letter answers for every
/// other snapshot with the same change, too. `partial` is as in [`accept`]; what that refuses is
/// asked again.
///
/// # Errors
/// When the terminal can't be read or written, or a file can't be written or removed.
pub fn review(
    pending: &[Pending],
    partial: bool,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Reviewed, ExpectError> {
    let mut reviewed = Reviewed::default();
    let mut rest: VecDeque<Asked> = pending.iter().enumerate().map(Asked::new).collect();
    while let Some(asked) = rest.pop_front() {
        let snapshot = asked.pending.refreshed()?;
        let mut alike = Vec::new();
        for (index, other) in rest.iter().enumerate() {
            if other.is_as(&asked)? {
                alike.push(index);
            }
        }
        show(&snapshot, asked.position, pending.len(), output)?;
        loop {
            let Some((answer, all)) = ask(alike.len(), input, output)? else {
                let left = rest.iter().map(|other| other.pending.path.clone());
                reviewed
                    .skipped
                    .extend(std::iter::once(snapshot.path).chain(left));
                return Ok(reviewed);
            };
            if !reviewed.act(answer, &snapshot, partial, output)? {
                continue;
            }
            let alike = if all { &alike[..] } else { &[] };
            // From the last one on, so that the other indices stay true.
            for index in alike.iter().rev() {
                if let Some(other) = rest.remove(*index)
                    && !reviewed.act(answer, &other.pending, partial, output)?
                {
                    rest.insert(*index, other);
                }
            }
            break;
        }
    }
    Ok(reviewed)
}

impl Reviewed {
    /// Does what was answered; false where accepting was refused, which it says.
    fn act(
        &mut self,
        answer: Answer,
        pending: &Pending,
        partial: bool,
        output: &mut dyn Write,
    ) -> Result<bool, ExpectError> {
        match answer {
            Answer::Accept => match accept(pending, partial) {
                Ok(path) => self.accepted.push(path),
                Err(refused @ ExpectError::Partial { .. }) => {
                    let refused = visible::marked(&refused.to_string());
                    writeln!(output, "not accepted: {refused}")?;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            },
            Answer::Reject => {
                reject(pending)?;
                self.rejected.push(pending.path.clone());
            }
            Answer::Skip => self.skipped.push(pending.path.clone()),
        }
        Ok(true)
    }
}

/// Asks until there is an answer, and whether it is one for all that are alike; none at the end.
fn ask(
    alike: usize,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> std::io::Result<Option<(Answer, bool)>> {
    loop {
        match alike {
            0 => {}
            1 => writeln!(
                output,
                "One more has the same change; [A], [R] and [S] answer for both."
            )?,
            more => writeln!(
                output,
                "{more} more have the same change; [A], [R] and [S] answer for all of them."
            )?,
        }
        write!(output, "[a]ccept, [r]eject, [s]kip, [q]uit > ")?;
        output.flush()?;
        let mut answer = String::new();
        let ended = input.read_line(&mut answer)? == 0;
        let answer = match answer.trim() {
            "a" | "accept" => (Answer::Accept, false),
            "r" | "reject" => (Answer::Reject, false),
            "s" | "skip" => (Answer::Skip, false),
            "A" => (Answer::Accept, true),
            "R" => (Answer::Reject, true),
            "S" => (Answer::Skip, true),
            answer if ended || answer == "q" || answer == "quit" => return Ok(None),
            _ => continue,
        };
        return Ok(Some(answer));
    }
}

fn list(releases: &[Version]) -> String {
    let releases: Vec<String> = releases.iter().map(ToString::to_string).collect();
    releases.join(", ")
}

fn show(
    snapshot: &Pending,
    position: usize,
    all: usize,
    output: &mut dyn Write,
) -> std::io::Result<()> {
    let header = &snapshot.new.header;
    writeln!(
        output,
        "\n[{position}/{all}] {}",
        visible::line(&snapshot.target.display().to_string())
    )?;
    write!(output, "found on KubeRay {}", list(&header.operator))?;
    if !header.ray.is_empty() {
        write!(output, ", Ray {}", list(&header.ray))?;
    }
    writeln!(output)?;
    writeln!(
        output,
        "class {}: {}",
        snapshot.name.class.name, snapshot.name.class.why
    )?;
    match &snapshot.old {
        Some((path, old)) if old.body == snapshot.new.body => {
            let path = visible::line(&path.display().to_string());
            return writeln!(
                output,
                "{path} says the same; accepting adds these releases to its header\n"
            );
        }
        Some((path, _)) if *path != snapshot.target => {
            let path = visible::line(&path.display().to_string());
            writeln!(output, "until now {path} speaks for these releases")?;
        }
        Some(_) => {}
        None => writeln!(output, "there is no snapshot yet")?,
    }
    writeln!(output, "\n{}\n", visible::lines(snapshot.diff().trim_end()))
}
