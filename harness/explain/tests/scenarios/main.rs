//! `explain` and `check` over all scenarios and over the operator's own samples.

mod load;
mod samples;
mod traps;

use kuberay_contract::served;
use kuberay_explain::{FieldValidation, explain_with};
use kuberay_manifest::{Source, yaml};
use semver::Version;

use load::{RELEASES, scenarios};

/// Real API servers and operators have taken these manifests, except where a scenario says that
/// they are refused.
#[test]
fn manifests_are_refused_where_their_scenario_says_so_and_nowhere_else() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        for release in RELEASES {
            let release: Version = release.parse().unwrap();
            if !scenario.operator.matches(&release) {
                continue;
            }
            for manifest in &scenario.manifests {
                let file = scenario.folder.join(manifest);
                let text = std::fs::read_to_string(&file).unwrap();
                let documents = yaml::parse(&Source::new(&file, &text)).unwrap();
                if !documents.iter().any(|document| {
                    served(&release, &document.to_json()) == kuberay_contract::Served::Yes
                }) {
                    continue;
                }
                let releases = std::slice::from_ref(&release);
                let explanation = explain_with(
                    &file,
                    &text,
                    releases,
                    &scenario.settings,
                    FieldValidation::Strict,
                )
                .unwrap();
                let refused: Vec<String> = explanation
                    .refusals
                    .iter()
                    .map(|one| format!("{}: {}", one.path, one.message))
                    .collect();
                let expected = scenario.rejected.iter().all(|message| {
                    message
                        .split(", ")
                        .all(|part| refused.iter().any(|one| one.contains(part)))
                });
                if !expected || scenario.rejected.is_empty() != refused.is_empty() {
                    wrong.push(format!("{} {release}: {refused:?}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
