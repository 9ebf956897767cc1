//! What the API server's audit log says of a time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::Failed;

/// The requests of some programs.
#[derive(Default)]
pub struct Requests {
    pub count: usize,
    /// When the first of them made a `RayCluster`.
    pub applied: Option<Timestamp>,
    /// How many of each kind: verb and path, without what differs between runs.
    pub kinds: BTreeMap<String, usize>,
}

/// Reads what has been written since `from`; only requests of programs whose name `agents` begin
/// with count.
pub fn read(log: &Path, from: u64, agents: &[&str]) -> Result<Requests, Failed> {
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut found = Requests::default();
    // A long request is told of when it begins and again when it ends.
    let mut known = BTreeSet::new();
    for line in BufReader::new(file).lines() {
        let Ok(event) = serde_json::from_str::<Value>(&line?) else {
            continue;
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let agent = text(&event["userAgent"]);
        if !agents.iter().any(|name| agent.starts_with(name))
            || !known.insert(text(&event["auditID"]))
        {
            continue;
        }
        let (verb, uri) = (text(&event["verb"]), text(&event["requestURI"]));
        *found
            .kinds
            .entry(format!(
                "{verb} {}",
                uri.split('?').next().unwrap_or_default()
            ))
            .or_default() += 1;
        let makes = matches!(verb.as_str(), "create" | "patch")
            && event["objectRef"]["resource"] == "rayclusters";
        let at = text(&event["requestReceivedTimestamp"])
            .parse()
            .ok()
            .filter(|_| makes);
        found.applied = found.applied.or(at);
    }
    found.count = known.len();
    Ok(found)
}
