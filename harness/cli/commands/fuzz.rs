//! `fuzz`: the contract against real operators, with generated objects.

use super::{files, live};
use crate::args::Fuzz;
use crate::contract::PodRole;
use crate::exit::{CliError, FAILED, PASSED};
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
    live::block(async |progress, cancel| {
        let fuzzed = fuzz::fuzz(&fuzz, progress, cancel).await?;
        let mut code = PASSED;
        for one in &fuzzed {
            print_lines!("{}", describe(one, seed).trim_end_matches('\n'));
            if one.samples.iter().any(|sample| sample.surprise.is_some()) {
                code = FAILED;
            }
            for finding in &one.findings {
                code = FAILED;
                keep(options, one, finding);
            }
        }
        Ok(code)
    })
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
            "  {} of its own samples, {pods} Pods: {} differences\n",
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
            "refused, and the contract says that it is accepted\n  {}: {message}",
            stage.word()
        ),
        Surprise::Accepted { stage, reason, log } => format!(
            "accepted, and the contract says that it is refused\n  expected at {}: {reason}\n  \
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

fn keep(options: &Fuzz, one: &FuzzOutcome, finding: &FuzzFinding) {
    let (
        Some(root),
        Surprise::Differs {
            role,
            group,
            differences,
        },
    ) = (&options.save, &finding.surprise)
    else {
        return;
    };
    let name = format!(
        "found-{}-{}",
        one.release.to_string().replace('.', "-"),
        finding.number
    );
    let shown = Shown {
        release: &one.release,
        settings: &finding.settings,
        object: &finding.object,
        role: *role,
        group,
        differences,
    };
    let saved = save(&name, &shown);
    let folder = root.join(&saved.name);
    let written = std::fs::create_dir_all(&folder).and_then(|()| {
        saved
            .files
            .iter()
            .try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
    });
    match written {
        Ok(()) => print_lines!("  kept in {}", folder.display()),
        Err(error) => print_problem!("warning: cannot write {}: {error}", folder.display()),
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn what_was_never_reached_is_listed() {
        let mut one = FuzzOutcome {
            release: semver::Version::new(1, 6, 2),
            cases: 1,
            objects: 1,
            refused: 0,
            settings: 1,
            took: std::time::Duration::ZERO,
            coverage: Coverage::default(),
            findings: Vec::new(),
            samples: Vec::new(),
        };
        let text = never_reached(&one);
        for line in [
            "never reached: feature submitter-sidecar (C19): ",
            "never reached: refusal job-ttl (C24): ",
            "never reached: stage pod-creation\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(!text.contains("wait-for-tls"));
        let object = serde_json::json!({
            "apiVersion": "ray.io/v1",
            "kind": "RayCluster",
            "metadata": {"name": "7b"},
            "spec": {"headGroupSpec": {"template": {"spec": {"containers": [{"name": "a"}]}}}},
        });
        let refusals = crate::contract::admit(&one.release, &object).refusals;
        one.coverage.add_refusals(&refusals);
        let text = never_reached(&one);
        assert!(
            !text.contains("stage operator") && !text.contains("refusal cluster-name"),
            "{text}"
        );
    }
}
