//! A program that is run for a scenario's own settings beside API servers that others keep up:
//! when it ends, those who use it hear of it.
//!
//! It keeps API servers up in a cache of its own.

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "support/all.rs"]
mod support;

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::Pins;
use kuberay_conformance::process::supervisor;
use kuberay_conformance::provider::{Envtest, EnvtestSpec, ReleaseSpec};
use kuberay_conformance::report::Silent;
use kuberay_conformance::scenario::OperatorSettings;
use libtest_mimic::{Arguments, Completion, Failed};
use rustix::process::Signal;
use support::own_cache::own_cache;
use support::processes::{children, signal};
use support::running::Running;
use support::{program, trials};

/// Guards against a test that never ends; no claim about speed.
const STARTED_WITHIN: Duration = Duration::from_secs(30);

/// Makes this program one that uses API servers, instead of a test of it.
const USER: &str = "USER_OF_ENVTEST";

fn main() -> ExitCode {
    // The programs of envtest are started through this program.
    if let Some(code) = supervisor() {
        return code;
    }
    if std::env::var_os(USER).is_some() {
        return use_envtest();
    }
    let arguments = Arguments::from_args();
    let name = "a_program_of_own_settings_that_ends_is_told_of";
    let trial = trials::ignored(name, "needs envtest", &arguments, || {
        told_of()?;
        Ok(Completion::Completed)
    });
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

/// Uses an operator with settings of its own until a program ends.
fn use_envtest() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a tokio runtime");
    let done = runtime.block_on(async {
        let release: semver::Version = support::newest().parse().expect("a release");
        let releases = ReleaseSpec::new(release.clone(), Pins::embedded().defaults.ray);
        let spec = EnvtestSpec::default();
        let envtest = Envtest::find_or_start(&releases, &spec, Arc::new(Silent), "a test").await?;
        let env = [("ENABLE_LOGIN_SHELL".to_owned(), "true".to_owned())];
        let settings = OperatorSettings {
            env: env.into(),
            ..OperatorSettings::default()
        };
        let work = async |_: &_| {
            println!("it runs");
            println!("first end: {}", envtest.first_end().ended().await);
        };
        envtest.with_settings(&release, &settings, work).await
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The operator that a process has started. It is this program itself until it has put the
/// operator's in its place.
fn operator_of(user: u32) -> Result<u32, Failed> {
    let began = Instant::now();
    loop {
        let programs = children(user);
        if let Some((id, _)) = programs.iter().find(|(_, name)| name == "manager") {
            return Ok(*id);
        }
        if began.elapsed() > STARTED_WITHIN {
            return Err(format!("the user runs no operator of its own: {programs:?}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn told_of() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let cache = own_cache(folder.path());
    let stand = |command: &str| -> Result<(), Failed> {
        let mut program = program();
        program
            .args(["cluster", command, "--target", "envtest"])
            .env("KUBERAY_CONFORMANCE_CACHE", &cache);
        let output = program.output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            Ok(())
        } else {
            Err(said.into())
        }
    };
    stand("up")?;
    let told = (|| {
        let mut user = Command::new(std::env::current_exe()?);
        user.env(USER, "yes")
            .env("KUBERAY_CONFORMANCE_CACHE", &cache);
        let mut user = Running::start(user);
        user.until("it runs");
        let id = operator_of(user.id())?;
        signal(id, Signal::KILL);
        user.until("first end: operator");
        let (_, said) = user.end();
        let cause = format!("(process {id}) ended with signal: 9");
        if said.contains(&cause) {
            Ok(())
        } else {
            Err(said.into())
        }
    })();
    stand("down")?;
    told
}
