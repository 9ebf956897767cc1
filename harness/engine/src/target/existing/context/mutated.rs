//! Kubeconfigs with faults in them: each is used or refused, and production is never taken for a
//! test cluster.

use proptest::prelude::*;

use super::tests::TEXT;
use super::*;
use crate::mutated::try_texts;

/// With a certificate, a token and preferences, as tools of clouds write it.
const LARGER: &str = "\
apiVersion: v1
kind: Config
preferences: {}
clusters:
- name: kind-ray
  cluster: {server: 'https://127.0.0.1:6443', certificate-authority-data: 'LS0tLS1CRUdJTg=='}
contexts:
- name: kind-ray
  context: {cluster: kind-ray, user: me, namespace: default}
users:
- name: me
  user: {token: secret, client-certificate-data: 'LS0tLS1CRUdJTg==', client-key-data: 'eA=='}
current-context: kind-ray
";

#[test]
fn kubeconfigs() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // Clients are made in it.
    let _inside = runtime.enter();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let options = ContextOptions {
        name: "kind-ray".into(),
        kubeconfig: Some(path.clone()),
        allowed: None,
    };
    try_texts(vec![TEXT.into(), LARGER.into()], |text| {
        std::fs::write(&path, &text).unwrap();
        for read in [
            runtime.block_on(config(&options)),
            runtime.block_on(current(Some(&path))),
        ] {
            match read {
                Ok(config) => {
                    // Certificates are read, too.
                    if let Err(error) = ready::client_of(config) {
                        prop_assert!(!error.to_string().is_empty());
                    }
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
        Ok(())
    });
}

#[tokio::test]
async fn a_kubeconfig_that_ends_within_a_character_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    for bytes in [&b"\xff\xfea"[..], b"\xfe\xffa"] {
        std::fs::write(&path, bytes).unwrap();
        let read = current(Some(&path)).await.map(|config| config.cluster_url);
        let error = read.expect_err("refused");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let said = format!("{error} {}", source.unwrap_or_default());
        assert!(said.contains("ends within a character"), "{said}");
    }
}
