//! `index.html`: the run on one page, which needs neither other files nor a network.

mod causes;
mod failures;
mod links;
pub(super) mod matrix;
mod sides;
mod timeline;
mod upgrade;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::compare::RunComparison;
use super::text::clean_value;
use super::{
    CaseResult, Outcome, ReportError, RunResult, RunVerdict, Strictness, Totals, command_of, pace,
    run_verdict, view, without_verdict,
};
use failures::Around;
pub(super) use links::repeat;

/// Its name ends in `.html`, so that everything put into it is escaped.
pub(super) const NAME: &str = "index.html";

/// The parts of the page, each escaped for the same reason.
const TEMPLATES: [(&str, &str); 6] = [
    (NAME, include_str!("templates/index.html")),
    ("matrix.html", include_str!("templates/matrix.html")),
    ("failures.html", include_str!("templates/failures.html")),
    ("upgrade.html", include_str!("templates/upgrade.html")),
    ("timeline.html", include_str!("templates/timeline.html")),
    ("compare.html", include_str!("templates/compare.html")),
];
const STYLE: &str = include_str!("templates/page.css");
const SCRIPT: &str = include_str!("templates/page.js");

/// A case as every part of the page names it.
#[derive(Debug, Serialize)]
struct Case<'a> {
    anchor: String,
    id: &'a str,
    scenario: &'a str,
    file: &'a str,
    operator: &'a str,
    ray: &'a str,
    target: &'static str,
    level: &'static str,
    rules: &'a [String],
    layers: Vec<&'static str>,
    word: &'static str,
    provisional: bool,
    resumed: bool,
    /// Whether a part of the page above the list of cases shows it in full.
    in_full: bool,
    seconds: f64,
    reason: Option<&'a str>,
    steps: &'a [String],
    settings: Vec<String>,
    namespace: Option<&'a str>,
}

/// The first words of the page.
#[derive(Debug, Serialize)]
struct Verdict {
    word: &'static str,
    sentence: String,
}

/// What the filters offer.
#[derive(Debug, Default, Serialize)]
struct Choices {
    rules: Vec<String>,
    releases: Vec<String>,
    /// The same, oldest first.
    sorted: Vec<String>,
    words: Vec<&'static str>,
    layers: Vec<&'static str>,
    levels: Vec<&'static str>,
}

/// Makes the page. `folder` is where it will lie, beside the evidence, which is not linked without
/// it.
pub(super) fn render(
    run: &RunResult,
    folder: Option<&Path>,
    comparison: Option<&RunComparison>,
) -> Result<String, ReportError> {
    let failed = |source| ReportError::render(NAME, source);
    let around = Around {
        run,
        folder,
        way_up: folder.and_then(links::way_up),
    };
    let cases = cases(run);
    let page = context! {
        run => cleaned(&summary(run))?,
        verdict => cleaned(&verdict(run))?,
        subjects => cleaned(&subjects(run))?,
        remarks => cleaned(&view::remarks(run))?,
        totals => Totals::of(run).to_string(),
        without_verdict => without_verdict(run),
        choices => cleaned(&choices(&cases))?,
        cases => cleaned(&cases)?,
        matrix => cleaned(&matrix::matrix(run))?,
        failures => cleaned(&around.failures(|case| case.outcome.is_bad()))?,
        new => cleaned(&around.failures(|case| case.outcome == Outcome::New))?,
        upgrades => cleaned(&upgrade::upgrades(run))?,
        timeline => cleaned(&timeline::timeline(run))?,
        pace => cleaned(&pace_of(run))?,
        comparison => cleaned(&comparison)?,
        style => Value::from_safe_string(STYLE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
        script_hash => format!("sha256-{}", STANDARD.encode(Sha256::digest(SCRIPT))),
    };
    environment()
        .and_then(|environment| environment.get_template(NAME)?.render(page))
        .map_err(failed)
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.add_filter("seconds", |value: f64| format!("{value:.1} s"));
    environment.add_filter("bytes", |value: u64| match value {
        0..1024 => format!("{value} B"),
        1024..1_048_576 => format!("{} KiB", value / 1024),
        _ => format!("{} MiB", value / 1_048_576),
    });
    environment.add_filter("spaces", |value: &str| {
        Value::from_safe_string(spaces(value))
    });
    for (name, template) in TEMPLATES {
        environment.add_template(name, template)?;
    }
    Ok(environment)
}

/// Text in which white space can be seen. Lines break at white space, and within a word only where
/// it is longer than the line: a flag such as `--num-cpus` stays whole.
fn spaces(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 2);
    for part in text.split_inclusive([' ', '\t']) {
        let word = part.trim_end_matches([' ', '\t']);
        let is_kept = word.contains('-');
        html.push_str(if is_kept { "<span>" } else { "" });
        for c in word.chars() {
            match c {
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '&' => html.push_str("&amp;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#x27;"),
                c => html.push(c),
            }
        }
        html.push_str(if is_kept { "</span>" } else { "" });
        match part.chars().last() {
            Some(' ') => html.push_str("·<wbr>"),
            Some('\t') => html.push_str("→<wbr>"),
            _ => {}
        }
    }
    html
}

/// A value for the templates in which everything can be seen.
fn cleaned(value: &impl Serialize) -> Result<Serde<serde_json::Value>, ReportError> {
    let mut value =
        serde_json::to_value(value).map_err(|source| ReportError::render(NAME, source))?;
    clean_value(&mut value);
    Ok(Serde(value))
}

/// The fields of a run, without its cases.
fn summary(run: &RunResult) -> serde_json::Value {
    serde_json::json!({
        "id": run.run_id,
        "started": run.started,
        "seconds": run.duration_seconds,
        "harness": run.harness,
        "command": command_of(run),
        "interrupted": run.interrupted,
        "kubernetes": view::kubernetes(&run.environment.kubernetes),
        "engine": run.environment.engine,
        "images": run.environment.images,
        "phases": run.phases,
        "missing": run.missing,
    })
}

fn verdict(run: &RunResult) -> Verdict {
    let totals = Totals::of(run);
    let (word, sentence) = if run.interrupted.is_some() {
        ("INCOMPLETE", "the run did not complete")
    } else if without_verdict(run).is_some() {
        ("NO VERDICT", "no case has a verdict")
    } else if totals.failed > totals.provisional {
        ("FAIL", "at least one check does not hold")
    } else {
        match run_verdict(run, Strictness::default()) {
            RunVerdict::Passed => ("PASS", "every check that was judged holds"),
            RunVerdict::Unproven => ("ERROR", "the environment failed"),
            RunVerdict::Failed => ("NEW", "nothing is recorded to compare some cases with"),
        }
    };
    Verdict {
        word,
        sentence: sentence.into(),
    }
}

/// What ran on what, a sentence for each target.
fn subjects(run: &RunResult) -> Vec<String> {
    let mut targets: Vec<&'static str> = Vec::new();
    for case in &run.cases {
        let target = view::target(case.target);
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    let of_target = |target: &'static str| {
        let of = |field: fn(&CaseResult) -> &str| {
            let mut values: Vec<&str> = Vec::new();
            let cases = run.cases.iter();
            for case in cases.filter(|case| view::target(case.target) == target) {
                let value = field(case);
                if !value.is_empty() && !values.contains(&value) {
                    values.push(value);
                }
            }
            values
        };
        let mut sentence = format!("{target}: KubeRay {}", of(|case| &case.operator).join(", "));
        let ray = of(view::ray);
        if !ray.is_empty() {
            sentence = format!("{sentence} with Ray {}", ray.join(", "));
        }
        sentence = format!("{sentence}, {} scenarios", of(|case| &case.scenario).len());
        let kubernetes = of(|case| &case.kubernetes);
        if !kubernetes.is_empty() {
            sentence = format!("{sentence}, Kubernetes {}", kubernetes.join(", "));
        }
        sentence
    };
    targets.into_iter().map(of_target).collect()
}

fn cases(run: &RunResult) -> Vec<Case<'_>> {
    let case = |(case, anchor): (&'_ CaseResult, String)| {
        let settings = case.operator_settings.iter();
        (
            anchor,
            settings
                .map(|(name, value)| format!("the operator ran with {name}={value}"))
                .collect::<Vec<_>>(),
        )
    };
    let made = run.cases.iter().zip(links::anchors(run)).map(case);
    run.cases
        .iter()
        .zip(made)
        .map(|(case, (anchor, settings))| Case {
            anchor,
            id: &case.id,
            scenario: &case.scenario,
            file: &case.file,
            operator: &case.operator,
            ray: view::ray(case),
            target: failures::target(case),
            level: view::level(case.level),
            rules: &case.rules,
            layers: case.layers.iter().map(|layer| layer.word()).collect(),
            word: case.outcome.word(),
            provisional: case.is_provisional_failure(),
            resumed: case.resumed,
            in_full: case.outcome.is_bad() || case.outcome == Outcome::New,
            seconds: case.duration_seconds,
            reason: case.reason.as_deref(),
            steps: &case.steps,
            settings,
            namespace: case.namespace.as_deref(),
        })
        .collect()
}

fn choices(cases: &[Case<'_>]) -> Choices {
    fn add<T: PartialEq>(list: &mut Vec<T>, value: T) {
        if !list.contains(&value) {
            list.push(value);
        }
    }
    let mut choices = Choices::default();
    for case in cases {
        for rule in case.rules {
            add(&mut choices.rules, rule.clone());
        }
        add(&mut choices.releases, case.operator.to_owned());
        add(&mut choices.words, case.word);
        for layer in &case.layers {
            add(&mut choices.layers, *layer);
        }
        add(&mut choices.levels, case.level);
    }
    choices.rules.sort();
    let mut sorted: Vec<semver::Version> = choices
        .releases
        .iter()
        .filter_map(|release| release.parse().ok())
        .collect();
    sorted.sort();
    choices.sorted = sorted.iter().map(ToString::to_string).collect();
    choices
}

fn pace_of(run: &RunResult) -> Vec<(&'static str, f64, f64)> {
    let parts = pace::parts(&run.cases).into_iter();
    parts
        .map(|part| (part.name, part.cases, part.clock))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_shown_and_everything_else_escaped() {
        assert_eq!(spaces("x --y-z  "), "x·<wbr><span>--y-z</span>·<wbr>·<wbr>");
        assert_eq!(
            spaces("a <b>\t\"'&"),
            "a·<wbr>&lt;b&gt;→<wbr>&quot;&#x27;&amp;"
        );
    }

    #[test]
    fn no_template_marks_data_as_safe() {
        for (name, template) in TEMPLATES {
            assert!(!template.contains("|safe"), "{name}");
            assert!(!template.contains("| safe"), "{name}");
            assert!(!template.contains("autoescape"), "{name}");
        }
    }
}
