//! The `ServiceAccount` of `fixtures/rbac/doctor.yaml`, which may only read.

use std::path::Path;

use serde_json::{Value, json};

/// The name under which the API server knows it.
pub const READER: &str = "system:serviceaccount:default:kuberay-doctor";

/// An administrator's kubeconfig as one of the reader, by impersonation.
pub fn as_reader(kubeconfig: &Path) -> String {
    let text = std::fs::read_to_string(kubeconfig).unwrap();
    let mut config: Value = serde_saphyr::from_str(&text).unwrap();
    let user = &mut config["users"][0]["user"];
    user["as"] = READER.into();
    user["as-groups"] = json!(["system:serviceaccounts", "system:authenticated"]);
    config.to_string()
}
