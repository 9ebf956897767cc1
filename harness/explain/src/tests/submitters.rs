//! Jobs whose submitter replaces a part of what it submits, and jobs that nothing submits.

use kuberay_manifest::Severity;
use rstest::rstest;

use super::adversarial::job_of;
use super::*;

/// Fields of a job whose submitter's container has these lines.
fn with_container(fields: &str, container: &str) -> String {
    let container: String = container
        .lines()
        .map(|line| format!("\n      {line}"))
        .collect();
    format!(
        "{fields}\nsubmitterPodTemplate:\n  spec:\n    restartPolicy: Never\n    containers:\n    - name: s\n      image: s{container}"
    )
}

#[rstest]
#[case::variable("runtimeEnvYAML: 'env_vars: {A: a$b}'", true)]
#[case::of_ray("runtimeEnvYAML: 'env_vars: {PATH: \"/opt/bin:$PATH\"}'", true)]
#[case::braces("runtimeEnvYAML: 'env_vars: {A: \"${X}:/opt\"}'", true)]
#[case::in_single_quotes("runtimeEnvYAML: \"env_vars: {A: 'a$b'}\"", true)]
#[case::behind_a_backslash("runtimeEnvYAML: \"env_vars: {A: 'a\\\\\\\\$b'}\"", true)]
#[case::backquotes("runtimeEnvYAML: \"env_vars: {A: 'a`b`'}\"", true)]
#[case::two_dollars("runtimeEnvYAML: \"env_vars: {A: 'pa$$w0rd'}\"", true)]
#[case::process("runtimeEnvYAML: \"env_vars: {A: 'a$$$$b'}\"", true)]
#[case::name("runtimeEnvYAML: 'env_vars: {a$b: c}'", true)]
#[case::list("runtimeEnvYAML: 'pip: [\"a$b\"]'", true)]
#[case::command("metadata: {owner: '$(whoami)'}", true)]
#[case::metadata("metadata: {cmd: '`date`'}", true)]
#[case::metadata_name("metadata: {'a$b': c}", true)]
#[case::resources("entrypointResources: '{\"x$Y\": 1}'", true)]
#[case::comment("runtimeEnvYAML: |\n  # costs $X\n  env_vars: {A: b}", false)]
#[case::alone(
    "runtimeEnvYAML: \"env_vars: {A: 'cost 5$', B: '$ 5', C: '^a$|b'}\"",
    false
)]
#[case::own("metadata: {id: $RAY_JOB_SUBMISSION_ID}", false)]
#[case::of_the_kubelet("metadata: {id: $(RAY_JOB_SUBMISSION_ID)}", false)]
#[case::plain("runtimeEnvYAML: 'env_vars: {A: \"it''s\"}'\nmetadata: {a: b}", false)]
fn fields_that_the_submitter_reads_in_double_quotes(#[case] fields: &str, #[case] expected: bool) {
    let fields = format!("entrypoint: a\n{fields}");
    let of = |mode: &str, version: &str| {
        let text = job(&format!("{fields}{mode}")).replace(
            "  rayClusterSpec:\n",
            "  rayClusterSpec:\n    rayVersion: 2.60.0\n",
        );
        all(&text, version)
    };
    let expected: &[&str] = if expected {
        &["entrypoint-runs-here"]
    } else {
        &[]
    };
    for version in ["1.3.2", "1.4.2", "1.6.2", "1.7.0"] {
        assert_eq!(of("", version), expected, "{fields} on {version}");
    }
    assert_eq!(of("\nsubmissionMode: SidecarMode", "1.6.2"), expected);
    // Without a shell nobody reads them.
    assert_eq!(of("", "1.2.2"), [""; 0], "{fields} on 1.2.2");
    assert_eq!(of("\nsubmissionMode: HTTPMode", "1.6.2"), [""; 0]);
}

#[test]
fn an_upgrade_that_gives_fields_of_a_job_to_a_shell_breaks_it() {
    let text = job("entrypoint: a\nruntimeEnvYAML: 'env_vars: {A: a$b}'");
    let of = |releases: &[&str]| checked_ids(&text, releases, true);
    assert_eq!(of(&["1.2.2", "1.6.2"]), ["entrypoint-runs-here"]);
    assert_eq!(of(&["1.3.2", "1.6.2"]), [""; 0]);
}

#[test]
fn what_is_said_of_a_field_that_the_submitter_reads() {
    let text = job("entrypoint: a\nruntimeEnvYAML: |\n  env_vars:\n    A: pa$$word");
    let begin = "`$word` in runtimeEnvYAML is replaced in the submitter";
    let messages = messages(&text, "1.6.2");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].starts_with(begin), "{}", messages[0]);
    let places = warnings(&text, "1.6.2");
    assert_eq!(places, [("entrypoint-runs-here".to_owned(), 8, 10)]);
}

#[test]
fn metadata_that_is_dropped_is_read_by_nobody() {
    let text = selecting("entrypoint: a\nmetadata: {a: $B}");
    assert_eq!(all(&text, "1.6.2"), ["metadata-dropped"]);
    assert_eq!(all(&text, "1.7.0"), ["entrypoint-runs-here"]);
}

#[rstest]
#[case("python a.py --re '\\d+'", true)]
#[case("python a.py --re \"\\d+\"", true)]
#[case("python a.py --path 'C:\\tmp'", true)]
#[case("python a.py 'a\\.b'", true)]
#[case("python a.py --x '~/data'", true)]
#[case("python a.py --x 'a~'", false)]
#[case("python a.py \\\\d+", true)]
#[case("python a.py '\\\\d+'", false)]
#[case("python a.py '\\$NUM'", false)]
#[case("python a.py 'a\\*b'", false)]
#[case("python a.py 'a b\\d'", false)]
#[case("bash -c 'echo \\d'", false)]
fn backslashes_that_ray_does_not_put_back(#[case] entrypoint: &str, #[case] lost: bool) {
    let expected: &[&str] = if lost {
        &["entrypoint-loses-quotes"]
    } else {
        &[]
    };
    for ray in ["2.46.0", "2.55.0"] {
        let found = all(&job_of(ray, entrypoint, ""), "1.6.2");
        assert_eq!(found, expected, "{entrypoint} with Ray {ray}");
    }
    let found = all(&job_of("2.56.0", entrypoint, ""), "1.6.2");
    assert_eq!(found, [""; 0], "{entrypoint} with Ray 2.56.0");
}

#[rstest]
#[case("python a.py --n '$NUM'", Severity::Note, "`'\\$NUM'`")]
#[case("python a.py --n \\$NUM", Severity::Note, "`'\\$NUM'`")]
#[case("python a.py --n '$(date)'", Severity::Note, "`\"'\"'$(…)'\"'\"`")]
#[case("python a.py --n 'a>5'", Severity::Warning, "`\"'a>5'\"`")]
fn a_dollar_that_the_shell_of_the_job_reads(
    #[case] entrypoint: &str,
    #[case] severity: Severity,
    #[case] help: &str,
) {
    let explanation = explained(&job_of("2.46.0", entrypoint, ""), &["1.6.2"]);
    let mut warnings = explanation.containers.iter().flat_map(|one| &one.warnings);
    let warning = warnings.next().expect("a warning");
    assert_eq!(warning.id, "entrypoint-loses-quotes", "{entrypoint}");
    assert_eq!(warning.severity, severity, "{entrypoint}");
    assert!(warning.help.contains(help), "{}", warning.help);
    assert_eq!(warnings.next(), None);
}

/// Python's `list2cmdline` writes double quotes around these words.
#[rstest]
#[case("bash -c 'for i in 1 2; do echo $i; done'", Some(Severity::Warning))]
#[case("sh -ec 'N=1; python a.py --n $N'", Some(Severity::Warning))]
#[case("bash -c 'python a.py || echo $?'", Some(Severity::Warning))]
#[case("awk '{ print $1 }' data.txt", Some(Severity::Warning))]
#[case("bash -c 'python a.py --n $NUM'", None)]
#[case("bash -c 'cd /x && python a.py $(date)'", None)]
#[case("python -c 'print(\"a b\")'", None)]
#[case("python -m run --config '/data dir/$NAME'", Some(Severity::Note))]
#[case("python -c 'q = \"SELECT * FROM `a.b`\"'", Some(Severity::Note))]
#[case("python a.py \"{'a':{'b':1}}\"", Some(Severity::Warning))]
#[case("python a.py \"{'a': {'b': 1}}\"", None)]
#[case("python a.py \"'a>5'\"", None)]
fn words_that_the_shell_of_the_job_reads_otherwise(
    #[case] entrypoint: &str,
    #[case] severity: Option<Severity>,
) {
    let explanation = explained(&job_of("2.46.0", entrypoint, ""), &["1.6.2"]);
    let warnings = explanation.containers.iter().flat_map(|one| &one.warnings);
    let found: Vec<_> = warnings
        .map(|one| (one.id.as_str(), one.severity))
        .collect();
    let expected: Vec<_> = severity
        .map(|severity| ("entrypoint-loses-quotes", severity))
        .into_iter()
        .collect();
    assert_eq!(found, expected, "{entrypoint}");
    let found = all(&job_of("2.56.0", entrypoint, ""), "1.6.2");
    assert_eq!(found, [""; 0], "{entrypoint} with Ray 2.56.0");
}

#[rstest]
#[case("$HOSTNAME", true)]
#[case("${HOSTNAME}", true)]
#[case("$PWD/x", true)]
#[case("$PPID", true)]
#[case("'$HOSTNAME'", false)]
#[case("$HOME/x", false)]
#[case("$RANDOM", false)]
#[case("$PATH", false)]
fn variables_that_the_submitters_bash_sets_itself(#[case] word: &str, #[case] expected: bool) {
    // In this release of Ray quotes stay.
    let text = job_of("2.56.0", &format!("python a.py {word}"), "");
    let told = messages(&text, "1.6.2");
    let begins = |one: &String| one.contains("is the submitter's own");
    assert_eq!(told.iter().any(begins), expected, "{word}: {told:?}");
    assert_eq!(told.len(), usize::from(expected), "{word}: {told:?}");
    assert_eq!(all(&text, "1.2.2"), [""; 0], "no shell reads it on 1.2.2");
}

#[rstest]
#[case::injected("$(RAY_JOB_SUBMISSION_ID)", "", &[])]
#[case::own("$(NUM)", "env: [{name: NUM, value: '8'}]", &[])]
#[case::from_elsewhere("$(NUM)", "envFrom: [{configMapRef: {name: x}}]", &[])]
#[case::of_a_service("$(REDIS_SERVICE_HOST)", "", &[])]
#[case::unknown("$(NUM)", "env: [{name: OTHER, value: '8'}]", &["entrypoint-runs-here"])]
#[case::command("$(nproc)", "envFrom: [{configMapRef: {name: x}}]", &["entrypoint-runs-here"])]
#[case::plain_unknown("$NUM", "", &["entrypoint-runs-here"])]
#[case::plain_from_elsewhere("$NUM", "envFrom: [{configMapRef: {name: x}}]", &[])]
#[case::argument_from_elsewhere("$1", "envFrom: [{configMapRef: {name: x}}]", &["entrypoint-runs-here"])]
fn variables_of_the_submitters_container(
    #[case] word: &str,
    #[case] container: &str,
    #[case] expected: &[&str],
) {
    let entrypoint = format!("entrypoint: 'python a.py --n {word}'");
    let text = job(&with_container(&entrypoint, container));
    assert_eq!(all(&text, "1.6.2"), expected, "{word} with {container:?}");
}

#[test]
fn a_submitter_beside_the_head_does_not_get_variables_of_the_template() {
    let entrypoint = "entrypoint: 'python a.py --n $NUM'\nsubmissionMode: SidecarMode";
    let text = job(&with_container(
        entrypoint,
        "envFrom: [{configMapRef: {name: x}}]",
    ));
    // The operator refuses a template in this mode; `check` predicts its Pods all the same.
    assert_eq!(
        checked_ids(&text, &["1.7.0"], false),
        ["entrypoint-runs-here", "refused-by-operator"]
    );
}
