//! `kubectl ray doctor`: the command `doctor` as a plugin of kubectl.

use std::process::ExitCode;

fn main() -> ExitCode {
    kuberay_conformance::doctor_plugin()
}
