//! Packages of the operating system: installed on a bare Debian machine as root, named elsewhere.

use std::ffi::OsStr;
use std::path::Path;

use super::ArtifactError;
use crate::process;
use crate::progress::Progress;
use crate::results::Outcome;

/// A program and the Debian packages that bring it.
#[derive(Debug, Clone, Copy)]
pub struct Needed {
    /// Looked for on the PATH and in the system's `sbin` folders.
    pub program: &'static str,
    /// Debian's packages.
    pub packages: &'static [&'static str],
    /// What it is needed for, to follow "needed to".
    pub purpose: &'static str,
}

/// podman and what it needs to run kind's nodes as root.
pub const PODMAN: Needed = Needed {
    program: "podman",
    packages: &[
        "podman",
        "conmon",
        "runc",
        "crun",
        "netavark",
        "aardvark-dns",
        "iptables",
        "uidmap",
    ],
    purpose: "run kind's nodes",
};

/// Makes the file systems that images are built on.
pub const DEBOOTSTRAP: Needed = Needed {
    program: "debootstrap",
    packages: &["debootstrap"],
    purpose: "make the images' file systems",
};

/// Compiles the pause program of Kubernetes.
pub const CC: Needed = Needed {
    program: "gcc",
    packages: &["gcc", "libc6-dev"],
    purpose: "compile the pause program of Kubernetes",
};

/// Whether a program can be started.
#[must_use]
pub fn is_present(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(Into::into));
    folders
        .map(|folder| folder.join(program))
        .any(|candidate| is_executable(&candidate))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn missing(needed: &[Needed]) -> Vec<Needed> {
    needed
        .iter()
        .copied()
        .filter(|one| !is_present(one.program))
        .collect()
}

/// Whether [`ensure`] would install something: it is missing, and this is Debian (or made from it)
/// and we are root.
#[must_use]
pub fn may_install(needed: &[Needed]) -> bool {
    !missing(needed).is_empty() && is_debian_as_root()
}

fn is_debian_as_root() -> bool {
    is_present("apt-get")
        && std::fs::metadata("/proc/self").is_ok_and(|metadata| {
            use std::os::unix::fs::MetadataExt as _;
            metadata.uid() == 0
        })
}

/// Installs what is missing, where this is Debian (or made from it) and we are root.
///
/// # Errors
/// Elsewhere, an error that names the packages; else apt-get's failure.
pub async fn ensure(needed: &[Needed], progress: &dyn Progress) -> Result<(), ArtifactError> {
    let missing = missing(needed);
    let Some(first) = missing.first() else {
        return Ok(());
    };
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|one| one.packages.iter().copied())
        .collect();
    if !is_debian_as_root() {
        return Err(ArtifactError::Missing {
            program: first.program,
            purpose: first.purpose,
            advice: format!(
                "install these packages (their names in Debian): {}",
                packages.join(" ")
            ),
        });
    }
    let task = "system packages";
    progress.update(task, &format!("installing {}", packages.join(" ")));
    apt_get(["update"]).await?;
    apt_get(
        ["install", "--yes", "--no-install-recommends"]
            .into_iter()
            .chain(packages.iter().copied()),
    )
    .await?;
    progress.finish(
        task,
        Outcome::Passed,
        &format!("installed {}", packages.join(" ")),
    );
    Ok(())
}

async fn apt_get(
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<(), ArtifactError> {
    let mut command = process::command("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    process::output(
        command,
        "installing the system packages that are missing",
        process::TRANSFER,
    )
    .await?;
    Ok(())
}
