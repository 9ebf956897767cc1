//! Commands that need no cluster: they read, check and change files.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use miette::GraphicalReportHandler;
use semver::Version;

use super::colour;
use super::review::Terminal;
use super::secrets;
use crate::args::{Folder, PlanPart, ReleaseArguments, Root, Selection, Snapshots};
use crate::artifact::Pins;
use crate::console;
use crate::exit::{BAD_USE, CliError, FAILED, PASSED};
use crate::expect::{self, ExpectError, Pending};
use crate::plan::{Division, Durations};
use crate::provider::ReleaseSpec;
use crate::report::RunResult;
use crate::scenario::{self, Diagnostic, Scenario, Severity, TargetKind};
use crate::{plan, report};

pub(super) fn lint(folder: &Folder) -> Result<u8, CliError> {
    let root = folder.root()?;
    let found = scenario::lint(&root.path);
    found.iter().for_each(show);
    let errors = found
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .count();
    let scenarios = scenario::load_all(&root.path).map_or(0, |all| all.len());
    if errors > 0 {
        let word = if errors == 1 { "error" } else { "errors" };
        print_problem!("{errors} {word} in {root}");
        return Ok(BAD_USE);
    }
    let word = if scenarios == 1 {
        "scenario is"
    } else {
        "scenarios are"
    };
    print_lines!("{scenarios} {word} well-formed in {root}");
    Ok(PASSED)
}

/// Columns for the rules of `scenario list`; a longer list moves the rest of its line.
const WIDEST_RULES: usize = 11;

/// Prints each scenario with its rules, its level, its target and what it requires of it.
pub(super) fn list(folder: &Folder) -> Result<u8, CliError> {
    let scenarios = load(&folder.root()?)?;
    let width = scenarios
        .iter()
        .map(|scenario| scenario.name().len())
        .max()
        .unwrap_or(0);
    let rules = scenarios
        .iter()
        .map(|scenario| scenario.file.spec.rules.join(" ").len());
    let rules_width = rules.max().unwrap_or(0).min(WIDEST_RULES);
    for scenario in &scenarios {
        let spec = &scenario.file.spec;
        let placement = spec.placement();
        let (rules, level) = (spec.rules.join(" "), spec.level.to_string());
        print_lines!(
            "{:width$}  {rules:rules_width$}  {level:11}  {}: {}",
            scenario.name(),
            placement.target,
            placement.reason
        );
    }
    Ok(PASSED)
}

pub(super) fn plan(selection: &Selection) -> Result<u8, CliError> {
    let scenarios = load(&selection.folder.root()?)?;
    names_something(selection, &scenarios)?;
    let targets = selection.targets().kinds();
    let releases = releases(&selection.releases, &targets)?;
    let division = division(&selection.part)?;
    let pairs = targets.iter().map(|target| (*target, releases.on(*target)));
    let pairs: Vec<_> = pairs.collect();
    let plan = plan::cases(&scenarios, &pairs, &selection.filter());
    let own = division.as_ref().map(|division| division.own(&plan.cases));
    for case in own.as_ref().unwrap_or(&plan.cases) {
        let rules = case.scenario.file.spec.rules.join(" ");
        print_lines!("{}  {rules}  ({})", case.id(), case.reason());
    }
    let (unnamed, named): (Vec<_>, Vec<_>) =
        plan.skipped.iter().partition(|skipped| skipped.unnamed);
    for skipped in named {
        print_lines!("left out: {skipped}");
    }
    let unreachable = plan.unreachable_checks();
    if !unreachable.is_empty() {
        return Err(CliError::Files(unreachable));
    }
    let word = if plan.cases.len() == 1 {
        "case"
    } else {
        "cases"
    };
    match unnamed.len() {
        0 => print_lines!("{} {word}", plan.cases.len()),
        count => print_lines!(
            "{} {word}; {count} scenarios were not asked for",
            plan.cases.len()
        ),
    }
    if let (Some(division), Some(own)) = (&division, &own) {
        let (time, unknown) = division.expected(own);
        let (all, _) = division.expected(&plan.cases);
        print_lines!(
            "of which the shard {} has {}, which took {:.1} s of {:.1} s when last recorded; {unknown} have no record",
            division.shard,
            own.len(),
            time.as_secs_f64(),
            all.as_secs_f64(),
        );
    }
    warn_of_unpinned(&releases);
    Ok(if plan.cases.is_empty() {
        BAD_USE
    } else {
        PASSED
    })
}

/// Warns about releases of a plan that no run can provide by itself.
fn warn_of_unpinned(releases: &ReleaseSpec) {
    let pins = Pins::embedded();
    for operator in &releases.operators {
        if pins.operator(operator).is_err() {
            print_problem!(
                "warning: KubeRay {operator} is not pinned in this release of the harness: to run this, bring that operator \
                 (--operator-image, --operator-binary with --crds, or --context)"
            );
        }
    }
    // Of pairs, the first one's is among them.
    let mut rays =
        std::iter::once(&releases.ray).chain(releases.pairs.iter().map(|pair| &pair.ray));
    if let Some(error) = rays.find_map(|ray| pins.ray(ray).err()) {
        print_problem!("warning: {error}");
    }
}

/// Checks that each NAME is part of a scenario's name.
pub(super) fn names_something(
    selection: &Selection,
    scenarios: &[Arc<Scenario>],
) -> Result<(), CliError> {
    let filter = selection.filter();
    let unmatched = filter.unmatched(scenarios);
    if unmatched.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = unmatched.iter().map(|name| format!("`{name}`")).collect();
    Err(CliError::bad_use(format!(
        "no scenario's name contains {}",
        names.join(" or ")
    ))
    .with_help("`kuberay-conformance scenario list` lists all"))
}

/// The shard that was asked for, with what decides on its cases.
pub(super) fn division(part: &PlanPart) -> Result<Option<Division>, CliError> {
    let Some(shard) = part.shard else {
        return Ok(None);
    };
    let durations = match part.durations.as_slice() {
        [] => Durations::embedded(),
        files => report::durations(&results(files)?),
    };
    Ok(Some(Division { shard, durations }))
}

/// Reads the results of runs.
pub(super) fn results(files: &[PathBuf]) -> Result<Vec<RunResult>, CliError> {
    let runs: Result<_, _> = files
        .iter()
        .map(|path| report::read_results(path))
        .collect();
    Ok(runs?)
}

/// The releases that were asked for.
pub(super) fn releases(
    releases: &ReleaseArguments,
    targets: &[TargetKind],
) -> Result<ReleaseSpec, CliError> {
    let pins = Pins::embedded();
    let pairs = plan::Pairs::resolve(&releases.pairs, &pins.pairs);
    if !pairs.is_empty() && !targets.contains(&TargetKind::Kind) {
        return Err(CliError::bad_use("--pair is for kind")
            .with_help("add `--target kind`, or name releases with --operator and --ray"));
    }
    let mut spec = ReleaseSpec::default();
    if let Some(first) = pairs.first() {
        spec.operators = pairs.iter().map(|pair| pair.operator.clone()).collect();
        spec.operators.sort();
        spec.operators.dedup();
        spec.ray = first.ray.clone();
    } else {
        spec.operators = operators(releases.operator.as_ref())?;
        spec.named = named(releases.operator.as_ref());
        spec.asked = releases
            .operator
            .as_ref()
            .and(spec.operators.first().cloned());
    }
    if let Some(ray) = &releases.ray {
        spec.ray = ray.clone();
    }
    let one = |selection: &plan::Pairs| match selection {
        plan::Pairs::One(pair) => Some(pair.operator.clone()),
        plan::Pairs::All => None,
    };
    spec.named.extend(releases.pairs.iter().filter_map(one));
    spec.pairs = pairs;
    Ok(spec)
}

/// The releases that a selection means; the default one when there is none.
pub(super) fn operators(selection: Option<&plan::Releases>) -> Result<Vec<Version>, CliError> {
    let pins = Pins::embedded();
    let Some(selection) = selection else {
        return Ok(vec![pins.defaults.operator]);
    };
    selection
        .resolve(&pins.operators.matrix, &pinned(&pins))
        .map_err(CliError::bad_use)
}

/// The releases that a selection names one by one.
pub(super) fn named(selection: Option<&plan::Releases>) -> Vec<Version> {
    let pinned = pinned(&Pins::embedded());
    selection.map_or_else(Vec::new, |selection| selection.named(&pinned))
}

fn pinned(pins: &Pins) -> Vec<Version> {
    pins.operators.releases.keys().cloned().collect()
}

pub(super) fn review(snapshots: &Snapshots) -> Result<u8, CliError> {
    each(snapshots, |pending| {
        let mut input = std::io::stdin().lock();
        let mut terminal = Terminal {
            input: &mut input,
            output: &mut console::Writer,
        };
        let reviewed = match expect::review(&pending, snapshots.partial, &mut terminal) {
            // Nobody sees the questions any more: what was not answered stays as it is.
            Err(_) if console::has_ended() => return Ok(PASSED),
            reviewed => reviewed?,
        };
        let (accepted, rejected) = (reviewed.accepted.len(), reviewed.rejected.len());
        print_lines!(
            "{accepted} accepted, {rejected} rejected, {} left as they are",
            reviewed.skipped.len()
        );
        // Without an answer to any question, nothing was reviewed.
        Ok(if accepted + rejected == 0 {
            FAILED
        } else {
            PASSED
        })
    })
}

pub(super) fn accept(snapshots: &Snapshots) -> Result<u8, CliError> {
    each(snapshots, |pending| {
        let mut code = PASSED;
        // Releases whose values are equal share a file.
        let mut accepted: BTreeMap<PathBuf, BTreeSet<Version>> = BTreeMap::new();
        // A file that spoke for several classes, and the releases that keep it.
        let mut split: BTreeMap<PathBuf, BTreeSet<Version>> = BTreeMap::new();
        for one in pending {
            let one = one.refreshed()?;
            match expect::accept(&one, snapshots.partial) {
                Ok(path) => {
                    if let Some((old, kept)) = one.splits() {
                        let kept = kept.into_iter().cloned().collect();
                        split.insert(old.to_owned(), kept);
                    }
                    accepted
                        .entry(path)
                        .or_default()
                        .extend(one.new.header.operator);
                }
                Err(refused @ ExpectError::Partial { .. }) => {
                    print_problem!("not accepted: {refused}");
                    code = FAILED;
                }
                Err(error) => return Err(error),
            }
        }
        let list = |releases: &BTreeSet<Version>| {
            let releases: Vec<_> = releases.iter().map(ToString::to_string).collect();
            releases.join(", ")
        };
        for (path, releases) in &accepted {
            print_lines!("accepted {} for KubeRay {}", path.display(), list(releases));
        }
        for (path, kept) in &split {
            print_lines!(
                "note: {} spoke for newer releases, too; now it speaks for KubeRay {} alone",
                path.display(),
                list(kept)
            );
        }
        Ok(code)
    })
}

pub(super) fn reject(snapshots: &Snapshots) -> Result<u8, CliError> {
    each(snapshots, |pending| {
        for one in &pending {
            expect::reject(one)?;
            print_lines!("rejected {}", one.path.display());
        }
        Ok(PASSED)
    })
}

fn each(
    snapshots: &Snapshots,
    act: impl FnOnce(Vec<Pending>) -> Result<u8, ExpectError>,
) -> Result<u8, CliError> {
    let wanted = |pending: &Pending| {
        let path = pending.path.to_string_lossy();
        snapshots.names.is_empty() || snapshots.names.iter().any(|name| path.contains(name))
    };
    let root = snapshots.folder.root()?;
    let all = expect::pending(&root.path);
    let is_none = all.as_ref().is_ok_and(Vec::is_empty);
    let found = all.map(|all| all.into_iter().filter(wanted).collect::<Vec<_>>());
    let result = match found {
        Ok(pending) if pending.is_empty() && !is_none => {
            let names = snapshots.names.join("`, `");
            let message = format!("no pending snapshot in {root} has a path with `{names}`");
            return Err(CliError::bad_use(message)
                .with_help("`snapshot review` without a name shows all that are pending"));
        }
        Ok(pending) if pending.is_empty() => {
            print_lines!("no pending snapshots in {root}");
            return Ok(PASSED);
        }
        Ok(pending) => act(pending),
        Err(error) => Err(error),
    };
    result.map_err(|error| {
        if error.is_of_the_system() {
            CliError::Environment(error.to_string())
        } else {
            CliError::bad_use(error)
        }
    })
}

/// Loads the scenarios of a folder.
pub(super) fn load(root: &Root) -> Result<Vec<Arc<Scenario>>, CliError> {
    match scenario::load_all(&root.path) {
        Ok(scenarios) => Ok(scenarios),
        Err(errors) => Err(CliError::Files(errors.diagnostics().to_vec())),
    }
}

/// Shows a problem with its file, line and column, and the text there, without secrets.
pub(super) fn show(diagnostic: &Diagnostic) {
    let diagnostic = &secrets::without_secrets(diagnostic);
    let theme = if colour() {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    let mut text = String::new();
    let place = diagnostic.location;
    print_problem!(
        "{}:{}:{}",
        diagnostic.path.display(),
        place.line,
        place.column
    );
    if GraphicalReportHandler::new_themed(theme)
        .render_report(&mut text, diagnostic)
        .is_ok()
    {
        // What it quotes of the file was made safe when it was found.
        console::problem(&text);
    } else {
        print_problem!("{diagnostic}");
    }
}
