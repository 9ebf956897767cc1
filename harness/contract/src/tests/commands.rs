use assertables::{assert_contains, assert_ends_with, assert_not_contains};
use rstest::rstest;

use super::*;

const FLAGS: &str = "ray start --head  --block  --dashboard-agent-listen-port=52365  --dashboard-host=0.0.0.0  \
                     --metrics-export-port=8080 ";

#[rstest]
#[case(
    "1.0.0",
    "-lc",
    "ulimit -n 65536; ray start --head  --block  --dashboard-host=0.0.0.0  --metrics-export-port=8080 "
)]
#[case("1.3.2", "-lc", &format!("ulimit -n 65536; {FLAGS}"))]
#[case("1.4.2", "-c", &format!("ulimit -n 65536; {FLAGS}"))]
#[case("1.7.0", "-c", &format!("ulimit -n ${{RAY_START_ULIMIT_OPEN_FILES:-65536}}; {FLAGS}"))]
fn a_head_without_a_command(#[case] version: &str, #[case] options: &str, #[case] expected: &str) {
    let ray = ray(version, &cluster(|_| {}));
    assert_eq!(ray.command, ["/bin/bash", options, "--"]);
    assert_eq!(args(&ray), [expected]);
    assert_eq!(
        ray.args[0].is_exact(),
        release(version) >= FLAGS_SORTED_SINCE
    );
}

#[rstest]
#[case(json!({"command": ["echo 123"], "args": ["456"]}), " echo 123  456 ")]
#[case(json!({"args": ["a", "b"]}), " a  b ")]
#[case(json!({"command": ["a\n"]}), " a\n ")]
#[case(json!({"command": ["ray", "start", "--head"]}), " ray  start  --head ")]
#[case(json!({"command": [""]}), "  ")]
#[case(json!({"command": ["echo \"$X\" 'é世' `id`"]}), " echo \"$X\" 'é世' `id` ")]
fn the_users_words_come_first(#[case] container: Value, #[case] user: &str) {
    for version in RELEASES {
        let ray = ray(version, &head_with(&container, json!({})));
        let text = &args(&ray)[0];
        let rest = text
            .strip_prefix(user)
            .unwrap_or_else(|| panic!("{version}: {text}"));
        assert!(rest.starts_with(" && ulimit -n "), "{version}: {text}");
    }
}

#[test]
fn ray_start_in_the_text_passes() {
    let object = head_with(
        &json!({"command": ["bash", "-c"], "args": ["echo before ray start"]}),
        json!({}),
    );
    for version in RELEASES {
        let ray = ray(version, &object);
        assert_eq!(ray.command, ["bash", "-c"]);
        assert_eq!(args(&ray), ["echo before ray start"]);
        assert_eq!(
            value(&ray, "KUBERAY_GEN_RAY_START_CMD").is_some(),
            version != "1.0.0"
        );
        assert_contains!(ray.features, &Feature::RayStartInText);
    }
}

#[rstest]
#[case::cluster("/metadata/annotations", "true", true, true)]
#[case::any_case("/metadata/annotations", "TruE", true, true)]
#[case::not_true("/metadata/annotations", "yes", false, false)]
#[case::head_alone(
    "/spec/headGroupSpec/template/metadata/annotations",
    "true",
    true,
    false
)]
#[case::worker_alone(
    "/spec/workerGroupSpecs/0/template/metadata/annotations",
    "True",
    false,
    true
)]
fn the_annotation(
    #[case] place: &str,
    #[case] text: &str,
    #[case] head: bool,
    #[case] of_worker: bool,
) {
    let object = cluster(|cluster| {
        let mut node = cluster;
        for part in place.split('/').skip(1) {
            node = match part.parse::<usize>() {
                Ok(index) => &mut node[index],
                Err(_) => &mut node[part],
            };
        }
        *node = json!({"ray.io/overwrite-container-cmd": text});
    });
    for version in RELEASES {
        let kept = |container: &ContainerContract| {
            container.command.is_empty() && container.args.is_empty()
        };
        assert_eq!(
            kept(&ray(version, &object)),
            head && version != "1.0.0",
            "{version}"
        );
        assert_eq!(
            kept(&worker(version, &object).containers[0]),
            of_worker && version != "1.0.0",
            "{version}"
        );
    }
}

/// The flags of a head with these resources and parameters, without those that every head has.
fn flags(version: &str, resources: &Value, params: Value) -> Vec<String> {
    let ray = ray(
        version,
        &head_with(&json!({ "resources": resources }), params),
    );
    let common = [
        " --block ",
        " --dashboard-agent-listen-port=52365 ",
        " --dashboard-host=0.0.0.0 ",
        " --metrics-export-port=8080 ",
    ];
    let own = ray.args[0]
        .flags
        .iter()
        .filter(|forms| !common.contains(&forms[0].as_str()));
    own.map(|forms| forms.join("|")).collect()
}

#[rstest]
#[case::layer("1.6.2", json!({"limits": {"cpu": "500m", "memory": "2Gi"}}), json!({}), &[" --memory=2147483648 ", " --num-cpus=1 "])]
#[case::up("1.6.2", json!({"limits": {"cpu": "1500m", "memory": "1G"}}), json!({}), &[" --memory=1000000000 ", " --num-cpus=2 "])]
#[case::number("1.6.2", json!({"limits": {"cpu": 4}}), json!({}), &[" --num-cpus=4 "])]
#[case::request_old("1.2.2", json!({"requests": {"cpu": "4", "memory": "2Gi"}}), json!({}), &[])]
#[case::request("1.3.2", json!({"requests": {"cpu": "4", "memory": "2Gi"}}), json!({}), &[" --num-cpus=4 "])]
#[case::zero("1.3.2", json!({"limits": {"cpu": "0"}, "requests": {"cpu": "3"}}), json!({}), &[" --num-cpus=3 "])]
#[case::own("1.6.2", json!({"limits": {"cpu": "4", "memory": "1Gi"}}), json!({"num-cpus": "0", "memory": "5"}), &[" --memory=5 ", " --num-cpus=0 "])]
#[case::gpu("1.0.0", json!({"limits": {"nvidia.com/gpu": "2"}}), json!({}), &[" --num-gpus=2 "])]
#[case::any_gpu("1.2.2", json!({"limits": {"nvidia.com/gpu": "2", "amd.com/gpu": "1"}}), json!({}), &[" --num-gpus=1 | --num-gpus=2 "])]
#[case::first_gpu("1.3.2", json!({"limits": {"nvidia.com/gpu": "2", "amd.com/gpu": "1"}}), json!({}), &[" --num-gpus=1 "])]
#[case::not_zero_gpu("1.3.2", json!({"limits": {"nvidia.com/gpu": "2", "amd.com/gpu": "0"}}), json!({}), &[" --num-gpus=2 "])]
#[case::no_mig("1.3.2", json!({"limits": {"nvidia.com/mig-1g.5gb": "2"}}), json!({}), &[])]
#[case::mig("1.4.2", json!({"limits": {"nvidia.com/mig-1g.5gb": "2"}}), json!({}), &[" --num-gpus=2 "])]
#[case::no_tpu("1.2.2", json!({"limits": {"google.com/tpu": "4"}}), json!({}), &[])]
#[case::tpu("1.3.2", json!({"limits": {"google.com/tpu": "4"}}), json!({}), &[r#" --resources='{"TPU":4}' "#])]
#[case::first("1.3.2", json!({"limits": {"google.com/tpu": "4", "aws.amazon.com/neuroncore": "2"}}), json!({}), &[r#" --resources='{"neuron_cores":2}' "#])]
#[case::merged("1.3.2", json!({"limits": {"google.com/tpu": "4"}}), json!({"resources": "'{\"a\": 1.50}'"}), &[r#" --resources='{"TPU":4,"a":1.5}' "#])]
#[case::there("1.3.2", json!({"limits": {"google.com/tpu": "4"}}), json!({"resources": "'{\"TPU\": 1}'"}), &[r#" --resources='{"TPU": 1}' "#])]
#[case::escaped("1.3.2", json!({"limits": {"nvidia.com/gpu": "2"}}), json!({"resources": "\"{\\\"a\\\": 1}\""}), &[r#" --resources="{\"a\": 1}" "#])]
#[case::escaped_old("1.2.2", json!({"limits": {"nvidia.com/gpu": "2"}}), json!({"resources": "\"{\\\"a\\\": 1}\""}), &[" --num-gpus=2 ", r#" --resources="{\"a\": 1}" "#])]
fn resources_become_flags(
    #[case] version: &str,
    #[case] resources: Value,
    #[case] params: Value,
    #[case] expected: &[&str],
) {
    let mut expected: Vec<String> = expected.iter().map(|&flag| flag.into()).collect();
    if version == "1.0.0" {
        expected.sort();
    }
    assert_eq!(flags(version, &resources, params), expected);
}

#[rstest]
#[case("1.6.2", json!({"num-cpus": "True", "x": "false", "y": "FALSE"}), &[" --num-cpus "])]
#[case("1.6.2", json!({"log-color": "false", "include-dashboard": "True"}), &[" --include-dashboard=True ", " --log-color=false "])]
#[case("1.6.2", json!({"include-log-monitor": "false"}), &[])]
#[case("1.7.0", json!({"include-log-monitor": "false"}), &[" --include-log-monitor=false "])]
#[case("1.6.2", json!({"a": "", "b": "$X; y"}), &[" --a= ", " --b=$X; y "])]
fn parameters_become_flags(
    #[case] version: &str,
    #[case] params: Value,
    #[case] expected: &[&str],
) {
    assert_eq!(flags(version, &json!({}), params), expected);
}

#[test]
fn block_false_counts_in_1_0_alone() {
    let object = head_with(&json!({}), json!({"block": "false"}));
    assert_ends_with!(
        args(&ray("1.0.0", &object))[0],
        "--metrics-export-port=8080  && sleep infinity"
    );
    assert_not_contains!(args(&ray("1.0.0", &object))[0], "--block");
    for version in &RELEASES[1..] {
        let text = &args(&ray(version, &object))[0];
        assert!(text.contains(" --block "), "{version}: {text}");
        assert!(!text.contains("sleep"), "{version}: {text}");
    }
}

#[test]
fn group_fields_become_flags_from_1_5() {
    let object = cluster(|cluster| {
        let group = &mut cluster["spec"]["headGroupSpec"];
        group["resources"] = json!({"CPU": "1500m", "memory": "1Gi", "nvidia.com/GPU": "1", "a": "500m", "bad": "x"});
        group["labels"] = json!({"b": "2", "a": "1"});
    });
    let own = |version: &str| {
        let text = args(&ray(version, &object)).remove(0);
        [
            "--num-cpus=2",
            "--memory=1073741824",
            "--num-gpus=1",
            "--resources='{\"a\":0.5}'",
            "--labels=a=1,b=2",
        ]
        .map(|flag| text.contains(flag))
    };
    assert_eq!(own("1.4.2"), [false; 5]);
    assert_eq!(own("1.5.1"), [true; 5]);
}

#[test]
fn workers_get_the_heads_address() {
    let object = cluster(|cluster| {
        cluster["spec"]["headGroupSpec"]["rayStartParams"] = json!({"port": "7000"});
    });
    let text = args(&worker("1.6.2", &object).containers[0]).remove(0);
    assert_eq!(
        text,
        "ulimit -n 65536; ray start  --address=c-head-svc.n.svc.cluster.local:7000  --block  \
         --dashboard-agent-listen-port=52365  --metrics-export-port=8080 "
    );
}

#[test]
fn long_names_are_shortened_until_1_4() {
    let name = "a".repeat(60);
    let object = cluster(|cluster| cluster["metadata"]["name"] = json!(name));
    let host = |version: &str| value(&worker(version, &object).containers[0], "RAY_IP").unwrap();
    assert_eq!(host("1.3.2"), format!("{}-head-svc", "a".repeat(41)));
    assert_eq!(host("1.4.2"), format!("{name}-head-svc"));
    let object = cluster(|cluster| {
        cluster["spec"]["headGroupSpec"]["headService"] = json!({"metadata": {"name": "own"}});
    });
    let settings = EffectiveSettings {
        env: [("CLUSTER_DOMAIN".to_owned(), "example".to_owned())].into(),
        ..EffectiveSettings::default()
    };
    let pods = predict(&release("1.6.2"), &settings, &object).unwrap();
    assert_eq!(
        value(&pods[1].containers[0], "FQ_RAY_IP").unwrap(),
        "own.n.svc.example"
    );
}

#[test]
fn the_login_shell_comes_back_on_request() {
    let settings = EffectiveSettings {
        env: [("ENABLE_LOGIN_SHELL".to_owned(), "TRUE".to_owned())].into(),
        ..EffectiveSettings::default()
    };
    for (version, expected) in [("1.3.2", "-lc"), ("1.4.2", "-cl")] {
        let object = cluster(|cluster| cluster["spec"]["enableInTreeAutoscaling"] = json!(true));
        for pod in predict(&release(version), &settings, &object).unwrap() {
            for container in pod.all() {
                assert_eq!(
                    container.command,
                    ["/bin/bash", expected, "--"],
                    "{}",
                    container.name
                );
            }
        }
    }
}

#[rstest]
#[case(json!({"kind": "Pod"}), "not `Pod`")]
#[case(json!({"kind": "RayCluster", "metadata": {}}), "spec")]
#[case(head_with(&json!({"args": [1]}), json!({})), "spec.headGroupSpec.template.spec.containers[0].args[0]")]
#[case(head_with(&json!({}), json!({"num-cpus": 1})), "spec.headGroupSpec.rayStartParams.num-cpus")]
#[case(head_with(&json!({"resources": {"limits": {"cpu": "1x"}}}), json!({})), "limits.cpu: \"1x\" is not a quantity")]
#[case(cluster(|cluster| cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"] = json!([])), "spec.headGroupSpec.template.spec.containers: contains no")]
fn an_object_that_cannot_be_is_an_error(#[case] object: Value, #[case] message: &str) {
    let error = predict(&release("1.6.2"), &EffectiveSettings::default(), &object)
        .unwrap_err()
        .to_string();
    assert!(error.contains(message), "{error}");
}
