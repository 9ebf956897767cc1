use assertables::assert_not_contains;
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use rstest::rstest;
use serde_json::json;

use super::{MASK, Redactor};
use crate::scenario::results::example;

/// Stands for a secret; no output may contain it.
const CANARY: &str = "c4n4ry-V4lue";

/// Of base64 that was cut anywhere.
const LOOSE: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[rstest]
#[case::pair(
    "login failed, password=c4n4ry-V4lue; retrying",
    "login failed, password=[redacted]; retrying"
)]
#[case::flag(
    "ray start --head --redis-password=c4n4ry-V4lue --block",
    "ray start --head --redis-password=[redacted] --block"
)]
#[case::flag_apart("curl --token c4n4ry-V4lue x", "curl --token [redacted] x")]
#[case::yaml("password: c4n4ry-V4lue\nuser: a", "password: [redacted]\nuser: a")]
#[case::json(r#"{"token":"c4n4ry-V4lue","a":1}"#, r#"{"token":"[redacted]","a":1}"#)]
#[case::json_spaces(
    r#"{"api_key": "c4n4ry-V4lue with space"}"#,
    r#"{"api_key": "[redacted]"}"#
)]
#[case::json_in_json(
    r#"{"a":"{\"token\":\"c4n4ry-V4lue\"}"}"#,
    r#"{"a":"{\"token\":\"[redacted]\"}"}"#
)]
#[case::dollar("password=$c4n4ry-V4lue", "password=[redacted]")]
#[case::env(
    "AWS_SECRET_ACCESS_KEY=c4n4ry-V4lue",
    "AWS_SECRET_ACCESS_KEY=[redacted]"
)]
#[case::access_key("access_key=c4n4ry-V4lue", "access_key=[redacted]")]
#[case::env_yaml(
    "- name: RAY_TOKEN\n  value: c4n4ry-V4lue\n",
    "- name: RAY_TOKEN\n  value: [redacted]\n"
)]
#[case::env_json(
    r#"{"name":"RAY_TOKEN","value":"c4n4ry-V4lue"}"#,
    r#"{"name":"RAY_TOKEN","value":"[redacted]"}"#
)]
#[case::env_pretty(
    "\"name\": \"API_KEY\",\n  \"value\": \"c4n4ry-V4lue\"",
    "\"name\": \"API_KEY\",\n  \"value\": \"[redacted]\""
)]
#[case::bearer("header Bearer c4n4ry-V4lue== sent", "header Bearer [redacted] sent")]
#[case::authorization("Authorization: Basic c4n4ry-V4lue", "Authorization: [redacted]")]
#[case::url(
    "GET https://me:c4n4ry-V4lue@host:1/x?y",
    "GET https://[redacted]@host:1/x?y"
)]
#[case::url_with_at("https://me:c4n4ry-V4lue@b@host/", "https://[redacted]@host/")]
#[case::query("/x?token=c4n4ry-V4lue&a=1", "/x?token=[redacted]&a=1")]
#[case::pem(
    "a\n-----BEGIN RSA PRIVATE KEY-----\nc4n4ry-V4lue\n-----END RSA PRIVATE KEY-----\nb",
    "a\n[redacted]\nb"
)]
#[case::pem_cut("a\n-----BEGIN PRIVATE KEY-----\nc4n4ry-V4lue", "a\n[redacted]")]
#[case::kubeconfig("client-key-data: c4n4ry-V4lue", "client-key-data: [redacted]")]
#[case::github("see ghp_c4n4ryV4lue0123456789x here", "see [redacted] here")]
#[case::jwt(
    "sent eyJc4n4ryV4lue.eyJc4n4ryV4lue.c4n4ryV4lue on",
    "sent [redacted] on"
)]
fn forms_of_secrets_are_masked(#[case] text: &str, #[case] expected: &str) {
    let redactor = Redactor::default();
    let (masked, count) = redactor.redact_text(text);
    assert_eq!(masked.as_str(), expected);
    assert_eq!(count, 1);
    assert_not_contains!(masked, CANARY);
    assert_eq!(
        redactor.redact_text(&masked),
        (masked.clone(), 0),
        "masking twice changes nothing"
    );
}

#[rstest]
#[case("INFO: waiting for ray head to start")]
#[case(
    " echo 123  456  && ulimit -n 65536; ray start --head  --dashboard-host=0.0.0.0  --num-cpus=1 "
)]
#[case("secretName: ray-tls\n")]
#[case("automountServiceAccountToken: true\n")]
#[case("expirationSeconds: 3607\npath: token\n")]
#[case("secretKeyRef:\n  name: redis\n  key: password\n")]
#[case("--redis-password=$REDIS_PASSWORD --block")]
#[case("--redis-password=\"$REDIS_PASSWORD\"")]
#[case("imagePullSecrets: []\n")]
#[case("secret:\n  optional: true\n")]
#[case("https://docs.ray.io/en/latest@x")]
#[case("quay.io/kuberay/operator@sha256:0f3a")]
#[case("mail to someone@example.com")]
fn ordinary_text_stays(#[case] text: &str) {
    assert_eq!(Redactor::default().redact_text(text), (text.to_owned(), 0));
}

#[test]
fn known_values_are_masked_wherever_they_stand() {
    let literals = [CANARY, "c4n4ry-V4lue-longer", "two\nlines", "abc", "a.b+c"];
    let redactor = Redactor::new(literals.map(str::to_owned));
    let text = "x c4n4ry-V4lue-longer y c4n4ry-V4luez {two\nlines} \"two\\nlines\" abc a.b+c aXbbc";
    let (masked, count) = redactor.redact_text(text);
    assert_eq!(
        masked,
        format!("x {MASK} y {MASK}z {{{MASK}}} \"{MASK}\" abc {MASK} aXbbc")
    );
    assert_eq!(count, 5);
}

#[test]
fn a_run_quotes_no_secret() {
    let mut run = example::run();
    let check = &mut run.cases[1].checks[0];
    for text in [&mut check.expected, &mut check.found, &mut check.diff] {
        *text = Some(format!("+ token={CANARY}"));
    }
    check.message = format!("found {CANARY}");
    run.cases[1].reason = Some(CANARY.into());
    run.interrupted = Some(format!("the server {CANARY} did not answer"));
    let count = Redactor::new([CANARY.to_owned()]).redact_run(&mut run);
    assert_eq!(count, 6);
    assert_not_contains!(serde_json::to_string(&run).unwrap(), CANARY);
}

#[test]
fn objects_are_scrubbed() {
    let mut list = json!({"kind": "List", "items": [
        {"kind": "Secret", "metadata": {
            "name": "s",
            "managedFields": [{}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY, "kept": "yes"},
        }, "data": {"a": CANARY}, "stringData": {"b": CANARY}},
        {"kind": "RayCluster", "spec": {"headGroupSpec": {"template": {"spec": {"containers": [{
            "name": "head",
            "env": [
                {"name": "REDIS_PASSWORD", "value": CANARY},
                {"name": "my_api_key", "value": CANARY},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}},
                {"name": "RAY_ADDRESS", "value": "127.0.0.1:6379"},
            ],
        }]}}}}},
    ]});
    assert_eq!(Redactor::default().redact_value(&mut list), 4);
    let text = list.to_string();
    assert!(!text.contains(CANARY), "{text}");
    assert!(!text.contains("managedFields"), "{text}");
    for kept in [
        "\"kept\":\"yes\"",
        "127.0.0.1:6379",
        "secretKeyRef",
        "\"name\":\"s\"",
    ] {
        assert!(text.contains(kept), "{kept} is gone: {text}");
    }
    assert_eq!(
        Redactor::default().redact_value(&mut list),
        0,
        "scrubbing twice changes nothing"
    );
}

#[test]
fn items_of_a_secret_list_have_no_kind_of_their_own() {
    let mut list = json!({"kind": "SecretList", "items": [{"data": {"a": CANARY}}]});
    assert_eq!(Redactor::default().redact_value(&mut list), 1);
    assert_not_contains!(list.to_string(), CANARY);
}

#[test]
fn config_maps_stay() {
    let mut object = json!({"kind": "ConfigMap", "data": {"script.sh": "echo 1"}});
    let before = object.clone();
    assert_eq!(Redactor::default().redact_value(&mut object), 0);
    assert_eq!(object, before);
}

#[test]
fn values_are_learned_in_both_forms_and_from_secrets_alone() {
    let redactor = Redactor::default();
    for object in [
        json!({"kind": "Secret", "metadata": {"name": "a"}, "data": {"password": "cGFzcy00NzEx"},
            "stringData": {"token": "plain-0815"}}),
        json!({"kind": "ConfigMap", "metadata": {"name": "b"}, "data": {"script": "echo"}}),
    ] {
        redactor.learn(&object);
    }
    let (masked, count) = redactor.redact_text("pass-4711 plain-0815 echo");
    assert_eq!(masked.as_str(), "[redacted] [redacted] echo");
    assert_eq!(count, 2);
}

/// A Secret with these values as they are.
fn secret(values: &serde_json::Value) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": values})
}

fn knowing(object: &serde_json::Value) -> Redactor {
    let redactor = Redactor::default();
    redactor.learn(object);
    redactor
}

#[rstest]
#[case::base64("see YzRuNHJ5LVY0bHVl=here", "c4n4ry-V4lue")]
#[case::unpadded("see YzRuNHJ5LVY0bHVlMQ here", "c4n4ry-V4lue1")]
#[case::padded("see YzRuNHJ5LVY0bHVlMQ== here", "c4n4ry-V4lue1")]
#[case::url_safe("see YzRuNHJ5Pj4-P19f here", "c4n4ry>>>?__")]
#[case::standard("see YzRuNHJ5Pj4+P19f here", "c4n4ry>>>?__")]
#[case::with_line_end("see YzRuNHJ5LVY0bHVlCg== here", "c4n4ry-V4lue")]
fn base64_of_a_known_value_is_masked(#[case] text: &str, #[case] value: &str) {
    let redactor = knowing(&secret(&json!({"word": value})));
    let (masked, count) = redactor.redact_text(text);
    assert_eq!(count, 1, "{masked}");
    assert!(masked.starts_with("see [redacted]"), "{masked}");
    assert!(masked.ends_with("here"), "{masked}");
    assert!(!masked.contains("YzRuNHJ5"), "{masked}");
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(2)]
fn base64_around_a_known_value_is_masked_at_each_alignment(#[case] before: usize) {
    let redactor = knowing(&secret(&json!({"word": CANARY})));
    let text = format!("{}{CANARY} and more", "x".repeat(before));
    let (masked, count) = redactor.redact_text(&STANDARD.encode(text));
    assert_eq!(count, 1, "{masked}");
    // Of the value's first and last byte, less than the whole is left.
    let (left, right) = masked.split_once(MASK).unwrap();
    let left = LOOSE.decode(left).unwrap();
    assert!(left.starts_with("x".repeat(before).as_bytes()), "{masked}");
    assert!(left.len() <= before, "{masked}");
    let right = LOOSE.decode(&right[right.len() % 4..]).unwrap();
    assert!(right.ends_with(b"more"), "{masked}");
    assert!(!right.starts_with(b"e"), "{masked}");
}

#[test]
fn base64_in_lines_is_masked() {
    let value = "c4n4ry-V4lue ".repeat(30);
    let redactor = knowing(&secret(&json!({"word": value})));
    let encoded = STANDARD.encode(&value);
    for length in [64, 76] {
        let lines: Vec<&str> = encoded
            .as_bytes()
            .chunks(length)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let log: String = lines.iter().map(|line| format!("12:00 {line}\n")).collect();
        let (masked, _) = redactor.redact_text(&log);
        for line in lines.iter().filter(|line| line.len() >= 8) {
            assert!(!masked.contains(line), "{line} is in {masked}");
        }
    }
}

#[test]
fn each_line_of_a_known_value_is_masked_where_it_stands_alone() {
    let redactor = knowing(&secret(
        &json!({"script": "first line 4711\n  second line 0815\nshort\n"}),
    ));
    let (masked, count) =
        redactor.redact_text("12:00 first line 4711\n12:01 second line 0815\n12:02 short\n");
    assert_eq!(
        masked.as_str(),
        "12:00 [redacted]\n12:01 [redacted]\n12:02 short\n"
    );
    assert_eq!(count, 2);
    let log = format!("- {}\n", STANDARD.encode("second line 0815"));
    assert_eq!(redactor.redact_text(&log).0, "- [redacted]\n");
}

#[test]
fn of_a_pem_block_the_lines_are_masked_and_the_frame_stays() {
    let pem = "-----BEGIN CERTIFICATE-----\nTUlJQmx6Q0NBVDBnQXc\n-----END CERTIFICATE-----\n";
    let redactor = knowing(&secret(&json!({"ca.crt": pem})));
    let text =
        "-----BEGIN CERTIFICATE-----\nanother\n-----END CERTIFICATE-----\nTUlJQmx6Q0NBVDBnQXc\n";
    let (masked, count) = redactor.redact_text(text);
    assert_eq!(masked, text.replace("TUlJQmx6Q0NBVDBnQXc", MASK));
    assert_eq!(count, 1);
}

const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters:
- name: there
  cluster: {server: 'https://10.0.0.1:6443'}
users:
- name: me
  user:
    token: c4n4ry-V4lue
    client-key-data: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCmM0bjRyeUtleUxpbmVPbmUKLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQo=
current-context: there
";

#[test]
fn of_a_kubeconfig_the_secrets_are_masked_and_other_lines_stay() {
    let redactor = knowing(&secret(&json!({"config": KUBECONFIG})));
    let pod = "apiVersion: v1\nkind: Pod\nserver: https://10.0.0.1:6443\n";
    assert_eq!(redactor.redact_text(pod), (pod.to_owned(), 0));
    let (masked, count) = redactor.redact_text("sent c4n4ry-V4lue and c4n4ryKeyLineOne");
    assert_eq!(masked.as_str(), "sent [redacted] and [redacted]");
    assert_eq!(count, 2);
    let (masked, _) = redactor.redact_text(&format!("cat:\n{KUBECONFIG}"));
    assert!(!masked.contains(CANARY), "{masked}");
    assert!(!masked.contains("LS0tLS1CRUdJTiBQ"), "{masked}");
}

#[test]
fn the_auth_of_a_docker_config_is_masked() {
    let auth = STANDARD.encode("user:c4n4ry-V4lue");
    let config = json!({"auths": {"registry.example": {"auth": auth}}}).to_string();
    let redactor = Redactor::default();
    let (masked, count) = redactor.redact_text(&config);
    assert_eq!(masked, config.replace(&auth, MASK));
    assert_eq!(count, 1);
}

#[test]
fn of_a_docker_config_the_password_is_masked_as_it_is() {
    let auth = STANDARD.encode("user:c4n4ry-V4lue");
    let config = json!({"auths": {"registry.example": {"auth": auth}}}).to_string();
    let redactor = Redactor::default();
    let data = STANDARD.encode(&config);
    redactor.learn(&json!({"kind": "Secret", "data": {".dockerconfigjson": data}}));
    let (masked, count) = redactor.redact_text("pulling with c4n4ry-V4lue from registry.example");
    assert_eq!(
        masked.as_str(),
        "pulling with [redacted] from registry.example"
    );
    assert_eq!(count, 1);
}

#[test]
fn a_known_value_that_is_not_utf_8_is_masked() {
    let bytes = b"\x00\xff\xfec4n4ry-V4lue\xff\x00\x80\x81\x82";
    let data = STANDARD.encode(bytes);
    let redactor = knowing(&json!({"kind": "Secret", "data": {"key.bin": data}}));
    assert_eq!(
        redactor.redact_text(&format!("key {data}.")).0,
        "key [redacted]."
    );
    let inside = STANDARD.encode([b"x".as_slice(), bytes].concat());
    assert!(
        !redactor.redact_text(&inside).0.contains(&inside[4..20]),
        "{inside}"
    );
    let printed = String::from_utf8_lossy(bytes);
    assert_not_contains!(redactor.redact_text(&printed).0, CANARY);
    assert_not_contains!(redactor.redact_text("part c4n4ry-V4lue").0, CANARY);
}

#[test]
fn short_common_values_do_not_mask_other_text() {
    let redactor = knowing(&secret(&json!({
        "replicas": "1", "debug": "true", "role": "head", "group": "worker", "password": "head", "token": "true",
    })));
    let text = "ray-head: 1 head_node, 11 workers, debug=true, worker-group headless true\n";
    assert_eq!(redactor.redact_text(text), (text.to_owned(), 0));
    // Under the name of a secret it is a secret, but as a word alone.
    assert_eq!(
        redactor.redact_text("login head failed").0,
        "login [redacted] failed"
    );
}

/// Where it is shown the codes are gone, and the value is whole.
#[test]
fn a_known_value_with_terminal_codes_in_it_is_masked() {
    let redactor = knowing(&secret(&json!({"word": CANARY})));
    let (masked, count) =
        redactor.redact_text("\x1b[36m(raylet)\x1b[0m c4n4\x1b[1mry-V4lue\x1b[0m");
    assert_eq!(masked.as_str(), "(raylet) [redacted]");
    assert_eq!(count, 1);
    let coloured = "\x1b[36m(raylet)\x1b[0m c4n4ry-V4lue";
    assert_eq!(
        redactor.redact_text(coloured).0,
        "\x1b[36m(raylet)\x1b[0m [redacted]"
    );
}

#[test]
fn known_values_that_overlap_are_masked_whole() {
    let redactor = knowing(&secret(
        &json!({"one": "abcdefgh1234", "other": "1234ijklmnop"}),
    ));
    assert_eq!(
        redactor.redact_text("x abcdefgh1234ijklmnop y"),
        ("x [redacted] y".into(), 1)
    );
}

#[test]
fn a_secret_that_the_api_server_would_refuse_is_known_all_the_same() {
    let redactor = knowing(
        &json!({"kind": "Secret", "stringData": {"pin": 1_234_567_890, "word": CANARY},
        "data": {"not-base64": "c4n4ry.Raw.V4lue"}}),
    );
    let (masked, count) = redactor.redact_text("1234567890 c4n4ry-V4lue c4n4ry.Raw.V4lue");
    assert_eq!(masked.as_str(), "[redacted] [redacted] [redacted]");
    assert_eq!(count, 3);
}

#[test]
fn a_value_of_two_words_under_the_name_of_a_secret_is_masked_whole() {
    let redactor = knowing(
        &json!({"kind": "RayCluster", "spec": {"headGroupSpec": {"rayStartParams": {
        "redis-password": "two c4n4ry-V4lue"}}}}),
    );
    assert_eq!(
        redactor
            .redact_text("ray start --redis-password=two c4n4ry-V4lue --block")
            .0,
        "ray start --redis-password=[redacted] --block"
    );
    let text = "rayStartParams:\n  redis-password: two c4n4ry-V4lue\n  block: 'true'\n";
    assert_eq!(
        Redactor::default().redact_text(text).0,
        "rayStartParams:\n  redis-password: [redacted]\n  block: 'true'\n"
    );
}

#[test]
fn values_of_variables_flags_and_urls_with_the_name_of_a_secret_are_known() {
    let redactor = knowing(&json!({"kind": "Pod", "spec": {"containers": [{
        "env": [{"name": "DB_PASS", "value": "c4n4ry-one"}, {"name": "HOME", "value": "/home/ray-user"}],
        "args": ["--token", "c4n4ry-two", "run --api-key=c4n4ry-three; curl http://me:c4n4ry-four@there/"],
    }]}}));
    let text = "/home/ray-user: c4n4ry-one c4n4ry-two c4n4ry-three c4n4ry-four";
    assert_eq!(
        redactor.redact_text(text).0,
        "/home/ray-user: [redacted] [redacted] [redacted] [redacted]"
    );
}

#[rstest]
#[case("DB_PASS")]
#[case("MYSQL_PWD")]
#[case("PGPASSWORD")]
#[case("REDISCLI_AUTH")]
#[case("AZURE_STORAGE_CONNECTION_STRING")]
#[case("connectionString")]
#[case("AZURE_STORAGE_ACCOUNT_KEY")]
#[case("privateKey")]
#[case("HF_TOKEN_2")]
#[case("sshPrivatekey")]
#[case("passwd")]
#[case("SENTRY_DSN")]
#[case("Authorization")]
#[case("X-Api-Key")]
fn values_under_the_names_of_secrets_are_masked(#[case] name: &str) {
    let redactor = Redactor::default();
    let mut object = json!({"env": [{"name": name, "value": CANARY}], "settings": {name: CANARY}, "other": "stays"});
    assert_eq!(redactor.redact_value(&mut object), 2, "{object}");
    assert_eq!(
        object,
        json!({"env": [{"name": name, "value": MASK}], "settings": {name: MASK}, "other": "stays"})
    );
    for text in [
        format!("{name}={CANARY}"),
        format!("{name}: {CANARY}"),
        format!("{{\"{name}\":\"{CANARY}\"}}"),
        format!("- name: {name}\n  value: {CANARY}\n"),
        format!("EnvVar{{Name:{name},Value:{CANARY},ValueFrom:nil,}}"),
    ] {
        let (masked, count) = redactor.redact_text(&text);
        assert_eq!(masked, text.replace(CANARY, MASK));
        assert_eq!(count, 1);
    }
}

#[rstest]
#[case("TOKEN_FILE", "/var/run/token-of-ray")]
#[case("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token")]
#[case("RAY_AUTH_MODE", "disabled")]
#[case("secretName", "ray-tls-of-head")]
#[case("PWD", "/home/ray/work")]
#[case("TOKENIZERS_PARALLELISM", "unlimited")]
#[case("BYPASS", "everything")]
#[case("author", "somebody else")]
#[case("compassDirection", "north-east")]
fn names_that_only_speak_of_secrets_keep_their_values(#[case] name: &str, #[case] value: &str) {
    let redactor = Redactor::default();
    let object = json!({"env": [{"name": name, "value": value}], "settings": {name: value}});
    let mut redacted = object.clone();
    assert_eq!(redactor.redact_value(&mut redacted), 0);
    assert_eq!(redacted, object);
    let text = format!("{name}={value}\n{name}: {value}\n");
    assert_eq!(redactor.redact_text(&text), (text.clone(), 0));
}

#[rstest]
#[case::flag(json!(["serve", "--token", CANARY, "--port", "8000"]), json!(["serve", "--token", MASK, "--port", "8000"]))]
#[case::joined(json!(["--token=c4n4ry-V4lue"]), json!(["--token=[redacted]"]))]
#[case::words(json!(["--db-password", "two c4n4ry-V4lue"]), json!(["--db-password", MASK]))]
#[case::user(json!(["curl", "-u", "me:c4n4ry-V4lue", "http://x/"]), json!(["curl", "-u", MASK, "http://x/"]))]
#[case::ids(json!(["-u", "1000:1000"]), json!(["-u", "1000:1000"]))]
#[case::two_flags(json!(["--token", "--block"]), json!(["--token", "--block"]))]
#[case::variable(json!(["--token", "$(TOKEN)"]), json!(["--token", "$(TOKEN)"]))]
#[case::list(json!({"passwords": [CANARY, 12]}), json!({"passwords": [MASK, MASK]}))]
#[case::mapping(json!({"credentials": {"user": "me", "pass": CANARY}}), json!({"credentials": {"user": "me", "pass": MASK}}))]
#[case::value(
    json!({"redisPassword": {"value": CANARY, "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}}}),
    json!({"redisPassword": {"value": MASK, "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}}})
)]
#[case::volume(json!({"secret": {"secretName": "s", "items": [{"key": "password", "path": "password"}]}}),
    json!({"secret": {"secretName": "s", "items": [{"key": "password", "path": "password"}]}}))]
fn secrets_in_lists_and_mappings_are_masked(
    #[case] mut object: serde_json::Value,
    #[case] expected: serde_json::Value,
) {
    Redactor::default().redact_value(&mut object);
    assert_eq!(object, expected);
}

#[rstest]
#[case::args_in_json(
    r#"args: ["--token","c4n4ry-V4lue","--block"]"#,
    r#"args: ["--token","[redacted]","--block"]"#
)]
#[case::args_in_json_with_spaces(
    r#"["--a", "--token", "c4n4ry-V4lue"]"#,
    r#"["--a", "--token", "[redacted]"]"#
)]
#[case::args_in_yaml(
    "- --token\n- c4n4ry-V4lue\n- --block",
    "- --token\n- [redacted]\n- --block"
)]
#[case::curl(
    "curl -s -u me:c4n4ry-V4lue http://x/",
    "curl -s -u [redacted] http://x/"
)]
#[case::curl_attached(
    "curl -s -ume:c4n4ry-V4lue http://x/",
    "curl -s -u[redacted] http://x/"
)]
#[case::curl_quoted(
    "curl --user 'me:c4n4ry-V4lue' http://x/",
    "curl --user '[redacted]' http://x/"
)]
#[case::curl_joined(
    "curl --user=me:c4n4ry-V4lue http://x/",
    "curl --user=[redacted] http://x/"
)]
#[case::mysql("mysql -h db -pc4n4ry-V4lue", "mysql -h db -p[redacted]")]
#[case::sshpass("sshpass -p c4n4ry-V4lue ssh x", "sshpass -p [redacted] ssh x")]
#[case::block(
    "password: |-\n  c4n4ry-V4lue\n\n  c4n4ry-V4lue\nuser: a\n",
    "password: |-\n  [redacted]\nuser: a\n"
)]
#[case::block_of_a_variable(
    "- name: DB_PASSWORD\n  value: |\n    c4n4ry-V4lue\n    c4n4ry-V4lue\n- name: A\n",
    "- name: DB_PASSWORD\n  value: |\n    [redacted]\n- name: A\n"
)]
#[case::two_words_of_a_variable(
    "- name: DB_PASSWORD\n  value: two c4n4ry-V4lue\n- name: A\n",
    "- name: DB_PASSWORD\n  value: [redacted]\n- name: A\n"
)]
#[case::listed(
    "DB_PASSWORD=a;c4n4ry-V4lue,b\nHOME=/x",
    "DB_PASSWORD=[redacted]\nHOME=/x"
)]
#[case::in_an_assignment("url=x&password=c4n4ry-V4lue", "url=x&password=[redacted]")]
#[case::diff(
    "-password: a c4n4ry-V4lue\n+user: a\n",
    "-password: [redacted]\n+user: a\n"
)]
#[case::hugging_face("see hf_c4n4ryV4lue0123456789x here", "see [redacted] here")]
#[case::github_fine("see github_pat_c4n4ryV4lue0123456789x here", "see [redacted] here")]
#[case::gitlab("see glpat-c4n4ry-V4lue0123456789 here", "see [redacted] here")]
#[case::slack("see xoxb-c4n4ry-V4lue here", "see [redacted] here")]
#[case::open_ai("see sk-proj-c4n4ry-V4lue0123456789 here", "see [redacted] here")]
#[case::aws("see AKIAC4N4RYV4LUE01234 here", "see [redacted] here")]
fn further_forms_of_secrets_are_masked(#[case] text: &str, #[case] expected: &str) {
    let redactor = Redactor::default();
    let (masked, count) = redactor.redact_text(text);
    assert_eq!(masked.as_str(), expected);
    assert_eq!(count, 1);
    assert_eq!(
        redactor.redact_text(&masked),
        (masked.clone(), 0),
        "masking twice changes nothing"
    );
}

#[rstest]
#[case("docker run -u 1000:1000 image\n")]
#[case("sort -u names\n")]
#[case("credentials: {}\n")]
#[case("token:\n- a\n")]
#[case("curl -u $USER:$PASSWORD http://x/\n")]
#[case("RAY_AUTH_MODE=token\n")]
fn further_ordinary_text_stays(#[case] text: &str) {
    assert_eq!(Redactor::default().redact_text(text), (text.to_owned(), 0));
}

#[test]
fn settings_of_the_operator_with_the_name_of_a_secret_are_masked() {
    let mut run = example::run();
    let settings = &mut run.cases[0].operator_settings;
    settings.insert("REDIS_PASSWORD".into(), CANARY.into());
    settings.insert("LOG_LEVEL".into(), "debug".into());
    assert_eq!(Redactor::default().redact_run(&mut run), 1);
    let settings = &run.cases[0].operator_settings;
    assert_eq!(settings["REDIS_PASSWORD"].as_str(), MASK);
    assert_eq!(settings["LOG_LEVEL"].as_str(), "debug");
}
