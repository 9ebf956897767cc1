use serde_json::json;

#[test]
fn values_are_taken_in_both_forms_and_from_secrets_alone() {
    let objects = [
        json!({"kind": "Secret", "metadata": {"name": "a"}, "data": {"password": "cGFzcy00NzEx"},
            "stringData": {"token": "plain-0815"}}),
        json!({"kind": "ConfigMap", "metadata": {"name": "b"}, "data": {"script": "echo"}}),
    ];
    assert_eq!(super::sent(&objects), ["pass-4711", "plain-0815"]);
}
