use std::process::ExitCode;

fn main() -> ExitCode {
    // `up` starts this program again to start the local registry.
    if let Some(code) = kuberay_conformance::cluster::registry_helper() {
        return code;
    }
    ExitCode::SUCCESS
}
