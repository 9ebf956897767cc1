//! The review of pending snapshots at a terminal.

use std::io::{self, BufRead, Write};

use semver::Version;

use crate::expect::{Answer, Decision, ExpectError, Question, Reviewer};
use crate::visible;

/// A terminal. The answers are `a`ccept, `r`eject, `s`kip and `q`uit. A capital letter answers for
/// every snapshot with the same change. The end of the input means `q`.
pub(super) struct Terminal<'a> {
    pub(super) input: &'a mut dyn BufRead,
    pub(super) output: &'a mut dyn Write,
}

impl Reviewer for Terminal<'_> {
    fn show(&mut self, question: &Question<'_>) -> io::Result<()> {
        let output = &mut *self.output;
        let snapshot = question.pending;
        let header = &snapshot.new.header;
        let target = visible::line(&snapshot.target.display().to_string());
        writeln!(
            output,
            "\n[{}/{}] {target}",
            question.position, question.total
        )?;
        write!(output, "found on KubeRay {}", list(&header.operator))?;
        if !header.ray.is_empty() {
            write!(output, ", Ray {}", list(&header.ray))?;
        }
        let class = &snapshot.name.class;
        writeln!(output, "\nclass {}: {}", class.name, class.why)?;
        match &snapshot.old {
            Some((path, old)) if old.body == snapshot.new.body => {
                let path = visible::line(&path.display().to_string());
                return writeln!(
                    output,
                    "{path} is unchanged; accepting adds these releases to its header\n"
                );
            }
            Some((path, _)) if *path != snapshot.target => {
                let path = visible::line(&path.display().to_string());
                writeln!(output, "so far {path} covers these releases")?;
            }
            Some(_) => {}
            None => writeln!(output, "there is no snapshot yet")?,
        }
        writeln!(output, "\n{}\n", visible::lines(snapshot.diff().trim_end()))
    }

    fn ask(&mut self, question: &Question<'_>) -> io::Result<Option<Answer>> {
        loop {
            match question.alike {
                0 => {}
                1 => writeln!(
                    self.output,
                    "One more has the same change; [A], [R] and [S] answer for both."
                )?,
                more => writeln!(
                    self.output,
                    "{more} more have the same change; [A], [R] and [S] answer for all of them."
                )?,
            }
            write!(self.output, "[a]ccept, [r]eject, [s]kip, [q]uit > ")?;
            self.output.flush()?;
            let mut typed = String::new();
            let ended = self.input.read_line(&mut typed)? == 0;
            let (decision, for_all_alike) = match typed.trim() {
                "a" | "accept" => (Decision::Accept, false),
                "r" | "reject" => (Decision::Reject, false),
                "s" | "skip" => (Decision::Skip, false),
                "A" => (Decision::Accept, true),
                "R" => (Decision::Reject, true),
                "S" => (Decision::Skip, true),
                typed if ended || typed == "q" || typed == "quit" => return Ok(None),
                _ => continue,
            };
            return Ok(Some(Answer {
                decision,
                for_all_alike,
            }));
        }
    }

    fn refused(&mut self, refusal: &ExpectError) -> io::Result<()> {
        let refusal = visible::marked(&refusal.to_string());
        writeln!(self.output, "not accepted: {refusal}")
    }
}

fn list(releases: &[Version]) -> String {
    let releases: Vec<String> = releases.iter().map(ToString::to_string).collect();
    releases.join(", ")
}

#[cfg(test)]
mod tests;
