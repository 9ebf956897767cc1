//! `fuzz`: the contract against real operators, with RayClusters that nobody wrote.

use std::path::PathBuf;

use clap::Args;

use super::{files, live};
use crate::args::OperatorSource;
use crate::exit::{CliError, FAILED, PASSED};
use crate::fuzz::{self, Finding, FuzzOptions, FuzzOutcome, Surprise};
use crate::generate::save;
use crate::plan;
use crate::provider::ReleaseSpec;

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance fuzz                                    2000 cases on the default release
  kuberay-conformance fuzz --operator all --cases 500
  kuberay-conformance fuzz --seed 7 --save scenarios          keep what differs as scenarios

Exit codes: 0 nothing differs, 1 something does, 2 wrong usage, 3 the environment failed.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Fuzz {
    /// KubeRay releases: 1.6.2, a list 1.3.2,1.6.2, a range 1.0.0..1.6.2, `latest` or `all`
    #[arg(long, value_name = "VERSION")]
    pub operator: Option<plan::Releases>,
    /// Number of Ray containers to compare, for each release
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub cases: usize,
    /// Number of RayClusters of a release at once
    #[arg(long, hide_short_help = true, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// Seed of the generated RayClusters; random when absent, and printed
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Also compare the samples in the operator's source
    #[arg(long)]
    pub samples: bool,
    /// Folder to write each difference to, as a scenario
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub source: OperatorSource,
}

pub(super) fn run(options: &Fuzz) -> Result<u8, CliError> {
    options.source.artifacts.install()?;
    let operators = files::operators(options.operator.as_ref())?;
    let seed = options.seed.unwrap_or_else(drawn);
    let fuzz = FuzzOptions {
        releases: ReleaseSpec {
            asked: options.operator.as_ref().and(operators.first().cloned()),
            named: files::named(options.operator.as_ref()),
            operators,
            ..ReleaseSpec::default()
        },
        target: options.source.envtest(),
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
        "KubeRay {}: {} cases in {} RayClusters, {seconds:.1} s, {rate:.0} a minute, seed {seed}: {} surprises\n",
        one.release,
        one.cases,
        one.clusters,
        one.findings.len()
    );
    let missed = one.coverage.never_reached(&one.release);
    if missed.is_empty() {
        text.push_str("  every feature of the contract that RayClusters can show was reached\n");
    }
    for entry in missed {
        text.push_str(&format!(
            "  never reached: {} ({}) {}\n",
            entry.name, entry.rule, entry.says
        ));
    }
    for finding in &one.findings {
        text.push_str(&format!(
            "\n  RayCluster {} of seed {seed}: {}\n",
            finding.number,
            surprise(&finding.surprise)
        ));
        if let Some(smallest) = &finding.smallest {
            text.push_str(&format!(
                "  the smallest that shows it, after {} candidates:\n",
                finding.tried
            ));
            let yaml =
                serde_saphyr::to_string(smallest).unwrap_or_else(|_| format!("{smallest:#}"));
            text.extend(yaml.lines().map(|line| format!("    {line}\n")));
        }
    }
    if !one.samples.is_empty() {
        let pods: usize = one.samples.iter().map(|sample| sample.pods).sum();
        let surprises = one
            .samples
            .iter()
            .filter(|sample| sample.surprise.is_some())
            .count();
        text.push_str(&format!(
            "  {} of its own samples, {pods} Pods: {surprises} surprises\n",
            one.samples.len()
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
            group, differences, ..
        } => {
            let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
            format!(
                "the Pod of {group} differs\n  {}",
                differences.join("\n").replace('\n', "\n  ")
            )
        }
        Surprise::Refused(reason) => format!("refused: {reason}"),
        Surprise::Missing { groups, log } => {
            format!("no Pod of {}; the operator's log: {log}", groups.join(", "))
        }
    }
}

fn keep(options: &Fuzz, one: &FuzzOutcome, finding: &Finding) {
    let (
        Some(root),
        Some(smallest),
        Surprise::Differs {
            role,
            group,
            differences,
        },
    ) = (&options.save, &finding.smallest, &finding.surprise)
    else {
        return;
    };
    let name = format!(
        "found-{}-{}",
        one.release.to_string().replace('.', "-"),
        finding.number
    );
    let saved = save(&name, &one.release, smallest, *role, group, differences);
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
