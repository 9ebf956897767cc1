//! Pods that can't come to run, or whose containers ended.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::cause::{Cause, ContainerRef, TerminalFailure};
use super::{Finding, Lines, LogKey, Observation, line, pods, requests};

/// How often a container beside Ray may crash: it may need another to be up first.
const SIDE_RESTARTS: i32 = 3;

/// All that can't get better about a Pod; one that is being deleted ends by intention.
pub(super) fn causes(observation: &Observation, pod: &Pod) -> Vec<TerminalFailure> {
    if pod.metadata.deletion_timestamp.is_some() {
        return Vec::new();
    }
    let containers = pods::statuses(pod).filter_map(|status| container(observation, pod, status));
    let too_large = requests::too_large(observation, pod).map(|finding| TerminalFailure {
        cause: Cause::TooLarge,
        place: Some(ContainerRef::new(pod, None)),
        finding,
    });
    too_large.into_iter().chain(containers).collect()
}

fn container(
    observation: &Observation,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<TerminalFailure> {
    let (cause, finding) = uncreated(observation, pod, status)
        .or_else(|| hook(observation, pod, status))
        .or_else(|| ended(observation, pod, status))?;
    Some(TerminalFailure {
        cause,
        place: Some(ContainerRef::new(pod, Some(&status.name))),
        finding,
    })
}

fn title(pod: &Pod, status: &ContainerStatus) -> String {
    format!("container {} of Pod {}", status.name, pods::name(pod))
}

/// A container that can't be made: no image, or no configuration.
fn uncreated(
    observation: &Observation,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<(Cause, Finding)> {
    let reason = pods::waiting(status)?;
    let waiting = status
        .state
        .as_ref()?
        .waiting
        .as_ref()?
        .message
        .clone()
        .unwrap_or_default();
    let title = title(pod, status);
    let image = pods::container(pod, &status.name)
        .and_then(|container| container.image.clone())
        .unwrap_or_default();
    let (message, found) = match reason {
        "InvalidImageName" => (
            format!("\"{image}\", the image of {title}, is not the name of an image"),
            waiting,
        ),
        "ErrImageNeverPull" => (
            format!("image {image} of {title} is not on the node, and imagePullPolicy is Never"),
            waiting,
        ),
        "ErrImagePull" | "ImagePullBackOff" => {
            let (failures, said) = failed(observation, pod, "Failed to pull image");
            let error = format!("{waiting} {said}");
            if is_absent(&error) {
                let advice = "check its name and tag, and whether the image needs a login";
                (
                    format!("image {image} of {title} was not found in its registry; {advice}"),
                    error,
                )
            } else if failures >= 2 {
                let reach = "check that the node reaches the registry";
                (
                    format!(
                        "image {image} of {title} can't be pulled, {failures} times so far; {reach}"
                    ),
                    error,
                )
            } else {
                return None;
            }
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            let (failures, _) = failed(observation, pod, "Error: ");
            if failures < 2 && status.restart_count == 0 {
                return None;
            }
            let advice = match reason {
                "CreateContainerConfigError" => {
                    "; apply the ConfigMap or Secret that is missing, or correct its name"
                }
                _ => "",
            };
            (
                format!(
                    "{title} can't be created ({reason}): {}{advice}",
                    waiting.trim()
                ),
                waiting,
            )
        }
        _ => return None,
    };
    let found = Some(found.trim().to_owned()).filter(|found| !found.is_empty());
    Some((
        Cause::Waiting(reason.to_owned()),
        Finding {
            message,
            found,
            ..Finding::default()
        },
    ))
}

/// How often the kubelet said `Failed` of a Pod with a message that begins so, and what it said
/// last.
fn failed(observation: &Observation, pod: &Pod, begin: &str) -> (i32, String) {
    let mut times = 0;
    let mut said = String::new();
    for event in
        pods::events_of(observation, pod).filter(|event| event.reason.as_deref() == Some("Failed"))
    {
        if let Some(message) = event
            .message
            .as_deref()
            .filter(|message| message.starts_with(begin))
        {
            times += pods::occurrences(event);
            message.clone_into(&mut said);
        }
    }
    (times, said)
}

/// Whether a pull error says that the image is not there, other than that the registry could not be
/// asked.
fn is_absent(error: &str) -> bool {
    let error = error.to_lowercase();
    let parts = [
        "not found",
        "notfound",
        "manifest unknown",
        "name unknown",
        "does not exist",
        "unauthorized",
        "access denied",
        "no match for platform",
    ];
    parts.iter().any(|part| error.contains(part))
}

/// A `postStart` hook that failed; the kubelet then ends the container, so that its exit code says
/// nothing.
fn hook(
    observation: &Observation,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<(Cause, Finding)> {
    let field = format!("{{{}}}", status.name);
    let event = pods::events_of(observation, pod).find(|event| {
        let path = event.involved_object.field_path.as_deref();
        event.reason.as_deref() == Some("FailedPostStartHook")
            && path.is_none_or(|path| path.ends_with(&field))
    })?;
    let lifecycle = pods::container(pod, &status.name)?.lifecycle.as_ref()?;
    let exec = lifecycle
        .post_start
        .as_ref()?
        .exec
        .as_ref()
        .and_then(|exec| exec.command.as_ref());
    let command = exec.map_or_else(String::new, |command| format!(" ({})", command.join(" ")));
    let said = event.message.as_deref().unwrap_or_default();
    let message = format!(
        "the postStart hook{command} of {} failed, so the kubelet ended the container: {said}",
        title(pod, status)
    );
    Some((
        Cause::Hook,
        Finding {
            message,
            found: last_lines(observation, pod, status),
            ..Finding::default()
        },
    ))
}

/// A container that ended though it should run.
fn ended(
    observation: &Observation,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<(Cause, Finding)> {
    let [now, before] = pods::ends(status);
    let end = now.or(before)?;
    let crash_loop = pods::waiting(status) == Some("CrashLoopBackOff");
    let restarted = status.restart_count > 0;
    let is_ray =
        pods::role(pod).is_some() && pods::container_name(pod, None) == Some(status.name.as_str());
    let counts = if is_ray {
        now.is_some() || restarted || crash_loop
    } else if is_init(pod, &status.name) {
        end.exit_code != 0 && (restarted || crash_loop)
    } else {
        crash_loop && status.restart_count >= SIDE_RESTARTS
    };
    if !counts {
        return None;
    }
    let found = last_lines(observation, pod, status);
    let title = title(pod, status);
    let mut message = if end.reason.as_deref() == Some("OOMKilled") {
        let limit = pods::container(pod, &status.name)
            .and_then(|container| container.resources.as_ref()?.limits.as_ref()?.get("memory"))
            .map_or_else(String::new, |limit| format!(" ({})", limit.0));
        format!(
            "{title} was ended because it used more memory than its limit{limit} (OOMKilled); raise the limit"
        )
    } else {
        let meaning = match end.exit_code {
            0 => ", without an error, but it should go on running",
            126 => ": what it should run is not executable",
            127 => ": what it should run was not found; check the command, the image and PATH",
            137 => ": it was killed",
            _ => "",
        };
        format!("{title} exited {}{meaning}", end.exit_code)
    };
    if let Some(reason) = end
        .message
        .as_deref()
        .map(str::trim)
        .filter(|reason| !reason.is_empty())
    {
        message = format!("{message}; {reason}");
    }
    if let Some(line) = last_log(observation, pod, status).and_then(Lines::last) {
        message = format!("{message}; its last line: \"{}\"", line::plain(line));
    }
    Some((
        Cause::Exit,
        Finding {
            message,
            found,
            ..Finding::default()
        },
    ))
}

/// The logs of a container's instance that ended last, the best first.
pub(super) fn logs(pod: &Pod, status: &ContainerStatus) -> Vec<LogKey> {
    let key = |previous| LogKey {
        pod: pods::name(pod).into(),
        container: status.name.clone(),
        previous,
    };
    match pods::ends(status) {
        [Some(_), Some(_)] => vec![key(false), key(true)],
        [Some(_), None] => vec![key(false)],
        [None, Some(_)] => vec![key(true)],
        [None, None] => vec![],
    }
}

fn last_log<'a>(
    observation: &'a Observation,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<&'a Lines> {
    let read = logs(pod, status)
        .into_iter()
        .filter_map(|key| observation.logs.get(&key));
    read.map(|log| &log.lines).find(|lines| !lines.is_empty())
}

fn last_lines(observation: &Observation, pod: &Pod, status: &ContainerStatus) -> Option<String> {
    last_log(observation, pod, status).map(line::last_lines)
}

/// Whether a container is one that ends before the others start.
fn is_init(pod: &Pod, container: &str) -> bool {
    let mut init = pod
        .spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten());
    init.any(|entry| entry.name == container && entry.restart_policy.as_deref() != Some("Always"))
}
