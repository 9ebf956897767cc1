//! `diff`: what a change to the operator does to the contract.

use std::path::{Path, PathBuf};

use semver::Version;

mod accept;

use super::{colour, work};
use crate::args::{DiffArguments, DiffFormat};
use crate::console;
use crate::diff::{self, DiffOptions, OperatorOf};
use crate::exit::{CliError, FAILED, PASSED};
use crate::report::{self, Redactor, diff_junit, diff_markdown, diff_text};
use crate::scenario::diff::Diff as Document;
use accept::Accepting;

/// One side as the command line names it.
struct Named<'a> {
    which: &'static str,
    source: Option<&'a PathBuf>,
    binary: Option<&'a PathBuf>,
    image: Option<&'a String>,
    crds: Option<&'a PathBuf>,
    follows: Option<&'a Version>,
}

impl Named<'_> {
    fn is_given(&self) -> bool {
        self.source.is_some() || self.binary.is_some() || self.image.is_some()
    }

    fn operator(
        &self,
        releases: &mut impl Iterator<Item = Version>,
    ) -> Result<OperatorOf, CliError> {
        let release = self.follows.cloned();
        let crds = self.crds.cloned();
        if !self.is_given() {
            let which = self.which;
            if crds.is_some() || release.is_some() {
                return Err(CliError::bad_use(format!(
                    "--{which}-crds and --{which}-follows are for a program, an image or a source"
                )));
            }
            let release = releases.next().ok_or_else(|| {
                CliError::bad_use(format!("the {which} is missing")).with_help(format!(
                    "name a release, --{which}-source, --{which}-binary or --{which}-image"
                ))
            })?;
            return Ok(OperatorOf::Release(release));
        }
        Ok(match (self.source, self.binary, self.image, crds) {
            (Some(folder), ..) => OperatorOf::Source {
                folder: folder.clone(),
                release,
            },
            (_, Some(program), _, Some(crds)) => OperatorOf::Binary {
                program: program.clone(),
                crds,
                release,
            },
            (_, _, Some(image), crds) => OperatorOf::Image {
                image: image.clone(),
                crds,
                release,
            },
            _ => return Err(CliError::bad_use("a program needs its CRDs")),
        })
    }
}

pub(super) fn run(arguments: &DiffArguments) -> Result<u8, CliError> {
    let source = arguments.artifacts.install()?;
    let (base, head) = operators(arguments)?;
    let root = arguments.folder.root()?.path;
    let accepting = arguments.accept_as.as_ref();
    let accepting = accepting
        .map(|new| Accepting::new(new, arguments.output.as_deref(), &root))
        .transpose()?;
    let options = DiffOptions {
        base,
        head,
        scenarios: root,
        names: arguments.names.clone(),
        objects: arguments.objects,
        seed: arguments.seed,
        jobs: arguments.jobs.into(),
        source,
        accept_as: arguments.accept_as.clone(),
    };
    let mut outcome = None;
    work::block(async |progress, cancel| {
        outcome = Some(diff::diff(&options, progress, cancel).await?);
        Ok(PASSED)
    })?;
    let Some(outcome) = outcome else {
        return Ok(PASSED);
    };
    let diff = &outcome.diff;
    for file in &arguments.reports {
        let text = render(DiffFormat::of(file), diff, false)?;
        report::write_atomically(file, &text)?;
    }
    if diff.equal && arguments.format == DiffFormat::Text {
        // A script reads standard output, and nothing differs.
        print_problem!("{}", render(arguments.format, diff, false)?.trim_end());
    } else {
        console::line(render(arguments.format, diff, colour())?.trim_end());
    }
    if let Some(accepting) = accepting {
        accepting.write(&outcome)?;
    }
    Ok(if outcome.diff.equal { PASSED } else { FAILED })
}

fn operators(arguments: &DiffArguments) -> Result<(OperatorOf, OperatorOf), CliError> {
    let base = Named {
        which: "base",
        source: arguments.base_source.as_ref(),
        binary: arguments.base_binary.as_ref(),
        image: arguments.base_image.as_ref(),
        crds: arguments.base_crds.as_ref(),
        follows: arguments.base_follows.as_ref(),
    };
    let head = Named {
        which: "head",
        source: arguments.head_source.as_ref(),
        binary: arguments.head_binary.as_ref(),
        image: arguments.head_image.as_ref(),
        crds: arguments.head_crds.as_ref(),
        follows: arguments.head_follows.as_ref(),
    };
    let mut releases = arguments.releases.iter().cloned();
    let sides = (base.operator(&mut releases)?, head.operator(&mut releases)?);
    if let Some(release) = releases.next() {
        let message = format!("KubeRay {release} is one side too many");
        return Err(CliError::bad_use(message)
            .with_help("an option such as --head-source replaces a release"));
    }
    Ok(sides)
}

impl DiffFormat {
    /// The format of a file, by its ending.
    fn of(file: &Path) -> Self {
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("md") => Self::Markdown,
            Some("json") => Self::Json,
            Some("xml") => Self::Junit,
            _ => Self::Text,
        }
    }
}

fn render(format: DiffFormat, diff: &Document, colour: bool) -> Result<String, CliError> {
    let text = match format {
        DiffFormat::Text => diff_text(diff, colour),
        DiffFormat::Markdown => diff_markdown(diff),
        DiffFormat::Junit => diff_junit(diff)?,
        DiffFormat::Json => serde_json::to_string_pretty(diff)
            .map_err(|error| CliError::Environment(error.to_string()))?,
    };
    // Cases are ours or generated, but a folder of scenarios may hold anything.
    let (text, _) = Redactor::of_process().redact_text(&text);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::args::{Command, parsed};
    use crate::exit::BAD_USE;

    fn sides(line: &str) -> Result<(OperatorOf, OperatorOf), CliError> {
        match parsed(&format!("diff {line}")) {
            Command::Diff(arguments) => operators(&arguments),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn releases_are_the_sides_that_no_option_names() {
        let (base, head) = sides("1.5.2 --head-source ray-operator --head-follows 1.6.2").unwrap();
        let OperatorOf::Release(release) = base else {
            panic!("{base:?}")
        };
        assert_eq!(release, Version::new(1, 5, 2));
        let OperatorOf::Source { folder, release } = head else {
            panic!("{head:?}")
        };
        assert_eq!(folder, Path::new("ray-operator"));
        assert_eq!(release, Some(Version::new(1, 6, 2)));
    }

    #[rstest]
    #[case::one_release("1.6.2", "the head is missing")]
    #[case::release_and_sources(
        "1.4.2 --base-source a --head-source b",
        "KubeRay 1.4.2 is one side too many"
    )]
    fn a_wrong_number_of_sides_is_bad_use(#[case] line: &str, #[case] message: &str) {
        let error = sides(line).unwrap_err();
        assert_eq!(error.exit_code(), BAD_USE);
        assert_eq!(error.to_string(), message);
    }

    #[rstest]
    #[case("a.md", DiffFormat::Markdown)]
    #[case("a.json", DiffFormat::Json)]
    #[case("a.xml", DiffFormat::Junit)]
    #[case("a.txt", DiffFormat::Text)]
    #[case("a", DiffFormat::Text)]
    fn the_ending_of_a_file_names_its_format(#[case] file: &str, #[case] expected: DiffFormat) {
        assert_eq!(DiffFormat::of(Path::new(file)), expected);
    }
}
