//! Where artifacts come from: the command line, then the environment, then
//! `kuberay-conformance.toml`.

use std::str::FromStr;

use super::config;
use crate::args::{ArtifactSource, Mirrors};
use crate::artifact::{self, MirrorError, Supply, SupplySettings};
use crate::exit::CliError;

impl ArtifactSource {
    /// Makes the mirrors the settings of this process, and returns the source.
    ///
    /// # Errors
    /// As [`Mirrors::install`].
    pub(super) fn install(&self) -> Result<artifact::SourcePolicy, CliError> {
        self.mirrors.install()?;
        Ok(self.source())
    }
}

impl Mirrors {
    /// Makes these the settings of this process, with those of the environment and of
    /// `kuberay-conformance.toml` where these say nothing.
    ///
    /// # Errors
    /// When one names no mirror, or a file can't be read.
    pub(super) fn install(&self) -> Result<(), CliError> {
        let own = SupplySettings {
            mirrors: parsed(&self.images).map_err(CliError::bad_use)?,
            download_mirrors: parsed(&self.downloads).map_err(CliError::bad_use)?,
            authority: self.authority.clone(),
            pins: self.pins.clone(),
        };
        let environment = SupplySettings::from_environment().map_err(CliError::bad_use)?;
        let file = config::read(None)?.supply;
        let settings = own.or(environment).or(file);
        Supply::read(settings).map_err(CliError::bad_use)?.install();
        Ok(())
    }
}

fn parsed<T: FromStr<Err = MirrorError>>(texts: &[String]) -> Result<Vec<T>, MirrorError> {
    texts.iter().map(|text| text.parse()).collect()
}
