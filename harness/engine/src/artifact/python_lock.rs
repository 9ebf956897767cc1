//! Lock files of Ray's Python packages: every package of a release, with the checksums of its
//! files.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use semver::Version;

use super::ArtifactError;
use super::error::file;
use super::system;
use crate::process;

/// The Python of the image, see `fixtures/images/ray`.
const PYTHON: &str = "3.11";

/// What is left out: a package without wheels that Ray up to 2.9 needs on machines with GPUs only.
const LEFT_OUT: &str = "gpustat; python_version < '3'\n";

/// What became of a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonLock {
    /// The file.
    pub path: PathBuf,
    /// How many packages it names.
    pub packages: usize,
    /// Whether the file was another before, or absent.
    pub is_changed: bool,
}

/// Writes the lock file of a Ray release below `fixtures`, with the newest packages that fit it.
/// With `until`, packages that were published after that day are left out.
///
/// # Errors
/// When `uv` is missing or fails, or a package has no checksum.
pub async fn lock_ray(
    version: &Version,
    until: Option<Date>,
    fixtures: &Path,
) -> Result<PythonLock, ArtifactError> {
    if !system::is_present("uv") {
        return Err(ArtifactError::Missing {
            program: "uv",
            purpose: "resolve Ray's Python packages",
            advice: "install it, for instance with `pip install uv`".into(),
        });
    }
    let folder = tempfile::tempdir().map_err(file("making a folder for", "requirements"))?;
    let input = folder.path().join("in.txt");
    std::fs::write(&input, format!("ray[default,serve]=={version}\n"))
        .map_err(file("writing", &input))?;
    let overrides = folder.path().join("overrides.txt");
    std::fs::write(&overrides, LEFT_OUT).map_err(file("writing", &overrides))?;
    let mut compile = process::command("uv");
    compile.args([
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--generate-hashes",
    ]);
    compile.args(["--only-binary", ":all:", "--python-platform", "linux"]);
    compile.args(["--python-version", PYTHON, "--override", "overrides.txt"]);
    if let Some(until) = until {
        compile.args(["--exclude-newer", &until.to_string()]);
    }
    compile.arg("in.txt");
    compile.current_dir(folder.path());
    let doing = format!("resolving the packages of Ray {version}");
    let text = process::output(compile, &doing, process::TRANSFER).await?;
    let packages = packages(&text, version).map_err(|problem| ArtifactError::Answer {
        doing,
        answer: problem,
    })?;
    let path = fixtures.join(format!("images/ray/{version}/requirements.lock"));
    let is_changed = std::fs::read_to_string(&path).ok().as_deref() != Some(&*text);
    if is_changed {
        let parent = path.parent().unwrap_or(fixtures);
        std::fs::create_dir_all(parent).map_err(file("making", parent))?;
        std::fs::write(&path, text).map_err(file("writing", &path))?;
    }
    Ok(PythonLock {
        path,
        packages,
        is_changed,
    })
}

/// Counts the packages of a lock; each must have a checksum, and Ray's own must be the release that
/// was asked for.
fn packages(text: &str, version: &Version) -> Result<usize, String> {
    let mut count = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with([' ', '#']) || !line.contains("==") {
            continue;
        }
        let next = lines.peek().copied().unwrap_or_default();
        if !next.trim_start().starts_with("--hash=sha256:") {
            return Err(format!("`{line}` has no checksum"));
        }
        count += 1;
    }
    if !text.contains(&format!("ray=={version} ")) {
        return Err(format!("it does not name ray=={version}"));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LOCK: &str = "click==8.1.7 \\\n    --hash=sha256:0f\n    # via ray\n\
                        ray==2.52.0 \\\n    --hash=sha256:0f\n    # via -r in.txt\n";

    #[rstest]
    #[case(LOCK.to_owned(), Ok(2))]
    #[case(LOCK.replace("2.52.0", "2.53.0"), Err("it does not name ray==2.52.0"))]
    #[case(
        LOCK.replacen("    --hash=sha256:0f\n", "", 1),
        Err("`click==8.1.7 \\` has no checksum")
    )]
    fn every_package_of_a_lock_has_a_checksum(
        #[case] text: String,
        #[case] expected: Result<usize, &str>,
    ) {
        let found = packages(&text, &Version::new(2, 52, 0));
        assert_eq!(found, expected.map_err(str::to_owned));
    }
}
