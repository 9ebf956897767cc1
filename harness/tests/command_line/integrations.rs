//! The action and the hook of pre-commit, in their own steps on sample repositories.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rstest::rstest;
use serde_json::Value;

use super::{support, text};

fn root() -> PathBuf {
    support::scenarios().parent().unwrap().to_owned()
}

fn manifest(args: &str) -> String {
    format!(
        "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {{name: demo}}\nspec:\n  headGroupSpec:\n    \
         rayStartParams: {{}}\n    template:\n      spec:\n        containers:\n        - name: ray-head\n          \
         image: rayproject/ray:2.52.0\n          args: [\"{args}\"]\n          resources: {{limits: {{cpu: \"1\"}}}}\n"
    )
}

/// A repository with these files, and a folder for what the runner keeps outside of it.
struct Sample {
    folder: tempfile::TempDir,
}

impl Sample {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["repository", "runner", "bin"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for (name, content) in files {
            let path = folder.path().join("repository").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program that records its arguments, in place of one that the runner has.
    fn stub(&self, name: &str) {
        let path = self.path("bin").join(name);
        let log = self.path("runner").join(format!("{name}.log"));
        let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\n", log.display());
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.path("runner").join(format!("{name}.log"))).unwrap_or_default()
    }

    /// Runs a `run:` script as GitHub's runner does.
    fn script(&self, script: &str, environment: &[(String, String)]) -> Output {
        let own = support::program();
        let own = Path::new(own.get_program()).parent().unwrap().to_owned();
        let path = format!(
            "{}:{}:{}",
            self.path("bin").display(),
            own.display(),
            std::env::var("PATH").unwrap()
        );
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.path("repository"))
            .env("PATH", path)
            .env("RUNNER_TEMP", self.path("runner"))
            .env("GITHUB_OUTPUT", self.path("runner").join("outputs"))
            .envs(environment.iter().cloned())
            .output()
            .unwrap()
    }
}

fn action() -> Value {
    let text = fs::read_to_string(root().join("action.yml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

fn steps(action: &Value) -> Vec<Value> {
    action["runs"]["steps"].as_array().unwrap().clone()
}

/// What an expression of the action is, with these inputs.
fn expression(action: &Value, inputs: &[(&str, &str)], written: &str) -> String {
    let inner = written
        .trim_start_matches("${{")
        .trim_end_matches("}}")
        .trim();
    match inner {
        "github.action_path" => root().display().to_string(),
        "github.action_repository" => "OWNER/kuberay-conformance".into(),
        other => {
            let name = other.strip_prefix("inputs.").expect("an input");
            let given = inputs.iter().find(|(input, _)| *input == name);
            let default = &action["inputs"][name]["default"];
            given.map_or_else(
                || default.as_str().unwrap().into(),
                |(_, value)| (*value).into(),
            )
        }
    }
}

/// Whether a step runs; of conditions the action has comparisons of `inputs.command` alone.
fn runs(step: &Value, command: &str) -> bool {
    match step["if"].as_str() {
        None => true,
        Some("${{ inputs.command == 'check' }}") => command == "check",
        Some("${{ inputs.command != 'check' }}") => command != "check",
        Some(other) => panic!("{other}"),
    }
}

/// Runs every step of the action that has a script, up to the first that fails.
fn act(sample: &Sample, inputs: &[(&str, &str)]) -> (i32, String) {
    let action = action();
    let command = inputs.iter().find(|(name, _)| *name == "command");
    let command = command.map_or("check", |(_, value)| value);
    let mut said = String::new();
    for step in steps(&action) {
        let Some(script) = step["run"].as_str() else {
            continue;
        };
        if !runs(&step, command) {
            continue;
        }
        let environment = step["env"].as_object().unwrap().iter();
        let environment: Vec<(String, String)> = environment
            .map(|(name, value)| {
                (
                    name.clone(),
                    expression(&action, inputs, value.as_str().unwrap()),
                )
            })
            .collect();
        let output = sample.script(script, &environment);
        said.push_str(&text(&output.stdout));
        said.push_str(&text(&output.stderr));
        let code = output.status.code().unwrap();
        if code != 0 {
            return (code, said);
        }
    }
    (0, said)
}

#[rstest]
#[case::bad("prepare &", "warning", 1)]
#[case::bad_below_the_limit("prepare &", "error", 0)]
#[case::good("prepare || exit 1", "warning", 0)]
fn the_action_checks_a_repository(#[case] args: &str, #[case] fail_on: &str, #[case] code: i32) {
    let sample = Sample::new(&[("k8s/f.yaml", &manifest(args))]);
    sample.stub("cargo");
    let inputs = [
        ("paths", "k8s"),
        ("operator", "1.6.2"),
        ("fail-on", fail_on),
    ];
    let (found, said) = act(&sample, &inputs);
    assert_eq!(found, code, "{said}");
    let install = sample.log("cargo");
    assert!(
        install.starts_with("install --locked --path /"),
        "{install}"
    );
    let outputs = fs::read_to_string(sample.path("runner").join("outputs")).unwrap();
    let sarif = outputs
        .trim()
        .strip_prefix("sarif=")
        .expect("the output sarif");
    let sarif: Value = serde_json::from_str(&fs::read_to_string(sarif).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let bad = args.ends_with('&');
    assert_eq!(results.len(), usize::from(bad), "{sarif:#}");
    assert_eq!(said.contains("::warning file=k8s/f.yaml"), bad, "{said}");
}

#[test]
fn the_action_fails_at_a_file_that_can_not_be_read() {
    let sample = Sample::new(&[("f.yaml", "kind: [ray.io\n")]);
    sample.stub("cargo");
    let (code, said) = act(&sample, &[("fail-on", "never")]);
    assert_eq!(code, 1, "{said}");
}

#[test]
fn the_action_installs_a_release() {
    let sample = Sample::new(&[("f.yaml", &manifest("a || exit 1"))]);
    sample.stub("cargo");
    let (code, said) = act(&sample, &[("version", "0.1.0")]);
    assert_eq!(code, 0, "{said}");
    let expected =
        "install --locked --git https://github.com/OWNER/kuberay-conformance --tag v0.1.0";
    assert!(
        sample.log("cargo").starts_with(expected),
        "{}",
        sample.log("cargo")
    );
}

/// The programs are stubs: operators take minutes to build.
#[rstest]
#[case::run(&[("command", "run"), ("operator", "1.6.2")], "run --target envtest --output REPORT --operator 1.6.2")]
#[case::run_own(&[("command", "run"), ("paths", "mine")], "run --target envtest --output REPORT --scenarios mine")]
#[case::diff_with_a_blank(&[("command", "diff"), ("operator", "1.5.2, 1.6.2")], "diff --report REPORT/diff.md --report REPORT/diff.xml -- 1.5.2 1.6.2")]
#[case::diff(&[("command", "diff"), ("operator", "1.5.2,1.6.2")], "diff --report REPORT/diff.md --report REPORT/diff.xml -- 1.5.2 1.6.2")]
fn the_action_runs_operators(#[case] inputs: &[(&str, &str)], #[case] expected: &str) {
    let sample = Sample::new(&[]);
    sample.stub("cargo");
    sample.stub("kuberay-conformance");
    let (code, said) = act(&sample, inputs);
    assert_eq!(code, 0, "{said}");
    let report = sample.path("runner").join("kuberay-conformance");
    let expected = expected.replace("REPORT", &report.display().to_string());
    assert_eq!(sample.log("kuberay-conformance").trim(), expected);
    // The program takes these arguments.
    let words = expected
        .split(' ')
        .chain(["--help"])
        .filter(|word| *word != "--");
    let output = support::program().args(words).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn the_action_refuses_another_command() {
    let sample = Sample::new(&[]);
    sample.stub("cargo");
    let (code, said) = act(&sample, &[("command", "fuzz")]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("::error::command must be check, run or diff, not fuzz"),
        "{said}"
    );
}

#[rstest]
#[case::none("")]
#[case::one("1.6.2")]
#[case::three("1.4.2,1.5.2,1.6.2")]
fn the_action_refuses_to_compare_other_than_two_releases(#[case] operator: &str) {
    let sample = Sample::new(&[]);
    sample.stub("cargo");
    sample.stub("kuberay-conformance");
    let (code, said) = act(&sample, &[("command", "diff"), ("operator", operator)]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("::error::operator must name two releases for diff"),
        "{said}"
    );
}

#[test]
fn actions_are_pinned_by_commit() {
    for step in steps(&action()) {
        let Some(uses) = step["uses"].as_str() else {
            continue;
        };
        let (_, commit) = uses.split_once('@').unwrap();
        assert_eq!(commit.len(), 40, "{uses}");
        assert!(
            commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{uses}"
        );
    }
}

fn hook() -> Value {
    let text = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let hooks: Value = serde_saphyr::from_str(&text).unwrap();
    hooks[0].clone()
}

/// pre-commit appends the names of the files of the types that the hook names.
#[rstest]
#[case::bad("prepare &", 1)]
#[case::good("prepare || exit 1", 0)]
fn the_hook_checks_manifests(#[case] args: &str, #[case] code: i32) {
    let values = "a: {{ b }\n";
    let sample = Sample::new(&[("f.yaml", &manifest(args)), ("values.yaml", values)]);
    let entry = format!("{} f.yaml values.yaml", hook()["entry"].as_str().unwrap());
    let output = sample.script(&entry, &[]);
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
}

/// pre-commit itself, with the program that was built here in place of one that it builds.
#[rstest]
#[case::bad("prepare &", false)]
#[case::good("prepare || exit 1", true)]
#[ignore = "needs git and pre-commit"]
fn pre_commit_runs_the_hook(#[case] args: &str, #[case] passes: bool) {
    let mut hook = hook();
    hook["language"] = "system".into();
    let config = serde_json::json!({"repos": [{"repo": "local", "hooks": [hook]}]});
    let sample = Sample::new(&[
        ("f.yaml", &manifest(args)),
        ("notes.txt", &manifest("prepare &")),
        (".pre-commit-config.yaml", &config.to_string()),
    ]);
    let cache = sample.path("runner").display().to_string();
    let script = "git init -q . && git add . && pre-commit run --all-files";
    let output = sample.script(script, &[("PRE_COMMIT_HOME".into(), cache)]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.success(), passes, "{said}");
    assert_eq!(said.contains("f.yaml:12:27"), !passes, "{said}");
    assert!(!said.contains("notes.txt"), "{said}");
}
