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
mod tests {
    use rstest::rstest;

    use super::{host, refusal};

    #[rstest]
    #[case::kind(&["kind-kuberay", "kind-kuberay"], "https://127.0.0.1:6443")]
    #[case::kind_on_another_machine(&["kind-kuberay"], "https://builder:6443")]
    #[case::loopback(&["mine"], "https://localhost:6443")]
    #[case::loopback_six(&["mine"], "https://[::1]:6443")]
    #[case::word(&["gke_team-ray_europe-west1_ray-test", "x"], "https://10.0.0.1")]
    #[case::word_of_the_cluster(&["mine", "arn:aws:eks:eu-west-1:1:cluster/e2e"], "https://abc.eks.example")]
    #[case::desktop(&["docker-desktop"], "https://kubernetes.docker.internal:6443")]
    fn looks_like_one_for_tests(#[case] names: &[&str], #[case] server: &str) {
        assert_eq!(refusal(names, server), None);
    }

    #[rstest]
    #[case::production(&["gke_prod_europe"], "https://10.0.0.1", "`prod`")]
    #[case::production_although_test(&["prod-test"], "https://10.0.0.1", "`prod`")]
    #[case::production_although_local(&["production"], "https://127.0.0.1:6443", "`production`")]
    #[case::production_by_its_server(&["mine"], "https://api.prod.example.com:6443", "`prod`")]
    #[case::says_nothing(&["team-ray", "ray-1"], "https://api.example.com", "neither its name (team-ray, ray-1)")]
    #[case::only_a_part_of_a_word(&["latest-devices"], "https://10.0.0.1", "neither")]
    fn does_not(#[case] names: &[&str], #[case] server: &str, #[case] why: &str) {
        let refused = refusal(names, server).expect("refused");
        assert!(refused.contains(why), "{refused}");
    }

    #[rstest]
    #[case("https://api.example.com:6443/k8s/clusters/c-1", "api.example.com")]
    #[case("https://[::1]:6443", "[::1]")]
    #[case("api.example.com", "api.example.com")]
    fn hosts(#[case] server: &str, #[case] expected: &str) {
        assert_eq!(host(server), expected);
    }
}
