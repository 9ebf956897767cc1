use assertables::{assert_ends_with, assert_starts_with};

use super::*;

fn job(change: impl FnOnce(&mut Value)) -> Value {
    let mut job = json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": "j", "annotations": {"ray.io/overwrite-container-cmd": "true"}},
        "spec": {"entrypoint": " python -c \"print(1)\" && echo a\n", "rayClusterSpec": cluster(|_| {})["spec"]},
    });
    change(&mut job);
    job
}

#[test]
fn annotations_and_names_of_parents() {
    let overwritten = ray("1.6.2", &job(|_| {}));
    assert!(overwritten.command.is_empty());
    assert_ends_with!(
        value(&overwritten, "RAY_USAGE_STATS_EXTRA_TAGS").unwrap(),
        "kuberay_crd=RayJob"
    );
    let host =
        |version: &str| value(&worker(version, &job(|_| {})).containers[0], "RAY_IP").unwrap();
    assert_eq!(host("1.3.2"), "j-raycluster-xxxxx-head-svc");
    assert_eq!(host("1.4.2"), "j-xxxxx-head-svc");
    let known = job(|job| job["status"] = json!({"rayClusterName": "j-abcde"}));
    assert_eq!(
        value(&worker("1.6.2", &known).containers[0], "RAY_IP").unwrap(),
        "j-abcde-head-svc"
    );
}

#[test]
fn submitters_of_each_time() {
    let submitter = |version: &str| {
        let pod = pods(version, &job(|job| job["spec"]["jobId"] = json!("id")))
            .pop()
            .unwrap();
        assert_eq!(pod.role, PodRole::Submitter);
        pod.containers.into_iter().next().unwrap()
    };
    let address = "http://j-raycluster-xxxxx-head-svc.default.svc.cluster.local:8265";
    let old = submitter("1.2.2");
    assert_eq!(
        old.command,
        [
            "ray",
            "job",
            "submit",
            "--address",
            address,
            "--submission-id",
            "id",
            "--",
            "python",
            "-c",
            "print(1)",
            "&&",
            "echo",
            "a"
        ]
    );
    assert!(old.args.is_empty());
    let script = |address: &str| {
        format!(
            "if ! ray job status --address {address} id >/dev/null 2>&1 ; then ray job submit --address {address} --no-wait \
             --submission-id id -- python -c \"print(1)\" && echo a ; fi ; ray job logs --address {address} --follow id"
        )
    };
    let early_script = format!(
        "if ray job status --address {address} id >/dev/null 2>&1 ; then ray job logs --address {address} --follow id ; \
         else ray job submit --address {address} --submission-id id -- python -c \"print(1)\" && echo a ; fi"
    );
    for release in ["1.3.0", "1.3.1"] {
        let early = submitter(release);
        assert_eq!(early.command, ["/bin/bash"], "{release}");
        assert_eq!(args(&early), ["-c", &early_script], "{release}");
    }
    let bash = submitter("1.3.2");
    assert_eq!(bash.command, ["/bin/bash"]);
    assert_eq!(args(&bash), ["-ce".to_owned(), script(address)]);
    let address = "http://j-xxxxx-head-svc.default.svc.cluster.local:8265";
    let new = submitter("1.6.2");
    assert_eq!(new.command, ["/bin/bash", "-ce", "--"]);
    assert_eq!(args(&new), [script(address)]);
    assert_eq!(
        names(&new),
        [
            "PYTHONUNBUFFERED",
            "RAY_DASHBOARD_ADDRESS",
            "RAY_JOB_SUBMISSION_ID"
        ]
    );
    let waits = args(&submitter("1.7.0")).remove(0);
    assert_starts_with!(
        waits,
        "until python -c \"import urllib.request; r=urllib.request.urlopen('http://j-xxxxx-head-svc"
    );
    assert_ends_with!(waits, script(address).as_str());
}

#[test]
fn options_of_a_job() {
    let object = job(|job| {
        let spec = &mut job["spec"];
        spec["runtimeEnvYAML"] = json!("pip: [\"a<1\"]\nenv_vars: {B: \"1\"}\n");
        spec["metadata"] = json!({"k": "v"});
        spec["entrypointNumCpus"] = json!(0.5);
        spec["entrypointResources"] = json!("{\"a\": 1}");
        spec["rayClusterSpec"]["rayVersion"] = json!("2.52.0");
    });
    let text = args(&pods("1.6.2", &object).pop().unwrap().containers[0]).remove(0);
    let options = r#"--no-wait --runtime-env-json "{\"env_vars\":{\"B\":\"1\"},\"pip\":[\"a\\u003c1\"]}" --metadata-json "{\"k\":\"v\"}" --submission-id j-xxxxx --entrypoint-num-cpus 0.500000 --entrypoint-resources "{\"a\": 1}" -- "#;
    assert!(text.contains(options), "{text}");
    let old = pods("1.2.2", &object)
        .pop()
        .unwrap()
        .containers
        .remove(0)
        .command;
    assert_eq!(
        old[5..9],
        [
            "--runtime-env-json",
            r#"{"env_vars":{"B":"1"},"pip":["a\u003c1"]}"#,
            "--metadata-json",
            r#"{"k":"v"}"#
        ]
    );
}

#[test]
fn a_submitter_beside_the_head() {
    let object = job(|job| job["spec"]["submissionMode"] = json!("SidecarMode"));
    let pods = pods("1.5.1", &object);
    assert_eq!(pods.len(), 2);
    let sidecar = &pods[0].containers[1];
    assert_eq!(sidecar.kind, ContainerKind::Submitter);
    assert_eq!(sidecar.name.as_str(), "ray-job-submitter");
    assert_eq!(
        args(sidecar),
        [
            "until wget --tries 1 -T 10 -q -O- http://localhost:8265/api/gcs_healthz | grep success >/dev/null 2>&1 ; do echo \
          \"Waiting for Ray Dashboard GCS to become healthy at http://127.0.0.1:8265 ...\" ; sleep 2 ; done ; ray job submit \
          --address http://127.0.0.1:8265 --submission-id j-xxxxx -- python -c \"print(1)\" && echo a ;"
        ]
    );
    assert_eq!(value(sidecar, "RAY_DASHBOARD_ADDRESS").unwrap(), "");
}

#[test]
fn other_ways_to_submit_need_no_pod() {
    for mode in ["HTTPMode", "InteractiveMode"] {
        assert_eq!(
            pods(
                "1.6.2",
                &job(|job| job["spec"]["submissionMode"] = json!(mode))
            )
            .len(),
            2
        );
    }
    let own = job(|job| {
        job["spec"]["submitterPodTemplate"] =
            json!({"spec": {"containers": [{"name": "s", "command": ["c"], "args": ["d"]}]}});
    });
    let container = pods("1.6.2", &own).pop().unwrap().containers.remove(0);
    assert_eq!(container.command, vec!["c".to_owned()]);
    assert_eq!(args(&container_of(&own)), vec!["d".to_owned()]);
    let selected = job(|job| {
        job["spec"]["clusterSelector"] = json!({"ray.io/cluster": "c"});
        job["spec"]
            .as_object_mut()
            .unwrap()
            .remove("rayClusterSpec");
    });
    assert_eq!(pods("1.6.2", &selected).len(), 1);
}

fn container_of(object: &Value) -> ContainerContract {
    pods("1.6.2", object).pop().unwrap().containers.remove(0)
}

#[test]
fn services_have_shorter_timeouts() {
    let object = json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": {"name": "s"},
        "spec": {"rayClusterConfig": cluster(|_| {})["spec"]},
    });
    for version in RELEASES {
        let head = ray(version, &object);
        assert_eq!(value(&head, "RAY_SERVE_KV_TIMEOUT_S").unwrap(), "5");
        assert_eq!(
            value(&head, "RAY_INTERNAL_SERVE_CONTROLLER_PIN_ON_NODE").is_some(),
            version == "1.0.0"
        );
        assert!(
            args(&head)[0].contains("--dashboard-agent-listen-port=52365"),
            "{version}"
        );
    }
}

#[test]
fn a_runtime_environment_is_read_as_go_reads_yaml() {
    let object = job(|job| {
        job["spec"]["runtimeEnvYAML"] = json!(
            "env_vars:\n  RATE: 2E-6\n  RELEASE: 3.0\n  UMASK: 0644\n  y: 5e2\n  SIZE: 1_024\n  RATE: 4E-7\n"
        );
    });
    let command = pods("1.2.2", &object)
        .pop()
        .unwrap()
        .containers
        .remove(0)
        .command;
    let at = command
        .iter()
        .position(|word| word == "--runtime-env-json")
        .unwrap();
    assert_eq!(
        command[at + 1],
        r#"{"env_vars":{"RATE":4e-7,"RELEASE":3,"SIZE":1024,"UMASK":420,"true":500}}"#
    );
}

#[test]
fn an_entrypoint_is_split_as_the_operator_splits_it() {
    let entrypoint = "python train.py \\\n  --match \"\\w+\" --out C:\\data\rend";
    let object = job(|job| job["spec"]["entrypoint"] = json!(entrypoint));
    let command = pods("1.2.2", &object)
        .pop()
        .unwrap()
        .containers
        .remove(0)
        .command;
    let at = command.iter().position(|word| word == "--").unwrap();
    assert_eq!(
        command[at + 1..],
        [
            "python", "train.py", "\n", "--match", "w+", "--out", "C:data", "end"
        ]
    );
    let open = job(|job| job["spec"]["entrypoint"] = json!("echo 'open"));
    let roles: Vec<PodRole> = pods("1.2.2", &open).iter().map(|pod| pod.role).collect();
    let expected = [PodRole::Head, PodRole::Worker];
    assert_eq!(roles, expected, "the operator makes no submitter");
}

#[test]
fn a_selected_cluster_is_where_the_job_goes() {
    let object = job(|job| {
        job["spec"]["clusterSelector"] = json!({"ray.io/cluster": "shared"});
        job["spec"]
            .as_object_mut()
            .unwrap()
            .remove("rayClusterSpec");
    });
    let text = args(&pods("1.6.2", &object)[0].containers[0]).remove(0);
    assert!(
        text.contains(" http://shared-head-svc.default.svc.cluster.local:8265 "),
        "{text}"
    );
}
