//! Canaries: secrets that a scenario uses everywhere a Pod can use one, and the search for what is
//! left of them.

use std::path::Path;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurpose};

/// Of pieces of base64, which were cut anywhere.
const LOOSE: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How often what was found in base64 is decoded again.
const DEPTH: usize = 3;

/// The secrets of a scenario; `tag` tells one scenario's from another's.
pub struct Canary {
    /// Two words, quotes, and what a shell and a URL treat as their own.
    pub password: String,
    /// A private key.
    pub pem: String,
    /// A kubeconfig with a token and the key.
    pub kubeconfig: String,
    /// No UTF-8.
    pub binary: Vec<u8>,
}

impl Canary {
    pub fn new(tag: &str) -> Self {
        let key: Vec<u8> = (0..=255_u8)
            .map(|number| tag.bytes().fold(number.wrapping_mul(37), u8::wrapping_add))
            .collect();
        let key = STANDARD.encode(key);
        let lines: Vec<&str> = key
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            lines.join("\n")
        );
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: there\n  cluster:\n    server: https://192.0.2.7:6443\nusers:\n\
             - name: me\n  user:\n    token: c4n4ry-{tag}-token\n    client-key-data: {}\ncurrent-context: there\n",
            STANDARD.encode(&pem)
        );
        let text = format!("c4n4ry-{tag}-binary");
        Self {
            password: format!("c4n4ry-{tag}-one two&c4n4ry-{tag}-three"),
            pem,
            kubeconfig,
            binary: [b"\x00\xff\xfe".as_slice(), text.as_bytes(), b"\xc3\x28\x80"].concat(),
        }
    }

    /// The Secret that holds them, and one that holds the password for an environment.
    pub fn secret(&self, name: &str) -> String {
        let data = |bytes: &[u8]| STANDARD.encode(bytes);
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\ndata:\n  word: {}\n  key.pem: {}\n  config: {}\n  raw: {}\n\
             ---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}-env}}\ndata:\n  WORD_FROM: {}\n",
            data(self.password.as_bytes()),
            data(self.pem.as_bytes()),
            data(self.kubeconfig.as_bytes()),
            data(&self.binary),
            data(self.password.as_bytes()),
        )
    }

    /// What may be left of one of them, of which none may be found.
    fn needles(&self) -> Vec<Vec<u8>> {
        let lines = self
            .pem
            .lines()
            .filter(|line| line.len() >= 8 && !line.starts_with("---"));
        let token = self
            .kubeconfig
            .lines()
            .find_map(|line| line.trim().strip_prefix("token: "));
        let words = self
            .password
            .split([' ', '&'])
            .filter(|word| word.len() >= 8);
        let texts = lines.chain(words).chain(token);
        let mut needles: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_owned()).collect();
        let text = self.binary.strip_prefix(b"\x00\xff\xfe").unwrap();
        needles.push(text.strip_suffix(b"\xc3\x28\x80").unwrap().to_owned());
        needles
    }

    /// What is found of the secrets in these bytes, as it is or in base64.
    pub fn found(&self, bytes: &[u8]) -> Option<String> {
        let needles = self.needles();
        found(&needles, bytes, DEPTH)
    }

    /// What is found of the secrets in all files of a folder, with the file; `skip` leaves paths
    /// out.
    pub fn found_below(&self, folder: &Path, skip: &dyn Fn(&Path) -> bool) -> Vec<String> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if skip(&path) || path.is_symlink() {
                continue;
            }
            all.extend(
                self.found(path.as_os_str().as_encoded_bytes())
                    .map(|found| format!("the name {}: {found}", path.display())),
            );
            if path.is_dir() {
                all.extend(self.found_below(&path, skip));
            } else if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                all.extend(
                    self.found(&bytes)
                        .map(|found| format!("{}: {found}", path.display())),
                );
            }
        }
        all
    }
}

fn found(needles: &[Vec<u8>], bytes: &[u8], depth: usize) -> Option<String> {
    for needle in needles {
        if let Some(at) = bytes
            .windows(needle.len())
            .position(|window| window == needle)
        {
            let around = &bytes[at.saturating_sub(60)..(at + needle.len() + 20).min(bytes.len())];
            return Some(String::from_utf8_lossy(around).into_owned());
        }
    }
    let depth = depth.checked_sub(1)?;
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    bytes
        .split(|byte| !is_base64(byte))
        .filter(|run| run.len() >= 8)
        .find_map(|run| {
            let run: Vec<u8> = run
                .iter()
                .map(|byte| match byte {
                    b'-' => b'+',
                    b'_' => b'/',
                    other => *other,
                })
                .collect();
            (0..4).find_map(|start| {
                let piece = &run[start.min(run.len())..];
                // One character alone holds no byte.
                let piece = &piece[..piece.len() - usize::from(piece.len() % 4 == 1)];
                let decoded = LOOSE.decode(piece).ok()?;
                found(needles, &decoded, depth).map(|found| format!("in base64: {found}"))
            })
        })
}

/// The positive control: what is searched for is found where it is.
pub fn the_search_finds(canary: &Canary, folder: &Path) {
    let all = canary.found_below(folder, &|_| false);
    assert!(!all.is_empty(), "nothing was found in {}", folder.display());
    for text in [
        canary.password.as_bytes(),
        canary.pem.as_bytes(),
        canary.kubeconfig.as_bytes(),
        &canary.binary,
    ] {
        assert!(canary.found(text).is_some());
        for before in ["", "x", "xy"] {
            let inside = [before.as_bytes(), text, b" and more"].concat();
            assert!(canary.found(STANDARD.encode(&inside).as_bytes()).is_some());
            assert!(
                canary
                    .found(STANDARD.encode(STANDARD.encode(&inside)).as_bytes())
                    .is_some()
            );
        }
    }
}

/// A `RayCluster` whose head uses a Secret in every way that a Pod can, and repeats its values as
/// they are and in base64; `command` is what the head does.
pub fn ray_cluster(canary: &Canary, name: &str, secret: &str, command: &str) -> serde_json::Value {
    let encoded = STANDARD.encode(&canary.password);
    let from = |key: &str| serde_json::json!({"secretKeyRef": {"name": secret, "key": key}});
    let all = format!(
        "{command}; : '{}' \"{}\" {encoded} {}",
        canary.password,
        canary.pem,
        STANDARD.encode(format!("x{}", canary.kubeconfig))
    );
    let resources = serde_json::json!({"limits": {"cpu": "1", "memory": "2Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}});
    serde_json::json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": name, "annotations": {"example.com/note": canary.password, "example.com/key": canary.pem}},
        "spec": {
            "rayVersion": "2.52.0",
            "headGroupSpec": {
                "rayStartParams": {"dashboard-host": "0.0.0.0", "plasma-directory": canary.password, "redis-password": canary.password},
                "template": {
                    "metadata": {"annotations": {"example.com/config": canary.kubeconfig}},
                    "spec": {
                        "imagePullSecrets": [{"name": secret}],
                        "initContainers": [{
                            "name": "first",
                            "image": "rayproject/ray:2.52.0",
                            "command": ["/bin/bash", "-c", format!("echo '{}'", canary.password)],
                            "env": [{"name": "PLAIN_WORD", "value": canary.password}],
                            "resources": resources,
                        }],
                        "containers": [{
                            "name": "ray-head",
                            "image": "rayproject/ray:2.52.0",
                            "terminationMessagePolicy": "FallbackToLogsOnError",
                            "command": [all],
                            "args": ["--token", canary.password, canary.pem],
                            "env": [
                                {"name": "WORD", "valueFrom": from("word")},
                                {"name": "KEY", "valueFrom": from("key.pem")},
                                {"name": "CONFIG", "valueFrom": from("config")},
                                {"name": "PLAIN_WORD", "value": canary.password},
                                {"name": "PLAIN_KEY", "value": canary.pem},
                                {"name": "PLAIN_CONFIG", "value": canary.kubeconfig},
                                {"name": "IN_BASE64", "value": encoded},
                                {"name": "DB_PASS", "value": canary.password},
                            ],
                            "envFrom": [{"secretRef": {"name": format!("{secret}-env")}}],
                            "lifecycle": {"preStop": {"exec": {"command": ["echo", canary.password]}}},
                            "volumeMounts": [
                                {"name": "one", "mountPath": "/one"},
                                {"name": "two", "mountPath": "/two"},
                            ],
                            "resources": resources,
                        }],
                        "volumes": [
                            {"name": "one", "secret": {"secretName": secret}},
                            {"name": "two", "projected": {"sources": [{"secret": {"name": secret}}]}},
                        ],
                    },
                },
            },
        },
    })
}

/// Writes a scenario; `spec` is its part after the description.
pub fn scenario(folder: &Path, name: &str, spec: &str, files: &[(&str, String)]) {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "apiVersion: kuberay-conformance/v1beta1\nkind: Scenario\nmetadata:\n  name: {name}\nspec:\n  description: Secrets.\n{spec}"
    );
    std::fs::write(folder.join("scenario.yaml"), text).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
}
