//! Whether a cluster looks like one for tests: a name typed by mistake must not send scenarios into production.

/// How local clusters are called by the tools that make them.
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

/// Why a context does not look like one of a test cluster, as the end of a sentence; `None` when it does. `names` are
/// those of the context and of its cluster, `server` is the API server's address.
pub(super) fn refusal(names: &[&str], server: &str) -> Option<String> {
    let host = host(server);
    let words: Vec<String> = names.iter().copied().chain([host]).flat_map(words).collect();
    if let Some(word) = words.iter().find(|word| FOR_USERS.contains(&word.as_str())) {
        return Some(format!("`{word}` in its name says that people rely on it"));
    }
    let is_local = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    let from_tool = names.iter().any(|name| {
        LOCAL_TOOLS
            .iter()
            .any(|tool| *name == *tool || name.starts_with(&format!("{tool}-")))
    });
    let for_tests = words.iter().any(|word| FOR_TESTS.contains(&word.as_str()));
    if is_local || from_tool || for_tests {
        return None;
    }
    Some(format!(
        "neither its name ({}) nor its server ({host}) says that it is for tests",
        names.join(", ")
    ))
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
    match rest.strip_prefix('[').and_then(|inner| inner.find(']')) {
        Some(end) => &rest[..end + 2],
        None => rest.rsplit_once(':').map_or(rest, |(host, _)| host),
    }
}

#[cfg(test)]
mod tests;
