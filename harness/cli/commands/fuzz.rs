//! `fuzz`: the contract against real operators, with generated objects.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{files, work};
use crate::args::Fuzz;
use crate::contract::PodRole;
use crate::exit::{CliError, ENVIRONMENT, FAILED, PASSED};
use crate::fuzz::{self, FuzzFinding, FuzzOptions, FuzzOutcome, Surprise};
use crate::generate::{Shown, save};
use crate::provider::{EnvtestSpec, ReleaseSpec};

pub(super) fn run(options: &Fuzz) -> Result<u8, CliError> {
    let source = options.source.install()?;
    let operators = files::operators(options.operator.as_ref())?;
    let seed = options.seed.unwrap_or_else(drawn);
    let fuzz = FuzzOptions {
        releases: ReleaseSpec {
            asked: options.operator.as_ref().and(operators.first().cloned()),
            named: files::named(options.operator.as_ref()),
            operators,
            ..ReleaseSpec::default()
        },
        target: EnvtestSpec {
            source,
            operator: options.operator_binary.program(),
            ..EnvtestSpec::default()
        },
        cases: options.cases,
        jobs: options.jobs.into(),
        seed,
        samples: options.samples,
    };
    work::block(async |progress, cancel| {
        let fuzzed = fuzz::fuzz(&fuzz, progress, cancel).await?;
        Ok(show(options, &fuzzed, seed))
    })
}

/// Prints what was found, keeps it where that was asked for, and returns the exit code.
fn show(options: &Fuzz, fuzzed: &[FuzzOutcome], seed: u64) -> u8 {
    let mut code = PASSED;
    for one in fuzzed {
        print_lines!("{}", describe(one, seed).trim_end_matches('\n'));
        let differs = one.samples.iter().any(|sample| sample.surprise.is_some());
        if differs || !one.findings.is_empty() {
            code = code.max(FAILED);
        }
        for finding in &one.findings {
            let Some(root) = &options.save else { continue };
            match keep(root, one, finding) {
                Ok(Some(folder)) => print_lines!("  saved in {}", folder.display()),
                Ok(None) => {}
                Err(error) => {
                    let root = root.display();
                    print_problem!("error: failed to save a difference in {root}: {error}");
                    code = ENVIRONMENT;
                }
            }
        }
    }
    code
}

/// A seed of this moment.
fn drawn() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

fn describe(one: &FuzzOutcome, seed: u64) -> String {
    let seconds = one.took.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = one.cases as f64 * 60.0 / seconds.max(0.001);
    let mut text = format!(
        "KubeRay {}: {} cases of {} objects, {} of them refused, {} sets of operator settings; \
         {seconds:.1} s, {rate:.0} a minute, seed {seed}: {} differences\n",
        one.release,
        one.cases,
        one.objects,
        one.refused,
        one.settings,
        one.findings.len()
    );
    text.push_str(&never_reached(one));
    for finding in &one.findings {
        text.push_str(&described(finding, seed));
    }
    text.push_str(&samples(one));
    text
}

/// What the contract says of the release and no case has shown.
fn never_reached(one: &FuzzOutcome) -> String {
    let features = one.coverage.features_missed(&one.release);
    let features = features
        .iter()
        .map(|entry| format!("feature {} ({}): {}", entry.name, entry.rule, entry.says));
    let checks = one.coverage.checks_missed(&one.release);
    let checks = checks
        .iter()
        .map(|entry| format!("refusal {} (C24): {}", entry.name, entry.says));
    let stages = one.coverage.stages_missed();
    let stages = stages.iter().map(|stage| format!("stage {}", stage.word()));
    let missed: Vec<String> = features.chain(checks).chain(stages).collect();
    if missed.is_empty() {
        return "  every feature, refusal and stage of the contract was reached\n".into();
    }
    let lines = missed
        .iter()
        .map(|what| format!("  never reached: {what}\n"));
    lines.collect()
}

fn described(finding: &FuzzFinding, seed: u64) -> String {
    let mut text = format!(
        "\n  {} {} of seed {seed}: {}\n",
        finding.kind,
        finding.number,
        surprise(&finding.surprise)
    );
    let settings = finding.settings.listed();
    let settings: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !settings.is_empty() {
        text.push_str(&format!("  operator settings: {}\n", settings.join(", ")));
    }
    let how = match finding.tried {
        0 => "the object".into(),
        tried => format!("the smallest object that shows it, after {tried} candidates"),
    };
    text.push_str(&format!(
        "  {how}, sent with field validation {:?}:\n",
        finding.validation
    ));
    let object = &finding.object;
    let yaml = serde_saphyr::to_string(object).unwrap_or_else(|_| format!("{object:#}"));
    text.extend(yaml.lines().map(|line| format!("    {line}\n")));
    text
}

fn samples(one: &FuzzOutcome) -> String {
    let mut text = String::new();
    if !one.samples.is_empty() {
        let pods: usize = one.samples.iter().map(|sample| sample.pods).sum();
        let different = one.samples.iter().filter(|one| one.surprise.is_some());
        text.push_str(&format!(
            "  {} samples of the release, {pods} Pods: {} differences\n",
            one.samples.len(),
            different.count()
        ));
    }
    for sample in &one.samples {
        if let Some(reason) = &sample.left_out {
            text.push_str(&format!(
                "  left out: {} {}: {reason}\n",
                sample.file, sample.object
            ));
        }
        if let Some(found) = &sample.surprise {
            text.push_str(&format!(
                "\n  {} {}: {}\n",
                sample.file,
                sample.object,
                surprise(found)
            ));
        }
    }
    text
}

fn surprise(surprise: &Surprise) -> String {
    match surprise {
        Surprise::Differs {
            role,
            group,
            differences,
        } => {
            let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
            let whose = match role {
                PodRole::Submitter => "the submitter".into(),
                _ => format!("the Pod of {group}"),
            };
            format!(
                "{whose} differs\n  {}",
                differences.join("\n").replace('\n', "\n  ")
            )
        }
        Surprise::Refused { stage, message } => format!(
            "refused, but the contract accepts it\n  {}: {message}",
            stage.word()
        ),
        Surprise::Accepted { stage, reason, log } => format!(
            "accepted, but the contract refuses it\n  expected at {}: {reason}\n  \
             the operator's log: {log}",
            stage.word()
        ),
        Surprise::OtherReason { expected, found } => format!(
            "refused for another reason\n  expected {}\n  found    {found}",
            expected.join("\n       or ")
        ),
        Surprise::Missing { groups, log } => {
            format!("no Pod of {}; the operator's log: {log}", groups.join(", "))
        }
        Surprise::Extra(groups) => format!("a Pod of {} that should not exist", groups.join(", ")),
        Surprise::Misnamed { expected, found } => {
            format!("its child has another name\n  expected {expected}\n  found    {found}")
        }
        Surprise::Unreadable(problem) => format!("the contract can't read it: {problem}"),
    }
}

/// Writes a difference as a scenario into a folder of its own, whole or not at all, and returns the
/// folder; none where what went otherwise is no difference.
fn keep(root: &Path, one: &FuzzOutcome, finding: &FuzzFinding) -> std::io::Result<Option<PathBuf>> {
    let Surprise::Differs {
        role,
        group,
        differences,
    } = &finding.surprise
    else {
        return Ok(None);
    };
    let shown = Shown {
        release: &one.release,
        settings: &finding.settings,
        object: &finding.object,
        role: *role,
        group,
        differences,
    };
    std::fs::create_dir_all(root)?;
    let name = free_name(root, &one.release, finding.number);
    let saved = save(&name, &shown);
    let unfinished = tempfile::Builder::new()
        .prefix(".found-")
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(root)?;
    for (name, text) in &saved.files {
        std::fs::write(unfinished.path().join(name), text)?;
    }
    let folder = root.join(&saved.name);
    // Fails where another process has taken the name meanwhile.
    std::fs::rename(unfinished.path(), &folder)?;
    // It has gone to its place.
    let _ = unfinished.keep();
    Ok(Some(folder))
}

/// A name that no folder has; what was kept before stays.
fn free_name(root: &Path, release: &semver::Version, number: u64) -> String {
    let name = format!("found-{}-{number}", release.to_string().replace('.', "-"));
    let others = (2..).map(|other: u64| format!("{name}-{other}"));
    let mut names = std::iter::once(name.clone()).chain(others);
    let free = names.find(|name| root.join(name).symlink_metadata().is_err());
    free.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use assertables::assert_not_contains;
    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;
    use crate::generate::Coverage;

    #[test]
    fn options_of_operators_in_clusters_are_refused() {
        let parse =
            |option: &str| Arguments::try_parse_from(["kuberay-conformance", "fuzz", option, "x"]);
        for option in [
            "--operator-image",
            "--operator-chart",
            "--operator-kustomization",
        ] {
            let error = parse(option).unwrap_err();
            assert_eq!(
                error.kind(),
                clap::error::ErrorKind::UnknownArgument,
                "{option}"
            );
        }
        assert!(parse("--operator-binary").is_ok());
    }

    fn outcome() -> FuzzOutcome {
        FuzzOutcome {
            release: semver::Version::new(1, 6, 2),
            cases: 1,
            objects: 1,
            refused: 0,
            settings: 1,
            took: std::time::Duration::ZERO,
            coverage: Coverage::default(),
            findings: Vec::new(),
            samples: Vec::new(),
        }
    }

    fn with_a_finding() -> FuzzOutcome {
        let object = serde_json::json!({"kind": "RayCluster", "metadata": {"name": "a"}});
        let differences = vec![crate::contract::Difference {
            container: "ray-head".into(),
            what: "args",
            expected: "a".into(),
            found: "b".into(),
        }];
        FuzzOutcome {
            findings: vec![FuzzFinding {
                number: 7,
                kind: "RayCluster",
                object,
                settings: crate::scenario::OperatorSettings::default(),
                validation: crate::contract::FieldValidation::Strict,
                surprise: Surprise::Differs {
                    role: PodRole::Head,
                    group: "headgroup".into(),
                    differences,
                },
                tried: 0,
            }],
            ..outcome()
        }
    }

    fn saving_into(folder: &std::path::Path) -> Fuzz {
        let folder = folder.to_str().unwrap();
        let words = ["kuberay-conformance", "fuzz", "--save", folder];
        match Arguments::try_parse_from(words).unwrap().command {
            crate::args::Command::Fuzz(fuzz) => fuzz,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_can_not_be_kept_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let code = show(&saving_into(&file.join("below")), &[with_a_finding()], 1);
        assert_eq!(code, crate::exit::ENVIRONMENT);
    }

    #[test]
    fn what_was_kept_before_stays_and_a_folder_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let options = saving_into(folder.path());
        assert_eq!(show(&options, &[with_a_finding()], 1), FAILED);
        let first = folder.path().join("found-1-6-2-7/scenario.yaml");
        std::fs::write(&first, "mine").unwrap();
        assert_eq!(show(&options, &[with_a_finding()], 1), FAILED);
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "mine");
        let second = folder.path().join("found-1-6-2-7-2");
        let scenario = std::fs::read_to_string(second.join("scenario.yaml")).unwrap();
        assert!(scenario.contains("name: found-1-6-2-7-2"), "{scenario}");
        assert!(second.join("raycluster.yaml").is_file(), "its manifest");
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "nothing unfinished stays");
    }

    #[test]
    fn what_was_never_reached_is_listed() {
        let mut one = outcome();
        let text = never_reached(&one);
        for line in [
            "never reached: feature submitter-sidecar (C19): ",
            "never reached: refusal job-ttl (C24): ",
            "never reached: stage pod-creation\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert_not_contains!(text, "wait-for-tls");
        let object = serde_json::json!({
            "apiVersion": "ray.io/v1",
            "kind": "RayCluster",
            "metadata": {"name": "7b"},
            "spec": {"headGroupSpec": {"template": {"spec": {"containers": [{"name": "a"}]}}}},
        });
        let refusals = crate::contract::admit(&one.release, &object).refusals;
        one.coverage.add_refusals(&refusals);
        let text = never_reached(&one);
        assert_not_contains!(text, "stage operator");
        assert_not_contains!(text, "refusal cluster-name");
    }
}
