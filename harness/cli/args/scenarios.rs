//! Arguments that name scenarios and their snapshots.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::artifact::{Store, built_in_scenarios};
use crate::exit::CliError;

/// The folder of scenarios where none is named.
const SCENARIOS: &str = "scenarios";

#[derive(Debug, Args)]
pub struct Folder {
    /// Folder of scenarios, or of one scenario
    ///
    /// Default: the folder `scenarios` in the working directory, else the built-in scenarios.
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
}

/// The folder that the scenarios are read from.
#[derive(Debug, Clone)]
pub struct Root {
    /// The folder.
    pub path: PathBuf,
    /// Whether its scenarios are part of the program.
    pub built_in: bool,
}

impl Folder {
    /// Returns the folder that was given, else `scenarios` here, else that of the built-in
    /// scenarios.
    ///
    /// # Errors
    /// When the built-in scenarios can't be unpacked into the cache.
    pub fn root(&self) -> Result<Root, CliError> {
        let own = self.scenarios.clone().or_else(|| {
            let here = PathBuf::from(SCENARIOS);
            here.is_dir().then_some(here)
        });
        if let Some(path) = own {
            let built_in = false;
            return Ok(Root { path, built_in });
        }
        let unpacked = Store::open().and_then(|store| built_in_scenarios(store.root()));
        Ok(Root {
            path: unpacked.map_err(|error| CliError::Environment(error.to_string()))?,
            built_in: true,
        })
    }
}

impl std::fmt::Display for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.built_in {
            f.write_str("the built-in scenarios")
        } else {
            write!(f, "{}", self.path.display())
        }
    }
}

#[derive(Debug, Args)]
pub struct Init {
    /// Name of the scenario and of its folder
    pub name: String,
    /// Manifests: files or folders, or `-` for standard input
    #[arg(value_name = "MANIFEST", required = true)]
    pub manifests: Vec<PathBuf>,
    /// Parent folder of the new scenario
    #[arg(long, value_name = "DIR", default_value = SCENARIOS)]
    pub scenarios: PathBuf,
}

#[derive(Debug, Args)]
pub struct Snapshots {
    /// Select snapshots whose path contains one of these
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub names: Vec<String>,
    #[command(flatten)]
    pub folder: Folder,
    /// Also replace snapshots for releases that the run did not cover
    #[arg(long)]
    pub partial: bool,
}
