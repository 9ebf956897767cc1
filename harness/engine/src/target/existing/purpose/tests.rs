//! Tests of `purpose`.

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

#[rstest]
#[case::local(&["admin"], "https://k8s-api.corp.local:6443")]
#[case::dev(&["admin"], "https://api.acme.dev")]
#[case::reserved_for_tests(&["admin"], "https://api.acme.test")]
#[case::context_named_like_its_host(&["api.acme.dev"], "https://10.0.0.1")]
#[case::user_at_host(&["admin@api.acme.dev"], "https://10.0.0.1")]
#[case::openshift(&["ray/api-acme-dev:6443/admin", "api-acme-dev:6443"], "https://api.acme.dev:6443")]
#[case::kops(&["ray.k8s.local", "ray.k8s.local"], "https://api.ray.k8s.local")]
#[case::root_of_all_domains(&["admin"], "https://api.acme.dev.:6443")]
#[case::context_with_the_root(&["api.acme.dev."], "https://10.0.0.1")]
#[case::context_named_like_its_host_with_the_root(&["ray/api-acme-dev:6443/admin"], "https://api.acme.dev.:6443")]
#[case::only_looks_like_loopback(&["admin"], "https://127.acme.com")]
fn the_last_label_of_a_host_name_is_no_evidence_of_a_test_cluster(
    #[case] names: &[&str],
    #[case] server: &str,
) {
    let refused = refusal(names, server).expect("refused");
    assert!(refused.starts_with("neither its name"), "{refused}");
}

#[rstest]
#[case::label_before_the_last(&["admin"], "https://api.test.acme.com")]
#[case::whole_name(&["admin"], "https://e2e:6443")]
#[case::name_beside_the_host(&["ray-dev/api-acme-dev:6443/admin"], "https://api.acme.dev:6443")]
fn other_labels_are_evidence(#[case] names: &[&str], #[case] server: &str) {
    assert_eq!(refusal(names, server), None);
}
