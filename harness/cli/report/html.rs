//! `index.html`: the run on one page that needs nothing else, neither scripts nor files nor a network.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};

use super::text::clean_value;
use super::without_verdict;
use super::{ReportError, RuleResult, RunResult, Totals, rule_results, view};

/// Its name ends in `.html`, so that everything put into it is escaped.
const NAME: &str = "index.html";

/// A rule with the words that people read.
fn rule(result: &RuleResult) -> serde_json::Result<serde_json::Value> {
    let mut value = serde_json::to_value(result)?;
    value["verdict"] = result.verdict().into();
    Ok(value)
}

pub(super) fn render(run: &RunResult) -> Result<String, ReportError> {
    let failed = |source| ReportError::render(NAME, source);
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(failed)?,
    );
    environment.add_filter("seconds", |value: f64| format!("{value:.1} s"));
    environment
        .add_template(NAME, include_str!("templates/index.html"))
        .map_err(failed)?;
    let cleaned = |value: serde_json::Result<serde_json::Value>| {
        let mut value = value.map_err(|source| ReportError::render(NAME, source))?;
        clean_value(&mut value);
        Ok(Serde(value))
    };
    let page = context! {
        run => cleaned(serde_json::to_value(run))?,
        remarks => view::remarks(run),
        totals => Totals::of(run).to_string(),
        without_verdict => without_verdict(run),
        rules => cleaned(rule_results(run).iter().map(rule).collect())?,
    };
    environment
        .get_template(NAME)
        .and_then(|template| template.render(page))
        .map_err(failed)
}
