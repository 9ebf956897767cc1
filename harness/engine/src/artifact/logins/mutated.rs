//! Files of logins with faults in them: each has logins or none.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;

#[test]
fn files_of_logins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.json");
    let original = br#"{"auths": {"https://index.docker.io/v1/": {"auth": "dXNlcjpwYXNz"},
"quay.io/kuberay": {"auth": "dXNlcjpwYTpzcw=="}, "ghcr.io": {}}, "other": {"a": [1, null]}}"#;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let logins = Logins(vec![path.clone()]);
    try_texts(vec![original.to_vec()], |text| {
        // A helper would be a program of this machine.
        let text = String::from_utf8_lossy(&text).replace("cred", "dred");
        std::fs::write(&path, &text).unwrap();
        for host in ["docker.io", "quay.io", "ghcr.io"] {
            let found = runtime.block_on(logins.find(host, "kuberay/operator"));
            if let Some(login) = found {
                let shown = format!("{login:?}");
                let short = login.password.len() < 4;
                prop_assert!(short || !shown.contains(&login.password), "{}", shown);
                prop_assert!(login.user.len() + login.password.len() <= text.len());
            }
        }
        Ok(())
    });
}
