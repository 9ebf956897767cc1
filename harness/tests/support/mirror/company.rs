//! A company with a mirror, and the working folder of a user there.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kuberay_conformance::report::RunResult;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::built::Built;
use super::{LOGIN, Mirror, Pushed};
use crate::support::scenarios;

const PUBLIC: [&str; 3] = [
    "https://dl.k8s.io",
    "https://github.com",
    "https://proxy.golang.org",
];

/// A mirror that holds what the command of the guide lists.
pub struct Company {
    pub folder: TempDir,
    pub mirror: Mirror,
    /// Digests of the images by public name.
    pub digests: Pushed,
    target: &'static str,
}

impl Company {
    /// Starts the mirror and fills it for a target. Settings of a repository, of the environment
    /// and of the command line work together.
    pub fn start(target: &'static str, build: impl FnOnce(&Path) -> Built) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mirror = Mirror::start(folder.path());
        let mut text = format!(
            "mirror-ca = {:?}\n[download-mirrors]\n",
            mirror.authority.display().to_string()
        );
        for public in PUBLIC {
            text.push_str(&format!("{public:?} = {:?}\n", mirror.files(public)));
        }
        std::fs::write(folder.path().join("kuberay-conformance.toml"), text).unwrap();
        let mut company = Self {
            folder,
            mirror,
            digests: Pushed::new(),
            target,
        };
        let built = build(company.folder.path());
        let list = built.renamed(&company.list());
        company.digests = company.mirror.fill(&list, &built.contents);
        company.pin(&built.pins(&company.digests));
        company
    }

    fn program(&self) -> Command {
        let mut program = Mirror::program(self.folder.path());
        let docker = format!("docker.io={}", self.mirror.location("docker.io"));
        program.env("KUBERAY_CONFORMANCE_MIRRORS", docker);
        program
    }

    /// What the mirror must hold.
    fn list(&self) -> String {
        let mut list = self.program();
        list.args(["artifacts", "list", "--to-mirror", "--format", "json"]);
        list.args(["--target", self.target, "--operator", "1.6.2", "--mirror"]);
        list.arg(format!("quay.io={}", self.mirror.location("quay.io")));
        let done = list.output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Writes the file with the platform team's own pins.
    pub fn pin(&self, pins: &Value) {
        std::fs::write(self.folder.path().join("pins.yaml"), pins.to_string()).unwrap();
    }

    /// Writes a login as `podman login` does.
    pub fn log_in(&self, password: &str) {
        let folder = self.folder.path().join("home/.config/containers");
        std::fs::create_dir_all(&folder).unwrap();
        let auth = BASE64_STANDARD.encode(format!("{}:{password}", LOGIN.0));
        let text = json!({"auths": {&self.mirror.host: {"auth": auth}}});
        std::fs::write(folder.join("auth.json"), text.to_string()).unwrap();
    }

    /// `run` of some scenarios with `--artifacts pull`; `more` are further arguments.
    pub fn command(&self, more: &[&str]) -> Command {
        let mut run = self.program();
        run.args(["run", "--operator", "1.6.2", "--target", self.target]);
        run.args(["--artifacts", "pull", "--pins", "pins.yaml", "--mirror"]);
        run.arg(format!("quay.io={}", self.mirror.location("quay.io")));
        run.arg("--scenarios").arg(scenarios()).args(more);
        run
    }

    pub fn result(&self) -> RunResult {
        let path = self.folder.path().join("output/results.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Checks that a run ended with 3 and said all of this; `HOST` stands for the mirror.
    pub fn refused(&self, done: &Output, expected: &[&str]) {
        assert_eq!(done.status.code(), Some(3), "{}", said(done));
        for expected in expected {
            let expected = expected.replace("HOST", &self.mirror.host);
            assert!(said(done).contains(&expected), "{expected}: {}", said(done));
        }
    }

    /// The text of all reports.
    pub fn reports(&self) -> String {
        let mut text = String::new();
        texts(&self.folder.path().join("output"), &mut text);
        text
    }
}

/// All that a program said.
pub fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout)
}

fn texts(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, into);
        } else {
            into.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
}
