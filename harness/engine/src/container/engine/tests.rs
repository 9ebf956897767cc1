use rstest::rstest;

use super::super::host::Cgroup;
use super::*;

fn host(cgroup: Cgroup, sys_resource: bool) -> Host {
    Host {
        cgroup,
        sys_resource,
        ..Host::read(Path::new("/"), Path::new("/"))
    }
}

#[rstest]
#[case(Cgroup::V2, true, "pids_limit = 0\n")]
#[case(Cgroup::Hybrid, true, "pids_limit = 0\n[engine]\nruntime = \"runc\"\n")]
#[case(
    Cgroup::V2,
    false,
    "pids_limit = 0\ndefault_ulimits = []\n[engine]\nruntime = \"runc\"\n"
)]
fn podman_gets_what_the_machine_needs(
    #[case] cgroup: Cgroup,
    #[case] sys_resource: bool,
    #[case] expected: &str,
) {
    let text = containers_conf(&host(cgroup, sys_resource));
    assert_eq!(text.split_once("[containers]\n").unwrap().1, expected);
}

/// Podman of another process may have opened them.
#[test]
fn settings_of_podman_are_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("containers.conf");
    write_conf(folder.path(), &path, "pids_limit = 0\n").unwrap();
    let mut opened = std::fs::File::open(&path).unwrap();
    write_conf(folder.path(), &path, "pids_limit = 1\n").unwrap();
    assert_eq!(
        std::io::read_to_string(&mut opened).unwrap(),
        "pids_limit = 0\n"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "pids_limit = 1\n");
}

#[rstest]
#[case("4.3.1", "CONTAINERS_CONF")]
#[case("5.4.0", "CONTAINERS_CONF_OVERRIDE")]
fn the_users_settings_stay_where_podman_allows_it(#[case] version: &str, #[case] expected: &str) {
    assert_eq!(conf_variable(version), expected);
}

#[rstest]
#[case(
    r#"{"Version":"28.2.2","Components":[{"Name":"Engine"}]}"#,
    Ok("28.2.2")
)]
#[case(
    r#"{"Version":"4.3.1","Components":[{"Name":"Podman Engine"}]}"#,
    Err("connects to podman")
)]
#[case("null", Err("no daemon"))]
#[case("what?", Err("unexpected answer"))]
fn the_server_is_told_from_the_client(#[case] answer: &str, #[case] expected: Result<&str, &str>) {
    match (docker_server(answer), expected) {
        (Ok(version), Ok(expected)) => assert_eq!(version, expected),
        (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
        (found, expected) => panic!("{found:?} instead of {expected:?}"),
    }
}

#[test]
fn kind_is_told_engine_and_network() {
    let engine = Engine {
        kind: EngineKind::Docker,
        version: "28".into(),
        environment: vec![],
        storage: "/var/lib/docker".into(),
    };
    let command = engine.kind_command(Path::new("/x/kind"), "ours");
    let set: Vec<_> = command
        .as_std()
        .get_envs()
        .map(|(name, value)| (name.to_str(), value.and_then(|v| v.to_str())))
        .collect();
    assert!(
        set.contains(&(Some("KIND_EXPERIMENTAL_DOCKER_NETWORK"), Some("ours"))),
        "{set:?}"
    );
    assert!(
        set.contains(&(Some("KIND_EXPERIMENTAL_PROVIDER"), Some("docker"))),
        "{set:?}"
    );
}

#[tokio::test]
async fn without_an_engine_the_error_says_what_to_install() {
    let error = EngineError::None(vec![
        "docker: not installed".into(),
        "podman: not installed".into(),
    ]);
    let text = error.to_string();
    assert!(text.contains("- docker: not installed\n"), "{text}");
    assert!(text.contains("apt-get install podman"), "{text}");
}
