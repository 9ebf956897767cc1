//! Secrets never leave: a head that prints every Secret it can get, and fails, leaves none in what
//! a run writes or prints.
//!
//! It runs the program itself on the cluster that is up.

use kuberay_conformance::report::Outcome;

use crate::support::canary::{Canary, ray_cluster, scenario, the_search_finds};
use crate::support::copies::run;
use crate::support::exclusive;

const SPEC: &str = "  manifests: [secret.yaml, raycluster.yaml]\n  changes: {image: true, rayVersion: true}\n  \
                    timeout: 2m\n  checks:\n    - logs: {role: head, lines: [{must: a line that nobody writes}]}\n    \
                    - ray: {nodes: 1}\n";

/// As it is, in base64 with and without lines, and inside longer base64. Of bytes that are no text,
/// what can be printed.
const PRINTS: &str = "echo begin; cat /one/word; echo; cat /one/key.pem; cat /two/config; env; base64 /one/config; \
                      base64 -w0 /one/raw; echo; tr -cd '[:print:]' < /one/raw; echo; \
                      printf 'x%s' \"$WORD\" | base64 -w0; echo; echo end; exit 3";

#[test]
#[ignore = "needs kind"]
fn no_secret_that_a_head_prints_is_written_or_printed() {
    let _exclusive = exclusive();
    let canary = Canary::new("kind");
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("secret.yaml", canary.secret("words")),
        (
            "raycluster.yaml",
            ray_cluster(&canary, "prints", "words", PRINTS).to_string(),
        ),
    ];
    scenario(folder.path(), "prints", SPEC, &files);
    the_search_finds(&canary, folder.path());

    let ran = run(folder.path(), &[]);
    assert_eq!(ran.output.status.code(), Some(1), "{}", ran.text());
    let case = ran.case("prints");
    assert_eq!(case.outcome, Outcome::Failed, "{}", ran.text());
    let mut all = canary.found_below(ran.folder.path(), &|_| false);
    for (name, bytes) in [
        ("standard output", &ran.output.stdout),
        ("standard error", &ran.output.stderr),
    ] {
        all.extend(canary.found(bytes).map(|found| format!("{name}: {found}")));
    }
    assert!(all.is_empty(), "{}", all.join("\n\n"));

    // It did print them, and what is no secret is still there.
    let evidence = ran
        .folder
        .path()
        .join(case.evidence.as_ref().expect("evidence"));
    let logs = std::fs::read_dir(evidence.join("logs")).unwrap();
    let logs: String = logs
        .flat_map(|pod| std::fs::read_dir(pod.unwrap().path()).unwrap())
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for kept in ["begin\n", "\nend\n", "WORD=[redacted]", "[redacted]"] {
        assert!(logs.contains(kept), "{kept:?} is not in {logs}");
    }
    for pod in std::fs::read_dir(evidence.join("pods")).unwrap() {
        let yaml = std::fs::read_to_string(pod.unwrap().path()).unwrap();
        assert!(yaml.lines().any(|line| line == "apiVersion: v1"), "{yaml}");
        let pod: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(pod["kind"], "Pod");
    }
}
