//! Manifests: plain YAML files become the objects that are sent to the cluster.

use std::path::Path;

use kuberay_manifest::{Diagnostic, DiagnosticResult, Diagnostics, Source, objects};
use serde_json::Value;

use super::load::read_file;
use super::{Manifest, Scenario};

/// The objects of a scenario's manifests, in order. `samples` is the folder `config/samples` of the
/// operator's release, which is needed where the scenario names a sample.
///
/// # Errors
/// When a file can't be read or is no manifest.
pub fn manifests(scenario: &Scenario, samples: Option<&Path>) -> Result<Vec<Value>, Diagnostics> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for manifest in &scenario.file.spec.manifests {
        match read(scenario, manifest, samples).and_then(|source| objects(&source)) {
            Ok(objects) => all.extend(objects),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(problems.into())
    }
}

/// The objects that the scenario's steps applies, in order; none where it applies nothing.
///
/// # Errors
/// When the file can't be read or is no manifest.
pub fn later_objects(scenario: &Scenario) -> Result<Vec<Value>, Diagnostics> {
    of_step(scenario, scenario.file.spec.steps.apply.as_deref())
}

/// The objects that are applied while neither operator of an upgrade runs, in order.
///
/// # Errors
/// When the file can't be read or is no manifest.
pub fn objects_between(scenario: &Scenario) -> Result<Vec<Value>, Diagnostics> {
    of_step(scenario, scenario.file.spec.steps.apply_between.as_deref())
}

fn of_step(scenario: &Scenario, name: Option<&str>) -> Result<Vec<Value>, Diagnostics> {
    match name {
        Some(name) => Ok(read_file(&scenario.dir, &scenario.dir.join(name))
            .and_then(|source| objects(&source))?),
        None => Ok(Vec::new()),
    }
}

fn read(
    scenario: &Scenario,
    manifest: &Manifest,
    samples: Option<&Path>,
) -> DiagnosticResult<Source> {
    match (manifest, samples) {
        (Manifest::File(name), _) => read_file(&scenario.dir, &scenario.dir.join(name)),
        (Manifest::Sample(sample), Some(folder)) => read_file(folder, &folder.join(&sample.sample))
            .map_err(|problems| {
                let help = "does this release of the operator carry that sample?";
                problems
                    .into_iter()
                    .map(|problem| problem.with_help(help))
                    .collect()
            }),
        (Manifest::Sample(sample), None) => {
            let message = format!(
                "the sample {} is read only with a release of the operator",
                sample.sample
            );
            Err(vec![Diagnostic::of_file(&scenario.path, message)])
        }
    }
}
