//! What `check` and `explain` take for one, a thousand and ten thousand RayClusters of two groups,
//! beside tools that check manifests of any kind.
//!
//! `cargo bench --bench check -- PROGRAM [NAME=PROGRAM]… [ROUNDS]`; `ci/bench check` builds what it
//! needs. A round runs each tool once, one after the other, so that what else the machine does hits
//! all alike. docs/benchmarks.md has the results.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::report::Silent;
use kuberay_conformance::scenario::parse_manifest;

type Failed = Box<dyn std::error::Error>;

const NUMBERS: [usize; 3] = [1, 1_000, 10_000];

/// One tool on one file.
struct Measured {
    tool: String,
    number: usize,
    seconds: f64,
    memory: f64,
}

fn main() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    tokio::runtime::Runtime::new()?.block_on(measure(&words))
}

async fn measure(words: &[String]) -> Result<(), Failed> {
    let [own, rest @ ..] = words else {
        return Err("the first word is the program to measure".into());
    };
    let rounds = rest.iter().find_map(|word| word.parse().ok()).unwrap_or(5);
    let folder = tempfile::tempdir()?;
    let schema = schema(folder.path()).await?;
    let mut all = Vec::new();
    for number in NUMBERS {
        let file = folder.path().join(format!("{number}.yaml"));
        std::fs::write(&file, clusters(number))?;
        for round in 1..=rounds {
            let mut tools = vec![
                (
                    "check".to_owned(),
                    command(own, &["check", "--fail-on", "never"]),
                ),
                ("explain".to_owned(), command(own, &["explain"])),
            ];
            for (name, program) in rest.iter().filter_map(|word| word.split_once('=')) {
                tools.push((name.to_owned(), peer(name, program, &schema)?));
            }
            for (tool, mut command) in tools {
                command.arg(&file);
                let (seconds, memory) = run(command).map_err(|error| format!("{tool}: {error}"))?;
                println!("round {round}: {tool}: {number}: {seconds:.3} s, {memory:.0} MiB");
                all.push(Measured {
                    tool,
                    number,
                    seconds,
                    memory,
                });
            }
        }
    }
    println!("\n{}", table(&all));
    Ok(())
}

/// Runs a tool; returns the seconds that it took, and the largest memory that it had, in MiB.
fn run(mut command: Command) -> Result<(f64, f64), Failed> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0.0_f64;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok());
        memory = memory.max(peak.unwrap_or_default() / 1024.0);
        if let Some(ended) = child.try_wait()? {
            let seconds = began.elapsed().as_secs_f64();
            if !ended.success() {
                return Err(format!("it ended with {ended}").into());
            }
            return Ok((seconds, memory));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn peer(name: &str, program: &str, schema: &Path) -> Result<Command, Failed> {
    let mut command = Command::new(program);
    match name {
        "kubeconform" => command
            .arg("-schema-location")
            .arg(schema.join("{{.ResourceKind}}.json")),
        "kube-score" => command.args([
            "score",
            "--exit-one-on-warning=false",
            "--output-format",
            "ci",
        ]),
        // It knows no RayCluster: it reads the file and finds nothing to say.
        "kube-linter" => command.arg("lint"),
        other => return Err(format!("{other} is no tool that this knows").into()),
    };
    Ok(command)
}

/// The schema of RayClusters as kubeconform reads it, from the newest release's definitions.
async fn schema(folder: &Path) -> Result<PathBuf, Failed> {
    let programs = Programs::new(Store::open()?, SourcePolicy::Auto, Arc::new(Silent));
    let release = programs.newest_operator().await?;
    let module = programs.operator_module(&release).await?;
    let path = module.join("config/crd/bases/ray.io_rayclusters.yaml");
    let definitions = parse_manifest(&std::fs::read_to_string(path)?, "rayclusters")?;
    let versions = definitions[0]["spec"]["versions"]
        .as_array()
        .ok_or("no versions")?;
    let v1 = versions
        .iter()
        .find(|one| one["name"] == "v1")
        .ok_or("no v1")?;
    std::fs::write(
        folder.join("raycluster.json"),
        serde_json::to_string(&v1["schema"]["openAPIV3Schema"])?,
    )?;
    Ok(folder.into())
}

/// So many RayClusters, each with two worker groups.
fn clusters(number: usize) -> String {
    let container = |name: &str, indent: usize| {
        let spaces = " ".repeat(indent);
        format!(
            "{spaces}- name: {name}\n{spaces}  image: rayproject/ray:2.52.0\n\
             {spaces}  args: [\"echo before ray start || exit 1\"]\n\
             {spaces}  resources: {{limits: {{cpu: \"1\", memory: 2Gi}}, requests: {{cpu: \"1\", memory: 2Gi}}}}\n"
        )
    };
    let group = |name: &str| {
        format!(
            "  - groupName: {name}\n    replicas: 1\n    minReplicas: 0\n    maxReplicas: 5\n    rayStartParams: {{}}\n\
             \x20   template:\n      spec:\n        containers:\n{}",
            container("ray-worker", 8)
        )
    };
    let one = |index| {
        format!(
            "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata:\n  name: cluster-{index}\nspec:\n  rayVersion: 2.52.0\n\
             \x20 headGroupSpec:\n    rayStartParams: {{}}\n    template:\n      spec:\n        containers:\n{}\
             \x20 workerGroupSpecs:\n{}{}",
            container("ray-head", 8),
            group("small"),
            group("large")
        )
    };
    (0..number).map(one).collect::<Vec<_>>().join("---\n")
}

/// The least and the middle time of each, and the largest memory seen.
fn table(all: &[Measured]) -> String {
    let mut text =
        String::from("| objects | tool | least s | middle s | MiB |\n|--:|---|--:|--:|--:|\n");
    let mut seen = Vec::new();
    for one in all {
        if seen.contains(&(one.number, &one.tool)) {
            continue;
        }
        seen.push((one.number, &one.tool));
        let same = || {
            all.iter()
                .filter(|other| (other.number, &other.tool) == (one.number, &one.tool))
        };
        let mut seconds: Vec<f64> = same().map(|one| one.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let memory = same().map(|one| one.memory).fold(0.0, f64::max);
        text.push_str(&format!(
            "| {} | {} | {:.3} | {:.3} | {memory:.0} |\n",
            one.number,
            one.tool,
            seconds[0],
            seconds[seconds.len() / 2]
        ));
    }
    text
}
