//! Whether a cluster looks like one for tests: a name typed by mistake must not send scenarios into
//! production.

use std::net::IpAddr;

/// The names that tools give local clusters.
const LOCAL_TOOLS: [&str; 10] = [
    "kind",
    "k3d",
    "k3s",
    "minikube",
    "microk8s",
    "docker-desktop",
    "rancher-desktop",
    "orbstack",
    "colima",
    "podman",
];
/// Words that people give clusters for tests.
const FOR_TESTS: [&str; 12] = [
    "test",
    "tests",
    "testing",
    "e2e",
    "ci",
    "dev",
    "development",
    "sandbox",
    "scratch",
    "playground",
    "conformance",
    "local",
];
/// Words that say the contrary, whatever else is said.
const FOR_USERS: [&str; 5] = ["prod", "production", "prd", "live", "customer"];

/// Returns why a context does not look like one of a test cluster, as the end of a sentence; `None`
/// when it does. `names` are those of the context and of its cluster, `server` is the API server's
/// address.
///
/// The last label of a host name is no evidence: `.dev` and `.local` are domains of production
/// clusters, too. Tools put the host into the names of contexts (OpenShift writes its dots as
/// dashes), so the same holds there.
pub(super) fn refusal(names: &[&str], server: &str) -> Option<String> {
    let host = host(server);
    let mut all = names.iter().copied().chain([host]).flat_map(words);
    if let Some(word) = all.find(|word| FOR_USERS.contains(&word.as_str())) {
        return Some(format!("`{word}` in its name marks a cluster with users"));
    }
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    let is_local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let from_tool = names.iter().any(|name| {
        LOCAL_TOOLS
            .iter()
            .any(|tool| *name == *tool || name.starts_with(&format!("{tool}-")))
    });
    let dashed = host.replace('.', "-");
    let of_names = names.iter().flat_map(|name| {
        let own = if host.contains('.') {
            name.replace(&dashed, "")
        } else {
            (*name).to_owned()
        };
        own.split(['/', '@', ':'])
            .flat_map(below_top_level)
            .collect::<Vec<_>>()
    });
    let mut evidence = of_names.chain(below_top_level(host));
    if is_local || from_tool || evidence.any(|word| FOR_TESTS.contains(&word.as_str())) {
        return None;
    }
    Some(format!(
        "neither its name ({}) nor its server ({host}) marks it as a test cluster",
        names.join(", ")
    ))
}

/// Returns the words of a name without the last label of a name with dots. A dot at its end stands
/// for the root of all domains.
fn below_top_level(name: &str) -> Vec<String> {
    let name = name.trim_end_matches('.');
    words(name.rsplit_once('.').map_or(name, |(below, _)| below))
}

fn words(name: &str) -> Vec<String> {
    name.split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or_default();
    let host = match rest.strip_prefix('[').and_then(|inner| inner.find(']')) {
        Some(end) => &rest[..end + 2],
        None => rest.rsplit_once(':').map_or(rest, |(host, _)| host),
    };
    host.trim_end_matches('.')
}

#[cfg(test)]
mod tests;
