//! A newcomer's first hour: the program alone, in an empty folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use assertables::assert_contains;

use crate::support::sandbox::text;
use crate::support::{exclusive, program};

const RELEASES: [&str; 2] = ["--operator", "1.3.2,1.6.2"];

/// A RayJob without a job id, so that the operator generates one, in a List.
const JOB: &str = "\
apiVersion: v1
kind: List
items:
- apiVersion: ray.io/v1
  kind: RayJob
  metadata: {name: nightly}
  spec:
    entrypoint: python train.py
    rayClusterSpec:
      headGroupSpec:
        rayStartParams: {}
        template: &pod
          spec:
            containers:
            - name: ray
              image: rayproject/ray:2.52.0
              resources: {limits: {cpu: 1, memory: 2Gi}}
      workerGroupSpecs:
      - groupName: small
        replicas: 1
        minReplicas: 1
        maxReplicas: 2
        rayStartParams: {}
        template: *pod
";

struct Hour(tempfile::TempDir);

impl Hour {
    fn program(&self, arguments: &[&str], ci: bool) -> std::process::Command {
        let mut command = program();
        command.current_dir(self.0.path()).args(arguments);
        if !ci {
            command.env_remove("CI");
        }
        command
    }

    /// Runs the program and checks its exit code; returns what it said.
    #[track_caller]
    fn says(&self, arguments: &[&str], code: i32) -> String {
        Self::judged(
            &self.program(arguments, false).output().unwrap(),
            arguments,
            code,
        )
    }

    #[track_caller]
    fn judged(output: &Output, arguments: &[&str], code: i32) -> String {
        let said = text(output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    #[track_caller]
    fn run(&self, name: &str, code: i32) -> String {
        self.says(&[&["run", name], &RELEASES[..]].concat(), code)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn change(&self, name: &str, old: &str, new: &str) {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{text}");
        std::fs::write(path, text.replace(old, new)).unwrap();
    }
}

/// The file of a live RayCluster in the evidence of a run.
fn live_object(evidence: &Path) -> PathBuf {
    let mut folders = vec![evidence.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if folder.ends_with("rayclusters") {
                return path;
            }
        }
    }
    panic!("the evidence {} contains no RayCluster", evidence.display());
}

#[test]
#[ignore = "needs envtest"]
fn a_rayservice_is_green_after_one_run() {
    let _exclusive = exclusive();
    let hour = Hour(tempfile::tempdir().unwrap());
    let service = JOB
        .replace("kind: RayJob", "kind: RayService")
        .replace(
            "    entrypoint: python train.py\n",
            "    serveConfigV2: |\n      applications: []\n",
        )
        .replace("rayClusterSpec", "rayClusterConfig");
    std::fs::write(hour.path("service.yaml"), service).unwrap();
    let said = hour.says(&["scenario", "init", "served", "service.yaml"], 0);
    assert!(
        said.contains("checks for: head, worker group small\n"),
        "{said}"
    );
    hour.run("served", 1);
    hour.says(&["snapshot", "accept"], 0);
    for _ in 0..3 {
        assert_contains!(hour.run("served", 0), "2 passed");
    }
}

/// Left out of `ci/test`, which has a limit of time.
mod slow {
    use super::*;

    #[test]
    #[ignore = "needs envtest, takes minutes"]
    fn a_newcomer_gets_a_live_raycluster_and_a_rayjob_green_and_understands_a_failure() {
        let _exclusive = exclusive();
        let hour = Hour(tempfile::tempdir().unwrap());

        // The built-in scenarios need no folder, and nothing is written beside them.
        assert_contains!(hour.says(&["scenario", "list"], 0), "before-ray-start");
        let said = hour.says(
            &[
                "run",
                "default-command",
                "--evidence",
                "always",
                "--operator",
                "1.6.2",
            ],
            0,
        );
        assert!(said.contains("1 passed"), "{said}");

        // From what a cluster holds, and from a file.
        let object = live_object(&hour.path("output/evidence"));
        let mut live = std::fs::read_to_string(&object).unwrap();
        assert!(live.contains("resourceVersion"), "{live}");
        // The case may have ended before the operator wrote the status.
        if !live.contains("\nstatus:") {
            live.push_str("status: {state: ready, desiredWorkerReplicas: 1}\n");
            std::fs::write(&object, live).unwrap();
        }
        let said = hour.says(&["scenario", "init", "mine", object.to_str().unwrap()], 0);
        assert!(said.contains("checks for: head"), "{said}");
        assert!(
            said.contains("next: kuberay-conformance run mine\n"),
            "{said}"
        );
        let manifest = std::fs::read_to_string(hour.path("scenarios/mine/manifest.yaml")).unwrap();
        assert!(!manifest.contains("resourceVersion"), "{manifest}");
        assert!(!manifest.contains("status:"), "{manifest}");
        std::fs::write(hour.path("job.yaml"), JOB).unwrap();
        let said = hour.says(&["scenario", "init", "nightly", "job.yaml"], 0);
        assert!(
            said.contains("checks for: head, worker group small, submitter"),
            "{said}"
        );
        let again = hour.says(&["scenario", "init", "nightly", "job.yaml"], 2);
        assert!(again.contains("exists already"), "{again}");
        // Without snapshots yet, one line for each scenario.
        let lint = hour.says(&["scenario", "lint"], 2);
        assert_eq!(lint.matches("there is no snapshot").count(), 2, "{lint}");

        // A first run is new, not failed.
        let said = hour.run("mine", 1);
        assert!(said.contains("2 new, 0 failed"), "{said}");
        assert!(said.contains("snapshot review"), "{said}");
        let mut review = hour.program(&["snapshot", "review"], false);
        review.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut review = review.spawn().unwrap();
        let mut answers = review.stdin.take().unwrap();
        let typed = std::thread::spawn(move || answers.write_all("a\n".repeat(40).as_bytes()));
        let reviewed = review.wait_with_output().unwrap();
        _ = typed.join();
        Hour::judged(&reviewed, &["snapshot", "review"], 0);
        for _ in 0..3 {
            assert_contains!(hour.run("mine", 0), "2 passed");
        }

        // The job's id and the names of its cluster are random, and masked.
        hour.run("nightly", 1);
        let said = hour.says(&["snapshot", "accept"], 0);
        assert!(said.contains("for KubeRay 1.3.2, 1.6.2"), "{said}");
        let accepted: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with("accepted"))
            .collect();
        let mut once = accepted.clone();
        once.dedup();
        assert_eq!(accepted, once, "each file is listed once");
        for _ in 0..3 {
            assert_contains!(hour.run("nightly", 0), "2 passed");
        }
        hour.says(&["scenario", "lint"], 0);

        // A change fails with a message that names it.
        hour.change(
            "scenarios/nightly/manifest.yaml",
            "entrypoint: python train.py",
            "entrypoint: python other.py",
        );
        let said = hour.run("nightly", 1);
        assert_contains!(said, "submitter");
        assert_contains!(said, '-');
        assert_contains!(said, "other.py");
        assert!(said.contains("2 failed"), "{said}");
        hour.says(&["snapshot", "accept"], 0);

        // CI: the same, and nothing is written.
        let arguments = [&["run", "nightly"], &RELEASES[..]].concat();
        let ran = hour.program(&arguments, true).output().unwrap();
        Hour::judged(&ran, &arguments, 0);
        let snapshot = std::fs::read_dir(hour.path("scenarios/nightly"))
            .unwrap()
            .find_map(|entry| {
                let path = entry.unwrap().path();
                path.to_string_lossy()
                    .contains("submitter.")
                    .then_some(path)
            });
        std::fs::remove_file(snapshot.expect("a snapshot of the submitter")).unwrap();
        let ran = hour.program(&arguments, true).output().unwrap();
        let said = Hour::judged(&ran, &arguments, 1);
        assert!(said.contains("new"), "{said}");
        let pending = std::fs::read_dir(hour.path("scenarios/nightly")).unwrap();
        assert!(
            pending.into_iter().all(|entry| !entry
                .unwrap()
                .path()
                .to_string_lossy()
                .ends_with(".new")),
            "a run in CI records nothing"
        );
    }
}
