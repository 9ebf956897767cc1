//! Certificates and keys of one control plane, made for it alone and gone with it.

use std::path::{Path, PathBuf};

use rcgen::{
    CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use serde_json::json;

use super::super::authority::{self, encode};
use super::super::error::{ClusterError, file};

/// The group whose members may do everything, also before any role exists.
const ADMINISTRATORS: &str = "system:masters";
/// The user name of the harness and its operators.
const USER: &str = "kuberay-conformance";
/// The one address that is served.
pub(super) const ADDRESS: &str = "127.0.0.1";

/// Files with the certificates and keys of a control plane.
#[derive(Debug)]
pub(super) struct Credentials {
    /// The authority that signed the others.
    pub(super) authority: PathBuf,
    /// The certificate of servers and clients.
    pub(super) certificate: PathBuf,
    /// Its key.
    pub(super) key: PathBuf,
    /// The key that signs tokens of service accounts.
    pub(super) account_key: PathBuf,
    /// The key that verifies them.
    pub(super) account_public_key: PathBuf,
    authority_text: String,
    certificate_text: String,
    key_text: String,
}

impl Credentials {
    /// Makes them and writes them into a folder that nobody else can read.
    pub(super) fn make(folder: &Path) -> Result<Self, ClusterError> {
        let wrong = |source: rcgen::Error| ClusterError::Certificates(source.to_string());
        let authority = authority::make(USER).map_err(wrong)?;
        let (certificate, key) = leaf(&authority).map_err(wrong)?;
        let account_key = KeyPair::generate().map_err(wrong)?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(file("writing", &path))?;
            Ok::<_, ClusterError>(path)
        };
        let (authority_text, key_text) = (authority.pem(), key.serialize_pem());
        Ok(Self {
            authority: write("ca.crt", &authority_text)?,
            certificate: write("tls.crt", &certificate)?,
            key: write("tls.key", &key_text)?,
            account_key: write("accounts.key", &account_key.serialize_pem())?,
            account_public_key: write("accounts.pub", &account_key.public_key_pem())?,
            authority_text,
            certificate_text: certificate,
            key_text,
        })
    }

    /// A kubeconfig for an API server on this port; JSON, which is YAML, too.
    pub(super) fn kubeconfig(&self, port: u16) -> String {
        let base64 = |text: &str| encode(text.as_bytes());
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": USER,
            "clusters": [{"name": USER, "cluster": {
                "server": format!("https://{ADDRESS}:{port}"),
                "certificate-authority-data": base64(&self.authority_text),
            }}],
            "users": [{"name": USER, "user": {
                "client-certificate-data": base64(&self.certificate_text),
                "client-key-data": base64(&self.key_text),
            }}],
            "contexts": [{"name": USER, "context": {"cluster": USER, "user": USER}}],
        });
        format!("{config:#}\n")
    }
}

/// One certificate serves all: etcd and API servers show it to clients and clients to them, all of
/// them ours.
fn leaf(authority: &CertifiedIssuer<'_, KeyPair>) -> Result<(String, KeyPair), rcgen::Error> {
    let mut params = CertificateParams::new(vec![ADDRESS.to_owned(), "localhost".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, USER);
    params
        .distinguished_name
        .push(DnType::OrganizationName, ADMINISTRATORS);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok((certificate.pem(), key))
}

#[cfg(test)]
mod tests {
    use assertables::assert_starts_with;

    use super::*;

    #[test]
    fn every_start_has_its_own_and_the_kubeconfig_holds_them() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, other] = folders
            .each_ref()
            .map(|folder| Credentials::make(folder.path()).unwrap());
        assert_ne!(one.authority_text, other.authority_text);
        assert_ne!(one.key_text, other.key_text);
        let config: serde_json::Value = serde_json::from_str(&one.kubeconfig(4711)).unwrap();
        let cluster = &config["clusters"][0]["cluster"];
        assert_eq!(cluster["server"], "https://127.0.0.1:4711");
        assert_starts_with!(
            cluster["certificate-authority-data"].as_str().unwrap(),
            "LS0tLS1CRUdJTi"
        );
        let user = &config["users"][0]["user"];
        assert_eq!(user["client-key-data"], encode(one.key_text.as_bytes()));
    }
}
