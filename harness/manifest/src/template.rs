//! Recognises unrendered Helm templates.

use super::diagnostic::{Location, Source};

/// Returns the location of a template's first action, such as `{{ .Values.name }}`; `None` where
/// the text has no action. An empty mapping in a mapping (`{{}}`) is none.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Source, template_action};
///
/// let source = Source::new(Path::new("a.yaml"), "kind: Pod\nname: {{ .Release.Name }}\n");
/// assert_eq!(template_action(&source).map(|at| (at.line, at.column)), Some((2, 7)));
/// ```
pub fn template_action(source: &Source) -> Option<Location> {
    let action = |line: &str| line.find("{{").filter(|at| is_action(&line[at + 2..]));
    source.text.lines().enumerate().find_map(|(index, line)| {
        let column = line[..action(line)?].chars().count() + 1;
        Some(Location {
            line: index + 1,
            column,
        })
    })
}

fn is_action(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "if", "else", "end", "range", "with", "include", "template", "define", "block", "toYaml",
        "tpl", "fail",
    ];
    let text = text.trim_start_matches('-').trim_start();
    let word: String = text
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    text.starts_with(['.', '$', '/']) || WORDS.contains(&word.as_str())
}
