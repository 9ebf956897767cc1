//! Logins of registries and mirrors, out of the files that podman and Docker keep them in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::process;
use crate::scenario::files;

/// What a login file may hold at most, in bytes.
const LARGEST: u64 = 1 << 20;
/// How long a program that keeps logins may take; it may ask the user.
const HELPER: Duration = Duration::from_mins(1);
/// What takes the place of a secret in messages.
const MASK: &str = "[redacted]";

/// The files with logins, in the order in which they are asked.
#[derive(Debug, Default)]
pub(super) struct Logins(Vec<PathBuf>);

/// A user's login at one host.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
    /// Where it stands.
    pub(super) file: PathBuf,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Login {
    /// A text of a server without the login, which the server knows.
    pub(super) fn mask(&self, text: &str) -> String {
        let both = format!("{}:{}", self.user, self.password);
        let encoded = BASE64_STANDARD.encode(both);
        let secrets = [encoded.as_str(), self.password.as_str()];
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }
}

/// `auth.json` of podman and `config.json` of Docker.
#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, AuthEntry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize)]
struct AuthEntry {
    auth: Option<String>,
}

/// What a program answers that keeps logins.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperLogin {
    username: String,
    secret: String,
}

impl Logins {
    /// Those of this user, where podman and Docker look for them.
    pub(super) fn of_user() -> Self {
        let variable = |name: &str| {
            let value = std::env::var_os(name)?;
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        let home = variable("HOME");
        let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let user = rustix::process::getuid().as_raw();
        let files = [
            variable("REGISTRY_AUTH_FILE"),
            variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
            Some(format!("/run/containers/{user}/auth.json").into()),
            variable("XDG_CONFIG_HOME").map(|folder| folder.join("containers/auth.json")),
            below_home(".config/containers/auth.json"),
            variable("DOCKER_CONFIG").map(|folder| folder.join("config.json")),
            below_home(".docker/config.json"),
        ];
        Self(files.into_iter().flatten().collect())
    }

    /// The login for a host with port, or for a path below it, which counts before the host's.
    pub(super) async fn find(&self, host: &str, path: &str) -> Option<Login> {
        for file in &self.0 {
            let Some(parsed) = read(file) else { continue };
            for key in keys(host, path) {
                if let Some(login) = parsed.login(&key, file).await {
                    return Some(login);
                }
            }
        }
        None
    }
}

/// A file that is absent or unreadable has no logins; its text never reaches a message.
fn read(path: &Path) -> Option<File> {
    let text = files::read_regular(path, LARGEST).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Names under which a login may stand, the most special first.
fn keys(host: &str, path: &str) -> Vec<String> {
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    };
    let mut keys = Vec::new();
    let mut path = path.trim_matches('/');
    while !path.is_empty() {
        keys.push(format!("{host}/{path}"));
        path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    keys.push(host.to_owned());
    keys
}

/// A key of a file as [`keys`] writes it: Docker's hold a scheme and the version of an interface.
fn plain(key: &str) -> &str {
    let key = key
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let key = key.trim_end_matches("/v1").trim_end_matches("/v2");
    if key == "index.docker.io" {
        "docker.io"
    } else {
        key
    }
}

impl File {
    async fn login(&self, key: &str, file: &Path) -> Option<Login> {
        let entry = self.auths.iter().find(|(name, _)| plain(name) == key);
        let text = entry.and_then(|(_, entry)| entry.auth.as_deref());
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let decoded = BASE64_STANDARD.decode(text).ok()?;
            let decoded = String::from_utf8(decoded).ok()?;
            let (user, password) = decoded.split_once(':')?;
            return Some(Login {
                user: user.into(),
                password: password.trim_end_matches('\0').into(),
                file: file.into(),
            });
        }
        let helper = self.helpers.iter().find(|(name, _)| plain(name) == key);
        let helper = match (helper, &self.store, entry) {
            (Some((name, helper)), ..) => Some((name, helper)),
            (None, Some(store), Some((name, _))) => Some((name, store)),
            _ => None,
        };
        let (name, helper) = helper?;
        let kept = ask(helper, name).await?;
        Some(Login {
            user: kept.username,
            password: kept.secret,
            file: file.into(),
        })
    }
}

/// Asks a program that keeps logins; one that fails knows none.
async fn ask(helper: &str, name: &str) -> Option<HelperLogin> {
    if helper.contains('/') {
        return None;
    }
    let mut get = process::command(format!("docker-credential-{helper}"));
    get.arg("get");
    let asked = process::with_input(get, name.as_bytes(), "asking for a login", HELPER);
    let output = asked.await.ok()?;
    let known = output.status.success() && output.stdout.len() as u64 <= LARGEST;
    known.then(|| serde_json::from_slice(&output.stdout).ok())?
}

#[cfg(test)]
mod tests {
    use assertables::assert_not_contains;
    use rstest::rstest;

    use super::*;

    const PASSWORD: &str = "c4n4ry:V4lue";

    async fn find(text: &str, host: &str, path: &str) -> Option<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("auth.json");
        std::fs::write(&file, text).unwrap();
        let logins = Logins(vec![folder.path().join("absent"), file]);
        let login = logins.find(host, path).await?;
        assert_not_contains!(format!("{login:?}"), "c4n4ry");
        Some((login.user, login.password))
    }

    #[rstest]
    #[case("mirror:5000", "mirror:5000", "docker/kindest/node", true)]
    #[case("https://mirror:5000/v1/", "mirror:5000", "", true)]
    #[case("mirror:5000/docker", "mirror:5000", "docker/kindest/node", true)]
    #[case("mirror:5000/other", "mirror:5000", "docker/kindest/node", false)]
    #[case("mirror", "mirror:5000", "", false)]
    #[case("https://index.docker.io/v1/", "docker.io", "library/registry", true)]
    #[tokio::test]
    async fn a_login_is_for_its_host_or_a_path_below_it(
        #[case] key: &str,
        #[case] host: &str,
        #[case] path: &str,
        #[case] expected: bool,
    ) {
        let auth = BASE64_STANDARD.encode(format!("me:{PASSWORD}"));
        let text = serde_json::json!({"auths": {key: {"auth": auth}}}).to_string();
        let found = find(&text, host, path).await;
        let expected = expected.then(|| ("me".to_owned(), PASSWORD.to_owned()));
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("not json")]
    #[case(r#"{"auths": {"mirror": {"auth": "%%%"}}}"#)]
    #[case(r#"{"auths": {"mirror": {"auth": "bm9jb2xvbg=="}}}"#)]
    #[case(r#"{"auths": {"mirror": {}}}"#)]
    #[case(r#"{"credHelpers": {"mirror": "../../bin/sh"}}"#)]
    #[case(r#"{"auths": {"mirror": {}}, "credsStore": "absent-of-this-machine"}"#)]
    #[tokio::test]
    async fn what_holds_no_login_is_passed_over(#[case] text: &str) {
        assert_eq!(find(text, "mirror", "").await, None);
    }

    #[test]
    fn what_a_server_repeats_of_a_login_is_masked() {
        let login = Login {
            user: "me".into(),
            password: PASSWORD.into(),
            file: "auth.json".into(),
        };
        let encoded = BASE64_STANDARD.encode(format!("me:{PASSWORD}"));
        let masked = login.mask(&format!("denied: {PASSWORD}, Basic {encoded}"));
        assert_eq!(masked, "denied: [redacted], Basic [redacted]");
    }
}

#[cfg(test)]
#[path = "logins/mutated.rs"]
mod mutated;
