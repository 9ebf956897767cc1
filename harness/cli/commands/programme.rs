//! `report publish` and `report verify`: reports for the conformance programme.

use std::path::Path;

use clap::Parser as _;
use jiff::civil::Date;
use semver::Version;
use sha2::{Digest as _, Sha256};

use super::live;
use crate::args::{Arguments, Command, Publish, Run, Verify};
use crate::artifact::digest_of;
use crate::exit::{CliError, ENVIRONMENT, FAILED, PASSED};
use crate::report::{
    self, CaseResult, ConformanceReport, ProgrammeEntry, ProgrammeError, RunResult,
};
use crate::scenario;
use crate::scenario::files::read_text;
use crate::visible::line;

/// No published report is larger.
const LARGEST: u64 = 1 << 20;

/// Writes the report of a run, and its badge beside it.
pub(super) fn publish(arguments: &Publish) -> Result<u8, CliError> {
    let (run, bytes) = results(&arguments.results)?;
    let release = arguments.operator.as_ref();
    let organization = &arguments.organization;
    let report = ConformanceReport::of(&run, &bytes, organization, arguments.profile, release)?;
    let path = arguments.reports.join(report.path());
    let yaml = serde_saphyr::to_string(&report)
        .map_err(|error| CliError::Environment(format!("writing YAML: {error}")))?;
    report::write_in_folder(&path, &yaml)?;
    report::write_atomically(&path.with_extension("badge.json"), &report::badge(&report))?;
    print_lines!("{report}");
    print_lines!("wrote {}", path.display());
    print_lines!(
        "next: kuberay-conformance report verify {}",
        report::shell_word(&path.display().to_string())
    );
    Ok(PASSED)
}

/// Compares a report with its results, and runs some of its cases again.
pub(super) fn verify(arguments: &Verify) -> Result<u8, CliError> {
    let report = read(&arguments.report)?;
    let (run, bytes) = results(&arguments.results)?;
    let mut differences = report.differs_from(&run, &bytes)?;
    let expected = report.path();
    if !arguments.report.ends_with(&expected) {
        let path = arguments.report.display();
        let expected = expected.display();
        differences.push(format!(
            "path: the report is at {path}, not at …/{expected}"
        ));
    }
    if !differences.is_empty() {
        for difference in &differences {
            print_problem!("{difference}");
        }
        print_problem!("error: the report does not match its results");
        return Ok(FAILED);
    }
    print_lines!("the report matches its results: {report}");
    if arguments.sample == 0 {
        return Ok(PASSED);
    }
    let sample = sample(&report, &run, arguments.sample);
    if sample.is_empty() {
        print_problem!("error: no case of the report can be run again here");
        return Ok(ENVIRONMENT);
    }
    match given(arguments, &report)? {
        PASSED => again(arguments, &report, &sample),
        code => Ok(code),
    }
}

/// Whether the operator's program is that of the report: a release must not take its place.
fn given(arguments: &Verify, report: &ConformanceReport) -> Result<u8, CliError> {
    let (digest, program) = match (report.given_operator(), &arguments.operator_binary) {
        (None, None) => return Ok(PASSED),
        (Some(digest), Some(program)) => (digest, program),
        (None, Some(_)) => {
            let message = "the report is of a release, not of a program with --operator-binary";
            return Err(CliError::bad_use(message));
        }
        (Some(digest), None) => {
            print_problem!("error: the operator of the report is a program with digest {digest}");
            print_problem!("help: name it with --operator-binary, or compare with --sample 0");
            return Ok(ENVIRONMENT);
        }
    };
    let own = named_digest(program)?;
    if own == digest {
        return Ok(PASSED);
    }
    let program = program.display();
    print_problem!("error: {program} has digest {own}, the operator of the report {digest}");
    Ok(FAILED)
}

/// The digest of a file as reports name it, `sha256:…`.
fn named_digest(path: &Path) -> Result<String, CliError> {
    let digest = digest_of(path).map_err(|error| CliError::Environment(error.to_string()))?;
    Ok(format!("sha256:{digest}"))
}

/// Cases with a verdict on a target that a run brings up itself; the digest of the results chooses
/// them, so that nobody else does.
fn sample<'a>(report: &ConformanceReport, run: &'a RunResult, size: usize) -> Vec<&'a CaseResult> {
    let spec = &report.spec;
    let mut cases: Vec<&CaseResult> = run
        .cases
        .iter()
        .filter(|case| case.operator == spec.operator.release)
        .filter(|case| case.outcome.is_verdict())
        .filter(|case| !case.id.starts_with("existing::"))
        .collect();
    cases.sort_by_cached_key(|case| {
        Sha256::digest(format!("{}{}", spec.results.sha256, case.id).as_bytes()).to_vec()
    });
    cases.truncate(size);
    cases
}

/// Runs the cases again, and compares how they end.
fn again(
    arguments: &Verify,
    report: &ConformanceReport,
    sample: &[&CaseResult],
) -> Result<u8, CliError> {
    let folder = tempfile::tempdir()
        .map_err(|error| CliError::Environment(format!("creating a folder: {error}")))?;
    let mut code = PASSED;
    for target in ["envtest", "kind"] {
        let of_target = |case: &&&CaseResult| case.target.to_string() == target;
        let cases: Vec<&CaseResult> = sample.iter().filter(of_target).copied().collect();
        if cases.is_empty() {
            continue;
        }
        let output = folder.path().join(target);
        let run = rerun(arguments, report, target, &cases, &output)?;
        live::run(&run)?;
        let (now, _) = results(&output)?;
        code = code.max(compare(&cases, &now));
    }
    Ok(code)
}

/// The arguments of a run of cases of a report.
fn rerun(
    arguments: &Verify,
    report: &ConformanceReport,
    target: &str,
    cases: &[&CaseResult],
    output: &Path,
) -> Result<Run, CliError> {
    let mut words: Vec<String> = vec!["kuberay-conformance".into(), "run".into()];
    words.extend(["--upgrades", "--target", target, "--operator"].map(String::from));
    words.push(release(&report.spec.operator.release)?.to_string());
    if let Some(first) = cases.first().filter(|_| target == "kind") {
        words.extend(["--ray".into(), release(&first.ray)?.to_string()]);
    }
    if target == "envtest" {
        let files = [
            ("--operator-binary", &arguments.operator_binary),
            ("--crds", &arguments.crds),
        ];
        for (option, file) in files {
            let file = file.iter().map(|file| file.display().to_string());
            words.extend(file.flat_map(|file| [option.to_owned(), file]));
        }
    }
    words.extend(["--output".into(), output.display().to_string()]);
    if let Some(scenarios) = &arguments.folder.scenarios {
        words.extend(["--scenarios".into(), scenarios.display().to_string()]);
    }
    // Whatever a name is, it is no option.
    words.push("--".into());
    for case in cases {
        if !scenario::is_name(&case.scenario) {
            let name = &case.scenario;
            let message = format!("`{}` is no scenario's name", name.escape_debug());
            return Err(CliError::bad_use(message));
        }
        words.push(case.scenario.clone());
    }
    match Arguments::try_parse_from(words) {
        Ok(Arguments {
            command: Command::Run(run),
        }) => Ok(*run),
        _ => Err(CliError::bad_use("the report names cases that no run has")),
    }
}

/// A release that results name.
fn release(named: &str) -> Result<Version, CliError> {
    named.parse().map_err(|_| {
        let message = format!("`{}` is no release, such as 1.6.2", named.escape_debug());
        CliError::bad_use(message)
    })
}

fn compare(before: &[&CaseResult], now: &RunResult) -> u8 {
    let mut code = PASSED;
    for case in before {
        let Some(again) = now.cases.iter().find(|one| one.id == case.id) else {
            let word = case.outcome.word();
            print_problem!("{}: it was {word}, and is no case here", line(&case.id));
            code = code.max(ENVIRONMENT);
            continue;
        };
        let same = case.outcome.is_good() == again.outcome.is_good();
        let judged = again.outcome.is_verdict();
        print_lines!(
            "{}: {} in the report, {} here",
            line(&case.id),
            case.outcome.word(),
            again.outcome.word()
        );
        code = code.max(match (same, judged) {
            (_, false) => ENVIRONMENT,
            (true, true) => PASSED,
            (false, true) => FAILED,
        });
    }
    code
}

/// Reads every report below a folder, in the order of their paths.
pub(super) fn entries(folder: &Path) -> Result<Vec<ProgrammeEntry>, CliError> {
    let failed =
        |path: &Path, error| CliError::bad_use(format!("reading {}: {error}", path.display()));
    let mut all = Vec::new();
    // Time zones differ by less than a day from each other's.
    let tomorrow = jiff::Zoned::now().date().tomorrow().unwrap_or(Date::MAX);
    for release in std::fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let release = release.map_err(|error| failed(folder, error))?.path();
        if !release.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&release).map_err(|error| failed(&release, error))? {
            let file = file.map_err(|error| failed(&release, error))?.path();
            if file.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let report = read(&file)?;
            let path = report.path();
            if !file.ends_with(&path) {
                let message = format!("{} is not at …/{}", file.display(), path.display());
                return Err(CliError::bad_use(message));
            }
            if report
                .spec
                .date
                .parse::<Date>()
                .is_ok_and(|date| date > tomorrow)
            {
                let (file, date) = (file.display(), line(&report.spec.date));
                let message = format!("{file} has the date {date}, which is in the future");
                return Err(CliError::bad_use(message));
            }
            let path = path.display().to_string();
            all.push(ProgrammeEntry { path, report });
        }
    }
    all.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(all)
}

fn read(path: &Path) -> Result<ConformanceReport, CliError> {
    let read = || -> std::io::Result<_> {
        let text = read_text(path, LARGEST)?;
        let report: ConformanceReport =
            serde_saphyr::from_str(&text).map_err(std::io::Error::other)?;
        report.check_names().map_err(std::io::Error::other)?;
        Ok(report)
    };
    read().map_err(|error| CliError::bad_use(format!("reading {}: {error}", path.display())))
}

/// The results of a run, and the bytes that its digest is of.
fn results(path: &Path) -> Result<(RunResult, Vec<u8>), CliError> {
    report::read_results_and_bytes(&report::results_file(path)).map_err(|error| {
        let next = "name the run's results.json, or its folder, with --results";
        CliError::Environment(format!("{error}; {next}"))
    })
}

impl From<ProgrammeError> for CliError {
    fn from(error: ProgrammeError) -> Self {
        Self::bad_use(error)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use rstest::rstest;

    use super::*;
    use crate::report::example;

    fn arguments(options: &[&str]) -> Verify {
        let words = ["kuberay-conformance", "report", "verify", "r.yaml"];
        let parsed = Arguments::try_parse_from(words.iter().chain(options)).unwrap();
        match parsed.command {
            Command::Report(crate::args::ReportCommand::Verify(verify)) => verify,
            other => panic!("{other:?}"),
        }
    }

    fn published() -> ConformanceReport {
        let text = include_str!("../../../conformance/reports/1.6.2/example-kind.yaml");
        serde_saphyr::from_str(text).unwrap()
    }

    fn cases_to_run(report: &ConformanceReport, case: &CaseResult) -> Result<Run, CliError> {
        let output = Path::new("out");
        rerun(&arguments(&[]), report, "kind", &[case], output)
    }

    #[test]
    fn the_cases_of_a_report_are_run_by_their_names() {
        let report = published();
        let run = cases_to_run(&report, &example::run().cases[0]).unwrap();
        assert_eq!(run.selection.names, ["before-ray-start"]);
        assert_eq!(run.output, Path::new("out"));
        assert_eq!(run.selection.releases.ray, "2.52.0".parse().ok());
    }

    #[rstest]
    #[case::program("--operator-binary=/tmp/evil")]
    #[case::context("--context=prod")]
    #[case::folder("--scenarios=/tmp/evil")]
    #[case::short("-q")]
    #[case::end_of_options("--")]
    #[case::path("../../evil")]
    #[case::nothing("")]
    #[case::two_lines("a\nb")]
    fn what_results_name_is_no_option(#[case] named: &str) {
        let mut case = example::run().cases[0].clone();
        case.scenario = named.into();
        let refused = cases_to_run(&published(), &case);
        let refused = refused.map(|run| run.selection.names);
        let message = refused
            .expect_err("a name that no scenario has")
            .to_string();
        assert!(message.contains("is no scenario's name"), "{message}");
    }

    #[rstest]
    #[case::option("--context=prod")]
    #[case::all("all")]
    #[case::range("1.0.0..1.6.2")]
    #[case::nothing("")]
    fn what_results_name_is_one_release(#[case] named: &str) {
        let mut case = example::run().cases[0].clone();
        case.ray = named.into();
        let refused = cases_to_run(&published(), &case).map(|run| run.selection.releases.ray);
        let message = refused.expect_err("no release of Ray").to_string();
        assert!(message.contains("is no release"), "{message}");
        let mut report = published();
        report.spec.operator.release = named.into();
        let refused = cases_to_run(&report, &example::run().cases[0]);
        let refused = refused.map(|run| run.selection.releases.operator);
        let message = refused.expect_err("no release of KubeRay").to_string();
        assert!(message.contains("is no release"), "{message}");
    }

    #[test]
    fn a_patched_operator_is_not_verified_with_another() {
        let mut report = published();
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("manager");
        std::fs::write(&program, "a program").unwrap();
        let program = program.to_str().unwrap();
        let with = arguments(&["--operator-binary", program]);
        assert_eq!(given(&arguments(&[]), &report).unwrap(), PASSED);
        assert!(given(&with, &report).is_err());
        let build = |digest: &str| format!("operator given as a file@{digest}");
        report.spec.operator.builds = vec![build(&named_digest(Path::new(program)).unwrap())];
        assert_eq!(given(&arguments(&[]), &report).unwrap(), ENVIRONMENT);
        assert_eq!(given(&with, &report).unwrap(), PASSED);
        report.spec.operator.builds = vec![build("sha256:0")];
        assert_eq!(given(&with, &report).unwrap(), FAILED);
    }
}
