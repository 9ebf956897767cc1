//! `docs/reference/contract.md`: the rules with their scenarios, written for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::markdown_text::cell;
use crate::contract::{CLASSES, Layer, RULES, Rule};
use crate::scenario::Scenario;

const INTRODUCTION: &str = "\
# The command contract

<!-- Written by `kuberay-conformance docs contract`. -->

These rules describe how KubeRay's operator turns the `command` and `args` of a Ray container into
those of a Pod. The scenarios of this repository prove them on real operators. The command generates
the page from the rules (`harness/contract/src/rules.rs`) and the scenarios.

A rule has a *spec* layer: the objects that the operator writes. If the shell, the kubelet or Ray
decide, it also has a *runtime* layer: the behaviour of the container. Reports call a rule proven if
all of its scenarios passed and they cover each layer.
";

/// The whole page.
pub fn contract_page(scenarios: &[Arc<Scenario>]) -> String {
    let mut text = String::from(INTRODUCTION);
    classes(&mut text);
    overview(&mut text, scenarios);
    for rule in RULES {
        section(&mut text, rule, scenarios);
    }
    text
}

fn classes(text: &mut String) {
    text.push_str(
        "\n## Behaviour classes\n\n\
         Releases whose operators behave alike form a class, named after its first release. A snapshot\n\
         `…@ge-1.4.0.snap` applies to this class and all later ones, up to the next class with a snapshot.\n\n\
         | from KubeRay | differences from the previous class |\n|---|---|\n",
    );
    for class in &CLASSES {
        let provisional = if class.provisional {
            " *Read in its source, not observed on a real operator.*"
        } else {
            ""
        };
        _ = writeln!(text, "| {} | {}{provisional} |", class.name, class.why);
    }
}

fn overview(text: &mut String, scenarios: &[Arc<Scenario>]) {
    text.push_str("\n## Rules\n\n| rule | about | holds | spec layer | runtime layer |\n|---|---|---|---|---|\n");
    for rule in RULES {
        let count = |layer: Layer| {
            if !rule.layers.contains(&layer) {
                return "-".to_owned();
            }
            match of_rule(rule, scenarios)
                .filter(|one| one.layers().contains(&layer))
                .count()
            {
                0 => "no scenario yet".to_owned(),
                1 => "1 scenario".to_owned(),
                count => format!("{count} scenarios"),
            }
        };
        _ = writeln!(
            text,
            "| [{id}](#{anchor}) | {} | {} | {} | {} |",
            rule.title,
            range(rule),
            count(Layer::Spec),
            count(Layer::Runtime),
            id = rule.id,
            anchor = rule.id.to_lowercase(),
        );
    }
}

fn section(text: &mut String, rule: &Rule, scenarios: &[Arc<Scenario>]) {
    let layers: Vec<&str> = rule.layers.iter().map(|layer| layer.word()).collect();
    _ = writeln!(
        text,
        "\n<a id=\"{}\"></a>\n\n### {} {}\n\n{}\n",
        rule.id.to_lowercase(),
        rule.id,
        rule.title,
        rule.sentence
    );
    _ = writeln!(text, "- Holds {}.", range(rule));
    if let Some(differs) = rule.differs {
        _ = writeln!(text, "- Releases differ: {differs}");
    }
    _ = writeln!(text, "- Layers: {}.", layers.join(", "));
    let issues: BTreeSet<&str> = of_rule(rule, scenarios)
        .flat_map(|scenario| scenario.file.spec.issues.iter().map(String::as_str))
        .collect();
    if !issues.is_empty() {
        let mut issues: Vec<&str> = issues.into_iter().collect();
        issues.sort_by_key(|issue| sort_key(issue));
        let links: Vec<String> = issues.into_iter().map(link).collect();
        _ = writeln!(text, "- Public issues: {}.", links.join(", "));
    }
    let mut rows = of_rule(rule, scenarios).peekable();
    if rows.peek().is_none() {
        text.push_str("\nNo scenario yet.\n");
        return;
    }
    text.push_str("\n| scenario | shows | target | KubeRay | level |\n|---|---|---|---|---|\n");
    for scenario in rows {
        let spec = &scenario.file.spec;
        let target = spec.placement().target;
        _ = writeln!(
            text,
            "| [`{name}`](../../scenarios/{name}/scenario.yaml) | {} | {} | {} | {} |",
            cell(&spec.description),
            target,
            spec.operator,
            spec.level,
            name = scenario.name(),
        );
    }
}

fn of_rule<'a>(
    rule: &'a Rule,
    scenarios: &'a [Arc<Scenario>],
) -> impl Iterator<Item = &'a Scenario> {
    let by_name: BTreeMap<&str, &Scenario> =
        scenarios.iter().map(|one| (one.name(), &**one)).collect();
    by_name
        .into_values()
        .filter(|scenario| scenario.file.spec.rules.iter().any(|id| id == rule.id))
}

fn range(rule: &Rule) -> String {
    match rule.until {
        Some(until) => format!("from {} until {until}", rule.since),
        None if rule.since == CLASSES[0].name => "in every release".into(),
        None => format!("from {} on", rule.since),
    }
}

/// Issues of one repository by number.
fn sort_key(issue: &str) -> (String, u64) {
    let (place, number) = issue.rsplit_once(['#', '/']).unwrap_or((issue, ""));
    (place.to_owned(), number.parse().unwrap_or_default())
}

fn link(issue: &str) -> String {
    match issue.split_once('#') {
        Some((repository, number)) if !issue.starts_with("http") => {
            format!("[{issue}](https://github.com/{repository}/issues/{number})")
        }
        _ => format!("<{issue}>"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use assertables::assert_contains;

    use super::*;
    use crate::scenario::TargetKind;
    use crate::scenario::{Level, load_all};

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn the_committed_page_is_current() {
        let path = root().join("docs/reference/contract.md");
        let current = contract_page(&load_all(&root().join("scenarios")).unwrap());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == current,
            "docs/reference/contract.md differs from the rules and scenarios; regenerate it with \
             `kuberay-conformance docs > docs/reference/contract.md` and commit it"
        );
    }

    #[test]
    fn the_object_layer_of_every_rule_has_a_scenario_in_the_fast_target() {
        let scenarios = load_all(&root().join("scenarios")).unwrap();
        let proves = |rule: &Rule| {
            of_rule(rule, &scenarios).any(|scenario| {
                let spec = &scenario.file.spec;
                scenario.layers().contains(&Layer::Spec)
                    && spec.placement().target == TargetKind::Envtest
                    && spec.level != Level::Provisional
            })
        };
        let without: Vec<_> = RULES
            .iter()
            .filter(|rule| !proves(rule))
            .map(|rule| rule.id)
            .collect();
        assert_eq!(without, [""; 0]);
    }

    #[test]
    fn a_page_without_scenarios_says_so_of_every_rule() {
        let text = contract_page(&[]);
        assert_eq!(text.matches("\nNo scenario yet.\n").count(), RULES.len());
        assert_contains!(
            text,
            "| [C03](#c03) | A user command that fails | in every release | no scenario yet |"
        );
        assert_contains!(
            text,
            "| [C07](#c07) | The overwrite annotation | from 1.1.0 on |"
        );
    }

    #[test]
    fn issues_are_links() {
        assert_eq!(
            link("ray-project/ray#1"),
            "[ray-project/ray#1](https://github.com/ray-project/ray/issues/1)"
        );
        assert_eq!(link("https://example.com/a#b"), "<https://example.com/a#b>");
        assert!(sort_key("a/b#9") < sort_key("a/b#10"));
    }
}
