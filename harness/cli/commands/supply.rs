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
        let environment = SupplySettings::from_environment().map_err(CliError::bad_use)?;
        let file = config::read(None)?.supply;
        let settings = self.settings(environment, file)?;
        Supply::read(settings).map_err(CliError::bad_use)?.install();
        Ok(())
    }

    /// Returns what these say, then what the environment says, then what the file says.
    fn settings(
        &self,
        environment: SupplySettings,
        file: SupplySettings,
    ) -> Result<SupplySettings, CliError> {
        let own = SupplySettings {
            mirrors: parsed(&self.images).map_err(CliError::bad_use)?,
            download_mirrors: parsed(&self.downloads).map_err(CliError::bad_use)?,
            authority: self.authority.clone(),
            pins: self.pins.clone(),
        };
        Ok(own.or(environment).or(file))
    }
}

fn parsed<T: FromStr<Err = MirrorError>>(texts: &[String]) -> Result<Vec<T>, MirrorError> {
    texts.iter().map(|text| text.parse()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::exit::BAD_USE;

    fn settings(mirrors: &[&str], authority: Option<&str>, pins: Option<&str>) -> SupplySettings {
        SupplySettings {
            mirrors: mirrors.iter().map(|text| text.parse().unwrap()).collect(),
            authority: authority.map(Into::into),
            pins: pins.map(Into::into),
            ..SupplySettings::default()
        }
    }

    #[test]
    fn options_come_before_the_environment_and_that_before_the_file() {
        let options = Mirrors {
            images: vec!["docker.io=of-option".into()],
            downloads: Vec::new(),
            authority: Some("option.pem".into()),
            pins: None,
        };
        let environment = settings(
            &["docker.io=of-variable", "quay.io=of-variable"],
            Some("variable.pem"),
            Some("variable.yaml"),
        );
        let file = settings(
            &["quay.io=of-file", "ghcr.io=of-file"],
            None,
            Some("file.yaml"),
        );
        let expected = settings(
            &[
                "docker.io=of-option",
                "quay.io=of-variable",
                "ghcr.io=of-file",
            ],
            Some("option.pem"),
            Some("variable.yaml"),
        );
        assert_eq!(options.settings(environment, file).unwrap(), expected);
    }

    #[rstest]
    #[case::image(&["docker.io"], &[])]
    #[case::download(&[], &["https://example.com"])]
    fn what_names_no_mirror_is_bad_use(#[case] images: &[&str], #[case] downloads: &[&str]) {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let options = Mirrors {
            images: texts(images),
            downloads: texts(downloads),
            authority: None,
            pins: None,
        };
        let nothing = SupplySettings::default;
        let error = options.settings(nothing(), nothing()).unwrap_err();
        assert_eq!(error.exit_code(), BAD_USE);
        assert!(error.to_string().contains("names no mirror"), "{error}");
    }
}
