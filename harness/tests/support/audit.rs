//! The audit log of an API server: who asked for what.

use std::path::PathBuf;

use kuberay_conformance::target::ApiServer;
use serde_json::Value;

use super::reader::READER;

/// The log from a moment on.
pub struct Audit {
    log: PathBuf,
    begin: usize,
}

/// A request as its API server noted it.
#[derive(Debug)]
pub struct Request {
    pub verb: String,
    pub resource: String,
    /// For whom, which is not always by whom.
    pub user: String,
    pub uri: String,
}

impl Audit {
    /// Begins now.
    pub fn begin(api: &ApiServer) -> Self {
        let log = api.audit.clone().expect("an API server with an audit log");
        let begin = std::fs::read(&log).map_or(0, |bytes| bytes.len());
        Self { log, begin }
    }

    /// The requests since then of everybody but the API server itself.
    pub fn requests(&self) -> Vec<Request> {
        let bytes = std::fs::read(&self.log).unwrap();
        let lines = bytes[self.begin..].split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        let requests = lines.map(|line| {
            let line: Value = serde_json::from_slice(line).unwrap();
            let text = |pointer: &str| {
                let text = line.pointer(pointer).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            };
            let impersonated = text("/impersonatedUser/username");
            Request {
                verb: text("/verb"),
                resource: text("/objectRef/resource"),
                user: if impersonated.is_empty() {
                    text("/user/username")
                } else {
                    impersonated
                },
                uri: text("/requestURI"),
            }
        });
        requests
            .filter(|request| !request.user.starts_with("system:apiserver"))
            .collect()
    }
}

/// All of these are reads of the reader's, and none is of a Secret. Returns their number.
pub fn are_reads(requests: &[Request]) -> usize {
    for request in requests {
        let is_read = ["get", "list", "watch"].contains(&request.verb.as_str());
        assert!(is_read, "{request:?}");
        assert_eq!(request.user, READER, "{request:?}");
        assert_ne!(request.resource, "secrets", "{request:?}");
    }
    requests.len()
}
