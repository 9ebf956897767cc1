//! Runs that are killed at random moments: nothing outlives them, `cluster down` and the next run
//! work, and no report claims more than happened.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kuberay_conformance::process::UNFINISHED;

use crate::support::kills::{Moments, claims_no_more_than_happened, killed, processes_end};
use crate::support::own_cache::own_cache;
use crate::support::sandbox::text;
use crate::support::{exclusive, program, scenarios};

const MOMENTS: usize = 90;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program();
    command.args(arguments);
    command.env("KUBERAY_CONFORMANCE_CACHE", own_cache(folder));
    command
}

/// A few cases, two releases.
fn run(folder: &Path, output: &Path, resume: bool) -> Command {
    let names = [
        "default-command",
        "probes-over-http",
        "token-auth-submitter",
    ];
    let mut run = command(folder, &["run"]);
    run.args(names)
        .args(["--target", "envtest", "--operator", "1.5.1,1.6.2"])
        .arg("--scenarios")
        .arg(scenarios())
        .arg("--output")
        .arg(output);
    if resume {
        run.arg("--resume");
    }
    run
}

#[test]
#[ignore = "needs envtest, takes half an hour"]
fn a_run_that_is_killed_at_any_moment_leaves_nothing_and_claims_nothing() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cache = own_cache(folder);
    // The first makes what later ones find in the cache.
    let [_, whole] = ["first", "second"].map(|output| {
        let began = Instant::now();
        let ran = run(folder, &folder.join(output), false).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
        began.elapsed()
    });
    let mut kills = 0;
    let moments: Vec<f64> = Moments::new(MOMENTS).collect();
    for (number, moment) in moments.iter().copied().enumerate() {
        let output = folder.join(format!("output-{number}"));
        // One run is not as long as another.
        let after = whole.mul_f64(moment * 0.95);
        println!("{number}: killed after {after:?} of {whole:?}");
        let (was_killed, said) = killed(run(folder, &output, false), after);
        kills += usize::from(was_killed);
        // Programs of API servers have the cache's path in their arguments.
        processes_end(cache.to_str().unwrap());
        claims_no_more_than_happened(&output, || {
            let mut merge = command(folder, &["report", "merge"]);
            merge
                .arg(&output)
                .arg("--output")
                .arg(output.join("merged"));
            merge.output().unwrap()
        });
        let down = command(folder, &["cluster", "down", "--target", "envtest"]);
        let down = { down }.output().unwrap();
        assert_eq!(down.status.code(), Some(0), "{said}\n{}", text(&down));
        let next = run(folder, &output, number % 2 == 0).output().unwrap();
        assert_eq!(next.status.code(), Some(0), "{said}\n{}", text(&next));
        let folders = std::fs::read_dir(cache.join("envtest")).unwrap();
        let left: Vec<_> = folders
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        assert!(left.is_empty(), "{left:?} are left:\n{}", text(&next));
        let temporary = std::fs::read_dir(&output).unwrap().flatten();
        let temporary: Vec<_> = temporary
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with(UNFINISHED))
            .collect();
        assert!(temporary.is_empty(), "{temporary:?} are left");
        std::fs::remove_dir_all(&output).unwrap();
    }
    println!("{kills} were killed before they ended");
    let tried = moments.len();
    // A machine may be faster by then than it was at first.
    assert!(
        kills * 90 >= tried * 80,
        "of {tried} runs only {kills} were killed before they ended"
    );
    std::thread::sleep(Duration::from_millis(100));
    processes_end(cache.to_str().unwrap());
}
