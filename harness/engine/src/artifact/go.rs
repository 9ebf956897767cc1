//! Programs from Go modules, verified against the pinned checksum and built without cgo.

use std::path::{Path, PathBuf};

use kuberay_conformance_pins::Module;
use serde::Deserialize;
use tokio::process::Command;

use super::error::file;
use super::recipes::{recipe_contents, write_recipe};
use super::{ArtifactError, ArtifactKey, Store};
use crate::process::{self, ProcessError};
use crate::progress::Progress;

/// The Go toolchain of this machine.
#[derive(Debug)]
pub struct Go {
    version: String,
    // One build at a time: the compiler uses every core by itself, and two at once only fight for
    // memory.
    turn: tokio::sync::Mutex<()>,
}

/// A module and its folder in the module cache.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Download {
    dir: PathBuf,
    sum: String,
}

/// Why the go command downloaded nothing, in one line, out of what it printed.
fn refusal(output: &str, module: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Refusal {
        error: String,
    }
    let told = serde_json::from_str(output).map(|refusal: Refusal| refusal.error);
    let told = told.unwrap_or_else(|_| output.into());
    let words: Vec<&str> = told.split_whitespace().collect();
    let line = words.join(" ");
    let own = line.strip_prefix(module).unwrap_or(&line);
    own.trim_start_matches(':').trim_start().into()
}

/// The files of a checkout that decide what is built, sorted; tests and hidden folders are not
/// among them.
fn go_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if !name.starts_with('.') && name != "testdata" {
                    folders.push(path);
                }
            } else if (name.ends_with(".go") && !name.ends_with("_test.go"))
                || ["go.mod", "go.sum"].contains(&&*name)
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn command() -> Command {
    let mut command = process::command("go");
    command
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .env("GOFLAGS", "-mod=readonly");
    command
}

impl Go {
    /// Asks the toolchain for its version.
    ///
    /// # Errors
    /// When there is none.
    pub async fn find() -> Result<Self, ArtifactError> {
        let mut ask = command();
        ask.args(["env", "GOVERSION"]);
        let version = process::output(
            ask,
            "asking the Go toolchain for its version",
            process::INSPECTION,
        )
        .await
        .map_err(|_| ArtifactError::Missing {
            program: "go",
            purpose: "build Kubernetes, KubeRay and kind from their modules",
            advice: "install Go 1.24 or later (it must be on the PATH), or use `--artifacts pull`"
                .into(),
        })?;
        Ok(Self {
            version: version.trim().to_owned(),
            turn: tokio::sync::Mutex::new(()),
        })
    }

    /// Downloads a module and returns its folder in the module cache.
    ///
    /// # Errors
    /// When it can't be had, or is not what is pinned.
    pub async fn module(&self, module: &Module) -> Result<PathBuf, ArtifactError> {
        let name = format!("{}@{}", module.module, module.version);
        let doing = format!("downloading the Go module {name}");
        let mut download = command();
        // Outside any module, so that no go.mod nearby has a say.
        download
            .args(["mod", "download", "-json", &name])
            // The pin vouches for the module; the checksum database can't add to it, and may be out
            // of reach.
            .env("GONOSUMDB", &module.module)
            .current_dir("/");
        let answer = match process::output(download, &doing, process::TRANSFER).await {
            Err(ProcessError::Failed { output, .. }) => {
                let problem = refusal(&output, &name);
                return Err(ArtifactError::Module {
                    module: name,
                    problem,
                });
            }
            answer => answer?,
        };
        let download: Download =
            serde_json::from_str(&answer).map_err(|error| ArtifactError::Answer {
                doing: doing.clone(),
                answer: format!("{error}: {answer}"),
            })?;
        if download.sum != module.sum {
            return Err(ArtifactError::Checksum {
                what: name,
                expected: module.sum.clone(),
                found: download.sum,
            });
        }
        Ok(download.dir)
    }

    /// The store's key of a module's program.
    pub(super) fn key(&self, module: &Module) -> String {
        let key = ArtifactKey::default()
            .with(&self.version)
            .with(&module.version);
        key.with(&module.sum).with(&module.package).short()
    }

    /// Builds the program of a module in the module's own folder, with the module's own go.sum.
    ///
    /// # Errors
    /// When the module can't be had or does not compile.
    pub async fn program(
        &self,
        store: &Store,
        name: &str,
        module: &Module,
        progress: &dyn Progress,
    ) -> Result<PathBuf, ArtifactError> {
        let folder = store
            .get(
                &format!("programs/{name}"),
                &self.key(module),
                |target| async move {
                    let task = format!("{name} {}", module.version);
                    progress.update(&task, "downloading its module");
                    let source = self.module(module).await?;
                    let _turn = self.turn.lock().await;
                    progress.update(&task, "compiling");
                    let mut build = command();
                    build
                        .args(["build", "-trimpath", "-ldflags", "-s -w", "-o"])
                        .arg(target.join(name));
                    build.arg(&module.package).current_dir(&source);
                    process::output(build, &format!("compiling {task}"), process::BUILD).await?;
                    Ok(())
                },
            )
            .await?;
        Ok(folder.join(name))
    }

    /// Builds the program of a checkout, once for each content of its Go files. Nothing is written
    /// there.
    ///
    /// # Errors
    /// When the folder can't be read, or the program does not compile.
    pub async fn source(
        &self,
        store: &Store,
        name: &str,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<PathBuf, ArtifactError> {
        let mut key = ArtifactKey::default().with(&self.version);
        for path in go_files(folder).map_err(file("reading the source in", folder))? {
            let text = std::fs::read(&path).map_err(file("reading", &path))?;
            let own = path.strip_prefix(folder).unwrap_or(&path);
            key = key.with(own.as_os_str().as_encoded_bytes()).with(text);
        }
        let made = store
            .get(
                &format!("programs/{name}-of-source"),
                &key.short(),
                |target| async move {
                    let task = format!("{name} of {}", folder.display());
                    let _turn = self.turn.lock().await;
                    progress.update(&task, "compiling");
                    let mut build = command();
                    build
                        .args([
                            "build",
                            "-trimpath",
                            "-buildvcs=false",
                            "-ldflags",
                            "-s -w",
                            "-o",
                        ])
                        .arg(target.join(name))
                        .arg(".")
                        .current_dir(folder);
                    process::output(build, &format!("compiling {task}"), process::BUILD).await?;
                    Ok(())
                },
            )
            .await?;
        Ok(made.join(name))
    }

    /// The store's key of a program of the modules that a recipe locks.
    pub(super) fn locked_key(&self, recipe: &str, package: &str, ldflags: &str) -> String {
        let mut key = ArtifactKey::default()
            .with(&self.version)
            .with(ldflags)
            .with(package);
        for (path, contents) in recipe_contents(recipe) {
            key = key.with(path.to_string_lossy().as_bytes()).with(contents);
        }
        key.short()
    }

    /// Builds a program of the modules that a recipe's own go.mod and go.sum lock.
    ///
    /// # Errors
    /// When a module can't be had, is not what go.sum says, or does not compile.
    #[expect(clippy::too_many_arguments, reason = "they are what makes the program")]
    pub async fn locked(
        &self,
        store: &Store,
        recipe: &str,
        program: &str,
        task: &str,
        package: &str,
        ldflags: &str,
        progress: &dyn Progress,
    ) -> Result<PathBuf, ArtifactError> {
        let key = self.locked_key(recipe, package, ldflags);
        let folder = store
            .get(&format!("programs/{program}"), &key, |target| async move {
                let module = tempfile::tempdir().map_err(file("making a folder for", recipe))?;
                write_recipe(recipe, module.path())
                    .map_err(file("writing the recipe to", module.path()))?;
                progress.update(task, "downloading modules");
                let mut download = command();
                download
                    .args(["mod", "download"])
                    .current_dir(module.path());
                process::output(
                    download,
                    &format!("downloading the modules of {task}"),
                    process::TRANSFER,
                )
                .await?;
                let _turn = self.turn.lock().await;
                progress.update(task, "compiling");
                let mut build = command();
                build.args(["build", "-trimpath", "-ldflags", ldflags, "-o"]);
                build
                    .arg(target.join(program))
                    .arg(package)
                    .current_dir(module.path());
                process::output(build, &format!("compiling {task}"), process::BUILD).await?;
                Ok(())
            })
            .await?;
        Ok(folder.join(program))
    }

    /// The folder of a module that a recipe's go.sum locks.
    ///
    /// # Errors
    /// When it can't be had, or is not what go.sum says.
    pub async fn locked_module(
        &self,
        recipe: &str,
        module: &str,
    ) -> Result<PathBuf, ArtifactError> {
        let folder = tempfile::tempdir().map_err(file("making a folder for", recipe))?;
        write_recipe(recipe, folder.path())
            .map_err(file("writing the recipe to", folder.path()))?;
        let mut list = command();
        list.args(["list", "-m", "-f", "{{.Dir}}", module])
            .current_dir(folder.path());
        let answer = process::output(
            list,
            &format!("looking for the module {module}"),
            process::TRANSFER,
        )
        .await?;
        Ok(PathBuf::from(answer.trim()))
    }
}
