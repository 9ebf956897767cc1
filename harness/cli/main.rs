//! The command line of the harness; see `kuberay_conformance`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kuberay_conformance::main()
}
