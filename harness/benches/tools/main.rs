//! This harness beside chainsaw, kuttl and a script with kubectl: the same scenarios on the same
//! cluster.
//!
//! `ci/bench` builds the tools and the cluster and runs this. docs/benchmarks.md says what is
//! measured.

mod audit;
mod process;
mod table;
mod truth;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::report::Silent;
use kuberay_conformance::target::KindCluster;
use tokio::process::Command;
use truth::Truth;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The cluster that `ci/bench` makes.
const CLUSTER: &str = "bench";
/// How long what one measurement made may take to go, before the next.
const GONE_WITHIN: Duration = Duration::from_mins(2);
/// The API server writes its audit log after the answer.
const LOG_WRITTEN: Duration = Duration::from_secs(1);
/// Scenarios of a suite at the same time.
const AT_ONCE: &str = "2";

struct Scenario {
    name: &'static str,
    cluster: &'static str,
    truth: Truth,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario {
        name: "sample-head-command",
        cluster: "raycluster-head-command",
        truth: Truth::Ready,
    },
    Scenario {
        name: "before-ray-start",
        cluster: "before-ray-start",
        truth: Truth::Log("Ray runtime started."),
    },
    Scenario {
        name: "solution-1-background-command",
        cluster: "solution-1",
        truth: Truth::Log("INFO: Print Ray cluster resources"),
    },
    Scenario {
        name: "solution-2-post-start-hook",
        cluster: "solution-2",
        truth: Truth::Job,
    },
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tool {
    Ours,
    Chainsaw,
    Kuttl,
    Kubectl,
}

const TOOLS: [Tool; 4] = [Tool::Ours, Tool::Chainsaw, Tool::Kuttl, Tool::Kubectl];

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "kuberay-conformance",
            Self::Chainsaw => "chainsaw 0.2.14",
            Self::Kuttl => "kuttl 0.22.0",
            Self::Kubectl => "kubectl script",
        }
    }

    /// How the names of the programs begin that send its requests.
    fn agents(self) -> &'static [&'static str] {
        match self {
            Self::Ours => &["kuberay-conformance/"],
            Self::Chainsaw => &["chainsaw", "kubectl/"],
            Self::Kuttl => &["kubectl-kuttl", "kuttl", "kubectl/"],
            Self::Kubectl => &["kubectl/"],
        }
    }

    /// Whether a line of its output says that the checks passed; what comes after it is clean-up.
    fn is_verdict(self) -> fn(&str) -> bool {
        match self {
            Self::Ours => |line| line.contains(": PASS in "),
            Self::Chainsaw => |line| line.contains("CLEANUP"),
            Self::Kuttl => |line| {
                line.contains("skipping kubernetes event logging")
                    || line.contains("Deleting namespace")
            },
            Self::Kubectl => |line| line.starts_with("PASS "),
        }
    }
}

/// What one tool did with one scenario, or with all (`scenario` is `None`).
struct Measured {
    tool: Tool,
    scenario: Option<&'static str>,
    /// From the `RayCluster`'s arrival at the API server to the verdict; for a suite from the start
    /// to the end.
    wall: f64,
    /// From the moment when the cluster's state was true to the verdict.
    extra: Option<f64>,
    cpu: f64,
    memory: f64,
    requests: usize,
}

struct Bench {
    client: Client,
    kubeconfig: PathBuf,
    audit: PathBuf,
    tools: PathBuf,
    kubectl: PathBuf,
    folder: tempfile::TempDir,
    output: PathBuf,
    sample: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let rounds: usize = words.first().map_or(Ok(3), |word| word.parse())?;
    let only = words.get(1).map(String::as_str);
    let bench = Bench::new().await?;
    let mut all = Vec::new();
    for round in 0..rounds {
        for scenario in SCENARIOS
            .iter()
            .filter(|one| only.is_none_or(|only| one.name.contains(only)))
        {
            for tool in rotated(round) {
                let measured = bench.one(tool, scenario, round).await?;
                println!("{}", table::line(round, &measured));
                all.push(measured);
            }
        }
        if only.is_none() {
            for tool in rotated(round) {
                let measured = bench.suite(tool, round).await?;
                println!("{}", table::line(round, &measured));
                all.push(measured);
            }
        }
        // What was measured is kept, whatever comes.
        std::fs::write(bench.output.join("bench.md"), table::markdown(&all))?;
    }
    println!("\n{}", table::markdown(&all));
    Ok(())
}

/// Each tool is the first, the second and so on in turn.
fn rotated(round: usize) -> [Tool; 4] {
    let mut tools = TOOLS;
    tools.rotate_left(round % TOOLS.len());
    tools
}

impl Bench {
    async fn new() -> Result<Self, Failed> {
        let store = Store::open()?;
        let kubeconfig = KindCluster::folder(store.root(), CLUSTER).join("kubeconfig");
        let read = Kubeconfig::read_from(&kubeconfig)?;
        let mut config =
            Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        config.proxy_url = None;
        config.headers.push((
            http::header::USER_AGENT,
            http::HeaderValue::from_static("bench-observer"),
        ));
        let output = PathBuf::from("output/bench");
        std::fs::create_dir_all(&output)?;
        Ok(Self {
            client: Client::try_from(config)?,
            audit: KindCluster::audit_log(store.root(), CLUSTER),
            tools: store.root().join("tools/bench-peers"),
            kubectl: found(&store.root().join("programs/kubectl"), "kubectl")?,
            sample: sample(store.clone()).await?,
            folder: tempfile::tempdir()?,
            kubeconfig,
            output,
        })
    }

    async fn one(
        &self,
        tool: Tool,
        scenario: &'static Scenario,
        round: usize,
    ) -> Result<Measured, Failed> {
        let command = self.command(tool, &[scenario])?;
        let truth = tokio::spawn(truth::became_true(
            self.client.clone(),
            scenario.cluster,
            scenario.truth,
        ));
        let name = format!(
            "{round}-{}-{}",
            scenario.name,
            tool.name().replace(' ', "-")
        );
        let (ran, requests) = self.run(tool, command, &name).await?;
        let truth = tokio::time::timeout(LOG_WRITTEN, truth).await???;
        let verdict = ran
            .verdict
            .ok_or_else(|| format!("{name} told no verdict, see {}", self.output.display()))?;
        let applied = requests
            .applied
            .ok_or_else(|| format!("{name} made no RayCluster"))?;
        Ok(Measured {
            tool,
            scenario: Some(scenario.name),
            wall: seconds(applied, verdict),
            extra: Some(seconds(truth, verdict)),
            cpu: ran.cpu,
            memory: ran.memory,
            requests: requests.count,
        })
    }

    async fn suite(&self, tool: Tool, round: usize) -> Result<Measured, Failed> {
        let command = self.command(tool, &SCENARIOS.each_ref())?;
        let name = format!("{round}-suite-{}", tool.name().replace(' ', "-"));
        let (ran, requests) = self.run(tool, command, &name).await?;
        Ok(Measured {
            tool,
            scenario: None,
            wall: seconds(ran.began, ran.ended),
            extra: None,
            cpu: ran.cpu,
            memory: ran.memory,
            requests: requests.count,
        })
    }

    async fn run(
        &self,
        tool: Tool,
        command: Command,
        name: &str,
    ) -> Result<(process::Ran, audit::Requests), Failed> {
        self.wait_until_empty().await?;
        let from = std::fs::metadata(&self.audit)?.len();
        let log = self.output.join(format!("{name}.log"));
        let ran = process::run(command, tool.is_verdict(), &log).await?;
        if !ran.passed {
            return Err(format!("{name} failed:\n{}", ran.output).into());
        }
        tokio::time::sleep(LOG_WRITTEN).await;
        let requests = audit::read(&self.audit, from, tool.agents())?;
        let list = requests
            .kinds
            .iter()
            .map(|(kind, count)| format!("{count:5}  {kind}\n"));
        std::fs::write(
            self.output.join(format!("{name}.requests")),
            list.collect::<String>(),
        )?;
        Ok((ran, requests))
    }

    /// Nothing of the measurement before is left to use the processor.
    async fn wait_until_empty(&self) -> Result<(), Failed> {
        let began = std::time::Instant::now();
        loop {
            let heads = ListParams::default().labels("ray.io/node-type=head");
            let pods = Api::<Pod>::all(self.client.clone())
                .list(&heads)
                .await?
                .items
                .len();
            let namespaces = Api::<Namespace>::all(self.client.clone())
                .list(&ListParams::default())
                .await?;
            let ending = namespaces
                .iter()
                .filter(|one| one.metadata.deletion_timestamp.is_some())
                .count();
            if pods + ending == 0 {
                return Ok(());
            }
            if began.elapsed() > GONE_WITHIN {
                return Err(format!(
                    "{pods} heads and {ending} namespaces that end are still there"
                )
                .into());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Lays out the files of a tool in a folder, and says how its users would call it.
    fn command(&self, tool: Tool, scenarios: &[&Scenario]) -> Result<Command, Failed> {
        let tests = self.folder.path().join("tests");
        let _ = std::fs::remove_dir_all(&tests);
        for scenario in scenarios {
            self.lay_out(tool, scenario.name, &tests.join(scenario.name))?;
        }
        let mut command = match tool {
            Tool::Ours => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_kuberay-conformance"));
                command
                    .args([
                        "run",
                        "--context",
                        "kind-bench",
                        "--jobs",
                        AT_ONCE,
                        "--kubeconfig",
                    ])
                    .arg(&self.kubeconfig);
                command
                    .arg("--scenarios")
                    .arg(&tests)
                    .arg("--output")
                    .arg(self.folder.path().join("output"));
                command
            }
            Tool::Chainsaw => {
                let mut command = Command::new(self.tools.join("chainsaw-v0.2.14"));
                command
                    .args(["test", "--no-color", "--parallel", AT_ONCE, "--test-dir"])
                    .arg(&tests);
                command
            }
            Tool::Kuttl => {
                let mut command = Command::new(self.tools.join("kubectl-kuttl-v0.22.0"));
                command.args(["test", "--parallel", AT_ONCE]).arg(&tests);
                command
            }
            Tool::Kubectl => {
                let mut command = Command::new("sh");
                let each =
                    format!("ls -d */ | xargs -P {AT_ONCE} -I @ sh -c 'cd @ && exec sh ./test.sh'");
                command.args(["-c", &each]).current_dir(&tests);
                command
            }
        };
        if tool != Tool::Kubectl {
            // Tools leave files where they are called; ours reads scenarios by paths that are
            // given.
            let place = if tool == Tool::Ours {
                std::env::current_dir()?
            } else {
                self.folder.path().into()
            };
            command.current_dir(place);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let kubectl = self.kubectl.parent().unwrap_or(Path::new("/"));
        command
            .env("PATH", format!("{}:{path}", kubectl.display()))
            .env("KUBECONFIG", &self.kubeconfig);
        Ok(command)
    }

    fn lay_out(&self, tool: Tool, name: &str, to: &Path) -> Result<(), Failed> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (own, peers) = (
            root.join("scenarios").join(name),
            root.join("harness/benches/peers").join(name),
        );
        std::fs::create_dir_all(to)?;
        if tool == Tool::Ours {
            copy_all(&own, to)?;
            std::fs::copy(peers.join("ours.yaml"), to.join("scenario.yaml"))?;
            return Ok(());
        }
        let manifest = if own.join("raycluster.yaml").exists() {
            let texts = ["ray-example.yaml", "raycluster.yaml"]
                .map(|file| std::fs::read_to_string(own.join(file)));
            texts
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("\n---\n")
        } else {
            std::fs::read_to_string(&self.sample)?
        };
        let (folder, file) = match tool {
            Tool::Chainsaw => ("chainsaw", "manifest.yaml"),
            Tool::Kuttl => ("kuttl", "00-install.yaml"),
            _ => ("kubectl", "manifest.yaml"),
        };
        copy_all(&peers.join(folder), to)?;
        std::fs::write(to.join(file), manifest)?;
        let check = peers.join("check.sh");
        if check.exists() {
            std::fs::copy(check, to.join("check.sh"))?;
        }
        Ok(())
    }
}

/// The operator's own sample, unchanged.
async fn sample(store: Store) -> Result<PathBuf, Failed> {
    let programs = Programs::new(store, SourcePolicy::Auto, Arc::new(Silent));
    let release = programs.newest_operator().await?;
    let module = programs.operator_module(&release).await?;
    Ok(module.join("config/samples/ray-cluster.head-command.yaml"))
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Failed> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The file of this name below one of the folders in `folder`.
fn found(folder: &Path, name: &str) -> Result<PathBuf, Failed> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path().join(name))
        .collect();
    all.retain(|path| {
        std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o400 != 0)
    });
    all.sort_by_key(|path| {
        std::fs::metadata(path)
            .and_then(|file| file.modified())
            .ok()
    });
    all.pop()
        .ok_or_else(|| format!("no {name} below {}: is the cluster up?", folder.display()).into())
}

#[allow(clippy::cast_precision_loss, reason = "minutes in milliseconds")]
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to.as_microsecond() - from.as_microsecond()) as f64 / 1e6
}
