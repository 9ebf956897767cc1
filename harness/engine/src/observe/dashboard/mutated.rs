//! Answers of the dashboard with faults in them.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;

const NODES: &str = r#"{"result": true, "data": {"summary": [
{"ip": "10.244.0.8", "raylet": {"state": "ALIVE", "isHeadNode": true,
"nodeManagerAddress": "10.244.0.8", "resourcesTotal": {"CPU": 1.0, "memory": 2147483648.0}}},
{"ip": "10.244.0.9", "raylet": {"state": "DEAD", "isHeadNode": false}}]}}"#;
const JOBS: &str = r#"[{"type": "SUBMISSION", "job_id": "01000000", "submission_id": "a",
"driver_info": {"id": "01000000", "node_ip_address": "10.244.0.8", "pid": "58"},
"status": "SUCCEEDED", "entrypoint": "python -c \"print(1)\"", "message": null,
"error_type": null, "start_time": 1795411950348, "end_time": 1795411951000, "metadata": {}}]"#;

#[test]
fn answers_of_the_dashboard() {
    try_texts(vec![NODES.into(), JOBS.into()], |text| {
        let Ok(answer) = serde_json::from_slice::<Value>(&text) else {
            return Ok(());
        };
        let nodes = parse_nodes(&answer, Some("10.244.0.8"));
        prop_assert!(nodes.len() <= text.len());
        match parse_jobs(answer) {
            Ok(jobs) => prop_assert!(jobs.len() <= text.len()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        Ok(())
    });
}
