//! Mirrors: other places for images and files whose names stay public.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

/// Why a text names no mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// There is no `=`, or nothing on one side of it.
    #[error("`{0}` names no mirror: write {1}")]
    Shape(String, &'static str),
    /// The location of an image mirror has a scheme.
    #[error(
        "`{0}` has a scheme: name the host alone, such as mirror.example.com/docker; it must speak TLS"
    )]
    Scheme(String),
    /// An address is not one of HTTPS.
    #[error("`{0}` is no https:// address")]
    Address(String),
    /// An address holds a user or a password; the text is left out, because it is a secret.
    #[error(
        "the address of a mirror contains a login: leave it out, and log in with `podman login` or `docker login`"
    )]
    Login,
}

const IMAGE_SHAPE: &str = "REGISTRY=HOST[/PREFIX], such as docker.io=mirror.example.com/docker";
const DOWNLOAD_SHAPE: &str = "URL=URL, such as https://dl.k8s.io=https://files.example.com/k8s";

/// A registry whose images come from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageMirror {
    /// The public registry, such as `docker.io`.
    pub registry: String,
    /// Host, port and path of the mirror, such as `mirror.example.com/docker`.
    pub location: String,
}

impl ImageMirror {
    /// Host and port.
    pub fn host(&self) -> &str {
        self.location
            .split_once('/')
            .map_or(self.location.as_str(), |(host, _)| host)
    }

    /// Where a repository of the public registry lies in the mirror's host.
    pub(super) fn repository(&self, public: &str) -> String {
        match self.location.split_once('/') {
            Some((_, prefix)) => format!("{prefix}/{public}"),
            None => public.to_owned(),
        }
    }

    /// The address below which containerd finds the registry's repositories.
    pub fn address(&self) -> String {
        format!("https://{}/v2/{}", self.host(), self.repository(""))
            .trim_end_matches('/')
            .to_owned()
    }
}

impl FromStr for ImageMirror {
    type Err = MirrorError;

    fn from_str(text: &str) -> Result<Self, MirrorError> {
        if text.contains('@') {
            return Err(MirrorError::Login);
        }
        let shape = || MirrorError::Shape(text.into(), IMAGE_SHAPE);
        let (registry, location) = text.split_once('=').ok_or_else(shape)?;
        if location.contains("://") || registry.contains("://") {
            return Err(MirrorError::Scheme(text.into()));
        }
        let location = location.trim_end_matches('/');
        let is_name = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "./-_:[]".contains(letter))
        };
        if !is_name(registry) || registry.contains('/') || !is_name(location) {
            return Err(shape());
        }
        Ok(Self {
            registry: registry.into(),
            location: location.into(),
        })
    }
}

impl fmt::Display for ImageMirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.registry, self.location)
    }
}

/// Addresses whose files come from another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadMirror {
    /// What public addresses begin with.
    pub public: String,
    /// What takes its place.
    pub mirror: String,
}

impl DownloadMirror {
    /// The address of a file in the mirror; `None` where the mirror is not for it.
    fn of(&self, url: &str) -> Option<String> {
        let rest = url.strip_prefix(&self.public)?;
        let is_whole = rest.is_empty() || rest.starts_with('/');
        is_whole.then(|| format!("{}{rest}", self.mirror))
    }

    /// The mirror of an address whose public beginning is the longest.
    pub(super) fn choose(mirrors: &[Self], url: &str) -> Option<String> {
        let fitting = mirrors.iter().filter(|mirror| mirror.of(url).is_some());
        fitting
            .max_by_key(|mirror| mirror.public.len())
            .and_then(|mirror| mirror.of(url))
    }
}

impl FromStr for DownloadMirror {
    type Err = MirrorError;

    fn from_str(text: &str) -> Result<Self, MirrorError> {
        let address = |text: &str| {
            let url = Url::parse(text).map_err(|_| MirrorError::Address(text.into()))?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err(MirrorError::Login);
            }
            if url.scheme() != "https" || url.query().is_some() || url.fragment().is_some() {
                return Err(MirrorError::Address(text.into()));
            }
            Ok(text.trim_end_matches('/').to_owned())
        };
        // An address may hold `=` in its path, but not before `://`.
        let (public, mirror) = text
            .split_once("=https://")
            .map(|(public, rest)| (public, format!("https://{rest}")))
            .or_else(|| text.split_once('=').map(|(a, b)| (a, b.to_owned())))
            .ok_or_else(|| {
                if text.contains('@') {
                    MirrorError::Login
                } else {
                    MirrorError::Shape(text.into(), DOWNLOAD_SHAPE)
                }
            })?;
        Ok(Self {
            public: address(public)?,
            mirror: address(&mirror)?,
        })
    }
}

impl fmt::Display for DownloadMirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.public, self.mirror)
    }
}

#[cfg(test)]
mod tests {
    use assertables::assert_not_contains;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "docker.io=mirror.example.com/docker/",
        "mirror.example.com",
        "docker/kindest/node"
    )]
    #[case("quay.io=127.0.0.1:5000", "127.0.0.1:5000", "kindest/node")]
    fn an_image_lies_below_the_mirrors_path(
        #[case] text: &str,
        #[case] host: &str,
        #[case] repository: &str,
    ) {
        let mirror: ImageMirror = text.parse().unwrap();
        assert_eq!(mirror.host(), host);
        assert_eq!(mirror.repository("kindest/node"), repository);
        assert_eq!(mirror.to_string(), text.trim_end_matches('/'));
    }

    #[rstest]
    #[case("docker.io")]
    #[case("docker.io=")]
    #[case("=mirror.example.com")]
    #[case("docker.io=https://mirror.example.com")]
    #[case("docker.io=a mirror")]
    #[case("docker.io/library=mirror.example.com")]
    fn what_is_no_image_mirror_is_refused(#[case] text: &str) {
        assert!(text.parse::<ImageMirror>().is_err());
    }

    #[rstest]
    #[case(
        "https://dl.k8s.io/release/v1/x",
        Some("https://files/k8s/release/v1/x")
    )]
    #[case("https://dl.k8s.io/special/x", Some("https://files/special/x"))]
    #[case("https://dl.k8s.io.evil/x", None)]
    #[case("https://github.com/x", None)]
    fn the_longest_public_beginning_counts(#[case] url: &str, #[case] expected: Option<&str>) {
        let mirrors = [
            "https://dl.k8s.io=https://files/k8s/",
            "https://dl.k8s.io/special=https://files/special",
        ]
        .map(|text| text.parse().unwrap());
        assert_eq!(DownloadMirror::choose(&mirrors, url).as_deref(), expected);
    }

    #[rstest]
    #[case("https://dl.k8s.io", "URL=URL")]
    #[case("https://dl.k8s.io=http://files", "no https://")]
    #[case("dl.k8s.io=https://files", "no https://")]
    #[case("https://dl.k8s.io=https://me:c4n4ry@files", "contains a login")]
    #[case("https://dl.k8s.io=https://files?token=c4n4ry", "no https://")]
    fn what_is_no_download_mirror_is_refused(#[case] text: &str, #[case] expected: &str) {
        let error = text.parse::<DownloadMirror>().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_login_in_an_address_is_not_repeated() {
        for text in ["docker.io=me:c4n4ry@mirror", "https://me:c4n4ry@a"] {
            let image = text.parse::<ImageMirror>().unwrap_err().to_string();
            let file = text.parse::<DownloadMirror>().unwrap_err().to_string();
            assert_not_contains!(image + &file, "c4n4ry");
        }
    }
}
