//! The examples of README.md and of the guides print what the pages show.

use std::path::Path;

use rstest::rstest;

use super::{program, text};

/// The file of the examples, as docs/guide/first-run.md has it.
fn manifest() -> String {
    let page = page("docs/guide/first-run.md");
    let (_, after) = page.split_once("Save this as `raycluster.yaml`:").unwrap();
    let (_, block) = after.split_once("```yaml\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The blocks of a page that show a command and its output, where `chosen` says so of the command.
fn examples(page: &str, chosen: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let blocks = page.split("```console\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split_once("\n```"));
    let mut found = Vec::new();
    for (block, _) in blocks {
        let (command, output) = block.split_once('\n').unwrap_or((block, ""));
        let command = command.trim_start_matches("$ ").to_owned();
        if chosen(&command) {
            found.push((command, output.to_owned()));
        }
    }
    found
}

/// Whether a text is as a page shows it: `…` stands for any text, and alone on a line for any
/// lines.
fn is_as_shown(shown: &str, printed: &str) -> bool {
    let mut pattern = String::from(r"\A");
    for line in shown.trim_end().lines() {
        if line.trim() == "…" {
            pattern.push_str(r"(?s:.*)");
            continue;
        }
        let parts: Vec<String> = line.split('…').map(regex::escape).collect();
        pattern.push_str(&parts.join(".*"));
        pattern.push_str(r"\n+");
    }
    pattern.push_str(r"\z");
    let printed = format!("{}\n", printed.trim_end());
    regex::Regex::new(&pattern).unwrap().is_match(&printed)
}

#[rstest]
#[case("README.md", 1)]
#[case("docs/guide/first-run.md", 2)]
#[case("docs/guide/checking-manifests.md", 1)]
fn examples_of_explain_and_check_print_what_the_page_shows(
    #[case] name: &str,
    #[case] number: usize,
) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("raycluster.yaml"), manifest()).unwrap();
    let offline = |command: &str| {
        let words = ["kuberay-conformance explain ", "kuberay-conformance check "];
        words.iter().any(|word| command.starts_with(word))
    };
    let examples = examples(&page(name), offline);
    assert_eq!(examples.len(), number, "{examples:?}");
    for (command, shown) in examples {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let output = program(&words)
            .current_dir(folder.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let printed = text(&output.stdout);
        assert!(
            is_as_shown(&shown, &printed),
            "{name} shows for `{command}`:\n{shown}\nit prints:\n{printed}"
        );
    }
}

#[rstest]
#[case("a\n…\nz", "a\nb\nc\nz\n", true)]
#[case("a … z", "a b c z", true)]
#[case("a\nz", "a\nb\nz", false)]
#[case("a", "a b", false)]
#[case("a (b)", "a b", false)]
fn an_example_stands_for_what_it_shows_alone(
    #[case] shown: &str,
    #[case] printed: &str,
    #[case] expected: bool,
) {
    assert_eq!(is_as_shown(shown, printed), expected);
}
