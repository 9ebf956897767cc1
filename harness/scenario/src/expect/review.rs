//! The review of pending snapshots at a terminal.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use super::{ExpectError, Pending, accept, reject};
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

/// Shows each pending snapshot and asks what to do with it: `a`ccept, `r`eject, `s`kip, or `q`uit, which leaves the
/// rest as it is, as does the end of the input. `partial` is as in [`accept`]; what that refuses is asked again.
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
    for (position, snapshot) in pending.iter().enumerate() {
        let snapshot = &snapshot.refreshed()?;
        show(snapshot, position + 1, pending.len(), output)?;
        loop {
            write!(output, "[a]ccept, [r]eject, [s]kip, [q]uit > ")?;
            output.flush()?;
            let mut answer = String::new();
            let ended = input.read_line(&mut answer)? == 0;
            match answer.trim() {
                "a" | "accept" => match accept(snapshot, partial) {
                    Ok(path) => reviewed.accepted.push(path),
                    Err(refused @ ExpectError::Partial { .. }) => {
                        writeln!(
                            output,
                            "not accepted: {}",
                            visible::marked(&refused.to_string())
                        )?;
                        continue;
                    }
                    Err(error) => return Err(error),
                },
                "r" | "reject" => {
                    reject(snapshot)?;
                    reviewed.rejected.push(snapshot.path.clone());
                }
                "s" | "skip" => reviewed.skipped.push(snapshot.path.clone()),
                answer if ended || answer == "q" || answer == "quit" => {
                    reviewed
                        .skipped
                        .extend(pending[position..].iter().map(|rest| rest.path.clone()));
                    return Ok(reviewed);
                }
                _ => continue,
            }
            break;
        }
    }
    Ok(reviewed)
}

fn show(
    snapshot: &Pending,
    position: usize,
    all: usize,
    output: &mut dyn Write,
) -> std::io::Result<()> {
    let list = |items: Vec<String>| items.join(", ");
    let header = &snapshot.new.header;
    writeln!(
        output,
        "\n[{position}/{all}] {}",
        visible::line(&snapshot.target.display().to_string())
    )?;
    writeln!(
        output,
        "found on KubeRay {}, Ray {}",
        list(header.operator.iter().map(ToString::to_string).collect()),
        list(header.ray.iter().map(ToString::to_string).collect()),
    )?;
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
