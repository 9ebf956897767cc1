//! `kuberay-conformance.toml`: the settings of a repository for `check`, and the mirrors of its
//! network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use crate::args::{FailOn, known};
use crate::artifact::{MirrorError, SupplySettings};
use crate::exit::CliError;
use crate::explain::check::Ignore;
use crate::manifest::{Diagnostic, Location, Source, Span};
use crate::plan;
use crate::scenario::files::read_text;

/// The name of the file.
pub(super) const NAME: &str = "kuberay-conformance.toml";

/// No such file is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// What the file can say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    operator: Option<toml::Spanned<String>>,
    #[serde(default)]
    select: Vec<toml::Spanned<String>>,
    #[serde(default)]
    ignore: Vec<toml::Spanned<String>>,
    fail_on: Option<FailOn>,
    #[serde(default)]
    mirrors: BTreeMap<String, toml::Spanned<String>>,
    #[serde(default)]
    download_mirrors: BTreeMap<String, toml::Spanned<String>>,
    mirror_ca: Option<PathBuf>,
    pins: Option<PathBuf>,
}

/// The settings, with who made them.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub operator: Option<plan::Releases>,
    pub select: Vec<String>,
    pub ignore: Vec<Ignore>,
    pub fail_on: Option<FailOn>,
    pub supply: SupplySettings,
}

/// Reads the file that was named, or the first one found upwards from the working directory.
pub(super) fn read(named: Option<&Path>) -> Result<Config, CliError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => match find() {
            Some(path) => path,
            None => return Ok(Config::default()),
        },
    };
    let text = read_text(&path, LARGEST)
        .map_err(|error| CliError::bad_use(format!("cannot read {}: {error}", path.display())))?;
    parse(&path, &text).map_err(|problem| CliError::Files(vec![problem]))
}

fn find() -> Option<PathBuf> {
    let folder = std::env::current_dir().ok()?;
    let found = folder
        .ancestors()
        .map(|folder| folder.join(NAME))
        // One that can't be read, such as a dangling link, is reported and not passed over.
        .find(|path| path.symlink_metadata().is_ok())?;
    // A name relative to the working directory is what people see.
    Some(
        found
            .strip_prefix(&folder)
            .map(Path::to_owned)
            .unwrap_or(found),
    )
}

fn parse(path: &Path, text: &str) -> Result<Config, Diagnostic> {
    let source = Source::new(path, text);
    let place = |span: std::ops::Range<usize>| {
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        Span {
            location: Location {
                line: before.matches('\n').count() + 1,
                column: line.chars().count() + 1,
            },
            span,
        }
    };
    let file: File = toml::from_str(text).map_err(|error| {
        let help = "the keys are operator, select, ignore, fail-on, mirrors, download-mirrors, mirror-ca and pins";
        source
            .error(&place(error.span().unwrap_or_default()), error.message())
            .with_help(help)
    })?;
    let id = |word: &toml::Spanned<String>| {
        known(word.get_ref()).map_err(|why| source.error(&place(word.span()), why))
    };
    let operator = file.operator.map(|word| {
        let releases = word.get_ref().parse::<plan::Releases>();
        releases.map_err(|error| source.error(&place(word.span()), error.to_string()))
    });
    let ignore = |word: &toml::Spanned<String>| {
        Ok(Ignore {
            id: id(word)?,
            origin: Some((path.display().to_string(), place(word.span()).location)),
        })
    };
    Ok(Config {
        operator: operator.transpose()?,
        select: file
            .select
            .iter()
            .map(id)
            .collect::<Result<_, Diagnostic>>()?,
        ignore: file
            .ignore
            .iter()
            .map(ignore)
            .collect::<Result<_, Diagnostic>>()?,
        fail_on: file.fail_on,
        supply: SupplySettings {
            mirrors: mirrors(&file.mirrors, |word, why| {
                source.error(&place(word.span()), why)
            })?,
            download_mirrors: mirrors(&file.download_mirrors, |word, why| {
                source.error(&place(word.span()), why)
            })?,
            authority: file.mirror_ca.map(beside(path)),
            pins: file.pins.map(beside(path)),
        },
    })
}

/// Reads a table of mirrors: what is public, and what takes its place.
fn mirrors<T: FromStr<Err = MirrorError>>(
    table: &BTreeMap<String, toml::Spanned<String>>,
    problem: impl Fn(&toml::Spanned<String>, String) -> Diagnostic,
) -> Result<Vec<T>, Diagnostic> {
    let one = |(public, mirror): (&String, &toml::Spanned<String>)| {
        let read = format!("{public}={}", mirror.get_ref()).parse();
        read.map_err(|error: MirrorError| problem(mirror, error.to_string()))
    };
    table.iter().map(one).collect()
}

/// A path of the file is relative to the file's folder.
fn beside(file: &Path) -> impl Fn(PathBuf) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    move |path| folder.join(path)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "operator = \"1.6.2\"\nselect = [\"errexit\"]\nignore = [\"block-ignored\"]\nfail-on = \"error\"\n";
        let config = parse(Path::new(NAME), text).unwrap();
        assert!(config.operator.is_some());
        assert_eq!(config.select, ["errexit"]);
        let origin = config.ignore[0].origin.clone().unwrap();
        assert_eq!(
            origin,
            (
                NAME.into(),
                Location {
                    line: 3,
                    column: 11
                }
            )
        );
        assert_eq!(config.fail_on, Some(FailOn::Error));
    }

    #[test]
    fn mirrors_are_read_and_paths_are_relative_to_the_file() {
        let text = "mirror-ca = \"ca.pem\"\n[mirrors]\n\"docker.io\" = \"mirror/docker\"\n\
                    [download-mirrors]\n\"https://dl.k8s.io\" = \"https://files/k8s\"\n";
        let supply = parse(Path::new("../kuberay-conformance.toml"), text)
            .unwrap()
            .supply;
        assert_eq!(supply.mirrors[0].to_string(), "docker.io=mirror/docker");
        let download = supply.download_mirrors[0].to_string();
        assert_eq!(download, "https://dl.k8s.io=https://files/k8s");
        assert_eq!(supply.authority.as_deref(), Some(Path::new("../ca.pem")));
    }

    #[rstest]
    #[case(
        "operator = \"1.6.2\"\nignores = []\n",
        "2:1",
        "unknown field `ignores`"
    )]
    #[case(
        "ignore = [\"block-ignord\"]\n",
        "1:11",
        "did you mean `block-ignored`?"
    )]
    #[case("fail-on = \"always\"\n", "1:11", "unknown variant `always`")]
    #[case("operator = \"new\"\n", "1:12", "")]
    #[case("select = [\n", "1:11", "")]
    #[case("[mirrors]\n\"docker.io\" = \"https://x\"\n", "2:15", "has a scheme")]
    fn mistakes_have_a_position(#[case] text: &str, #[case] at: &str, #[case] message: &str) {
        let problem = parse(Path::new(NAME), text).unwrap_err();
        let place = format!("{}:{}", problem.location.line, problem.location.column);
        assert!(problem.message.contains(message), "{problem}");
        assert_eq!(place, at, "{problem}");
    }
}

#[cfg(test)]
#[path = "config/mutated.rs"]
mod mutated;
