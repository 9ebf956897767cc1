//! The objects that API servers keep in etcd, as bytes; etcd speaks JSON beside its own protocol.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Client;
use serde_json::{Value, json};

use super::super::error::ClusterError;
use super::super::ready;

/// Objects by their names, each as an API server has written it.
pub type StoredObjects = BTreeMap<String, Vec<u8>>;

/// Reads and writes what is below a prefix, without an API server.
pub(super) struct Keys {
    client: Client,
}

fn wrong(
    doing: &'static str,
    message: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ClusterError {
    ClusterError::Api {
        doing,
        source: message.into(),
    }
}

impl Keys {
    /// Asks the etcd that a kubeconfig file names as if it were an API server.
    pub(super) async fn new(kubeconfig: &Path) -> Result<Self, ClusterError> {
        Ok(Self {
            client: ready::client(kubeconfig).await?,
        })
    }

    async fn ask(
        &self,
        doing: &'static str,
        path: &str,
        question: &Value,
    ) -> Result<Value, ClusterError> {
        let request = http::Request::post(path).body(question.to_string().into_bytes());
        let request = request.map_err(|error| wrong(doing, error))?;
        self.client
            .request(request)
            .await
            .map_err(|error| wrong(doing, error))
    }

    /// Puts objects below a prefix that ends with a slash.
    pub(super) async fn put(
        &self,
        prefix: &str,
        objects: &StoredObjects,
    ) -> Result<(), ClusterError> {
        for (name, value) in objects {
            let question = json!({"key": STANDARD.encode(format!("{prefix}{name}")), "value": STANDARD.encode(value)});
            self.ask("putting an object into etcd", "/v3/kv/put", &question)
                .await?;
        }
        Ok(())
    }

    /// The objects below a prefix that ends with a slash.
    pub(super) async fn get(&self, prefix: &str) -> Result<StoredObjects, ClusterError> {
        let doing = "reading objects from etcd";
        // All that begins with the prefix lies before the prefix with the character after the
        // slash.
        let end = format!("{}0", prefix.trim_end_matches('/'));
        let question = json!({"key": STANDARD.encode(prefix), "range_end": STANDARD.encode(end)});
        let answer = self.ask(doing, "/v3/kv/range", &question).await?;
        let bytes = |value: &Value| {
            let text = value.as_str().ok_or("an object without key or value")?;
            STANDARD.decode(text).map_err(|error| error.to_string())
        };
        let one = |object: &Value| {
            let key =
                String::from_utf8(bytes(&object["key"])?).map_err(|error| error.to_string())?;
            let name = key.strip_prefix(prefix).unwrap_or(&key).to_owned();
            Ok::<_, String>((name, bytes(&object["value"])?))
        };
        let found = answer["kvs"].as_array().into_iter().flatten().map(one);
        found
            .collect::<Result<_, String>>()
            .map_err(|message| wrong(doing, message))
    }
}
