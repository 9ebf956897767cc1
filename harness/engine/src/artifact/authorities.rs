//! The host's certificate authorities, a private one among them: what is built inside containers
//! trusts the same.

use std::path::Path;

use crate::scenario::files;

/// Variables that name a bundle, as the programs read them that download on the host.
const NAMED: [&str; 4] = [
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];
/// Where distributions keep theirs: Debian, Fedora, openSUSE, Alpine.
const USUAL: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// No bundle is larger, in bytes.
const LARGEST: u64 = 16 << 20;

/// The bundle's text; empty where the host has none.
pub(super) fn bundle() -> String {
    chosen(
        |name| std::env::var(name).ok(),
        |path| files::read_text(Path::new(path), LARGEST).ok(),
    )
}

/// The first bundle that can be read and holds anything: one that a variable names before the usual
/// ones.
fn chosen(
    variable: impl Fn(&str) -> Option<String>,
    read: impl Fn(&str) -> Option<String>,
) -> String {
    let named = NAMED.iter().filter_map(|name| variable(name));
    let mut candidates = named.chain(USUAL.map(String::from));
    candidates
        .find_map(|path| read(&path).filter(|text| !text.trim().is_empty()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
