//! Results and published reports with faults in them: every renderer shows what can be read.

use proptest::prelude::*;

use super::{example, github, render_markdown, render_text, written};
use crate::report::{
    ConformanceReport, MergeSource, Profile, ProgrammeEntry, RunResult, badge, compare, durations,
    merge, read_results, render_durations, render_programme, results_file, try_texts,
};

/// Everything that is made of results.
fn show(run: &RunResult) -> Result<(), TestCaseError> {
    prop_assert!(!render_text(run, true).is_empty());
    prop_assert!(!render_markdown(run).is_empty());
    prop_assert!(!written(run, "index.html").is_empty());
    let all = |_: &str| Some("true".to_owned());
    prop_assert!(github::annotations(run, &all).len() <= 2 + run.cases.len() * 100);
    prop_assert!(!render_durations(std::slice::from_ref(run)).is_empty());
    let _ = durations(std::slice::from_ref(run));
    let other = example::run();
    for (old, new) in [(run, &other), (&other, run)] {
        let comparison = compare(old, new);
        prop_assert!(!comparison.text(false).is_empty());
        prop_assert!(!comparison.markdown().is_empty());
    }
    let source = |run: &RunResult| MergeSource {
        path: "results.json".into(),
        run: run.clone(),
    };
    if let Ok(merged) = merge(&[source(run), source(&other)]) {
        prop_assert!(!render_text(&merged.run, false).is_empty());
    }
    if let Ok(report) = ConformanceReport::of(run, b"", "acme", Profile::Core, None) {
        prop_assert!(report.check_names().is_ok());
        prop_assert!(report.path().components().count() == 2);
    }
    Ok(())
}

#[test]
fn results() {
    let folder = tempfile::tempdir().unwrap();
    let path = results_file(folder.path());
    let original = serde_json::to_vec(&example::run()).unwrap();
    try_texts(vec![original], |text| {
        std::fs::write(&path, &text).unwrap();
        match read_results(&path) {
            Ok(run) => show(&run),
            Err(error) => {
                prop_assert!(error.to_string().contains("results.json"), "{}", error);
                Ok(())
            }
        }
    });
}

#[test]
fn published_reports() {
    let original = include_bytes!("../../../../conformance/reports/1.6.2/example-kind.yaml");
    try_texts(vec![original.to_vec()], |text| {
        let text = String::from_utf8_lossy(&text);
        let Ok(report) = serde_saphyr::from_str::<ConformanceReport>(&text) else {
            return Ok(());
        };
        prop_assert!(!badge(&report).is_empty());
        prop_assert!(
            report
                .given_operator()
                .is_none_or(|digest| digest.len() < text.len())
        );
        let _ = report.differs_from(&example::run(), b"");
        let path = report.path().display().to_string();
        if report.check_names().is_ok() {
            prop_assert!(!path.contains(".."), "{}", path);
        }
        let page = render_programme(&[ProgrammeEntry { path, report }]);
        prop_assert!(page.starts_with("# Conformance reports"));
        Ok(())
    });
}
