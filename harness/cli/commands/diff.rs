//! `diff`: what a change to the operator does to the contract.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use semver::Version;

mod accept;

use super::{colour, live};
use crate::args::{ArtifactSource, Folder};
use crate::console;
use crate::diff::{self, DiffOptions, OperatorOf};
use crate::exit::{CliError, FAILED, PASSED};
use crate::plan::parse_version;
use crate::report::{self, Redactor, diff_junit, diff_markdown, diff_text};
use crate::scenario::diff::Diff as Document;
use accept::Accepting;

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance diff 1.6.2 1.7.0
  kuberay-conformance diff 1.7.0 --head-source ~/kuberay/ray-operator
  kuberay-conformance diff --base-source base --head-source head --report comment.md
  kuberay-conformance diff 1.7.0 --head-binary manager --head-crds config/crd/bases

Exit codes: 0 equal, 1 different, 2 wrong usage, 3 the two could not be compared.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct DiffArguments {
    /// Release of the base, then of the head; omit one that an option gives
    #[arg(value_name = "RELEASE", value_parser = parse_version, num_args = 0..=2)]
    pub releases: Vec<Version>,
    /// Checkout of ray-operator to build the base from
    #[arg(long, value_name = "DIR", group = "base")]
    pub base_source: Option<PathBuf>,
    /// Checkout of ray-operator to build the head from
    #[arg(long, value_name = "DIR", group = "head")]
    pub head_source: Option<PathBuf>,
    /// Program of the base
    #[arg(long, value_name = "FILE", group = "base", requires = "base_crds")]
    pub base_binary: Option<PathBuf>,
    /// Program of the head
    #[arg(long, value_name = "FILE", group = "head", requires = "head_crds")]
    pub head_binary: Option<PathBuf>,
    /// Image of the base
    #[arg(long, hide_short_help = true, value_name = "IMAGE", group = "base")]
    pub base_image: Option<String>,
    /// Image of the head
    #[arg(long, hide_short_help = true, value_name = "IMAGE", group = "head")]
    pub head_image: Option<String>,
    /// Folder with the CRDs of the base's program or image
    #[arg(long, value_name = "DIR")]
    pub base_crds: Option<PathBuf>,
    /// Folder with the CRDs of the head's program or image
    #[arg(long, value_name = "DIR")]
    pub head_crds: Option<PathBuf>,
    /// Release that the base is closest to, if it is no release
    ///
    /// When absent: what the source or the tag of the image says, else the newest known release.
    #[arg(long, hide_short_help = true, value_name = "VERSION", value_parser = parse_version)]
    pub base_follows: Option<Version>,
    /// Release that the head is closest to, if it is no release
    #[arg(long, hide_short_help = true, value_name = "VERSION", value_parser = parse_version)]
    pub head_follows: Option<Version>,
    /// Compare scenarios whose name contains this; repeatable
    #[arg(long = "scenario", hide_short_help = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Number of generated objects of each kind
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub objects: u64,
    /// Seed of the generated objects
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,
    /// Number of cases at once
    #[arg(long, hide_short_help = true, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// Output format: text, json, markdown or junit
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub format: DiffFormat,
    /// Also write the report to FILE; repeatable
    ///
    /// The ending selects the format: .md Markdown, .json JSON, .xml JUnit, else text.
    #[arg(long = "report", value_name = "FILE")]
    pub reports: Vec<PathBuf>,
    /// Record the head as this new release: snapshots, and a skeleton of its class and features
    ///
    /// Written into the checkout of this project that --scenarios is part of. Then `cargo test
    /// --workspace --lib` lists what is left to do.
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    pub accept_as: Option<Version>,
    /// Folder for what --accept-as records, instead of the checkout
    #[arg(
        long,
        hide_short_help = true,
        value_name = "DIR",
        requires = "accept_as"
    )]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub artifacts: ArtifactSource,
    #[command(flatten)]
    pub folder: Folder,
}

/// How the report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people
    #[default]
    Text,
    /// For programs; the schema is docs/schema/diff.schema.json
    Json,
    /// For the comment of a pull request
    Markdown,
    /// For CI systems: a test case for each difference
    Junit,
}

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
    live::block(async |progress, cancel| {
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
            .with_help("an option such as --head-source takes the place of a release"));
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
    let (text, _) = Redactor::default().redact_text(&text);
    Ok(text)
}
