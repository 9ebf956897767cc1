//! `check` and the forms of input that it shares with `explain`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use assertables::assert_contains;
use rstest::rstest;

use super::{support, text};

const BAD: &str = r#"apiVersion: ray.io/v1
kind: RayCluster
metadata:
  name: demo
spec:
  headGroupSpec:
    rayStartParams: {}
    template:
      spec:
        containers:
        - name: ray-head
          image: rayproject/ray:2.52.0
          args: ["prepare &"]
          resources: {limits: {cpu: "1"}}
"#;

fn good() -> String {
    BAD.replace("prepare &", "prepare || exit 1")
}

/// What `kubectl get -o yaml` prints of objects with long managedFields, and a file of many
/// documents.
#[rstest]
#[case::ten_megabytes(1, 260_000)]
#[case::two_thousand_documents(2_000, 0)]
fn large_input_is_read_whole(#[case] documents: usize, #[case] managed_fields: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.yaml");
    let mut metadata = String::from("metadata:\n");
    if managed_fields > 0 {
        metadata.push_str("  managedFields:\n  - fieldsV1:\n");
        for number in 0..managed_fields {
            metadata.push_str(&format!("      f:field-number-{number:08}-of: {{}}\n"));
        }
    }
    let document = BAD.replace("metadata:\n", &metadata);
    fs::write(&path, vec![document; documents].join("---\n")).unwrap();
    let output = support::program()
        .arg("check")
        .arg(&path)
        .args(["--format", "concise", "--operator", "1.6.2"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let found = text(&output.stdout);
    assert_eq!(found.matches("trailing-ampersand").count(), documents);
}

/// A RayCluster with a note only.
fn note() -> String {
    BAD.replace("prepare &", "prepare")
}

fn indented(text: &str, spaces: usize) -> String {
    text.lines()
        .map(|line| format!("{}{line}\n", " ".repeat(spaces)))
        .collect()
}

fn json(text: &str) -> serde_json::Value {
    serde_saphyr::from_str(text).unwrap()
}

fn in_folder(folder: &Path, arguments: &[&str], input: Option<&str>) -> Output {
    let mut program = support::program();
    program.current_dir(folder).args(arguments);
    program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that reads no input may have ended.
    _ = stdin.write_all(input.unwrap_or_default().as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Runs `check` on `f.yaml` with this text and returns exit code, output and errors.
fn check(manifest: &str, arguments: &[&str]) -> (i32, String, String) {
    let folder = folder(&[("f.yaml", manifest)]);
    let arguments = [&["check", "f.yaml"], arguments].concat();
    let output = in_folder(folder.path(), &arguments, None);
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[rstest]
#[case::found(BAD, &[], 1)]
#[case::only_errors_count(BAD, &["--fail-on", "error"], 0)]
#[case::nothing_counts(BAD, &["--fail-on", "never"], 0)]
#[case::a_note(&note(), &[], 0)]
#[case::notes_count(&note(), &["--fail-on", "note"], 1)]
#[case::nothing_found(&good(), &["--fail-on", "note"], 0)]
#[case::no_yaml("kind: [ray.io", &["--fail-on", "never"], 2)]
#[case::nothing_of_kuberay("kind: ConfigMap\n", &[], 0)]
#[case::no_such_id(BAD, &["--ignore", "trailing-ampersan"], 2)]
#[case::ignored(BAD, &["--ignore", "trailing-ampersand"], 0)]
#[case::not_selected(BAD, &["--select", "errexit,block-ignored"], 0)]
#[case::no_such_config(BAD, &["--config", "none.toml"], 2)]
#[case::an_upgrade_to_review(&good(), &["--from", "1.3.2", "--to", "1.4.2"], 1)]
#[case::an_upgrade_without_changes(&good(), &["--from", "1.6.0", "--to", "1.6.2"], 0)]
#[case::a_downgrade(&good(), &["--from", "1.6.2", "--to", "1.3.2"], 2)]
fn exit_codes(#[case] manifest: &str, #[case] arguments: &[&str], #[case] code: i32) {
    let (found, output, errors) = check(manifest, arguments);
    assert_eq!(found, code, "{output}{errors}");
}

#[test]
fn a_wrong_id_names_the_right_one() {
    let (_, _, errors) = check(BAD, &["--ignore", "trailing-ampersan"]);
    assert!(
        errors.contains("did you mean `trailing-ampersand`?"),
        "{errors}"
    );
}

#[rstest]
#[case::text(
    "text",
    "13 |           args: [\"prepare &\"]\n   |                           ^\n"
)]
#[case::concise(
    "concise",
    "f.yaml:13:27: warning[trailing-ampersand] bash: syntax error near unexpected token `&&'"
)]
#[case::json("json", "\"version\": \"kuberay-conformance.check/v1\"")]
#[case::sarif("sarif", "\"ruleId\": \"trailing-ampersand\"")]
#[case::github(
    "github",
    "::warning file=f.yaml,line=13,col=27,title=trailing-ampersand::bash: syntax error"
)]
#[case::junit(
    "junit",
    "<testcase name=\"trailing-ampersand f.yaml:13:27\" classname=\"f_yaml\""
)]
fn formats(#[case] format: &str, #[case] expected: &str) {
    let (code, output, errors) = check(BAD, &["--format", format]);
    assert_eq!(code, 1, "{errors}");
    assert!(output.contains(expected), "{output}");
    assert!(!output.contains('\u{1b}'), "{output}");
}

#[rstest]
#[case::check(&["check"], true)]
#[case::explain(&["explain"], true)]
#[case::upgrade(&["explain", "--operator", "1.3.2,1.6.2"], true)]
#[case::concise(&["check", "--format", "concise"], false)]
#[case::json(&["check", "--format", "json"], false)]
fn the_last_line_says_what_is_out_of_scope(#[case] arguments: &[&str], #[case] told: bool) {
    let folder = folder(&[("f.yaml", BAD)]);
    let output = in_folder(folder.path(), &[arguments, &["f.yaml"]].concat(), None);
    let expected =
        "\nnot considered: mutating webhooks, quotas and admission policies of a cluster\n";
    let said = text(&output.stdout);
    assert_eq!(said.ends_with(expected), told, "{said}");
}

#[test]
fn files_of_powershell_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let units = format!("\u{feff}{BAD}");
    let bytes: Vec<u8> = units.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(folder.path().join("f.yaml"), bytes).unwrap();
    for path in ["f.yaml", "."] {
        let arguments = ["check", path, "--format", "concise"];
        let output = in_folder(folder.path(), &arguments, None);
        let said = text(&output.stdout);
        assert!(
            said.contains("f.yaml:13:27: warning[trailing-ampersand]"),
            "{said}"
        );
    }
}

#[test]
fn names_of_files_can_not_inject_commands() {
    let folder = folder(&[("a,b:\n::error::x.yaml", BAD)]);
    let output = in_folder(folder.path(), &["check", ".", "--format", "github"], None);
    let output = text(&output.stdout);
    assert_eq!(output.lines().count(), 1, "{output}");
    assert!(output.starts_with("::warning file=a%2Cb%3A"), "{output}");
}

/// Each form of input, with the path that the trap then has.
#[rstest]
#[case::list(format!("apiVersion: v1\nkind: List\nitems:\n-\n{}", indented(BAD, 2)), "items[0].spec.headGroupSpec")]
#[case::typed_list(format!("apiVersion: ray.io/v1\nkind: RayClusterList\nitems:\n-\n{}", indented(BAD, 2)), "items[0].spec.headGroupSpec")]
#[case::json(json(BAD).to_string(), "spec.headGroupSpec")]
#[case::json_array(serde_json::json!([json(&good()), json(BAD)]).to_string(), "[1].spec.headGroupSpec")]
#[case::json_list(format!("{:#}", serde_json::json!({"kind": "List", "items": [json(BAD)]})), "items[0].spec.headGroupSpec")]
#[case::documents(format!("{}---\n---\n{BAD}", good()), "spec.headGroupSpec")]
#[case::app_wrapper(format!("apiVersion: workload.codeflare.dev/v1beta2\nkind: AppWrapper\nspec:\n  components:\n  - template:\n{}", indented(BAD, 6)), "spec.components[0].template.spec.headGroupSpec")]
#[case::manifest_work(format!("apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\nspec:\n  workload:\n    manifests:\n    -\n{}", indented(BAD, 6)), "spec.workload.manifests[0].spec.headGroupSpec")]
#[case::workflow(format!("apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nspec:\n  templates:\n  - name: a\n    resource:\n      action: create\n      manifest: |\n{}", indented(BAD, 8)), "spec.templates[0].resource.manifest.spec.headGroupSpec")]
fn forms_of_input(#[case] manifest: String, #[case] path: &str) {
    let (code, output, errors) = check(&manifest, &["--format", "json"]);
    assert_eq!(code, 1, "{output}{errors}");
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    let finding = &report["findings"][0];
    assert_eq!(finding["id"], "trailing-ampersand");
    assert_eq!(
        finding["path"],
        format!("{path}.template.spec.containers[0].args[0]")
    );
    let line = usize::try_from(finding["line"].as_u64().unwrap()).unwrap();
    assert!(
        manifest
            .lines()
            .nth(line - 1)
            .unwrap()
            .contains("prepare &"),
        "line {line}"
    );

    let folder = folder(&[("f.yaml", &manifest)]);
    let explained = in_folder(folder.path(), &["explain", "f.yaml"], None);
    assert!(
        text(&explained.stdout).contains("trailing-ampersand"),
        "{}",
        text(&explained.stderr)
    );
}

#[test]
fn folders_files_and_standard_input_are_read_together() {
    let folder = folder(&[
        ("a/one.yml", BAD),
        ("a/b/two.json", &json(BAD).to_string()),
        ("a/values.yaml", "image: {{ not: yaml\n"),
        ("a/.hidden/three.yaml", BAD),
        ("a/notes.txt", BAD),
        ("four.yaml", BAD),
        ("empty/notes.txt", BAD),
    ]);
    let arguments = [
        "check",
        "a",
        "four.yaml",
        "a/one.yml",
        "-",
        "--format",
        "concise",
    ];
    let output = in_folder(folder.path(), &arguments, Some(BAD));
    let output = text(&output.stdout);
    let files: Vec<&str> = output
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        files,
        ["a/b/two.json", "a/one.yml", "four.yaml", "-"],
        "{output}"
    );

    let output = in_folder(folder.path(), &["check", "empty"], None);
    assert_eq!(output.status.code(), Some(2));
    assert_contains!(
        text(&output.stderr),
        "empty contains no .yaml, .yml or .json file"
    );
    let output = in_folder(folder.path(), &["check", "-"], None);
    assert_eq!(output.status.code(), Some(2));
    assert_contains!(text(&output.stderr), "standard input is empty");
}

#[test]
fn patterns_that_no_shell_replaced_name_files() {
    let folder = folder(&[
        ("a/b/one.yaml", BAD),
        ("a/two.yaml", BAD),
        ("a/three.txt", BAD),
    ]);
    let run = |pattern: &str| {
        let output = in_folder(
            folder.path(),
            &["check", pattern, "--format", "concise"],
            None,
        );
        (
            output.status.code().unwrap(),
            text(&output.stdout).lines().count(),
            text(&output.stderr),
        )
    };
    assert_eq!(run("a/**/*.yaml").1, 2);
    assert_eq!(run("a/*.yaml").1, 1);
    assert_eq!(run("?/two.yaml").1, 1);
    let (code, _, error) = run("b/*.yaml");
    assert_eq!(code, 2);
    assert!(error.contains("no file matches b/*.yaml"), "{error}");
}

#[test]
fn a_release_that_nobody_read_is_named_in_every_format() {
    for format in ["concise", "json", "sarif", "github", "junit"] {
        let (_, _, error) = check(BAD, &["--operator", "9.9.9", "--format", format]);
        assert!(
            error.contains("KubeRay 9.9.9 is not known"),
            "{format}: {error}"
        );
    }
}

#[test]
fn a_kind_that_kuberay_does_not_have_is_refused() {
    let (code, out, _) = check(
        &BAD.replace("kind: RayCluster", "kind: raycluster"),
        &["--format", "concise"],
    );
    assert_eq!(code, 1);
    assert!(out.contains("no matches for kind \"raycluster\""), "{out}");
}

#[test]
fn an_unrendered_chart_is_one_error() {
    let template = format!("{{{{- if .Values.enabled }}}}\n{BAD}{{{{- end }}}}\n");
    let quoted = BAD.replace("prepare &", "{{ .Values.command }}");
    for manifest in [template, quoted] {
        for command in ["check", "explain"] {
            let folder = folder(&[("f.yaml", &manifest)]);
            let output = in_folder(folder.path(), &[command, "f.yaml"], None);
            assert_eq!(output.status.code(), Some(2));
            let said = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(
                said.matches("an unrendered Helm template").count(),
                1,
                "{said}"
            );
            assert!(
                said.contains("helm template CHART | kuberay-conformance check -"),
                "{said}"
            );
        }
    }
}

#[test]
fn errors_quote_a_few_columns_of_long_lines() {
    let mut value = json(BAD);
    value["metadata"]["annotations"] = serde_json::json!({"long": "x".repeat(20_000)});
    let cut = value.to_string();
    let flow = format!(
        "kind: RayCluster\nmetadata: {{a: {}, b: [}}\n",
        "x".repeat(20_000)
    );
    for (file, content) in [("f.json", &cut[..cut.len() - 1]), ("f.yaml", &flow)] {
        let folder = folder(&[(file, content)]);
        let output = in_folder(folder.path(), &["explain", file], None);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        let longest = said.lines().map(|line| line.chars().count()).max();
        assert!(longest < Some(130), "{said}");
    }
}

#[test]
fn the_configuration_is_found_upwards_and_options_win() {
    let config = "operator = \"1.6.2\"\nignore = [\"trailing-ampersand\", \"errexit\"]\nfail-on = \"note\"\n";
    let folder = folder(&[("kuberay-conformance.toml", config), ("a/b/f.yaml", BAD)]);
    let below = folder.path().join("a/b");
    let output = in_folder(&below, &["check", "f.yaml", "--format", "concise"], None);
    // The unused id is a note, which counts here.
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.contains("kuberay-conformance.toml:2:33: note[unused-ignore] `errexit`"),
        "{said}"
    );
    assert!(!said.contains("trailing-ampersand"), "{said}");
    let output = in_folder(&below, &["check", "f.yaml", "--fail-on", "warning"], None);
    assert_eq!(output.status.code(), Some(0));

    fs::write(
        folder.path().join("kuberay-conformance.toml"),
        "operators = \"1.6.2\"\n",
    )
    .unwrap();
    let output = in_folder(&below, &["check", "f.yaml"], None);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("kuberay-conformance.toml:1:1"), "{said}");
    assert!(said.contains("unknown field `operators`"), "{said}");
}

#[test]
fn an_annotation_ignores_for_its_object() {
    let ignored = BAD.replace(
        "  name: demo\n",
        "  name: demo\n  annotations:\n    kuberay-conformance.io/ignore: trailing-ampersand,errexit\n",
    );
    let (code, output, _) = check(&format!("{ignored}---\n{BAD}"), &["--format", "concise"]);
    assert_eq!(code, 1, "{output}");
    assert_eq!(
        output.matches("[trailing-ampersand]").count(),
        1,
        "{output}"
    );
    assert!(
        output.contains("f.yaml:6:36: note[unused-ignore] `errexit`"),
        "{output}"
    );
}

#[test]
fn the_page_of_a_trap_is_printed() {
    let output = in_folder(
        Path::new("."),
        &["check", "--explain", "trailing-ampersand"],
        None,
    );
    let page = support::scenarios()
        .parent()
        .unwrap()
        .join("docs/reference/traps/trailing-ampersand.md");
    assert_eq!(text(&output.stdout), fs::read_to_string(page).unwrap());
    let output = in_folder(
        Path::new("."),
        &["check", "--explain", "trailing-amp"],
        None,
    );
    assert_eq!(output.status.code(), Some(2));
    assert_contains!(text(&output.stderr), "did you mean `trailing-ampersand`?");
}

#[test]
fn an_upgrade_fits_into_a_message_and_full_shows_everything() {
    let folder = folder(&[("f.yaml", BAD)]);
    let releases = ["explain", "f.yaml", "--operator", "1.3.2,1.6.2"];
    let short = text(&in_folder(folder.path(), &releases, None).stdout);
    assert!(
        short.starts_with("KubeRay 1.3.2 → 1.6.2: 1 of 1 object affected\n"),
        "{short}"
    );
    assert_eq!(short.matches("trailing-ampersand").count(), 1, "{short}");
    assert!(short.lines().count() < 30, "{short}");
    let full = text(&in_folder(folder.path(), &[&releases[..], &["--full"]].concat(), None).stdout);
    assert!(full.lines().count() > short.lines().count(), "{full}");
}

/// Whether a program runs here.
fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// `strace` sees each socket; without it, a network namespace without any network gives the same
/// output.
#[rstest]
#[case(&["check", "f.yaml"])]
#[case(&["explain", "f.yaml"])]
fn no_socket_is_opened(#[case] arguments: &[&str]) {
    let folder = folder(&[("f.yaml", BAD)]);
    let program = support::program();
    let around = |before: &[&str]| {
        let mut command = Command::new(before[0]);
        command
            .args(&before[1..])
            .arg(program.get_program())
            .args(arguments);
        command.current_dir(folder.path()).output().unwrap()
    };
    let expected = in_folder(folder.path(), arguments, None);
    if runs("strace", &["-f", "-o", "/dev/null", "true"]) {
        let output = around(&["strace", "-f", "-e", "trace=socket,connect", "-o", "calls"]);
        assert_eq!(output.stdout, expected.stdout);
        let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
        assert!(calls.contains("exited with"), "{calls}");
        assert!(!calls.contains("socket("), "{calls}");
        assert!(!calls.contains("connect("), "{calls}");
    } else if runs("unshare", &["-rn", "true"]) {
        let output = around(&["unshare", "-rn"]);
        assert_eq!(output.status, expected.status);
        assert_eq!(output.stdout, expected.stdout);
    } else {
        panic!("install strace, or allow unshare -rn");
    }
}
