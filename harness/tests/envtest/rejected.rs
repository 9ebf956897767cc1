//! Objects that the API server rejects: no case passes beside one that its scenario does not
//! expect.
//!
//! They use API servers.

use kuberay_conformance::report::Outcome;

use crate::support::copies::replaced;
use crate::support::exclusive;
use crate::support::sandbox::{Sandbox, text};

const INVALID: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: invalid}\ndata: {\"a key\": text}\n";

/// A copy of a scenario, with further objects that are sent after its own.
fn with_objects(sandbox: &Sandbox, name: &str, change: impl Fn(String) -> String, objects: &str) {
    sandbox.scenario("default-command", name, |file, text| match file {
        "scenario.yaml" => change(replaced(
            &text,
            "[raycluster.yaml]",
            "[raycluster.yaml, objects.yaml]",
        )),
        _ => text,
    });
    std::fs::write(
        sandbox.path("scenarios").join(name).join("objects.yaml"),
        objects,
    )
    .unwrap();
}

/// Runs the sandbox's one scenario, in which the `ConfigMap` must fail it.
fn fails_by_the_config_map(sandbox: &Sandbox) {
    let ran = sandbox.run("output", &["--operator", "1.6.2"]);
    let said = text(&ran);
    let result = sandbox.results("output");
    assert_eq!(result.cases[0].outcome, Outcome::Failed, "{said}");
    assert_eq!(ran.status.code(), Some(1), "{said}");
    let reason = result.cases[0].reason.as_deref().unwrap_or_default();
    assert!(
        reason.contains("the API server refused ConfigMap invalid: Invalid: "),
        "{reason}"
    );
}

/// The operator makes the Pods while the other objects are sent, so that every check would hold at
/// the first look.
#[test]
#[ignore = "needs envtest"]
fn a_case_fails_when_one_of_its_objects_is_rejected_although_its_checks_hold_already() {
    let _exclusive = exclusive();
    let sandbox = Sandbox::new("envtest");
    let many = (0..200).map(|number| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: n-{number}}}\n---\n")
    });
    let objects = many.collect::<String>() + INVALID;
    with_objects(&sandbox, "one-is-invalid", |text| text, &objects);
    fails_by_the_config_map(&sandbox);
}

#[test]
#[ignore = "needs envtest"]
fn a_case_fails_when_an_object_is_rejected_beside_one_whose_rejection_is_expected() {
    let _exclusive = exclusive();
    let sandbox = Sandbox::new("envtest");
    let expected = INVALID
        .replace("name: invalid", "name: expected")
        .replace("a key", "another key");
    let check = |text: String| {
        let checks = text.find("  checks:").unwrap();
        format!(
            "{}  checks:\n    - rejected: {{by: api, message: another key}}\n",
            &text[..checks]
        )
    };
    with_objects(
        &sandbox,
        "one-is-expected",
        check,
        &format!("{expected}---\n{INVALID}"),
    );
    for entry in std::fs::read_dir(sandbox.path("scenarios/one-is-expected")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "snap")
        {
            std::fs::remove_file(path).unwrap();
        }
    }
    fails_by_the_config_map(&sandbox);
}

/// A step that applies an object without a namespace would leave it in the cluster, or change what
/// is there.
#[test]
#[ignore = "needs envtest"]
fn a_step_that_applies_an_object_without_a_namespace_is_an_environment_error() {
    let _exclusive = exclusive();
    let sandbox = Sandbox::new("envtest");
    let role = "\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
                metadata: {name: cluster-admin}\nrules: []\n";
    sandbox.scenario(
        "existing-pods-keep-their-command",
        "changes-a-role",
        |file, text| match file {
            "changed.yaml" => text + role,
            _ => text,
        },
    );
    let ran = sandbox.run("output", &["--operator", "1.6.2"]);
    let said = text(&ran);
    let result = sandbox.results("output");
    assert_eq!(result.cases[0].outcome, Outcome::Error, "{said}");
    let reason = result.cases[0].reason.as_deref().unwrap_or_default();
    assert!(
        reason.contains("ClusterRole cluster-admin belongs to no namespace"),
        "{reason}"
    );
    assert_eq!(ran.status.code(), Some(3), "{said}");
}
