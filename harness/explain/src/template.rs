//! Recognises unrendered Helm templates.

use kuberay_manifest::yaml::{Node, Yaml};
use kuberay_manifest::{Diagnostic, Location, Source, template_action};

const HELP: &str = "render the chart first: `helm template CHART | kuberay-conformance check -`";

/// Names that only Helm's templates use; other texts with braces, such as Argo's, are left alone.
const OF_HELM: [&str; 6] = [
    ".Values",
    ".Release",
    ".Chart",
    ".Capabilities",
    ".Files",
    "include \"",
];

/// Returns one error in place of those of the YAML parser, where a file is an unrendered template.
pub(super) fn in_file(source: &Source) -> Option<Diagnostic> {
    template_action(source).map(|at| problem(source, at))
}

/// Checks the texts of one of KubeRay's objects, which can be YAML although nobody has rendered
/// them.
///
/// # Errors
/// When a text holds an action of Helm.
pub(super) fn in_object(source: &Source, node: &Node) -> Result<(), Diagnostic> {
    match &node.value {
        Yaml::Text(text) => {
            let mut actions = text.match_indices("{{").map(|(at, _)| &text[at + 2..]);
            let helm = actions.any(|action| {
                let action = action.split_once("}}").map_or(action, |(action, _)| action);
                OF_HELM.iter().any(|word| action.contains(word))
            });
            if helm {
                return Err(problem(source, node.place.location));
            }
            Ok(())
        }
        Yaml::List(items) => items.iter().try_for_each(|item| in_object(source, item)),
        Yaml::Map(entries) => entries
            .iter()
            .try_for_each(|(_, value)| in_object(source, value)),
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) => Ok(()),
    }
}

fn problem(source: &Source, location: Location) -> Diagnostic {
    let place = source.rest_of_line(location);
    source
        .error(&place, "this is an unrendered Helm template")
        .with_help(HELP)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a: 1\nimage: {{ .Values.image }}\n", true)]
    #[case("{{- if x }}\na: 1\n{{- end }}\n", true)]
    #[case("a: {{b: 1}: 2}\n", false)]
    #[case("a: '{{inputs.parameters.x}}'\n", false)]
    fn templates_are_recognised(#[case] text: &str, #[case] expected: bool) {
        let source = Source::new(std::path::Path::new("f"), text);
        assert_eq!(in_file(&source).is_some(), expected);
    }
}
