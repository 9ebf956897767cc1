//! Traps of a RayJob: its entrypoint, its runtime environment and its submitter; and of the runtime
//! environments of a RayService.

use std::collections::BTreeMap;
use std::path::Path;

use kuberay_contract::{ContainerContract, Feature, RayCommand, yaml_map_problem};
use kuberay_manifest::yaml::{self, Node, Yaml};
use kuberay_manifest::{Cursor, Source};
use semver::Version;

use super::options::{self, Ray, Value};
use super::submitter::{self, Variables};
use super::{has, lost_quotes, warn, warn_at};
use crate::document::Warning;
use crate::shell;
use crate::warning as trap;

/// The traps of a submitter.
pub(crate) fn of_submitter(
    release: &Version,
    source: &str,
    submitter: &ContainerContract,
    job: &Cursor,
) -> Vec<Warning> {
    let mut found = Vec::new();
    let Some(spec) = job.get("spec") else {
        return found;
    };
    let script = submitter.features.contains(&Feature::SubmitterScript);
    // Without a RayCluster of its own a job had no metadata from 1.5 until 1.7.
    let drops_metadata = spec.get("rayClusterSpec").is_none()
        && has(Feature::SubmitterSidecar, release)
        && !has(Feature::SubmitterAlwaysWaits, release);
    let own_command = submitter.features.contains(&Feature::SubmitterUserCommand);
    let entrypoint = spec.get("entrypoint");
    let is_empty = entrypoint
        .as_ref()
        .is_none_or(|text| text.text().trim().is_empty());
    if is_empty && !own_command {
        let at = entrypoint.as_ref().unwrap_or(&spec);
        found.push(warn(trap::NO_ENTRYPOINT, at, ""));
    } else if let Some(entrypoint) = entrypoint {
        if script {
            read_by_bash(source, submitter, &spec, &entrypoint, &mut found);
        } else if submitter.features.contains(&Feature::SubmitterArgv)
            && let Some(at) = entrypoint.text().find("\\\n")
        {
            let place = shell::location(source, &entrypoint, at);
            found.push(warn_at(trap::ENTRYPOINT_LINES, &entrypoint, place, ""));
        }
        if !own_command {
            let template = spec.find(&["submitterPodTemplate", "spec"]);
            let containers = template.map(|template| template.items("containers"));
            let ray = Ray::of(job, containers.as_deref().and_then(<[Cursor]>::first));
            lost_quotes::find(source, &ray, &entrypoint, &mut found);
        }
    }
    if script {
        let variables = Variables::of(submitter, &spec);
        submitter::fields(source, &variables, &spec, !drops_metadata, &mut found);
    }
    if let Some(id) = spec.get("jobId")
        && script
        && let Some(special) = shell::special(id.text())
    {
        found.push(warn(
            trap::SHELL_IN_PARAMETER,
            &id,
            &format!("`{special}` in jobId"),
        ));
    }
    if let Some(runtime) = spec.get("runtimeEnvYAML") {
        variables(source, &runtime, &mut found);
    }
    options_of_submitter(source, submitter, job, &spec, &mut found);
    let template = spec.find(&["submitterPodTemplate", "spec"]);
    let containers = template
        .as_ref()
        .map(|template| template.items("containers"))
        .unwrap_or_default();
    super::order_of_submitter(&containers, &mut found);
    if let Some(container) = containers.first() {
        super::env::of_container(container, template.as_ref(), None, &mut found);
        let own = container.items("command").is_empty();
        if own
            && let Some(args) = container.get("args")
            && !args.node.items().is_empty()
        {
            found.push(warn(trap::SUBMITTER_ARGS_LOST, &args, ""));
        }
    }
    if let Some(metadata) = spec.get("metadata")
        && drops_metadata
        // A command of the user's never has it.
        && !own_command
        && !spec.entries("metadata").is_empty()
    {
        found.push(warn(trap::METADATA_DROPPED, &metadata, ""));
    }
    found.sort_by_key(|warning| warning.location);
    found
}

/// Options of `ray job submit`: those that the operator writes, and those of a command of the user.
fn options_of_submitter(
    source: &str,
    submitter: &ContainerContract,
    job: &Cursor,
    spec: &Cursor,
    found: &mut Vec<Warning>,
) {
    let template = spec.find(&["submitterPodTemplate", "spec"]);
    let containers = template.map(|template| template.items("containers"));
    let container = containers.as_deref().and_then(<[Cursor]>::first);
    let ray = Ray::of(job, container);
    if let Some(container) = container
        && submitter.features.contains(&Feature::SubmitterUserCommand)
    {
        let words: Vec<Cursor> = [container.items("command"), container.items("args")].concat();
        options::of_words(&ray, RayCommand::JobSubmit, &words, source, found);
        without_id(source, &words, found);
        unread(submitter, &words, found);
    } else if let Some(resources) = spec.get("entrypointResources") {
        let text = resources.text();
        // From 1.3 on it stands in double quotes, in which bash replaces variables.
        let value = match text {
            "" => return,
            _ if text.contains(['$', '`', '!']) => Value::Unknown,
            _ => Value::Given(text),
        };
        let name = "--entrypoint-resources";
        let problem = ray.problem(RayCommand::JobSubmit, name, value);
        found.extend(problem.map(|(trap, detail)| warn(trap, &resources, &detail)));
    }
}

/// Variables in the options of a `ray job submit` that no shell reads.
fn unread(submitter: &ContainerContract, words: &[Cursor], found: &mut Vec<Warning>) {
    let words = super::command::inner(words);
    let begins = words.iter().map(Cursor::text).take(3);
    if !begins.eq(["ray", "job", "submit"]) {
        return;
    }
    for word in words.iter().take_while(|word| word.text() != "--") {
        let has = |name: &str| submitter.variable(name).is_some();
        let detail = super::kept::unread_variable(word.text(), has);
        found.extend(detail.map(|detail| warn(trap::ENV_NOT_EXPANDED, word, &detail)));
    }
}

/// A `ray job submit` of the user's that lets Ray draw the id by which the operator asks for the
/// job.
fn without_id(source: &str, words: &[Cursor], found: &mut Vec<Warning>) {
    const SUBMIT: [&str; 3] = ["ray", "job", "submit"];
    let names_one = |word: &str| {
        ["--submission-id", "--job-id"]
            .iter()
            .any(|option| word.starts_with(option))
    };
    let words = super::command::inner(words);
    let texts: Vec<&str> = words.iter().map(Cursor::text).collect();
    if texts.starts_with(&SUBMIT) {
        let own = texts[3..].iter().take_while(|word| **word != "--");
        if !own.into_iter().any(|word| names_one(word)) {
            found.push(warn(trap::SUBMITTER_WITHOUT_ID, &words[0], ""));
        }
        return;
    }
    let Some(script) = super::command::script(words).and_then(Result::ok) else {
        return;
    };
    for call in shell::calls(script.text(), &SUBMIT) {
        let mut own = call.iter().take_while(|word| word.raw != "--");
        // A variable may hold the option.
        if own.all(|word| !names_one(&word.raw) && !word.raw.starts_with(['$', '"'])) {
            let at = call.first().map_or(0, |word| word.at);
            let place = shell::location(source, script, at);
            found.push(warn_at(trap::SUBMITTER_WITHOUT_ID, script, place, ""));
        }
    }
}

/// Reports the parts of the entrypoint that the submitter's own bash interprets.
fn read_by_bash(
    source: &str,
    submitter: &ContainerContract,
    spec: &Cursor,
    entrypoint: &Cursor,
    found: &mut Vec<Warning>,
) {
    let text = entrypoint.text();
    let variables = Variables::of(submitter, spec);
    let sidecar = submitter::is_sidecar(spec);
    let begin = if sidecar {
        "ray job submit -- "
    } else {
        "if true ; then ray job submit -- "
    };
    let end = if sidecar {
        " ;"
    } else {
        " ; fi ; ray job logs"
    };
    let seen = variables.after_kubelet(text);
    if let Some(broken) = shell::broken(&format!("{begin}{}{end}", seen.trim())) {
        let leading = text.len() - text.trim_start().len();
        let at =
            (broken.at.saturating_sub(begin.len()) + leading).min(text.len().saturating_sub(1));
        let place = shell::location(source, entrypoint, at);
        let detail = format!("bash: {}", broken.wording);
        found.push(warn_at(trap::ENTRYPOINT_SYNTAX, entrypoint, place, &detail));
        return;
    }
    let end = text.trim_end();
    let backslashes = end.len() - end.trim_end_matches('\\').len();
    if backslashes % 2 == 1 {
        // The operator writes ` ;` behind it, whose blank it hides.
        let place = shell::location(source, entrypoint, end.len() - 1);
        found.push(warn_at(trap::ENTRYPOINT_LINES, entrypoint, place, ""));
    }
    let pieces = shell::pieces(seen.trim());
    if pieces
        .iter()
        .any(|piece| !matches!(piece, shell::Piece::Word(_)))
    {
        found.push(warn(trap::ENTRYPOINT_RUNS_HERE, entrypoint, ""));
        return;
    }
    let replaced = shell::expansions(&seen).into_iter().filter(|expansion| {
        let variable = expansion.variable.as_ref();
        variable.is_none_or(|name| {
            !variables.may_have(name) && (!shell::sets(name) || shell::differs(name))
        })
    });
    let first = replaced
        .chain(shell::patterns(&seen))
        .chain(shell::braces(&seen))
        .min_by_key(|expansion| expansion.at);
    if let Some(expansion) = first {
        let place = shell::location(source, entrypoint, expansion.at);
        let detail = match &expansion.variable {
            Some(name) if shell::differs(name) => format!(
                "`{}` is replaced in the submitter, and is the submitter's own",
                expansion.what
            ),
            Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                format!(
                    "`{}` is replaced in the submitter, to which the Pod gives no variable {name}",
                    expansion.what
                )
            }
            Some(_) => format!(
                "`{}` is replaced in the submitter, whose shell has no arguments",
                expansion.what
            ),
            None => format!("`{}`", expansion.what),
        };
        found.push(warn_at(
            trap::ENTRYPOINT_RUNS_HERE,
            entrypoint,
            place,
            &detail,
        ));
    }
}

/// The traps of a job that the operator submits itself, without a submitter (`ConvertRayJobToReq`).
pub(super) fn of_request(source: &str, job: &Cursor, found: &mut Vec<Warning>) {
    let Some(spec) = job.get("spec") else {
        return;
    };
    let entrypoint = spec.get("entrypoint");
    let is_empty = |text: &Cursor| text.text().trim().is_empty();
    if entrypoint.as_ref().is_none_or(is_empty) {
        let at = entrypoint.as_ref().unwrap_or(&spec);
        found.push(warn(trap::NO_ENTRYPOINT, at, ""));
    }
    if let Some(runtime) = spec.get("runtimeEnvYAML") {
        variables(source, &runtime, found);
    }
    if let Some(resources) = spec.get("entrypointResources")
        && !resources.text().is_empty()
    {
        let numbers = serde_json::from_str::<BTreeMap<String, Option<f32>>>(resources.text());
        if numbers.is_err() {
            let detail = "entrypointResources is no JSON object of numbers";
            found.push(warn(trap::UNREADABLE_JSON, &resources, detail));
        }
    }
}

/// The runtime environments of Serve's applications and of their deployments.
pub(super) fn of_applications(source: &str, config: &Cursor, found: &mut Vec<Warning>) {
    // A template of another object is filled in first.
    if let Some(problem) = yaml_map_problem(config.text())
        && !config.text().contains("{{")
    {
        let detail = format!(
            "the operator can't read serveConfigV2 ({problem}), and never deploys the applications"
        );
        found.push(warn(trap::UNREADABLE_JSON, config, &detail));
        return;
    }
    let inner = Source::new(Path::new("serveConfigV2"), config.text());
    let Ok(documents) = yaml::parse(&inner) else {
        return;
    };
    let applications = documents
        .first()
        .and_then(|document| document.get("applications"));
    for application in applications.map_or(&[][..], Node::items) {
        let deployments = application.get("deployments");
        let deployments = deployments.map_or(&[][..], Node::items);
        let actors = deployments
            .iter()
            .filter_map(|deployment| deployment.get("ray_actor_options"));
        for owner in std::iter::once(application).chain(actors) {
            if let Some(runtime) = owner.get("runtime_env") {
                env_vars(source, config, runtime, found);
            }
        }
    }
}

/// Reports the problems of a job's runtime environment.
fn variables(source: &str, runtime: &Cursor, found: &mut Vec<Warning>) {
    let inner = Source::new(Path::new("runtimeEnvYAML"), runtime.text());
    let Ok(documents) = yaml::parse(&inner) else {
        return;
    };
    let Some(document) = documents.first() else {
        return;
    };
    if !matches!(document.value, Yaml::Map(_) | Yaml::Null) {
        let detail = format!("the runtime environment is {}", document.describe());
        found.push(warn(trap::UNREADABLE_JSON, runtime, &detail));
    }
    env_vars(source, runtime, document, found);
}

/// Variables of a runtime environment that are no strings, which Ray refuses; it lies in the text
/// of a field.
fn env_vars(source: &str, field: &Cursor, runtime: &Node, found: &mut Vec<Warning>) {
    let text = field.text();
    let variables = match runtime.get("env_vars").map(|node| (node, &node.value)) {
        Some((_, Yaml::Map(variables))) => variables,
        Some((node, value)) if *value != Yaml::Null => {
            let place = shell::location(source, field, node.place.span.start);
            let detail = format!("env_vars is {}", node.describe());
            found.push(warn_at(trap::RUNTIME_ENV_TYPE, field, place, &detail));
            return;
        }
        _ => return,
    };
    for (key, value) in variables {
        if matches!(value.value, Yaml::Text(_)) {
            continue;
        }
        let place = shell::location(source, field, value.place.span.start);
        // YAML 1.1 reads `N`, `yes` and `on` as booleans, also as keys.
        let written = text.get(key.place.span.clone()).unwrap_or_default();
        let written = written.trim().trim_matches(['\'', '"']);
        let detail = if written.is_empty() || written == key.name {
            format!("{} is {}", key.name, value.describe())
        } else {
            format!(
                "{written}, which YAML 1.1 reads as {}, is {}",
                key.name,
                value.describe()
            )
        };
        found.push(warn_at(trap::RUNTIME_ENV_TYPE, field, place, &detail));
    }
}
