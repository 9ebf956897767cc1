//! The command line of the harness; see `kuberay_conformance::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kuberay_conformance::cli::main()
}
