//! Certificate authorities, made for one cluster and gone with it.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use serde_json::json;

use super::error::{ClusterError, file, or_gone};
use crate::process::replace_file;

/// Makes one.
pub(super) fn make(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

pub(super) fn encode(bytes: &[u8]) -> String {
    // The type that Kubernetes' own Secrets have is written as base64.
    match serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec())) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// The folder with a kind cluster's authority, in the cluster's own.
pub(super) const FOLDER: &str = "authority";
/// Its certificate, in that folder.
pub(super) const CERTIFICATE: &str = "ca.crt";
/// Its key.
pub(super) const KEY: &str = "ca.key";
/// The file with the data about the control plane that a joining node needs.
pub(super) const DISCOVERY: &str = "discovery.conf";

/// Makes the authority of a kind cluster before kubeadm would, so that nodes that join can be told
/// it.
///
/// kubeadm has them else look for it in the cluster, signed by a controller that has just begun to
/// start; they look once, and again five seconds later (`DiscoveryRetryInterval`, Kubernetes 1.34),
/// in every cluster.
pub(super) fn write(cluster_folder: &Path, control_plane: &str) -> Result<PathBuf, ClusterError> {
    let folder = cluster_folder.join(FOLDER);
    let authority =
        make("kubernetes").map_err(|source| ClusterError::Certificates(source.to_string()))?;
    let certificate = authority.pem();
    let discovery = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "", "cluster": {
            "server": format!("https://{control_plane}:6443"),
            "certificate-authority-data": encode(certificate.as_bytes()),
        }}],
    });
    std::fs::create_dir_all(&folder).map_err(file("making", &folder))?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        replace_file(&path, text.as_bytes(), 0o600).map_err(file("writing", &path))
    };
    write(CERTIFICATE, &certificate)?;
    write(KEY, &authority.key().serialize_pem())?;
    write(DISCOVERY, &format!("{discovery:#}\n"))?;
    Ok(folder)
}

/// Removes what [`write`] made.
pub(super) fn remove(cluster_folder: &Path) -> Result<(), ClusterError> {
    let folder = cluster_folder.join(FOLDER);
    or_gone(std::fs::remove_dir_all(&folder)).map_err(file("removing", &folder))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_node_that_joins_is_told_the_authority_and_only_we_can_read_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let made = write(folder.path(), "a-control-plane").unwrap();
        let first = std::fs::read_to_string(made.join(CERTIFICATE)).unwrap();
        let discovery: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(made.join(DISCOVERY)).unwrap()).unwrap();
        let cluster = &discovery["clusters"][0]["cluster"];
        assert_eq!(cluster["server"], "https://a-control-plane:6443");
        assert_eq!(
            cluster["certificate-authority-data"],
            encode(first.as_bytes())
        );
        let permissions = std::fs::metadata(made.join(KEY)).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o077, 0);
        write(folder.path(), "a-control-plane").unwrap();
        assert_ne!(
            std::fs::read_to_string(made.join(CERTIFICATE)).unwrap(),
            first,
            "each cluster has its own"
        );
        remove(folder.path()).unwrap();
        remove(folder.path()).unwrap();
        assert!(!made.exists());
    }
}
