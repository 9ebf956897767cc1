//! Whether an engine may start privileged containers, which is known only by trying.

use std::path::Path;

use tokio::process::Command;

use super::error::EngineError;
use crate::process;

const IMAGE: &str = "localhost/kuberay-conformance/probe:empty";

/// Starts a privileged container of an empty image. It can't run anything, so its start always
/// fails; but only after the engine has given it all capabilities does it fail because the program
/// is not there.
///
/// `command` returns the engine's program with its environment. The inner result holds the
/// engine's refusal.
pub(super) async fn privileged(
    command: impl Fn() -> Command,
    state: &Path,
) -> Result<Result<(), String>, EngineError> {
    let archive = state.join("empty.tar");
    let write = || {
        std::fs::create_dir_all(state)?;
        // An archive without entries is two blocks of zeros.
        std::fs::write(&archive, [0; 1024])
    };
    write().map_err(|source| EngineError::File {
        path: archive.clone(),
        source,
    })?;
    let mut import = command();
    import.arg("import").arg(&archive).arg(IMAGE);
    let doing = "looking whether containers may be privileged";
    let imported = process::run(import, doing, process::CHANGE).await;
    let _ = std::fs::remove_file(&archive);
    match imported {
        Ok(output) if output.status.success() => {}
        Ok(output) => return Ok(Err(refusal(&output.stderr))),
        Err(error) => return Ok(Err(error.to_string())),
    }
    let mut run = command();
    run.args([
        "run",
        "--rm",
        "--privileged",
        "--network=none",
        IMAGE,
        "/not-there",
    ]);
    let answer = process::run(run, doing, process::CHANGE).await;
    let mut remove = command();
    remove.args(["rmi", "--force", IMAGE]);
    let _ = process::run(remove, doing, process::CHANGE).await;
    Ok(match answer {
        Ok(output) => judge(&String::from_utf8_lossy(&output.stderr)),
        Err(error) => Err(error.to_string()),
    })
}

fn judge(written: &str) -> Result<(), String> {
    if written.contains("/not-there")
        && (written.contains("no such file") || written.contains("not found"))
    {
        return Ok(());
    }
    Err(format!(
        "it may not start privileged containers, which kind's nodes are: {}",
        refusal(written.as_bytes())
    ))
}

fn refusal(written: &[u8]) -> String {
    let written = String::from_utf8_lossy(written);
    written
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it printed no message")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "docker: Error response from daemon: failed to create task: OCI runtime create failed: exec: \"/not-there\": stat /not-there: no such file or directory: unknown.",
        true
    )]
    #[case(
        "Error: runc: exec failed: exec: \"/not-there\": executable file not found in $PATH",
        true
    )]
    #[case(
        "docker: Error response from daemon: OCI runtime create failed: unable to apply caps: operation not permitted: unknown.",
        false
    )]
    #[case("", false)]
    fn only_a_missing_program_shows_that_it_may(#[case] written: &str, #[case] expected: bool) {
        assert_eq!(judge(written).is_ok(), expected);
    }
}
