//! A release's operator as a child process beside an API server.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use semver::Version;
use serde_json::{Value, json};

use super::error::OperatorError;
use crate::check::{Bounds, Line, Lines};
use crate::process::{FirstEnd, Start, Supervised};
use crate::scenario::OperatorSettings;

/// The first release whose requests to the API server can be set to any rate (`--qps`, main.go of
/// 1.5.0).
const RATE_SINCE: Version = Version::new(1, 5, 0);
/// The first release that can reach a dashboard through the API server (`--use-kubernetes-proxy`,
/// main.go of 1.2.0).
const PROXY_SINCE: Version = Version::new(1, 2, 0);

/// Lines of a log that are shown where none of it is about what is looked for.
const LAST_LINES: usize = 50;

/// What runs beside an API server.
pub struct BesideOptions<'a> {
    /// Its release, which says what flags it knows.
    pub release: &'a Version,
    /// Its program.
    pub program: &'a Path,
    /// How it is set up, where that differs from its release's defaults.
    pub settings: &'a OperatorSettings,
    /// A kubeconfig of its API server.
    pub kubeconfig: &'a Path,
    /// A folder for its log and its configuration file.
    pub folder: &'a Path,
    /// A program whose `main` calls [`supervisor`](crate::process::supervisor).
    pub helper: &'a Path,
    /// Gets a report when it ends by itself.
    pub first_end: &'a FirstEnd,
    /// Flags after our own, which they override; for those who measure it as others run it.
    pub flags: &'a [&'a str],
}

/// An operator that runs beside an API server; it ends when this is stopped or dropped.
#[derive(Debug)]
pub struct Beside {
    process: Supervised,
}

impl Beside {
    /// Starts the operator, whose CRDs must be there. It need not be waited for: what is created
    /// before it is ready, it finds.
    ///
    /// # Errors
    /// When the program can't be started.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "options are made for one call"
    )]
    pub fn start(options: BesideOptions<'_>) -> Result<Self, OperatorError> {
        let name = file_name(options.settings);
        let log = options.folder.join(format!("{name}.log"));
        let mut env = options.settings.env.clone();
        env.insert("HOME".into(), options.folder.display().to_string());
        let mut arguments = arguments(options.release, options.kubeconfig, options.settings);
        if !options.settings.configuration.is_empty() {
            let path = options.folder.join(format!("{name}.config.json"));
            let text = configuration(options.release, options.settings).to_string();
            std::fs::write(&path, text).map_err(|source| OperatorError::File {
                doing: "writing the operator's configuration",
                path: path.clone(),
                source,
            })?;
            let mut flag = OsString::from("--config=");
            flag.push(path);
            arguments.push(flag);
        }
        arguments.extend(options.settings.args.iter().map(OsString::from));
        arguments.extend(options.flags.iter().map(OsString::from));
        let start = Start {
            name: format!("operator {}", options.release),
            program: options.program,
            arguments,
            env,
            log: &log,
            helper: options.helper,
        };
        let process = Supervised::start(start, options.first_end)?;
        Ok(Self { process })
    }

    /// The file with its output.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.process.log().into()
    }

    /// Ends it.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// The name of the files of an operator with these settings, without an ending; other settings have
/// another name.
fn file_name(settings: &OperatorSettings) -> String {
    if settings.is_default() {
        return "operator".into();
    }
    let mut hasher = DefaultHasher::new();
    settings.hash(&mut hasher);
    format!("operator-{:016x}", hasher.finish())
}

/// The operator's arguments; what its Deployment has but a process beside others can't share is
/// switched off.
fn arguments(release: &Version, kubeconfig: &Path, settings: &OperatorSettings) -> Vec<OsString> {
    let mut kubeconfig_flag = OsString::from("--kubeconfig=");
    kubeconfig_flag.push(kubeconfig);
    let mut arguments: Vec<OsString> = vec![
        kubeconfig_flag,
        "--enable-leader-election=false".into(),
        // Two operators on one machine can't listen on the same ports.
        "--metrics-addr=0".into(),
        "--health-probe-bind-address=0".into(),
    ];
    let base = Version::new(release.major, release.minor, release.patch);
    if base >= PROXY_SINCE {
        arguments.push("--use-kubernetes-proxy=true".into());
    }
    if base >= RATE_SINCE {
        arguments.extend(["--qps=2000".into(), "--burst=4000".into()]);
    }
    if !settings.feature_gates.is_empty() {
        let gates = settings.feature_gates.iter();
        let gates: Vec<String> = gates.map(|(name, on)| format!("{name}={on}")).collect();
        arguments.push(format!("--feature-gates={}", gates.join(",")).into());
    }
    arguments
}

/// The operator's configuration file. With it the operator ignores its flags, so that what these
/// say stands here, too.
fn configuration(release: &Version, settings: &OperatorSettings) -> Value {
    let mut file = json!({
        "apiVersion": "config.ray.io/v1alpha1",
        "kind": "Configuration",
        "enableLeaderElection": false,
        "metricsAddr": "0",
        "probeAddr": "0",
        "reconcileConcurrency": 1,
    });
    let base = Version::new(release.major, release.minor, release.patch);
    if base >= PROXY_SINCE {
        file["useKubernetesProxy"] = json!(true);
    }
    if base >= RATE_SINCE {
        file["qps"] = json!(2000);
        file["burst"] = json!(4000);
    }
    for (key, value) in &settings.configuration {
        file[key] = value.clone();
    }
    file
}

/// What an operator beside an API server wrote about a namespace, for evidence.
#[must_use]
pub fn log_about(log: &Path, namespace: &str) -> String {
    let missing = |error| {
        format!(
            "(the operator's log {} could not be read: {error})\n",
            log.display()
        )
    };
    let mut file = match File::open(log) {
        Ok(file) => BufReader::new(file),
        Err(error) => return missing(error),
    };
    let (mut about, mut last) = (Lines::new(Bounds::EVIDENCE), VecDeque::new());
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match file.read_until(b'\n', &mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return missing(error),
        }
        let text =
            String::from_utf8_lossy(bytes.strip_suffix(b"\n").unwrap_or(&bytes)).into_owned();
        let line = Line { text, cut: 0 };
        if line.text.contains(namespace) {
            about.push(&line);
        } else if about.is_empty() {
            if last.len() == LAST_LINES {
                last.pop_front();
            }
            last.push_back(line.text);
        }
    }
    if about.is_empty() {
        let last = Vec::from(last).join("\n");
        return format!(
            "(the operator wrote nothing about {namespace}; its last lines:)\n{last}\n"
        );
    }
    about.to_text()
}

#[cfg(test)]
mod tests {
    use assertables::assert_ends_with;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1.0.0", false, false)]
    #[case("1.1.1", false, false)]
    #[case("1.2.2", true, false)]
    #[case("1.4.2", true, false)]
    #[case("1.5.0-rc.1", true, true)]
    #[case("1.6.2", true, true)]
    fn each_release_gets_flags_that_it_knows(
        #[case] release: &str,
        #[case] proxy: bool,
        #[case] rate: bool,
    ) {
        let settings = OperatorSettings::default();
        let release = release.parse().unwrap();
        let arguments = arguments(&release, Path::new("/p/kubeconfig"), &settings);
        let has = |start: &str| {
            arguments
                .iter()
                .any(|one| one.to_string_lossy().starts_with(start))
        };
        assert!(has("--kubeconfig=/p/kubeconfig"));
        assert!(has("--enable-leader-election=false"));
        assert!(has("--metrics-addr=0"));
        assert!(has("--health-probe-bind-address=0"));
        assert_eq!(has("--use-kubernetes-proxy"), proxy);
        assert_eq!(has("--qps="), rate);
    }

    #[test]
    fn settings_become_flags_and_a_file_that_says_what_flags_would() {
        let settings: OperatorSettings = serde_json::from_value(json!({
            "featureGates": {"RayCronJob": true, "RayJobDeletionPolicy": false},
            "configuration": {"defaultPodAnnotations": {"a": "b"}, "reconcileConcurrency": 2},
        }))
        .unwrap();
        let release = Version::new(1, 7, 0);
        let arguments = arguments(&release, Path::new("/p/kubeconfig"), &settings);
        let gates = OsString::from("--feature-gates=RayCronJob=true,RayJobDeletionPolicy=false");
        assert_eq!(arguments.last(), Some(&gates));
        let file = configuration(&release, &settings);
        assert_eq!(file["defaultPodAnnotations"], json!({"a": "b"}));
        assert_eq!(file["reconcileConcurrency"], 2);
        assert_eq!(file["enableLeaderElection"], false);
        assert_eq!(&file["metricsAddr"], &json!("0"));
        assert_eq!(&file["qps"], &json!(2000));
        let old = configuration(&Version::new(1, 1, 0), &settings);
        assert_eq!(&old["qps"], &Value::Null);
        assert_eq!(&old["useKubernetesProxy"], &Value::Null);
        assert_ne!(
            file_name(&settings),
            file_name(&OperatorSettings::default())
        );
    }

    #[test]
    fn evidence_holds_what_was_written_about_the_namespace_or_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "start\n{\"ns\":\"kc-1\"}\n{\"ns\":\"kc-2\"}\n").unwrap();
        assert_eq!(log_about(&log, "kc-1"), "{\"ns\":\"kc-1\"}\n");
        assert_ends_with!(log_about(&log, "kc-3"), "{\"ns\":\"kc-2\"}\n");
    }
}
