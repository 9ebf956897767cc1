//! Traps of values that are of the right type and that Ray refuses all the same: ports, sizes and
//! resources (`_private/parameter.py`, `_private/resource_spec.py` and `_private/services.py` of
//! Ray).

use kuberay_manifest::Cursor;
use serde_json::Value;

use super::{Group, warn};
use crate::document::Warning;
use crate::shell;
use crate::warning as trap;

/// Ports of one number each, with what Ray calls them and the number that they have on this node if
/// nothing is written.
const PORTS: [(&str, Default); 10] = [
    ("port", Default::OnHead(6379)),
    ("dashboard-port", Default::OnHead(8265)),
    ("ray-client-server-port", Default::OnHead(10001)),
    ("metrics-export-port", Default::Always(8080)),
    ("dashboard-agent-listen-port", Default::Always(52365)),
    ("dashboard-agent-grpc-port", Default::Random),
    ("runtime-env-agent-port", Default::Random),
    ("node-manager-port", Default::Random),
    ("object-manager-port", Default::Random),
    ("gcs-server-port", Default::Random),
];

/// The port that Ray or the operator takes where none is written.
#[derive(Clone, Copy)]
enum Default {
    Always(i64),
    OnHead(i64),
    Random,
}

/// Ports of worker processes, where neither the range nor a list is written.
const WORKER_PORTS: (i64, i64) = (10002, 19999);

/// The least size of the object store, 75 MiB.
const SMALLEST_STORE: i64 = 75 * 1024 * 1024;

/// Resources that Ray has options of their own for.
const OWN_OPTIONS: [(&str, &str); 4] = [
    ("CPU", "num-cpus"),
    ("GPU", "num-gpus"),
    ("memory", "memory"),
    ("object_store_memory", "object-store-memory"),
];

/// The traps in the values of `rayStartParams`.
pub(super) fn of_group(group: &Group, found: &mut Vec<Warning>) {
    let parameters = group.group.entries("rayStartParams");
    let written = |name: &str| {
        let (_, value) = parameters.iter().find(|(own, _)| *own == name)?;
        // Behind `--name=` bash leaves `~` as it is.
        let text = bare(value.text());
        let tilde = text.strip_prefix('~').map(|rest| format!("\\~{rest}"));
        Some((value, shell::literal(tilde.as_deref().unwrap_or(text))?))
    };
    let number = |name: &str| {
        let (cursor, text) = written(name)?;
        Some((cursor, text.trim().parse::<i64>().ok()?))
    };
    let mut refuse = |cursor: &Cursor, detail: &str| {
        found.push(warn(trap::PARAMETER_TYPE, cursor, detail));
    };
    for (name, _) in PORTS {
        let Some((cursor, port)) = number(name) else {
            continue;
        };
        let least = match name {
            "ray-client-server-port" | "runtime-env-agent-port" => 1024,
            _ => 0,
        };
        if !(least..=65535).contains(&port) {
            let detail = format!("{name} takes a port from {least} to 65535, not {port}");
            refuse(cursor, &detail);
        }
    }
    for name in ["min-worker-port", "max-worker-port"] {
        if let Some((cursor, port)) = number(name)
            && port != 0
            && !(1024..=65535).contains(&port)
        {
            let detail = format!("{name} takes 0 or a port from 1024 to 65535, not {port}");
            refuse(cursor, &detail);
        }
    }
    if let (Some((_, least)), Some((cursor, most))) =
        (number("min-worker-port"), number("max-worker-port"))
        && most != 0
        && (1024..=65535).contains(&most)
        && most <= least
    {
        refuse(
            cursor,
            &format!("max-worker-port must be higher than min-worker-port, and {most} is not"),
        );
    }
    if let Some((cursor, size)) = number("object-store-memory")
        && size < SMALLEST_STORE
    {
        let detail =
            format!("object-store-memory takes {SMALLEST_STORE} bytes or more, not {size}");
        refuse(cursor, &detail);
    }
    if let Some((cursor, folder)) = written("temp-dir")
        && !folder.starts_with('/')
    {
        let detail = format!("temp-dir takes an absolute path, not {folder:?}");
        refuse(cursor, &detail);
    }
    if let Some((cursor, text)) = written("resources")
        && let Some(detail) = resources(&text)
    {
        refuse(cursor, &detail);
    }
    let given = |name: &str| parameters.iter().any(|(own, _)| *own == name);
    taken_twice(group, &given, &number, found);
}

/// A value without blanks at its end, which bash drops.
pub(super) fn bare(text: &str) -> &str {
    let bare = text.trim_end_matches([' ', '\t']);
    // A backslash hides the first of them.
    if bare.ends_with('\\') { text } else { bare }
}

/// Returns the problem for which Ray rejects resources that are a JSON object.
fn resources(text: &str) -> Option<String> {
    let Ok(Value::Object(resources)) = serde_json::from_str(text) else {
        return None;
    };
    for (name, value) in &resources {
        if let Some((_, option)) = OWN_OPTIONS.iter().find(|(own, _)| own == name) {
            return Some(format!("resources can't hold {name}, which is `{option}`"));
        }
        let whole = value
            .as_f64()
            .is_some_and(|value| value.fract() == 0.0 && value >= 0.0);
        if !whole && !value.is_boolean() {
            return Some(format!(
                "resources takes whole numbers of 0 or more, and {name} is {value}"
            ));
        }
    }
    None
}

/// Two components of Ray that take the same port.
fn taken_twice<'a>(
    group: &Group,
    given: &dyn Fn(&str) -> bool,
    number: &dyn Fn(&str) -> Option<(&'a Cursor<'a>, i64)>,
    found: &mut Vec<Warning>,
) {
    let mut taken: Vec<(&str, i64)> = Vec::new();
    for (name, default) in PORTS {
        let own = match (number(name), default) {
            (None, _) if given(name) => None,
            (Some((_, port)), _) | (None, Default::Always(port)) => Some(port),
            (None, Default::OnHead(port)) => group.is_head().then_some(port),
            (None, Default::Random) => None,
        };
        taken.extend(own.filter(|port| *port != 0).map(|port| (name, port)));
    }
    let written = ["min-worker-port", "max-worker-port", "worker-port-list"];
    let workers = match (number("min-worker-port"), number("max-worker-port")) {
        (Some((_, least)), Some((_, most))) if least > 0 => Some((least, most)),
        _ if written.iter().any(|name| given(name)) => None,
        _ => Some(WORKER_PORTS),
    };
    for (name, _) in PORTS {
        let Some((cursor, port)) = number(name) else {
            continue;
        };
        let other = taken
            .iter()
            .find(|(other, taken)| *other != name && *taken == port);
        // Of two that are written the later one is reported.
        let other = other.filter(|(other, _)| {
            number(other).is_none_or(|(first, _)| {
                let at = |cursor: &Cursor| cursor.node.place.span.start;
                at(first) < at(cursor)
            })
        });
        let detail = if let Some((other, _)) = other {
            format!("{name} takes port {port}, which {other} takes, too")
        } else if let Some((least, most)) = workers
            && (least..=most).contains(&port)
        {
            format!("{name} takes port {port}, one of the workers' ports, {least} to {most}")
        } else {
            continue;
        };
        found.push(warn(trap::PARAMETER_TYPE, cursor, &detail));
    }
}
